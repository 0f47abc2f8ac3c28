"""`gallery reject`: what a face is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.meant import At, InBox, WhichFace, complete_faces, given_by
from gallery.cli.progress import follow
from gallery.cli.show import Cropped, Json, json_line, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.store.rejections import Rejection


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reject)


def reject(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FACE... NAME",
            autocompletion=complete_faces,
            help="Pictures, face:NUMBER as `cluster` and `decisions` say, or cluster:NUMBER; at "
            "the end whom they do not show.",
        ),
    ] = None,
    face: WhichFace = None,
    box: InBox = None,
    at: At = None,
    listing: Annotated[bool, typer.Option("--list", help="Show what was rejected.")] = False,
    undo: Annotated[
        list[int] | None, typer.Option(metavar="NUMBER", help="Take one back; may be repeated.")
    ] = None,
    cropped: Cropped = False,
    json: Json = False,
) -> None:
    """Say that faces are not NAME: neither they nor ones nearly the same are answered so again."""
    from gallery.engine.assemble import open_gallery
    from gallery.jobs import review

    words = words or []
    if sum((bool(words), listing, bool(undo))) != 1 or len(words) == 1:
        raise typer.BadParameter("Give pictures and a NAME, or --list, or --undo NUMBER.")
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        if undo:
            review.take_back(gallery, undo)
            say(f"{plural(len(undo), 'rejection')} taken back.")
        elif words:
            gallery.require_encoded()
            given, which = given_by(words[:-1], face, at, box)
            for one in follow(review.reject_all(gallery, given, words[-1], which)):
                if json:
                    json_line(_as_json(one))
                else:
                    say(f"{one.path} is not {one.character}: rejection {one.id}.")
        else:
            _list(gallery.store.rejections.all(), json=json)


def _list(rejections: list[Rejection], *, json: bool) -> None:
    if json:
        for one in rejections:
            json_line(_as_json(one))
    elif not rejections:
        say("Nothing was rejected yet; `gallery reject PICTURE NAME` does.")
    else:
        table(
            ("number", "is not", "box", "path"),
            [(one.id, one.character, _box(one), one.path) for one in rejections],
            right=("number",),
        )


def _box(one: Rejection) -> str:
    return ",".join(f"{edge:.0f}" for edge in one.box)


def _as_json(one: Rejection) -> dict[str, object]:
    return {
        "rejection": one.id,
        "character": one.character,
        "path": str(one.path),
        "digest": one.digest,
        "box": [round(edge, 2) for edge in one.box],
    }
