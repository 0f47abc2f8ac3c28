"""Taking named regions of pictures into the gallery: a picture may show several characters.

A face is known by its picture, see known_pictures, and its place in it. Nothing is decoded where
all regions of a picture are samples already, unless nobody noted yet what the file shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gallery.errors import BadName, InputError, NoFaceMarked, Unnameable, UnusableFile
from gallery.faces.describe import Describer
from gallery.faces.quality import NO_GATES, Gates, is_poor
from gallery.jobs.known_pictures import KnownPictures, PictureFile, retire
from gallery.media.images import check_path, decode
from gallery.metadata.named_regions import NamedFaces, NamedRegion
from gallery.metadata.regions import Area, pairs
from gallery.store.names import clean_name
from gallery.store.reader import Store
from gallery.store.writer import NewSample, Writer
from gallery.types import (
    Box,
    Candidate,
    Content,
    DescribedFace,
    Enrolled,
    Face,
    Image,
    Outcome,
    Retired,
)


@dataclass(slots=True)
class _KnownSample:
    """A face of a picture that is a sample."""

    sample_id: int
    digest: str
    character: str
    enrolled_as: str
    path: Path
    box: Box
    is_poor: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What the regions of a picture are, by their numbers."""

    there: Sequence[_KnownSample]
    """The picture's samples."""
    known: Mapping[int, int]
    """The samples that regions are."""
    new: Sequence[int]
    forgotten: Sequence[int]
    described: Mapping[int, DescribedFace]
    """The faces of the new ones, where they have one."""
    content: Content | None
    """What the file shows."""


class RegionEnrolment:
    """One pass over pictures with named faces."""

    def __init__(
        self,
        store: Store,
        describer: Describer,
        *,
        gates: Gates = NO_GATES,
        keep_poor: bool = False,
        again: bool = False,
    ) -> None:
        """Prepare a pass; gates, keep_poor and again mean what they mean to Enrolment."""
        self._store = store
        self._describer = describer
        self._gates = gates
        self._keep_poor = keep_poor
        self._again = again
        self._known = KnownPictures(store, ())
        self.robbed: set[str] = set()
        """As Enrolment has it."""
        self.retired: list[Retired] = []
        """As Enrolment has it."""
        self._enrolled: defaultdict[str, list[_KnownSample]] = defaultdict(list)

    def run(self, pictures: Sequence[NamedFaces]) -> Iterator[Enrolled]:
        """Enroll the named faces of pictures, a picture a transaction; say of each what became.

        A region is the detector's face that it overlaps; one without a face is refused, and the
        pass goes on. At its end, what `retired` names is removed.
        """
        paths: set[Path] = set()
        self._known.meet_files([one.path.parent.resolve() / one.path.name for one in pictures])
        self._meet(self._known.digests_before())
        for picture in pictures:
            path = picture.path.parent.resolve() / picture.path.name
            paths.add(path)
            yield from self._enroll(replace(picture, path=path))
        self.retired = retire(self._store, paths)

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
            file = self._known.look(path)
            self._meet([file.digest])
            found = self._find(file, named)
        except InputError as error:
            return results + [
                Enrolled.refused(Candidate(path, region.name), error.detached()) for region in named
            ]
        with self._store.writing() as writer:
            writer.remember_file(path, file.state, file.digest)
            if found.content is not None:
                self._learn(writer, file.digest, found.content)
            results += [
                self._settle(writer, file, named[row].name, found.there[column])
                for row, column in sorted(found.known.items())
            ]
            results += [
                self._add(writer, file, named[row], found.described.get(row)) for row in found.new
            ]
            results += [
                Enrolled(Candidate(path, named[row].name), Outcome.FORGOTTEN)
                for row in found.forgotten
            ]
            self._replace(writer, file, results)
        return results

    def _find(self, file: PictureFile, named: Sequence[NamedRegion]) -> _Found:
        """Tell regions that are samples from those that are new or forgotten; describe new ones."""
        image = None
        if not self._known.is_decoded(file.digest):
            image = decode(file.read(), file.path)
        content = self._known.content(file.digest) if image is None else image.content
        if content is not None:
            self._meet([content.pixels])
        key = self._known.key(file.digest)
        if content is not None and not self._enrolled[key]:
            key = content.pixels
        there = self._enrolled[key]
        known = self._pairs(content, named, there)
        left = [row for row in range(len(named)) if row not in known]
        forgotten = [row for row in left if self._is_forgotten(key, named[row])]
        new = [row for row in left if row not in forgotten]
        described: dict[int, DescribedFace] = {}
        if new:
            image = image or decode(file.read(), file.path)
            places = self._describe(image, [named[row] for row in new], there)
            described = {new[place]: one for place, one in places.items()}
        return _Found(there, known, new, forgotten, described, content)

    def _meet(self, digests: Collection[str]) -> None:
        """Read what the gallery knows of pictures, where it was not read yet."""
        shown = self._known.meet(digests)
        if not shown:
            return
        ids = self._store.samples_in(shown)
        found = self._store.samples(self._describer.encoder.id, ids=ids)
        self._known.meet_files([one.path for one in found])
        for one in found:
            known = _KnownSample(
                one.id,
                one.digest,
                one.character,
                one.enrolled_as,
                one.path,
                one.face.box,
                one.is_poor,
            )
            self._enrolled[self._known.key(one.digest)].append(known)

    def _pairs(
        self,
        content: Content | None,
        regions: Sequence[NamedRegion],
        there: Sequence[_KnownSample],
    ) -> dict[int, int]:
        """Return which regions are which samples: by their places, or by their names.

        Places say nothing where the picture is turned in another way than it was.
        """
        if not any(self._known.is_turned(one.digest, content) for one in there):
            return pairs([_area(one.box) for one in regions], [_area(one.box) for one in there])
        found: dict[int, int] = {}
        for row, region in enumerate(regions):
            for column, one in enumerate(there):
                names = (one.enrolled_as, one.character)
                if region.name in names and column not in found.values():
                    found[row] = column
                    break
        return found

    def _is_forgotten(self, key: str, region: NamedRegion) -> bool:
        boxes = [] if self._again else self._known.forgotten(key, region.name)
        return bool(pairs([_area(region.box)], [_area(one) for one in boxes]))

    def _learn(self, writer: Writer, digest: str, content: Content) -> None:
        former = self._known.key(digest)
        self._known.learn(writer, digest, content)
        if former != content.pixels:
            self._enrolled[content.pixels] += self._enrolled.pop(former, [])

    def _replace(self, writer: Writer, file: PictureFile, results: Sequence[Enrolled]) -> None:
        """Mark the samples of what the file showed before, of those whom it shows again."""
        before = self._known.before(file.path)
        if before is None or self._known.key(before) == self._known.key(file.digest):
            return
        for one in results:
            if one.outcome not in (Outcome.REFUSED, Outcome.FORGOTTEN):
                writer.replaced(file.path, before, one.candidate.character)

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
        file: PictureFile,
        region: NamedRegion,
        described: DescribedFace | None,
    ) -> Enrolled:
        path, digest = file.path, file.digest
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
        self._enrolled[self._known.key(digest)].append(
            _KnownSample(added, digest, owner, region.name, path, described.face.box, poor)
        )
        return Enrolled(candidate, Outcome.ADDED, is_poor=poor)

    def _settle(
        self, writer: Writer, file: PictureFile, name: str, sample: _KnownSample
    ) -> Enrolled:
        """Settle a region whose face is a sample already."""
        path = file.path
        candidate = Candidate(path, name)
        if not writer.has(sample.sample_id):
            return Enrolled.refused(
                candidate, UnusableFile(path, "changed owner", remedy="run it again")
            )
        if sample.path == path and file.is_read:
            # It may be marked as replaced, or have been written into.
            self._follow(writer, file, sample)
        if name != sample.enrolled_as and writer.current_name(name) != sample.character:
            # The region got another name: that is a new label.
            writer.enrol_as(sample.sample_id, name)
            self.robbed.add(sample.character)
            owner, sample.character = sample.character, writer.current_name(name) or name
            sample.enrolled_as = name
            return Enrolled(candidate, Outcome.RELABELLED, f"a face in {path} was {owner}.")
        if self._keep_poor and sample.is_poor:
            writer.keep([sample.sample_id])
            sample.is_poor = False
            return Enrolled(candidate, Outcome.KEPT)
        if sample.path == path:
            return Enrolled(candidate, Outcome.UNCHANGED)
        if self._known.holds(sample.path, sample.digest):
            return Enrolled(candidate, Outcome.DUPLICATE)
        before = sample.path
        self._follow(writer, file, sample)
        return Enrolled(candidate, Outcome.MOVED, f"{path} was {before}.")

    def _follow(self, writer: Writer, file: PictureFile, sample: _KnownSample) -> None:
        writer.follow(sample.sample_id, file.path)
        sample.path = file.path
        if not self._known.is_turned(sample.digest, self._known.content(file.digest)):
            # Else the face's place is counted in the picture as it was.
            writer.rewritten(file.path, sample.digest, file.digest)
            sample.digest = file.digest


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
