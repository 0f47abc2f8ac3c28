"""Tables of text."""

from __future__ import annotations

from measuring.tables import table


def test_tables_set_numbers_to_the_right() -> None:
    assert table(("what", "ms"), [("a", "1"), ("long name", "12")]).splitlines() == [
        "what       ms",
        "a           1",
        "long name  12",
    ]
