"""Picture files: finding them, knowing them by content, decoding them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import io
import os
import re
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from gallery.errors import (
    BadSetting,
    DamagedCrop,
    InputError,
    UnreadableFile,
    UnreadablePicture,
    UnusableFile,
)
from gallery.system import memory
from gallery.system.reading import open_file
from gallery.types import Content, Image, Pixels

if TYPE_CHECKING:
    import PIL.Image

SUFFIXES = frozenset(
    (
        ".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".heic", ".heics", ".heif", ".heifs",
        ".hif", ".j2c", ".j2k", ".jfi", ".jfif", ".jif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf",
        ".jpg", ".jpx", ".pjp", ".pjpeg", ".png", ".tif", ".tiff", ".webp",
    )
)  # fmt: skip
"""What a picture file is called; other files in a folder are passed over."""

JXL = ".jxl"
"""JPEG XL is looked for where its decoder is installed: `pip install 'anime-gallery[jxl]'`."""

MAX_PIXELS = 80_000_000
"""A decoded picture of this size takes 240 MB; larger ones are refused unopened."""

MAX_BYTES = 512 * 1024 * 1024

FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "JXL", "PNG", "TIFF", "WEBP")
"""Decoders that are let near a stranger's file."""

PILLOW_MODULES = ("Avif", "Bmp", "Gif", "Jpeg", "Jpeg2K", "Png", "Tiff", "WebP")
"""The modules in which Pillow keeps its own decoders."""

PNG = b"\x89PNG\r\n\x1a\n"

PNG_NOTES = (b"iCCP", b"iTXt", b"tEXt", b"zTXt")
"""Chunks of a PNG that no pixel needs: Pillow refuses whole files for their size."""

PNG_XMP = b"XML:com.adobe.xmp\0"
"""How the note begins that holds XMP."""

XMP_AS_IT_IS = ("GIF", "JPEG2000")
"""Formats in which XMP stands as it is, and where Pillow does not look for it."""

XMP_PACKET = re.compile(rb"<x:xmpmeta\b.*?</x:xmpmeta>", re.DOTALL)
"""How it stands there, so that it is found in any file."""

JPEG, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"

JPEG_FILLINGS = (b"\x00", b"\x55", b"\xaa", b"\xff\x00")
"""Bits that can stand for what is missing at a JPEG's end: none, half of them, all."""

EXIF_ORIENTATION = 0x0112

SIDEWAYS = (5, 6, 7, 8)
"""Orientations in which width and height change places."""

BACK = {6: 8, 8: 6}
"""Which orientation undoes one; all others undo themselves."""

JPEG_QUALITY = 90
"""Of the crops that are kept with a loss."""

BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels."""


class FileState(NamedTuple):
    """What tells, without reading it, that a file has not changed."""

    size: int
    modified_ns: int


def check_path(path: Path) -> None:
    """Raise InputError for a path that cannot be stored."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnusableFile(
            path, "has bytes in its name or its folders' that are no text", remedy="rename it"
        ) from error


def file_state(path: Path) -> FileState:
    """Return a file's size and time of change. Raises InputError when it cannot be read."""
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
    return FileState(status.st_size, status.st_mtime_ns)


def read_bytes(path: Path) -> bytes:
    """Return a file's content. Raises InputError for one that cannot be a picture."""
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise UnreadablePicture(path, "is empty")
            if size > MAX_BYTES:
                raise UnreadablePicture(
                    path,
                    f"has {size / 1e6:.0f} MB",
                    remedy=f"pictures of at most {MAX_BYTES / 1e6:.0f} MB are read",
                )
            return file.read()
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal: its identity, wherever it lies."""
    return hashlib.sha256(content).hexdigest()


class _Silence:
    """Ignores warnings while any thread is inside.

    What Python has for that puts back what each thread found, in the order in which they leave.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._ignoring = warnings.catch_warnings(action="ignore")

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._ignoring = warnings.catch_warnings(action="ignore")
                self._ignoring.__enter__()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._ignoring.__exit__(None, None, None)


_SILENCE = _Silence()


class Header(NamedTuple):
    """What a picture file says of itself before it is decoded."""

    width: int
    """In pixels as stored, before EXIF orientation turns it."""
    height: int
    orientation: int
    """As EXIF counts it, 1 to 8; 1 where there is none."""
    xmp: bytes | None
    """The XMP packet inside the file."""


def read_header(path: Path) -> Header:
    """Return what a file says of itself. Raises InputError for one that is no picture."""
    from PIL import Image as pillow

    decoders = _decoders()
    try:
        with (
            _SILENCE,
            open_file(path) as file,
            pillow.open(_with_few_notes(file), formats=decoders) as picture,
        ):
            xmp = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
            if xmp is None and picture.format in XMP_AS_IT_IS:
                xmp = _packet_in(file)
            content = xmp.encode() if isinstance(xmp, str) else xmp
            orientation = _orientation(picture)
            width, height = picture.size
            if picture.format == "TIFF" and orientation in SIDEWAYS:
                # Pillow tells how large it will be.
                width, height = height, width
            return Header(width, height, orientation, content)
    except OSError as error:
        if error.strerror:
            raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
        raise UnreadablePicture(path, "is no picture that can be read") from error
    except Exception as error:
        # Decoders raise anything at all on damaged files.
        raise _broken(path, error) from error


def _with_few_notes(file: BinaryIO) -> BinaryIO:
    """Return a file to be read for what it says of itself: of a PNG, without all notes but XMP."""
    is_png = file.read(len(PNG)) == PNG
    file.seek(0)
    return io.BytesIO(_without_notes(file.read(MAX_BYTES), keep=PNG_XMP)) if is_png else file


def _packet_in(file: BinaryIO) -> bytes | None:
    file.seek(0)
    found = XMP_PACKET.search(file.read(MAX_BYTES))
    return found[0] if found else None


def _without_notes(content: bytes, keep: bytes | None = None) -> bytes:
    """Return a PNG without its notes, other than those that begin so; what is no PNG as it is."""
    if not content.startswith(PNG):
        return content
    kept, place = [PNG], len(PNG)
    while place + 8 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        is_kept = keep is not None and content.startswith(keep, place + 8)
        if content[place + 4 : place + 8] not in PNG_NOTES or is_kept:
            kept.append(content[place:end])
        place = end
    return b"".join(kept)


def _orientation(picture: PIL.Image.Image) -> int:
    """Return a picture's EXIF orientation; one that cannot be read says nothing.

    What XMP says of it is of no account, as in browsers.
    """
    from PIL import Image as pillow

    try:
        if picture.format == "TIFF":
            exif = picture.getexif()
        else:
            exif = pillow.Exif()
            exif.load(picture.info.get("exif", b""))
        found = exif.get(EXIF_ORIENTATION, 1)
    except Exception:
        # A damaged block raises anything at all.
        return 1
    return found if found in range(1, 9) else 1


def read_image(path: Path) -> Image:
    """Read and decode a picture file. Raises InputError with the reason when it is not one."""
    return decode(read_bytes(path), path)


def decode(content: bytes, path: Path) -> Image:
    """Decode a picture file's bytes: upright by its EXIF tag, RGB, its first frame, no alpha.

    Raises InputError for what is no picture, is cut short, or unfolds to over MAX_PIXELS.
    """
    pixels, shown = _decode_pixels(content, path)
    return Image(pixels, digest_of(content), path, shown)


def from_pixels(pixels: Pixels, path: Path) -> Image:
    """Return pixels as a picture that no file holds: its digest is empty, path only names it.

    Raises InputError for what is not RGB of shape (height, width, 3), 0 to 255, in whole numbers.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise BadSetting(
            "picture",
            f"An array of shape {pixels.shape} and type {pixels.dtype} is no picture",
            "give RGB of shape (height, width, 3) and type uint8",
        )
    if pixels.shape[0] * pixels.shape[1] > MAX_PIXELS:
        raise _too_large(path)
    return Image(np.ascontiguousarray(pixels), "", path)


def from_pillow(picture: PIL.Image.Image, path: Path) -> Image:
    """Return a picture of Pillow's as decode would: upright, RGB, transparency on white.

    Its digest is empty, path only names it. Raises InputError for one that cannot be decoded.
    """
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(path)
    try:
        with _SILENCE:
            return from_pixels(_flatten(_turned(picture, _orientation(picture))), path)
    except InputError:
        raise
    except Exception as error:
        # Decoders raise anything at all on damaged files.
        raise _broken(path, error) from error


def pixels_digest(pixels: Pixels) -> str:
    """Return the SHA-256 of pixels with their shape: one for all files that decode to them."""
    height, width = pixels.shape[:2]
    digest = hashlib.sha256(f"{width}x{height}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _decode_pixels(content: bytes, path: Path) -> tuple[Pixels, Content]:
    from PIL import Image as pillow
    from PIL import UnidentifiedImageError

    decoders = _decoders()
    try:
        # Pillow warns of damaged EXIF, which does no harm, and of sizes, which this function
        # checks.
        with (
            _SILENCE,
            pillow.open(io.BytesIO(_without_notes(content)), formats=decoders) as picture,
        ):
            if picture.width * picture.height > MAX_PIXELS:
                raise pillow.DecompressionBombError
            orientation = _orientation(picture)
            loaded = _loaded(picture, content)
            if picture.format == "TIFF":
                # Pillow has turned it.
                upright, stored = loaded, _turned(loaded, BACK.get(orientation, orientation))
            else:
                upright, stored = _turned(loaded, orientation), loaded
            pixels = _flatten(upright)
            flat = pixels if upright is stored else _flatten(stored)
            return pixels, Content(pixels_digest(flat), orientation)
    except pillow.DecompressionBombError as error:
        raise _too_large(path) from error
    except UnidentifiedImageError as error:
        raise UnreadablePicture(
            path, f"is not a picture that can be read ({', '.join(decoders)})"
        ) from error
    except Exception as error:
        # Decoders raise anything at all on damaged files: SyntaxError and struct.error among it.
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> UnreadablePicture:
    """Return what is to be said of a picture that a decoder fails on."""
    if memory.is_behind(error):
        return UnreadablePicture(
            path, "takes more memory than there is", remedy="scale it down or close other programs"
        )
    return UnreadablePicture(path, f"is damaged or cut short: {error}")


def _too_large(path: Path) -> UnreadablePicture:
    return UnreadablePicture(
        path,
        f"unfolds to more than {MAX_PIXELS // 1_000_000} megapixels",
        remedy="scale it down",
    )


def _loaded(picture: PIL.Image.Image, content: bytes) -> PIL.Image.Image:
    """Decode a picture; of a JPEG, the mark at its end may be missing, but no more.

    Raises OSError for one that is cut short.
    """
    from PIL import Image as pillow

    try:
        picture.load()
    except OSError:
        if not content.startswith(JPEG):
            raise
        # What is decoded differs by what follows only where something is missing.
        body = content.rstrip(b"\xff")
        whole, *others = (
            pillow.open(io.BytesIO(body + more + JPEG_END), formats=["JPEG"])
            for more in (b"", *(bit * 128 for bit in JPEG_FILLINGS))
        )
        if any(other.tobytes() != whole.tobytes() for other in others):
            raise
        return whole
    return picture


def _turned(picture: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Turn a picture as an EXIF orientation says."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _flatten(picture: PIL.Image.Image) -> Pixels:
    from PIL import Image as pillow

    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        # Pillow clips 16-bit grey instead of scaling it.
        deep = np.asarray(picture, dtype=np.float32)
        most = deep.max(initial=0)
        is_deep = picture.mode.startswith("I;16") or most > 255
        is_share = picture.mode == "F" and most <= 1
        scale = 255 / 65535 if is_deep else 255 if is_share else 1
        picture = pillow.fromarray(np.clip(deep * scale, 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        ground = pillow.new("RGBA", layer.size, (*BACKGROUND, 255))
        picture = pillow.alpha_composite(ground, layer)
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _decoders() -> list[str]:
    from PIL import Image as pillow

    # Pillow's own search would import all of its forty decoders, a part of every start.
    for module in PILLOW_MODULES:
        importlib.import_module(f"PIL.{module}ImagePlugin")
    _register("pillow_heif")
    _register("pillow_jxl")
    return [name for name in FORMATS if name in pillow.OPEN]


def suffixes() -> frozenset[str]:
    """Return what files are called that can be read here."""
    has_jxl = importlib.util.find_spec("pillow_jxl") is not None
    return SUFFIXES | {JXL} if has_jxl else SUFFIXES


def _register(package: str) -> None:
    """Make Pillow know the decoder of a package, where that is installed."""
    try:
        module = importlib.import_module(package)
    except ImportError:
        return
    if package == "pillow_heif":
        module.register_heif_opener()


def encode_png(pixels: Pixels) -> bytes:
    """Return pixels as a PNG file, without loss."""
    import cv2

    return bytes(cv2.imencode(".png", pixels[:, :, ::-1])[1])


def encode_jpeg(pixels: Pixels) -> bytes:
    """Return pixels as a JPEG file, colours as fine as brightness, with hardly a loss.

    A crop takes 9.7 KB. On 60 faces of the dev split, anime-pair's descriptors of such crops lie
    0.026 away from those of the crops themselves (the median; at most 0.039).
    """
    import cv2

    settings = (
        (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY),
        (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
        (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    )
    flat = [value for setting in settings for value in setting]
    return bytes(cv2.imencode(".jpg", pixels[:, :, ::-1], flat)[1])


def decode_crop(content: bytes) -> Pixels:
    """Return the pixels that encode_png or encode_jpeg wrote. Raises DamagedCrop for less."""
    return decode_png(content)


def decode_png(content: bytes) -> Pixels:
    """Return the pixels that encode_png wrote. Raises DamagedCrop for less."""
    import cv2

    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DamagedCrop
    return np.ascontiguousarray(bgr[:, :, ::-1]).astype(np.uint8, copy=False)
