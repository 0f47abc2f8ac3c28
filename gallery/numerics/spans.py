"""Stretches of time: joined to one where they touch, and cut where somebody comes or goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """From a moment on and before another, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


def joined(spans: Iterable[Span], gap: float = 0.0) -> tuple[Span, ...]:
    """Return spans in order, none of which touches another or comes within a gap behind it."""
    found: list[Span] = []
    for one in sorted(spans):
        if found and one.start <= found[-1].end + gap:
            found[-1] = Span(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)


def scenes(lanes: Mapping[str, Sequence[Span]]) -> list[tuple[Span, tuple[str, ...]]]:
    """Return the spans in which the same names are there, in order, and those names, sorted.

    The spans of one name may not touch. What nobody fills is no scene.
    """
    changes = [
        (moment, name, step)
        for name, spans in lanes.items()
        for span in spans
        for moment, step in ((span.start, 1), (span.end, -1))
    ]
    found: list[tuple[Span, tuple[str, ...]]] = []
    there: set[str] = set()
    before = 0.0
    for moment, name, step in sorted(changes):
        if there and moment > before:
            found.append((Span(before, moment), tuple(sorted(there))))
        before = moment
        (there.add if step > 0 else there.discard)(name)
    return found
