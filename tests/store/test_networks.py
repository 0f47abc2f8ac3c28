"""A gallery's file on a network file system: refused with the cure, unless one process has it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command import call
from fakes import new_sample

from gallery.errors import BusyDatabase, NetworkPlace
from gallery.store.reader import Store
from gallery.system import mounts

SHARE = "a share"


def mount(kind: str, folder: Path, table: Path) -> None:
    """Write a table in which a folder's share is of a kind, and all else a disk."""
    place = str(folder / SHARE).replace(" ", r"\040")
    lines = [
        "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
        f"30 21 0:40 / {folder / 'a'} rw - nfs4 server:/else rw",
        f"31 21 0:41 / {place} rw shared:2 master:1 - {kind} server:/pictures rw,vers=4.2",
        "nothing",
    ]
    table.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mountinfo"
    monkeypatch.setattr(mounts, "TABLE", path)
    mount("nfs4", tmp_path, path)
    return path


@pytest.mark.parametrize(
    ("system", "is_network"),
    [
        *((one, True) for one in ("nfs", "nfs4", "cifs", "smb3", "fuse", "fuse.sshfs", "ceph")),
        *((one, False) for one in ("ext4", "btrfs", "fuseblk", "fuse.fuse-overlayfs", "tmpfs")),
    ],
)
def test_the_kind_of_a_mount_tells(
    system: str, is_network: bool, tmp_path: Path, table: Path
) -> None:
    mount(system, tmp_path, table)
    expected = system if is_network else None
    assert mounts.network_of(tmp_path / SHARE / "new" / "gallery.db") == expected
    assert mounts.network_of(tmp_path / "gallery.db") is None
    # A mount over it counts, and so does where a link leads.
    (tmp_path / "link").symlink_to(tmp_path / SHARE)
    assert mounts.network_of(tmp_path / "link" / "gallery.db") == expected
    with table.open("a", encoding="utf-8") as file:
        file.write(
            "\n40 31 8:2 / " + str(tmp_path / SHARE).replace(" ", r"\040") + " rw - xfs x rw"
        )
    assert mounts.network_of(tmp_path / SHARE / "gallery.db") is None


def test_without_a_table_nothing_is_refused(tmp_path: Path, table: Path) -> None:
    table.unlink()
    assert mounts.network_of(tmp_path / SHARE / "gallery.db") is None


def test_a_file_on_a_network_is_refused_unless_one_process_has_it(
    tmp_path: Path, table: Path
) -> None:
    path = tmp_path / SHARE / "gallery.db"
    with pytest.raises(NetworkPlace, match=r"network file system \(nfs4\).*to a PostgreSQL server"):
        Store(str(path), create=True)
    assert not path.parent.exists()
    with Store(str(path), create=True, exclusive=True) as store:
        with store.writing() as writer:
            writer.add(new_sample("Rei", 1))
        assert sorted(one.name for one in path.parent.iterdir()) == ["gallery.db"]
        assert store.character("Rei").samples == 1
        assert store.check() == []
    with pytest.raises(NetworkPlace):
        Store(str(path))


def test_a_gallery_that_comes_to_a_network_leaves_its_write_ahead_log(database: Path) -> None:
    with Store(str(database), create=True) as store, store.writing() as writer:
        writer.add(new_sample("Rei", 1))
    with Store(str(database), exclusive=True) as store:
        with store.writing() as writer:
            writer.add(new_sample("Rei", 2))
        assert store.character("Rei").samples == 2
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    with Store(str(database)) as store, store.writing() as writer:
        writer.add(new_sample("Rei", 3))
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.slow
def test_one_that_others_have_open_is_not_taken_from_them(database: Path) -> None:
    with Store(str(database), create=True) as store:
        with store.writing() as writer:
            writer.add(new_sample("Rei", 1))
        with pytest.raises(BusyDatabase):
            Store(str(database), exclusive=True)
        assert store.character("Rei").samples == 1


def test_the_command_line_says_so_and_takes_the_option_anywhere(
    tmp_path: Path, table: Path
) -> None:
    path = tmp_path / SHARE / "gallery.db"
    refused = call("characters", cwd=tmp_path, database=path)
    assert refused.complaint.endswith(
        "move it to a disk of this machine, `gallery copy` it to a PostgreSQL server, or give "
        "--exclusive where one process alone uses it."
    )
    Store(str(path), create=True, exclusive=True).close()
    assert call("characters", "--exclusive", cwd=tmp_path, database=path).code == 0
    for words, code in ((("--exclusive",), 0), ((), 1)):
        assert call("copy", path, "here.db", *words, cwd=tmp_path).code == code
    assert "network file system (nfs4)" in call("doctor", cwd=tmp_path, database=path).stdout
    said = call("--exclusive", "doctor", cwd=tmp_path, database=path).stdout
    assert "on a network (nfs4), for one process alone" in said
