"""`gallery label`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.calibrate import say_when_outgrown
from gallery.cli.show import (
    Cropped,
    MinFace,
    MinQuality,
    Pictures,
    plural,
    progress,
    say,
    settings_of,
)
from gallery.cli.video import (
    EVERY,
    Every,
    From,
    To,
    label_videos,
    options_of,
    paths_of,
    require_jsonl,
)
from gallery.labelling.output import OutputOptions, Placing, TagStyle
from gallery.labelling.summary import Summary
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.labelling.formats import Wanted
    from gallery.types import Record

MOST_COMPLAINTS = 20
"""Outputs of single pictures that are complained of one by one."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(label)


def label(
    ctx: typer.Context,
    paths: Pictures,
    out: Annotated[Path, typer.Option(metavar="FILE.jsonl|FILE.csv", help="Where the records go.")],
    write: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT[:TARGET]",
            help="Write another format, too; may be given several times. Beside the pictures, or "
            "below a folder that is named: captions, hydrus, xmp, xmp-stem. Into a folder: "
            "sorted:FOLDER, annotated:FOLDER. Into a file: coco:FILE, label-studio:FILE, "
            "html:FILE, jsonl:FILE, csv:FILE. Or one that a package of yours brings.",
        ),
    ] = None,
    rewrite: Annotated[
        bool,
        typer.Option(
            "--rewrite",
            help="With --write: also for pictures whose records are in the file already.",
        ),
    ] = False,
    unsure: Annotated[
        bool, typer.Option("--unsure", help="With --write: take unsure names for sure ones.")
    ] = False,
    prefix: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            help="For captions: put this before every name, as in character:Rei.",
        ),
    ] = "",
    tags: Annotated[
        TagStyle, typer.Option(help="For captions: names as they are, or as_image_boards_do.")
    ] = TagStyle.PLAIN,
    series: Annotated[
        str,
        typer.Option(
            metavar="NAME", show_default=False, help="For captions: put behind names, in brackets."
        ),
    ] = "",
    place: Annotated[
        Placing, typer.Option(help="For sorted: how pictures come into their folders.")
    ] = Placing.COPY,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE|DURATION",
            help="Only pictures changed since: 2026-11-01, 2026-11-01T20:00, 90m, 36h, 7d or 2w.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many characters to name for a face.")] = 3,
    match: Annotated[
        MatchMode, typer.Option(help="What of a character a face is compared with.")
    ] = MatchMode.IDEAL,
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
    and videos whose records stand in the file already are passed over. The exit code is 1 when a
    picture could not be read, and its record says why, or when an output of it could not be
    written.
    """
    from gallery.assemble import open_gallery
    from gallery.labelling import formats, job
    from gallery.labelling.outputs import open_outputs
    from gallery.labelling.selection import changed_since, moment, without_outputs
    from gallery.quality import Gates

    wanted = [formats.wanted(text) for text in write or ()]
    start = moment(since) if since is not None else None
    folders = [one.pictures_folder for one in wanted if one.pictures_folder is not None]
    watched = options_of(from_, to, every, min_face, min_quality)
    videos, pictures, refused = paths_of(paths)
    if videos:
        require_jsonl(out, write)
    pictures, made = without_outputs(pictures, paths, folders)
    if start is not None:
        pictures, videos = changed_since(pictures, start), changed_since(videos, start)
    counts = Summary()
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        gallery.require_encoded()
        say_when_outgrown(gallery)
        writer = open_outputs(
            out,
            wanted,
            paths=paths,
            encoder=gallery.encoder,
            options=OutputOptions(prefix, tags, series, unsure, place),
            rewrite=rewrite,
        )
        try:
            rest, films = job.remaining(pictures, writer), job.remaining(videos, writer)
            _tell_done(len(pictures) - len(rest), len(videos) - len(films), out)
            if len(rest) < len(pictures) and _is_asked_anew(wanted, rewrite=rewrite):
                say("What --write asks for is not written for them again; --rewrite does.")
            if made:
                say(f"{plural(made, 'picture')} in folders that outputs go to left out.")
            for _, why in refused:
                say(f"gallery: {why}")
            with progress("Labelling", len(rest)) as advance:
                gates = Gates(min_face, min_quality)
                keep = not no_keep and gallery.store.is_writable
                for record in job.label(
                    gallery, rest, writer, mode=match, top=top, gates=gates, keep=keep
                ):
                    _tell(record)
                    counts.add(record)
                    advance()
            cut = label_videos(gallery, films, writer, out, watched, match, top)
        except KeyboardInterrupt:
            say(f"Stopped; {out} holds what was done. Run it again to go on.")
            raise typer.Exit(130) from None
        finally:
            writer.close()
    lines = [f"gallery: {why}" for why in writer.not_written[:MOST_COMPLAINTS]]
    if len(writer.not_written) > MOST_COMPLAINTS:
        lines.append(f"{len(writer.not_written)} outputs like these could not be written.")
    lines += counts.lines() if rest else []
    lines += [f"Records: {out}"] if rest or films else []
    for line in lines:
        say(line)
    if counts.failed or cut or refused or writer.not_written:
        raise typer.Exit(1)


def _is_asked_anew(wanted: Sequence[Wanted], *, rewrite: bool) -> bool:
    """Say whether formats are asked for that pictures done before are not written in."""
    return not rewrite and any(not one.is_document for one in wanted)


def _tell_done(pictures: int, videos: int, out: Path) -> None:
    for count, what in ((pictures, "picture"), (videos, "video")):
        if count:
            say(f"{plural(count, what)} in {out} already.")


def _tell(record: Record) -> None:
    if record.error is not None:
        say(f"gallery: {record.error}")
