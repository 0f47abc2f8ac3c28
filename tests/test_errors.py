"""Errors are data: they go from process to process, and the command line alone names options."""

from __future__ import annotations

import ast
import copy
import errno
import pickle
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from typer.main import get_command

import gallery
from gallery import errors
from gallery.cli import advice, app
from gallery.errors import (
    BadSetting,
    BusyDatabase,
    DamagedDatabase,
    DamagedNetwork,
    DatabaseFailed,
    FullDisk,
    GalleryError,
    InputError,
    MissingNetwork,
    NameTaken,
    NoFace,
    NoFacePasses,
    NoSuchCharacter,
    NotAGallery,
    NotEncoded,
    ReadOnlyDatabase,
    SetupError,
    SeveralFaces,
    StoreError,
    UnreadableDatabase,
    UnreadablePicture,
    complete,
)
from gallery.store.schema import explained

PIC = Path("a")
PACKAGE = Path(gallery.__file__).parent
ROOTS = (GalleryError, InputError, SetupError, StoreError)
LEAVES = tuple(
    one
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, GalleryError) and one not in ROOTS
    if not name.startswith("_")
)

VALUES: dict[Any, object] = {
    str: "some text",
    int: 3,
    bool: True,
    float: 0.25,
    Path: Path("/albums/a picture.png"),
    Path | None: Path("/albums/other.png"),
    Path | str: Path("/albums/a gallery.db"),
    Path | str | None: "postgresql://somebody@somewhere/gallery",
    str | None: "some text",
    tuple[str, ...]: ("one", "two"),
    tuple[int, ...]: (1, 2),
    tuple[float, float, float, float]: (1.0, 2.0, 30.0, 40.0),
    MissingNetwork | None: None,
}
"""A value for each type that an attribute has."""

SHOWN = {
    "audit/characters.py": "the command that a proposal is",
    "audit/contradicted.py": "the command that a proposal is",
    "audit/duplicates.py": "the command that a proposal is",
    "audit/fixes.py": "reads the command that a proposal is",
    "audit/misplaced.py": "the command that a proposal is",
    "audit/page.py": "a page for whoever ran `gallery audit`",
    "evaluation/verdicts.py": "a page for whoever ran `gallery evaluate`",
    "jobs/cluster_faces.py": "a page for whoever ran `gallery cluster`",
    "output/html_sheet.py": "a page with the command about each face",
    "doctor.py": "what `gallery doctor` found, and where nothing is wrong",
}
"""Files below the command line whose texts name commands and options, and why they may."""


def made(kind: type[GalleryError]) -> GalleryError:
    """An error of a class, every attribute with a value."""
    complete(kind)
    if not is_dataclass(kind):
        return kind()
    hints = get_type_hints(kind)
    return kind(**{one.name: VALUES[hints[one.name]] for one in fields(kind) if one.init})


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
class TestLeaves:
    def test_it_stands_below_one_of_the_three(self, kind: type[GalleryError]) -> None:
        assert sum(issubclass(kind, root) for root in ROOTS[1:]) == 1
        assert kind.__doc__

    def test_it_goes_from_process_to_process(self, kind: type[GalleryError]) -> None:
        error = made(kind)
        for other in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):  # noqa: S301
            assert type(other) is kind
            assert str(other) == str(error)
            assert repr(other) == repr(error)
            assert vars(other) == vars(error)

    def test_its_text_is_one_line_without_gaps(self, kind: type[GalleryError]) -> None:
        error = made(kind)
        for text in (str(error), advice.told(error)):
            assert re.fullmatch(r"\S.*[^.][.?]", text)
            assert "  " not in text
            assert "{" not in text
            assert text.startswith(error.fact)

    def test_programs_have_it_from_the_package(self, kind: type[GalleryError]) -> None:
        assert getattr(gallery, kind.__name__) is kind
        assert kind.__name__ in gallery.__all__

    def test_the_guide_names_it(self, kind: type[GalleryError]) -> None:
        page = (PACKAGE.parent / "docs" / "python.md").read_text(encoding="utf-8")
        assert f"`{kind.__name__}`" in page


def test_a_text_alone_stays_as_it_is() -> None:
    for error in (InputError("Did you? Yes."), pickle.loads(pickle.dumps(InputError("Did you?")))):  # noqa: S301
        assert str(error) == error.args[0] == advice.told(error) == error.sentence("try again")


def test_what_is_kept_holds_on_to_nothing() -> None:
    with pytest.raises(UnreadablePicture) as caught:
        raise UnreadablePicture(PIC, "is empty") from ValueError()
    kept = caught.value.detached()
    assert str(kept) == str(caught.value) == "a is empty."
    assert caught.value.__traceback__ is not None
    assert kept.__traceback__ is None
    assert kept.__cause__ is None
    assert kept.__context__ is None


def test_attributes_are_facts() -> None:
    error = SeveralFaces(Path("a.png"), 3)
    assert (error.path, error.faces, error.reason) == (Path("a.png"), 3, "shows 3 faces")
    assert isinstance(NoFacePasses(Path("a.png"), 40.0, 0.0), NoFace)
    assert "3 of 5 samples" in str(NotEncoded(5, 2, "an-encoder"))


class TestAdvice:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (NoFace(PIC), "another folder, then `gallery enroll THAT --cropped`."),
            (
                SeveralFaces(PIC, 2),
                "a shows 2 faces; cut out the one that is meant, or give --largest.",
            ),
            (
                NoFacePasses(PIC, 0, 0, portrait=True),
                "a shows no face that is upright and from the front; give another picture, or "
                "leave out --portrait.",
            ),
            (
                NoFacePasses(PIC, 40, 0.5, portrait=True),
                "from the front of at least 40 pixels and quality 0.5; give another picture, or "
                "leave out --portrait --min-face 40 --min-quality 0.5.",
            ),
            (
                NoFacePasses(PIC, 40, 0),
                "of at least 40 pixels; give a better picture, or ask for less than --min-face 40.",
            ),
            (
                NoSuchCharacter("Ray"),
                "No character is called Ray; `gallery characters` lists them.",
            ),
            (NoSuchCharacter("Ray", ("Rei", "Roy")), "called Ray; did you mean Rei or Roy?"),
            (
                NameTaken("Rei A", "Asuka"),
                "exists already; `gallery merge 'Rei A' Asuka` makes them one.",
            ),
            (
                MissingNetwork("a", None, "http://x"),
                "is not on this machine: run `gallery models fetch a`.",
            ),
            (MissingNetwork("a"), ": add its file with `gallery models add FILE --name a`."),
            (
                MissingNetwork("a", "human"),
                ": it comes with the Python package human; install that.",
            ),
            (
                DamagedNetwork("a", PIC, MissingNetwork("a")),
                "delete it, and add its file with `gallery models add FILE --name a`.",
            ),
            (NotAGallery(PIC), "a is not a gallery database; name another with --database."),
            (NotAGallery(PIC, "is a folder", "give a file"), "a is a folder; give a file."),
            (
                BadSetting("since", "x is none", "give one"),
                "x is none; give --since 2026-11-01, 36h, 7d or 2w.",
            ),
            (BadSetting("top", "0 is none", "it is 1 or more"), "0 is none; it is 1 or more."),
        ],
    )
    def test_the_command_line_says_which_command_or_option(
        self, error: GalleryError, said: str
    ) -> None:
        assert advice.told(error).endswith(said)

    def test_every_option_and_command_in_it_is_one(self) -> None:
        texts = [one for one in advice.ADVICE.values() if isinstance(one, str)]
        texts += [*advice.SETTINGS.values(), *(advice.told(made(kind)) for kind in LEAVES)]
        named = {one for text in texts for one in re.findall(r"(?<![\w-])--[a-z][\w-]*", text)}
        assert named <= options()
        assert named
        commands = {word for text in texts for word in re.findall(r"`gallery (\w+)", text)}
        assert commands <= set(get_command(app).commands)  # type: ignore[attr-defined]


def options() -> set[str]:
    """Every long option of the command line."""

    def below(command: Any) -> Iterator[str]:
        for parameter in command.params:
            yield from (name for name in parameter.opts if name.startswith("--"))
        for one in getattr(command, "commands", {}).values():
            yield from below(one)

    return set(below(get_command(app)))


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """The string literals of a file with their lines, but for docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documented
        ):
            yield node.lineno, node.value


def test_below_the_command_line_no_text_names_a_command_or_an_option() -> None:
    named = re.compile(
        "|".join(["`gallery ", *(rf"(?<![\w-]){one}(?![\w-])" for one in sorted(options()))])
    )
    found: dict[str, list[int]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        lines = [line for line, text in texts_of(path) if named.search(text)]
        if lines and inside.parts[0] != "cli":
            found[inside.as_posix()] = lines
    assert found.keys() == SHOWN.keys(), f"cli/advice.py is the place for it: {found}"


class TestDatabase:
    """SQLite's codes, not its sentences, say what happened."""

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (sqlite3.SQLITE_FULL, FullDisk),
            (sqlite3.SQLITE_BUSY_SNAPSHOT, BusyDatabase),
            (sqlite3.SQLITE_LOCKED, BusyDatabase),
            (sqlite3.SQLITE_READONLY_DBMOVED, ReadOnlyDatabase),
            (sqlite3.SQLITE_CANTOPEN, UnreadableDatabase),
            (sqlite3.SQLITE_CORRUPT_VTAB, DamagedDatabase),
            (sqlite3.SQLITE_NOTADB, DamagedDatabase),
            (sqlite3.SQLITE_ERROR, DatabaseFailed),
            (None, DatabaseFailed),
        ],
    )
    def test_a_code_has_its_class(self, code: int | None, kind: type[DatabaseFailed]) -> None:
        error = sqlite3.OperationalError("a table is full, locked, readonly and malformed")
        if code is not None:
            error.sqlite_errorcode = code
        with pytest.raises(DatabaseFailed) as caught, explained(Path("x.db")):
            raise error
        assert type(caught.value) is kind
        assert caught.value.path == Path("x.db")

    @pytest.mark.parametrize(
        ("number", "kind", "text"),
        [
            (errno.ENOSPC, FullDisk, "is full; make room"),
            (errno.EIO, UnreadableDatabase, "its disk answers with an error; check the disk"),
            (None, UnreadableDatabase, "its disk answers with an error; check the disk"),
        ],
    )
    def test_an_error_of_the_disk_is_a_full_one_where_nothing_more_can_be_written(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        number: int | None,
        kind: type[DatabaseFailed],
        text: str,
    ) -> None:
        def refuse(_path: Path, _content: bytes) -> int:
            if number is not None:
                raise OSError(number, "no")
            return 0

        monkeypatch.setattr(Path, "write_bytes", refuse)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        with pytest.raises(DatabaseFailed, match=text) as caught, explained(tmp_path / "x.db"):
            raise error
        assert type(caught.value) is kind
        assert list(tmp_path.iterdir()) == []

    def test_the_driver_gives_codes(self, tmp_path: Path) -> None:
        path = tmp_path / "x.db"
        first, second = (sqlite3.connect(path, timeout=0) for _ in range(2))
        first.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BusyDatabase), explained(path):
            second.execute("BEGIN IMMEDIATE")
        first.close()
        second.close()
        path.write_bytes(b"no database at all" * 100)
        with pytest.raises(DamagedDatabase), explained(path):
            sqlite3.connect(path).execute("SELECT * FROM sqlite_schema")
        with pytest.raises(UnreadableDatabase), explained(tmp_path):
            sqlite3.connect(tmp_path)


def test_classes_are_made_whole_by_several_threads_at_once() -> None:
    program = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from pathlib import Path\n"
        "from gallery.errors import NoFacePasses, SeveralFaces, SamePicture\n"
        "with ThreadPoolExecutor(16) as pool:\n"
        "    said = set(pool.map(lambda _: str(SeveralFaces(Path('a'), 2)), range(400)))\n"
        "print(len(said))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
