"""From distances to a verdict."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.identify.judging import decide
from gallery.types import Match, Thresholds, Verdict

THRESHOLDS = Thresholds(sure=0.5, unknown=0.75, margin=0.125)

distances = st.floats(0, 2)
matches = st.lists(
    st.builds(Match, st.sampled_from(["a", "b", "c"]), distances, st.booleans()), max_size=5
)


@pytest.mark.parametrize(
    ("apart", "verdict"),
    [
        ([], Verdict.UNKNOWN),
        ([0.0], Verdict.SURE),
        ([0.5], Verdict.SURE),
        ([math.nextafter(0.5, 1)], Verdict.UNSURE),
        ([0.75], Verdict.UNSURE),
        ([math.nextafter(0.75, 1)], Verdict.UNKNOWN),
        ([0.5, 0.625], Verdict.SURE),
        ([0.5, math.nextafter(0.625, 0)], Verdict.UNSURE),
        ([0.25, 0.25], Verdict.UNSURE),
        ([0.5, 0.625, 0.625], Verdict.SURE),
        # By votes the first need not be the nearest.
        ([0.5, 0.25], Verdict.UNSURE),
        ([0.5, 0.625, 0.25], Verdict.UNSURE),
    ],
)
def test_verdicts_divide_at_the_thresholds(apart: list[float], verdict: Verdict) -> None:
    given_matches = [Match(f"character {row}", distance) for row, distance in enumerate(apart)]
    found, character = decide(given_matches, THRESHOLDS)
    assert found is verdict
    assert character == (None if verdict is Verdict.UNKNOWN else "character 0")


def test_a_reject_class_is_unknown_when_it_is_nearest_and_a_rival_else() -> None:
    noise, rei = Match("Noise", 0.1, is_reject=True), Match("Rei", 0.4)
    assert decide([noise, rei], THRESHOLDS) == (Verdict.UNKNOWN, None)
    rival = Match("Noise", 0.45, is_reject=True)
    assert decide([rei, rival], THRESHOLDS) == (Verdict.UNSURE, "Rei")
    far = Match("Noise", 0.7, is_reject=True)
    assert decide([rei, far], THRESHOLDS) == (Verdict.SURE, "Rei")


@given(matches=matches, sure=distances, unknown=distances, margin=st.floats(0, 1))
def test_a_name_is_given_exactly_when_it_is_known(
    matches: list[Match], sure: float, unknown: float, margin: float
) -> None:
    verdict, character = decide(matches, Thresholds(sure, unknown, margin))
    if verdict is Verdict.UNKNOWN:
        assert character is None
    else:
        assert character == matches[0].character
        assert not matches[0].is_reject
        assert matches[0].distance <= unknown
    if verdict is Verdict.SURE:
        assert matches[0].distance <= sure


@given(matches=matches, stricter=st.floats(0, 1))
def test_a_larger_margin_makes_nothing_surer(matches: list[Match], stricter: float) -> None:
    first, _ = decide(matches, THRESHOLDS)
    second, _ = decide(matches, Thresholds(0.5, 0.75, THRESHOLDS.margin + stricter))
    if second is Verdict.SURE:
        assert first is Verdict.SURE
    assert (first is Verdict.UNKNOWN) == (second is Verdict.UNKNOWN)
