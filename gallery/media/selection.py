"""Which of the pictures that are named a job takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from gallery.errors import BadOutput, BadSetting, InputError
from gallery.media.images import file_state
from gallery.system.files import absolute, is_folder

SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(text: str, now: datetime | None = None) -> datetime:
    """Return the moment that a date or a duration before now stands for, in local time.

    Raises InputError for anything else.
    """
    now = now or datetime.now().astimezone()
    span = re.fullmatch(r"(\d+)([mhdw])", text)
    try:
        if span is not None:
            return now - timedelta(seconds=SECONDS[span[2]] * int(span[1]))
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise BadSetting(
            "since",
            f"{text} is neither a date nor a duration",
            "give one such as 2026-11-01, 36h, 7d or 2w",
        ) from error


def changed_since(pictures: Sequence[Path], start: datetime) -> list[Path]:
    """Return the pictures whose files have changed since; unreadable ones stay in the list."""
    earliest = start.timestamp() * 1e9

    def has_changed(path: Path) -> bool:
        try:
            return file_state(path).modified_ns >= earliest
        except InputError:
            # The job says what is wrong with it.
            return True

    return [path for path in pictures if has_changed(path)]


def without_outputs(
    pictures: Sequence[Path], paths: Sequence[Path], folders: Sequence[Path]
) -> tuple[list[Path], int]:
    """Return the pictures that lie in no folder that outputs go to, and how many others do.

    Raises InputError where such a folder is one that pictures are read from, since what is written
    there could not be told from what is to be read.
    """
    targets = [_whole(folder) for folder in folders]
    for path in paths:
        for folder, target in zip(folders, targets, strict=True):
            if _whole(path) == target:
                raise BadOutput(
                    folder,
                    "is the folder of the pictures",
                    remedy="name another folder for what is written, such as "
                    f"{folder / 'labelled'}",
                )
    # A folder above the pictures holds them, too; what is written comes beside their folder then.
    roots = [_whole(path) for path in paths]
    inside = [one for one in targets if not any(root.is_relative_to(one) for root in roots)]
    kept = [
        path
        for path in pictures
        if not any(_whole(path).is_relative_to(target) for target in inside)
    ]
    return kept, len(pictures) - len(kept)


def _whole(path: Path) -> Path:
    """Return a path from the root, its folder without links; the file itself may be a link."""
    whole = absolute(path)
    return whole.resolve() if is_folder(whole) else whole.parent.resolve() / whole.name
