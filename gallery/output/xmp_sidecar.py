"""XMP sidecars with face regions, which digiKam, Lightroom, PhotoPrism and Immich read."""

from __future__ import annotations

import os
from pathlib import Path

from gallery.errors import InputError
from gallery.media.images import read_header
from gallery.metadata import xmp
from gallery.metadata.regions import Region, Shape, area_of
from gallery.output import sidecars
from gallery.output.format import NotWrittenError, Output
from gallery.types import Answer, Record, Verdict


class XmpSidecar:
    """Puts every face into a picture's sidecar, with a name where it is sure.

    Named after the whole file, `picture.png.xmp`, as digiKam, PhotoPrism and Immich want it, or
    after its stem, `picture.xmp`, as Lightroom does.
    """

    is_document = False
    takes_videos = False

    def __init__(self, output: Output, *, by_stem: bool = False) -> None:
        self.name = "xmp-stem" if by_stem else "xmp"
        self._output = output
        self._by_stem = by_stem

    def write(self, record: Record) -> None:
        """Merge a picture's faces into its sidecar; all else that is in it stays.

        Raises NotWrittenError for a sidecar that is no XMP or belongs to another picture.
        """
        if record.error is not None or not record.width or not record.height:
            return
        path = self._path(record.path)
        regions = [self._region(one, record.width, record.height) for one in record.faces]
        # A head outside the picture has no place in it.
        regions = [one for one in regions if one.area.width > 0 and one.area.height > 0]
        if regions or os.path.lexists(path):
            shape, given = _stored(record)

            def change(before: bytes | None) -> bytes | None:
                if before is None and not regions:
                    return None
                extension = record.path.suffix.removeprefix(".") if self._by_stem else ""
                try:
                    if before is not None and self._by_stem:
                        _check_extension(xmp.extension_of(before), extension)
                    return xmp.merged(before, regions, shape, extension, given)
                except xmp.PacketError as error:
                    reason = f"{path} {error.reason}; move it away or correct it."
                    raise NotWrittenError(reason) from error

            sidecars.update(self._output, path, change, xmp.MAX_BYTES)

    def close(self) -> None:
        """Nothing is open."""

    def _path(self, picture: Path) -> Path:
        if not self._by_stem:
            return self._output.beside(picture, f"{picture.name}.xmp")
        sidecars.require_own_stem(picture, "sidecar")
        return self._output.beside(picture, f"{picture.stem}.xmp")

    def _region(self, answer: Answer, width: int, height: int) -> Region:
        wanted = {Verdict.SURE, Verdict.UNSURE} if self._output.options.unsure else {Verdict.SURE}
        name = answer.character if answer.verdict in wanted else None
        return Region(area_of(answer.face.box, width, height), name)


def _stored(record: Record) -> tuple[Shape, list[Region]]:
    """Return how the picture's file is stored, and the faces that a person named in it.

    Raises NotWrittenError where it is gone.
    """
    try:
        header = read_header(record.path)
    except InputError as error:
        raise NotWrittenError(str(error)) from error
    shape = Shape(header.width, header.height, header.orientation)
    try:
        inside = xmp.read(header.xmp, shape) if header.xmp else []
    except xmp.PacketError:
        # What nobody can read names nobody.
        inside = []
    return shape, [one for one in inside if one.name is not None and not one.is_guess]


def _check_extension(found: str | None, wanted: str) -> None:
    if found is not None and found.lower() != wanted.lower():
        raise xmp.PacketError(f"belongs to the picture that ends in .{found}")
