"""Keys that programs want: from a file or the environment, never from a command line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gallery.errors import BadSetting
from gallery.services.known import Program
from gallery.system.reading import open_file

LONGEST = 4096
"""Letters of a key; signed ones have hundreds."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def key_of(program: Program, file: Path | None) -> str:
    """Return the key in a file, or without one that in a variable of the environment.

    Empty where there is none. Raises InputError for a file that cannot be read or that others can
    read, and for what is no key.
    """
    if file is None:
        key = os.environ.get(program.key_variable, "").strip()
        where = f"The variable {program.key_variable}"
    else:
        key, where = _read(file), str(file)
    if not key and file is None:
        return ""
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable() and " " not in key):
        raise BadSetting(
            "key_file", f"{where} holds no key of {program.name}", "put the key alone into it"
        )
    return key


def required_key(program: Program, file: Path | None) -> str:
    """Return a key as key_of does. Raises InputError where there is none."""
    key = key_of(program, file)
    if not key:
        raise BadSetting(
            "key_file",
            f"{program.name} wants a key, and {program.key_variable} is not set",
            "put the key into that variable, or into a file that you name",
        )
    return key


def _read(file: Path) -> str:
    try:
        with open_file(file) as opened:
            if os.name == "posix" and os.fstat(opened.fileno()).st_mode & OTHERS:
                raise BadSetting(
                    "key_file",
                    f"{file} can be read by others than its owner",
                    "chmod 600, and make a new key if others may have read it",
                )
            content = opened.read(LONGEST + 3)
    except OSError as error:
        raise BadSetting(
            "key_file", f"{file} cannot be read: {error.strerror}", "name another file"
        ) from error
    return content.decode("ascii", "replace").strip()
