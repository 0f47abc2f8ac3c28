"""Markers of who is on screen go to Stash once, and those of others stay."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import call
from fakes import Square, fake_gallery
from speaking import KEY, Reply, listening
from stash_stand import Marker, StashStand
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import InputError, NothingSeen, ServiceFailed, ServiceRefused
from gallery.events import Refused, result_of
from gallery.faces.video import VideoOptions
from gallery.jobs import decide
from gallery.jobs.answered import Least
from gallery.jobs.label_video import label_video
from gallery.jobs.meant import SeenFace
from gallery.jobs.send_markers import MarkerChoices, MarkerPlan, plan_markers, send_markers
from gallery.services.client import Client, address_of
from gallery.services.stash import KEY_HEADER, Stash, oshash
from gallery.store.sent import SentState
from gallery.store.steps import Action

RED, BLUE = (220, 20, 20), (20, 20, 220)
Said = tuple[float, float, str, list[str]]
ASUKA: Said = (0.0, 1.0, "Asuka", ["Neon Genesis"])
REI: Said = (1.0, 2.0, "Rei", [])


@pytest.fixture
def stand() -> Iterator[StashStand]:
    speaker = StashStand()
    with listening(speaker):
        yield speaker


def opened(stand: StashStand, key: str = KEY) -> Stash:
    return Stash(Client("Stash", address_of(stand.url), {KEY_HEADER: key}))


@pytest.fixture
def episode(filled: Engine, stand: StashStand, tmp_path: Path) -> str:
    """A labelled video that Stash holds, its scene: Asuka for a second, then Rei for one."""
    first = [scene(Square(10, 20, 50, RED))] * 24
    second = [scene(Square(90, 20, 50, BLUE), brightness=-100)] * 24
    path = write_video(tmp_path / "episode.mkv", at_rate([*first, *second]))
    list(label_video(filled, path, VideoOptions(), keep=True))
    with filled.store.writing() as writer:
        writer.belong(["Asuka"], "Neon Genesis")
    return stand.hold(path.read_bytes())


def planned(gallery: Engine, stand: StashStand, **choices: Any) -> MarkerPlan:
    return result_of(plan_markers(gallery, opened(stand), MarkerChoices(**choices)))


def sent(gallery: Engine, stand: StashStand, **choices: Any) -> MarkerPlan:
    plan = planned(gallery, stand, **choices)
    assert result_of(send_markers(gallery, opened(stand), plan)) == len(plan.changes)
    return plan


def said(stand: StashStand, episode: str) -> list[Said]:
    """The markers of the episode, to tenths of seconds."""
    return [
        (round(start, 1), round(end or 0.0, 1), tag, others)
        for start, end, tag, others in stand.said(episode)
    ]


def rei_of(gallery: Engine) -> SeenFace:
    (one,) = [one for one in gallery.store.sightings.all() if one.face.box.left > 80]
    return SeenFace(one.id)


def test_markers_are_set_once(filled: Engine, stand: StashStand, episode: str) -> None:
    plan = planned(filled, stand)
    assert stand.operations == ["query version", "query findSceneByHash"]
    (change,) = plan.changes
    assert [one.name for one in sorted(change.add, key=lambda one: one.start)] == ["Asuka", "Rei"]
    assert stand.said(episode) == []
    result_of(send_markers(filled, opened(stand), plan))
    assert said(stand, episode) == [ASUKA, REI]
    assert sorted(stand.operations[2:]) == [
        *["mutation sceneMarkerCreate"] * 2,
        *["mutation tagCreate"] * 3,
        *["query findTags"] * 3,
    ]
    stand.asked.clear()
    assert sent(filled, stand).changes == ()
    assert stand.operations == ["query version"]


def test_what_a_person_takes_back_is_withdrawn(
    filled: Engine, stand: StashStand, episode: str
) -> None:
    sent(filled, stand)
    result_of(decide.reject(filled, [rei_of(filled)], "Rei"))
    sent(filled, stand)
    assert said(stand, episode) == [ASUKA]
    decide.undo(filled)
    sent(filled, stand)
    assert said(stand, episode) == [ASUKA, REI]
    result_of(decide.confirm(filled, [rei_of(filled)], "Somebody", new=True))
    sent(filled, stand)
    assert [one[2] for one in stand.said(episode)] == ["Asuka", "Somebody"]
    # A narrower choice withdraws nothing.
    only = planned(filled, stand, least=Least(confirmed=True))
    assert (only.changes, only.noted) == ((), ())


def test_what_others_set_or_changed_is_theirs(
    filled: Engine, stand: StashStand, episode: str
) -> None:
    tag = stand.tag("asuka")
    own = stand.mark(Marker(episode, "here she is", 0.4, None, tag))
    plan = sent(filled, stand)
    assert (plan.there, [one.name for one in plan.changes[0].add]) == (1, ["Rei"])
    (rei,) = set(stand.markers) - {own}
    stand.markers[rei].seconds += 0.2
    for face in filled.store.sightings.all():
        result_of(decide.set_aside(filled, [SeenFace(face.id)], Action.IGNORE))
    assert sent(filled, stand).changes == ()
    assert set(stand.markers) == {own, rei}


def test_a_marker_that_somebody_removed_is_not_set_again(
    filled: Engine, stand: StashStand, episode: str
) -> None:
    sent(filled, stand)
    stand.markers.clear()
    assert sent(filled, stand).changes == ()
    result_of(decide.set_aside(filled, [rei_of(filled)], Action.IGNORE))
    assert sent(filled, stand).changes == ()


def test_tags_that_go_by_the_name_are_used(filled: Engine, stand: StashStand, episode: str) -> None:
    stand.tag("Ayanami", "REI")
    # For Stash, an underscore is any letter.
    with filled.store.writing() as writer:
        writer.rename("Asuka", "A_uka")
    stand.tag("Abuka")
    sent(filled, stand)
    assert [one[2] for one in stand.said(episode)] == ["A_uka", "Ayanami"]
    result_of(decide.set_aside(filled, [rei_of(filled)], Action.IGNORE))
    sent(filled, stand)
    assert [one[2] for one in stand.said(episode)] == ["A_uka"]


@pytest.mark.parametrize("is_done", [True, False])
def test_a_job_that_was_cut_off_goes_on(
    filled: Engine, stand: StashStand, episode: str, is_done: bool
) -> None:
    plan = planned(filled, stand)
    real = stand.answer

    def answer(asked: Any) -> Reply:
        is_marker = "sceneMarkerCreate" in asked.body["query"]
        reply = real(asked) if is_done or not is_marker else Reply()
        return Reply(500) if is_marker else reply

    stand.answer = answer  # type: ignore[method-assign]
    with pytest.raises(ServiceFailed, match="answers 500"):
        result_of(send_markers(filled, opened(stand), plan))
    stand.answer = real  # type: ignore[method-assign]
    states = [one.state for one in filled.store.sent.to(plan.place).values()]
    assert sorted(states) == [SentState.BEGUN, SentState.SENT]
    sent(filled, stand)
    assert said(stand, episode) == [ASUKA, REI]
    for face in filled.store.sightings.all():
        result_of(decide.set_aside(filled, [SeenFace(face.id)], Action.IGNORE))
    sent(filled, stand)
    assert stand.said(episode) == []


def test_files_that_are_gone_or_changed(
    filled: Engine, stand: StashStand, episode: str, tmp_path: Path
) -> None:
    path = tmp_path / "episode.mkv"
    content = path.read_bytes()
    path.unlink()
    events = list(plan_markers(filled, opened(stand), MarkerChoices()))
    (refused,) = [one for one in events if isinstance(one, Refused)]
    assert "is gone since it was labelled" in refused.reason
    path.write_bytes(content + b"0")
    events = list(plan_markers(filled, opened(stand), MarkerChoices()))
    (refused,) = [one for one in events if isinstance(one, Refused)]
    assert "has changed since it was labelled" in refused.reason
    with pytest.raises(NothingSeen):
        planned(filled, stand, paths=[tmp_path / "nothing.mkv"])


def test_a_video_that_stash_does_not_have(filled: Engine, stand: StashStand, episode: str) -> None:
    stand.scenes.clear()
    assert planned(filled, stand).unheld == 1


def test_nothing_labelled(gallery: Engine, stand: StashStand) -> None:
    with pytest.raises(InputError):
        planned(gallery, stand)


class TestRefusals:
    def test_a_wrong_key(self, filled: Engine, stand: StashStand, episode: str) -> None:
        with pytest.raises(ServiceRefused, match=r"refuses the key \(401 Unauthorized\)"):
            opened(stand, "another").check()
        stand.wants_key = False
        Stash(Client("Stash", address_of(f"{stand.url}/graphql"), {})).check()

    @pytest.mark.parametrize(
        ("reply", "said"),
        [
            (Reply(200, {"errors": [{"message": "Cannot query\nfield."}], "data": None}),
             "answers: Cannot query field; see that it is of version 0.28 or later"),
            (Reply(422, {"errors": [{"message": "Cannot query"}], "data": None}),
             "answers 422 Unprocessable Entity: Cannot query; run this again"),
            (Reply(422, {"errors": ["what"]}), "answers 422 Unprocessable Entity; run this again"),
            (Reply(200, {"errors": [{"message": "Not authorized"}]}), "refuses the key (Not auth"),
            (Reply(200, {"data": None}), "answers a question in another way than Stash does"),
            (Reply(200, {"data": {}}), "answers its version in another way than Stash does"),
            (Reply(200, {"errors": "all"}), "answers a question in another way than Stash does"),
            (Reply(200, []), "answers a question in another way than Stash does"),
            (Reply(302, headers={"Location": "/login"}), "sends on to another address"),
        ],
    )  # fmt: skip
    def test_what_is_no_answer(
        self, filled: Engine, stand: StashStand, episode: str, reply: Reply, said: str
    ) -> None:
        stand.errs["*"] = reply
        with pytest.raises(ServiceFailed) as caught:
            planned(filled, stand)
        assert str(caught.value).startswith(f"Stash at {stand.url} {said}")

    @pytest.mark.parametrize(
        "content",
        [{"id": 1}, {"id": 1, "scene_markers": [{}]}, {"id": 1, "scene_markers": 3}, "scene"],
    )
    def test_another_scene(
        self, filled: Engine, stand: StashStand, episode: str, content: Any
    ) -> None:
        real = stand.answer
        stand.answer = lambda asked: (  # type: ignore[method-assign]
            Reply(content={"data": {"findSceneByHash": content}})
            if "findSceneByHash" in asked.body["query"]
            else real(asked)
        )
        with pytest.raises(ServiceFailed, match="about a scene in another way than Stash does"):
            planned(filled, stand)


@pytest.mark.parametrize("size", [8, 9, 4096, 1 << 16, (1 << 16) + 5, 300_000])
def test_a_sum_is_of_both_ends(size: int) -> None:
    content = bytes(number * 7 % 256 for number in range(size))
    length = min(size, 65536) // 8 * 8
    both = content[:length] + content[size - length :]
    wanted = (size + sum(struct.unpack(f"<{len(both) // 8}Q", both))) % 2**64
    assert oshash(io.BytesIO(content), size) == f"{wanted:016x}"


def test_too_short_a_file_has_no_sum() -> None:
    with pytest.raises(ValueError, match="7"):
        oshash(io.BytesIO(b"1234567"), 7)


def test_the_command_says_what_it_would_send_before_it_does(
    filled: Engine,
    stand: StashStand,
    episode: str,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gallery.engine.assemble.open_gallery", lambda _: fake_gallery(database))
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    words = ("send", "stash", "--url", stand.url, "--key-file", key)
    done = call(*words, cwd=tmp_path)
    assert done.code == 0
    first, second, third = done.stderr.splitlines()
    assert first == f"1 video in Stash at {stand.url}: 2 markers to add, 0 to withdraw."
    assert second.startswith(f"  {tmp_path / 'episode.mkv'}: +")
    assert "+Asuka at 0:00:00.000" in second
    assert third == "Nothing was sent; --yes sends it."
    assert stand.markers == {}
    done = call(*words, "--yes", "--json", cwd=tmp_path)
    (change,) = json.loads(done.stdout)["changes"]
    assert {tuple(one["tags"]) for one in change["add"]} == {("Asuka", "Neon Genesis"), ("Rei",)}
    assert said(stand, episode) == [ASUKA, REI]
    result_of(decide.set_aside(filled, [rei_of(filled)], Action.IGNORE))
    done = call(*words, "--yes", cwd=tmp_path)
    assert "0 markers to add, 1 to withdraw" in done.stderr
    assert done.stderr.endswith("Sent: 1 video changed.\n")
    assert KEY not in done.stderr
