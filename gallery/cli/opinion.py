"""`gallery opinion`: a tagger's word beside the gallery's."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.progress import WholeReporter, follow
from gallery.cli.show import Json, json_line, named_path, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.jobs.opinion import Opinion, Opinions

SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(opinion)


def opinion(
    ctx: typer.Context,
    tagger: Annotated[
        Path,
        typer.Argument(
            metavar="TAGGER.onnx", parser=named_path, help="A tagger of the WD14 family."
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
    tags: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            parser=named_path,
            help="What its outputs are; selected_tags.csv beside it unless given.",
        ),
    ] = None,
    least: Annotated[
        float,
        typer.Option(
            metavar="PROBABILITY", min=0.01, max=1.0, help="From which on a tag counts, 0 to 1."
        ),
    ] = 0.85,
    json: Json = False,
) -> None:
    """Ask a tagger of your own who the labelled faces are, and compare.

    Where it agrees with a name, the name can be taken for sure; where it sees somebody else, it is
    to be doubted; for faces and clusters of nobody it proposes names. Nothing is changed. Faces
    that you decided of are left out. The exit code is 1 when a picture could not be used.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.faces.tagger import Tagger
    from gallery.jobs.opinion import opinions

    reporter = WholeReporter()
    with open_gallery(settings_of(ctx)) as gallery:
        opened = Tagger(tagger, tags)
        found = follow(opinions(gallery, opened, paths or (), least=least), reporter)
    if json:
        for one in found.opinions:
            json_line(_as_json(one))
    else:
        _print(found)
    if reporter.refused:
        raise typer.Exit(1)


def _as_json(one: Opinion) -> dict[str, object]:
    return {
        "face": one.sighting.id,
        "path": str(one.sighting.path),
        "box": [round(edge, 2) for edge in one.sighting.face.box],
        "cluster": one.sighting.cluster,
        "character": one.answer.character,
        "verdict": one.answer.verdict.value,
        "tag": one.tag.text,
        "probability": round(one.tag.probability, 6),
        "name": one.name,
        "in_gallery": one.is_known,
        "opinion": one.said.value,
        "together": one.verdict.value,
    }


def _print(found: Opinions) -> None:
    from gallery.jobs.opinion import Stance

    order = [Stance.DOUBTS, Stance.AGREES, Stance.PROPOSES]
    rows = sorted(found.opinions, key=lambda one: (order.index(one.said), -one.tag.probability))
    if rows:
        table(
            ("face:", "gallery", "verdict", "tagger", "says", "together", "file"),
            [
                (
                    one.sighting.id,
                    one.answer.character or "-",
                    one.answer.verdict.value,
                    f"{one.name} {one.tag.probability:.2f}",
                    one.said.value,
                    one.verdict.value,
                    one.sighting.path,
                )
                for one in rows[:SHOWN]
            ],
            right=("face:",),
        )
    if len(rows) > SHOWN:
        say(f"{len(rows) - SHOWN} more; --json has all.")
    for one in found.proposals:
        adopt = shlex.join(["gallery", "adopt", str(one.cluster), one.name])
        say(
            f"Cluster {one.cluster} is likely {one.name}: {one.faces} of {plural(one.of, 'face')}; "
            f"`{adopt}` names it."
        )
    counts = ", ".join(f"{said.value} {found.count(said)}" for said in Stance)
    say(f"{plural(found.faces, 'face')} shown to the tagger: {counts}.")
