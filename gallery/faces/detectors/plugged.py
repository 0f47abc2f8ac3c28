"""Detectors of other packages, from the entry-point group `gallery.detectors`."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gallery.errors import GalleryError, SetupError
from gallery.faces.interfaces import Detector
from gallery.system.plugins import entry_of, in_a_line, package_of
from gallery.types import Face, Image

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "gallery.detectors"


def detector(name: str) -> Detector | None:
    """Open the detector of a name, None where no package brings one.

    Raises SetupError if two packages bring it, if it cannot be loaded, or if it is no detector.
    """
    entry = entry_of(name, GROUP, "a detector")
    return None if entry is None else Plugged(_load(entry), name, package_of(entry))


def _load(entry: EntryPoint) -> Detector:
    name, package = entry.name, package_of(entry)
    try:
        made = entry.load()()
    except GalleryError:
        raise
    except Exception as error:
        # Somebody else's code may raise anything.
        raise SetupError(
            f"The detector {name} of the package {package} cannot be opened "
            f"({in_a_line(error)}); update that package or uninstall it."
        ) from error
    if not isinstance(getattr(made, "name", None), str) or not callable(
        getattr(made, "detect", None)
    ):
        raise SetupError(
            f"The detector {name} of the package {package} has no text `name` or no function "
            f"`detect`, but is a {type(made).__name__}; update that package or uninstall it."
        )
    detector: Detector = made
    return detector


class Plugged:
    """A detector of another package, whose failures and answers are checked."""

    def __init__(self, detector: Detector, chosen: str, package: str) -> None:
        self.name = detector.name
        self._detector = detector
        self._chosen = chosen
        self._package = package
        self._lock = threading.Lock()

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first.

        Raises SetupError where the package fails or gives something else.
        """
        try:
            # Somebody else's code need not know of threads.
            with self._lock:
                found: Any = self._detector.detect(images)
            is_an_answer = _is_an_answer(found, len(images))
        except GalleryError:
            raise
        except Exception as error:
            raise self._complaint(f"failed ({in_a_line(error)})") from error
        if not is_an_answer:
            raise self._complaint("gave something other than a list of faces for every picture")
        return [sorted(faces, key=lambda face: -face.score) for faces in found]

    def _complaint(self, what: str) -> SetupError:
        return SetupError(
            f"The detector {self._chosen} of the package {self._package} {what}; "
            "update that package or choose another detector."
        )


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
