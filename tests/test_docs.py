"""What the documentation says is run, and is true.

GALLERY_UPDATE_DOCS=1 writes what the commands print into the documentation.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command import run
from typer.main import get_command

from gallery.cli import app

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("[!.]*/README.md")])
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+\.\d+")
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HOME = "/home/you"


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
    """Equal but for the last digits, which processors differ in."""
    if NUMBER.fullmatch(written) and NUMBER.fullmatch(printed):
        return abs(float(written) - float(printed)) <= 0.011
    return written == printed


@pytest.mark.parametrize("page", [ROOT / "README.md"], ids=lambda page: page.name)
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


def all_commands(group: Any, prefix: str = "gallery") -> dict[str, Any]:
    """Every command by what is typed for it, with those of groups."""
    found = {}
    for name, command in group.commands.items():
        found[f"{prefix} {name}"] = command
        if hasattr(command, "commands"):
            found.update(all_commands(command, f"{prefix} {name}"))
    return found


def test_every_command_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [name for name in all_commands(get_command(app)) if name.count(" ") == 1]
    assert len(names) > 15
    assert [name for name in names if name not in text] == []


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"[`^]make ([a-z]+)", page.read_text(encoding="utf-8")))
    assert named <= targets


def test_the_demo_says_what_it_does() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for verb in ("enroll data/characters", "identify data/screenshots", "label data/screenshots"):
        assert verb in planned
