"""What `python -m training.evaluate` looks at alone, and its figures of small galleries."""

from __future__ import annotations

import numpy as np

from measuring.faces import Faces
from training.evaluate import Column, figures_of, styles_of


def faces_of(styles: dict[str, tuple[int, int]]) -> Faces:
    """Return faces without pixels: of every style so many characters by so many faces."""
    style = np.concatenate([np.repeat(name, n * each) for name, (n, each) in styles.items()])
    identity = np.concatenate(
        [np.repeat([f"{name}{i}" for i in range(n)], each) for name, (n, each) in styles.items()]
    )
    return Faces(
        np.zeros((0, 1, 1, 3), np.uint8),
        identity,
        identity,
        style,
        identity,
        np.full_like(style, ""),
    )


def test_styles_with_characters_enough_are_looked_at_alone() -> None:
    faces = faces_of({"game": (12, 3), "tv": (10, 2), "manga": (4, 5), "western": (30, 1)})

    found = dict(styles_of("dev", faces))

    assert list(found) == ["dev, game only", "dev, tv only"]
    assert found["dev, tv only"].tolist() == (faces.style == "tv").tolist()


def test_a_split_of_one_style_is_looked_at_once() -> None:
    assert not list(styles_of("dev-tv", faces_of({"tv": (20, 3)})))


def test_characters_with_few_faces_have_figures_without_open_galleries() -> None:
    generator = np.random.default_rng(1)
    labels = np.repeat(np.arange(12), 3)
    described = generator.normal(size=(12, 6))[labels] + 0.1 * generator.normal(size=(36, 6))
    series = np.zeros(12, np.int64)

    few = figures_of(Column("x", described, None), labels, series, np.ones((1, 12)))
    more = figures_of(
        Column("x", np.repeat(described, 3, axis=0), None),
        np.repeat(labels, 3),
        series,
        np.ones((1, 12)),
    )

    title = "TPIR at FPIR 1%, half enrolled with 5"
    assert title not in few
    assert more[title].value == 1
    shape = "pair F1 in the shape of CCIP's test, without self pairs"
    assert few[shape].value is not None
    assert few["pair F1, best threshold"].value == few[shape].value, "all faces fit into a draw"
