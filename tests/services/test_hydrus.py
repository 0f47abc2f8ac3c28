"""Tags go to hydrus once, are withdrawn where they stand no more, and files come whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Done, call
from fakes import Square, draw, fake_gallery, write_picture
from hydrus_stand import MY_TAGS, OTHER_TAGS, HydrusStand
from labelled import identify_files
from speaking import KEY, Reply, listening
from videos import at_rate, scene, write_video

from gallery.cli import hydrus as command
from gallery.engine.engine import Engine
from gallery.errors import BadSetting, InputError, ServiceFailed, ServiceRefused
from gallery.events import Refused, result_of
from gallery.faces.video import VideoOptions
from gallery.jobs import decide
from gallery.jobs import send_tags as sending
from gallery.jobs.answered import Least
from gallery.jobs.fetch_files import FetchChoices, Fetched, fetch_files
from gallery.jobs.label_video import label_video
from gallery.jobs.meant import SeenFace
from gallery.jobs.send_tags import TagChoices, TagPlan, plan_tags, send_tags
from gallery.media.images import encode_png
from gallery.services.client import Client, address_of
from gallery.services.hydrus import KEY_HEADER, Hydrus
from gallery.services.known import Status
from gallery.store.sent import SentState
from gallery.store.steps import Action
from gallery.types import Verdict

RED, BLUE, GREEN, PINK = (220, 20, 20), (20, 20, 220), (20, 220, 20), (220, 90, 20)
CHOICES = TagChoices("my tags")


@pytest.fixture
def stand() -> Iterator[HydrusStand]:
    speaker = HydrusStand()
    with listening(speaker):
        yield speaker


@pytest.fixture
def hydrus(stand: HydrusStand) -> Hydrus:
    return opened(stand.url)


def opened(url: str, key: str = KEY) -> Hydrus:
    return Hydrus(Client("hydrus", address_of(url), {KEY_HEADER: key}))


@pytest.fixture
def pictures(filled: Engine, stand: HydrusStand, tmp_path: Path) -> dict[str, str]:
    """Labelled pictures of which hydrus holds all but one: their digests by what they show."""
    shown = {
        "rei": (Square(10, 20, 60, BLUE),),
        "both": (Square(10, 20, 50, BLUE), Square(90, 20, 50, RED)),
        "nobody": (Square(10, 20, 60, GREEN),),
        "elsewhere": (Square(30, 30, 60, RED),),
    }
    paths = {name: write_picture(tmp_path / f"{name}.png", *own) for name, own in shown.items()}
    list(identify_files(filled, list(paths.values()), keep=True))
    with filled.store.writing() as writer:
        writer.belong(["Rei"], "Neon  Genesis")
    for name, path in paths.items():
        if name != "elsewhere":
            stand.hold(path.read_bytes())
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}


def planned(gallery: Engine, hydrus: Hydrus, choices: TagChoices = CHOICES) -> TagPlan:
    return result_of(plan_tags(gallery, hydrus, choices))


def sent(gallery: Engine, hydrus: Hydrus, choices: TagChoices = CHOICES) -> TagPlan:
    plan = planned(gallery, hydrus, choices)
    assert result_of(send_tags(gallery, hydrus, plan)) == len(plan.changes)
    return plan


def face_in(gallery: Engine, name: str, left: int = 0) -> SeenFace:
    """The face of a picture that is farthest to the left, or the one behind it."""
    seen = [one for one in gallery.store.sightings.all() if one.path.stem == name]
    return SeenFace(sorted(seen, key=lambda one: one.face.box.left)[left].id)


REI = {"character:rei", "series:neon genesis"}


class TestSending:
    def test_the_conversation_is_as_its_interface_has_it(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        plan = planned(filled, hydrus)
        assert stand.lines == [
            "GET /verify_access_key",
            "GET /get_services",
            "GET /get_files/file_metadata",
        ]
        said = {one.path.stem: (one.add, one.again, one.remove) for one in plan.changes}
        assert said == {
            "both": (("character:asuka", *sorted(REI)), (), ()),
            "rei": (tuple(sorted(REI)), (), ()),
        }
        assert (plan.added, plan.removed, plan.unheld, plan.there, plan.taken) == (5, 0, 1, 0, 0)
        assert stand.asked[-1].query == {
            "hashes": sorted(pictures[name] for name in ("rei", "both", "elsewhere")),
            "include_services_object": False,
        }
        assert stand.current(pictures["rei"]) == set()
        assert filled.store.sent.to(plan.place) == {}

        result_of(send_tags(filled, hydrus, plan))
        assert stand.sent == [
            {
                "hashes": [pictures[name]],
                "service_keys_to_actions_to_tags": {MY_TAGS: {"0": sorted(tags)}},
                "override_previously_deleted_mappings": False,
                "create_new_deleted_mappings": False,
            }
            for name, tags in (("both", {"character:asuka", *REI}), ("rei", REI))
        ]
        assert stand.current(pictures["both"]) == {"character:asuka", *REI}
        assert stand.current(pictures["nobody"]) == set()

    def test_it_is_sent_once(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        assert len(sent(filled, hydrus).changes) == 2
        stand.asked.clear()
        again = planned(filled, hydrus)
        assert (again.changes, again.unheld) == ((), 1)
        assert stand.asked[-1].query["hashes"] == [pictures["elsewhere"]]

    def test_files_that_get_the_same_are_told_at_once(
        self,
        filled: Engine,
        stand: HydrusStand,
        hydrus: Hydrus,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sending, "AT_ONCE", 2)
        paths = [
            write_picture(tmp_path / f"{seed}.png", Square(10, 20, 60, RED), seed=seed)
            for seed in range(5)
        ]
        list(identify_files(filled, paths, keep=True))
        digests = {stand.hold(path.read_bytes()) for path in paths}
        sent(filled, hydrus)
        told = [body["hashes"] for body in stand.sent]
        assert [len(own) for own in told] == [2, 2, 1]
        assert {digest for own in told for digest in own} == digests

    def test_what_a_person_says_is_not_withdraws_the_tag_that_was_sent(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        sent(filled, hydrus)
        result_of(decide.reject(filled, [face_in(filled, "both")], "Rei"))
        plan = sent(filled, hydrus)
        # The other picture has a face that is nearly the same.
        told = {one.path.stem: (one.tags, set(one.remove)) for one in plan.changes}
        assert told == {"both": ((), REI), "rei": ((), REI)}
        assert stand.current(pictures["both"]) == {"character:asuka"}
        assert stand.current(pictures["rei"]) == set()

        decide.undo(filled)
        plan = sent(filled, hydrus)
        assert [set(one.again) for one in plan.changes] == [REI, REI]
        assert stand.sent[-1]["override_previously_deleted_mappings"] is True
        assert stand.current(pictures["both"]) == {"character:asuka", *REI}

    @pytest.mark.parametrize("action", ["ignore", "no_face", "other"])
    def test_so_does_any_other_decision(
        self,
        filled: Engine,
        stand: HydrusStand,
        hydrus: Hydrus,
        pictures: dict[str, str],
        action: str,
    ) -> None:
        sent(filled, hydrus)
        face = face_in(filled, "rei")
        if action == "other":
            result_of(decide.confirm(filled, [face], "Asuka"))
        else:
            result_of(decide.set_aside(filled, [face], Action(action)))
        sent(filled, hydrus)
        assert stand.current(pictures["rei"]) == (
            {"character:asuka"} if action == "other" else set()
        )

    def test_a_new_name_takes_the_place_of_the_old_one(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        sent(filled, hydrus)
        with filled.store.writing() as writer:
            writer.rename("Rei", "綾波レイ")
        sent(filled, hydrus)
        assert stand.current(pictures["rei"]) == {"character:綾波レイ", "series:neon genesis"}

    def test_what_others_gave_is_theirs(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        stand.current(pictures["rei"]).add("character:rei")
        plan = sent(filled, hydrus)
        assert (plan.added, plan.there) == (4, 1)
        result_of(decide.reject(filled, [face_in(filled, "rei")], "Rei"))
        sent(filled, hydrus)
        assert stand.current(pictures["rei"]) == {"character:rei"}

    def test_what_somebody_took_away_is_not_given_again(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        stand.take(pictures["rei"], "character:rei")
        plan = sent(filled, hydrus)
        assert plan.taken == 1
        stand.take(pictures["both"], "character:asuka")
        plan = sent(filled, hydrus)
        assert plan.changes == ()
        assert stand.current(pictures["rei"]) == {"series:neon genesis"}

    def test_only_confirmed_or_unsure_names(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, tmp_path: Path
    ) -> None:
        paths = [
            write_picture(tmp_path / "sure.png", Square(10, 20, 60, RED)),
            write_picture(tmp_path / "unsure.png", Square(10, 20, 60, PINK)),
        ]
        records = list(identify_files(filled, paths, keep=True))
        assert [one.faces[0].verdict for one in records] == [Verdict.SURE, Verdict.UNSURE]
        for path in paths:
            stand.hold(path.read_bytes())
        only = TagChoices("my tags", least=Least(confirmed=True))
        assert planned(filled, hydrus, only).changes == ()
        every = planned(filled, hydrus, TagChoices("my tags", least=Least(unsure=True)))
        assert [one.tags for one in every.changes] == [
            ("character:asuka",),
            ("character:asuka",),
        ]
        result_of(decide.confirm(filled, [face_in(filled, "sure")], "Asuka"))
        assert [one.path.stem for one in planned(filled, hydrus, only).changes] == ["sure"]
        # A narrower choice withdraws nothing that still stands.
        sent(filled, hydrus, TagChoices("my tags", least=Least(unsure=True)))
        assert planned(filled, hydrus, only).changes == ()

    def test_confirmed_and_unsure_rule_each_other_out(self) -> None:
        with pytest.raises(BadSetting, match="What is unsure was not confirmed"):
            Least(confirmed=True, unsure=True)

    def test_statuses_are_told_and_follow(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        choices = TagChoices("guesses", statuses=(Status.UNKNOWN, Status.CONFIRMED))
        sent(filled, hydrus, choices)
        assert stand.current(pictures["nobody"], OTHER_TAGS) == {"gallery:unknown"}
        assert stand.current(pictures["rei"], OTHER_TAGS) == REI
        result_of(decide.confirm(filled, [face_in(filled, "nobody")], "Asuka"))
        sent(filled, hydrus, choices)
        assert stand.current(pictures["nobody"], OTHER_TAGS) == {
            "gallery:confirmed",
            "character:asuka",
        }
        assert stand.current(pictures["nobody"]) == set()

    def test_videos_are_tagged_by_all_that_they_show(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, tmp_path: Path
    ) -> None:
        first = [scene(Square(10, 20, 50, RED))] * 24
        second = [scene(Square(90, 20, 50, BLUE), brightness=-100)] * 24
        path = write_video(tmp_path / "episode.mkv", at_rate([*first, *second]))
        list(label_video(filled, path, VideoOptions(), keep=True))
        digest = stand.hold(path.read_bytes(), ".mkv")
        sent(filled, hydrus)
        assert stand.current(digest) == {"character:asuka", "character:rei"}

    def test_only_what_lies_below_a_path(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        (path,) = {one.path for one in filled.store.sightings.all() if one.path.stem == "rei"}
        missing = path.with_name("nothing.png")
        events = list(plan_tags(filled, hydrus, TagChoices("my tags", [path, missing])))
        assert [str(one.path) for one in events if isinstance(one, Refused)] == [str(missing)]
        assert [one.path for one in result_of(iter(events)).changes] == [path]
        with pytest.raises(InputError, match="has seen nothing at"):
            planned(filled, hydrus, TagChoices("my tags", [missing]))

    def test_a_job_that_failed_goes_on(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        plan = planned(filled, hydrus)
        job = send_tags(filled, hydrus, plan)
        next(job)
        next(job)
        stand.errs["POST /add_tags/add_tags"] = Reply(500)
        with pytest.raises(ServiceFailed, match="answers 500"):
            next(job)
        states = {one.key.digest: one.state for one in filled.store.sent.to(plan.place).values()}
        assert states == {
            pictures["both"]: SentState.SENT,
            pictures["rei"]: SentState.BEGUN,
        }
        stand.errs.clear()
        assert [one.path.stem for one in sent(filled, hydrus).changes] == ["rei"]
        # Whatever came of the request that failed, the tag is gallery's own.
        result_of(decide.reject(filled, [face_in(filled, "rei")], "Rei"))
        sent(filled, hydrus)
        assert stand.current(pictures["rei"]) == set()

    def test_another_address_is_another_place(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        sent(filled, hydrus)
        other = HydrusStand()
        other.files = stand.files
        with listening(other) as url:
            assert len(planned(filled, opened(url)).changes) == 2


class TestRefusals:
    @pytest.mark.parametrize("key", ["", "wrong"])
    def test_a_wrong_key(self, filled: Engine, stand: HydrusStand, key: str) -> None:
        with pytest.raises(ServiceRefused, match=r"refuses the key .*access key"):
            planned(filled, opened(stand.url, key))

    def test_a_key_that_may_not(self, filled: Engine, stand: HydrusStand, hydrus: Hydrus) -> None:
        stand.permissions = [3]
        with pytest.raises(ServiceRefused, match="a key that does not permit to edit tags; give"):
            planned(filled, hydrus)

    @pytest.mark.parametrize(
        ("service", "said"),
        [
            ("my tag", "Hydrus has no local tag service my tag; there are guesses, my tags"),
            ("my files", "Hydrus has no local tag service my files; there are guesses, my tags"),
            ("public tag repository", "Others share the tag repository public tag repository; g"),
        ],
    )
    def test_another_service(
        self, filled: Engine, stand: HydrusStand, hydrus: Hydrus, service: str, said: str
    ) -> None:
        with pytest.raises(BadSetting, match=said):
            planned(filled, hydrus, TagChoices(service))
        assert "GET /get_files/file_metadata" not in stand.lines

    def test_a_service_by_its_key(
        self, filled: Engine, hydrus: Hydrus, pictures: dict[str, str]
    ) -> None:
        assert planned(filled, hydrus, TagChoices(OTHER_TAGS)).service.name == "guesses"

    @pytest.mark.parametrize(
        ("line", "content"),
        [
            ("GET /verify_access_key", {"hello": "world"}),
            ("GET /verify_access_key", [1, 2]),
            ("GET /verify_access_key", None),
            ("GET /verify_access_key", {"basic_permissions": "all"}),
            ("GET /get_services", {"services": ["my tags"]}),
            ("GET /get_services", {"local_tags": []}),
            ("GET /get_files/file_metadata", {"metadata": 3}),
            ("GET /get_files/file_metadata", {"metadata": [{"file_id": 1}]}),
            ("GET /get_files/file_metadata", {"metadata": ["a"]}),
        ],
    )
    def test_another_program(
        self,
        filled: Engine,
        stand: HydrusStand,
        hydrus: Hydrus,
        pictures: dict[str, str],
        line: str,
        content: Any,
    ) -> None:
        stand.errs[line] = Reply(content=content)
        with pytest.raises(ServiceFailed, match="in another way than hydrus does"):
            planned(filled, hydrus)
        assert stand.sent == []


class TestFetching:
    def fetched(self, hydrus: Hydrus, out: Path, **choices: Any) -> tuple[Fetched, list[str]]:
        tags = choices.pop("tags", ["character:rei"])
        events = list(fetch_files(hydrus, FetchChoices(out, tags, **choices)))
        refused = [one.reason for one in events if isinstance(one, Refused)]
        return result_of(iter(events)), refused

    @pytest.fixture
    def held(self, stand: HydrusStand) -> list[str]:
        pictures = [bytes([seed]) * 500 for seed in range(3)]
        stand.hold(b"PDF", ".pdf", "character:rei")
        stand.hold(pictures[0], ".png", "character:asuka")
        return [stand.hold(one, ".png", "character:rei") for one in pictures[1:]]

    def test_files_come_whole_and_once(
        self, stand: HydrusStand, hydrus: Hydrus, held: list[str], tmp_path: Path
    ) -> None:
        out = tmp_path / "new" / "rei"
        done, refused = self.fetched(hydrus, out)
        assert refused == []
        assert (done.files, done.there, done.passed_over) == (2, 0, {".pdf": 1})
        assert {one.name for one in out.iterdir()} == {f"{digest}.png" for digest in held}
        for digest in held:
            path = out / f"{digest}.png"
            assert path.read_bytes() == stand.files[digest].content
        assert stand.lines == [
            "GET /verify_access_key",
            "GET /get_files/search_files",
            "GET /get_files/file_metadata",
            *["GET /get_files/file"] * 2,
        ]
        assert stand.asked[1].query == {"tags": ["character:rei"]}
        assert stand.asked[2].query == {
            "file_ids": [1, 3, 4],
            "include_services_object": False,
            "only_return_basic_information": True,
        }
        again, _ = self.fetched(hydrus, out)
        assert (again.files, again.there) == (0, 2)
        assert len(stand.asked) == 5 + 3

    def test_a_dry_run_fetches_nothing_and_a_limit_so_many(
        self, stand: HydrusStand, hydrus: Hydrus, held: list[str], tmp_path: Path
    ) -> None:
        done, _ = self.fetched(hydrus, tmp_path / "out", dry_run=True)
        assert (done.files, done.size > 0) == (2, True)
        assert not (tmp_path / "out").exists()
        done, _ = self.fetched(hydrus, tmp_path / "out", most=1)
        assert done.files == 1

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"short", "gives 5 bytes of a file of"),
            (b"x" * 100_000, "answers with more than"),
            (None, "gives another file than it names"),
        ],
    )
    def test_a_file_that_is_another_is_not_kept(
        self,
        stand: HydrusStand,
        hydrus: Hydrus,
        held: list[str],
        tmp_path: Path,
        content: bytes | None,
        said: str,
    ) -> None:
        size = len(stand.files[held[0]].content)
        stand.errs["GET /get_files/file"] = Reply(content=content or b"x" * size)
        done, refused = self.fetched(hydrus, tmp_path / "out")
        assert done.files == 0
        assert [said in one for one in refused] == [True, True]
        assert list((tmp_path / "out").iterdir()) == []
        stand.errs.clear()
        assert self.fetched(hydrus, tmp_path / "out")[0].files == 2

    def test_nothing_more_is_asked_after_three_in_a_row(
        self, stand: HydrusStand, hydrus: Hydrus, tmp_path: Path
    ) -> None:
        for number in range(9):
            stand.hold(bytes([number]), ".png", "character:rei")
        stand.errs["GET /get_files/file"] = Reply(500)
        with pytest.raises(ServiceFailed, match="answers 500"):
            self.fetched(hydrus, tmp_path / "out")
        assert stand.lines.count("GET /get_files/file") == 3
        stand.errs["GET /get_files/file"] = Reply(403)
        with pytest.raises(ServiceRefused):
            self.fetched(hydrus, tmp_path / "out")
        assert stand.lines.count("GET /get_files/file") == 4

    @pytest.mark.parametrize(
        "row",
        [
            {"hash": "../../etc/passwd", "size": 3, "ext": ".png"},
            {"hash": "a" * 64, "size": 3, "ext": ".png/../x"},
            {"hash": "a" * 64, "size": -3, "ext": ".png"},
            {"hash": "a" * 64, "size": 10**20, "ext": ".png"},
            {"hash": None, "size": 3, "ext": ".png"},
        ],
    )
    def test_names_lead_nowhere_else(
        self, stand: HydrusStand, hydrus: Hydrus, held: list[str], tmp_path: Path, row: Any
    ) -> None:
        stand.errs["GET /get_files/file_metadata"] = Reply(
            content={"metadata": [{"file_id": 3, **row}]}
        )
        with pytest.raises(ServiceFailed, match="about files in another way than hydrus does"):
            self.fetched(hydrus, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_folder_that_takes_no_files(
        self, hydrus: Hydrus, held: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "out").write_text("a file")
        with pytest.raises(InputError, match="cannot be written"):
            self.fetched(hydrus, tmp_path / "out")


class TestCommands:
    @pytest.fixture(autouse=True)
    def _over_fakes(self, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "gallery.engine.assemble.open_gallery", lambda _: fake_gallery(database)
        )

    @pytest.fixture
    def key(self, tmp_path: Path) -> Path:
        file = tmp_path / "key"
        file.write_text(KEY)
        file.chmod(0o600)
        return file

    def run(self, cwd: Path, *words: str | Path) -> Done:
        done = call(*words, cwd=cwd)
        assert KEY not in done.stdout + done.stderr
        return done

    def test_it_says_what_it_would_send_before_it_does(
        self,
        stand: HydrusStand,
        pictures: dict[str, str],
        key: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(command, "EXAMPLES", 1)
        words = ("send", "hydrus", "--url", stand.url, "--key-file", key)
        done = self.run(tmp_path, *words)
        assert (done.code, done.stdout) == (0, "")
        assert done.stderr.splitlines() == [
            f"2 files in hydrus at {stand.url}, my tags: 5 tags to give, 0 to withdraw.",
            f"  {tmp_path / 'both.png'}: +character:asuka, +character:rei, +series:neon genesis",
            "  and 1 file more",
            "1 file with something to say not in hydrus.",
            "Nothing was sent; --yes sends it.",
        ]
        assert stand.sent == []
        assert self.run(tmp_path, *words, "--yes").stderr.endswith("Sent: 2 files changed.\n")
        assert len(stand.sent) == 2
        done = self.run(tmp_path, *words, "--yes", "--json")
        assert json.loads(done.stdout) == {
            "program": "hydrus",
            "address": stand.url,
            "service": "my tags",
            "changes": [],
            "not_held": 1,
            "there": 0,
            "taken_away": 0,
            "sent": True,
        }

    def test_files_are_fetched(self, stand: HydrusStand, key: Path, tmp_path: Path) -> None:
        digest = stand.hold(encode_png(draw(Square(10, 10, 60))), ".png", "character:rei")
        stand.hold(b"PDF", ".pdf", "character:rei")
        words = ("fetch", "hydrus", "character:rei", "--out", "new", "--url", stand.url)
        done = self.run(tmp_path, *words, "--key-file", key, "--dry-run", "--json")
        assert json.loads(done.stdout)["files"] == 1
        done = self.run(tmp_path, *words, "--key-file", key)
        assert done.code == 0
        assert "1 file fetched, 0.0 MB; 0 were there: new\n" in done.stderr
        assert [one.name for one in (tmp_path / "new").iterdir()] == [f"{digest}.png"]
        stand.errs["GET /get_files/file"] = Reply(404)
        (tmp_path / "new" / f"{digest}.png").unlink()
        done = self.run(tmp_path, *words, "--key-file", key)
        assert done.code == 1
        assert f"{digest}.png was not fetched: hydrus has nothing at /get_files/file" in done.stderr

    def test_without_a_key(self, stand: HydrusStand, tmp_path: Path) -> None:
        done = self.run(tmp_path, "send", "hydrus", "--url", stand.url)
        assert done.code == 1
        assert done.complaint.startswith("hydrus wants a key, and GALLERY_HYDRUS_KEY is not set;")
        assert stand.asked == []

    def test_nobody_there(self, pictures: dict[str, str], key: Path, tmp_path: Path) -> None:
        with listening(HydrusStand()) as url:
            pass
        done = self.run(tmp_path, "send", "hydrus", "--url", url, "--key-file", key)
        assert done.code == 1
        assert done.complaint.startswith(f"hydrus at {url} cannot be reached (Connection refused);")

    def test_a_key_that_others_on_the_way_can_read(self, key: Path, tmp_path: Path) -> None:
        url = "http://127.0.0.1.invalid:1"
        done = self.run(tmp_path, "send", "hydrus", "--url", url, "--key-file", key)
        assert done.code == 1
        said = "The key and the names go to 127.0.0.1.invalid unencrypted; https keeps them from"
        assert done.stderr.startswith(said)
