"""Whom names mean that folders, captions and regions give."""

from __future__ import annotations

from gallery.errors import InputError
from gallery.store.names import clean_name, folded, is_reject_name
from gallery.store.reader import Store
from gallery.system.file_names import mark, mark_in


class GivenNames:
    """Finds the characters that names mean, those of a gallery and those that come in meanwhile."""

    def __init__(self, store: Store) -> None:
        """Read the names that characters have and had."""
        self._rejects = {one.name: one.is_reject for one in store.characters()}
        self._current = {name: name for name in self._rejects} | store.former_names()
        self._by_mark = {mark(name): name for name in self._current}
        self._by_spelling: dict[str, str] = {}
        for name in self._current:
            self._by_spelling.setdefault(folded(name), name)
        self.taken_as: dict[str, str] = {}
        """Names that were met, and those they are taken as: case or width alone differs."""

    def __contains__(self, name: str) -> bool:
        """Say whether a character has or had exactly this name."""
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
        if name in self._current:
            return name
        whole = self._by_mark.get(mark_in(name) or "", name)
        if whole in self._current:
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
