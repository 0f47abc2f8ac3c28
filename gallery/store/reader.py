"""Reading the database. Rows stay inside; plain types come out. Writing stands in writer.py."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, Result, Select, func, null, select, type_coerce

from gallery.errors import DamagedDatabase, NoSuchCharacter
from gallery.media.images import FileState
from gallery.numerics.profiles import counting
from gallery.store import copying
from gallery.store.addresses import address_of
from gallery.store.answers import AnswerReader
from gallery.store.belonging import SeriesReader, other_names
from gallery.store.changes import Indexed, IndexRows, NewRows, rows_of, rows_since
from gallery.store.columns import box_of, face_of, quality_of, sound_matrix
from gallery.store.contents import contents_about, contents_in, digests_of
from gallery.store.databases import FileDatabase, open_database
from gallery.store.decisions import DecisionReader
from gallery.store.described import DescribedSamples, described_in
from gallery.store.descriptors import by_encoder, lacking, portions
from gallery.store.forgotten import ForgottenFace, forgotten_in
from gallery.store.grouping import GroupReader
from gallery.store.kinds import Bytes, Text, Whole
from gallery.store.names import clean_name, folded, spelt_alike
from gallery.store.rejections import RejectionReader
from gallery.store.sent import SentReader
from gallery.store.sightings import SightingReader
from gallery.store.tables import (
    aliases,
    calibrations,
    characters,
    contents,
    crops,
    descriptors,
    files,
    profiles,
    refusals,
    sample_counts,
    samples,
    state,
)
from gallery.store.writer import Writer
from gallery.types import Box, Character, Content, Descriptor, Face, Sample

ROWS_AT_ONCE = 1000
"""Rows that are in memory while all are gone through."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it was last read."""

    state: FileState
    digest: str


@dataclass(frozen=True, slots=True)
class GivenName:
    """A name that a character has or had."""

    name: str
    current: str
    """What the character is called now."""
    is_reject: bool


@dataclass(frozen=True, slots=True)
class Label:
    """Where a picture is enrolled."""

    sample_id: int
    character: str
    path: Path
    enrolled_as: str
    """The folder's name at that time; differs from character after a move or a new name."""
    is_poor: bool = False
    digest: str = ""
    """Of its file when it was last looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Everything an index is made of, read at one instant."""

    change: str
    """The database's change token at that instant."""
    character_ids: NDArray[np.int64]
    """Shape (c,); those with a profile."""
    ideals: NDArray[np.float32]
    """Shape (c, DIMENSION)."""
    bests: NDArray[np.float32]
    """Shape (c, DIMENSION)."""
    sample_ids: NDArray[np.int64]
    """Shape (n,)."""
    samples: NDArray[np.float32]
    """Shape (n, DIMENSION)."""


class Store:
    """A gallery's database, open. Every method raises StoreError when the database fails."""

    def __init__(self, where: str, *, create: bool = False, exclusive: bool = False) -> None:
        """Open the database at a path or URL; it raises what databases.open_database does.

        A file that this process alone uses is `exclusive`: it may lie on a network file system.
        """
        self.address = address_of(where)
        self._database = open_database(self.address, create=create, exclusive=exclusive)
        self.answers = AnswerReader(self._reading)
        self.decisions = DecisionReader(self._reading)
        self.groups = GroupReader(self._reading)
        self.rejections = RejectionReader(self._reading)
        self.sent = SentReader(self._reading)
        self.series = SeriesReader(self._reading)
        self.sightings = SightingReader(self._reading)

    @property
    def path(self) -> Path | None:
        """The database's file; None for one in memory and for one on a server."""
        return self.address.path

    @property
    def is_writable(self) -> bool:
        """Whether the database can be written; one in memory can."""
        return self._database.is_writable

    def check_place(self) -> None:
        """Raise StoreError where the database's file is not the one that was opened any more."""
        self._database.check_place()

    def close(self) -> None:
        """Let go of the file, and of one that is there no more without a trace in what is."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writer]:
        """Give a writer whose changes are all stored at the end, or none on an exception.

        Ideal and best of every character it touched are made true before the end. Without a change
        nothing is written.
        """
        with self._database.writing() as connection:
            writer = Writer(connection)
            yield writer
            writer.finish()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._database.reading() as connection:
            try:
                yield connection
            except (LookupError, TypeError) as error:
                # A row points to one that a damaged file has lost.
                raise DamagedDatabase(self.address.shown) from error

    def back_up(self, target: Path) -> None:
        """Write a consistent copy of the database into an SQLite file that is not there yet.

        Raises StoreError when it is there or cannot be written; nothing half-written is left.
        """
        if isinstance(self._database, FileDatabase):
            self._database.back_up(target)
        else:
            copying.back_up(self._database, target)

    def check(self) -> list[str]:
        """Return what is wrong in the database; nothing when it is sound."""
        return self._database.complaints()

    def change(self) -> str:
        """Return the change token; another one after every change to samples or descriptors."""
        with self._reading() as connection:
            return str(connection.scalar(select(state.c.change)))

    def characters(self, names: Collection[str] | None = None) -> list[Character]:
        """Return characters by name, all or those of some names."""
        if names is None:
            return self._characters()
        some = [self._characters(characters.c.name.in_(part)) for part in portions(sorted(names))]
        return [one for part in some for one in part]

    def names_spelt(self, spellings: Collection[str]) -> list[GivenName]:
        """Return the names that are spelt so, see names.folded: those in use, then former ones."""
        found: list[GivenName] = []
        former = select(aliases.c.name, characters.c.name.label("current"), characters.c.is_reject)
        with self._reading() as connection:
            for rows in _chosen(connection, select(characters), characters.c.spelling, spellings):
                found += [GivenName(row.name, row.name, row.is_reject) for row in rows]
            former = former.join(characters)
            for rows in _chosen(connection, former, aliases.c.spelling, spellings):
                found += [GivenName(row.name, row.current, row.is_reject) for row in rows]
        return sorted(found, key=lambda one: (one.name != one.current, one.name))

    def names_in_use(self) -> list[str]:
        """Return the names that characters have, in order, and those that they had."""
        with self._reading() as connection:
            own = connection.scalars(select(characters.c.name).order_by(characters.c.name)).all()
            former = connection.scalars(select(aliases.c.name).order_by(aliases.c.name)).all()
        return [*own, *former]

    def _characters(self, *which: Any) -> list[Character]:
        """Return the characters that conditions choose, by name; all without one."""
        with self._reading() as connection:
            rows = connection.execute(
                select(
                    characters,
                    func.count(samples.c.id).label("samples"),
                    func.count(samples.c.id).filter(samples.c.is_poor).label("poor"),
                )
                .outerjoin(samples)
                .where(*which)
                .group_by(characters.c.id)
                .order_by(characters.c.name)
            )
            return [
                Character(row.id, row.name, row.is_reject, row.samples, row.poor, row.series)
                for row in rows
            ]

    def character(self, name: str) -> Character:
        """Return the character of a name or former name.

        A name that differs from a single character's by case or width alone means that one. Raises
        InputError for a name nobody has, with those that are spelt alike.
        """
        name = clean_name(name)
        exact = self._characters(characters.c.name == name)
        if exact:
            return exact[0]
        spelt = self.names_spelt([folded(name)])
        meant = {one.current for one in spelt if one.name == name} or {one.current for one in spelt}
        if len(meant) == 1:
            (found,) = self._characters(characters.c.name.in_(meant))
            return found
        raise NoSuchCharacter(name, tuple(spelt_alike(name, self.names_in_use())))

    def other_names(self, character_id: int) -> list[str]:
        """Return the other names that a character goes by, and went by."""
        with self._reading() as connection:
            return other_names(connection, character_id)

    def bests(self, encoder: str) -> dict[int, int]:
        """Return the sample nearest to each character's ideal, by the character's id."""
        with self._reading() as connection:
            rows = connection.execute(
                select(profiles.c.character_id, profiles.c.best_sample_id).where(
                    profiles.c.encoder == encoder
                )
            )
            return {row.character_id: row.best_sample_id for row in rows}

    def former_names(self) -> dict[str, str]:
        """Return the former and other names of characters, and what each is called now."""
        with self._reading() as connection:
            rows = connection.execute(
                select(aliases.c.name, characters.c.name.label("current"))
                .join(characters)
                .order_by(aliases.c.name)
            )
            return {row.name: row.current for row in rows}

    def names(self, character_ids: Collection[int]) -> dict[int, tuple[str, bool]]:
        """Return name and whether it is a reject class, for those of the ids that exist."""
        found: dict[int, tuple[str, bool]] = {}
        with self._reading() as connection:
            for some in portions(sorted(character_ids)):
                rows = connection.execute(select(characters).where(characters.c.id.in_(some)))
                found.update({row.id: (row.name, row.is_reject) for row in rows})
        return found

    def owners(self, sample_ids: Collection[int]) -> dict[int, int]:
        """Return the character id of each of the samples that exist."""
        found: dict[int, int] = {}
        with self._reading() as connection:
            for some in portions(sorted(sample_ids)):
                rows = connection.execute(
                    select(samples.c.id, samples.c.character_id).where(samples.c.id.in_(some))
                )
                found.update({row.id: row.character_id for row in rows})
        return found

    def samples_of(self, character_ids: Collection[int]) -> list[int]:
        """Return the ids of characters' samples."""
        with self._reading() as connection:
            query = select(samples.c.id)
            parts = _chosen(connection, query, samples.c.character_id, character_ids)
            return sorted(row.id for rows in parts for row in rows)

    def samples(
        self,
        encoder: str,
        names: Collection[str] | None = None,
        *,
        ids: Collection[int] | None = None,
    ) -> list[Sample]:
        """Return samples by id, with distances by an encoder: all, some characters', or some."""
        query = (
            select(
                samples,
                characters.c.name,
                # A sample may lack them.
                type_coerce(descriptors.c.vector, Bytes(optional=True)).label("vector"),
                type_coerce(profiles.c.ideal, Bytes(optional=True)).label("ideal"),
                type_coerce(profiles.c.best_sample_id, Whole(optional=True)).label(
                    "best_sample_id"
                ),
            )
            .select_from(samples)
            .join(characters)
            .outerjoin(
                descriptors,
                (descriptors.c.sample_id == samples.c.id) & (descriptors.c.encoder == encoder),
            )
            .outerjoin(
                profiles,
                (profiles.c.character_id == samples.c.character_id)
                & (profiles.c.encoder == encoder),
            )
            .order_by(samples.c.id)
        )
        queries = [query]
        if names is not None:
            wanted = portions(sorted(set(names)))
            queries = [query.where(characters.c.name.in_(some)) for some in wanted]
        elif ids is not None:
            queries = [query.where(samples.c.id.in_(some)) for some in portions(sorted(ids))]
        with self._reading() as connection:
            rows = [row for one in queries for row in connection.execute(one)]
        return sorted((_sample(row, encoder) for row in rows), key=lambda one: one.id)

    def each_sample(self) -> Iterator[tuple[Sample, Content | None]]:
        """Yield all samples by id, with what their files show, where that is known.

        They are those of one instant, and distances are left out. The database is read until the
        last one is taken, and few are in memory.
        """
        query = (
            select(
                samples,
                characters.c.name,
                null().label("vector"),
                null().label("ideal"),
                null().label("best_sample_id"),
                type_coerce(contents.c.pixels, Text(optional=True)).label("pixels"),
                type_coerce(contents.c.orientation, Whole(optional=True)).label("orientation"),
            )
            .select_from(samples)
            .join(characters)
            .outerjoin(contents, contents.c.digest == samples.c.digest)
            .order_by(samples.c.id)
            .execution_options(yield_per=ROWS_AT_ONCE)
        )
        with self._reading() as connection:
            for row in connection.execute(query):
                known = row.pixels is not None and row.orientation is not None
                yield _sample(row, ""), Content(row.pixels, row.orientation) if known else None

    def unmeasured(self, sample_ids: Collection[int]) -> dict[int, Face]:
        """Return the faces of those of the samples whose quality is unknown."""
        found: dict[int, Face] = {}
        with self._reading() as connection:
            for some in portions(sorted(sample_ids)):
                rows = connection.execute(
                    select(samples).where(samples.c.id.in_(some), samples.c.sharpness.is_(None))
                )
                found.update({row.id: face_of(row) for row in rows})
        return found

    def crops(self, sample_ids: Collection[int]) -> dict[int, bytes]:
        """Return the aligned crops of samples, as PNG files."""
        found: dict[int, bytes] = {}
        with self._reading() as connection:
            for some in portions(sorted(sample_ids)):
                rows = connection.execute(select(crops).where(crops.c.sample_id.in_(some)))
                found.update({row.sample_id: row.png for row in rows})
        return found

    def descriptors_of(self, sample_id: int) -> dict[str, Descriptor]:
        """Return a sample's descriptors by encoder."""
        with self._reading() as connection:
            return by_encoder(connection, descriptors, sample_id)

    def descriptors_by(self, encoder: str, sample_ids: Collection[int]) -> dict[int, Descriptor]:
        """Return the descriptors of those of the samples that an encoder has encoded, by id."""
        found: dict[int, bytes] = {}
        with self._reading() as connection:
            for some in portions(sorted(sample_ids)):
                rows = connection.execute(
                    select(descriptors.c.sample_id, descriptors.c.vector).where(
                        descriptors.c.encoder == encoder, descriptors.c.sample_id.in_(some)
                    )
                )
                found.update({row.sample_id: row.vector for row in rows})
        return dict(zip(found, sound_matrix(list(found.values()), encoder), strict=True))

    def encoders(self) -> dict[str, int]:
        """Return how many samples each encoder has encoded."""
        with self._reading() as connection:
            rows = connection.execute(
                select(descriptors.c.encoder, func.count().label("count")).group_by(
                    descriptors.c.encoder
                )
            )
            return {row[0]: row[1] for row in rows}

    def sample_ids(self) -> list[int]:
        """Return the ids of all samples."""
        with self._reading() as connection:
            return list(connection.scalars(select(samples.c.id).order_by(samples.c.id)))

    def unencoded(self, encoder: str) -> list[int]:
        """Return the samples an encoder has not encoded."""
        with self._reading() as connection:
            return lacking(connection, descriptors, samples, encoder)

    def known_files(self, paths: Collection[str] | None = None) -> dict[str, KnownFile]:
        """Return files as they were last read, by path: all, or those of some paths."""
        return self._files() if paths is None else self._files(files.c.path, paths)

    def files_of_sizes(self, sizes: Collection[int]) -> dict[str, KnownFile]:
        """Return the files that had one of some sizes when they were last read, by path."""
        return self._files(files.c.size, sizes)

    def _files(
        self, column: Column[Any] | None = None, among: Collection[Any] = ()
    ) -> dict[str, KnownFile]:
        with self._reading() as connection:
            return {
                row.path: KnownFile(FileState(row.size, row.modified_ns), row.digest)
                for rows in _chosen(connection, select(files), column, among)
                for row in rows
            }

    def labels(self, digests: Collection[str] | None = None) -> dict[str, Label]:
        """Return where pictures are enrolled, by their digests; of several faces the first.

        All pictures, or those of some digests.
        """
        column = None if digests is None else samples.c.digest
        found = sorted(self._labels(column, digests or ()), key=lambda one: -one.sample_id)
        return {one.digest: one for one in found}

    def labels_of_folders(self, names: Collection[str]) -> list[Label]:
        """Return where pictures are enrolled that were in folders of some names, by sample."""
        return sorted(self._labels(samples.c.enrolled_as, names), key=lambda one: one.sample_id)

    def _labels(self, column: Column[Any] | None, among: Collection[str]) -> list[Label]:
        query = select(
            samples.c.id,
            samples.c.digest,
            samples.c.path,
            samples.c.enrolled_as,
            samples.c.is_poor,
            characters.c.name,
        ).join(characters)
        with self._reading() as connection:
            return [
                Label(row.id, row.name, Path(row.path), row.enrolled_as, row.is_poor, row.digest)
                for rows in _chosen(connection, query, column, among)
                for row in rows
            ]

    def contents(self, digests: Collection[str] | None = None) -> dict[str, Content]:
        """Return what files show, by their digests, as far as it is known.

        All files, or some with all that show the same, see contents.contents_about.
        """
        with self._reading() as connection:
            if digests is None:
                return contents_in(connection)
            return contents_about(connection, digests)

    def samples_in(self, digests: Collection[str]) -> list[int]:
        """Return the samples of pictures, by their files' digests."""
        with self._reading() as connection:
            query = select(samples.c.id)
            parts = _chosen(connection, query, samples.c.digest, digests)
            return sorted(row.id for rows in parts for row in rows)

    def same_picture(self, digest: str) -> list[str]:
        """Return the digests of all files that are known to show the picture of one."""
        with self._reading() as connection:
            return digests_of(connection, digest)

    def enrolled_places(self, keys: Collection[str]) -> dict[str, list[tuple[Box, str]]]:
        """Return where samples of characters that are answers lie in pictures, and whose they are.

        Pictures are named by their files' digests or by those of their pixels; those in which there
        is nobody are left out.
        """
        found: dict[str, dict[int, tuple[Box, str]]] = {}
        query = (
            select(
                samples.c.id,
                samples.c.digest,
                *(samples.c[side] for side in Box._fields),
                characters.c.name,
                type_coerce(contents.c.pixels, Text(optional=True)).label("pixels"),
            )
            .join(characters)
            .where(~characters.c.is_reject)
        )
        shown = contents.c.digest == samples.c.digest
        # Two questions have an index each; one with "or", or an outer join, would read all samples.
        by_digest, by_pixels = query.outerjoin(contents, shown), query.join(contents, shown)
        with self._reading() as connection:
            for some in portions(sorted(keys)):
                for one in (
                    by_digest.where(samples.c.digest.in_(some)),
                    by_pixels.where(contents.c.pixels.in_(some)),
                ):
                    for row in connection.execute(one):
                        for key in {row.digest, row.pixels or row.digest}:
                            found.setdefault(key, {})[row.id] = (box_of(row), row.name)
        return {key: [own[number] for number in sorted(own)] for key, own in found.items()}

    def replaced(self) -> set[Path]:
        """Return the files whose samples show what they do not hold any more; see Writer.retire."""
        with self._reading() as connection:
            found = connection.scalars(select(samples.c.path).where(samples.c.is_replaced))
            return {Path(path) for path in found}

    def forgotten(self, digests: Collection[str] | None = None) -> list[ForgottenFace]:
        """Return the faces that a person forgot: all, or those of some pictures."""
        with self._reading() as connection:
            return forgotten_in(connection, digests)

    def refusals(self, settings: str, digests: Collection[str] | None = None) -> dict[str, str]:
        """Return why contents were refused under certain settings, by digest: all, or some."""
        column = None if digests is None else refusals.c.digest
        query = select(refusals).where(refusals.c.settings == settings)
        with self._reading() as connection:
            return {
                row.digest: row.reason
                for rows in _chosen(connection, query, column, digests or ())
                for row in rows
            }

    def calibration(self, encoder: str) -> tuple[str, str] | None:
        """Return when an encoder was calibrated, ISO 8601, and what was found, as JSON.

        None before it was.
        """
        with self._reading() as connection:
            row = connection.execute(
                select(calibrations).where(calibrations.c.encoder == encoder)
            ).one_or_none()
        return None if row is None else (row.made_at, row.body)

    def references(self, encoder: str, name: str) -> NDArray[np.float32]:
        """Return the descriptors that a character's ideal is made of, shape (n, DIMENSION)."""
        with self._reading() as connection:
            rows = connection.execute(
                select(descriptors.c.vector, samples.c.is_poor)
                .join(samples, samples.c.id == descriptors.c.sample_id)
                .join(characters, characters.c.id == samples.c.character_id)
                .where(descriptors.c.encoder == encoder, characters.c.name == name)
                .order_by(samples.c.id)
            ).all()
        kept = counting([row.is_poor for row in rows])
        return sound_matrix([rows[row].vector for row in kept], encoder)

    def counts(self, encoder: str) -> tuple[int, int]:
        """Return how many samples there are, and how many of them an encoder has encoded."""
        with self._reading() as connection:
            found = {row.encoder: row.samples for row in connection.execute(select(sample_counts))}
        return found.get("", 0), found.get(encoder, 0)

    def index_rows(self, encoder: str, what: Indexed) -> IndexRows:
        """Return all that an index is made of, read at one instant."""
        with self._reading() as connection:
            return rows_of(connection, encoder, what)

    def index_rows_since(
        self, encoder: str, what: Indexed, token: str, most: int
    ) -> NewRows | None:
        """Return what an index of an older change lacks, see changes.rows_since."""
        with self._reading() as connection:
            return rows_since(connection, encoder, what, token, most)

    def described_samples(
        self, encoder: str, names: Collection[str] | None = None
    ) -> DescribedSamples:
        """Return the samples that an encoder has described, see described.described_in."""
        with self._reading() as connection:
            return described_in(connection, encoder, names)

    def vectors(self, encoder: str) -> Vectors:
        """Return all of an encoder's vectors, read at one instant."""
        with self._reading() as connection:
            ideals, bests, own = (rows_of(connection, encoder, what) for what in Indexed)
        return Vectors(
            ideals.change, ideals.ids, ideals.vectors, bests.vectors, own.ids, own.vectors
        )


def _chosen(
    connection: Connection,
    query: Select[Any],
    column: Column[Any] | None,
    among: Collection[Any],
) -> Iterator[Result[Any]]:
    """Yield the rows of a query: all without a column, else those in which it is among some."""
    if column is None:
        yield connection.execute(query)
        return
    for some in portions(sorted(filter(_can_be_stored, among))):
        yield connection.execute(query.where(column.in_(some)))


def _can_be_stored(value: object) -> bool:
    """Say whether a value can be in the database: bytes of a path that are no text cannot."""
    return not isinstance(value, str) or LONE.search(value) is None


LONE = re.compile("[\ud800-\udfff]")
"""What Python makes of such bytes."""


def _sample(row: Any, encoder: str) -> Sample:
    distance = None
    if row.vector is not None and row.ideal is not None:
        vector, ideal = sound_matrix([row.vector, row.ideal], encoder)
        distance = float(np.linalg.norm(vector.astype(np.float64) - ideal))
    return Sample(
        id=row.id,
        character=row.name,
        digest=row.digest,
        path=Path(row.path),
        enrolled_as=row.enrolled_as,
        detector=row.detector,
        face=face_of(row),
        is_best=row.best_sample_id == row.id,
        distance=distance,
        quality=quality_of(row),
        is_poor=row.is_poor,
    )
