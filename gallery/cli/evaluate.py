"""`gallery evaluate`: how often the gallery is right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.advice import told
from gallery.cli.show import (
    Cropped,
    Json,
    Largest,
    json_line,
    plural,
    progress,
    say,
    settings_of,
    table,
)

if TYPE_CHECKING:
    from gallery.engine.engine import Gallery
    from gallery.errors import InputError
    from gallery.evaluation.evaluate import Evaluation
    from gallery.evaluation.evaluation_set import EvaluationSet

SHOWN_CONFUSED = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="Pictures to ask about, a folder per character; without it, the gallery's own.",
        ),
    ] = None,
    cropped: Cropped = False,
    largest: Largest = False,
    seed: Annotated[int, typer.Option(min=0, help="The same one gives the same figures.")] = 0,
    figures: Annotated[
        bool, typer.Option("--figures", help="Print `name value low high n` lines for scripts.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help="Write tables, curves and the worst mistakes as one page."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure how often the gallery is right, on its own faces or on a folder of known ones.

    Without DIR every enrolled face is asked about as if it were new, and once more as a stranger;
    nothing but the database is opened. In DIR, folders whose names are not in the gallery hold
    strangers. Every figure has its 95 % interval; where there is too little for one, - stands.
    The exit code is 1 when a picture of DIR could not be used; the others are.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.evaluation.evaluate import evaluate as run
    from gallery.evaluation.evaluate import steps
    from gallery.evaluation.verdicts import joint_scoring_of, judge_of
    from gallery.reports.page import check_report_path, write_report

    if figures and json:
        raise typer.BadParameter("Choose --figures or --json.")
    if report is not None:
        check_report_path(report)
    refused: list[InputError] = []
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        evaluation_set = _subject(gallery, folder, refused.append, largest=largest)
        for why in refused:
            say(f"refused: {told(why)}")
        joint = joint_scoring_of(gallery, evaluation_set)
        with progress("Evaluating", steps(evaluation_set, is_joint=joint is not None)) as advance:
            evaluation = run(
                evaluation_set, judge_of(gallery), joint=joint, seed=seed, tick=advance
            )
        if json:
            from gallery.evaluation.plain import as_json

            json_line(as_json(evaluation, gallery.encoder))
        elif figures:
            from gallery.evaluation.plain import lines

            for line in lines(evaluation):
                typer.echo(line)
        else:
            _print(evaluation)
        if report is not None:
            from gallery.evaluation.page import report_of

            write_report(report_of(evaluation, gallery), report)
            say(f"{report}")
    if refused:
        raise typer.Exit(1)


def _subject(
    gallery: Gallery, folder: Path | None, refuse: Callable[[InputError], None], *, largest: bool
) -> EvaluationSet:
    from gallery.errors import UnusableFile
    from gallery.evaluation.evaluation_set import set_of_folder, set_of_gallery
    from gallery.jobs.enroll_folders import candidates_in

    if folder is None:
        return set_of_gallery(gallery)
    candidates, loose = candidates_in(folder)
    for path in loose:
        refuse(UnusableFile(path, "lies in no character's folder"))
    with progress("Describing", len(candidates)) as advance:
        return set_of_folder(gallery, candidates, largest=largest, refuse=refuse, advance=advance)


def _print(evaluation: Evaluation) -> None:
    """Print the tables to standard output, what has to be known beside them to standard error."""
    from gallery.evaluation.page import CONFUSED_COLUMNS, confused_rows

    evaluation_set = evaluation.evaluation_set
    say(
        f"{plural(evaluation.asked, 'face')} asked about, against "
        f"{plural(evaluation_set.enrolled, 'character')} with "
        f"{plural(len(evaluation_set.references.labels), 'sample')}."
    )
    for note in evaluation.notes:
        say(note)
    for chapter in evaluation.chapters:
        typer.echo(f"\n{chapter.title}")
        table(chapter.columns, [[str(cell) for cell in row] for row in chapter.rows])
        for reason in chapter.reasons:
            typer.echo(f"- stands where {reason}.")
    rows = confused_rows(evaluation, SHOWN_CONFUSED)
    if rows:
        typer.echo("\nWho is mixed up with whom")
        table(CONFUSED_COLUMNS, rows)
