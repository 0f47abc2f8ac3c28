"""The token that lets programs in: made once, and kept where its owner alone reads it."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from gallery.errors import BadSetting
from gallery.system.reading import open_file

SHORTEST, LONGEST = 20, 200
"""Letters of a token; one that is made has 43."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_token(token: str, where: str) -> str:
    """Return a token that was found somewhere. Raises InputError for one that is easily guessed."""
    if not (SHORTEST <= len(token) <= LONGEST and token.isascii() and token.isprintable()):
        raise BadSetting(
            "token",
            f"{where} holds no token of {SHORTEST} to {LONGEST} letters of ASCII",
            "take it away, and one is made",
        )
    if " " in token:
        raise BadSetting("token", f"{where} holds more than a token", "leave the token alone in it")
    return token


def kept_token(path: Path) -> tuple[str, bool]:
    """Return the token that a file keeps, and whether it was made now, where there was no file.

    Raises InputError for a file that others can read, that holds something else, or that cannot be
    read or made.
    """
    try:
        try:
            return _read(path), False
        except FileNotFoundError:
            return _made(path), True
    except FileExistsError:
        # Another program was quicker.
        return _read(path), False
    except OSError as error:
        reason = f"{path} cannot be read or made: {error.strerror}"
        raise BadSetting("token_file", reason, "name another one") from error


def _read(path: Path) -> str:
    with open_file(path) as file:
        mode = os.fstat(file.fileno()).st_mode
        if os.name == "posix" and mode & OTHERS:
            raise BadSetting(
                "token_file",
                f"{path} can be read by others than its owner",
                "chmod 600, and if others may have read it take it away, and one is made",
            )
        content = file.read(LONGEST + 3)
    return check_token(content.decode("ascii", "replace").strip(), str(path))


def _made(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    # From its first moment on nobody else reads it.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(f"{token}\n".encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    return token
