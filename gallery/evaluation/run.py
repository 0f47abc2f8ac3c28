"""The whole evaluation, from a gallery and perhaps a folder to figures."""

from __future__ import annotations

from pathlib import Path

from gallery.engine.engine import Engine
from gallery.evaluation.evaluate import Evaluation, steps
from gallery.evaluation.evaluate import evaluate as tables
from gallery.evaluation.evaluation_set import set_of_folder, set_of_gallery
from gallery.evaluation.verdicts import joint_scoring_of, judge_of
from gallery.events import Finished, Job, Noticed, Started
from gallery.jobs.enroll_folders import named_candidates


def evaluate(
    engine: Engine, folder: Path | None = None, *, largest: bool = False, seed: int = 0
) -> Job[Evaluation]:
    """Measure how often a gallery is right, on its own faces or on a folder of folders of pictures.

    The same seed gives the same figures; `largest` takes the largest of several faces of a picture.
    Raises InputError for a folder with nothing to ask about, and where nobody is enrolled;
    StoreError where samples lack the encoder in use.
    """
    if folder is None:
        evaluation_set = set_of_gallery(engine)
    else:
        candidates, media, left_out = named_candidates(folder)
        if left_out is not None and not candidates:
            raise left_out
        if left_out is not None:
            yield Noticed(left_out)
        evaluation_set = yield from set_of_folder(engine, candidates, media.told(), largest=largest)
    joint = yield from joint_scoring_of(engine, evaluation_set)
    yield Started("evaluating", steps(evaluation_set, is_joint=joint is not None), "step")
    evaluation = yield from tables(evaluation_set, judge_of(engine), joint=joint, seed=seed)
    yield Finished(evaluation)
