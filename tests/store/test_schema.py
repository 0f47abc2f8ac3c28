"""Opening databases of every kind, migrations, and back-ups."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from fakes import new_sample, vector
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from gallery.errors import GalleryError, InputError, NoGallery, SetupError, StoreError
from gallery.settings import bundled
from gallery.store import schema
from gallery.store.addresses import address_of
from gallery.store.reader import Store
from gallery.store.schema import open_database
from gallery.store.steps import Action
from gallery.store.tables import metadata
from gallery.system.files import absolute
from gallery.types import Decided, FaceState

ASSETS = Path(__file__).parents[1] / "assets"

SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both are made anew: others point to them, and with them goes what was deleted on cascade.
    with op.batch_alter_table("characters", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("studio", sa.String(), nullable=True))
    with op.batch_alter_table("samples", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("score", new_column_name="likelihood")
"""

FAILING = (
    SECOND
    + """
    op.drop_table("crops")
    raise RuntimeError("no")
"""
)

ORPHANING = (
    SECOND
    + """
    op.get_bind().exec_driver_sql("DELETE " "FROM characters")
"""
)


def fill(path: Path, count: int = 6) -> None:
    with Store(str(path), create=True) as store, store.writing() as writer:
        for number in range(count):
            writer.add(new_sample(("Rei", "Asuka")[number % 2], number))
        writer.rename("Rei", "Yui")


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)  # noqa: S608
            for (name,) in tables.fetchall()
            if name not in ("alembic_version", "sqlite_sequence")
        }


def migrations_with(folder: Path, script: str) -> Path:
    """A copy of the migrations with one more."""
    copy = folder / "migrations % with" / "odd letters"
    shutil.copytree(bundled("migrations"), copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "0015_second.py").write_text(script, encoding="utf-8")
    return copy


def test_a_migrated_database_is_what_the_tables_say(database: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = open_database(database, create=True)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_migrated_database_has_the_keys_and_cascades_that_the_tables_have(
    database: Path, tmp_path: Path
) -> None:
    open_database(database, create=True).dispose()
    direct = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    metadata.create_all(direct)
    direct.dispose()

    def described(path: Path) -> dict[str, object]:
        with closing(sqlite3.connect(path)) as connection:
            statements = dict(
                connection.execute(
                    "SELECT name, sql FROM sqlite_schema WHERE type = 'table' "
                    "AND name NOT IN ('alembic_version', 'sqlite_sequence')"
                ).fetchall()
            )
            return {
                name: (
                    connection.execute(f"PRAGMA table_info({name})").fetchall(),
                    sorted(
                        row[2:]
                        for row in connection.execute(f"PRAGMA foreign_key_list({name})").fetchall()
                    ),
                    "AUTOINCREMENT" in statement,
                    "DEFERRED" in statement,
                )
                for name, statement in statements.items()
            }

    assert described(database) == described(tmp_path / "direct.db")


def test_the_newest_migration_is_the_one_the_code_names() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(bundled("migrations")))
    assert scripts.get_heads() == [schema.HEAD]


def test_an_older_database_is_backed_up_then_upgraded_and_keeps_everything(
    database: Path, tmp_path: Path
) -> None:
    fill(database)
    before = rows(database)
    open_database(database, create=False, migrations=migrations_with(tmp_path, SECOND)).dispose()
    after = rows(database)
    assert [row[:5] for row in after["characters"]] == before["characters"]
    assert {name: content for name, content in after.items() if name != "characters"} == {
        name: content for name, content in before.items() if name != "characters"
    }
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("SELECT studio, name FROM characters")
        connection.execute("SELECT likelihood FROM samples")
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    (copy,) = database.parent.glob(f"gallery.db.{schema.HEAD}-*")
    assert rows(copy) == before


def test_foreign_keys_hold_again_after_an_upgrade(database: Path, tmp_path: Path) -> None:
    fill(database)
    engine = open_database(database, create=False, migrations=migrations_with(tmp_path, SECOND))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


@pytest.mark.parametrize("script", [FAILING, ORPHANING])
def test_a_migration_that_fails_leaves_the_database_as_it_was(
    database: Path, tmp_path: Path, script: str
) -> None:
    fill(database)
    before = rows(database)
    with pytest.raises((RuntimeError, StoreError)):
        open_database(database, create=False, migrations=migrations_with(tmp_path, script))
    assert rows(database) == before
    with Store(str(database)) as store:
        assert store.character("Rei").samples == 3
        assert store.check() == []


def test_a_database_of_a_newer_version_is_refused_with_the_cure(
    database: Path, tmp_path: Path
) -> None:
    fill(database)
    open_database(database, create=False, migrations=migrations_with(tmp_path, SECOND)).dispose()
    before = rows(database)
    with pytest.raises(StoreError, match="newer version of gallery; bring this one up to date"):
        Store(str(database))
    assert rows(database) == before


def test_an_older_database_that_cannot_be_written_is_refused_unchanged(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database)
    before = database.read_bytes()
    monkeypatch.setattr(schema, "is_writable", lambda _path: False)
    with pytest.raises(StoreError, match="older version and cannot be written"):
        open_database(database, create=False, migrations=migrations_with(tmp_path, SECOND))
    assert database.read_bytes() == before


def test_nothing_there_is_an_input_error_that_says_how_to_make_one(database: Path) -> None:
    with pytest.raises(NoGallery, match="enroll a folder to make one") as caught:
        Store(str(database))
    assert isinstance(caught.value, InputError)
    assert caught.value.path == database
    assert not database.exists()


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    path = tmp_path / "ギャラリー" / "a b" / "gallery.db"
    Store(str(path), create=True).close()
    assert path.exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises((StoreError, InputError)):
        Store(str(tmp_path / "file" / "sub" / "gallery.db"), create=True)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        Store(str(tmp_path), create=True)


@pytest.mark.parametrize("content", [b"Hello, this is text.\n", b"x", b"\x89PNG\r\n" + bytes(5000)])
def test_a_file_of_another_kind_is_refused_and_stays(database: Path, content: bytes) -> None:
    database.write_bytes(content)
    with pytest.raises(StoreError, match="is not a gallery database"):
        Store(str(database), create=True)
    assert database.read_bytes() == content
    assert list(database.parent.iterdir()) == [database]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE photos (id INTEGER)",
        "CREATE TABLE characters (id INTEGER)",
        "CREATE TABLE alembic_version (version_num VARCHAR)",
        "PRAGMA application_id = 7",
    ],
)
def test_another_programs_sqlite_database_is_refused_and_stays(
    database: Path, statement: str
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 1")
        connection.execute(statement)
        connection.commit()
    content = database.read_bytes()
    with pytest.raises(StoreError, match="of another program"):
        Store(str(database), create=True)
    assert database.read_bytes() == content


def test_an_empty_file_becomes_a_gallery(database: Path) -> None:
    database.touch()
    with Store(str(database)) as store:
        assert store.characters() == []


def test_a_file_with_nothing_but_a_header_is_an_error_not_a_crash(database: Path) -> None:
    database.write_bytes(b"SQLite format 3\x00")
    with pytest.raises(StoreError, match="damaged"):
        Store(str(database))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "gallery.db"
    fill(path, 12)
    return path


def use(path: Path) -> None:
    """Read everything and write something, as a user would."""
    with Store(str(path)) as store:
        store.check()
        store.characters()
        samples = store.samples("fake")
        store.crops([sample.id for sample in samples])
        store.vectors("fake")
        store.labels()
        store.known_files()
        store.unencoded("fake")
        with store.writing() as writer:
            writer.add(new_sample("Misato", 500))
            writer.describe(samples[0].id, "second", vector(1))


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), count=st.sampled_from([1, 3, 30, 300]))
def test_a_damaged_database_gives_an_error_for_the_user_or_works(
    sound: Path, database: Path, seed: int, count: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 - damage, not a secret
    damaged = bytearray(sound.read_bytes())
    for _ in range(count):
        damaged[draw.randrange(16, len(damaged))] = draw.randrange(256)
    path = database.with_name(f"{seed}-{count}.db")
    path.write_bytes(damaged)
    with contextlib.suppress(GalleryError):
        use(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_database_cut_short_is_an_error_that_says_so(
    sound: Path, database: Path, share: float
) -> None:
    content = sound.read_bytes()
    database.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreError, match="damaged"):
        use(database)


def test_a_page_of_zeros_in_the_middle_is_found(sound: Path, database: Path) -> None:
    content = sound.read_bytes()
    middle = len(content) // 2 // 4096 * 4096
    database.write_bytes(content[:middle] + bytes(4096 * 4) + content[middle + 4096 * 4 :])
    try:
        with Store(str(database)) as store:
            found = store.check()
    except StoreError as error:
        found = [str(error)]
    assert found


def test_paths_and_sqlite_urls_name_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert address_of("a.db").path == tmp_path / "a.db"
    assert address_of("sqlite:///a.db").path == tmp_path / "a.db"
    assert address_of(f"sqlite:///{tmp_path}/a b.db").path == tmp_path / "a b.db"
    assert address_of("~/a.db").path == Path.home() / "a.db"
    assert address_of("sqlite://").path is None
    assert address_of("sqlite:///:memory:").path is None
    with Store("sqlite:///a.db", create=True) as store:
        assert store.path == tmp_path / "a.db"
    assert (tmp_path / "a.db").exists()


@pytest.mark.parametrize("where", ["mysql://a/b", "postgresql+asyncpg://a/b"])
def test_another_kind_of_database_is_refused(where: str) -> None:
    with pytest.raises(SetupError, match="are not supported"):
        Store(where, create=True)


@pytest.mark.parametrize("where", ["://", "nothing known://x", "1://"])
def test_what_is_no_url_is_refused(where: str) -> None:
    with pytest.raises((InputError, SetupError)):
        Store(where, create=True)


def test_a_back_up_is_one_file_that_opens(database: Path, tmp_path: Path) -> None:
    fill(database)
    target = tmp_path / "back-ups" / "copy.db"
    with Store(str(database)) as store:
        store.back_up(target)
        assert [path.name for path in target.parent.iterdir()] == ["copy.db"]
        with Store(str(target)) as copy:
            assert copy.samples("fake") == store.samples("fake")


def test_a_back_up_never_overwrites(database: Path, tmp_path: Path) -> None:
    fill(database)
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with Store(str(database)) as store, pytest.raises(StoreError, match="exists already"):
        store.back_up(target)
    assert target.read_text() == "precious"


def test_a_back_up_that_cannot_be_written_leaves_nothing(database: Path, tmp_path: Path) -> None:
    fill(database)
    (tmp_path / "file").write_text("x")
    with Store(str(database)) as store, pytest.raises(StoreError, match="cannot be written"):
        store.back_up(tmp_path / "file" / "copy.db")
    assert sorted(path.name for path in tmp_path.iterdir() if "gallery.db" not in path.name) == [
        "file"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no limit for files")
def test_a_back_up_that_finds_no_room_leaves_nothing(database: Path, tmp_path: Path) -> None:
    import resource

    fill(database, 30)
    folder = tmp_path / "small"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Store(str(database)) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
        try:
            with pytest.raises(StoreError):
                store.back_up(folder / "copy.db")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert list(folder.iterdir()) == []
        store.back_up(folder / "copy.db")


@pytest.fixture(params=[f"{number:04}" for number in range(1, 11)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    shutil.copyfile(ASSETS / f"gallery-{request.param}.db", path)
    return path


DECISIONS = {"decided_faces", "decision_names", "decision_steps", "decisions"}


def test_migrating_an_old_version_keeps_every_ideal_and_best(kept: Path) -> None:
    before = rows(kept)
    with Store(str(kept)) as store:
        assert store.check() == []
    after = rows(kept)
    for name, content in before.items():
        # Columns were added behind the older ones.
        width = len(content[0]) if content else 0
        assert [row[:width] for row in after[name]] == content
    # What was rejected is decided, and what was seen has an answer to come.
    decided = DECISIONS if before.get("rejections") else set()
    answered = {"answers", "answer_counts"} if before.get("sightings") else set()
    noted = {"changes", "sample_counts"}
    assert {name for name, content in after.items() if content} == decided | answered | noted | {
        name for name, content in before.items() if content
    }
    (copy,) = kept.parent.glob("old.db.00[01][0-9]-*")
    assert rows(copy) == before


def test_a_database_of_an_old_version_opens_is_read_and_written(kept: Path) -> None:
    with Store(str(kept)) as store:
        assert {one.name: one.samples for one in store.characters()} == {
            "Noise": 1,
            "Rei": 1,
            "綾波レイ": 2,
        }
        assert store.character("Ayanami").name == "綾波レイ"
        samples = store.samples("fake")
        assert len(store.vectors("fake").sample_ids) == len(samples) == 4
        assert sum(sample.is_best for sample in samples) == 3
        # What was never measured counts as good.
        assert {(sample.quality, sample.is_poor) for sample in samples} == {(None, False)}
        assert store.unmeasured([1, 2, 3, 4]).keys() == {1, 2, 3, 4}
        assert all(png.startswith(b"\x89PNG") for png in store.crops([1, 2, 3, 4]).values())
        with store.writing() as writer:
            added = writer.add(new_sample("Ayanami", 77))
        # Number 5 was forgotten when the file was made.
        assert added is not None
        assert added > 5
        assert store.character("綾波レイ").samples == 3
        assert store.check() == []


def test_what_version_0003_saw_is_seen_as_faces_of_pictures(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    shutil.copyfile(ASSETS / "gallery-0003.db", path)
    with Store(str(path)) as store:
        (face,) = store.sightings.all()
        assert (face.path, face.cluster, face.track) == (Path("/seen.png"), 7, None)
        assert [one.path for one in store.sightings.pictures()] == [Path("/seen.png")]
        assert store.sightings.videos.all() == []
        assert store.sightings.videos.shots() == []
        assert [one.character for one in store.rejections.all()] == ["Rei"]


def test_what_was_rejected_before_decisions_were_kept_is_decided_and_can_be_undone(
    kept: Path,
) -> None:
    with Store(str(kept)) as store:
        if not store.rejections.all() or list(kept.parent.glob("old.db.00[01][0789]-*")):
            return
        (face,) = store.decisions.faces()
        assert face.state == FaceState(Decided.NOT_THIS, None, ("Rei",))
        (step,) = store.decisions.steps()
        assert (step.action, step.made_at, step.faces) == (Action.FOUND, None, 1)
        with store.writing() as writer:
            assert writer.decisions.newest() is None
            assert writer.decisions.undo(step.id, "").restored == 1
        assert store.rejections.all() == []


def test_two_names_rejected_for_one_face_are_decided_of_one(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    shutil.copyfile(ASSETS / "gallery-0006.db", path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO rejections SELECT 9, 1, digest, path, 2, top, right, bottom, crop "
            "FROM rejections"
        )
        connection.commit()
    with Store(str(path)) as store:
        (face,) = store.decisions.faces()
        assert face.state.not_these == ("Rei", "綾波レイ")
        first, last = reversed(store.decisions.steps())
        with store.writing() as writer:
            writer.decisions.undo(last.id, "")
            assert [one.character for one in store.rejections.all()] == ["Rei", "綾波レイ"]
        assert [one.character for one in store.rejections.all()] == [first.character]


DOTTED = """
INSERT INTO pictures SELECT '/x/../seen.png', :digest, file_size, modified_ns + :later, 5, 5, 0,
    NULL FROM pictures;
INSERT INTO pictures VALUES ('/a/./b/../only.png', NULL, NULL, NULL, NULL, NULL, 0, 'torn');
INSERT INTO pictures VALUES ('C:\\a\\..\\other.png', NULL, NULL, NULL, NULL, NULL, 0, 'torn');
INSERT INTO videos SELECT '/x/../seen.mkv', digest, file_size, modified_ns, 5, 5, asked_from,
    asked_to, every, 0, NULL FROM videos;
INSERT INTO files VALUES ('/x/../p/1.png', 7, 1, 'old'), ('/p/1.png', 8, 2, 'new');
UPDATE sightings SET path = '/x/../seen.png', cluster = 7 WHERE path = '/seen.png';
UPDATE rejections SET path = '/x/../seen.png';
UPDATE samples SET path = '/x/..' || path;
"""


@pytest.mark.parametrize(
    ("digest", "later", "width"),
    [("1" * 64, 1, 5), ("1" * 64, -1, 160), (None, 1, 160)],
    ids=["dotted one last", "dotted one first", "dotted one unread"],
)
def test_a_file_that_was_named_with_dots_is_kept_once_and_what_a_person_said_stays(
    tmp_path: Path, digest: str | None, later: int, width: int
) -> None:
    path = tmp_path / "old.db"
    shutil.copyfile(ASSETS / "gallery-0004.db", path)
    said = DOTTED.replace(":later", str(later)).replace(
        ":digest", f"'{digest}'" if digest else "NULL"
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(said)
    before = rows(path)
    with Store(str(path)) as store:
        pictures = {str(one.path): one.width for one in store.sightings.pictures()}
        assert pictures == {"/seen.png": width, "/a/only.png": None, "C:\\a\\..\\other.png": None}
        assert [(str(one.path), one.is_whole) for one in store.sightings.videos.all()] == [
            ("/seen.mkv", True)
        ]
        assert {str(one.path) for one in store.sightings.all()} == {"/seen.png", "/seen.mkv"}
        assert [str(one.path) for one in store.rejections.all()] == ["/seen.png"]
        assert not any(".." in one.path.parts for one in store.samples("fake"))
        assert store.known_files()["/p/1.png"].digest == "new"
        assert "/x/../p/1.png" not in store.known_files()
        assert store.check() == []
    after = rows(path)
    for name in set(before) - {"alembic_version", "pictures", "videos", "files"}:
        # All but the paths is as it was; later versions add columns behind.
        assert [
            [one for one in row[: len(old)] if "/" not in str(one)]
            for row, old in zip(after[name], before[name], strict=True)
        ] == [[one for one in row if "/" not in str(one)] for row in before[name]]
    (copy,) = path.parent.glob("old.db.0004-*")
    assert rows(copy) == before


def test_a_step_above_a_link_is_taken_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    path = tmp_path / "old.db"
    shutil.copyfile(ASSETS / "gallery-0004.db", path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE pictures SET path = ?", (f"{tmp_path}/link/../seen.png",))
        connection.commit()
    with Store(str(path)) as store:
        (picture,) = store.sightings.pictures()
        assert picture.path == absolute(f"{tmp_path}/link/../seen.png")
        assert picture.path == tmp_path / "real" / "seen.png"
