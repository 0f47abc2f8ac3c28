"""Ctrl-C ends a command with exit code 130 wherever it strikes: no traceback, and no loss.

The signal comes from within the very places that make something else of KeyboardInterrupt, so that
nothing is left to chance.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from command import PATIENCE, ROOT, Done, environment, finish, start
from fakes import Square, write_picture

from gallery.system.interrupts import ONE_PRESS, is_behind

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals"),
]

BEFORE = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
struck = False

def strike():
    global struck
    if not struck:
        struck = True
        signal.raise_signal(signal.SIGINT)

def within(owner, name, *, after=False, when=lambda: True):
    whole = getattr(owner, name)
    def replaced(*words, **more):
        if when() and not after:
            strike()
        done = whole(*words, **more)
        if when() and after:
            strike()
        return done
    setattr(owner, name, replaced)

class Importing:
    def __init__(self, name):
        self.name = name
    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            strike()

def importing(name):
    sys.meta_path.insert(0, Importing(name))

def loads_c():
    frame = sys._getframe()
    while frame and not frame.f_code.co_qualname.startswith("ExtensionFileLoader."):
        frame = frame.f_back
    return frame is not None
"""

AFTER = """
from gallery.__main__ import main
main()
"""

STARTUP = {
    "the command line's import": "importing('typer')",
    "an import behind it": "importing('typer.core')",
}
"""Before a command has begun."""

POOL = "from sqlalchemy.pool import base; "
WORK = {
    "a connection's reset": POOL + "within(base._ConnectionFairy, '_reset')",
    "a commit": (
        "from sqlalchemy.engine import default; within(default.DefaultDialect, 'do_commit')"
    ),
    "the end of a commit": (
        "from sqlalchemy.engine import default; "
        "within(default.DefaultDialect, 'do_commit', after=True)"
    ),
    "an import that C asks for": (
        "import builtins; within(builtins, '__import__', "
        "when=lambda: 'onnxruntime' in sys.modules and loads_c())"
    ),
    "an import": "importing('alembic')",
    "cleaning up": (
        "import contextlib; "
        "within(contextlib.ExitStack, '__exit__', when=lambda: 'sqlalchemy' in sys.modules); "
        "within(contextlib._GeneratorContextManager, '__exit__', "
        "when=lambda: 'sqlalchemy' in sys.modules)"
    ),
    "a finaliser": """
from sqlalchemy import Connection
class Gone:
    def __del__(self):
        strike()
        time.sleep(0)
whole = Connection.execute
def execute(*words, **named):
    Gone()
    return whole(*words, **named)
Connection.execute = execute
""",
    "a function that C calls and nobody catches": """
import weakref
from sqlalchemy import Connection
class Gone: pass
def gone(_):
    strike()
    time.sleep(0)
whole = Connection.execute
def execute(*words, **named):
    one = Gone()
    watch = weakref.ref(one, gone)
    del one
    return whole(*words, **named)
Connection.execute = execute
""",
}
"""While pictures are enrolled."""

END = {
    "an exit handler": "import atexit; atexit.register(strike)",
    "waiting for threads": "import threading; threading._register_atexit(strike)",
}
"""After all is said."""


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for number in range(12):
        write_picture(tmp_path / "album" / "Rei" / f"{number}.png", Square(9, 9, 60), seed=number)
    return tmp_path


def begin(album: Path, patch: str, *words: str) -> subprocess.Popen[str]:
    program = (sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c")
    return start(
        "--encoder", "anime-lite", *(words or ("enroll", "album", "--cropped")),
        cwd=album, database=album / "gallery.db", program=(*program, BEFORE + patch + AFTER),
    )  # fmt: skip


def enroll(album: Path, patch: str = "") -> Done:
    return finish(begin(album, patch))


def enrolled(album: Path) -> int:
    with closing(sqlite3.connect(album / "gallery.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM samples").fetchone()[0])


@pytest.mark.parametrize("patch", STARTUP.values(), ids=STARTUP)
def test_before_a_command_has_begun(album: Path, patch: str) -> None:
    done = enroll(album, patch)
    assert (done.code, done.stdout, done.complaint) == (130, "", "stopped.")
    assert not (album / "gallery.db").exists()


@pytest.mark.parametrize("patch", WORK.values(), ids=WORK)
def test_while_a_command_works(album: Path, patch: str) -> None:
    done = enroll(album, patch)
    assert done.code == 130, done.stderr
    assert not {"Traceback", "Exception"} & set(done.stderr.replace(":", " ").split()), done.stderr
    if "Stopped" in done.stderr:
        assert done.stderr.endswith("what was enrolled stays. Run it again to go on.\n")
    again = enroll(album)
    assert again.code == 0, again.stderr
    assert again.stderr.startswith("12 pictures of 1 character: ")
    assert enrolled(album) == 12


@pytest.mark.parametrize("patch", END.values(), ids=END)
def test_after_a_command_is_done(album: Path, patch: str) -> None:
    done = enroll(album, patch)
    said = "12 pictures of 1 character: 12 added.\n"
    assert (done.code, done.stderr) in ((0, said), (130, said + "gallery: stopped.\n"))
    assert enrolled(album) == 12


def test_a_second_one_stops_at_once_what_the_first_waits_for(album: Path) -> None:
    waiting = POOL + (
        "base._ConnectionFairy._reset = lambda *_, **__: print('waits', flush=True) or "
        "[time.sleep(0.01) for _ in range(10**9)]"
    )
    process = begin(album, waiting)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    time.sleep(ONE_PRESS / 2)
    assert process.poll() is None
    # On a machine that has no time for the process, several become one.
    for _ in range(PATIENCE):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
            break
    done = finish(process)
    assert (done.code, done.complaint) == (130, "stopped.")


def test_where_it_is_ignored_it_stays_so(album: Path) -> None:
    done = enroll(album, "signal.signal(signal.SIGINT, signal.SIG_IGN); " + WORK["a commit"])
    assert (done.code, enrolled(album)) == (0, 12)


def test_the_module_is_run_as_the_script_is(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gallery", "--version"],
        env=environment(tmp_path / "gallery.db"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("gallery ")


def test_an_error_that_a_library_makes_of_it_is_known() -> None:
    def made() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise ImportError("initialization failed")  # noqa: B904 - libraries do so

    with pytest.raises(ImportError) as caught:
        made()
    assert is_behind(caught.value)
    assert not is_behind(ValueError())


def test_next_to_nothing_is_imported_before_it_is_looked_after() -> None:
    code = (
        "import sys; before = set(sys.modules); import gallery.system.interrupts; "
        "print(*sorted(set(sys.modules) - before - {*sys.builtin_module_names}))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import enum, os, sys; sys.path.insert(0, {str(ROOT)!r}); {code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        "__future__", "gallery", "gallery.system", "gallery.system.interrupts", "signal",
    ]  # fmt: skip
