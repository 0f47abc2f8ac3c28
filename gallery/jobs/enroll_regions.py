"""Taking named regions of pictures into the gallery: a picture may show several characters.

A face is known by its picture's content and its place in it. Nothing is decoded where all regions
of a picture are samples already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gallery.errors import BadName, InputError, NoFaceMarked, Unnameable, UnusableFile
from gallery.faces.describe import Describer
from gallery.faces.quality import NO_GATES, Gates, is_poor
from gallery.media.images import check_path, decode, digest_of, file_state, read_bytes
from gallery.metadata.named_regions import NamedFaces, NamedRegion
from gallery.metadata.regions import Area, pairs
from gallery.store.reader import Store
from gallery.store.writer import NewSample, Writer, clean_name
from gallery.types import Box, Candidate, DescribedFace, Enrolled, Face, Image, Outcome


@dataclass(slots=True)
class _KnownSample:
    """A face of a picture that is a sample."""

    sample_id: int
    character: str
    enrolled_as: str
    path: Path
    box: Box
    is_poor: bool


class RegionEnrolment:
    """One pass over pictures with named faces."""

    def __init__(
        self,
        store: Store,
        describer: Describer,
        *,
        gates: Gates = NO_GATES,
        keep_poor: bool = False,
    ) -> None:
        """Prepare a pass; gates and keep_poor mean what they mean to enrolment.Enrolment."""
        self._store = store
        self._describer = describer
        self._gates = gates
        self._keep_poor = keep_poor
        self._files = store.known_files()
        self._enrolled: defaultdict[str, list[_KnownSample]] = defaultdict(list)
        for one in store.samples(describer.encoder.id):
            known = _KnownSample(
                one.id, one.character, one.enrolled_as, one.path, one.face.box, one.is_poor
            )
            self._enrolled[one.digest].append(known)

    def run(self, pictures: Sequence[NamedFaces]) -> Iterator[Enrolled]:
        """Enroll the named faces of pictures, a picture a transaction; say of each what became.

        A region is the detector's face that it overlaps; one without a face is refused, and the
        pass goes on.
        """
        for picture in pictures:
            path = picture.path.parent.resolve() / picture.path.name
            yield from self._enroll(replace(picture, path=path))

    def _enroll(self, picture: NamedFaces) -> list[Enrolled]:
        path = picture.path
        named, results = [], []
        for region in picture.regions:
            candidate = Candidate(path, region.name)
            try:
                named.append(replace(region, name=_checked(candidate)))
            except InputError as error:
                results.append(Enrolled.refused(candidate, error.detached()))
        try:
            state = file_state(path)
            known = self._files.get(str(path))
            content = None if known is not None and known.state == state else read_bytes(path)
            digest = known.digest if content is None and known else digest_of(content or b"")
            there = self._enrolled[digest]
            found = pairs([_area(one.box) for one in named], [_area(one.box) for one in there])
            new = [row for row in range(len(named)) if row not in found]
            described: dict[int, DescribedFace] = {}
            if new:
                image = decode(content if content is not None else read_bytes(path), path)
                described = self._describe(image, [named[row] for row in new], there)
        except InputError as error:
            return results + [
                Enrolled.refused(Candidate(path, region.name), error.detached()) for region in named
            ]
        with self._store.writing() as writer:
            writer.remember_file(path, state, digest)
            results += [
                self._settle(writer, path, named[row].name, there[column])
                for row, column in sorted(found.items())
            ]
            results += [
                self._add(writer, path, digest, named[row], described.get(place))
                for place, row in enumerate(new)
            ]
        return results

    def _describe(
        self, image: Image, regions: Sequence[NamedRegion], there: Sequence[_KnownSample]
    ) -> dict[int, DescribedFace]:
        """Return the faces of regions by their numbers; one that is a sample is nobody else's."""
        (detected,) = self._describer.faces([image])
        faces = self._describer.passing(image, detected, self._gates)
        taken = pairs([_area(one.box) for one in there], [_area(one.box) for one in faces])
        free = [face for column, face in enumerate(faces) if column not in taken.values()]
        matched = pairs([_area(one.box) for one in regions], [_area(one.box) for one in free])
        rows = sorted(matched)
        chosen: list[tuple[Image, Face]] = [(image, free[matched[row]]) for row in rows]
        return dict(zip(rows, self._describer.describe(chosen), strict=True))

    def _add(
        self,
        writer: Writer,
        path: Path,
        digest: str,
        region: NamedRegion,
        described: DescribedFace | None,
    ) -> Enrolled:
        candidate = Candidate(path, region.name)
        if described is None:
            return Enrolled.refused(candidate, NoFaceMarked(path, region.name, region.box))
        poor = is_poor(described.quality) and not self._keep_poor
        added = writer.add(
            NewSample.of(
                described,
                region.name,
                digest=digest,
                path=path,
                encoder=self._describer.encoder.id,
                detector=self._describer.detector.name,
                is_poor=poor,
            )
        )
        if added is None:
            # Another process enrolled it meanwhile.
            return Enrolled(candidate, Outcome.DUPLICATE)
        owner = writer.current_name(region.name) or region.name
        self._enrolled[digest].append(
            _KnownSample(added, owner, region.name, path, described.face.box, poor)
        )
        return Enrolled(candidate, Outcome.ADDED, is_poor=poor)

    def _settle(self, writer: Writer, path: Path, name: str, sample: _KnownSample) -> Enrolled:
        """Settle a region whose face is a sample already."""
        candidate = Candidate(path, name)
        if not writer.has(sample.sample_id):
            return Enrolled.refused(
                candidate, UnusableFile(path, "changed owner", remedy="run it again")
            )
        if name != sample.enrolled_as and writer.current_name(name) != sample.character:
            # The region got another name: that is a new label.
            writer.enrol_as(sample.sample_id, name)
            owner, sample.character = sample.character, writer.current_name(name) or name
            sample.enrolled_as = name
            return Enrolled(candidate, Outcome.RELABELLED, f"a face in {path} was {owner}.")
        if self._keep_poor and sample.is_poor:
            writer.keep([sample.sample_id])
            sample.is_poor = False
            return Enrolled(candidate, Outcome.KEPT)
        if sample.path == path:
            return Enrolled(candidate, Outcome.UNCHANGED)
        if sample.path.exists():
            return Enrolled(candidate, Outcome.DUPLICATE)
        writer.follow(sample.sample_id, path)
        before, sample.path = sample.path, path
        return Enrolled(candidate, Outcome.MOVED, f"{path} was {before}.")


def _checked(candidate: Candidate) -> str:
    """Return a region's name as it is stored. Raises InputError for one that can name nobody."""
    check_path(candidate.path)
    try:
        return clean_name(candidate.character)
    except BadName as error:
        raise Unnameable(
            candidate.path, f"cannot be enrolled: {error.fact}", remedy=error.cure
        ) from error


def _area(box: Box) -> Area:
    """Return a box as an area; places are compared alone, so that pixels do as well as shares."""
    return Area(*box.centre, box.width, box.height)
