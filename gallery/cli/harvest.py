"""`gallery harvest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.machines import ClusterAt, Keys, Map, hands_of
from gallery.cli.progress import WholeReporter, follow
from gallery.cli.show import (
    Cropped,
    Json,
    MinFace,
    Portrait,
    json_line,
    named_path,
    plural,
    say,
    settings_of,
)
from gallery.cli.video import Every, From, To, options_of
from gallery.media.inputs import media_of
from gallery.settings import EVERY
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.jobs.harvest import Harvested


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(harvest)


def harvest(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", parser=named_path, help="Pictures, videos, or folders of them."
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", parser=named_path, help="A new folder for the faces.")
    ],
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
    portrait: Portrait = False,
    cluster: ClusterAt = None,
    keys: Keys = None,
    map_: Map = None,
    json: Json = False,
) -> None:
    """Gather faces of nobody in the gallery, one folder per likely character.

    Each folder has its best face first, and faces.html shows all of them. Rename the folders to the
    characters' names, put right what is grouped wrongly, and take them in with `gallery enroll
    FOLDER --cropped`. With an empty gallery every face is gathered. The exit code is 1 when a file
    could not be read in full.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.harvest import harvest as job
    from gallery.jobs.harvest import refuse_inside

    options = options_of(from_, to, every, min_face, min_quality, portrait=portrait)
    media = media_of(paths)
    refuse_inside(out, paths)
    reporter = WholeReporter()
    settings = settings_of(ctx, cropped=cropped)
    with (
        open_gallery(settings, create=True) as gallery,
        hands_of(settings, cluster, keys, map_) as hands,
    ):
        events = job(
            gallery, media, out, options=options, mode=match, at_least=at_least, hands=hands
        )
        done = follow(events, reporter)
    _report(done, out, json=json)
    if reporter.refused:
        raise typer.Exit(1)


def _report(done: Harvested, out: Path, *, json: bool) -> None:
    from gallery.jobs.harvest_page import PAGE

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
        f"{plural(done.crops, 'crop')}: {out}. Look at {out / PAGE}, rename the folders, then "
        f"`gallery enroll {out} --cropped`."
    )
