"""What `label` and `relabel` share: how many names, and where and in which formats they go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gallery.cli.show import named_path
from gallery.output import registry
from gallery.output.format import CaptionPlace, Placing, TagStyle
from gallery.types import MatchMode

MOST_COMPLAINTS = 20
"""Outputs of single pictures that are complained of one by one."""

Out: TypeAlias = Annotated[
    Path,
    typer.Option(
        metavar="FILE.jsonl|FILE.csv",
        parser=named_path,
        help="Where the records go. FILE.vtt, FILE.srt, FILE.xml, FILE.ffmetadata, FILE.edl or "
        "FILE.otio of one video stands for FILE.jsonl and --write of that format.",
    ),
]
Write: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FORMAT[:TARGET]",
        help="Write another format, too; may be given several times. Beside the pictures, or "
        "below a folder that is named: captions, hydrus, xmp, xmp-stem. Into a folder: "
        "sorted:FOLDER, annotated:FOLDER. Into a file: coco:FILE, label-studio:FILE, "
        "html:FILE, jsonl:FILE, csv:FILE. Of videos, beside them, below a folder, or of one into a "
        "file: vtt, srt, chapters, ffmetadata, edl, otio, timeline. Or one that a package of yours "
        "brings.",
    ),
]
Rewrite: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--rewrite", help="With --write: also for pictures whose records are in the file already."
    ),
]
Unsure: TypeAlias = Annotated[
    bool, typer.Option("--unsure", help="With --write: take unsure names for sure ones.")
]
Prefix: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="TEXT",
        show_default=False,
        help="For captions: put this before every name, as in character:Rei.",
    ),
]
Tags: TypeAlias = Annotated[
    TagStyle, typer.Option(help="For captions: names as they are, or as_image_boards_do.")
]
TagSeries: TypeAlias = Annotated[
    str,
    typer.Option(
        "--tag-series",
        metavar="NAME",
        show_default=False,
        help="For captions: put behind names, in brackets, where a character's series is not "
        "known.",
    ),
]
BySeries: TypeAlias = Annotated[
    bool,
    typer.Option("--by-series", help="For sorted: a folder for each series, with its characters."),
]
CaptionsAt: TypeAlias = Annotated[
    CaptionPlace,
    typer.Option(
        "--caption-place", help="For captions: names come in front of other tags or at the end."
    ),
]
Place: TypeAlias = Annotated[
    Placing, typer.Option(help="For sorted: how pictures come into their folders.")
]
Top: TypeAlias = Annotated[int, typer.Option(min=1, help="How many characters to name for a face.")]
Matching: TypeAlias = Annotated[
    MatchMode, typer.Option(help="What of a character a face is compared with.")
]


def records_and_formats(out: Path, write: Sequence[str] | None) -> tuple[Path, list[str]]:
    """Return the file of records and the formats that --out and --write name."""
    records, shown = registry.of_records(out)
    own = [] if shown is None else [f"{shown.format}:{shown.target}"]
    return records, [*own, *(write or ())]


def complaints(not_written: Sequence[str]) -> list[str]:
    """Return what to say of outputs of single pictures that could not be written."""
    lines = [f"gallery: {why}" for why in not_written[:MOST_COMPLAINTS]]
    if len(not_written) > MOST_COMPLAINTS:
        lines.append(f"{len(not_written)} outputs like these could not be written.")
    return lines
