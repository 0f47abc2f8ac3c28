"""Labelling: who is in pictures and videos, written into a file of records and other formats."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.events import (
    Advanced,
    Arrived,
    Finished,
    LabelEvent,
    LabellingStarted,
    VideoStarted,
    Waiting,
)
from gallery.faces.video import VideoOptions, seconds_looked_at
from gallery.jobs.away import Tell
from gallery.jobs.changes import known_to, note, outdated
from gallery.jobs.label_video import label_video
from gallery.jobs.pipeline import Hands, identified
from gallery.jobs.watch import Arrivals, arriving
from gallery.jobs.written import WrittenRecords
from gallery.media.inputs import Media, media_of, videos_of
from gallery.media.selection import changed_since, moment, without_outputs
from gallery.output import registry
from gallery.output.format import OutputOptions
from gallery.output.outputs import Outputs, open_outputs
from gallery.output.resume import open_writer, progress_of, remaining
from gallery.system.files import absolute
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What a job reads and where it writes."""

    paths: list[Path]
    """As they were named."""
    out: Path
    wanted: list[registry.OutputSpec]
    options: OutputOptions
    """What the wanted formats are told."""
    media: Media
    """What is labelled, and what of the paths is not."""
    left_out: int
    """How many pictures lie in folders that outputs go to."""
    chosen: Callable[[list[Path]], list[Path]] = list
    """Says which of the pictures that come into folders are labelled."""
    arrivals: Arrivals | None = None
    """What comes into the folders of a job that watches them; pictures are none then."""


@dataclass(frozen=True, slots=True)
class LabelChoices:
    """How the faces of a job are looked at and asked for."""

    mode: MatchMode
    top: int
    keep: bool
    """The gallery notes what it sees, where its database can be written."""
    watched: VideoOptions
    """Its gates are for pictures, too; what it says of times is for videos alone."""
    workers: int | None = None
    """How many pictures are prepared at the same time; None is one for each core."""
    hands: Hands | None = None
    """Who looks at pictures instead of this machine, which looks at videos in any case."""
    tell: Tell = lambda _: None
    """Says that the database's server is waited for."""


def planned(
    paths: Sequence[Path],
    out: Path,
    write: Sequence[str],
    options: OutputOptions,
    since: str | None = None,
    *,
    watch: bool = False,
) -> LabelPlan:
    """Look at what paths hold; nothing is written.

    With watch, the job does not end, but goes on with pictures that come into the folders.

    `write` holds FORMAT[:TARGET], `since` a date or a duration as selection.moment reads it. Raises
    InputError where no path names a picture or a video, and for what moment, registry.output_spec,
    registry.require_for_videos and selection.without_outputs refuse, and where no folder is to be
    watched.
    """
    wanted = [registry.output_spec(text) for text in write]
    start = moment(since) if since is not None else None
    folders = [one.pictures_folder for one in wanted if one.pictures_folder is not None]

    def chosen(pictures: Sequence[Path]) -> list[Path]:
        kept, _ = without_outputs(pictures, paths, folders)
        return kept if start is None else changed_since(kept, start)

    arrivals = Arrivals(paths) if watch else None
    media = Media(videos_of(paths)) if watch else media_of(paths)
    if media.videos:
        registry.require_for_videos(wanted, options.placing, videos=len(media.videos))
    (pictures, left_out), videos = without_outputs(media.pictures, paths, folders), media.videos
    if start is not None:
        pictures, videos = changed_since(pictures, start), changed_since(videos, start)
    return LabelPlan(
        list(paths),
        out,
        wanted,
        options,
        replace(media, pictures=pictures, videos=videos),
        left_out,
        chosen,
        arrivals,
    )


def label(
    engine: Engine, plan: LabelPlan, choices: LabelChoices, *, rewrite: bool = False
) -> Generator[LabelEvent, None, None]:
    """Do what is planned and not done yet, pictures before videos.

    What an event tells is in the file. A generator that is closed, or left by an exception, ends
    its files; the next job goes on there. Pictures that an earlier run could not read are tried
    again, and those whose files have other content now are done anew. With rewrite, pictures of
    earlier runs are written in the wanted formats, too. Raises StoreError where samples lack the
    encoder in use, InputError and SetupError for outputs that cannot be opened or gone on with, see
    resume.open_writer and outputs.open_outputs.
    """
    engine.require_encoded()
    with closing(open_writer(plan.out, engine.encoder)) as records:
        old = outdated(plan.media.pictures, records.standing, known_to(engine))
        if choices.keep and engine.store.is_writable:
            note(engine, old.rewritten)
        outputs = open_outputs(
            records,
            plan.wanted,
            paths=plan.paths,
            encoder=engine.encoder,
            options=replace(plan.options, series_of=engine.store.series.of_characters()),
            rewrite=rewrite,
            is_open_end=plan.arrivals is not None,
            outdated=old.names,
        )
        with closing(outputs):
            pictures = remaining(plan.media.pictures, outputs)
            videos = remaining(plan.media.videos, outputs)
            yield LabellingStarted(
                pictures=len(pictures),
                videos=len(videos),
                pictures_done=len(plan.media.pictures) - len(pictures),
                videos_done=len(plan.media.videos) - len(videos),
                left_out=plan.left_out,
                not_written=outputs.complaints(),
                failed_before=len(old.failed),
                changed=len(old.changed),
            )
            yield from plan.media.told()
            run = _Run(engine, outputs, choices)
            yield from run.pictures(pictures)
            if plan.arrivals is not None:
                yield from run.arriving(plan.arrivals, plan.chosen, videos)
            else:
                yield from run.videos(videos)
    yield Finished(run.written.summary())


class _Run:
    """One run of a job whose outputs are open."""

    def __init__(self, engine: Engine, outputs: Outputs, choices: LabelChoices) -> None:
        self._engine, self._outputs, self._choices = engine, outputs, choices
        self.written = WrittenRecords(outputs)
        self._keep = choices.keep and engine.store.is_writable

    def pictures(self, paths: Sequence[Path]) -> Generator[LabelEvent, None, None]:
        """Label pictures in their order; each record is in the file when it is told."""
        choices = self._choices
        answers = identified(
            self._engine,
            paths,
            mode=choices.mode,
            top=choices.top,
            gates=choices.watched.gates,
            keep=self._keep,
            workers=choices.workers,
            hands=choices.hands,
            tell=choices.tell,
        )
        with closing(answers):
            for one in answers:
                yield self.written.labelled(one.record)

    def arriving(
        self,
        arrivals: Arrivals,
        chosen: Callable[[list[Path]], list[Path]],
        videos: Sequence[Path],
    ) -> Generator[LabelEvent, None, None]:
        """Label what comes, and the videos that are there once all else is done."""
        told: Waiting | None = None
        for paths in arriving(self._engine, arrivals, self._outputs, chosen=chosen):
            if paths:
                told = None
                yield Arrived(len(paths))
                yield from self.pictures(paths)
            elif arrivals.is_at_rest:
                yield from self.videos(videos)
                videos = []
                if told != Waiting(arrivals.trouble):
                    told = Waiting(arrivals.trouble)
                    yield told

    def videos(self, videos: Sequence[Path]) -> Generator[LabelEvent, None, None]:
        """Label videos shot by shot, each from where the file of records ends."""
        choices, watched = self._choices, self._choices.watched
        before = progress_of(self._outputs.records()) if videos else {}
        for path in videos:
            done = before.get(absolute(path))
            yield VideoStarted(path, seconds_looked_at(path, watched), done.end if done else 0.0)
            shown = int(done.end if done else watched.start)
            for record in label_video(
                self._engine,
                path,
                watched,
                mode=choices.mode,
                top=choices.top,
                done=done,
                keep=self._keep,
            ):
                yield self.written.labelled(record)
                if int(record.part.end) > shown:
                    yield Advanced(int(record.part.end) - shown)
                    shown = int(record.part.end)
