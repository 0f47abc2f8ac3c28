"""`gallery label`."""

from __future__ import annotations

from typing import Annotated

import typer

from gallery.cli.calibrate import say_when_outgrown
from gallery.cli.label_progress import LabelReporter
from gallery.cli.machines import ClusterAt, Keys, Map, hands_of, tell_wait
from gallery.cli.meant import KeptTo
from gallery.cli.progress import follow
from gallery.cli.show import Cropped, MinFace, MinQuality, Pictures, settings_of
from gallery.cli.video import Every, From, To, options_of
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
from gallery.settings import EVERY
from gallery.types import MatchMode


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(label)


def label(
    ctx: typer.Context,
    paths: Pictures,
    out: Out,
    write: Write = None,
    rewrite: Rewrite = False,
    unsure: Unsure = False,
    prefix: Prefix = "",
    tags: Tags = TagStyle.PLAIN,
    tag_series: TagSeries = "",
    caption_place: CaptionsAt = CaptionPlace.END,
    place: Place = Placing.COPY,
    by_series: BySeries = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE|DURATION",
            help="Only pictures changed since: 2026-11-01, 2026-11-01T20:00, 90m, 36h, 7d or 2w.",
        ),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Do not end: go on with pictures as they come into the folders, until Ctrl-C.",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default=False,
            help="How many pictures are prepared at the same time, each by one core; all cores "
            "unless given.",
        ),
    ] = None,
    cluster: ClusterAt = None,
    keys: Keys = None,
    map_: Map = None,
    top: Top = 3,
    match: Matching = MatchMode.IDEAL,
    series: KeptTo = None,
    no_keep: Annotated[
        bool,
        typer.Option(
            "--no-keep",
            help="Do not note in the gallery what is seen, for `cluster` and `relabel`.",
        ),
    ] = False,
    from_: From = "0",
    to: To = None,
    every: Every = EVERY,
    cropped: Cropped = False,
    min_face: MinFace = 0.0,
    min_quality: MinQuality = 0.0,
) -> None:
    """Write who is in every picture, one record each, and go on where it stopped.

    Of a video every face is followed through its shot and gets one record, with its times. Pictures
    and videos whose records stand in the file already are passed over, but for pictures that could
    not be read then, or whose file has other content now. The exit code is 1 when a
    picture could not be read, and its record says why, or when an output of it could not be
    written.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs import label as label_job
    from gallery.jobs import worth
    from gallery.system.threads import available_cores, leave_cores, limited

    watched = options_of(from_, to, every, min_face, min_quality)
    options = OutputOptions(prefix, tags, tag_series, unsure, place, caption_place, by_series)
    out, formats = records_and_formats(out, write)
    settings = settings_of(ctx, cropped=cropped, series=series)
    plan = label_job.planned(paths, out, formats, options, since, watch=watch)
    is_asked_anew = not rewrite and any(not one.is_document for one in plan.wanted)
    if workers is not None:
        leave_cores(workers)
    with (
        limited(workers or available_cores()),
        open_gallery(settings) as gallery,
        hands_of(settings, cluster, keys, map_) as hands,
    ):
        reporter = LabelReporter(
            out,
            is_asked_anew=is_asked_anew,
            has_changed=worth.changed_since(gallery, out),
        )
        gallery.require_encoded()
        say_when_outgrown(gallery)
        choices = label_job.LabelChoices(
            match, top, not no_keep, watched, workers, hands, tell_wait
        )
        follow(label_job.label(gallery, plan, choices, rewrite=rewrite), reporter)
        if reporter.has_unsure and not no_keep:
            reporter.gain = follow(worth.gain(gallery))
    if not reporter.finish():
        raise typer.Exit(1)
