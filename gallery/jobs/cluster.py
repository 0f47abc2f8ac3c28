"""Clustering: the faces that labelling saw and nobody knows, grouped by likeness."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.events import Finished, Job
from gallery.jobs.unknown_faces import Sifted, UnknownFace, sifted
from gallery.numerics.clustering import REACH, join
from gallery.store.sightings import UNMEASURED, Sighting


@dataclass(frozen=True, slots=True)
class Cluster:
    """Unknown faces that are likely of one character."""

    number: int
    """Its name for `gallery adopt`; it stays when more faces come."""
    faces: tuple[Sighting, ...]
    """Best first: well to be seen, and near the centre."""
    nearest: str | None
    """The character whose ideal is nearest to the centre; None where the gallery is empty."""
    distance: float | None
    """How far that is."""


class Clusters(list[Cluster]):
    """Clusters, largest first, and how many unknown faces are like no other one."""

    def __init__(self, clusters: Iterable[Cluster], alone: int) -> None:
        super().__init__(clusters)
        self.alone = alone


def cluster(engine: Engine, *, poor: bool = False, afresh: bool = False) -> Job[Clusters]:
    """Group the unknown faces, keep the groups' numbers, and return them, largest first.

    A face that has a number keeps it while it is unknown, unless all are grouped afresh; a new one
    joins the cluster that it belongs to, and new clusters get new numbers. A face that has a name
    by now loses its number, so that a number stands for what is returned. Two faces of one picture
    are in one cluster only where they were so before, or in a collage. Clusters that a person
    joined or split stay also where all are grouped afresh. Raises StoreError where samples lack the
    encoder in use.
    """
    seen = yield from sifted(engine, poor=poor)
    clusters = _grouped(engine, seen, afresh=afresh)
    alone = len(seen.unknown) - sum(len(one.faces) for one in clusters)
    yield Finished(Clusters(clusters, alone))


def _grouped(engine: Engine, seen: Sifted, *, afresh: bool) -> list[Cluster]:
    faces, by_hand = seen.unknown, engine.store.groups.by_hand() if afresh else frozenset()
    former = np.array(
        [
            number if not afresh or number in by_hand else 0
            for number in (one.sighting.cluster or 0 for one in faces)
        ],
        np.int64,
    )
    first = 1 + engine.store.groups.largest()
    reach = REACH * engine.thresholds.unknown
    vectors = np.array([one.descriptor for one in faces], np.float32)
    numbers = join(vectors, former, reach, first, engine.beside([one.sighting for one in faces]))
    changed = {
        one.sighting.id: int(number) or None
        for one, number in zip(faces, numbers, strict=True)
        if (one.sighting.cluster or 0) != number
    }
    changed.update(dict.fromkeys(_known_now(seen, first - 1)))
    with engine.store.writing() as writer:
        writer.sightings.group(changed)
    return _clusters(engine, faces, numbers, reach)


def _known_now(seen: Sifted, highest: int) -> list[int]:
    """Return the faces that are in a cluster no more, since they are not unknown any more.

    One face keeps the highest number, so that no new cluster gets it.
    """
    numbered = seen.numbered
    if all(one.sighting.cluster != highest for one in seen.unknown):
        last = next((one for one in numbered if one.cluster == highest), None)
        numbered = [one for one in numbered if one is not last]
    return [one.id for one in numbered]


def _clusters(
    engine: Engine, faces: Sequence[UnknownFace], numbers: NDArray[np.int64], reach: float
) -> list[Cluster]:
    members: dict[int, list[UnknownFace]] = defaultdict(list)
    for one, number in zip(faces, numbers.tolist(), strict=True):
        if number:
            members[number].append(
                UnknownFace(dataclasses.replace(one.sighting, cluster=number), one.descriptor)
            )
    centres = {number: _mean([one.descriptor for one in own]) for number, own in members.items()}
    nearest = engine.nearest_ideals(np.array(list(centres.values()), np.float32))
    found = []
    for (number, own), match in zip(members.items(), nearest, strict=True):
        ordered = _best_first(own, centres[number], reach)
        found.append(
            Cluster(
                number,
                tuple(ordered),
                match.character if match else None,
                match.distance if match else None,
            )
        )
    return sorted(found, key=lambda one: (-len(one.faces), one.number))


def _mean(descriptors: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    return np.asarray(np.stack(descriptors).astype(np.float64).mean(axis=0))


def _best_first(
    faces: Sequence[UnknownFace], centre: NDArray[np.float64], reach: float
) -> list[Sighting]:
    """Order faces by quality over 1 + the square of the distance from the centre, in reaches."""

    def worth(one: UnknownFace) -> float:
        apart = float(np.linalg.norm(one.descriptor - centre)) / reach
        quality = one.sighting.quality or UNMEASURED
        return quality.score / (1.0 + apart**2)

    return [one.sighting for one in sorted(faces, key=lambda one: (-worth(one), one.sighting.id))]
