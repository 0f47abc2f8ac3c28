"""What a training set has of each character, and what it is short of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gallery.output.training_set import TrainingCharacter
from gallery.system.file_names import path_text

FEW = 10
"""Fewer pictures than this hardly teach a character."""


class Lack(StrEnum):
    """What a character is short of."""

    FEW = "few pictures"
    """Fewer than FEW."""
    ONE_SOURCE = "one source"
    """All are of one video, or of one folder of pictures: one outfit, one hand."""
    SMALL = "too small"
    """More than half are less than half as long and wide as the trainer wants them."""


@dataclass(frozen=True, slots=True)
class CharacterReport:
    """What a training set has of a character."""

    name: str
    pictures: int
    repeats: int
    near: int
    """How many pictures were left out that are nearly the same as another."""
    sources: int
    """How many videos and folders the pictures are of."""
    small: int
    """How many are less than half as long and wide as the trainer wants them."""
    lacks: tuple[Lack, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was written."""

    folder: Path
    characters: tuple[CharacterReport, ...]
    """By name."""


def report(one: TrainingCharacter, near: int, resolution: int) -> CharacterReport:
    """Say what a character has, so many pictures left out as nearly the same as others."""
    sources = {
        picture.source if picture.time is not None else picture.source.parent
        for picture in one.pictures
    }
    small = sum(min(own.width, own.height) < resolution / 2 for own in one.pictures)
    lacks = (
        (Lack.FEW, len(one.pictures) < FEW),
        (Lack.ONE_SOURCE, len(sources) == 1),
        (Lack.SMALL, small > len(one.pictures) / 2),
    )
    return CharacterReport(
        one.name,
        len(one.pictures),
        one.repeats,
        near,
        len(sources),
        small,
        tuple(lack for lack, is_so in lacks if is_so),
    )


def as_json(done: Dataset) -> dict[str, object]:
    """Return what was written as plain JSON values."""
    return {
        "folder": path_text(done.folder),
        "characters": [
            {
                "character": one.name,
                "pictures": one.pictures,
                "repeats": one.repeats,
                "near_duplicates": one.near,
                "sources": one.sources,
                "small": one.small,
                "missing": [lack.value for lack in one.lacks],
            }
            for one in done.characters
        ],
    }
