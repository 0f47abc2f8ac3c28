"""Enrolling in a real browser: from an empty gallery to a picture that is searched."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import Person, go, served
from fakes import Square, draw, write_picture
from playwright.sync_api import Browser
from reviewed import COLOURS, reviewed

from gallery.engine.engine import Engine
from gallery.media.images import encode_png

RED, BLUE = COLOURS["Asuka"], COLOURS["Rei"]


@pytest.fixture
def shown(gallery: Engine) -> Engine:
    return gallery


def pictures(colour: tuple[int, int, int], count: int, seed: int = 0) -> dict[str, bytes]:
    return {
        f"{number}.png": encode_png(draw(Square(10, 20, 60, colour), seed=seed + number))
        for number in range(count)
    }


def names(gallery: Engine) -> dict[str, int]:
    return {one.name: one.samples for one in gallery.characters()}


def test_the_whole_way_from_an_empty_gallery(person: Person, shown: Engine, tmp_path: Path) -> None:
    person.sees("h1", "Nobody is in this gallery yet")
    # One by dropping pictures, one by the keyboard alone.
    person.page.locator("#who").fill("Asuka")
    person.drops(".people-zone", pictures(RED, 3))
    person.sees(".people li[data-name='Asuka'] p", "3 references")
    files = [
        write_picture(tmp_path / f"{number}.png", Square(10, 20, 60, BLUE), seed=50 + number)
        for number in range(2)
    ]
    person.chooses(*files)
    person.page.locator("#who").focus()
    person.press("Control+a")
    person.type("綾波レイ")
    person.press("Tab")
    assert person.page.evaluate("document.activeElement.textContent") == "Add pictures"
    person.press("Enter")
    person.sees(".people li[data-name='綾波レイ'] p", "2 references")
    person.sees("#said", "5 references added.")
    assert names(shown) == {"Asuka": 3, "綾波レイ": 2}
    person.page.keyboard.press("Escape")
    go(person, "search", ".zone")
    person.drops(".zone", {"who.png": encode_png(draw(Square(60, 30, 70, BLUE), seed=99))})
    person.sees("main .row h2", "1. 綾波レイ")
    go(person, "today", "h1")
    person.sees("h1", "Nothing was labelled yet")
    person.sees("code", "gallery label FOLDER")
    assert person.troubles == []


def test_what_is_refused_is_told_of_each_picture(person: Person, shown: Engine) -> None:
    two = encode_png(draw(Square(10, 20, 50, RED), Square(90, 20, 50, BLUE)))
    person.page.locator("#who").fill("Asuka")
    person.drops(".people-zone", {**pictures(RED, 1), "a.txt": b"no picture", "two.png": two})
    person.sees("#enrolling .batch p", "3 of 3 pictures: 1 added, 2 refused.")
    told = person.page.locator("#enrolling .refused li").all_inner_texts()
    assert told[0].startswith("a.txt is not a picture that can be read (AVIF, ")
    assert told[1].startswith("two.png shows 2 faces")
    assert told[1].count("two.png") == 1
    person.page.get_by_label("take the largest").check()
    person.drops(".people li[data-name='Asuka']", {"two.png": two})
    person.sees(".people li[data-name='Asuka'] p", "2 references")
    person.drops(".people li[data-name='Asuka']", {"two.png": two})
    person.sees("#enrolling .batch p", "1 there already")
    person.page.get_by_role("button", name="Close").click()
    assert not person.page.locator("#enrolling").is_visible()
    assert names(shown) == {"Asuka": 2}
    person.was_refused()


def test_pictures_without_a_name_want_one(person: Person, shown: Engine) -> None:
    person.drops(".people-zone", pictures(RED, 1))
    person.sees("#said", "Whom do these pictures show?")
    assert names(shown) == {}


def test_a_folder_is_chosen_for_a_name(person: Person, shown: Engine, tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / "any" / f"{number}.png", Square(10, 20, 60, RED), seed=number)
    (tmp_path / "any" / "notes.txt").write_text("no picture")
    person.page.locator("#who").fill("Asuka")
    person.chooses(tmp_path / "any")
    person.page.get_by_role("button", name="Add a folder of pictures to Asuka").click()
    person.sees("#enrolling .batch p", "3 added, 1 other file passed over.")
    assert names(shown) == {"Asuka": 3}


def test_names_are_found_by_any_part(person: Person, shown: Engine, tmp_path: Path) -> None:
    reviewed(shown, tmp_path, sure=1, unknown=0)
    go(person, "characters", ".people li")
    rows = person.page.locator(".people li:visible")
    assert rows.count() == 2
    person.page.locator("#who").fill("suk")
    assert rows.count() == 1
    person.sees(".fresh h2", "Somebody new: suk")
    person.page.locator("#who").fill("asuka")
    assert person.page.locator(".fresh h2").count() == 0


def test_pictures_are_dropped_onto_a_name_in_sure(
    person: Person, shown: Engine, tmp_path: Path
) -> None:
    reviewed(shown, tmp_path, sure=2, unknown=0)
    go(person, "sure/Rei")
    before = names(shown)["Asuka"]
    person.drops(".chips a:has-text('Asuka')", pictures(RED, 2, seed=300))
    person.sees("#enrolling .batch p", "Asuka 2 of 2 pictures: 2 added.")
    assert names(shown)["Asuka"] == before + 2
    person.sees("h1", "Rei")


def test_what_the_gallery_does_not_take_is_told(person: Person, shown: Engine) -> None:
    person.page.route("**/samples**", lambda route: route.abort())
    person.page.locator("#who").fill("Asuka")
    person.drops(".people-zone", pictures(RED, 2))
    person.sees("#enrolling .refused li", "1.png: The gallery does not answer.")
    assert names(shown) == {}
    person.was_refused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(
    person: Person, shown: Engine, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    person.page.emulate_media(color_scheme=scheme)
    for view in ("today", "characters"):
        if view == "characters":
            reviewed(shown, tmp_path, sure=1, unknown=0)
            go(person, view, ".people li")
        person.page.locator("#who").fill("Midori")
        person.drops(".people-zone", {**pictures((20, 200, 20), 1, seed=400), "a.txt": b""})
        person.sees("#enrolling .refused li")
        person.page.wait_for_load_state("networkidle")
        found = person.violations()
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    person.was_refused()


def test_enrolling_fits_a_telephone(browser: Browser, shown: Engine) -> None:
    with served(shown) as link:
        person = Person(browser, link, width=360)
        person.page.locator("#who").fill("Asuka")
        person.drops(".people-zone", {**pictures(RED, 1), "a.txt": b"no picture"})
        person.sees("#enrolling .refused li")
        assert person.page.evaluate("document.documentElement.scrollWidth") <= 360
        go(person, "characters", ".people li")
        assert person.page.evaluate("document.documentElement.scrollWidth") <= 360
        # The browser notes the picture that was refused.
        assert [one for one in person.troubles if "409" not in one] == []
        person.page.close()
