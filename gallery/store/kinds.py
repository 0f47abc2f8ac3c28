"""What the values of columns are: what a damaged page holds instead is refused where it is read.

SQLite keeps any value in any column. A number where a text should be would go a long way through
the program before something fails on it, and a number where bytes should be would become so many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import Boolean, Float, Integer, LargeBinary, String

Check = Callable[[Any], bool]


class DamagedValueError(ValueError):
    """A row holds a value of another kind than its column."""


class _Checked:
    """Reads values of one kind alone."""

    def __init__(self, optional: bool = False, **kind: Any) -> None:
        """Take whether there may be no value at all, and what SQLAlchemy's own kind takes.

        SQLAlchemy copies kinds by the arguments that may be given in their order.
        """
        super().__init__(**kind)
        self.optional = optional

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is one of this kind."""
        raise NotImplementedError

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        is_sound, optional = self.is_sound, self.optional

        def read(value: Any) -> Any:
            if is_sound(value) if value is not None else optional:
                return value
            raise DamagedValueError

        return read


class Text(_Checked, String):
    """Letters that a path may hold, too."""

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is such a text."""
        return type(value) is str and "\0" not in value


class Whole(_Checked, Integer):
    """A whole number."""

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is a whole number."""
        return type(value) is int


class Real(_Checked, Float[float]):
    """A finite number."""

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is a finite number."""
        return type(value) in (float, int) and math.isfinite(value)


class Bytes(_Checked, LargeBinary):
    """Bytes."""

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is of bytes."""
        return type(value) is bytes


class Vector(Bytes):
    """Bytes of a descriptor; anything else is read as none, which encoding anew puts right."""

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        return lambda value: value if type(value) is bytes else b""


class Truth(_Checked, Boolean):
    """Yes or no, which SQLite keeps as 1 and 0."""

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is one of the two."""
        return type(value) is int and value in (0, 1)

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        read = super().result_processor()
        return lambda value: None if read(value) is None else bool(value)
