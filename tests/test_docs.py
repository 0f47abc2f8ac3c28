"""What the documentation says is run, and is true.

GALLERY_UPDATE_DOCS=1 writes what the commands print into the documentation.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command import run
from typer.main import get_command

from gallery.cli import app, hoist

ROOT = Path(__file__).parent.parent
FOLDERS = ("docs", "models", "data")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md"))]
)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+\.\d+")
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HOME = "/home/you"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


ALL_PAGES = pytest.mark.parametrize("page", PAGES, ids=name_of)
REPLAYED = [page for page in PAGES if CONSOLE.search(page.read_text(encoding="utf-8"))]


def commands_of(page: Path) -> list[str]:
    return [
        line.removeprefix("$ ")
        for block in CONSOLE.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def answer(command: str, folder: Path) -> str:
    """What a terminal would show, with this machine's folder called a home folder."""
    words = command.split()
    assert words[0] == "gallery"
    done = run(*words[1:], cwd=folder, database=folder / "gallery.db")
    shown = done.stderr + done.stdout if done.stdout == "" else done.stdout + done.stderr
    lines = [line.rstrip() for line in shown.replace(str(folder), HOME).splitlines()]
    return "".join(f"{line}\n" for line in lines)


def replay(page: Path, folder: Path) -> str:
    """The page with what its commands print now."""

    def block(found: re.Match[str]) -> str:
        lines = [line for line in found[1].splitlines() if line.startswith("$ ")]
        shown = "".join(f"{line}\n{answer(line[2:], folder)}" for line in lines)
        return f"```console\n{shown}```"

    return CONSOLE.sub(block, page.read_text(encoding="utf-8"))


def tokens(text: str) -> list[str]:
    return [word for line in text.splitlines() for word in re.split(r"\s+", line.strip())]


def alike(written: str, printed: str) -> bool:
    """Equal but for the last digits, which processors differ in; a list has commas behind them."""
    if written.endswith(",") and printed.endswith(","):
        written, printed = written[:-1], printed[:-1]
    if NUMBER.fullmatch(written) and NUMBER.fullmatch(printed):
        return abs(float(written) - float(printed)) <= 0.011
    return written == printed


@pytest.mark.slow
@pytest.mark.parametrize("page", REPLAYED, ids=name_of)
def test_commands_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "data", tmp_path / "data")
    now = replay(page, tmp_path)
    if os.environ.get("GALLERY_UPDATE_DOCS"):
        page.write_text(now, encoding="utf-8")
    said = tokens(page.read_text(encoding="utf-8"))
    printed = tokens(now)
    different = [pair for pair in zip(said, printed, strict=False) if not alike(*pair)]
    assert not different
    assert len(said) == len(printed)


def examples() -> list[str]:
    """Every line of a shell block, in any page, that calls gallery."""
    return sorted(
        {
            line
            for page in PAGES
            for block in SHELL.findall(page.read_text(encoding="utf-8"))
            for line in block.splitlines()
            if line.startswith("gallery ")
        }
    )


def all_commands(group: Any, prefix: str = "gallery") -> dict[str, Any]:
    """Every command by what is typed for it, with those of groups."""
    found = {}
    for name, command in group.commands.items():
        found[f"{prefix} {name}"] = command
        if hasattr(command, "commands"):
            found.update(all_commands(command, f"{prefix} {name}"))
    return found


def test_every_command_stands_in_the_documentation_with_an_example() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    names = [name for name in all_commands(get_command(app)) if name.count(" ") == 1]
    examples = [line for block in SHELL.findall(text) for line in block.splitlines()]
    assert len(names) > 15
    assert [name for name in names if f"`{name}`" not in text] == []
    assert [
        name for name in names if not any(f"{line} ".startswith(f"{name} ") for line in examples)
    ] == []


def test_options_in_the_documentation_exist() -> None:
    group = get_command(app)
    options = {"--help"}
    for command in [group, *all_commands(group).values()]:
        options.update(name for parameter in command.params for name in parameter.opts)
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            if "gallery " in line:
                used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line))
                assert used <= options, f"{page.name}: {line}"


@pytest.mark.parametrize("line", examples(), ids=str)
def test_examples_are_accepted_by_the_command_line(line: str) -> None:
    """Names and numbers of options and arguments; the files need not be there."""
    _, words = hoist(shlex.split(line, comments=True)[1:])
    command: Any = get_command(app)
    context = command.make_context("gallery", words, resilient_parsing=True)
    while hasattr(command, "commands"):
        name, command, words = command.resolve_command(context, words)
        context = command.context_class(command, info_name=name, parent=context)
    command.make_parser(context).parse_args(list(words))


def anchors_of(page: Path) -> set[str]:
    """What `page.md#...` may name: headings as GitHub spells them, and anchors set by hand."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found: set[str] = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", LINK.sub("]", heading).lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


@ALL_PAGES
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors_of(there), target


def test_every_guide_and_note_stands_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / target.partition("#")[0]).resolve()
        for target in LINK.findall(index.read_text(encoding="utf-8"))
    }
    assert {page for page in (ROOT / "docs").rglob("*.md") if page != index} <= linked


@ALL_PAGES
def test_what_examples_import_is_there(page: Path) -> None:
    for block in PYTHON.findall(page.read_text(encoding="utf-8")):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gallery."):
                module = importlib.import_module(str(node.module))
                assert [one.name for one in node.names if not hasattr(module, one.name)] == []


@ALL_PAGES
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"[`^]make ([a-z]+)", page.read_text(encoding="utf-8")))
    assert named <= targets


@pytest.mark.parametrize("name", ["accuracy", "speed"])
def test_the_readme_says_where_its_tables_of_results_stand(name: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(
        rf"^<!-- results: {name} -->\n(.*?)^<!-- /results -->$", text, re.DOTALL | re.MULTILINE
    )
    assert table.startswith("| ")


def test_the_demo_says_what_it_does() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for verb in ("enroll data/characters", "identify data/screenshots", "label data/screenshots"):
        assert verb in planned
