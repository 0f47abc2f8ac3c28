"""Writing the database: what one transaction can do. store.Store.writing gives it out."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from gallery.errors import (
    EnrolledFace,
    InputError,
    NameTaken,
    NoSuchAlias,
    NoSuchCharacter,
    NoSuchRejection,
    NoSuchSample,
)
from gallery.media.images import FileState, encode_png
from gallery.numerics.profiles import counting, profile
from gallery.store.answering import AnswerWriter
from gallery.store.belonging import put_series
from gallery.store.changes import note_change
from gallery.store.columns import (
    blob_of,
    box_of,
    is_sound,
    landmarks_to_json,
    matrix_of,
    quality_columns,
)
from gallery.store.contents import digests_of, hear_of_content, put_content
from gallery.store.deciding import DecisionWriter
from gallery.store.descriptors import portions, put
from gallery.store.dialects import is_free, upsert
from gallery.store.forgotten import (
    ForgottenFace,
    note_forgotten,
    put_forgotten,
    remember_again,
)
from gallery.store.names import clean_name, folded, is_reject_name
from gallery.store.rejections import SAME_PLACE, NewRejection, RejectionWriter
from gallery.store.sent import SentWriter
from gallery.store.sightings import SightingWriter
from gallery.store.steps import Action, DecidedFace, FaceMeant, Undone
from gallery.store.tables import (
    aliases,
    calibrations,
    characters,
    crops,
    descriptors,
    files,
    forgotten,
    profiles,
    refusals,
    rejections,
    samples,
    state,
)
from gallery.types import (
    UNDECIDED,
    Box,
    Content,
    DescribedFace,
    Descriptor,
    Face,
    Place,
    Quality,
    Retired,
)

MOST_NUMBER = 2**63 - 1
"""What SQLite takes; no row has a larger number."""


@dataclass(frozen=True, slots=True, eq=False)
class NewSample:
    """A face on its way into the gallery."""

    character: str
    digest: str
    path: Path
    face: Face
    crop_png: bytes
    descriptors: Mapping[str, Descriptor]
    """By encoder id."""
    detector: str
    enrolled_as: str
    quality: Quality | None = None
    is_poor: bool = False
    """True for one that ideal and best are to leave out while its character has others."""
    content: Content | None = None
    """What its file shows, as an export says."""

    @classmethod
    def of(
        cls,
        described: DescribedFace,
        name: str,
        *,
        digest: str,
        path: Path,
        encoder: str,
        detector: str,
        is_poor: bool,
    ) -> NewSample:
        """Return a described face on its way to the character that it is enrolled as."""
        return cls(
            character=name,
            digest=digest,
            path=path,
            face=described.face,
            crop_png=encode_png(described.crop),
            descriptors={encoder: described.descriptor},
            detector=detector,
            enrolled_as=name,
            quality=described.quality,
            is_poor=is_poor,
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of making one character of two."""

    samples: int
    """How many have another name since."""
    dropped: int
    """Rejections of either for faces that are confirmed or enrolled as the other."""
    rejections: int
    """Faces that are still said not to show the character."""


class Writer:
    """One transaction's changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.answers = AnswerWriter(connection)
        self.rejections = RejectionWriter(connection)
        self.sent = SentWriter(connection)
        self.decisions = DecisionWriter(connection, self.rejections)
        self.sightings = SightingWriter(connection)
        self._touched: set[int] = set()
        self._changed = False

    def current_name(self, name: str) -> str | None:
        """Return the current name of a character by any of its names; None if nobody has it."""
        found = self._find(name)
        return None if found is None else self._name(found)

    def owner_of(self, digest: str) -> str | None:
        """Return the character that a picture is enrolled as, None when it is not.

        Files that are known to show the same are one picture.
        """
        return self._connection.scalar(
            select(characters.c.name)
            .join(samples)
            .where(samples.c.digest.in_(digests_of(self._connection, digest)))
            .order_by(samples.c.id)
            .limit(1)
        )

    def add(self, sample: NewSample) -> int | None:
        """Add a sample and its character where that is new; return its id.

        Returns None, and changes nothing, when this face of this picture is there already.
        """
        if self._has_face(sample.digest, sample.face.box):
            return None
        character_id = self.character_id(sample.character)
        added = self._connection.execute(
            insert(samples)
            .values(
                character_id=character_id,
                digest=sample.digest,
                path=str(sample.path),
                enrolled_as=sample.enrolled_as,
                **sample.face.box._asdict(),
                score=sample.face.score,
                landmarks=landmarks_to_json(sample.face.landmarks),
                detector=sample.detector,
                is_poor=sample.is_poor,
                **quality_columns(sample.quality),
            )
            .returning(samples.c.id)
        )
        sample_id = int(added.scalar_one())
        self._connection.execute(insert(crops).values(sample_id=sample_id, png=sample.crop_png))
        for encoder, vector in sample.descriptors.items():
            self.describe(sample_id, encoder, vector)
        self._contradict(character_id, sample.digest, sample.face.box)
        remember_again(self._connection, sample.digest, sample.face.box)
        self._touched.add(character_id)
        return sample_id

    def has(self, sample_id: int) -> bool:
        """Say whether there is such a sample."""
        return self._owner(sample_id) is not None

    def describe(self, sample_id: int, encoder: str, vector: Descriptor) -> None:
        """Set a sample's descriptor by one encoder.

        Raises InputError for a descriptor of another shape and for a sample that does not exist.
        """
        blob = blob_of(vector, encoder)
        if not self.has(sample_id):
            raise NoSuchSample(sample_id)
        put(self._connection, descriptors, sample_id, encoder, blob)
        self._touch_owners([sample_id])

    def measure(self, sample_id: int, quality: Quality) -> None:
        """Note a sample's quality where it is unknown; whether it counts as poor stays as it is."""
        self._connection.execute(
            update(samples)
            .where(samples.c.id == sample_id, samples.c.sharpness.is_(None))
            .values(**quality_columns(quality))
        )

    def keep(self, sample_ids: Collection[int]) -> None:
        """Let samples that were marked as poor count for ideal and best from now on.

        Raises InputError for a sample that does not exist.
        """
        for sample_id in sample_ids:
            kept = self._connection.execute(
                update(samples).where(samples.c.id == sample_id).values(is_poor=False)
            )
            if kept.rowcount == 0:
                raise NoSuchSample(sample_id)
        self._touch_owners(sample_ids)

    def character_id(self, name: str) -> int:
        """Return a character's id by a present or former name; make the character if it is new."""
        name = clean_name(name)
        found = self._find(name)
        if found is not None:
            return found
        # Without samples it changes no answer, unless a decision named it before.
        self._changed |= self.decisions.has_named(name)
        made = self._connection.execute(
            insert(characters)
            .values(name=name, is_reject=is_reject_name(name), spelling=folded(name))
            .returning(characters.c.id)
        )
        return int(made.scalar_one())

    def follow(self, sample_id: int, path: Path) -> None:
        """Note where a sample's file lies now."""
        self._connection.execute(
            update(samples)
            .where(samples.c.id == sample_id)
            .values(path=str(path), is_replaced=False)
        )

    def rewritten(self, path: Path, before: str, digest: str) -> None:
        """Give the samples of a file its new digest: something was written beside its pixels."""
        self._connection.execute(
            update(samples)
            .where(
                samples.c.path == str(path),
                samples.c.digest == before,
                is_free(samples, "digest", digest),
            )
            .values(digest=digest)
        )

    def replaced(self, path: Path, before: str, folder: str) -> None:
        """Mark the samples of what a file held before, found in a folder of this name.

        Those that a person gave to another character stay unmarked. See retire.
        """
        self._connection.execute(
            update(samples)
            .where(
                samples.c.path == str(path),
                samples.c.digest.in_(digests_of(self._connection, before)),
                samples.c.enrolled_as == folder,
                samples.c.character_id == self._find(folder),
            )
            .values(is_replaced=True)
        )

    def retire(self, paths: Collection[Path]) -> list[Retired]:
        """Remove the samples of files that hold other pictures now, and return what they were.

        What a file held before may have moved and be found after it; so this comes at the end of a
        run, and is for the files that the run has looked at.
        """
        wanted = {str(path) for path in paths}
        rows = self._connection.execute(
            select(samples.c.id, samples.c.path, characters.c.name)
            .join(characters)
            .where(samples.c.is_replaced)
            .order_by(samples.c.id)
        )
        gone = [Retired(row.id, row.name, Path(row.path)) for row in rows if row.path in wanted]
        self.remove_samples([one.sample_id for one in gone])
        return gone

    def found_in(self, sample_id: int, folder: str) -> None:
        """Note that a sample's file lies in another folder now; whose it is stays."""
        self._connection.execute(
            update(samples).where(samples.c.id == sample_id).values(enrolled_as=folder)
        )

    def enrol_as(self, sample_id: int, folder: str) -> None:
        """Give a sample to the character of the folder that its file was moved to."""
        self.move([sample_id], folder)
        self.found_in(sample_id, folder)

    def move(self, sample_ids: Collection[int], name: str) -> None:
        """Give samples to a character; make the character if it is new.

        Raises InputError for a sample that does not exist.
        """
        target = self.character_id(name)
        self._touch_owners(sample_ids)
        for sample_id in sample_ids:
            moved = self._connection.execute(
                update(samples)
                .where(samples.c.id == sample_id)
                .values(character_id=target)
                .returning(samples)
            ).one_or_none()
            if moved is None:
                raise NoSuchSample(sample_id)
            self._contradict(target, moved.digest, box_of(moved))
        self._touched.add(target)

    def rename(self, old: str, new: str) -> None:
        """Give a character another name; its folder's name still means the character.

        Raises InputError when nobody has the old name or somebody else has the new one.
        """
        new = clean_name(new)
        character_id = self._known(old)
        holder = self._connection.scalar(select(characters.c.id).where(characters.c.name == new))
        if holder is not None and holder != character_id:
            raise NameTaken(old, new)
        former = self._name(character_id)
        # A class that turns faces away is no answer.
        self._changed |= is_reject_name(former) != is_reject_name(new)
        self._connection.execute(
            update(characters)
            .where(characters.c.id == character_id)
            .values(name=new, is_reject=is_reject_name(new), spelling=folded(new))
        )
        self._connection.execute(delete(aliases).where(aliases.c.name == new))
        if former != new:
            self._alias(former, character_id)
            self.decisions.rename(former, new)

    def remember_name(self, former: str, name: str) -> None:
        """Let a former name mean a character from now on, unless it means one already."""
        former = clean_name(former)
        if self._find(former) is None:
            self._alias(former, self._known(name))

    def add_alias(self, other: str, name: str) -> None:
        """Let another name mean a character, too.

        Raises InputError when nobody has the name, and where the other one means somebody else.
        """
        other = clean_name(other)
        found, known = self._find(other), self._known(name)
        if found is not None and found != known:
            raise NameTaken(self._name(known), other)
        if found is None:
            self._alias(other, known)

    def drop_alias(self, other: str, name: str) -> None:
        """Let another or former name of a character mean nobody any more.

        Raises InputError when nobody has the name, and where the character has not the other one.
        """
        gone = self._connection.execute(
            delete(aliases).where(
                aliases.c.name == clean_name(other), aliases.c.character_id == self._known(name)
            )
        )
        if gone.rowcount == 0:
            raise NoSuchAlias(name, other)

    def belong(self, names: Collection[str], series: str) -> str:
        """Let characters belong to a series, or to none without one; return its name as it stands.

        Raises InputError where nobody has one of the names.
        """
        known = {self._name(self._known(name)) for name in names}
        return put_series(self._connection, known, series)

    def series_of(self, name: str) -> str:
        """Return the series that a character belongs to; empty where that is not known."""
        return self._series(self._known(name))

    def _series(self, character_id: int) -> str:
        known = select(characters.c.series).where(characters.c.id == character_id)
        return str(self._connection.scalar(known))

    def merge(self, source: str, target: str, who: str = "") -> Merged:
        """Give all of one character's samples to another; one name remains.

        That a face does not show one of them is dropped where it is confirmed or enrolled as
        either, which is a step of its own. Raises InputError when nobody has one of the names or
        both are one.
        """
        source_id, target_id = self._known(source), self._known(target)
        if source_id == target_id:
            raise InputError(f"{source} and {target} are one character already.")
        name = self._name(target_id)
        dropped = self.decisions.agree((self._name(source_id), name), who)
        moved = self._connection.execute(
            update(samples)
            .where(samples.c.character_id == source_id)
            .values(character_id=target_id)
        ).rowcount
        former = self._name(source_id)
        self._connection.execute(
            update(aliases)
            .where(aliases.c.character_id == source_id)
            .values(character_id=target_id)
        )
        if not self._series(target_id) and (series := self._series(source_id)):
            put_series(self._connection, [name], series)
        self.rejections.follow(source_id, target_id)
        self.answers.follow(source_id, target_id)
        self.decisions.rename(former, name)
        self._remove(source_id)
        self._alias(former, target_id)
        self._touched.add(target_id)
        rejecting = self.decisions.rejecting(name)
        for face in rejecting:
            if name in self.samples_at(face.moment, face.box).values():
                self._contradict(target_id, face.digest, face.box)
        left = len(self.decisions.rejecting(name))
        return Merged(moved, dropped + len(rejecting) - left, left)

    def undo(self, step: int, who: str) -> Undone:
        """Undo a step of decisions; see DecisionWriter.undo.

        A character that a confirmation made goes with it, unless something else is the
        character's by now, and comes back where that is undone in its turn.
        """
        former = self.decisions.step(step)
        done = self.decisions.undo(step, who)
        if former.action is Action.DRAW and done.restored:
            for face in self.decisions.faces_of(step):
                self.sightings.erase_at(face.digest, face.box)
        if former.undoes is not None and done.steps:
            self._name_again(self.decisions.faces_of(done.steps[0].id))
        name = former.character
        if former.action is not Action.CONFIRM or not done.restored or name is None:
            return done
        found = self._find(name)
        if found is None or not self._is_empty(found):
            return done
        self._remove(found)
        return replace(done, gone=(name,))

    def _name_again(self, faces: Sequence[DecidedFace]) -> None:
        """Make the characters that faces are confirmed as and that went with an undone name."""
        names = {one.state.character for one in faces if one.state.character is not None}
        lacking = [name for name in sorted(names) if self._find(name) is None]
        for name in lacking:
            self.character_id(name)
        if lacking:
            self.answers.decided(faces)

    def _is_empty(self, character_id: int) -> bool:
        """Say whether a character is a name alone: nothing is, or was, known as it or called it."""
        name = self._name(character_id)
        own = (
            select(samples.c.id).where(
                (samples.c.character_id == character_id) | (samples.c.enrolled_as == name)
            ),
            select(forgotten.c.id).where(
                (forgotten.c.character == name) | (forgotten.c.enrolled_as == name)
            ),
            select(aliases.c.name).where(aliases.c.character_id == character_id),
            select(rejections.c.id).where(rejections.c.character_id == character_id),
        )
        is_bare = all(self._connection.execute(one.limit(1)).first() is None for one in own)
        is_bare = is_bare and not self._series(character_id)
        return is_bare and not self.decisions.says_of(name)

    def forget(self, name: str) -> int:
        """Remove a character with all its samples and return how many they were.

        Enrolment passes over them until they are asked for.
        """
        character_id = self._known(name)
        note_forgotten(self._connection, samples.c.character_id == character_id)
        self._connection.execute(delete(profiles).where(profiles.c.character_id == character_id))
        removed = self._connection.execute(
            delete(samples).where(samples.c.character_id == character_id)
        ).rowcount
        self._remove(character_id)
        return removed

    def forget_samples(self, sample_ids: Collection[int]) -> None:
        """Remove samples; their character stays. Raises InputError for one that does not exist.

        Enrolment passes over them until they are asked for.
        """
        self._touch_owners(sample_ids)
        for some in portions(list(sample_ids)):
            note_forgotten(self._connection, samples.c.id.in_(some))
        self.remove_samples(sample_ids)

    def forget_face(self, face: ForgottenFace) -> None:
        """Pass over a face that another gallery forgot, unless it is a sample here."""
        if face.content is not None:
            self.hear_of_content(face.digest, face.content)
        if not self._has_face(face.digest, face.box):
            put_forgotten(self._connection, face)

    def remove_samples(self, sample_ids: Collection[int]) -> None:
        """Remove samples; enrolment may find them again. Raises InputError for one that is gone."""
        self._touch_owners(sample_ids)
        for sample_id in sample_ids:
            gone = self._connection.execute(delete(samples).where(samples.c.id == sample_id))
            if gone.rowcount == 0:
                raise NoSuchSample(sample_id)

    def reject(
        self, one: NewRejection, who: str = "", *, action: Action = Action.REJECT
    ) -> int | None:
        """Decide that a face does not show a character; return the rejection's id.

        None where that is known. Raises InputError where nobody has the name, and where the face
        is enrolled as that very character.
        """
        name = self._name(self._known(one.character))
        self.check_not_enrolled(name, one.digest, one.box)
        self._changed = True
        meant = FaceMeant(
            Place(one.digest), one.path, one.box, None, one.crop_jpeg, one.descriptors
        )
        known = self.decisions.known_as(meant.place, one.box)
        state = self.decisions.faces([known])[known].state if known is not None else UNDECIDED
        if name in state.not_these:
            self.rejections.add(replace(one, character=name))
            return None
        step = self.decisions.begin(action, who, name)
        self.decisions.decide(step, [meant], lambda former, _: former.rejected(name))
        return next(iter(self.rejections.at(name, one.digest, one.box)), None)

    def check_not_enrolled(self, name: str, digest: str, box: Box) -> None:
        """Raise InputError where a face is enrolled as a character."""
        known = self._name(self._known(name))
        for sample, owner in self.samples_at(digest, box).items():
            if owner == known:
                raise EnrolledFace(sample, name)

    def describe_rejection(self, rejection_id: int, encoder: str, vector: Descriptor) -> None:
        """Set a rejected face's descriptor by one encoder, unless it was taken back meanwhile."""
        if self.rejections.describe(rejection_id, encoder, vector):
            self._changed = True

    def take_back(self, rejection_ids: Collection[int], who: str = "") -> None:
        """Take rejections back. Raises InputError where one does not exist."""
        step = self.decisions.begin(Action.TAKE_BACK, who)
        for number in rejection_ids:
            one = self.rejections.standing(number) if abs(number) <= MOST_NUMBER else None
            if one is None:
                raise NoSuchRejection(number)
            meant, name = FaceMeant(Place(one.digest), one.path, one.box), one.character
            self.decisions.take_back(step, meant, name)
            self.rejections.stand(name, one.digest, one.box, stands=False)
        self._changed = True

    def samples_at(self, digest: str, box: Box) -> dict[int, str]:
        """Return the samples in about that place of a picture by id, and whose they are."""
        rows = self._connection.execute(
            select(samples, characters.c.name)
            .join(characters)
            .where(samples.c.digest.in_(digests_of(self._connection, digest)))
            .order_by(samples.c.id)
        )
        return {row.id: row.name for row in rows if box_of(row).overlap(box) >= SAME_PLACE}

    def remember_file(self, path: Path, file_state: FileState, digest: str) -> None:
        """Note what a file held, so that it is not read again while it stays as it is."""
        values = {**file_state._asdict(), "digest": digest}
        self._connection.execute(
            upsert(self._connection, files)
            .values(path=str(path), **values)
            .on_conflict_do_update(index_elements=[files.c.path], set_=values)
        )

    def remember_content(self, digest: str, content: Content) -> None:
        """Note what a file of a digest shows."""
        put_content(self._connection, digest, content)

    def hear_of_content(self, digest: str, content: Content) -> None:
        """Note what a file of a digest shows as an export says, unless it is known."""
        hear_of_content(self._connection, digest, content)

    def remember_refusal(self, digest: str, settings: str, reason: str) -> None:
        """Note why a content was refused under certain settings, so that it is not tried again."""
        self._connection.execute(
            upsert(self._connection, refusals)
            .values(digest=digest, settings=settings, reason=reason)
            .on_conflict_do_update(
                index_elements=[refusals.c.digest, refusals.c.settings], set_={"reason": reason}
            )
        )

    def calibrate(self, encoder: str, made_at: str, body: str) -> None:
        """Keep what an encoder's calibration found, as JSON, and when it was made, ISO 8601."""
        values = {"made_at": made_at, "body": body}
        self._connection.execute(
            upsert(self._connection, calibrations)
            .values(encoder=encoder, **values)
            .on_conflict_do_update(index_elements=[calibrations.c.encoder], set_=values)
        )

    def finish(self) -> None:
        """Make ideal and best of every touched character true; called before the end."""
        for character_id in sorted(self._touched):
            self._renew_profiles(character_id)
        if self._touched or self._changed:
            change = uuid.uuid4().hex
            self._connection.execute(update(state).values(change=change))
            note_change(self._connection, change)

    def _renew_profiles(self, character_id: int) -> None:
        self._connection.execute(delete(profiles).where(profiles.c.character_id == character_id))
        rows = self._connection.execute(
            select(descriptors, samples.c.is_poor)
            .join(samples)
            .where(samples.c.character_id == character_id)
            .order_by(descriptors.c.sample_id)
        ).all()
        # A damaged descriptor does not count here until reencoding has replaced it.
        rows = [row for row in rows if is_sound(row.vector, row.encoder)]
        for encoder in {row.encoder for row in rows}:
            own = [row for row in rows if row.encoder == encoder]
            own = [own[row] for row in counting([one.is_poor for one in own])]
            found = profile(matrix_of([row.vector for row in own], encoder))
            self._connection.execute(
                insert(profiles).values(
                    character_id=character_id,
                    encoder=encoder,
                    ideal=found.ideal.astype("<f4").tobytes(),
                    best_sample_id=own[found.best].sample_id,
                )
            )

    def _find(self, name: str) -> int | None:
        return self._connection.scalar(
            select(characters.c.id).where(characters.c.name == name)
        ) or self._connection.scalar(select(aliases.c.character_id).where(aliases.c.name == name))

    def _known(self, name: str) -> int:
        found = self._find(clean_name(name))
        if found is None:
            raise NoSuchCharacter(name)
        return found

    def _name(self, character_id: int) -> str:
        return str(
            self._connection.scalar(
                select(characters.c.name).where(characters.c.id == character_id)
            )
        )

    def _alias(self, name: str, character_id: int) -> None:
        self._connection.execute(
            upsert(self._connection, aliases)
            .values(name=name, character_id=character_id, spelling=folded(name))
            .on_conflict_do_update(
                index_elements=[aliases.c.name], set_={"character_id": character_id}
            )
        )

    def _remove(self, character_id: int) -> None:
        """Remove a character without samples; its profiles and former names go with it."""
        self._touched.discard(character_id)
        self.answers.forget(character_id)
        self._connection.execute(delete(characters).where(characters.c.id == character_id))
        self._changed = True

    def _touch_owners(self, sample_ids: Collection[int]) -> None:
        for sample_id in sample_ids:
            if abs(sample_id) > MOST_NUMBER:
                raise NoSuchSample(sample_id)
            owner = self._owner(sample_id)
            if owner is not None:
                self._touched.add(owner)

    def _owner(self, sample_id: int) -> int | None:
        return self._connection.scalar(
            select(samples.c.character_id).where(samples.c.id == sample_id)
        )

    def _contradict(self, character_id: int, digest: str, box: Box) -> None:
        """Drop what was said against a face that is enrolled as the character after all."""
        name = self._name(character_id)
        if self.rejections.at(name, digest, box):
            self.rejections.stand(name, digest, box, stands=False)
            self._changed = True
        self.decisions.enrolled(digest, box, name)

    def _has_face(self, digest: str, box: Box) -> bool:
        found = self._connection.scalar(
            select(samples.c.id).where(
                samples.c.digest.in_(digests_of(self._connection, digest)),
                *(samples.c[side] == place for side, place in box._asdict().items()),
            )
        )
        return found is not None
