"""What detectors share: heads from faces."""

from __future__ import annotations

from gallery.types import Box, Point


def head_around(centre: Point, side: float, *, head_scale: float, lift: float) -> Box:
    """Return the head's square around a face box.

    The head's side is head_scale times the face's; its centre stands lift face sides higher.
    """
    half = side * head_scale / 2
    middle = centre.y - lift * side
    return Box(centre.x - half, middle - half, centre.x + half, middle + half)
