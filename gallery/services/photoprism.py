"""PhotoPrism's API: markers of its files, which it knows by their SHA-1.

https://docs.photoprism.dev, versions since 2025, where markers can be made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from gallery.metadata.regions import Area
from gallery.services.client import Client
from gallery.services.faces import HeldFace, HeldPicture, NewFace

KEY_HEADER = "Authorization"
ROOT = "/api/v1"

NOTHING = "0" * 40
"""The SHA-1 of no file."""

LEAST = 1e-4
"""PhotoPrism takes no marker at the very edge."""

UID = re.compile(r"[0-9a-z]{1,42}")
"""What stands in addresses."""


class PhotoPrism:
    """What PhotoPrism is asked and told."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def name(self) -> str:
        """What it is called."""
        return self._client.program

    @property
    def address(self) -> str:
        """Where it is."""
        return self._client.address.url

    def check(self) -> None:
        """Ask whether it is PhotoPrism, and takes the key."""
        said = self._ask("GET", "/status")
        with self._client.understood("a greeting"):
            if said["status"] != "operational":
                raise ValueError(said)
        self._ask("GET", f"/files/{NOTHING}", missing=True)

    def pictures(self, sums: Sequence[str]) -> Iterator[tuple[str, HeldPicture]]:
        """Yield those of some pictures that it holds, by their SHA-1."""
        for one in sums:
            said = self._ask("GET", f"/files/{one}", missing=True)
            if said is None:
                continue
            with self._client.understood("about a file"):
                markers = [_face(marker) for marker in said.get("Markers") or ()]
                faces = tuple(marker for marker in markers if marker is not None)
                held = HeldPicture(_uid(said["UID"]), faces)
            yield one, held

    def add(self, face: NewFace) -> str:
        """Add a marker with a name to a file, and return its UID."""
        area = face.area
        body = {
            "FileUID": face.picture,
            "Type": "face",
            "Src": "manual",
            "X": max(round(area.x - area.width / 2, 6), LEAST),
            "Y": max(round(area.y - area.height / 2, 6), LEAST),
            "W": round(area.width, 6),
            "H": round(area.height, 6),
            "Name": face.name,
            "SubjSrc": "manual",
        }
        made = self._ask("POST", "/markers", body)
        with self._client.understood("a new marker"):
            return _uid(made["UID"])

    def give_name(self, face: str, name: str) -> None:
        """Say whom a marker shows."""
        self._ask("PUT", f"/markers/{face}", {"Name": name, "SubjSrc": "manual"})

    def take_name(self, face: str) -> None:
        """Say no more whom a marker shows."""
        self._ask("DELETE", f"/markers/{face}/subject")

    def remove(self, face: str) -> None:
        """Take a marker's name, and mark it as no face: there is no other way to delete one."""
        self.take_name(face)
        self._ask("PUT", f"/markers/{face}", {"Invalid": True})

    def _ask(self, method: str, path: str, body: object = None, *, missing: bool = False) -> Any:
        return self._client.ask(method, ROOT + path, body=body, missing=missing)


def _face(one: dict[str, Any]) -> HeldFace | None:
    """Return a marker as a face; None for one of something else, and for one that is invalid."""
    if one["Type"] != "face" or one.get("Invalid", False):
        return None
    # What is 0 is left out.
    left, top, width, height = (float(one.get(side, 0.0)) for side in "XYWH")
    area = Area(left + width / 2, top + height / 2, width, height)
    return HeldFace(_uid(one["UID"]), area, str(one["Name"]))


def _uid(value: object) -> str:
    if not isinstance(value, str) or not UID.fullmatch(value):
        raise ValueError(value)
    return value
