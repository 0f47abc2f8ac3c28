"""The pictures of the guide to the page, drawn and shown as a person gets them.

With GALLERY_PICTURES=1 they are written into docs/, so that they never grow old:

    GALLERY_PICTURES=1 .venv/bin/python -m pytest tests/web/test_guide_pictures.py
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from browser import Person, chromium, served
from command import ROOT, call
from PIL import Image as pillow

from drawing.album import portrait
from drawing.cast import ENROLLED
from drawing.episode import draw_episode
from drawing.studio import draw_picture, store
from gallery.engine.assemble import open_gallery
from gallery.engine.engine import Engine
from gallery.settings import Settings

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"

KNOWN = ("Mio Tachibana", "Chloé Marchand", "Rosa Delgado", "Gen Kuroda", "Pim", "Momo Ibuki")
"""Who is enrolled, by two pictures; a browser may have no letters for the names of others."""

LOADED = "() => [...document.images].every(one => one.complete && one.naturalWidth)"

TURNS = 5
COLOURS = 128

VIEWS = {
    "review": ("clusters", ".face"),
    "review-sure": ("sure", ".face"),
    "review-episode": ("episode", ".lane-title"),
    "review-picture": ("picture", ".box"),
}
"""By the picture's name: the view, and what is to be seen in it."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A gallery after a night: drawn pictures and an episode, labelled and grouped."""
    folder = tmp_path_factory.mktemp("guide")
    for number, character in enumerate(ENROLLED):
        for turn in range(2 * TURNS):
            picture = portrait(number + turn // TURNS * len(ENROLLED), character, turn % TURNS)
            enrolled = character.name in KNOWN and turn < 2
            place = f"characters/{character.name}" if enrolled else "new"
            path = folder / place / f"{number:02}-{turn}{Path(picture.path).suffix}"
            store(draw_picture(picture)[0], picture, path)
    for path in (ROOT / "data" / "screenshots").glob("*.jpg"):
        (folder / "new" / path.name).write_bytes(path.read_bytes())
    draw_episode(folder / "new" / "episode.mkv")
    database = folder / "anime.db"
    for words in (
        ("enroll", str(folder / "characters")),
        ("label", str(folder / "new"), "--out", str(folder / "labels.jsonl")),
        ("cluster",),
    ):
        assert call(*words, cwd=folder, database=database).code == 0
    return open_gallery(Settings(database=str(database)))


def test_the_guide_shows_the_page_as_it_is(drawn: Engine, tmp_path: Path) -> None:
    guide = (DOCS / "review.md").read_text(encoding="utf-8")
    folder = DOCS if os.environ.get("GALLERY_PICTURES") else tmp_path
    seen = drawn.store.sightings.all()
    several = next(one.id for one in seen if one.path.name == "01-school.jpg")
    (video,) = {one.digest for one in drawn.store.sightings.videos.all()}
    parts = {"picture": several, "episode": video}
    with chromium() as browser, served(drawn) as link:
        person = Person(browser, link, width=1120)
        for name, (view, wanted) in VIEWS.items():
            assert f"({name}.png)" in guide
            person.go(f"{view}/{parts[view]}" if view in parts else view, wanted)
            person.page.wait_for_function(LOADED)
            shown = pillow.open(io.BytesIO(person.page.screenshot()))
            kept = shown.convert("RGB").quantize(COLOURS, dither=pillow.Dither.NONE)
            kept.save(folder / f"{name}.png", optimize=True)
            # A page of one colour shows nothing.
            assert len(kept.getcolors() or ()) > COLOURS // 2
        assert person.troubles == []
    drawn.close()
