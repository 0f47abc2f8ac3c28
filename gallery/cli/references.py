"""`gallery references`: a few confirmed faces become samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.meant import called, complete_name
from gallery.cli.progress import follow
from gallery.cli.seen import say_when_seen
from gallery.cli.show import Json, json_line, plural, say, settings_of, table
from gallery.media.timecodes import timecode

if TYPE_CHECKING:
    from gallery.jobs.references import Reference, References


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(references)


def references(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_name)],
    take: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="How many at most.")] = 5,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which they are, and enroll none.")
    ] = False,
    json: Json = False,
) -> None:
    """Enroll the few confirmed faces of NAME that teach most: well to be seen, and unlike others.

    What is like a sample that is there is left out. `gallery undo` undoes it.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.references import references as choose

    with open_gallery(settings_of(ctx)) as gallery:
        found = follow(choose(gallery, called(gallery, name, new=False), take, dry_run=dry_run))
        if json:
            json_line(_as_json(found))
            return
        _print(found, dry_run=dry_run)
        if found.added:
            say_when_seen(gallery, "enrolled faces")


def _print(found: References, *, dry_run: bool) -> None:
    if found.chosen:
        table(
            ("face", "quality", "apart", "where"),
            [_row(one) for one in found.chosen],
            right=("quality", "apart"),
        )
    of = f"of {plural(found.confirmed, 'confirmed face')} of {found.character}"
    if not found.chosen:
        say(f"None {of} teaches more than the samples there.")
    elif dry_run:
        say(f"{len(found.chosen)} {of} would be enrolled.")
    else:
        say(f"{found.added} {of} enrolled.")


def _row(one: Reference) -> tuple[str, str, str, str]:
    quality = "-" if one.face.quality is None else f"{one.face.quality.score:.2f}"
    apart = "-" if one.apart is None else f"{one.apart:.2f}"
    return f"face:{one.face.id}", quality, apart, _where(one)


def _where(one: Reference) -> str:
    track = one.face.track
    return f"{one.face.path}" if track is None else f"{one.face.path} {timecode(track.best)}"


def _as_json(found: References) -> dict[str, object]:
    return {
        "character": found.character,
        "confirmed": found.confirmed,
        "added": found.added,
        "faces": [
            {
                "face": one.face.id,
                "path": str(one.face.path),
                "quality": None if one.face.quality is None else round(one.face.quality.score, 6),
                "apart": None if one.apart is None else round(one.apart, 6),
            }
            for one in found.chosen
        ],
    }
