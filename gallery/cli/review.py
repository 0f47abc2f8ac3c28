"""`gallery reject`: what a face is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import Cropped, Json, json_line, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.store.rejections import Rejection


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reject)


def reject(
    ctx: typer.Context,
    picture: Annotated[
        str | None,
        typer.Argument(
            metavar="PICTURE", help="Or face:NUMBER, as `cluster --json` and `decisions` say."
        ),
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    face: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Which face, as `identify` counts.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show what was rejected.")] = False,
    undo: Annotated[
        list[int] | None, typer.Option(metavar="NUMBER", help="Take one back; may be repeated.")
    ] = None,
    cropped: Cropped = False,
    json: Json = False,
) -> None:
    """Say that a face is not NAME: neither it nor one nearly the same is answered so again."""
    from gallery.engine.assemble import open_gallery
    from gallery.jobs import review
    from gallery.jobs.meant import read_given

    asked = (picture is not None or name is not None, listing, bool(undo))
    if sum(asked) != 1 or (picture is None) != (name is None):
        raise typer.BadParameter("Give PICTURE and NAME, or --list, or --undo NUMBER.")
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        if undo:
            review.take_back(gallery, undo)
            say(f"{plural(len(undo), 'rejection')} taken back.")
        elif picture is not None and name is not None:
            gallery.require_encoded()
            one = review.reject(gallery, read_given(picture), name, face)
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
