"""Groups of unknown faces put right by a person: joined, split, told apart."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gallery.jobs import regroup
from gallery.jobs.regroup import Regrouped, SeenGroup
from gallery.web.desk import Desk, step_shape
from gallery.web.routes import NOT_DONE
from gallery.web.shapes import MOST_FACES, Given, StepShape


class GroupGiven(Given):
    """A group as the client saw it."""

    number: int | None = Field(ge=1, description="None for faces that are like no other.")
    faces: list[int] = Field(
        min_length=1, max_length=MOST_FACES, description="Those of its faces that were seen."
    )

    @property
    def seen(self) -> SeenGroup:
        """It, as jobs have it."""
        return SeenGroup(self.number, tuple(self.faces))


class JoinGiven(Given):
    """Groups that are one; the number of the first one stays."""

    groups: list[GroupGiven] = Field(min_length=2, max_length=100)


class SplitGiven(Given):
    """Faces of a group that are a group of their own."""

    group: GroupGiven
    faces: list[int] = Field(min_length=1, max_length=MOST_FACES)


class ApartGiven(Given):
    """Two groups that are not the same."""

    groups: tuple[GroupGiven, GroupGiven]


class RegroupedShape(BaseModel):
    """What became of groups."""

    step: StepShape
    number: int = Field(description="The group that the faces are in now.")
    faces: int = Field(description="All that are in it, also those that have a name by now.")


def routes(desk: Desk) -> APIRouter:
    """Return the routes by which groups change; `undo` takes their steps, too."""
    routes = APIRouter(prefix="/api/v1/groups", responses=NOT_DONE)

    @routes.post("/join", summary="Make one group of several, in one step")
    def join(given: JoinGiven) -> RegroupedShape:
        with desk.turn:
            return _shaped(regroup.join(desk.engine, [one.seen for one in given.groups]))

    @routes.post("/split", summary="Make a group of their own of some faces, in one step")
    def split(given: SplitGiven) -> RegroupedShape:
        with desk.turn:
            return _shaped(regroup.split(desk.engine, given.group.seen, given.faces))

    @routes.post("/apart", summary="Say that two groups are not the same, in one step")
    def apart(given: ApartGiven) -> StepShape:
        one, other = given.groups
        with desk.turn:
            return step_shape(regroup.tell_apart(desk.engine, one.seen, other.seen))

    return routes


def _shaped(done: Regrouped) -> RegroupedShape:
    return RegroupedShape(step=step_shape(done.step), number=done.number, faces=done.faces)
