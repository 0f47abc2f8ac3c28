"""Folders that a person renamed: each is followed as one, with all that belongs to its character.

A folder was renamed where it is gone, and most of its pictures lie in one other folder under the
names that they had. Then its character has the new name, and samples that were moved by hand,
rejections and decisions stay with it. Pictures that come to somebody else's folder are new labels,
one by one, as ever.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from gallery.errors import InputError, RenamedFolder
from gallery.jobs.given_names import GivenNames
from gallery.jobs.known_pictures import KnownPictures
from gallery.media.images import file_state
from gallery.store.names import clean_name
from gallery.store.reader import Label, Store
from gallery.system.file_names import character_name
from gallery.system.files import is_there
from gallery.types import Candidate


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that samples were enrolled from."""

    place: Path
    name: str
    """What they were enrolled as."""


def follow_renamed_folders(
    store: Store, root: Path, candidates: Sequence[Candidate]
) -> list[RenamedFolder]:
    """Give characters the new names of their folders below a root, and return which.

    Candidates bear the names of their folders. A character that a person renamed keeps the name,
    and the folder means it from now on.
    """
    known = KnownPictures(store, [one.path for one in candidates])
    new = _new_files(root, candidates, _samples_files(store, known))
    given = GivenNames(store)
    labelled = _perhaps_moved(store, known, given, new)
    folders = _folders(labelled, given)
    gone = {folder: own for folder, own in folders.items() if not is_there(folder.place)}
    if not gone:
        return []
    known.meet_files([one.path for one in labelled])
    at_home = {given.character(folder.name) for folder in folders if folder not in gone}
    found: list[RenamedFolder] = []
    for folder, labels in gone.items():
        character, name = given.character(folder.name), _new_name(folder, labels, new, known)
        # A name that somebody has says whose the pictures are; so does a second folder that stays.
        if name is None or character in at_home or _owner(given, name) not in (None, character):
            continue
        with store.writing() as writer:
            if writer.current_name(folder.name) != character or name == character:
                continue
            if character == folder.name:
                writer.rename(character, name)
            else:
                writer.remember_name(name, character)
        found.append(
            RenamedFolder(folder.name, name, name if character == folder.name else character)
        )
        given = GivenNames(store)
    return found


def _owner(given: GivenNames, name: str) -> str | None:
    """Return who has a name or had it, whatever its case and width; None where nobody does."""
    owner = given.character(name)
    return owner if owner in given else None


def _samples_files(store: Store, known: KnownPictures) -> set[Path]:
    """Return the files, among those that are known, that samples were last seen in."""
    digests = known.digests_before()
    return {one.path for one in store.labels(digests | known.meet(digests)).values()}


def _perhaps_moved(
    store: Store,
    known: KnownPictures,
    given: GivenNames,
    new: Mapping[PurePath, Sequence[Candidate]],
) -> list[Label]:
    """Return the samples of characters of whom a new file may have been somewhere else before.

    It has the name and the size that the file had there.
    """
    sizes: defaultdict[str, set[int]] = defaultdict(set)
    for one in (one for some in new.values() for one in some):
        with contextlib.suppress(InputError):
            sizes[one.path.name].add(file_state(one.path).size)
    former = {
        Path(path): file.digest
        for path, file in store.files_of_sizes(set().union(*sizes.values())).items()
        if file.state.size in sizes.get(PurePath(path).name, ())
    }
    digests = {*former.values()}
    labels = store.labels(digests | known.meet(digests)).values()
    owners = {given.character(one.enrolled_as) for one in labels if one.path in former}
    if not owners:
        return []
    names = [name for name, now in store.former_names().items() if now in owners]
    return store.labels_of_folders(owners.union(names))


def _folders(labels: Iterable[Label], given: GivenNames) -> dict[_Folder, list[Label]]:
    """Return the folders that samples were enrolled from, each with its samples."""
    folders: defaultdict[_Folder, list[Label]] = defaultdict(list)
    for label in labels:
        for place in label.path.parents:
            if place.name and given.meant_by(character_name(place.name)) == label.enrolled_as:
                folders[_Folder(place, label.enrolled_as)].append(label)
                break
    return folders


def _new_files(
    root: Path, candidates: Sequence[Candidate], samples: Collection[Path]
) -> dict[PurePath, list[Candidate]]:
    """Return the files that are no samples' yet, by their paths inside their folders."""
    found: defaultdict[PurePath, list[Candidate]] = defaultdict(list)
    for one in candidates:
        if one.path not in samples:
            found[PurePath(*one.path.relative_to(root).parts[1:])].append(one)
    return found


def _new_name(
    folder: _Folder,
    labels: Sequence[Label],
    new: Mapping[PurePath, Sequence[Candidate]],
    known: KnownPictures,
) -> str | None:
    """Return the name of the folder that most of a folder's pictures lie in now, else None."""
    counts: Counter[str] = Counter()
    for label in labels:
        inside = PurePath(*label.path.relative_to(folder.place).parts)
        for one in new.get(inside, ()):
            if known.is_moved(label.path, label.digest, one.path):
                counts[one.character] += 1
                break
    for name, most in counts.most_common(1):
        if 2 * most > len(labels) and _can_be_a_name(name):
            return name
    return None


def _can_be_a_name(name: str) -> bool:
    try:
        return clean_name(name) == name
    except InputError:
        return False
