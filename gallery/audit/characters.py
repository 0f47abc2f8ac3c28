"""Characters that look like two, two that look like one, and those with too little to go by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.audit.audit_set import AuditSet, Labels, Numbers
from gallery.audit.proposals import Kind, Proposal, command, logistic
from gallery.identify.calibration.doubles import Double, are_told_apart, centres, doubles

LEAST_TO_SPLIT = 6
"""Samples that a character must have to be looked at for a second one in it."""

LEAST_SHARE = 0.1
"""The smaller part is no smaller than this share, and no smaller than two samples."""

MOST_TO_SPLIT = 2000
"""Of larger characters so many samples are looked at, evenly drawn: all pairs are compared."""

APART, APART_STEEPNESS, APART_START = 0.8, 13.6, -14.0
"""Two parts of a character are proposed to be two from this many times the encoder's `unknown`
distance on, and how likely that is, see `centre_distance`. Measured on 60 characters held out of
the training of anime-pair, 6 to 40 samples each: of characters mixed of two, 98 % are found, and
8 % of the others are proposed; the logistic regression takes one in ten to be mixed."""

ENOUGH = 3
"""Samples that differ, below which a character is better given more."""


def centre_distance(one: Numbers, other: Numbers) -> float:
    """Return how far the true centres of two sets of samples are from each other.

    The means of few samples lie apart by chance, by the samples' variance over their number, which
    is taken off the squared distance. Shapes (n, DIMENSION), n at least 2.
    """
    apart = ((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum()
    return float(np.sqrt(max(apart - _noise(one) - _noise(other), 0.0)))


def _noise(samples: Numbers) -> float:
    """Return the expected squared distance of a mean from the true centre."""
    spread = ((samples - samples.mean(axis=0)) ** 2).sum() / (len(samples) - 1)
    return float(spread / len(samples))


def split(audit_set: AuditSet) -> Iterator[Proposal]:
    """Propose to make two of characters whose samples fall into two groups far apart."""
    taken = set(audit_set.names)
    for number, name in enumerate(audit_set.names):
        own = audit_set.members[number]
        own = own[audit_set.counts[own]]
        parts = two_parts(audit_set.descriptors, own)
        if parts is None:
            continue
        large, small = parts
        apart = centre_distance(audit_set.exact(large), audit_set.exact(small))
        ratio = apart / audit_set.unknown
        if ratio < APART:
            continue
        new = _new_name(name, taken)
        ids = audit_set.ids_of(np.sort(small))
        yield Proposal(
            Kind.SPLIT,
            logistic(APART_STEEPNESS * ratio + APART_START),
            (name,),
            ids,
            audit_set.ids_of(large[_most_typical(audit_set.exact(large))]),
            f"{len(small)} of {len(own)} samples of {name} are {apart:.3f} apart from the others.",
            command("split", name, new, *ids),
        )


def two_parts(descriptors: NDArray[np.floating], own: Labels) -> tuple[Labels, Labels] | None:
    """Return the larger and the smaller of two groups that rows fall into; None for too few.

    They are the two largest groups of Ward's tree, from the first cut that makes both large
    enough; what is in neither is left out.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(own) < LEAST_TO_SPLIT:
        return None
    own = own[np.linspace(0, len(own) - 1, min(len(own), MOST_TO_SPLIT)).astype(int)]
    least = max(2, round(LEAST_SHARE * len(own)))
    tree = linkage(descriptors[own].astype(np.float64), "ward")
    for groups in range(2, len(own) // 2 + 1):
        labels = fcluster(tree, groups, "maxclust")
        sizes = np.bincount(labels)
        first, second = np.argsort(-sizes, kind="stable")[:2]
        if sizes[second] >= least:
            return own[labels == first], own[labels == second]
    return None


def _most_typical(samples: Numbers, most: int = 6) -> Labels:
    apart = ((samples - samples.mean(axis=0)) ** 2).sum(axis=1)
    return np.argsort(apart, kind="stable")[:most]


def _new_name(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    taken.add(f"{name} {number}")
    return f"{name} {number}"


def merge(audit_set: AuditSet) -> Iterator[Proposal]:
    """Propose to make one of characters whose ideals are as near as those of one."""
    counted = audit_set.counts
    found = centres(audit_set.descriptors[counted], audit_set.labels[counted])
    for double in doubles(found, audit_set.unknown):
        # The larger one keeps its name.
        pair = double.one, double.other
        source, target = sorted(pair, key=lambda name: (audit_set.sizes[name], -name))
        own = audit_set.members[source]
        own = own[audit_set.counts[own]]
        right = sum(audit_set.state(row).character == audit_set.names[source] for row in own)
        if not are_told_apart(right, len(own)):
            yield _one_of_two(audit_set, source, target, double)


def _one_of_two(audit_set: AuditSet, source: int, target: int, double: Double) -> Proposal:
    typical = audit_set.typical(source)
    names = audit_set.names[source], audit_set.names[target]
    return Proposal(
        Kind.MERGE,
        double.likelihood,
        names,
        typical,
        audit_set.typical(target),
        f"{names[0]} with {audit_set.sizes[source]} samples, such as "
        f"{' '.join(map(str, typical))}, and {names[1]} with {audit_set.sizes[target]} are "
        f"{double.apart:.3f} apart.",
        command("merge", *names),
    )


def few(audit_set: AuditSet, stands: Labels) -> Iterator[Proposal]:
    """Advise to give more to characters with too few samples that differ.

    Given is which sample stands for those nearly the same as it, for each sample.
    """
    # One that stands for others is of their character.
    standing = np.unique(stands[audit_set.counts])
    differing = np.bincount(audit_set.labels[standing], minlength=len(audit_set.names))
    short = np.flatnonzero(differing < ENOUGH).tolist()
    folders = _folders_above(audit_set, short)
    for number in short:
        name, different = audit_set.names[number], int(differing[number])
        own = audit_set.members[number]
        own = own[audit_set.counts[own]]
        alike = f", {different} of which differ" if different < len(own) else ""
        folder = folders.get(name)
        more, fix = "enroll other faces of it, too", command("name", "PICTURE", name, "--use")
        if folder is not None:
            more = "put other pictures into its folder and enroll again"
            fix = command("enroll", folder)
        yield Proposal(
            Kind.FEW,
            None,
            (name,),
            audit_set.ids_of(own[:6]),
            (),
            f"{name} has {len(own)} sample{'s' if len(own) > 1 else ''}{alike}; {more}.",
            fix,
        )


def _folders_above(audit_set: AuditSet, characters: Sequence[int]) -> dict[str, str]:
    """Return the folders that characters' own folders lie in, as some sample was enrolled, by name.

    Those of whom none was, as of a character that was adopted, have none.
    """
    rows = np.flatnonzero(audit_set.counts & np.isin(audit_set.labels, characters))
    found: dict[str, str] = {}
    for sample in audit_set.look_up(audit_set.ids_of(rows)):
        for folder in sample.path.parents:
            if folder.name == sample.enrolled_as:
                found.setdefault(sample.character, str(folder.parent))
    return found
