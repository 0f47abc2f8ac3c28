"""What `gallery label` and `gallery relabel` say while a job goes on, and at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path

import typer

from gallery.cli.show import Advance, plural, progress, say
from gallery.cli.writing import complaints
from gallery.events import (
    Arrived,
    LabelEvent,
    Labelled,
    LabellingStarted,
    Refused,
    VideoStarted,
    Waiting,
)
from gallery.output.summary import Summary
from gallery.types import Record, VideoEnd, VideoRecord


class Telling:
    """Turns a job's events into bars and lines on standard error."""

    def __init__(
        self,
        out: Path,
        *,
        is_asked_anew: bool,
        is_judged_together: bool = False,
        what: str = "Labelling",
    ) -> None:
        """Prepare for the events of a job; is_asked_anew says whether formats are asked for.

        Only those count that pictures done before are not written in. is_judged_together says
        whether `gallery relabel` would judge what is seen in company. Bars say what is done.
        """
        self._what = what
        self._is_judged_together = is_judged_together
        self._out = out
        self._is_asked_anew = is_asked_anew
        self._bars = ExitStack()
        self._advance: Advance = _nowhere
        self._counts = Summary()
        self._video: Counter[str] = Counter()
        self._shown = 0
        self._begun = 0
        self._not_written: list[str] = []
        self._is_whole = True
        self._is_waiting = False
        self._last = time.monotonic()

    def __enter__(self) -> Telling:
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.close()

    def tell(self, event: LabelEvent) -> None:
        """Say what an event is about."""
        match event:
            case LabellingStarted():
                self._start(event)
            case Arrived():
                self._begun += event.pictures
                self._last = time.monotonic()
                self._show(self._what, event.pictures)
            case Waiting():
                self._bars.close()
                self._wait(event)
            case Refused():
                self._is_whole = False
                say(f"gallery: {event.reason}")
            case VideoStarted():
                self._show(f"{self._what} {event.path.name}", event.seconds)
                self._shown, self._video = int(event.done), Counter()
            case Labelled():
                self._not_written += event.not_written
                if isinstance(event.record, VideoRecord):
                    self._tell_part(event.record)
                else:
                    self._tell_picture(event.record)

    def follow(self, events: Generator[LabelEvent, None, None]) -> None:
        """Say what a job's events are about, and at its end what it came to.

        Raises typer.Exit where something went wrong, and where a person stopped it.
        """
        try:
            with closing(events):
                for event in events:
                    self.tell(event)
        except KeyboardInterrupt:
            say(f"Stopped; {self._out} holds what was done. Run it again to go on.")
            self.finish()
            raise typer.Exit(130) from None
        if not self.finish():
            raise typer.Exit(1)

    def finish(self) -> bool:
        """Say what the job came to, and return whether nothing went wrong."""
        self._bars.close()
        lines = complaints(self._not_written)
        lines += self._counts.lines() if self._counts.pictures else []
        lines += [f"Records: {self._out}"] if self._begun else []
        if self._counts.unsure and self._is_judged_together:
            lines.append(
                "`gallery relabel` judges all faces that were seen together and is sure of more."
            )
        for line in lines:
            say(line)
        return self._is_whole and not self._counts.failed and not self._not_written

    def _wait(self, event: Waiting) -> None:
        if event.trouble is not None:
            say(f"gallery: {event.trouble} It is tried again.")
        elif not self._is_waiting:
            say("Waiting for pictures; Ctrl-C ends it.")
            self._is_waiting = True

    def _start(self, event: LabellingStarted) -> None:
        self._not_written += event.not_written
        self._begun = event.pictures + event.videos
        done = ((event.pictures_done, "picture"), (event.videos_done, "video"))
        for count, what in done:
            if count:
                say(f"{plural(count, what)} in {self._out} already.")
        if event.failed_before:
            say(f"{plural(event.failed_before, 'picture')} that could not be read tried again.")
        if event.changed:
            say(f"{plural(event.changed, 'picture')} whose file has changed labelled anew.")
        if event.pictures_done and self._is_asked_anew:
            say("What --write asks for is not written for them again; --rewrite does.")
        if event.left_out:
            say(f"{plural(event.left_out, 'picture')} in folders that outputs go to left out.")
        self._last = time.monotonic()
        self._show(self._what, event.pictures)

    def _show(self, what: str, total: int) -> None:
        """Show a bar in the place of the one before."""
        self._bars.close()
        self._advance = self._bars.enter_context(progress(what, total))

    def _tell_picture(self, record: Record) -> None:
        if record.error is not None:
            say(f"gallery: {record.error}")
        now = time.monotonic()
        self._counts.add(record, now - self._last)
        self._last = now
        self._advance()

    def _tell_part(self, record: VideoRecord) -> None:
        self._video.update(answer.verdict.value for answer in record.faces)
        self._video["left out"] += record.left_out
        for _ in range(self._shown, int(record.part.end)):
            self._advance()
        self._shown = max(self._shown, int(record.part.end))
        if isinstance(record.part, VideoEnd):
            self._bars.close()
            self._is_whole = self._is_whole and record.error is None
            _tell_end(record, record.part, self._video)


def _nowhere() -> None:
    """Advance no bar."""


def _tell_end(record: VideoRecord, end: VideoEnd, counts: Counter[str]) -> None:
    if record.error is not None:
        say(f"gallery: {record.error}")
    if record.width is None:
        return
    faces = counts["sure"] + counts["unsure"] + counts["unknown"]
    left_out = f"; {counts['left out']} too small or too poor" if counts["left out"] else ""
    say(
        f"{record.path}: {plural(end.shots, 'shot')}, {plural(faces, 'face')} followed: "
        f"{counts['sure']} sure, {counts['unsure']} unsure, {counts['unknown']} unknown{left_out}."
    )
