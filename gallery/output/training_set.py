"""Training sets: pictures of characters as trainers read them.

- kohya's sd-scripts: folders `10_name` with captions, and `dataset_config.toml`
  (https://github.com/kohya-ss/sd-scripts/blob/main/docs/config_README-en.md).
- Hugging Face's imagefolder: `train/metadata.jsonl` beside the pictures
  (https://huggingface.co/docs/datasets/image_dataset).
- WebDataset: tar files in which files of one stem are one sample
  (https://github.com/webdataset/webdataset).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.output.records import to_line
from gallery.system.file_names import folder_name, path_text

if TYPE_CHECKING:
    from tarfile import TarFile

SHARD = 1000
"""How many pictures a tar file holds."""


class SetFormat(StrEnum):
    """Whose training set it is."""

    KOHYA = "kohya"
    IMAGEFOLDER = "imagefolder"
    WEBDATASET = "webdataset"


class Cut(StrEnum):
    """What of a picture comes into a training set."""

    HEAD = "head"
    """A square 1.5 times as long as the head."""
    BUST = "bust"
    """A square twice as long as the head, with the head near its top: head and shoulders."""
    PICTURE = "picture"
    """All of it."""


@dataclass(frozen=True, slots=True)
class TrainingPicture:
    """One picture of a training set."""

    file: Path
    """Where it lies until it is put in its place."""
    caption: str
    source: Path
    """The picture or video that it was cut out of."""
    time: float | None
    """Seconds of the video; None for a picture."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class TrainingCharacter:
    """A character's pictures."""

    name: str
    tag: str
    """What the character is called in captions."""
    repeats: int
    """How often each picture is shown, so that characters of few pictures are learnt as well."""
    pictures: tuple[TrainingPicture, ...]


def write_set(
    form: SetFormat,
    characters: Sequence[TrainingCharacter],
    folder: Path,
    *,
    place: Path,
    resolution: int,
) -> None:
    """Put pictures into a new folder, which will stand at a place; their files are moved.

    The resolution, in pixels, is what kohya's trainer brings pictures to. Raises OSError where
    something cannot be written.
    """
    folder.mkdir()
    folders = _folders(characters)
    if form is SetFormat.KOHYA:
        _write_kohya(characters, folders, folder, place, resolution)
    elif form is SetFormat.IMAGEFOLDER:
        _write_imagefolder(characters, folders, folder)
    else:
        _write_webdataset(characters, folder)


def _folders(characters: Sequence[TrainingCharacter]) -> list[str]:
    """Return a folder's name for each character, none of which is another's in another case."""
    found: list[str] = []
    for one in characters:
        found.append(folder_name(one.name, frozenset(name.casefold() for name in found)))
    return found


def _write_kohya(
    characters: Sequence[TrainingCharacter],
    folders: Sequence[str],
    folder: Path,
    place: Path,
    resolution: int,
) -> None:
    import tomli_w

    subsets = []
    for one, name in zip(characters, folders, strict=True):
        own = f"{one.repeats}_{name}"
        (folder / "img" / own).mkdir(parents=True)
        for number, picture in enumerate(one.pictures, 1):
            file = folder / "img" / own / f"{number:04d}{picture.file.suffix}"
            picture.file.rename(file)
            file.with_suffix(".txt").write_text(picture.caption, encoding="utf-8")
        subsets.append(
            {
                "image_dir": path_text(place / "img" / own),
                "num_repeats": one.repeats,
                "class_tokens": one.tag,
            }
        )
    config = {
        "general": {"caption_extension": ".txt", "shuffle_caption": True, "keep_tokens": 1},
        "datasets": [{"resolution": resolution, "enable_bucket": True, "subsets": subsets}],
    }
    (folder / "dataset_config.toml").write_text(tomli_w.dumps(config), encoding="utf-8")


def _write_imagefolder(
    characters: Sequence[TrainingCharacter], folders: Sequence[str], folder: Path
) -> None:
    lines = []
    for one, name in zip(characters, folders, strict=True):
        (folder / "train" / name).mkdir(parents=True)
        for number, picture in enumerate(one.pictures, 1):
            inside = f"{name}/{number:04d}{picture.file.suffix}"
            picture.file.rename(folder / "train" / inside)
            lines.append(to_line({"file_name": inside, **_described(one, picture)}) + "\n")
    (folder / "train").mkdir(exist_ok=True)
    (folder / "train" / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


def _write_webdataset(characters: Sequence[TrainingCharacter], folder: Path) -> None:
    import tarfile

    every = [(one, picture) for one in characters for picture in one.pictures]
    for first in range(0, len(every), SHARD):
        with tarfile.open(folder / f"train-{first // SHARD:05d}.tar", "w") as shard:
            for number, (one, picture) in enumerate(every[first : first + SHARD], first):
                values = to_line(_described(one, picture)).encode("utf-8")
                suffix = picture.file.suffix
                _add(shard, f"{number:06d}{suffix}", picture.file.read_bytes())
                _add(shard, f"{number:06d}.txt", picture.caption.encode("utf-8"))
                _add(shard, f"{number:06d}.json", values)
                picture.file.unlink()


def _described(one: TrainingCharacter, picture: TrainingPicture) -> dict[str, object]:
    return {
        "text": picture.caption,
        "character": one.name,
        "repeats": one.repeats,
        "source": path_text(picture.source),
        "time": picture.time,
    }


def _add(shard: TarFile, name: str, content: bytes) -> None:
    """Add a file without what differs between two runs: its time and its owner."""
    from tarfile import TarInfo

    entry = TarInfo(name)
    entry.size = len(content)
    shard.addfile(entry, io.BytesIO(content))
