"""Confirmed faces become references in the page, and whole screens are decided by one key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import Person, decided, looking_meanwhile
from fakes import Square, write_picture
from labelled import identify_files
from playwright.sync_api import Browser
from reviewed import reviewed

from gallery.engine.engine import Engine

BETWEEN = (223, 74, 20)
"""A red that is nearer to orange than the samples are: it is Asuka's once orange is."""


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path)


@pytest.fixture
def answered(browser: Browser, gallery: Engine, database: Path, tmp_path: Path) -> Iterator[Person]:
    """One who looks at a gallery that is answered anew in the background."""
    reviewed(gallery, tmp_path)
    more = tmp_path / "more"
    for number in range(3):
        write_picture(more / f"{number}.png", Square(10, 20, 60, (222, 105, 20)), seed=90 + number)
    list(identify_files(gallery, sorted(more.iterdir()), keep=True))
    with looking_meanwhile(browser, gallery, database) as one:
        yield one


def samples(gallery: Engine, name: str) -> int:
    return gallery.store.character(name).samples


def test_a_key_takes_references_of_all_names_from_any_view(person: Person, shown: Engine) -> None:
    person.go("doubtful", ".face")
    person.press("Enter")
    person.saved()
    person.go("clusters", ".face")
    person.press("r")
    person.sees("#said", "Shift+R takes references of all names.")
    person.press("Shift+R")
    person.sees("#said", "Took")
    person.saved()
    assert samples(shown, "Asuka") > 2


def test_a_key_takes_references_of_the_names_on_the_screen(person: Person, shown: Engine) -> None:
    person.go("doubtful", ".face")
    person.press("r")
    person.sees("#said", "Nothing on this screen is confirmed yet")
    person.press("Enter")
    person.sees("#actions button", "References")
    person.press("r")
    person.saved()
    person.sees("#said", "Took")
    taken = samples(shown, "Asuka") - 2
    assert taken >= 1
    person.sees("#said", f"{taken} of Asuka")
    person.press("r")
    person.saved()
    person.sees("#said", "No confirmed face teaches more")
    person.press("u")
    person.saved()
    person.sees("#said", "Undone: Took")
    assert samples(shown, "Asuka") == 2
    assert decided(shown) == {("confirmed", "Asuka"): 2}
    person.press("u")
    person.saved()
    assert decided(shown) == {("undecided", None): 2}


def test_today_takes_references_of_all_and_history_takes_them_out(
    person: Person, shown: Engine
) -> None:
    button = person.page.get_by_role("button", name="Use confirmed faces as references")
    assert button.count() == 0
    person.go("doubtful", ".face")
    person.press("Enter")
    person.saved()
    person.go("today")
    button.wait_for()
    person.page.wait_for_load_state("networkidle")
    found = person.violations()
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    button.click()
    person.sees("#said", "of Asuka")
    person.saved()
    assert samples(shown, "Asuka") > 2
    person.go("history", ".steps li")
    row = person.page.locator(".steps li", has_text="of Asuka").filter(has_text="took")
    row.get_by_role("button").click()
    person.sees(".steps li", "undid step")
    assert samples(shown, "Asuka") == 2


def test_better_answers_are_offered_after_references(answered: Person, gallery: Engine) -> None:
    answered.go("doubtful", ".face")
    before = answered.states()
    answered.press("x", "Enter", "r")
    answered.saved()
    answered.sees("#offer a", "like Asuka now")
    assert len(answered.states()) == len(before)
    answered.page.locator("#offer a").click()
    answered.sees("h1", "Asuka")


def test_the_key_can_be_changed(person: Person, shown: Engine) -> None:
    person.press("?")
    person.page.locator("#keys button.key").and_(
        person.page.get_by_label("as references", exact=False)
    ).focus()
    person.press("Enter", "k", "Escape")
    person.go("doubtful", ".face")
    person.press("Enter", "k")
    person.saved()
    person.sees("#said", "Took")
    assert samples(shown, "Asuka") > 2


def test_names_of_few_faces_share_a_screen(person: Person, shown: Engine) -> None:
    person.go("sure", ".face")
    rows = person.page.locator(".row h2")
    assert sorted(rows.all_inner_texts()) == ["Asuka", "Rei"]
    person.press("End", "Shift+X", "Home", "Shift+Enter")
    person.sees("h1", "Doubtful")
    person.saved()
    left = person.page.locator(".face").count()
    assert sum(decided(shown).values()) >= 6
    person.go("sure", ".face")
    assert 1 <= person.page.locator(".face").count() <= 2
    person.press("Y")
    person.sees("h1", "Doubtful")
    person.saved()
    assert decided(shown) == {("confirmed", "Asuka"): 4, ("confirmed", "Rei"): 4}
    assert person.page.locator(".face").count() == left


def test_enter_goes_through_the_names_of_a_screen(person: Person, shown: Engine) -> None:
    person.go("sure", ".face")
    person.page.locator(".face[aria-selected=false]").evaluate_all("all => all.map(a => a.click())")
    person.press("Home", "Enter", "Enter")
    person.saved()
    assert decided(shown) == {("confirmed", "Asuka"): 4, ("confirmed", "Rei"): 4}
    person.press("Enter")
    person.sees("h1", "Doubtful")


def test_what_is_not_ticked_is_said_not_to_be_the_name(person: Person, shown: Engine) -> None:
    person.go("sure/Rei", ".face")
    faces = person.page.locator(".face")
    for place in range(faces.count()):
        if (faces.nth(place).get_attribute("aria-selected") == "true") == (place < 2):
            faces.nth(place).click()
    person.sees("#actions button", "Not this 2")
    faces.nth(0).click()
    faces.nth(0).click()
    person.press("n")
    person.saved()
    assert person.states()[:2] == ["not_this", "not_this"]
    assert decided(shown) == {("not_this", None): 2}


def test_what_is_near_is_ticked_and_no_key_takes_the_whole_row(
    person: Person, shown: Engine
) -> None:
    person.go("near", ".face")
    faces = person.page.locator(".face").count()
    assert faces == 4
    person.press("Y")
    person.sees("#said", "the ticked faces alone")
    name = person.page.locator(".row h2").first.inner_text().rstrip("?")
    person.press("x", "Shift+Enter")
    person.sees("h1", "Clusters")
    person.saved()
    assert decided(shown) == {("confirmed", name): 1}
    person.go("near", ".face")
    person.press("Enter")
    person.sees("h1", "Clusters")
    assert decided(shown) == {("confirmed", name): 1}
