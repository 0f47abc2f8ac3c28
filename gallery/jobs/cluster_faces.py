"""Clusters for people to look at: a folder of faces for each, or one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.errors import UnwritableFile, plural
from gallery.jobs.cluster import Cluster
from gallery.media.images import decode_crop, encode_png
from gallery.media.timecodes import timecode
from gallery.reports.page import Picture, PictureRow, Pictures, Report, Section, jpeg_of
from gallery.store.sightings import Sighting
from gallery.system.files import new_folder, remove_unfinished


def write_folders(engine: Engine, clusters: Sequence[Cluster], out: Path) -> int:
    """Write a folder for each cluster with its faces, best first, and return how many faces.

    All of it is there at once, or nothing. Raises InputError where something is in the way or
    cannot be written.
    """
    remove_unfinished(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnwritableFile(out, "is there already and not empty", remedy="name another folder")
    count = 0
    try:
        with new_folder(out) as beside:
            for one in clusters:
                folder = beside / f"cluster-{one.number:04d}"
                folder.mkdir()
                count += _write_faces(engine, one, folder)
    except OSError as error:
        raise UnwritableFile(out, f"cannot be written: {error.strerror or error}") from error
    return count


def _write_faces(engine: Engine, cluster: Cluster, folder: Path) -> int:
    crops = engine.store.sightings.crops([face.id for face in cluster.faces])
    for place, face in enumerate(cluster.faces, 1):
        if face.id in crops:
            target = folder / f"{place:03d}-{face.digest[:8]}-{face.id}{_when(face)}.png"
            target.write_bytes(encode_png(decode_crop(crops[face.id])))
    return len(crops)


def _when(face: Sighting) -> str:
    """Return the time of a track's best moment as a part of a file's name; of a picture nothing."""
    return "" if face.track is None else f"_{timecode(face.track.best).replace(':', '-')}"


def report_of(engine: Engine, clusters: Sequence[Cluster]) -> Report:
    """Return a page of clusters with their faces and the commands that name each."""
    rows = []
    for one in clusters:
        crops = engine.store.sightings.crops([face.id for face in one.faces])
        pictures = tuple(
            Picture(
                _caption(face),
                jpeg_of(decode_crop(crops[face.id])),
                f"gallery adopt face:{face.id} NAME",
                face.path,
            )
            for face in one.faces
            if face.id in crops
        )
        near = f"; nearest is {one.nearest}, {one.distance:.3f} away" if one.nearest else ""
        text = f"Cluster {one.number}: {plural(len(one.faces), 'face')}{near}"
        rows.append(PictureRow(pictures, text, f"gallery adopt {one.number} NAME"))
    introduction = (
        "Faces that nobody in the gallery is known for, grouped by likeness, best first. Under "
        "each group stands what names all of it; --without face:17,18 leaves faces out, and --only "
        "takes some alone. A click opens the picture."
        if rows
        else "There are no two unknown faces that look like one character."
    )
    return Report(
        "Unknown faces",
        (Section(f"Clusters: {len(rows)}", introduction, (Pictures(tuple(rows)),)),),
    )


def _caption(face: Sighting) -> str:
    when = "" if face.track is None else f"\n{timecode(face.track.best)}"
    return f"face:{face.id}\n{face.path.name}{when}"
