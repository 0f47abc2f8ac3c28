"""What the gallery says by now is offered, and nothing moves under the hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import Person, looking_meanwhile
from fakes import Square, write_picture
from playwright.sync_api import Browser
from reviewed import ORANGE, reviewed

from gallery.engine.engine import Engine
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates


@pytest.fixture
def person(browser: Browser, gallery: Engine, database: Path, tmp_path: Path) -> Iterator[Person]:
    """One who looks at a gallery that is answered anew in the background."""
    reviewed(gallery, tmp_path)
    with looking_meanwhile(browser, gallery, database) as one:
        yield one


def learn_orange(gallery: Engine, folder: Path) -> None:
    """Let orange faces, which were doubtful, be Asuka's from now on."""
    for number in range(3):
        place = folder / "more" / "Asuka" / f"{number}.png"
        write_picture(place, Square(10, 20, 60, ORANGE), seed=30 + number)
    list(enroll_candidates(gallery, candidates_in(folder / "more")[0]))


def test_more_faces_of_a_name_are_offered_and_nothing_moves(
    person: Person, gallery: Engine, tmp_path: Path
) -> None:
    person.go("sure/Asuka", ".face")
    before = person.page.locator(".face").evaluate_all("all => all.map(one => one.id)")
    person.press("Enter")
    person.saved()
    learn_orange(gallery, tmp_path)
    person.sees("#offer a", "2 more faces look like Asuka now")
    assert person.page.locator(".face").evaluate_all("all => all.map(one => one.id)") == before
    found = person.violations()
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    person.page.locator("#offer a").click()
    person.page.locator("#offer a").wait_for(state="hidden")
    now = person.page.locator(".face").evaluate_all("all => all.map(one => one.id)")
    assert len(set(now) - set(before)) == 2


def test_an_offer_can_be_left(person: Person, gallery: Engine, tmp_path: Path) -> None:
    person.go("sure/Asuka", ".face")
    person.go("doubtful", ".face")
    learn_orange(gallery, tmp_path)
    person.sees("#offer a", "2 more faces look like Asuka now")
    person.page.get_by_role("button", name="Not now").click()
    assert not person.page.locator("#offer a").is_visible()
    assert person.page.locator("h1").inner_text() == "Doubtful"
