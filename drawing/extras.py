"""Draws the extras of a character at the right moment: behind, on or above head and hair."""

from __future__ import annotations

from collections.abc import Callable

from drawing.canvas import Brush
from drawing.colour import shadow
from drawing.curves import Points, ellipse, spots
from drawing.design import Character, Extra
from drawing.features import (
    draw_beard,
    draw_freckles,
    draw_glasses,
    draw_goatee,
    draw_moustache,
    draw_plaster,
    draw_scar,
    draw_wrinkles,
)
from drawing.hair import draw_bun
from drawing.headwear import (
    draw_beret,
    draw_cap,
    draw_headband,
    draw_hood_back,
    draw_hood_front,
    draw_straw_hat,
)
from drawing.ornaments import draw_clips, draw_hoops, draw_ribbon, draw_snowflake, solid

ABOVE_HAIR: dict[str, Callable[[Brush, Extra], None]] = {
    "ribbon": draw_ribbon,
    "beret": draw_beret,
    "hoops": draw_hoops,
    "headband": draw_headband,
    "snowflake": draw_snowflake,
    "clips": draw_clips,
    "cat_hood": draw_hood_front,
    "cap": draw_cap,
    "straw_hat": draw_straw_hat,
}


def draw_under_hair(brush: Brush, character: Character) -> None:
    """Draw the extras that lie behind the head."""
    for extra in character.extras:
        if extra.kind == "buns":
            for side in (-1, 1):
                draw_bun(
                    brush.at(-0.2), character.hair, side * extra.at[0], extra.at[1], extra.size
                )
        elif extra.kind == "cat_hood":
            draw_hood_back(brush.at(-0.25), extra)
        elif extra.kind == "straw_hat":
            brim = ellipse((0.0, -0.72), 2.05, 0.95)
            solid(brush.at(-0.3), brim, shadow(extra.colour, 0.35))


def draw_over_face(brush: Brush, character: Character) -> None:
    """Draw the extras on the face, below the fringe."""
    for extra in character.extras:
        if extra.kind in ("round_glasses", "square_glasses"):
            draw_glasses(brush, character, extra)
        elif extra.kind == "beard":
            draw_beard(brush, character, extra)
        elif extra.kind == "goatee":
            draw_goatee(brush, extra)
        elif extra.kind == "moustache":
            draw_moustache(brush, extra)
        elif extra.kind == "plaster":
            draw_plaster(brush, extra)
        elif extra.kind == "scar":
            draw_scar(brush, extra)
        elif extra.kind == "mole":
            brush.fill(ellipse(extra.at, 0.026, 0.026), extra.colour)
        elif extra.kind == "freckles":
            draw_freckles(brush, character.skin)
        elif extra.kind == "wrinkles":
            draw_wrinkles(brush, character.skin)


def draw_over_hair(brush: Brush, character: Character) -> None:
    """Draw the extras above the hair."""
    for extra in character.extras:
        draw = ABOVE_HAIR.get(extra.kind)
        if draw is not None:
            draw(brush, extra)


def headwear_reach(character: Character) -> list[Points]:
    """Return the outer points of headwear that belong to the head box, in the head's space."""
    tops = {
        "beret": (1.3, -1.85),
        "cat_hood": (1.3, -1.62),
        "cap": (1.2, -1.68),
        "straw_hat": (1.2, -1.85),
    }
    found = []
    for extra in character.extras:
        if extra.kind in tops:
            half, top = tops[extra.kind]
            found.append(
                spots([(-half * 0.6, top), (half * 0.6, top), (-half, -0.9), (half, -0.9)])
            )
    return found
