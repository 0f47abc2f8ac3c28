"""The fast way from files to records: pictures are decoded while others are looked at.

Threads read and decode ahead; pictures are then looked at a chunk at a time, in which the detector
shares them out among the cores and all faces are encoded together. Records come in the order of
the files and are those that `Gallery.identify_file` gives, whatever chunk a picture falls into.

Pictures are decoded in full. A JPEG of 1920x1080 decoded at half its size costs 0.65 of the time,
since its entropy coding stays, and the crop of every head below 300 pixels would want the other
half of the pixels after all: it pays only where fewer than one picture in three holds such a head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import InputError
from gallery.images import read_image
from gallery.quality import NO_GATES, Gates
from gallery.threads import ROOM, ahead
from gallery.types import Image, MatchMode, Record

if TYPE_CHECKING:
    from gallery.gallery import Gallery

CHUNK = 8
"""Pictures looked at together, and pictures that wait decoded meanwhile."""


def identify_files(
    gallery: Gallery,
    paths: Iterable[Path],
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    gates: Gates = NO_GATES,
    keep: bool = False,
) -> Iterator[Record]:
    """Yield the record of every file in order; one that cannot be read has a record with error.

    With keep, the gallery notes what it sees, before it is yielded. At most 2 x CHUNK decoded
    pictures are in memory, and fewer of large ones, see threads.ROOM.
    """

    def read(path: Path) -> Image | Record:
        try:
            return read_image(path)
        except InputError as error:
            return Record(path, None, None, gallery.encoder, error=str(error))

    def identify(image: Image) -> Record:
        try:
            (record,) = gallery.identify_all([image], mode=mode, top=top, gates=gates, keep=keep)
            return record
        except InputError as error:
            return Record(image.path, None, None, gallery.encoder, error=str(error))

    def records_of(chunk: list[Image | Record]) -> list[Record]:
        images = [one for one in chunk if isinstance(one, Image)]
        records: Iterator[Record] = iter(())
        try:
            if images:
                records = iter(
                    gallery.identify_all(images, mode=mode, top=top, gates=gates, keep=keep)
                )
        except InputError:
            # A detector of another package may refuse a picture; the others are not to blame.
            records = map(identify, images)
        if keep and len(images) < len(chunk):
            gallery.keep_unread([one for one in chunk if isinstance(one, Record)])
        return [one if isinstance(one, Record) else next(records) for one in chunk]

    for chunk in chunks(ahead(read, paths, most=CHUNK, size=size_of)):
        records = records_of(chunk)
        # The next chunk is read while this is held.
        del chunk
        yield from records


def chunks(read: Iterable[Image | Record]) -> Iterator[list[Image | Record]]:
    """Yield what was read in lists of up to CHUNK, and fewer where their pixels fill ROOM."""
    chunk: list[Image | Record] = []
    for one in read:
        chunk.append(one)
        if len(chunk) == CHUNK or sum(map(size_of, chunk)) >= ROOM:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def size_of(one: Image | Record) -> int:
    """Return the bytes that a decoded picture takes."""
    return one.pixels.nbytes if isinstance(one, Image) else 0
