"""What is in an exported file, read piece by piece and never believed.

Every piece has a most that it may unfold to, and a file is read to its end only as far as its own
list of members says that there is something to say of them: a small file cannot fill the memory.
"""

from __future__ import annotations

import ast
import json
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gallery.errors import InputError
from gallery.media.images import decode
from gallery.types import CROP_SIDE, Descriptor, width_of

MAX_LINE = 1 << 16
"""Bytes: a path and two names, all in letters that JSON writes as numbers, and what else a line
has."""
MAX_CROP = 1 << 18
MAX_ARRAY_HEADER = 1 << 10


PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How members may be packed: the others unfold without a bound, and no export has them."""

PNG = re.compile(rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR(.{4})(.{4})\x08\x02", re.DOTALL)
"""How a PNG of 8-bit colours begins; the groups are its width and height."""

JPEG = b"\xff\xd8\xff"
"""How a JPEG begins. What a file within MAX_CROP can unfold to is bounded by images.MAX_PIXELS."""

ARRAY = b"\x93NUMPY\x01\x00"
"""How an array of NumPy's begins, in the version that it writes for plain numbers."""


def content_of(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return what a member holds. Raises ValueError for more bytes than the limit."""
    with _opened(archive, name, limit) as file:
        return file.read()


def lines_of(archive: zipfile.ZipFile, name: str, most: int) -> Iterator[Any]:
    """Yield the values of a member that has JSON on every line.

    Raises ValueError for more lines than so many, and for a line that is too long.
    """
    with _opened(archive, name, most * MAX_LINE) as file:
        for _ in range(most + 1):
            line = file.readline(MAX_LINE)
            if not line:
                return
            if len(line) == MAX_LINE:
                break
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                # By itself it would be taken for one of the database's.
                raise ValueError(f"{name} is no text") from error
            yield json.loads(text)
    raise ValueError(f"{name} is too long")


class Tables:
    """The tables of descriptors of several encoders, read side by side, a row at a time."""

    def __init__(
        self, archive: zipfile.ZipFile, folder: str, encoders: Sequence[str], rows: int
    ) -> None:
        """Open the tables of a folder. Raises ValueError where one has another shape."""
        self._files: dict[str, IO[bytes]] = {}
        with ExitStack() as stack:
            for number, encoder in enumerate(encoders):
                name = f"{folder}/{number}.npy"
                limit = 4 * rows * width_of(encoder) + MAX_ARRAY_HEADER
                file = stack.enter_context(_opened(archive, name, limit))
                _require_shape(file, (rows, width_of(encoder)))
                self._files[encoder] = file
            self._stack = stack.pop_all()

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def next_row(self) -> dict[str, Descriptor]:
        """Return the next face's descriptors by encoder, of those that have one."""
        rows = {encoder: _row(file, width_of(encoder)) for encoder, file in self._files.items()}
        return {encoder: row for encoder, row in rows.items() if np.isfinite(row).all()}


def png_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a crop's file as it is, once it is known to be a PNG of the crop's size."""
    png = content_of(archive, name, MAX_CROP)
    begin = PNG.match(png)
    # Before it is decoded: a small file can unfold to gigabytes.
    if begin is None or {int.from_bytes(side, "big") for side in begin.groups()} != {CROP_SIDE}:
        raise ValueError("a crop is no PNG of the right size")
    try:
        decode(png, Path("crop"))
    except InputError as error:
        raise ValueError("a crop cannot be decoded") from error
    return png


def jpeg_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a crop's file as it is, once it is known to be a JPEG of the crop's size."""
    content = content_of(archive, name, MAX_CROP)
    if not content.startswith(JPEG):
        raise ValueError("a crop is no JPEG")
    try:
        size = decode(content, Path("crop")).pixels.shape
    except InputError as error:
        raise ValueError("a crop cannot be decoded") from error
    if size != (CROP_SIDE, CROP_SIDE, 3):
        raise ValueError("a crop is not of the right size")
    return content


def number_of(value: Any) -> float:
    """Return a finite number."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def text_of(value: Any) -> str:
    """Return a string that a database and a file name can hold."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a text is none")
    value.encode("utf-8")
    return value


def digest_of(value: Any) -> str:
    """Return a SHA-256 in hexadecimal."""
    digest = text_of(value)
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError("a digest is none")
    return digest


def truth_of(value: Any) -> bool:
    """Return a mark."""
    if not isinstance(value, bool):
        raise ValueError("a mark is none")
    return value


def _opened(archive: zipfile.ZipFile, name: str, limit: int) -> IO[bytes]:
    information = archive.getinfo(name)
    if information.file_size > limit or information.compress_type not in PLAIN:
        raise ValueError(f"{name} is too large, or is packed in another way")
    return archive.open(information)


def _require_shape(file: IO[bytes], shape: tuple[int, int]) -> None:
    """Read the header of an array. Raises ValueError for another one than of such float32.

    NumPy's own reader takes room for a shape before it has seen the numbers.
    """
    begin = _exactly(file, len(ARRAY) + 2)
    length = int.from_bytes(begin[len(ARRAY) :], "little")
    if not begin.startswith(ARRAY) or length > MAX_ARRAY_HEADER:
        raise ValueError("a table is no array")
    try:
        header = ast.literal_eval(_exactly(file, length).decode("latin-1").strip())
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("a table has no header") from error
    if header != {"descr": "<f4", "fortran_order": False, "shape": shape}:
        raise ValueError("a table of descriptors has another shape")


def _row(file: IO[bytes], width: int) -> NDArray[np.float32]:
    return np.frombuffer(_exactly(file, 4 * width), "<f4").astype(np.float32)


def _exactly(file: IO[bytes], count: int) -> bytes:
    content = file.read(count)
    if len(content) != count:
        raise EOFError
    return content
