"""What of the evidence to weigh, and whether asked rates hold, on characters held out of training.

    python -m training.verdicts --run FOLDER [--cache FOLDER] [--encoder NAME] [--together]

A user's characters are of other series than the strangers that ship. So the held-out characters
are divided by series, DRAWS times: of one part the shipped strangers and trials are made, as
`python -m training strangers` does; of the other, galleries of SMALL and of LARGE characters, and
the strangers that they meet, who are of the galleries' own series.

Each row is a set of features of calibration.model. Columns: TPIR at FPIR 1 % in LARGE, thresholds
chosen on the very strangers, which is what the weights are worth; then the FPIR that is reached
where 1 % is asked for, at SMALL, with that calibration in the gallery grown to LARGE, and
calibrated at LARGE; last the TPIR reached there. Means over draws; strangers count by face. With
--together, all probes are scored jointly. There no calibration is kept while a gallery grows:
`gallery relabel` makes it anew.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.events import value_of
from gallery.faces.networks.library import Library
from gallery.identify.calibration.evidence import COLUMNS
from gallery.identify.calibration.fit import TrialSets, fit_scorer, fit_tail
from gallery.identify.calibration.joint import smooth_jointly
from gallery.identify.calibration.model import FEATURES
from gallery.identify.calibration.strangers import Strangers
from gallery.identify.calibration.trials import Protocol, Trials
from gallery.settings import DEFAULT_ENCODER, Settings
from measuring.galleries import Rows, ask, references_of
from measuring.tables import table
from training.config import read_config
from training.data import Place
from training.strangers import Unseen, described, make

DRAWS = 24
SMALL, LARGE = 10, 24
REFERENCES = 5
JUDGED = 34
"""About so many held-out characters are on the galleries' side."""

TRIES = 1000
FPIR = 0.01
SEED = 41
HERE = Path(__file__).parent

SETS: dict[str, tuple[str, ...]] = {
    "weighed": FEATURES,
    "ideal": ("ideal",),
    "ideal gap": ("ideal", "gap"),
    "ideal gap few": ("ideal", "gap", "few"),
    "weighed, nearest": (*FEATURES, "nearest"),
    "weighed, quality": (*FEATURES, "quality"),
    "weighed, no gap": tuple(name for name in FEATURES if name != "gap"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """What galleries of one division were asked."""

    shipped: Strangers
    small: TrialSets
    large: TrialSets
    at_small: Trials
    """Strangers asked of the small gallery."""
    grown: Trials
    """Strangers asked of the large gallery, with the spread of the small one's calibration."""
    at_large: Trials
    known: Trials
    """Other faces of the large gallery's characters."""


def draw(unseen: Unseen, generator: np.random.Generator, unknown: float | None = None) -> Draw:
    """Divide the characters by series, and ask.

    Faces are scored jointly where the encoder's distance is given from which on nobody is known.
    """
    judged = _judged_series(unseen, generator)
    other = np.setdiff1d(unseen.series, judged)
    shipped, faces = make(unseen.chosen(other)), unseen.chosen(judged)
    members = generator.permutation(faces.held)[:LARGE]
    rows = np.concatenate(
        [generator.permutation(np.flatnonzero(faces.labels == one))[:REFERENCES] for one in members]
    )
    few = rows[np.isin(faces.labels[rows], members[:SMALL])]
    known = np.setdiff1d(np.flatnonzero(np.isin(faces.labels, members)), rows)
    strangers = np.flatnonzero(~np.isin(faces.labels, members))
    rest = np.concatenate([known, strangers])
    (small, by_small), (large, by_large) = (
        _gallery(faces, some, rest, shipped, unknown) for some in (few, rows)
    )
    own = (
        _asked(small, len(few), len(shipped)),
        _asked(large, len(rows), len(shipped)),
        ask(small, by_small, strangers, known=False),
    )
    at_large = ask(large, by_large, strangers, known=False)
    of_known = ask(large, by_large, known, known=True)
    large.pool = small.pool
    return Draw(shipped, *own, ask(large, by_large, strangers, known=False), at_large, of_known)


def _gallery(
    faces: Unseen, rows: Rows, rest: Rows, shipped: Strangers, unknown: float | None
) -> tuple[Protocol, Unseen]:
    """Return a gallery of some faces, and all faces as it sees the rest."""
    enrolled = references_of(faces, rows)
    if unknown is None:
        return Protocol(enrolled, shipped), faces
    drawn = value_of(smooth_jointly(faces.descriptors[rest], enrolled, shipped, unknown=unknown))
    descriptors = faces.descriptors.copy()
    descriptors[rest] = drawn.faces
    return (
        Protocol(drawn.enrolled, drawn.strangers),
        dataclasses.replace(faces, descriptors=descriptors),
    )


def _judged_series(unseen: Unseen, generator: np.random.Generator) -> NDArray[np.str_]:
    """Return series whose held-out characters are about JUDGED in all."""
    held = np.flatnonzero(unseen.labels < unseen.held)
    first = held[np.unique(unseen.labels[held], return_index=True)[1]]
    names, counts = np.unique(unseen.series[first], return_counts=True)
    for _ in range(TRIES):
        taken, total = [], 0
        for place in generator.permutation(len(names)):
            if total + counts[place] <= JUDGED + 2:
                taken.append(place)
                total += int(counts[place])
        if total >= JUDGED - 2:
            return np.asarray(names[taken])
    raise ValueError(f"No series have about {JUDGED} held-out characters together.")


def _asked(questions: Protocol, references: int, strangers: int) -> TrialSets:
    rows = np.arange(references)
    return TrialSets(
        questions.leave_one_out(rows),
        questions.leave_one_character_out(rows),
        questions.about_strangers(np.arange(strangers)),
    )


def figures(one: Draw, names: Sequence[str]) -> tuple[float, ...]:
    """Return the columns of a set of features in one draw."""
    scorer = fit_scorer(one.small, one.shipped, names)
    at_small, grown, at_large, known = (
        scorer.scores(trials.evidence)
        for trials in (one.at_small, one.grown, one.at_large, one.known)
    )
    small, large = fit_tail(one.small, scorer, SMALL), fit_tail(one.large, scorer, LARGE)
    sure = large.threshold(FPIR, LARGE)
    return (
        float((one.known.right & (known >= np.quantile(at_large, 1 - FPIR))).mean()),
        float((at_small >= small.threshold(FPIR, SMALL)).mean()),
        float((grown >= small.threshold(FPIR, LARGE)).mean()),
        float((at_large >= sure).mean()),
        float((one.known.right & (known >= sure)).mean()),
    )


def by_distance(one: Draw) -> float:
    """Return the TPIR of plain distance to the ideal at the same FPIR."""
    column = COLUMNS.index("ideal")
    cut = np.quantile(one.at_large.evidence[:, column], FPIR)
    return float((one.known.right & (one.known.evidence[:, column] <= cut)).mean())


def report(unseen: Unseen, draws: int, unknown: float | None = None) -> str:
    """Return the table."""
    generator = np.random.default_rng(SEED)
    drawn = [draw(unseen, generator, unknown) for _ in range(draws)]
    rows = [("plain distance", f"{np.mean([by_distance(one) for one in drawn]):.3f}", *["-"] * 4)]
    for name, features in SETS.items():
        means = np.mean([figures(one, features) for one in drawn], axis=0)
        rows.append((name, *(f"{value:.3f}" for value in means)))
    columns = (
        "features",
        "TPIR at FPIR 1 %",
        f"FPIR, {SMALL}",
        f"{SMALL} grown to {LARGE}",
        f"FPIR, {LARGE}",
        f"TPIR, {LARGE}",
    )
    return table(columns, rows)


def main() -> None:
    """Measure an encoder."""
    parser = argparse.ArgumentParser(prog="python -m training.verdicts", description=main.__doc__)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--config", type=Path, default=HERE / "configs" / "anime.toml")
    parser.add_argument("--faces", type=Path, default=HERE.parents[1] / "shared/data/faces")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="decoded faces; RUN/cache if left out")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--together", action="store_true", help="score faces jointly")
    chosen = parser.parse_args()
    place = Place(chosen.faces, chosen.cache or chosen.run / "cache", chosen.run)
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    unknown = weights.thresholds.unknown if chosen.together else None
    for encoder, unseen in described(read_config(chosen.config), place, (chosen.encoder,)):
        print(f"{encoder}: {unseen.held} held-out characters, {chosen.draws} draws\n")
        print(report(unseen, chosen.draws, unknown))


if __name__ == "__main__":
    main()
