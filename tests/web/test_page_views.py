"""Clusters put right, Pairs, Episode and Audit in a real browser, by keys."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import Person, served
from fakes import Square, write_picture
from playwright.sync_api import Browser, Route
from reviewed import COLOURS, GREEN, PINK, filmed, like, reviewed, two_of_one

from gallery.engine.engine import Engine
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.regroup import SeenGroup, split
from gallery.store.steps import Action

EPISODE = f"episode/{'ab' * 32}"


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    """Two groups that were one, a video, and a sample in the wrong folder."""
    reviewed(gallery, tmp_path, unknown=6)
    asuka, rei = COLOURS.values()
    filmed(gallery, tmp_path, [(asuka, rei, PINK), (asuka, GREEN), (asuka,)])
    for name, colour in COLOURS.items():
        for number in range(4):
            where = tmp_path / "in" / name / f"more-{number}.png"
            write_picture(where, Square(10, 20, 50 + 4 * number, colour), seed=300 + number)
    write_picture(tmp_path / "in" / "Asuka" / "wrong.png", Square(12, 22, 58, rei), seed=9)
    list(enroll_candidates(gallery, candidates_in(tmp_path / "in")[0]))
    two_of_one(gallery, 1)
    return gallery


def groups(gallery: Engine) -> list[int]:
    """How many unknown faces are in each group, largest first."""
    found = gallery.store.answers.unknown_clusters()
    return sorted((faces for number, faces in found.items() if number is not None), reverse=True)


def actions(gallery: Engine) -> list[Action]:
    return [one.action for one in reversed(gallery.store.decisions.steps())]


def test_groups_are_joined_and_split_by_keys(person: Person, shown: Engine) -> None:
    before = groups(shown)
    person.go("clusters", ".face")
    first, second = before[:2]
    person.press("End", "Home", *["ArrowRight"] * first, "m")
    person.sees("#said", f"Joined 2 groups: {first + second} faces in one.")
    person.sees(".row h2", f"{first + second} faces, joined")
    person.saved()
    assert groups(shown) == [first + second, *before[2:]]
    # A key is of the whole group now.
    assert person.page.locator("#actions button", has_text="Ignore").inner_text() == (
        f"I Ignore {first + second}"
    )
    person.press("Home", "x", "ArrowRight", "x", "s")
    person.sees("#said", "Split 2 faces off into a group of their own.")
    person.saved()
    assert groups(shown) == sorted([first + second - 2, 2, *before[2:]], reverse=True)
    assert person.captions()[:3] == ["split off", "split off", "joined"]
    person.press("u")
    person.saved()
    person.press("u")
    person.saved()
    assert groups(shown) == before
    assert person.captions()[:3] == ["", "", ""]
    assert actions(shown) == [Action.JOIN, Action.SPLIT, Action.UNDO, Action.UNDO]


def test_a_split_group_is_named_by_itself(person: Person, shown: Engine) -> None:
    person.go("clusters", ".face")
    person.press("ArrowRight", "Shift+ArrowRight", "s", "Home", "ArrowRight", "/")
    person.sees("#naming input")
    person.type("Midori")
    person.press("Enter")
    person.saved()
    assert [state for state in person.states() if state == "confirmed"] == ["confirmed"] * 2
    assert shown.store.decisions.steps()[0].title == "confirmed 2 as Midori"


def test_whoever_groups_later_is_told(person: Person, shown: Engine) -> None:
    person.go("clusters", ".face")
    number, faces = next(
        (number, list(own)) for number, own in shown.store.answers.unknown_members().items()
    )
    split(shown, SeenGroup(number, tuple(faces)), faces[:1])
    person.press(*["ArrowRight"] * groups(shown)[0], "ArrowRight", "ArrowRight", "m")
    person.saved()
    person.sees("#said", "Not saved: Somebody grouped faces otherwise meanwhile")
    assert "not saved" in person.captions()
    person.troubles.clear()
    assert actions(shown) == [Action.SPLIT]


def test_what_has_no_meaning_is_said(person: Person, shown: Engine) -> None:
    person.go("clusters", ".face")
    person.press("m")
    person.sees("#said", "There is no group before this one")
    person.press("s")
    person.sees("#said", "Nothing is ticked")
    person.go("sure", ".face")
    person.press("m")
    person.sees("#said", "Only unknown faces are in groups")
    assert actions(shown) == []


def test_pairs_are_answered_by_two_keys(person: Person, shown: Engine) -> None:
    like(shown, 2, "Rei")
    before = groups(shown)
    person.go("pairs", ".pair")
    pairs = person.page.locator(".pair")
    assert pairs.count() == 2
    states = [pairs.nth(0), pairs.nth(1)]
    (name,) = [place for place, one in enumerate(states) if "Rei" in one.inner_text()]
    person.press(*["ArrowDown"] * name, "n")
    person.saved()
    assert states[name].get_attribute("data-state") == "apart"
    person.press("Enter")
    person.saved()
    assert states[1 - name].get_attribute("data-state") == "same"
    assert actions(shown) == [Action.REJECT, Action.JOIN]
    assert len(groups(shown)) == len(before) - 1
    person.press("Enter")
    person.sees("h1", "No two groups look like one")
    person.press("u")
    person.saved()
    person.go("today")
    person.go("pairs", ".pair")
    assert pairs.count() == 1
    person.press("Enter")
    person.saved()
    person.press("u")
    person.saved()
    assert pairs.first.get_attribute("data-state") == "open"


@pytest.mark.parametrize("is_likely", [True, False])
def test_the_button_of_what_is_likely_stands_out(
    person: Person, shown: Engine, is_likely: bool
) -> None:
    def said(route: Route) -> None:
        if route.request.method != "GET":
            route.continue_()
            return
        found = route.fetch().json()
        for one in [*found.get("pairs", ()), *found.get("proposals", ())]:
            one["is_likely"] = is_likely
        route.fulfill(json=found)

    person.page.route("**/api/v1/pairs**", said)
    person.go("pairs", ".pair")
    person.sees("#actions button.main", "The same" if is_likely else "Not the same")
    assert person.page.locator("#actions button.main").count() == 1
    person.page.route("**/api/v1/audit**", said)
    person.go("audit")
    person.press("Enter")
    person.sees(".proposal button", "It is right")
    doubted = person.page.locator(".proposal", has_text="It is right").first
    assert (doubted.locator("button.main").inner_text() == "It is right") is not is_likely


def test_a_group_is_confirmed_as_the_character_it_is_like(person: Person, shown: Engine) -> None:
    like(shown, 2, "Rei")
    person.go("pairs", ".pair")
    person.page.locator(".pair", has_text="Rei").click()
    person.press("Enter")
    person.saved()
    (step,) = shown.store.decisions.steps()
    assert step.title == "confirmed 2 as Rei"


def test_a_pair_that_cannot_be_saved_comes_back(person: Person, shown: Engine) -> None:
    person.go("pairs", ".pair")
    person.page.route("**/groups/join", lambda route: route.abort())
    person.press("Enter")
    person.saved()
    person.sees(".pair-said", "not saved")
    person.page.unroute("**/groups/join")
    person.press("Enter")
    person.saved()
    assert actions(shown) == [Action.JOIN]
    person.troubles.clear()


def test_a_track_is_opened_and_confirmed_on_the_time_line(person: Person, shown: Engine) -> None:
    person.go("episode", ".episode")
    person.press("Enter")
    person.sees("h1", "episode 1.mkv")
    assert person.page.locator(".lane-title b").all_inner_texts()[:2] == ["Asuka", "Rei"]
    panel = person.page.locator(".track")
    assert not panel.is_visible()
    person.press("Enter")
    assert panel.is_visible()
    person.press("Enter")
    person.saved()
    assert [state for state in person.states() if state != "undecided"] == ["confirmed"]
    # It went on to the next track of the lane.
    assert "0:10 to 0:14" in panel.inner_text()
    person.press("Shift+ArrowRight", "Enter")
    person.saved()
    assert person.states()[:3] == ["confirmed"] * 3
    person.press("ArrowDown", "n")
    person.saved()
    person.press("Escape")
    assert not panel.is_visible()
    titles = [one.title for one in shown.store.decisions.steps()]
    assert titles == ["rejected Rei for 1", "confirmed 2 as Asuka", "confirmed 1 as Asuka"]


def test_the_time_line_goes_nearer_and_farther(person: Person) -> None:
    person.go(EPISODE, ".face")
    bar = person.page.locator(".lanes .face").nth(1)
    before = bar.bounding_box()
    person.press("+", "+")
    after = bar.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"]
    person.press("-", "-")
    assert bar.bounding_box() == before
    bar.click()
    person.sees(".track h2", "Asuka")
    assert bar.get_attribute("aria-selected") == "false"


def test_an_audit_is_looked_through_by_keys(person: Person, shown: Engine) -> None:
    person.press("g", "a")
    person.sees("h1", "Audit")
    assert person.page.locator(".proposal").count() == 0
    person.press("Enter")
    person.sees(".proposal")
    assert len(shown.samples("Rei")) == 6
    person.page.locator(".proposal button", has_text="Move to Rei").focus()
    person.press("Enter")
    person.sees(".proposal b", "Done: Move to Rei")
    assert len(shown.samples("Rei")) == 7
    # The focus stayed in the row, on what undoes it.
    person.press("Enter")
    person.sees(".proposal button", "Move to Rei")
    assert len(shown.samples("Rei")) == 6
    person.press("Tab", "Enter")
    person.sees(".proposal b", "Right as it is")
    assert actions(shown) == [Action.CONFIRM]


def test_the_key_undoes_what_an_audit_changed(person: Person, shown: Engine) -> None:
    person.go("audit")
    person.press("Enter")
    person.sees(".proposal")
    person.page.locator(".proposal button", has_text="Move to Rei").click()
    person.sees(".proposal b", "Done: Move to Rei")
    person.press("u")
    person.sees(".proposal button", "Move to Rei")
    assert len(shown.samples("Rei")) == 6
    row = person.page.locator(".proposal", has_text="Move to Rei")
    row.locator("button", has_text="It is right").click()
    person.sees(".proposal b", "Right as it is")
    # Also where the view is another one by now.
    person.go("today")
    person.go("audit", ".proposal b")
    person.press("u")
    person.sees(".proposal button", "Move to Rei")
    assert actions(shown) == [Action.CONFIRM, Action.UNDO]
    # What is undone is open again, for the gallery as well.
    person.page.locator(".proposal button", has_text="Move to Rei").click()
    person.sees(".proposal b", "Done: Move to Rei")


def test_a_name_is_found_by_its_words_in_any_order(person: Person, shown: Engine) -> None:
    person.go("sure/Rei", ".face")
    person.press("/")
    person.sees("#naming input")
    person.type("Ayanami Rei")
    person.press("Enter")
    person.sees(".face .caption", "Ayanami Rei")
    person.press("/")
    person.sees("#naming input")
    person.type("rei aya")
    person.sees("#names li[aria-selected=true]", "Ayanami Rei")
    person.press("Escape")


def test_history_shows_what_the_key_undid(person: Person, shown: Engine) -> None:
    person.go("sure/Rei", ".face")
    person.press("Enter")
    person.sees(".face[data-state='confirmed']")
    person.go("history", ".steps li")
    person.press("u")
    person.sees(".steps li", "undid step")


def test_history_shows_a_decision_that_was_still_on_its_way(person: Person, shown: Engine) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    person.go("sure/Rei", ".face")
    person.page.route("**/api/v1/decisions", hold)
    person.press("Enter")
    person.sees("#saving", "saving 1")
    person.page.evaluate("to => { location.hash = to; }", "#/history")
    person.page.wait_for_timeout(300)
    held[0].continue_()
    person.sees('#main[data-view="history"] .steps li')


def test_what_cannot_be_undone_is_asked_before(person: Person, shown: Engine) -> None:
    person.go("audit")
    person.press("Enter")
    person.sees(".proposal")
    button = person.page.locator(".proposal button", has_text="Forget").first
    before = sum(len(shown.samples(name)) for name in COLOURS)
    button.focus()
    person.press("Enter")
    person.sees("dialog.sure")
    person.press("Enter")
    assert sum(len(shown.samples(name)) for name in COLOURS) == before
    button.focus()
    person.press("Enter")
    person.sees("dialog.sure")
    person.press("Tab", "Enter")
    person.sees(".proposal b", "Done: Forget")
    assert sum(len(shown.samples(name)) for name in COLOURS) < before
    person.page.reload()
    person.sees(".proposal b", "Done: Forget")


VIEWS = ("clusters", "pairs", "episode", EPISODE, "audit")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(
    person: Person, scheme: Literal["light", "dark"]
) -> None:
    person.page.emulate_media(color_scheme=scheme)
    person.go("audit")
    person.press("Enter")
    person.sees(".proposal")
    for view in VIEWS:
        person.go(view)
        person.page.wait_for_load_state("networkidle")
        if view in ("clusters", "pairs", EPISODE):
            person.press("Enter" if view == EPISODE else "ArrowRight", "n", "ArrowDown", "m")
            person.saved()
        found = person.violations()
        told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert (view, told) == (view, [])


def test_every_view_fits_a_telephone(browser: Browser, shown: Engine) -> None:
    with served(shown) as link:
        person = Person(browser, link, width=360)
        for view in VIEWS:
            person.go(view)
            if view == "audit":
                person.press("Enter")
                person.sees(".proposal")
            person.page.wait_for_load_state("networkidle")
            wide = person.page.evaluate("document.documentElement.scrollWidth")
            assert (view, wide <= 360) == (view, True)
        assert person.troubles == []
        person.page.close()
