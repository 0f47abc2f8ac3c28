"""A job that answers anew what labelling saw, and the events that tell how it goes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gallery.engine import joint
from gallery.engine.engine import Gallery
from gallery.errors import InputError
from gallery.events import LabelEvent, Labelled, LabellingStarted, Refused, VideoStarted
from gallery.jobs import cluster, review
from gallery.jobs.relabel_video import relabel_videos
from gallery.output import registry
from gallery.output.format import OutputOptions
from gallery.output.outputs import Outputs, open_outputs
from gallery.output.resume import progress_of, remaining, stands_in
from gallery.store.sightings import ObservedPicture
from gallery.store.videos import ObservedVideo
from gallery.system.files import absolute
from gallery.types import MatchMode

NOTHING_SEEN = "The gallery has seen nothing yet; run `gallery label` first, without --no-keep."


@dataclass(frozen=True, slots=True)
class RelabelChoices:
    """What is answered anew, how, and where it is written."""

    out: Path
    paths: Sequence[Path] = ()
    """Only these files, or those of these folders; all where there are none."""
    alone: bool = False
    """Every face is answered by itself, and not in company, see company."""
    mode: MatchMode = MatchMode.IDEAL
    top: int = 3
    wanted: Sequence[registry.OutputSpec] = ()
    options: OutputOptions = field(default_factory=OutputOptions)
    rewrite: bool = False
    """Pictures whose records are in the file already are written in the wanted formats, too."""


def run(
    gallery: Gallery, choices: RelabelChoices, advance: Callable[[], None] = lambda: None
) -> Generator[LabelEvent, None, None]:
    """Answer pictures and videos that were labelled before, and are not in the file of records.

    What the encoder in use has not described is described first. Before the first event, which
    tells how many there are, faces are drawn together, and `advance` is called as often as
    joint.steps says. Files that have changed since they were labelled are refused, and so are
    paths at which nothing was labelled. What an event tells is in the file. Raises StoreError where
    samples lack the encoder in use, InputError and SetupError for outputs that cannot be opened or
    gone on with, and InputError where there is nothing to answer, and where videos are asked for in
    a format that has no place for them.
    """
    gallery.require_encoded()
    for _ in review.describe_anew(gallery):
        pass
    sightings, asked = gallery.store.sightings, choices.paths
    pictures = cluster.pictures_below(sightings.pictures(), asked)
    videos = cluster.pictures_below(sightings.videos.all(), asked)
    known: list[ObservedPicture | ObservedVideo] = [*pictures, *videos]
    refused = [(path, _unseen(path)) for path in _not_among(known, asked)]
    if not known:
        raise InputError(refused[0][1] if refused else NOTHING_SEEN)
    if videos:
        registry.require_for_videos(choices.wanted, choices.options.placing)
    changed = {one.path for one in known if cluster.has_changed(one)}
    writer = open_outputs(
        choices.out,
        choices.wanted,
        paths=asked or [one.path for one in known],
        encoder=gallery.encoder,
        options=choices.options,
        rewrite=choices.rewrite,
    )
    try:
        left = set(remaining([one.path for one in known], writer))
        rest = left - changed
        stills = [one for one in pictures if one.path in rest]
        films = [one for one in videos if one.path in rest]
        answering = (
            joint.jointly(gallery, choices.mode, choices.top, advance)
            if rest and not choices.alone
            else joint.alone(gallery, choices.mode, choices.top)
        )
        yield LabellingStarted(
            pictures=len(stills),
            videos=len(films),
            pictures_done=sum(one.path not in left for one in pictures),
            videos_done=sum(one.path not in left for one in videos),
            left_out=0,
            not_written=writer.complaints(),
        )
        for path, why in refused:
            yield Refused(path, why)
        for path in sorted(changed):
            yield Refused(path, f"{path} has changed since it was labelled.")
        for record in cluster.relabel(gallery, stills, answering):
            writer.write(record)
            yield Labelled(record, writer.complaints())
        yield from _of_videos(gallery, films, writer, answering)
    finally:
        writer.close()


def _not_among(
    known: Sequence[ObservedPicture | ObservedVideo], asked: Sequence[Path]
) -> list[Path]:
    """Return the paths that are neither of these files nor of a folder above one."""
    places = {place for one in known for place in (one.path, *one.path.parents)}
    return [path for path in asked if absolute(path) not in places]


def _unseen(path: Path) -> str:
    return (
        f"The gallery has seen nothing at {path}; "
        "run `gallery label` on it first, or name it as it was named then."
    )


def _of_videos(
    gallery: Gallery, videos: Sequence[ObservedVideo], writer: Outputs, answering: joint.Scoring
) -> Generator[LabelEvent, None, None]:
    before = progress_of(writer.records()) if videos else {}
    begun: Path | None = None
    for part in relabel_videos(gallery, videos, answering):
        if part.path != begun:
            begun = part.path
            # None of its seconds is looked at.
            yield VideoStarted(part.path, 0, 0.0)
        if not stands_in(part, before):
            writer.write(part)
            yield Labelled(part, writer.complaints())
