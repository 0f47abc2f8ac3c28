"""The gallery: enroll, identify, look after. The command line and programs talk to this."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.engine.drawn import with_drawn
from gallery.errors import (
    BadSetting,
    GalleryError,
    InputError,
    LookAlikes,
    NameTaken,
    NoSuchCharacter,
    NoSuchSample,
    NotEncoded,
    OutgrownCalibration,
    SetupError,
    StaleCalibration,
)
from gallery.faces.crops import check_crop
from gallery.faces.describe import DescribedPicture, Describer
from gallery.faces.interfaces import Detector
from gallery.faces.quality import NO_GATES, Gates
from gallery.identify.calibration.calibrate import Calibrated, calibrate
from gallery.identify.calibration.model import Calibration
from gallery.identify.calibration.strangers import Strangers, nobody
from gallery.identify.calibration.trials import References
from gallery.identify.distinct import pairs_beside
from gallery.identify.index_cache import IndexCache
from gallery.identify.judging import Judgement, Judging, references_of, rejections_of
from gallery.identify.judging_pictures import CANDIDATES, Judged, judge_pictures
from gallery.identify.look_alikes import look_alikes_of
from gallery.identify.matching import Matcher
from gallery.identify.seen import SeenFaces
from gallery.media.images import decode_png, file_state
from gallery.store.answers import MOST_ALTERNATIVES, GalleryState
from gallery.store.decided import DecidedFaces, Ruling
from gallery.store.names import clean_name
from gallery.store.reader import Store
from gallery.store.rejections import NEARLY, SAME_PLACE, Rejected
from gallery.store.sightings import Observation, Sighting
from gallery.store.writer import Merged
from gallery.system.files import absolute
from gallery.types import (
    UNDECIDED,
    Answer,
    Character,
    Crop,
    Decided,
    DescribedFace,
    FaceState,
    Image,
    Match,
    MatchMode,
    Place,
    Record,
    Sample,
    Thresholds,
)

CALIBRATED_FPIR = 0.01
MOST_FPIR = 0.5

COMPARED_WHOLE = 256
"""Up to so many characters all are compared where some may look like others."""


class Smoothed(NamedTuple):
    """Where faces are asked about instead of at their descriptors."""

    descriptors: NDArray[np.float32]
    """Shape (n, DIMENSION)."""
    calibration: Calibration
    """The gallery's for such places."""


class Engine:
    """Named characters, and who is in a picture. Made by assemble.open_gallery."""

    def __init__(
        self,
        store: Store,
        encoder: str,
        thresholds: Thresholds,
        open_describer: Callable[[], Describer],
        cache: IndexCache,
        *,
        read_strangers: Callable[[], Strangers] = nobody,
        open_heads: Callable[[], Detector] | None = None,
        collage: bool = False,
        series: str | None = None,
    ) -> None:
        """Join a database with an encoder's id, its thresholds and the means to describe faces.

        The describer is opened when it is first needed: looking after names needs no network. So
        are the strangers that ship with the encoder, and the detector that sees whether a picture
        is a face that was cut out; without one its shape alone tells. In a collage several faces
        of a picture may have one name. Where a series is given, faces are answered and learnt from
        as if its characters were all that there are; what a person decided rules all the same.

        Raises InputError for a series that no character belongs to.
        """
        self.store = store
        self.encoder = encoder
        self.thresholds = thresholds
        self._open_describer = open_describer
        self._open_heads = open_heads
        self._collage = collage
        self.series = None if series is None else store.series.called(series)
        """The one that questions are kept to; None where all characters are asked for."""
        self.calibrated_as = encoder if self.series is None else f"{encoder} of {self.series}"
        """What the calibration in the database is kept for."""
        self._matcher = Matcher(store, encoder, cache, series=self.series)
        # A series that was not calibrated goes by what all characters say.
        keys = (self.calibrated_as, encoder)
        self.judging = Judging(store, encoder, thresholds, read_strangers, kept_as=keys)
        self.seen = SeenFaces(store, encoder)
        self._rejected: tuple[object, Rejected] | None = None
        self._ruling: Ruling | None = None
        self._look_alikes: tuple[object, tuple[tuple[str, str], ...]] | None = None

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                # Between the last question and the end, too, all may have been for nothing.
                self.store.check_place()
        finally:
            self.close()

    @cached_property
    def describer(self) -> Describer:
        """The detector, aligner and encoder in use, opened."""
        return self._open_describer()

    @cached_property
    def _heads(self) -> Detector | None:
        return None if self._open_heads is None else self._open_heads()

    def check_crop(self, image: Image) -> None:
        """Raise InputError where a picture can be no face that was cut out, see faces.crops."""
        check_crop(image, lambda: self._heads)

    def identify(
        self,
        image: Image,
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        gates: Gates = NO_GATES,
    ) -> Record:
        """Say who every face in a picture is that passes, with the top nearest characters."""
        (record,) = self.identify_all([image], mode=mode, top=top, gates=gates)
        return record

    def identify_all(
        self,
        images: Sequence[Image],
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        gates: Gates = NO_GATES,
        keep: bool = False,
    ) -> list[Record]:
        """Say of several pictures what identify says of each; together they take less time.

        With keep, what is seen in them is noted, see `keep`.
        """
        return self.records(self.observe(images, gates), mode=mode, top=top, keep=keep)

    def observe(self, images: Sequence[Image], gates: Gates = NO_GATES) -> list[Observation]:
        """Return what is seen in pictures, without a look at the database.

        Several threads may do so at once, where `describer` was opened before.
        """
        return [
            _seen(*one)
            for one in zip(images, self.describer.describe_pictures(images, gates), strict=True)
        ]

    def with_drawn(self, seen: Sequence[Observation]) -> list[Observation]:
        """Return what is seen in pictures with the heads that a person drew in them."""
        return with_drawn(self.store.sightings, self.encoder, self._encode, seen)

    def _encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.describer.encoder.encode(crops)

    def records(
        self,
        seen: Sequence[Observation],
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        keep: bool = False,
    ) -> list[Record]:
        """Say who is in pictures that were looked at, or why one could not be read.

        Heads that a person drew in them are among the faces. With keep, what was seen in them is
        noted, and what is said of it, see `keep`.
        """
        seen = self.with_drawn(seen)
        now = self.store.answers.now(self.encoder) if keep else None
        is_kept = mode is MatchMode.IDEAL and self.series is None
        most = max(top, MOST_ALTERNATIVES) if keep else top
        said = [
            list(
                self._answer(
                    one.faces,
                    mode,
                    most,
                    self.states(one.places, one.faces),
                    enrolled=self._enrolled_as(one.places, one.faces),
                    places=one.places,
                )
            )
            for one in seen
        ]
        if keep:
            here = [replace(one, path=absolute(one.path)) for one in seen]
            self.keep(here, said if is_kept else None, now)
        return [
            Record(
                one.path,
                one.width,
                one.height,
                self.encoder,
                tuple(cut(answer, top) for answer in answers),
                error=one.error,
                left_out=one.left_out,
                digest=one.digest or None,
                failure=one.failure,
            )
            for one, answers in zip(seen, said, strict=True)
        ]

    def answers(
        self,
        described: Sequence[DescribedFace],
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        places: Sequence[Place] | None = None,
        smoothed: Smoothed | None = None,
        heed: bool = True,
    ) -> list[Answer]:
        """Say who faces are that were described before; all faces of a file are given at once.

        No two faces of a place are one character, see judging_pictures; without places each is
        answered alone. What a person decided of faces at their places rules, unless the gallery's
        own answer is wanted and nothing is to be heeded. Where they were moved, see
        calibration.joint, they are matched and judged there.
        """
        states = self.states(places, described) if heed else [UNDECIDED] * len(described)
        enrolled = self._enrolled_as(places, described)
        return list(
            self._answer(
                described,
                mode,
                top,
                states,
                enrolled=enrolled,
                places=places,
                smoothed=smoothed,
            )
        )

    def _answer(
        self,
        described: Sequence[DescribedFace],
        mode: MatchMode,
        top: int,
        states: Sequence[FaceState],
        *,
        enrolled: Sequence[str | None],
        places: Sequence[Place] | None = None,
        smoothed: Smoothed | None = None,
    ) -> Iterator[Answer]:
        if not described:
            return
        if smoothed is None:
            descriptors = np.stack([one.descriptor for one in described])
            calibration = self.judging.calibration()
        else:
            descriptors, calibration = smoothed
        # The verdict wants the second character even where only one is shown, and the next ones
        # where a name was excluded or another face of the picture has it.
        count = max(top, CANDIDATES) + max(len(state.not_these) for state in states)
        matched = self._matcher.match(descriptors, mode, count)
        left = [
            [match for match in matches if match.character not in state.not_these]
            for matches, state in zip(matched, states, strict=True)
        ]
        qualities, characters = [one.quality for one in described], self._matcher.characters()
        judged = self.judging.judge_all(
            descriptors,
            qualities,
            [matches[: max(top, 2)] for matches in left],
            mode=mode,
            calibration=calibration,
            characters=characters,
            states=states,
            enrolled=enrolled,
        )
        if places is not None and not self._collage:
            named = [
                state.decided is Decided.CONFIRMED or name is not None
                for state, name in zip(states, enrolled, strict=True)
            ]
            for row, said in judge_pictures(
                self.judging,
                Judged(descriptors, qualities, left, judged, named),
                places,
                [one.face.box for one in described],
                mode=mode,
                calibration=calibration,
                characters=characters,
            ).items():
                judged[row], left[row] = said, _with_first(left[row], said.character)
        for one, matches, said in zip(described, left, judged, strict=True):
            yield Answer(
                face=one.face,
                verdict=said.verdict,
                character=said.character,
                distance=_distance(matches, said),
                matches=tuple(matches[:top]),
                quality=one.quality,
                probability=said.probability,
                stranger=said.stranger,
                decided=said.decided,
            )

    def beside(self, seen: Sequence[Sighting]) -> list[tuple[int, int]]:
        """Return the pairs of seen faces, by their rows, that are two people; see distinct."""
        if self._collage:
            return []
        return pairs_beside([one.place for one in seen], [one.face.box for one in seen])

    def calibrate(self, fpir: float = CALIBRATED_FPIR) -> Calibrated:
        """Learn from the gallery's own faces where verdicts divide, and keep it.

        fpir, above 0 and below 0.5, is the share of strangers that may be surely named. Raises
        InputError for another one and where nothing can be learnt; see calibration.calibrate.
        """
        if not 0 < fpir < MOST_FPIR:
            raise BadSetting(
                "fpir", f"A rate of {fpir:g} has no meaning", "choose one from 0.0001 to 0.4"
            )
        self.require_encoded()
        enrolled, names = self.references()
        rejected = rejections_of(self.store, self.encoder, names)
        found = calibrate(enrolled, self.judging.strangers, fpir=fpir, rejected=rejected)
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        values = {**found.calibration.as_json(), "rejections": len(self.rejected().rejections)}
        with self.store.writing() as writer:
            writer.calibrate(self.calibrated_as, made_at, json.dumps(values))
        return found

    def references(self) -> tuple[References, tuple[str, ...]]:
        """Return the references that count, and the characters' names by their numbers."""
        version = self.store.change(), self._ruling_now().newest
        found, names = references_of(
            self.store, self.encoder, self.thresholds.unknown, self.within()
        )
        pairs = tuple((names[one.one], names[one.other]) for one in found.doubles)
        self._look_alikes = (version, pairs)
        return found, names

    def within(self) -> frozenset[str] | None:
        """Return the names of the series' characters and the reject classes; None for all."""
        return None if self.series is None else self.store.series.names_within(self.series)

    def look_alikes(self, among: Set[str] | None = None) -> LookAlikes | None:
        """Return which characters look like one as the gallery is now; None where none do.

        Where names are given, one of each pair is among them. Of a large gallery their neighbours
        alone are looked at then, see identify.look_alikes.
        """
        if among is not None and len(among) < COMPARED_WHOLE < self._matcher.characters():
            return _told(
                look_alikes_of(
                    self.store, self.encoder, self.thresholds.unknown, self._matcher, among
                )
            )
        version = self.store.change(), self._ruling_now().newest
        if self._look_alikes is None or self._look_alikes[0] != version:
            self.references()
        pairs = () if self._look_alikes is None else self._look_alikes[1]
        if among is not None:
            pairs = tuple(pair for pair in pairs if not among.isdisjoint(pair))
        return _told(pairs)

    def calibration_note(self) -> GalleryError | None:
        """Return why the calibration wants to be made anew, although it works, or None.

        Or why nobody can tell.
        """
        calibration, characters = self.judging.calibration(), self._matcher.characters()
        if calibration is None:
            return None
        try:
            strangers = len(self.judging.strangers)
        except SetupError as error:
            return error
        if calibration.strangers != strangers:
            return StaleCalibration("is of another version of gallery")
        if calibration.is_outgrown(characters):
            return OutgrownCalibration(calibration.characters, characters)
        return None

    def nearest_ideals(self, descriptors: NDArray[np.float32]) -> list[Match | None]:
        """Return the character whose ideal is nearest to each descriptor, shape (n, DIMENSION).

        None where the gallery is empty.
        """
        return [matches[0] if matches else None for matches in self.near_ideals(descriptors, 1)]

    def near_ideals(self, descriptors: NDArray[np.float32], count: int) -> list[list[Match]]:
        """Return the characters whose ideals are nearest to each descriptor, nearest first."""
        return self._matcher.match(descriptors, MatchMode.IDEAL, count)

    def states(
        self, places: Sequence[Place] | None, described: Sequence[DescribedFace]
    ) -> list[FaceState]:
        """Return what a person decided of faces; without places what holds for any of their kind.

        A name that was rejected for a face nearly the same is rejected for each of them, too,
        unless that face is confirmed as having it.
        """
        if not described:
            return []
        ruling = self._ruling_now()
        rejected, radius = self._rejected_by(ruling), NEARLY * self.thresholds.sure
        own = [UNDECIDED] * len(described)
        if places is not None:
            own = ruling.faces.states(places, [one.face.box for one in described])
        found = []
        for state, one in zip(own, described, strict=True):
            names = rejected.near(one.descriptor, radius) - {state.character}
            found.append(state if names <= {*state.not_these} else _also(state, names))
        return found

    def _enrolled_as(
        self, places: Sequence[Place] | None, described: Sequence[DescribedFace]
    ) -> list[str | None]:
        """Return whose samples faces are, where they are any; of videos none is known."""
        if places is None or not described:
            return [None] * len(described)
        known = self.store.enrolled_places(
            {key for one in places if one.track is None for key in (one.digest, one.pixels) if key}
        )
        return [
            next(
                (
                    name
                    for key in (place.digest, place.pixels)
                    if place.track is None and key is not None
                    for box, name in known.get(key, ())
                    if box.overlap(one.face.box) >= SAME_PLACE
                ),
                None,
            )
            for place, one in zip(places, described, strict=True)
        ]

    def decided(self) -> DecidedFaces:
        """Return what a person decided of faces, by their places, as it is now."""
        return self._ruling_now().faces

    def rejected(self) -> Rejected:
        """Return the faces that are known not to be somebody, as it is now."""
        return self._rejected_by(self._ruling_now())

    def _ruling_now(self) -> Ruling:
        self._ruling = self.store.decisions.ruling(self._ruling)
        return self._ruling

    def _rejected_by(self, ruling: Ruling) -> Rejected:
        version = self.store.change(), ruling.rejecting, ruling.names
        if self._rejected is None or self._rejected[0] != version:
            self._rejected = (version, self.store.rejections.rejected(self.encoder))
        return self._rejected[1]

    def keep(
        self,
        seen: Sequence[Observation],
        said: Sequence[Sequence[Answer]] | None = None,
        now: GalleryState | None = None,
    ) -> None:
        """Note pictures and their faces, described by the encoder in use, in one transaction.

        Also what is said of them, and what the gallery was before, where that is given.
        """
        detector = self.describer.detector.name
        own = [
            self.by_itself(one.faces, answers)
            for one, answers in zip(seen, said or [()] * len(seen), strict=True)
        ]
        with self.store.writing() as writer:
            found: dict[int, Answer] = {}
            for one, answers in zip(seen, own, strict=True):
                numbers = writer.sightings.keep(one, self.encoder, detector)
                if answers:
                    found.update(numbered(numbers, answers))
            if now is not None:
                writer.answers.put(now, found, {one.digest for one in seen if one.digest})

    def by_itself(self, faces: Sequence[DescribedFace], answers: Sequence[Answer]) -> list[Answer]:
        """Return what the gallery says of faces, given what is: without a person's decisions."""
        decided = [row for row, answer in enumerate(answers) if answer.decided is not None]
        found = list(answers)
        if decided:
            own = self.answers([faces[row] for row in decided], top=MOST_ALTERNATIVES, heed=False)
            for row, answer in zip(decided, own, strict=True):
                found[row] = answer
        return found

    def require_encoded(self) -> None:
        """Raise StoreError unless the encoder in use has encoded all samples."""
        total, encoded = self.store.counts(self.encoder)
        if encoded < total:
            raise NotEncoded(total, encoded, self.encoder)

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
        return self.store.samples(self.encoder, [self.store.character(name).name])

    def crops(self, sample_ids: Sequence[int]) -> dict[int, Crop]:
        """Return the aligned crops of samples."""
        return {row: decode_png(png) for row, png in self.store.crops(sample_ids).items()}

    def rename(self, old: str, new: str) -> None:
        """Give a character another name; its folder goes on meaning it."""
        with self.store.writing() as writer:
            writer.rename(old, new)

    def merge(self, source: str, target: str, who: str = "") -> Merged:
        """Make one character of two, and return what came of it; see Writer.merge."""
        with self.store.writing() as writer:
            return writer.merge(source, target, who)

    def move(self, sample_ids: Sequence[int], name: str, *, new: bool = False) -> None:
        """Give samples to a character. Raises InputError for one nobody has, unless it is new."""
        name = self.called(name, new=new)
        with self.store.writing() as writer:
            writer.move(sample_ids, name)

    def split(self, name: str, new: str, sample_ids: Sequence[int]) -> int:
        """Make a new character of some of a character's samples, and return how many.

        Raises InputError where the character lacks one of them or has no others, and for a name
        that somebody has.
        """
        former = self.store.character(name).name
        own, wanted = {one.id for one in self.samples(former)}, list(dict.fromkeys(sample_ids))
        foreign = [one for one in wanted if one not in own]
        if foreign:
            raise NoSuchSample(foreign[0], former)
        if len(wanted) == len(own):
            raise BadSetting(
                "sample_ids", f"These are all samples of {former}", "rename it instead"
            )
        with contextlib.suppress(NoSuchCharacter):
            known = self.called(new)
            raise BadSetting(
                "new", f"{known} goes by the name {new} already", "move samples to it instead"
            )
        self.move(wanted, new, new=True)
        series = self.store.character(former).series
        if series:
            self.belong([new], series)
        return len(wanted)

    def called(self, name: str, *, new: bool = False) -> str:
        """Return what the character is called now that a name means.

        One that differs from a character's by case or width alone means that one, so that nobody
        comes to stand there twice. Raises InputError for a name nobody has, unless it is new.
        """
        try:
            return self.store.character(name).name
        except NoSuchCharacter:
            if not new:
                raise
            return clean_name(name)

    def belong(self, names: Sequence[str], series: str) -> str:
        """Let characters belong to a series, or to none without one; return its name.

        Raises InputError for a name nobody has.
        """
        known = [self.store.character(name).name for name in names]
        with self.store.writing() as writer:
            return writer.belong(known, series)

    def call(self, name: str, others: Sequence[str]) -> None:
        """Let a character go by other names, too: wherever one stands, the character is meant.

        Raises InputError for a name nobody has, and where another one means somebody else.
        """
        known = self.store.character(name).name
        for other in others:
            with contextlib.suppress(NoSuchCharacter):
                owner = self.called(other)
                if owner != known:
                    raise NameTaken(known, other)
        with self.store.writing() as writer:
            for other in others:
                writer.add_alias(other, known)

    def call_no_more(self, name: str, others: Sequence[str]) -> None:
        """Let other or former names of a character mean nobody.

        Raises InputError for a name nobody has, and for one that the character does not go by.
        """
        known = self.store.character(name).name
        with self.store.writing() as writer:
            for other in others:
                writer.drop_alias(other, known)

    def forget(self, name: str) -> int:
        """Remove a character with all its samples, and return how many they were."""
        with self.store.writing() as writer:
            return writer.forget(name)

    def forget_samples(self, sample_ids: Sequence[int]) -> None:
        """Remove samples; their character stays."""
        with self.store.writing() as writer:
            writer.forget_samples(sample_ids)


def _told(pairs: Sequence[tuple[str, str]]) -> LookAlikes | None:
    return LookAlikes(*pairs[0], len(pairs) - 1) if pairs else None


def cut(answer: Answer, top: int) -> Answer:
    """Return an answer with as many of its nearest characters as are asked for."""
    return answer if len(answer.matches) <= top else replace(answer, matches=answer.matches[:top])


def numbered(numbers: Sequence[int | None], answers: Sequence[Answer]) -> dict[int, Answer]:
    """Return answers by the numbers of their faces, but for those that have none."""
    pairs = zip(numbers, answers, strict=True)
    return {number: answer for number, answer in pairs if number is not None}


def _also(state: FaceState, names: frozenset[str]) -> FaceState:
    for name in sorted(names):
        state = state.rejected(name)
    return state


def _with_first(matches: Sequence[Match], name: str | None) -> list[Match]:
    """Return matches with the one of a name first; in their order where nobody is named."""
    return sorted(matches, key=lambda one: name is not None and one.character != name)


def _distance(matches: Sequence[Match], said: Judgement) -> float | None:
    """Return how far the character is that is answered, or of nobody the nearest."""
    if said.character is not None:
        matches = [one for one in matches if one.character == said.character]
    return matches[0].distance if matches else None


def _seen(image: Image, described: DescribedPicture) -> Observation:
    """Return what was seen in a picture; its file may be gone by now."""
    try:
        state = file_state(image.path)
    except InputError:
        state = None
    return Observation(
        image.path,
        state,
        image.digest,
        image.width,
        image.height,
        described.faces,
        described.left_out,
        content=image.content,
    )
