"""A character gallery and identification database for anime."""

__version__ = "0.1.0"
