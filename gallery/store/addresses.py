"""Where a gallery is: in a file, in memory, or on a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from gallery.errors import BadSetting, SetupError
from gallery.system.files import absolute

FORMS = "a path, sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME"

DRIVERS = ("postgresql", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class Address:
    """The place of a gallery."""

    path: Path | None = None
    """Its file, absolute; None for one in memory and one on a server."""
    server: URL | None = None
    """The database on a server, with what its user gave to log in."""

    @property
    def shown(self) -> Path | str | None:
        """What stands for it in messages: never a password; None for one in memory."""
        if self.server is None:
            return self.path
        # A password may stand behind the question mark, too.
        plain = self.server.set(drivername="postgresql", query={})
        return URL.create(
            plain.drivername, plain.username, None, plain.host, plain.port, plain.database
        ).render_as_string()

    @property
    def name(self) -> str:
        """What the gallery is called: its file's name without the ending, or its database's."""
        if self.server is not None:
            return self.server.database or ""
        return "in memory" if self.path is None else self.path.stem


def address_of(where: str) -> Address:
    """Return what a path or URL names.

    Raises InputError for an invalid URL, SetupError for another kind of database.
    """
    if "://" not in where:
        return Address(absolute(Path(where).expanduser()))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:
        # What cannot be read may hold a password.
        shown = where if "@" not in where else f"{where.partition('://')[0]}://..."
        raise BadSetting("database", f"{shown} is not a database URL", f"give {FORMS}") from error
    if url.drivername in DRIVERS:
        return Address(server=url.set(drivername="postgresql+psycopg"))
    if url.get_backend_name() != "sqlite":
        raise SetupError(f"Databases of {url.drivername} are not supported; give {FORMS}.")
    if url.database in (None, "", ":memory:"):
        return Address()
    return Address(absolute(Path(str(url.database)).expanduser()))
