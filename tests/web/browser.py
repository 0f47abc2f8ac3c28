"""A page in a real browser, and keys that are counted."""

from __future__ import annotations

import base64
import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fakes import fake_gallery
from playwright.sync_api import Browser, JSHandle, Page, expect, sync_playwright
from reviewed import desk_of

from gallery.engine.engine import Engine
from gallery.web.application import application
from gallery.web.desk import Desk
from gallery.web.doors import Address
from gallery.web.renewing import Renewing
from gallery.web.server import loopback, serving

NAMES = ("chromium", "chromium-browser", "google-chrome")

PATIENCE = 20_000
"""Milliseconds after which what is waited for does not come."""

COVERED = """controls => {
    const bars = [...document.querySelectorAll("header, #actions:not([hidden])")];
    return [...document.querySelectorAll(controls)].filter(one => {
        const own = one.getBoundingClientRect();
        if (!own.width) return false;
        return own.left < -1 || own.right > innerWidth + 1 || bars.some(bar => {
            const its = bar.getBoundingClientRect();
            const shared = Math.min(own.bottom, its.bottom) - Math.max(own.top, its.top);
            return shared > 1 && !bar.contains(one);
        });
    }).map(one => one.textContent);
}"""
"""What Person.covered asks the page."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Open the system's Chromium; skip where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def served(gallery: Engine, desk: Desk | None = None) -> Iterator[str]:
    """Serve a gallery's page, with a desk of its own unless one is given, and return the link."""
    with loopback(None) as (port, sockets):
        address = Address(port)
        with serving(application(desk or desk_of(gallery), "drawn"), address, sockets):
            yield address.link


class Person:
    """Presses keys on a page, and counts them."""

    def __init__(
        self, browser: Browser, link: str, *, width: int = 1280, touch: bool = False
    ) -> None:
        self.troubles: list[str] = []
        self.keys = 0
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 800}, has_touch=touch, is_mobile=touch
        )
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.troubles.append(said.text) if said.type == "error" else None,
        )
        self.page.goto(link)
        self.sees("h1")

    def sees(self, what: str, text: str = "") -> None:
        """Wait until something is to be seen."""
        self.page.locator(what, has_text=text or None).first.wait_for()

    def go(self, view: str, wanted: str = "h1") -> None:
        """Go to a view by its address, and wait until something of it is to be seen."""
        self.page.evaluate("to => { location.hash = to; }", f"#/{view}")
        self.sees(f'#main[data-view="{view.partition("/")[0]}"] {wanted}')

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def draws(self, *places: int) -> None:
        """Draw the mouse over faces of the screen, by their places."""
        first, *others = (self.page.locator(".face").nth(place) for place in places)
        first.hover()
        self.page.mouse.down()
        for one in others:
            one.hover()
        self.page.mouse.up()
        self.keys += 1

    def ticked(self) -> list[int]:
        """The places of the ticked faces of the screen."""
        found = self.page.locator(".face").evaluate_all(
            "all => all.flatMap((one, place) => one.ariaSelected === 'true' ? [place] : [])"
        )
        return [int(one) for one in found]

    def swipe(self, what: str, by: int) -> None:
        """Draw a finger over something, to the right or, below 0, to the left; in pixels."""
        self._touch(what, lambda x, y: [(x + by * step / 5, y) for step in range(1, 6)], 0.0)

    def hold(self, what: str, milliseconds: float) -> None:
        """Keep a finger on something."""
        self._touch(what, lambda _x, _y: [], milliseconds)

    def _touch(
        self, what: str, way: Callable[[float, float], list[tuple[float, float]]], wait: float
    ) -> None:
        box = self.page.locator(what).first.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        session = self.page.context.new_cdp_session(self.page)
        steps: list[tuple[str, list[tuple[float, float]]]] = [("touchStart", [(x, y)])]
        steps += [("touchMove", [place]) for place in way(x, y)]
        for kind, places in [*steps, ("touchEnd", [])]:
            if kind == "touchEnd":
                self.page.wait_for_timeout(wait)
            points = [{"x": left, "y": top} for left, top in places]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.detach()

    def swipes(self, begin: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
        """Draw a finger over the screen."""
        touches = self.page.context.new_cdp_session(self.page)
        for step in range(steps + 1):
            at = [a + (b - a) * step / steps for a, b in zip(begin, end, strict=True)]
            kind = "touchMove" if step else "touchStart"
            points = [{"x": at[0], "y": at[1]}]
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def drops(self, selector: str, files: Mapping[str, bytes]) -> None:
        """Drop files, by their names, on an element."""
        transfer = self._transfer(files)
        for kind in ("dragover", "drop"):
            self.page.dispatch_event(selector, kind, {"dataTransfer": transfer})

    def chooses(self, *paths: Path) -> None:
        """Give these files to whatever asks for files from now on."""
        self.page.on("filechooser", lambda asked: asked.set_files(paths))
        # It is asked for by the page only once the browser knows that somebody answers.
        self.page.evaluate("null")

    def pastes(self, files: Mapping[str, bytes]) -> None:
        """Paste files from the clipboard."""
        self.page.evaluate(
            """transfer => document.body.dispatchEvent(new ClipboardEvent(
                "paste", { clipboardData: transfer, bubbles: true, cancelable: true }))""",
            self._transfer(files),
        )

    def _transfer(self, files: Mapping[str, bytes]) -> JSHandle:
        return self.page.evaluate_handle(
            """files => {
                const transfer = new DataTransfer();
                for (const [name, content] of files) {
                    const bytes = Uint8Array.from(atob(content), one => one.charCodeAt(0));
                    const type = name.endsWith(".png") ? "image/png" : "text/plain";
                    transfer.items.add(new File([bytes], name, { type }));
                }
                return transfer;
            }""",
            [[name, base64.b64encode(one).decode()] for name, one in files.items()],
        )

    def covered(self, controls: str) -> list[str]:
        """Return the texts of controls of which the head or the bar of the page hides a part.

        And of those that reach beyond the sides of the screen.
        """
        return [*self.page.evaluate(COVERED, controls)]

    def saved(self) -> None:
        """Wait until all is written."""
        expect(self.page.locator("#saving")).to_be_empty(timeout=PATIENCE)

    def states(self) -> list[str]:
        """What each face of the screen is, in its order."""
        found = self.page.locator(".face").evaluate_all("all => all.map(one => one.dataset.state)")
        return [str(one) for one in found]

    def captions(self) -> list[str]:
        return self.page.locator(".face .caption").all_inner_texts()

    def violations(self) -> list[dict[str, Any]]:
        """Return what axe finds that keeps people out."""
        return [*Axe().run(self.page).response["violations"]]

    def was_refused(self) -> None:
        """Take it as meant that the gallery refused something, which the browser reports."""
        said = [one.startswith("Failed to load resource: ") for one in self.troubles]
        assert any(said)
        self.troubles = [one for one, meant in zip(self.troubles, said, strict=True) if not meant]

    def look(self, path: Path) -> None:
        self.page.screenshot(path=path)


@contextlib.contextmanager
def looking(browser: Browser, link: str) -> Iterator[Person]:
    """Have somebody look at a page, on which nothing may go wrong."""
    one = Person(browser, link)
    yield one
    assert one.troubles == []
    one.page.close()


@contextlib.contextmanager
def looking_meanwhile(browser: Browser, gallery: Engine, database: Path) -> Iterator[Person]:
    """Have somebody look at a gallery that is answered anew in the background."""
    desk = desk_of(gallery)
    renewing = Renewing(lambda: fake_gallery(database), desk.turn, look=0.1, settled=0.0, quiet=0.0)
    with renewing, served(gallery, desk) as link, looking(browser, link) as one:
        yield one


def go(person: Person, view: str, wanted: str = ".face") -> None:
    """Open a view by its address, and wait for what is wanted in it."""
    person.page.evaluate("to => { location.hash = to; }", f"#/{view}")
    person.sees(f'#main[data-view="{view.partition("/")[0]}"] {wanted}')


def decided(gallery: Engine) -> Counter[tuple[str, str | None]]:
    """How many faces were decided in which way."""
    faces = gallery.store.decisions.faces()
    return Counter((one.state.decided.value, one.state.character) for one in faces)
