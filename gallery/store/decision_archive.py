"""What a person decided, as lines of JSON in an export, and back.

Each line is an object with one key: `character` (one that has no samples, so that nothing else in
the export names it), `step`, `face` or `decision`. Decisions name steps and faces by their numbers
among the lines of these, from 0, and the decisions that own states by theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from gallery.errors import InputError
from gallery.store.archive_members import digest_of, number_of, text_of
from gallery.store.deciding import History, HistoryEntry
from gallery.store.names import clean_name
from gallery.store.reader import Store
from gallery.store.steps import Action, FaceMeant, Step
from gallery.types import Box, Content, Decided, FaceState, Place, VideoTrack


def decision_lines(store: Store) -> Iterator[str]:
    """Yield what was decided, a line each; nothing where rejections say all of it."""
    # In this order, all that the log names is there, whatever is decided meanwhile.
    log, faces = store.decisions.log(), store.decisions.faces()
    # How unknown faces are grouped stays here, as these faces do.
    deciding = {entry.step for entry in log}
    steps = [one for one in store.decisions.steps()[::-1] if one.id in deciding]
    if all(one.action is Action.FOUND for one in steps):
        return
    contents = store.contents()
    for one in store.characters():
        if not one.samples:
            yield _line("character", one.name)
    step_rows = {one.id: row for row, one in enumerate(steps)}
    face_rows = {one.id: row for row, one in enumerate(faces)}
    log_rows: dict[int, int] = {one.id: row for row, one in enumerate(log)}
    for step in steps:
        undoes = None if step.undoes is None else step_rows[step.undoes]
        made = {"made_at": step.made_at, "who": step.who, "action": step.action.value}
        yield _line("step", {**made, "character": step.character, "undoes": undoes})
    for face in faces:
        content = contents.get(face.digest)
        where = {"digest": face.digest, "path": str(face.path), "box": list(face.box)}
        more = {"times": face.times, "content": content and content._asdict()}
        yield _line("face", {**where, **more})
    for entry in log:
        states = {
            "before": _state_json(entry.before),
            "before_owner": log_rows.get(entry.before_owner),
            "after": _state_json(entry.after),
            "after_owner": log_rows.get(entry.after_owner),
        }
        which = {"step": step_rows[entry.step], "face": face_rows[entry.face]}
        yield _line("decision", {**which, **states})


def _line(key: str, value: object) -> str:
    return json.dumps({key: value}, ensure_ascii=False)


def _state_json(state: FaceState) -> dict[str, object]:
    return {
        "decided": state.decided.value,
        "character": state.character,
        "not": list(state.not_these),
    }


def read_history(lines: Iterable[Any]) -> History:
    """Return what decision_lines wrote, given the values of its lines.

    Raises ValueError, KeyError or TypeError for anything else.
    """
    found: dict[str, list[Any]] = {"character": [], "step": [], "face": [], "decision": []}
    for line in lines:
        ((key, value),) = line.items()
        found[key].append(value)
    steps = [_step(row, one) for row, one in enumerate(found["step"])]
    faces = [_face(one) for one in found["face"]]
    entries = [_entry(one, len(steps), len(faces)) for one in found["decision"]]
    for row, entry in enumerate(entries):
        for owner in (entry.before_owner, entry.after_owner):
            if owner is not None and not (0 <= owner <= row and entries[owner].face == entry.face):
                raise ValueError("a decision is owned by none of its face")
    return History([_name(one) for one in found["character"]], steps, faces, entries)


def _step(row: int, values: Any) -> Step:
    made_at, undoes = values["made_at"], values["undoes"]
    if made_at is not None:
        datetime.fromisoformat(made_at)
    if undoes is not None and not 0 <= int(undoes) < row:
        raise ValueError("a step undoes one that is not before it")
    character = values["character"]
    return Step(
        row,
        made_at,
        text_of(values["who"]),
        Action(values["action"]),
        None if character is None else _name(character),
        None if undoes is None else int(undoes),
        0,
    )


def _face(values: Any) -> FaceMeant:
    times, content = values["times"], values["content"]
    track = None
    if times is not None:
        start, end, best = map(number_of, times)
        track = VideoTrack(1, 1, start, end, best, 1)
    if content is not None:
        content = Content(digest_of(content["pixels"]), int(content["orientation"]))
        if content.orientation not in range(1, 9):
            raise ValueError("an orientation is none")
    return FaceMeant(
        Place(digest_of(values["digest"]), track),
        Path(text_of(values["path"])),
        Box(*(number_of(edge) for edge in values["box"])),
        content,
    )


def _entry(values: Any, steps: int, faces: int) -> HistoryEntry:
    step, face = int(values["step"]), int(values["face"])
    if not (0 <= step < steps and 0 <= face < faces):
        raise ValueError("a decision is of no step or of no face")
    return HistoryEntry(
        step,
        face,
        _state(values["before"]),
        _owner(values["before_owner"]),
        _state(values["after"]),
        _owner(values["after_owner"]),
    )


def _owner(value: Any) -> int | None:
    return None if value is None else int(value)


def _state(values: Mapping[str, Any]) -> FaceState:
    decided, character = Decided(values["decided"]), values["character"]
    if (character is None) == (decided is Decided.CONFIRMED):
        raise ValueError("a state names nobody, or somebody without confirming")
    return FaceState(
        decided,
        None if character is None else _name(character),
        tuple(sorted({_name(one) for one in values["not"]})),
    )


def _name(value: Any) -> str:
    try:
        return clean_name(text_of(value))
    except InputError as error:
        raise ValueError("a name cannot be one") from error
