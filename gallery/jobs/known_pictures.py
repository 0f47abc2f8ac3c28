"""What a run of enrolment knows of files before it reads them, and learns as it goes.

A picture is known by its file's digest, and once that was decoded by its pixels: a rating, a
keyword or an orientation that another program writes into a file leaves it the picture that it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import InputError
from gallery.media.images import FileState, decode, digest_of, file_state, read_bytes
from gallery.store.contents import key_of
from gallery.store.forgotten import ForgottenFace
from gallery.store.reader import KnownFile, Store
from gallery.store.writer import Writer
from gallery.types import Box, Content, Retired


@dataclass(frozen=True, slots=True, eq=False)
class PictureFile:
    """A file as it is now."""

    path: Path
    state: FileState
    digest: str
    content: bytes | None
    """None where it has not changed since it was read by an earlier run."""

    @property
    def is_read(self) -> bool:
        """Whether it is new, or was changed or touched since an earlier run."""
        return self.content is not None

    def read(self) -> bytes:
        """Return its content. Raises InputError where it cannot be read any more."""
        return read_bytes(self.path) if self.content is None else self.content


class KnownPictures:
    """Files and pictures that the gallery has met, as far as a run is about them."""

    def __init__(self, store: Store, paths: Collection[Path]) -> None:
        """Read what is known of files when a run begins; of pictures nothing is known yet."""
        self._store = store
        self._files: dict[str, KnownFile] = {}
        self._contents: dict[str, Content] = {}
        self._current: dict[str, str] | None = None
        """What former names mean now, read where something is forgotten."""
        self._forgotten: defaultdict[str, list[ForgottenFace]] = defaultdict(list)
        self._met: set[str] = set()
        self.meet_files(paths)

    def meet_files(self, paths: Collection[Path]) -> None:
        """Read what is known of more files."""
        self._files |= self._store.known_files({str(path) for path in paths} - {*self._files})

    def digests_before(self) -> set[str]:
        """Return the digests that files had, those that were met."""
        return {one.digest for one in self._files.values()}

    def meet(self, digests: Collection[str]) -> set[str]:
        """Read what is known of pictures, and return the digests of all files that show them.

        Given are digests of files or of pixels; those of which it is known already are left out.
        """
        new = set(digests) - self._met
        if not new:
            return new
        found = self._store.contents(new)
        new |= {*found} | {content.pixels for content in found.values()}
        new -= self._met
        self._met |= new
        for digest, content in found.items():
            self._contents.setdefault(digest, content)
        for one in self._store.forgotten(new):
            if self._current is None:
                self._current = self._store.former_names()
            self._forgotten[self.key(one.digest)].append(one)
        return new

    def look(self, path: Path) -> PictureFile:
        """Return a file, read only where it may have changed. Raises InputError where it cannot."""
        state, known = file_state(path), self._files.get(str(path))
        if known is not None and known.state == state:
            return PictureFile(path, state, known.digest, None)
        content = read_bytes(path)
        return PictureFile(path, state, digest_of(content), content)

    def key(self, digest: str) -> str:
        """Return what a file's picture is known by: its pixels' digest, else the file's own."""
        return key_of(digest, self._contents)

    def is_moved(self, former: Path, digest: str, path: Path) -> bool:
        """Say whether a file has what another had, which is gone and had a digest.

        One of the same size and time of change is not read.
        """
        try:
            known = self._files.get(str(former))
            if known is not None and known.state == file_state(path):
                return True
            found = self.look(path).digest
            self.meet([found, digest])
            return self.key(found) == self.key(digest)
        except InputError:
            return False

    def is_decoded(self, digest: str) -> bool:
        """Say whether it is known what a file of a digest shows."""
        return digest in self._contents

    def before(self, path: Path) -> str | None:
        """Return the digest that a file had when the run began; None for one that is new."""
        known = self._files.get(str(path))
        return None if known is None else known.digest

    def learn(self, writer: Writer, digest: str, content: Content) -> None:
        """Note what a file of a digest shows."""
        former = self.key(digest)
        writer.remember_content(digest, content)
        self._contents[digest] = content
        if former != content.pixels:
            self._forgotten[content.pixels] += self._forgotten.pop(former, [])

    def content(self, digest: str) -> Content | None:
        """Return what a file of a digest shows, where that is known."""
        return self._contents.get(digest)

    def is_turned(self, digest: str, shown: Content | None) -> bool:
        """Say whether a picture is known to be turned in another way in a file of a digest."""
        other = self.content(digest)
        return other is not None and shown is not None and other.orientation != shown.orientation

    def forgotten(self, digest: str, name: str) -> list[Box]:
        """Return where the faces of a picture are that a person forgot as a character."""
        return [
            one.box
            for one in self._forgotten.get(self.key(digest), ())
            if self._now(name) in map(self._now, (one.character, one.enrolled_as))
        ]

    def holds(self, path: Path, digest: str) -> bool:
        """Say whether a file shows, as it is now, what a file of a digest shows."""
        try:
            now = self.look(path)
            if self.key(now.digest) == self.key(digest):
                return True
            if self.is_decoded(now.digest) or not self.is_decoded(digest):
                return False
            shown = decode(now.read(), path).content
            return shown is not None and shown.pixels == self.key(digest)
        except InputError:
            return False

    def _now(self, name: str) -> str:
        return (self._current or {}).get(name, name)


def retire(store: Store, paths: Collection[Path]) -> list[Retired]:
    """Remove the samples of those of the files that hold other pictures now; see Writer.retire."""
    gone = store.replaced().intersection(paths)
    if not gone:
        return []
    with store.writing() as writer:
        return writer.retire(gone)
