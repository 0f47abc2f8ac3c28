"""Immich's API: people and faces of its assets, which it knows by the SHA-1 of their files.

https://api.immich.app, version 1.130 and later, where faces can be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from gallery.metadata.regions import Area, box_of
from gallery.services.client import Client
from gallery.services.faces import HeldFace, HeldPicture, NewFace

KEY_HEADER = "x-api-key"

AT_ONCE = 500
"""Pictures that are asked for at once."""

PAGE = 1000
"""People in one answer, at most."""

MOST_PAGES = 1000


class Immich:
    """What Immich is asked and told."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._root = "" if client.address.path.endswith("/api") else "/api"
        self._people: dict[str, str] | None = None
        """The ids of people by their names in small letters."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self._client.program

    @property
    def address(self) -> str:
        """Where it is."""
        return self._client.address.url

    def check(self) -> None:
        """Ask whether it is Immich, and takes the key."""
        said = self._ask("GET", "/server/ping")
        with self._client.understood("a greeting"):
            if said["res"] != "pong":
                raise ValueError(said)
        self._people = self._all_people()

    def pictures(self, sums: Sequence[str]) -> Iterator[tuple[str, HeldPicture]]:
        """Yield those of some pictures that it holds and that are not in its trash."""
        for start in range(0, len(sums), AT_ONCE):
            some = sums[start : start + AT_ONCE]
            asked = [{"id": one, "checksum": one} for one in some]
            said = self._ask("POST", "/assets/bulk-upload-check", {"assets": asked})
            with self._client.understood("which pictures it has"):
                # What it has is what it would not take again.
                held = {
                    str(one["id"]): str(one["assetId"])
                    for one in said["results"]
                    if one["action"] == "reject"
                    and one.get("reason") == "duplicate"
                    and not one.get("isTrashed", False)
                }
            for one in some:
                if one in held:
                    yield one, HeldPicture(held[one], self._faces(held[one]))

    def add(self, face: NewFace) -> str:
        """Add a face with a name to a picture, and return its id."""
        before = {one.id for one in self._faces(face.picture)}
        size = face.width, face.height
        left, top, right, bottom = box_of(face.area, *size).within(*size)
        body = {
            "assetId": face.picture,
            "personId": self._person(face.name),
            "imageWidth": face.width,
            "imageHeight": face.height,
            "x": left,
            "y": top,
            "width": right - left,
            "height": bottom - top,
        }
        self._ask("POST", "/faces", body)
        # Its answer is empty.
        new = [one for one in self._faces(face.picture) if one.id not in before and one.name]
        with self._client.understood("a new face"):
            return new[0].id

    def give_name(self, face: str, name: str) -> None:
        """Give a face to the person of a name."""
        self._ask("PUT", f"/faces/{quote(self._person(name), safe='')}", {"id": face})

    def take_name(self, face: str) -> None:
        """Give a face to a new person without a name, as Immich's own faces have."""
        nobody = self._made_person({})
        self._ask("PUT", f"/faces/{quote(nobody, safe='')}", {"id": face})

    def remove(self, face: str) -> None:
        """Delete a face."""
        self._ask("DELETE", f"/faces/{quote(face, safe='')}", {"force": True})

    def _ask(self, method: str, path: str, body: object = None, **query: object) -> Any:
        return self._client.ask(method, self._root + path, query, body)

    def _faces(self, picture: str) -> tuple[HeldFace, ...]:
        said = self._ask("GET", "/faces", id=picture)
        with self._client.understood("about faces"):
            return tuple(_face(one) for one in said)

    def _all_people(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for page in range(1, MOST_PAGES + 1):
            said = self._ask("GET", "/people", page=page, size=PAGE, withHidden=True)
            with self._client.understood("about people"):
                for one in said["people"]:
                    if one["name"]:
                        # Those with more faces come first.
                        found.setdefault(str(one["name"]).casefold(), str(one["id"]))
                if not said.get("hasNextPage", False):
                    break
        return found

    def _person(self, name: str) -> str:
        """Return the id of the person of a name, who is made where nobody has it."""
        if self._people is None:
            self._people = self._all_people()
        folded = name.casefold()
        if folded not in self._people:
            self._people[folded] = self._made_person({"name": name})
        return self._people[folded]

    def _made_person(self, said: dict[str, str]) -> str:
        made = self._ask("POST", "/people", said)
        with self._client.understood("a new person"):
            return str(made["id"])


def _face(one: dict[str, Any]) -> HeldFace:
    width, height = int(one["imageWidth"]), int(one["imageHeight"])
    sides = ("boundingBoxX1", "boundingBoxY1", "boundingBoxX2", "boundingBoxY2")
    left, top, right, bottom = (float(one[side]) for side in sides)
    person = one["person"]
    return HeldFace(
        str(one["id"]),
        Area(
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        ),
        "" if person is None else str(person["name"]),
    )
