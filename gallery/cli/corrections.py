"""`gallery corrections`: what was corrected in other programs, taken in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.progress import Reporter, follow
from gallery.cli.show import Json, json_line, named_path, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.jobs.correction_places import Missed
    from gallery.jobs.corrections import Change, Corrected

MOST_NAMED = 20
"""Corrections of no seen face that are named one by one."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(corrections)


def corrections(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            parser=named_path,
            help="Label Studio, COCO, CVAT, records of gallery, digikam4.db, .picasa.ini, or a "
            "folder of Google Takeout or Picasa.",
        ),
    ],
    original: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=named_path,
            help="The file as gallery wrote it: only what differs from it is a correction.",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Of gallery's own records: take all names in them for your word."
        ),
    ] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", parser=named_path, help="Where relative paths in the files lead from."
        ),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Take names that nobody has yet, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; decide nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Take in what you corrected in other programs, as decisions on the faces that `label` saw.

    Faces are known by their pictures and places. All of it is one step, which `gallery undo` takes
    back. Nothing is enrolled. The exit code is 1 where a file cannot be read or a correction is of
    no seen face.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.corrections import CorrectionChoices
    from gallery.jobs.corrections import corrections as job

    choices = CorrectionChoices(files, original, everything, pictures, new, dry_run)
    reporter = Reporter()
    with open_gallery(settings_of(ctx)) as gallery:
        done = follow(job(gallery, choices), reporter)
    if json:
        json_line(_json(done))
    else:
        _print(done, dry_run=dry_run)
    if reporter.refused or done.missed:
        raise typer.Exit(1)


def _print(done: Corrected, *, dry_run: bool) -> None:
    if dry_run and done.changes:
        table(
            ("face", "before", "after", "where"),
            [
                (
                    f"face:{one.sighting.id}",
                    one.before.character or one.before.decided.words,
                    one.after.character or one.after.decided.words,
                    one.sighting.path,
                )
                for one in done.changes
            ],
        )
    for missed in done.missed[:MOST_NAMED]:
        say(f"gallery: {_said(missed)}: {missed.why}.")
    whys = Counter(one.why for one in done.missed)
    if len(done.missed) > MOST_NAMED:
        counts = ", ".join(f"{count} {why}" for why, count in whys.items())
        say(f"{len(done.missed)} corrections could not be taken in: {counts}.")
    if done.answers:
        say(f"{plural(done.answers, 'answer')} of the gallery's own passed over.")
    if done.nameless:
        say(f"{plural(done.nameless, 'mark')} without a name passed over.")
    verb = "would change" if dry_run else "changed"
    say(f"{plural(len(done.changes), 'face')} {verb}, {done.same} as they were.")
    if done.step is not None:
        say(f"Step {done.step.id}: {done.step.title}. `gallery undo` takes it back.")


def _said(missed: Missed) -> str:
    one = missed.correction
    where = "" if one.spot.box is None else f" at {_box(one.spot.box)}"
    return f"{one.name or one.decided.words} in {one.spot.picture}{where}"


def _json(done: Corrected) -> dict[str, object]:
    from gallery.cli.decide import step_json

    return {
        "step": None if done.step is None else step_json(done.step),
        "changes": [_change_json(one) for one in done.changes],
        "same": done.same,
        "unmatched": [
            {
                "picture": one.correction.spot.picture,
                "character": one.correction.name,
                "decided": one.correction.decided.value,
                "box": one.correction.spot.box and [*one.correction.spot.box],
                "why": one.why.value,
            }
            for one in done.missed
        ],
        "answers": done.answers,
        "nameless": done.nameless,
    }


def _change_json(one: Change) -> dict[str, object]:
    from gallery.system.file_names import path_text

    return {
        "face": one.sighting.id,
        "path": path_text(one.sighting.path),
        "box": [round(edge, 2) for edge in one.sighting.face.box],
        "before": {"decided": one.before.decided.value, "character": one.before.character},
        "after": {"decided": one.after.decided.value, "character": one.after.character},
    }


def _box(box: tuple[float, ...]) -> str:
    return ",".join(f"{edge:g}" for edge in box)
