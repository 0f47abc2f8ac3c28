"""Records that a job writes, one after the other, and what came of them in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gallery.events import Labelled, LabelSummary
from gallery.types import Record, VideoEnd, VideoRecord

if TYPE_CHECKING:
    from gallery.output.outputs import Outputs


class WrittenRecords:
    """Writes the records of a job and counts them."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._counts: Counter[str] = Counter()

    def labelled(self, record: Record) -> Labelled:
        """Write a record, and return the event that tells of it."""
        self._outputs.write(record)
        event = Labelled(record, self._outputs.complaints())
        is_part = isinstance(record, VideoRecord)
        if not isinstance(record, VideoRecord) or isinstance(record.part, VideoEnd):
            self._counts["videos" if is_part else "pictures"] += 1
            self._counts["failed"] += record.error is not None
        self._counts["not written"] += len(event.not_written)
        return event

    def summary(self) -> LabelSummary:
        """Return what was counted."""
        names = ("pictures", "videos", "failed", "not written")
        return LabelSummary(*(self._counts[name] for name in names))
