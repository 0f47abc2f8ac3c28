"""Relabelling: what labelling saw, answered with the gallery as it is now; no picture is read."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.engine.figures import fallen, kept_figure
from gallery.errors import GoneFiles, InputError, NothingSeen, UnusableFile
from gallery.events import Finished, LabelEvent, LabellingStarted, Noticed, Refused, VideoStarted
from gallery.jobs.changes import KnownFiles, change_in
from gallery.jobs.reencode import encode_kept
from gallery.jobs.relabel_pictures import relabel_pictures
from gallery.jobs.relabel_video import relabel_videos
from gallery.jobs.stored_answers import AnswersStored
from gallery.jobs.written import WrittenRecords
from gallery.media.images import file_state
from gallery.output import registry
from gallery.output.format import OutputOptions
from gallery.output.outputs import open_outputs
from gallery.output.resume import (
    VideoProgress,
    open_writer,
    progress_of,
    remaining,
    stands_in,
)
from gallery.store.answers import MOST_ALTERNATIVES
from gallery.store.sightings import ObservedPicture
from gallery.store.videos import ObservedVideo
from gallery.system.files import absolute, is_there
from gallery.types import Content, MatchMode, VideoRecord

STAGE = "relabelling"

Seen = TypeVar("Seen", ObservedPicture, ObservedVideo)


@dataclass(frozen=True, slots=True)
class RelabelChoices:
    """What is answered anew, how, and where it is written."""

    out: Path
    paths: Sequence[Path] = ()
    """Only these files, or those of these folders; all where there are none."""
    alone: bool = False
    """Every face is answered alone instead of jointly, see joint."""
    mode: MatchMode = MatchMode.IDEAL
    top: int = 3
    wanted: Sequence[registry.OutputSpec] = ()
    options: OutputOptions = field(default_factory=OutputOptions)
    gone: bool = False
    """Files that are not there any more take part in joint scoring, too."""
    rewrite: bool = False
    """Pictures whose records are in the file already are written in the wanted formats, too."""


def relabel(engine: Engine, choices: RelabelChoices) -> Generator[LabelEvent, None, None]:
    """Answer pictures and videos that were labelled before, and are not in the file of records.

    What the encoder in use has not described is described first, and unless every face is answered
    alone, those of a calibrated gallery are smoothed. Files that have changed since they were
    labelled are refused, and so are paths at which nothing was labelled. What an event tells is in
    the file; what is said is stored in the gallery, too, where that can be written. Raises
    StoreError where samples lack the encoder in use, InputError and SetupError for outputs that
    cannot be opened or gone on with, and InputError where there is nothing to answer, and where
    videos are asked for in a format that has no place for them.
    """
    engine.require_encoded()
    yield from encode_kept(engine)
    sightings, asked = engine.store.sightings, choices.paths
    pictures = seen_below(sightings.pictures(), asked)
    videos = seen_below(sightings.videos.all(), asked)
    known: list[ObservedPicture | ObservedVideo] = [*pictures, *videos]
    refused = [NothingSeen(path) for path in _not_among(known, asked)]
    if not known:
        raise refused[0] if refused else NothingSeen()
    if videos:
        registry.require_for_videos(choices.wanted, choices.options.placing, videos=len(videos))
    changed = changed_since(engine, known)
    with (
        closing(open_writer(choices.out, engine.encoder)) as records,
        closing(
            open_outputs(
                records,
                choices.wanted,
                paths=asked or [one.path for one in known],
                encoder=engine.encoder,
                options=replace(choices.options, series_of=engine.store.series.of_characters()),
                rewrite=choices.rewrite,
            )
        ) as outputs,
    ):
        left = set(remaining([one.path for one in known], outputs))
        rest = left - changed
        stills = [one for one in pictures if one.path in rest]
        films = [one for one in videos if one.path in rest]
        now = engine.store.answers.now(engine.encoder)
        keeps = engine.store.is_writable and choices.mode is MatchMode.IDEAL
        top = max(choices.top, MOST_ALTERNATIVES) if keeps else choices.top
        figure = kept_figure(engine, jointly=True)
        answering = joint.alone(engine, choices.mode, top)
        if rest and not choices.alone:
            answering = yield from joint.jointly(
                engine, choices.mode, top, gone=choices.gone, keep=True
            )
        storing = AnswersStored(engine, answering, now, top=choices.top, jointly=not choices.alone)
        if keeps:
            answering = storing
        yield LabellingStarted(
            pictures=len(stills),
            videos=len(films),
            pictures_done=sum(one.path not in left for one in pictures),
            videos_done=sum(one.path not in left for one in videos),
            left_out=0,
            not_written=outputs.complaints(),
            stage=STAGE,
        )
        fall = fallen(figure, kept_figure(engine, jointly=True))
        if fall is not None:
            yield Noticed(fall)
        alike = engine.look_alikes() if rest else None
        if alike is not None:
            yield Noticed(alike)
        missing = sum(not is_there(one.path) for one in known if one.path in rest)
        if missing and not choices.gone and not choices.alone:
            yield Noticed(GoneFiles(missing))
        for error in refused:
            yield Refused.because(error.path or Path(), error)
        for path in sorted(changed):
            yield Refused.because(path, UnusableFile(path, "has changed since it was labelled"))
        # What stands in the file is read before more is written into it.
        before = progress_of(outputs.records()) if films else {}
        written = WrittenRecords(outputs)
        for record in relabel_pictures(engine, stills, answering):
            yield written.labelled(record)
        yield from _videos(relabel_videos(engine, films, answering), before, written)
        storing.flush()
    yield Finished(written.summary())


def _not_among(
    known: Sequence[ObservedPicture | ObservedVideo], asked: Sequence[Path]
) -> list[Path]:
    """Return the paths that are neither of these files nor of a folder above one."""
    places = {place for one in known for place in (one.path, *one.path.parents)}
    return [path for path in asked if absolute(path) not in places]


def _videos(
    parts: Iterable[VideoRecord], before: Mapping[Path, VideoProgress], written: WrittenRecords
) -> Generator[LabelEvent, None, None]:
    begun: Path | None = None
    for part in parts:
        if part.path != begun:
            begun = part.path
            # None of its seconds is looked at.
            yield VideoStarted(part.path, 0, 0.0, stage=STAGE)
        if not stands_in(part, before):
            yield written.labelled(part)


def seen_below(seen: Sequence[Seen], asked: Collection[Path]) -> list[Seen]:
    """Return the pictures or videos that paths name, each a file or a folder.

    All where no path is given.
    """
    wanted = {absolute(path) for path in asked}

    def is_wanted(path: Path) -> bool:
        return not wanted or not wanted.isdisjoint((path, *path.parents))

    return [one for one in seen if is_wanted(one.path)]


def changed_since(engine: Engine, known: Iterable[ObservedPicture | ObservedVideo]) -> set[Path]:
    """Return the paths of files that show something else now than what was seen in them."""
    suspects = [one for one in known if has_changed(one)]
    contents = engine.store.contents({one.digest for one in suspects if one.digest is not None})
    return {one.path for one in suspects if has_changed(one, contents)}


def has_changed(
    seen: ObservedPicture | ObservedVideo, contents: Mapping[str, Content] | None = None
) -> bool:
    """Say whether a file is another one now; one that is gone has not changed.

    A picture that shows what it showed has not, whatever was written into its file, where the
    contents that the gallery knows tell.
    """
    try:
        if seen.state is None or file_state(seen.path) == seen.state:
            return False
    except InputError:
        return False
    if contents is None or seen.digest is None or isinstance(seen, ObservedVideo):
        return True
    return change_in(seen.path, seen.digest, KnownFiles({}, contents)) is True
