"""What an audit found, with its commands as buttons; it is run when a person asks for it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gallery.audit.fixes import DOUBTED, call_right, carry_out, fix_of, take_back
from gallery.audit.page import TITLES
from gallery.audit.proposals import ADVICE, Kind, Proposal
from gallery.audit.run import audit
from gallery.errors import InputError
from gallery.events import result_of
from gallery.web import words
from gallery.web.desk import Desk, step_shape
from gallery.web.routes import NOT_DONE
from gallery.web.shapes import Given, StepShape

MOST = 50
"""Of each kind, the likeliest."""


class Status(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    DONE = "done"
    RIGHT = "right"


class ProposalShape(BaseModel):
    """One thing that may be wrong."""

    number: int
    kind: str
    title: str = Field(description="The kind, in words.")
    words: str = Field(description="How likely it is, in words; empty for advice.")
    is_likely: bool = Field(description="Rather wrong than right, as far as that is known.")
    reason: str
    command: str = Field(description="What does the same in a shell.")
    samples: list[int] = Field(description="What it is about.")
    beside: list[int] = Field(description="What to compare them with.")
    fix: str | None = Field(description="What the command does; None for advice.")
    can_be_undone: bool
    is_doubted: bool = Field(description="Whether one may say that it is right as it is.")
    status: Status


class AuditShape(BaseModel):
    """What the last audit found, likeliest first."""

    audit: str | None = Field(description="Another one for every run; None before the first.")
    made_at: str | None
    is_stale: bool = Field(description="The gallery changed otherwise since then.")
    total: int = Field(description="Proposals, also those that are not shown.")
    proposals: list[ProposalShape]


class Nothing(Given):
    """No more is said."""


class ProposalGiven(Given):
    """A proposal of an audit."""

    audit: str = Field(max_length=100)
    number: int = Field(ge=0)


def routes(desk: Desk) -> APIRouter:
    """Return the routes of audits."""
    routes = APIRouter(prefix="/api/v1/audit")
    held = _Held(desk)

    @routes.get("", summary="What the last audit found")
    def last() -> AuditShape:
        with desk.turn:
            return held.shape()

    @routes.post(
        "", summary="Look for all that may be wrong; nothing is changed", responses=NOT_DONE
    )
    def run(_: Nothing) -> AuditShape:
        with desk.turn:
            return held.run()

    @routes.post("/fix", summary="Do what a proposal's command does", responses=NOT_DONE)
    def fix(given: ProposalGiven) -> ProposalShape:
        with desk.turn:
            return held.act(given, Status.OPEN, Status.DONE, carry_out)

    @routes.post("/back", summary="Take back a move", responses=NOT_DONE)
    def back(given: ProposalGiven) -> ProposalShape:
        with desk.turn:
            return held.act(given, Status.DONE, Status.OPEN, take_back)

    @routes.post("/right", summary="Say that it is right as it is, in one step", responses=NOT_DONE)
    def right(given: ProposalGiven) -> StepShape:
        with desk.turn:
            return held.right(given)

    return routes


class _Held:
    """The last audit, and what was done about it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._token: str | None = None
        self._made_at: str | None = None
        self._change = ""
        self._found: list[Proposal] = []
        self._status: list[Status] = []
        self._steps: dict[int, int] = {}
        """By proposal that was called right, the step of that."""

    def run(self) -> AuditShape:
        self._change = self._desk.engine.store.change()
        self._found = result_of(audit(self._desk.engine))
        self._status = [Status.OPEN] * len(self._found)
        self._steps = {}
        self._token = secrets.token_hex(8)
        self._made_at = datetime.now(UTC).isoformat(timespec="seconds")
        return self.shape()

    def shape(self) -> AuditShape:
        is_stale = self._token is not None and self._desk.engine.store.change() != self._change
        self._reopen()
        seen: Counter[Kind] = Counter()
        shown = []
        for number, one in enumerate(self._found):
            seen[one.kind] += 1
            if seen[one.kind] <= MOST:
                shown.append(self._shaped(number))
        return AuditShape(
            audit=self._token,
            made_at=self._made_at,
            is_stale=is_stale,
            total=len(self._found),
            proposals=shown,
        )

    def act(
        self,
        given: ProposalGiven,
        before: Status,
        after: Status,
        work: Callable[..., None],
    ) -> ProposalShape:
        """Do something about a proposal, unless that is done; what follows is of this gallery."""
        proposal = self._proposal(given, before)
        ours = self._desk.engine.store.change() == self._change
        work(self._desk.engine, proposal)
        self._status[given.number] = after
        if ours:
            self._change = self._desk.engine.store.change()
        return self._shaped(given.number)

    def right(self, given: ProposalGiven) -> StepShape:
        step = call_right(self._desk.engine, self._proposal(given, Status.OPEN))
        self._status[given.number] = Status.RIGHT
        self._steps[given.number] = step.id
        return step_shape(step)

    def _proposal(self, given: ProposalGiven, status: Status) -> Proposal:
        if given.audit != self._token:
            raise InputError("The audit was run again meanwhile; look at what it found now.")
        if given.number >= len(self._found):
            raise InputError("There is no such proposal.")
        self._reopen()
        if self._status[given.number] is not status:
            raise InputError("Somebody did something about this meanwhile; look at it again.")
        return self._found[given.number]

    def _reopen(self) -> None:
        """Let proposals be open again that were called right in a step that is undone by now."""
        if not self._steps:
            return
        undone: set[int] = set()
        for one in self._desk.engine.store.decisions.steps():
            if one.undoes is not None and one.id not in undone:
                undone.add(one.undoes)
        for number, step in [*self._steps.items()]:
            if step in undone:
                self._status[number] = Status.OPEN
                del self._steps[number]

    def _shaped(self, number: int) -> ProposalShape:
        one = self._found[number]
        fix = fix_of(one)
        return ProposalShape(
            number=number,
            kind=one.kind.value,
            title=TITLES[one.kind][0],
            words=""
            if one.likelihood is None or one.kind in ADVICE
            else words.in_words(one.likelihood),
            is_likely=one.likelihood is None or words.is_likely(one.likelihood),
            reason=one.reason,
            command=one.command,
            samples=list(one.samples[: words.SIDE]),
            beside=list(one.beside[: words.SIDE]),
            fix=None if fix is None else fix.text,
            can_be_undone=fix is not None and fix.can_be_undone,
            is_doubted=one.kind in DOUBTED,
            status=self._status[number],
        )
