"""Videos that are none, damaged or odd, and places that take no output: one sentence each."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from command import Done, call, run, start
from fakes import Square, write_picture
from videos import at_rate, write_sound, write_video

from gallery.types import Pixels

pytestmark = pytest.mark.slow

ENCODER = ("--encoder", "anime-lite")


def pattern(seed: int, width: int = 160, height: int = 120) -> Pixels:
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 10, width // 10, 3), np.uint8)
    return coarse.repeat(10, axis=0).repeat(10, axis=1)


def draw_video(path: Path, shots: int = 2, codec: str = "ffv1", pixel_format: str = "bgr0") -> Path:
    """Write shots of half a second and more, each another pattern, which --cropped calls a face."""
    frames = [pattern(shot) for shot in range(shots) for _ in range(16)]
    return write_video(path, at_rate(frames), codec=codec, pixel_format=pixel_format)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a gallery of one character."""
    write_picture(tmp_path / "characters" / "Noa" / "1.png", Square(10, 10, 60))
    done = call(*ENCODER, "enroll", "characters", "--cropped", cwd=tmp_path, database="gallery.db")
    assert done.code == 0, done.stderr
    return tmp_path


def label(place: Path, *words: str | Path, out: str = "out.jsonl") -> Done:
    said = [*ENCODER, "label", *words, "--cropped", "--out", out]
    done = call(*said, cwd=place, database=place / "gallery.db")
    assert "Traceback" not in done.stderr
    return done


def records(place: Path, out: str = "out.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in (place / out).read_text(encoding="utf-8").splitlines()]


def kinds(found: list[dict[str, object]]) -> list[str]:
    return [one["video"]["part"] for one in found]  # type: ignore[index]


class TestFiles:
    def test_each_bad_file_is_named_and_the_rest_is_done(self, place: Path) -> None:
        folder = place / "in"
        draw_video(folder / "good.mkv")
        write_sound(folder / "sound.mkv")
        (folder / "empty.mp4").touch()
        (folder / "text.mkv").write_text("This is text.")
        (folder / "dangling.mkv").symlink_to("nowhere")
        whole = draw_video(folder / "cut.mp4", codec="libx264", pixel_format="yuv420p")
        whole.write_bytes(whole.read_bytes()[:-2000])
        done = label(place, "in")
        assert done.code == 1
        for name, why in {
            "sound.mkv": "holds no video, only sound or other things",
            "empty.mp4": "is empty",
            "text.mkv": "is not a video that can be read",
            "dangling.mkv": "cannot be read",
            "cut.mp4": "its beginning or end is missing",
        }.items():
            assert sum(name in line and why in line for line in done.stderr.splitlines()) == 1, name
        assert "in/good.mkv: 2 shots, 2 faces followed" in done.stderr
        by_name: dict[str, list[dict[str, object]]] = {}
        for one in records(place):
            by_name.setdefault(Path(str(one["path"])).name, []).append(one)
        assert len(by_name) == 6
        assert kinds(by_name["good.mkv"]) == ["track", "shot", "track", "shot", "end"]
        for name, found in by_name.items():
            assert (found[-1]["error"] is None) == (name == "good.mkv")
        again = label(place, "in")
        assert (again.code, again.stderr) == (0, "6 videos in out.jsonl already.\n")

    def test_a_video_cut_in_the_middle_gives_what_it_has(self, place: Path) -> None:
        noise = np.random.default_rng(0)
        frames = [noise.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(144)]
        path = write_video(place / "cut.mkv", at_rate(frames), codec="libx264",
                           pixel_format="yuv420p")  # fmt: skip
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        for out in ("out.jsonl", "out.csv"):
            done = label(place, "cut.mkv", "--every", "1", out=out)
            assert done.code == 1
            assert "cut.mkv ends at 0:00:0" in done.stderr
        found = records(place)
        assert kinds(found)[-2:] == ["shot", "end"]
        assert "what is there was looked at" in str(found[-1]["error"])

    def test_0_frames_a_second_in_the_header(self, place: Path) -> None:
        path = draw_video(place / "zero.avi", codec="mjpeg", pixel_format="yuvj420p")
        content = bytearray(path.read_bytes())
        frame_time, stream = content.index(b"avih") + 8, content.index(b"strh") + 8
        content[frame_time : frame_time + 4] = bytes(4)
        content[stream + 20 : stream + 28] = bytes(8)
        path.write_bytes(content)
        done = label(place, "zero.avi", "--write", "annotated:frames")
        assert done.code == 0, done.stderr
        found = records(place)
        assert kinds(found) == ["track", "shot", "track", "shot", "end"]
        assert found[0]["video"]["start"] == 0  # type: ignore[index]
        assert len(list((place / "frames").iterdir())) == 2

    def test_8k_and_one_frame(self, place: Path) -> None:
        large = pattern(1, 7680, 4320)
        write_video(place / "8k.mkv", at_rate([large]), codec="mjpeg", pixel_format="yuvj420p")
        done = label(place, "8k.mkv", "--write", "sorted:heads", "--write", "html:page.html")
        assert done.code == 0, done.stderr
        assert "8k.mkv: 1 shot, 1 face followed" in done.stderr
        track, shot, end = records(place)
        assert (track["width"], track["height"]) == (7680, 4320)
        assert track["faces"][0]["box"] == [0, 0, 7680, 4320]  # type: ignore[index]
        assert shot["video"]["end"] == end["video"]["end"] == 0  # type: ignore[index]
        (head,) = (place / "heads").rglob("*.png")
        assert head.stat().st_size > 0
        assert (place / "page.html").read_text(encoding="utf-8").count("<img") == 1

    def test_frames_beyond_all_bounds_are_refused(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draw_video(place / "huge.mkv")
        monkeypatch.setattr("gallery.media.video_reader.MAX_PIXELS", 10_000)
        done = label(place, "huge.mkv")
        assert done.code == 1
        assert "has frames of more than 0 megapixels; scale it down." in done.stderr
        assert kinds(records(place)) == ["end"]

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("--from", "5", "--to", "5"), "--to is not after --from"),
            (("--from", "1:75"), "is no time"),
            (("--to", "soon"), "is no time"),
            (("--write", "coco:x.json"), "coco cannot tell of videos"),
            (("--write", "xmp", "--write", "captions"), "xmp and captions cannot tell of videos"),
            (("--write", "sorted:x", "--place", "symlink"), "leave --place out"),
        ],
    )
    def test_what_cannot_be_asked_for_is_refused_before_any_work(
        self, place: Path, words: tuple[str, ...], what: str
    ) -> None:
        draw_video(place / "ep.mkv")
        done = label(place, "ep.mkv", *words)
        assert done.code == 1
        assert what in done.complaint
        assert not (place / "out.jsonl").exists()

    def test_a_part_that_shows_nothing_is_told(self, place: Path) -> None:
        draw_video(place / "ep.mkv")
        done = label(place, "ep.mkv", "--from", "1:00")
        assert done.code == 1
        assert "shows nothing in the time that was asked for" in done.stderr
        assert kinds(records(place)) == ["end"]

    def test_parts_and_looks_are_as_asked_for(self, place: Path) -> None:
        draw_video(place / "ep.mkv", shots=3)
        done = label(place, "ep.mkv", "--from", "0.7", "--to", "0:01.2", "--every", "0.1")
        assert done.code == 0, done.stderr
        track, shot, _ = records(place)
        assert track["video"]["asked"] == {"from": 0.7, "to": 1.2, "every": 0.1}  # type: ignore[index]
        assert 0.7 <= shot["video"]["start"] <= 0.75  # type: ignore[index]
        assert 1.1 <= shot["video"]["end"] < 1.2  # type: ignore[index]
        done = label(place, "ep.mkv", "--from", "0.7", "--to", "0:01.2", out="part.csv")
        assert done.code == 0, done.stderr


class TestPlaces:
    def test_outputs_inside_the_folder_of_the_videos_are_not_labelled(self, place: Path) -> None:
        draw_video(place / "in" / "ep.mkv")
        words = ("in", "--write", "annotated:in/frames", "--write", "sorted:in/heads")
        for expected in ("2 shots", "already"):
            done = label(place, *words, out="in/out.jsonl")
            assert done.code == 0, done.stderr
            assert expected in done.stderr
        assert len(records(place, "in/out.jsonl")) == 5
        assert len(list((place / "in").rglob("*.png"))) == 4
        done = label(place, "in", "--write", "annotated:in", out="other.jsonl")
        assert done.code == 1
        assert "is the folder of the pictures" in done.complaint

    def test_an_output_in_the_place_of_the_video_is_refused(self, place: Path) -> None:
        content = draw_video(place / "ep.mkv").read_bytes()
        for words in (("--write", "sorted:ep.mkv"), ("--write", "annotated:ep.mkv/in")):
            done = label(place, "ep.mkv", *words)
            assert done.code == 1
            assert "gallery: " in done.stderr
        for out in ("ep.mkv", "ep.mkv/out.jsonl"):
            assert "ep.mkv" in label(place, "ep.mkv", out=out).complaint
        assert (place / "ep.mkv").read_bytes() == content

    def test_only_one_writes_a_file_of_records(self, place: Path) -> None:
        if sys.platform == "win32":
            pytest.skip("files are not held on Windows")
        draw_video(place / "long.mkv", shots=12)
        words = [*ENCODER, "label", "long.mkv", "--cropped", "--every", "0", "--out", "out.jsonl"]
        with start(*words, cwd=place, database=place / "gallery.db") as process:
            while process.poll() is None and not (place / "out.jsonl").exists():
                time.sleep(0.01)
            process.send_signal(signal.SIGSTOP)
            try:
                done = label(place, "long.mkv")
            finally:
                process.kill()
        assert done.code == 1
        assert "is being written by another process" in done.complaint

    def test_read_only_places(self, place: Path, prefix: list[str]) -> None:
        draw_video(place / "in" / "ep.mkv")
        secret = draw_video(place / "in" / "secret.mkv")
        (place / "closed").mkdir()
        closed = [secret, place / "closed", place / "in", place / "gallery.db"]
        for path, mode in zip(closed, (0o000, 0o555, 0o555, 0o444), strict=True):
            path.chmod(mode)
        try:
            said = [*ENCODER, "label", "in", "--cropped"]
            database = place / "gallery.db"
            for words in (
                ("--out", "closed/out.jsonl"),
                ("--out", "in/out.csv"),
                ("--out", "a.jsonl", "--write", "annotated:closed/frames"),
                ("--out", "b.jsonl", "--write", "sorted:closed/heads"),
                ("--out", "c.jsonl", "--write", "html:closed/page.html"),
            ):
                done = run(*said, *words, cwd=place, database=database, prefix=prefix)
                assert done.code == 1
                assert "Traceback" not in done.stderr
                assert "cannot be written" in done.stderr.splitlines()[-1]
            done = run(*said, "--out", "out.jsonl", cwd=place, database=database, prefix=prefix)
            assert done.code == 1
            assert "secret.mkv cannot be read: Permission denied." in done.stderr
            assert kinds(records(place))[:2] == ["track", "shot"]
        finally:
            for path in reversed(closed):
                path.chmod(0o755)


@pytest.fixture
def limited() -> Iterator[Callable[[int], None]]:
    """Limits the size of files as a full disk would, until the test ends."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_database_is_one_sentence_and_the_job_goes_on_later(
    place: Path, limited: Callable[[int], None]
) -> None:
    draw_video(place / "ep.mkv", shots=4)
    # What is written first goes into the log beside the database.
    limited(1 << 16)
    full = call(
        *ENCODER, "label", "ep.mkv", "--cropped", "--out", "out.jsonl",
        cwd=place, database=place / "gallery.db",
    )  # fmt: skip
    limited(10**9)
    assert full.code == 1
    assert "Traceback" not in full.stderr
    assert full.stderr.splitlines()[-1].startswith("gallery: ")
    assert label(place, "ep.mkv").code == 0
    assert kinds(records(place)) == [*["track", "shot"] * 4, "end"]


def test_a_harvest_of_odd_names_and_damaged_videos_gathers_what_there_is(place: Path) -> None:
    odd = 'a "b"\n<c> 😀..mkv'
    draw_video(place / "in" / "plain.mkv").rename(place / "in" / odd)
    write_sound(place / "in" / "sound.mkv")
    (place / "in" / "empty.mkv").touch()
    done = call(
        *ENCODER, "harvest", "in", "--cropped", "--out", "new", "--min-quality", "0",
        # With an empty gallery every face is gathered.
        cwd=place, database=place / "empty.db",
    )  # fmt: skip
    assert done.code == 1
    assert "sound.mkv holds no video" in done.stderr
    assert "empty.mkv is empty" in done.stderr
    assert "Traceback" not in done.stderr
    text = (place / "new" / "faces.jsonl").read_text(encoding="utf-8")
    listed = [json.loads(line) for line in text.splitlines()]
    assert {one["path"] for one in listed} == {str(place / "in" / odd)}
    assert all((place / "new" / one["file"]).is_file() for one in listed)
    assert not any(set('"\n<>') & set(one["file"]) for one in listed)
