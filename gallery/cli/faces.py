"""`gallery send immich` and `send photoprism`: named faces for their pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.services import (
    EXAMPLES,
    Alone,
    Certificate,
    Confirmed,
    KeyFile,
    Labelled,
    Unsure,
    Yes,
    carry_out,
    client_of,
)
from gallery.cli.show import Json, plural, say
from gallery.services.known import IMMICH, PHOTOPRISM

if TYPE_CHECKING:
    from gallery.jobs.send_faces import FaceChange, FaceChoices, FacePlan
    from gallery.services.faces import FaceProgram


def register(send: typer.Typer) -> None:
    """Add the commands to their group."""
    send.command("immich")(send_immich)
    send.command("photoprism")(send_photoprism)


def send_immich(
    ctx: typer.Context,
    paths: Labelled = None,
    url: Annotated[
        str, typer.Option(metavar="URL", envvar=IMMICH.url_variable, help="Where Immich is.")
    ] = IMMICH.url,
    key_file: KeyFile = None,
    certificate: Certificate = None,
    confirmed: Confirmed = False,
    unsure: Unsure = False,
    alone: Alone = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Give Immich named faces of its pictures.

    Pictures are known by their SHA-1, so that files are read that were not sent before. A face that
    Immich has at the place is named, unless somebody named it; else one is added. What gallery sent
    is withdrawn where you decided otherwise since. The key is in GALLERY_IMMICH_KEY.
    """
    from gallery.services.immich import KEY_HEADER, Immich

    choices = _choices(paths, confirmed, unsure, alone)
    client = client_of(IMMICH, url, key_file, certificate, KEY_HEADER)
    _run(ctx, Immich(client), choices, yes=yes, json=json)


def send_photoprism(
    ctx: typer.Context,
    paths: Labelled = None,
    url: Annotated[
        str,
        typer.Option(metavar="URL", envvar=PHOTOPRISM.url_variable, help="Where PhotoPrism is."),
    ] = PHOTOPRISM.url,
    key_file: KeyFile = None,
    certificate: Certificate = None,
    confirmed: Confirmed = False,
    unsure: Unsure = False,
    alone: Alone = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Give PhotoPrism named faces of its pictures.

    Pictures are known by their SHA-1, so that files are read that were not sent before. A face that
    PhotoPrism has at the place is named, unless somebody named it; else one is added. What gallery
    sent is withdrawn where you decided otherwise since. The key is in GALLERY_PHOTOPRISM_KEY.
    """
    from gallery.services.photoprism import KEY_HEADER, PhotoPrism

    choices = _choices(paths, confirmed, unsure, alone)
    client = client_of(PHOTOPRISM, url, key_file, certificate, KEY_HEADER, form="Bearer {}")
    _run(ctx, PhotoPrism(client), choices, yes=yes, json=json)


def _choices(paths: list[Path] | None, confirmed: bool, unsure: bool, alone: bool) -> FaceChoices:
    from gallery.jobs.answered import Least
    from gallery.jobs.send_faces import FaceChoices

    return FaceChoices(paths or (), Least(confirmed, unsure), alone)


def _run(
    ctx: typer.Context, program: FaceProgram, choices: FaceChoices, *, yes: bool, json: bool
) -> None:
    from gallery.jobs.send_faces import plan_faces, send_faces

    carry_out(
        ctx,
        lambda gallery: plan_faces(gallery, program, choices),
        lambda gallery, plan: send_faces(gallery, program, plan),
        tell=lambda plan: _say(plan, program),
        as_json=lambda plan: _json(plan, program),
        unit="picture",
        yes=yes,
        json=json,
    )


def _say(plan: FacePlan, program: FaceProgram) -> None:
    from gallery.jobs.send_faces import FaceAction

    add, name = plan.count(FaceAction.ADD), plan.count(FaceAction.NAME)
    back = plan.count(FaceAction.REMOVE, FaceAction.TAKE_NAME)
    where = f"{program.name} at {program.address}"
    say(
        f"{plural(len(plan.changes), 'picture')} in {where}: {plural(add, 'face')} to add, "
        f"{name} to name, {back} to withdraw."
    )
    for one in plan.changes[:EXAMPLES]:
        say(f"  {one.file.path}: {', '.join(map(_shown, one.changes))}")
    if len(plan.changes) > EXAMPLES:
        say(f"  and {plural(len(plan.changes) - EXAMPLES, 'picture')} more")
    if plan.unheld:
        say(f"{plural(plan.unheld, 'picture')} with something to say not in {program.name}.")
    if plan.there:
        say(f"{plural(plan.there, 'face')} named so already by others.")
    if plan.otherwise:
        say(f"{plural(plan.otherwise, 'face')} left alone, since others named it otherwise there.")


def _shown(change: FaceChange) -> str:
    from gallery.jobs.send_faces import FaceAction

    is_given = change.action in (FaceAction.ADD, FaceAction.NAME)
    return f"{'+' if is_given else '-'}{change.name} at {change.item}"


def _json(plan: FacePlan, program: FaceProgram) -> dict[str, object]:
    from gallery.system.file_names import path_text

    return {
        "program": program.name,
        "address": program.address,
        "changes": [
            {
                "path": path_text(one.file.path),
                "digest": one.file.digest,
                "faces": [
                    {
                        "action": change.action.value,
                        "box": [int(edge) for edge in change.item.split(",")],
                        "name": change.name,
                    }
                    for change in one.changes
                ],
            }
            for one in plan.changes
        ],
        "not_held": plan.unheld,
        "there": plan.there,
        "otherwise": plan.otherwise,
    }
