"""`gallery enroll`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import (
    Cropped,
    Json,
    Largest,
    MinFace,
    MinQuality,
    json_line,
    pictures_of,
    plural,
    progress,
    say,
    settings_of,
)

if TYPE_CHECKING:
    from gallery.gallery import Gallery
    from gallery.quality import Gates
    from gallery.readers.xmp_regions import NamedFaces
    from gallery.types import Candidate, Enrolled


class Source(StrEnum):
    """Where the names of pictures come from."""

    FOLDERS = "folders"
    XMP = "xmp"
    CAPTIONS = "captions"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(enroll)


def enroll(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER",
            help="Holds one folder of pictures per character. With --from: pictures, or folders "
            "of pictures.",
        ),
    ],
    source: Annotated[
        Source, typer.Option("--from", help="Where names come from: folders, xmp or captions.")
    ] = Source.FOLDERS,
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="For captions: names that tags may stand for, one a line; those of the gallery "
            "unless given. Case, underscores and a series in brackets make no difference.",
        ),
    ] = None,
    tag_prefix: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            help="For captions: tags that begin so are names, as in character:Rei; others are not.",
        ),
    ] = "",
    cropped: Cropped = False,
    largest: Largest = False,
    min_face: MinFace = 0.0,
    min_quality: MinQuality = 0.0,
    keep_poor: Annotated[
        bool,
        typer.Option("--keep-poor", help="Let poor faces count for a character's ideal and best."),
    ] = False,
    json: Json = False,
) -> None:
    """Take folders of pictures into the gallery, one folder per character, or labels you have.

    Run it again at any time: files that have not changed are passed over, moved ones followed,
    and nothing is removed. A folder whose name begins with Noise holds what is to be turned away.
    Faces that are too small or blurred to tell anybody by are enrolled, too, and marked as poor: a
    character's ideal and best leave them out while it has others.
    With --from xmp, every face that a sidecar or a picture's own metadata names is enrolled; with
    --from captions, pictures whose caption names one character.
    The exit code is 1 when a picture was refused; the others are enrolled.
    """
    from gallery.assemble import open_gallery
    from gallery.quality import Gates

    work = _work(paths, source, names, tag_prefix)
    settled: list[Enrolled] = []
    gates = Gates(min_face, min_quality)
    with open_gallery(settings_of(ctx, cropped=cropped), create=True) as gallery:
        work = work or _of_captions(paths, _names_of(gallery), "")
        if work.faces is None:
            enrolling = gallery.enroll(
                work.candidates, largest=largest, gates=gates, keep_poor=keep_poor
            )
        else:
            enrolling = _enroll_regions(gallery, work.faces, gates, keep_poor=keep_poor)
        try:
            with progress("Enrolling", work.steps) as advance:
                for enrolled in enrolling:
                    settled.append(enrolled)
                    advance()
        except KeyboardInterrupt:
            _report(settled, work, json=json)
            say("Stopped; what was enrolled stays. Run it again to go on.")
            raise typer.Exit(130) from None
        poor = [one.name for one in gallery.characters() if one.samples == one.poor > 0]
    refused = _report(settled, work, json=json)
    if not json and any(enrolled.is_poor for enrolled in settled):
        for name in poor:
            say(f"{name} has poor faces alone; its ideal is made of these.")
    if refused:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Work:
    """What was found to enroll."""

    candidates: list[Candidate]
    refused: list[tuple[Path, str]]
    faces: list[NamedFaces] | None = None
    """Regions instead of candidates."""
    unlabelled: int = 0
    """How many pictures have no label."""

    @property
    def steps(self) -> int:
        """How many answers there will be."""
        if self.faces is None:
            return len(self.candidates)
        return sum(len(one.regions) for one in self.faces)


def _work(
    paths: Sequence[Path], source: Source, names: Path | None, tag_prefix: str
) -> _Work | None:
    """Read labels; None where the gallery has to say first which names there are."""
    from gallery.errors import InputError
    from gallery.readers.captions import names_listed

    if source is not Source.CAPTIONS and (names is not None or tag_prefix):
        raise InputError("--names and --tag-prefix are for --from captions.")
    if source is Source.XMP:
        return _of_metadata(paths)
    if source is Source.CAPTIONS:
        listed = names_listed(names) if names is not None else []
        return _of_captions(paths, listed, tag_prefix) if listed or tag_prefix else None
    from gallery.enrolment import candidates_in

    if len(paths) > 1:
        raise InputError(
            "Give one folder, which holds a folder per character; only --from takes several."
        )
    candidates, loose = candidates_in(paths[0])
    return _Work(candidates, [(path, f"{path} lies in no character's folder.") for path in loose])


def _of_metadata(paths: Sequence[Path]) -> _Work:
    from gallery.errors import InputError
    from gallery.readers.xmp_regions import named_faces

    pictures, refused = pictures_of(paths)
    faces, unlabelled = [], 0
    for picture in pictures:
        try:
            found = named_faces(picture)
        except InputError as error:
            refused.append((picture, str(error)))
            continue
        if found.regions:
            faces.append(found)
        else:
            unlabelled += 1
    return _Work([], refused, faces, unlabelled)


def _of_captions(paths: Sequence[Path], names: Sequence[str], prefix: str) -> _Work:
    from gallery.readers.captions import TagRule, candidates_in

    pictures, refused = pictures_of(paths)
    found = candidates_in(pictures, TagRule(names, prefix))
    return _Work(found.candidates, refused + found.refused, unlabelled=found.without)


def _names_of(gallery: Gallery) -> list[str]:
    return [one.name for one in gallery.characters()] + list(gallery.store.former_names())


def _enroll_regions(
    gallery: Gallery, faces: Sequence[NamedFaces], gates: Gates, *, keep_poor: bool
) -> Iterator[Enrolled]:
    from gallery.region_enrolment import RegionEnrolment

    gallery.require_encoded()
    enrolment = RegionEnrolment(gallery.store, gallery.describer, gates=gates, keep_poor=keep_poor)
    return enrolment.run(faces)


def _report(settled: Iterable[Enrolled], work: _Work, *, json: bool) -> int:
    from gallery.types import Outcome

    settled = list(settled)
    counts = Counter(enrolled.outcome for enrolled in settled)
    refused = [
        (enrolled.candidate.path, enrolled.reason)
        for enrolled in settled
        if enrolled.outcome is Outcome.REFUSED
    ]
    refused += work.refused
    poor = sum(enrolled.is_poor for enrolled in settled)
    characters = len({enrolled.candidate.character for enrolled in settled})
    if json:
        json_line(
            {
                "characters": characters,
                **{outcome.value: counts[outcome] for outcome in Outcome},
                "poor": poor,
                "unlabelled": work.unlabelled,
                "refused": [{"path": str(path), "reason": why} for path, why in refused],
            }
        )
        return len(refused)
    for enrolled in settled:
        if enrolled.outcome is Outcome.RELABELLED:
            say(f"now {enrolled.candidate.character}: {enrolled.reason}")
    for _, why in refused:
        say(f"refused: {why}")
    counts[Outcome.REFUSED] = len(refused)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    what = plural(counts.total(), "picture" if work.faces is None else "face")
    say(f"{what} of {plural(characters, 'character')}: {', '.join(parts) or 'none looked at'}.")
    if work.unlabelled:
        say(f"{plural(work.unlabelled, 'picture')} without a name passed over.")
    if poor:
        say(
            f"{plural(poor, 'poor face')} marked and left out of ideals; `gallery show NAME` says "
            "which, enrolling again with --keep-poor lets them count."
        )
    return len(refused)
