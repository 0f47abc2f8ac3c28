"""The programs that are known, and what can be told to them. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Program:
    """A program that holds pictures."""

    name: str
    url: str
    """Where it listens unless somebody chose otherwise."""
    url_variable: str
    """What of the environment names another address."""
    key_variable: str
    """What of the environment holds its key."""


HYDRUS = Program("hydrus", "http://127.0.0.1:45869", "GALLERY_HYDRUS_URL", "GALLERY_HYDRUS_KEY")
IMMICH = Program("Immich", "http://127.0.0.1:2283", "GALLERY_IMMICH_URL", "GALLERY_IMMICH_KEY")
PHOTOPRISM = Program(
    "PhotoPrism", "http://127.0.0.1:2342", "GALLERY_PHOTOPRISM_URL", "GALLERY_PHOTOPRISM_KEY"
)
STASH = Program("Stash", "http://127.0.0.1:9999", "GALLERY_STASH_URL", "GALLERY_STASH_KEY")


class Status(StrEnum):
    """What can be told of a picture's faces beside their names."""

    CONFIRMED = "confirmed"
    SURE = "sure"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
