"""`gallery audit`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.meant import KeptTo
from gallery.cli.progress import follow
from gallery.cli.show import Json, json_line, named_path, plural, say, settings_of, table
from gallery.system.memory import seldom_collected

if TYPE_CHECKING:
    from gallery.audit.proposals import Proposal

MOST_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)


def audit(
    ctx: typer.Context,
    samples: Annotated[
        list[int] | None, typer.Argument(metavar="SAMPLE", help="For --right.")
    ] = None,
    right: Annotated[
        bool,
        typer.Option(
            "--right", help="Say that these samples are right as they are: none is doubted again."
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", parser=named_path, help="Write a page with the faces side by side."
        ),
    ] = None,
    series: KeptTo = None,
    json: Json = False,
) -> None:
    """Say what may be wrong in the gallery, with the command that puts each right.

    Samples in the wrong folder, faces under two names, characters that look like two or like one,
    samples that are nearly the same, and characters with too little to go by. Likeliest first;
    nothing is changed. What is right although it is doubted is said to be so by --right; that is a
    decision, which `gallery undo` takes back.
    """
    if right != bool(samples) or (right and (report is not None or json or series is not None)):
        raise typer.BadParameter("Give samples by their numbers with --right, and nothing else.")
    if right:
        _say_right(ctx, samples or [])
        return
    from gallery.audit.page import report_of
    from gallery.audit.run import audit as job
    from gallery.engine.assemble import open_gallery
    from gallery.reports.page import check_report_path, write_report

    if report is not None:
        check_report_path(report)
    with open_gallery(settings_of(ctx, series=series)) as gallery:
        with seldom_collected():
            proposals = follow(job(gallery))
        if report is not None:
            write_report(report_of(gallery, proposals), report)
    if json:
        for one in proposals:
            json_line(_as_json(one))
    else:
        _print(proposals)
    if report is not None:
        say(f"{report}")


def _say_right(ctx: typer.Context, samples: list[int]) -> None:
    from gallery.audit.right import say_right
    from gallery.engine.assemble import open_gallery

    with open_gallery(settings_of(ctx)) as gallery:
        step = say_right(gallery, samples)
    they = "it is" if step.faces == 1 else "they are"
    say(f"{plural(step.faces, 'sample')} right as {they}; `gallery undo` takes that back.")


def _print(proposals: list[Proposal]) -> None:
    if not proposals:
        say("Nothing looks wrong.")
        return
    table(
        ("what", "likely", "why", "command"),
        [
            (one.kind.value, _percent(one), one.reason, one.command)
            for one in proposals[:MOST_SHOWN]
        ],
        right=("likely",),
    )
    counts = Counter(one.kind.value for one in proposals)
    parts = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    more = len(proposals) - MOST_SHOWN
    rest = f" {more} more stand in --json and --report." if more > 0 else ""
    say(f"{plural(len(proposals), 'proposal')}: {parts}.{rest}")
    say("`gallery audit --right SAMPLE...` remembers what is right as it is.")


def _percent(one: Proposal) -> str:
    return "-" if one.likelihood is None else f"{one.likelihood:.0%}"


def _as_json(one: Proposal) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "likelihood": None if one.likelihood is None else round(one.likelihood, 4),
        "characters": list(one.characters),
        "samples": list(one.samples),
        "beside": list(one.beside),
        "reason": one.reason,
        "command": one.command,
    }
