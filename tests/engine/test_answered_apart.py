"""Groups of faces are answered in few questions, and each gets its own answers back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from gallery.engine import joint
from gallery.store.sightings import Sighting
from gallery.types import Answer, DescribedFace

Group = Sequence[tuple[Sighting, DescribedFace]]


def group(*faces: str) -> Group:
    return cast(Group, [(f"seen {one}", f"face {one}") for one in faces])


def test_no_group_is_cut_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "AT_ONCE", 3)
    asked: list[list[object]] = []

    def scoring(seen: Sequence[Sighting], faces: Sequence[DescribedFace]) -> list[Answer]:
        assert [str(one)[5:] for one in seen] == [str(one)[5:] for one in faces]
        asked.append([*seen])
        return cast(list[Answer], [f"answer {str(one)[5:]}" for one in faces])

    groups = [group("a"), group(), group("b", "c", "d"), group(), group(), group(), group("e")]
    told = [[str(one)[7:] for one in said] for said in joint.answered_apart(scoring, groups)]
    assert told == [["a"], [], ["b", "c", "d"], [], [], [], ["e"]]
    # Pictures without a face are not waited for for ever.
    assert [len(one) for one in asked] == [4, 0, 1]
