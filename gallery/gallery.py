"""The gallery: enroll, identify, look after. The command line and programs talk to this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from gallery.describe import Describer
from gallery.enrolment import Enrolment
from gallery.errors import InputError, StoreError
from gallery.images import decode_png, read_image
from gallery.index import IndexCache
from gallery.matching import Matcher
from gallery.quality import NO_GATES, Gates, measure
from gallery.store import Store
from gallery.types import (
    CROP_SIDE,
    Answer,
    Candidate,
    Character,
    Crop,
    DescribedFace,
    Enrolled,
    Image,
    Match,
    MatchMode,
    Record,
    Sample,
    Thresholds,
)
from gallery.verdict import decide

REENCODE_AT_ONCE = 64
"""Samples between two commits when descriptors are made anew."""


class Gallery:
    """Named characters, and who is in a picture. Made by assemble.open_gallery."""

    def __init__(
        self,
        store: Store,
        encoder: str,
        thresholds: Thresholds,
        open_describer: Callable[[], Describer],
        cache: IndexCache,
    ) -> None:
        """Join a database with an encoder's id, its thresholds and the means to describe faces.

        The describer is opened when it is first needed: looking after names needs no network.
        """
        self.store = store
        self.encoder = encoder
        self.thresholds = thresholds
        self._open_describer = open_describer
        self._matcher = Matcher(store, encoder, cache)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def describer(self) -> Describer:
        """The detector, aligner and encoder in use, opened."""
        return self._open_describer()

    def enroll(
        self,
        candidates: Sequence[Candidate],
        *,
        largest: bool = False,
        gates: Gates = NO_GATES,
        keep_poor: bool = False,
    ) -> Iterator[Enrolled]:
        """Enroll pictures and say of each what became of it; see enrolment.Enrolment."""
        self.require_encoded()
        yield from Enrolment(
            self.store, self.describer, largest=largest, gates=gates, keep_poor=keep_poor
        ).run(candidates)

    def identify(
        self,
        image: Image,
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        gates: Gates = NO_GATES,
    ) -> Record:
        """Say who every face in a picture is that passes, with the top nearest characters."""
        (found,) = self.describer.faces([image])
        faces = self.describer.passing(image, found, gates)
        described = self.describer.describe([(image, face) for face in faces])
        return Record(
            image.path,
            image.width,
            image.height,
            self.encoder,
            tuple(self._answer(described, mode, top)),
            left_out=len(found) - len(faces),
        )

    def identify_file(
        self,
        path: Path,
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        gates: Gates = NO_GATES,
    ) -> Record:
        """Say who every face in a file is; a file that cannot be read gives a record with error."""
        try:
            return self.identify(read_image(path), mode=mode, top=top, gates=gates)
        except InputError as error:
            return Record(path, None, None, self.encoder, error=str(error))

    def _answer(
        self, described: Sequence[DescribedFace], mode: MatchMode, top: int
    ) -> Iterator[Answer]:
        if not described:
            return
        descriptors = np.stack([one.descriptor for one in described])
        # The verdict wants the second character even where only one is shown.
        matched = self._matcher.match(descriptors, mode, max(top, 2))
        for one, matches in zip(described, matched, strict=True):
            yield self._judge(one, matches, top)

    def _judge(self, described: DescribedFace, matches: Sequence[Match], top: int) -> Answer:
        verdict, character = decide(matches, self.thresholds)
        return Answer(
            face=described.face,
            verdict=verdict,
            character=character,
            distance=matches[0].distance if matches else None,
            matches=tuple(matches[:top]),
            quality=described.quality,
        )

    def require_encoded(self) -> None:
        """Raise StoreError unless the encoder in use has encoded all samples."""
        total, encoded = self.store.counts(self.encoder)
        if encoded < total:
            raise StoreError(
                f"{total - encoded} of {total} samples are not encoded by {self.encoder}; "
                "run `gallery reencode`, or choose the encoder they were enrolled with."
            )

    def reencode(self, sample_ids: Sequence[int]) -> Iterator[int]:
        """Encode stored crops with the encoder in use; yield after every commit how many are done.

        `remaining` says which samples want it. Where a sample's quality is unknown, what its crop
        and its box tell of it is noted; what counts for its ideal stays as it is.
        """
        for start in range(0, len(sample_ids), REENCODE_AT_ONCE):
            some = sample_ids[start : start + REENCODE_AT_ONCE]
            crops, unmeasured = self.crops(some), self.store.unmeasured(some)
            descriptors = self.describer.encoder.encode(
                np.array(list(crops.values()), np.uint8).reshape(-1, CROP_SIDE, CROP_SIDE, 3)
            )
            with self.store.writing() as writer:
                for sample_id, descriptor in zip(crops, descriptors, strict=True):
                    # Somebody may have removed it meanwhile.
                    if writer.has(sample_id):
                        writer.describe(sample_id, self.encoder, descriptor)
                        if sample_id in unmeasured:
                            quality = measure(crops[sample_id], unmeasured[sample_id])
                            writer.measure(sample_id, quality)
            yield start + len(some)

    def remaining(self, *, everything: bool = False) -> list[int]:
        """Return the samples that the encoder in use has not encoded, or with everything, all."""
        if everything:
            return self.store.sample_ids()
        return self.store.unencoded(self.encoder)

    def characters(self) -> list[Character]:
        """Return all characters by name."""
        return self.store.characters()

    def samples(self, name: str) -> list[Sample]:
        """Return a character's samples. Raises InputError for a name nobody has."""
        return self.store.samples(self.encoder, self.store.character(name).name)

    def crops(self, sample_ids: Sequence[int]) -> dict[int, Crop]:
        """Return the aligned crops of samples."""
        return {row: decode_png(png) for row, png in self.store.crops(sample_ids).items()}

    def rename(self, old: str, new: str) -> None:
        """Give a character another name; its folder goes on meaning it."""
        with self.store.writing() as writer:
            writer.rename(old, new)

    def merge(self, source: str, target: str) -> int:
        """Give all samples of one character to another, and return how many."""
        with self.store.writing() as writer:
            return writer.merge(source, target)

    def move(self, sample_ids: Sequence[int], name: str, *, new: bool = False) -> None:
        """Give samples to a character. Raises InputError for one nobody has, unless it is new."""
        if not new:
            name = self.store.character(name).name
        with self.store.writing() as writer:
            writer.move(sample_ids, name)

    def forget(self, name: str) -> int:
        """Remove a character with all its samples, and return how many they were."""
        with self.store.writing() as writer:
            return writer.forget(name)

    def forget_samples(self, sample_ids: Sequence[int]) -> None:
        """Remove samples; their character stays."""
        with self.store.writing() as writer:
            writer.forget_samples(sample_ids)
