"""An audit as a page, with the faces side by side."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.audit.proposals import Kind, Proposal
from gallery.engine.engine import Engine
from gallery.reports.page import Picture, PictureRow, Pictures, Report, Section
from gallery.types import Crop, Sample

MOST_SAMPLES = 60
"""Of those that a proposal's command is about; nearly always all of them."""

MOST_FACES = 8
"""Of those beside them."""

MOST_ROWS = 200
"""Of each kind of proposals: a page of thousands of faces is looked at by nobody."""

TITLES = {
    Kind.CONTRADICTED: (
        "Samples that a person decided otherwise of",
        "What was decided stands against whom they are enrolled as.",
    ),
    Kind.MISPLACED: (
        "Samples that likely lie in the wrong folder",
        "The first face is nearer to the ideal of another character than to its own, which is "
        "taken without it.",
    ),
    Kind.TWINS: (
        "Nearly the same face under two names",
        "The first face fits its own character worse than the second.",
    ),
    Kind.SPLIT: (
        "Characters that look like two",
        "The first faces are as far from the others of their character as another character is.",
    ),
    Kind.MERGE: (
        "Characters that look like one",
        "The ideals of two characters are as near as those of one character.",
    ),
    Kind.DUPLICATES: (
        "Samples that are nearly the same",
        "They count several times in their character's ideal. The last face can be seen best.",
    ),
    Kind.FEW: (
        "Characters with too little to go by",
        "From three samples on that differ, a character is known well.",
    ),
}


def report_of(engine: Engine, proposals: Sequence[Proposal]) -> Report:
    """Return a page of proposals by kind, each with its faces and its command."""
    by_kind = {kind: [one for one in proposals if one.kind is kind] for kind in TITLES}
    wanted = {
        one for own in by_kind.values() for proposal in own[:MOST_ROWS] for one in _shown(proposal)
    }
    crops = engine.crops(sorted(wanted))
    samples = {one.id: one for one in engine.store.samples(engine.encoder) if one.id in wanted}
    sections = [Section("What this is", _introduction(proposals))]
    for kind, (title, text) in TITLES.items():
        own = by_kind[kind]
        if own:
            more = f" The likeliest {MOST_ROWS} are shown; `--json` has all."
            rows = tuple(_row(one, crops, samples) for one in own[:MOST_ROWS])
            said = text + more * (len(own) > MOST_ROWS)
            sections.append(Section(f"{title}: {len(own):,}", said, (Pictures(rows),)))
    return Report("What may be wrong in the gallery", tuple(sections))


def _introduction(proposals: Sequence[Proposal]) -> str:
    if not proposals:
        return "Nothing was found that looks wrong."
    return (
        "These are proposals; nothing was changed. Each has the command that would do it, and a "
        "click on a face opens its picture. "
        "Look at the faces first: characters with many looks and characters drawn alike are "
        "proposed, too. Every kind begins with its likeliest. What is right as it is: "
        "`gallery audit --right SAMPLE...` remembers it."
    )


def _shown(proposal: Proposal) -> tuple[int, ...]:
    return (*proposal.samples[:MOST_SAMPLES], *proposal.beside[:MOST_FACES])


def _row(proposal: Proposal, crops: dict[int, Crop], samples: dict[int, Sample]) -> PictureRow:
    likely = "" if proposal.likelihood is None else f" ({proposal.likelihood:.0%} likely)"
    pictures = tuple(
        # Somebody may have removed one meanwhile.
        Picture(_caption(samples[one]), crops[one], file=samples[one].path)
        for one in _shown(proposal)
        if one in crops and one in samples
    )
    return PictureRow(pictures, f"{proposal.reason}{likely}", proposal.command)


def _caption(sample: Sample) -> str:
    return f"{sample.character}\nsample {sample.id}\n{sample.path.name}"
