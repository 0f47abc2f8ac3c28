"""Paths that mean the same from every folder."""

from __future__ import annotations

import os
from pathlib import Path


def absolute(path: Path | str) -> Path:
    """Return a path from the root, without dots.

    No link in it is followed: a picture that is a link stays where the link lies, and is another
    picture than the one that it leads to.
    """
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links
