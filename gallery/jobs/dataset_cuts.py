"""What a training set takes of a picture: a head, a bust, or all of it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.media.difference_hash import difference_hash
from gallery.media.images import encode_png, read_image
from gallery.media.stills import Stills, box_in
from gallery.metadata.captions import tags_of
from gallery.output.captions import caption_tag
from gallery.output.format import OutputOptions, names_in
from gallery.output.sidecars import unique
from gallery.output.training_set import Cut, TrainingPicture
from gallery.types import Box, Image, Pixels, Record, VideoRecord, VideoTrack

AS_THEY_ARE = (".jpg", ".jpeg", ".png", ".webp")
"""Whole pictures of these formats are copied, which loses nothing, where no turning is noted in
them; others are written as PNG."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A picture that is cut out, not yet in its place."""

    picture: TrainingPicture
    score: float
    """How well the face can be seen, 0 to 1."""
    bits: NDArray[np.bool_]


class Cutter:
    """Cuts what is wanted out of pictures, one after the other, into a folder."""

    def __init__(
        self, folder: Path, crop: Cut, options: OutputOptions, names: Collection[str]
    ) -> None:
        """Begin; where names are given, only these characters are cut out."""
        self._folder, self._crop, self._options, self._names = folder, crop, options, names
        self._stills = Stills()
        self._count = 0

    def close(self) -> None:
        """Let go of a video."""
        self._stills.close()

    def taken(self, record: Record) -> Iterator[tuple[str, Taken]]:
        """Yield what comes of a picture or a track, with the character that it is for.

        Raises InputError where it cannot be read any more.
        """
        image, boxes = self._opened(record)
        done: set[str] = set()
        for answer, box in zip(record.faces, boxes, strict=True):
            name = answer.character or ""
            is_again = self._crop is Cut.PICTURE and name in done
            if (self._names and name not in self._names) or is_again:
                continue
            done.add(name)
            pixels = cut_out(image.pixels, box, self._crop)
            if pixels.size == 0:
                continue
            score = 1.0 if answer.quality is None else answer.quality.score
            picture = TrainingPicture(
                self._saved(image, pixels, record),
                self._caption(record, name),
                record.path,
                record.part.best
                if isinstance(record, VideoRecord) and isinstance(record.part, VideoTrack)
                else None,
                int(pixels.shape[1]),
                int(pixels.shape[0]),
            )
            yield name, Taken(picture, score, difference_hash(pixels))

    def _opened(self, record: Record) -> tuple[Image, list[Box]]:
        if isinstance(record, VideoRecord):
            still = self._stills.of(record)
            return still, [box_in(still, record)]
        return read_image(record.path), [answer.face.box for answer in record.faces]

    def _saved(self, image: Image, pixels: Pixels, record: Record) -> Path:
        suffix = record.path.suffix.lower()
        is_whole = self._crop is Cut.PICTURE and suffix in AS_THEY_ARE
        is_upright = image.content is not None and image.content.orientation == 1
        as_it_is = is_whole and is_upright
        file = self._folder / f"{self._count}{suffix if as_it_is else '.png'}"
        self._count += 1
        if as_it_is:
            shutil.copyfile(record.path, file)
        else:
            file.write_bytes(encode_png(pixels))
        return file

    def _caption(self, record: Record, name: str) -> str:
        """Return the character's name, then of whole pictures the others' and the tags beside."""
        options = self._options
        tags = [caption_tag(name, options)]
        if self._crop is Cut.PICTURE:
            others = names_in(record, unsure=options.unsure)
            tags += [caption_tag(one, options) for one in others]
            if not isinstance(record, VideoRecord):
                tags += tags_of(record.path)
        return ", ".join(unique(tags))


def cut_out(pixels: Pixels, box: Box, crop: Cut) -> Pixels:
    """Return what of a picture a training set takes of a head, never more than there is."""
    if crop is Cut.PICTURE:
        return pixels
    side = max(box.width, box.height) * (1.5 if crop is Cut.HEAD else 2.0)
    centre = box.centre
    top = centre.y - side / 2 if crop is Cut.HEAD else box.top - box.height / 8
    wide = Box(centre.x - side / 2, top, centre.x + side / 2, top + side)
    left, upper, right, lower = wide.within(pixels.shape[1], pixels.shape[0])
    return pixels[upper:lower, left:right]
