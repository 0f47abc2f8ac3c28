"""Routes of pictures: searching by one, drawing heads in them, enrolling them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gallery.web.desk import Desk
from gallery.web.drawing import Drawing
from gallery.web.enrolling import Enrolling
from gallery.web.picture_shapes import AddedShape, ErasedShape, FoundShape, HeadGiven, LikeShape
from gallery.web.routes import BRINGING_REFUSED, NOT_DONE, NOT_THERE, Number, Picture
from gallery.web.searching import Searching
from gallery.web.shapes import LONGEST_NAME, FaceGiven, FaceShape

LIKE = 48
"""Seen faces like one, on one screen."""

Limit = Annotated[int, Query(ge=1, le=500, description="How many seen faces like a face.")]
FileName = Annotated[
    str | None, Query(min_length=1, max_length=300, description="What its file is called.")
]


def searching(desk: Desk) -> APIRouter:
    """Return the routes that say who is in a picture and where somebody was seen."""
    routes = APIRouter(prefix="/api/v1")
    own = Searching(desk)

    @routes.post(
        "/search",
        summary="Who is in a picture, and seen faces like those; nothing of it is kept",
        responses=BRINGING_REFUSED,
    )
    def search(picture: Picture, limit: Limit = LIKE, file: FileName = None) -> FoundShape:
        return own.search(picture, limit, file)

    @routes.get("/faces/{face}/like", summary="Seen faces like a seen face", responses=NOT_THERE)
    def like(face: Number, limit: Limit = LIKE) -> LikeShape:
        return own.like(face, limit)

    return routes


def drawing(desk: Desk) -> APIRouter:
    """Return the routes by which a person draws a head that no detector saw."""
    routes = APIRouter(prefix="/api/v1")
    own = Drawing(desk)

    @routes.post("/heads", summary="Draw a head that was missed", responses=NOT_DONE)
    def draw(given: HeadGiven) -> FaceShape:
        return own.draw(given)

    @routes.post("/heads/erase", summary="Take a drawn head back", responses=NOT_DONE)
    def erase(given: FaceGiven) -> ErasedShape:
        return own.erase(given)

    return routes


def enrolling(desk: Desk) -> APIRouter:
    """Return the route by which pictures become samples of a character."""
    routes = APIRouter(prefix="/api/v1")
    own = Enrolling(desk)

    @routes.post("/samples", summary="Enroll a picture under a name", responses=NOT_DONE)
    def add(
        picture: Picture,
        name: Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)],
        file: FileName = None,
        new: Annotated[bool, Query(description="The name may be new.")] = False,
        largest: Annotated[bool, Query(description="Of several faces, take the largest.")] = False,
    ) -> AddedShape:
        return own.add(picture, name, file or "picture", new=new, largest=largest)

    return routes


PARTS = (searching, drawing, enrolling)
