"""How well heads are found, on pictures whose heads are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.distances import overlaps
from training.detector.labels import Heads

SAME = 0.5
"""Intersection over union from which on a found box is a head."""

Numbers = NDArray[np.float64]


def matched(boxes: Numbers, heads: Heads) -> NDArray[np.int64]:
    """Return for boxes, best first, the head that each is, -1 for none, -2 where none is known.

    Every head is found once, by the best box over it; a box that lies for half in an ignored
    region is neither right nor wrong.
    """
    answer = np.full(len(boxes), -1, np.int64)
    alike = overlaps(boxes, heads.boxes)
    for place in range(len(boxes)):
        if alike.shape[1] and alike[place].max() >= SAME:
            answer[place] = int(alike[place].argmax())
            alike[:, answer[place]] = 0.0
        elif _is_ignored(boxes[place], heads.ignored):
            answer[place] = -2
    return answer


def _is_ignored(box: Numbers, regions: Numbers) -> bool:
    if not len(regions):
        return False
    shared = np.minimum(box[2:], regions[:, 2:]) - np.maximum(box[:2], regions[:, :2])
    inside = np.prod(np.clip(shared, 0, None), axis=1).max() >= 0.5 * np.prod(box[2:] - box[:2])
    return bool(inside or overlaps(box[None], regions).max() >= SAME)


def average_precision(scores: Numbers, right: NDArray[np.bool_], heads: int) -> float:
    """Return the area below precision over recall, precision made to fall, of all boxes.

    scores and right have shape (n,); heads is how many there are to find (Everingham et al., "The
    PASCAL Visual Object Classes Challenge", 2010, with all points instead of eleven).
    """
    if heads == 0 or len(scores) == 0:
        return 0.0
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((falling * right[order]).sum() / heads)


def figures(found: list[NDArray[np.float32]], known: list[Heads]) -> dict[str, float]:
    """Return AP50, recalls at one false box per ten pictures, and the eyes' error.

    found has rows of the network, best first, for each picture. The eyes' error is the median
    distance from the known place as a share of the distance between the eyes.
    """
    scores, right, sides, errors = [], [], [], []
    reached: list[float] = []
    for rows, heads in zip(found, known, strict=True):
        numbers = rows.astype(np.float64)
        answers = matched(numbers[:, 1:5], heads)
        size = np.sqrt(np.prod(heads.boxes[:, 2:] - heads.boxes[:, :2], axis=1))
        best = np.zeros(len(heads))
        for row, answer in zip(numbers, answers, strict=True):
            if answer != -2:
                scores.append(row[0])
                right.append(answer >= 0)
            if answer >= 0:
                best[answer] = row[0]
                errors.extend(_eye_errors(row, heads, int(answer)))
        sides.extend(size)
        reached.extend(best)
    all_scores, all_right = np.array(scores), np.array(right, np.bool_)
    wrong = np.sort(all_scores[~all_right])[::-1]
    allowed = max(len(known) // 10, 1)
    least = wrong[allowed] if len(wrong) > allowed else 0.0
    seen, all_sides = np.array(reached) > least, np.array(sides)
    return {
        "ap50": round(average_precision(all_scores, all_right, len(sides)), 4),
        "recall": round(float(seen.mean()) if len(seen) else 0.0, 4),
        "recall_small": round(
            float(seen[all_sides < 40].mean()) if (all_sides < 40).any() else 0.0, 4
        ),
        "eye_error": round(float(np.median(errors)) if errors else 1.0, 4),
    }


def _eye_errors(row: Numbers, heads: Heads, head: int) -> list[float]:
    """Return how far visible eyes are from where they should be, in distances between eyes."""
    known = heads.eyes[head]
    apart = float(np.linalg.norm(known[0] - known[1]))
    if not apart > 0:
        return []
    away = np.linalg.norm(row[5:9].reshape(2, 2) - known, axis=1) / apart
    return [float(one) for one, seen in zip(away, heads.seen[head], strict=True) if seen == 1]
