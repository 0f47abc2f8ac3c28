"""What paths stand for: pictures, videos, what is passed over and what cannot be listed."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from gallery.errors import InputError, NothingFound
from gallery.events import PassedOver, Refused
from gallery.media.folders import files_below
from gallery.media.images import suffixes
from gallery.media.inputs import Media, media_of, pictures_of

SYSTEM_FOLDERS = (
    "@eaDir", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", "$RECYCLE.BIN", "RECYCLER",
    "System Volume Information", "FOUND.000", "__MACOSX", "lost+found", "Network Trash Folder",
    "Catalog Previews.lrdata", "Shoot.cocatalog", "Photos Library.photoslibrary",
    "appdata_ocab12/preview", "files_trashbin", "@SynoResource", "@sharesnap", "~snapshot",
    "$WINDOWS.~BT", "_gsdata_", "[Originals]", "Episode 01.trickplay", "pwg_representative",
)  # fmt: skip


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def below(folder: Path) -> list[str]:
    found = files_below(folder)
    return [str(one.relative_to(folder)) for one in found if isinstance(one, Path)]


def test_files_come_in_order_without_hidden_ones(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.png", "b/10.JPG", "a/x.webp", "a/.hidden.png", "a/._x.webp", ".git/y.png")
    assert below(tmp_path) == ["a/x.webp", "b/10.JPG", "b/2.png"]


def test_folders_linked_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png")
    (tmp_path / "a" / "back").symlink_to(tmp_path, target_is_directory=True)
    assert below(tmp_path) == ["a/1.png"]


@pytest.mark.parametrize("name", SYSTEM_FOLDERS)
def test_folders_of_systems_are_passed_over_at_any_depth(name: str, tmp_path: Path) -> None:
    touch(tmp_path, "Aya/1.png", f"{name}/2.png", f"Aya/{name}/1.png/3.png")
    assert below(tmp_path) == ["Aya/1.png"]


def test_a_system_folder_that_is_named_outright_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, "#recycle/Aya/1.png")
    assert pictures_of([tmp_path / "#recycle"]).pictures == [tmp_path / "#recycle/Aya/1.png"]


def test_what_immich_and_photoprism_keep_for_themselves_is_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "thumbs/.immich", "thumbs/a.webp", "upload/.immich", "upload/b.jpg")
    touch(tmp_path, "storage/.ppstorage", "storage/c.jpg", "mine/thumbs/d.jpg")
    assert below(tmp_path) == ["mine/thumbs/d.jpg", "upload/b.jpg"]


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that cannot be listed, whoever runs the tests."""
    folder = tmp_path / "locked"
    touch(folder, "1.png")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    return folder


def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_goes_on(
    tmp_path: Path, locked: Path
) -> None:
    touch(tmp_path, "a/1.png", "z/2.png")
    found = media_of([tmp_path])
    assert [path.name for path in found.pictures] == ["1.png", "2.png"]
    (refused,) = found.refused
    assert refused.path == locked
    assert "cannot be listed: Permission denied" in refused.reason
    assert list(found.told()) == [refused]


def test_what_lies_in_a_folder_that_cannot_be_entered_is_named_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a/1.png", "locked/2.png")
    inside = tmp_path / "locked" / "2.png"
    stat = os.stat

    def refusing(path: str, **options: bool) -> os.stat_result:
        if Path(path).parent == inside.parent:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refusing)
    # The folder can be listed all the same: what is in it is refused by who reads it.
    assert below(tmp_path) == ["a/1.png", "locked/2.png"]
    found = pictures_of([inside, tmp_path / "a", tmp_path / ("x" * 300)])
    assert [path.name for path in found.pictures] == ["1.png"]
    reasons = [one.reason for one in found.refused]
    assert [reason.rpartition(": ")[2] for reason in reasons] == [
        "Permission denied.",
        "File name too long.",
    ]


def test_a_folder_that_cannot_be_listed_alone_is_the_reason(locked: Path) -> None:
    with pytest.raises(InputError, match="cannot be listed"):
        pictures_of([locked])


def test_files_of_other_formats_are_counted_and_companions_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "1.png", "1.txt", "1.xmp", "Thumbs.db", "desktop.ini", "README")
    touch(tmp_path, "a/2.psd", "b/3.PSD", "4.jpg_large", "5.cbz", "6.mp4", "code.ts")
    (tmp_path / "no-suffix").write_bytes(b"\xff\xd8\xff\xe0")
    found = pictures_of([tmp_path])
    assert found.pictures == [tmp_path / "1.png"]
    expected = {".psd": 2, ".jpg_large": 1, ".cbz": 1, ".mp4": 1, "": 1}
    assert found.passed_over == Counter(expected)
    assert list(found.told()) == [PassedOver(expected)]
    assert ".mp4" not in media_of([tmp_path]).passed_over


def test_a_folder_of_other_formats_alone_says_which(tmp_path: Path) -> None:
    touch(tmp_path, "1.psd", "2.svg")
    with pytest.raises(NothingFound, match=r"holds no picture, only \.psd, \.svg; files ending in"):
        pictures_of([tmp_path])


def test_pictures_are_named_outright_or_by_their_folder_each_once(tmp_path: Path) -> None:
    touch(tmp_path, "1.png", "odd.suffix")
    (tmp_path / "empty").mkdir()
    nowhere = tmp_path / "nowhere"
    found = pictures_of([tmp_path, tmp_path / "1.png", tmp_path / "odd.suffix", nowhere])
    assert [path.name for path in found.pictures] == ["1.png", "odd.suffix"]
    assert [one.reason for one in found.refused] == [f"{nowhere} does not exist."]
    with pytest.raises(InputError, match="does not exist"):
        pictures_of([nowhere])
    with pytest.raises(InputError, match="holds no picture"):
        pictures_of([tmp_path / "empty"])


def test_jpeg_xl_is_counted_where_its_decoder_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "1.png", "2.jxl")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert ".jxl" not in suffixes()
    assert pictures_of([tmp_path]).passed_over == {".jxl": 1}


def test_what_is_refused_comes_before_what_is_passed_over(tmp_path: Path) -> None:
    refused = Refused(tmp_path, "why")
    media = Media(refused=[refused], passed_over=Counter({".psd": 1}))
    assert list(media.told()) == [refused, PassedOver({".psd": 1})]
