"""What measurements printed, kept as one dated JSON file, and read again for the documentation."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.timing import ROOT
from gallery.system.files import replace_file

FOLDER = Path(__file__).parent / "results"

GAP = re.compile(r"\s{2,}")
"""Between two cells of a printed table."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What one part printed, and when."""

    date: str
    command: str
    """After `python -m`."""
    lines: tuple[str, ...]


def keep(name: str, command: str, lines: list[str], machine: str, folder: Path = FOLDER) -> Path:
    """Put what a part printed into the file of today, in place of what it printed before."""
    path = folder / f"{date.today().isoformat()}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"parts": {}}
    kept["machine"] = machine.splitlines()
    kept["parts"][name] = {"commit": _commit(), "command": command, "printed": lines}
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(path, (json.dumps(kept, ensure_ascii=False, indent=1) + "\n").encode())
    return path


def newest(folder: Path = FOLDER) -> dict[str, Printed]:
    """Return what each part printed last."""
    found: dict[str, Printed] = {}
    for path in sorted(folder.glob("*.json")):
        for name, part in json.loads(path.read_text(encoding="utf-8"))["parts"].items():
            found[name] = Printed(path.stem, part["command"], tuple(part["printed"]))
    return found


def cell(printed: Printed, row: str, column: int, *, below: str | None = None) -> str:
    """Return a cell of the first row of a printed table whose first cell is `row`.

    Where several tables have such a row, it is the first one below the row that begins with the
    cell `below`. Tables are columns with two spaces or more between them, or Markdown. Raises
    KeyError where no row is called so, IndexError where it has no such column.
    """
    is_below = below is None
    for cells in _rows(printed):
        if is_below and cells[0] == row:
            return cells[column]
        is_below = is_below or cells[0] == below
    raise KeyError(f"{printed.command} printed no row {row}")


def column(printed: Printed, title: str) -> int:
    """Return the place of a column of a printed table. Raises KeyError where there is none."""
    for cells in _rows(printed):
        if title in cells:
            return cells.index(title)
    raise KeyError(f"{printed.command} printed no column {title}")


def found(printed: Mapping[str, Printed], name: str, pattern: str) -> str:
    """Return the first group of a pattern in what a part printed. Raises KeyError without one."""
    for line in printed[name].lines:
        match = re.search(pattern, line)
        if match:
            return match[1]
    raise KeyError(f"{printed[name].command} printed nothing like {pattern}")


def _rows(printed: Printed) -> Iterator[list[str]]:
    for line in printed.lines:
        if line.startswith("| "):
            yield [one.strip() for one in line.strip("| ").split(" | ")]
        else:
            yield GAP.split(line.strip())


def _commit() -> str:
    words = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
