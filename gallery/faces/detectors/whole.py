"""No detection: the picture is the face, as in folders of ready face crops."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.types import Box, Face, Image


class WholePicture:
    """Takes every picture for one head without known landmarks."""

    name = "whole"

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return one face for every picture, as large as the picture."""
        return [
            [Face(Box(0.0, 0.0, float(image.width), float(image.height)), 1.0)] for image in images
        ]
