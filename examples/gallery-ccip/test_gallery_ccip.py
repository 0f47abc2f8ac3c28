"""The contract that gallery asks for, with the network."""

from __future__ import annotations

import os

import pytest

from gallery.testing import check_plugged_encoder


@pytest.mark.skipif("CCIP" not in os.environ, reason="CCIP names no folder")
def test_it_keeps_what_gallery_asks_for() -> None:
    """One check is the whole of it."""
    from gallery_ccip import Ccip

    check_plugged_encoder(Ccip)
