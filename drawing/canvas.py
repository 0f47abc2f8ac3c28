"""A supersampled canvas and a brush that draws on it through a rig."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from drawing.colour import Colour
from drawing.curves import Points, Spot, ribbon, spots, taper

# A mask has the size of its canvas, 255 inside and 0 outside.
Mask = Image.Image


@dataclass(frozen=True)
class Rig:
    """Places points of a head's own space in a picture.

    The head's space has its origin between the eyes, x to the right, y down, and half a face
    width as its unit.  A turned head moves points sideways by their depth, which the rig takes
    from a rounded face surface unless a flat depth is set.
    """

    x: float
    y: float
    scale: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    mirrored: bool = False
    depth: float | None = None

    def at(self, depth: float) -> Rig:
        """Return the same rig for flat things at one depth (1 at the nose, -1 at the back)."""
        return replace(self, depth=depth)

    def place(self, points: Points) -> Points:
        """Return where points of the head's space lie in the picture."""
        across, down = points[:, 0], points[:, 1]
        if self.depth is None:
            above = np.minimum(down + 0.35, 0.0) / 1.22
            bulge = np.clip(1 - (across / 1.3) ** 2 - above**2, 0.0, 1.0)
            depth = np.sqrt(bulge) * np.where(down > 0.5, 1.06 - 0.12 * down, 1.0)
        else:
            depth = np.full(len(points), self.depth)
        yaw, pitch, roll = np.radians([self.yaw, self.pitch, self.roll])
        x = across * np.cos(yaw) + depth * np.sin(yaw)
        y = down * np.cos(pitch) - depth * np.sin(pitch)
        turned_x = x * np.cos(roll) - y * np.sin(roll)
        turned_y = x * np.sin(roll) + y * np.cos(roll)
        if self.mirrored:
            turned_x = -turned_x
        return np.column_stack([self.x + self.scale * turned_x, self.y + self.scale * turned_y])

    def spot(self, x: float, y: float) -> Spot:
        """Return where one point of the head's space lies in the picture."""
        placed = self.place(spots([(x, y)]))[0]
        return float(placed[0]), float(placed[1])


class Canvas:
    """A transparent drawing surface for one area of a picture, drawn large and shrunk at last."""

    def __init__(self, area: tuple[int, int, int, int], supersample: int = 3) -> None:
        self.area = area
        self.supersample = supersample
        left, top, right, bottom = area
        self.size = ((right - left) * supersample, (bottom - top) * supersample)
        self.image = Image.new("RGBA", self.size, (0, 0, 0, 0))
        self.pencil = ImageDraw.Draw(self.image)

    def to_surface(self, points: Points) -> list[Spot]:
        """Return picture points as points of the enlarged surface."""
        shifted = (points - np.array(self.area[:2])) * self.supersample
        return [(float(x), float(y)) for x, y in shifted]

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill a polygon with one opaque colour."""
        self.pencil.polygon(self.to_surface(points), fill=(*colour, 255))

    def mask(self, points: Points) -> Mask:
        """Return the inside of a polygon as a mask."""
        mask = Image.new("L", self.size, 0)
        ImageDraw.Draw(mask).polygon(self.to_surface(points), fill=255)
        return mask

    def blend(
        self,
        points: Points,
        colours: tuple[Colour, Colour],
        opacity: float = 1.0,
        blur: float = 0.0,
        clip: Mask | None = None,
    ) -> None:
        """Blend a polygon over the drawing, from a top colour to a bottom colour.

        The blur is in picture pixels; a clip mask keeps the colour inside it.
        """
        surface = self.to_surface(points)
        xs, ys = [p[0] for p in surface], [p[1] for p in surface]
        pad = int(blur * self.supersample * 3) + 2
        left, top = max(0, int(min(xs)) - pad), max(0, int(min(ys)) - pad)
        right = min(self.size[0], int(max(xs)) + pad + 1)
        bottom = min(self.size[1], int(max(ys)) + pad + 1)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top), 0)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in surface], fill=255)
        if blur > 0:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self.supersample))
        if clip is not None:
            mask = ImageChops.multiply(mask, clip.crop((left, top, right, bottom)))
        if opacity < 1:
            mask = mask.point([round(value * opacity) for value in range(256)])
        paint = ramp((right - left, bottom - top), colours, (min(ys) - top, max(ys) - top))
        paint.putalpha(mask)
        self.image.alpha_composite(paint, (left, top))

    def finished(self) -> Image.Image:
        """Return the drawing at the size of its area."""
        left, top, right, bottom = self.area
        return self.image.resize((right - left, bottom - top), Image.Resampling.LANCZOS)


def ramp(
    size: tuple[int, int], colours: tuple[Colour, Colour], span: tuple[float, float]
) -> Image.Image:
    """Return an RGBA picture that runs from one colour down to another between two rows."""
    if colours[0] == colours[1]:
        return Image.new("RGBA", size, (*colours[0], 255))
    rows = np.clip((np.arange(size[1]) - span[0]) / max(span[1] - span[0], 1.0), 0, 1)[:, None]
    column = np.array(colours[0]) * (1 - rows) + np.array(colours[1]) * rows
    strip = Image.fromarray(np.round(column).astype(np.uint8)[:, None, :])
    return strip.resize(size, Image.Resampling.NEAREST).convert("RGBA")


@dataclass(frozen=True)
class Brush:
    """Draws shapes of a head's space on a canvas; widths and blurs are in the head's units."""

    canvas: Canvas
    rig: Rig

    def at(self, depth: float) -> Brush:
        """Return a brush for flat things at one depth."""
        return Brush(self.canvas, self.rig.at(depth))

    def mask(self, points: Points) -> Mask:
        """Return the inside of a shape as a mask of the canvas."""
        return self.canvas.mask(self.rig.place(points))

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill a shape with one colour."""
        self.canvas.fill(self.rig.place(points), colour)

    def tint(
        self,
        points: Points,
        colour: Colour,
        opacity: float = 1.0,
        blur: float = 0.0,
        clip: Mask | None = None,
    ) -> None:
        """Lay a colour over a shape, soft at its edge and kept inside a clip mask if given."""
        self.canvas.blend(
            self.rig.place(points), (colour, colour), opacity, blur * self.rig.scale, clip
        )

    def ramp(self, points: Points, top: Colour, bottom: Colour, clip: Mask | None = None) -> None:
        """Fill a shape with a gradient from its top to its bottom."""
        self.canvas.blend(self.rig.place(points), (top, bottom), clip=clip)

    def line(
        self,
        points: Points,
        width: float,
        colour: Colour,
        start: float = 0.15,
        end: float = 0.15,
    ) -> None:
        """Draw a tapered stroke along a curve."""
        self.canvas.fill(self._band(points, width, start, end), colour)

    def soft_line(
        self, points: Points, width: float, colour: Colour, opacity: float, clip: Mask | None
    ) -> None:
        """Draw a tapered stroke that lets what lies below show through."""
        self.canvas.blend(self._band(points, width, 0.0, 0.0), (colour, colour), opacity, 0, clip)

    def outline(self, points: Points, width: float, colour: Colour) -> None:
        """Draw an even line around a closed shape."""
        placed = self.rig.place(points)
        surface = self.canvas.to_surface(np.vstack([placed, placed[:2]]))
        pixels = max(width * self.rig.scale, 0.9) * self.canvas.supersample
        self.canvas.pencil.line(surface, fill=(*colour, 255), width=round(pixels), joint="curve")

    def _band(self, points: Points, width: float, start: float, end: float) -> Points:
        placed = self.rig.place(points)
        # Lines of small faces stay at least a visible part of a pixel wide.
        pixels = max(width * self.rig.scale, 0.7)
        return ribbon(placed, taper(len(placed), start, end) * pixels)
