"""Stretches of time: joined, and cut where somebody comes or goes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.numerics.spans import Span, joined, scenes

SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda one: Span(one[0], sum(one)))
)


def moments(spans: object) -> set[int]:
    return {
        second
        for one in spans  # type: ignore[attr-defined]
        for second in range(int(one.start), int(one.end))
    }


@given(SPANS)
def test_joined_spans_cover_the_same_time_and_do_not_touch(spans: list[Span]) -> None:
    found = joined(spans)
    assert moments(found) == moments(spans)
    assert all(one.end < other.start for one, other in itertools.pairwise(found))


def test_a_gap_is_closed_up_to_its_length() -> None:
    spans = [Span(4, 5), Span(0, 1), Span(2, 3)]
    assert joined(spans, 1) == (Span(0, 5),)
    assert joined(spans, 0.9) == (Span(0, 1), Span(2, 3), Span(4, 5))


@given(st.dictionaries(st.sampled_from("abc"), SPANS))
def test_scenes_say_at_every_moment_who_is_there(lanes: dict[str, list[Span]]) -> None:
    lanes = {name: list(joined(spans)) for name, spans in lanes.items()}
    found = scenes(lanes)
    assert [one for one, _ in found] == sorted(one for one, _ in found)
    there: dict[int, tuple[str, ...]] = {}
    for span, names in found:
        for second in range(int(span.start), int(span.end)):
            assert second not in there
            there[second] = names
    for second in range(80):
        who = tuple(sorted(name for name, spans in lanes.items() if second in moments(spans)))
        assert there.get(second, ()) == who


def test_nobody_is_no_scene() -> None:
    assert scenes({}) == []
    assert scenes({"a": [Span(1, 2), Span(5, 6)]}) == [
        (Span(1, 2), ("a",)),
        (Span(5, 6), ("a",)),
    ]
    assert Span(1, 3.5).seconds == pytest.approx(2.5)
