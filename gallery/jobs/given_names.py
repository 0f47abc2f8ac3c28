"""Whom names mean that folders, captions and regions give."""

from __future__ import annotations

from collections.abc import Collection

from gallery.errors import InputError
from gallery.store.names import clean_name, folded, is_reject_name
from gallery.store.reader import Store
from gallery.system.file_names import mark, mark_in


class GivenNames:
    """Finds the characters that names mean, those of a gallery and those that come in meanwhile."""

    def __init__(self, store: Store, names: Collection[str] = ()) -> None:
        """Look names up that will be asked for; others are looked up one by one."""
        self._store = store
        self._rejects: dict[str, bool] = {}
        self._current: dict[str, str] = {}
        self._by_spelling: dict[str, str] = {}
        self._spelt: set[str] = set()
        """What was looked up."""
        self._by_mark: dict[str, str] | None = None
        self.taken_as: dict[str, str] = {}
        """Names that were met, and those they are taken as: case or width alone differs."""
        self._look_up(names)

    def __contains__(self, name: str) -> bool:
        """Say whether a character has or had exactly this name."""
        self._look_up([name])
        return name in self._current

    def meant_by(self, name: str) -> str:
        """Return the name under which a picture is enrolled.

        A name that somebody has or had stays as it is, and so does a new one. One that is cut, with
        a mark of the whole behind it, is the whole; one that differs from another by case or width
        alone is that other.
        """
        try:
            name = clean_name(name)
        except InputError:
            # It can name nobody; enrolment says why.
            return name
        if name in self:
            return name
        whole = self._whole(name)
        if whole in self:
            return whole
        known = self._by_spelling.setdefault(folded(name), name)
        if known != name:
            self.taken_as[name] = known
        return known

    def character(self, name: str) -> str:
        """Return the character, by its name now, as whom a name's pictures are enrolled."""
        meant = self.meant_by(name)
        return self._current.get(meant, meant)

    def is_reject(self, name: str) -> bool:
        """Say whether what is enrolled under a name is turned away."""
        current = self.character(name)
        return self._rejects.get(current, is_reject_name(current))

    def _look_up(self, names: Collection[str]) -> None:
        new = {folded(name) for name in names} - self._spelt
        if not new:
            return
        self._spelt |= new
        for one in self._store.names_spelt(new):
            self._current.setdefault(one.name, one.current)
            self._rejects[one.current] = one.is_reject
            self._by_spelling.setdefault(folded(one.name), one.name)

    def _whole(self, name: str) -> str:
        """Return the name that a cut one bears the mark of, else itself."""
        own = mark_in(name)
        if own is None:
            return name
        if self._by_mark is None:
            self._by_mark = {mark(one): one for one in self._store.names_in_use()}
        return self._by_mark.get(own, name)
