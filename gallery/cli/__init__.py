"""The command line: read arguments, call the rooms below, print.

Answers go to standard output, one JSON object a line with --json; progress, summaries and
complaints go to standard error. This is the one place that turns errors into text.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated, Any, TextIO

import typer

from gallery import __version__
from gallery.cli import (
    appearances,
    archive,
    audit,
    calibrate,
    characters,
    cluster,
    copy,
    corrections,
    dataset,
    decide,
    doctor,
    enroll,
    evaluate,
    faces,
    harvest,
    hydrus,
    identify,
    label,
    machines,
    models,
    opinion,
    references,
    relabel,
    review,
    seen,
    series,
    serve,
    services,
    stash,
    web,
)
from gallery.cli.advice import told
from gallery.cli.show import Commands, named_path
from gallery.errors import GalleryError
from gallery.settings import DEFAULT_DETECTOR, resolved
from gallery.system import interrupts, memory

GLOBAL_OPTIONS = ("--database", "--encoder", "--runtime", "--device", "--detector", "--head-scale")
GLOBAL_FLAGS = ("--collage", "--exclusive")


class Group(Commands):
    """Takes the global options wherever they stand on the command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Bring the global options to the front, where the parser looks for them."""
        front, rest = hoist(args)
        return super().parse_args(ctx, front + rest)


def hoist(args: list[str]) -> tuple[list[str], list[str]]:
    """Split arguments into the global options with their values, and the rest, in order.

    Raises typer.BadParameter for an option without its value.
    """
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in GLOBAL_FLAGS:
            front.append(argument)
        elif argument in GLOBAL_OPTIONS:
            value = next(waiting, None)
            if value is None:
                raise typer.BadParameter("It wants a value.", param_hint=argument)
            front += [argument, value]
        elif argument.partition("=")[0] in GLOBAL_OPTIONS:
            front.append(argument)
        else:
            rest.append(argument)
    return front, rest


app = typer.Typer(
    name="gallery",
    cls=Group,
    help="Know who is in an anime picture: enroll folders of characters, identify new faces.",
    invoke_without_command=True,
    # Plain help fills its lines as well; in boxes and colours it takes twice as long to appear.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gallery {__version__}")
        raise typer.Exit


GREETING = """\
gallery names the characters in anime pictures. There is no gallery yet; three commands begin one:

  gallery enroll FOLDER               learn characters: FOLDER holds a folder of pictures of each
  gallery identify PICTURE            say who is in a picture
  gallery label FOLDER --out who.csv  say who is in all pictures and videos of a folder

`gallery doctor` says what works on this machine, `gallery --help` lists all commands, and
`gallery --install-completion` lets your shell complete them. The gallery will be
{where}"""


def _greet(ctx: typer.Context) -> None:
    """Say how to begin where there is no gallery, and how to go on where there is one."""
    from gallery.engine.assemble import is_there

    if is_there(ctx.obj):
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)
    typer.echo(GREETING.format(where=ctx.obj.database))


def _named(database: str | None) -> str | None:
    if database is not None:
        named_path(database)
    return database


@app.callback(epilog="These options may stand before or after the command.")
def choose(
    ctx: typer.Context,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="PATH-or-URL",
            envvar="GALLERY_DATABASE",
            callback=_named,
            help="The gallery; a file in your data folder unless named.",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", envvar="GALLERY_ENCODER", help="A network of `gallery models list`."
        ),
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="What runs the network: onnx (fast) or dlib (reference).")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="GALLERY_DEVICE",
            help="What the network runs on: cpu, cuda, directml, coreml, openvino, or auto for the "
            "first that works; cpu unless named.",
        ),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="GALLERY_DETECTOR",
            help="heads, animeface, whole (the picture is the face), a plug-in, or an ONNX file; "
            f"{DEFAULT_DETECTOR} unless named.",
        ),
    ] = None,
    head_scale: Annotated[
        float,
        typer.Option(
            min=0.5, max=4.0, help="For ONNX detectors: side of a head over side of their box."
        ),
    ] = 1.0,
    collage: Annotated[
        bool,
        typer.Option(
            "--collage",
            envvar="GALLERY_COLLAGE",
            help="Several faces of a picture may have one name, as in collages and split screens.",
        ),
    ] = False,
    exclusive: Annotated[
        bool,
        typer.Option(
            "--exclusive",
            envvar="GALLERY_EXCLUSIVE",
            help="Only this process uses the gallery's file: it may lie on a network file system.",
        ),
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    ctx.obj = resolved(
        database,
        encoder=encoder,
        runtime=runtime,
        device=device,
        detector=detector,
        head_scale=head_scale,
        collage=collage,
        exclusive=exclusive,
    )
    if ctx.invoked_subcommand is None:
        _greet(ctx)


enroll.register(app)
identify.register(app)
label.register(app)
harvest.register(app)
dataset.register(app)
characters.register(app)
series.register(app)
decide.register(app)
corrections.register(app)
references.register(app)
web.register(app)
serve.register(app)
review.register(app)
audit.register(app)
cluster.register(app)
relabel.register(app)
opinion.register(app)
seen.register(app)
appearances.register(app)
calibrate.register(app)
evaluate.register(app)
archive.register(app)
copy.register(app)
machines.register(app)
doctor.register(app)
app.add_typer(models.app)
app.add_typer(services.send)
app.add_typer(services.fetch)
hydrus.register(services.send, services.fetch)
faces.register(services.send)
stash.register(services.send)


def main() -> None:
    """Run the command line; a GalleryError becomes one line and exit code 1."""
    sys.stdout, sys.stderr = _ready(sys.stdout), _ready(sys.stderr)
    # NumPy and FAISS each start a pool of threads for matrix products that nothing here needs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        interrupts.raised_in(lambda: app(prog_name="gallery"))
    except GalleryError as error:
        # A part that fails for want of memory may take something else for the reason.
        _complain(memory.SENTENCE if memory.is_behind(error) else told(error))
        sys.exit(1)
    except OSError as error:
        # What commands read and write is explained there; what is left has no name: the output.
        what = error.filename or "Standard output"
        said = f"{what} cannot be read or written: {error.strerror or error}."
        _complain(memory.SENTENCE if memory.is_behind(error) else said)
        # Python would try once more at its end, and complain in its own way.
        sys.stdout = io.StringIO()
        sys.exit(1)
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        # A library may have made another error of either.
        if interrupts.is_behind(error):
            _complain("stopped.")
            sys.exit(interrupts.EXIT_CODE)
        if memory.is_behind(error):
            _complain(memory.SENTENCE)
            sys.exit(1)
        raise


def _complain(text: str) -> None:
    print(f"gallery: {text}", file=sys.stderr)  # noqa: T201 - this is the place


def _ready(stream: TextIO | None) -> TextIO:
    """Return a standard stream that takes any name and path, whatever the platform set up."""
    if stream is None:
        # It was closed before the program began.
        return io.StringIO()
    if isinstance(stream, io.TextIOWrapper):
        if not stream.isatty():
            stream.reconfigure(encoding="utf-8")
        # File names on Linux may be no text; they leave as the bytes they came as.
        is_utf8 = stream.encoding.lower().replace("-", "") == "utf8"
        stream.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")
    return stream
