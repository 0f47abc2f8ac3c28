"""The words in which a character, an expression and a pose are described."""

from __future__ import annotations

from dataclasses import dataclass, field

from drawing.colour import Colour
from drawing.curves import Spot


@dataclass(frozen=True)
class FaceShape:
    """The outline of a face, in half face widths."""

    cheek: float = 0.97
    jaw: float = 0.70
    jaw_height: float = 0.62
    chin: float = 1.06
    chin_width: float = 0.13
    ear: float = 1.0
    nose: str = "small"
    lips: Colour | None = None


@dataclass(frozen=True)
class EyeStyle:
    """The shape and colours of a pair of eyes."""

    iris: tuple[Colour, Colour]
    spacing: float = 0.47
    width: float = 0.27
    height: float = 0.29
    tilt: float = 0.0
    outer: float = 0.0
    iris_size: float = 0.66
    lash: float = 1.0
    spikes: int = 2
    lower_lash: float = 0.6
    highlight: str = "round"
    slit: bool = False
    lash_colour: Colour = (38, 22, 34)


@dataclass(frozen=True)
class Brows:
    """The shape of the eyebrows."""

    thickness: float = 0.045
    length: float = 0.27
    tilt: float = 0.0
    height: float = 0.46
    arch: float = 0.05


@dataclass(frozen=True)
class Lock:
    """One tapering lock of hair: a curve from its root over a bend to its tip."""

    root: Spot
    bend: Spot
    tip: Spot
    width: float
    belly: float = 0.4


@dataclass(frozen=True)
class Hair:
    """A hair style: a cap on the skull, a fringe, side locks and the hair behind.

    The fringe is a row of points from the left temple to the right one, notches and tips in
    turn, beginning and ending with a notch.
    """

    colour: Colour
    fringe: tuple[Spot, ...]
    tips: Colour | None = None
    crown: float = 1.0
    width: float = 1.0
    parting: Spot = (0.0, -1.3)
    front: tuple[Lock, ...] = ()
    back: tuple[Lock, ...] = ()
    behind: tuple[Lock, ...] = ()
    curls: tuple[tuple[float, float, float], ...] = ()
    shine: float = 0.5
    shine_height: float = -0.92


@dataclass(frozen=True)
class Outfit:
    """The clothes on the shoulders."""

    kind: str
    colour: Colour
    trim: Colour
    accent: Colour
    shoulders: float = 1.45


@dataclass(frozen=True)
class Extra:
    """Something worn or grown, such as glasses, a ribbon, a hat, a scar or a beard."""

    kind: str
    colour: Colour
    second: Colour = (255, 255, 255)
    at: Spot = (0.0, 0.0)
    size: float = 1.0


@dataclass(frozen=True)
class Character:
    """Everything that stays the same in every picture of one person."""

    name: str
    skin: Colour
    face: FaceShape
    eyes: EyeStyle
    brows: Brows
    hair: Hair
    outfit: Outfit
    extras: tuple[Extra, ...] = ()
    blush: float = 0.35


@dataclass(frozen=True)
class Expression:
    """What a face shows at one moment; eyes run from 0 (shut) to about 1.15 (wide)."""

    mouth: str = "smile"
    left_eye: float = 1.0
    right_eye: float = 1.0
    brow_lift: float = 0.0
    brow_tilt: float = 0.0
    blush: float = 1.0
    gaze: Spot = (0.0, 0.0)


@dataclass(frozen=True)
class Pose:
    """Where a head is in a picture and how it is held; the scale is half a face in pixels.

    The roll is clockwise in degrees; the yaw turns the face to the right of the picture.
    """

    x: float
    y: float
    scale: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    mirrored: bool = False
    expression: Expression = field(default_factory=Expression)
