"""Runs the command line: in a process of its own, as a user does, or here where that is enough."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.cli import main

ROOT = Path(__file__).parent.parent

PROGRAM = (sys.executable, "-W", "error", "-c", "from gallery.__main__ import main; main()")
"""What the script `gallery` does; warnings are errors here too."""

INTERRUPTED = (
    *(*PROGRAM[:3], "-W", "ignore::ResourceWarning", "-c"),
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from gallery.__main__ import main; main()",
)
"""The same for a program that is stopped. Shells let what they run in the background ignore
Ctrl-C, and tests may run there. And between opening a file and taking care of it, Python closes the
file by itself, and says so only where that warning is asked for."""

FOREIGN = ("COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "NO_COLOR", "PY_COLORS", "TERM")
"""What changes how Typer and Rich print."""

PATIENCE = 120
"""Seconds after which a process hangs."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left."""

    code: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """The one sentence on standard error; fails where there is another, or a traceback."""
        assert "Traceback" not in self.stderr, self.stderr
        assert self.stderr.startswith("gallery: "), self.stderr
        assert self.stderr.count("\n") == 1, self.stderr
        assert self.stderr.endswith((".\n", "?\n")), self.stderr
        return self.stderr.removeprefix("gallery: ").removesuffix("\n")


def environment(database: Path | str | None = None) -> dict[str, str]:
    """Return the environment of a process: ours, without what a user's shell may have set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in FOREIGN and not (name.startswith("GALLERY_") and name != "GALLERY_CACHE")
    }
    if database is not None:
        kept["GALLERY_DATABASE"] = str(database)
    return {**kept, "PYTHONPATH": str(ROOT)}


def start(
    *words: str | Path,
    cwd: Path,
    database: Path | str | None = None,
    extra: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    program: Sequence[str] = PROGRAM,
) -> subprocess.Popen[str]:
    """Start a command, behind another where prefix names one, with pipes for what it says."""
    return subprocess.Popen(
        [*prefix, *program, *map(str, words)],
        cwd=cwd,
        env={**environment(database), **(extra or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
    )


def finish(process: subprocess.Popen[str]) -> Done:
    """Wait for a process and return what it left."""
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, stdout, stderr)


def run(
    *words: str | Path,
    cwd: Path,
    database: Path | str | None = None,
    extra: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Done:
    """Run a command to its end; database goes into GALLERY_DATABASE, extra into the environment."""
    return finish(start(*words, cwd=cwd, database=database, extra=extra, prefix=prefix))


def call(*words: str | Path, cwd: Path, database: Path | str | None = None) -> Done:
    """Run a command in this process; what a process of its own would add is not wanted."""
    stdout, stderr = _stream(), _stream()
    with (
        _standing(cwd, environment(database), ["gallery", *map(str, words)]),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Done(code, _text(stdout), _text(stderr))


@contextlib.contextmanager
def _standing(cwd: Path, variables: dict[str, str], words: list[str]) -> Iterator[None]:
    """Put this process where a command's process would stand, and back again."""
    before, said = dict(os.environ), sys.argv
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = words
    try:
        with contextlib.chdir(cwd):
            yield
    finally:
        sys.argv = said
        os.environ.clear()
        os.environ.update(before)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode("utf-8", "surrogateescape")
