"""`gallery dataset`: training sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.progress import WholeReporter, follow
from gallery.cli.show import (
    Json,
    MinFace,
    MinQuality,
    Portrait,
    json_line,
    named_path,
    plural,
    say,
    settings_of,
    table,
)
from gallery.cli.writing import Prefix, Tags, TagSeries
from gallery.output.format import OutputOptions, TagStyle
from gallery.output.training_set import Cut, SetFormat

if TYPE_CHECKING:
    from gallery.jobs.dataset_report import Dataset


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(dataset)


def dataset(
    ctx: typer.Context,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            parser=named_path,
            help="A new folder for the set, or one that holds a set of before.",
        ),
    ],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            parser=named_path,
            help="Only of these labelled files, or those of these folders.",
        ),
    ] = None,
    format: Annotated[
        SetFormat, typer.Option("--format", help="Whose set: kohya's trainer, or a data library.")
    ] = SetFormat.KOHYA,
    crop: Annotated[
        Cut, typer.Option(help="What of a picture is taken: the head, the bust, or all of it.")
    ] = Cut.PICTURE,
    character: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this character; may be given several times."),
    ] = None,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Only faces that you confirmed.")
    ] = False,
    unsure: Annotated[
        bool, typer.Option("--unsure", help="Take unsure names for sure ones.")
    ] = False,
    keep_near: Annotated[
        bool,
        typer.Option("--keep-near", help="Keep pictures that are nearly the same as another."),
    ] = False,
    repeats: Annotated[
        int,
        typer.Option(min=1, help="Of the character with most pictures; others get more."),
    ] = 1,
    resolution: Annotated[
        int, typer.Option(min=64, help="The side that the trainer brings pictures to, in pixels.")
    ] = 1024,
    min_face: MinFace = 0.0,
    min_quality: MinQuality = 0.0,
    portrait: Portrait = False,
    prefix: Prefix = "",
    tags: Tags = TagStyle.PLAIN,
    tag_series: TagSeries = "",
    alone: Annotated[
        bool, typer.Option("--alone", help="Answer every face by itself, as `label` does.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a training set of the pictures and videos that `label` saw, a folder for each character.

    What you decided rules. Pictures that are nearly the same come in once, and repeats balance the
    characters. The table says what is missing: few pictures, one source, too small. Sources are
    never changed. The exit code is 1 when a file could not be used.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.faces.quality import Gates
    from gallery.jobs.dataset import DatasetChoices
    from gallery.jobs.dataset import dataset as job

    choices = DatasetChoices(
        format,
        paths or (),
        crop,
        character or (),
        confirmed,
        keep_near,
        repeats,
        resolution,
        Gates(min_face, min_quality, portrait),
        alone,
        OutputOptions(prefix, tags, tag_series, unsure),
    )
    reporter = WholeReporter()
    with open_gallery(settings_of(ctx)) as gallery:
        done = follow(job(gallery, out, choices), reporter)
    _report(done, out, json=json)
    if reporter.refused:
        raise typer.Exit(1)


def _report(done: Dataset, out: Path, *, json: bool) -> None:
    from gallery.jobs.dataset_report import as_json

    if json:
        json_line(as_json(done))
        return
    table(
        ("character", "pictures", "repeats", "nearly the same", "missing"),
        [
            (one.name, one.pictures, one.repeats, one.near, ", ".join(one.lacks))
            for one in done.characters
        ],
        right=("pictures", "repeats", "nearly the same"),
    )
    pictures = sum(one.pictures for one in done.characters)
    say(f"{plural(pictures, 'picture')} of {plural(len(done.characters), 'character')}: {out}")
