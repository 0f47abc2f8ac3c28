"""Drawing a head that no detector saw, by the routes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reviewed import client_of, get, given, post, reviewed
from starlette.testclient import TestClient

from gallery.engine.engine import Engine

BOX = [100.0, 80.0, 150.0, 119.0]


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path)


@pytest.fixture
def client(shown: Engine) -> TestClient:
    return client_of(shown)


def seen(client: TestClient) -> Any:
    """A face of a picture that shows Rei alone."""
    faces = get(client, "faces", name="Rei")["faces"]
    return next(one for one in faces if one["picture"] == "Rei-001.png")


def test_a_head_is_drawn_named_and_kept(client: TestClient) -> None:
    beside = seen(client)
    head = post(client, "heads", face=beside["id"], box=BOX)
    assert (head["box"], head["picture"]) == (BOX, "Rei-001.png")
    (step,) = get(client, "history")["steps"]
    assert step["title"].startswith("drew a head in Rei-001.png")
    assert len(get(client, f"pictures/{head['id']}")["faces"]) == 2
    assert client.get(f"/api/v1/crops/{head['id']}.jpg").status_code == 200
    done = post(client, "decisions", action="confirm", name="Asuka", faces=given([head]))
    assert done["faces"][0]["character"] == "Asuka"


def test_a_head_is_taken_back(client: TestClient) -> None:
    beside = seen(client)
    head = post(client, "heads", face=beside["id"], box=BOX)
    (erased,) = given([head])
    assert post(client, "heads/erase", **erased) == {"face": head["id"]}
    post(client, "heads/erase", 404, **erased)
    assert len(get(client, f"pictures/{beside['id']}")["faces"]) == 1


def test_what_was_decided_of_meanwhile_is_not_taken_back(client: TestClient) -> None:
    head = post(client, "heads", face=seen(client)["id"], box=BOX)
    post(client, "decisions", action="confirm", name="Asuka", faces=given([head]))
    (erased,) = given([head])
    assert "meanwhile" in post(client, "heads/erase", 409, **erased)["detail"]
    post(client, "undo")
    post(client, "heads/erase", **erased)


def test_a_face_that_nobody_drew_is_not_taken_back(client: TestClient) -> None:
    (erased,) = given([seen(client)])
    post(client, "heads/erase", 404, **erased)


def test_where_a_face_is_none_is_drawn(client: TestClient) -> None:
    detail = post(client, "heads", 409, face=seen(client)["id"], box=[10, 20, 70, 80])["detail"]
    assert "seen at this place already" in detail


def test_a_picture_that_is_gone_is_told(client: TestClient, tmp_path: Path) -> None:
    beside = seen(client)
    (tmp_path / "new" / "Rei-001.png").unlink()
    assert "cannot be read" in post(client, "heads", 409, face=beside["id"], box=BOX)["detail"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"face": 999, "box": BOX}),
        (409, {"face": 1, "box": [0, 0, 5, 5]}),
        (422, {"face": 1, "box": [0, 0, 5]}),
        (409, {"face": 1, "box": [0, 0, 1e99, 5]}),
        (409, {"face": 1, "box": [0, 0, float("nan"), 50]}),
        (409, {"face": 1, "box": [0, float("-inf"), 50, 50]}),
        (422, {"face": 0, "box": BOX}),
        (422, {"face": 1, "box": BOX, "path": "/etc/passwd"}),
    ],
)
def test_what_is_no_head_is_refused(client: TestClient, status: int, body: dict[str, Any]) -> None:
    post(client, "heads", status, **body)
