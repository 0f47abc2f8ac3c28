"""A gallery on a server, by the commands: what docs/machines.md says, and what is in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import ROOT, Done, call
from fakes import Square, write_picture
from postgres import OWNER, PASSWORD, Server

PAGE = ROOT / "docs" / "machines.md"
SQL = re.compile(r"^```sql\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MADE, GRANTED = SQL.findall(PAGE.read_text(encoding="utf-8"))

COLOURS = {"Rei": (220, 20, 20), "綾波": (20, 20, 220), "Asuka": (20, 200, 20)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where indexes of galleries on a server are kept."""
    monkeypatch.setenv("GALLERY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for row, (name, colour) in enumerate(COLOURS.items()):
        for number in range(2):
            place = tmp_path / "characters" / name / f"{number}.png"
            write_picture(place, Square(10 + number, 10, 60, colour), seed=10 * row + number)
    return tmp_path / "characters"


def one_by_one(statements: str) -> Iterator[str]:
    yield from (one for one in statements.split(";") if one.strip())


@pytest.fixture
def told(server: Server) -> Iterator[dict[str, str]]:
    """The database that the page makes: its URLs by user."""
    for statement in one_by_one(MADE):
        server.run(statement)
    keeper = server.url("gallery", "keeper", "one that you choose")
    yield {"keeper": keeper, "labeller": server.url("gallery", "labeller", "another one")}
    server.run("DROP DATABASE gallery WITH (FORCE)")
    for role in ("labeller", "keeper"):
        server.run(f"DROP ROLE IF EXISTS {role}")


def grant(server: Server, url: str) -> None:
    """Do as the keeper what the page says of others' rights."""
    import psycopg

    server.run("ALTER ROLE keeper CREATEROLE")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in one_by_one(GRANTED):
            connection.execute(statement.encode())
    connection.close()


def gallery(url: str, *words: str | Path, cwd: Path, code: int = 0) -> Done:
    done = call(*words, cwd=cwd, database=url)
    assert done.code == code, done.stderr
    return done


@pytest.mark.slow
def test_the_page_sets_up_what_everybody_works_with(
    server: Server, told: dict[str, str], folder: Path, cache: Path, tmp_path: Path
) -> None:
    keeper, labeller = told["keeper"], told["labeller"]
    gallery(keeper, "enroll", folder, "--cropped", cwd=tmp_path)
    grant(server, keeper)
    for url in (keeper, labeller):
        shown = gallery(url, "characters", "--json", cwd=tmp_path).stdout
        assert all(name in shown for name in COLOURS)
    picture = folder / "Rei" / "0.png"
    gallery(labeller, "label", picture, "--cropped", "--out", "out.jsonl", cwd=tmp_path)
    said = gallery(labeller, "identify", picture, "--cropped", "--json", cwd=tmp_path).stdout
    assert '"character": "Rei"' in said
    gallery(labeller, "confirm", "face:1", "--as", "Rei", cwd=tmp_path)
    assert "confirmed 1 as Rei" in gallery(labeller, "decisions", "--steps", cwd=tmp_path).stdout
    gallery(labeller, "undo", cwd=tmp_path)
    gallery(labeller, "rename", "Asuka", "Rei II", cwd=tmp_path)
    assert "is sound: 3 characters" in gallery(keeper, "doctor", cwd=tmp_path).stdout
    gallery(keeper, "export", "all.zip", cwd=tmp_path)
    gallery(keeper, "backup", "copy.db", cwd=tmp_path)
    assert "Rei II" in gallery("copy.db", "characters", "--json", cwd=tmp_path).stdout
    complaint = gallery(keeper, "restore", "copy.db", cwd=tmp_path, code=1).complaint
    assert "is on a server" in complaint
    empty = server.url(server.empty())
    gallery(empty, "import", "all.zip", cwd=tmp_path)
    assert "Rei II" in gallery(empty, "characters", "--json", cwd=tmp_path).stdout
    assert len([*(cache / "indexes").glob("*/*.json")]) >= 1


def test_a_copy_goes_there_and_back_by_the_command(
    server: Server, folder: Path, tmp_path: Path
) -> None:
    url = server.url(server.empty())
    gallery("one.db", "enroll", folder, "--cropped", cwd=tmp_path)
    done = gallery("nowhere.db", "copy", "one.db", url, cwd=tmp_path)
    assert "3 characters, 6 samples" in done.stderr
    gallery("nowhere.db", "copy", url, "two.db", cwd=tmp_path)
    shown = [
        gallery(one, "characters", "--json", cwd=tmp_path).stdout
        for one in ("one.db", url, "two.db")
    ]
    assert shown[0] == shown[1] == shown[2]
    gallery(url, "forget", "Rei", "--yes", cwd=tmp_path)
    refused = gallery("nowhere.db", "copy", "one.db", url, cwd=tmp_path, code=1)
    assert "holds a gallery already" in refused.complaint


class TestBadInput:
    """One sentence each, exit code 1, and no password anywhere."""

    @pytest.fixture
    def filled(self, server: Server) -> str:
        return server.gallery()

    def refused(self, url: str, tmp_path: Path, *words: str) -> str:
        done = call(*(words or ("characters",)), cwd=tmp_path, database=url)
        assert done.code == 1
        for secret in (PASSWORD, PASSWORD.replace(" ", "%20"), "wrong one"):
            assert secret not in done.stderr + done.stdout
        return done.complaint

    def test_a_wrong_password_and_a_user_that_nobody_knows(
        self, server: Server, filled: str, tmp_path: Path
    ) -> None:
        name = filled.rpartition("/")[2]
        for user in (OWNER, "nobody"):
            said = self.refused(server.url(name, user, "wrong one"), tmp_path)
            assert said.endswith(
                "does not let this user in; check user and password, which PGPASSWORD or the file "
                ".pgpass can hold."
            )
            assert f"postgresql://{user}@127.0.0.1:{server.port}/{name}" in said

    def test_no_password(self, server: Server, filled: str, tmp_path: Path) -> None:
        said = self.refused(filled.replace(f":{PASSWORD.replace(' ', '%20')}", ""), tmp_path)
        assert "does not let this user in" in said

    def test_a_database_that_is_not_there(self, server: Server, tmp_path: Path) -> None:
        said = self.refused(server.url("nothing"), tmp_path)
        assert "is not on its server; make it with createdb" in said

    def test_an_empty_database(self, server: Server, tmp_path: Path) -> None:
        said = self.refused(server.url(server.empty()), tmp_path)
        assert "There is no gallery at postgresql://" in said

    def test_a_server_that_is_not_there(self, server: Server, tmp_path: Path) -> None:
        url = server.url("gallery").replace(str(server.port), "1")
        assert "cannot be reached" in self.refused(url, tmp_path)
        assert "cannot be reached" in self.refused("postgresql://owner@nowhere.invalid/x", tmp_path)

    def test_a_database_of_another_program(
        self, server: Server, folder: Path, tmp_path: Path
    ) -> None:
        name = server.empty()
        server.run("CREATE TABLE alembic_version (version_num varchar)", name)
        said = self.refused(server.url(name), tmp_path, "enroll", str(folder), "--cropped")
        assert "is a database of another program" in said

    def test_a_database_of_a_newer_version(
        self, server: Server, filled: str, tmp_path: Path
    ) -> None:
        server.run("UPDATE alembic_version SET version_num = '9999'", filled.rpartition("/")[2])
        assert "newer version of gallery" in self.refused(filled, tmp_path)

    def test_a_database_that_keeps_no_names(
        self, server: Server, folder: Path, tmp_path: Path
    ) -> None:
        name = server.empty("template0", "ENCODING 'LATIN1' LOCALE 'C'")
        said = self.refused(server.url(name), tmp_path, "enroll", str(folder), "--cropped")
        assert "keeps its texts as LATIN1" in said

    def test_a_user_without_rights(
        self, server: Server, told: dict[str, str], folder: Path, tmp_path: Path
    ) -> None:
        server.run("CREATE ROLE labeller LOGIN PASSWORD 'another one'")
        said = self.refused(told["labeller"], tmp_path, "enroll", str(folder), "--cropped")
        assert "may not make tables in it; let its owner open it first" in said
        gallery(told["keeper"], "enroll", folder, "--cropped", cwd=tmp_path)
        assert "does not give this user the rights" in self.refused(told["labeller"], tmp_path)
        for table in server.run(
            "SELECT tablename FROM pg_tables WHERE schemaname='public'", "gallery"
        ):
            server.run(f"GRANT SELECT ON {table[0]} TO labeller", "gallery")
        picture = folder / "Rei" / "0.png"
        words = ("label", picture, "--cropped", "--out", "out.jsonl")
        gallery(told["labeller"], *words, cwd=tmp_path)
        assert gallery(told["labeller"], "characters", "--json", cwd=tmp_path).stdout.count("Rei")
        said = self.refused(told["labeller"], tmp_path, "rename", "Rei", "Misato")
        assert "does not give this user the rights for that; ask its owner for them" in said
        server.run("DROP OWNED BY labeller", "gallery")
