"""Named faces in XMP: in sidecars beside pictures, or inside the picture files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gallery.errors import UnreadableMetadata
from gallery.media.images import read_header
from gallery.metadata import xmp
from gallery.metadata.regions import Shape, box_of
from gallery.system.reading import FileTooLargeError, read_if_there
from gallery.types import Box


@dataclass(frozen=True, slots=True)
class NamedRegion:
    """A rectangle that somebody put a name to."""

    name: str
    box: Box
    """In pixels of the picture as it is shown; of the face or the head, as the program has it."""
    is_guess: bool = False
    """The name is an answer of gallery's, and nobody has changed it."""


@dataclass(frozen=True, slots=True)
class NamedFaces:
    """The faces in a picture that have names."""

    path: Path
    regions: tuple[NamedRegion, ...]


def named_faces(path: Path) -> NamedFaces:
    """Return the faces of a picture that its metadata names; none where it has no metadata.

    A sidecar comes before what is inside the file, `picture.png.xmp` before `picture.xmp`. They
    repeat each other, so that one is taken alone: the first in which a person named a face, else
    the first in which gallery did. Regions without a name say nothing. Raises InputError for a file
    that is no picture, and for metadata that is damaged or of a picture of another shape.
    """
    header = read_header(path)
    shape = Shape(header.width, header.height, header.orientation)
    found: tuple[NamedRegion, ...] = ()
    for place in (path.with_name(f"{path.name}.xmp"), path.with_suffix(".xmp"), path):
        packet = header.xmp if place == path else _content(place)
        named = () if packet is None else _named(packet, shape, path, place)
        if any(not one.is_guess for one in named):
            return NamedFaces(path, named)
        found = found or named
    return NamedFaces(path, found)


def _named(packet: bytes, shape: Shape, picture: Path, where: Path) -> tuple[NamedRegion, ...]:
    try:
        if where.name == f"{picture.stem}.xmp" and not _belongs(packet, picture):
            return ()
        found = xmp.read(packet, shape)
    except xmp.PacketError as error:
        raise UnreadableMetadata(
            where, error.reason, remedy="correct it or take it away"
        ) from error
    return tuple(
        NamedRegion(one.name, box_of(one.area, *shape.shown), one.is_guess)
        for one in found
        if one.name is not None
    )


def _belongs(packet: bytes, picture: Path) -> bool:
    """Say whether a sidecar that is named by the stem is this picture's, and not its twin's."""
    extension = xmp.extension_of(packet)
    return extension is None or f".{extension}".lower() == picture.suffix.lower()


def _content(path: Path) -> bytes | None:
    try:
        return read_if_there(path, xmp.MAX_BYTES)
    except FileTooLargeError as error:
        raise UnreadableMetadata(
            path, "is too large for a sidecar", remedy="take it away"
        ) from error
    except OSError as error:
        raise UnreadableMetadata(path, f"cannot be read: {error.strerror}") from error
