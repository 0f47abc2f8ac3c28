"""Which folders lie on a network file system, as the system's table of mounts tells."""

from __future__ import annotations

import os
import re
from pathlib import Path

TABLE = Path("/proc/self/mountinfo")
"""Linux's; elsewhere nothing is known."""

NETWORK = re.compile(r"nfs\d?|cifs|smb\w*|ncpfs|afs|ceph|fuse(?!\.fuse-overlayfs$)(\..+)?")
"""Kinds of file systems whose files several machines may have open, and those that a program makes
up, which mostly are the same. `fuseblk` is a disk, and fuse-overlayfs the root of a container."""

ESCAPED = re.compile(r"\\([0-7]{3})")
"""How the table writes spaces and the like."""


def network_of(path: Path) -> str | None:
    """Return the kind of the network file system that a path lies on; None where it is on none."""
    kind = _kind_of(Path(os.path.realpath(path)))
    return kind if kind is not None and NETWORK.fullmatch(kind) else None


def _kind_of(path: Path) -> str | None:
    """Return the kind of the file system that is mounted deepest above a path, and there last."""
    try:
        lines = TABLE.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    found, deepest = None, 0
    for line in lines:
        place, _, system = line.partition(" - ")
        words = place.split(" ")
        if len(words) < 5 or not system:
            continue
        mounted = Path(ESCAPED.sub(lambda one: chr(int(one[1], 8)), words[4]))
        if path.is_relative_to(mounted) and len(mounted.parts) >= deepest:
            found, deepest = system.split(" ")[0], len(mounted.parts)
    return found
