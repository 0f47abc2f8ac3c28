"""Detectors of other packages, from the entry-point group `gallery.detectors`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gallery.errors import GalleryError, PluginFailed
from gallery.faces.interfaces import Detector
from gallery.system.patience import Overdue, Patience
from gallery.system.plugins import TAKES_LONGER, entry_of, in_a_line, package_of
from gallery.types import Face, Image

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "gallery.detectors"
AT_ONCE = 4
"""Pictures that a detector is given together: what a call may take is for so many."""


def detector(name: str) -> Detector | None:
    """Open the detector of a name, None where no package brings one.

    Raises SetupError if two packages bring it, if it cannot be loaded, or if it is no detector.
    """
    entry = entry_of(name, GROUP, "a detector")
    if entry is None:
        return None
    patience = Patience()
    return Plugged(_load(entry, patience), name, package_of(entry), patience)


def _load(entry: EntryPoint, patience: Patience) -> Detector:
    name, package = entry.name, package_of(entry)
    try:
        made = patience.call(lambda: entry.load()())  # noqa: PLW0108 - loading may take long, too
    except GalleryError:
        raise
    except Overdue as error:
        raise PluginFailed("detector", name, package, str(error), TAKES_LONGER) from error
    except Exception as error:
        # Somebody else's code may raise anything.
        raise PluginFailed(
            "detector", name, package, f"cannot be opened ({in_a_line(error)})"
        ) from error
    if not isinstance(getattr(made, "name", None), str) or not callable(
        getattr(made, "detect", None)
    ):
        raise PluginFailed(
            "detector",
            name,
            package,
            f"has no text `name` or no function `detect`, but is a {type(made).__name__}",
        )
    detector: Detector = made
    return detector


class Plugged:
    """A detector of another package, whose failures and answers are checked."""

    def __init__(
        self, detector: Detector, chosen: str, package: str, patience: Patience | None = None
    ) -> None:
        self.name = detector.name
        self._detector = detector
        self._chosen = chosen
        self._package = package
        # Somebody else's code need not know of threads, and may never answer.
        self._patience = patience or Patience()

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first.

        Raises SetupError where the package fails, takes too long, or gives something else.
        """
        starts = range(0, len(images), AT_ONCE)
        return [faces for at in starts for faces in self._found(images[at : at + AT_ONCE])]

    def _found(self, images: Sequence[Image]) -> list[list[Face]]:
        try:
            found: Any = self._patience.call(lambda: self._detector.detect(images))
            is_an_answer = _is_an_answer(found, len(images))
        except GalleryError:
            raise
        except Overdue as error:
            raise self._complaint(str(error), TAKES_LONGER) from error
        except Exception as error:
            raise self._complaint(f"failed ({in_a_line(error)})") from error
        if not is_an_answer:
            raise self._complaint("gave something other than a list of faces for every picture")
        return [sorted(faces, key=lambda face: -face.score) for faces in found]

    def _complaint(
        self, what: str, remedy: str = "update that package or choose another detector"
    ) -> PluginFailed:
        return PluginFailed("detector", self._chosen, self._package, what, remedy)


def _is_an_answer(found: Any, pictures: int) -> bool:
    return (
        isinstance(found, list)
        and len(found) == pictures
        and all(isinstance(faces, list) for faces in found)
        and all(_is_a_face(face) for faces in found for face in faces)
    )


def _is_a_face(face: Any) -> bool:
    """Say whether it is a face with a box that holds an area and with finite places."""
    if not isinstance(face, Face) or not (face.box.width > 0 and face.box.height > 0):
        return False
    points = [point for point in face.landmarks or () if point is not None]
    numbers = (*face.box, face.score, *(place for point in points for place in point))
    return all(math.isfinite(number) for number in numbers)
