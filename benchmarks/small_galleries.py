"""Whether small galleries keep the promise: 5 to 20 characters of one or a few series.

    python -m benchmarks.small_galleries [--draws 20] [--only NAME ...] [--data FOLDER]
        [--cache FOLDER] [--encoder NAME]

Random galleries of five to eight references a character are calibrated, 1 % asked for, and asked
about the other faces of their characters and about three kinds of strangers: of the gallery's own
series, television of other series, and other styles. Each face alone, and jointly as
`gallery relabel` does it. TPIR is the share of known faces that are surely and rightly named, FPIR
that of strangers that are surely named; of `all` strangers each kind counts alike. *Worst* is the
highest of the draws.

Galleries marked `chosen on` are of characters that the calibration's constants were chosen on
(gallery/identify/calibration/own_series.py), the others had no part in it. Television of other
series is train-3: networks never learnt it. Labels of dev are checked.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.openset import Faces, JointScoring, drawn_together, read_dev, speaker
from benchmarks.timing import SHARED
from gallery.faces.networks.library import Library, Weights
from gallery.identify.calibration.calibrate import calibrate
from gallery.identify.calibration.model import FEATURES, JOINT_FEATURES
from gallery.identify.calibration.strangers import Strangers, read_strangers
from gallery.settings import DEFAULT_ENCODER, Settings, bundled
from measuring.faces import rows_of
from measuring.galleries import references_of
from measuring.mislabelled import rightly_labelled
from measuring.tables import table

SEED = 53
FPIR = 0.01
REFERENCES = (5, 8)
ENOUGH = 9
"""Faces that an enrolled character has at least; where too few have so many, LEAST."""
LEAST = 6
ASKED = 250
"""Faces of each kind that a gallery is asked about at most."""

Rows = NDArray[np.intp]
Names = NDArray[np.str_]

CHOSEN_ON = (
    "bang_dream", "new_game", "vocaloid", "oregairu", "haruhi", "card_captor_sakura",
    "hayate_no_gotoku", "idolmaster", "love_live", "lucky_star", "railgun", "to_love_ru",
)  # fmt: skip
OTHERS = (
    "heaven_burns_red", "project_sekai", "rent_a_girlfriend", "hololive", "touhou", "k_on", "fate",
    "ichigo_mashimaro", "love_live_sunshine", "nanoha", "shakugan_no_shana",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """Galleries of one kind."""

    name: str
    series: Sequence[str]
    sizes: Sequence[int]


KINDS = (
    Kind(
        "chosen on: demon_slayer and attack_on_titan", ("demon_slayer", "attack_on_titan"), (5, 8)
    ),
    Kind("chosen on: new_game", ("new_game",), (5,)),
    Kind("chosen on: dev, half of the series", CHOSEN_ON, (8, 20)),
    Kind("naruto (dev-tv)", ("naruto",), (5, 8)),
    Kind("project_sekai (dev)", ("project_sekai",), (5, 12)),
    Kind("dev, the other half", OTHERS, (8, 20)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Everybody:
    """All faces with their series and styles."""

    faces: Faces
    series: Names
    """Shape (n,), as of all below."""
    is_television: NDArray[np.bool_]
    is_named: NDArray[np.bool_]


def read(data: Path, weights: Weights, cache: Path) -> Everybody:
    """Return dev (labels checked), dev-tv, train-2 and train-3; heads of train-3 have no names."""
    parts, names, series, styles = [], [], [], []
    for split in ("dev", "dev-tv", "train-2", "train-3"):
        parts.append(read_dev(data, weights, cache, checked=split == "dev", split=split))
        rows = rows_of(data / "faces", split)
        if split == "dev":
            kept = rightly_labelled(data / "faces").tolist()
            rows = [row for row, is_right in zip(rows, kept, strict=True) if is_right]
        names += [row["identity"] or f"?{split}{place}" for place, row in enumerate(rows)]
        series += [row["series"] for row in rows]
        styles += [row["style"] for row in rows]
    _, labels = np.unique(names, return_inverse=True)
    return Everybody(
        Faces(
            np.concatenate([one.descriptors for one in parts]),
            labels.astype(np.int64),
            np.zeros(labels.max() + 1, np.int64),
            np.concatenate([one.quality for one in parts]),
        ),
        np.array(series),
        np.isin(styles, ("tv", "retro")),
        np.array([not name.startswith("?") for name in names]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A gallery and whom it is asked about, by rows."""

    enrolled: Rows
    known: Rows
    strangers: tuple[Rows, Rows, Rows]
    """Of the gallery's series, television of other series, and other styles."""


def drawn(everybody: Everybody, kind: Kind, size: int, draws: int) -> Iterator[Drawn]:
    """Yield random galleries of so many characters."""
    labels, named = everybody.faces.labels, everybody.is_named
    own = np.isin(everybody.series, kind.series) & named
    sizes = np.bincount(labels[own], minlength=labels.max() + 1)
    for draw in range(draws):
        generator = np.random.default_rng([SEED, size, draw])
        least = ENOUGH if (sizes >= ENOUGH).sum() >= size else LEAST
        members = generator.permutation(np.flatnonzero(sizes >= least))[:size]
        enrolled = []
        for member in members:
            rows = generator.permutation(np.flatnonzero(labels == member))
            count = int(generator.integers(REFERENCES[0], REFERENCES[1] + 1))
            enrolled.append(rows[: min(count, len(rows) - 1)])
        is_member = np.isin(labels, members)
        known = np.setdiff1d(np.flatnonzero(is_member), np.concatenate(enrolled))
        is_same = np.isin(everybody.series, np.unique(everybody.series[is_member]))
        kinds = (
            # A head without a name may be of an enrolled character.
            ~is_member & is_same & named,
            ~is_member & ~is_same & everybody.is_television,
            ~is_member & ~is_same & ~everybody.is_television,
        )
        same, television, other = (
            generator.permutation(np.flatnonzero(one))[:ASKED] for one in kinds
        )
        yield Drawn(
            np.concatenate(enrolled),
            generator.permutation(known)[:ASKED],
            (same, television, other),
        )


def figures(
    everybody: Everybody, one: Drawn, size: int, shipped: Strangers, unknown: float, *, joint: bool
) -> list[float]:
    """Return TPIR, and FPIR of each kind of strangers and of all, of one gallery."""
    none = np.zeros(0, np.intp)
    faces = everybody.faces
    nothing = Faces(faces.descriptors[:0], faces.labels[:0], faces.series, faces.quality[:0])
    asked = JointScoring(faces, nothing, references_of(faces, one.enrolled, unknown), shipped)
    if joint:
        batch = np.concatenate([one.known, *one.strangers])
        asked = drawn_together(asked, batch, none, unknown)
    calibration = calibrate(
        asked.enrolled, asked.shipped, fpir=FPIR, names=JOINT_FEATURES if joint else FEATURES
    ).calibration
    say = speaker(asked.enrolled, asked.shipped, calibration, size, 0)
    known = say(asked.faces, one.known, True)
    rates = [
        float(say(asked.faces, rows, False).sure.mean()) if len(rows) else np.nan
        for rows in one.strangers
    ]
    return [float((known.sure & known.right).mean()), *rates, float(np.nanmean(rates))]


def rows_of_kind(
    everybody: Everybody, kind: Kind, shipped: Strangers, unknown: float, draws: int
) -> Iterator[tuple[str, ...]]:
    """Yield a row for each size, each face alone and jointly."""
    for size in kind.sizes:
        galleries = list(drawn(everybody, kind, size, draws))
        for joint in (False, True):
            found = np.array(
                [figures(everybody, one, size, shipped, unknown, joint=joint) for one in galleries]
            )
            mean, worst = np.nanmean(found, axis=0), np.nanmax(found, axis=0)
            yield (
                f"{kind.name}, {size}",
                "jointly" if joint else "alone",
                f"{mean[0]:.2f}",
                *(f"{mean[at]:.1%} ({worst[at]:.1%})" for at in (4, 1, 2, 3)),
            )


def main() -> None:
    """Print the table, a row as it is found."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--only", nargs="*", help="kinds whose names begin so; all unless named")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    chosen = parser.parse_args()
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    everybody = read(chosen.data, weights, chosen.cache)
    shipped = read_strangers(bundled("models"), weights.encoder_id)
    kinds = [
        kind for kind in KINDS if chosen.only is None or kind.name.startswith(tuple(chosen.only))
    ]
    rows: list[tuple[str, ...]] = []
    for kind in kinds:
        rows += rows_of_kind(everybody, kind, shipped, weights.thresholds.unknown, chosen.draws)
    strangers = ("all strangers", "of the series", "television", "other styles")
    heads = (
        "gallery, characters",
        "scored",
        "TPIR",
        *(f"FPIR (worst), {one}" for one in strangers),
    )
    print(table(heads, rows))


if __name__ == "__main__":
    main()
