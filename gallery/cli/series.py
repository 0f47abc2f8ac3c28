"""`gallery series` and `alias`: whom characters belong with, and what else they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from gallery.cli.meant import Name, complete_name, complete_series
from gallery.cli.show import Json, json_line, plural, say, settings_of, table

MOST_SHOWN = 5
"""Characters of a series that the list of all series names."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(series)
    app.command()(alias)


def _series_then_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return series for the first word, and names for those behind it."""
    is_first = not ctx.params.get("words") and not ctx.params.get("remove")
    return (complete_series if is_first else complete_name)(ctx, incomplete)


def series(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="SERIES [CHARACTER]", autocompletion=_series_then_names),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="The characters named belong to no series any more.")
    ] = False,
    json: Json = False,
) -> None:
    """Say which series there are, who belongs to one, or that characters belong to it.

    Nothing has to be in one folder for it. `identify`, `label`, `relabel`, `calibrate` and `audit`
    are kept to one by --series. Hydrus sidecars have it, captions as on image boards, and
    sorted folders where they are asked to.
    """
    from gallery.engine.assemble import open_gallery

    given = words or []
    if remove and not given:
        raise typer.BadParameter("Give the characters that --remove is for.")
    with open_gallery(settings_of(ctx)) as gallery:
        known = gallery.store.series
        if remove:
            gallery.belong(given, "")
        elif len(given) > 1:
            name = gallery.belong(given[1:], given[0])
        elif given:
            name = known.called(given[0])
        found = known.all()
    if remove:
        say(f"{_belong(len(set(given)))} to no series now.")
    elif len(given) > 1:
        say(f"{_belong(len(set(given[1:])))} to {name} now, {len(found.get(name, ()))} in all.")
    elif given:
        _print({name: found[name]}, json=json, is_one=True)
    elif found or json:
        _print(found, json=json)
    else:
        say("No character belongs to a series; `gallery series SERIES CHARACTER...` says so.")


def _belong(count: int) -> str:
    return f"{plural(count, 'character')} {'belongs' if count == 1 else 'belong'}"


def _print(found: dict[str, list[str]], *, json: bool, is_one: bool = False) -> None:
    if json:
        for name, own in found.items():
            json_line({"series": name, "characters": own})
        return
    if is_one:
        table(("character",), [(one,) for own in found.values() for one in own])
        return
    table(
        ("series", "characters", ""),
        [(name, len(own), _some(own)) for name, own in found.items()],
        right=("characters",),
    )


def _some(names: list[str]) -> str:
    more = len(names) - MOST_SHOWN
    return ", ".join(names[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def alias(
    ctx: typer.Context,
    name: Name,
    others: Annotated[
        list[str] | None, typer.Argument(metavar="OTHER", help="Names that are to mean it, too.")
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="The others mean it no more; former names, too.")
    ] = False,
    json: Json = False,
) -> None:
    """Say which other names a character goes by, or let it go by more.

    Wherever a name is read, another name means the character: on the command line, as a folder
    that is enrolled, in captions and in corrections. Names that it had before are among them.
    """
    from gallery.engine.assemble import open_gallery

    given = list(dict.fromkeys(others or []))
    if remove and not given:
        raise typer.BadParameter("Give the names that --remove is for.")
    with open_gallery(settings_of(ctx)) as gallery:
        if remove:
            gallery.call_no_more(name, given)
        elif given:
            gallery.call(name, given)
        known = gallery.store.character(name)
        found = gallery.store.other_names(known.id)
    if json:
        json_line({"character": known.name, "others": found})
    elif given:
        goes = "goes no more" if remove else "goes"
        say(f"{known.name} {goes} by {', '.join(given)}.")
    elif found:
        table((f"{known.name} goes by",), [(one,) for one in found])
    else:
        say(f"{known.name} goes by no other name; `gallery alias NAME OTHER` gives one.")
