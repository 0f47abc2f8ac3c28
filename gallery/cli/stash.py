"""`gallery send stash`: markers of who is on screen, for its scenes."""

from __future__ import annotations

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
from gallery.services.known import STASH

if TYPE_CHECKING:
    from gallery.jobs.send_markers import MarkerPlan


def register(send: typer.Typer) -> None:
    """Add the command to its group."""
    send.command("stash")(send_stash)


def send_stash(
    ctx: typer.Context,
    paths: Labelled = None,
    url: Annotated[
        str, typer.Option(metavar="URL", envvar=STASH.url_variable, help="Where Stash is.")
    ] = STASH.url,
    key_file: KeyFile = None,
    certificate: Certificate = None,
    confirmed: Confirmed = False,
    unsure: Unsure = False,
    alone: Alone = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Give Stash markers of who is on screen, with a tag for each character and its series.

    Scenes are known by what Stash counts of their files, which have to be there the first time.
    A marker that gallery set is withdrawn where you decided otherwise since; those of others stay.
    The key is in GALLERY_STASH_KEY, where Stash wants one.
    """
    from gallery.jobs.answered import Least
    from gallery.jobs.send_markers import MarkerChoices, plan_markers, send_markers
    from gallery.services.stash import KEY_HEADER, Stash

    choices = MarkerChoices(paths or (), Least(confirmed, unsure), alone)
    stash = Stash(client_of(STASH, url, key_file, certificate, KEY_HEADER, wants_key=False))
    carry_out(
        ctx,
        lambda gallery: plan_markers(gallery, stash, choices),
        lambda gallery, plan: send_markers(gallery, stash, plan),
        tell=lambda plan: _say(plan, stash.address),
        as_json=lambda plan: _json(plan, stash.address),
        unit="video",
        yes=yes,
        json=json,
    )


def _say(plan: MarkerPlan, address: str) -> None:
    from gallery.media.timecodes import timecode

    add = sum(len(one.add) for one in plan.changes)
    remove = sum(len(one.remove) for one in plan.changes)
    say(
        f"{plural(len(plan.changes), 'video')} in Stash at {address}: {plural(add, 'marker')} to "
        f"add, {remove} to withdraw."
    )
    for one in plan.changes[:EXAMPLES]:
        marks = [f"+{marker.name} at {timecode(marker.start)}" for marker in one.add[:EXAMPLES]]
        marks += [f"-{item.said}" for item in one.remove[:EXAMPLES]]
        more = len(one.add) + len(one.remove) - len(marks)
        say(f"  {one.path}: {', '.join(marks)}{f' and {more} more' if more else ''}")
    if len(plan.changes) > EXAMPLES:
        say(f"  and {plural(len(plan.changes) - EXAMPLES, 'video')} more")
    if plan.unheld:
        say(f"{plural(plan.unheld, 'video')} with something to say not in Stash.")
    if plan.there:
        say(f"{plural(plan.there, 'marker')} there already, set by others.")


def _json(plan: MarkerPlan, address: str) -> dict[str, object]:
    from gallery.system.file_names import path_text

    return {
        "program": STASH.name,
        "address": address,
        "changes": [
            {
                "path": path_text(one.path),
                "digest": one.digest,
                "add": [
                    {
                        "name": marker.name,
                        "start": marker.start,
                        "end": marker.end,
                        "tags": [marker.name, *marker.others],
                    }
                    for marker in one.add
                ],
                "remove": [
                    {"name": item.said, "times": item.key.item.partition(" ")[0]}
                    for item in one.remove
                ],
            }
            for one in plan.changes
        ],
        "not_held": plan.unheld,
        "there": plan.there,
    }
