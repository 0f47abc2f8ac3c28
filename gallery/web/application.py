"""The application: the page, what it loads, and the routes that it talks to."""

from __future__ import annotations

import secrets
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gallery import __version__
from gallery.web import (
    auditing,
    episodes,
    grouping,
    pairing,
    picture_routes,
    program_routes,
    routes,
)
from gallery.web.desk import Desk
from gallery.web.doors import LARGEST_PICTURE
from gallery.web.words import LOOK, REST, ROWS, SCREEN

HERE = Path(__file__).parent


def application(desk: Desk, title: str) -> FastAPI:
    """Return the application of a gallery, which its title names. It wants doors before it."""
    # The usual pages of documentation load scripts from elsewhere.
    app = FastAPI(
        title="gallery",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        # Variables that other servers heed would have it send what is asked here, names and all.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    # FastAPI matches in this order: /pictures/1.jpg is no number.
    parts = (routes.images, routes.reading, routes.changing, program_routes.programs)
    views = (grouping.routes, pairing.routes, episodes.routes, auditing.routes)
    for part in (*parts, *views, *picture_routes.PARTS):
        app.include_router(part(desk), responses=routes.REFUSED)
    for kind, answer in routes.COMPLAINTS.items():
        app.add_exception_handler(kind, answer)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    page = _page(title)

    @app.get("/", include_in_schema=False)
    def front(_: Request) -> Response:
        return Response(page, media_type="text/html; charset=utf-8")

    return app


def _page(title: str) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html").render(
        title=title,
        screen=SCREEN,
        rest=REST,
        largest=LARGEST_PICTURE,
        rows=ROWS,
        look=LOOK,
        # Named at the head all load at once, instead of each once another has come that wants it.
        modules=sorted(one.name for one in (HERE / "static").glob("*.js")),
        # Another gallery may have this address tomorrow, and other faces by the same numbers.
        key=secrets.token_hex(8),
    )
