"""`gallery appearances`: who is on screen in labelled videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.progress import Reporter, follow
from gallery.cli.show import Json, json_line, named_path, say, settings_of, table
from gallery.output import registry
from gallery.output.format import OutputOptions

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.output.screen_time import Episode


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(appearances)


def appearances(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="VIDEO", parser=named_path, help="Only these videos, or those of these folders."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg", parser=named_path, help="Draw it: a lane for each character."
        ),
    ] = None,
    write: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT[:TARGET]",
            help="Write it for other programs; may be given several times. Beside the videos, "
            "below a folder, or of one video into a file: vtt, srt, chapters, ffmetadata, edl, "
            "otio, timeline.",
        ),
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.mp4",
            parser=named_path,
            help="Write the one video that is named anew, with boxes and names over it; this looks "
            "at the video again.",
        ),
    ] = None,
    unsure: Annotated[
        bool, typer.Option("--unsure", help="Take unsure names for sure ones.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Answer every face by itself, as `label` does.")
    ] = False,
    json: Json = False,
) -> None:
    """Say who is on screen in labelled videos, for how many seconds, video by video.

    Nothing is decoded again: the gallery keeps what `label` saw, and what you decided rules. The
    seconds are those in which a face of the character is to be seen. With --json, an object a line
    for each video. The exit code is 1 where a path was never labelled or a video has changed since.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.appearances import AppearanceChoices
    from gallery.jobs.appearances import appearances as job

    _check(paths, out, preview)
    wanted = [registry.output_spec(text) for text in write or ()]
    choices = AppearanceChoices(paths or (), alone, wanted, OutputOptions(unsure=unsure))
    reporter = Reporter()
    with open_gallery(settings_of(ctx)) as gallery:
        videos = follow(job(gallery, choices), reporter)
        if out is not None:
            _draw(videos, out)
        if json:
            _print_json(videos)
        else:
            _print(videos)
        if preview is not None and paths:
            _preview(gallery, paths[0], preview)
    if reporter.refused:
        raise typer.Exit(1)


def _check(paths: list[Path] | None, out: Path | None, preview: Path | None) -> None:
    """Raise InputError for files that cannot be, before anything is done."""
    from gallery.errors import BadOutput, BadSetting

    if out is not None and out.suffix.lower() != ".svg":
        raise BadOutput(out, "does not end in .svg", remedy="name it so")
    if preview is not None:
        from gallery.media.video_writer import check_suffix

        check_suffix(preview)
        if len(paths or ()) != 1 or not (paths or [Path()])[0].is_file():
            raise BadSetting("preview", "A preview is of one video", "name one video file")


def _draw(videos: tuple[Episode, ...], out: Path) -> None:
    from gallery.output.format import cannot_be_written
    from gallery.reports.time_chart import Strip, drawn
    from gallery.system.escapes import one_line
    from gallery.system.files import replace_file

    strips = [
        Strip(
            one_line(one.path.name),
            one.end,
            {one_line(name): spans for name, spans in one.cast().items()},
        )
        for one in videos
    ]
    try:
        replace_file(out, drawn(strips).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise cannot_be_written(out, error) from error
    say(f"Drawn: {out}")


def _print_json(videos: tuple[Episode, ...]) -> None:
    from gallery.output.time_line import summary

    for one in videos:
        json_line(summary(one))


def _print(videos: tuple[Episode, ...]) -> None:
    from gallery.media.timecodes import timecode
    from gallery.output.screen_time import seconds_of

    rows = [
        (
            one.path.name,
            name,
            f"{seconds_of(spans):.1f}",
            f"{seconds_of(spans) / one.end:.0%}" if one.end else "",
            timecode(spans[0].start),
            timecode(spans[-1].end),
        )
        for one in videos
        for name, spans in one.cast().items()
    ]
    if rows:
        table(
            ("video", "character", "seconds", "share", "first", "last"),
            rows,
            right=("seconds", "share", "first", "last"),
        )
    for one in videos:
        if not one.cast():
            say(f"{one.path}: nobody known is on screen.")
        if one.error is not None:
            say(f"gallery: {one.error}")


def _preview(gallery: Engine, path: Path, out: Path) -> None:
    from gallery.faces.video import VideoOptions
    from gallery.jobs.preview import preview

    say(f"Preview: {follow(preview(gallery, path, out, VideoOptions()))}")
