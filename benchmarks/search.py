"""Measures nearest-neighbour search beside a plain NumPy scan of the same vectors.

    python -m benchmarks.search [--sizes 1000 10000 100000 1000000]

Vectors are random and of length 1. Both return the ten nearest of every query; the scan computes
the differences themselves, in float32 and in blocks that fit the processor's cache. The index of
the largest size is saved and opened again, mapped into memory.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Times, milliseconds, peak_memory, repeated
from gallery.identify.index import FlatIndex
from gallery.identify.index_cache import checksum
from gallery.types import DIMENSION
from measuring.tables import table

SIZES = (1_000, 10_000, 100_000, 1_000_000)
BATCH = 32
NEAREST = 10
SECONDS = 1.5
"""How long one figure is measured, about."""
BLOCK = 4096
OPENINGS = 5

Vectors = NDArray[np.float32]


def vectors(count: int, seed: int) -> Vectors:
    """Return random vectors of length 1, shape (count, DIMENSION)."""
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def scan(rows: Vectors, query: Vectors, count: int) -> tuple[Vectors, NDArray[np.int64]]:
    """Return distances and numbers of the rows nearest to one query, shape (DIMENSION,)."""
    squares = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        apart = rows[start : start + BLOCK] - query
        np.einsum("ij,ij->i", apart, apart, out=squares[start : start + BLOCK])
    count = min(count, len(rows))
    near = np.argpartition(squares, count - 1)[:count]
    near = near[np.argsort(squares[near], kind="stable")]
    return np.sqrt(squares[near]), near.astype(np.int64)


def scan_all(rows: Vectors, queries: Vectors, count: int) -> Vectors:
    """Return the distances of the rows nearest to each query, shape (n, count)."""
    return np.stack([scan(rows, query, count)[0] for query in queries])


def compare(rows: Vectors, index: FlatIndex, queries: Vectors) -> tuple[dict[str, Times], float]:
    """Return the times of both for one query and a batch, and their largest difference."""
    one = cycle(queries)
    actions: dict[str, Callable[[], object]] = {
        "index 1": lambda: index.search(next(one)[None], NEAREST),
        "scan 1": lambda: scan(rows, next(one), NEAREST),
        "index batch": lambda: index.search(queries, NEAREST),
        "scan batch": lambda: scan_all(rows, queries, NEAREST),
    }
    times = {name: repeated(action, SECONDS) for name, action in actions.items()}
    # A few queries say as much of the arithmetic as all of them.
    found, _ = index.search(queries[:8], NEAREST)
    return times, float(np.abs(found - scan_all(rows, queries[:8], NEAREST)).max())


def row(size: int, times: dict[str, Times], difference: float) -> tuple[str, ...]:
    """Return a line of the report."""
    cells = [f"{size:,}"]
    for what in ("1", "batch"):
        fast, slow = times[f"index {what}"], times[f"scan {what}"]
        ratio = f"{slow.median / fast.median:.1f}"
        cells += [f"{fast.median:.3g} (N {len(fast)})", f"{slow.median:.3g} (N {len(slow)})", ratio]
    return (*cells, f"{difference:.1g}")


def measure_opening(index: FlatIndex, queries: Vectors, folder: Path) -> str:
    """Save an index, and return how long it takes to check, open and ask it."""
    path = folder / "rows.vectors"
    size = len(index)
    saving = milliseconds(lambda: index.vectors.tofile(path))
    checking, asking = [], []
    for _ in range(OPENINGS):
        rows = np.asarray(np.memmap(path, np.float32, "r", shape=index.vectors.shape))
        opened = FlatIndex(index.ids, rows)
        checking.append(milliseconds(lambda: checksum(opened.ids, opened.vectors)))  # noqa: B023
        asking.append(milliseconds(lambda: opened.search(queries[:1], NEAREST)))  # noqa: B023
    check, ask = (Times(tuple(one)).median for one in (checking, asking))
    return (
        f"{size:,} saved: {path.stat().st_size / 1e6:.0f} MB in {saving:.0f} ms; mapped and "
        f"checked in {check:.1f} ms, first query {ask:.1f} ms (medians of {OPENINGS}, file in the "
        "system's cache)"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare the index with a NumPy scan.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = sorted(parser.parse_args(arguments).sizes)
    print(
        f"{DIMENSION} float32 a vector, {NEAREST} nearest, one thread; medians in ms of as many "
        f"repeats as fit {SECONDS} s"
    )
    queries = vectors(BATCH, seed=1)
    everything = vectors(sizes[-1], seed=0)
    rows = []
    for size in sizes:
        some = everything[:size]
        index = FlatIndex.build(np.arange(size), some)
        times, difference = compare(some, index, queries)
        rows.append(row(size, times, difference))
    names = ("index", "scan", "ratio")
    batch = [f"{name} x{BATCH}" for name in names]
    print(table(("vectors", *names, *batch, "difference"), rows))
    del everything, some
    with tempfile.TemporaryDirectory() as folder:
        print(measure_opening(index, queries, Path(folder)))
    print(f"peak memory {peak_memory():.0f} MiB")


if __name__ == "__main__":
    main()
