"""The benchmarks' own arithmetic, and that the quickest of them runs. Nothing here is timed."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, Square, draw, fake_gallery, write_picture

from benchmarks import (
    detection,
    label_memory,
    labelling,
    original,
    results,
    search,
    startup,
    timing,
    truth,
    video,
)
from benchmarks.__main__ import PARTS
from gallery.faces.detectors.whole import WholePicture
from gallery.faces.interfaces import Detector
from gallery.identify.index import FlatIndex
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.media.images import decode
from gallery.store.reader import Store
from gallery.types import Box, Image, Match, Point


def test_times_are_summed_up_by_median_and_ninth_tenth() -> None:
    times = timing.Times((5.0, 1.0, 2.0, 3.0, 4.0))
    assert times.median == 3.0
    assert times.p90 == pytest.approx(4.6)
    assert len(times) == 5


def test_actions_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    times = timing.taking_turns(
        {name: lambda name=name: calls.append(name) for name in ("a", "b")},  # type: ignore[misc]
        rounds=2,
    )
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert {name: len(one) for name, one in times.items()} == {"a": 2, "b": 2}


def test_a_quick_action_is_repeated_as_often_as_allowed() -> None:
    assert len(timing.repeated(lambda: None, seconds=1.0, most=7)) == 7


def test_pairs_are_found_by_name_whatever_the_suffix(tmp_path: Path) -> None:
    for name in ("rin1.jpg", "rin2.png", "alone1.png", "other.png", "notes1.txt", "notes2.txt"):
        (tmp_path / name).touch()
    assert timing.pairs(tmp_path) == [
        timing.Pair("rin", tmp_path / "rin1.jpg", tmp_path / "rin2.png")
    ]
    assert timing.pairs(tmp_path / "nowhere") == []


def test_people_in_screenshots_are_counted_from_the_truth(tmp_path: Path) -> None:
    truth = {"a.png": {"size": [4, 3], "people": [{"name": "A"}, {"name": None}]}}
    (tmp_path / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    assert timing.people_in(tmp_path) == {"a.png": 2}


def test_a_probe_is_right_when_its_own_character_is_nearest() -> None:
    matches = (Match("Rin", 0.2), Match("Mio", 0.3))
    assert original.Probe("rin2.png", "Rin", matches, "sure").is_right
    second = original.Probe("mio2.png", "Mio", matches, "sure")
    assert (second.is_right, second.rank) == (False, 2)
    unseen = original.Probe("mio2.png", "Mio", (), "no face")
    assert (unseen.is_right, unseen.rank) == (False, None)
    assert original.told([second, unseen]).count("WRONG") == 2


def test_detectors_see_the_same_pictures_at_every_angle() -> None:
    scenes: list[truth.Scene] = []
    for number in range(4):
        pixels = draw(Square(20, 10, 50), Square(90, 70, 30), seed=number)
        boxes = [Box(20, 10, 70, 60), Box(90, 70, 120, 100)]
        heads = [truth.Head(box, *eyes_in(box), frozenset(), ignore=False) for box in boxes]
        scenes.append((f"{number}.png", Image(pixels, "digest", Path(f"{number}.png")), heads))
    parts: dict[str, Detector] = {"squares": FakeDetector(), "whole": WholePicture()}
    scored = detection.look(scenes, parts)
    assert set(scored) == {(name, angle) for angle in (0, 30, 45) for name in parts}
    assert scored["squares", 0].recall(40).value == scored["squares", 0].recall(16, 40).value == 1
    assert scored["whole", 0].recall(40).value == 0
    rows = {row[0]: row for row in detection.recall_rows(scored)}
    assert rows["squares, upright"][1].startswith("100.0% (")
    assert "whole, turned by 45" in rows
    placed = {row[0]: row for row in detection.place_rows(scored)}
    assert placed["squares"][1:4] == ("8", "1.000", "+0.000")
    assert placed["whole"] == ("whole", "0", "-", "-")
    eyes = {row[0]: row[1:] for row in detection.eye_rows(scored)}
    assert eyes["squares, upright, all"] == ("16", "0.000", "0.000", "100.0%")
    assert eyes["squares, upright, >= 40 px"] == eyes["squares, upright, < 40 px"]
    assert eyes["whole, turned by 45, all"] == ("0", "-", "-", "-")


def eyes_in(box: Box) -> tuple[Point, Point]:
    y = box.top + 0.55 * box.height
    return Point(box.left + 0.3 * box.width, y), Point(box.left + 0.7 * box.width, y)


def test_stages_are_those_of_the_product_and_add_up(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "characters" / "Rin" / "1.png", Square(10, 10, 60))
    candidates, _ = candidates_in(tmp_path / "characters")
    with fake_gallery(tmp_path / "gallery.db") as gallery:
        list(enroll_candidates(gallery, candidates))
        out = tmp_path / "out.jsonl"
        clock = labelling.stages(gallery, [path], out)
        assert labelling.label_all(gallery, [path], tmp_path / "again.jsonl") == 1
    assert sorted(clock.shares()) == sorted(labelling.STAGES)
    assert sum(clock.shares().values()) == pytest.approx(1)
    assert min(clock.seconds.values()) > 0
    assert out.read_bytes() == (tmp_path / "again.jsonl").read_bytes()


def test_growth_is_counted_from_where_a_process_has_settled() -> None:
    marks = [
        label_memory.Mark(*mark) for mark in ((50, 90, 99), (100, 100, 110), (1000, 106.3, 120))
    ]
    watched = label_memory.Watched(tuple(marks), peak=130, seconds=10)
    assert watched.growth == pytest.approx(7)
    said = label_memory.told(watched)
    assert said.splitlines()[3].split() == ["1,000", "106", "120", "+7.0"]
    assert "+7.0 MiB for each 1,000 pictures" in said
    assert "peak to the end 130 MiB; 100.0 pictures/s" in said


def test_numbered_pictures_differ_in_content_alone() -> None:
    if not timing.SCREENSHOTS.is_dir():
        pytest.skip(f"{timing.SCREENSHOTS} is not there")
    content = label_memory.small_pictures()[0]
    first, second = (
        decode(label_memory.numbered(content, number), Path("x.jpg")) for number in range(2)
    )
    assert (first.width, first.height) == label_memory.SIZE
    assert first.digest != second.digest
    np.testing.assert_array_equal(first.pixels, second.pixels)


@pytest.mark.slow
def test_the_memory_of_a_job_is_watched_to_its_end() -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("another process's memory is read on Linux alone")
    if not timing.CHARACTERS.is_dir():
        pytest.skip(f"{timing.CHARACTERS} is not there")
    watched = label_memory.measure(20, documents=True)
    assert watched.marks[-1].pictures == 20
    assert all(1 <= one.resident <= one.peak <= watched.peak for one in watched.marks)


def test_random_samples_are_enrolled_through_the_store(tmp_path: Path) -> None:
    database = tmp_path / "gallery.db"
    startup.enroll_random(database, startup.SAMPLES_OF_ONE + 1)
    with Store(str(database)) as store:
        assert [one.samples for one in store.characters()] == [startup.SAMPLES_OF_ONE, 1]
        ((_, encoded),) = store.encoders().items()
    assert encoded == startup.SAMPLES_OF_ONE + 1


def test_processes_that_fail_are_not_measured() -> None:
    with pytest.raises(RuntimeError, match="no exit code 3"):
        startup.start(startup.Case("no exit code 3", "raise SystemExit(3)"), {})
    assert startup.start(startup.Case("pass", "pass"), {}).wall > 0


def test_the_scan_finds_what_the_index_finds() -> None:
    # More rows than a block holds.
    rows, queries = search.vectors(search.BLOCK + 10, seed=0), search.vectors(3, seed=1)
    distances, ids = FlatIndex.build(np.arange(len(rows)), rows).search(queries, 5)
    for query, expected, numbers in zip(queries, distances, ids, strict=True):
        found, near = search.scan(rows, query, 5)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert near.tolist() == numbers.tolist()
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert search.scan(rows[:2], queries[0], 5)[1].shape == (2,)


def test_search_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SECONDS", 0.01)
    search.main(["--sizes", "1000"])
    printed = capsys.readouterr().out
    assert "1,000 saved" in printed
    assert float(printed.splitlines()[2].split()[-1]) < 1e-5


@pytest.mark.parametrize("command", sorted({command for command, _ in PARTS.values()}))
def test_every_part_is_a_module_that_says_how_to_run_it(command: str) -> None:
    name, *_ = command.split()
    part = importlib.import_module(name)
    assert f"python -m {name}" in str(part.__doc__)
    assert callable(part.main)


def test_what_parts_print_is_kept_by_day_and_read_again(tmp_path: Path) -> None:
    lines = ["a title", "", "figure           dev (95 %)   N", "known, sure      0.91 (0.9-1)  5"]
    markdown = [
        "| figure | N | one | other |",
        "|---|---|---|---|",
        "| rank-1 | 7 | 0.9 (0.8-1) | - |",
    ]
    path = results.keep("first", "benchmarks.first", lines, "a machine", tmp_path)
    assert results.keep("second", "benchmarks.second", markdown, "a machine", tmp_path) == path
    (tmp_path / "2020-01-01.json").write_text(
        json.dumps({"parts": {"first": {"command": "x", "printed": ["old"]}}}), encoding="utf-8"
    )
    printed = results.newest(tmp_path)
    assert printed["first"].date == path.stem
    assert results.cell(printed["first"], "known, sure", 1) == "0.91 (0.9-1)"
    assert results.cell(printed["second"], "rank-1", 2) == "0.9 (0.8-1)"
    assert results.found(printed, "first", r"sure +(\S+)") == "0.91"
    twice = results.Printed("2020-01-01", "x", ("heads  36%", "way    median", "heads  11.4"))
    assert results.cell(twice, "heads", 1, below="way") == "11.4"
    with pytest.raises(KeyError, match="no row"):
        results.cell(printed["first"], "unknown", 1)
    with pytest.raises(KeyError, match="nothing like"):
        results.found(printed, "second", "unknown")


@pytest.mark.parametrize(
    ("part", "places"),
    [
        (original, {"ORIGINAL", "CHARACTERS"}),
        (detection, {"SHARED"}),
        (labelling, {"ORIGINAL", "SCREENSHOTS", "CHARACTERS"}),
        (video, {"CHARACTERS"}),
    ],
)
def test_parts_without_pictures_say_so(
    part: object,
    places: set[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for place in places:
        monkeypatch.setattr(part, place, tmp_path / "nowhere")
    part.main([])  # type: ignore[attr-defined]
    assert capsys.readouterr().out.startswith("Skipped: ")
