"""`gallery evaluate`: how often the gallery is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.advice import why
from gallery.cli.progress import Reporter, follow
from gallery.cli.show import (
    Cropped,
    Json,
    Largest,
    json_line,
    named_path,
    plural,
    say,
    settings_of,
    table,
)
from gallery.events import Event, Refused

if TYPE_CHECKING:
    from gallery.evaluation.decided import DecidedEvaluation
    from gallery.evaluation.evaluate import Evaluation
    from gallery.settings import Settings

SHOWN_CONFUSED = 10
SHOWN_WRONG = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            parser=named_path,
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
            metavar="FILE.html",
            parser=named_path,
            help="Write tables, curves and the worst mistakes as one page.",
        ),
    ] = None,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="On the seen faces that you decided of.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure how often the gallery is right, on its own faces or on a folder of known ones.

    Without DIR every enrolled face is asked about as if it were new, and once more as a stranger;
    nothing but the database is opened. In DIR, folders whose names are not in the gallery hold
    strangers. With --decisions the gallery's own answers are compared with what you confirmed,
    rejected and called no face. Every figure has its 95 % interval; where there is too little for
    one, - stands.
    The exit code is 1 when a picture of DIR could not be used; the others are.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.evaluation.run import evaluate as job
    from gallery.reports.page import check_report_path, write_report

    if figures and json:
        raise typer.BadParameter("Choose --figures or --json.")
    if report is not None:
        check_report_path(report)
    if decisions:
        if folder is not None or report is not None:
            raise typer.BadParameter("It goes without DIR and --report.", param_hint="--decisions")
        _on_decisions(settings_of(ctx), seed, json=json, figures=figures)
        return
    reporter = _EvaluationReporter()
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        evaluation = follow(job(gallery, folder, largest=largest, seed=seed), reporter)
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
    if reporter.refused:
        raise typer.Exit(1)


def _on_decisions(settings: Settings, seed: int, *, json: bool, figures: bool) -> None:
    from gallery.engine.assemble import open_gallery
    from gallery.evaluation.decided import evaluate_decisions
    from gallery.evaluation.plain import decided_json, lines

    with open_gallery(settings) as gallery:
        found = follow(evaluate_decisions(gallery, seed=seed))
        encoder = gallery.encoder
    if json:
        json_line(decided_json(found, encoder))
    elif figures:
        for line in lines(found):
            typer.echo(line)
    else:
        _print_decided(found)


def _print_decided(found: DecidedEvaluation) -> None:
    whole, wrong = len(found.confirmed), sum(one.is_wrong for one in found.confirmed)
    share = f": {100 * wrong / whole:.1f} %" if whole else ""
    were = "was" if wrong == 1 else "were"
    typer.echo(f"Of {whole:,} confirmed, {wrong:,} {were} wrong{share}.")
    if found.enrolled:
        say(f"{plural(found.enrolled, 'face')} left out: enrolled, and compared with themselves.")
    if found.unseen:
        say(f"{plural(found.unseen, 'face')} left out: `gallery label` has not seen them.")
    for chapter in found.chapters:
        typer.echo(f"\n{chapter.title}")
        table(chapter.columns, [[str(cell) for cell in row] for row in chapter.rows])
        for reason in chapter.reasons:
            typer.echo(f"- stands where {reason}.")
    if found.wrong:
        typer.echo("\nSurely named, and wrong")
        table(
            ("face", "decided", "character", "taken for", "where"),
            [
                (
                    f"face:{one.sighting.id}",
                    one.state.decided.words,
                    one.state.character or "-",
                    one.answer.character,
                    one.sighting.path,
                )
                for one in found.wrong[:SHOWN_WRONG]
            ],
        )


class _EvaluationReporter(Reporter):
    """Says of pictures that they are refused: others are measured all the same."""

    def tell(self, event: Event[object]) -> None:
        """Say which picture is refused."""
        if isinstance(event, Refused):
            self.refused += 1
            say(f"refused: {why(event)}")
        else:
            super().tell(event)


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
