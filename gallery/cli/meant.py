"""Which faces and whom a command line means: arguments, their completion, and a word on typing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from gallery.cli.advice import told

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.jobs.meant import Given, Which
    from gallery.types import Box


class _Completion(str):
    """A name as a shell is to put it, which may be spelt in other letters than were typed.

    Typer keeps what begins with what was typed, letter by letter.
    """

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        return True


def complete_name(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names in the gallery that begin as is typed, whatever the case and the width.

    Nothing is opened that could be changed, and whatever is wrong is said by the command itself.
    """
    from gallery.store.names import names_at

    return _completed(ctx, incomplete, names_at)


def _completed(ctx: typer.Context, incomplete: str, read: Callable[[str], list[str]]) -> list[str]:
    from gallery.settings import resolved
    from gallery.store.names import folded

    typed = folded(incomplete)
    given = ctx.find_root().params.get("database")
    names = read(resolved(given).database)
    return [_Completion(_quoted(one)) for one in names if folded(one).startswith(typed)]


def complete_series(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the series in the gallery that begin as is typed, as complete_name does of names."""
    from gallery.store.names import series_at

    return _completed(ctx, incomplete, series_at)


def _quoted(name: str) -> str:
    """Return a name as bash is to put it, which takes what it is told as it stands."""
    if os.environ.get("_GALLERY_COMPLETE") != "complete_bash":
        return name
    words = os.environ.get("COMP_WORDS", "").splitlines() or [""]
    is_quoted = words[-1][:1] in ("'", '"')
    plain = is_quoted or shlex.quote(name) == name
    return (
        name
        if plain
        else "".join(f"\\{one}" if one in " '\"&();<>|$`!*?[]{}#~\\" else one for one in name)
    )


def complete_faces(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names, which may follow faces; where none fits, a shell completes files itself."""
    return complete_name(ctx, incomplete) if incomplete else []


KeptTo: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--series",
        metavar="NAME",
        autocompletion=complete_series,
        show_default=False,
        help="Ask for the characters of this series alone, as `gallery series` lists them.",
    ),
]
Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_name)]
Faces: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="FACE",
        help="A picture, face:NUMBER as `cluster` and `decisions` say, or cluster:NUMBER.",
    ),
]
FacesThenName: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="FACE",
        autocompletion=complete_faces,
        help="A picture, face:NUMBER as `cluster` and `decisions` say, or cluster:NUMBER.",
    ),
]
WhichFace: TypeAlias = Annotated[
    int | None,
    typer.Option("--face", min=1, metavar="N", help="Which face, as `identify` counts."),
]
InBox: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--box", metavar="LEFT,TOP,RIGHT,BOTTOM", help="Which face, by its place in pixels."
    ),
]
At: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", help="Of a video: when it is to be seen, as 1:23.5.")
]
New: TypeAlias = Annotated[
    bool, typer.Option("--new", help="Nobody in the gallery has the name yet.")
]


def given_by(
    faces: list[str], face: int | None = None, at: str | None = None, box: str | None = None
) -> tuple[list[Given], Which]:
    """Return the faces that a command line names."""
    from gallery.jobs.meant import Which, read_given
    from gallery.media.timecodes import seconds_of

    if "" in faces:
        raise typer.BadParameter("An empty path names nothing.", param_hint="FACE...")
    if face is not None and box is not None:
        raise typer.BadParameter("Give --face or --box.", param_hint="--box")
    if box is not None and len(faces) > 1:
        raise typer.BadParameter("It is for one picture.", param_hint="--box")
    place = None if box is None else _box(box)
    which = Which(face, None if at is None else seconds_of(at), place)
    return [read_given(one) for one in faces], which


def _box(text: str) -> Box:
    from gallery.types import Box

    try:
        left, top, right, bottom = (float(edge) for edge in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(
            "It wants four numbers, as `identify` prints them: 10,20,110,120.", param_hint="--box"
        ) from error
    if not (left < right and top < bottom and max(map(abs, (left, top, right, bottom))) < 1e9):
        raise typer.BadParameter(
            "Left comes before right, and top before bottom.", param_hint="--box"
        )
    return Box(left, top, right, bottom)


def called(gallery: Engine, name: str, *, new: bool, is_made: bool = False) -> str:
    """Return whom a name on the command line means.

    One that nobody has is refused unless it is new. Where a command makes characters anyhow, it is
    refused only where it is spelt like another. Raises InputError.
    """
    from gallery.errors import InputError, NoSuchCharacter

    try:
        return gallery.called(name, new=new)
    except NoSuchCharacter as error:
        if is_made and not error.near:
            return gallery.called(name, new=True)
        raise InputError(f"{told(error)} Or make one with --new.") from error
