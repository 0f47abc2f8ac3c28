"""Videos are decoded to the right frames at the right times, and what is none is refused."""

from __future__ import annotations

import itertools
import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fakes import Square
from PIL import Image as pillow
from videos import at_rate, scene, write_sound, write_video

from gallery.errors import InputError, SetupError
from gallery.media.inputs import begins_as_video, is_video, media_of
from gallery.media.timecodes import seconds_of, timecode
from gallery.media.video_reader import MAX_SIDE, SMALL, Frame, VideoReader
from gallery.types import Pixels

RED = (220, 20, 20)


def corner(*, width: int = 160, height: int = 120) -> Pixels:
    """A grey picture whose upper left quarter is red."""
    pixels = np.full((height, width, 3), 120, np.uint8)
    pixels[: height // 2, : width // 2] = RED
    return pixels


def read(path: Path, start: float = 0.0, end: float | None = None) -> list[Frame]:
    with VideoReader(path) as video:
        return list(video.frames(start, end, all_of_them=True))


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as raised:
        VideoReader(path)
    text = str(raised.value)
    assert text.startswith(str(path))
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("codec", "pixel_format", "options"),
    [
        ("libx264", "yuv420p", {}),
        ("libx264", "yuv420p10le", {}),
        ("libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
        ("libsvtav1", "yuv420p10le", {"preset": "8"}),
        ("libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}),
    ],
)
def test_colours_and_times_of_every_codec(
    codec: str, pixel_format: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / "動画.mkv",
        at_rate([corner()] * 12),
        codec=codec,
        pixel_format=pixel_format,
        options=options,
    )
    frames = read(path)
    if sys.platform == "linux":
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    assert [round(frame.time, 3) for frame in frames] == [round(n / 24, 3) for n in range(12)]
    pixels = frames[6].image().pixels
    assert pixels.shape == (120, 160, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels[30, 40].astype(int) - RED).max() < 10
    assert np.abs(pixels[90, 120].astype(int) - 120).max() < 6


def test_times_are_those_of_the_file_at_a_variable_rate(tmp_path: Path) -> None:
    times = [0.0, 0.042, 0.1, 1.0, 1.033, 7.5]
    frames = [(time, scene(Square(10 + 10 * n, 10, 40))) for n, time in enumerate(times)]
    path = write_video(tmp_path / "vfr.mkv", frames)
    assert [round(frame.time, 3) for frame in read(path)] == times


def test_a_file_that_begins_late_counts_from_its_beginning(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "late.ts",
        at_rate([corner()] * 6, start=5.0),
        codec="libx264",
        pixel_format="yuv420p",
    )
    times = [frame.time for frame in read(path)]
    assert times[0] == pytest.approx(0.0, abs=0.001)
    assert times[-1] == pytest.approx(5 / 24, abs=0.001)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_a_part_is_what_all_has_at_that_time(suffix: str, tmp_path: Path) -> None:
    moving = [corner() if n % 7 else corner()[::-1] for n in range(96)]
    path = write_video(
        tmp_path / f"long.{suffix}",
        at_rate(moving),
        codec="libx264",
        pixel_format="yuv420p",
        options={"g": "30"},
    )
    whole = read(path)
    part = read(path, 1.5, 2.5)
    expected = [frame for frame in whole if 1.4995 <= frame.time < 2.4995]
    assert len(expected) == 24
    assert [frame.time for frame in part] == [frame.time for frame in expected]
    for one, other in zip(part, expected, strict=True):
        np.testing.assert_array_equal(one.image().pixels, other.image().pixels)
    assert read(path, 99.0) == []


def test_frames_nothing_is_made_of_are_passed_over_unless_wanted(tmp_path: Path) -> None:
    moving = [scene(Square(10 + n, 10, 40)) for n in range(48)]
    path = write_video(
        tmp_path / "b.mkv",
        at_rate(moving),
        codec="libx264",
        pixel_format="yuv420p",
        options={"bf": "3", "b_strategy": "0", "b-pyramid": "none"},
    )
    with VideoReader(path) as video:
        some = [frame.time for frame in video.frames()]
        everything = [frame.time for frame in video.frames(all_of_them=True)]
    assert len(everything) == 48
    assert len(some) < 24
    assert set(some) < set(everything)


@pytest.mark.parametrize(("degrees", "place"), [(90, (-5, 5)), (180, (-5, -5)), (-90, (5, -5))])
def test_turned_videos_stand_upright(
    degrees: float, place: tuple[int, int], tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / "phone.mp4",
        at_rate([corner()] * 3),
        codec="libx264",
        pixel_format="yuv420p",
        rotation=degrees,
    )
    with VideoReader(path) as video:
        (first, *_) = video.frames()
        image = first.image()
        assert (image.width, image.height) == (video.width, video.height)
    assert (image.width, image.height) == ((160, 120) if degrees == 180 else (120, 160))
    assert image.pixels[place][0] > 180
    assert image.pixels[place][1] < 60
    assert max(first.small.shape) <= SMALL


def test_pixels_that_are_not_square_are_stretched(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "dvd.mkv",
        at_rate([corner(width=144)] * 3),
        codec="libx264",
        pixel_format="yuv420p",
        aspect=Fraction(32, 27),
    )
    (first, *_) = read(path)
    assert first.image().width == round(144 * 32 / 27)
    assert first.image().height == 120


def test_8k_is_scaled_down(tmp_path: Path) -> None:
    large = np.full((4320, 7680, 3), 120, np.uint8)
    large[:2160, :3840] = RED
    path = write_video(
        tmp_path / "8k.mkv", at_rate([large]), codec="mjpeg", pixel_format="yuvj420p"
    )
    with VideoReader(path) as video:
        assert (video.width, video.height) == (7680, 4320)
        (frame,) = video.frames()
    image = frame.image()
    assert (image.width, image.height) == (MAX_SIDE, 1080)
    assert image.pixels[200, 200][0] > 180


def test_a_video_of_one_frame_is_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mkv", at_rate([corner()]))
    with VideoReader(path) as video:
        assert [frame.time for frame in video.frames()] == [0.0]
        assert video.cut_short() is None


def without_a_rate(path: Path) -> Path:
    """Write an AVI whose headers say 0 frames a second."""
    write_video(path, at_rate([corner()] * 6), codec="mjpeg", pixel_format="yuvj420p")
    content = bytearray(path.read_bytes())
    frame_time, stream = content.index(b"avih") + 8, content.index(b"strh") + 8
    content[frame_time : frame_time + 4] = bytes(4)
    content[stream + 20 : stream + 28] = bytes(8)
    path.write_bytes(content)
    return path


def test_0_frames_a_second_in_the_header_still_gives_times_that_rise(tmp_path: Path) -> None:
    times = [frame.time for frame in read(without_a_rate(tmp_path / "zero.avi"))]
    assert len(times) == 6
    assert times[0] == 0
    assert all(before < after for before, after in itertools.pairwise(times))


def test_a_file_cut_in_the_middle_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(240)]
    path = write_video(
        tmp_path / "cut.mkv", at_rate(pictures), codec="libx264", pixel_format="yuv420p"
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with VideoReader(path) as video:
        last = [frame.time for frame in video.frames()][-1]
        missing = video.cut_short()
    assert 3 < last < 7
    assert missing is not None
    assert missing.startswith(f"{path} ends at 0:00:0")
    assert "instead of 0:00:10" in missing


def test_a_part_that_is_damaged_is_passed_over(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "hurt.avi", at_rate([corner()] * 24), codec="png", pixel_format="rgb24"
    )
    content = bytearray(path.read_bytes())
    middle = content.index(b"\x89PNG", len(content) // 2)
    content[middle : middle + 60] = b"\xff" * 60
    path.write_bytes(content)
    with VideoReader(path) as video:
        count = len(list(video.frames(all_of_them=True)))
        assert 20 <= count < 24
        assert "damaged in parts" in str(video.cut_short())


def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.mkv"
    text.write_text("This is text.")
    assert "is not a video" in refusal(text)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "is empty" in refusal(empty)
    assert "holds no video" in refusal(write_sound(tmp_path / "sound.mkv"))
    headless = write_video(
        tmp_path / "headless.mp4",
        at_rate([corner()] * 24),
        codec="libx264",
        pixel_format="yuv420p",
    )
    content = headless.read_bytes()
    headless.write_bytes(content[: len(content) // 2])
    assert "beginning or end is missing" in refusal(headless)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
    ],
)
def test_a_playlist_leads_nowhere(text: str, tmp_path: Path) -> None:
    secret = write_video(
        tmp_path / "secret.ts", at_rate([corner()] * 6), codec="libx264", pixel_format="yuv420p"
    )
    for name in ("list.mkv", "list.m3u8", "list.mp4"):
        playlist = tmp_path / name
        playlist.write_text(text.format(path=secret))
        assert "is not a video" in refusal(playlist)


def test_without_the_packages_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mkv", at_rate([corner()]))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SetupError, match=r"pip install 'gallery\[video\]'"):
        VideoReader(path)


def test_videos_are_known_by_suffix_and_content(tmp_path: Path) -> None:
    video = write_video(tmp_path / "folder" / "b.mkv", at_rate([corner()]))
    nameless = tmp_path / "nameless"
    nameless.write_bytes(video.read_bytes())
    source = tmp_path / "folder" / "code.ts"
    source.write_text("export const answer = 42;")
    stream = write_video(
        tmp_path / "folder" / "a.ts",
        at_rate([corner()] * 6),
        codec="libx264",
        pixel_format="yuv420p",
    )
    hidden = tmp_path / "folder" / ".hidden.mkv"
    hidden.write_bytes(video.read_bytes())
    moving = tmp_path / "moving.gif"
    pillow.fromarray(corner()).save(
        moving, save_all=True, append_images=[pillow.fromarray(corner()[::-1])]
    )
    for path in (video, nameless, stream):
        assert is_video(path)
        assert begins_as_video(path)
    for path in (source, moving, tmp_path / "folder"):
        assert not is_video(path)
    folder = tmp_path / "folder"
    found = media_of([folder, video, moving])
    assert (found.videos, found.pictures, found.refused) == ([stream, video], [moving], [])
    pillow.fromarray(corner()).save(folder / "picture.png")
    found = media_of([folder])
    assert (found.videos, found.pictures) == ([stream, video], [folder / "picture.png"])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("83.5", 83.5), ("1:23.5", 83.5), ("0:01:23.5", 83.5), ("2:00:00", 7200.0)],
)
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
    assert seconds_of(timecode(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1:60", "1:2:3:4", "61:00:00:1", "1m"])
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(InputError, match="is no time"):
        seconds_of(text)


def test_time_codes_round_to_thousandths() -> None:
    assert [timecode(one) for one in (0, 59.9996, 3599.9999, 36000.25)] == [
        "0:00:00.000", "0:01:00.000", "1:00:00.000", "10:00:00.250",
    ]  # fmt: skip
