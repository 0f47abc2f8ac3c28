"""Taking folders of pictures into the gallery.

A picture is known by its file's content, and by its pixels. A file that has not changed is not
read, and one whose content is enrolled or was refused before is not decoded. Nothing leaves the
gallery because a file did. Where a file was replaced, what it showed before goes, unless it turns
up elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gallery.errors import (
    BadName,
    GalleryError,
    InputError,
    NoFace,
    NoFacePasses,
    NothingFound,
    SamePicture,
    SeveralFaces,
    Unnameable,
    UnnamedFolders,
    UnusableFile,
)
from gallery.events import Refused
from gallery.faces.describe import Describer
from gallery.faces.quality import NO_GATES, Gates, is_poor
from gallery.jobs.known_pictures import KnownPictures, retire
from gallery.jobs.refusals import recalled, remembered, settings_key
from gallery.media.images import FileState, check_path, decode, decode_png
from gallery.media.inputs import Media, sort_in
from gallery.store.names import clean_name
from gallery.store.reader import Label, Store
from gallery.store.writer import NewSample, Writer
from gallery.system.file_names import character_name, is_numbered_folder
from gallery.system.files import is_folder, is_there
from gallery.system.threads import ROOM, ahead
from gallery.types import (
    Candidate,
    Content,
    DescribedFace,
    Enrolled,
    Face,
    Image,
    Outcome,
    Retired,
)

if TYPE_CHECKING:
    from gallery.engine.engine import Engine

CHUNK = 8
"""Pictures between two commits: what an interruption costs, at most."""

DOMINANCE = 4.0
"""A face clearly dominates when it covers this many times the area of the next."""


def candidates_in(folder: Path) -> tuple[list[Candidate], Media]:
    """Return what a folder of folders holds for enrolment, and all that was found there.

    Everything below a folder belongs to the character of the topmost folder's name; pictures in no
    character's folder are refused. Raises InputError where there is no such folder or nothing in
    it.
    """
    if not is_folder(folder):
        what = "is not a folder" if is_there(folder) else "does not exist"
        cure = "give a folder that holds one folder per character"
        raise NothingFound(folder, what, remedy=cure)
    root = folder.resolve()
    found = Media()
    sort_in(found, root)
    candidates: list[Candidate] = []
    for path in found.pictures:
        inside = path.relative_to(root).parts
        if len(inside) == 1:
            why = UnusableFile(path, "lies in no character's folder")
            found.refused.append(Refused.because(path, why))
        else:
            candidates.append(Candidate(path, _character_of(inside[0])))
    if not candidates and found.pictures:
        raise NothingFound(
            folder,
            "holds pictures but no folder per character",
            remedy="put them into folders with the characters' names, or give the folder above",
        )
    if not candidates:
        raise _first_of(found) or NothingFound(folder, "holds no folder with a picture in it")
    return candidates, found


def named_candidates(folder: Path) -> tuple[list[Candidate], Media, UnnamedFolders | None]:
    """Return what candidates_in does, without the folders of faces that nobody has named yet.

    Those of `label`, whose names are no character's, are refused; those of `harvest` are counted,
    None where there are none.
    """
    from gallery.output.sorted_folders import OWN_FOLDERS

    candidates, media = candidates_in(folder)
    root = folder.resolve()
    for one in (root / name for name in sorted(OWN_FOLDERS)):
        some = len(candidates)
        candidates = [at for at in candidates if not at.path.is_relative_to(one)]
        if len(candidates) < some:
            why = UnusableFile(
                one, "holds faces without a name", remedy="rename it to have them taken in"
            )
            media.refused.append(Refused.because(one, why))
    inside = [one.path.relative_to(root).parts[0] for one in candidates]
    unnamed = Counter(name for name in inside if is_numbered_folder(name))
    named = [one for one, name in zip(candidates, inside, strict=True) if name not in unnamed]
    return named, media, UnnamedFolders(len(unnamed), unnamed.total()) if unnamed else None


def _first_of(found: Media) -> GalleryError | None:
    """Return why the first of what was found is refused."""
    return found.refused[0].error if found.refused else None


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
    again: bool = False,
) -> Iterator[Enrolled]:
    """Enroll pictures and say of each what became of it; see Enrolment for the options.

    Raises StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    yield from Enrolment(
        engine.store,
        engine.describer,
        largest=largest,
        gates=gates,
        keep_poor=keep_poor,
        again=again,
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
    content: Content | None = None
    """What it shows, where it was decoded."""
    image: Image | None = None
    """Where it may be enrolled."""
    described: DescribedFace | None = None
    refusal: UnusableFile | None = None
    """Why it is refused."""
    is_old_picture: bool = False
    """Its face tells that it shows what the file showed before."""


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
        again: bool = False,
        check: Callable[[Image], None] | None = None,
    ) -> None:
        """Prepare a pass.

        Faces that do not pass the gates are as if they were not there. With keep_poor no face is
        marked as poor, and those that were marked before count from now on. With again, pictures
        whose faces were forgotten are enrolled like others. `check` raises UnusableFile for
        pictures that are not to be enrolled.
        """
        self._check = check
        self._store = store
        self._describer = describer
        self._largest = largest
        self._gates = gates
        self._keep_poor = keep_poor
        self._again = again
        self._settings = settings_key(describer.detector.name, largest=largest, gates=gates)
        self._known = KnownPictures(store, ())
        self._labels: dict[str, Label] = {}
        """By what pictures are known by, see KnownPictures.key."""
        self._refusals: dict[str, str] = {}
        self.robbed: set[str] = set()
        """The characters that samples were taken from, since their files are other folders' now."""
        self.retired: list[Retired] = []
        """After a whole pass: the samples that are gone, since their files hold other pictures."""

    def run(self, candidates: Sequence[Candidate]) -> Iterator[Enrolled]:
        """Enroll candidates, CHUNK pictures a transaction, and say of each what became of it.

        What has been yielded is in the database. A file that cannot be used is refused with the
        reason and the pass goes on. At its end, what `retired` names is removed.
        """
        self._known.meet_files([one.path for one in candidates])
        self._meet(self._known.digests_before())
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
        self.retired = retire(self._store, {one.path for one in candidates})

    def _look(self, candidate: Candidate) -> Enrolled | _Pending:
        """Read only what is needed to say what has to be done about a file."""
        try:
            _check_names(candidate)
            file = self._known.look(candidate.path)
            pending = _Pending(candidate, file.state, file.digest)
            self._meet([file.digest])
            label = self._label(pending)
            if label is not None and self._known.is_decoded(file.digest):
                at_home = label.path == candidate.path and not self._is_to_be_kept(label)
                unchanged = Enrolled(candidate, Outcome.UNCHANGED)
                return unchanged if at_home and not file.is_read else pending
            if label is None and self._is_forgotten(pending):
                return pending if file.is_read else Enrolled(candidate, Outcome.FORGOTTEN)
            if label is None:
                pending.refusal = recalled(self._refusals.get(file.digest, ""), file.path)
            if pending.refusal is not None:
                return pending if file.is_read else Enrolled.refused(candidate, pending.refusal)
            content = file.read()
        except InputError as error:
            return Enrolled.refused(candidate, error.detached())
        try:
            image = decode(content, file.path)
        except UnusableFile as error:
            pending.refusal = error.detached()
        else:
            pending.content = image.content
            self._meet([] if image.content is None else [image.content.pixels])
            # What is enrolled is decoded for its pixels' digest alone.
            pending.image = image if self._label(pending) is None else None
        return pending

    def _meet(self, digests: Collection[str]) -> None:
        """Read what the gallery knows of pictures, where it was not read yet."""
        shown = self._known.meet(digests)
        if not shown:
            return
        labels = self._store.labels(shown).values()
        # Whether a sample's file still holds it is asked in the midst of writing.
        self._known.meet_files([label.path for label in labels])
        for label in sorted(labels, key=lambda one: one.sample_id):
            self._labels.setdefault(self._known.key(label.digest), label)
        for digest, reason in self._store.refusals(self._settings, shown).items():
            self._refusals.setdefault(digest, reason)

    def _label(self, one: _Pending) -> Label | None:
        """Return where a picture is enrolled, known by its file, else by its pixels."""
        label = self._labels.get(self._known.key(one.digest))
        if label is None and one.content is not None:
            label = self._labels.get(one.content.pixels)
        return label

    def _is_forgotten(self, one: _Pending) -> bool:
        if self._again:
            return False
        return bool(self._known.forgotten(one.digest, one.candidate.character))

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
            one.is_old_picture = self._is_old_picture(one, face_described)

    def _choose(self, image: Image, faces: Sequence[Face]) -> Face:
        if self._check is not None:
            self._check(image)
        passing = self._describer.passing(image, faces, self._gates)
        if faces and not passing:
            raise NoFacePasses(
                image.path,
                self._gates.min_face,
                self._gates.min_quality,
                self._gates.portrait,
            )
        return choose_face(image.path, passing, largest=self._largest)

    def _is_old_picture(self, one: _Pending, described: DescribedFace) -> bool:
        """Say whether a file shows what it showed when nobody noted its pixels yet.

        The stored crop tells: another picture gives no crop that is the same to the bit.
        """
        before = self._known.before(one.candidate.path)
        if before is None or self._known.is_decoded(before):
            return False
        label = self._labels.get(before)
        if label is None or label.path != one.candidate.path:
            return False
        crop = self._store.crops([label.sample_id]).get(label.sample_id)
        return crop is not None and np.array_equal(decode_png(crop), described.crop)

    def _settle(self, writer: Writer, one: _Pending) -> Enrolled:
        path, before = one.candidate.path, self._known.before(one.candidate.path)
        writer.remember_file(path, one.state, one.digest)
        if one.content is not None:
            self._learn(writer, one.digest, one.content)
            if before is not None and one.is_old_picture:
                self._learn(writer, before, one.content)
        settled = self._settled(writer, one)
        is_in = settled.outcome not in (Outcome.REFUSED, Outcome.FORGOTTEN)
        if before is not None and is_in and self._known.key(before) != self._known.key(one.digest):
            writer.replaced(path, before, one.candidate.character)
        return settled

    def _learn(self, writer: Writer, digest: str, content: Content) -> None:
        label = self._labels.pop(self._known.key(digest), None)
        self._known.learn(writer, digest, content)
        if label is not None:
            self._labels.setdefault(content.pixels, label)

    def _settled(self, writer: Writer, one: _Pending) -> Enrolled:
        label = self._label(one)
        if label is not None:
            return self._follow(writer, one, label)
        if self._is_forgotten(one):
            return Enrolled(one.candidate, Outcome.FORGOTTEN)
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
            self._note(Label(sample_id, owner, path, name, poor, one.digest))
        return Enrolled(one.candidate, Outcome.ADDED, is_poor=poor)

    def _note(self, label: Label) -> None:
        self._labels[self._known.key(label.digest)] = label

    def _is_to_be_kept(self, label: Label) -> bool:
        return self._keep_poor and label.is_poor

    def _follow(self, writer: Writer, one: _Pending, label: Label) -> Enrolled:
        """Settle a file whose picture is enrolled."""
        candidate = one.candidate
        if label.path != candidate.path and self._known.holds(label.path, label.digest):
            if candidate.character == label.enrolled_as:
                # A copy in the same folder stays one, whoever the sample was given to since.
                return Enrolled(candidate, Outcome.DUPLICATE)
            return _copy(writer, candidate, label.character, label.path)
        outcome, owner = self._outcome(writer, candidate, label)
        writer.follow(label.sample_id, candidate.path)
        digest = label.digest
        if not self._known.is_turned(digest, self._known.content(one.digest)):
            # Else the face's place is counted in the picture as it was.
            writer.rewritten(candidate.path, digest, one.digest)
            digest = one.digest
        if self._is_to_be_kept(label):
            writer.keep([label.sample_id])
        self._note(
            Label(
                label.sample_id,
                owner,
                candidate.path,
                label.enrolled_as if label.path == candidate.path else candidate.character,
                label.is_poor and not self._keep_poor,
                digest,
            )
        )
        if label.path == candidate.path:
            return Enrolled(candidate, outcome)
        meant = writer.current_name(candidate.character)
        return Enrolled(
            candidate,
            outcome,
            f"{candidate.path} was {label.path} of {label.character}.",
            stays_with=owner if outcome is Outcome.MOVED and meant != owner else None,
        )

    def _outcome(self, writer: Writer, candidate: Candidate, label: Label) -> tuple[Outcome, str]:
        """Return what becomes of an enrolled picture's only file, and whose it is then."""
        if label.path == candidate.path:
            is_kept = self._is_to_be_kept(label)
            return Outcome.KEPT if is_kept else Outcome.UNCHANGED, label.character
        if candidate.character == label.enrolled_as:
            return Outcome.MOVED, label.character
        if writer.current_name(label.enrolled_as) != label.character:
            # A person gave the sample to this character by hand.
            writer.found_in(label.sample_id, candidate.character)
            return Outcome.MOVED, label.character
        # The file was put into another character's folder: that is a new label.
        writer.enrol_as(label.sample_id, candidate.character)
        self.robbed.add(label.character)
        owner = writer.current_name(candidate.character) or candidate.character
        return Outcome.MOVED if owner == label.character else Outcome.RELABELLED, owner


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
