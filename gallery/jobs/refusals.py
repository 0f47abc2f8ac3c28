"""What enrolment remembers of refused pictures, so that it need not look at them again."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from gallery.errors import (
    NoFace,
    NoFacePasses,
    NotCropped,
    SeveralFaces,
    UnreadablePicture,
    UnusableFile,
)
from gallery.faces.quality import Gates

REMEMBERED: dict[str, type[UnusableFile]] = {
    kind.__name__: kind
    for kind in (UnusableFile, UnreadablePicture, NoFace, NoFacePasses, NotCropped, SeveralFaces)
}
"""The refusals that hold of a picture's content, wherever it lies, by their names."""


def settings_key(detector: str, *, largest: bool, gates: Gates) -> str:
    """Return what a refusal holds for: as long as a picture would be looked at in the same way.

    Keys of earlier versions are made of options of the command line. They equal none of these, so
    that what they refused is looked at once more.
    """
    settings: dict[str, object] = {
        "detector": detector,
        "largest": largest,
        "min_face": float(gates.min_face),
        "min_quality": float(gates.min_quality),
    }
    if gates.portrait:
        # Without it keys are as they were before there was such a choice.
        settings["portrait"] = True
    return json.dumps(settings, sort_keys=True)


def remembered(refusal: UnusableFile) -> str:
    """Return a refusal as the database keeps it: its class and what it knows, but the path."""
    kind = next(one for one in type(refusal).__mro__ if one.__name__ in REMEMBERED)
    known = {
        one.name: getattr(refusal, one.name)
        for one in fields(REMEMBERED[kind.__name__])
        if one.init and one.name != "path"
    }
    return json.dumps({"error": kind.__name__, **known}, ensure_ascii=False)


def recalled(text: str, path: Path) -> UnusableFile | None:
    """Return the refusal that `remembered` wrote, of a file that has that content now.

    None for one that this version does not understand.
    """
    try:
        known = json.loads(text)
        return REMEMBERED[known.pop("error")](path=path, **known)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
