"""`gallery send hydrus` and `gallery fetch hydrus`: tags for its files, and its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from gallery.cli.progress import Reporter, follow
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
from gallery.cli.show import Json, json_line, named_path, plural, say
from gallery.services.known import HYDRUS, Status

if TYPE_CHECKING:
    from gallery.jobs.send_tags import TagPlan
    from gallery.services.hydrus import Hydrus

Url: TypeAlias = Annotated[
    str,
    typer.Option(metavar="URL", envvar=HYDRUS.url_variable, help="Where its Client API listens."),
]


def register(send: typer.Typer, fetch: typer.Typer) -> None:
    """Add the commands to their groups."""
    send.command("hydrus")(send_hydrus)
    fetch.command("hydrus")(fetch_hydrus)


def send_hydrus(
    ctx: typer.Context,
    paths: Labelled = None,
    service: Annotated[
        str, typer.Option(metavar="NAME", help="A local tag service, by its name or its key.")
    ] = "my tags",
    url: Url = HYDRUS.url,
    key_file: KeyFile = None,
    certificate: Certificate = None,
    confirmed: Confirmed = False,
    unsure: Unsure = False,
    status: Annotated[
        list[Status] | None,
        typer.Option(
            help="Also tag files that show such a face, as gallery:unknown; may be given several "
            "times."
        ),
    ] = None,
    alone: Alone = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Tag files in hydrus with whom they show: `character:` and `series:`.

    Files are known by their SHA-256. Sure and confirmed names are sent. A tag that gallery sent is
    withdrawn where you decided otherwise since; tags of others stay, and what somebody took from a
    file in hydrus is not given to it again. The key is in GALLERY_HYDRUS_KEY.
    """
    from gallery.jobs.answered import Least
    from gallery.jobs.send_tags import TagChoices, plan_tags, send_tags

    least = Least(confirmed, unsure)
    choices = TagChoices(service, paths or (), least, tuple(status or ()), alone)
    hydrus = _opened(url, key_file, certificate)
    carry_out(
        ctx,
        lambda gallery: plan_tags(gallery, hydrus, choices),
        lambda gallery, plan: send_tags(gallery, hydrus, plan),
        tell=lambda plan: _say(plan, hydrus.address),
        as_json=lambda plan: _json(plan, hydrus.address),
        unit="file",
        yes=yes,
        json=json,
    )


def fetch_hydrus(
    ctx: typer.Context,
    tags: Annotated[
        list[str],
        typer.Argument(
            metavar="TAG", help="A file has all of them; system predicates and -tags count, too."
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", parser=named_path, help="Where the files go.")
    ],
    url: Url = HYDRUS.url,
    key_file: KeyFile = None,
    certificate: Certificate = None,
    most: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="So many files at most.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come; fetch nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Get files of hydrus into a folder, to be labelled or enrolled.

    Each is called by its SHA-256, by which `gallery send hydrus` finds it again. Files that are
    there are not fetched again. The exit code is 1 where a file did not come. The key is in
    GALLERY_HYDRUS_KEY.
    """
    from gallery.jobs.fetch_files import FetchChoices, fetch_files

    hydrus = _opened(url, key_file, certificate)
    reporter = Reporter()
    done = follow(fetch_files(hydrus, FetchChoices(out, tags, most, dry_run)), reporter)
    if json:
        json_line(
            {
                "files": done.files,
                "bytes": done.size,
                "there": done.there,
                "passed_over": dict(done.passed_over),
                "fetched": not dry_run,
            }
        )
    else:
        verb = "would come" if dry_run else "fetched"
        size = f"{done.size / 1e6:.1f} MB"
        say(f"{plural(done.files, 'file')} {verb}, {size}; {done.there} were there: {out}")
    if reporter.refused:
        raise typer.Exit(1)


def _opened(url: str, key_file: Path | None, certificate: Path | None) -> Hydrus:
    from gallery.services.hydrus import KEY_HEADER, Hydrus

    return Hydrus(client_of(HYDRUS, url, key_file, certificate, KEY_HEADER))


def _say(plan: TagPlan, address: str) -> None:
    where = f"hydrus at {address}, {plan.service.name}"
    say(
        f"{plural(len(plan.changes), 'file')} in {where}: {plural(plan.added, 'tag')} to give, "
        f"{plan.removed} to withdraw."
    )
    for one in plan.changes[:EXAMPLES]:
        changes = [f"+{tag}" for tag in one.tags] + [f"-{tag}" for tag in one.remove]
        say(f"  {one.path}: {', '.join(changes)}")
    if len(plan.changes) > EXAMPLES:
        say(f"  and {plural(len(plan.changes) - EXAMPLES, 'file')} more")
    if plan.unheld:
        say(f"{plural(plan.unheld, 'file')} with something to say not in hydrus.")
    if plan.there:
        say(f"{plural(plan.there, 'tag')} there already, given by others.")
    if plan.taken:
        say(f"{plural(plan.taken, 'tag')} not given again, since somebody took them away there.")


def _json(plan: TagPlan, address: str) -> dict[str, object]:
    from gallery.system.file_names import path_text

    return {
        "program": HYDRUS.name,
        "address": address,
        "service": plan.service.name,
        "changes": [
            {
                "path": path_text(one.path),
                "digest": one.digest,
                "add": list(one.tags),
                "remove": list(one.remove),
            }
            for one in plan.changes
        ],
        "not_held": plan.unheld,
        "there": plan.there,
        "taken_away": plan.taken,
    }
