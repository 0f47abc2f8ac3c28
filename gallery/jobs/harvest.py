"""Unknown faces of pictures and videos, gathered in one folder per likely character.

What is written are the aligned crops as the gallery would store them, without loss: enrolling them
with --cropped gives the descriptors that they were grouped by, to the bit.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gallery.errors import BadOutput, InputError, UnwritableFile
from gallery.events import Advanced, Finished, Gathered, PassedOver, Refused, Started, VideoStarted
from gallery.faces.video import ShotSeen, VideoOptions, seconds_looked_at, shots_seen
from gallery.jobs.harvest_page import PAGE, HarvestedCrop, contact_sheet
from gallery.jobs.keep_video import digest_where_decided
from gallery.jobs.label_video import answers_of
from gallery.jobs.pipeline import Hands, observations
from gallery.media.images import encode_png
from gallery.media.inputs import Media
from gallery.media.timecodes import timecode
from gallery.media.video_reader import VideoReader
from gallery.numerics.clustering import REACH, group
from gallery.output.records import to_line
from gallery.reports.page import write_report
from gallery.system.file_names import numbered_folder, path_text
from gallery.system.files import absolute, is_folder, unfinished
from gallery.types import Box, DescribedFace, Descriptor, MatchMode, Verdict

if TYPE_CHECKING:
    from gallery.engine.engine import Engine

CROPS_OF_A_TRACK = 3
"""How many of a track's best glimpses are written: more would be nearly the same picture."""

LIST = "faces.jsonl"
"""Says of every crop where it comes from."""

STEM_LETTERS = 60
"""So much of a file's name stands in the names of its crops."""


@dataclass(frozen=True, slots=True)
class _Crop:
    """A crop that lies in the unsorted folder."""

    file: Path
    path: Path
    """The picture or video it is of."""
    time: float | None
    """Seconds of the video; None for a picture."""
    box: Box
    score: float
    """How well the face can be seen, 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    """One unknown face: of a picture, or of a video's track."""

    descriptor: Descriptor
    crops: tuple[_Crop, ...]


@dataclass(frozen=True, slots=True)
class Harvested:
    """What was written."""

    clusters: int
    faces: int
    """Unknown faces: one a picture and face, one a track of a video."""
    crops: int
    left_out: int
    """Faces in clusters smaller than was asked for."""


HarvestEvent: TypeAlias = (
    Started | Advanced | Refused | PassedOver | VideoStarted | Gathered | Finished[Harvested]
)


def harvest(
    engine: Engine,
    media: Media,
    out: Path,
    *,
    options: VideoOptions,
    mode: MatchMode = MatchMode.IDEAL,
    at_least: int = 1,
    hands: Hands | None = None,
) -> Generator[HarvestEvent, None, None]:
    """Gather the unknown faces of pictures and videos in a new folder, a folder for each cluster.

    Clusters of fewer faces than `at_least` are left out. The folder appears at the end, whole; a
    job that is left before leaves nothing. Files that cannot be read, or not in full, are refused.
    Where hands are given, they look at pictures.
    Raises StoreError where samples lack the encoder in use, and InputError for a folder that is not
    empty or cannot be written.
    """
    engine.require_encoded()
    with Harvest(engine, out, mode, hands) as gathering:
        yield Started("gathering", len(media.pictures), "picture")
        yield from media.told()
        yield from gathering.pictures(media.pictures, options)
        for path in media.videos:
            yield from gathering.video(path, options)
        done = gathering.finish(at_least)
    yield Finished(done)


class Harvest:
    """Gathers unknown faces, then writes them; until then the folder is not there."""

    def __init__(
        self,
        engine: Engine,
        out: Path,
        mode: MatchMode = MatchMode.IDEAL,
        hands: Hands | None = None,
    ) -> None:
        """Begin. Raises InputError where something is in the folder or it cannot be made."""
        self._engine, self._mode, self._hands = engine, mode, hands
        self._out = out
        self._people: list[_Person] = []
        self._count = 0
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UnwritableFile(
                out, "is there already", remedy="name a folder that is new or empty"
            )
        try:
            self._open = ExitStack()
            self._unsorted = self._open.enter_context(unfinished(out))
            self._unsorted.mkdir(mode=0o700)
        except OSError as error:
            raise UnwritableFile(out, f"cannot be made: {error.strerror}") from error

    def __enter__(self) -> Harvest:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def pictures(
        self, paths: Sequence[Path], options: VideoOptions
    ) -> Generator[HarvestEvent, None, None]:
        """Look at pictures, of which options says the gates, and tell what each held."""
        groups = observations(self._engine, paths, options.gates, hands=self._hands)
        with closing(groups):
            for seen in (one for group in groups for one, _ in group):
                if seen.error is not None:
                    yield Refused(seen.path, seen.error, seen.failure)
                    yield Advanced()
                    continue
                answers = self._engine.answers(seen.faces, mode=self._mode, places=seen.places)
                unknown = [
                    face
                    for face, answer in zip(seen.faces, answers, strict=True)
                    if answer.verdict is Verdict.UNKNOWN and answer.decided is None
                ]
                for face in unknown:
                    crop = self._crop(seen.path, face, None)
                    self._people.append(_Person(face.descriptor, (crop,)))
                yield Gathered(seen.path, len(unknown))

    def video(self, path: Path, options: VideoOptions) -> Generator[HarvestEvent, None, None]:
        """Look at a video; tell what every shot held, and what is wrong with the file, if so."""
        seconds, shown = seconds_looked_at(path, options), int(options.start)
        yield VideoStarted(path, seconds, 0.0, stage="gathering")
        try:
            video = VideoReader(path)
        except InputError as error:
            yield Refused.because(path, error.detached())
            return
        engine = self._engine
        digest = digest_where_decided(engine, path)
        with video:
            for seen in shots_seen(video, engine.describer, engine.thresholds, options):
                yield Gathered(path, self._take(path, seen, digest), seen.last)
                if int(seen.last) > shown:
                    yield Advanced(int(seen.last) - shown)
                    shown = int(seen.last)
            missing = video.cut_short(options.end)
            if missing is not None:
                yield Refused(path, missing)

    def _take(self, path: Path, seen: ShotSeen, digest: str | None) -> int:
        """Set the unknown faces of a shot aside, and return how many they are."""
        answers = answers_of(self._engine, seen.tracks, self._mode, top=2, digest=digest)
        unknown = [
            track
            for track, answer in zip(seen.tracks, answers, strict=True)
            if answer.verdict is Verdict.UNKNOWN and answer.decided is None
        ]
        for track in unknown:
            crops = tuple(
                self._crop(path, one.described, one.time) for one in track.best[:CROPS_OF_A_TRACK]
            )
            self._people.append(_Person(track.descriptor, crops))
        return len(unknown)

    def finish(self, at_least: int = 1) -> Harvested:
        """Write the folders: large clusters first, of each the face that is seen best first.

        Clusters of fewer faces are left out. The folder appears at once and whole. Raises
        InputError where it cannot be written.
        """
        if not self._people:
            return Harvested(0, 0, 0, 0)
        clusters = [one for one in self._clusters() if len(one) >= at_least]
        crops = [
            sorted((crop for person in one for crop in person.crops), key=_best_first)
            for one in clusters
        ]
        try:
            if crops:
                self._write(crops, self._nearest(clusters))
        except OSError as error:
            raise UnwritableFile(self._out, f"cannot be written: {error.strerror}") from error
        faces = sum(len(one) for one in clusters)
        return Harvested(
            len(clusters), faces, sum(len(one) for one in crops), len(self._people) - faces
        )

    def _crop(self, path: Path, described: DescribedFace, time: float | None) -> _Crop:
        file = self._unsorted / f"{self._count}.png"
        self._count += 1
        try:
            file.write_bytes(encode_png(described.crop))
        except OSError as error:
            raise UnwritableFile(self._out, f"cannot be written: {error.strerror}") from error
        return _Crop(file, path, time, described.face.box, described.quality.score)

    def _clusters(self) -> list[list[_Person]]:
        """Return who is likely to be one character, the largest cluster first."""
        descriptors = np.stack([one.descriptor for one in self._people])
        labels = group(descriptors, REACH * self._engine.thresholds.unknown)
        clusters: list[list[_Person]] = [[] for _ in range(int(labels.max()) + 1)]
        for person, label in zip(self._people, labels.tolist(), strict=True):
            clusters[label].append(person)
        return sorted(clusters, key=lambda one: -len(one))

    def _nearest(self, clusters: Sequence[Sequence[_Person]]) -> list[str | None]:
        """Return whom of the gallery each cluster resembles most."""
        middles = [np.mean([one.descriptor for one in own], axis=0) for own in clusters]
        matches = self._engine.nearest_ideals(np.array(middles, np.float32))
        return [None if one is None else one.character for one in matches]

    def _write(self, clusters: Sequence[Sequence[_Crop]], nearest: Sequence[str | None]) -> None:
        whole = self._unsorted / "whole"
        whole.mkdir()
        lines: list[str] = []
        shown: list[tuple[str, list[HarvestedCrop]]] = []
        for number, crops in enumerate(clusters, 1):
            folder = whole / numbered_folder(number, len(clusters))
            folder.mkdir()
            own: list[HarvestedCrop] = []
            for rank, crop in enumerate(crops, 1):
                file = folder / _name_of(rank, crop)
                crop.file.rename(file)
                lines.append(_line(file.relative_to(whole), crop))
                own.append(HarvestedCrop(file, crop.path, crop.time))
            shown.append((folder.name, own))
        write_report(contact_sheet(shown, nearest), whole / PAGE)
        (whole / LIST).write_text("".join(lines), encoding="utf-8")
        if self._out.exists():
            self._out.rmdir()
        whole.rename(self._out)


def refuse_inside(out: Path, paths: Sequence[Path]) -> None:
    """Raise InputError for a folder inside one that is looked through: it would find itself."""
    place = absolute(out)
    for path in paths:
        if is_folder(path) and place.is_relative_to(absolute(path)):
            raise BadOutput(
                out, f"lies in {path}, which is looked through", remedy="name another folder"
            )


def _best_first(crop: _Crop) -> tuple[float, str, float]:
    return -crop.score, str(crop.path), crop.time or 0.0


def _name_of(rank: int, crop: _Crop) -> str:
    """Return a file name that sorts by rank and tells quality, source and time."""
    stem = "".join(
        letter if letter.isalnum() or letter in "-_ ." else "_" for letter in crop.path.stem
    )[:STEM_LETTERS].strip(". ")
    when = "" if crop.time is None else f"_{timecode(crop.time).replace(':', '-')}"
    return f"{rank:03d}_{crop.score:.2f}_{stem}{when}.png"


def _line(file: Path, crop: _Crop) -> str:
    """Return where a crop comes from, as a line of JSON."""
    return (
        to_line(
            {
                "file": file.as_posix(),
                "path": path_text(crop.path),
                "time": None if crop.time is None else round(crop.time, 6),
                "box": [round(side) for side in crop.box],
                "quality": round(crop.score, 6),
            }
        )
        + "\n"
    )
