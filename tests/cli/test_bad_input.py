"""Bad input, full disks and sudden ends: one clear sentence, nothing lost, nothing half-written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import INTERRUPTED, PATIENCE, PROGRAM, ROOT, Done, call, finish, run, start
from fakes import Square, draw, write_picture
from PIL import Image as pillow
from yolo import yolo_file

from gallery.media.images import encode_png

pytestmark = pytest.mark.slow

Command = subprocess.Popen[str]

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def ask(folder: Path, *words: str | Path) -> Done:
    """Run a command here on a folder's gallery."""
    return call(*words, cwd=folder, database=folder / "gallery.db")


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def enrolled(folder: Path) -> list[tuple[object, ...]]:
    """Who is enrolled from which picture, by path."""
    query = "SELECT c.name, s.path FROM samples s JOIN characters c ON c.id = s.character_id"
    return sorted(rows(folder / "gallery.db", query), key=str)


def faces(folder: Path, characters: int, pictures: int, *, first: int = 0) -> Path:
    """Draw an album of faces that fill their pictures, all different; `first` makes others."""
    for character in range(characters):
        for number in range(pictures):
            colour = (220, 20 + 25 * character, 20)
            seed = first + character * 1000 + number
            path = folder / f"Number {character}" / f"{number}.png"
            write_picture(path, Square(20, 8, 100, colour), seed=seed)
    return folder


def spoil(folder: Path) -> dict[str, str]:
    """Fill a character's folder with all that can be wrong, and return what is said of each."""
    folder.mkdir(parents=True)
    (folder / "zero.png").write_bytes(b"")
    (folder / "text.png").write_text("this is no picture")
    (folder / "dangling.png").symlink_to("nowhere")
    (folder / "folder.png").mkdir()
    whole = encode_png(draw(Square(20, 8, 100), seed=5))
    (folder / "short.png").write_bytes(whole[: len(whole) // 2])
    jpeg = folder / "short.jpg"
    pillow.fromarray(draw(Square(20, 8, 100), seed=6)).save(jpeg)
    jpeg.write_bytes(jpeg.read_bytes()[:-900])
    pillow.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    return {
        "zero.png": "is empty",
        "text.png": "is not a picture that can be read",
        "dangling.png": "cannot be read",
        "short.png": "is damaged or cut short",
        "short.jpg": "is damaged or cut short",
        "bomb.png": "megapixels",
    }


class TestPictures:
    def test_each_bad_file_is_named_and_the_rest_is_done(self, tmp_path: Path) -> None:
        wrong = spoil(tmp_path / "album" / "Somebody")
        write_picture(tmp_path / "album" / "Somebody" / "good.png", Square(20, 8, 100))
        write_picture(tmp_path / "album" / "loose.png", Square(20, 8, 100), seed=1)
        before = sorted(path.name for path in (tmp_path / "album").rglob("*"))
        database = tmp_path / "gallery.db"
        first = run("enroll", "album", "--cropped", cwd=tmp_path, database=database)
        second = ask(tmp_path, "enroll", "album", "--cropped")
        for done, good in ((first, "1 added"), (second, "1 unchanged")):
            assert (done.code, done.stdout) == (1, "")
            assert "Traceback" not in done.stderr
            *refused, summary = done.stderr.splitlines()
            assert summary == f"8 pictures of 1 character: {good}, 7 refused."
            assert len(refused) == len(wrong) + 1
            for name, why in {**wrong, "loose.png": "lies in no character's folder"}.items():
                assert sum(name in line and why in line for line in refused) == 1, name
        assert [name for name, _ in enrolled(tmp_path)] == ["Somebody"]
        assert sorted(path.name for path in (tmp_path / "album").rglob("*")) == before

        done = ask(tmp_path, "identify", "album", "--cropped", "--json")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        errors = {Path(record["path"]).name: record["error"] for record in records}
        assert {name for name, error in errors.items() if error} == set(wrong)
        assert (done.code, done.stderr) == (1, "")

    def test_no_face_and_several_faces(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "album" / "Somebody" / "1.png", Square(20, 8, 100))
        for seen, what in ((0, "shows no face"), (2, "shows 2 faces")):
            detector = yolo_file(tmp_path / f"{seen}.onnx", seen)
            done = ask(tmp_path, "enroll", "album", "--detector", detector)
            assert done.code == 1
            assert what in done.stderr
            assert "1 picture of 1 character: 1 refused." in done.stderr
        several = tmp_path / "2.onnx"
        done = ask(tmp_path, "enroll", "album", "--detector", several, "--largest")
        assert (done.code, done.stderr) == (0, "1 picture of 1 character: 1 added.\n")
        picture = "album/Somebody/1.png"
        done = ask(tmp_path, "compare", picture, picture, "--detector", several)
        assert "shows 2 faces" in done.complaint
        done = ask(tmp_path, "identify", picture, "--detector", tmp_path / "0.onnx", "--json")
        assert (done.code, json.loads(done.stdout)["faces"]) == (0, [])
        done = ask(tmp_path, "identify", picture, "--detector", several)
        assert "2 faces" in done.stdout

    def test_pictures_of_odd_sizes(self, tmp_path: Path) -> None:
        for width, height in ((1, 1), (10_000, 100), (2, 900)):
            path = tmp_path / "album" / "Odd" / f"{width}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pillow.new("RGB", (width, height), (width % 250, 90, 90)).save(path)
        done = ask(tmp_path, "enroll", "album", "--cropped")
        assert done.code == 1
        assert done.stderr.count("no square around a head; enroll it without --cropped") == 2
        assert "3 pictures of 1 character: 1 added, 2 refused." in done.stderr
        done = ask(tmp_path, "identify", "album", "--cropped", "--json", "--annotate", "out")
        assert done.code == 0
        boxes = [json.loads(line)["faces"][0]["box"] for line in done.stdout.splitlines()]
        assert sorted(boxes) == [[0, 0, 1, 1], [0, 0, 2, 900], [0, 0, 10_000, 100]]
        assert len(list((tmp_path / "out").rglob("*.png"))) == 3
        done = ask(tmp_path, "identify", "album", "--json")
        assert (done.code, done.stdout.count('"faces": []')) == (0, 3)

    def test_one_picture_in_two_folders_is_a_riddle(self, tmp_path: Path) -> None:
        for name in ("A", "B", "B2"):
            write_picture(tmp_path / "album" / name[0] / f"{name}.png", Square(20, 8, 100))
        done = ask(tmp_path, "enroll", "album", "--cropped", "--json")
        counts = json.loads(done.stdout)
        assert (done.code, counts["added"], len(counts["refused"])) == (1, 1, 2)
        assert all("belongs to one character" in one["reason"] for one in counts["refused"])
        assert [name for name, _ in enrolled(tmp_path)] == ["A"]

    def test_a_folder_whose_name_can_be_nobody_is_refused_alone(self, tmp_path: Path) -> None:
        if sys.platform == "win32":
            pytest.skip("Windows allows no such names")
        write_picture(tmp_path / "album" / "two\nlines" / "1.png", Square(20, 8, 100))
        write_picture(tmp_path / "album" / "Somebody" / "1.png", Square(20, 8, 100), seed=1)
        done = ask(tmp_path, "enroll", "album", "--cropped")
        assert done.code == 1
        assert "control characters" in done.stderr
        assert "1 added, 1 refused" in done.stderr

    @pytest.mark.parametrize(
        ("make", "what"),
        [
            (lambda folder: None, "does not exist"),
            (lambda folder: folder.mkdir(), "holds no folder with a picture"),
            (lambda folder: (folder / "Empty").mkdir(parents=True), "no folder with a picture"),
            (lambda folder: write_picture(folder / "1.png", Square(9, 9, 90)), "no folder per"),
            (lambda folder: folder.write_text("a file"), "is not a folder"),
        ],
        ids=["missing", "empty", "empty-below", "no-folders", "file"],
    )
    def test_folders_that_hold_nobody(
        self, tmp_path: Path, make: Callable[[Path], object], what: str
    ) -> None:
        make(tmp_path / "album")
        done = ask(tmp_path, "enroll", "album")
        assert (done.code, done.stdout) == (1, "")
        assert what in done.complaint
        assert not (tmp_path / "gallery.db").exists()


class TestDetectorFiles:
    def test_damaged_and_foreign_files(self, tmp_path: Path) -> None:
        import onnx
        from onnx import TensorProto, helper

        write_picture(tmp_path / "1.png", Square(20, 8, 100))
        faces(tmp_path / "album", 1, 1)
        assert ask(tmp_path, "enroll", "album", "--cropped").code == 0
        whole = yolo_file(tmp_path / "whole.onnx", 1).read_bytes()
        (tmp_path / "damaged.onnx").write_bytes(whole[: len(whole) // 2])
        (tmp_path / "text.onnx").write_text("this is no network")
        (tmp_path / "folder.onnx").mkdir()
        numbers = helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [4])
        answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [4])
        graph = helper.make_graph(
            [helper.make_node("Identity", ["numbers"], ["answer"])], "other", [numbers], [answer]
        )
        imports = [helper.make_opsetid("", 17)]
        onnx.save(
            helper.make_model(graph, opset_imports=imports, ir_version=8),
            str(tmp_path / "other.onnx"),
        )
        for name, what in {
            "damaged.onnx": "cannot be opened as ONNX",
            "text.onnx": "cannot be opened as ONNX",
            "folder.onnx": "does not exist",
            "other.onnx": "expected are one float input",
        }.items():
            done = ask(tmp_path, "identify", "1.png", "--detector", name)
            assert (done.code, done.stdout) == (1, "")
            assert what in done.complaint


class TestDatabases:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        """A folder with a gallery in it."""
        faces(tmp_path / "album", 3, 2)
        assert ask(tmp_path, "enroll", "album", "--cropped").code == 0
        return tmp_path

    def test_what_is_no_gallery(self, place: Path) -> None:
        (place / "text.db").write_text("this is no database, but long enough to be read as one")
        with contextlib.closing(sqlite3.connect(place / "other.db")) as other:
            other.execute("CREATE TABLE notes (text)")
            other.commit()
        shutil.copy(place / "gallery.db", place / "newer.db")
        with contextlib.closing(sqlite3.connect(place / "newer.db")) as newer:
            newer.execute("UPDATE alembic_version SET version_num = '9999'")
            newer.commit()
        kept = {name: (place / name).read_bytes() for name in ("text.db", "other.db", "newer.db")}
        for name, what in {
            "missing.db": "There is no gallery at",
            "text.db": "is not a gallery database",
            "other.db": "of another program",
            "newer.db": "newer version of gallery; bring this one up to date",
            "album": "is a folder",
            "text.db/gallery.db": "",
            "mysql://host/name": "mysql are not supported",
        }.items():
            for words in (("characters",), ("identify", "album", "--cropped")):
                done = call(*words, cwd=place, database=name)
                assert (done.code, done.stdout) == (1, "")
                assert what in done.complaint
        done = call("enroll", "album", "--cropped", cwd=place, database="text.db/gallery.db")
        assert (done.code, "name another place" in done.complaint) == (1, True)
        assert {name: (place / name).read_bytes() for name in kept} == kept

    def test_damage_in_the_middle_is_said(self, place: Path) -> None:
        assert ask(place, "backup", "whole.db").code == 0
        content = bytearray((place / "whole.db").read_bytes())
        content[4096 : len(content) // 2] = bytes(len(content) // 2 - 4096)
        (place / "damaged.db").write_bytes(content)
        words = ["characters", "identify album --cropped", "export out.zip", "show 'Number 1'"]
        codes = []
        for line in words:
            done = call(*line.replace("'", "").split(" ", 1), cwd=place, database="damaged.db")
            codes.append(done.code)
            assert "Traceback" not in done.stderr
        assert 1 in codes
        done = call("doctor", cwd=place, database="damaged.db")
        assert done.code == 1
        assert "FAIL database" in done.stdout
        assert "damaged" in done.stdout
        assert not (place / "out.zip").exists()

    def test_two_at_once_share_one_gallery(self, tmp_path: Path) -> None:
        faces(tmp_path / "album", 3, 6)
        faces(tmp_path / "second", 2, 5, first=10_000)
        (tmp_path / "second" / "Number 0").rename(tmp_path / "second" / "Somebody else")
        database = tmp_path / "gallery.db"
        folders = ("album", "album", "second")
        running = [
            start("enroll", folder, "--cropped", "--json", cwd=tmp_path, database=database)
            for folder in folders
        ]
        ends = [finish(process) for process in running]
        assert [(done.code, done.stderr) for done in ends] == [(0, "")] * 3
        counts = [json.loads(done.stdout) for done in ends]
        assert sum(count["added"] for count in counts) == 18 + 10
        assert len(enrolled(tmp_path)) == 28
        done = ask(tmp_path, "enroll", "album", "--cropped")
        assert done == Done(0, "", "18 pictures of 3 characters: 18 unchanged.\n")


class TestNoRights:
    """Files and folders that may only be read."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[Path]:
        """A gallery, its cache and its pictures, all to be read only."""
        folder = tmp_path / "place"
        faces(folder / "album", 2, 2)
        assert ask(folder, "enroll", "album", "--cropped").code == 0
        assert ask(folder, "identify", "album", "--cropped").code == 0
        secret = write_picture(folder / "album" / "Number 0" / "secret.png", Square(9, 9, 90))
        closed = [secret, folder / "gallery.db", folder / "gallery.db-index", folder]
        for path, mode in zip(closed, (0o000, 0o444, 0o555, 0o555), strict=True):
            path.chmod(mode)
        yield folder
        for path in reversed(closed):
            path.chmod(0o755)

    def test_what_can_only_be_read(self, place: Path, prefix: list[str]) -> None:
        def ask_here(*words: str) -> Done:
            return run(*words, cwd=place, database=place / "gallery.db", prefix=prefix)

        before = (place / "gallery.db").read_bytes()
        done = ask_here("identify", "album", "--cropped", "--json")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert (done.code, done.stderr) == (1, "")
        assert [record["error"] is None for record in records].count(True) == 4
        assert done.stdout.count('"sure"') == 4
        (closed,) = [record for record in records if record["error"]]
        assert closed["error"].endswith("secret.png cannot be read: Permission denied.")
        for words in (
            ("forget", "Number 1", "--yes"),
            ("label", "album", "--cropped", "--out", "out.jsonl"),
            ("export", "out.zip"),
        ):
            done = ask_here(*words)
            assert done.code == 1
            assert "cannot be written" in done.complaint
        assert (place / "gallery.db").read_bytes() == before
        assert not list(place.glob("out.*"))
        assert not list(place.glob(".*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small disk wants root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "gallery-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("this machine mounts no small disk, not even for root")
    yield folder
    subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Write a file that leaves so many bytes of a disk."""
    free = shutil.disk_usage(disk).free
    path = disk / "filler"
    path.write_bytes(bytes(max(free - left, 0)))
    return path


class TestFullDisk:
    def test_the_database(self, tmp_path: Path, small_disk: Path) -> None:
        faces(tmp_path / "album", 2, 20)
        database = small_disk / "gallery.db"
        done = call("enroll", "album", "--cropped", cwd=tmp_path, database=database)
        assert done.code == 1
        assert "full; make room and run it again" in done.complaint
        held = len(call("show", "Number 0", "--json", cwd=tmp_path, database=database).stdout)
        shutil.copytree(small_disk, tmp_path / "roomy")
        done = call(
            "enroll", "album", "--cropped", "--json", cwd=tmp_path, database="roomy/gallery.db"
        )
        counts = json.loads(done.stdout)
        assert (done.code, counts["added"] + counts["unchanged"]) == (0, 40)
        assert held >= 0
        assert call("doctor", "--json", cwd=tmp_path, database="roomy/gallery.db").stdout.count(
            '"database", "well": true'
        )

    def test_everything_else_that_is_written(self, tmp_path: Path, small_disk: Path) -> None:
        faces(tmp_path / "album", 2, 10)
        assert ask(tmp_path, "enroll", "album", "--cropped").code == 0
        filler = fill(small_disk, 8192)
        disk = str(small_disk)
        for words in (
            ("export", f"{disk}/out.zip"),
            ("backup", f"{disk}/out.db"),
            ("show", "Number 0", "--sheet", f"{disk}/out.png"),
            ("identify", "album/Number 0/0.png", "--cropped", "--annotate", f"{disk}/out.png"),
            ("describe", "album", "--cropped", "--out", f"{disk}/out.npz"),
        ):
            done = ask(tmp_path, *words)
            assert done.code == 1, words
            assert "No space left" in done.complaint or "full" in done.complaint, words
            assert [path.name for path in small_disk.iterdir()] == ["filler"], words
        out = small_disk / "out.jsonl"
        words = ("label", "album", "--cropped", "--out", str(out))
        filler.unlink()
        fill(small_disk, 4096)
        done = ask(tmp_path, *words)
        assert done.code == 1
        assert "run it again to go on" in done.complaint
        some = [json.loads(line) for line in out.read_text().splitlines()]
        assert 0 < len(some) < 20
        filler.unlink()
        done = ask(tmp_path, *words)
        assert done.code == 0
        records = [json.loads(line) for line in out.read_text().splitlines()]
        assert records[: len(some)] == some
        assert len({record["path"] for record in records}) == len(records) == 20


ENCODING = ("--cropped", "--encoder", "anime")
SLOW = (*ENCODING, "--runtime", "dlib")
PICTURES = 60


@pytest.fixture(scope="module")
def long_album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An album of many pictures, and a gallery of a few."""
    folder = tmp_path_factory.mktemp("sudden")
    faces(folder / "album", 3, PICTURES // 3)
    faces(folder / "some", 3, 1)
    assert ask(folder, "enroll", "some", *ENCODING).code == 0
    return folder


@posix
class TestSuddenEnds:
    """Interrupted and killed in the middle; dlib's runtime is slow enough to be caught at it."""

    @staticmethod
    def begin(*words: str, cwd: Path, database: Path) -> Command:
        return start(*words, *SLOW, cwd=cwd, database=database, program=INTERRUPTED)

    @staticmethod
    def end(process: Command, how: signal.Signals, has_begun: Callable[[], bool]) -> Done:
        """Send a signal as soon as something stands there."""
        deadline = time.monotonic() + PATIENCE
        while not has_begun():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(how)
        return finish(process)

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill"])
    def test_enroll(self, long_album: Path, tmp_path: Path, how: signal.Signals) -> None:
        database = tmp_path / "gallery.db"

        def has_begun() -> bool:
            with contextlib.suppress(sqlite3.OperationalError):
                return database.exists() and len(rows(database, "SELECT id FROM samples")) > 0
            return False

        process = self.begin("enroll", "album", cwd=long_album, database=database)
        done = self.end(process, how, has_begun)
        kept = len(rows(database, "SELECT id FROM samples"))
        assert 0 < kept < PICTURES
        if how is signal.SIGINT:
            assert done.code == 130
            assert "Stopped; what was enrolled stays. Run it again to go on." in done.stderr
            assert "Traceback" not in done.stderr
        again = call("enroll", "album", *ENCODING, "--json", cwd=long_album, database=database)
        counts = json.loads(again.stdout)
        assert (again.code, counts["unchanged"], counts["added"]) == (0, kept, PICTURES - kept)
        assert len(enrolled(tmp_path)) == PICTURES
        assert len(set(enrolled(tmp_path))) == PICTURES

    @pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill"])
    def test_label(
        self, long_album: Path, tmp_path: Path, how: signal.Signals, suffix: str
    ) -> None:
        out = tmp_path / f"out{suffix}"
        words = ("label", "album", "--out", str(out))
        process = self.begin(*words, cwd=long_album, database=long_album / "gallery.db")
        done = self.end(process, how, lambda: out.exists() and out.read_bytes().count(b"\n") > 2)
        if how is signal.SIGINT:
            assert done.code == 130
            assert "Run it again to go on." in done.stderr
            assert "Traceback" not in done.stderr
        # What a kill in the midst of writing leaves: a record without its end.
        with out.open("ab") as file:
            file.write(b'{"path": "album/Nu' if suffix == ".jsonl" else b'"album/Nu')
        before = out.read_bytes()
        before = before[: before.rindex(b"\n") + 1]
        again = call(*words, *ENCODING, cwd=long_album, database=long_album / "gallery.db")
        assert again.code == 0
        assert out.read_bytes().startswith(before)
        pictures = (long_album / "album").rglob("*.png")
        wanted = sorted(str(path) for path in pictures)
        assert sorted(self.paths(out)) == wanted

    @staticmethod
    def paths(out: Path) -> list[str]:
        """The pictures of a file of records, in its order."""
        lines = out.read_text(encoding="utf-8").splitlines()
        if out.suffix == ".jsonl":
            return [json.loads(line)["path"] for line in lines]
        return [line.split(",")[0] for line in lines[1:]]

    def test_identify(self, long_album: Path) -> None:
        process = self.begin(
            "identify", "album", "--json", cwd=long_album, database=long_album / "gallery.db"
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        done = finish(process)
        assert (done.code, done.stderr) == (130, "")
        whole = [json.loads(line) for line in (first + done.stdout).splitlines()]
        assert 0 < len(whole) < PICTURES

    def test_only_one_writes_a_file_of_records(self, long_album: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.jsonl"
        words = ("label", "album", "--out", str(out))
        process = self.begin(*words, cwd=long_album, database=long_album / "gallery.db")
        try:
            while not (out.exists() and out.read_bytes()):
                assert process.poll() is None
                time.sleep(0.01)
            done = call(*words, *ENCODING, cwd=long_album, database=long_album / "gallery.db")
        finally:
            process.kill()
            finish(process)
        assert done.code == 1
        assert "being written by another process" in done.complaint


def test_the_program_needs_no_terminal_and_no_home(tmp_path: Path) -> None:
    faces(tmp_path / "album", 1, 1)
    bare = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*PROGRAM, "enroll", "album", "--cropped", "--database", "here.db"],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "1 picture of 1 character: 1 added.\n")


def test_named_paths_that_cannot_be_read_cost_no_other(tmp_path: Path, prefix: list[str]) -> None:
    faces(tmp_path / "album", 1, 2)
    assert ask(tmp_path, "enroll", "album", "--cropped").code == 0
    faces(tmp_path / "locked", 1, 1)
    faces(tmp_path / "shut", 1, 1)
    secret = tmp_path / "secret.png"
    shutil.copy(tmp_path / "album" / "Number 0" / "0.png", secret)
    inside = Path("shut", "Number 0", "0.png")
    named = ("album", "locked", "secret.png", str(inside), "shut")
    out = ("--cropped", "--out", "out.jsonl")
    try:
        (tmp_path / "locked").chmod(0)
        secret.chmod(0)
        # It can be listed, and not entered.
        (tmp_path / inside).parent.chmod(0o444)
        done = run(
            "label", *named, *out, cwd=tmp_path, database=tmp_path / "gallery.db", prefix=prefix
        )
    finally:
        for path in (tmp_path / "locked", secret, (tmp_path / inside).parent):
            path.chmod(0o755)
    assert done.code == 1
    assert "locked cannot be listed: Permission denied" in done.stderr
    assert f"{inside} cannot be read: Permission denied" in done.stderr
    assert f"{secret} cannot be read: Permission denied" in done.stderr
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sum(not record["error"] for record in records) == 2
