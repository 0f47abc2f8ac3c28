"""`gallery cluster` and `adopt`: the faces that labelling saw and nobody is known for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.decide import At, WhichFace, given_by
from gallery.cli.progress import follow
from gallery.cli.show import Json, json_line, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.jobs.cluster import Cluster, Clusters
    from gallery.store.sightings import Sighting

Poor = Annotated[
    bool, typer.Option("--poor", help="Also faces that are too small or blurred to tell.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (cluster, adopt):
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
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.cluster import cluster as job
    from gallery.jobs.cluster_faces import report_of, write_folders
    from gallery.reports.page import check_report_path, write_report

    if report is not None:
        check_report_path(report)
    with open_gallery(settings_of(ctx)) as gallery:
        found = follow(job(gallery, poor=poor, afresh=afresh))
        seen = gallery.store.sightings.count()
        if out is not None:
            write_folders(gallery, found, out)
        if report is not None:
            write_report(report_of(gallery, found), report)
    if json:
        for one in found:
            json_line(_as_json(one))
    else:
        _print(found, seen)
    for written in (out, report):
        if written is not None:
            say(f"{written}")


def _print(found: Clusters, seen: int) -> None:
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
        f"{plural(faces + found.alone, 'unknown face')} of {plural(seen, 'face')} seen: "
        f"{faces} in {plural(len(found), 'cluster')}, {found.alone} alone."
    )


def _place(face: Sighting) -> str:
    """Return where a face was seen: a file, and in a video the time."""
    from gallery.media.timecodes import timecode

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
    faces: Annotated[
        list[str],
        typer.Argument(
            metavar="CLUSTER|FACE...",
            help="A cluster's number, face:NUMBER as `cluster --json` says, or a picture.",
        ),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Somebody new, or known already.")],
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="face:NUMBER", help="Leave this face out; may be repeated."),
    ] = None,
    face: WhichFace = None,
    at: At = None,
    poor: Poor = False,
    json: Json = False,
) -> None:
    """Make a character of a cluster of unknown faces, or of single ones, or give them to one.

    `gallery forget` and `gallery move` undo it.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.adopt import adopt_faces
    from gallery.jobs.meant import read_given

    given, which = given_by([_cluster(one) for one in faces], face, at)
    rest = [read_given(one) for one in without or ()]
    with open_gallery(settings_of(ctx)) as gallery:
        added = follow(adopt_faces(gallery, given, name, which, without=rest, poor=poor))
        known = gallery.store.character(name)
    if json:
        json_line({"character": known.name, "added": added, "samples": known.samples})
        return
    before = known.samples - added
    beside = f", beside {before} there already" if before else ""
    of = f" of cluster {faces[0]}" if len(faces) == 1 and faces[0].isdecimal() else ""
    say(f"{plural(added, 'face')}{of} enrolled as {known.name}{beside}.")


def _cluster(text: str) -> str:
    """Return how a face is named everywhere: here a number alone is a cluster's."""
    return f"cluster:{text}" if text.isdecimal() else text
