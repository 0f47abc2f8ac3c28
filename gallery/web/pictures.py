"""Pictures for the page: thumbnails of crops, and originals that are not too large."""

from __future__ import annotations

from pathlib import Path

from gallery.errors import GalleryError
from gallery.media.images import decode_crop, read_image
from gallery.media.inputs import is_video
from gallery.types import Pixels

THUMBNAIL = 96
"""The side of a face on the page, in pixels."""

LARGE = 150
"""The side of a face's crop as it is stored."""

LONGEST = 1600
"""The longer side of an original as it is shown, in pixels."""

QUALITY = 88


def thumbnail(crop: bytes, side: int = THUMBNAIL) -> bytes:
    """Return an aligned crop, a PNG or a JPEG file, as a small JPEG file."""
    import cv2

    pixels = decode_crop(crop)
    if side < pixels.shape[0]:
        pixels = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA).astype("uint8")
    return _jpeg(pixels)


def original(path: Path) -> bytes | None:
    """Return a picture as a JPEG file, at most LONGEST pixels long.

    None for a video, and for a file that is gone or cannot be read.
    """
    import cv2

    if is_video(path):
        return None
    try:
        image = read_image(path)
    except GalleryError:
        return None
    pixels = image.pixels
    scale = LONGEST / max(image.width, image.height)
    if scale < 1:
        size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype("uint8")
    return _jpeg(pixels)


def _jpeg(pixels: Pixels) -> bytes:
    """Return pixels as a JPEG file.

    WebP would be a seventh smaller and take forty times as long, for each of a screen's faces.
    """
    import cv2

    return bytes(cv2.imencode(".jpg", pixels[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1])
