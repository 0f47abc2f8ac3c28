"""kanosawa's anime_face_landmark_detection as the eyes of another detector's heads.

The network finds no faces, but 24 points in each. Its repository is a folder, which the variable
ANIME_LANDMARKS names; ANIME_HEADS names the detector that finds the heads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gallery import Box, Face, Image, Landmarks, Point, SetupError
from gallery.faces import catalog

VARIABLE, HEADS = "ANIME_LANDMARKS", "ANIME_HEADS"
WEIGHTS = "checkpoint_landmark_191109.pth.tar"
REPOSITORY = "https://github.com/kanosawa/anime_face_landmark_detection"

SIDE = 128
"""Pixels of a side of the face that the network takes."""
POINTS = 24
"""The network has one output more, for what is no point."""

HEAD_SCALE, LIFT = 1.55, 0.2
"""How a head with hair stands around the face from brow to chin, which the network takes."""

CHIN, NOSE, RIGHT_EYE, LEFT_EYE, UPPER_LIP, LOWER_LIP = 1, 9, 14, 19, 21, 23
"""Centres, as that project counts them; left and right are the character's."""


class LandmarkDetector:
    """Takes the heads of another detector, and finds the points of their faces."""

    def __init__(self) -> None:
        """Open both. Raises SetupError where the program or its weights are not here."""
        folder = Path(os.environ.get(VARIABLE, "anime_face_landmark_detection")).absolute()
        for needed in ("CFA.py", WEIGHTS):
            if not (folder / needed).is_file():
                raise SetupError(
                    f"{folder} lacks {needed}; get {REPOSITORY} and its checkpoint, and set "
                    f"{VARIABLE} to that folder."
                )
        heads = os.environ.get(HEADS, "heads")
        if heads == "kanosawa":
            raise SetupError(f"{HEADS} names what finds the heads; kanosawa finds none.")
        import torch

        sys.path.insert(0, str(folder))
        try:
            from CFA import CFA
        finally:
            sys.path.remove(str(folder))

        class Bare(CFA):  # type: ignore[misc] # a class of theirs
            """Without a checkpoint it would download the weights that training began with."""

            def load_weight_from_dict(self) -> None:
                """Leave the weights to be read from the checkpoint, wherever it was made."""

        self._torch = torch
        self._network = Bare(output_channel_num=POINTS + 1)
        read = torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True)
        self._network.load_state_dict(read["state_dict"])
        self._network.eval()
        self._heads = catalog.detector(heads)
        self.name = f"{self._heads.name}+kanosawa@191109"

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the other detector's heads with the points that this network finds."""
        return [
            [replace(face, landmarks=self._points(image, face.box)) for face in faces]
            for image, faces in zip(images, self._heads.detect(images), strict=True)
        ]

    def _points(self, image: Image, head: Box) -> Landmarks:
        side = max(head.width, head.height) / HEAD_SCALE
        left, top = head.centre.x - side / 2, head.centre.y + LIFT * side - side / 2
        found = self._found(_cut(image, left, top, side)) * (side / SIDE)

        def point(*numbers: int) -> Point:
            x, y = found[list(numbers)].mean(axis=0).tolist()
            return Point(left + x, top + y)

        # What stands to the left is the character's right.
        left_eye, right_eye = sorted((point(RIGHT_EYE), point(LEFT_EYE)))
        mouth = point(UPPER_LIP, LOWER_LIP)
        return Landmarks(left_eye, right_eye, point(NOSE), mouth, point(CHIN))

    def _found(self, face: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the points of a face of 128 x 128 pixels, BGR: shape (24, 2), x and y."""
        given = face.transpose(2, 0, 1)[None].astype(np.float32) / 255
        with self._torch.no_grad():
            # The last of its stages says it best.
            maps = self._network(self._torch.from_numpy(given))[-1].numpy()[0]
        found = np.empty((POINTS, 2))
        for number, one in enumerate(maps[:POINTS]):
            large = cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            y, x = divmod(int(large.argmax()), SIDE)
            found[number] = x + 0.5, y + 0.5
        return found


def _cut(image: Image, left: float, top: float, side: float) -> NDArray[np.uint8]:
    """Return a square of a picture as the network takes it; beyond the edge it repeats."""
    scale = SIDE / side
    matrix = np.array([[scale, 0.0, -scale * left], [0.0, scale, -scale * top]])
    pixels = np.ascontiguousarray(image.pixels[..., ::-1])
    cut = cv2.warpAffine(pixels, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)
