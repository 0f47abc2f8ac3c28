"""The contract that gallery asks for."""

from __future__ import annotations

from gallery_thumbnail import Thumbnail

from gallery.testing import check_plugged_encoder


def test_it_keeps_what_gallery_asks_for() -> None:
    """One check is the whole of it."""
    check_plugged_encoder(Thumbnail)
