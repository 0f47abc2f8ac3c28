"""Paths as texts that every format can hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gallery.system.file_names import path_of, path_text, printable
from gallery.system.files import absolute


@pytest.mark.skipif(os.name != "posix", reason="names are text there")
@pytest.mark.parametrize("name", [b"\xff.png", b"a/%FF \xe3\x81.png", b"/p/100%\xfe"])
def test_a_path_that_is_no_text_is_an_address_and_comes_back(name: bytes) -> None:
    path = Path(os.fsdecode(name))
    text = path_text(path)
    assert text.startswith("file:///")
    assert text.isascii()
    assert path_of(text) == absolute(path)


@pytest.mark.parametrize("name", ["/p/1.png", "p/%FF.png", "綾波/レイ.png", "file:/x", "/file:/x"])
def test_every_other_path_is_itself(name: str) -> None:
    assert path_text(Path(name)) == name
    assert path_of(name) == Path(name)


def test_a_sentence_about_such_a_path_can_be_written() -> None:
    assert printable("/p/\udcff is no picture") == "/p/\\udcff is no picture"
