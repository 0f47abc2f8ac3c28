"""What a calibration was worth is compared with what the one before was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gallery.cli.advice import told
from gallery.engine.figures import Figure, fallen

BEFORE = Figure(0.92, 0.01, 6, 48, 0)


@pytest.mark.parametrize(
    ("now", "fact", "cure"),
    [
        (
            replace(BEFORE, found=0.6, rejections=6),
            "60% of the gallery's own faces are surely named, 92% before (6 rejections "
            "more since then)",
            "`gallery undo` takes it back",
        ),
        (
            replace(BEFORE, found=0.06, characters=7, samples=52),
            "92% before (1 character more, 4 samples more since then)",
            "`gallery audit` shows",
        ),
        (
            replace(BEFORE, found=0.5, samples=40, characters=5),
            "(1 character less, 8 samples less since then)",
            "`gallery audit` shows",
        ),
        (
            replace(BEFORE, found=0.5, fpir=0.001),
            "(0.10% of strangers asked for instead of 1.00% since then)",
            "a larger --fpir",
        ),
        (replace(BEFORE, found=0.8), "are surely named, 92% before", "`gallery audit` shows"),
    ],
)
def test_a_fall_says_how_far_why_and_what_helps(now: Figure, fact: str, cure: str) -> None:
    fall = fallen(BEFORE, now)
    assert fall is not None
    assert fact in fall.fact
    assert cure in told(fall)


def test_less_than_a_tenth_is_no_fall() -> None:
    assert fallen(BEFORE, replace(BEFORE, found=0.83)) is None
    assert fallen(BEFORE, replace(BEFORE, found=0.95)) is None
    assert fallen(None, BEFORE) is None
    assert fallen(BEFORE, None) is None
