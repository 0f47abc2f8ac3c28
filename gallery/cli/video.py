"""What `label` and `harvest` share about videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from gallery.faces.video import VideoOptions

From: TypeAlias = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="TIME",
        show_default=False,
        help="Of videos: begin here, in seconds or as 0:01:23.5.",
    ),
]
To: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Of videos: end before this time.")
]
Every: TypeAlias = Annotated[
    float,
    typer.Option(
        "--every",
        metavar="SECONDS",
        min=0.0,
        help="Of videos: look for faces so often, and at every shot's first and last frame; "
        "0 looks at every frame that shows something new.",
    ),
]


def options_of(
    start: str,
    end: str | None,
    every: float,
    min_face: float,
    min_quality: float,
    *,
    portrait: bool = False,
) -> VideoOptions:
    """Return what of videos is looked at. Raises InputError for times that are none."""
    from gallery.errors import InputError
    from gallery.faces.quality import Gates
    from gallery.faces.video import VideoOptions
    from gallery.media.timecodes import seconds_of

    first = seconds_of(start)
    last = None if end is None else seconds_of(end)
    if last is not None and last <= first:
        raise InputError("--to is not after --from; give a later time.")
    return VideoOptions(first, last, every, Gates(min_face, min_quality, portrait))
