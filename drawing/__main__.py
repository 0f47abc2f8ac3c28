"""Draws the sample pictures: ``python -m drawing [--out DIR]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from drawing.album import SELF_TEST
from drawing.studio import draw_all, draw_picture, store

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Draw all pictures into the data folder, or into another one."""
    parser = argparse.ArgumentParser(prog="python -m drawing", description=main.__doc__)
    parser.add_argument("--out", type=Path, help="where to write, instead of the data folder")
    out: Path | None = parser.parse_args().out
    draw_all(out or ROOT / "data")
    face = (out or ROOT / "gallery" / "assets") / "face.png"
    store(draw_picture(SELF_TEST)[0], SELF_TEST, face)


if __name__ == "__main__":
    main()
