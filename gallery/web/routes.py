"""The HTTP interface, under /api/v1: what the page asks for, and what other programs may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from gallery.errors import (
    GalleryError,
    InputError,
    NoSuchCharacter,
    NoSuchSeenFace,
    NoSuchStep,
    NoSuchVideo,
    NotDrawn,
)
from gallery.web.desk import Desk
from gallery.web.pictures import LARGE, THUMBNAIL
from gallery.web.shapes import (
    CharactersShape,
    ClustersShape,
    ComplaintShape,
    DecisionGiven,
    DoneShape,
    FacesShape,
    HistoryShape,
    NameShape,
    NearShape,
    NewsShape,
    PictureShape,
    RowsShape,
    TodayShape,
    UndoGiven,
)
from gallery.web.words import FACES_NEAR, ROWS, SCREEN

FOR_EVER = "private, max-age=31536000, immutable"

Number = Annotated[int, Path(ge=1, le=(1 << 62))]
Start = Annotated[int, Query(ge=0, le=10_000_000)]
Picture = Annotated[
    bytes, Body(media_type="image/*", description="A picture file's content, in any format.")
]
Large = Annotated[bool, Query(description="In the size that it is stored in.")]

Responses: TypeAlias = dict[int | str, dict[str, Any]]

NOT_THERE: Responses = {404: {"model": ComplaintShape}}
BROUGHT = (411, 413, 415)
"""What the doors say of a body that they do not let in."""

BRINGING_REFUSED: Responses = {status: {"model": ComplaintShape} for status in BROUGHT}
NOT_DONE: Responses = {**NOT_THERE, **BRINGING_REFUSED}

REFUSED: Responses = {
    401: {"model": ComplaintShape, "description": "A program has not sent its token."},
    403: {"model": ComplaintShape, "description": "A browser has not opened the link."},
    409: {"model": ComplaintShape, "description": "What is asked for cannot be done."},
    421: {"model": ComplaintShape, "description": "Another host was asked."},
    500: {"model": ComplaintShape, "description": "The gallery cannot be read or written."},
}
"""What every route may answer."""
JPEG: Responses = {200: {"content": {"image/jpeg": {}}}}


def reading(desk: Desk) -> APIRouter:
    """Return the routes that change nothing."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/today", summary="What is left to decide")
    def today() -> TodayShape:
        return desk.today()

    @routes.get("/names", summary="Names that are surely answered")
    def names() -> list[NameShape]:
        return desk.names()

    @routes.get("/faces", summary="Sure faces of a name, least likely first", responses=NOT_THERE)
    def faces(
        name: Annotated[str, Query(min_length=1, max_length=300)],
        after: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = SCREEN,
        rest: Annotated[
            int, Query(ge=0, le=500, description="So few more come with them, if they are all.")
        ] = 0,
    ) -> FacesShape:
        return desk.sure(name, after, limit, rest)

    @routes.get("/news", summary="What is new since a screen was loaded", responses=NOT_THERE)
    def news(
        name: Annotated[str | None, Query(min_length=1, max_length=300)] = None,
        since: Annotated[int, Query(ge=0, le=(1 << 62))] = 0,
    ) -> NewsShape:
        return desk.news(name, since)

    @routes.get("/doubtful", summary="Rows of doubtful faces beside their references")
    def doubtful(start: Start = 0, limit: Annotated[int, Query(ge=1, le=100)] = ROWS) -> RowsShape:
        return desk.doubtful(start, limit)

    @routes.get("/near", summary="Unknown faces in rows by the nearest character, likeliest first")
    def near(
        after: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = FACES_NEAR,
    ) -> NearShape:
        return desk.near(after, limit)

    @routes.get("/clusters", summary="Groups of unknown faces, largest first")
    def clusters(
        start: Start = 0, limit: Annotated[int, Query(ge=1, le=100)] = ROWS
    ) -> ClustersShape:
        return desk.clusters(start, limit)

    @routes.get(
        "/pictures/{face}", summary="The picture of a face, with its faces", responses=NOT_THERE
    )
    def picture(face: Number) -> PictureShape:
        return desk.picture(face)

    @routes.get("/history", summary="What was decided, newest first")
    def history() -> HistoryShape:
        return desk.history()

    @routes.get("/characters", summary="Names for a face")
    def characters() -> CharactersShape:
        return desk.characters()

    return routes


def images(desk: Desk) -> APIRouter:
    """Return the routes of pictures; each is named by a number, never by a path."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get(
        "/crops/{face}.jpg",
        summary="A seen face",
        response_class=Response,
        responses={**JPEG, **NOT_THERE},
    )
    def crop(face: Number, large: Large = False) -> Response:
        return _image(desk.crop(face, LARGE if large else THUMBNAIL))

    @routes.get(
        "/references/{sample}.jpg",
        summary="A reference of a character",
        response_class=Response,
        responses={**JPEG, **NOT_THERE},
    )
    def reference(sample: Number, large: Large = False) -> Response:
        return _image(desk.reference(sample, LARGE if large else THUMBNAIL))

    @routes.get(
        "/pictures/{face}.jpg",
        summary="The picture of a face, not larger than a screen",
        response_class=Response,
        responses={**JPEG, **NOT_THERE},
    )
    def original(face: Number) -> Response:
        # It is read from its file, which may be another one tomorrow.
        return _image(desk.original(face), kept=False)

    return routes


def changing(desk: Desk) -> APIRouter:
    """Return the routes that change something."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/decisions", summary="Decide of faces, in one step", responses=NOT_DONE)
    def decide(given: DecisionGiven) -> DoneShape:
        return desk.decide(given)

    @routes.post("/undo", summary="Undo a step, or the newest one", responses=NOT_DONE)
    def undo(given: UndoGiven) -> DoneShape:
        return desk.undo(given)

    return routes


def complaint(_: Request, error: Exception) -> JSONResponse:
    """Return what a client gets for an error of gallery's: its sentence."""
    status = 409 if isinstance(error, InputError) else 500
    if isinstance(error, (NoSuchCharacter, NoSuchSeenFace, NoSuchStep, NoSuchVideo, NotDrawn)):
        status = 404
    return JSONResponse({"detail": str(error)}, status)


COMPLAINTS: dict[type[Exception], Callable[[Request, Exception], JSONResponse]] = {
    GalleryError: complaint
}


def _image(content: bytes | None, *, kept: bool = True) -> Response:
    if content is None:
        return JSONResponse({"detail": "There is no such picture."}, 404)
    headers = {"cache-control": FOR_EVER} if kept else {}
    return Response(content, media_type="image/jpeg", headers=headers)
