"""The fast way from files to answers: several pictures are prepared at the same time.

Each worker reads, decodes and looks at a few pictures of its own, with one core: nothing waits for
another worker, and the faces of a few pictures are described together, which takes a fifth less
time than one by one. What they saw comes back in the order of the files, and one thread says who it
is, notes it and hands it on. Records are those that `Engine.identify` gives, whatever the number
of workers. Where there are fewer pictures than cores, a worker has several.

Pictures are decoded in full. A JPEG of 1920x1080 decoded at half its size costs 0.65 of the time,
since its entropy coding stays, and the crop of every head below 300 pixels would want the other
half of the pixels after all: it pays only where fewer than one picture in three holds such a head.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from gallery.errors import InputError
from gallery.events import Identified
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs.away import Tell, patiently
from gallery.media.images import FileState, file_state, read_image
from gallery.system.threads import ROOM, ahead, available_cores, limited
from gallery.types import Descriptor, Image, MatchMode, Record

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.store.sightings import Observation

GROUP = 4
"""Pictures that a worker looks at together: about six faces, and more are not faster."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class Looked(Generic[Found]):
    """A file that was looked at: what was found in it, or why it could not be."""

    path: Path
    state: FileState | None = None
    """The file's before it was read; None where it could not be read."""
    image: Image | None = None
    found: Found | None = None
    failure: InputError | None = None

    @property
    def error(self) -> str | None:
        """Why the file could not be looked at; None where it could."""
        return None if self.failure is None else str(self.failure)

    @property
    def size(self) -> int:
        """The bytes that the decoded picture takes, where it is held."""
        return 0 if self.image is None else self.image.pixels.nbytes


def looked_at(
    paths: Sequence[Path],
    look: Callable[[Sequence[Image]], Sequence[Found]],
    *,
    workers: int | None = None,
    with_images: bool = False,
) -> Generator[list[Looked[Found]], None, None]:
    """Yield what `look` finds in pictures, in the order of the files, a few at a time.

    It is given several pictures, in several threads at once; where it raises an InputError, it is
    given each alone, and the file that it raises one for has that error. So many workers prepare
    pictures, or one for each core. A single one works in the caller's own thread, so that no other
    core is used. The decoded pictures of all workers together fill at most threads.ROOM, or are one
    for each worker; they are let go of unless they are asked for.
    """
    if not paths:
        return
    count = workers or available_cores()
    size = min(GROUP, math.ceil(len(paths) / count))
    groups = [paths[start : start + size] for start in range(0, len(paths), size)]
    cores = max(count // len(groups), 1)

    def prepare(group: Sequence[Path]) -> list[Looked[Found]]:
        with limited(cores):
            return prepared(map(read, group), look, ROOM // count, with_images=with_images)

    if count == 1 or len(groups) == 1:
        yield from map(prepare, groups)
        return
    # What is prepared ahead ends with the job, wherever it is left.
    coming = ahead(prepare, groups, most=2 * count, threads=count, size=_size)
    with contextlib.closing(coming):
        yield from coming


def _size(group: Iterable[Looked[Found]]) -> int:
    return sum(one.size for one in group)


def prepared(
    reading: Iterable[Looked[Found]],
    look: Callable[[Sequence[Image]], Sequence[Found]],
    room: int,
    *,
    with_images: bool = False,
) -> list[Looked[Found]]:
    """Return what is found in pictures as they are read; their pixels fill the room at most once.

    See looked_at for what `look` is given.
    """
    done: list[Looked[Found]] = []
    for part in chunks(reading, room):
        found = _found([one.image for one in part if one.image is not None], look)
        for one in part:
            seen = one if one.image is None else next(found)
            image = one.image if with_images else None
            done.append(replace(seen, path=one.path, state=one.state, image=image))
        # The next pictures are read while these are held.
        del part, found, one, seen, image
    return done


def _found(
    images: Sequence[Image], look: Callable[[Sequence[Image]], Sequence[Found]]
) -> Iterator[Looked[Found]]:
    """Yield what is found in pictures, or why one is refused."""
    try:
        for image, found in zip(images, look(images) if images else (), strict=True):
            yield Looked(image.path, found=found)
    except InputError:
        # A detector of another package may refuse a picture; the others are not to blame.
        for image in images:
            try:
                (alone,) = look([image])
            except InputError as error:
                yield Looked(image.path, failure=error.detached())
            else:
                yield Looked(image.path, found=alone)


def read(path: Path) -> Looked[Any]:
    """Return a decoded picture, or why there is none."""
    try:
        state = file_state(path)
        return Looked(path, state, read_image(path))
    except InputError as error:
        return Looked(path, failure=error.detached())


def chunks(reading: Iterable[Looked[Found]], room: int) -> Iterator[list[Looked[Found]]]:
    """Yield what is read in lists whose pixels fill the room at most once."""
    chunk: list[Looked[Found]] = []
    for one in reading:
        chunk.append(one)
        if _size(chunk) >= room:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class Hands(Protocol):
    """Who looks at pictures instead of threads here: machines.workers.Workers, of a cluster."""

    def observations(
        self, paths: Sequence[Path], gates: Gates = NO_GATES
    ) -> Generator[list[Observation], None, None]:
        """Yield what is seen in pictures, as the function of that name does, without images."""
        ...

    def encoded(
        self, batches: Iterable[Sequence[bytes]]
    ) -> Generator[list[Descriptor | None], None, None]:
        """Yield the descriptors of crops, PNG or JPEG files, in order; None for one that failed."""
        ...


def observations(
    engine: Engine,
    paths: Sequence[Path],
    gates: Gates = NO_GATES,
    *,
    workers: int | None = None,
    with_images: bool = False,
    hands: Hands | None = None,
) -> Generator[list[tuple[Observation, Image | None]], None, None]:
    """Yield what is seen in pictures, a few at a time; a file that cannot be read has an error.

    The faces are those that pass the gates. See looked_at for workers and images; where hands are
    given, they look, and no image comes.
    """
    if hands is not None:
        with contextlib.closing(hands.observations(paths, gates)) as seen:
            for some in seen:
                yield [(one, None) for one in some]
        return
    # Several threads would open the detector several times.
    _ = engine.describer

    def observe(images: Sequence[Image]) -> Sequence[Observation]:
        return engine.observe(images, gates)

    groups = looked_at(paths, observe, workers=workers, with_images=with_images)
    with contextlib.closing(groups):
        for group in groups:
            yield [(_observation(one), one.image) for one in group]


def _observation(one: Looked[Observation]) -> Observation:
    from gallery.store.sightings import Observation

    if one.found is None:
        return Observation(one.path, None, None, None, None, error=one.error, failure=one.failure)
    return replace(one.found, state=one.state)


def identified(
    engine: Engine,
    paths: Sequence[Path],
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    gates: Gates = NO_GATES,
    keep: bool = False,
    workers: int | None = None,
    with_images: bool = False,
    hands: Hands | None = None,
    tell: Tell = lambda _: None,
) -> Generator[Identified, None, None]:
    """Yield the record of every file in order; one that cannot be read has a record with error.

    With keep, the gallery notes what it sees, before it is yielded. See observations for workers,
    images and hands. A database's server that goes away is waited for, which `tell` says.
    """

    def answered(seen: Sequence[Observation]) -> list[Record]:
        # What was noted is noted again in its own place.
        return patiently(lambda: engine.records(seen, mode=mode, top=top, keep=keep), tell)

    groups = observations(
        engine, paths, gates, workers=workers, with_images=with_images, hands=hands
    )
    with contextlib.closing(groups):
        for group in groups:
            records = answered([one for one, _ in group])
            for record, (_, image) in zip(records, group, strict=True):
                yield Identified(record, image)
