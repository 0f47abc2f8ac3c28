"""Paths that mean the same from every folder."""

from __future__ import annotations

import os
from pathlib import Path


def absolute(path: Path | str) -> Path:
    """Return a path from the root, without dots.

    No link in it is followed: a picture that is a link stays where the link lies, and is another
    picture than the one that it leads to. Only a link before `..` is: the folder above is that of
    the folder it leads to.
    """
    # Its parts are free of single dots.
    whole = Path(path).absolute()
    if ".." not in whole.parts:
        return whole
    found = Path(whole.anchor)
    for part in whole.parts[1:]:
        if part != "..":
            found /= part
        elif os.name == "posix" and found.is_symlink():
            # Path.resolve raises for links that go in circles.
            found = Path(os.path.realpath(found)).parent
        else:
            found = found.parent
    return found
