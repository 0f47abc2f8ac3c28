"""What other programs do to picture files: they write into them, and put others in their places."""

from __future__ import annotations

import itertools
import os
import struct
import zlib
from pathlib import Path

from fakes import Square, draw

from gallery.media.images import encode_png

_TIMES = itertools.count(10**18, 10**9)


def chunk(kind: bytes, content: bytes) -> bytes:
    whole = kind + content
    return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))


def write_into(path: Path, kind: bytes = b"tEXt", content: bytes = b"Rating\0005") -> None:
    """Write a chunk behind a PNG's head, as other programs do; the pixels stay to the bit."""
    before = path.read_bytes()
    path.write_bytes(before[:33] + chunk(kind, content) + before[33:])
    touch(path)


def turn(path: Path, orientation: int) -> None:
    """Write an EXIF orientation into a PNG."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    write_into(path, b"eXIf", b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4))


def touch(path: Path) -> None:
    """Give a file a time of its own: tests are quicker than some clocks."""
    now = next(_TIMES)
    os.utime(path, ns=(now, now))


def replace_picture(path: Path, seed: int, *squares: Square) -> None:
    """Put another picture into a file."""
    path.write_bytes(encode_png(draw(*squares, seed=seed)))
    touch(path)
