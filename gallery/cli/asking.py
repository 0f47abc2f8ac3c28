"""`gallery identify`, `compare` and `describe`: questions that change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import (
    Cropped,
    Json,
    Largest,
    json_line,
    plural,
    progress,
    say,
    settings_of,
    table,
)
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.describe import Describer
    from gallery.types import DescribedFace, Image, Record


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(identify)
    app.command()(compare)
    app.command()(describe)


def identify(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    top: Annotated[int, typer.Option(min=1, help="How many characters to name for a face.")] = 3,
    match: Annotated[
        MatchMode, typer.Option(help="What of a character a face is compared with.")
    ] = MatchMode.IDEAL,
    cropped: Cropped = False,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", help="Write the picture with boxes and names; for several, a folder."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say who is in pictures: every face, its nearest characters, and how sure that is."""
    from gallery.assemble import open_gallery
    from gallery.errors import InputError
    from gallery.images import pictures_in, read_image
    from gallery.records import as_json
    from gallery.types import Record

    pictures = pictures_in(paths)
    failed = 0
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        gallery.require_encoded()
        for path in pictures:
            try:
                image = read_image(path)
                record = gallery.identify(image, mode=match, top=top)
                if annotate is not None:
                    _annotate(image, record, _target(annotate, path, pictures, paths))
            except InputError as error:
                failed += 1
                record = Record(path, None, None, gallery.encoder, error=str(error))
            if json:
                json_line(as_json(record))
            else:
                _print(record)
    if failed:
        raise typer.Exit(1)


def _target(out: Path, path: Path, pictures: list[Path], given: list[Path]) -> Path:
    """Return where a picture's annotated copy goes: the file named, or below the folder named."""
    if len(pictures) == 1 and not given[0].is_dir() and not out.is_dir():
        return out
    root = next((one for one in given if one.is_dir() and path.is_relative_to(one)), path.parent)
    inside = path.relative_to(root)
    return out / inside.with_name(f"{inside.name}.png")


def _annotate(image: Image, record: Record, target: Path) -> None:
    from gallery.annotate import annotate, save_picture
    from gallery.errors import InputError

    if target.exists() and target.samefile(image.path):
        raise InputError(f"{target} is the picture itself; name another file for --annotate.")
    save_picture(annotate(image.pixels, record.faces), target)
    say(f"{target}")


def _print(record: Record) -> None:
    if record.error is not None:
        say(f"gallery: {record.error}")
        return
    typer.echo(f"{record.path}: {plural(len(record.faces), 'face')}")
    if not record.faces:
        return
    table(
        ("", "character", "verdict", "distance", "nearest", "box"),
        [
            (
                " ",
                answer.character or "-",
                answer.verdict.value,
                "-" if answer.distance is None else f"{answer.distance:.3f}",
                ", ".join(f"{one.character} {one.distance:.3f}" for one in answer.matches) or "-",
                ",".join(map(str, answer.face.box.within(record.width or 0, record.height or 0))),
            )
            for answer in record.faces
        ],
        right=("distance",),
    )


def compare(
    ctx: typer.Context,
    first: Annotated[Path, typer.Argument(metavar="A")],
    second: Annotated[Path, typer.Argument(metavar="B")],
    threshold: Annotated[
        float, typer.Option(min=0.0, help="At most this far apart is the same character.")
    ] = 0.6,
    cropped: Cropped = False,
    largest: Largest = False,
    json: Json = False,
) -> None:
    """Say how far apart the faces of two pictures are, and whether they are one character."""
    import numpy as np

    from gallery.assemble import describer

    parts = describer(settings_of(ctx, cropped=cropped))
    one, other = (_only_face(parts, path, largest=largest) for path in (first, second))
    distance = float(np.linalg.norm(one.descriptor - other.descriptor))
    same = distance <= threshold
    if json:
        json_line({"distance": round(distance, 6), "threshold": threshold, "same": same})
        return
    sign, what = ("<=", "the same character") if same else (">", "not the same character")
    typer.echo(f"{distance:.3f} {sign} {threshold:g}: {what}")


def _only_face(parts: Describer, path: Path, *, largest: bool) -> DescribedFace:
    from gallery.enrolment import choose_face
    from gallery.images import read_image

    image = read_image(path)
    face = choose_face(path, parts.faces([image])[0], largest=largest)
    return parts.describe([(image, face)])[0]


def describe(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    out: Annotated[Path, typer.Option(metavar="FILE.npz", help="Where the arrays go.")],
    cropped: Cropped = False,
) -> None:
    """Write the descriptors of every face for an analysis of your own.

    Arrays in the file, a row a face: path, box (n, 4), score, descriptor (n, 128) float32; and
    encoder, one string.
    """
    from gallery.assemble import describer
    from gallery.errors import InputError
    from gallery.images import pictures_in, read_image
    from gallery.table_file import FaceTable

    parts = describer(settings_of(ctx, cropped=cropped))
    pictures = pictures_in(paths)
    faces, failed = FaceTable(parts.encoder.id), 0
    with progress("Describing", len(pictures)) as advance:
        for path in pictures:
            try:
                image = read_image(path)
                faces.add(image, parts.describe_all(image))
            except InputError as error:
                failed += 1
                say(f"gallery: {error}")
            advance()
    faces.save(out)
    say(f"{plural(len(faces), 'face')} of {plural(len(pictures) - failed, 'picture')}: {out}")
    if failed:
        raise typer.Exit(1)
