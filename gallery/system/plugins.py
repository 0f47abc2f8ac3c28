"""Parts of other packages, found by name through entry points.

Detectors stand in the group `gallery.detectors`, encoders in `gallery.encoders`, output formats in
`gallery.writers`. A look-up
happens only for a name: reading what is installed takes as long as the whole start of the command
line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gallery.errors import SetupError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

TAKES_LONGER = "if it needs longer, set GALLERY_PLUGIN_SECONDS to more"
"""What to do about a part of another package that takes too long."""

MOVED = {
    "gallery.interfaces": "gallery.faces.interfaces",
    "gallery.detectors": "gallery.faces.detectors",
    "gallery.encoders": "gallery.faces.encoders",
    "gallery.images": "gallery.media.images",
    "gallery.labelling": "gallery.output",
    "gallery.records": "gallery.output.records",
    "gallery.quality": "gallery.faces.quality",
    "gallery.video": "gallery.faces.video",
}
"""What packages may import that stood elsewhere before, and where it stands now."""


def names(group: str) -> list[str]:
    """Return the names of the parts that other packages bring, without loading any."""
    return sorted({entry.name for entry in _entries(group)})


def entry_of(name: str, group: str, what: str) -> EntryPoint | None:
    """Return what other packages bring under a name, None where none does.

    Raises SetupError where two packages do; what says what it is, for the message.
    """
    found = [entry for entry in _entries(group) if entry.name == name]
    if len(found) > 1:
        packages = " and ".join(sorted(package_of(entry) for entry in found))
        raise SetupError(f"The packages {packages} both bring {what} {name}; uninstall one.")
    return found[0] if found else None


def package_of(entry: EntryPoint) -> str:
    """Return the name of the package that brings a part."""
    return entry.dist.name if entry.dist is not None else entry.value


def in_a_line(error: Exception) -> str:
    """Return what somebody else's error says, on one line."""
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    # Of a module in a package that is gone, the error names the package.
    former = error.name if isinstance(error, ModuleNotFoundError) else None
    return f"{said}; {former} is {MOVED[former]} now" if former in MOVED else said


def _entries(group: str) -> Sequence[EntryPoint]:
    from importlib import metadata

    return tuple(metadata.entry_points(group=group))
