"""`gallery seen`: what labelling remembers, and that its answers may be others by now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import Json, json_line, named_path, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.engine.engine import Engine

ANEW = "`gallery relabel` writes them anew"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(seen)


def may_differ(what: str, anew: str = ANEW) -> str:
    """Return a sentence: what a person did, so that answers are others, and what writes those."""
    return f"You {what}, so that answers may be others now; {anew}."


def say_when_seen(gallery: Engine, what: str) -> None:
    """Say that answers of labelled pictures may be others now, where there are such pictures."""
    if gallery.store.sightings.count():
        say(may_differ(what))


def seen(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", parser=named_path, help="Only these files, or those of these folders."
        ),
    ] = None,
    gone: Annotated[
        bool, typer.Option("--gone", help="Only files that are not there any more.")
    ] = False,
    json: Json = False,
) -> None:
    """List the pictures and videos that `label` saw, with their faces.

    `relabel`, `cluster` and the page answer from these; `gallery forget --seen` forgets them. With
    --json, an object a line for each file.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.seen import seen_files
    from gallery.system.file_names import path_text

    with open_gallery(settings_of(ctx)) as gallery:
        found = seen_files(gallery, paths or (), gone=gone)
    if json:
        for one in found:
            json_line(
                {
                    "path": path_text(one.path),
                    "faces": one.faces,
                    "is_video": one.is_video,
                    "is_gone": one.is_gone,
                    "error": one.error,
                }
            )
        return
    if found:
        table(
            ("faces", "file", ""),
            [(one.faces, one.path, "gone" if one.is_gone else one.error or "") for one in found],
            right=("faces",),
        )
    missing = sum(one.is_gone for one in found)
    faces = plural(sum(one.faces for one in found), "face")
    say(f"{plural(len(found), 'file')} with {faces}, {missing} of them gone.")
