"""Scenes to learn from: heads pasted onto anything, and real pictures moved and put together.

Of a pasted head box and eyes are known wherever it lands; of real pictures what two other
detectors agree on. Both come with what is drawn over them, and with what happens on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gallery.types import Pixels
from training.detector.backgrounds import SKIN, colour, pattern, skin_blobs
from training.detector.degrade import degraded
from training.detector.geometry import (
    Matrix,
    anchored,
    cut,
    joined,
    moved,
    moved_points,
    similarity,
    warped,
)
from training.detector.labels import FaceLabels, Heads, Picture, empty_heads
from training.detector.overlays import overlay

OVERLAY = 10_000
"""Stands for all that is drawn over a scene, in its map of what lies on top."""

BODY = 9_999
LEAST_LEFT = 0.3
"""Share of a head that must not be covered for it to be one."""

TRIES = 12
Drawing = Callable[[Pixels, np.random.Generator], None]
"""Draws over a picture in its place."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How scenes are made; rates are shares, 0 to 1."""

    pasted_rate: float = 0.5
    """Scenes of pasted heads; the others are real pictures."""
    mosaic_rate: float = 0.35
    """Real scenes that are put together from four pictures."""
    numbers: tuple[float, ...] = (10, 28, 16, 12, 8, 6, 4, 4, 3, 3, 2, 2, 2)
    """How often a scene has so many pasted heads, from none on."""
    smallest: float = 9.0
    largest: float = 400.0
    """Sides of heads in pixels; log-uniform between them."""
    overlay_rate: float = 0.35
    skin_rate: float = 0.12
    body_rate: float = 0.5
    level_views: float = 0.45
    """Real pictures that lean a little, by 5 degrees in the mean square, if at all..."""
    most_view_roll: float = 65.0
    """...while the others lean by up to so many degrees to either side."""
    level_heads: float = 0.4
    """The same of pasted heads, of which the level ones lean by 10 degrees in the mean square."""
    most_head_roll: float = 70.0


@dataclass(slots=True, eq=False)
class Material:
    """What scenes are made of."""

    faces: Pixels
    """RGB, shape (n, side, side, 3)."""
    labels: FaceLabels
    pictures: list[Picture]
    decoded: dict[int, Pixels] = field(default_factory=dict)
    """Pictures by their places in the list, kept once they are decoded."""

    @property
    def free(self) -> list[int]:
        """The places of pictures in which nobody sees a head."""
        return [place for place, picture in enumerate(self.pictures) if picture.is_free]

    @property
    def peopled(self) -> list[int]:
        """The places of pictures with heads that are believed."""
        return [place for place, picture in enumerate(self.pictures) if len(picture.heads)]

    @property
    def trusted(self) -> list[int]:
        """The places of pictures whose heads are all known."""
        return [place for place, picture in enumerate(self.pictures) if picture.is_trusted]

    def pixels(self, place: int) -> Pixels:
        """Return a picture, decoded."""
        if place not in self.decoded:
            self.decoded[place] = self.pictures[place].pixels()
        return self.decoded[place]


@dataclass(slots=True, eq=False)
class Scene:
    """A picture with its heads."""

    pixels: Pixels
    heads: Heads
    is_doubtful: bool = False
    """Whether it may show heads that nobody knows of, as real pictures do."""


class Painter:
    """Makes scenes; the same generator gives the same scene."""

    def __init__(self, material: Material, recipe: Recipe) -> None:
        self._material = material
        self._recipe = recipe
        self._free = material.free
        self._peopled = material.peopled
        self._trusted = material.trusted

    def scene(self, width: int, height: int, generator: np.random.Generator) -> Scene:
        """Return a scene of this size."""
        recipe = self._recipe
        if generator.random() < recipe.pasted_rate or not self._peopled:
            scene = self._pasted(width, height, generator)
        elif generator.random() < recipe.mosaic_rate:
            scene = self._mosaic(width, height, generator)
        else:
            scene = self._view(self._drawn_picture(generator), width, height, generator)
        if generator.random() < recipe.overlay_rate:
            scene = _overlaid(scene, generator)
        pixels, heads = degraded(scene.pixels, generator), cut(scene.heads, width, height)
        return Scene(pixels, heads, scene.is_doubtful)

    def _drawn_picture(self, generator: np.random.Generator) -> int:
        """Return the place of a picture, with heads as a rule."""
        places = self._free if self._free and generator.random() < 0.15 else self._peopled
        return int(generator.choice(places))

    def _view(self, place: int, width: int, height: int, generator: np.random.Generator) -> Scene:
        """Return a real picture scaled, turned, mirrored and shifted over a background."""
        import cv2

        picture, pixels = self._material.pictures[place], self._material.pixels(place)
        size = np.array(pixels.shape[1::-1], np.float64)
        fitting = min(width / size[0], height / size[1])
        if len(picture.heads) and generator.random() < 0.7:
            head = picture.heads.boxes[int(generator.integers(len(picture.heads)))]
            side = max(np.sqrt(np.prod(head[2:] - head[:2])), 4.0)
            scale = float(np.clip(self._side(width, height, generator) / side, 0.6 * fitting, 4.0))
            source = (head[:2] + head[2:]) / 2
            target = generator.uniform(0.1, 0.9, 2) * [width, height]
        else:
            scale = fitting * float(np.exp(generator.uniform(np.log(0.7), np.log(2.0))))
            source, target = size / 2, np.array([width, height]) * generator.uniform(0.3, 0.7, 2)
        recipe = self._recipe
        roll = _roll(recipe.level_views, 5.0, recipe.most_view_roll, generator)
        linear = similarity(scale, roll, mirrored=bool(generator.random() < 0.5))
        matrix = anchored(linear, source, target)
        ground = pattern(width, height, generator)
        layer = warped(pixels, matrix, width, height, cv2.BORDER_REPLICATE)
        mask = warped(np.full_like(pixels, 255), matrix, width, height, cv2.BORDER_CONSTANT)
        mixed = np.where(mask > 127, layer, ground)
        return Scene(mixed, moved(picture.heads, matrix), not picture.is_trusted)

    def _mosaic(self, width: int, height: int, generator: np.random.Generator) -> Scene:
        """Return four real pictures side by side."""
        share = generator.uniform(0.3, 0.7, 2)
        middle = (round(width * float(share[0])), round(height * float(share[1])))
        canvas, parts, doubtful = np.zeros((height, width, 3), np.uint8), [], False
        for left, right in ((0, middle[0]), (middle[0], width)):
            for top, bottom in ((0, middle[1]), (middle[1], height)):
                size = (right - left, bottom - top)
                view = self._view(self._drawn_picture(generator), *size, generator)
                canvas[top:bottom, left:right] = view.pixels
                shift = np.array([[1.0, 0.0, left], [0.0, 1.0, top]])
                parts.append(moved(cut(view.heads, *size), shift))
                doubtful |= view.is_doubtful
        return Scene(canvas, joined(parts), doubtful)

    def _side(self, width: int, height: int, generator: np.random.Generator) -> float:
        """Return a head's side in pixels."""
        most = min(self._recipe.largest, 0.95 * min(width, height))
        return float(np.exp(generator.uniform(np.log(self._recipe.smallest), np.log(most))))

    def _pasted(self, width: int, height: int, generator: np.random.Generator) -> Scene:
        """Return heads of the shared faces on a background."""
        recipe = self._recipe
        ground = self._ground(width, height, generator)
        if generator.random() < recipe.skin_rate:
            ground = _drawn_over(ground, skin_blobs, generator)
        count = int(generator.choice(len(recipe.numbers), p=_shares(recipe.numbers)))
        stack = Stack(ground)
        usual = self._side(width, height, generator)
        for _ in range(count):
            own = usual * np.exp(0.4 * generator.normal())
            side = own if generator.random() < 0.7 else self._side(width, height, generator)
            crowded = 1.3 * min(width, height) / np.sqrt(count)
            side = float(np.clip(side, recipe.smallest, min(crowded, 0.95 * min(width, height))))
            self._paste(stack, side, generator)
        return stack.scene()

    def _ground(self, width: int, height: int, generator: np.random.Generator) -> Scene:
        """Return what heads are pasted on, with heads of its own now and then."""
        kind = generator.random()
        if kind < 0.15 and self._free:
            return self._view(int(generator.choice(self._free)), width, height, generator)
        if kind < 0.55 and self._peopled:
            trusted = self._trusted if generator.random() < 0.6 else []
            place = int(generator.choice(trusted or self._peopled))
            pixels = self._headless(place, width, height, generator)
            if pixels is not None:
                doubtful = not self._material.pictures[place].is_trusted
                return Scene(pixels, empty_heads(), doubtful)
        if kind < 0.7 and self._peopled:
            return self._view(int(generator.choice(self._peopled)), width, height, generator)
        return Scene(pattern(width, height, generator), empty_heads())

    def _headless(
        self, place: int, width: int, height: int, generator: np.random.Generator
    ) -> Pixels | None:
        """Return a part of a picture where nobody sees a head, scaled; None where none is found."""
        import cv2

        picture, pixels = self._material.pictures[place], self._material.pixels(place)
        claims = np.vstack([picture.heads.boxes, picture.heads.ignored])
        high, wide = pixels.shape[:2]
        for _ in range(TRIES):
            share = generator.uniform(0.25, 0.8)
            scale = share * min(wide / width, high / height)
            size = np.maximum(np.array([width, height]) * scale, 8)
            low = generator.uniform(0, 1, 2) * ([wide, high] - np.minimum(size, [wide, high]))
            apart = (claims[:, :2] > low + size).any(axis=1) | (claims[:, 2:] < low).any(axis=1)
            if apart.all():
                left, top = (int(at) for at in low)
                part = pixels[top : top + int(size[1]), left : left + int(size[0])]
                return np.asarray(cv2.resize(part, (width, height)), np.uint8)
        return None

    def _paste(self, stack: Stack, side: float, generator: np.random.Generator) -> None:
        """Put one of the shared faces onto a scene."""
        labels = self._material.labels
        chosen = int(generator.integers(len(labels.index)))
        crop = np.asarray(self._material.faces[labels.index[chosen]])
        box = labels.boxes[chosen]
        scale = side / float(np.sqrt(np.prod(box[2:] - box[:2])))
        recipe = self._recipe
        roll = _roll(recipe.level_heads, 10.0, recipe.most_head_roll, generator)
        linear = similarity(scale, roll, mirrored=bool(generator.random() < 0.5))
        middle = (box[:2] + box[2:]) / 2
        tries = 1 if generator.random() < 0.25 else TRIES
        places = generator.uniform(0.0, 1.0, (tries, 2)) * [stack.width, stack.height]
        target = places[int(np.argmin([stack.crowd(place, side) for place in places]))]
        matrix = anchored(linear, middle, target)
        known = labels.eyes[chosen]
        head = Heads(
            box[None],
            known[None],
            np.where(np.isnan(known[None, :, 0]), np.nan, 1.0),
            np.zeros((0, 4)),
        )
        mask = cut_out(crop.shape[0], box, generator)
        if generator.random() < recipe.body_rate:
            stack.body(_torso(box, generator), matrix, generator)
        stack.put(crop, mask, matrix, head)


class Stack:
    """A scene with a map of what lies on top at every pixel."""

    def __init__(self, ground: Scene) -> None:
        self._pixels = np.array(ground.pixels)
        self._heads = [ground.heads]
        self._is_doubtful = ground.is_doubtful
        self.height, self.width = self._pixels.shape[:2]
        self._top = np.zeros((self.height, self.width), np.int32)
        self._areas: list[NDArray[np.float64]] = []
        self._note(0, ground.heads)

    def _note(self, layer: int, heads: Heads) -> None:
        """Count how much of new heads is seen before anything comes over them."""
        self._areas.append(_seen_area(self._top, layer, heads))

    def crowd(self, place: NDArray[np.float64], side: float) -> float:
        """Return how much of a head at a place would cover others or lie outside, in pixels."""
        total = 0.0
        low, high = place - side / 2, place + side / 2
        inside = np.minimum(high, [self.width, self.height]) - np.maximum(low, 0)
        outside = side**2 - np.prod(np.clip(inside, 0, None))
        for heads in self._heads:
            shared = np.minimum(heads.boxes[:, 2:], high) - np.maximum(heads.boxes[:, :2], low)
            total += float(np.prod(np.clip(shared, 0, None), axis=1).sum())
        return total + 0.5 * float(outside)

    def body(
        self, outline: NDArray[np.float64], matrix: Matrix, generator: np.random.Generator
    ) -> None:
        """Draw a neck and shoulders, so that a pasted head rests on something."""
        import cv2

        neck, shoulders = (moved_points(part, matrix) for part in outline)
        paints = (np.clip(SKIN * generator.uniform(0.7, 1.0), 0, 255), colour(generator))
        for points, paint in ((shoulders, paints[1]), (neck, paints[0])):
            corners = [np.rint(points).astype(np.int32)]
            cv2.fillPoly(
                self._pixels, corners, tuple(int(value) for value in paint), lineType=cv2.LINE_AA
            )
            cv2.polylines(self._pixels, corners, True, (40, 30, 30), 1, cv2.LINE_AA)
            cv2.fillPoly(self._top, corners, BODY)

    def put(self, crop: Pixels, mask: Pixels, matrix: Matrix, head: Heads) -> None:
        """Lay a crop over the scene through its mask, shape (side, side)."""
        import cv2

        layered = np.dstack([crop, mask])
        here = moved(head, matrix)
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * crop.shape[0]
        places = moved_points(corners, matrix)
        low = np.clip(np.floor(places.min(axis=0)).astype(int), 0, [self.width, self.height])
        high = np.clip(np.ceil(places.max(axis=0)).astype(int), 0, [self.width, self.height])
        if (high <= low).any():
            return
        inside = matrix.copy()
        inside[:, 2] -= low
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        layer = warped(layered, inside, *size, cv2.BORDER_CONSTANT)
        opaque = layer[:, :, 3:].astype(np.float32) / 255
        window = (slice(low[1], high[1]), slice(low[0], high[0]))
        mixed = layer[:, :, :3] * opaque + self._pixels[window] * (1 - opaque)
        self._pixels[window] = np.rint(mixed).astype(np.uint8)
        number = len(self._heads)
        self._top[window][opaque[:, :, 0] > 0.5] = number
        self._heads.append(here)
        self._note(number, here)

    def cover(self, changed: NDArray[np.bool_]) -> None:
        """Note that something was drawn over these pixels, shape (height, width)."""
        self._top[changed] = OVERLAY

    def scene(self) -> Scene:
        """Return the scene, with covered eyes and without covered heads."""
        parts = [
            _uncovered(self._top, layer, heads, area)
            for layer, (heads, area) in enumerate(zip(self._heads, self._areas, strict=True))
        ]
        return Scene(self._pixels, joined(parts), self._is_doubtful)


def _seen_area(top: NDArray[np.int32], layer: int, heads: Heads) -> NDArray[np.float64]:
    """Return how many pixels of each head's box show a layer, shape (n,)."""
    height, width = top.shape
    limits = [width, height, width, height]
    boxes = np.rint(np.clip(np.nan_to_num(heads.boxes), 0, limits)).astype(int)
    counts = [np.count_nonzero(top[box[1] : box[3], box[0] : box[2]] == layer) for box in boxes]
    return np.array(counts, np.float64).reshape(-1)


def _uncovered(
    top: NDArray[np.int32], layer: int, heads: Heads, before: NDArray[np.float64]
) -> Heads:
    """Return heads with covered eyes marked; a head that is mostly covered becomes unknown."""
    height, width = top.shape
    left = _seen_area(top, layer, heads) / np.maximum(before, 1)
    good = (left >= LEAST_LEFT) | (before == 0)
    seen = heads.seen.copy()
    for head, eye in np.argwhere(heads.seen == 1):
        x, y = (int(at) for at in np.floor(heads.eyes[head, eye]))
        if 0 <= x < width and 0 <= y < height and top[y, x] != layer:
            seen[head, eye] = 0.0
    return Heads(
        heads.boxes[good],
        heads.eyes[good],
        seen[good],
        np.vstack([heads.ignored, heads.boxes[~good]]),
    )


def _overlaid(scene: Scene, generator: np.random.Generator) -> Scene:
    """Draw letters, signs and bubbles over a scene."""
    return _drawn_over(scene, overlay, generator)


def _drawn_over(scene: Scene, draw: Drawing, generator: np.random.Generator) -> Scene:
    """Draw over a scene, and mark what is covered by it."""
    stack = Stack(scene)
    before = np.array(scene.pixels)
    drawn = np.array(scene.pixels)
    draw(drawn, generator)
    stack.cover((drawn != before).any(axis=2))
    return Scene(drawn, stack.scene().heads, scene.is_doubtful)


def _roll(level: float, spread: float, most: float, generator: np.random.Generator) -> float:
    """Return a roll in degrees: for a share `level` about 0, else anything up to `most`."""
    if generator.random() < level:
        return float(spread * generator.normal())
    return float(generator.uniform(-most, most))


def _shares(numbers: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array(numbers) / sum(numbers)


def cut_out(side: int, box: NDArray[np.float64], generator: np.random.Generator) -> Pixels:
    """Return a mask, shape (side, side), 0 to 255, of what is pasted of a face crop.

    The whole square with hard or soft edges, or an uneven round shape around the head's box.
    """
    import cv2

    mask = np.zeros((side, side), np.uint8)
    kind = generator.random()
    if kind < 0.3:
        mask[:] = 255
        return mask
    if kind < 0.45:
        edge = int(generator.integers(4, side // 8))
        mask[edge:-edge, edge:-edge] = 255
        return np.asarray(cv2.blur(mask, (2 * edge - 1, 2 * edge - 1)), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.full(48, generator.uniform(1.0, 1.2))
    for waves in (2, 3, 5, 8):
        phase = generator.uniform(0, 2 * np.pi)
        radius += 0.12 / waves * generator.normal() * np.cos(waves * angles + phase)
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    # Between an ellipse and a rounded square: hair fills the corners above.
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    circle = np.sign(circle) * np.abs(circle) ** 0.8
    points = middle + circle * half * radius[:, None]
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 255, lineType=cv2.LINE_AA)
    if generator.random() < 0.6:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(generator.uniform(1, 5))), np.uint8)
    return mask


def _torso(box: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the outlines of a neck and of shoulders below a head, shape (2, 4, 2)."""
    wide, high = box[2:] - box[:2]
    middle, chin = (box[0] + box[2]) / 2, box[3] - 0.12 * high
    neck, shoulder = wide * generator.uniform(0.12, 0.2), wide * generator.uniform(0.4, 0.9)
    down, deep = high * generator.uniform(0.15, 0.3), high * generator.uniform(0.8, 2.5)
    parts = [
        [(-neck, 0.0), (neck, 0.0), (neck * 1.3, down * 1.4), (-neck * 1.3, down * 1.4)],
        [(-neck, down), (neck, down), (shoulder, down + deep), (-shoulder, down + deep)],
    ]
    return np.array(parts) + np.array([middle, chin])
