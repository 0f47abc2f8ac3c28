"""Only regular files are read; nothing else that stands in a file's place is waited for."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import at_most

from gallery.system import reading

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices")


@pytest.fixture(autouse=True)
def impatience() -> Iterator[None]:
    """End a test that waits."""
    with at_most(30):
        yield


def test_a_file_is_read_through_links(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")

    assert reading.read_file(tmp_path / "link") == b"content"
    assert reading.read_if_there(tmp_path / "link", 7) == b"content"


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder"])
def test_what_is_no_file_is_refused_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    # Paths of sockets are short.
    monkeypatch.chdir(tmp_path)
    place = Path("/dev/zero" if kind == "device" else kind)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        if kind == "socket":
            server.bind(kind)
        for read in (reading.read_file, lambda path: reading.read_if_there(path, 10)):
            with pytest.raises(OSError, match=f"it is a {kind}"):
                read(place)


def test_a_pipe_that_takes_a_file_s_place_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    file = tmp_path / "file"
    file.write_bytes(b"content")
    closed: list[int] = []
    monkeypatch.setattr(Path, "stat", lambda *_, look=file.stat, **__: look())
    monkeypatch.setattr(os, "close", lambda one, end=os.close: closed.append(end(one)))

    with pytest.raises(OSError, match="it is a pipe"):
        reading.read_file(pipe)

    assert len(closed) == 1


def test_a_file_that_a_server_has_lent_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    whole = os.open

    def lent(path: str, flags: int) -> int:
        if flags & os.O_NONBLOCK:
            raise BlockingIOError
        return whole(path, flags)

    monkeypatch.setattr(os, "open", lent)

    assert reading.read_file(file) == b"content"


def test_what_is_not_there_or_cannot_be_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("nothing", "dangling", "x" * 256):
        assert reading.read_if_there(tmp_path / name, 10) is None


def test_a_file_of_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")

    with pytest.raises(reading.FileTooLargeError):
        reading.read_if_there(tmp_path / "file", 6)
