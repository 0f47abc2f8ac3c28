"""`gallery calibrate`, and what is to be said of a calibration elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.advice import told
from gallery.cli.meant import KeptTo
from gallery.cli.progress import follow
from gallery.cli.show import Json, json_line, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.identify.calibration.calibrate import Calibrated
    from gallery.numerics.intervals import Share

LEAST_FPIR, MOST_FPIR = 0.0001, 0.4
"""Shares of strangers that can be asked for."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(calibrate)


def share_of(text: str | float) -> float:
    """Return a share as it is typed: 1% and 0.01 are one in a hundred."""
    typed = str(text).strip()
    try:
        percent = typed.endswith("%")
        share = float(typed.removesuffix("%").strip()) / (100 if percent else 1)
    except ValueError as error:
        raise typer.BadParameter(f"{typed!r} is no share; give 1% or 0.01.") from error
    if not LEAST_FPIR <= share <= MOST_FPIR:
        raise typer.BadParameter(
            f"{typed} is not between {LEAST_FPIR:.2%} and {MOST_FPIR:.0%}."
            + (f" Did you mean {typed}%?" if LEAST_FPIR <= share / 100 <= MOST_FPIR else "")
        )
    return share


def calibrate(
    ctx: typer.Context,
    fpir: Annotated[
        float,
        typer.Option(
            parser=share_of,
            metavar="SHARE",
            help="The share of strangers that may be surely named: 1% or 0.01.",
        ),
    ] = 0.01,
    series: KeptTo = None,
    json: Json = False,
) -> None:
    """Learn from the gallery's own characters which answers are sure.

    Every face is asked about with itself left out, and with all of its character left out, as if
    it were a stranger; strangers that ship with gallery are asked about, too. What is found is kept
    in the gallery for the encoder in use, and `identify` and `label` go by it from then on. What is
    learnt of one series holds for questions that are kept to it.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.calibrate import calibrate as job

    with open_gallery(settings_of(ctx, series=series)) as gallery:
        found = follow(job(gallery, fpir))
        encoder = gallery.encoder
    for note in found.calibration.notes:
        say(f"Beware: {note}")
    if json:
        calibration = found.calibration
        json_line(
            {
                "encoder": encoder,
                "fpir": calibration.fpir,
                "characters": calibration.characters,
                "references": calibration.samples,
                "sampled": found.sampled,
                "notes": list(calibration.notes),
                **found.expected.as_json(),
            }
        )
        return
    _print(found)


def _print(found: Calibrated) -> None:
    calibration, expected = found.calibration, found.expected
    typer.echo(
        f"{plural(calibration.characters, 'character')} with "
        f"{plural(calibration.samples, 'reference')}; asked for: at most {calibration.fpir:.2%} of "
        "strangers surely named."
    )
    if found.sampled is not None:
        typer.echo(f"{found.sampled} of the references were asked about.")
    table(
        ("of these faces", "share", "95 %", "faces", "characters"),
        [
            _row("known: their own character is nearest", expected.nearest),
            _row("known: named rightly, sure or unsure", expected.suggested),
            _row("known: surely and rightly named", expected.found),
            _row("own characters left out: surely named", expected.own_strangers),
            _row("shipped strangers: surely named", expected.shipped_strangers),
            _row("sure answers: right, half of all strangers", expected.sure_is_right),
        ],
        right=("share", "95 %", "faces", "characters"),
    )
    if expected.sure_distance is not None:
        typer.echo(f"Most sure faces are at most {expected.sure_distance:.3f} from the ideal.")
    if expected.radii is not None:
        tight, varied = expected.radii
        typer.echo(
            f"References lie {tight:.3f} (tight characters) to {varied:.3f} (varied ones) around "
            "their ideals; varied ones are given a wider radius."
        )


def _row(what: str, share: Share) -> tuple[str, str, str, str, str]:
    if share.value is None:
        return what, "-", "-", "0", "0"
    return (
        what,
        f"{share.value:.1%}",
        f"{share.low:.1%}-{share.high:.1%}",
        str(share.faces),
        str(share.characters),
    )


def say_when_outgrown(gallery: Engine) -> None:
    """Say in one line on standard error that the calibration wants to be made anew, if it does."""
    note = gallery.calibration_note()
    if note is not None:
        say(told(note))
