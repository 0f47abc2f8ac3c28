"""Named faces go to Immich and PhotoPrism once, and what others did there stays."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import call
from fakes import Square, fake_gallery, write_picture
from immich_stand import ImmichStand
from labelled import identify_files
from photoprism_stand import PhotoPrismStand
from speaking import KEY, Reply, listening

from gallery.engine.engine import Engine
from gallery.errors import ServiceFailed, ServiceRefused
from gallery.events import Refused, result_of
from gallery.jobs import decide
from gallery.jobs.meant import SeenFace
from gallery.jobs.send_faces import FaceAction, FaceChoices, FacePlan, plan_faces, send_faces
from gallery.services import immich as immich_part
from gallery.services.client import Client, address_of
from gallery.services.faces import FaceProgram
from gallery.services.immich import KEY_HEADER, Immich
from gallery.services.photoprism import PhotoPrism
from gallery.store.sent import SentState
from gallery.store.steps import Action

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)
Stand = ImmichStand | PhotoPrismStand

REI, ASUKA = (10, 20, 60, 70), (90, 20, 140, 70)
"""Where the picture of both shows them: left, top, right, bottom."""


@pytest.fixture(params=["immich", "photoprism"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    speaker: Stand = ImmichStand() if request.param == "immich" else PhotoPrismStand()
    with listening(speaker):
        yield speaker


def opened(stand: Stand, key: str = KEY) -> FaceProgram:
    address = address_of(stand.url)
    if isinstance(stand, ImmichStand):
        return Immich(Client("Immich", address, {KEY_HEADER: key}))
    return PhotoPrism(Client("PhotoPrism", address, {"Authorization": f"Bearer {key}"}))


@pytest.fixture
def both(filled: Engine, stand: Stand, tmp_path: Path) -> str:
    """A labelled picture of Rei and Asuka that the program holds: what it knows that by."""
    squares = Square(10, 20, 50, BLUE), Square(90, 20, 50, RED)
    path = write_picture(tmp_path / "both.png", *squares)
    list(identify_files(filled, [path], keep=True))
    return stand.hold(path.read_bytes())


def planned(gallery: Engine, stand: Stand, **choices: Any) -> FacePlan:
    return result_of(plan_faces(gallery, opened(stand), FaceChoices(**choices)))


def sent(gallery: Engine, stand: Stand, **choices: Any) -> FacePlan:
    plan = planned(gallery, stand, **choices)
    assert result_of(send_faces(gallery, opened(stand), plan)) == len(plan.changes)
    return plan


def actions(plan: FacePlan) -> list[tuple[FaceAction, str]]:
    return [(change.action, change.name) for one in plan.changes for change in one.changes]


def rei_of(gallery: Engine) -> SeenFace:
    seen = sorted(gallery.store.sightings.all(), key=lambda one: one.face.box.left)
    return SeenFace(seen[0].id)


class TestBoth:
    def test_faces_are_added_once(self, filled: Engine, stand: Stand, both: str) -> None:
        plan = planned(filled, stand)
        assert sorted(actions(plan)) == [(FaceAction.ADD, "Asuka"), (FaceAction.ADD, "Rei")]
        assert stand.said(both) == {}
        assert not any(line.startswith(("PUT", "DELETE")) for line in stand.lines)
        result_of(send_faces(filled, opened(stand), plan))
        assert stand.said(both) == {REI: "Rei", ASUKA: "Asuka"}
        stand.asked.clear()
        again = sent(filled, stand)
        assert (again.changes, again.there, again.otherwise, again.unheld) == ((), 0, 0, 0)
        assert {one.method for one in stand.asked} == {"GET"}

    def test_a_face_without_a_name_gets_one(self, filled: Engine, stand: Stand, both: str) -> None:
        # From brow to chin, where gallery has the head.
        stand.see(both, (20, 40, 50, 68), None)
        plan = sent(filled, stand)
        assert sorted(actions(plan)) == [(FaceAction.ADD, "Asuka"), (FaceAction.NAME, "Rei")]
        assert stand.said(both) == {(20, 40, 50, 68): "Rei", ASUKA: "Asuka"}

    def test_what_others_named_stays(self, filled: Engine, stand: Stand, both: str) -> None:
        stand.see(both, REI, "Mother")
        stand.see(both, ASUKA, "ASUKA")
        plan = sent(filled, stand)
        assert (plan.changes, plan.there, plan.otherwise) == ((), 1, 1)
        result_of(decide.set_aside(filled, [rei_of(filled)], Action.IGNORE))
        sent(filled, stand)
        assert stand.said(both) == {REI: "Mother", ASUKA: "ASUKA"}

    def test_what_a_person_takes_back_is_withdrawn(
        self, filled: Engine, stand: Stand, both: str
    ) -> None:
        stand.see(both, REI, None)
        sent(filled, stand)
        result_of(decide.reject(filled, [rei_of(filled)], "Rei"))
        assert actions(sent(filled, stand)) == [(FaceAction.TAKE_NAME, "Rei")]
        assert stand.said(both) == {REI: "", ASUKA: "Asuka"}
        assert planned(filled, stand).changes == ()
        decide.undo(filled)
        sent(filled, stand)
        assert stand.said(both) == {REI: "Rei", ASUKA: "Asuka"}

    def test_a_face_that_was_added_goes(self, filled: Engine, stand: Stand, both: str) -> None:
        sent(filled, stand)
        result_of(decide.set_aside(filled, [rei_of(filled)], Action.NO_FACE))
        assert actions(sent(filled, stand)) == [(FaceAction.REMOVE, "Rei")]
        assert stand.said(both) == {ASUKA: "Asuka"}
        decide.undo(filled)
        sent(filled, stand)
        assert stand.said(both) == {REI: "Rei", ASUKA: "Asuka"}

    def test_another_name_takes_the_place(self, filled: Engine, stand: Stand, both: str) -> None:
        sent(filled, stand)
        result_of(decide.confirm(filled, [rei_of(filled)], "Ayanami", new=True))
        assert actions(sent(filled, stand)) == [(FaceAction.NAME, "Ayanami")]
        assert stand.said(both) == {REI: "Ayanami", ASUKA: "Asuka"}

    def test_what_somebody_changed_since_is_theirs(
        self, filled: Engine, stand: Stand, both: str
    ) -> None:
        sent(filled, stand)
        program = opened(stand)
        (picture,) = [one for _, one in program.pictures(sums_of(filled))]
        rei, asuka = sorted(picture.faces, key=lambda one: one.area.x)
        program.give_name(rei.id, "Mother")
        program.remove(asuka.id)
        assert planned(filled, stand).changes == ()
        result_of(decide.reject(filled, [rei_of(filled)], "Rei"))
        assert sent(filled, stand).changes == ()
        assert stand.said(both) == {REI: "Mother"}

    @pytest.mark.parametrize("is_done", [True, False])
    def test_a_job_that_was_cut_off_goes_on(
        self, filled: Engine, stand: Stand, both: str, is_done: bool
    ) -> None:
        plan = planned(filled, stand)
        line = "POST /api/faces" if isinstance(stand, ImmichStand) else "POST /api/v1/markers"
        real = stand.answer

        def answer(asked: Any) -> Reply:
            reply = real(asked) if is_done or asked.line != line else Reply()
            return Reply(500) if asked.line == line else reply

        stand.answer = answer  # type: ignore[method-assign]
        with pytest.raises(ServiceFailed, match="answers 500"):
            result_of(send_faces(filled, opened(stand), plan))
        stand.answer = real  # type: ignore[method-assign]
        states = [one.state for one in filled.store.sent.to(plan.place).values()]
        assert sorted(states) == [SentState.BEGUN, SentState.SENT]
        sent(filled, stand)
        assert stand.said(both) == {REI: "Rei", ASUKA: "Asuka"}
        for face in filled.store.sightings.all():
            result_of(decide.set_aside(filled, [SeenFace(face.id)], Action.IGNORE))
        sent(filled, stand)
        assert stand.said(both) == {}

    def test_a_name_that_was_cut_off_is_given_again(
        self, filled: Engine, stand: Stand, both: str
    ) -> None:
        sent(filled, stand)
        result_of(decide.confirm(filled, [rei_of(filled)], "Ayanami", new=True))
        plan = planned(filled, stand)
        real = stand.answer
        stand.answer = lambda asked: (  # type: ignore[method-assign]
            Reply(500) if asked.method == "PUT" else real(asked)
        )
        with pytest.raises(ServiceFailed):
            result_of(send_faces(filled, opened(stand), plan))
        stand.answer = real  # type: ignore[method-assign]
        assert actions(planned(filled, stand)) == [(FaceAction.NAME, "Ayanami")]
        # And where it is wanted no more, the former name is gallery's, too.
        result_of(decide.set_aside(filled, [rei_of(filled)], Action.IGNORE))
        sent(filled, stand)
        assert stand.said(both) == {ASUKA: "Asuka"}

    def test_files_that_are_gone_or_changed_are_refused(
        self, filled: Engine, stand: Stand, tmp_path: Path
    ) -> None:
        paths = [
            write_picture(tmp_path / f"{name}.png", Square(10, 20, 50, BLUE), seed=seed)
            for seed, name in enumerate(("gone", "changed", "elsewhere", "nobody"))
        ]
        write_picture(paths[3], Square(10, 20, 50, GREEN))
        list(identify_files(filled, paths, keep=True))
        stand.hold(paths[1].read_bytes())
        paths[0].unlink()
        write_picture(paths[1], Square(10, 20, 50, RED))
        events = list(plan_faces(filled, opened(stand), FaceChoices()))
        refused = {one.path.stem: one.reason for one in events if isinstance(one, Refused)}
        assert set(refused) == {"gone", "changed"}
        assert "is gone since it was labelled" in refused["gone"]
        assert "has changed since it was labelled; label it again" in refused["changed"]
        plan: FacePlan = result_of(iter(events))
        assert (plan.changes, plan.unheld) == ((), 1)
        # What was counted once is not read again.
        paths[2].unlink()
        events = list(plan_faces(filled, opened(stand), FaceChoices([paths[2]])))
        assert [one for one in events if isinstance(one, Refused)] == []

    def test_a_wrong_key(self, filled: Engine, stand: Stand, both: str) -> None:
        job = plan_faces(filled, opened(stand, "another"), FaceChoices())
        with pytest.raises(ServiceRefused, match=r"refuses the key \(401 Unauthorized"):
            result_of(job)

    @pytest.mark.parametrize("content", [{"res": "pang"}, {"status": "lost"}, [], None, "pong"])
    def test_another_program(self, filled: Engine, stand: Stand, both: str, content: Any) -> None:
        greeting = "server/ping" if isinstance(stand, ImmichStand) else "v1/status"
        stand.errs[f"GET /api/{greeting}"] = Reply(content=content)
        with pytest.raises(ServiceFailed, match=r"answers a greeting in another way than"):
            planned(filled, stand)

    def test_answers_of_another_shape(self, filled: Engine, stand: Stand, both: str) -> None:
        for content in ({"a": 1}, [1], "x", {"UID": "../x"}, {"results": [{"id": 1}]}):
            for line in (
                "POST /api/assets/bulk-upload-check",
                f"GET /api/v1/files/{sum_at(stand)}",
            ):
                stand.errs[line] = Reply(content=content)
            with pytest.raises(ServiceFailed, match=r"in another way than"):
                planned(filled, stand)


def sums_of(gallery: Engine) -> list[str]:
    paths = {one.path for one in gallery.store.sightings.pictures()}
    return [hashlib.sha1(path.read_bytes()).hexdigest() for path in paths]  # noqa: S324


def sum_at(stand: Stand) -> str:
    return next(iter(stand.assets if isinstance(stand, ImmichStand) else stand.files))


class TestConversations:
    """What is asked, as the programs' own descriptions have it."""

    @pytest.mark.parametrize("stand", ["immich"], indirect=True)
    def test_immich(self, filled: Engine, stand: ImmichStand, both: str) -> None:
        stand.see(both, REI, None)
        sent(filled, stand)
        (digest,) = stand.assets
        listed = ("GET /api/people", {"page": 1, "size": 1000, "withHidden": True}, None)
        faces = ("GET /api/faces", {"id": both}, None)
        names = {name: key for key, name in stand.people.items()}
        asked = [(one.line, dict(one.query), one.body) for one in stand.asked]
        assert asked == [
            ("GET /api/server/ping", {}, None),
            listed,
            ("POST /api/assets/bulk-upload-check", {},
             {"assets": [{"id": digest, "checksum": digest}]}),
            faces,
            listed,
            ("POST /api/people", {}, {"name": "Rei"}),
            (f"PUT /api/faces/{names['Rei']}", {}, {"id": next(iter(stand.faces))}),
            faces,
            ("POST /api/people", {}, {"name": "Asuka"}),
            ("POST /api/faces", {}, {
                "assetId": both, "personId": names["Asuka"], "imageWidth": 160,
                "imageHeight": 120, "x": 90, "y": 20, "width": 50, "height": 50,
            }),
            faces,
        ]  # fmt: skip

    @pytest.mark.parametrize("stand", ["photoprism"], indirect=True)
    def test_photoprism(self, filled: Engine, stand: PhotoPrismStand, both: str) -> None:
        marker = stand.see(both, REI, None)
        sent(filled, stand)
        result_of(decide.confirm(filled, [rei_of(filled)], "Asuka"))
        for face in filled.store.sightings.all():
            result_of(decide.set_aside(filled, [SeenFace(face.id)], Action.NO_FACE))
        sent(filled, stand)
        (digest,) = stand.files
        added = f"ms{1:014}"
        file = (f"GET /api/v1/files/{digest}", None)
        begun = [("GET /api/v1/status", None), (f"GET /api/v1/files/{'0' * 40}", None)]
        assert [(one.line, one.body) for one in stand.asked] == [
            *begun,
            file,
            (f"PUT /api/v1/markers/{marker}", {"Name": "Rei", "SubjSrc": "manual"}),
            ("POST /api/v1/markers", {
                "FileUID": both, "Type": "face", "Src": "manual", "X": 0.5625, "Y": 0.166667,
                "W": 0.3125, "H": 0.416667, "Name": "Asuka", "SubjSrc": "manual",
            }),
            *begun,
            file,
            (f"DELETE /api/v1/markers/{marker}/subject", None),
            (f"DELETE /api/v1/markers/{added}/subject", None),
            (f"PUT /api/v1/markers/{added}", {"Invalid": True}),
        ]  # fmt: skip


class TestImmich:
    @pytest.fixture
    def stand(self) -> Iterator[ImmichStand]:
        speaker = ImmichStand()
        with listening(speaker):
            yield speaker

    def test_people_that_are_there_get_the_faces(
        self, filled: Engine, stand: ImmichStand, both: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(immich_part, "PAGE", 1)
        elsewhere = stand.hold(b"another picture")
        for name in ("Somebody", "ASUKA", "rei"):
            stand.see(elsewhere, REI, name)
        sent(filled, stand)
        assert stand.said(both) == {REI: "rei", ASUKA: "ASUKA"}
        assert len(stand.people) == 3

    def test_what_lies_in_the_trash_is_not_held(
        self, filled: Engine, stand: ImmichStand, both: str
    ) -> None:
        stand.trash.add(both)
        assert planned(filled, stand).unheld == 1

    def test_an_address_may_end_in_api(self, filled: Engine, stand: ImmichStand, both: str) -> None:
        client = Client("Immich", address_of(f"{stand.url}/api/"), {KEY_HEADER: KEY})
        plan = result_of(plan_faces(filled, Immich(client), FaceChoices()))
        assert len(plan.changes) == 1

    def test_a_face_that_does_not_come(self, filled: Engine, stand: ImmichStand, both: str) -> None:
        stand.errs["POST /api/faces"] = Reply(201)
        with pytest.raises(ServiceFailed, match=r"answers a new face in another way than Immich"):
            sent(filled, stand)


class TestCommands:
    @pytest.fixture(autouse=True)
    def _over_fakes(self, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "gallery.engine.assemble.open_gallery", lambda _: fake_gallery(database)
        )

    def test_it_says_what_it_would_send_before_it_does(
        self, filled: Engine, stand: Stand, both: str, tmp_path: Path
    ) -> None:
        key = tmp_path / "key"
        key.write_text(KEY)
        key.chmod(0o600)
        stand.see(both, ASUKA, None)
        name = "immich" if isinstance(stand, ImmichStand) else "photoprism"
        words = ("send", name, "--url", stand.url, "--key-file", key)
        done = call(*words, cwd=tmp_path)
        assert done.code == 0
        first, second, third = done.stderr.splitlines()
        said = rf"1 picture in {name} at {stand.url}: 1 face to add, 1 to name, 0 to withdraw\."
        assert re.fullmatch(said, first, re.IGNORECASE)
        assert second in (
            f"  {tmp_path / 'both.png'}: +Asuka at 90,20,140,70, +Rei at 10,20,60,70",
            f"  {tmp_path / 'both.png'}: +Rei at 10,20,60,70, +Asuka at 90,20,140,70",
        )
        assert third == "Nothing was sent; --yes sends it."
        assert stand.said(both) == {ASUKA: ""}
        done = call(*words, "--yes", "--json", cwd=tmp_path)
        told = json.loads(done.stdout)
        assert {face["action"] for face in told["changes"][0]["faces"]} == {"add", "name"}
        assert told["sent"] is True
        assert stand.said(both) == {REI: "Rei", ASUKA: "Asuka"}
        done = call(*words, "--yes", cwd=tmp_path)
        assert "0 pictures in" in done.stderr
        assert KEY not in done.stderr

    def test_a_key_that_is_echoed_is_not_shown(
        self, stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = "immich" if isinstance(stand, ImmichStand) else "photoprism"
        key = tmp_path / "key"
        key.write_text(KEY)
        key.chmod(0o600)
        stand.errs["*"] = Reply(403, {"message": f"no {KEY}", "error": f"no {KEY}"})
        done = call("send", name, "--url", stand.url, "--key-file", key, cwd=tmp_path)
        assert done.code == 1
        assert "refuses the key (403 Forbidden: no ***)" in done.complaint
