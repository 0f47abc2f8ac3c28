"""What labelling saw of a video: kept, grouped, named, and answered anew without a frame."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import FakeDetector, FakeEncoder, Square, fake_gallery, write_picture
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import NoFace, WhichOfFaces
from gallery.events import result_of, value_of
from gallery.faces.video import VideoOptions
from gallery.jobs import decide, relabel_video, review
from gallery.jobs.adopt import adopt
from gallery.jobs.cluster import cluster
from gallery.jobs.cluster_faces import report_of, write_folders
from gallery.jobs.decided_faces import listed_faces
from gallery.jobs.harvest import harvest
from gallery.jobs.label_video import label_video
from gallery.jobs.meant import SeenFace, Which
from gallery.jobs.reencode import encode_kept, encode_samples
from gallery.jobs.relabel import has_changed, seen_below
from gallery.jobs.relabel_video import relabel_videos
from gallery.media.images import decode_crop
from gallery.media.inputs import Media
from gallery.media.video_reader import VideoReader
from gallery.output.records import as_json
from gallery.output.resume import VideoProgress, open_writer, progress_of, stands_in
from gallery.reports.page import as_html
from gallery.store.sightings import Sighting
from gallery.store.steps import Action
from gallery.store.videos import moment_of
from gallery.types import (
    Decided,
    Image,
    Pixels,
    Verdict,
    VideoEnd,
    VideoRecord,
    VideoShot,
    VideoTrack,
)

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)


def pictures() -> list[Pixels]:
    """Four shots: Asuka moves, a stranger, nobody, the stranger again beside Rei."""
    first = [scene(Square(10 + n, 20, 50, RED)) for n in range(24)]
    second = [scene(Square(30, 30, 60, GREEN), brightness=90)] * 18
    third = [scene(brightness=-100)] * 18
    both = (Square(10, 20, 50, BLUE), Square(90, 20, 50, GREEN))
    return [*first, *second, *third, *([scene(*both, brightness=60)] * 24)]


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    return write_video(tmp_path / "第1話.mkv", at_rate(pictures()))


def label(
    gallery: Engine,
    path: Path,
    options: VideoOptions | None = None,
    done: VideoProgress | None = None,
) -> list[VideoRecord]:
    return list(label_video(gallery, path, options or VideoOptions(), done=done, keep=True))


def again(gallery: Engine) -> list[VideoRecord]:
    return list(relabel_videos(gallery, gallery.store.sightings.videos.all()))


def spans(faces: list[Sighting]) -> list[tuple[int, int]]:
    """Shots and tracks of seen faces."""
    return [(one.track.shot, one.track.track) for one in faces if one.track is not None]


def of_kind(
    records: list[VideoRecord], kind: type[VideoTrack | VideoShot | VideoEnd]
) -> list[VideoRecord]:
    return [one for one in records if isinstance(one.part, kind)]


def test_tracks_are_kept_as_faces_of_their_best_moments(filled: Engine, episode: Path) -> None:
    list(label_video(filled, episode, VideoOptions()))
    assert filled.store.sightings.videos.all() == []
    change = filled.store.change()
    records = label(filled, episode)
    assert filled.store.change() == change
    (video,) = filled.store.sightings.videos.all()
    assert (video.path, video.width, video.height) == (episode, 160, 120)
    assert video.is_whole
    assert video.digest is not None
    faces = filled.store.sightings.all()
    assert spans(faces) == [(1, 1), (2, 1), (4, 1), (4, 2)]
    tracks = of_kind(records, VideoTrack)
    for face, record in zip(faces, tracks, strict=True):
        assert face.track == record.part
        assert isinstance(record.part, VideoTrack)
        assert face.digest == moment_of(video.digest, record.part.best)
        assert face.face == record.faces[0].face
        assert face.quality == record.faces[0].quality
    with VideoReader(episode) as opened:
        (best,) = [
            frame.image()
            for frame in opened.frames()
            if frame.time == faces[0].track.best  # type: ignore[union-attr]
        ]
    (seen,) = filled.describer.describe_all(best)
    crop = decode_crop(filled.store.sightings.crops([faces[0].id])[faces[0].id])
    assert np.abs(crop.astype(int) - seen.crop).mean() < 3
    assert filled.store.check() == []


@pytest.mark.parametrize("at_once", [relabel_video.SHOTS_AT_ONCE, 1])
def test_relabelling_says_what_labelling_says_and_decodes_no_frame(
    filled: Engine,
    episode: Path,
    detector: FakeDetector,
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relabel_video, "SHOTS_AT_ONCE", at_once)
    said = label(filled, episode)
    looked = len(detector.seen)
    episode.unlink()
    assert [as_json(one) for one in again(filled)] == [as_json(one) for one in said]
    assert len(detector.seen) == looked
    filled.rename("Rei", "Ayanami")
    named = [one.faces[0].character for one in of_kind(again(filled), VideoTrack)]
    assert named == ["Asuka", None, "Ayanami", None]


def test_unknown_tracks_are_grouped_and_become_a_character(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    label(filled, episode)
    (found,) = result_of(cluster(filled))
    assert sorted(spans(list(found.faces))) == [(2, 1), (4, 2)]
    page = as_html(report_of(filled, [found]))
    assert "第1話.mkv\n0:00:0" in page
    out = tmp_path / "clusters"
    assert write_folders(filled, [found], out) == 2
    names = sorted(path.name for path in out.rglob("*.png"))
    assert all("_0-00-0" in name for name in names)
    assert result_of(adopt(filled, found.number, "Midori")) == 2
    samples = filled.samples("Midori")
    assert {one.path for one in samples} == {episode}
    assert {one.digest for one in samples} == {one.digest for one in found.faces}
    crops = filled.crops([one.id for one in samples])
    for one in samples:
        # A sample is one face: its descriptor is that of its crop, not the mean of a track.
        stored = filled.store.descriptors_of(one.id)["fake"]
        encoded = FakeEncoder().encode(crops[one.id][np.newaxis])[0]
        np.testing.assert_allclose(stored, encoded, atol=1e-6)
    assert result_of(cluster(filled)) == []
    answers = [one.faces[0] for one in of_kind(again(filled), VideoTrack)]
    assert [one.character for one in answers] == ["Asuka", "Midori", "Rei", "Midori"]
    assert {one.verdict for one in answers} == {Verdict.SURE}
    filled.forget("Midori")
    (back,) = result_of(cluster(filled))
    assert back.number == found.number


def test_pictures_and_tracks_of_one_face_come_into_one_cluster(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    picture = write_picture(tmp_path / "new" / "green.png", Square(20, 20, 60, GREEN), seed=9)
    label(filled, episode)
    filled.identify_all([read(picture)], keep=True)
    (found,) = result_of(cluster(filled))
    assert sorted(face.path.name for face in found.faces) == [
        "green.png", "第1話.mkv", "第1話.mkv",
    ]  # fmt: skip


def read(path: Path) -> Image:
    from gallery.media.images import read_image

    return read_image(path)


def test_labelling_again_keeps_numbers_and_clusters(filled: Engine, episode: Path) -> None:
    label(filled, episode)
    result_of(cluster(filled))
    before = filled.store.sightings.all()
    shots = len(filled.store.sightings.videos.shots())
    label(filled, episode)
    assert filled.store.sightings.all() == before
    assert len(filled.store.sightings.videos.shots()) == shots == 4
    # A copy elsewhere is the same video: its faces are not seen twice.
    label(filled, Path(shutil.copy(episode, episode.with_name("copy.mkv"))))
    assert filled.store.sightings.count() == len(before)
    assert len(filled.store.sightings.videos.all()) == 2


def test_a_part_takes_the_place_of_the_shots_that_it_touches(filled: Engine, episode: Path) -> None:
    label(filled, episode, VideoOptions(end=1.0))
    assert spans(filled.store.sightings.all()) == [(1, 1)]
    label(filled, episode, VideoOptions(start=2.6))
    assert spans(filled.store.sightings.all()) == [(1, 1), (2, 1), (2, 2)]
    records = again(filled)
    assert [one.part.shot for one in of_kind(records, VideoShot)] == [1, 2]  # type: ignore[union-attr]
    assert {one.asked for one in records} == {(0.0, None, VideoOptions().every)}
    whole = label(filled, episode)
    assert [as_json(one) for one in again(filled)] == [as_json(one) for one in whole]


def test_what_was_killed_is_gone_on_with(filled: Engine, episode: Path, tmp_path: Path) -> None:
    whole = [as_json(one) for one in label(filled, episode)]
    with filled.store.writing() as writer:
        assert writer.sightings.forget() == 4
    assert filled.store.sightings.videos.shots() == []
    out = tmp_path / "out.jsonl"
    for most in (1, 2, 3):
        job = open_writer(out, filled.encoder)
        done = progress_of(job.records()).get(episode)
        records = label_video(filled, episode, VideoOptions(), done=done, keep=True)
        for _, record in zip(range(most), records, strict=False):
            job.write(record)
        records.close()  # type: ignore[attr-defined]
        job.close()
    assert done is not None
    (end,) = of_kind(again(filled), VideoEnd)
    assert "was not labelled to its end" in str(end.error)
    label(filled, episode, done=done)
    assert [as_json(one) for one in again(filled)] == whole


def test_shots_that_a_file_holds_are_told(filled: Engine, episode: Path) -> None:
    records = label(filled, episode)
    for count in range(len(records) + 1):
        done = progress_of(records[:count])
        left = [one for one in records if not stands_in(one, done)]
        shots = [one.part.shot for one in of_kind(records[:count], VideoShot)]  # type: ignore[union-attr]
        assert left == [
            one
            for one in records
            if isinstance(one.part, VideoEnd) or one.part.shot > max(shots, default=0)
        ]


def test_files_that_cannot_be_read_and_show_nothing_are_kept_too(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.mkv"
    text.write_text("This is text.")
    said = [*label(filled, text), *label(filled, episode, VideoOptions(start=90.0))]
    assert all(one.error for one in said)
    assert [as_json(one) for one in again(filled)] == [as_json(one) for one in said]


def test_another_encoder_describes_tracks_from_their_crops(
    database: Path, filled: Engine, episode: Path
) -> None:
    said = label(filled, episode)
    with fake_gallery(database, encoder=FakeEncoder("other")) as other:
        encode_samples(other, other.remaining())
        assert value_of(encode_kept(other)) == 4
        answers = [one.faces[0].character for one in of_kind(again(other), VideoTrack)]
        assert answers == [one.faces[0].character for one in of_kind(said, VideoTrack)]
        assert result_of(cluster(other))[0].faces[0].track is not None


def test_a_changed_file_is_known_and_a_digest_is_not_taken_twice(
    filled: Engine, episode: Path
) -> None:
    label(filled, episode)
    (video,) = filled.store.sightings.videos.all()
    assert not has_changed(video)
    assert seen_below([video], [episode.parent]) == [video]
    assert seen_below([video], [episode.parent / "other"]) == []
    write_video(episode, at_rate(pictures()[:30]))
    assert has_changed(video)
    label(filled, episode)
    (now,) = filled.store.sightings.videos.all()
    assert now.digest != video.digest


def test_a_path_that_is_no_text_is_passed_over(filled: Engine, episode: Path) -> None:
    odd = Path(str(episode.parent) + "/\udcff.mkv")
    try:
        odd.write_bytes(episode.read_bytes())
    except OSError:
        pytest.skip("this file system takes no such names")
    assert of_kind(label(filled, odd), VideoTrack)
    assert filled.store.sightings.videos.all() == []
    assert filled.store.sightings.count() == 0


def test_the_commands_work_on_videos_together(tmp_path: Path, database: Path) -> None:
    """Every frame is a face with --cropped; strangers are grouped, adopted and then known."""
    noise = np.random.default_rng(3)
    faces = [noise.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(3)]
    order = [0, 1, 2, 0, 1, 2]
    frames = [pixels for row in order for pixels in [faces[row]] * 16]
    write_video(tmp_path / "shots" / "ep 1.mkv", at_rate(frames))
    write_picture(tmp_path / "known" / "Rei" / "1.png", Square(10, 10, 60, BLUE))

    def run(*words: str) -> str:
        done = call("--encoder", "anime-lite", *words, cwd=tmp_path, database=database)
        assert done.code == 0, done.stderr
        return done.stdout + done.stderr

    def records(name: str) -> list[dict[str, object]]:
        lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
        return [{**json.loads(line), "path": ""} for line in lines]

    run("enroll", "known", "--cropped")
    run("label", "shots", "--cropped", "--out", "first.jsonl")
    assert "faces followed: " in run("relabel", "--out", "again.jsonl")
    assert records("again.jsonl") == records("first.jsonl")
    before = (tmp_path / "again.jsonl").read_bytes()
    # A kill in the midst of the file leaves whole shots that are not answered twice.
    lines = before.splitlines(keepends=True)
    (tmp_path / "again.jsonl").write_bytes(b"".join(lines[:3]))
    run("relabel", "--out", "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == before
    found = [json.loads(line) for line in run("cluster", "--json", "--poor").splitlines()]
    for one in found:
        assert {"shot", "track", "start", "end", "best"} == one["faces"][0]["video"].keys()
    assert "0:00:0" in run("cluster", "--poor") or not found
    run("label", "shots", "--cropped", "--out", "other.jsonl", "--no-keep")


def test_what_a_person_decides_of_a_track_rules_wherever_the_video_is_labelled(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    label(filled, episode)
    asuka, stranger, *_ = filled.store.sightings.all()
    result_of(decide.confirm(filled, [SeenFace(asuka.id)], "Rei"))
    step = result_of(decide.set_aside(filled, [SeenFace(stranger.id)], Action.IGNORE))
    wanted = ["Rei", None, "Rei", None]

    def said(records: list[VideoRecord]) -> list[str | None]:
        return [one.faces[0].character for one in of_kind(records, VideoTrack)]

    assert said(again(filled)) == wanted
    assert said(label(filled, episode)) == wanted
    moved = episode.rename(tmp_path / "moved.mkv")
    assert said(list(label_video(filled, moved, VideoOptions()))) == wanted
    assert said(label(filled, moved, VideoOptions(every=0.25))) == wanted
    assert result_of(cluster(filled)) == []
    decide.undo(filled, [step.id])
    out = tmp_path / "out"
    done = result_of(harvest(filled, Media([moved], [], []), out, options=VideoOptions()))
    assert done.faces == 2


def test_a_track_is_named_by_its_video_and_a_time(filled: Engine, episode: Path) -> None:
    label(filled, episode)
    one, _, rei, last = filled.store.sightings.all()
    assert one.track is not None
    assert last.track is not None
    result_of(decide.confirm(filled, [episode], "Rei", Which(time=one.track.best)))
    with pytest.raises(WhichOfFaces, match="shows 2 faces"):
        result_of(decide.confirm(filled, [episode], "Rei", Which(time=last.track.best)))
    meant = Which(2, last.track.best)
    result_of(decide.confirm(filled, [episode], "Midori", meant, new=True))
    review.reject(filled, SeenFace(rei.id), "Rei")
    found = [record.faces[0].character for record in of_kind(again(filled), VideoTrack)]
    assert found[0] == "Rei"
    assert found[2] != "Rei"
    assert found[3] == "Midori"
    states = {one.seen: one.state.decided for one in listed_faces(filled, [episode])}
    assert states[rei.id] is Decided.NOT_THIS
    with pytest.raises(NoFace):
        result_of(decide.confirm(filled, [episode], "Rei", Which(time=99.0)))


def test_what_is_said_of_tracks_is_stored_and_what_is_decided_stands_there(
    filled: Engine, episode: Path
) -> None:
    label(filled, episode)
    read = filled.store.answers
    rows = read.in_video("fake", episode).faces
    assert [(one.character, one.verdict, one.is_stale) for one in rows] == [
        ("Asuka", Verdict.SURE, False),
        (None, Verdict.UNKNOWN, False),
        *[(one.character, one.verdict, False) for one in rows[2:]],
    ]
    assert {one.character for one in rows[2:]} == {"Rei", None}
    starts = [one.times[0] for one in rows if one.times is not None]
    assert starts == sorted(starts)
    assert len(starts) == 4
    first = read.in_video("fake", episode, limit=3)
    assert first.faces + read.in_video("fake", episode, after=first.after).faces == rows
    step = result_of(decide.confirm(filled, [SeenFace(rows[1].face)], "Rei"))
    after = read.in_video("fake", episode).faces
    assert (after[1].character, after[1].decided) == ("Rei", Decided.CONFIRMED)
    assert after[:1] + after[2:] == rows[:1] + rows[2:]
    with filled.store.writing() as writer:
        writer.sightings.forget()
    label(filled, episode)
    assert [one.character for one in read.in_video("fake", episode).faces] == [
        one.character for one in after
    ]
    decide.undo(filled, [step.id])
    assert read.in_video("fake", episode).faces[1].decided is Decided.UNDECIDED
