"""A whole person drawn from a character and a pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from drawing.body import draw_body
from drawing.canvas import Brush, Canvas, Rig
from drawing.colour import ink, mix
from drawing.curves import Points, Spot
from drawing.design import Character, Pose
from drawing.extras import draw_over_face, draw_over_hair, draw_under_hair, headwear_reach
from drawing.eyes import draw_brow, draw_eye, eye_frame
from drawing.face import draw_blush, draw_ear, draw_mouth, draw_nose, draw_skull, face_outline
from drawing.hair import cap_edge, draw_back, draw_fringe, draw_fringe_shadow

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawn:
    """A drawn person: the layer, where it belongs, and where the head and eyes are."""

    layer: Image.Image
    offset: tuple[int, int]
    head: Box
    eyes: tuple[Spot, Spot]


def head_rig(pose: Pose) -> Rig:
    """Return the rig of a head in a pose."""
    yaw = -pose.yaw if pose.mirrored else pose.yaw
    roll = -pose.roll if pose.mirrored else pose.roll
    return Rig(pose.x, pose.y, pose.scale, roll, yaw, pose.pitch, pose.mirrored)


def body_rig(head: Rig) -> Rig:
    """Return the rig of the body, which follows the head's turns only in part."""
    body = Rig(0.0, 0.0, head.scale, head.roll * 0.2, head.yaw * 0.3, 0.0, head.mirrored, 0.1)
    neck = head.at(0.1).spot(0.0, 0.85)
    own = body.spot(0.0, 0.85)
    return Rig(
        neck[0] - own[0], neck[1] - own[1], body.scale, body.roll, body.yaw, 0.0, body.mirrored, 0.1
    )


def draw_person(
    character: Character, pose: Pose, size: tuple[int, int], supersample: int = 3
) -> Drawn:
    """Draw a person for a picture of the given size."""
    rig = head_rig(pose)
    reach = pose.scale * 4.2
    area = (
        max(0, int(pose.x - reach)),
        max(0, int(pose.y - pose.scale * 3.4)),
        min(size[0], int(pose.x + reach) + 1),
        size[1],
    )
    canvas = Canvas(area, supersample)
    _paint(canvas, character, pose, rig)
    left, right = eye_centres(character, rig)
    return Drawn(canvas.finished(), area[:2], head_box(character, rig, size), (left, right))


def _paint(canvas: Canvas, character: Character, pose: Pose, rig: Rig) -> None:
    brush, body = Brush(canvas, rig), Brush(canvas, body_rig(rig))
    mood, skin = pose.expression, character.skin
    draw_under_hair(brush, character)
    draw_back(brush, character.hair)
    draw_body(body, character)
    for side in (-1, 1):
        if character.face.ear > 0:
            draw_ear(brush, skin, side, character.face.ear)
    face = draw_skull(brush, character)
    draw_blush(brush, skin, character.blush * mood.blush, face)
    draw_fringe_shadow(brush, character.hair, skin, face)
    draw_nose(brush, skin, character.face.nose)
    draw_mouth(brush, skin, mood.mouth, character.face.lips)
    for side, openness in ((-1, mood.left_eye), (1, mood.right_eye)):
        draw_eye(brush, character.eyes, skin, side, openness, mood.gaze)
    draw_over_face(brush, character)
    draw_fringe(brush, character.hair)
    brow = mix(ink(character.hair.colour), character.hair.colour, 0.25)
    for side in (-1, 1):
        draw_brow(brush, character.brows, character.eyes, brow, side, mood)
    draw_over_hair(brush, character)


def eye_centres(character: Character, rig: Rig) -> tuple[Spot, Spot]:
    """Return the eye centres in the picture, the one further left first."""
    middle = np.zeros((1, 2))
    found = [rig.place(eye_frame(middle, character.eyes, side))[0] for side in (-1, 1)]
    first, second = sorted((round(float(p[0]), 1), round(float(p[1]), 1)) for p in found)
    return first, second


def head_box(character: Character, rig: Rig, size: tuple[int, int]) -> Box:
    """Return the box around the face, the hair on the skull and any headwear."""
    parts: list[Points] = [
        rig.place(face_outline(character.face)),
        rig.place(cap_edge(character.hair)),
    ]
    parts += [rig.place(points) for points in headwear_reach(character)]
    points = np.vstack(parts)
    left, top = np.floor(points.min(axis=0))
    right, bottom = np.ceil(points.max(axis=0))
    return (
        max(0, int(left)),
        max(0, int(top)),
        min(size[0], int(right)),
        min(size[1], int(bottom)),
    )
