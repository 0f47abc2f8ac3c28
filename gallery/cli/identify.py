"""`gallery identify`, `compare` and `describe`: questions that change nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.advice import told
from gallery.cli.calibrate import say_when_outgrown
from gallery.cli.meant import KeptTo
from gallery.cli.progress import Reporter, follow
from gallery.cli.show import (
    Cropped,
    Json,
    Largest,
    MinFace,
    MinQuality,
    Pictures,
    json_line,
    named_path,
    plural,
    say,
    settings_of,
    table,
)
from gallery.events import Described, Event, Identified, Refused
from gallery.media.inputs import pictures_of
from gallery.settings import SAME
from gallery.system.file_names import annotated_name, is_annotated_name
from gallery.system.files import absolute, is_folder
from gallery.types import MatchMode, Record

if TYPE_CHECKING:
    from gallery.types import DescribedFace, Image


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(identify)
    app.command()(compare)
    app.command()(describe)


def identify(
    ctx: typer.Context,
    paths: Pictures,
    top: Annotated[int, typer.Option(min=1, help="How many characters to name for a face.")] = 3,
    match: Annotated[
        MatchMode, typer.Option(help="What of a character a face is compared with.")
    ] = MatchMode.IDEAL,
    series: KeptTo = None,
    cropped: Cropped = False,
    min_face: MinFace = 0.0,
    min_quality: MinQuality = 0.0,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            parser=named_path,
            help="Write the picture with boxes and names: a file, or for several a folder.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say who is in pictures: every face, its nearest characters, and how sure that is.

    With --json, an object a line for each picture. The exit code is 1 when one could not be read
    or written; the others are done.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.faces.quality import Gates
    from gallery.jobs.identify import identify as job

    media = pictures_of(paths)
    folder = _Annotated(annotate, media.pictures, paths) if annotate is not None else None
    with open_gallery(settings_of(ctx, cropped=cropped, series=series)) as gallery:
        gallery.require_encoded()
        say_when_outgrown(gallery)
        reporter = _Answers(gallery.encoder, folder, json=json)
        events = job(
            gallery,
            media,
            mode=match,
            top=top,
            gates=Gates(min_face, min_quality),
            with_images=folder is not None,
        )
        # Where answers scroll by, they are progress enough.
        follow(events, reporter, bars=not sys.stdout.isatty())
    if reporter.failed:
        raise typer.Exit(1)


class _Answers(Reporter):
    """Prints an answer a picture, and draws it where that is wanted."""

    def __init__(self, encoder: str, folder: _Annotated | None, *, json: bool) -> None:
        self._encoder, self._folder, self._json = encoder, folder, json
        self.failed = 0
        """How many pictures could not be read, or their copies not be written."""

    def tell(self, event: Event[object]) -> None:
        """Print what is said of a picture, or why nothing is."""
        if isinstance(event, Refused):
            self.failed += 1
            error = event.reason
            _answer(Record(event.path, None, None, self._encoder, error=error), json=self._json)
        elif isinstance(event, Identified):
            record, image = event.record, event.image
            _answer(record, json=self._json)
            saved = self._folder is None or image is None or self._folder.save(image, record)
            self.failed += record.error is not None or not saved
        else:
            super().tell(event)


def _answer(record: Record, *, json: bool) -> None:
    from gallery.output.records import as_json

    if json:
        json_line(as_json(record))
    else:
        _print(record)


class _Annotated:
    """Where the annotated copies of pictures go: one into the file named, several below it."""

    def __init__(self, out: Path, pictures: Sequence[Path], given: Sequence[Path]) -> None:
        from gallery.reports.annotate import OUTPUT_SUFFIXES, check_suffix

        is_one = len(pictures) == 1 and not is_folder(given[0])
        self._is_file = is_one and not is_folder(out) and bool(out.suffix)
        self._out = out
        self._roots = [one for one in given if is_folder(one)]
        self._taken: set[Path] = set()
        if self._is_file:
            check_suffix(out)
            _check_beside(out, pictures[0])
        elif out.suffix.lower() in OUTPUT_SUFFIXES and not is_folder(out):
            raise typer.BadParameter(
                f"{out} would be one picture; name a folder for several.", param_hint="--annotate"
            )

    def save(self, image: Image, record: Record) -> bool:
        """Write a picture's copy; where that fails, say why and return False."""
        from gallery.errors import InputError
        from gallery.reports.annotate import annotate, save_picture

        target = self._target(image.path)
        try:
            if target.exists() and target.samefile(image.path):
                raise InputError(
                    f"{target} is the picture itself; name another file for --annotate."
                )
            save_picture(annotate(image.pixels, record.faces), target)
        except InputError as error:
            say(f"gallery: {told(error)}")
            return False
        say(f"{target}")
        return True

    def _target(self, path: Path) -> Path:
        from gallery.reports.annotate import OUTPUT_SUFFIXES

        if self._is_file:
            return self._out
        root = next((one for one in self._roots if path.is_relative_to(one)), path.parent)
        inside = path.relative_to(root)
        number = 1
        target = self._out / inside.with_name(annotated_name(inside.name, OUTPUT_SUFFIXES))
        while target in self._taken:
            # Two folders may hold pictures of the same name.
            number += 1
            name = annotated_name(inside.name, OUTPUT_SUFFIXES, number)
            target = self._out / inside.with_name(name)
        self._taken.add(target)
        return target


def _check_beside(out: Path, picture: Path) -> None:
    """Refuse a name beside the picture under which the copy would be taken for a picture."""
    from gallery.reports.annotate import OUTPUT_SUFFIXES

    if absolute(out).parent != absolute(picture).parent or is_annotated_name(out.name):
        return
    # What is the picture itself is told later, behind the answer.
    if not (out.exists() and out.samefile(picture)):
        name = annotated_name(picture.name, OUTPUT_SUFFIXES)
        raise typer.BadParameter(
            f"{out} would lie beside the picture and be taken for one; name it {name}, or give "
            "another folder.",
            param_hint="--annotate",
        )


def _print(record: Record) -> None:
    if record.error is not None:
        say(f"gallery: {record.error}")
        return
    left_out = f", {record.left_out} left out" if record.left_out else ""
    typer.echo(f"{record.path}: {plural(len(record.faces), 'face')}{left_out}")
    if not record.faces:
        return
    table(
        ("", "character", "verdict", "distance", "nearest", "box"),
        [
            (
                " ",
                answer.character or "-",
                answer.verdict.value if answer.decided is None else answer.decided.words,
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
    first: Annotated[Path, typer.Argument(metavar="A", parser=named_path)],
    second: Annotated[Path, typer.Argument(metavar="B", parser=named_path)],
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            show_default=f"{SAME:g}",
            help="At most this far apart is the same character.",
        ),
    ] = None,
    cropped: Cropped = False,
    largest: Largest = False,
    json: Json = False,
) -> None:
    """Say how far apart the faces of two pictures are, and whether they are one character."""
    from gallery.engine.assemble import chosen_encoder, describer
    from gallery.jobs.compare import compare as job
    from gallery.media.images import read_image

    settings = settings_of(ctx, cropped=cropped)
    encoder = chosen_encoder(settings)
    found = job(
        describer(settings, encoder),
        read_image(first),
        read_image(second),
        threshold=SAME if threshold is None else threshold,
        largest=largest,
    )
    own = encoder.thresholds.sure
    if threshold is None and own != SAME:
        say(f"The encoder {encoder.name} is itself sure up to {own:g}; see --threshold.")
    if json:
        json_line(
            {
                "distance": round(found.distance, 6),
                "threshold": found.threshold,
                "same": found.is_same,
            }
        )
        return
    sign, what = ("<=", "the same character") if found.is_same else (">", "not the same character")
    typer.echo(f"{found.distance:.3f} {sign} {found.threshold:g}: {what}")


def describe(
    ctx: typer.Context,
    paths: Pictures,
    out: Annotated[
        Path, typer.Option(metavar="FILE.npz", parser=named_path, help="Where the arrays go.")
    ],
    cropped: Cropped = False,
    json: Json = False,
) -> None:
    """Write the descriptors of every face for an analysis of your own.

    Arrays in the file, a row a face: path, box (n, 4), score, quality (n, 6: score, size,
    sharpness, roll, frontal, cut; NaN where unknown), descriptor (n, 128) float32; and encoder, one
    string. With --json, also an object a line for each face, without its descriptor. The exit code
    is 1 when a picture could not be read; the others are there.
    """
    from gallery.engine.assemble import describer
    from gallery.jobs.describe import describe as job
    from gallery.output.arrays import check_target

    check_target(out)
    media = pictures_of(paths)
    reporter = _Faces(json=json)
    table = follow(job(describer(settings_of(ctx, cropped=cropped)), media), reporter)
    table.save(out)
    say(f"{plural(len(table), 'face')} of {plural(reporter.done, 'picture')}: {out}")
    if reporter.refused:
        raise typer.Exit(1)


class _Faces(Reporter):
    """Prints faces for programs where that is wanted, and counts pictures."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self.done = 0

    def tell(self, event: Event[object]) -> None:
        """Print the faces of a picture, or say why there are none."""
        super().tell(event)
        if isinstance(event, Described):
            self.done += 1
            for one in event.faces if self._json else ():
                json_line(_face_json(event, one))


def _face_json(picture: Described, one: DescribedFace) -> dict[str, object]:
    from gallery.output.records import quality_json

    return {
        "path": str(picture.path),
        "box": list(one.face.box.within(picture.width, picture.height)),
        "score": round(one.face.score, 6),
        "quality": quality_json(one.quality),
    }
