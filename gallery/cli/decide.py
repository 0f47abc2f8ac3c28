"""`gallery confirm`, `name`, `ignore`, `no-face`, `undo`, `decisions`: deciding of faces."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.meant import (
    At,
    Faces,
    FacesThenName,
    InBox,
    Name,
    New,
    WhichFace,
    called,
    complete_name,
    given_by,
)
from gallery.cli.progress import follow
from gallery.cli.seen import say_when_seen
from gallery.cli.show import Cropped, Json, json_line, named_path, plural, say, settings_of, table
from gallery.types import Decided

if TYPE_CHECKING:
    from gallery.jobs.decided_faces import ListedFace
    from gallery.jobs.meant import Given, Which
    from gallery.store.steps import Action, Step, Undone


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(confirm)
    app.command()(name)
    app.command()(ignore)
    app.command("no-face")(no_face)
    app.command()(undo)
    app.command()(decisions)


def confirm(
    ctx: typer.Context,
    faces: Faces,
    name: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            autocompletion=complete_name,
            help="Whom they show; else whom `identify` answers.",
        ),
    ] = None,
    new: New = False,
    face: WhichFace = None,
    at: At = None,
    cropped: Cropped = False,
    json: Json = False,
) -> None:
    """Say whom faces show: they are answered so from now on, and sure. None is enrolled."""
    from gallery.engine.assemble import open_gallery
    from gallery.jobs import decide

    if new and name is None:
        raise typer.BadParameter("It wants --as NAME.", param_hint="--new")
    given, which = given_by(faces, face, at)
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        known = None if name is None else called(gallery, name, new=new)
        _tell(follow(decide.confirm(gallery, given, known, which, new=new)), json=json)


def name(
    ctx: typer.Context,
    faces: FacesThenName,
    character: Name,
    use: Annotated[
        bool,
        typer.Option("--use", help="Enroll them, too; a face that is somebody's sample is moved."),
    ] = False,
    new: New = False,
    face: WhichFace = None,
    box: InBox = None,
    at: At = None,
    cropped: Cropped = False,
    json: Json = False,
) -> None:
    """Say whom faces show, right or wrong as they were answered, and take them in with --use.

    They are answered so from now on, and sure. With --use, what is in --box is taken as a face
    where the detector sees none.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.name import name_faces

    given, which = given_by(faces, face, at, box)
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        known = called(gallery, character, new=new)
        done = follow(name_faces(gallery, given, known, which, use=use, new=new))
        if json:
            added = {"added": done.added, "moved": list(done.moved)}
            json_line({**step_json(done.step), **(added if use else {})})
            return
        _tell(done.step, json=False)
        if use:
            moved = f", {plural(len(done.moved), 'sample')} moved" if done.moved else ""
            say(f"{plural(done.added, 'face')} enrolled as {done.character}{moved}.")
        for sample, owner in done.others.items():
            say(f"Sample {sample} of {owner} is such a face; --use gives it to {done.character}.")
        if done.added or done.moved:
            say_when_seen(gallery, "enrolled faces")


def ignore(
    ctx: typer.Context,
    faces: Faces,
    face: WhichFace = None,
    at: At = None,
    cropped: Cropped = False,
    json: Json = False,
) -> None:
    """Say that nobody wants to know whom faces show: they are in no cluster, and named nowhere."""
    from gallery.store.steps import Action

    _set_aside(ctx, Action.IGNORE, given_by(faces, face, at), cropped=cropped, json=json)


def no_face(
    ctx: typer.Context,
    faces: Faces,
    face: WhichFace = None,
    at: At = None,
    cropped: Cropped = False,
    json: Json = False,
) -> None:
    """Say that what the detector found is no face: no output marks it any more."""
    from gallery.store.steps import Action

    _set_aside(ctx, Action.NO_FACE, given_by(faces, face, at), cropped=cropped, json=json)


def _set_aside(
    ctx: typer.Context,
    action: Action,
    named: tuple[list[Given], Which],
    *,
    cropped: bool,
    json: bool,
) -> None:
    from gallery.engine.assemble import open_gallery
    from gallery.jobs import decide

    given, which = named
    with open_gallery(settings_of(ctx, cropped=cropped)) as gallery:
        _tell(follow(decide.set_aside(gallery, given, action, which)), json=json)


def undo(
    ctx: typer.Context,
    steps: Annotated[
        list[int] | None,
        typer.Argument(metavar="STEP...", help="As `decisions --steps` counts; else the last one."),
    ] = None,
    json: Json = False,
) -> None:
    """Restore what was before a step, but for faces that a newer step decided of.

    These are named, and the exit code is 1. An undo is a step, too, and can be undone.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.jobs import decide

    with open_gallery(settings_of(ctx)) as gallery:
        done = decide.undo(gallery, steps or ())
        samples = decide.still_enrolled(gallery, done)
        counts = {one.name: one.samples for one in gallery.characters()}
        titles = {one.id: one.title for one in gallery.store.decisions.steps()}
    if json:
        json_line(_undone_json(done))
    else:
        for one in done.steps:
            say(f"Step {one.id}: undid step {one.undoes}, {titles[one.undoes or 0]}.")
        say(f"{plural(done.restored, 'face')} as before.")
        for name in done.gone:
            say(f"Nobody is called {name} any more: nothing else was {name}.")
        for sample, owner in samples.items():
            say(
                f"Sample {sample} of {owner} is such a face, and stays; `gallery forget --sample "
                f"{sample}` takes it out."
            )
        for name, own in Counter(samples.values()).items():
            if own == counts[name]:
                say(f"{name} has no other sample; `gallery forget NAME` removes the character.")
        for left in done.left:
            owner = "undone already" if left.step is None else f"step {left.step} owns it now"
            say(f"Left alone: {left.face.path} at {_box(left.face.box)}, {owner}.")
        if done.kept:
            say(
                f"Left in another group: {plural(done.kept, 'face')}, which a newer step put there."
            )
    if done.left or done.kept:
        raise typer.Exit(1)


def decisions(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", parser=named_path, help="Only these files, or those of these folders."
        ),
    ] = None,
    state: Annotated[
        list[Decided] | None, typer.Option(help="Only faces in this state; may be repeated.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also seen faces that nothing was decided of.")
    ] = False,
    steps: Annotated[bool, typer.Option("--steps", help="List the steps instead.")] = False,
    json: Json = False,
) -> None:
    """List what was decided of faces, or the steps that decided it, newest first."""
    from gallery.engine.assemble import open_gallery
    from gallery.jobs.decided_faces import listed_faces

    if steps and (paths or state or everything):
        raise typer.BadParameter("Steps are of all faces.", param_hint="--steps")
    with open_gallery(settings_of(ctx)) as gallery:
        if steps:
            _print_steps(gallery.store.decisions.steps(), json=json)
            return
        found = listed_faces(gallery, paths or (), undecided=everything)
    wanted = [one for one in found if not state or one.state.decided in state]
    if json:
        for one in wanted:
            json_line(_face_json(one))
    else:
        _print_faces(wanted)


def _tell(step: Step, *, json: bool) -> None:
    if json:
        json_line(step_json(step))
    else:
        say(f"Step {step.id}: {step.title}.")


def step_json(step: Step) -> dict[str, object]:
    """Return a step as plain JSON values."""
    return {
        "step": step.id,
        "title": step.title,
        "action": step.action.value,
        "character": step.character,
        "faces": step.faces,
        "undoes": step.undoes,
        "made_at": step.made_at,
        "who": step.who,
    }


def _undone_json(done: Undone) -> dict[str, object]:
    return {
        "steps": [step_json(one) for one in done.steps],
        "restored": done.restored,
        "left": [
            {
                "path": str(one.face.path),
                "box": [round(edge, 2) for edge in one.face.box],
                "step": one.step,
            }
            for one in done.left
        ],
        "kept": done.kept,
        "gone": list(done.gone),
    }


def _print_steps(steps: list[Step], *, json: bool) -> None:
    if json:
        for one in steps:
            json_line(step_json(one))
        return
    if not steps:
        say("Nothing was decided yet; `gallery confirm` does.")
        return
    table(
        ("step", "made at", "who", "what"),
        [(one.id, one.made_at or "-", one.who or "-", one.title) for one in steps],
        right=("step",),
    )


def _print_faces(faces: list[ListedFace]) -> None:
    if not faces:
        say("Nothing was decided yet; `gallery confirm` does.")
        return
    table(
        ("face", "decided", "character", "not", "box", "where"),
        [
            (
                "-" if one.seen is None else f"face:{one.seen}",
                one.state.decided.words,
                one.state.character or "-",
                ", ".join(one.state.not_these) or "-",
                _box(one.box),
                _where(one),
            )
            for one in faces
        ],
    )
    counts = Counter(one.state.decided.words for one in faces)
    parts = ", ".join(f"{count} {what}" for what, count in counts.items())
    say(f"{plural(len(faces), 'face')}: {parts}.")


def _where(one: ListedFace) -> str:
    from gallery.media.timecodes import timecode

    return f"{one.path}" if one.times is None else f"{one.path} {timecode(one.times[2])}"


def _box(box: tuple[float, ...]) -> str:
    return ",".join(f"{edge:.0f}" for edge in box)


def _face_json(one: ListedFace) -> dict[str, object]:
    video = {}
    if one.times is not None:
        names = ("start", "end", "best")
        video = {"video": dict(zip(names, (round(time, 6) for time in one.times), strict=True))}
    return {
        "face": one.seen,
        "decided": one.state.decided.value,
        "character": one.state.character,
        "not": list(one.state.not_these),
        "path": str(one.path),
        "digest": one.digest,
        "box": [round(edge, 2) for edge in one.box],
        **video,
        "step": one.step,
    }
