"""Every route says what it is to say; what is decided by one is seen by the others."""

from __future__ import annotations

import io
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from fakes import fake_gallery
from PIL import Image
from reviewed import COLOURS, client_of, desk_of, get, given, post, reviewed
from starlette.testclient import TestClient

from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.jobs import decide, meant
from gallery.jobs.meant import SeenFace
from gallery.web.desk import Desk
from gallery.web.shapes import DecisionGiven, FaceGiven


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path)


@pytest.fixture
def client(shown: Engine) -> TestClient:
    return client_of(shown)


def test_today_says_what_is_left_of_each_kind(client: TestClient) -> None:
    today = get(client, "today")
    assert today["seen"] == 14
    assert (today["decided"], today["stale"], today["characters"]) == (0, 0, 2)
    assert today["sure"] == {"faces": 8, "groups": 2, "minutes": 1}
    assert today["doubtful"]["faces"] == 2
    assert today["unknown"] == {"faces": 3, "groups": 1, "minutes": 1}
    assert today["alone"] == 1


def test_sure_faces_come_by_name_and_in_screens(client: TestClient) -> None:
    assert get(client, "names") == [{"name": "Asuka", "faces": 4}, {"name": "Rei", "faces": 4}]
    whole = get(client, "faces", name="Rei")
    assert (whole["name"], whole["total"], whole["after"]) == ("Rei", 4, None)
    assert all(one["character"] == "Rei" and one["version"] == 0 for one in whole["faces"])
    assert len(whole["references"]) == 2
    first = get(client, "faces", name="Rei", limit=3)
    second = get(client, "faces", name="Rei", limit=3, after=first["after"])
    assert first["faces"] + second["faces"] == whole["faces"]
    answer = client.get("/api/v1/faces", params={"name": "Rei", "after": "nowhere"})
    assert answer.status_code == 409


def test_doubtful_faces_are_rows_with_references_and_alternatives(client: TestClient) -> None:
    (row,) = get(client, "doubtful")["rows"]
    assert (row["name"], row["alternatives"], len(row["faces"])) == ("Asuka", ["Rei"], 2)
    assert client.get(f"/api/v1/references/{row['references'][0]}.webp").status_code == 200


def test_clusters_come_largest_first_and_lone_faces_last(client: TestClient) -> None:
    first, last = get(client, "clusters")["clusters"]
    assert (first["total"], len(first["faces"])) == (3, 3)
    assert (last["number"], last["total"]) == (None, 1)


def test_a_picture_has_the_boxes_of_all_its_faces(client: TestClient) -> None:
    asuka = get(client, "faces", name="Asuka")["faces"]
    both = next(one for one in asuka if one["picture"] == "both.png")
    picture = get(client, f"pictures/{both['id']}")
    assert [one["character"] for one in picture["faces"]] == ["Asuka", "Rei"]
    assert (picture["width"], picture["height"], picture["has_image"]) == (160, 120, True)
    answer = client.get(f"/api/v1/pictures/{both['id']}.webp")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("WEBP", (160, 120))


def test_a_picture_that_is_gone_is_told(client: TestClient, tmp_path: Path) -> None:
    face = get(client, "faces", name="Rei")["faces"][0]
    for one in (tmp_path / "new").iterdir():
        one.unlink()
    assert get(client, f"pictures/{face['id']}")["has_image"] is False
    assert client.get(f"/api/v1/pictures/{face['id']}.webp").status_code == 404
    assert client.get(f"/api/v1/crops/{face['id']}.webp").status_code == 200


@pytest.mark.parametrize(("large", "side"), [("false", 96), ("true", 150)])
def test_crops_are_small_and_kept_for_ever(client: TestClient, large: str, side: int) -> None:
    answer = client.get(f"/api/v1/crops/1.webp?large={large}")
    assert "immutable" in answer.headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("WEBP", (side, side))


def test_confirming_is_one_step_that_all_views_see(client: TestClient, shown: Engine) -> None:
    faces = get(client, "faces", name="Rei")["faces"]
    done = post(client, "decisions", action="confirm", name="Rei", faces=given(faces))
    assert done["step"]["title"] == "confirmed 4 as Rei"
    assert {one["id"] for one in done["faces"]} == {one["id"] for one in faces}
    assert all(one["decided"] == "confirmed" and one["version"] > 0 for one in done["faces"])
    assert [one["name"] for one in get(client, "names")] == ["Asuka"]
    assert get(client, "today")["decided"] == 4
    assert [one["title"] for one in get(client, "history")["steps"]] == ["confirmed 4 as Rei"]
    assert shown.store.decisions.steps()[0].faces == 4


def test_undo_restores_and_tells_what_changed(client: TestClient) -> None:
    faces = get(client, "faces", name="Rei")["faces"]
    post(client, "decisions", action="ignore", faces=given(faces[:1]))
    done = post(client, "undo", faces=[faces[0]["id"]])
    assert [(one["id"], one["version"]) for one in done["faces"]] == [(faces[0]["id"], 0)]
    assert get(client, "faces", name="Rei")["faces"] == faces
    assert post(client, "undo", 409)["detail"].endswith(".")


def test_the_later_of_two_is_told_and_the_rest_is_done(client: TestClient) -> None:
    faces = get(client, "faces", name="Rei")["faces"]
    post(client, "decisions", action="no_face", faces=given(faces[:1]))
    done = post(client, "decisions", action="confirm", name="Rei", faces=given(faces))
    assert done["step"]["faces"] == 3
    assert [(one["id"], one["decided"]) for one in done["stale"]] == [(faces[0]["id"], "no_face")]
    again = post(client, "decisions", action="confirm", name="Rei", faces=given(faces))
    assert again["step"] is None
    assert len(again["stale"]) == 4


def test_what_another_program_decides_is_seen(client: TestClient, shown: Engine) -> None:
    faces = get(client, "faces", name="Rei")["faces"]
    result_of(decide.confirm(shown, [SeenFace(faces[0]["id"])], "Asuka"))
    assert len(get(client, "faces", name="Rei")["faces"]) == 3
    done = post(client, "decisions", action="confirm", name="Rei", faces=given(faces[:1]))
    assert [one["character"] for one in done["stale"]] == ["Asuka"]


def test_what_is_decided_between_the_look_and_the_writing_is_told(
    client: TestClient, shown: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = get(client, "faces", name="Rei")["faces"]
    looks = meant.faces_meant

    def slowly(*args: Any) -> Any:
        monkeypatch.setattr(decide, "faces_meant", looks)
        found = yield from looks(*args)
        result_of(decide.confirm(shown, [SeenFace(faces[0]["id"])], "Asuka"))
        return found

    monkeypatch.setattr(decide, "faces_meant", slowly)
    done = post(client, "decisions", action="confirm", name="Rei", faces=given(faces))
    assert [one["character"] for one in done["stale"]] == ["Asuka"]
    assert {one["id"] for one in done["faces"]} == {one["id"] for one in faces[1:]}
    assert done["step"]["title"] == "confirmed 3 as Rei"


def test_of_two_programs_that_decide_of_one_face_one_is_told(
    gallery: Engine, database: Path, tmp_path: Path
) -> None:
    desk = desk_of(reviewed(gallery, tmp_path, sure=20))
    faces = [one.id for name in COLOURS for one in desk.sure(name, None, 500).faces]
    spawning = multiprocessing.get_context("spawn")
    told, begin = spawning.Queue(), spawning.Barrier(2)
    programs = [
        spawning.Process(target=decide_of_all, args=(str(database), name, faces, begin, told))
        for name in COLOURS
    ]
    for one in programs:
        one.start()
    done = dict(told.get(timeout=120) for _ in programs)
    for one in programs:
        one.join(timeout=60)
        assert one.exitcode == 0
    # Each face was decided of once, and whoever came later was told.
    log = gallery.store.decisions.log()
    assert len({one.face for one in log}) == len(log) == len(faces) == 40
    assert set(done["Rei"]) | set(done["Asuka"]) == set(faces)
    assert set(done["Rei"]).isdisjoint(done["Asuka"])
    now = gallery.store.answers.of_faces(gallery.encoder, faces)
    assert all(now[face].character == name for name, own in done.items() for face in own)


def decide_of_all(database: str, name: str, faces: list[int], begin: Any, told: Any) -> None:
    """Confirm faces as somebody, each as it was before anybody did, and tell which it could."""
    with fake_gallery(database) as opened:
        desk = Desk(opened)
        begin.wait(timeout=60)
        mine = []
        for face in faces:
            wanted = [FaceGiven(id=face, version=0)]
            done = desk.decide(DecisionGiven(action="confirm", faces=wanted, name=name))
            assert (done.step is None) == bool(done.stale)
            mine += [face] if done.step else []
        told.put((name, mine))


def test_a_rejected_name_is_not_said_again(client: TestClient) -> None:
    face = get(client, "faces", name="Rei")["faces"][0]
    done = post(client, "decisions", action="reject", name="Rei", faces=given([face]))
    (now,) = done["faces"]
    assert (now["decided"], now["not_these"], now["character"]) == ("not_this", ["Rei"], None)
    assert "Rei" not in now["alternatives"]


def test_somebody_new_can_be_named(client: TestClient) -> None:
    cluster = get(client, "clusters")["clusters"][0]
    faces = given(cluster["faces"])
    post(client, "decisions", 404, action="confirm", name="Midori", faces=faces)
    done = post(client, "decisions", action="confirm", name="Midori", new=True, faces=faces)
    assert done["step"]["title"] == "confirmed 3 as Midori"
    names = [one["name"] for one in get(client, "characters")["characters"]]
    assert names == ["Asuka", "Midori", "Rei"]
    assert [one["number"] for one in get(client, "clusters")["clusters"]] == [None]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "confirm", "faces": [{"id": 1, "version": 0}]},
        {"action": "ignore", "name": "Rei", "faces": [{"id": 1, "version": 0}]},
        {"action": "reject", "name": "Rei", "new": True, "faces": [{"id": 1, "version": 0}]},
    ],
)
def test_a_name_is_given_where_one_is_wanted(client: TestClient, body: dict[str, Any]) -> None:
    assert post(client, "decisions", 409, **body)["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "forget", "faces": [{"id": 1, "version": 0}]},
        {"action": "ignore", "faces": []},
        {"action": "ignore", "faces": [{"id": 0, "version": 0}]},
        {"action": "ignore", "faces": [{"id": 1}]},
        {"action": "ignore", "faces": [{"id": 1, "version": 0}], "more": 1},
        {"action": "confirm", "name": "R" * 301, "faces": [{"id": 1, "version": 0}]},
    ],
)
def test_what_has_no_meaning_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    post(client, "decisions", 422, **body)


@pytest.mark.parametrize(
    "what", ["pictures/999", "pictures/999.webp", "crops/999.webp", "references/999.webp"]
)
def test_faces_that_are_not_there_are_told(client: TestClient, what: str) -> None:
    answer = client.get(f"/api/v1/{what}")
    assert (answer.status_code, answer.json()["detail"][-1]) == (404, ".")


def test_a_decision_of_a_face_that_is_not_there_decides_nothing(client: TestClient) -> None:
    faces = [{"id": 1, "version": 0}, {"id": 999, "version": 0}]
    post(client, "decisions", 404, action="ignore", faces=faces)
    assert get(client, "history")["steps"] == []


def test_the_interface_describes_itself(client: TestClient) -> None:
    told = get(client, "openapi.json")
    assert {path.removeprefix("/api/v1/") for path in told["paths"]} == {
        "today", "names", "faces", "doubtful", "clusters", "pictures/{face}", "history",
        "characters", "crops/{face}.webp", "references/{sample}.webp", "pictures/{face}.webp",
        "decisions", "undo", "news", "identify", "search", "faces/{face}/like",
        "heads", "heads/erase", "samples", "references",
    }  # fmt: skip


def test_an_empty_gallery_has_nothing_left(gallery: Engine) -> None:
    client = client_of(gallery)
    today = get(client, "today")
    assert (today["seen"], today["characters"], today["alone"]) == (0, 0, 0)
    assert get(client, "doubtful")["rows"] == get(client, "clusters")["clusters"] == []
