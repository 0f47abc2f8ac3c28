"""What the values of columns are: what a damaged page holds instead is refused where it is read.

SQLite keeps any value in any column. A number where a text should be would go a long way through
the program before something fails on it, and a number where bytes should be would become so many.
PostgreSQL keeps to the kinds of its columns; migrations/env.py says which these are.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Boolean, Dialect, Float, Integer, LargeBinary, String
from sqlalchemy.types import TypeDecorator, TypeEngine

Value = TypeVar("Value")


class DamagedValueError(ValueError):
    """A row holds a value of another kind than its column."""


class _Checked(TypeDecorator[Value]):
    """Reads values of one kind alone; SQLAlchemy wants `cache_ok` of every class itself.

    A sound value goes through one function and no more: a page of faces reads thousands of them.
    """

    def __init__(self, optional: bool = False) -> None:
        """Take whether there may be no value at all."""
        super().__init__()
        self.optional = optional


def _nothing(value: Any, optional: bool) -> Any:
    """Return what is read where a value is none. Raises DamagedValueError where it may not be."""
    if value is None and optional:
        return None
    raise DamagedValueError


class Text(_Checked[str]):
    """Letters that a path may hold, too."""

    impl = String
    cache_ok = True

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        optional = self.optional

        def read(value: Any) -> Any:
            return value if type(value) is str and "\0" not in value else _nothing(value, optional)

        return read


class Whole(_Checked[int]):
    """A whole number of 64 bits."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """Return the kind that a database keeps them as; SQLite knows but one."""
        return Integer() if dialect.name == "sqlite" else BigInteger()

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        optional = self.optional

        def read(value: Any) -> Any:
            return value if type(value) is int else _nothing(value, optional)

        return read


class Real(_Checked[float]):
    """A finite number."""

    impl = Float
    cache_ok = True

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        optional = self.optional

        def read(value: Any) -> Any:
            return (
                value
                if type(value) in (float, int) and isfinite(value)
                else _nothing(value, optional)
            )

        return read


class Bytes(_Checked[bytes]):
    """Bytes."""

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        optional = self.optional

        def read(value: Any) -> Any:
            return value if type(value) is bytes else _nothing(value, optional)

        return read


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

    def result_processor(self, *_: object) -> Callable[[Any], Any]:
        """Return what each value goes through that is read."""
        optional = self.optional

        def read(value: Any) -> Any:
            return (
                bool(value)
                if type(value) in (int, bool) and value in (0, 1)
                else _nothing(value, optional)
            )

        return read
