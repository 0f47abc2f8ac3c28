"""Views of heads to learn from, as they come in use: badly centred, small, turned, degraded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.faces.detectors.landmarks import AROUND, SIDE, Frame, matrix_of, view
from gallery.types import Pixels, Point
from training.detector.backgrounds import SKIN
from training.detector.degrade import degraded

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How views are made; rates are shares, 0 to 1."""

    smallest: float = 14.0
    largest: float = 150.0
    """Sides of heads in pixels of their picture; log-uniform between them."""
    shift: float = 0.05
    """Spread of the box's centre, in sides."""
    stretch: float = 0.08
    """Spread of the logarithm of its side."""
    roll: float = 9.0
    """Spread in degrees of what the first eyes leave of a head's roll..."""
    far_roll: float = 75.0
    far_roll_rate: float = 0.15
    """...and how far, and how often, they are altogether wrong."""
    degraded_rate: float = 0.8
    cover_rate: float = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A view of a head and what is to be said of it."""

    pixels: Pixels
    """Shape (SIDE, SIDE, 3)."""
    eyes: Numbers
    """Shape (2, 2): the beholder's left and right eye, x and y in pixels of the view."""
    seen: Numbers
    """Shape (2,): 0 for a covered eye, else 1."""


def small(pixels: Pixels, places: Numbers, ratio: float) -> tuple[Pixels, Numbers]:
    """Return a patch and places in it, shape (..., 2), made smaller by a ratio of at most 1."""
    import cv2

    if ratio >= 1:
        return pixels, places
    size = max(round(pixels.shape[0] * ratio), 8)
    smaller = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, np.uint8), places * (size / pixels.shape[0])


def mirrored(pixels: Pixels, box: Numbers, eyes: Numbers) -> tuple[Pixels, Numbers, Numbers]:
    """Return a patch, a box (4,) and eyes (2, 2) as a mirror shows them; the eyes change places."""
    width = pixels.shape[1]
    other = np.array([width - box[2], box[1], width - box[0], box[3]])
    swapped = eyes[::-1] * [-1.0, 1.0] + [width, 0.0]
    return np.ascontiguousarray(pixels[:, ::-1]), other, swapped


def roll_of(eyes: Numbers) -> float:
    """Return how far eyes (2, 2) are from level, in degrees, clockwise above 0."""
    across, down = eyes[1] - eyes[0]
    return float(np.degrees(np.arctan2(down, across)))


def frame_around(box: Numbers, roll: float) -> Frame:
    """Return the frame of a box (4,) at a roll."""
    centre = (box[:2] + box[2:]) / 2
    return Frame(Point(*centre.tolist()), AROUND * float((box[2:] - box[:2]).max()), roll)


def framed(pixels: Pixels, box: Numbers, eyes: Numbers, roll: float) -> tuple[Pixels, Numbers]:
    """Return the view of a box (4,) at a roll, and the eyes (2, 2) in it."""
    frame = frame_around(box, roll)
    matrix = matrix_of(frame)
    return view(pixels, frame), eyes @ matrix[:, :2].T + matrix[:, 2]


def changed(
    pixels: Pixels,
    box: Numbers,
    eyes: Numbers,
    *,
    native: float,
    recipe: Recipe,
    generator: np.random.Generator,
) -> View:
    """Return a view of a head with all that may happen to it; native is as in `Material`."""
    if generator.random() < 0.5:
        pixels, box, eyes = mirrored(pixels, box, eyes)
    side = float((box[2:] - box[:2]).max())
    low, high = np.log(recipe.smallest), np.log(recipe.largest)
    wanted = float(np.exp(generator.uniform(low, high)))
    ratio = min(wanted / side, native, 1.0)
    pixels, places = small(pixels, np.vstack([box.reshape(2, 2), eyes]), ratio)
    box, eyes = places[:2].reshape(4), places[2:]
    if generator.random() < recipe.degraded_rate:
        pixels = degraded(pixels, generator)
    seen = np.ones(2)
    if generator.random() < recipe.cover_rate:
        pixels, seen = covered(pixels, box, eyes, generator)
    side = float((box[2:] - box[:2]).max())
    shift = np.clip(generator.normal(0, recipe.shift, 2), -0.15, 0.15) * side
    longer = float(np.exp(np.clip(generator.normal(0, recipe.stretch), -0.25, 0.25)))
    centre = (box[:2] + box[2:]) / 2 + shift
    half = (box[2:] - box[:2]) / 2 * longer
    if generator.random() < recipe.far_roll_rate:
        left = generator.uniform(-recipe.far_roll, recipe.far_roll)
    else:
        left = generator.normal(0, recipe.roll)
    where = np.concatenate([centre - half, centre + half])
    seen_pixels, at = framed(pixels, where, eyes, roll_of(eyes) + float(left))
    seen = seen * ((at > 0) & (at < SIDE)).all(axis=1)
    return View(seen_pixels, at, seen)


def covered(
    pixels: Pixels, box: Numbers, eyes: Numbers, generator: np.random.Generator
) -> tuple[Pixels, Numbers]:
    """Paint something over a part of a head; return it and whether each eye is still seen."""
    import cv2

    sides = box[2:] - box[:2]
    centre = box[:2] + generator.uniform(0.1, 0.9, 2) * sides
    half = generator.uniform(0.06, 0.28, 2) * sides
    turn = float(generator.uniform(0, 180))
    mask = np.zeros(pixels.shape[:2], np.uint8)
    corners = cv2.boxPoints(((centre[0], centre[1]), (half[0] * 2, half[1] * 2), turn))
    if generator.random() < 0.5:
        cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    else:
        axes = (max(int(half[0]), 1), max(int(half[1]), 1))
        middle = (int(centre[0]), int(centre[1]))
        cv2.ellipse(mask, middle, axes, turn, 0, 360, 1, -1)
    painted = pixels.copy()
    kind = generator.random()
    if kind < 0.4:
        # Another part of the same picture, as hair and hands are.
        painted[mask > 0] = np.roll(pixels, tuple(generator.integers(8, 60, 2)), (0, 1))[mask > 0]
    elif kind < 0.7:
        tone = np.clip(SKIN * generator.uniform(0.6, 1.03) + generator.normal(0, 6, 3), 0, 255)
        painted[mask > 0] = tone.astype(np.uint8)
    else:
        painted[mask > 0] = generator.integers(0, 256, 3).astype(np.uint8)
    at = np.clip(eyes.astype(int), 0, np.array(mask.shape)[::-1] - 1)
    return painted, np.where(mask[at[:, 1], at[:, 0]] > 0, 0.0, 1.0)
