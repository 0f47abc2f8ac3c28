"""Makes two pages of the site from the code: every command with its options, and all of Python.

mkdocs runs it, see `hooks` in mkdocs.yml. The pages are in no repository, so that they never
differ from what a user has installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

COMMANDS, PYTHON = "docs/reference-commands.md", "docs/reference-python.md"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages to those of the site."""
    from mkdocs.structure.files import File

    for place, content in ((COMMANDS, commands()), (PYTHON, python())):
        files.append(File.generated(config, place, content=content))
    return files


def commands() -> str:
    """Return the page of all commands, as `gallery COMMAND --help` has them."""
    import typer

    from gallery.cli import app

    root: Any = typer.main.get_command(app)
    context = root.make_context("gallery", [], resilient_parsing=True)
    pages = [
        "# All commands and options\n",
        "As `--help` has them; [commands](commands.md) shows their use.\n",
        "## Options of all commands\n\n" + _options(root, context),
    ]
    pages += (_page(command, own) for command, own in _tree(root, context))
    return "\n".join(pages)


def python() -> str:
    """Return the page of all that `import gallery` gives, by the module that it is in."""
    import gallery

    homes: dict[str, str] = vars(gallery)["_HOMES"]

    pages = ["# All of Python\n\n[From Python](python.md) shows its use.\n"]
    for module, names in homes.items():
        pages.append(f"## gallery.{module}\n")
        pages += [f"::: gallery.{module}.{name}\n" for name in sorted(names.split())]
    return "\n".join(pages)


def _tree(group: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every command with its context; those of a group come after the group."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        own = type(context)(command, info_name=name, parent=context)
        if command.hidden:
            continue
        yield command, own
        if hasattr(command, "list_commands"):
            yield from _tree(command, own)


def _page(command: Any, context: Any) -> str:
    usage = command.get_usage(context).removeprefix("Usage: ")
    usage = " ".join(usage.split())
    return (
        f"## {context.command_path}\n\n```text\n{usage}\n```\n\n{command.help or ''}\n\n"
        + _options(command, context)
    )


def _options(command: Any, context: Any) -> str:
    records = [one.get_help_record(context) for one in command.get_params(context)]
    lines = [f"- `{name}`: {' '.join(text.split())}" for name, text in filter(None, records)]
    return "\n".join(lines) + "\n"
