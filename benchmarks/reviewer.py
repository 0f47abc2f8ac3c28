"""A robot at the page of `gallery review`: it sees who faces show, and presses keys.

It knows of a screen what the page shows, and has the page's own keys: what is ticked, what a range
takes, and what a key acts on are as in static/board.js. Every key is one, a key with Shift is one,
every click is one, the mouse drawn over faces is one, also over several rows, and a name costs its
letters until it stands first in the box. What is longer than a window is not drawn over: a click at
its one end and a click with Shift at the other are two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gallery.web.desk import Desk
from gallery.web.program_shapes import ReferencesGiven
from gallery.web.programs import Programs
from gallery.web.shapes import DecisionGiven, FaceGiven, FaceShape, RowShape
from gallery.web.words import FACES_NEAR, REST, ROWS, SCREEN

LETTERS = 3
"""Of a name, until it stands first in the box."""

WINDOW = 60
"""Faces that the mouse can be drawn over: those that a window of 1280 to 800 shows at once."""


@dataclass(slots=True)
class Person:
    """A robot at the page."""

    desk: Desk
    who: Mapping[int, str]
    """Whom each face shows, where that is somebody enrolled, by its number."""
    least: int = 1
    """Faces that a click must name; where it names fewer, they are left alone."""
    pressed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Keys and clicks, by view and what they are for."""
    screens: int = 0

    @property
    def keys(self) -> int:
        """All that were pressed."""
        return self.pressed.total()

    def press(self, view: str, what: str, keys: int = 1) -> None:
        """Press keys."""
        if keys:
            self.pressed[view, what] += keys

    def true(self, face: FaceShape) -> str | None:
        """Return who a face is, where that is somebody enrolled; None for anybody else."""
        return self.who.get(face.id)

    def decide(self, action: str, faces: Iterable[FaceShape], name: str | None = None) -> None:
        """Decide of faces as the page does."""
        given = [FaceGiven(id=one.id, version=one.version) for one in faces]
        if given:
            self.desk.decide(
                DecisionGiven.model_validate({"action": action, "faces": given, "name": name})
            )

    def references(self) -> None:
        """Take references of all names, from the view that is open."""
        self.press("any", "Shift+R: references")
        Programs(self.desk).references(ReferencesGiven())

    def sure(self) -> None:
        """Go through sure faces: wrong ones are rejected, and the rest of a screen is confirmed."""
        self.press("sure", "G and S", 2)
        for rows in self._sure_screens():
            self.screens += 1
            told = [
                (name, own, [self.true(one) != name for one in own]) for name, own in rows.items()
            ]
            ticks = [([not one.odd for one in own], wrong) for _, own, wrong in told]
            by_rows = sum(reject_keys(wrong, ticked) for ticked, wrong in ticks)
            by_ticks = put_right(
                [flag for ticked, _ in ticks for flag in ticked],
                [flag for _, wrong in ticks for flag in wrong],
            )
            if by_rows <= by_ticks:
                self.press("sure", "clicks and N: not this", by_rows)
                self.press("sure", "Shift+Y: all that is left")
            else:
                self.press("sure", "clicks: ticks put right", by_ticks)
                self.press("sure", "Shift+N: as the ticks say")
            for name, own, wrong in told:
                self.decide("reject", _of(own, wrong, wanted=True), name)
                self.decide("confirm", _of(own, wrong, wanted=False), name)

    def _sure_screens(self) -> Iterable[dict[str, list[FaceShape]]]:
        """Yield screens as static/views.js makes them: faces by name."""
        names = self.desk.names()
        while names:
            rows, faces = 0, 0
            while rows < min(len(names), ROWS) and faces + names[rows].faces <= SCREEN:
                faces += names[rows].faces
                rows += 1
            if rows:
                shared = [one.name for one in names[:rows]]
                yield {name: self.desk.sure(name, None, SCREEN).faces for name in shared}
            else:
                yield from self._screens_of(names[0].name)
            names = names[max(rows, 1) :]

    def _screens_of(self, name: str) -> Iterable[dict[str, list[FaceShape]]]:
        after: str | None = None
        while True:
            screen = self.desk.sure(name, after, SCREEN, REST)
            yield {name: screen.faces}
            after = screen.after
            if after is None:
                return

    def doubtful(self) -> None:
        """Go through the rows of doubtful faces, a screen of rows at a time.

        Those that are near come by themselves after the last one.
        """
        self.press("doubtful", "G and D", 2)
        start = 0
        while True:
            shown = self.desk.doubtful(start, ROWS)
            if not shown.rows:
                return
            self.screens += 1
            ticked, keys = self._worth_ticking(shown.rows)
            wrong = [(row, [self.true(one) != row.name for one in row.faces]) for row in shown.rows]
            others = sum(reject_keys(flags) for _, flags in wrong)
            if others < keys:
                for row, flags in wrong:
                    self.press("doubtful", "clicks and N: not this", reject_keys(flags))
                    self.decide("reject", _of(row.faces, flags, wanted=True), row.name)
                    self.decide("confirm", _of(row.faces, flags, wanted=False), row.name)
                self.press("doubtful", "Shift+Y: all that is left")
            elif keys:
                self.press("doubtful", "clicks: ticks", keys)
                for row, flags in ticked:
                    self.decide("confirm", _of(row.faces, flags, wanted=True), row.name)
                self.press("doubtful", "Shift+Enter: all ticked")
            else:
                self.press("doubtful", "]: the next screen")
            # What is open stays, and the next screen begins behind it.
            start += sum(
                any(one.decided in ("undecided", "not_this") for one in self._again(row.faces))
                for row in shown.rows
            )

    def near(self) -> None:
        """Tick unknown faces beside the nearest character, screen by screen until one has none.

        The first one comes by itself after the last screen of doubtful faces.
        """
        after: str | None = None
        while True:
            shown = self.desk.near(after, FACES_NEAR)
            self.screens += -(-sum(len(row.faces) for row in shown.rows) // SCREEN)
            ticked, keys = self._worth_ticking(shown.rows)
            self.press("near", "clicks: ticks", keys)
            for row, ticks in ticked:
                self.decide("confirm", _of(row.faces, ticks, wanted=True), row.name)
            self.press("near", "Shift+Enter: all ticked")
            after = shown.after
            if after is None or not any(any(ticks) for _, ticks in ticked):
                return

    def _again(self, faces: Sequence[FaceShape]) -> list[FaceShape]:
        return self.desk.shown([one.id for one in faces])

    def _worth_ticking(
        self, rows: Sequence[RowShape]
    ) -> tuple[list[tuple[RowShape, list[bool]]], int]:
        """Return which right faces of a screen's rows are ticked, and the clicks for that.

        Those are the runs that are worth their clicks; a run may go on in the next row.
        """
        right = [self.true(one) == row.name for row in rows for one in row.faces]
        kept = [False] * len(right)
        keys = 0
        for first, last in spans(right):
            clicks = drawn(last - first + 1)
            if last - first + 1 >= self.least * clicks:
                keys += clicks
                kept[first : last + 1] = [True] * (last - first + 1)
        ticks = iter(kept)
        return [(row, [*islice(ticks, len(row.faces))]) for row in rows], keys


def spans(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """Return the first and the last place of each run."""
    found: list[tuple[int, int]] = []
    for place, flag in enumerate(flags):
        if flag and found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        elif flag:
            found.append((place, place))
    return found


def reject_keys(wrong: Sequence[bool], ticked: Sequence[bool] | None = None) -> int:
    """Return the keys that say of the wrong faces of a row that they are not the name.

    `ticked` says which are ticked, where ticks tell right from wrong.
    """
    # Each run is taken in hand, and N means it.
    keys = 2 * len(spans(wrong))
    alone = [first for first, last in spans(wrong) if first == last]
    if ticked is not None:
        # A click takes a tick away, and N would mean all that are not ticked: click again.
        return keys + sum(ticked[place] for place in alone)
    # Ticked ones of a row are meant together, once no range is in hand.
    return min(keys, len(spans(wrong)) + 1 + (not alone)) if keys else 0


def put_right(ticked: Sequence[bool], wrong: Sequence[bool]) -> int:
    """Return the clicks after which those faces of a screen are ticked that are not wrong.

    The mouse is drawn over a run of those that are to have the same.
    """
    changes = [is_in == is_wrong for is_in, is_wrong in zip(ticked, wrong, strict=True)]
    every = [*spans(wrong), *spans([not one for one in wrong])]
    return sum(drawn(last - first + 1) for first, last in every if any(changes[first : last + 1]))


def drawn(faces: int) -> int:
    """Return the clicks that tick a run of so many faces, or take their ticks away."""
    return 1 if faces <= WINDOW else 2


def _of(faces: Sequence[FaceShape], flags: Sequence[bool], *, wanted: bool) -> list[FaceShape]:
    return [one for one, flag in zip(faces, flags, strict=True) if flag == wanted]
