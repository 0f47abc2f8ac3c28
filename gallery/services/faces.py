"""The seam for programs that keep people's faces in pictures: what each can be asked and told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gallery.metadata.regions import Area


@dataclass(frozen=True, slots=True)
class HeldFace:
    """A face that a program keeps of a picture."""

    id: str
    area: Area
    """In the picture as it is shown."""
    name: str
    """Whom it shows, as the program says; empty where it does not."""


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """A picture that a program holds."""

    id: str
    faces: tuple[HeldFace, ...]


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face that a picture is to get."""

    picture: str
    """What the program knows the picture by."""
    area: Area
    width: int
    height: int
    """Of the picture as it is shown, in pixels."""
    name: str


class FaceProgram(Protocol):
    """A program that knows pictures by their SHA-1, and keeps named faces of them.

    Every method raises ServiceFailed where the program does not answer as it should.
    """

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def address(self) -> str:
        """Where it is."""
        ...

    def check(self) -> None:
        """Ask whether it is the program, and takes the key."""
        ...

    def pictures(self, sums: Sequence[str]) -> Iterator[tuple[str, HeldPicture]]:
        """Yield those of some pictures that it holds, given by their SHA-1 in hexadecimal."""
        ...

    def add(self, face: NewFace) -> str:
        """Add a face to a picture, and return what it is known by."""
        ...

    def give_name(self, face: str, name: str) -> None:
        """Say whom a face shows."""
        ...

    def take_name(self, face: str) -> None:
        """Say no more whom a face shows; it stays."""
        ...

    def remove(self, face: str) -> None:
        """Remove a face that was added."""
        ...
