"""What `gallery label` and `gallery relabel` say while a job goes on, and at its end."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.cli.progress import Reporter
from gallery.cli.seen import ANEW, may_differ
from gallery.cli.show import plural, say
from gallery.cli.writing import complaints
from gallery.events import (
    Arrived,
    Event,
    Labelled,
    LabellingStarted,
    Noticed,
    PassedOver,
    Refused,
    VideoStarted,
    Waiting,
)
from gallery.output.summary import Summary
from gallery.types import Record, VideoEnd, VideoRecord

if TYPE_CHECKING:
    from gallery.jobs.worth import Gain


class LabelReporter(Reporter):
    """Says what comes of pictures and videos, and counts them."""

    def __init__(
        self,
        out: Path,
        *,
        is_asked_anew: bool,
        has_changed: bool = False,
        anew: str = ANEW,
    ) -> None:
        """Prepare for the events of a job; is_asked_anew says whether formats are asked for.

        Only those count that pictures done before are not written in. has_changed says whether
        answers of pictures done before may be others by now, and anew what writes those.
        """
        self._anew = anew
        self._has_changed = has_changed
        self.gain: Gain | None = None
        """What joint scoring would gain, where that was tried."""
        self._out = out
        self._is_asked_anew = is_asked_anew
        self._counts = Summary()
        self._video: Counter[str] = Counter()
        self._begun = 0
        self._not_written: list[str] = []
        self._is_whole = True
        self._is_waiting = False
        self._last = time.monotonic()

    def tell(self, event: Event[object]) -> None:
        """Say what an event is about."""
        match event:
            case LabellingStarted():
                self._start(event)
            case Arrived():
                self._begun += event.pictures
                self._last = time.monotonic()
            case Waiting():
                self._wait(event)
            case Refused():
                self._is_whole = False
                super().tell(event)
            case PassedOver() | Noticed():
                super().tell(event)
            case VideoStarted():
                self._video = Counter()
            case Labelled():
                self._not_written += event.not_written
                if isinstance(event.record, VideoRecord):
                    self._tell_part(event.record)
                else:
                    self._tell_picture(event.record)

    def stop(self) -> None:
        """Say how to go on, and what the job came to until then."""
        say(f"Stopped; {self._out} holds what was done. Run it again to go on.")
        self.finish()

    def finish(self) -> bool:
        """Say what the job came to, and return whether nothing went wrong."""
        lines = complaints(self._not_written)
        lines += self._counts.lines() if self._counts.pictures else []
        lines += [f"Records: {self._out}"] if self._begun else []
        if self.gain is not None and self.gain.pays:
            lines.append(
                "`gallery relabel` scores all seen faces jointly: of the gallery's own faces it is "
                f"surely right for {self.gain.jointly:.0%}, `label` for {self.gain.alone:.0%}."
            )
        for line in lines:
            say(line)
        return self._is_whole and not self._counts.failed and not self._not_written

    @property
    def has_unsure(self) -> bool:
        """Whether a picture has an unsure face, of which joint scoring may be sure."""
        return self._counts.unsure > 0

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
        if self._has_changed and (event.pictures_done or event.videos_done):
            say(may_differ("decided or calibrated since", self._anew))
        if event.failed_before:
            say(f"{plural(event.failed_before, 'picture')} that could not be read tried again.")
        if event.changed:
            say(f"{plural(event.changed, 'picture')} whose file has changed labelled anew.")
        if event.pictures_done and self._is_asked_anew:
            say("What --write asks for is not written for them again; --rewrite does.")
        if event.left_out:
            say(f"{plural(event.left_out, 'picture')} in folders that outputs go to left out.")
        self._last = time.monotonic()

    def _tell_picture(self, record: Record) -> None:
        if record.error is not None:
            say(f"gallery: {record.error}")
        now = time.monotonic()
        self._counts.add(record, now - self._last)
        self._last = now

    def _tell_part(self, record: VideoRecord) -> None:
        self._video.update(answer.verdict.value for answer in record.faces)
        self._video["left out"] += record.left_out
        if isinstance(record.part, VideoEnd):
            self._is_whole = self._is_whole and record.error is None
            _tell_end(record, record.part, self._video)


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
