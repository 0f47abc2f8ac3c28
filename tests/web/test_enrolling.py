"""Enrolling pictures that are brought, by the route."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import Square, draw
from reviewed import COLOURS, bring, client_of, get, reviewed
from starlette.testclient import TestClient

from gallery.engine.engine import Engine
from gallery.media.images import encode_png

RED, BLUE = COLOURS["Asuka"], COLOURS["Rei"]


def picture(*squares: Square, seed: int = 900) -> bytes:
    return encode_png(draw(*squares, seed=seed))


RED_ONE = picture(Square(10, 20, 60, RED))


@pytest.fixture
def client(gallery: Engine) -> TestClient:
    return client_of(gallery)


def test_a_picture_becomes_a_sample(client: TestClient, gallery: Engine) -> None:
    added = bring(client, "samples", RED_ONE, name="Asuka", new=True, file="red one.png")
    assert added == {"sample": 1, "name": "Asuka", "is_new": True, "is_poor": False}
    (sample,) = gallery.samples("Asuka")
    assert (sample.path, sample.is_best) == (Path("uploaded/red one.png"), True)
    (shown,) = get(client, "characters")["characters"]
    assert shown == {"name": "Asuka", "samples": 1, "reference": 1, "former": []}
    assert client.get("/api/v1/references/1.jpg").status_code == 200


def test_the_same_picture_again_is_no_other_sample(client: TestClient) -> None:
    bring(client, "samples", RED_ONE, name="Asuka", new=True)
    again = bring(client, "samples", RED_ONE, name="Asuka")
    assert (again["sample"], again["is_new"]) == (1, False)
    detail = bring(client, "samples", RED_ONE, 409, name="Rei", new=True, file="a.png")["detail"]
    assert detail.startswith("a.png is enrolled as Asuka already")


def test_a_name_that_nobody_has_is_told_unless_it_is_new(client: TestClient) -> None:
    bring(client, "samples", RED_ONE, 404, name="Asuka")
    bring(client, "samples", RED_ONE, name="Asuka", new=True)
    # What differs by case alone is the same name.
    other = picture(Square(10, 20, 60, RED), seed=901)
    assert bring(client, "samples", other, name="asuka", new=True)["name"] == "Asuka"
    for name in ("\0", " ", "x" * 250):
        assert bring(client, "samples", RED_ONE, 409, name=name, new=True)["detail"]
    bring(client, "samples", RED_ONE, 422, name="x" * 301, new=True)
    bring(client, "samples", RED_ONE, 422, new=True)


def test_what_cannot_be_enrolled_is_told_by_its_file(client: TestClient) -> None:
    two = picture(Square(10, 20, 50, RED), Square(90, 20, 50, BLUE))
    for content, file, complaint in (
        (b"no picture", "a.txt", "a.txt is not a picture that can be read"),
        (picture(), "none.png", "none.png"),
        (two, "two.png", "two.png"),
    ):
        detail = bring(client, "samples", content, 409, name="Asuka", new=True, file=file)["detail"]
        assert complaint in detail
    assert get(client, "characters")["characters"] == []
    added = bring(client, "samples", two, name="Asuka", new=True, largest=True)
    assert added["is_new"]


@pytest.mark.parametrize(
    "file", ["../../etc/passwd", "/etc/passwd", "a\0b", "..", "C:\\x.png", "名前.png"]
)
def test_a_file_name_leads_nowhere(client: TestClient, gallery: Engine, file: str) -> None:
    bring(client, "samples", RED_ONE, name="Asuka", new=True, file=file)
    (sample,) = gallery.samples("Asuka")
    assert sample.path.parts[0] == "uploaded"
    assert len(sample.path.parts) == 2
    assert sample.path.parts[1] not in ("..", ".")


def test_who_is_enrolled_is_known_at_once(client: TestClient) -> None:
    for name, colour in COLOURS.items():
        for seed in (1, 2):
            content = picture(Square(10, 20, 60, colour), seed=seed)
            bring(client, "samples", content, name=name, new=True)
    (head,) = bring(client, "search", picture(Square(20, 30, 60, BLUE)))["heads"]
    assert (head["character"], head["verdict"]) == ("Rei", "sure")


def test_seen_faces_may_be_answered_otherwise_then(gallery: Engine, tmp_path: Path) -> None:
    client = client_of(reviewed(gallery, tmp_path))
    assert get(client, "today")["stale"] == 0
    bring(client, "samples", picture(Square(30, 20, 60, RED)), name="Asuka")
    assert get(client, "today")["stale"] == 14
