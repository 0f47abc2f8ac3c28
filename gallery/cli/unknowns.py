"""`gallery cluster`, `adopt` and `relabel`: what labelling saw, looked at again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import Json, json_line, plural, progress, say, settings_of, table
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.company import Answering
    from gallery.gallery import Gallery
    from gallery.seen_videos import SeenVideo
    from gallery.sightings import SeenPicture, Sighting
    from gallery.unknowns import Cluster

Poor = Annotated[
    bool, typer.Option("--poor", help="Also faces that are too small or blurred to tell.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (cluster, adopt, relabel):
        app.command()(command)


def cluster(
    ctx: typer.Context,
    poor: Poor = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Group all anew; clusters get new numbers.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write a folder of faces for each cluster."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with the faces.")
    ] = None,
    json: Json = False,
) -> None:
    """Group the unknown faces of labelled pictures and videos by likeness.

    Of a video each face that is followed through a shot counts once. Clusters keep their numbers
    when more is labelled: new faces join the cluster that they belong to, and new clusters get new
    numbers. `gallery adopt NUMBER NAME` names one.
    """
    from gallery import unknowns
    from gallery.assemble import open_gallery
    from gallery.report import check_report_path, write_report

    if report is not None:
        check_report_path(report)
    with open_gallery(settings_of(ctx)) as gallery:
        _catch_up(gallery)
        seen = gallery.store.sightings.count()
        found = unknowns.cluster(gallery, poor=poor, afresh=afresh)
        if out is not None:
            unknowns.write_folders(gallery, found, out)
        if report is not None:
            write_report(unknowns.report_of(gallery, found), report)
    if json:
        for one in found:
            json_line(_as_json(one))
    else:
        _print(found, seen)
    for written in (out, report):
        if written is not None:
            say(f"{written}")


def _catch_up(gallery: Gallery) -> None:
    """Describe with the encoder in use what it has not described."""
    from gallery import review

    gallery.require_encoded()
    total, done = review.waiting(gallery), 0
    with progress("Encoding", total) as advance:
        for count in review.describe_anew(gallery) if total else ():
            for _ in range(count - done):
                advance()
            done = count


def _print(found: list[Cluster], seen: int) -> None:
    if not seen:
        say("Nothing was labelled yet; `gallery label` keeps what it sees.")
        return
    if found:
        table(
            ("cluster", "faces", "nearest", "distance", "best face in"),
            [
                (
                    one.number,
                    len(one.faces),
                    one.nearest or "-",
                    "-" if one.distance is None else f"{one.distance:.3f}",
                    _place(one.faces[0]),
                )
                for one in found
            ],
            right=("cluster", "faces", "distance"),
        )
    faces = sum(len(one.faces) for one in found)
    say(
        f"{plural(len(found), 'cluster')} with {plural(faces, 'unknown face')}, of "
        f"{plural(seen, 'face')} seen."
    )


def _place(face: Sighting) -> str:
    """Return where a face was seen: a file, and in a video the time."""
    from gallery.video.timecodes import timecode

    return f"{face.path}" if face.track is None else f"{face.path} {timecode(face.track.best)}"


def _times(face: Sighting) -> dict[str, object]:
    """Return where in a video a face was seen, in seconds; nothing for one in a picture."""
    track = face.track
    if track is None:
        return {}
    times = {"start": track.start, "end": track.end, "best": track.best}
    seconds = {name: round(time, 6) for name, time in times.items()}
    return {"video": {"shot": track.shot, "track": track.track, **seconds}}


def _as_json(one: Cluster) -> dict[str, object]:
    return {
        "cluster": one.number,
        "nearest": one.nearest,
        "distance": None if one.distance is None else round(one.distance, 6),
        "faces": [
            {
                "face": face.id,
                "path": str(face.path),
                **_times(face),
                "box": [round(edge, 2) for edge in face.face.box],
                "quality": None if face.quality is None else round(face.quality.score, 6),
            }
            for face in one.faces
        ],
    }


def adopt(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(metavar="CLUSTER", help="As `cluster` counts.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Somebody new, or known already.")],
    poor: Poor = False,
) -> None:
    """Make a character of a cluster of unknown faces, or give them to one that is there.

    `gallery forget` and `gallery move` undo it.
    """
    from gallery import unknowns
    from gallery.assemble import open_gallery

    with open_gallery(settings_of(ctx)) as gallery:
        _catch_up(gallery)
        added = unknowns.adopt(gallery, number, name, poor=poor)
        known = gallery.store.character(name)
    before = known.samples - added
    rest = f", beside {before} there already" if before else ""
    say(f"{plural(added, 'face')} of cluster {number} enrolled as {known.name}{rest}.")


def relabel(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(metavar="FILE.jsonl|FILE.csv", help="Where the records go.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Only these files, or those of these folders."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many characters to name for a face.")] = 3,
    match: Annotated[
        MatchMode, typer.Option(help="What of a character a face is compared with.")
    ] = MatchMode.IDEAL,
    by_itself: Annotated[
        bool, typer.Option("--alone", help="Answer every face by itself, as `label` does.")
    ] = False,
) -> None:
    """Answer all pictures and videos that were labelled before with the gallery as it is now.

    None is read: what `label` saw of them is kept in the gallery. Once the gallery is calibrated,
    all faces that were ever seen are judged in each other's company, which finds more of them than
    one by one. Those whose files have changed since are left out and named; `gallery label` looks
    at them again.
    """
    from gallery import unknowns
    from gallery.assemble import open_gallery
    from gallery.labelling import job
    from gallery.types import VideoEnd
    from gallery.video.labelling import progress_of, stands_in
    from gallery.video.relabelling import relabel_videos

    with open_gallery(settings_of(ctx)) as gallery:
        _catch_up(gallery)
        sightings, asked = gallery.store.sightings, paths or []
        pictures = unknowns.pictures_below(sightings.pictures(), asked)
        videos = unknowns.pictures_below(sightings.videos.all(), asked)
        known: list[SeenPicture | SeenVideo] = [*pictures, *videos]
        changed = {one.path for one in known if unknowns.has_changed(one)}
        for path in sorted(changed):
            say(f"gallery: {path} has changed since it was labelled.")
        writer = job.open_writer(out, gallery.encoder)
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
    counts = [plural(len(films), "video")] if films else []
    if stills or not films:
        counts.insert(0, plural(len(stills), "picture"))
    say(
        f"{' and '.join(counts)} with {plural(verdicts.total(), 'face')} answered anew: "
        f"{verdicts['sure']} sure, {verdicts['unsure']} unsure, {verdicts['unknown']} unknown. "
        f"{out}"
    )
    if changed:
        raise typer.Exit(1)


def _answering(gallery: Gallery, mode: MatchMode, top: int, *, alone: bool) -> Answering:
    """Return how seen faces are answered: together, where the gallery can and is not told off."""
    from gallery import company

    if alone:
        return company.alone(gallery, mode, top)
    with progress("Drawing together", company.steps(gallery)) as advance:
        return company.together(gallery, mode, top, advance)
