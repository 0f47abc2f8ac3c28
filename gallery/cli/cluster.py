"""`gallery cluster` and `adopt`: the faces that labelling saw and nobody is known for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.meant import At, WhichFace, called, complete_faces, complete_name, given_by
from gallery.cli.progress import follow
from gallery.cli.seen import say_when_seen
from gallery.cli.show import Json, json_line, named_path, plural, say, settings_of, table
from gallery.system.memory import seldom_collected

if TYPE_CHECKING:
    from gallery.jobs.cluster import Cluster, Clusters
    from gallery.jobs.meant import Given
    from gallery.store.sightings import Sighting

Poor = Annotated[
    bool, typer.Option("--poor", help="Also faces that are too small or blurred to tell.")
]

MOST_DIGITS = 18
"""Of a number: what SQLite takes."""

MOST_NUMBERS = 12
"""Faces of a cluster that are listed in a terminal; the page and --json have all."""


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
        typer.Option(
            metavar="FOLDER", parser=named_path, help="Write a folder of faces for each cluster."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", parser=named_path, help="Write a page with the faces."),
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
        with seldom_collected():
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
            ("cluster", "faces", "nearest", "distance", "face:", "best face in"),
            [
                (
                    one.number,
                    len(one.faces),
                    one.nearest or "-",
                    "-" if one.distance is None else f"{one.distance:.3f}",
                    _numbers(one),
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


def _numbers(one: Cluster) -> str:
    """Return the numbers of a cluster's faces, best first."""
    shown = ",".join(str(face.id) for face in one.faces[:MOST_NUMBERS])
    return f"{shown},..." if len(one.faces) > MOST_NUMBERS else shown


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
            autocompletion=complete_faces,
            help="A cluster's number, face:NUMBER as `cluster` says, or a picture.",
        ),
    ],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=complete_name, help="Somebody new, or known already."
        ),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBERS", help="Take these faces alone: 17,18."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBERS", help="Leave these faces out: 17,18."),
    ] = None,
    new: Annotated[
        bool,
        typer.Option("--new", help="Nobody has the name yet, although one is spelt like it."),
    ] = False,
    face: WhichFace = None,
    at: At = None,
    poor: Poor = False,
    json: Json = False,
) -> None:
    """Make a character of a cluster of unknown faces, or of single ones, or give them to one.

    All faces that `cluster` showed are taken; what was enrolled or decided of since is left out and
    named. `gallery forget` and `gallery move` undo it.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.adopt import adopt_faces

    given, which = given_by([_cluster(one) for one in faces], face, at)
    chosen = {"only": _faces(only, "--only"), "without": _faces(without, "--without")}
    with open_gallery(settings_of(ctx)) as gallery:
        name = called(gallery, name, new=new, is_made=True)
        added = follow(adopt_faces(gallery, given, name, which, **chosen, poor=poor))
        known = gallery.store.character(name)
        if json:
            json_line({"character": known.name, "added": added, "samples": known.samples})
            return
        before = known.samples - added
        beside = f", beside {before} there already" if before else ""
        of = f" of cluster {faces[0]}" if len(faces) == 1 and faces[0].isdecimal() else ""
        say(f"{plural(added, 'face')}{of} enrolled as {known.name}{beside}.")
        if added:
            say_when_seen(gallery, "enrolled faces")


def _cluster(text: str) -> str:
    """Return how a face is named everywhere: here a number alone is a cluster's."""
    return f"cluster:{text}" if text.isdecimal() else text


def _faces(texts: list[str] | None, option: str) -> list[Given]:
    """Return the faces that an option lists: face:17, or 17 alone, several with commas."""
    from gallery.jobs.meant import SeenFace

    numbers = [one.strip() for text in texts or () for one in text.split(",") if one.strip()]
    found: list[Given] = []
    for one in numbers:
        number = one.removeprefix("face:")
        if not number.isdecimal() or len(number) > MOST_DIGITS:
            raise typer.BadParameter("It wants numbers of faces: 17,18.", param_hint=option)
        found.append(SeenFace(int(number)))
    return found
