"""`gallery backup`, `restore`, `export` and `import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallery.cli.show import named_path, plural, say, settings_of


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("export")(export)
    app.command("import")(take_in)


def backup(
    ctx: typer.Context,
    target: Annotated[
        Path,
        typer.Argument(metavar="FILE", parser=named_path, help="A file that is not there yet."),
    ],
) -> None:
    """Write a copy of the database, which `gallery restore` puts in its place."""
    from gallery.engine.assemble import open_gallery

    with open_gallery(settings_of(ctx)) as gallery:
        gallery.store.back_up(target)
    say(f"{target}")


def restore(
    ctx: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE", parser=named_path, help="What `gallery backup` wrote."),
    ],
) -> None:
    """Put a back-up in the place of the database; what it replaces stays beside it.

    The back-up stays, too. Nobody else may have the database open meanwhile.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.store.backups import restore as put_in_place

    settings = settings_of(ctx)
    kept = put_in_place(settings.database, source)
    with open_gallery(settings) as gallery:
        characters = gallery.characters()
        path = gallery.store.path
    samples = sum(one.samples for one in characters)
    say(
        f"{path} is {source} now: {plural(len(characters), 'character')}, "
        f"{plural(samples, 'sample')}."
    )
    if kept is not None:
        say(f"What it replaces is {kept}.")


def export(
    ctx: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE.zip", parser=named_path)],
) -> None:
    """Write the whole gallery as one file of plain JSON, PNG and NumPy arrays."""
    from gallery.engine.assemble import open_gallery
    from gallery.store import archive

    with open_gallery(settings_of(ctx)) as gallery:
        count = archive.export(gallery.store, target)
    say(f"{plural(count, 'sample')}: {target}")


def take_in(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE.zip", parser=named_path)],
) -> None:
    """Add an exported gallery to this one; faces that are here already keep their labels."""
    from gallery.engine.assemble import open_gallery
    from gallery.store import archive

    with open_gallery(settings_of(ctx), create=True) as gallery:
        done = archive.restore(gallery.store, source)
        missing = len(gallery.remaining())
    say(f"{plural(done.added, 'sample')} added, {done.present} here already.")
    if missing:
        say(f"{plural(missing, 'sample')} to encode yet: run `gallery reencode`.")
