"""Searching by a picture that is brought, and by a face that was seen."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from fakes import Square, draw
from PIL import Image
from reviewed import COLOURS, PINK, bring, client_of, get, given, post, reviewed
from starlette.testclient import TestClient

from gallery.engine.engine import Engine
from gallery.media.images import encode_png

ASUKA, REI = COLOURS["Asuka"], COLOURS["Rei"]
NOBODY = (230, 230, 20)


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path)


@pytest.fixture
def client(shown: Engine) -> TestClient:
    return client_of(shown)


def picture(*squares: Square, seed: int = 900) -> bytes:
    return encode_png(draw(*squares, seed=seed))


def test_each_head_of_a_picture_is_found_with_the_nearest_characters(client: TestClient) -> None:
    both = picture(Square(90, 20, 50, ASUKA), Square(10, 20, 60, REI))
    found = bring(client, "search", both)
    assert (found["width"], found["height"], found["left_out"]) == (160, 120, 0)
    rei, asuka = found["heads"]
    assert (rei["character"], asuka["character"]) == ("Rei", "Asuka")
    assert rei["box"] == [10, 20, 70, 80]
    assert (rei["verdict"], rei["words"], rei["decided"]) == ("sure", "near", None)
    assert [one["name"] for one in rei["nearest"]] == ["Rei", "Asuka"]
    assert [one["words"] for one in rei["nearest"]] == ["near", "far"]
    sample = rei["nearest"][0]["references"][0]
    assert client.get(f"/api/v1/references/{sample}.jpg").status_code == 200


def test_seen_faces_like_a_head_come_nearest_first(client: TestClient) -> None:
    (head,) = bring(client, "search", picture(Square(10, 20, 60, REI)))["heads"]
    assert [one["character"] for one in head["faces"][:4]] == ["Rei"] * 4
    distances = [one["distance"] for one in head["faces"]]
    assert distances == sorted(distances)
    assert len(head["faces"]) == 14
    (cut,) = bring(client, "search", picture(Square(10, 20, 60, REI)), limit=3)["heads"]
    assert cut["faces"] == head["faces"][:3]


def test_a_stranger_is_nobody(client: TestClient) -> None:
    (head,) = bring(client, "search", picture(Square(10, 20, 60, NOBODY)))["heads"]
    assert (head["verdict"], head["character"], head["words"]) == ("unknown", None, "far")
    assert len(head["nearest"]) == 2


def test_a_picture_without_a_head_has_none(client: TestClient) -> None:
    assert bring(client, "search", picture())["heads"] == []


def test_what_a_person_decided_of_the_same_picture_rules(
    client: TestClient, tmp_path: Path
) -> None:
    faces = get(client, "faces", name="Rei")["faces"]
    one = next(face for face in faces if face["picture"] == "Rei-001.png")
    post(client, "decisions", action="confirm", name="Asuka", faces=given([one]))
    content = (tmp_path / "new" / "Rei-001.png").read_bytes()
    (head,) = bring(client, "search", content)["heads"]
    assert (head["character"], head["decided"]) == ("Asuka", "confirmed")
    assert head["faces"][0]["id"] == one["id"]


def test_what_is_no_face_is_not_found(client: TestClient) -> None:
    face = get(client, "faces", name="Rei")["faces"][0]
    post(client, "decisions", action="no_face", faces=given([face]))
    (head,) = bring(client, "search", picture(Square(10, 20, 60, REI)))["heads"]
    assert face["id"] not in [one["id"] for one in head["faces"]]


def test_nothing_of_a_search_is_kept(client: TestClient, shown: Engine) -> None:
    before = get(client, "today")
    bring(client, "search", picture(Square(10, 20, 60, PINK)))
    assert get(client, "today") == before
    assert shown.store.sightings.count() == 14
    assert shown.store.decisions.steps() == []


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_any_format_is_read(client: TestClient, form: str) -> None:
    content = io.BytesIO()
    Image.fromarray(draw(Square(10, 20, 60, REI))).save(content, form)
    kind = f"image/{form.lower()}"
    (head,) = bring(client, "search", content.getvalue(), kind=kind)["heads"]
    assert head["character"] == "Rei"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no picture", "is not a picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a picture that can be read"),
        (picture()[:400], "is damaged or cut short"),
    ],
)
def test_what_is_no_picture_is_told(client: TestClient, content: bytes, complaint: str) -> None:
    detail = bring(client, "search", content, 409)["detail"]
    assert detail.startswith("What was sent ")
    named = bring(client, "search", content, 409, file="nami.png")["detail"]
    assert named == detail.replace("What was sent", "nami.png")
    assert complaint in detail


def test_a_picture_that_unfolds_to_too_much_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.media.images.MAX_PIXELS", 160 * 120 - 1)
    assert "megapixels" in bring(client, "search", picture(), 409)["detail"]


def test_an_empty_picture_is_refused(client: TestClient) -> None:
    bring(client, "search", b"", 422)


def test_a_seen_face_finds_those_like_it(client: TestClient) -> None:
    face = get(client, "faces", name="Rei")["faces"][0]
    found = get(client, f"faces/{face['id']}/like", limit=5)
    assert found["face"] == face
    assert [one["character"] for one in found["faces"][:3]] == ["Rei"] * 3
    assert face["id"] not in [one["id"] for one in found["faces"]]
    assert (len(found["faces"]), found["has_more"], len(found["references"])) == (5, True, 2)
    assert get(client, f"faces/{face['id']}/like")["has_more"] is False
    assert client.get("/api/v1/faces/999/like").status_code == 404


def test_an_empty_gallery_knows_nobody(gallery: Engine) -> None:
    (head,) = bring(client_of(gallery), "search", picture(Square(10, 20, 60, REI)))["heads"]
    assert (head["verdict"], head["nearest"], head["faces"]) == ("unknown", [], [])


def test_faces_that_come_and_go_are_found_and_not(gallery: Engine, tmp_path: Path) -> None:
    client = client_of(gallery)
    head = picture(Square(10, 20, 60, REI))
    assert bring(client, "search", head)["heads"][0]["faces"] == []
    reviewed(gallery, tmp_path, sure=2, unknown=0)
    found = bring(client, "search", head)["heads"][0]["faces"]
    assert len(found) == 7
    with gallery.store.writing() as writer:
        writer.sightings.forget()
    assert bring(client, "search", head)["heads"][0]["faces"] == []
