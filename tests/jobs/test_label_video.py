"""Shots, tracks, answers and times of videos that fakes can read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import (
    FakeDetector,
    FakeEncoder,
    Square,
    fake_gallery,
    vector,
    write_picture,
)
from numpy.typing import NDArray
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.faces.tracking import BEST, Tracker
from gallery.faces.video import VideoOptions, has_news
from gallery.jobs.label_video import label_video
from gallery.media.images import read_image
from gallery.media.shots import in_shots
from gallery.media.video_reader import VideoReader
from gallery.output.records import as_json
from gallery.output.resume import open_writer, progress_of, remaining
from gallery.types import (
    CROP_SIDE,
    Box,
    DescribedFace,
    Descriptor,
    Face,
    Pixels,
    Quality,
    Thresholds,
    Verdict,
    VideoEnd,
    VideoRecord,
    VideoShot,
    VideoTrack,
)

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)
LIMITS = Thresholds(sure=0.3, unknown=0.6, margin=0.05)


def pictures() -> list[Pixels]:
    """Three shots: Asuka moves, nobody is there, Rei and a stranger stand beside each other."""
    first = [scene(Square(10 + n, 20, 50, RED)) for n in range(48)]
    second = [scene(brightness=90)] * 24
    both = (Square(10, 20, 50, BLUE), Square(90, 20, 50, GREEN))
    third = [scene(*both, brightness=-100)] * 36
    return [*first, *second, *third]


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    return write_video(tmp_path / "第1話.mkv", at_rate(pictures()))


def parts(
    records: Sequence[VideoRecord], kind: type[VideoTrack | VideoShot | VideoEnd]
) -> list[VideoRecord]:
    return [one for one in records if isinstance(one.part, kind)]


def test_cuts_are_found_at_the_frame(episode: Path) -> None:
    with VideoReader(episode) as video:
        placed = list(in_shots(video.frames()))
    assert [one.frame.time for one in placed] == sorted(one.frame.time for one in placed)
    assert len(placed) == 108
    assert [round(one.frame.time * 24) for one in placed if one.begins] == [0, 48, 72]
    assert [round(one.frame.time * 24) for one in placed if one.ends] == [47, 71, 107]


def test_tracks_names_and_times(filled: Engine, episode: Path) -> None:
    records = list(label_video(filled, episode, VideoOptions()))
    tracks = parts(records, VideoTrack)
    assert [one.faces[0].character for one in tracks] == ["Asuka", "Rei", None]
    assert [one.faces[0].verdict for one in tracks] == [
        Verdict.SURE, Verdict.SURE, Verdict.UNKNOWN,
    ]  # fmt: skip
    spans = [one.part for one in tracks if isinstance(one.part, VideoTrack)]
    assert [(one.shot, one.track) for one in spans] == [(1, 1), (3, 1), (3, 2)]
    assert [round(one.start * 24) for one in spans] == [0, 72, 72]
    assert [round(one.end * 24) for one in spans] == [47, 107, 107]
    shots = [one.part for one in parts(records, VideoShot) if isinstance(one.part, VideoShot)]
    assert [one.tracks for one in shots] == [1, 0, 2]
    (end,) = parts(records, VideoEnd)
    assert records[-1] is end
    assert end.error is None
    assert end.part == VideoEnd(3, 3, shots[-1].end)


def test_a_tracks_box_is_that_of_its_best_moment(filled: Engine, episode: Path) -> None:
    (first, *_) = parts(list(label_video(filled, episode, VideoOptions())), VideoTrack)
    assert isinstance(first.part, VideoTrack)
    place = round(first.part.best * 24)
    assert first.faces[0].face.box.left == 10 + place
    assert (first.width, first.height) == (160, 120)


def test_frames_that_show_nothing_new_are_not_looked_at(
    filled: Engine, episode: Path, detector: FakeDetector
) -> None:
    records = list(label_video(filled, episode, VideoOptions(every=0)))
    looks = [one.part.looks for one in records if isinstance(one.part, VideoShot)]
    assert looks[1:] == [1, 1]
    assert looks[0] > 10
    assert len(detector.seen) == sum(looks)


class CountingEncoder(FakeEncoder):
    """Counts the crops that it is given."""

    count = 0

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.count += len(crops)
        return super().encode(crops)


def test_frames_that_show_nothing_new_are_not_encoded(database: Path, tmp_path: Path) -> None:
    held = [scene(Square(10, 20, 50, RED), Square(90, 20, 50, BLUE))] * 40
    moved = [scene(Square(20, 20, 50, RED), Square(90, 20, 50, BLUE))] * 40
    path = write_video(tmp_path / "held.mkv", at_rate([*held, *moved]))
    encoder = CountingEncoder()
    with fake_gallery(database, encoder=encoder) as gallery:
        records = list(label_video(gallery, path, VideoOptions(every=0)))
    looks = sum(one.part.looks for one in records if isinstance(one.part, VideoShot))
    assert looks == 2
    # Two faces in each of two drawings, which are held for 80 frames.
    assert encoder.count == 4
    tracks = [one.part for one in records if isinstance(one.part, VideoTrack)]
    assert max(round(one.end * 24) for one in tracks) == 79


def test_looks_are_as_far_apart_as_asked_for(filled: Engine, episode: Path) -> None:
    for every, expected in ((10.0, 2), (1.0, 3), (0.5, 5)):
        records = list(label_video(filled, episode, VideoOptions(every=every)))
        (first, *_) = [one.part for one in records if isinstance(one.part, VideoShot)]
        # The last frame of a shot is looked at, too.
        assert first.looks == expected


def test_a_part_of_a_video_has_the_times_of_the_whole(filled: Engine, episode: Path) -> None:
    records = list(label_video(filled, episode, VideoOptions(start=3.25, end=3.75)))
    spans = [one.part for one in records if isinstance(one.part, VideoTrack)]
    assert [(round(one.start * 24), round(one.end * 24)) for one in spans] == [(78, 89)] * 2
    assert records[-1].error is None
    (nothing,) = label_video(filled, episode, VideoOptions(start=60))
    assert "shows nothing in the time" in str(nothing.error)


def test_black_frames_are_not_looked_at(
    filled: Engine, detector: FakeDetector, tmp_path: Path
) -> None:
    black = [np.zeros((120, 160, 3), np.uint8)] * 6
    face = [scene(Square(10, 20, 50, RED))] * 18
    path = write_video(tmp_path / "fade.mkv", at_rate([*black, *face]))
    records = list(label_video(filled, path, VideoOptions()))
    (track,) = [one.part for one in records if isinstance(one.part, VideoTrack)]
    assert round(track.start * 24) == 6
    assert len(detector.seen) == 1


def test_a_video_of_one_frame(filled: Engine, tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mkv", at_rate([scene(Square(10, 20, 50, RED))]))
    track, shot, end = label_video(filled, path, VideoOptions())
    assert track.part == VideoTrack(1, 1, 0.0, 0.0, 0.0, 1)
    assert track.faces[0].character == "Asuka"
    assert shot.part == VideoShot(1, 0.0, 0.0, 1, 1)
    assert end.part == VideoEnd(1, 1, 0.0)


def test_faces_of_large_videos_are_told_in_pixels_of_the_video(
    filled: Engine, tmp_path: Path
) -> None:
    # 16 times the picture that the other tests have: 2560 by 1920 pixels.
    large = np.repeat(np.repeat(scene(Square(10, 20, 50, RED)), 16, axis=0), 16, axis=1)
    path = write_video(
        tmp_path / "large.mkv", at_rate([large]), codec="mjpeg", pixel_format="yuvj420p"
    )
    (track, *_) = label_video(filled, path, VideoOptions())
    assert track.width == 2560
    np.testing.assert_allclose(track.faces[0].face.box, (160, 320, 960, 1120), atol=8)
    quality = track.faces[0].quality
    assert quality is not None
    assert quality.size == pytest.approx(800, abs=8)


def test_a_file_that_is_no_video_gives_one_record(filled: Engine, tmp_path: Path) -> None:
    path = tmp_path / "text.mkv"
    path.write_text("This is text.")
    (record,) = label_video(filled, path, VideoOptions())
    assert record.error is not None
    assert record.width is None
    assert as_json(record)["video"]["part"] == "end"


def test_a_video_cut_short_says_so_behind_what_it_has(filled: Engine, tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mkv", at_rate([*pictures(), *pictures()]))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.45)])
    records = list(label_video(filled, path, VideoOptions()))
    assert parts(records, VideoTrack)
    assert "what is there was looked at" in str(records[-1].error)
    assert all(one.error is None for one in records[:-1])


def go_on(gallery: Engine, path: Path, out: Path, most: int | None = None) -> None:
    """Do what `gallery label` does with a video, and stop after so many records."""
    writer = open_writer(out, gallery.encoder)
    try:
        if not remaining([path], writer):
            return
        done = progress_of(writer.records()).get(path)
        for number, record in enumerate(label_video(gallery, path, VideoOptions(), done=done)):
            if number == most:
                return
            writer.write(record)
    finally:
        writer.close()


def test_a_video_cut_short_anywhere_comes_to_the_same_end(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.jsonl"
    go_on(filled, episode, whole)
    content = whole.read_bytes()
    assert content.count(b"\n") == 7
    out = tmp_path / "out.jsonl"
    for most in range(7):
        out.unlink(missing_ok=True)
        go_on(filled, episode, out, most)
        go_on(filled, episode, out)
        assert out.read_bytes() == content, most
    for length in range(0, len(content), 487):
        out.write_bytes(content[:length])
        go_on(filled, episode, out)
        assert out.read_bytes() == content, length


def test_a_video_that_is_done_is_passed_over(
    filled: Engine, episode: Path, detector: FakeDetector, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    go_on(filled, episode, out)
    looked = len(detector.seen)
    go_on(filled, episode, out)
    assert len(detector.seen) == looked


def test_records_of_pictures_and_videos_live_in_one_file(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    picture = write_picture(tmp_path / "1.png", Square(10, 20, 50, RED))
    writer = open_writer(out, filled.encoder)
    writer.write(filled.identify(read_image(picture)))
    writer.close()
    go_on(filled, episode, out)
    writer = open_writer(out, filled.encoder)
    assert writer.done == {str(picture), str(episode)}
    assert [one.path for one in writer.records()] == [picture, *[episode] * 7]
    writer.close()
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert "video" not in lines[0]
    assert [line["video"]["part"] for line in lines[1:]] == [
        "track", "shot", "shot", "track", "track", "shot", "end",
    ]  # fmt: skip


def test_the_rest_is_not_done_in_another_way(filled: Engine, episode: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    go_on(filled, episode, out, most=2)
    writer = open_writer(out, filled.encoder)
    done = progress_of(writer.records())[episode]
    writer.close()
    with pytest.raises(InputError, match="in part with another start, end or time"):
        list(label_video(filled, episode, VideoOptions(every=1.0), done=done))


def seen(left: float, descriptor: Descriptor, sharpness: float = 1.0) -> DescribedFace:
    """A face of 50 pixels whose box begins at a place."""
    return DescribedFace(
        Face(Box(left, 0, left + 50, 50), 1.0),
        np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8),
        descriptor,
        Quality(50, sharpness, None, None, None),
    )


def test_faces_are_followed_through_each_other() -> None:
    one, other = vector(1), vector(2)
    tracker = Tracker(LIMITS)
    for step in range(11):
        # They pass each other in the middle, where their boxes are the same.
        tracker.add(step / 10, [seen(10 * step, one), seen(100 - 10 * step, other)])
    first, second = tracker.tracks()
    assert (first.looks, second.looks) == (11, 11)
    np.testing.assert_allclose(first.descriptor, one, atol=1e-6)
    np.testing.assert_allclose(second.descriptor, other, atol=1e-6)


def test_a_face_that_jumps_is_itself_and_another_in_its_place_is_not() -> None:
    tracker = Tracker(LIMITS)
    tracker.add(0.0, [seen(0, vector(1))])
    tracker.add(1.0, [seen(500, vector(1))])
    tracker.add(2.0, [seen(500, vector(2))])
    assert [(one.start, one.end) for one in tracker.tracks()] == [(0.0, 1.0), (2.0, 2.0)]


def test_a_face_may_be_missed_a_few_times() -> None:
    for missed, tracks in ((3, 1), (4, 2)):
        tracker = Tracker(LIMITS)
        tracker.add(0.0, [seen(0, vector(1))])
        for time in range(missed):
            tracker.add(1.0 + time, [])
        tracker.add(9.0, [seen(0, vector(1))])
        assert len(tracker.tracks()) == tracks


def test_what_stays_goes_on_and_what_was_missed_does_not() -> None:
    tracker = Tracker(LIMITS)
    tracker.add(0.0, [seen(0, vector(1)), seen(200, vector(2))])
    tracker.add(1.0, [seen(0, vector(1))])
    tracker.stay(2.0)
    assert [one.end for one in tracker.tracks()] == [2.0, 0.0]


def test_the_best_looks_speak_for_a_track_by_their_quality() -> None:
    tracker = Tracker(LIMITS)
    base = vector(1)
    for step in range(BEST + 3):
        blurred = step < 3
        # What is blurred looks like somebody else, a little.
        descriptor = np.float32(0.8) * base + np.float32(0.2) * vector(2) if blurred else base
        tracker.add(step, [seen(0, descriptor, 0.1 if blurred else 0.9 - step / 100)])
    (track,) = tracker.tracks()
    assert [one.time for one in track.best] == [3, 4, 5, 6, 7]
    np.testing.assert_allclose(track.descriptor, base, atol=1e-6)
    tracker = Tracker(LIMITS)
    tracker.add(0, [seen(0, base, 0.9)])
    tracker.add(1, [seen(0, np.float32(0.5) * base, 0.1)])
    (track,) = tracker.tracks()
    np.testing.assert_allclose(track.descriptor, 0.95 * base, atol=1e-6)


def test_overlap_of_boxes() -> None:
    assert Box(0, 0, 10, 10).overlap(Box(0, 0, 10, 10)) == 1
    assert Box(0, 0, 10, 10).overlap(Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert Box(0, 0, 10, 10).overlap(Box(10, 0, 20, 10)) == 0


def test_news_is_what_changes_in_one_place() -> None:
    small = np.full((90, 160, 3), 100, np.uint8)
    grain = np.random.default_rng(0).integers(-3, 4, small.shape)
    assert not has_news(small, small)
    assert not has_news(small, (small + grain).astype(np.uint8))
    face = small.copy()
    face[40:44, 80:84] = 140
    assert has_news(small, face)
