"""Pictures sorted into a folder per character; of videos the head of every track."""

from __future__ import annotations

import contextlib
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from gallery.errors import BadSetting, InputError, UnplacedPicture, UnwritableFile
from gallery.media.folders import is_system_name
from gallery.media.images import digest_of, encode_png
from gallery.media.stills import Stills, box_in, name_of
from gallery.output.format import (
    MAX_NAME_BYTES,
    NotWrittenError,
    Output,
    Placing,
    names_in,
)
from gallery.system.file_names import (
    MARK_LENGTH,
    character_name,
    folder_name,
    mark,
    mark_in,
)
from gallery.system.files import UNFINISHED, absolute, is_there, remove_unfinished, unfinished
from gallery.system.reading import read_file
from gallery.types import Box, Record, Verdict, VideoRecord, VideoTrack

UNSURE, UNKNOWN, NO_FACE = "unsure", "unknown", "no face"

NO_SERIES = "no series"
"""Holds the folders of characters whose series is not known, where each series has a folder."""

OWN_FOLDERS = frozenset((UNSURE, UNKNOWN, NO_FACE, NO_SERIES))
"""Folders that stand for no character; one of such a name has its letters escaped."""

AROUND = 1.5
"""What is cut out of a video's frame is so many times as wide and high as the head."""

MOST_BYTES = MAX_NAME_BYTES - MARK_LENGTH - 1
"""Of a still's name, so that there is room for a mark."""


class SortedFolders:
    """Puts a picture into the folder of every character it shows.

    Faces that are unsure put it into `unsure`, unknown ones into `unknown`, and a picture without
    faces lies in `no face`. Of a track of a video a cut of its best moment is put there. No
    existing file is ever replaced. Folders of characters lie in those of their series where that is
    asked for.
    """

    name = "sorted"
    is_document = False
    takes_videos = True

    def __init__(self, output: Output) -> None:
        """Prepare to fill a folder. Raises InputError where none is named."""
        if output.target is None:
            raise BadSetting("write", "Name the folder to sort into: sorted:FOLDER")
        self._output = output
        self._target = output.target
        self._unsure = output.options.unsure
        self._placing = output.options.placing
        self._stills = output.stills
        self._series_of = output.options.series_of if output.options.by_series else None
        self._places: dict[Path, _Folders] = {}

    def write(self, record: Record) -> None:
        """Put a picture, or a track's head, where it belongs; one that is there already stays."""
        if record.error is not None:
            return
        if not isinstance(record, VideoRecord):
            self._sort(record, None)
        elif isinstance(record.part, VideoTrack):
            self._sort(record, _cut(record, self._stills))

    def _sort(self, record: Record, still: bytes | None) -> None:
        try:
            for folder in self._folders(record):
                if folder.parent != self._target:
                    _make(folder.parent)
                _make(folder)
                if isinstance(record, VideoRecord) and still is not None:
                    _place_still(still, name_of(record, ".png", MOST_BYTES), folder)
                else:
                    _place(record.path, folder, self._placing)
        except OSError as error:
            if not is_there(record.path):
                raise NotWrittenError(f"{record.path} is there no more.") from error
            place = Path(error.filename2 or error.filename or self._target)
            place = place.parent if UNFINISHED.match(place.name) else place
            raise self._output.not_written(place, error) from error

    def _folders(self, record: Record) -> list[Path]:
        """Return the folders that a picture comes into."""
        folders = [self._of_character(name) for name in names_in(record, unsure=self._unsure)]
        verdicts = {answer.verdict for answer in record.faces}
        if Verdict.UNSURE in verdicts and not self._unsure:
            folders.append(self._target / UNSURE)
        if Verdict.UNKNOWN in verdicts:
            folders.append(self._target / UNKNOWN)
        return folders or [self._target / NO_FACE]

    def close(self) -> None:
        """Let go of a video."""
        self._stills.close()

    def _of_character(self, name: str) -> Path:
        if self._series_of is None:
            return self._in(self._target).of(name)
        series = self._series_of.get(name)
        above = self._target / NO_SERIES if series is None else self._in(self._target).of(series)
        return self._in(above).of(name)

    def _in(self, place: Path) -> _Folders:
        if place not in self._places:
            self._places[place] = _Folders(place)
        return self._places[place]


class _Folders:
    """The folders in a place, by the names of characters or series that they stand for."""

    def __init__(self, place: Path) -> None:
        self._place, self._known = place, _folders_in(place)

    def of(self, name: str) -> Path:
        """Return the folder of a name, which no other one has in another case."""
        # Behind a name in full, or cut short, stands a mark in folders that were written before.
        known = self._known.get(name) or self._known.get(f"~{mark(name)}")
        if known is None:
            taken = OWN_FOLDERS.union(_folded(one) for one in self._known.values())
            known = folder_name(name, taken)
            while is_system_name(known):
                # Pictures in it would be passed over. With all its letters escaped it is none.
                taken |= {known.casefold()}
                known = folder_name(name, taken)
        self._known[name] = known
        return self._place / known


def _folders_in(target: Path) -> dict[str, str]:
    """Return the folders in a place by the characters they stand for, or by their marks.

    What a killed run left in them goes: nothing may be written into them again.
    """
    target.mkdir(parents=True, exist_ok=True)
    found = {}
    for there in sorted(os.listdir(target)):  # noqa: PTH208 - names alone
        remove_unfinished(target / there)
        if _folded(there) in OWN_FOLDERS:
            # A character of that name has another folder.
            continue
        marked = mark_in(there)
        character = f"~{marked}" if marked else character_name(there)
        found[unicodedata.normalize("NFC", character)] = there
    return found


def _cut(record: VideoRecord, stills: Stills) -> bytes:
    """Return a track's head at its best moment, with what is around it, as a PNG file.

    Raises NotWrittenError where the video can no longer be read.
    """
    try:
        still = stills.of(record)
    except InputError as error:
        raise NotWrittenError(str(error)) from error
    box = box_in(still, record)
    across, down = (AROUND - 1) / 2 * box.width, (AROUND - 1) / 2 * box.height
    wide = Box(box.left - across, box.top - down, box.right + across, box.bottom + down)
    left, top, right, bottom = wide.within(still.width, still.height)
    if right <= left or bottom <= top:
        raise NotWrittenError(f"A face in {record.path} lies outside of the picture.")
    return encode_png(still.pixels[top:bottom, left:right])


def _place_still(content: bytes, name: str, folder: Path) -> None:
    """Put a picture into a folder under a name, or one with a mark where that is taken."""
    stem = name.removesuffix(".png")
    for one in (name, f"{stem}~{digest_of(content)[:MARK_LENGTH]}.png"):
        place = folder / one
        if place.is_file() and read_file(place) == content:
            return
        if not os.path.lexists(place):
            with contextlib.suppress(FileExistsError):
                _publish(place, lambda unfinished: unfinished.write_bytes(content))
                return
    raise NotWrittenError(f"{folder / name} finds no free name; clear that folder.")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _make(folder: Path) -> None:
    """Make a folder. Raises InputError where a link of this name leads elsewhere."""
    if folder.is_symlink():
        raise UnwritableFile(folder, "is a link that leads elsewhere", remedy="take it away")
    folder.mkdir(parents=True, exist_ok=True)


def _place(picture: Path, folder: Path, placing: Placing) -> None:
    """Put a picture into a folder under its own name, or one with a mark where that is taken."""
    for name in _names(picture):
        place = folder / name
        if _is_there(picture, place, placing):
            return
        if not os.path.lexists(place) and _put(picture, place, placing):
            return
    raise NotWrittenError(f"{picture} finds no free name in {folder}; clear that folder.")


def _names(picture: Path) -> Iterator[str]:
    """Yield the names that a picture may get, best first."""
    yield picture.name
    content = digest_of(read_file(picture))
    whole = mark(os.fsencode(absolute(picture)))
    short = content[:MARK_LENGTH]
    for behind in (short, f"{short}-{whole}", content):
        cut = os.fsencode(picture.stem)[: 250 - len(behind) - len(os.fsencode(picture.suffix))]
        yield f"{os.fsdecode(cut)}~{behind}{picture.suffix}"


def _is_there(picture: Path, place: Path, placing: Placing) -> bool:
    """Say whether a picture lies at a place already."""
    if placing is Placing.SYMLINK:
        return place.is_symlink() and place.readlink() == absolute(picture)
    if place.is_symlink() or not place.is_file():
        return False
    if place.samefile(picture):
        return True
    # A picture's copy is as good as a link where the content is the same.
    return place.stat().st_size == picture.stat().st_size and read_file(place) == read_file(picture)


def _put(picture: Path, place: Path, placing: Placing) -> bool:
    """Make the file, whole or not at all; say False where somebody else took the name meanwhile."""
    try:
        if placing is Placing.SYMLINK:
            place.symlink_to(absolute(picture))
        elif placing is Placing.HARDLINK:
            place.hardlink_to(picture)
        else:
            _copy(picture, place)
    except FileExistsError:
        return False
    except OSError as error:
        if placing is Placing.COPY or not is_there(picture):
            raise
        raise UnplacedPicture(
            place, placing.value, picture, str(error.strerror or error)
        ) from error
    return True


def _copy(picture: Path, place: Path) -> None:
    """Copy a picture whole or not at all. Raises FileExistsError where there is a file already."""
    _publish(place, lambda unfinished: shutil.copy2(picture, unfinished))


def _publish(place: Path, write: Callable[[Path], object]) -> None:
    """Make a file whole or not at all. Raises FileExistsError where there is one already."""
    with unfinished(place) as beside:
        write(beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        try:
            # A link is never made over a file that somebody else puts there at this moment.
            place.hardlink_to(beside)
        except FileExistsError:
            raise
        except OSError:
            # Some file systems know no links.
            if os.path.lexists(place):
                raise FileExistsError from None
            beside.rename(place)
