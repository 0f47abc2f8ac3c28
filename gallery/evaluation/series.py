"""Which characters are of one series, where names or folders say so.

Characters of one series are drawn by one hand: they are the hard strangers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

BRACKETS = re.compile(r"(?<=[^ _])[ _]?[(\uff08](?P<series>[^()\uff08\uff09]+)[)\uff09]$")
"""As in `Asuka (Evangelion)`, half or full in width: so many sites tell namesakes apart."""

PREFIX = re.compile(r"^(?P<series>[^:]+):(?=\S)")
"""As in `evangelion:asuka`."""


def series_in_name(name: str) -> str | None:
    """Return the series that stands in a name, in brackets behind it or before a colon."""
    found = BRACKETS.search(name) or PREFIX.search(name)
    return found["series"].strip().replace("_", " ").casefold() if found else None


def folder_above(path: Path, folder: str) -> str | None:
    """Return the name of the folder that a picture's character's folder lies in, if it lies so."""
    for above in path.parents:
        if above.name == folder:
            return above.parent.name or None
    return None


def known_series(
    names: Sequence[str], folders: Sequence[Sequence[str | None]]
) -> tuple[str | None, ...]:
    """Return each character's series, None where it is not known.

    Its name says it, or else the folder above that most of its pictures lie in. Where all
    characters lie in one folder, this is no series. `folders` are those of each one's pictures.
    """
    above = [_commonest(own) for own in folders]
    several = len({one for one in above if one is not None}) > 1
    return tuple(
        series_in_name(name) or (folder.casefold() if several and folder else None)
        for name, folder in zip(names, above, strict=True)
    )


def series_of_stranger(name: str, folder: str | None, known: Collection[str | None]) -> str | None:
    """Return the series of somebody who is not enrolled: what the name says, or a known folder."""
    above = folder.casefold() if folder else None
    return series_in_name(name) or (above if above in known else None)


def _commonest(folders: Sequence[str | None]) -> str | None:
    known = Counter(one for one in folders if one is not None)
    return min(known, key=lambda one: (-known[one], one)) if known else None
