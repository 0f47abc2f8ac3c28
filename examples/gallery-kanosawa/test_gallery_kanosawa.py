"""The contract that gallery asks for, with the program and its weights."""

from __future__ import annotations

import os

import pytest
from gallery_kanosawa import VARIABLE, LandmarkDetector

from gallery.testing import check_detector


@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no program")
def test_it_keeps_what_gallery_asks_for() -> None:
    """One check is the whole of it."""
    check_detector(LandmarkDetector())
