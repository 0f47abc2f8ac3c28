"""From the nearest characters to a verdict: a pure function of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.types import Match, Thresholds, Verdict


def decide(matches: Sequence[Match], thresholds: Thresholds) -> tuple[Verdict, str | None]:
    """Return the verdict on a face, and who it is: None when unknown.

    Matches come likeliest first. The first is believed when it is near and the second is clearly
    farther; it is doubted when it is only not far. Nobody near, or a reject class first, is
    unknown.
    """
    if not matches or matches[0].is_reject or matches[0].distance > thresholds.unknown:
        return Verdict.UNKNOWN, None
    first, rest = matches[0], matches[1:]
    stands_out = all(match.distance - first.distance >= thresholds.margin for match in rest)
    if first.distance <= thresholds.sure and stands_out:
        return Verdict.SURE, first.character
    return Verdict.UNSURE, first.character


def decide_by_score(
    matches: Sequence[Match], *, is_sure: bool, is_unknown: bool
) -> tuple[Verdict, str | None]:
    """Return the verdict of a calibrated gallery, and who a face is: None when unknown.

    Matches come likeliest first; what is said of the score is about the first of them.
    """
    if not matches or matches[0].is_reject or is_unknown:
        return Verdict.UNKNOWN, None
    return (Verdict.SURE if is_sure else Verdict.UNSURE), matches[0].character
