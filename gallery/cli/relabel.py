"""`gallery relabel`: what labelling saw, answered anew."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import plural, progress, say, settings_of
from gallery.cli.writing import (
    Matching,
    Out,
    Place,
    Prefix,
    Series,
    Tags,
    Top,
    Unsure,
    Write,
    complaints,
)
from gallery.labelling.output import OutputOptions, Placing, TagStyle
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.company import Answering
    from gallery.gallery import Gallery
    from gallery.seen_videos import SeenVideo
    from gallery.sightings import SeenPicture


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(relabel)


def relabel(
    ctx: typer.Context,
    out: Out,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Only these files, or those of these folders."),
    ] = None,
    by_itself: Annotated[
        bool, typer.Option("--alone", help="Answer every face by itself, as `label` does.")
    ] = False,
    write: Write = None,
    unsure: Unsure = False,
    prefix: Prefix = "",
    tags: Tags = TagStyle.PLAIN,
    series: Series = "",
    place: Place = Placing.COPY,
    top: Top = 3,
    match: Matching = MatchMode.IDEAL,
) -> None:
    """Answer all pictures and videos that were labelled before with the gallery as it is now.

    None is looked at again: what `label` saw of them is kept in the gallery. Once the gallery is
    calibrated, all faces that were ever seen are judged in each other's company, which finds more
    of them than one by one. Those whose files have changed since are left out and named; `gallery
    label` looks at them again. The exit code is 1 where there are such, or when an output of a
    picture could not be written.
    """
    from gallery import unknowns
    from gallery.assemble import open_gallery
    from gallery.labelling import formats, job
    from gallery.labelling.outputs import open_outputs
    from gallery.types import VideoEnd
    from gallery.video.labelling import progress_of, stands_in
    from gallery.video.relabelling import relabel_videos

    wanted = [formats.wanted(text) for text in write or ()]
    options = OutputOptions(prefix, tags, series, unsure, place)
    with open_gallery(settings_of(ctx)) as gallery:
        catch_up(gallery)
        sightings, asked = gallery.store.sightings, paths or []
        pictures = unknowns.pictures_below(sightings.pictures(), asked)
        videos = unknowns.pictures_below(sightings.videos.all(), asked)
        if videos:
            formats.require_for_videos(wanted, place)
        known: list[SeenPicture | SeenVideo] = [*pictures, *videos]
        changed = {one.path for one in known if unknowns.has_changed(one)}
        for path in sorted(changed):
            say(f"gallery: {path} has changed since it was labelled.")
        writer = open_outputs(
            out,
            wanted,
            paths=asked or [one.path for one in known] or [out],
            encoder=gallery.encoder,
            options=options,
        )
        try:
            rest = set(job.remaining([one.path for one in known], writer)) - changed
            stills = [one for one in pictures if one.path in rest]
            films = [one for one in videos if one.path in rest]
            answering = _answering(gallery, match, top, alone=by_itself)
            verdicts: Counter[str] = Counter()
            with progress("Answering", len(stills) + len(films)) as advance:
                for record in unknowns.relabel(gallery, stills, answering):
                    writer.write(record)
                    verdicts.update(one.verdict.value for one in record.faces)
                    advance()
                before = progress_of(writer.records()) if films else {}
                for part in relabel_videos(gallery, films, answering):
                    if not stands_in(part, before):
                        writer.write(part)
                        verdicts.update(one.verdict.value for one in part.faces)
                    if isinstance(part.part, VideoEnd):
                        advance()
        finally:
            writer.close()
    for line in complaints(writer.not_written):
        say(line)
    counts = [plural(len(films), "video")] if films else []
    if stills or not films:
        counts.insert(0, plural(len(stills), "picture"))
    say(
        f"{' and '.join(counts)} with {plural(verdicts.total(), 'face')} answered anew: "
        f"{verdicts['sure']} sure, {verdicts['unsure']} unsure, {verdicts['unknown']} unknown. "
        f"{out}"
    )
    if changed or writer.not_written:
        raise typer.Exit(1)


def catch_up(gallery: Gallery) -> None:
    """Describe with the encoder in use what it has not described."""
    from gallery import review

    gallery.require_encoded()
    total, done = review.waiting(gallery), 0
    with progress("Encoding", total) as advance:
        for count in review.describe_anew(gallery) if total else ():
            for _ in range(count - done):
                advance()
            done = count


def _answering(gallery: Gallery, mode: MatchMode, top: int, *, alone: bool) -> Answering:
    """Return how seen faces are answered: together, where the gallery can and is not told off."""
    from gallery import company

    if alone:
        return company.alone(gallery, mode, top)
    with progress("Drawing together", company.steps(gallery)) as advance:
        return company.together(gallery, mode, top, advance)
