"""Measures what `gallery label` has in memory while it labels many pictures.

    python -m benchmarks.label_memory [--pictures 10000] [--documents]

The process is the one that a user starts, with the default detector and encoder; another one looks
on. Its pictures are the drawn screenshots at 640x360, each with a number in it, so that no two have
the same content. With --documents a second run also writes the formats that are held to the end.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.timing import CHARACTERS, ROOT, SCREENSHOTS, pictures
from measuring.tables import table

SHARES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""After which shares of the pictures the process is looked at."""

SETTLED = 0.1
"""The share after which all networks, caches and threads are there."""

SIZE = (640, 360)
GLANCE = 0.05
"""Seconds between two looks at the process."""

DOCUMENTS = ("coco:coco.json", "label-studio:tasks.json", "html:sheet.html", "csv:labels.csv")
"""Formats that know all records at the end, as `gallery label --write` takes them."""

PROGRAM = (sys.executable, "-c", "from gallery.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Mark:
    """What the process had after so many pictures, in MiB."""

    pictures: int
    resident: float
    """At this moment."""
    peak: float
    """At most until then."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A process that was looked at until it ended."""

    marks: tuple[Mark, ...]
    peak: float
    """The most it has had until its end, in MiB."""
    seconds: float

    @property
    def growth(self) -> float:
        """MiB more for each 1,000 pictures, from where it has settled to the last picture."""
        last = self.marks[-1]
        settled = next(one for one in self.marks if one.pictures >= SETTLED * last.pictures)
        count = last.pictures - settled.pictures
        return (last.resident - settled.resident) / count * 1000 if count else 0.0


def small_pictures() -> list[bytes]:
    """Return the drawn screenshots at 640x360 as JPEG files."""
    from PIL import Image as pillow

    files = []
    for path in pictures(SCREENSHOTS):
        file = io.BytesIO()
        with pillow.open(path) as picture:
            picture.convert("RGB").resize(SIZE).save(file, "JPEG", quality=85)
        files.append(file.getvalue())
    return files


def numbered(content: bytes, number: int) -> bytes:
    """Return a JPEG file with a number as its comment, which shows nothing."""
    comment = b"\xff\xfe\x00\x06" + number.to_bytes(4, "big")
    return content[:2] + comment + content[2:]


def fill(folder: Path, number: int) -> None:
    """Write so many pictures, each of a content of its own."""
    folder.mkdir()
    files = small_pictures()
    for row in range(number):
        (folder / f"{row:06}.jpg").write_bytes(numbered(files[row % len(files)], row))


def memory_of(process: int) -> tuple[float, float]:
    """Return what a process has in memory and the most it has had, in MiB, as Linux says.

    Raises OSError where there is no such process, or no Linux.
    """
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    fields = dict(line.partition(":")[::2] for line in lines.splitlines())
    resident, peak = (
        int(fields.get(name, "0 kB").split()[0]) / 1024 for name in ("VmRSS", "VmHWM")
    )
    return resident, peak


def watch(words: Sequence[str], folder: Path, out: Path, number: int) -> Watched:
    """Run `gallery` with these words in a folder, and look at it until it ends.

    Raises RuntimeError where it fails or its file of records has not as many lines in the end.
    """
    wanted = sorted({max(round(share * number), 1) for share in SHARES})
    marks: list[Mark] = []
    records = _Lines(out)
    begun = time.perf_counter()
    environment = {
        **os.environ,
        "GALLERY_DATABASE": str(folder / "gallery.db"),
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [*PROGRAM, *words], cwd=folder, env=environment, stdout=said, stderr=said
        )
    resident = peak = 0.0
    while True:
        reaped, status, usage = os.wait4(process.pid, os.WNOHANG)
        if not reaped:
            # A process that has just ended has no memory any more.
            now, most = memory_of(process.pid)
            resident, peak = now or resident, max(peak, most)
        done = records.count()
        if wanted and done >= wanted[0]:
            wanted = [one for one in wanted if one > done]
            marks.append(Mark(done, resident, peak))
        if reaped:
            break
        time.sleep(GLANCE)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or records.count() != number:
        text = (folder / "said").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"`gallery {' '.join(words)}` failed: {text[-2000:]}")
    seconds = time.perf_counter() - begun
    return Watched(tuple(marks), max(peak, usage.ru_maxrss / 1024), seconds)


class _Lines:
    """Counts the lines of a file that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._read = 0

    def count(self) -> int:
        """Return how many lines there are by now."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                content = file.read()
            self._read += len(content)
            self._count += content.count(b"\n")
        return self._count


def measure(number: int, *, documents: bool = False) -> Watched:
    """Label so many pictures in a process of its own, and return what it had in memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "pictures", number)
        enrolling = subprocess.run(
            [*PROGRAM, "--database", folder / "gallery.db", "enroll", CHARACTERS],
            cwd=ROOT, capture_output=True, check=False,
        )  # fmt: skip
        if enrolling.returncode:
            raise RuntimeError(f"`gallery enroll` failed: {enrolling.stderr.decode()[-2000:]}")
        writes = [word for target in DOCUMENTS for word in ("--write", target)]
        words = ["label", "pictures", "--out", "labels.jsonl", *(writes if documents else ())]
        return watch(words, folder, folder / "labels.jsonl", number)


def told(watched: Watched) -> str:
    """Return what a process had in memory, as a table and a sentence."""
    rows, before = [], watched.marks[0]
    for mark in watched.marks:
        count = mark.pictures - before.pictures
        grown = f"{(mark.resident - before.resident) / count * 1000:+.1f}" if count else "-"
        rows.append((f"{mark.pictures:,}", f"{mark.resident:.0f}", f"{mark.peak:.0f}", grown))
        before = mark
    number = watched.marks[-1].pictures
    return (
        table(("pictures", "MiB", "peak MiB", "MiB a 1,000 more"), rows)
        + f"\n{watched.growth:+.1f} MiB for each 1,000 pictures after the first "
        f"{SETTLED:.0%}; peak to the end {watched.peak:.0f} MiB; "
        f"{number / watched.seconds:.1f} pictures/s with its start"
    )


def report(number: int, *, documents: bool) -> None:
    """Measure and print; say so where that cannot be."""
    if not pictures(SCREENSHOTS) or not CHARACTERS.is_dir():
        print(f"Skipped: neither {CHARACTERS} nor pictures under {SCREENSHOTS} are there.")
        return
    if not Path("/proc/self/status").exists():
        print("Skipped: another process's memory is read on Linux alone.")
        return
    print(
        f"memory of `gallery label` over {number:,} pictures of {SIZE[0]}x{SIZE[1]}, "
        "default detector and encoder"
    )
    print(told(measure(number)))
    if documents:
        print(f"\nthe same with {', '.join(one.partition(':')[0] for one in DOCUMENTS)}")
        print(told(measure(number, documents=True)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the memory of `gallery label`.")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--documents", action="store_true", help="a second run that writes them")
    chosen = parser.parse_args(arguments)
    report(chosen.pictures, documents=chosen.documents)


if __name__ == "__main__":
    main()
