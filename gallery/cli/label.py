"""`gallery label`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import (
    Cropped,
    MinFace,
    MinQuality,
    Pictures,
    pictures_of,
    plural,
    progress,
    say,
    settings_of,
)
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.types import Record


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(label)


def label(
    ctx: typer.Context,
    paths: Pictures,
    out: Annotated[Path, typer.Option(metavar="FILE.jsonl|FILE.csv", help="Where the records go.")],
    top: Annotated[int, typer.Option(min=1, help="How many characters to name for a face.")] = 3,
    match: Annotated[
        MatchMode, typer.Option(help="What of a character a face is compared with.")
    ] = MatchMode.IDEAL,
    cropped: Cropped = False,
    min_face: MinFace = 0.0,
    min_quality: MinQuality = 0.0,
) -> None:
    """Write who is in every picture, one record each, and go on where it stopped.

    Pictures whose records stand in the file already are passed over. The exit code is 1 when a
    picture could not be read; its record says why.
    """
    from gallery.assemble import open_gallery
    from gallery.labelling import job
    from gallery.quality import Gates

    pictures, refused = pictures_of(paths)
    counts: Counter[str] = Counter()
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        gallery.require_encoded()
        writer = job.open_writer(out, gallery.encoder)
        try:
            rest = job.remaining(pictures, writer)
            if len(rest) < len(pictures):
                say(f"{plural(len(pictures) - len(rest), 'picture')} in {out} already.")
            for _, why in refused:
                say(f"gallery: {why}")
            with progress("Labelling", len(rest)) as advance:
                gates = Gates(min_face, min_quality)
                for record in job.label(gallery, rest, writer, mode=match, top=top, gates=gates):
                    _count(counts, record)
                    advance()
        except KeyboardInterrupt:
            say(f"Stopped; {out} holds what was done. Run it again to go on.")
            raise typer.Exit(130) from None
        finally:
            writer.close()
    if rest:
        _report(counts, out)
    if counts["failed"] or refused:
        raise typer.Exit(1)


def _count(counts: Counter[str], record: Record) -> None:
    counts["pictures"] += 1
    if record.error is not None:
        counts["failed"] += 1
        say(f"gallery: {record.error}")
    counts["faces"] += len(record.faces)
    counts["left out"] += record.left_out
    counts.update(answer.verdict.value for answer in record.faces)


def _report(counts: Counter[str], out: Path) -> None:
    if counts["left out"]:
        say(f"{plural(counts['left out'], 'face')} left out: too small or too poor.")
    say(
        f"{plural(counts['pictures'], 'picture')} with {plural(counts['faces'], 'face')}: "
        f"{counts['sure']} sure, {counts['unsure']} unsure, {counts['unknown']} unknown; "
        f"{counts['failed']} could not be read. {out}"
    )
