"""Colours and the ways to mix them."""

from __future__ import annotations

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour that lies the given share of the way from the first to the second."""
    red, green, blue = (
        round(one + (other - one) * share) for one, other in zip(first, second, strict=True)
    )
    return red, green, blue


def shadow(colour: Colour, strength: float = 0.3) -> Colour:
    """Return a cel-shading shadow of a colour: darker, and warmer or more violet than it."""
    red, green, blue = colour
    dark = (round(red * 0.52 + 10), round(green * 0.36 + 8), round(blue * 0.5 + 16))
    return mix(colour, dark, strength)


def skin_shadow(skin: Colour, strength: float = 1.0) -> Colour:
    """Return the warm shadow of a skin tone."""
    red, green, blue = skin
    dark = (round(red * 0.87), round(green * 0.69), round(blue * 0.68))
    return mix(skin, dark, strength)


def light(colour: Colour, strength: float = 0.4) -> Colour:
    """Return a colour drawn towards a warm white."""
    return mix(colour, (255, 252, 244), strength)


def ink(colour: Colour) -> Colour:
    """Return the dark outline colour that suits an area of the given colour."""
    return mix(tuple_scale(colour, 0.34), (34, 16, 36), 0.35)


def tuple_scale(colour: Colour, factor: float) -> Colour:
    """Return a colour with every channel multiplied by a factor."""
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in colour)
    return red, green, blue
