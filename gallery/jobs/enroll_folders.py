"""Taking folders of pictures into the gallery.

A file is known by its content. One that has not changed is not read, one whose content is
enrolled or was refused before is not decoded, and nothing leaves the gallery because a file did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import (
    BadName,
    InputError,
    NoFace,
    NoFacePasses,
    NothingFound,
    SamePicture,
    SeveralFaces,
    Unnameable,
    UnusableFile,
)
from gallery.faces.describe import Describer
from gallery.faces.quality import NO_GATES, Gates, is_poor
from gallery.jobs.refusals import recalled, remembered, settings_key
from gallery.media.images import (
    FileState,
    check_path,
    decode,
    digest_of,
    file_state,
    pictures_below,
    read_bytes,
)
from gallery.store.reader import Label, Store
from gallery.store.writer import NewSample, Writer, clean_name
from gallery.system.file_names import character_name
from gallery.system.threads import ROOM, ahead
from gallery.types import Candidate, DescribedFace, Enrolled, Face, Image, Outcome

if TYPE_CHECKING:
    from gallery.engine.engine import Engine

CHUNK = 8
"""Pictures between two commits: what an interruption costs, at most."""

DOMINANCE = 4.0
"""A face clearly dominates when it covers this many times the area of the next."""


def candidates_in(folder: Path) -> tuple[list[Candidate], list[Path]]:
    """Return what a folder of folders holds for enrolment, and pictures in no character's folder.

    Everything below a folder belongs to the character of the topmost folder's name. Raises
    InputError where there is no such folder or nothing in it.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        cure = "give a folder that holds one folder per character"
        raise NothingFound(folder, what, remedy=cure)
    root = folder.resolve()
    candidates: list[Candidate] = []
    loose: list[Path] = []
    for path in pictures_below(root):
        inside = path.relative_to(root).parts
        if len(inside) == 1:
            loose.append(path)
        else:
            candidates.append(Candidate(path, _character_of(inside[0])))
    if not candidates and loose:
        raise NothingFound(
            folder,
            "holds pictures but no folder per character",
            remedy="put them into folders with the characters' names, or give the folder above",
        )
    if not candidates:
        raise NothingFound(folder, "holds no folder with a picture in it")
    return candidates, loose


def _character_of(folder: str) -> str:
    """Return the name that a folder stands for, as it is when it can be none."""
    try:
        return clean_name(character_name(folder))
    except InputError:
        return folder


def enroll_candidates(
    engine: Engine,
    candidates: Sequence[Candidate],
    *,
    largest: bool = False,
    gates: Gates = NO_GATES,
    keep_poor: bool = False,
) -> Iterator[Enrolled]:
    """Enroll pictures and say of each what became of it; see Enrolment for the options.

    Raises StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    yield from Enrolment(
        engine.store, engine.describer, largest=largest, gates=gates, keep_poor=keep_poor
    ).run(candidates)


def choose_face(path: Path, faces: Sequence[Face], *, largest: bool) -> Face:
    """Return the one face a picture is enrolled by.

    Raises InputError with the count when there is none, or several of which none clearly
    dominates; largest takes the largest of them.
    """
    if not faces:
        raise NoFace(path)
    by_size = sorted(faces, key=lambda face: -face.box.area)
    if len(faces) == 1 or largest or by_size[0].box.area >= DOMINANCE * by_size[1].box.area:
        return by_size[0]
    raise SeveralFaces(path, len(faces))


@dataclass(slots=True, eq=False)
class _Pending:
    """A file that something has to be written about."""

    candidate: Candidate
    state: FileState
    digest: str
    image: Image | None = None
    described: DescribedFace | None = None
    refusal: UnusableFile | None = None
    """Why it is refused."""


class Enrolment:
    """One pass over candidates."""

    def __init__(
        self,
        store: Store,
        describer: Describer,
        *,
        largest: bool = False,
        gates: Gates = NO_GATES,
        keep_poor: bool = False,
    ) -> None:
        """Prepare a pass.

        Faces that do not pass the gates are as if they were not there. With keep_poor no face is
        marked as poor, and those that were marked before count from now on.
        """
        self._store = store
        self._describer = describer
        self._largest = largest
        self._gates = gates
        self._keep_poor = keep_poor
        self._settings = settings_key(describer.detector.name, largest=largest, gates=gates)
        self._files = store.known_files()
        self._labels = store.labels()
        self._refusals = store.refusals(self._settings)

    def run(self, candidates: Sequence[Candidate]) -> Iterator[Enrolled]:
        """Enroll candidates, CHUNK pictures a transaction, and say of each what became of it.

        What has been yielded is in the database. A file that cannot be used is refused with the
        reason and the pass goes on.
        """
        pending: list[_Pending] = []
        # What was enrolled after a file was looked at is looked up again when it is settled.
        for looked in ahead(self._look, candidates, most=CHUNK, size=_pixels, room=ROOM):
            if isinstance(looked, Enrolled):
                yield looked
                continue
            pending.append(looked)
            if len(pending) == CHUNK:
                yield from self._settle_all(pending)
                pending = []
        yield from self._settle_all(pending)

    def _look(self, candidate: Candidate) -> Enrolled | _Pending:
        """Read only what is needed to say what has to be done about a file."""
        path = candidate.path
        try:
            _check_names(candidate)
            state = file_state(path)
            known = self._files.get(str(path))
            content = None
            if known is None or known.state != state:
                content = read_bytes(path)
                digest = digest_of(content)
            else:
                digest = known.digest
            looked_at = content is None
            pending = _Pending(candidate, state, digest)
            label = self._labels.get(digest)
            if label is not None:
                at_home = looked_at and label.path == path and not self._is_to_be_kept(label)
                return Enrolled(candidate, Outcome.UNCHANGED) if at_home else pending
            pending.refusal = recalled(self._refusals.get(digest, ""), path)
            if pending.refusal is not None:
                return Enrolled.refused(candidate, pending.refusal) if looked_at else pending
            if content is None:
                content = read_bytes(path)
        except InputError as error:
            return Enrolled.refused(candidate, error.detached())
        try:
            pending.image = decode(content, path)
        except UnusableFile as error:
            pending.refusal = error.detached()
        return pending

    def _settle_all(self, pending: Sequence[_Pending]) -> list[Enrolled]:
        if not pending:
            return []
        self._describe(pending)
        with self._store.writing() as writer:
            return [self._settle(writer, one) for one in pending]

    def _describe(self, pending: Sequence[_Pending]) -> None:
        seen = [one for one in pending if one.image is not None]
        chosen: list[tuple[_Pending, Image, Face]] = []
        images = [one.image for one in seen if one.image is not None]
        for one, image, faces in zip(seen, images, self._describer.faces(images), strict=True):
            try:
                face = self._choose(image, faces)
            except UnusableFile as error:
                one.refusal = error.detached()
            else:
                chosen.append((one, image, face))
        described = self._describer.describe([(image, face) for _, image, face in chosen])
        for (one, _, _), face_described in zip(chosen, described, strict=True):
            one.described = face_described

    def _choose(self, image: Image, faces: Sequence[Face]) -> Face:
        passing = self._describer.passing(image, faces, self._gates)
        if faces and not passing:
            raise NoFacePasses(image.path, self._gates.min_face, self._gates.min_quality)
        return choose_face(image.path, passing, largest=self._largest)

    def _settle(self, writer: Writer, one: _Pending) -> Enrolled:
        writer.remember_file(one.candidate.path, one.state, one.digest)
        label = self._labels.get(one.digest)
        if label is not None:
            return self._follow(writer, one.candidate, one.digest, label)
        if one.described is None:
            refusal = one.refusal or NoFace(one.candidate.path)
            self._refusals[one.digest] = remembered(refusal)
            writer.remember_refusal(one.digest, self._settings, self._refusals[one.digest])
            return Enrolled.refused(one.candidate, refusal)
        # Another process may have enrolled it by now.
        owner = writer.owner_of(one.digest)
        if owner is not None:
            return _copy(writer, one.candidate, owner)
        return self._add(writer, one, one.described)

    def _add(self, writer: Writer, one: _Pending, described: DescribedFace) -> Enrolled:
        path, name = one.candidate.path, one.candidate.character
        poor = is_poor(described.quality) and not self._keep_poor
        sample_id = writer.add(
            NewSample.of(
                described,
                name,
                digest=one.digest,
                path=path,
                encoder=self._describer.encoder.id,
                detector=self._describer.detector.name,
                is_poor=poor,
            )
        )
        if sample_id is not None:
            owner = writer.current_name(name) or name
            self._labels[one.digest] = Label(sample_id, owner, path, name, poor)
        return Enrolled(one.candidate, Outcome.ADDED, is_poor=poor)

    def _is_to_be_kept(self, label: Label) -> bool:
        return self._keep_poor and label.is_poor

    def _follow(self, writer: Writer, candidate: Candidate, digest: str, label: Label) -> Enrolled:
        """Settle a file whose content is enrolled."""
        if label.path == candidate.path:
            if not self._is_to_be_kept(label):
                return Enrolled(candidate, Outcome.UNCHANGED)
            writer.keep([label.sample_id])
            self._labels[digest] = replace(label, is_poor=False)
            return Enrolled(candidate, Outcome.KEPT)
        if self._still_there(label, digest):
            if candidate.character == label.enrolled_as:
                # A copy in the same folder stays one, whoever the sample was given to since.
                return Enrolled(candidate, Outcome.DUPLICATE)
            return _copy(writer, candidate, label.character, label.path)
        writer.follow(label.sample_id, candidate.path)
        owner, outcome = label.character, Outcome.MOVED
        if candidate.character != label.enrolled_as:
            # The file was put into another character's folder: that is a new label.
            writer.enrol_as(label.sample_id, candidate.character)
            owner = writer.current_name(candidate.character) or candidate.character
            if owner != label.character:
                outcome = Outcome.RELABELLED
        if self._is_to_be_kept(label):
            writer.keep([label.sample_id])
        self._labels[digest] = Label(
            label.sample_id,
            owner,
            candidate.path,
            candidate.character,
            label.is_poor and not self._keep_poor,
        )
        return Enrolled(
            candidate, outcome, f"{candidate.path} was {label.path} of {label.character}."
        )

    def _still_there(self, label: Label, digest: str) -> bool:
        try:
            state = file_state(label.path)
            known = self._files.get(str(label.path))
            if known is not None and known.state == state:
                return known.digest == digest
            return digest_of(read_bytes(label.path)) == digest
        except InputError:
            return False


def _pixels(looked: Enrolled | _Pending) -> int:
    """Return the bytes of a decoded picture."""
    image = looked.image if isinstance(looked, _Pending) else None
    return 0 if image is None else image.pixels.nbytes


def _check_names(candidate: Candidate) -> None:
    """Raise InputError for a path that cannot be stored, and a folder that can name nobody."""
    check_path(candidate.path)
    try:
        clean_name(candidate.character)
    except BadName as error:
        raise Unnameable(
            candidate.path, f"cannot be enrolled: {error.fact}", remedy=error.cure
        ) from error


def _copy(writer: Writer, candidate: Candidate, owner: str, where: Path | None = None) -> Enrolled:
    """Settle a second copy of an enrolled content: harmless in one character, else a riddle."""
    if writer.current_name(candidate.character) == owner:
        return Enrolled(candidate, Outcome.DUPLICATE)
    return Enrolled.refused(candidate, SamePicture(candidate.path, owner, where))
