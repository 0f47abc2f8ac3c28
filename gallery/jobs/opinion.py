"""What a tagger says of the faces that labelling saw, beside what the gallery says.

Nothing is kept: the gallery's own answers stay as they are, and a person decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.engine.joint import answered_apart, jointly
from gallery.errors import InputError, NothingSeen, UnusableFile
from gallery.events import Advanced, Finished, Job, Refused, Started
from gallery.faces.tagger import Tag, Tagger
from gallery.jobs.given_names import GivenNames
from gallery.jobs.reencode import encode_kept
from gallery.media.images import decode_crop, read_image
from gallery.metadata.captions import names_in
from gallery.metadata.tags import spelling
from gallery.store.sightings import Sighting
from gallery.system.files import absolute
from gallery.types import Answer, Face, Image, Pixels, Verdict

LEAST = 0.85
"""From this probability on a tag counts, as programs for these taggers have it."""

AROUND = 3.0
"""Sides of a head that a tagger is shown around it, where a picture shows several."""

LOWER = 0.5
"""How far below the head's middle that is centred, in its sides: shoulders and hair are told by."""


class Stance(StrEnum):
    """What a tagger's opinion is to the gallery's answer."""

    AGREES = "agrees"
    DOUBTS = "doubts"
    """It sees somebody else."""
    PROPOSES = "proposes"
    """Nobody is known, and it knows somebody."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a tagger says of a face."""

    sighting: Sighting
    answer: Answer
    """The gallery's."""
    tag: Tag
    name: str
    """The gallery's name for the tag, else the tag's own with spaces."""
    is_known: bool
    """Whether the gallery has somebody of the name."""
    said: Stance

    @property
    def verdict(self) -> Verdict:
        """How the gallery's name is to be taken beside this: agreement raises, doubt lowers."""
        if self.said is Stance.AGREES:
            return Verdict.SURE
        return min(self.answer.verdict, Verdict.UNSURE)


@dataclass(frozen=True, slots=True)
class ProposedName:
    """A name for a cluster of unknown faces."""

    cluster: int
    name: str
    faces: int
    """How many of its faces the tagger gives this name."""
    of: int
    """How many of its faces were shown to the tagger."""


@dataclass(frozen=True, slots=True)
class Opinions:
    """All that a tagger says."""

    faces: int
    """How many it was shown."""
    opinions: tuple[Opinion, ...]
    """Those where it sees anybody."""
    proposals: tuple[ProposedName, ...]
    """Largest first."""

    def count(self, said: Stance) -> int:
        """Return how many opinions are of a kind."""
        return sum(one.said is said for one in self.opinions)


def opinions(
    engine: Engine, tagger: Tagger, paths: Sequence[Path] = (), *, least: float = LEAST
) -> Job[Opinions]:
    """Show a tagger the seen faces that no person decided of, at paths or all, and compare.

    A picture with one face is shown whole, one with several around each head, and a face of a video
    as its crop. Files that changed since are refused. Clusters are those of the last `cluster`; a
    name is proposed for one where at least two faces get it, and more than get all others. Raises
    InputError for a path at which nothing was labelled, StoreError where samples lack the encoder.
    """
    engine.require_encoded()
    yield from encode_kept(engine)
    answering = yield from jointly(engine, top=1)
    wanted = _wanted(engine, paths)
    yield Started("tagging", sum(map(len, wanted)), "face")
    vectors = engine.store.sightings.vectors_of(
        engine.encoder, [one.id for own in wanted for one in own]
    )
    described = [[one for one in own if one.id in vectors] for own in wanted]
    answers = answered_apart(
        answering, ([(one, one.described(vectors[one.id])) for one in own] for own in described)
    )
    names = _Names(engine)
    found: list[Opinion] = []
    shown: Counter[int] = Counter()
    faces = 0
    for own, said in zip(described, answers, strict=True):
        undecided = [pair for pair in zip(own, said, strict=True) if pair[1].decided is None]
        try:
            views = list(_views(engine, [one for one, _ in undecided], alone=len(own) == 1))
        except InputError as error:
            yield Refused.because(own[0].path, error.detached())
            yield Advanced(len(own))
            continue
        for (sighting, answer), view in zip(undecided, views, strict=True):
            faces += 1
            shown[sighting.cluster or 0] += 1
            found += names.opinions(sighting, answer, tagger.characters(view, least))
        yield Advanced(len(own))
    yield Finished(Opinions(faces, tuple(found), tuple(_proposals(found, shown))))


def _wanted(engine: Engine, paths: Sequence[Path]) -> list[list[Sighting]]:
    """Return the seen faces at paths, those of a picture or a shot together."""
    places = {absolute(path) for path in paths}
    found = []
    met: set[Path] = set()
    for files in engine.store.sightings.by_files():
        for own in files:
            here = places & {own[0].path, *own[0].path.parents} if own else set()
            if own and (here or not places):
                found.append(own)
                met |= here
    for path in paths:
        if absolute(path) not in met:
            raise NothingSeen(path)
    return found


class _Names:
    """The gallery's names by what tags may call them."""

    def __init__(self, engine: Engine) -> None:
        used = engine.store.names_in_use()
        self._given = GivenNames(engine.store, used)
        self._known = {spelling(name): name for name in used}

    def opinions(
        self, sighting: Sighting, answer: Answer, tags: Sequence[Tag]
    ) -> Iterator[Opinion]:
        """Yield what the likeliest tag says; nothing where there is none."""
        for tag in tags[:1]:
            known = names_in([tag.text], self._known, "")
            name = self._given.character(known[0]) if known else tag.text.replace("_", " ")
            said = Stance.PROPOSES
            if answer.character is not None:
                said = Stance.AGREES if name == answer.character else Stance.DOUBTS
            yield Opinion(sighting, answer, tag, name, bool(known), said)


def _views(engine: Engine, faces: Sequence[Sighting], *, alone: bool) -> Iterator[Pixels]:
    """Yield what a tagger is shown of faces of one file. Raises InputError where it changed."""
    if not faces:
        return
    if faces[0].track is not None:
        crops = engine.store.sightings.crops([one.id for one in faces])
        for one in faces:
            yield decode_crop(crops[one.id])
        return
    image = read_image(faces[0].path)
    for one in faces:
        if image.digest != one.digest and image.key != one.place.pixels:
            raise UnusableFile(
                one.path, "shows something else than when it was labelled", remedy="label it again"
            )
        yield image.pixels if alone else _around(image, one.face)


def _around(image: Image, face: Face) -> Pixels:
    side = max(face.box.width, face.box.height)
    x, y, half = face.box.centre.x, face.box.centre.y + LOWER * side, AROUND * side / 2
    left, right = max(int(x - half), 0), min(int(x + half) + 1, image.width)
    top, bottom = max(int(y - half), 0), min(int(y + half) + 1, image.height)
    return image.pixels[top : max(bottom, top + 1), left : max(right, left + 1)]


def _proposals(found: Sequence[Opinion], shown: Counter[int]) -> list[ProposedName]:
    names: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for one in found:
        if one.said is Stance.PROPOSES and one.sighting.cluster:
            names[one.sighting.cluster][one.name] += 1
    proposals = [
        ProposedName(cluster, name, faces, shown[cluster])
        for cluster, counts in names.items()
        for name, faces in counts.most_common(1)
        if faces >= 2 and 2 * faces > counts.total()
    ]
    return sorted(proposals, key=lambda one: (-one.faces, one.cluster))
