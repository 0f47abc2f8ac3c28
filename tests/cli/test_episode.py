"""A drawn episode through the command line: who is there from when to when, what is harvested."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import ROOT, call
from fakes import Square, write_picture
from lxml import etree
from videos import at_rate, scene, write_video

from drawing.episode import SIZE, Appearance, Episode, draw_episode
from gallery.engine.assemble import open_gallery
from gallery.faces.video import VideoOptions, shots_seen
from gallery.media.images import read_image
from gallery.media.video_reader import VideoReader
from gallery.settings import Settings
from gallery.types import CROP_SIDE, DescribedFace

pytestmark = pytest.mark.slow

CHARACTERS = ROOT / "data" / "characters"
ENROLLED = ("Mio Tachibana", "日向ソラ", "Rosa Delgado", "カエデ")
TURNS = ("01", "02", "03")

DETECTOR = "animeface"

EVERY = "0.5"

LOOK = 0.55
"""Seconds by which a face may be seen too late or too early: one look, and a frame."""

STRANGER = (13.0, 16.0)
"""When the episode shows somebody nobody knows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("episode")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Episode:
    return draw_episode(folder / "第1話.mkv")


@pytest.fixture(scope="module")
def database(folder: Path, truth: Episode) -> Path:
    """A gallery with a few pictures of those who are in the episode."""
    for name in ENROLLED:
        (folder / "characters" / name).mkdir(parents=True)
        for picture in (CHARACTERS / name).iterdir():
            if picture.stem in TURNS:
                shutil.copy(picture, folder / "characters" / name)
    database = folder / "gallery.db"
    done = call("enroll", "characters", "--detector", DETECTOR, cwd=folder, database=database)
    assert done.code == 0, done.stderr
    return database


@pytest.fixture(scope="module")
def records(folder: Path, database: Path) -> list[dict[str, Any]]:
    done = call(
        "label", "第1話.mkv", "--out", "records.jsonl", "--every", EVERY, "--detector", DETECTOR,
        cwd=folder, database=database,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "第1話.mkv: 7 shots, 7 faces followed: 6 sure, 0 unsure, 1 unknown." in done.stderr
    text = (folder / "records.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def tracks_of(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in records if one["video"]["part"] == "track"]


def test_appearances_are_printed_drawn_and_written(
    folder: Path, database: Path, records: list[dict[str, Any]], truth: Episode
) -> None:
    done = call(
        "appearances", "第1話.mkv", "--alone", "--json", "--out", "screen.svg", "--write",
        "srt:who.srt", cwd=folder, database=database,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    found = {one["character"]: one["seconds"] for one in json.loads(done.stdout)["characters"]}
    shown: dict[str, float] = {}
    for one in truth.appearances:
        if one.name is not None:
            shown[one.name] = shown.get(one.name, 0.0) + one.end - one.start
    assert found == {name: pytest.approx(seconds, abs=2 * LOOK) for name, seconds in shown.items()}
    drawn = etree.parse(folder / "screen.svg").getroot()
    titles = {one.text for one in drawn.iter("{http://www.w3.org/2000/svg}title")}
    assert shown.keys() <= titles
    assert "日向ソラ" in (folder / "who.srt").read_text(encoding="utf-8")
    table = call("appearances", "第1話.mkv", "--alone", cwd=folder, database=database)
    assert table.stdout.splitlines()[0].split() == [
        "video", "character", "seconds", "share", "first", "last",
    ]  # fmt: skip
    assert len(table.stdout.splitlines()) == 1 + len(shown)


def test_a_preview_is_written_by_the_command(tmp_path: Path) -> None:
    write_video(tmp_path / "ep.mkv", at_rate([scene(Square(20, 20, 50, (220, 20, 20)))] * 12))
    database = tmp_path / "gallery.db"
    write_picture(tmp_path / "c" / "Rei" / "1.png", Square(5, 5, 70, (220, 20, 20)))
    for words in (
        ("enroll", "c", "--cropped"),
        ("label", "ep.mkv", "--out", "ep.srt", "--detector", "whole"),
        ("appearances", "ep.mkv", "--unsure", "--preview", "seen.mp4", "--detector", "whole"),
    ):
        done = call(*words, cwd=tmp_path, database=database)
        assert done.code == 0, done.stderr
    assert "Preview: seen.mp4" in done.stderr
    with VideoReader(tmp_path / "seen.mp4") as video:
        assert (video.width, video.height) == (160, 120)
        assert len(list(video.frames(all_of_them=True))) == 12
    assert (tmp_path / "ep.srt").exists()


def test_a_subtitle_file_is_an_output(
    folder: Path, database: Path, records: list[dict[str, Any]]
) -> None:
    lines = (folder / "records.jsonl").read_text(encoding="utf-8")
    (folder / "named.jsonl").write_text(lines, encoding="utf-8")
    done = call(
        "label", "第1話.mkv", "--out", "named.vtt", "--every", EVERY, "--detector", DETECTOR,
        cwd=folder, database=database,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "1 video in named.jsonl already." in done.stderr
    named = (folder / "named.vtt").read_text(encoding="utf-8")
    assert "<v 日向ソラ>日向ソラ" in named
    done = call("relabel", "--alone", "--out", "later.vtt", cwd=folder, database=database)
    assert done.code == 0, done.stderr
    assert (folder / "later.vtt").read_text(encoding="utf-8") == named


def test_wrong_outputs_of_appearances_are_one_sentence(
    folder: Path, database: Path, records: list[dict[str, Any]]
) -> None:
    for words, said in (
        (("--out", "screen.png"), "does not end in .svg"),
        (("--preview", "seen.mp4"), "A preview is of one video"),
        (("--write", "coco:who.json"), "coco does not tell who is on screen"),
        (("missing.mkv",), "missing.mkv is no video that was labelled"),
    ):
        done = call("appearances", *words, cwd=folder, database=database)
        assert done.code == 1
        assert said in done.complaint


def head_at(shown: Appearance, time: float) -> np.ndarray[Any, Any]:
    share = (time - shown.start) / (shown.end - shown.start)
    first, last = np.array(shown.heads[0]), np.array(shown.heads[1])
    return np.asarray(first + (last - first) * share)


def test_everybody_is_found_named_and_timed(records: list[dict[str, Any]], truth: Episode) -> None:
    tracks = tracks_of(records)
    assert len(tracks) == len(truth.appearances)
    for record, shown in zip(tracks, truth.appearances, strict=True):
        (face,), video = record["faces"], record["video"]
        assert face["character"] == shown.name
        assert face["verdict"] == ("unknown" if shown.name is None else "sure")
        assert video["shot"] == shown.shot
        assert video["start"] == pytest.approx(shown.start, abs=LOOK)
        assert video["end"] == pytest.approx(shown.end, abs=0.05)
        assert video["start"] <= video["best"] <= video["end"]
        left, top, right, bottom = face["box"]
        head = head_at(shown, video["best"])
        assert left < (head[0] + head[2]) / 2 < right
        assert top < (head[1] + head[3]) / 2 < bottom
        assert abs((left + right) - (head[0] + head[2])) / 2 < 30


def test_shots_begin_at_the_cuts(records: list[dict[str, Any]], truth: Episode) -> None:
    shots = [one["video"] for one in records if one["video"]["part"] == "shot"]
    starts = [one["start"] for one in shots]
    assert starts == pytest.approx([0.0, *truth.cuts], abs=0.002)
    assert [one["tracks"] for one in shots] == [1, 0, 2, 1, 1, 1, 1]
    assert records[-1]["video"]["part"] == "end"
    assert [(one["width"], one["height"]) for one in records] == [SIZE] * len(records)


def test_nobody_is_looked_for_where_nothing_moves(records: list[dict[str, Any]]) -> None:
    (empty,) = [
        one["video"]
        for one in records
        if one["video"]["part"] == "shot" and one["video"]["shot"] == 2
    ]
    assert empty["looks"] == 1


def test_a_video_in_the_file_is_passed_over(
    folder: Path, database: Path, records: list[dict[str, Any]]
) -> None:
    before = (folder / "records.jsonl").read_bytes()
    done = call("label", "第1話.mkv", "--out", "records.jsonl", cwd=folder, database=database)
    assert done.code == 0
    assert done.stderr == "1 video in records.jsonl already.\n"
    assert (folder / "records.jsonl").read_bytes() == before


def test_formats_that_know_no_times_are_refused(folder: Path, database: Path) -> None:
    words = ("--out", "r.jsonl", "--write", "coco:c.json", "--write", "xmp")
    done = call("label", "第1話.mkv", *words, cwd=folder, database=database)
    assert done.code == 1
    assert "coco and xmp cannot tell of videos" in done.complaint
    assert not (folder / "r.jsonl").exists()


def test_the_episode_is_answered_anew_without_a_frame(
    records: list[dict[str, Any]], folder: Path, database: Path
) -> None:
    other = folder / "renamed.db"
    shutil.copy(database, other)
    done = call("relabel", "第1話.mkv", "--out", "anew.jsonl", cwd=folder, database=other)
    assert done.code == 0, done.stderr
    assert "7 faces followed: " in done.stderr
    lines = (folder / "anew.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == records
    assert call("rename", "Rosa Delgado", "Rosa", cwd=folder, database=other).code == 0
    done = call("relabel", "第1話.mkv", "--out", "table.csv", cwd=folder, database=other)
    assert done.code == 0, done.stderr
    table = (folder / "table.csv").read_text(encoding="utf-8")
    assert ",Rosa," in table
    assert "Rosa Delgado" not in table


def test_what_is_no_video_is_one_sentence(folder: Path, database: Path) -> None:
    (folder / "text.mkv").write_text("This is text.")
    done = call("label", "text.mkv", "--out", "bad.jsonl", cwd=folder, database=database)
    assert done.code == 1
    assert "text.mkv is not a video that can be read" in done.stderr
    assert "Traceback" not in done.stderr
    (record,) = (folder / "bad.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(record)["error"] is not None


@pytest.fixture(scope="module")
def harvested(folder: Path, database: Path) -> Path:
    """The stranger's faces."""
    start, end = map(str, STRANGER)
    done = call(
        "harvest", "第1話.mkv", "--out", "new", "--from", start, "--to", end,
        "--every", EVERY, "--detector", DETECTOR, cwd=folder, database=database,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "1 unknown face in 1 cluster, 3 crops: new." in done.stderr
    return folder / "new"


def test_unknown_faces_are_gathered_best_first(harvested: Path) -> None:
    (cluster,) = (path for path in harvested.iterdir() if path.is_dir())
    names = sorted(path.name for path in cluster.iterdir())
    assert [name[:4] for name in names] == ["001_", "002_", "003_"]
    scores = [float(name.split("_")[1]) for name in names]
    assert scores == sorted(scores, reverse=True)
    assert all("第1話_0-00-1" in name for name in names)
    text = (harvested / "faces.jsonl").read_text(encoding="utf-8")
    listed = [json.loads(line) for line in text.splitlines()]
    assert [one["file"] for one in listed] == [f"{cluster.name}/{name}" for name in names]
    assert all(STRANGER[0] <= one["time"] <= STRANGER[1] for one in listed)
    assert not list(harvested.parent.glob(".gallery-*"))


def test_a_crop_is_described_as_the_frame_was(
    harvested: Path, folder: Path, database: Path
) -> None:
    """What is enrolled from a harvest has the descriptors that were seen in the video."""
    settings = Settings(database=str(database), detector=DETECTOR)
    with open_gallery(settings) as gallery, VideoReader(folder / "第1話.mkv") as video:
        options = VideoOptions(*STRANGER, every=float(EVERY))
        (shot,) = shots_seen(video, gallery.describer, gallery.thresholds, options)
        (track,) = shot.tracks
    with open_gallery(Settings(database=str(database), detector="whole")) as gallery:
        crops = [read_image(path) for path in sorted(harvested.glob("*/*.png"))]
        described: list[DescribedFace] = [
            face for crop in crops for face in gallery.describer.describe_all(crop)
        ]
    assert len(described) == 3
    for one, glimpse in zip(described, track.best, strict=False):
        assert one.crop.shape == (CROP_SIDE, CROP_SIDE, 3)
        np.testing.assert_array_equal(one.crop, glimpse.described.crop)
        np.testing.assert_allclose(one.descriptor, glimpse.described.descriptor, atol=1e-5)


def test_a_harvest_that_is_named_and_enrolled_is_known_from_then_on(
    harvested: Path, folder: Path, database: Path
) -> None:
    named = folder / "named"
    shutil.copytree(harvested, named)
    (named / "unknown-001").rename(named / "Violet")
    other = folder / "other.db"
    shutil.copy(database, other)
    done = call("enroll", "named", "--cropped", cwd=folder, database=other)
    assert done.code == 0, done.stderr
    assert "3 added" in done.stderr
    done = call(
        "label", "第1話.mkv", "--out", "again.jsonl", "--from", "13", "--to", "16", "--every", "1",
        "--detector", DETECTOR, cwd=folder, database=other,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    lines = (folder / "again.jsonl").read_text(encoding="utf-8").splitlines()
    (track,) = tracks_of([json.loads(line) for line in lines])
    assert [(one["character"], one["verdict"]) for one in track["faces"]] == [("Violet", "sure")]


def test_a_harvest_takes_no_folder_that_holds_something(
    harvested: Path, folder: Path, database: Path
) -> None:
    done = call("harvest", "第1話.mkv", "--out", "new", cwd=folder, database=database)
    assert done.code == 1
    assert "is there already" in done.complaint
    done = call("harvest", "characters", "--out", "characters/x", cwd=folder, database=database)
    assert done.code == 1
    assert "which is looked through" in done.complaint
