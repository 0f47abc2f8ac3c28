"""Indexes in files beside the database: a disposable cache that follows it, and is never believed.

Each index has a file of ids, one of vectors, and a stamp. The stamp says of which encoder and of
which change of the database the index is, how many rows of the files count, their checksum, and
which of them are dead. What changed since is appended: rows that a stamp counts are never written
again, so that whoever has them open goes on. The stamp is replaced at once. An index is made anew,
in files of another name, where nobody knows what changed, or where a tenth of its rows would be
dead. One that is damaged or missing is made anew, and one that cannot be written is done without.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import json
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.errors import UnwritableFile
from gallery.identify.index import FlatIndex, Ids, Marks, Rows
from gallery.store.changes import Indexed
from gallery.store.reader import Store
from gallery.system.files import replace_file
from gallery.system.locks import folder_lock
from gallery.system.reading import open_file, read_if_there
from gallery.types import width_of

FORMAT = 3

STAMP_BYTES = 1 << 20
"""What is longer is no stamp."""

MOST_DEAD = 0.1
"""The share of an index's rows that may be dead."""

SUMMED_AT_ONCE = 1 << 11
"""Rows that are summed up at once; they stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """An index in files, and what its stamp says."""

    change: str
    generation: str
    """What its files are called."""
    checksum: int
    index: FlatIndex


class IndexCache:
    """Indexes in a folder beside the database, by encoder."""

    def __init__(self, folder: Path | None) -> None:
        """Keep files in a folder, made when needed; with None nothing is kept."""
        self._folder = folder

    def get(self, store: Store, encoder: str, what: Indexed) -> tuple[str, FlatIndex]:
        """Return an index of a gallery as it is now, and the change token that it is of."""
        if self._folder is None:
            return _built(store, encoder, what)
        files = _Files(self._folder, encoder, what)
        change = store.change()
        kept = files.kept()
        if kept is not None and kept.change == change:
            return change, kept.index
        with contextlib.ExitStack() as held:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(folder_lock(self._folder))
            except (OSError, UnwritableFile):
                # A folder that cannot be written costs time, not answers.
                return _built(store, encoder, what)
            return _followed(store, files)

    def open(self, encoder: str, change: str, what: Indexed = Indexed.IDEAL) -> FlatIndex | None:
        """Return a kept index of a change; None where it is missing, stale or damaged."""
        kept = None if self._folder is None else _Files(self._folder, encoder, what).kept()
        return None if kept is None or kept.change != change else kept.index


def _built(store: Store, encoder: str, what: Indexed) -> tuple[str, FlatIndex]:
    rows = store.index_rows(encoder, what)
    return rows.change, FlatIndex.build(rows.ids, rows.vectors)


def _followed(store: Store, files: _Files) -> tuple[str, FlatIndex]:
    """Bring files to the change that the database has now."""
    # Another process may have done so while this one waited.
    kept = files.kept()
    new = None
    if kept is not None:
        rows, dead = len(kept.index.ids), int(kept.index.dead.sum())
        most = max(int(MOST_DEAD * rows) - dead, 0)
        new = store.index_rows_since(files.encoder, files.what, kept.change, most)
    if kept is None or new is None:
        change, index = _built(store, files.encoder, files.what)
        with contextlib.suppress(OSError):
            files.write(change, index)
        return change, index
    change = new.rows.change
    try:
        return change, files.append(kept, change, new.gone, new.rows.ids, new.rows.vectors)
    except OSError:
        return change, kept.index.followed(new.gone, new.rows.ids, new.rows.vectors)


class _Files:
    """The files of one index of one encoder."""

    def __init__(self, folder: Path, encoder: str, what: Indexed) -> None:
        self.encoder, self.what = encoder, what
        self._width = width_of(encoder)
        self._folder = folder
        # Whatever letters an encoder's id has.
        self._encoder = hashlib.sha256(encoder.encode()).hexdigest()[:12]
        self._name = f"{self._encoder}-{what}"

    def kept(self) -> _Kept | None:
        """Return the index in the files; None where they are missing or damaged."""
        try:
            stamp = json.loads(read_if_there(self._stamp, STAMP_BYTES) or b"")
            if (stamp["format"], stamp["encoder"]) != (FORMAT, self.encoder):
                return None
            count, generation = int(stamp["rows"]), str(stamp["generation"])
            ids, vectors = self._mapped(generation, count)
            found = FlatIndex(ids, vectors, _marks_of(stamp["dead"], count))
            if checksum(ids, vectors) != stamp["checksum"]:
                return None
            return _Kept(str(stamp["change"]), generation, stamp["checksum"], found)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        except (OverflowError, zlib.error):
            return None

    def write(self, change: str, index: FlatIndex) -> None:
        """Write an index whole, in place of the one that is there. Raises OSError."""
        generation = uuid.uuid4().hex
        ids, vectors = self._paths(generation)
        index.ids.tofile(ids)
        index.vectors.tofile(vectors)
        self._put_stamp(change, generation, checksum(index.ids, index.vectors), index.dead)
        for old in self._folder.glob(f"{self._encoder}*"):
            if self._is_old(old.name, generation):
                old.unlink(missing_ok=True)

    def append(self, kept: _Kept, change: str, gone: Ids, ids: Ids, vectors: Rows) -> FlatIndex:
        """Append rows to a kept index, whose rows of some ids are dead now. Raises OSError."""
        count = len(kept.index.ids)
        # What stands behind the rows that count is of somebody who did not finish.
        ids_path, vectors_path = self._paths(kept.generation)
        with ids_path.open("r+b") as file:
            file.seek(count * ids.itemsize)
            ids.tofile(file)
        with vectors_path.open("r+b") as file:
            file.seek(4 * count * self._width)
            vectors.tofile(file)
        dead = np.concatenate(
            [kept.index.dead | np.isin(kept.index.ids, gone), np.zeros(len(ids), np.bool_)]
        )
        total = checksum(ids, vectors, kept.checksum)
        self._put_stamp(change, kept.generation, total, dead)
        return FlatIndex(*self._mapped(kept.generation, count + len(ids)), dead)

    def _put_stamp(self, change: str, generation: str, total: int, dead: Marks) -> None:
        stamp = {
            "format": FORMAT,
            "encoder": self.encoder,
            "change": change,
            "generation": generation,
            "rows": len(dead),
            "checksum": total,
            "dead": base64.b64encode(zlib.compress(np.packbits(dead).tobytes())).decode(),
        }
        replace_file(self._stamp, json.dumps(stamp).encode())

    def _mapped(self, generation: str, count: int) -> tuple[Ids, Rows]:
        """Return the first rows of files. Raises ValueError where they are fewer."""
        if count == 0:
            return np.zeros(0, np.int64), np.zeros((0, self._width), np.float32)
        ids, vectors = self._paths(generation)
        with open_file(ids) as file:
            own = np.memmap(file, np.int64, "r", shape=(count,))
        with open_file(vectors) as file:
            rows = np.memmap(file, np.float32, "r", shape=(count, self._width))
        # Who searches them wants plain arrays.
        return np.asarray(own), np.asarray(rows)

    @property
    def _stamp(self) -> Path:
        return self._folder / f"{self._name}.json"

    def _paths(self, generation: str) -> tuple[Path, Path]:
        name = f"{self._name}-{generation}"
        return self._folder / f"{name}.ids", self._folder / f"{name}.vectors"

    def _is_old(self, name: str, generation: str) -> bool:
        """Say whether a file of the encoder is one that nobody reads any more."""
        if name.startswith(f"{self._name}-"):
            return generation not in name
        # A version before wrote one stamp for all indexes, and files that FAISS reads.
        return name == f"{self._encoder}.json" or name.endswith(".faiss")


def checksum(ids: Ids, vectors: Rows, start: int = 0) -> int:
    """Return a sum of rows that goes on from that of the rows before them.

    Each row is summed up with a weight for each place in it, and the sums by CRC-32, which is four
    times as fast as CRC-32 alone. The weights are odd, so that a number that has changed changes
    its row's sum, whatever it was.
    """
    weights, total = _weights(vectors.shape[1]), start
    for at in range(0, len(ids), SUMMED_AT_ONCE):
        some = slice(at, at + SUMMED_AT_ONCE)
        sums = np.einsum("ij,j->i", vectors[some].view(np.uint64), weights[1:])
        sums += ids[some].view(np.uint64) * weights[0]
        total = zlib.crc32(sums.tobytes(), total)
    return total


@functools.cache
def _weights(width: int) -> NDArray[np.uint64]:
    """Return a weight for a row's id, and one for each two of its numbers, which are even many."""
    drawn = np.random.default_rng(0).integers(0, 1 << 64, 1 + width // 2, np.uint64)
    return np.asarray(drawn | np.uint64(1))


def _marks_of(text: str, count: int) -> Marks:
    """Return which rows are dead, as a stamp says it. Raises ValueError for what says nothing."""
    packed = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), count // 8 + 1)
    if len(packed) != -(-count // 8):
        raise ValueError("not as many marks as rows")
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(np.bool_)
