"""What the values of columns are: what a damaged page holds instead is refused where it is read.

SQLite keeps any value in any column. A number where a text should be would go a long way through
the program before something fails on it, and a number where bytes should be would become so many.
PostgreSQL keeps to the kinds of its columns; migrations/env.py says which these are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Boolean, Dialect, Float, Integer, LargeBinary, String
from sqlalchemy.types import TypeDecorator, TypeEngine

Value = TypeVar("Value")

Check = Callable[[Any], bool]


class DamagedValueError(ValueError):
    """A row holds a value of another kind than its column."""


class _Checked(TypeDecorator[Value]):
    """Reads values of one kind alone; SQLAlchemy wants `cache_ok` of every class itself."""

    def __init__(self, optional: bool = False) -> None:
        """Take whether there may be no value at all."""
        super().__init__()
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


class Text(_Checked[str]):
    """Letters that a path may hold, too."""

    impl = String
    cache_ok = True

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is such a text."""
        return type(value) is str and "\0" not in value


class Whole(_Checked[int]):
    """A whole number of 64 bits."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """Return the kind that a database keeps them as; SQLite knows but one."""
        return Integer() if dialect.name == "sqlite" else BigInteger()

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is a whole number."""
        return type(value) is int


class Real(_Checked[float]):
    """A finite number."""

    impl = Float
    cache_ok = True

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is a finite number."""
        return type(value) in (float, int) and math.isfinite(value)


class Bytes(_Checked[bytes]):
    """Bytes."""

    impl = LargeBinary
    cache_ok = True

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is of bytes."""
        return type(value) is bytes


class Vector(Bytes):
    """Bytes of a descriptor; anything else is read as none, which encoding anew puts right."""

    cache_ok = True

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        return lambda value: value if type(value) is bytes else b""


class Truth(_Checked[bool]):
    """Yes or no, which SQLite keeps as 1 and 0."""

    impl = Boolean
    cache_ok = True

    @staticmethod
    def is_sound(value: Any) -> bool:
        """Say whether a value is one of the two."""
        return type(value) in (int, bool) and value in (0, 1)

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        read = super().result_processor()
        return lambda value: None if read(value) is None else bool(value)
