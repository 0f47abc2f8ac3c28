"""Stored answers, renewed: what the gallery says now of the faces whose answers are stale."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gallery.engine.engine import Engine
from gallery.events import Job


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of it."""

    renewed: int
    """How many faces have a new answer."""
    is_outdated: bool
    """The gallery changed meanwhile, so that answers are stale again: do it again."""


def renew(engine: Engine, *, alone: bool = False) -> Job[Renewal]:
    """Answer the faces whose stored answers are stale, and store what is said of them.

    What an event tells is stored, so that a job may be closed after any of them, and the next one
    goes on there. Unless every face is answered alone, those of a calibrated gallery are answered
    jointly, as `relabel` does; so are those then that were answered alone. The job ends early where
    the gallery changes meanwhile. Raises StoreError where samples lack the encoder in use.
    """
    raise NotImplementedError


def renew_faces(engine: Engine, faces: Collection[int]) -> None:
    """Answer some faces at once, each alone: after a name was rejected for them, for a look."""
    raise NotImplementedError
