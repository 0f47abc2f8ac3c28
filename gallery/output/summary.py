"""What a labelling job comes to, in a few lines."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from gallery.errors import UnusableFile, plural
from gallery.types import Record, Verdict

LONG = 60.0
"""Seconds from which on it is worth a line how long a job took."""


class Summary:
    """Counts records, and why some of them say nothing."""

    def __init__(self) -> None:
        self._pictures: Counter[str] = Counter()
        self._faces: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._left_out = 0
        self._seconds = 0.0

    @property
    def pictures(self) -> int:
        """How many pictures were counted."""
        return self._pictures.total()

    @property
    def unsure(self) -> int:
        """How many faces a person should check."""
        return self._faces[Verdict.UNSURE.value]

    @property
    def failed(self) -> int:
        """How many pictures could not be read."""
        return self._reasons.total()

    def add(self, record: Record, seconds: float = 0.0) -> None:
        """Count a record, and the time that it took more."""
        self._seconds += seconds
        self._pictures[kind(record)] += 1
        self._faces.update(one.verdict.value for one in record.faces if not one.is_set_aside)
        self._left_out += record.left_out
        if record.error is not None:
            # Two files fail for one reason where their sentences differ by the path alone.
            failure = record.failure
            reason = failure.complaint if isinstance(failure, UnusableFile) else record.error
            self._reasons[reason] += 1

    def lines(self) -> list[str]:
        """Return what to say at the end."""
        faces, pictures = self._faces, self._pictures
        lines = [
            f"{plural(pictures.total(), 'picture')} with {plural(faces.total(), 'face')}: "
            f"{faces['sure']} sure, {faces['unsure']} unsure, {faces['unknown']} unknown.",
            f"Pictures: {pictures['labelled']} labelled, {pictures['unsure']} unsure, "
            f"{pictures['unknown']} unknown, {pictures['no face']} without a face, "
            f"{pictures['failed']} could not be read.",
        ]
        if self._seconds >= LONG:
            rate = pictures.total() / self._seconds
            took = timedelta(seconds=round(self._seconds))
            lines.append(f"It took {took}: {rate:.1f} pictures a second.")
        if self._left_out:
            lines.append(f"{plural(self._left_out, 'face')} left out: too small or too poor.")
        if self.failed > 1:
            lines += [f"  {count} {reason}" for reason, count in self._reasons.most_common()]
        return lines


def kind(record: Record) -> str:
    """Return what a picture counts as: the best of its faces' verdicts says it.

    That is `labelled`, `unsure`, `unknown`, `no face` or `failed`.
    """
    if record.error is not None:
        return "failed"
    verdicts = {answer.verdict for answer in record.faces if not answer.is_set_aside}
    if Verdict.SURE in verdicts:
        return "labelled"
    best = next((one for one in (Verdict.UNSURE, Verdict.UNKNOWN) if one in verdicts), None)
    return "no face" if best is None else best.value
