"""Watches the processes that use damaged inputs: for crashes, for hangs, and for their memory."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parents[1]

PATIENCE = 30.0
"""Seconds that an input may take."""

AT_ONCE = 500
"""Inputs of one process: what is left of one in it may upset another, and it is told apart so."""

WORKER = ("-m", "fuzz.worker")

STARTING = 120.0
"""Seconds that a process may take to begin."""


def folder_in_memory() -> tempfile.TemporaryDirectory[str]:
    """Return a folder where commits, which wait for a disk, are quick, where there is one."""
    shared = "/dev/shm"  # noqa: S108 - what is made in it gets a private name
    return tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None)


@dataclass(slots=True)
class Tally:
    """How inputs of one kind went."""

    kind: str
    inputs: int = 0
    faults: list[str] = field(default_factory=list)
    """Exceptions that are no GalleryError: the input's number and the exception's name."""
    signals: list[str] = field(default_factory=list)
    """The inputs that ended the process, and how."""
    hangs: list[str] = field(default_factory=list)
    peak: int = 0
    """The most memory that a process held, in bytes."""

    @property
    def is_clean(self) -> bool:
        """Say whether nothing happened that may not."""
        return not (self.faults or self.signals or self.hangs)

    def lines(self) -> list[str]:
        """Return what is to be looked at."""
        return [
            *(f"{self.kind} {one}" for one in (*self.faults, *self.signals)),
            *(f"{self.kind} {one} hangs" for one in self.hangs),
        ]


def tried(
    kind: str,
    count: int,
    *,
    seed: int,
    folder: Path,
    first: int = 0,
    patience: float = PATIENCE,
    worker: Sequence[str] = WORKER,
) -> Tally:
    """Use so many inputs of a kind, whose sound files lie in the folder, and return how it went."""
    tally = Tally(kind)
    following = first
    while following < first + count:
        last = min(following + AT_ONCE, first + count)
        words = [*worker, kind, str(folder), str(seed), str(following), str(last)]
        following = _run(tally, words, (following, last), folder, patience)
    return tally


def make_sources(kind: str, folder: Path) -> None:
    """Write the sound files of a kind in a process of its own."""
    code = "import sys; from pathlib import Path; from fuzz.sources import write_sources; "
    code += "write_sources(sys.argv[1], Path(sys.argv[2]))"
    subprocess.run(
        [sys.executable, "-c", code, kind, str(folder / "sources" / kind)],
        env=_environment(),
        check=True,
    )


def _peak_of(pid: int) -> int:
    """Return the most bytes that a process has held; 0 where it is over or the system is another.

    What is told of it when it ended counts what its parent held before, too.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    own = [line.split() for line in lines.splitlines() if line.startswith("VmHWM:")]
    return int(own[0][1]) * 1024 if own else 0


def _run(
    tally: Tally, words: Sequence[str], span: tuple[int, int], folder: Path, patience: float
) -> int:
    """Use inputs in one process until they are done or one ends it; return which comes next."""
    said = folder / f"said-{tally.kind}.txt"
    with said.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, *words],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
        )
    current = span[0]
    has_begun = is_late = False
    for word, rest in _answers(process, patience):
        tally.peak = max(tally.peak, _peak_of(process.pid))
        if word == "late":
            is_late = True
            process.kill()
        elif word.isdecimal():
            current, has_begun = int(word), True
            tally.inputs += 1
        elif word == "fault":
            tally.faults.append(f"{current} {rest}")
    process.wait()
    if process.returncode == 0:
        return span[1]
    if not has_begun:
        raise RuntimeError(f"The inputs of {tally.kind} cannot be used; see {said}.")
    if is_late:
        tally.hangs.append(str(current))
    else:
        tally.signals.append(f"{current} {_ending(process.returncode)}")
    return current + 1


def _answers(process: subprocess.Popen[bytes], patience: float) -> Iterator[tuple[str, str]]:
    """Yield the words that a process says; `late` where it says nothing for too long."""
    assert process.stdout is not None
    rest = b""
    wait = STARTING
    with process.stdout as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(wait):
                yield "late", ""
            said = os.read(pipe.fileno(), 65536)
            if not said:
                return
            *lines, rest = (rest + said).split(b"\n")
            for line in lines:
                word, _, more = line.decode().partition(" ")
                yield word, more
            wait = patience


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _environment() -> dict[str, str]:
    # Nothing is measured in them: that would take twice as long.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    path = os.pathsep.join((str(HERE), str(HERE.parent)))
    return {**kept, "PYTHONPATH": path, "ORT_DISABLE_TELEMETRY": "1"}
