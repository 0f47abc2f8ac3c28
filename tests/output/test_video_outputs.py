"""Videos in tables, sheets, folders and annotated frames: with time codes, and nothing twice."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from fakes import Square
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.faces.video import VideoOptions
from gallery.jobs.harvest import Harvest
from gallery.jobs.label_video import label_video
from gallery.media.images import read_image
from gallery.media.stills import Stills, box_in, name_of
from gallery.media.timecodes import seconds_of
from gallery.output import registry
from gallery.output.csv_table import COLUMNS
from gallery.output.format import OutputOptions, Placing
from gallery.output.outputs import open_outputs
from gallery.output.records import as_json
from gallery.output.resume import open_writer, progress_of, remaining
from gallery.reports.annotate import COLOURS
from gallery.types import Record, Verdict, VideoRecord, VideoTrack

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)

WANTED = ("csv:more.csv", "jsonl:more.jsonl", "html:sheet.html", "sorted:heads", "annotated:frames")


def draw_episode(path: Path) -> Path:
    """Write three shots: Asuka moves, nobody is there, Rei and a stranger stand side by side."""
    first = [scene(Square(10 + n, 20, 50, RED)) for n in range(24)]
    second = [scene(brightness=90)] * 18
    both = (Square(10, 20, 50, BLUE), Square(90, 20, 50, GREEN))
    third = [scene(*both, brightness=-100)] * 24
    return write_video(path, at_rate([*first, *second, *third]))


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    return draw_episode(tmp_path / "第1話.mkv")


def go_on(
    gallery: Engine,
    path: Path,
    folder: Path,
    most: int | None = None,
    *,
    wanted: Sequence[str] = WANTED,
    out: str = "out.jsonl",
    rewrite: bool = False,
) -> list[str]:
    """Do what `gallery label` does with a video, stop after so many records, and say what lacks."""
    asked = [registry.output_spec(text) for text in wanted]
    placed = [
        registry.OutputSpec(one.format, None if one.target is None else folder / one.target)
        for one in asked
    ]
    writer = open_outputs(
        open_writer(folder / out, gallery.encoder),
        placed,
        paths=[path],
        encoder=gallery.encoder,
        options=OutputOptions(),
        rewrite=rewrite,
    )
    try:
        if remaining([path], writer):
            done = progress_of(writer.records()).get(path)
            for number, record in enumerate(label_video(gallery, path, VideoOptions(), done=done)):
                if number == most:
                    break
                writer.write(record)
    finally:
        writer.close()
    return writer.not_written


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder with their contents."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_output_tells_the_times(filled: Engine, episode: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert go_on(filled, episode, folder) == []
    lines = (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()
    tracks = [one for one in map(json.loads, lines) if one["video"]["part"] == "track"]
    rows = [row for row in rows_of(folder / "more.csv") if row["video"] == "track"]
    assert [row["character"] for row in rows] == ["Asuka", "Rei", ""]
    assert [(row["shot"], row["track"]) for row in rows] == [("1", "1"), ("3", "1"), ("3", "2")]
    for row, line in zip(rows, tracks, strict=True):
        for name in ("start", "end", "best"):
            assert re.fullmatch(r"0:00:0\d\.\d{3}", row[name])
            assert seconds_of(row[name]) == pytest.approx(line["video"][name], abs=0.0006)
    assert (folder / "more.jsonl").read_bytes() == (folder / "out.jsonl").read_bytes()
    page = (folder / "sheet.html").read_text(encoding="utf-8")
    assert page.count("<img") == 3
    for row in rows:
        assert f"{row['start']} to {row['end']}, shot {row['shot']}: " in page
    assert "Shots: 3. Faces followed: 3." in page
    for name in ("heads", "frames"):
        found = sorted((folder / name).rglob("*.png"))
        assert len(found) == 3
        codes = {re.search(r"_(\d-\d\d-\d\d\.\d{3})_", path.name)[1] for path in found}  # type: ignore[index]
        assert codes == {row["best"].replace(":", "-") for row in rows}
    assert {path.parent.name for path in (folder / "heads").rglob("*.png")} == {
        "Asuka", "Rei", "unknown",
    }  # fmt: skip


def test_heads_and_frames_show_the_best_moment(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    go_on(filled, episode, folder)
    (head,) = (folder / "heads" / "Asuka").iterdir()
    pixels = read_image(head).pixels
    # 1.5 times as wide as the head, of which a little is cut off above and to the left.
    assert pixels.shape[0] in range(70, 77)
    assert np.abs(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2].astype(int) - RED).max() < 12
    (frame,) = (folder / "frames").glob("*_1-1.annotated.png")
    image = read_image(frame)
    assert (image.width, image.height) == (160, 120)
    (record, *_) = label_video(filled, episode, VideoOptions())
    box = record.faces[0].face.box
    middle = image.pixels[int(box.centre.y) - 5, int(box.centre.x)]
    assert np.abs(middle.astype(int) - RED).max() < 12
    for x, y in ((box.left, box.centre.y), (box.centre.x, box.bottom), (box.right, box.bottom)):
        assert tuple(image.pixels[int(y), int(x)]) == COLOURS[Verdict.SURE]


def test_what_is_enrolled_from_sorted_heads_is_who_it_was(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    go_on(filled, episode, tmp_path / "out", wanted=["sorted:heads"])
    for name in ("Asuka", "Rei"):
        (head,) = (tmp_path / "out" / "heads" / name).iterdir()
        (answer,) = filled.identify(read_image(head)).faces
        assert answer.character == name


def test_a_job_stopped_anywhere_comes_to_the_same_end(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    go_on(filled, episode, whole)
    expected = tree(whole)
    assert len(expected) == 4 + 3 + 3
    for most in range(7):
        folder = tmp_path / str(most)
        go_on(filled, episode, folder, most)
        go_on(filled, episode, folder)
        assert tree(folder) == expected, most


def test_a_table_cut_at_any_byte_comes_to_the_same_end(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    go_on(filled, episode, folder, wanted=[], out="out.csv")
    out = folder / "out.csv"
    content = out.read_bytes()
    assert content.count(b"\n") == 8
    for length in range(0, len(content), 211):
        out.write_bytes(content[:length])
        go_on(filled, episode, folder, wanted=[], out="out.csv")
        assert out.read_bytes() == content, length
    writer = open_writer(out, "fake")
    assert remaining([episode], writer) == []
    writer.close()


def test_records_come_back_from_a_table_and_from_lines(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    said = list(label_video(filled, episode, VideoOptions(start=0.2, end=2.5, every=0.25)))
    picture = filled.identify(read_image(tmp_path / "known" / "Rei" / "1.png"))
    for suffix in ("jsonl", "csv"):
        writer = open_writer(tmp_path / f"out.{suffix}", "fake")
        for one in [picture, *said]:
            writer.write(one)
        first, *back = writer.records()
        writer.close()
        assert type(first) is Record
        assert len(back) == len(said)
        for one, other in zip(back, said, strict=True):
            assert isinstance(one, VideoRecord)
            if suffix == "jsonl":
                assert as_json(one) == as_json(other)
            assert one.asked == pytest.approx(other.asked, abs=1e-6)
            assert type(one.part) is type(other.part)
            assert astuple(one.part) == pytest.approx(astuple(other.part), abs=0.0006)
        assert progress_of(back).keys() == {episode}


def test_a_table_says_what_a_picture_has_not(filled: Engine, tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "out.csv", "fake")
    writer.write(filled.identify(read_image(tmp_path / "known" / "Rei" / "1.png")))
    writer.close()
    (row,) = rows_of(tmp_path / "out.csv")
    assert list(row) == list(COLUMNS)
    assert {row[name] for name in COLUMNS[COLUMNS.index("video") :]} == {""}


def test_formats_that_know_no_times_are_refused_with_those_that_do() -> None:
    wanted = [registry.output_spec(text) for text in ("coco:x.json", "captions", "html:x.html")]
    with pytest.raises(InputError) as raised:
        registry.require_for_videos(wanted)
    assert str(raised.value) == (
        "coco and captions cannot tell of videos, which are written as sorted, annotated, jsonl, "
        "csv, html, vtt, srt, chapters, ffmetadata, edl, otio and timeline; label them apart."
    )
    sorting = [registry.output_spec("sorted:x")]
    registry.require_for_videos(sorting)
    with pytest.raises(InputError, match="no files that a link could lead to"):
        registry.require_for_videos(sorting, Placing.SYMLINK)
    for name, one in registry.FORMATS.items():
        if one.takes_videos:
            registry.require_for_videos([registry.OutputSpec(name, Path("x"))])


def test_videos_of_earlier_runs_are_nothing_to_other_documents(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    go_on(filled, episode, tmp_path / "out", wanted=[])
    go_on(filled, episode, tmp_path / "out", wanted=["coco:x.json", "label-studio:y.json"])
    assert json.loads((tmp_path / "out" / "x.json").read_bytes())["images"] == []
    assert json.loads((tmp_path / "out" / "y.json").read_bytes()) == []


def test_outputs_are_made_later_from_the_records(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    go_on(filled, episode, tmp_path / "whole")
    go_on(filled, episode, tmp_path / "later", wanted=[])
    go_on(filled, episode, tmp_path / "later", rewrite=True)
    assert tree(tmp_path / "later") == tree(tmp_path / "whole")


def test_a_video_that_is_gone_lacks_its_frames_and_keeps_its_times(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    go_on(filled, episode, folder, wanted=[])
    episode.unlink()
    missing = go_on(filled, episode, folder, rewrite=True)
    assert len(missing) == 6
    assert all("第1話.mkv" in why and why.endswith(".") for why in missing)
    page = (folder / "sheet.html").read_text(encoding="utf-8")
    assert page.count("<img") == 0
    assert page.count(", shot 3: ") == 2


def test_stills_are_the_frames_in_any_order(filled: Engine, episode: Path) -> None:
    tracks = [
        one
        for one in label_video(filled, episode, VideoOptions())
        if isinstance(one.part, VideoTrack)
    ]
    stills = Stills()
    forwards = [stills.of(one).pixels for one in tracks]
    backwards = [stills.of(one).pixels for one in reversed(tracks)]
    stills.close()
    for one, other in zip(forwards, reversed(backwards), strict=True):
        np.testing.assert_array_equal(one, other)
    assert box_in(stills.of(tracks[0]), tracks[0]) == tracks[0].faces[0].face.box
    stills.close()
    assert name_of(tracks[0], ".png", 255) == f"第1話_{code(tracks[0])}_1-1.png"
    short = name_of(tracks[0], ".png", 30)
    assert len(short.encode()) <= 30
    assert short.endswith(f"_{code(tracks[0])}_1-1.png")


def code(record: VideoRecord) -> str:
    assert isinstance(record.part, VideoTrack)
    return f"0-00-{record.part.best:06.3f}"


ODD = (
    'a "b" & \'c\' <d>.mkv', "..dots...mkv", "emoji 😀 \u202e.mkv", "two\nlines.mkv", "a,b;c=d.mkv",
    "back\\slash.mkv", "%25 #?.mkv", "x" * 251 + ".mkv",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_names_of_any_letters_come_through_every_output(
    filled: Engine, tmp_path: Path, name: str
) -> None:
    path = draw_episode(tmp_path / "in" / "plain.mkv").rename(tmp_path / "in" / name)
    folder = tmp_path / "out"
    assert go_on(filled, path, folder) == []
    lines = (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["path"] for line in lines} == {str(path)}
    assert {row["path"] for row in rows_of(folder / "more.csv")} == {str(path)}
    found = [one for one in tree(folder) if one.startswith(("heads", "frames"))]
    assert len(found) == 6
    assert {Path(one).parts[0] for one in tree(tmp_path)} == {"in", "out", "known"}
    assert "<d>" not in (folder / "sheet.html").read_text(encoding="utf-8")
    before = tree(folder)
    assert go_on(filled, path, folder) == []
    assert tree(folder) == before


def test_two_videos_of_one_name_do_not_take_each_others_places(
    filled: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    for season in ("1", "2"):
        path = draw_episode(tmp_path / season / "ep.mkv")
        if season == "2":
            moved = [scene(Square(20 + n, 25, 50, RED)) for n in range(24)]
            write_video(path, at_rate(moved))
        go_on(filled, path, folder, wanted=["sorted:heads"], out=f"{season}.jsonl")
    names = sorted(one.name for one in (folder / "heads" / "Asuka").iterdir())
    assert len(names) == 2


@pytest.fixture
def limited() -> Iterator[Callable[[int], None]]:
    """Limits the size of files as a full disk would, until the test ends."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("wanted", "out", "size"),
    [
        ([], "out.jsonl", 1000),
        ([], "out.csv", 600),
        (["csv:more.csv"], "out.jsonl", 500),
        (["annotated:frames"], "out.jsonl", 300),
        (["sorted:heads"], "out.jsonl", 300),
        (["html:sheet.html"], "out.jsonl", 4000),
    ],
)
def test_a_full_disk_is_one_sentence_and_the_job_goes_on_later(
    filled: Engine,
    episode: Path,
    tmp_path: Path,
    limited: Callable[[int], None],
    wanted: list[str],
    out: str,
    size: int,
) -> None:
    whole = tmp_path / "whole"
    go_on(filled, episode, whole, wanted=wanted, out=out)
    folder = tmp_path / "out"
    limited(size)
    with pytest.raises(InputError, match=r"cannot be written: File too large.*\.$") as raised:
        go_on(filled, episode, folder, wanted=wanted, out=out)
    limited(10**9)
    assert "\n" not in str(raised.value)
    assert not list(folder.rglob(".*"))
    assert go_on(filled, episode, folder, wanted=wanted, out=out) == []
    assert tree(folder) == tree(whole)


def test_a_harvest_on_a_full_disk_leaves_nothing(
    filled: Engine, episode: Path, tmp_path: Path, limited: Callable[[int], None]
) -> None:
    out = tmp_path / "new" / "faces"
    with Harvest(filled, out) as harvest:
        list(harvest.video(episode, VideoOptions()))
    limited(300)
    with (
        pytest.raises(InputError, match=r"cannot be written: File too large\.$"),
        Harvest(filled, out) as harvest,
    ):
        list(harvest.video(episode, VideoOptions()))
    limited(10**9)
    assert list(out.parent.iterdir()) == []
