"""Training sets of labelled pictures and videos: cut, thinned, captioned and balanced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.errors import InputError, NothingFound, UnusableFile, UnwritableFile
from gallery.events import Advanced, Finished, Job, Refused, Started
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs.dataset_cuts import Cutter, Taken
from gallery.jobs.dataset_report import Dataset, as_json, report
from gallery.jobs.harvest import refuse_inside
from gallery.jobs.reencode import encode_kept
from gallery.jobs.relabel import changed_since, seen_below
from gallery.jobs.relabel_pictures import relabel_pictures
from gallery.jobs.relabel_video import relabel_videos
from gallery.media.difference_hash import distinct
from gallery.output.captions import caption_tag
from gallery.output.format import OutputOptions, names_in, without_set_aside
from gallery.output.own_folder import check_folder, publish, write_list
from gallery.output.training_set import (
    Cut,
    SetFormat,
    TrainingCharacter,
    TrainingPicture,
    write_set,
)
from gallery.system.files import absolute, unfinished
from gallery.types import Decided, Record, VideoRecord, VideoTrack

if TYPE_CHECKING:
    from gallery.store.sightings import ObservedPicture
    from gallery.store.videos import ObservedVideo

MOST_REPEATS = 10
"""So many times as often as the character with most pictures one may be shown: a picture that comes
more often is learnt by heart."""


@dataclass(frozen=True, slots=True)
class DatasetChoices:
    """What comes into a training set, and how."""

    form: SetFormat
    paths: Sequence[Path] = ()
    """Only of these files, or those of these folders; of all labelled ones where there are none."""
    crop: Cut = Cut.PICTURE
    characters: Sequence[str] = ()
    """Only these; all where there are none."""
    confirmed: bool = False
    """Only faces that a person confirmed."""
    keep_near: bool = False
    """Pictures that are nearly the same as a better one of the character stay, too."""
    repeats: int = 1
    """Of the character with most pictures; others get more."""
    resolution: int = 1024
    """What the trainer brings pictures to, in pixels of a side."""
    gates: Gates = NO_GATES
    alone: bool = False
    """Every face is answered alone instead of jointly, see joint."""
    options: OutputOptions = field(default_factory=OutputOptions)
    """Of captions, and whether unsure names count."""


def dataset(engine: Engine, out: Path, choices: DatasetChoices) -> Job[Dataset]:
    """Make a training set of what was labelled, with the gallery and the decisions as they are now.

    Sources are only read. The folder appears at the end, whole; a job that is left before leaves
    nothing. A folder that holds a set is replaced where nobody changed it since. Files that are
    gone, have changed since they were labelled or cannot be read are refused. Raises InputError
    where nothing was labelled, nobody is named, and for a folder that holds anything else.
    """
    check_folder(out)
    engine.require_encoded()
    series_of = engine.store.series.of_characters()
    choices = replace(choices, options=replace(choices.options, series_of=series_of))
    names = {engine.store.character(name).name for name in choices.characters}
    yield from encode_kept(engine)
    sightings = engine.store.sightings
    pictures = seen_below(sightings.pictures(), choices.paths)
    videos = seen_below(sightings.videos.all(), choices.paths)
    known: list[ObservedPicture | ObservedVideo] = [*pictures, *videos]
    refused = _missing(known, choices.paths)
    refuse_inside(out, choices.paths)
    changed = changed_since(engine, known)
    refused += [
        Refused.because(path, UnusableFile(path, "has changed since it was labelled"))
        for path in sorted(changed)
    ]
    answering = joint.alone(engine)
    if not choices.alone:
        answering = yield from joint.jointly(engine)
    records: list[Record] = [
        *relabel_pictures(engine, [one for one in pictures if one.path not in changed], answering),
        *relabel_videos(engine, [one for one in videos if one.path not in changed], answering),
    ]
    wanted = [shown for one in records if (shown := _wanted(one, names, choices)) is not None]
    yield Started("cutting", len(wanted), "picture")
    yield from refused
    if not wanted:
        raise InputError("No labelled picture shows any of the characters; label more of them.")
    try:
        with unfinished(out) as folder:
            folder.mkdir(mode=0o700)
            (folder / "cut").mkdir()
            taken: defaultdict[str, list[Taken]] = defaultdict(list)
            cutter = Cutter(folder / "cut", choices.crop, choices.options, names)
            for record in wanted:
                try:
                    for name, one in cutter.taken(record):
                        taken[name].append(one)
                except InputError as error:
                    yield Refused.because(record.path, error.detached())
                yield Advanced()
            cutter.close()
            yield Finished(_written(taken, folder, absolute(out), choices))
    except OSError as error:
        raise UnwritableFile(out, f"cannot be written: {error.strerror or error}") from error


def _missing(
    known: Sequence[ObservedPicture | ObservedVideo], paths: Sequence[Path]
) -> list[Refused]:
    """Return what is to be said of paths at which nothing was labelled."""
    places = {place for one in known for place in (one.path, *one.path.parents)}
    return [
        Refused.because(path, NothingFound(path, "was never labelled", remedy="label it first"))
        for path in paths
        if absolute(path) not in places
    ]


def _wanted(record: Record, names: set[str], choices: DatasetChoices) -> Record | None:
    """Return a record with the faces that come into the set; None where there is none."""
    shown = without_set_aside(record)
    if shown is None or shown.error is not None:
        return None
    if isinstance(shown, VideoRecord) and not isinstance(shown.part, VideoTrack):
        return None
    own = tuple(
        answer
        for answer in shown.faces
        if names_in(replace(shown, faces=(answer,)), unsure=choices.options.unsure)
        and (not choices.confirmed or answer.decided is Decided.CONFIRMED)
        and choices.gates.admit(answer.face)
        and (answer.quality is None or answer.quality.score >= choices.gates.min_quality)
    )
    if not any(not names or one.character in names for one in own):
        return None
    return replace(shown, faces=own)


def _written(
    taken: Mapping[str, Sequence[Taken]], folder: Path, out: Path, choices: DatasetChoices
) -> Dataset:
    """Write the set and put it in its place; what is nearly the same as a better one goes."""
    best = {name: _thinned(taken[name], choices) for name in sorted(taken)}
    if not any(best.values()):
        raise InputError("No picture of the characters can be read; label them again.")
    most = max(len(own) for own in best.values())
    characters = [
        TrainingCharacter(
            name,
            caption_tag(name, choices.options),
            choices.repeats * min(max(round(most / len(own)), 1), MOST_REPEATS),
            tuple(own),
        )
        for name, own in best.items()
        if own
    ]
    reports = tuple(
        report(one, len(taken[one.name]) - len(one.pictures), choices.resolution)
        for one in characters
    )
    whole = folder / "whole"
    write_set(choices.form, characters, whole, place=out, resolution=choices.resolution)
    done = Dataset(out, reports)
    write_list(whole, {"made_by": "gallery: training set", **as_json(done)})
    check_folder(out)
    publish(whole, out, folder / "former")
    return done


def _thinned(own: Sequence[Taken], choices: DatasetChoices) -> list[TrainingPicture]:
    """Return a character's pictures, those whose face can be seen best first."""
    ordered = sorted(
        own, key=lambda one: (-one.score, str(one.picture.source), one.picture.time or 0.0)
    )
    if choices.keep_near:
        return [one.picture for one in ordered]
    return [ordered[row].picture for row in distinct([one.bits for one in ordered])]
