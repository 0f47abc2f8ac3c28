"""What `gallery cluster` showed: the faces of a cluster that a person looks at and decides of.

Between the look and the decision the gallery may change: adopting one cluster makes faces of
another known. A person who says whom a cluster shows means all faces that were shown.
"""

from __future__ import annotations

from gallery.engine.engine import Engine
from gallery.errors import NoSuchCluster
from gallery.events import Advanced, Choosing, LeftOut, Started
from gallery.faces.quality import is_poor
from gallery.jobs.unknown_faces import unknown_faces
from gallery.store.sightings import Sighting
from gallery.types import Decided


def shown_in(engine: Engine, number: int, *, poor: bool = True) -> Choosing[list[Sighting]]:
    """Return the faces that a cluster showed, and tell which of them are meant no more.

    These are faces that were enrolled or decided of since, and poor ones unless they are wanted.
    Raises InputError where there is no such cluster, or nothing is left of it.
    """
    own = [one for one in engine.store.sightings.all() if one.cluster == number]
    if len(own) == 1:
        # One face alone was shown by no cluster: it is what is left of one, or keeps its number.
        unknown = yield from unknown_faces(engine, poor=poor)
        own = [one for one in own if one.id in {other.sighting.id for other in unknown}]
    if not own:
        raise NoSuchCluster(number)
    yield Started("looking", len(own), "face")
    reasons = _reasons(engine, own, poor=poor)
    faces = [one for one in own if one.id not in reasons]
    if not faces:
        raise NoSuchCluster(number)
    for one in own:
        if one.id in reasons:
            yield LeftOut(one.id, one.path, reasons[one.id])
        yield Advanced()
    return faces


def _reasons(engine: Engine, faces: list[Sighting], *, poor: bool) -> dict[int, str]:
    """Return why faces are meant no more, by their numbers."""
    enrolled = engine.store.sightings.enrolled()
    wanted = {one.id: enrolled[one.id] for one in faces if one.id in enrolled}
    owners = engine.store.owners(wanted.values())
    names = engine.store.names(set(owners.values()))
    states = engine.decided().states([one.place for one in faces], [one.face.box for one in faces])
    found = {}
    for one, state in zip(faces, states, strict=True):
        if one.id in wanted:
            found[one.id] = f"is enrolled as {names[owners[wanted[one.id]]][0]}"
        elif state.decided is Decided.CONFIRMED:
            found[one.id] = f"is confirmed as {state.character}"
        elif state.is_set_aside:
            found[one.id] = f"is {state.decided.words}"
        elif not poor and one.quality is not None and is_poor(one.quality):
            found[one.id] = "is too small or blurred to tell"
    return found
