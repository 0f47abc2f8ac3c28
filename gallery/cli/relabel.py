"""`gallery relabel`: what labelling saw, answered anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallery.cli.label_progress import LabelReporter
from gallery.cli.meant import KeptTo
from gallery.cli.progress import follow
from gallery.cli.show import named_path, settings_of
from gallery.cli.writing import (
    BySeries,
    CaptionsAt,
    Matching,
    Out,
    Place,
    Prefix,
    Rewrite,
    Tags,
    TagSeries,
    Top,
    Unsure,
    Write,
    records_and_formats,
)
from gallery.output.format import CaptionPlace, OutputOptions, Placing, TagStyle
from gallery.system.memory import seldom_collected
from gallery.types import MatchMode


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(relabel)


def relabel(
    ctx: typer.Context,
    out: Out,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", parser=named_path, help="Only these files, or those of these folders."
        ),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Answer every face by itself, as `label` does.")
    ] = False,
    gone: Annotated[
        bool,
        typer.Option("--gone", help="Let files that are gone take part in joint scoring, too."),
    ] = False,
    write: Write = None,
    rewrite: Rewrite = False,
    unsure: Unsure = False,
    prefix: Prefix = "",
    tags: Tags = TagStyle.PLAIN,
    tag_series: TagSeries = "",
    caption_place: CaptionsAt = CaptionPlace.END,
    place: Place = Placing.COPY,
    by_series: BySeries = False,
    series: KeptTo = None,
    top: Top = 3,
    match: Matching = MatchMode.IDEAL,
) -> None:
    """Answer all pictures and videos that were labelled before with the gallery as it is now.

    No picture is read again: the gallery keeps what `label` saw. Once the gallery is calibrated,
    all seen faces are scored jointly, which names more of them than one by one. Pictures whose
    files have changed since are left out and named; `gallery label` looks at them again. The exit
    code is 1 where there are such pictures, where a picture could not be read when it was labelled,
    or where an output could not be written.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs import relabel as relabel_job
    from gallery.jobs import worth
    from gallery.output import registry

    out, formats = records_and_formats(out, write)
    wanted = [registry.output_spec(text) for text in formats]
    options = OutputOptions(prefix, tags, tag_series, unsure, place, caption_place, by_series)
    choices = relabel_job.RelabelChoices(
        out, paths or (), alone, match, top, wanted, options, gone, rewrite
    )
    is_asked_anew = not rewrite and any(not one.is_document for one in wanted)
    with open_gallery(settings_of(ctx, series=series)) as gallery:
        reporter = LabelReporter(
            out,
            is_asked_anew=is_asked_anew,
            has_changed=worth.changed_since(gallery, out),
            anew="another --out has them",
        )
        with seldom_collected():
            follow(relabel_job.relabel(gallery, choices), reporter)
    if not reporter.finish():
        raise typer.Exit(1)
