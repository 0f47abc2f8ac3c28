"""Who is on screen in labelled videos, and for how long; no frame is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.errors import BadSetting, InputError, NothingFound
from gallery.events import Advanced, Finished, Job, Refused, Started
from gallery.jobs.reencode import encode_kept
from gallery.jobs.relabel import has_changed, seen_below
from gallery.jobs.relabel_video import relabel_videos
from gallery.output import registry
from gallery.output.format import Output, OutputOptions, base_of, without_set_aside
from gallery.output.screen_time import Episode, Episodes
from gallery.store.videos import ObservedVideo
from gallery.system.files import absolute
from gallery.types import VideoEnd, VideoRecord


@dataclass(frozen=True, slots=True)
class AppearanceChoices:
    """Which videos, and how their tracks are answered and written."""

    paths: Sequence[Path] = ()
    """Only these videos, or those of these folders; all where there are none."""
    alone: bool = False
    """Every track is answered alone instead of jointly, see joint."""
    wanted: Sequence[registry.OutputSpec] = ()
    """Formats that tell who is on screen, see registry.ON_SCREEN."""
    options: OutputOptions = field(default_factory=OutputOptions)


def appearances(engine: Engine, choices: AppearanceChoices) -> Job[tuple[Episode, ...]]:
    """Say who is on screen in labelled videos, with the gallery and the decisions as they are now.

    The result has the videos by path. Those whose files have changed since they were labelled are
    refused, and so are paths at which no video was labelled. Raises InputError where no video is
    left, and for other formats than those that tell who is on screen.
    """
    require_on_screen(choices.wanted)
    engine.require_encoded()
    yield from encode_kept(engine)
    seen = engine.store.sightings.videos.all()
    known = seen_below(seen, choices.paths)
    places = {place for one in known for place in (one.path, *one.path.parents)}
    missing = [
        NothingFound(path, "is no video that was labelled", remedy="label it first")
        for path in choices.paths
        if absolute(path) not in places
    ]
    if not known:
        raise missing[0] if missing else InputError("No video was labelled yet; label one first.")
    registry.require_for_videos(choices.wanted, videos=len(known))
    answering = joint.alone(engine)
    if not choices.alone:
        answering = yield from joint.jointly(engine)
    yield Started("reading", len(known), "video")
    for error in missing:
        yield Refused.because(error.path, error)
    videos: list[ObservedVideo] = []
    for one in known:
        if has_changed(one):
            yield Refused(one.path, f"{one.path} has changed since it was labelled.")
            yield Advanced()
        else:
            videos.append(one)
    episodes = Episodes(unsure=choices.options.unsure)
    with ExitStack() as stack:
        writers = []
        for spec in choices.wanted:
            base = base_of([one.path for one in known])
            output = Output(spec.target, base, engine.encoder, choices.options)
            writers.append(registry.open_writer(spec.format, output))
        for record in relabel_videos(engine, videos, answering):
            shown = without_set_aside(record)
            if isinstance(shown, VideoRecord):
                episodes.add(shown)
                for writer in writers:
                    writer.write(shown)
            if isinstance(record.part, VideoEnd):
                yield Advanced()
        for writer in writers:
            stack.callback(writer.close)
    yield Finished(tuple(episodes.videos.values()))


def require_on_screen(wanted: Sequence[registry.OutputSpec]) -> None:
    """Raise InputError for a format that does not tell who is on screen."""
    for one in wanted:
        if one.format not in registry.ON_SCREEN:
            raise BadSetting(
                "write",
                f"{one.format} does not tell who is on screen; {', '.join(registry.ON_SCREEN)} do",
                "relabel writes the others",
            )
