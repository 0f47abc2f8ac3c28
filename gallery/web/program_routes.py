"""Routes for programs, beside those that the page uses, too."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gallery.web.desk import Desk
from gallery.web.program_shapes import (
    DecidedState,
    DecisionsShape,
    IdentifiedShape,
    ReferencesGiven,
    ReferencesShape,
)
from gallery.web.programs import Programs
from gallery.web.routes import BRINGING_REFUSED, NOT_DONE, NOT_THERE, Picture


def programs(desk: Desk) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1")
    own = Programs(desk)

    @routes.post(
        "/identify",
        summary="Who is in a picture, as a record; nothing of it is kept",
        responses=BRINGING_REFUSED,
        response_model_exclude_unset=True,
    )
    def identify(picture: Picture, top: Annotated[int, Query(ge=1, le=100)] = 3) -> IdentifiedShape:
        return own.identify(picture, top)

    @routes.post(
        "/references",
        summary="Enroll the few confirmed faces that teach most, in one step",
        responses=NOT_DONE,
    )
    def references(given: ReferencesGiven) -> ReferencesShape:
        return own.references(given)

    @routes.get(
        "/decisions", summary="Seen faces of which one thing was decided", responses=NOT_THERE
    )
    def decisions(
        state: DecidedState = "confirmed",
        name: Annotated[str | None, Query(min_length=1, max_length=300)] = None,
        after: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> DecisionsShape:
        return own.decisions(state, name, after, limit)

    return routes
