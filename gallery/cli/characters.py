"""Looking after the gallery: `characters`, `show`, `rename`, `merge`, `split`, `move`, `forget`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.machines import ClusterAt, Keys, hands_of
from gallery.cli.meant import Name, New, called, complete_name
from gallery.cli.progress import follow
from gallery.cli.show import Json, json_line, named_path, plural, say, settings_of, table

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.types import Character, Sample


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (characters, show, rename, merge, split, move, forget, reencode):
        app.command()(command)


def _open(ctx: typer.Context) -> Engine:
    from gallery.engine.assemble import open_gallery

    return open_gallery(settings_of(ctx))


def characters(ctx: typer.Context, json: Json = False) -> None:
    """List everybody in the gallery."""
    with _open(ctx) as gallery:
        known = gallery.characters()
    if json:
        for one in known:
            json_line(
                {
                    "character": one.name,
                    "samples": one.samples,
                    "poor": one.poor,
                    "reject": one.is_reject,
                    "series": one.series or None,
                }
            )
        return
    if not known:
        say("Nobody is in the gallery yet; `gallery enroll FOLDER` fills it.")
        return
    # Without any series the table is as narrow as can be.
    is_told = any(one.series for one in known)
    table(
        ("character", "samples", *(("series",) if is_told else ()), ""),
        [(one.name, one.samples, *((one.series,) if is_told else ()), _note(one)) for one in known],
        right=("samples",),
    )


def _note(character: Character) -> str:
    notes = (
        "reject" if character.is_reject else "",
        "poor faces alone" if character.samples == character.poor > 0 else "",
    )
    return ", ".join(note for note in notes if note)


def show(
    ctx: typer.Context,
    name: Name,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png", parser=named_path, help="Write all its faces as one picture."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show a character's samples, nearest to its ideal first.

    Quality is how well a face can be seen, 0 to 1. One marked as poor is left out of ideal and best
    while there are others.
    """
    with _open(ctx) as gallery:
        samples = sorted(
            gallery.samples(name),
            key=lambda one: (one.distance is None, one.distance or 0.0, one.id),
        )
        if sheet is not None:
            _write_sheet(gallery, samples, sheet)
    if json:
        for one in samples:
            json_line(_sample_json(one))
        return
    table(
        ("sample", "distance", "quality", "", "path"),
        [(one.id, _distance(one), _quality(one), _mark(one), one.path) for one in samples],
        right=("sample", "distance", "quality"),
    )
    if samples and all(one.is_poor for one in samples):
        say(f"{samples[0].character} has poor faces alone; its ideal is made of these.")


def _write_sheet(gallery: Engine, samples: list[Sample], target: Path) -> None:
    from gallery.reports.annotate import contact_sheet, save_picture

    crops = gallery.crops([one.id for one in samples])
    captions = [f"{one.id}: {_distance(one)} {_mark(one)}".rstrip() for one in samples]
    save_picture(contact_sheet([crops[one.id] for one in samples], captions), target)
    say(f"{target}")


def _distance(sample: Sample) -> str:
    return "-" if sample.distance is None else f"{sample.distance:.3f}"


def _quality(sample: Sample) -> str:
    return "-" if sample.quality is None else f"{sample.quality.score:.2f}"


def _mark(sample: Sample) -> str:
    marks = ("best" if sample.is_best else "", "poor" if sample.is_poor else "")
    return " ".join(mark for mark in marks if mark)


def _sample_json(sample: Sample) -> dict[str, object]:
    from gallery.output.records import quality_json

    return {
        "sample": sample.id,
        "character": sample.character,
        "path": str(sample.path),
        "digest": sample.digest,
        "box": [round(edge, 2) for edge in sample.face.box],
        "score": round(sample.face.score, 6),
        "distance": None if sample.distance is None else round(sample.distance, 6),
        "best": sample.is_best,
        "quality": quality_json(sample.quality),
        "poor": sample.is_poor,
    }


def rename(
    ctx: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", autocompletion=complete_name)],
    new: Annotated[str, typer.Argument(metavar="NEW")],
) -> None:
    """Give a character another name; folders with the old one go on meaning it."""
    with _open(ctx) as gallery:
        former = gallery.store.character(old).name
        gallery.rename(former, new)
        name = gallery.store.character(new).name
    say(f"{former} is called {name} now.")


def merge(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", autocompletion=complete_name)],
    target: Annotated[str, typer.Argument(metavar="INTO", autocompletion=complete_name)],
) -> None:
    """Make two characters one; folders of either name go on meaning it."""
    from gallery.jobs.decide import person

    with _open(ctx) as gallery:
        former, name = (gallery.store.character(one).name for one in (source, target))
        done = gallery.merge(former, name, person(None))
    say(f"{former} with {plural(done.samples, 'sample')} is part of {name} now.")
    if done.dropped:
        say(
            f"{plural(done.dropped, 'rejection')} dropped, since the faces are confirmed or "
            f"enrolled as {name}."
        )
    if done.rejections:
        say(f"{plural(done.rejections, 'face')} rejected as {name}, as before.")


def move(
    ctx: typer.Context,
    samples: Annotated[list[int], typer.Argument(metavar="SAMPLE", help="As `show` counts.")],
    to: Annotated[
        str,
        typer.Option(metavar="NAME", autocompletion=complete_name, help="Whose they are."),
    ],
    new: New = False,
) -> None:
    """Give samples to another character; enrolling their folder again leaves them there."""
    samples = list(dict.fromkeys(samples))
    with _open(ctx) as gallery:
        to = called(gallery, to, new=new)
        gallery.move(samples, to, new=new)
    say(f"{plural(len(samples), 'sample')} moved to {to}.")


def split(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="CHARACTER", autocompletion=complete_name)],
    new: Annotated[str, typer.Argument(metavar="NEW_NAME", help="A name that nobody has yet.")],
    samples: Annotated[list[int], typer.Argument(metavar="SAMPLE", help="As `show` counts.")],
) -> None:
    """Make a new character of some of a character's samples; the others stay what they are."""
    with _open(ctx) as gallery:
        former = gallery.store.character(name).name
        count = gallery.split(former, new, samples)
        name = gallery.store.character(new).name
    say(f"{plural(count, 'sample')} of {former} {'is' if count == 1 else 'are'} {name} now.")


def forget(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME|PATH", autocompletion=complete_name)
    ] = None,
    sample: Annotated[
        list[int] | None, typer.Option(metavar="SAMPLE", help="Only this one; may be repeated.")
    ] = None,
    seen: Annotated[
        bool,
        typer.Option("--seen", help="Forget what `label` saw at paths, files or folders, instead."),
    ] = False,
    gone: Annotated[
        bool, typer.Option("--gone", help="With --seen: only files that are not there any more.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a character with all its samples, single samples, or what `label` saw.

    Pictures are not touched.
    """
    given = list(names or ())
    if seen:
        _forget_seen(ctx, given, gone=gone, yes=yes, is_fitting=not sample)
        return
    if gone or len(given) > 1 or (not given) == (not sample):
        raise typer.BadParameter("Give a character's name, or --sample, or --seen with paths.")
    name = given[0] if given else None
    with _open(ctx) as gallery:
        if name is None:
            wanted = list(dict.fromkeys(sample or []))
            _confirm(f"Forget {plural(len(wanted), 'sample')}?", yes=yes)
            gallery.forget_samples(wanted)
            say(f"Forgot {plural(len(wanted), 'sample')}.")
            return
        known = gallery.store.character(name)
        _confirm(f"Forget {known.name} with {plural(known.samples, 'sample')}?", yes=yes)
        removed = gallery.forget(known.name)
    say(f"Forgot {known.name} with {plural(removed, 'sample')}.")


def _forget_seen(
    ctx: typer.Context, paths: list[str], *, gone: bool, yes: bool, is_fitting: bool
) -> None:
    from gallery.jobs.seen import forget_seen, seen_files

    if not is_fitting or not (paths or gone):
        raise typer.BadParameter("Give paths, or --gone, with --seen and without --sample.")
    with _open(ctx) as gallery:
        found = seen_files(gallery, [named_path(one) for one in paths], gone=gone)
        faces = plural(sum(one.faces for one in found), "face")
        _confirm(f"Forget {plural(len(found), 'seen file')} with {faces}?", yes=yes)
        done = forget_seen(gallery, found)
    say(f"Forgot {plural(done.files, 'seen file')} with {plural(done.faces, 'face')}.")


def _confirm(question: str, *, yes: bool) -> None:
    import sys

    from gallery.errors import InputError

    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{question} Say so with --yes.")
    typer.confirm(question, abort=True, err=True)


def reencode(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also samples that this encoder has encoded already.")
    ] = False,
    cluster: ClusterAt = None,
    keys: Keys = None,
) -> None:
    """Encode the stored faces with the encoder in use; the pictures are not needed.

    Descriptors of other encoders stay. Stopped, it goes on when it is run again.
    """
    from gallery.jobs.reencode import reencode as job

    with _open(ctx) as gallery, hands_of(settings_of(ctx), cluster, keys) as hands:
        done = follow(job(gallery, everything=everything, hands=hands))
        say(f"{plural(done.samples, 'sample')} encoded by {gallery.encoder}.")
    if done.others:
        say(f"{plural(done.others, 'face')} seen while labelling or rejected, too.")
