"""Records as JSON: the one shape in which answers leave the program."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from gallery.output import record_values
from gallery.output.record_values import (
    number,
    number_or_none,
    text,
    text_or_none,
    whole,
    whole_or_none,
)
from gallery.system.file_names import path_text, printable
from gallery.types import (
    Answer,
    Box,
    Decided,
    Face,
    Match,
    Quality,
    Record,
    Verdict,
    VideoEnd,
    VideoRecord,
    VideoShot,
    VideoTrack,
)


def as_json(record: Record) -> dict[str, Any]:
    """Return a record as plain JSON values; boxes are whole pixels inside the picture."""
    values: dict[str, Any] = {
        "path": path_text(record.path),
        "width": record.width,
        "height": record.height,
        "encoder": record.encoder,
        "faces": [_face(answer, record.width or 0, record.height or 0) for answer in record.faces],
        "left_out": record.left_out,
        "error": record.error and printable(record.error),
        "digest": record.digest,
    }
    if isinstance(record, VideoRecord):
        values["video"] = _video(record)
    return values


def _video(record: VideoRecord) -> dict[str, Any]:
    """Return what part of a video a record is about; all times are seconds."""
    part = record.part
    kind = {VideoTrack: "track", VideoShot: "shot"}.get(type(part), "end")
    start, end, every = record.asked
    return {
        "part": kind,
        **{name: _rounded(value) for name, value in asdict(part).items()},
        "asked": {"from": _rounded(start), "to": _rounded(end), "every": _rounded(every)},
    }


def _face(answer: Answer, width: int, height: int) -> dict[str, Any]:
    return {
        "box": list(answer.face.box.within(width, height)),
        "score": _rounded(answer.face.score),
        "quality": quality_json(answer.quality),
        "verdict": answer.verdict.value,
        "character": answer.character,
        "distance": _rounded(answer.distance),
        **_calibrated(answer),
        **({} if answer.decided is None else {"decided": answer.decided.value}),
        "matches": [
            {"character": match.character, "distance": _rounded(match.distance)}
            for match in answer.matches
        ],
    }


def _calibrated(answer: Answer) -> dict[str, float | None]:
    """Return the probabilities; empty for an answer of a gallery that is not calibrated."""
    if answer.probability is None:
        return {}
    return {
        "probability": _rounded(answer.probability),
        "stranger": _rounded(answer.stranger),
    }


def quality_json(quality: Quality | None) -> dict[str, float | None] | None:
    """Return the parts of a face's quality and their score; None where it is unknown."""
    if quality is None:
        return None
    return {
        "score": _rounded(quality.score),
        "size": _rounded(quality.size),
        "sharpness": _rounded(quality.sharpness),
        "roll": _rounded(quality.roll),
        "frontal": _rounded(quality.frontal),
        "cut": _rounded(quality.cut),
    }


def _rounded(value: float | None) -> float | None:
    """Six digits are more than any network means, and make files that can be compared."""
    return None if value is None else round(value, 6)


def to_line(values: dict[str, Any]) -> str:
    """Return JSON on one line, in the letters of any language.

    A file name that is no text, as Linux allows, is escaped; json.loads gives it back.
    """
    line = json.dumps(values, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(values)
    return line


def from_json(values: dict[str, Any]) -> Record:
    """Return the record that as_json made values of; its boxes are whole pixels.

    Raises ValueError, LookupError, TypeError or AttributeError for values of something else.
    """
    record = Record(
        path=record_values.path(values["path"]),
        width=whole_or_none(values["width"]),
        height=whole_or_none(values["height"]),
        encoder=text(values["encoder"]),
        faces=tuple(_answer_from_json(face) for face in values["faces"]),
        error=text_or_none(values["error"]),
        left_out=whole(values.get("left_out", 0)),
        digest=text_or_none(values.get("digest")),
    )
    return _video_from_json(record, values["video"]) if "video" in values else record


def _video_from_json(record: Record, values: dict[str, Any]) -> VideoRecord:
    kind = {"track": VideoTrack, "shot": VideoShot, "end": VideoEnd}[values["part"]]
    asked = values["asked"]
    part = kind(
        **{
            one.name: (whole if one.type == "int" else number)(values[one.name])
            for one in fields(kind)
        }
    )
    return of_video(
        record,
        part,
        (number(asked["from"]), number_or_none(asked["to"]), number(asked["every"])),
    )


def of_video(
    record: Record,
    part: VideoTrack | VideoShot | VideoEnd,
    asked: tuple[float, float | None, float],
) -> VideoRecord:
    """Return a record of a part of a video, given what it has in common with any other record."""
    return VideoRecord(
        path=record.path,
        width=record.width,
        height=record.height,
        encoder=record.encoder,
        faces=record.faces,
        error=record.error,
        left_out=record.left_out,
        part=part,
        asked=asked,
    )


def _quality_from_json(values: dict[str, Any]) -> Quality:
    return Quality(
        number(values["size"]),
        number(values["sharpness"]),
        number_or_none(values["roll"]),
        number_or_none(values["frontal"]),
        number_or_none(values["cut"]),
    )


def _answer_from_json(values: dict[str, Any]) -> Answer:
    quality, decided = values["quality"], values.get("decided")
    return Answer(
        face=Face(Box(*map(number, values["box"])), number(values["score"])),
        verdict=Verdict(values["verdict"]),
        character=text_or_none(values["character"]),
        distance=number_or_none(values["distance"]),
        probability=number_or_none(values.get("probability")),
        stranger=number_or_none(values.get("stranger")),
        decided=None if decided is None else Decided(decided),
        matches=tuple(
            Match(text(match["character"]), number(match["distance"]))
            for match in values["matches"]
        ),
        quality=None if quality is None else _quality_from_json(quality),
    )
