"""Keys that a person changes, and the page by touch on a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import Person, served
from playwright.sync_api import Browser
from reviewed import reviewed

from gallery.engine.engine import Engine
from gallery.store.steps import Action


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path, sure=6, unknown=4)


@pytest.fixture
def finger(browser: Browser, shown: Engine) -> Iterator[Person]:
    with served(shown) as link:
        one = Person(browser, link, width=360, touch=True)
        yield one
        assert one.troubles == []
        one.page.close()


def titles(gallery: Engine) -> list[str]:
    return [one.title for one in reversed(gallery.store.decisions.steps())]


def rekey(person: Person, what: str, key: str) -> None:
    """Give an action, by what the list says of it, another key."""
    person.page.locator("#keys button.key").and_(
        person.page.get_by_label(what, exact=False)
    ).focus()
    person.press("Enter", key)


def test_a_key_is_changed_and_stays_so(person: Person, shown: Engine) -> None:
    person.go("sure/Rei", ".face")
    person.press("?")
    rekey(person, "no face", "k")
    person.press("Escape")
    person.sees("#actions button", "K No face")
    person.press("f", "k")
    person.saved()
    assert titles(shown) == ["said that 1 is no face"]
    person.page.reload()
    person.sees(".face")
    person.press("k")
    person.saved()
    assert len(titles(shown)) == 2
    person.press("?")
    person.page.get_by_role("button", name="All as at first").click()
    person.press("Escape", "k", "f")
    person.saved()
    assert titles(shown) == ["said that 1 is no face"] * 3


@pytest.mark.parametrize(
    ("key", "why"),
    [("n", "is taken: not this name"), ("3", "always means the same"), ("Enter", "always means")],
)
def test_a_key_that_is_taken_is_refused(person: Person, key: str, why: str) -> None:
    person.press("?")
    rekey(person, "ignore", key)
    person.sees("#keys .trouble", why)
    person.press("Escape")
    assert person.page.locator("#keys").is_visible()
    person.press("Escape")
    assert not person.page.locator("#keys").is_visible()
    person.go("sure/Rei", ".face")
    person.sees("#actions button", "I Ignore")


def test_what_is_kept_of_keys_may_be_anything(person: Person) -> None:
    for kept in ("nothing", '{"ignore": "1", "what": "w"}', '["x"]', "null"):
        person.page.evaluate("kept => localStorage.setItem('gallery-keys', kept)", kept)
        person.page.reload()
        person.go("sure/Rei", ".face")
        person.sees("#actions button", "I Ignore")


SIZES = ((1280, 800), (800, 800), (360, 640))
CHIPS = ".chips a"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_hides_what_acts(browser: Browser, shown: Engine, width: int, height: int) -> None:
    """Buttons, names and the face at hand lie beside the head and the bar, without scrolling."""
    (face,) = {one.id for one in shown.store.sightings.all() if one.path.name == "pink.png"}
    with served(shown) as link:
        person = Person(browser, link, width=width, touch=width == 360)
        person.page.set_viewport_size({"width": width, "height": height})
        views = {
            "sure/Rei": ".face",
            "doubtful": ".face",
            "clusters": ".face",
            f"picture/{face}": ".canvas img",
            "characters": ".people li",
            "audit": "button",
        }
        for view, wanted in views.items():
            person.go(view, wanted)
            controls = f"main button:not(.onward), {CHIPS}, .face.active, #actions button"
            assert person.covered(controls) == [], view
        person.go("sure/Rei", ".face")
        person.page.locator(".one-switch").click()
        person.sees(".single")
        assert person.covered("main button, #actions button") == []
        assert person.page.locator("#actions button, .single button").count() > 2
        person.page.locator(".one-switch").click()
        person.page.close()


def test_names_are_not_cut_on_a_telephone(browser: Browser, shown: Engine) -> None:
    with served(shown) as link:
        person = Person(browser, link, width=360, touch=True)
        person.go("sure/Rei", ".face")
        # Many more names than there is room for.
        person.page.evaluate("""() => {
            const chips = document.querySelector(".chips");
            const [one] = chips.children;
            chips.append(...Array.from({ length: 9 }, () => one.cloneNode(true)));
        }""")
        whole = person.page.evaluate("""() => {
            const box = document.querySelector(".chips").getBoundingClientRect();
            const chips = [...document.querySelectorAll(".chips a")];
            return chips.map(one => one.getBoundingClientRect())
                .every(one => one.bottom <= box.bottom + 1 || one.top >= box.bottom - 1);
        }""")
        assert whole
        person.page.close()


def test_one_at_a_time_by_keys(person: Person, shown: Engine) -> None:
    person.go("sure/Rei", ".face")
    person.press("v")
    person.sees(".single h2", "Rei?")
    assert not person.page.locator(".board").is_visible()
    person.press("Enter", "n", "Enter")
    person.saved()
    assert titles(shown) == ["confirmed 1 as Rei", "rejected Rei for 1", "confirmed 1 as Rei"]
    person.press("u")
    person.saved()
    person.press("v")
    assert person.page.locator(".board").is_visible()
    assert person.states().count("confirmed") == 1


def test_the_mouse_drawn_over_faces_ticks_them_all(person: Person, shown: Engine) -> None:
    person.go("sure/Rei", ".face")
    every = person.ticked()
    assert len(every) == 6
    person.draws(1, 2, 3)
    assert person.ticked() == [0, 4, 5]
    # The first one says what all of them get, whichever way.
    person.draws(3, 2)
    assert person.ticked() == [0, 2, 3, 4, 5]
    person.draws(2, 3, 2)
    assert person.ticked() == [0, 3, 4, 5]
    person.page.locator(".face").nth(1).click()
    person.draws(5, 4)
    assert person.ticked() == [0, 1, 3]
    # They are in hand: what is said next is said of them.
    person.press("n")
    person.saved()
    assert titles(shown) == ["rejected Rei for 2"]


def test_the_mouse_is_drawn_on_over_the_next_row(person: Person, shown: Engine) -> None:
    person.go("sure", ".face")
    labels = person.page.locator(".faces").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert labels == ["Asuka", "Rei"]
    assert len(person.ticked()) == 12
    person.draws(4, 7)
    assert person.ticked() == [0, 1, 2, 3, 8, 9, 10, 11]
    person.press("Shift+N")
    person.saved()
    assert titles(shown) == [
        "confirmed 4 as Asuka",
        "rejected Asuka for 2",
        "confirmed 4 as Rei",
        "rejected Rei for 2",
    ]


def test_one_key_says_of_a_screen_what_its_ticks_say(person: Person, shown: Engine) -> None:
    person.go("sure/Rei", ".face")
    person.draws(1, 2)
    person.press("Shift+N")
    person.saved()
    assert titles(shown) == ["confirmed 4 as Rei", "rejected Rei for 2"]
    person.go("doubtful", ".face")
    person.press("Shift+N")
    person.sees("#said", "In Sure alone do ticks tell right faces from wrong ones.")
    assert len(titles(shown)) == 2


def test_swipes_decide_one_at_a_time(finger: Person, shown: Engine) -> None:
    finger.go("doubtful", ".face")
    finger.page.locator(".one-switch").tap()
    finger.sees(".single h2", "Asuka?")
    finger.swipe(".single-face", 40)
    assert titles(shown) == []
    finger.swipe(".single-face", 120)
    finger.sees("#said", "Confirmed 1 face as Asuka.")
    finger.swipe(".single-face", -120)
    finger.sees("#said", "1 face is not Asuka.")
    finger.saved()
    assert titles(shown) == ["confirmed 1 as Asuka", "rejected Asuka for 1"]
    finger.page.locator("#undo").click()
    finger.sees("#said", "Undone")
    finger.saved()
    assert titles(shown)[-1] == "undid step 2 for 1"


def test_a_long_press_previews_and_ticks_nothing(finger: Person) -> None:
    finger.go("clusters", ".face")
    finger.hold(".face", 700)
    finger.sees("#preview h2")
    assert finger.page.locator(".face.ticked").count() == 0
    finger.page.locator("#preview").get_by_role("button", name="Close").tap()
    assert not finger.page.locator("#preview").is_visible()
    finger.page.locator(".face").first.tap()
    assert finger.page.locator(".face.ticked").count() == 1


def test_a_telephone_has_five_actions_in_one_line(finger: Person, shown: Engine) -> None:
    finger.go("doubtful", ".face")
    buttons = finger.page.locator("#actions button:visible")
    assert [one.split("\n")[0].strip() for one in buttons.all_inner_texts()] == [
        "Confirm", "Not this", "Ignore", "No face", "Name",
    ]  # fmt: skip
    boxes = [one.bounding_box() for one in buttons.all()]
    assert len({box["y"] for box in boxes if box}) == 1
    assert all(box and box["height"] >= 44 and box["width"] >= 44 for box in boxes)
    buttons.nth(2).tap()
    finger.sees("#said", "Ignored 1 face.")
    finger.saved()
    assert [one.action for one in shown.store.decisions.steps()] == [Action.IGNORE]
    # What is not decided is passed over below the faces.
    finger.go("sure/Rei", ".face")
    finger.page.locator(".onward").tap()
    finger.sees("h1", "Doubtful")


def test_groups_are_joined_and_split_by_touch(finger: Person, shown: Engine) -> None:
    finger.go("clusters", ".face")
    faces = finger.page.locator(".face")
    faces.nth(0).tap()
    faces.nth(1).tap()
    finger.page.locator("#actions button", has_text="Split").tap()
    finger.sees("#said", "Split 2 faces off")
    faces.nth(2).tap()
    faces.nth(0).tap()
    finger.page.locator("#actions button", has_text="Join").tap()
    finger.sees("#said", "Joined 2 groups")
    finger.saved()
    assert [one.action for one in shown.store.decisions.steps()] == [Action.JOIN, Action.SPLIT]


def test_axe_finds_nothing_in_the_keys_and_one_at_a_time(finger: Person) -> None:
    finger.go("sure/Rei", ".face")
    finger.page.locator(".one-switch").tap()
    finger.sees(".single")
    for opened in (False, True):
        if opened:
            finger.page.locator("#help").tap()
        found = finger.violations()
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert finger.page.evaluate("document.documentElement.scrollWidth") <= 360
