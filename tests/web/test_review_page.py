"""The page in a real browser: a whole session by keys alone, and what may go wrong in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import Person, decided, go, served
from playwright.sync_api import Browser, Route
from reviewed import reviewed

from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.meant import SeenFace
from gallery.store.steps import Action


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path, sure=8, unknown=5)


def test_a_whole_session_by_keys_alone(person: Person, shown: Engine) -> None:
    assert "token" not in person.page.url
    person.press("Enter")
    person.sees("h1", "Sure")
    assert person.page.locator(".row h2").all_inner_texts() == ["Asuka", "Rei"]
    odd = person.page.locator('.face[aria-selected="false"]').count()
    person.press("End", "i", "y")
    person.sees('.face[data-state="confirmed"]')
    person.press("Enter")
    person.sees("h1", "Doubtful")
    person.press("Enter", "Enter")
    person.sees("h1", "Near")
    person.press("Enter")
    person.sees("h1", "Clusters")
    person.press("/")
    person.sees("#naming input")
    person.type("Midori")
    person.press("Enter")
    person.saved()
    person.press("ArrowDown", "f", "Enter")
    person.sees("h1", "All is decided")
    assert odd <= 8
    assert decided(shown) == {
        ("confirmed", "Asuka"): 10, ("confirmed", "Rei"): 7, ("ignored", None): 1,
        ("confirmed", "Midori"): 5, ("no_face", None): 1,
    }  # fmt: skip
    # 24 faces; most of the keys are letters of a name.
    assert person.keys <= 21
    assert person.troubles == []


def test_what_is_decided_stays_in_its_place_and_undo_brings_it_back(
    person: Person, shown: Engine
) -> None:
    go(person, "sure/Rei")
    faces = person.page.locator(".face")
    before = faces.evaluate_all("all => all.map(one => one.id)")
    person.press("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "i")
    person.saved()
    assert person.states() == ["undecided"] + ["ignored"] * 3 + ["undecided"] * 4
    assert faces.evaluate_all("all => all.map(one => one.id)") == before
    person.press("u")
    person.saved()
    assert person.states() == ["undecided"] * 8
    assert decided(shown) == {("undecided", None): 3}
    assert [one.action for one in shown.store.decisions.steps()] == [Action.UNDO, Action.IGNORE]


def test_undo_survives_a_reload(person: Person, shown: Engine) -> None:
    go(person, "sure/Rei")
    person.press("f")
    person.saved()
    person.page.reload()
    person.sees(".face")
    assert person.page.locator(".face").count() == 7
    person.press("Control+z")
    person.saved()
    person.sees("#said", "Undone")
    assert decided(shown) == {("undecided", None): 1}


def test_odd_faces_are_left_out_and_ticks_are_kept_apart_from_the_hand(person: Person) -> None:
    go(person, "sure/Rei")
    ticked = person.page.locator('.face[aria-selected="true"]')
    count = ticked.count()
    person.press("End", "Shift+X")
    assert ticked.count() == count - 1
    person.press("Home", "n")
    person.saved()
    assert person.states()[0] == "not_this"
    assert person.captions()[0] == "not Rei"
    person.press("Enter")
    person.saved()
    assert person.states()[1:] == ["confirmed"] * 6 + ["undecided"]


def test_a_name_is_completed_by_any_part_and_is_no_default(person: Person, shown: Engine) -> None:
    shown.rename("Rei", "綾波レイ Rei")
    go(person, "clusters")
    person.press("/")
    person.sees("#naming input")
    person.type("レイ")
    person.sees("#names li", "綾波レイ Rei")
    person.press("Enter")
    person.saved()
    assert decided(shown) == {("confirmed", "綾波レイ Rei"): 5}
    person.press("ArrowDown", "/")
    person.sees("#naming input")
    assert person.page.locator("#naming input").input_value() == ""
    person.press("Enter")
    assert person.page.locator("#naming").is_visible()
    person.press("Escape", ".")
    person.saved()
    assert decided(shown) == {("confirmed", "綾波レイ Rei"): 6}


def test_letters_rest_while_a_name_is_typed(person: Person, shown: Engine) -> None:
    go(person, "clusters")
    person.press("/")
    person.sees("#naming input")
    person.type("finyu?")
    person.press("Escape")
    person.saved()
    assert shown.store.decisions.steps() == []


def test_the_later_of_two_people_is_told(person: Person, shown: Engine) -> None:
    go(person, "sure/Rei")
    face = int(person.page.locator(".face").first.get_attribute("id").removeprefix("face-"))  # type: ignore[union-attr]
    result_of(decide.set_aside(shown, [SeenFace(face)], Action.IGNORE))
    person.press("y")
    person.saved()
    person.sees("#said", "somebody decided meanwhile")
    assert person.captions()[0] == "meanwhile: ignored"
    assert decided(shown) == {("ignored", None): 1, ("confirmed", "Rei"): 7}


def test_what_cannot_be_saved_comes_back_and_is_marked(person: Person, shown: Engine) -> None:
    go(person, "sure/Rei")
    person.page.route("**/decisions", lambda route: route.abort())
    person.press("i")
    person.saved()
    person.sees("#said", "Not saved")
    assert person.captions()[0] == "not saved"
    person.page.unroute("**/decisions")
    person.press("Home", "i")
    person.saved()
    assert person.states()[0] == "ignored"
    assert decided(shown) == {("ignored", None): 1}
    person.was_refused()


def test_it_is_painted_before_it_is_written(person: Person) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            route.continue_()

    go(person, "sure/Rei")
    person.page.route("**/decisions", hold)
    person.press("i", "i", "i")
    person.sees("#saving", "saving 3")
    assert person.states()[:4] == ["ignored"] * 3 + ["undecided"]
    assert len(held) == 1
    held[0].continue_()
    person.saved()
    assert person.states()[:4] == ["ignored"] * 3 + ["undecided"]


def test_a_rejected_alternative_and_a_chosen_one_by_its_number(
    person: Person, shown: Engine
) -> None:
    go(person, "doubtful")
    person.press("1")
    person.saved()
    person.press("n")
    person.saved()
    assert decided(shown) == {("confirmed", "Rei"): 1, ("not_this", None): 1}


def test_the_whole_picture_is_seen_with_its_boxes(person: Person) -> None:
    go(person, "sure/Asuka")
    person.press(" ")
    person.sees("#preview .canvas .box.chosen")
    person.press("ArrowRight", " ")
    assert not person.page.locator("#preview").is_visible()
    both = person.page.locator('.face[title^="both.png"]')
    both.click()
    person.press("o")
    person.sees("h1", "both.png")
    assert person.page.locator("main .box").count() == 2
    person.press("Escape")
    person.sees("h1", "Asuka")


def test_each_step_of_the_history_can_be_undone(person: Person, shown: Engine) -> None:
    go(person, "sure/Rei")
    person.press("i", "f")
    person.saved()
    go(person, "history", ".steps li")
    person.page.locator(".steps li", has_text="ignored 1").get_by_role("button").click()
    person.sees(".steps li", "undid step 1")
    assert decided(shown) == {("undecided", None): 1, ("no_face", None): 1}


def test_keys_are_told(person: Person) -> None:
    person.press("?")
    person.sees("#keys dt", "Enter")
    person.press("Escape")
    assert not person.page.locator("#keys").is_visible()


@pytest.mark.parametrize(
    "view", ["today", "sure", "doubtful", "near", "clusters", "picture/1", "history"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(
    person: Person, view: str, scheme: Literal["light", "dark"]
) -> None:
    person.page.emulate_media(color_scheme=scheme)
    go(person, "sure/Rei")
    person.press("i", "n")
    person.saved()
    go(person, view, "h1")
    person.page.wait_for_load_state("networkidle")
    found = person.violations()
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize(
    "view", ["today", "sure", "doubtful", "near", "clusters", "picture/1", "history"]
)
def test_every_view_fits_a_telephone(browser: Browser, shown: Engine, view: str) -> None:
    with served(shown) as link:
        person = Person(browser, link, width=360)
        go(person, view, "h1")
        person.page.wait_for_load_state("networkidle")
        assert person.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert person.troubles == []
        person.page.close()


def test_an_empty_gallery_says_what_to_do(browser: Browser, gallery: Engine) -> None:
    with served(gallery) as link:
        person = Person(browser, link)
        person.sees("h1", "Nobody is in this gallery yet")
        person.sees("code", "gallery harvest FOLDER NEW")
        person.page.close()


def test_without_javascript_there_is_a_sentence(browser: Browser, gallery: Engine) -> None:
    with served(gallery) as link:
        page = browser.new_page(java_script_enabled=False)
        page.goto(link)
        assert "needs JavaScript" in page.content()
        page.close()
