"""Damage: of bytes, of texts, of JSON values; each is drawn from a random generator."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

MOST = 4
"""Changes in one input, at most; most inputs have one or two."""

WORDS = (
    b"NaN", b"-Infinity", b"1e999", b"-1", b"0", b"9" * 5000, b"null", b"true", b'""', b"[]", b"{}",
    b"[" * 20_000, b'{"a":' * 20_000, b'"\\u0000"', b'"\\ud800"', b"\xff\xfe", b"\0", b"\r", b"\n",
    b"\xef\xbb\xbf", b"a" * 200_000, b"'", b'"', b",", b"<", b"&amp;",
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, 10**400, -(10**400), math.nan, math.inf, -math.inf,
    "", "a", "\0", "\ud800", "a\nb", "x" * 5000, "../../etc/passwd", [], [1], ["a"], [[]], {},
    {"a": 1}, [None] * 5,
)  # fmt: skip

Change = Callable[[bytes, bytes, random.Random], bytes]
"""Makes other content of some, and of another sound file's."""


def damaged(content: bytes, other: bytes, numbers: random.Random) -> bytes:
    """Return content with some of its bytes changed, lost or doubled."""
    return _changed(content, other, numbers, BYTE_CHANGES)


def damaged_text(content: bytes, other: bytes, numbers: random.Random) -> bytes:
    """Return a text with words and lines changed, too."""
    return _changed(content, other, numbers, (*BYTE_CHANGES, *TEXT_CHANGES * 2))


def damaged_json(line: bytes, numbers: random.Random) -> bytes:
    """Return a JSON value with a value in it changed to one of another kind, or taken away."""
    root = [json.loads(line)]
    places = list(_places(root))
    for _ in range(_few(numbers)):
        holder, key = numbers.choice(places)
        try:
            if isinstance(holder, dict) and numbers.random() < 0.2:
                del holder[key]
            else:
                holder[key] = numbers.choice(VALUES)
        except LookupError:
            # It is gone already.
            continue
    return json.dumps(root[0]).encode()


def _changed(
    content: bytes, other: bytes, numbers: random.Random, changes: Sequence[Change]
) -> bytes:
    for _ in range(_few(numbers)):
        content = numbers.choice(changes)(content, other, numbers)
    return content


def _few(numbers: random.Random) -> int:
    return min(1 + int(numbers.expovariate(1.0)), MOST)


def _place(content: bytes, numbers: random.Random) -> int:
    """Return a place in content, more often near its beginning, where headers are."""
    return int(len(content) * numbers.random() ** numbers.choice((1, 3)))


def _span(content: bytes, numbers: random.Random) -> tuple[int, int]:
    start = _place(content, numbers)
    length = int(numbers.expovariate(1.0) * numbers.choice((4, 64, 4096)))
    return start, min(start + length + 1, len(content))


def _flip(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    mutable = bytearray(content)
    for _bit in range(numbers.choice((1, 1, 2, 8, 64)) if content else 0):
        mutable[_place(content, numbers)] ^= 1 << numbers.randrange(8)
    return bytes(mutable)


def _number(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    size = numbers.choice((1, 2, 4, 8))
    value = numbers.choice((0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), numbers.getrandbits(8)))
    start = _place(content, numbers)
    order = numbers.choice(("big", "little"))
    return content[:start] + value.to_bytes(size, order) + content[start + size :]  # type: ignore[arg-type]


def _cut_short(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    return content[: int(len(content) * numbers.random())]


def _cut_out(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    start, end = _span(content, numbers)
    return content[:start] + content[end:]


def _double(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    start, end = _span(content, numbers)
    return content[:end] + content[start:end] * numbers.choice((1, 2, 50)) + content[end:]


def _fill(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    start, end = _span(content, numbers)
    if numbers.random() < 0.5:
        return content[:start] + numbers.choice((b"\0", b"\xff")) * (end - start) + content[end:]
    return content[:start] + numbers.randbytes(end - start) + content[end:]


def _splice(content: bytes, other: bytes, numbers: random.Random) -> bytes:
    if numbers.random() < 0.5:
        return content[: _place(content, numbers)] + other[_place(other, numbers) :]
    start, end = _span(other, numbers)
    place = _place(content, numbers)
    return content[:place] + other[start:end] + content[place + end - start :]


def _word(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    """Put something else in the place of a word or a number."""
    found = [match.span() for match in re.finditer(rb"[\w.+-]+", content)]
    start, end = numbers.choice(found) if found else (0, 0)
    return content[:start] + numbers.choice(WORDS) + content[end:]


def _insert(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    place = _place(content, numbers)
    return content[:place] + numbers.choice(WORDS) + content[place:]


def _lines(content: bytes, _: bytes, numbers: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    row = numbers.randrange(len(lines))
    change = numbers.randrange(3)
    if change == 0:
        lines[row:row] = [lines[row]] * numbers.choice((1, 200))
    elif change == 1:
        del lines[row]
    else:
        numbers.shuffle(lines)
    return b"".join(lines)


BYTE_CHANGES: tuple[Change, ...] = (
    _flip, _number, _cut_short, _cut_out, _double, _fill, _splice,
)  # fmt: skip
TEXT_CHANGES: tuple[Change, ...] = (_word, _insert, _lines)


def _places(holder: Any) -> Any:
    """Yield every place in a JSON value, by what holds it and the key."""
    keys = list(holder) if isinstance(holder, dict) else range(len(holder))
    for key in keys:
        yield holder, key
        if isinstance(holder[key], (dict, list)):
            yield from _places(holder[key])
