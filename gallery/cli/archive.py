"""`gallery backup`, `export` and `import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallery.cli.show import plural, say, settings_of


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("export")(export)
    app.command("import")(restore)


def backup(
    ctx: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
) -> None:
    """Write a copy of the database, which can be put in its place."""
    from gallery.engine.assemble import open_gallery

    with open_gallery(settings_of(ctx)) as gallery:
        gallery.store.back_up(target)
    say(f"{target}")


def export(
    ctx: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE.zip")],
) -> None:
    """Write the whole gallery as one file of plain JSON, PNG and NumPy arrays."""
    from gallery.engine.assemble import open_gallery
    from gallery.store import archive

    with open_gallery(settings_of(ctx)) as gallery:
        count = archive.export(gallery.store, target)
    say(f"{plural(count, 'sample')}: {target}")


def restore(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE.zip")],
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
