"""What goes wrong while a person decides: two tabs, a reload, a killed server. Undo of 1,000."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import PATIENCE, Person, served
from fakes import fake_gallery
from playwright.sync_api import Browser, Dialog, Route, expect
from reviewed import reviewed

from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.meant import SeenFace
from gallery.store.sightings import Observation
from gallery.store.steps import Action
from gallery.types import Box, DescribedFace, Face, Quality

TOKEN = "a-token-of-tests"  # noqa: S105 - of a server on loopback that lives for a test


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path, sure=12, unknown=5)


def decided(gallery: Engine) -> Counter[tuple[str, str | None]]:
    faces = gallery.store.decisions.faces()
    return Counter((one.state.decided.value, one.state.character) for one in faces)


def test_of_two_tabs_the_later_one_is_told(browser: Browser, shown: Engine) -> None:
    with served(shown) as link:
        first, second = (Person(browser, link) for _ in range(2))
        for one in (first, second):
            one.go("sure/Rei", ".face")
        first.press("Shift+ArrowRight", "i")
        first.saved()
        second.press("y")
        second.saved()
        second.sees("#said", "2 faces left alone: somebody decided meanwhile.")
        assert second.captions()[:2] == ["meanwhile: ignored"] * 2
        assert second.states()[2:] == ["confirmed"] * 10
        # The first one's screen is as old for the second one's faces.
        first.press("End", "n")
        first.saved()
        assert first.captions()[-1] == "meanwhile: Rei"
        assert decided(shown) == {("ignored", None): 2, ("confirmed", "Rei"): 10}
        for one in (first, second):
            one.go("clusters", ".face")
        first.press("x", "s")
        first.saved()
        second.press("ArrowRight", "x", "ArrowLeft", "x", "s")
        second.saved()
        second.sees("#said", "Not saved: Somebody grouped faces otherwise meanwhile")
        assert second.captions()[:2] == ["not saved"] * 2
        for one in (first, second):
            one.page.close()


@pytest.mark.parametrize("leaves", [False, True])
def test_a_reload_in_the_middle_asks_and_loses_nothing_that_was_saved(
    browser: Browser, shown: Engine, leaves: bool
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        if len(held) != 2:
            route.continue_()

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        if leaves:
            dialog.accept()
        else:
            dialog.dismiss()

    asked: list[str] = []
    with served(shown) as link:
        person = Person(browser, link)
        person.go("sure/Rei", ".face")
        person.page.route("**/decisions", hold)
        person.page.on("dialog", answer)
        person.press("i", "i", "i")
        person.sees("#saving", "saving 2")
        with contextlib.suppress(Exception):
            # Who stays does not go anywhere.
            person.page.evaluate("setTimeout(() => location.reload())")
        person.page.wait_for_timeout(500)
        assert asked == ["beforeunload"]
        if leaves:
            person.sees(".face")
            # What was on its way may have come; what the page shows is what is stored.
            saved = len(shown.store.decisions.steps())
            assert saved in (1, 2)
            expect(person.page.locator(".face")).to_have_count(12 - saved, timeout=PATIENCE)
            person.press(*["i"] * (3 - saved))
        else:
            held[1].continue_()
        person.saved()
        assert decided(shown) == {("ignored", None): 3}
        assert len(shown.store.decisions.steps()) == 3
        person.page.close()


@contextlib.contextmanager
def apart(database: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a gallery in a process of its own, and return that and the link."""
    script = Path(__file__).with_name("serving.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(database), str(port), TOKEN],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:
        assert process.stdout is not None
        try:
            link = process.stdout.readline().strip()
            assert link
            yield process, link
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_server_that_is_killed_while_it_saves_loses_and_doubles_nothing(
    browser: Browser, database: Path, tmp_path: Path
) -> None:
    with fake_gallery(database) as gallery:
        reviewed(gallery, tmp_path, sure=30)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with apart(database, port) as (process, link):
        person = Person(browser, link)
        person.go("sure/Rei", ".face")
        answered: list[int] = []
        person.page.on(
            "response",
            lambda one: answered.append(one.status) if one.url.endswith("decisions") else None,
        )
        person.press(*["i"] * 30)
        while len(answered) < 5:
            person.page.wait_for_timeout(1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        person.saved()
    captions = person.captions()
    assert set(captions) == {"ignored", "not saved"}
    ids = [
        int(one.removeprefix("face-"))
        for one in person.page.locator(".face").evaluate_all("all => all.map(one => one.id)")
    ]
    told = {face for face, caption in zip(ids, captions, strict=True) if caption == "ignored"}
    with fake_gallery(database) as gallery:
        answers = gallery.store.answers.of_faces("fake", ids)
        stored = {face for face, one in answers.items() if one.decided.value == "ignored"}
        # What was being written when it died may be there, with nobody left to say so.
        assert told <= stored
        assert len(stored - told) <= 1
        assert len(gallery.store.decisions.steps()) == len(stored)
        assert gallery.store.check() == []
    person.sees("#said", "Not saved: The gallery does not answer.")
    with apart(database, port):
        person.press("Home", "End", "Shift+Home", "i")
        person.saved()
        left = Counter(person.captions())
        assert set(left) <= {"ignored", "meanwhile: ignored"}
    person.page.close()
    with fake_gallery(database) as gallery:
        assert decided(gallery) == {("ignored", None): 30}


def test_a_thousand_decisions_are_undone_by_the_page(
    browser: Browser, shown: Engine, tmp_path: Path
) -> None:
    (rei,) = (one for one in shown.samples("Rei")[:1])
    crop = np.full((150, 150, 3), (20, 20, 220), np.uint8)
    known = shown.store.vectors(shown.encoder)
    descriptor = known.samples[list(known.sample_ids).index(rei.id)]
    quality = Quality(40.0, 0.9, 0.0, 1.0, 0.0)
    face = DescribedFace(Face(Box(0.0, 0.0, 40.0, 40.0), 0.9), crop, descriptor, quality)
    shown.keep(
        [
            Observation(
                tmp_path / "crowd" / f"{number}.png", None, f"{number:064x}", 40, 40, (face,)
            )
            for number in range(1000)
        ]
    )
    with served(shown) as link:
        person = Person(browser, link)
        faces_there = [
            SeenFace(one.id) for one in shown.store.sightings.all() if "crowd" in one.path.parts
        ]
        assert len(faces_there) == 1000
        result_of(decide.confirm(shown, faces_there, "Rei"))
        assert decided(shown) == {("confirmed", "Rei"): 1000}
        person.go("history", ".steps li")
        person.sees(".steps .what", "confirmed 1000 as Rei")
        person.page.get_by_role("button", name="Undo", exact=True).last.click()
        person.sees(".steps .what", "undid step 1 for 1000")
        assert decided(shown) == {("undecided", None): 1000}
        assert [one.action for one in shown.store.decisions.steps()] == [
            Action.UNDO,
            Action.CONFIRM,
        ]
        person.go("sure/Rei", ".face")
        person.sees(".heading p", "1,012 sure faces, 100 on this screen")
        # Screen by screen, the rest with the last one, and back again by U alone.
        for _ in range(10):
            person.press("y")
            person.saved()
            person.press("Enter")
            done = person.page.locator('.face[data-state="confirmed"]')
            expect(done).to_have_count(0, timeout=PATIENCE)
        assert decided(shown)["confirmed", "Rei"] == 1012
        person.press(*["u"] * 10)
        person.saved()
        assert decided(shown).keys() == {("undecided", None)}
        assert person.troubles == []
        person.page.close()
