"""`gallery harvest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import Cropped, Json, MinFace, json_line, plural, progress, say, settings_of
from gallery.cli.video import Every, From, To, options_of
from gallery.media.inputs import Media, media_of
from gallery.settings import EVERY
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.faces.video import VideoOptions
    from gallery.jobs.harvest import Harvest, Harvested, Looked


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(harvest)


def harvest(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Pictures, videos, or folders of them.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A new folder for the faces.")],
    from_: From = "0",
    to: To = None,
    every: Every = EVERY,
    at_least: Annotated[
        int, typer.Option(min=1, help="Leave out clusters of fewer faces than this.")
    ] = 1,
    match: Annotated[
        MatchMode, typer.Option(help="What of a character a face is compared with.")
    ] = MatchMode.IDEAL,
    cropped: Cropped = False,
    min_face: MinFace = 0.0,
    min_quality: Annotated[
        float,
        typer.Option(
            metavar="SCORE",
            min=0.0,
            max=1.0,
            help="Leave out faces that can be seen worse than this, 0 to 1.",
        ),
    ] = 0.2,
    json: Json = False,
) -> None:
    """Gather faces of nobody in the gallery, one folder per likely character.

    Each folder has its best face first. Rename the folders to the characters' names, put right what
    is grouped wrongly, and take them in with `gallery enroll FOLDER --cropped`. With an empty
    gallery every face is gathered. The exit code is 1 when a file could not be read in full.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.harvest import Harvest, refuse_inside

    options = options_of(from_, to, every, min_face, min_quality)
    media = media_of(paths)
    refuse_inside(out, paths)
    with open_gallery(settings_of(ctx, cropped=cropped), create=True) as gallery:
        gallery.require_encoded()
        try:
            with Harvest(gallery, out, match) as gathering:
                for _, why in media.refused:
                    say(f"gallery: {why}")
                failed = len(media.refused) + _look(gathering, media, options)
                done = gathering.finish(at_least)
        except KeyboardInterrupt:
            say("Stopped; nothing was written.")
            raise typer.Exit(130) from None
    _report(done, out, json=json)
    if failed:
        raise typer.Exit(1)


def _look(gathering: Harvest, media: Media, options: VideoOptions) -> int:
    """Look at everything, and return how many files could not be read in full."""
    from gallery.faces.video import seconds_looked_at

    failed = 0
    with progress("Looking", len(media.pictures)) as advance:
        for looked in gathering.pictures(media.pictures, options):
            failed += _failed(looked)
            advance()
    for path in media.videos:
        shown = int(options.start)
        with progress(f"Looking at {path.name}", seconds_looked_at(path, options)) as advance:
            for looked in gathering.video(path, options):
                failed += _failed(looked)
                for _ in range(shown, int(looked.time)):
                    advance()
                shown = max(shown, int(looked.time))
    return failed


def _failed(looked: Looked) -> bool:
    if looked.error is not None:
        say(f"gallery: {looked.error}")
    return looked.error is not None


def _report(done: Harvested, out: Path, *, json: bool) -> None:
    if json:
        json_line(
            {
                "clusters": done.clusters,
                "faces": done.faces,
                "crops": done.crops,
                "left_out": done.left_out,
                "folder": str(out) if done.crops else None,
            }
        )
        return
    if done.left_out:
        say(f"{plural(done.left_out, 'face')} in smaller clusters left out.")
    if not done.crops:
        say("No unknown face was seen; nothing was written.")
        return
    say(
        f"{plural(done.faces, 'unknown face')} in {plural(done.clusters, 'cluster')}, "
        f"{plural(done.crops, 'crop')}: {out}. Rename the folders, then "
        f"`gallery enroll {out} --cropped`."
    )
