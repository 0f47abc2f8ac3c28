"""`gallery send immich` and `send photoprism`: named faces for their pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.progress import Reporter, follow
from gallery.cli.services import (
    EXAMPLES,
    NOT_SENT,
    Alone,
    Certificate,
    Confirmed,
    KeyFile,
    Labelled,
    Unsure,
    Yes,
    warn_overheard,
)
from gallery.cli.show import Json, json_line, plural, say, settings_of
from gallery.services.known import IMMICH, PHOTOPRISM, Program

if TYPE_CHECKING:
    from gallery.jobs.send_faces import FaceChange, FaceChoices, FacePlan
    from gallery.services.client import Client
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
    client = _client(IMMICH, url, key_file, certificate, KEY_HEADER, "{}")
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
    client = _client(PHOTOPRISM, url, key_file, certificate, KEY_HEADER, "Bearer {}")
    _run(ctx, PhotoPrism(client), choices, yes=yes, json=json)


def _choices(paths: list[Path] | None, confirmed: bool, unsure: bool, alone: bool) -> FaceChoices:
    from gallery.jobs.answered import Least
    from gallery.jobs.send_faces import FaceChoices

    return FaceChoices(paths or (), Least(confirmed, unsure), alone)


def _client(
    program: Program,
    url: str,
    key_file: Path | None,
    certificate: Path | None,
    header: str,
    form: str,
) -> Client:
    from gallery.services.client import Client, address_of
    from gallery.services.keys import required_key

    key = required_key(program, key_file)
    warn_overheard(url)
    return Client(program.name, address_of(url), {header: form.format(key)}, certificate)


def _run(
    ctx: typer.Context, program: FaceProgram, choices: FaceChoices, *, yes: bool, json: bool
) -> None:
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.send_faces import plan_faces, send_faces

    reporter = Reporter()
    with open_gallery(settings_of(ctx)) as gallery:
        plan = follow(plan_faces(gallery, program, choices), reporter)
        if not json:
            _say(plan, program)
        if yes:
            follow(send_faces(gallery, program, plan), reporter)
    if json:
        json_line(_json(plan, program, sent=yes))
    elif plan.changes:
        say(f"Sent: {plural(len(plan.changes), 'picture')} changed." if yes else NOT_SENT)
    if reporter.refused:
        raise typer.Exit(1)


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


def _json(plan: FacePlan, program: FaceProgram, *, sent: bool) -> dict[str, object]:
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
        "sent": sent,
    }
