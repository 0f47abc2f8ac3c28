"""The networks that this project trained and ships, as models/manifest.toml names them."""

from __future__ import annotations

from pathlib import Path

from gallery.faces.networks.manifest import read_manifest
from gallery.settings import DEFAULT_ENCODER

MODELS = Path(__file__).parents[1] / "models"

_ENTRIES = read_manifest(MODELS / "manifest.toml")

TRAINED = tuple(
    name for name, entry in _ENTRIES.items() if entry.source.startswith("trained by this project")
)
"""Their names, and that of all that answer together last."""

PARTS = _ENTRIES[DEFAULT_ENCODER].parts
"""Those that answer together."""


def file_of(name: str) -> Path:
    """Return where a network's file ships; raises KeyError for one that does not."""
    file = _ENTRIES[name].file
    if file is None:
        raise KeyError(name)
    return MODELS / file
