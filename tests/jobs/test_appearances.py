"""Who is on screen, from what labelling kept; a preview that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import Square, enroll_squares, fake_gallery
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.events import Refused, result_of
from gallery.faces.tracking import Track
from gallery.faces.video import VideoOptions
from gallery.jobs import decide
from gallery.jobs.appearances import AppearanceChoices, appearances
from gallery.jobs.label_video import label_video
from gallery.jobs.meant import SeenFace
from gallery.jobs.preview import box_at, preview
from gallery.media.video_reader import VideoReader
from gallery.output import registry
from gallery.output.screen_time import seconds_of
from gallery.reports.annotate import COLOURS
from gallery.store.steps import Action
from gallery.types import Box, Verdict

RED, BLUE, PURPLE = (220, 20, 20), (20, 20, 220), (200, 20, 200)


@pytest.fixture
def filled(database: Path, tmp_path: Path) -> Iterator[Engine]:
    with fake_gallery(database) as gallery:
        enroll_squares(gallery, tmp_path, {"Rei": BLUE, "Asuka": RED})
        yield gallery


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    """Asuka moves for a second; Rei and a stranger stand side by side for a second."""
    first = [scene(Square(10 + 2 * n, 20, 50, RED)) for n in range(24)]
    both = (Square(10, 20, 50, BLUE), Square(90, 20, 50, PURPLE))
    second = [scene(*both, brightness=-100)] * 24
    return write_video(tmp_path / "第1話.mkv", at_rate([*first, *second]))


def label(gallery: Engine, path: Path) -> None:
    list(label_video(gallery, path, VideoOptions(), keep=True))


def cast_of(gallery: Engine, choices: AppearanceChoices | None = None) -> dict[str, float]:
    (one,) = result_of(appearances(gallery, choices or AppearanceChoices()))
    return {name: round(seconds_of(spans), 1) for name, spans in one.cast().items()}


def test_seconds_come_from_what_was_kept_and_follow_decisions(
    filled: Engine, episode: Path
) -> None:
    label(filled, episode)
    hidden = episode.rename(episode.with_suffix(".gone"))
    assert cast_of(filled) == {"Asuka": 1.0, "Rei": 1.0}
    hidden.rename(episode)
    seen = filled.store.sightings.all()
    stranger = max(seen, key=lambda one: one.face.box.left)
    result_of(decide.confirm(filled, [SeenFace(stranger.id)], "Asuka"))
    assert cast_of(filled) == {"Asuka": 2.0, "Rei": 1.0}
    first = min(seen, key=lambda one: one.track.start if one.track else 9.0)
    result_of(decide.set_aside(filled, [SeenFace(first.id)], Action.IGNORE))
    assert cast_of(filled) == {"Asuka": 1.0, "Rei": 1.0}


def test_formats_are_written_from_what_was_kept(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    label(filled, episode)
    spec = registry.output_spec(f"timeline:{tmp_path / 'ep.json'}")
    result_of(appearances(filled, AppearanceChoices(wanted=[spec])))
    found = json.loads((tmp_path / "ep.json").read_text(encoding="utf-8"))
    assert [one["character"] for one in found["characters"]] == ["Rei", "Asuka"]
    wrong = AppearanceChoices(wanted=[registry.output_spec("jsonl:more.jsonl")])
    with pytest.raises(InputError, match="jsonl does not tell who is on screen"):
        result_of(appearances(filled, wrong))


def test_what_was_never_labelled_or_has_changed_is_told(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="No video was labelled yet"):
        result_of(appearances(filled, AppearanceChoices()))
    label(filled, episode)
    with pytest.raises(InputError, match="is no video that was labelled"):
        result_of(appearances(filled, AppearanceChoices([Path("other.mkv")])))
    events = list(appearances(filled, AppearanceChoices([episode, Path("other.mkv")])))
    (refused,) = [one for one in events if isinstance(one, Refused)]
    assert refused.path == Path("other.mkv")
    with episode.open("ab") as file:
        file.write(b"more")
    events = list(appearances(filled, AppearanceChoices()))
    (refused,) = [one for one in events if isinstance(one, Refused)]
    assert "has changed since it was labelled" in refused.reason


def test_a_preview_has_boxes_where_faces_are_and_follows_decisions(
    filled: Engine, episode: Path, tmp_path: Path
) -> None:
    label(filled, episode)
    rei = next(
        one
        for one in filled.store.sightings.all()
        if one.face.box.left < 30 and one.track and one.track.shot == 2
    )
    result_of(decide.set_aside(filled, [SeenFace(rei.id)], Action.NO_FACE))
    out = result_of(preview(filled, episode, tmp_path / "seen.mp4", VideoOptions(every=0.2)))
    with VideoReader(out) as video:
        assert (video.width, video.height) == (160, 120)
        frames = [
            (one.time, one.image().pixels.astype(int)) for one in video.frames(all_of_them=True)
        ]
    assert len(frames) == 48
    green = np.array(COLOURS[Verdict.SURE])
    edges: dict[float, int | None] = {}
    for time, pixels in frames:
        near = np.abs(pixels - green).sum(axis=2) < 90
        columns = np.flatnonzero(near[40:60].any(axis=0))
        edges[time] = int(columns.min()) if len(columns) else None
    first, later = edges[frames[2][0]], edges[frames[20][0]]
    assert first is not None
    assert later is not None
    assert later - first == pytest.approx(36, abs=4)
    assert all(edge is None for time, edge in edges.items() if time > 1.05)


def test_a_preview_is_whole_or_not_there(filled: Engine, episode: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in none of .mp4, .mkv"):
        result_of(preview(filled, episode, tmp_path / "seen.gif", VideoOptions()))
    with pytest.raises(InputError, match="is the video itself"):
        result_of(preview(filled, episode, episode, VideoOptions()))
    job = preview(filled, episode, tmp_path / "made" / "seen.mkv", VideoOptions())
    next(job)
    job.close()
    assert not list(tmp_path.glob("made/*"))
    nothing = tmp_path / "nothing.mkv"
    nothing.write_bytes(b"no video")
    with pytest.raises(InputError, match="is not a video"):
        result_of(preview(filled, nothing, tmp_path / "made" / "seen.mkv", VideoOptions()))
    assert not list(tmp_path.glob("made/*"))


def test_between_two_looks_a_box_moves_evenly() -> None:
    track = Track(1.0, 2.0, None)  # type: ignore[arg-type]
    track.path = [(1.0, Box(0, 0, 10, 10)), (2.0, Box(20, 0, 30, 10))]
    assert box_at(track, 1.5) == Box(10, 0, 20, 10)
    assert box_at(track, 9.0) == Box(20, 0, 30, 10)
