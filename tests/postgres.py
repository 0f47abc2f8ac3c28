"""A PostgreSQL server for tests: on loopback, in a folder of its own, not run by root."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from fakes import memory

OWNER = "owner"
PASSWORD = "a secret of the tests"  # noqa: S105

USER = "postgres"
"""Whom Debian's package makes; initdb refuses root."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "max_connections": "200",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


@functools.cache
def programs() -> Path:
    """Return the folder of the newest server's programs; without any the test is skipped."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return max(found, key=lambda path: int(path.parts[-3])).parent


def as_somebody(*words: str | Path) -> list[str]:
    """Return a command as one that does not run as root."""
    plain = [str(word) for word in words]
    if os.geteuid() != 0:
        return plain
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root needs setpriv of util-linux to start PostgreSQL")
    return [setpriv, "--reuid", USER, "--regid", USER, "--clear-groups", *plain]


@dataclass
class Server:
    """A server that runs, and the databases that tests make on it."""

    folder: Path
    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str, user: str = OWNER, password: str = PASSWORD) -> str:
        """Return what names a database for gallery."""
        login = f"{user}:{password.replace(' ', '%20')}"
        return f"postgresql+psycopg://{login}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the owner and return its rows."""
        import psycopg

        url = self.url(database).replace("+psycopg", "")
        with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def empty(self, template: str = "template1", options: str = "") -> str:
        """Make a database and return its name."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} {options}")
        return name

    @functools.cached_property
    def template(self) -> str:
        """A database with an empty gallery, which others are quickly made from."""
        from gallery.store.reader import Store

        name = self.empty()
        Store(self.url(name), create=True).close()
        return name

    def gallery(self) -> str:
        """Make an empty gallery and return its URL."""
        return self.url(self.empty(self.template))

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        options += f" -p {self.port} -c unix_socket_directories="
        self._control("start", "-w", "-o", options, "-l", self.folder / "log")

    def stop(self, how: str = "immediate") -> None:
        """Stop the server, whatever it is at."""
        self._control("stop", "-m", how)

    def _control(self, *words: str | Path) -> None:
        subprocess.run(
            as_somebody(programs() / "pg_ctl", "-D", self.folder / "data", *words),
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it at the end."""
    bin_folder = programs()
    with tempfile.TemporaryDirectory(dir=memory(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
            shutil.chown(secret, USER)
        login = ["-U", OWNER, "--pwfile", str(secret), "--auth", "scram-sha-256"]
        texts = ["--encoding", "UTF8", "--locale", "C.UTF-8"]
        words = ["-D", str(folder / "data"), *login, *texts, "--no-sync"]
        subprocess.run(
            as_somebody(bin_folder / "initdb", *words),
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        server = Server(folder, _free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
