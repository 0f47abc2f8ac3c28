"""What several test files start from."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import FakeDetector, enroll_squares, fake_gallery, memory
from hypothesis import HealthCheck, settings

from gallery.engine.engine import Engine
from gallery.settings import bundled
from gallery.store import schema
from gallery.store.reader import Store

if TYPE_CHECKING:
    from browser import Person
    from playwright.sync_api import Browser
    from postgres import Server
    from sqlalchemy import Connection

KNOWN = {"Rei": (20, 20, 220), "Asuka": (220, 20, 20)}

settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """Keep what every process makes anew: the tree of commands, networks, a new file's tables.

    Tests run many commands in one process, where all of it would be made again for each.
    """
    import onnxruntime
    import typer.main

    session = onnxruntime.InferenceSession
    opened: dict[object, onnxruntime.InferenceSession] = {}

    def opened_once(
        model: str | bytes,
        options: onnxruntime.SessionOptions | None = None,
        *,
        providers: Sequence[str],
    ) -> onnxruntime.InferenceSession:
        content = Path(model).read_bytes() if isinstance(model, str) else model
        threads = None if options is None else options.intra_op_num_threads
        key = (hashlib.sha256(content).digest(), threads, tuple(providers))
        if key not in opened:
            opened[key] = session(model, options, providers=providers)
        return opened[key]

    migrate = schema.migrate
    tables: list[str] = []
    first: list[str] = []

    def migrated(connection: Connection, migrations: Path) -> None:
        bare = connection.connection.driver_connection
        if (
            not isinstance(bare, sqlite3.Connection)
            or migrations != bundled("migrations")
            or connection.exec_driver_sql("SELECT 1 FROM sqlite_schema").first()
        ):
            migrate(connection, migrations)
            return
        if not tables:
            migrate(connection, migrations)
            # Without the transaction that a dump begins and ends with.
            tables.extend(list(bare.iterdump())[1:-1])
            first.append(connection.exec_driver_sql("SELECT change FROM state").scalar_one())
            return
        # What tells one gallery's changes from another's is random.
        own = secrets.token_hex(16)
        for statement in tables:
            connection.exec_driver_sql(statement.replace(first[0], own))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "migrate", migrated)
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        patch.setattr(onnxruntime, "InferenceSession", opened_once)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests: what is left at the end keeps all cores busy.

    Whatever looks at a page is slow: a browser takes seconds for each.
    """
    for one in items:
        if isinstance(one, pytest.Function) and "browser" in one.fixturenames:
            one.add_marker(pytest.mark.slow)
    slow = {one.path for one in items if one.get_closest_marker("slow")}
    items.sort(key=lambda one: one.path not in slow)


@pytest.fixture
def database() -> Iterator[Path]:
    """Where a test's gallery lies, in a folder of its own; nothing is there yet."""
    with tempfile.TemporaryDirectory(dir=memory()) as folder:
        yield Path(folder) / "gallery.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have the tests of the store pass on every kind of database; others get along with a file.

    A test that does something to the `database` itself is for files, and one that can do with some
    kinds alone says so by `parametrize("kind", ...)`.
    """
    names, marks = metafunc.fixturenames, metafunc.definition.iter_markers("parametrize")
    is_settled = "database" in names or any(one.args[0] == "kind" for one in marks)
    is_of_store = Path(metafunc.module.__file__ or "").parent.name == "store"
    if is_of_store and "kind" in names and not is_settled:
        metafunc.parametrize("kind", ["file", "memory", "server"])


@pytest.fixture
def kind() -> str:
    """Which kind of database a test's gallery is in."""
    return "file"


@pytest.fixture
def where(kind: str, request: pytest.FixtureRequest) -> str:
    """What names the database of a test; no gallery is in it yet, on a server an empty one."""
    if kind == "server":
        return str(request.getfixturevalue("server").gallery())
    return "sqlite://" if kind == "memory" else str(request.getfixturevalue("database"))


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    """An empty database, in tests of the store one of each kind."""
    with Store(where, create=True) as opened:
        yield opened


@pytest.fixture
def gallery(where: str) -> Iterator[Engine]:
    """An empty gallery over fakes, in tests of the store one of each kind."""
    with fake_gallery(where) as opened:
        yield opened


@pytest.fixture
def detector() -> FakeDetector:
    """The detector of `filled`, which notes what it saw; it has seen nothing yet."""
    return FakeDetector()


@pytest.fixture
def filled(database: Path, detector: FakeDetector, tmp_path: Path) -> Iterator[Engine]:
    """A gallery over fakes that knows Asuka, who is red, and Rei, who is blue."""
    with fake_gallery(database, detector=detector) as opened:
        enroll_squares(opened, tmp_path / "known", KNOWN)
        detector.seen.clear()
        yield opened


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; without its programs, tests that want it are skipped."""
    from postgres import running

    with running() as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file; without one they are skipped."""
    from browser import chromium

    with chromium() as opened:
        yield opened


@pytest.fixture
def person(browser: Browser, shown: Engine) -> Iterator[Person]:
    """Somebody before the page of the gallery that the test's file shows."""
    from browser import looking, served

    with served(shown) as link, looking(browser, link) as one:
        yield one


@pytest.fixture
def prefix() -> list[str]:
    """What makes a command heed permissions, which root does not."""
    if os.name != "posix":
        pytest.skip("needs POSIX permissions")
    if os.geteuid() != 0:
        return []
    found = shutil.which("setpriv")
    if found is None:
        pytest.skip("root heeds permissions only with setpriv of util-linux")
    return [found, "--bounding-set=-all", "--inh-caps=-all"]
