"""What lies in a folder and all folders below it. Light to import."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from gallery.errors import UnreadableFile, UnusableFile
from gallery.system.files import is_there

SYSTEM_FOLDERS = frozenset(
    (
        # Synology, QNAP, Asustor, Thecus, Buffalo: thumbnails, deleted files, snapshots
        "@eadir", "@tmp", "@sharebin", "@sharesnap", "@img_bkp_cache", "@database", "#recycle",
        "#sharedrecycle", "#snapshot", "@recycle", "@recently-snapshot", "@qsync", "@__thumb",
        "@transcode", "~snapshot", "_nas_recycle_", "_nas_recycle_raid", "trashbox",
        # Windows
        "$recycle.bin", "recycler", "recycled", "system volume information", "windowsapps",
        "_gsdata_",
        # macOS and its file server
        "__macosx", "network trash folder", "temporary items", "thevolumesettingsfolder",
        # Linux
        "lost+found",
        # Nextcloud and ownCloud
        "files_trashbin", "files_versions",
        # ACDSee and Piwigo: originals of edited pictures, and other sizes
        "[originals]", "pwg_representative", "pwg_high",
    )
)  # fmt: skip
"""Names, in small letters, of folders that systems and servers make beside people's own."""

CATALOGS = (
    ".lrdata", ".lrcat-data", ".lrlibrary", ".cocatalog", ".cosessiondb", ".photoslibrary",
    ".photolibrary", ".aplibrary", ".migratedphotolibrary", ".trickplay",
)  # fmt: skip
"""How folders end in which Lightroom, Capture One, Apple and Jellyfin keep previews and copies."""

CHECKED = re.compile(r"found\.\d{3}|\$windows\.~\w+|@syno\w+|appdata_oc\w+", re.IGNORECASE)
"""What Windows makes of lost clusters and updates, Synology's services, Nextcloud's previews."""

MARKS = {
    ".immich": frozenset(("thumbs", "encoded-video", "profile", "backups")),
    ".ppstorage": None,
}
"""Files by which Immich and PhotoPrism mark their folders, and which of those hold no originals.

None stands for all that are marked.
"""


def is_system_name(name: str) -> bool:
    """Say whether a folder of this name is a system's, whatever is in it."""
    name = name.casefold()
    return name in SYSTEM_FOLDERS or name.endswith(CATALOGS) or bool(CHECKED.fullmatch(name))


def is_system_folder(folder: Path) -> bool:
    """Say whether a folder was made by a system, a server or a catalogue, for itself."""
    if is_system_name(folder.name):
        return True
    name = folder.name.casefold()
    return any(
        (names is None or name in names) and is_there(folder / mark)
        for mark, names in MARKS.items()
    )


def files_below(folder: Path) -> Iterator[Path | UnusableFile]:
    """Yield the files in a folder and all folders below it, in a fixed order.

    Hidden files and folders are passed over, and below the folder those of systems and catalogues.
    A folder that links lead to more than once is entered once, so that a circle ends. For a folder
    that cannot be listed an error is yielded that says why.
    """
    entered: set[tuple[int, int]] = set()
    refused: list[UnusableFile] = []

    def refuse(error: OSError) -> None:
        refused.append(UnreadableFile(Path(error.filename), f"cannot be listed: {error.strerror}"))

    for root, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        yield from refused
        refused.clear()
        here = Path(root)
        try:
            status = here.stat()
        except OSError as error:
            refuse(error)
            folders.clear()
            continue
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if here != folder and is_system_folder(here):
            folders.clear()
            continue
        yield from (here / name for name in sorted(files) if not name.startswith("."))
    yield from refused
