"""Exact nearest-neighbour search by FAISS, and its files: a disposable cache, never believed.

The database is the truth. The files beside it carry a stamp of what they were built from; one
that is stale, damaged or missing is built anew, and one that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.neighbours import NOT_BY_PRODUCTS, open_faiss
from gallery.store.reader import Vectors
from gallery.system.files import replace_file, replacing
from gallery.system.reading import open_file, read_if_there
from gallery.types import DIMENSION

FORMAT = 2

STAMP_BYTES = 1 << 20
"""What is longer is no stamp."""

BLOCK = 1 << 20
"""Bytes that are read at once; they stay in the processor's cache."""
WORDS = 512
"""Numbers of 64 bits in a page of a file, for each of which there is a sum."""


class FlatIndex:
    """All rows are compared, by Euclidean distance, on one thread."""

    def __init__(self, index: Any) -> None:
        """Take an opened faiss.IndexIDMap over a faiss.IndexFlatL2."""
        self._index = index

    @classmethod
    def build(cls, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> FlatIndex:
        """Make an index of vectors, shape (n, DIMENSION), and their ids, shape (n,)."""
        faiss = open_faiss()
        index = cls(faiss.IndexIDMap(faiss.IndexFlatL2(DIMENSION)))
        index.add(ids, vectors)
        return index

    @classmethod
    def open(cls, path: Path) -> FlatIndex:
        """Map a saved index into memory: its rows are read when they are searched."""
        faiss = open_faiss()
        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        open_faiss().write_index(self._index, str(path))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add rows to an index that was built, as build takes them."""
        self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), ids)

    def search(
        self, queries: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return distances and ids of the nearest rows, each of shape (n, min(count, len))."""
        count = min(count, len(self))
        if count == 0 or len(queries) == 0:
            shape = (len(queries), count)
            return np.zeros(shape, np.float32), np.zeros(shape, np.int64)
        queries = np.ascontiguousarray(queries, np.float32)
        found = [
            self._index.search(queries[at : at + NOT_BY_PRODUCTS], count)
            for at in range(0, len(queries), NOT_BY_PRODUCTS)
        ]
        squares, ids = (np.concatenate(part) for part in zip(*found, strict=True))
        return np.sqrt(squares), ids


Indexes = Mapping[str, FlatIndex]
"""`ideal` and `best` carry character ids, `samples` sample ids."""

NAMES = ("ideal", "best", "samples")


def build_indexes(vectors: Vectors) -> Indexes:
    """Return the three indexes over everything an encoder has described."""
    return {
        "ideal": FlatIndex.build(vectors.character_ids, vectors.ideals),
        "best": FlatIndex.build(vectors.character_ids, vectors.bests),
        "samples": FlatIndex.build(vectors.sample_ids, vectors.samples),
    }


class IndexCache:
    """Indexes in a folder beside the database, by encoder."""

    def __init__(self, folder: Path | None) -> None:
        """Keep files in a folder, made when needed; with None nothing is kept."""
        self._folder = folder

    def get(self, encoder: str, change: str, read: Callable[[], Vectors]) -> tuple[str, Indexes]:
        """Return indexes and the change token they are of.

        They are opened when the files are of this encoder and change, else built from what read
        returns, which may be of a later change.
        """
        if self._folder is None:
            vectors = read()
            return vectors.change, build_indexes(vectors)
        found = self.open(encoder, change)
        if found is not None:
            return change, found
        vectors = read()
        indexes = build_indexes(vectors)
        # A cache that cannot be written costs time, not answers.
        with contextlib.suppress(OSError, RuntimeError):
            self._save(encoder, vectors.change, indexes)
        return vectors.change, indexes

    def open(self, encoder: str, change: str) -> Indexes | None:
        """Return the kept indexes, None where they are missing, stale or damaged."""
        if self._folder is None:
            return None
        try:
            stamp = json.loads(read_if_there(self._stamp(encoder), STAMP_BYTES) or b"")
            if (stamp["format"], stamp["encoder"], stamp["change"]) != (FORMAT, encoder, change):
                return None
            indexes: dict[str, FlatIndex] = {}
            for name in NAMES:
                path = self._file(encoder, change, name)
                if checksum(path) != stamp["files"][name]:
                    return None
                indexes[name] = FlatIndex.open(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
            # RuntimeError is what FAISS raises for a file it cannot read.
            return None
        return indexes

    def _save(self, encoder: str, change: str, indexes: Indexes) -> None:
        folder = self._folder
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        checks = {}
        for name, index in indexes.items():
            path = self._file(encoder, change, name)
            with replacing(path) as unfinished:
                index.save(unfinished)
            checks[name] = checksum(path)
        stamp = {"format": FORMAT, "encoder": encoder, "change": change, "files": checks}
        replace_file(self._stamp(encoder), json.dumps(stamp).encode())
        for old in folder.glob(f"{_short(encoder)}-*"):
            if f"-{change}-" not in old.name:
                old.unlink(missing_ok=True)

    def _stamp(self, encoder: str) -> Path:
        return Path(str(self._folder), f"{_short(encoder)}.json")

    def _file(self, encoder: str, change: str, name: str) -> Path:
        return Path(str(self._folder), f"{_short(encoder)}-{change}-{name}.faiss")


def checksum(path: Path) -> str:
    """Return a file's size and a sum of all of it, four times as fast as CRC-32 alone.

    Each page is summed up with a weight for each place in it, and the sums by CRC-32. The weights
    are odd, so that a number that has changed changes its page's sum, whatever it was.
    """
    size = total = 0
    content = memoryview(bytearray(BLOCK))
    block = np.frombuffer(content, "<u8")
    with open_file(path) as file:
        while count := file.readinto(content):
            size += count
            content[count:] = bytes(BLOCK - count)
            sums = np.einsum("ij,j->i", block.reshape(-1, WORDS), _weights())
            total = zlib.crc32(sums.tobytes(), total)
    return f"{size}-{total:08x}"


@functools.cache
def _weights() -> NDArray[np.uint64]:
    drawn = np.random.default_rng(0).integers(0, 1 << 64, WORDS, np.uint64)
    return np.asarray(drawn | np.uint64(1))


def _short(encoder: str) -> str:
    """Return what stands for an encoder in a file's name, whatever letters its id has."""
    return hashlib.sha256(encoder.encode()).hexdigest()[:12]
