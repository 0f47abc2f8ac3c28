"""Exports: the whole gallery goes out and comes back, and a stranger's file does no harm."""

from __future__ import annotations

import io
import json
import pickle
import random
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEncoder, Square, fake_gallery, write_picture

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.reencode import encode_samples
from gallery.media.images import encode_jpeg, encode_png
from gallery.store import archive, reader
from gallery.store.reader import Store
from gallery.store.rejections import NewRejection
from gallery.store.steps import Action, FaceMeant
from gallery.types import CROP_SIDE, DIMENSION, Box, Decided, FaceState, Place, Quality

COLOURS = {"凛": (220, 20, 20), "Blue [x]": (20, 20, 220), "Noise": (20, 220, 20)}

Members = dict[str, bytes]

CROP_JPEG = encode_jpeg(np.full((CROP_SIDE, CROP_SIDE, 3), (200, 90, 30), np.uint8))


def fill(gallery: Engine, folder: Path) -> None:
    """Enroll three characters with three pictures each; one has another name by now."""
    for name, colour in COLOURS.items():
        for number in range(3):
            square = Square(20 + number, 10, 70 + number, colour)
            write_picture(folder / name / f"{number}.png", square, seed=number)
    candidates, _ = candidates_in(folder)
    assert len(list(enroll_candidates(gallery, candidates))) == 9
    gallery.rename("Blue [x]", "Blue\u2028Sea")
    vector = np.linspace(0, 1, DIMENSION, dtype=np.float32)
    with gallery.store.writing() as writer:
        path, box = Path("/elsewhere/seen.png"), Box(1, 2, 3, 4)
        writer.reject(NewRejection("凛", "5" * 64, path, box, CROP_JPEG, {"fake": vector}))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a gallery with two encoders; tests only read it."""
    folder = tmp_path_factory.mktemp("exported")
    with fake_gallery(folder / "gallery.db") as gallery:
        fill(gallery, folder / "album")
    with fake_gallery(folder / "gallery.db", encoder=FakeEncoder("other")) as gallery:
        encode_samples(gallery, gallery.remaining()[:4])
        assert archive.export(gallery.store, folder / "gallery.zip") == 9
    return folder / "gallery.zip"


@pytest.fixture
def empty() -> Iterator[Store]:
    """A gallery with nobody in it."""
    with Store("sqlite://", create=True) as store:
        yield store


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def write_members(path: Path, members: Members, how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def contents(store: Store) -> dict[str, Any]:
    """All that an export is to carry, without the numbers that every database gives anew."""
    samples = store.samples("fake")
    return {
        "characters": [(one.name, one.is_reject, one.samples) for one in store.characters()],
        "former": store.former_names(),
        "samples": [
            (one.character, one.digest, one.path, one.enrolled_as, one.detector, one.face,
             one.is_best, one.distance, one.quality, one.is_poor)
            for one in samples
        ],
        "crops": [store.crops([one.id])[one.id] for one in samples],
        "descriptors": [
            {name: vector.tolist() for name, vector in store.descriptors_of(one.id).items()}
            for one in samples
        ],
        "ideals": [
            sorted(store.vectors(encoder).ideals.tolist()) for encoder in ("fake", "other")
        ],
        "bests": [sorted(store.vectors(encoder).bests.tolist()) for encoder in ("fake", "other")],
    }  # fmt: skip


class TestRoundTrip:
    def test_what_is_written_a_part_at_a_time_is_the_same(
        self, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "AT_ONCE", 2)
        monkeypatch.setattr(reader, "ROWS_AT_ONCE", 2)
        with Store(str(exported.with_name("gallery.db"))) as store:
            assert archive.export(store, tmp_path / "in-parts.zip") == 9
        assert members_of(tmp_path / "in-parts.zip") == members_of(exported)

    def test_everything_comes_back(self, exported: Path, empty: Store) -> None:
        assert archive.restore(empty, exported) == archive.Imported(added=9, present=0)
        with Store(str(exported.with_name("gallery.db"))) as before:
            assert contents(empty) == contents(before)
        assert empty.check() == []

    def test_marks_of_poor_faces_come_back_and_hold(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        members = members_of(exported)
        edit_sample(poor=True, quality=QUALITY)(members)
        archive.restore(empty, write_members(tmp_path / "poor.zip", members))
        (poor,) = [one for one in empty.samples("fake") if one.is_poor]
        assert poor.quality == Quality(70.0, 0.5, None, 0.5, 0.0)
        assert not poor.is_best
        (owner,) = [one for one in empty.characters() if one.name == poor.character]
        assert (owner.samples, owner.poor) == (3, 1)
        assert archive.export(empty, tmp_path / "again.zip") == 9
        *_, last = members_of(tmp_path / "again.zip")["samples.jsonl"].decode().splitlines()
        assert json.loads(last)["quality"] == QUALITY
        assert json.loads(last)["poor"] is True

    def test_an_export_of_the_time_before_quality_comes_in(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        members = members_of(exported)
        samples = [json.loads(line) for line in members["samples.jsonl"].decode().split("\n")[:-1]]
        for sample in samples:
            assert sample.pop("quality") is not None
            assert sample.pop("poor") is False
        members["samples.jsonl"] = "".join(f"{json.dumps(one)}\n" for one in samples).encode()
        assert archive.restore(empty, write_members(tmp_path / "old.zip", members)).added == 9
        assert {(one.quality, one.is_poor) for one in empty.samples("fake")} == {(None, False)}

    def test_twice_is_once(self, exported: Path, empty: Store) -> None:
        archive.restore(empty, exported)
        before = contents(empty)
        assert archive.restore(empty, exported) == archive.Imported(added=0, present=9)
        assert contents(empty) == before

    def test_what_faces_are_not_comes_back(self, exported: Path, empty: Store) -> None:
        archive.restore(empty, exported)
        archive.restore(empty, exported)
        (one,) = empty.rejections.all()
        assert (one.character, one.path.name, one.digest) == ("凛", "seen.png", "5" * 64)
        assert (tuple(one.box), empty.rejections.crop(one.id)) == ((1, 2, 3, 4), CROP_JPEG)
        assert empty.rejections.rejected("fake").names == ["凛"]
        assert empty.rejections.unencoded("other") == [one.id]

    def test_what_is_exported_again_is_the_same(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        archive.restore(empty, exported)
        assert archive.export(empty, tmp_path / "again.zip") == 9
        assert members_of(tmp_path / "again.zip") == members_of(exported)

    def test_folders_with_former_names_go_on_meaning_the_character(
        self, exported: Path, tmp_path: Path
    ) -> None:
        write_picture(tmp_path / "album" / "Blue [x]" / "new.png", Square(9, 9, 80), seed=77)
        candidates, _ = candidates_in(tmp_path / "album")
        with fake_gallery(tmp_path / "gallery.db") as gallery:
            archive.restore(gallery.store, exported)
            list(enroll_candidates(gallery, candidates))
            assert [one.name for one in gallery.characters()] == ["Blue\u2028Sea", "Noise", "凛"]

    def test_labels_that_are_here_stay(self, exported: Path, empty: Store) -> None:
        archive.restore(empty, exported)
        first, second, third = empty.samples("fake", "凛")
        with empty.writing() as writer:
            writer.move([first.id], "Mine")
            writer.forget_samples([second.id])
        assert archive.restore(empty, exported) == archive.Imported(added=1, present=8)
        labels = {one.digest: one.character for one in empty.samples("fake")}
        assert labels[first.digest] == "Mine"
        assert (labels[second.digest], labels[third.digest]) == ("凛", "凛")
        assert empty.check() == []

    def test_an_import_brings_no_character_without_faces(
        self, exported: Path, empty: Store
    ) -> None:
        archive.restore(empty, exported)
        mine = [one.id for one in empty.samples("fake", "凛")]
        with empty.writing() as writer:
            writer.move(mine, "Mine")
            writer.forget("凛")
        archive.restore(empty, exported)
        assert "凛" not in [one.name for one in empty.characters()]

    def test_an_empty_gallery_goes_out_and_comes_back(self, empty: Store, tmp_path: Path) -> None:
        assert archive.export(empty, tmp_path / "empty.zip") == 0
        assert archive.restore(empty, tmp_path / "empty.zip") == archive.Imported(0, 0)

    def test_it_is_plain_files(self, exported: Path) -> None:
        members = members_of(exported)
        assert json.loads(members["gallery.json"])["format"] == archive.FORMAT
        matrix = np.load(io.BytesIO(members["descriptors/0.npy"]), allow_pickle=False)
        assert (matrix.shape, matrix.dtype) == ((9, DIMENSION), np.float32)
        other = np.load(io.BytesIO(members["descriptors/1.npy"]), allow_pickle=False)
        assert np.isfinite(other).all(axis=1).tolist() == [True] * 4 + [False] * 5
        assert len([name for name in members if name.startswith("crops/")]) == 9


class TestExport:
    def test_nothing_is_written_over(self, exported: Path, empty: Store, tmp_path: Path) -> None:
        target = tmp_path / "kept.zip"
        target.write_bytes(b"kept")
        for there in (target, tmp_path):
            with pytest.raises(InputError, match="exists already"):
                archive.export(empty, there)
        assert target.read_bytes() == b"kept"

    def test_what_fails_leaves_nothing(self, empty: Store, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(InputError, match="cannot be written"):
            archive.export(empty, tmp_path / "file" / "out.zip")
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


def edit_head(**changes: object) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        members["gallery.json"] = json.dumps(
            {**json.loads(members["gallery.json"]), **changes}
        ).encode()

    return edit


def edit_sample(**changes: object) -> Callable[[Members], None]:
    """Change the last sample, so that the others would be there if anything were."""

    def edit(members: Members) -> None:
        *lines, last = members["samples.jsonl"].decode().removesuffix("\n").split("\n")
        lines.append(json.dumps({**json.loads(last), **changes}))
        members["samples.jsonl"] = "".join(f"{line}\n" for line in lines).encode()

    return edit


def put(name: str, content: bytes) -> Callable[[Members], None]:
    return lambda members: members.update({name: content})


def drop(name: str) -> Callable[[Members], None]:
    return lambda members: members.update({"other": members.pop(name)})


def array(values: np.ndarray[Any, Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=values.dtype == object)
    return content.getvalue()


SHAPED = b"{'descr': '<f4', 'fortran_order': False, 'shape': %b, }"


def header(text: bytes) -> bytes:
    """How an array begins whose header says this."""
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text


class Harmful:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("unpickled"),))


def png(side: int) -> bytes:
    return encode_png(np.zeros((side, side, 3), np.uint8))


QUALITY = {"size": 70.0, "sharpness": 0.5, "roll": None, "frontal": 0.5, "cut": 0.0}

HARM: dict[str, Callable[[Members], None]] = {
    "no head": drop("gallery.json"),
    "head is no JSON": put("gallery.json", b"{"),
    "head is a list": put("gallery.json", b"[]"),
    "head is deep": put("gallery.json", b"[" * 100_000),
    "format is a word": edit_head(format="one"),
    "encoders stand twice": edit_head(encoders=["a", "a"]),
    "encoders are many": edit_head(encoders=[str(n) for n in range(1000)]),
    "encoder without a table": edit_head(encoders=["fake", "other", "third"]),
    "fewer samples than said": edit_head(samples=10),
    "former names are a list": edit_head(former_names=[1]),
    "former name is none": edit_head(former_names={"a\nb": "凛"}),
    "no samples": drop("samples.jsonl"),
    "samples are no text": put("samples.jsonl", b"\xff\xfe"),
    "samples are no JSON": put("samples.jsonl", b"nothing\n" * 9),
    "sample is a number": put("samples.jsonl", b"1\n" * 9),
    "more samples than crops": put("samples.jsonl", b"{}\n" * 99),
    "samples are huge": put("samples.jsonl", bytes(1 << 18)),
    "name is empty": edit_sample(character=""),
    "name has a newline": edit_sample(character="a\nb"),
    "name is a number": edit_sample(character=5),
    "name is half a letter": edit_sample(character="\ud83d"),
    "folder is none": edit_sample(enrolled_as="\x1b[31m"),
    "digest is a path": edit_sample(digest="../../etc/passwd"),
    "path has a zero byte": edit_sample(path="a\0b"),
    "path is a number": edit_sample(path=5),
    "box is short": edit_sample(box=[1, 2, 3]),
    "box is long": edit_sample(box=[1, 2, 3, 4, 5]),
    "box is endless": edit_sample(box=[1, 2, 3, float("inf")]),
    "box is huge": edit_sample(box=[1, 2, 3, 10**400]),
    "score is no number": edit_sample(score=float("nan")),
    "landmarks are a list": edit_sample(landmarks=[1, 2]),
    "landmark is strange": edit_sample(landmarks={"third_eye": [1, 2]}),
    "landmark lacks a number": edit_sample(landmarks={"left_eye": [1]}),
    "detector is null": edit_sample(detector=None),
    "quality is a word": edit_sample(quality="good"),
    "quality lacks a part": edit_sample(quality={"size": 1.0, "sharpness": 0.5}),
    "quality is no number": edit_sample(quality=QUALITY | {"sharpness": float("nan")}),
    "quality is no share": edit_sample(quality=QUALITY | {"frontal": 1.5}),
    "quality has no size": edit_sample(quality=QUALITY | {"size": -1}),
    "quality has turned round": edit_sample(quality=QUALITY | {"roll": 181}),
    "poor is a word": edit_sample(poor="yes"),
    "poor is null": edit_sample(poor=None),
    "no crop": drop("crops/8.png"),
    "crop of another size": put("crops/8.png", png(CROP_SIDE + 1)),
    "crop is no picture": put("crops/8.png", b"<svg/>"),
    "crop is cut short": lambda members: members.update(
        {"crops/8.png": members["crops/8.png"][:99]}
    ),
    "crop says another size": put(
        "crops/8.png",
        png(CROP_SIDE)[:16] + (30_000).to_bytes(4, "big") * 2 + png(CROP_SIDE)[24:],
    ),
    "crop is a large file": put("crops/8.png", png(CROP_SIDE) + bytes(1 << 20)),
    "table is no array": put("descriptors/0.npy", b"nothing"),
    "table is empty": put("descriptors/0.npy", b""),
    "table is wide": put("descriptors/0.npy", array(np.zeros((9, DIMENSION + 1), np.float32))),
    "table is long": put("descriptors/0.npy", array(np.zeros((10, DIMENSION), np.float32))),
    "table is double": put("descriptors/0.npy", array(np.zeros((9, DIMENSION), np.float64))),
    "table is pickled": put("descriptors/0.npy", array(np.array([Harmful()], object))),
    "table has no header": put("descriptors/0.npy", header(b"{'descr': '<f4', 'shape': (9, 1")),
    "table has a deep header": put("descriptors/0.npy", header(b"(" * 900)),
    "table has a strange header": put("descriptors/0.npy", header(b"{[]: 1}")),
    "table is endless": put("descriptors/0.npy", header(SHAPED % b"(9223372036854775807, 128)")),
    "table is cut short": put("descriptors/0.npy", header(SHAPED % b"(9, 128)") + bytes(4000)),
    "table is transposed": put(
        "descriptors/0.npy", header((SHAPED % b"(9, 128)").replace(b"False", b"True")) + bytes(4608)
    ),
    "samples are deep": put("samples.jsonl", b"[" * 20_000 + b"\n"),
    "samples have a huge number": put("samples.jsonl", b"9" * 5000 + b"\n"),
    "samples are endless": put("samples.jsonl", b"x" * (1 << 17)),
    "fewer samples than none": edit_head(samples=-1),
    "samples are as many as stars": edit_head(samples=10**30),
    "samples are no number": edit_head(samples=float("nan")),
    "rejections are more than crops": put("rejections.jsonl", b"{}\n" * 99),
    "rejected crop is a PNG": put("rejected/0.jpg", png(CROP_SIDE)),
    "table is a pickle": put("descriptors/0.npy", pickle.dumps(Harmful())),
}


class TestHarm:
    @pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
    def test_it_is_refused_whole(
        self,
        harm: Callable[[Members], None],
        exported: Path,
        empty: Store,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        members = members_of(exported)
        harm(members)
        harmful = write_members(tmp_path / "harmful.zip", members)
        with pytest.raises(InputError, match=r"harmful\.zip is not a gallery's export, or is dam"):
            archive.restore(empty, harmful)
        assert empty.characters() == []
        assert empty.samples("fake") == []
        assert [path.name for path in tmp_path.iterdir()] == ["harmful.zip"]
        assert capfd.readouterr() == ("", "")

    def test_unharmed_members_are_taken(self, exported: Path, empty: Store, tmp_path: Path) -> None:
        again = write_members(tmp_path / "again.zip", members_of(exported), zipfile.ZIP_DEFLATED)
        assert archive.restore(empty, again).added == 9

    def test_members_beside_are_passed_over_and_no_path_is_followed(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        (tmp_path / "in").mkdir()
        members = {**members_of(exported), "../out.txt": b"out", "/out.txt": b"out"}
        odd = write_members(tmp_path / "in" / "odd.zip", members)
        assert archive.restore(empty, odd).added == 9
        assert [path.name for path in tmp_path.rglob("*")] == ["in", "odd.zip"]

    def test_a_bomb_is_refused_by_what_it_says_it_unfolds_to(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        for name in ("gallery.json", "samples.jsonl", "descriptors/0.npy", "crops/8.png"):
            members = members_of(exported)
            members[name] += bytes(1 << 26)
            bomb = write_members(tmp_path / "bomb.zip", members, zipfile.ZIP_DEFLATED)
            assert bomb.stat().st_size < 1 << 20
            with pytest.raises(InputError, match="damaged"):
                archive.restore(empty, bomb)
        assert empty.characters() == []

    @pytest.mark.parametrize("name", ["samples.jsonl", "rejections.jsonl", "forgotten.jsonl"])
    def test_a_list_of_many_lines_takes_no_memory(
        self, exported: Path, empty: Store, tmp_path: Path, name: str
    ) -> None:
        members = members_of(exported)
        # Crops are what lines are counted by.
        folder = "rejected" if name.startswith("rejections") else "crops"
        members |= {f"{folder}/x{number}": b"" for number in range(3000)}
        members[name] = members.get(name, b"") + b"[]\n" * (1 << 24)
        if name == "samples.jsonl":
            edit_head(samples=3000)(members)
        bomb = write_members(tmp_path / "bomb.zip", members, zipfile.ZIP_DEFLATED)
        del members
        tracemalloc.start()
        try:
            with pytest.raises(InputError, match="damaged"):
                archive.restore(empty, bomb)
            assert tracemalloc.get_traced_memory()[1] < 1 << 24
        finally:
            tracemalloc.stop()

    def test_members_that_unfold_without_a_bound_are_refused(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        again = write_members(tmp_path / "again.zip", members_of(exported), zipfile.ZIP_LZMA)
        with pytest.raises(InputError, match="damaged"):
            archive.restore(empty, again)

    def test_a_newer_export_asks_for_an_upgrade(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        members = members_of(exported)
        edit_head(format=archive.FORMAT + 1, encoders="something else")(members)
        with pytest.raises(InputError, match="newer version of gallery; bring this one up to date"):
            archive.restore(empty, write_members(tmp_path / "newer.zip", members))

    def test_files_that_are_none(self, empty: Store, tmp_path: Path) -> None:
        (tmp_path / "text.zip").write_text("no zip")
        (tmp_path / "zero.zip").write_bytes(b"")
        for name, what in {
            "missing.zip": "cannot be read",
            ".": "cannot be read",
            "text.zip": "is not a gallery's export",
            "zero.zip": "is not a gallery's export",
        }.items():
            with pytest.raises(InputError, match=what):
                archive.restore(empty, tmp_path / name)

    def test_any_damage_is_refused_or_harmless(
        self, exported: Path, empty: Store, tmp_path: Path
    ) -> None:
        chance = random.Random(7)  # noqa: S311
        whole = exported.read_bytes()
        with Store(str(exported.with_name("gallery.db"))) as before:
            unharmed = contents(before)["descriptors"]
        refused = 0
        for _ in range(150):
            content = bytearray(whole)
            # The directory at the end and the small files before it are what the format is.
            start = chance.choice([0, len(content) - 12_000, len(content) - 2_000])
            for _ in range(chance.choice([1, 1, 8])):
                content[chance.randrange(start, len(content))] ^= 1 << chance.randrange(8)
            if chance.random() < 0.1:
                del content[chance.randrange(len(content)) :]
            damaged = tmp_path / "damaged.zip"
            damaged.write_bytes(content)
            try:
                archive.restore(empty, damaged)
            except InputError:
                refused += 1
                assert empty.characters() == []
            else:
                assert contents(empty)["descriptors"] == unharmed
                names = [one.name for one in empty.characters()]
                with empty.writing() as writer:
                    for name in names:
                        writer.forget(name)
        assert refused > 100


class TestDecisions:
    """What a person decided goes out and comes back with its whole history."""

    @pytest.fixture
    def decided(self, exported: Path, tmp_path: Path) -> Path:
        """An export of a gallery in which three things were decided, and one was undone."""
        with Store(str(tmp_path / "decided.db"), create=True) as store:
            archive.restore(store, exported)
            decide(store, Action.CONFIRM, [1, 2], lambda state: state.confirmed("Misato"))
            step = decide(store, Action.IGNORE, [2, 3], lambda state: state.set_aside(IGNORED))
            decide(store, Action.REJECT, [4], lambda state: state.rejected("凛"))
            with store.writing() as writer:
                writer.decisions.undo(step, "somebody")
            archive.export(store, tmp_path / "decided.zip")
        return tmp_path / "decided.zip"

    def test_all_of_it_comes_back(self, decided: Path, empty: Store) -> None:
        archive.restore(empty, decided)
        with Store(str(decided.with_name("decided.db"))) as before:
            assert history(empty) == history(before)
        assert empty.check() == []
        misato = FaceState(Decided.CONFIRMED, "Misato")
        assert [one.state for one in empty.decisions.faces() if one.path.name == "2.png"] == [
            misato
        ]
        assert empty.character("Misato").samples == 0
        last = empty.decisions.steps()[0]
        with empty.writing() as writer:
            assert writer.decisions.undo(last.id, "").restored == 2

    def test_twice_is_once_and_what_was_decided_here_stays(
        self, decided: Path, empty: Store
    ) -> None:
        decide(empty, Action.IGNORE, [1], lambda state: state.set_aside(IGNORED))
        archive.restore(empty, decided)
        once = history(empty)
        archive.restore(empty, decided)
        assert history(empty) == once
        states = {one.path.name: one.state for one in empty.decisions.faces()}
        assert states["1.png"] == FaceState(IGNORED)
        assert states["4.png"].not_these == ("凛",)
        assert states["seen.png"].not_these == ("凛",)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"face": 1,', '"face": 99,'),
            ('"step": 1,', '"step": -1,'),
            ('"decided": "confirmed"', '"decided": "sworn"'),
            ('"decided": "confirmed"', '"decided": "ignored"'),
            ('"action": "ignore"', '"action": "bless"'),
            ('"after_owner": 1', '"after_owner": 77'),
            ('"after_owner": 1', '"after_owner": 0'),
            ('"undoes": 2', '"undoes": 5'),
            ('"made_at": "20', '"made_at": "yesterday 20'),
            ('{"step"', '{"stride"'),
            ('"box": [10.0', '"box": [NaN'),
        ],
    )
    def test_a_damaged_history_is_refused_and_changes_nothing(
        self, decided: Path, empty: Store, tmp_path: Path, old: str, new: str
    ) -> None:
        members = members_of(decided)
        text = members["decisions.jsonl"].decode()
        assert old in text
        members["decisions.jsonl"] = text.replace(old, new, 1).encode()
        with pytest.raises(InputError, match="damaged"):
            archive.restore(empty, write_members(tmp_path / "damaged.zip", members))
        assert empty.characters() == []
        assert empty.decisions.faces() == []


IGNORED = Decided.IGNORED


def decide(
    store: Store, action: Action, faces: list[int], change: Callable[[FaceState], FaceState]
) -> int:
    """Decide of faces, of a picture each."""
    with store.writing() as writer:
        writer.character_id("Misato")
        step = writer.decisions.begin(action, "somebody", "Misato")
        meant = [
            FaceMeant(Place(f"{one:064x}"), Path(f"/seen/{one}.png"), Box(10, 10, 50, 50))
            for one in faces
        ]
        writer.decisions.decide(step, meant, lambda state, _: change(state))
    return step


def history(store: Store) -> list[Any]:
    """All that was ever decided, without the numbers that every database gives anew."""
    names = {one.id: (one.digest, one.path, one.box, one.times) for one in store.decisions.faces()}
    steps = store.decisions.steps()[::-1]
    titles = {one.id: (one.made_at, one.who, one.action, one.character) for one in steps}
    return [
        (titles[one.step], names[one.face], one.before, one.after) for one in store.decisions.log()
    ]
