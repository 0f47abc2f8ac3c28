"""Faces of the dev split that show somebody else than their label says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from measuring import mislabelled

FACES = Path(__file__).parents[3] / "shared" / "data" / "faces"


def test_faces_that_show_somebody_else_are_marked_by_file_and_label(tmp_path: Path) -> None:
    with mislabelled.TABLE.open(encoding="utf-8", newline="") as table:
        wrong = list(csv.DictReader(table))
    rows = [
        ("dev", wrong[0]["file"], wrong[0]["identity"]),
        ("dev", wrong[0]["file"], "new_game:somebody_right"),
        ("train", wrong[1]["file"], wrong[1]["identity"]),
        ("dev", "other/face.jpg", wrong[1]["identity"]),
    ]
    lines = ["split,file,identity", *(",".join(row) for row in rows)]
    (tmp_path / "faces.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert mislabelled.rightly_labelled(tmp_path).tolist() == [False, True, True]


def test_every_face_that_shows_somebody_else_is_in_the_dev_split() -> None:
    if not (FACES / "faces.csv").is_file():
        pytest.skip("the labelled faces (../shared/data/faces) are not here")
    with mislabelled.TABLE.open(encoding="utf-8", newline="") as table:
        wrong = list(csv.DictReader(table))

    kept = mislabelled.rightly_labelled(FACES)

    assert (~kept).sum() == len(wrong) == len({row["file"] for row in wrong})
    assert all(row["shows"] not in row["identity"] for row in wrong)
