"""Every route says what it is to say; what is decided by one is seen by the others."""

from __future__ import annotations

import io
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import pytest
from fakes import Square, fake_gallery, write_picture
from labelled import identify_files
from PIL import Image
from reviewed import (
    COLOURS,
    GREEN,
    PINK,
    client_of,
    desk_of,
    filmed,
    get,
    given,
    like,
    post,
    reviewed,
    two_of_one,
)
from rewritten import write_into
from starlette.testclient import TestClient

from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.jobs import decide, meant
from gallery.jobs.adopt import adopt_faces
from gallery.jobs.answers import renew
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.meant import SeenFace
from gallery.store.sightings import Sighting
from gallery.store.steps import Action
from gallery.web import words
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
    by_number = {one["id"]: one for one in whole["faces"]}
    parts = [*first["faces"], *second["faces"]]
    assert {one["id"]: one for one in parts} == by_number
    # A rest that is worth no screen of its own comes with the last one.
    assert get(client, "faces", name="Rei", limit=3, rest=1) == whole
    assert len(get(client, "faces", name="Rei", limit=2, rest=1)["faces"]) == 2
    odd = [one["odd"] for one in whole["faces"]]
    assert odd == sorted(odd, reverse=True)
    answer = client.get("/api/v1/faces", params={"name": "Rei", "after": "nowhere"})
    assert answer.status_code == 409


def test_enrolled_faces_need_no_decision(shown: Engine, tmp_path: Path) -> None:
    # The references are labelled, too, one of them as a copy that another program wrote into.
    copy = tmp_path / "new" / "copy.png"
    shutil.copy(tmp_path / "in" / "Asuka" / "0.png", copy)
    write_into(copy)
    list(identify_files(shown, [*sorted((tmp_path / "in").rglob("*.png")), copy], keep=True))
    client = client_of(shown)
    assert get(client, "today")["seen"] == 19
    assert get(client, "today")["sure"] == {"faces": 8, "groups": 2, "minutes": 1}
    assert get(client, "names") == [{"name": "Asuka", "faces": 4}, {"name": "Rei", "faces": 4}]
    rei = get(client, "faces", name="Rei", limit=3)
    more = get(client, "faces", name="Rei", limit=3, after=rei["after"])
    assert (rei["total"], len(rei["faces"]), len(more["faces"]), more["after"]) == (4, 3, 1, None)
    since = rei["revision"]
    result_of(adopt_faces(shown, [SeenFace(rei["faces"][0]["id"])], "Rei"))
    result_of(renew(shown))
    assert get(client, "faces", name="Rei")["total"] == 3
    assert get(client, "news", name="Rei", since=since)["more"] == 0
    result_of(decide.set_aside(shown, [SeenFace(rei["faces"][1]["id"])], Action.IGNORE))
    assert get(client, "names") == [{"name": "Asuka", "faces": 4}, {"name": "Rei", "faces": 2}]


def test_doubtful_faces_are_rows_with_references_and_alternatives(client: TestClient) -> None:
    (row,) = get(client, "doubtful")["rows"]
    assert (row["name"], row["alternatives"], len(row["faces"])) == ("Asuka", ["Rei"], 2)
    assert client.get(f"/api/v1/references/{row['references'][0]}.jpg").status_code == 200


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
    answer = client.get(f"/api/v1/pictures/{both['id']}.jpg")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("JPEG", (160, 120))


def test_a_picture_that_is_gone_is_told(client: TestClient, tmp_path: Path) -> None:
    face = get(client, "faces", name="Rei")["faces"][0]
    for one in (tmp_path / "new").iterdir():
        one.unlink()
    assert get(client, f"pictures/{face['id']}")["has_image"] is False
    assert client.get(f"/api/v1/pictures/{face['id']}.jpg").status_code == 404
    assert client.get(f"/api/v1/crops/{face['id']}.jpg").status_code == 200


@pytest.mark.parametrize(("large", "side"), [("false", 96), ("true", 150)])
def test_crops_are_small_and_kept_for_ever(client: TestClient, large: str, side: int) -> None:
    answer = client.get(f"/api/v1/crops/1.jpg?large={large}")
    assert "immutable" in answer.headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("JPEG", (side, side))


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
    looks = meant.places_meant

    def slowly(*args: Any) -> Any:
        monkeypatch.setattr(decide, "places_meant", looks)
        found = yield from looks(*args)
        result_of(decide.confirm(shown, [SeenFace(faces[0]["id"])], "Asuka"))
        return found

    monkeypatch.setattr(decide, "places_meant", slowly)
    done = post(client, "decisions", action="confirm", name="Rei", faces=given(faces))
    assert [one["character"] for one in done["stale"]] == ["Asuka"]
    assert {one["id"] for one in done["faces"]} == {one["id"] for one in faces[1:]}
    assert done["step"]["title"] == "confirmed 3 as Rei"


@pytest.mark.slow
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
    "what", ["pictures/999", "pictures/999.jpg", "crops/999.jpg", "references/999.jpg"]
)
def test_faces_that_are_not_there_are_told(client: TestClient, what: str) -> None:
    answer = client.get(f"/api/v1/{what}")
    assert (answer.status_code, answer.json()["detail"][-1]) == (404, ".")


def test_a_decision_of_a_face_that_is_not_there_decides_nothing(client: TestClient) -> None:
    faces = [{"id": 1, "version": 0}, {"id": 999, "version": 0}]
    post(client, "decisions", 404, action="ignore", faces=faces)
    assert get(client, "history")["steps"] == []


def group_of(cluster: Any) -> dict[str, Any]:
    return {"number": cluster["number"], "faces": [one["id"] for one in cluster["faces"]]}


def test_groups_are_joined_and_split_in_steps_that_undo_takes(
    client: TestClient, shown: Engine
) -> None:
    first, lone = get(client, "clusters")["clusters"]
    faces = group_of(first)["faces"]
    done = post(client, "groups/split", group=group_of(first), faces=faces[:1])
    assert (done["faces"], done["step"]["title"]) == (1, "split 1 off into a group of their own")
    groups = get(client, "clusters")["clusters"]
    assert [(one["number"], one["total"]) for one in groups] == [
        (first["number"], 2), (done["number"], 1), (None, 1),
    ]  # fmt: skip
    joined = post(client, "groups/join", groups=[group_of(one) for one in groups[1::-1]])
    assert (joined["number"], joined["faces"]) == (done["number"], 3)
    assert [one["title"] for one in get(client, "history")["steps"]] == [
        "joined 2 to another group", "split 1 off into a group of their own",
    ]  # fmt: skip
    for _ in range(2):
        post(client, "undo")
    assert get(client, "clusters")["clusters"] == [first, lone]


def test_the_later_of_two_who_group_is_told(client: TestClient) -> None:
    first, _ = get(client, "clusters")["clusters"]
    group, faces = group_of(first), group_of(first)["faces"]
    done = post(client, "groups/split", group=group, faces=faces[:1])
    again = post(client, "groups/split", 409, group=group, faces=faces[:1])
    assert "grouped faces otherwise meanwhile" in again["detail"]
    other = {"number": done["number"], "faces": faces[1:]}
    for what in ("groups/join", "groups/apart"):
        post(client, what, 409, groups=[group, other])
    post(client, "groups/join", 409, groups=[{"number": 99, "faces": [1]}, group])
    assert len(get(client, "history")["steps"]) == 1


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("groups/join", {"groups": [{"number": 1, "faces": [1]}]}),
        ("groups/join", {"groups": [{"number": 0, "faces": [1]}, {"number": 1, "faces": [2]}]}),
        ("groups/split", {"group": {"number": 1, "faces": []}, "faces": [1]}),
        ("groups/split", {"group": {"number": 1, "faces": [1]}, "faces": []}),
        ("groups/apart", {"groups": [{"number": 1, "faces": [1]}]}),
        ("audit/fix", {"number": 1}),
        ("audit", {"more": 1}),
    ],
)
def test_groups_and_audits_without_a_meaning_are_refused(
    client: TestClient, what: str, body: dict[str, Any]
) -> None:
    post(client, what, 422, **body)


def test_pairs_are_likeliest_first_and_never_asked_again(shown: Engine) -> None:
    with shown.store.writing() as writer:
        writer.sightings.group({one.id: 9 for one in lone(shown)})
    one, other = two_of_one(shown, 1)
    client = client_of(shown)
    (pair,) = get(client, "pairs")["pairs"]
    assert {pair["one"]["number"], pair["other"]["number"]} == {one, other}
    assert pair["words"] == "almost certain"
    assert {pair["one"]["total"], pair["other"]["total"]} == {1, 2}
    step = post(client, "groups/apart", groups=[group_of(pair["one"]), group_of(pair["other"])])
    assert step["title"] == "said that two groups are not the same"
    assert get(client, "pairs")["pairs"] == []
    post(client, "undo")
    assert len(get(client, "pairs")["pairs"]) == 1
    post(client, "groups/join", groups=[group_of(pair["one"]), group_of(pair["other"])])
    assert get(client, "pairs")["pairs"] == []


def lone(gallery: Engine) -> list[Sighting]:
    """The unknown face that is in no group."""
    return [one for one in gallery.store.sightings.all() if one.path.name == "pink.png"]


def test_a_group_may_be_a_character(shown: Engine) -> None:
    like(shown, 1, "Rei")
    client = client_of(shown)
    (pair,) = get(client, "pairs")["pairs"]
    assert (pair["other"]["name"], pair["other"]["total"]) == ("Rei", 2)
    assert len(pair["other"]["references"]) == 2
    faces = given(pair["one"]["faces"])
    post(client, "decisions", action="reject", name="Rei", faces=faces[:1])
    assert get(client, "pairs")["pairs"] == []


def test_a_video_is_a_time_line_with_a_lane_for_each_character(
    shown: Engine, tmp_path: Path
) -> None:
    asuka, rei = COLOURS.values()
    digest = filmed(shown, tmp_path, [(asuka, rei, GREEN), (asuka, PINK)])
    client = client_of(shown)
    (one,) = get(client, "episodes")
    assert (one["digest"], one["name"], one["tracks"]) == (digest, "episode 1.mkv", 5)
    assert (one["sure"], one["doubtful"], one["unknown"], one["decided"]) == (3, 0, 2, 0)
    line = get(client, f"episodes/{digest}")
    assert [(lane["title"], lane["name"]) for lane in line["lanes"]] == [
        ("Asuka", "Asuka"), ("Rei", "Rei"), ("Nobody known", None),
    ]  # fmt: skip
    times = [(track["start"], track["end"], track["best"]) for track in line["lanes"][0]["tracks"]]
    assert times == [(0.0, 4.0, 1.0), (10.0, 14.0, 11.0)]
    assert (line["start"], line["end"], line["cuts"], line["after"]) == (0.0, 19.9, [10.0], None)
    track = line["lanes"][0]["tracks"][0]
    post(client, "decisions", action="confirm", name="Asuka", faces=given([track]))
    post(client, "decisions", action="ignore", faces=given(line["lanes"][2]["tracks"]))
    (one,) = get(client, "episodes")
    assert (one["sure"], one["unknown"], one["decided"]) == (2, 0, 3)
    assert get(client, f"episodes/{digest}")["lanes"][-1]["title"] == "Set aside"


def test_a_long_video_comes_in_stretches(shown: Engine, tmp_path: Path) -> None:
    digest = filmed(shown, tmp_path, [(GREEN, PINK), (GREEN, GREEN)])
    client = client_of(shown)
    first = get(client, f"episodes/{digest}", limit=3)
    second = get(client, f"episodes/{digest}", limit=3, after=first["after"])
    assert (first["start"], first["end"]) == (0.0, 14.0)
    assert (second["start"], second["end"], second["after"]) == (12.0, 19.9, None)
    seen = [
        track["id"]
        for line in (first, second)
        for lane in line["lanes"]
        for track in lane["tracks"]
    ]
    assert len(set(seen)) == len(seen) == 4
    assert client.get(f"/api/v1/episodes/{'0' * 64}").status_code == 404
    assert client.get("/api/v1/episodes/nothing").status_code == 422


@pytest.fixture
def mistaken(shown: Engine, tmp_path: Path) -> Engine:
    """Samples enough for an audit; one of Rei's is enrolled as Asuka."""
    for name, colour in COLOURS.items():
        for number in range(4):
            where = tmp_path / "in" / name / f"more-{number}.png"
            write_picture(where, Square(10, 20, 50 + 4 * number, colour), seed=300 + number)
    write_picture(
        tmp_path / "in" / "Asuka" / "wrong.png", Square(12, 22, 58, COLOURS["Rei"]), seed=9
    )
    candidates, _ = candidates_in(tmp_path / "in")
    list(enroll_candidates(shown, candidates))
    return shown


def wrong(client: TestClient) -> tuple[str, Any]:
    found = post(client, "audit")
    (one,) = (one for one in found["proposals"] if one["kind"] == "misplaced")
    return found["audit"], one


def test_an_audit_is_run_on_demand_and_its_move_can_be_taken_back(mistaken: Engine) -> None:
    client = client_of(mistaken)
    assert get(client, "audit") == {
        "audit": None, "made_at": None, "is_stale": False, "total": 0, "proposals": [],
    }  # fmt: skip
    audit, one = wrong(client)
    assert (one["fix"], one["can_be_undone"], one["is_doubted"]) == ("Move to Rei", True, True)
    assert client.get(f"/api/v1/references/{one['samples'][0]}.jpg").status_code == 200
    which = {"audit": audit, "number": one["number"]}
    assert post(client, "audit/fix", **which)["status"] == "done"
    assert len(mistaken.samples("Rei")) == 7
    post(client, "audit/fix", 409, **which)
    assert post(client, "audit/back", **which)["status"] == "open"
    assert len(mistaken.samples("Rei")) == 6
    found = get(client, "audit")
    assert (found["audit"], found["is_stale"]) == (audit, False)
    mistaken.move([one["samples"][0]], "Rei")
    assert get(client, "audit")["is_stale"] is True
    assert "moved or forgotten" in post(client, "audit/fix", 409, **which)["detail"]
    post(client, "audit/fix", 409, audit="another", number=0)
    post(client, "audit/fix", 409, audit=audit, number=10_000)


def test_what_is_right_is_not_proposed_again(mistaken: Engine) -> None:
    client = client_of(mistaken)
    audit, one = wrong(client)
    step = post(client, "audit/right", audit=audit, number=one["number"])
    assert step["title"] == "confirmed 1 as Asuka"
    kinds = {one["kind"] for one in post(client, "audit")["proposals"]}
    assert "misplaced" not in kinds
    post(client, "undo", step=step["id"])
    assert wrong(client)[1]["reason"] == one["reason"]


def test_samples_that_are_nearly_the_same_are_forgotten(mistaken: Engine) -> None:
    client = client_of(mistaken)
    found = post(client, "audit")
    one = next(one for one in found["proposals"] if one["kind"] == "duplicates")
    which = {"audit": found["audit"], "number": one["number"]}
    assert one["fix"].startswith("Forget")
    assert (one["can_be_undone"], one["is_doubted"]) == (False, True)
    before = {sample.id for name in COLOURS for sample in mistaken.samples(name)}
    post(client, "audit/fix", **which)
    after = {sample.id for name in COLOURS for sample in mistaken.samples(name)}
    assert set(one["samples"]) <= before - after
    post(client, "audit/back", 409, **which)


def test_the_interface_describes_itself(client: TestClient) -> None:
    told = get(client, "openapi.json")
    assert {path.removeprefix("/api/v1/") for path in told["paths"]} == {
        "today", "names", "faces", "doubtful", "near", "clusters", "pictures/{face}", "history",
        "characters", "crops/{face}.jpg", "references/{sample}.jpg", "pictures/{face}.jpg",
        "decisions", "undo", "news", "identify", "search", "faces/{face}/like",
        "heads", "heads/erase", "samples", "references",
        "groups/join", "groups/split", "groups/apart", "pairs", "episodes",
        "episodes/{digest}", "audit", "audit/fix", "audit/back", "audit/right",
    }  # fmt: skip


def test_unknown_faces_stand_beside_the_nearest_character(client: TestClient) -> None:
    whole = get(client, "near")
    faces = [face for row in whole["rows"] for face in row["faces"]]
    assert (len(faces), whole["after"]) == (4, None)
    for row in whole["rows"]:
        assert all(face["alternatives"][0] == row["name"] for face in row["faces"])
        assert (row["total"], len(row["references"])) == (len(row["faces"]), 2)
    first = get(client, "near", limit=3)
    second = get(client, "near", limit=3, after=first["after"])
    parts = [face for one in (first, second) for row in one["rows"] for face in row["faces"]]
    assert sorted(one["id"] for one in parts) == sorted(one["id"] for one in faces)
    likelihoods = [one["likelihood"] or 0.0 for one in parts]
    assert min(likelihoods[:3]) >= likelihoods[3]
    assert client.get("/api/v1/near?after=nowhere").status_code == 409


def test_an_empty_gallery_has_nothing_left(gallery: Engine) -> None:
    client = client_of(gallery)
    today = get(client, "today")
    assert (today["seen"], today["characters"], today["alone"]) == (0, 0, 0)
    assert get(client, "doubtful")["rows"] == get(client, "clusters")["clusters"] == []
    assert get(client, "near") == {"rows": [], "after": None}


@pytest.mark.parametrize(
    ("faces", "screens"), [(0, 0), (1, 1), (100, 1), (125, 1), (126, 2), (225, 2), (226, 3)]
)
def test_few_faces_more_want_no_screen_of_their_own(faces: int, screens: int) -> None:
    assert words.screens(faces) == screens
