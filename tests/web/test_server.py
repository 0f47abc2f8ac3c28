"""The command opens the page on loopback alone, and Ctrl-C ends it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from command import INTERRUPTED, call, environment

from gallery.errors import BadSetting, MissingPackage
from gallery.store.reader import Store
from gallery.web.server import check_installed, loopback


def test_a_free_port_is_bound_on_loopback_alone() -> None:
    with loopback(None) as (port, sockets):
        names = [one.getsockname()[:2] for one in sockets]
        assert names[0] == ("127.0.0.1", port)
        assert set(names) <= {("127.0.0.1", port), ("::1", port)}
        assert port > 0


def test_answers_do_not_wait_for_more_to_send() -> None:
    # asyncio turns Nagle's delay off for what is named TCP alone, and a connection is what its
    # listener is.
    with loopback(None) as (_, sockets):
        assert {one.proto for one in sockets} == {socket.IPPROTO_TCP}


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadSetting, match=f"The port {port} is not to be had"), loopback(port):
            pass


def test_without_the_extra_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingPackage):
        check_installed()
    Store(str(database), create=True).close()
    done = call("review", "--no-browser", cwd=database.parent, database=database)
    assert done.code == 1
    what = "Pages want packages that are not installed"
    assert done.complaint == f"{what}: pip install 'anime-gallery[web]'."


def test_without_a_gallery_one_sentence_says_so(database: Path) -> None:
    done = call("review", "--no-browser", cwd=database.parent, database=database)
    assert (done.code, "gallery enroll FOLDER" in done.complaint) == (1, True)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("option", [(), ("--new",)])
def test_the_link_opens_the_page_until_ctrl_c_ends_it(
    database: Path, option: tuple[str, ...]
) -> None:
    if not option:
        Store(str(database), create=True).close()
    process = subprocess.Popen(
        [*INTERRUPTED, "--database", str(database), "review", "--no-browser", *option],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        link = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", link)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with opener.open(link) as page:
            assert "token" not in page.url
            assert b"gallery" in page.read()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, rest) == (0, "")
    assert said.endswith("The page is closed; all that was decided is kept.\n")
    assert "Traceback" not in said
