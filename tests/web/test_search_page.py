"""Searching in a real browser: a picture that is dropped, pasted or chosen, and a seen face."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import Person, decided, go, served
from fakes import Square, draw
from playwright.sync_api import Browser
from reviewed import COLOURS, PINK, reviewed

from gallery.engine.engine import Engine
from gallery.media.images import encode_png

ASUKA, REI = COLOURS["Asuka"], COLOURS["Rei"]
BOTH = encode_png(draw(Square(10, 20, 60, REI), Square(90, 20, 50, ASUKA), seed=900))
PINK_ONE = encode_png(draw(Square(10, 20, 60, PINK), seed=901))


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path)


def test_a_dropped_picture_is_searched_and_what_is_found_is_decided_by_keys(
    person: Person, shown: Engine
) -> None:
    person.press("g", "f")
    person.sees("h1", "Search")
    person.drops(".zone", {"both.png": BOTH})
    person.sees(".lead", "2 heads in both.png")
    assert person.page.locator("main .row h2").all_inner_texts() == ["1. Rei", "2. Asuka"]
    assert person.page.locator(".brought .box").count() == 2
    assert person.captions()[:4] == ["Rei"] * 4
    person.press("Enter", "Enter")
    person.saved()
    assert decided(shown) == {("confirmed", "Rei"): 2}
    person.press("x", "ArrowRight", "x", "i")
    person.saved()
    assert decided(shown) == {("confirmed", "Rei"): 2, ("ignored", None): 2}
    person.press("u")
    person.saved()
    assert decided(shown)["confirmed", "Rei"] == 2
    assert person.troubles == []


def test_all_on_the_screen_are_not_confirmed_at_once(person: Person, shown: Engine) -> None:
    go(person, "search", ".zone")
    person.drops(".zone", {"both.png": BOTH})
    person.sees(".face")
    person.press("y")
    person.sees("#said", "Enter confirms the ticked faces")
    assert shown.store.decisions.steps() == []


def test_a_pasted_picture_is_searched_and_what_is_like_it_is_named(
    person: Person, shown: Engine
) -> None:
    go(person, "search", ".zone")
    person.pastes({"image.png": PINK_ONE})
    person.sees("main .row h2", "Nobody known")
    person.press("/")
    person.sees("#naming input")
    person.type("Momo")
    person.press("Enter")
    person.saved()
    assert decided(shown) == {("confirmed", "Momo"): 1}
    go(person, "today", "h1")
    person.pastes({"image.png": BOTH})
    assert person.page.locator("h1").inner_text() != "Search"


def test_a_picture_is_chosen_by_the_keyboard_alone(person: Person, tmp_path: Path) -> None:
    (tmp_path / "chosen.png").write_bytes(BOTH)
    go(person, "search", ".zone")
    person.chooses(tmp_path / "chosen.png")
    person.press("Enter")
    person.sees(".lead", "2 heads in chosen.png")
    # Back from another view, the picture is still there, and searched anew.
    person.press("o")
    person.sees(".canvas img")
    person.press("Escape")
    person.sees(".lead", "2 heads in chosen.png")


def test_what_is_no_picture_is_told(person: Person) -> None:
    go(person, "search", ".zone")
    person.drops(".zone", {"text.txt": b"no picture"})
    person.sees(".complaint")
    told = person.page.locator(".complaint").inner_text()
    assert told.startswith("text.txt is not a picture that can be read (AVIF, ")
    person.sees("#said", "Nothing was searched.")
    person.drops(".zone", {"both.png": BOTH})
    person.sees(".lead", "2 heads")
    person.page.route("**/search**", lambda route: route.abort())
    person.drops(".zone", {"both.png": BOTH})
    person.sees(".complaint", "The gallery does not answer")
    person.page.route("**/history**", lambda route: route.abort())
    person.go("history")
    person.sees("main", "The gallery does not answer.")
    person.was_refused()


def test_a_file_beside_its_place_does_not_leave_the_page(person: Person) -> None:
    person.drops("header", {"both.png": BOTH})
    person.press("?")
    person.sees("#keys dt", "Enter")


def test_faces_like_a_seen_one_are_a_key_away_from_any_view(person: Person, shown: Engine) -> None:
    go(person, "sure/Rei")
    person.press("l")
    person.sees("h1", "Like this Rei")
    assert person.captions()[:3] == ["Rei"] * 3
    person.press("Enter", "n")
    person.saved()
    assert decided(shown) == {("confirmed", "Rei"): 1, ("not_this", None): 1}
    person.press("l")
    person.sees("h1", "Like this")
    person.press("Escape")
    person.sees("h1", "Like this Rei")
    person.press("Escape")
    person.sees("h1", "Rei")
    go(person, "picture/1")
    person.press("l")
    person.sees("h1", "Like this")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(
    person: Person, scheme: Literal["light", "dark"]
) -> None:
    person.page.emulate_media(color_scheme=scheme)
    for view, picture in (("search", None), ("search", BOTH), ("like/1", None)):
        go(person, view, "h1")
        if picture is not None:
            person.drops(".zone", {"both.png": picture})
            person.sees(".face")
            person.press("Enter", "n")
            person.saved()
        person.page.wait_for_load_state("networkidle")
        found = person.violations()
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_a_search_fits_a_telephone(browser: Browser, shown: Engine) -> None:
    with served(shown) as link:
        person = Person(browser, link, width=360)
        for view in ("search", "like/1"):
            go(person, view, "h1")
            if view == "search":
                person.drops(".zone", {"both.png": BOTH})
                person.sees(".face")
            person.page.wait_for_load_state("networkidle")
            assert person.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert person.troubles == []
        person.page.close()
