"""Drawing a missed head in a real browser: by keys, by mouse and by a finger."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")

from browser import PATIENCE, Person, decided, go, served
from labelled import identify_files
from playwright.sync_api import Browser, expect
from reviewed import reviewed

from gallery.engine.engine import Engine
from gallery.store.sightings import Sighting


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path, sure=2, unknown=0)


def beside(gallery: Engine, folder: Path) -> Sighting:
    """The one face that was seen in a picture."""
    (one,) = gallery.store.sightings.at(folder / "new" / "Rei-001.png")
    return one


def drawn(gallery: Engine) -> list[Sighting]:
    return [one for one in gallery.store.sightings.all() if one.is_drawn]


def test_a_head_is_drawn_named_and_taken_back_by_keys_alone(
    person: Person, shown: Engine, tmp_path: Path
) -> None:
    one = beside(shown, tmp_path)
    go(person, f"picture/{one.id}")
    person.press("d")
    person.sees("main .box.drawn")
    person.sees("#said", "Box of 30 x 30 pixels")
    person.press(*["ArrowRight"] * 14, "ArrowDown", "+", "+", "Enter")
    expect(person.page.locator("main .face")).to_have_count(2, timeout=PATIENCE)
    (head,) = drawn(shown)
    left, top, right, bottom = head.face.box
    assert (left, top) == pytest.approx((65 + 14 * 2.4 - 2.4, 45 + 2.4 - 2.4))
    assert (right - left, bottom - top) == pytest.approx((34.8, 34.8))
    person.press("/")
    person.sees("#naming input")
    person.type("Midori")
    person.press("Enter")
    person.saved()
    assert decided(shown) == {("confirmed", "Midori"): 1}
    # What labels the picture again leaves it alone.
    list(identify_files(shown, [tmp_path / "new" / "Rei-001.png"], keep=True))
    assert [one.id for one in drawn(shown)] == [head.id]
    person.press("u")
    person.saved()
    person.press("u")
    expect(person.page.locator("main .face")).to_have_count(1, timeout=PATIENCE)
    assert drawn(shown) == []
    assert decided(shown) == {("undecided", None): 1}
    assert person.troubles == []


def test_a_drawn_head_is_undone_and_done_again_in_the_history(
    person: Person, shown: Engine, tmp_path: Path
) -> None:
    one = beside(shown, tmp_path)
    go(person, f"picture/{one.id}")
    person.press("d")
    person.sees("main .box.drawn")
    person.press(*["ArrowRight"] * 14, "Enter")
    expect(person.page.locator("main .face")).to_have_count(2, timeout=PATIENCE)
    person.page.reload()
    go(person, "history", ".steps li")
    person.sees(".steps .what", "drew a head in Rei-001.png")
    person.page.locator(".steps button").click()
    person.sees(".steps .what", "undid step 1 for 1")
    assert drawn(shown) == []
    person.page.locator(".steps button").first.click()
    person.sees(".steps .what", "undid step 2 for 1")
    assert len(drawn(shown)) == 1
    assert person.troubles == []


def test_escape_leaves_the_box_and_then_the_picture(
    person: Person, shown: Engine, tmp_path: Path
) -> None:
    go(person, "sure/Rei")
    person.press("o")
    person.sees("main .canvas img")
    person.press("d")
    person.sees("main .box.drawn")
    person.press("Escape")
    assert not person.page.locator("main .box.drawn").is_visible()
    person.press("Escape")
    person.sees("h1", "Rei")
    assert drawn(shown) == []


def test_a_head_is_drawn_by_the_mouse_and_its_box_moved(
    person: Person, shown: Engine, tmp_path: Path
) -> None:
    go(person, f"picture/{beside(shown, tmp_path).id}")
    frame = person.page.locator("main .canvas").bounding_box()
    assert frame is not None
    scale = frame["width"] / 160

    def at(x: float, y: float) -> tuple[float, float]:
        return frame["x"] + x * scale, frame["y"] + y * scale

    mouse = person.page.mouse
    mouse.move(*at(90, 20))
    mouse.down()
    mouse.move(*at(120, 60), steps=4)
    mouse.move(*at(130, 70), steps=4)
    mouse.up()
    mouse.move(*at(110, 40))
    mouse.down()
    mouse.move(*at(115, 45), steps=4)
    mouse.up()
    person.page.get_by_role("button", name="Keep").click()
    expect(person.page.locator("main .face")).to_have_count(2, timeout=PATIENCE)
    (head,) = drawn(shown)
    assert tuple(head.face.box) == pytest.approx((95, 25, 135, 75), abs=1.5)
    person.press("f")
    person.saved()
    assert decided(shown) == {("no_face", None): 1}


def test_a_finger_draws_once_it_is_asked_to(
    browser: Browser, shown: Engine, tmp_path: Path
) -> None:
    with served(shown) as link:
        person = Person(browser, link, width=360, touch=True)
        go(person, f"picture/{beside(shown, tmp_path).id}")
        person.page.get_by_role("button", name="Draw a missed head").tap()
        frame = person.page.locator("main .canvas").bounding_box()
        assert frame is not None
        scale = frame["width"] / 160
        person.swipes(
            (frame["x"] + 90 * scale, frame["y"] + 20 * scale),
            (frame["x"] + 140 * scale, frame["y"] + 70 * scale),
        )
        person.sees("#said", "Box of 50 x 50 pixels")
        # What follows a swipe at once is no tap to Chromium.
        person.page.wait_for_timeout(400)
        person.page.get_by_role("button", name="Keep").tap()
        expect(person.page.locator("main .face")).to_have_count(2, timeout=PATIENCE)
        (head,) = drawn(shown)
        assert tuple(head.face.box) == pytest.approx((90, 20, 140, 70), abs=2)
        assert person.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert person.troubles == []
        person.page.close()


def test_what_cannot_be_drawn_is_told_and_the_box_stays(
    person: Person, shown: Engine, tmp_path: Path
) -> None:
    go(person, f"picture/{beside(shown, tmp_path).id}")
    person.page.route("**/heads", lambda route: route.abort())
    person.press("d", "Enter")
    person.sees("#said", "Not drawn: The gallery does not answer.")
    assert person.page.locator("main .box.drawn").is_visible()
    assert drawn(shown) == []
    person.was_refused()


def test_a_picture_that_is_gone_says_why_nothing_can_be_drawn(
    person: Person, shown: Engine, tmp_path: Path
) -> None:
    one = beside(shown, tmp_path)
    (tmp_path / "new" / "Rei-001.png").unlink()
    go(person, f"picture/{one.id}")
    person.sees("main", "The picture itself is not here")
    person.press("d")
    person.sees("#said", "Heads are drawn in pictures that are here")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(
    person: Person, shown: Engine, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    person.page.emulate_media(color_scheme=scheme)
    go(person, f"picture/{beside(shown, tmp_path).id}")
    person.press("d")
    person.sees("main .box.drawn")
    person.page.wait_for_load_state("networkidle")
    found = person.violations()
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
