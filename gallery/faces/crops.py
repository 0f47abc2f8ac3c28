"""Whether a picture is a face that somebody cut out, as those are that no detector is to see."""

from __future__ import annotations

from collections.abc import Callable

from gallery.errors import NotCropped
from gallery.faces.interfaces import Detector
from gallery.types import CROP_SIDE, Image

MOST_OBLONG = 1.4
"""The longer side of a cut-out face over the shorter one, at most; photographs have 1.5."""

LEAST_HEAD = 0.4
"""The largest head's longer side over the picture's shorter one, at least.

Of squares around a head, one in 250 of the dev split shows a smaller one, and one in 25 of dev-tv,
where some show more than a head. Of 231 whole pictures in which a head is found, 46 % do, and 80 %
do or are more oblong than 1.5."""


def check_crop(image: Image, open_heads: Callable[[], Detector | None]) -> None:
    """Raise NotCropped where a picture can be no face that was cut out.

    It is much longer than high or higher than long, or the detector, which is opened where it is
    needed, sees small heads alone in it. What gallery itself cut is not looked at.
    """
    width, height = image.width, image.height
    if width == height == CROP_SIDE:
        return
    short, long = sorted((width, height))
    if long > MOST_OBLONG * short:
        raise NotCropped(image.path, f"is {width}x{height} pixels, and no square around a head")
    heads = open_heads()
    found = [] if heads is None else heads.detect([image])[0]
    if not found:
        return
    head = max((face.box for face in found), key=lambda box: max(box.width, box.height))
    if max(head.width, head.height) < LEAST_HEAD * short:
        raise NotCropped(
            image.path,
            f"is {width}x{height} pixels and shows a head of {head.width:.0f}x{head.height:.0f}, "
            "so that it is no square around a head",
        )
