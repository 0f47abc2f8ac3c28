"""Stands for Immich: the part of its API that gallery uses, as its OpenAPI description has it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from speaking import KEY, Asked, Reply, Speaker

INTEGERS = ("imageWidth", "imageHeight", "x", "y", "width", "height")


@dataclass(slots=True)
class Face:
    """A face in Immich."""

    asset: str
    person: str | None
    box: tuple[int, int, int, int]
    size: tuple[int, int]
    source: str = "machine-learning"


class ImmichStand(Speaker):
    def __init__(self) -> None:
        super().__init__()
        self.assets: dict[str, str] = {}
        """Ids by SHA-1."""
        self.trash: set[str] = set()
        self.people: dict[str, str] = {}
        """Names by ids."""
        self.faces: dict[str, Face] = {}
        self._count = 0

    def hold(self, content: bytes) -> str:
        asset = self._id()
        self.assets[hashlib.sha1(content).hexdigest()] = asset  # noqa: S324
        return asset

    def see(self, asset: str, box: tuple[int, int, int, int], name: str | None) -> str:
        """Immich sees a face, of nobody or of somebody whom it calls so."""
        person = None
        if name is not None:
            person = self._id()
            self.people[person] = name
        face = self._id()
        self.faces[face] = Face(asset, person, box, (160, 120))
        return face

    def said(self, asset: str) -> dict[tuple[int, int, int, int], str]:
        """Whom faces of an asset show, by their boxes."""
        return {
            one.box: self.people.get(one.person or "", "")
            for one in self.faces.values()
            if one.asset == asset
        }

    def _id(self) -> str:
        self._count += 1
        return str(UUID(int=self._count, version=4))

    def answer(self, asked: Asked) -> Reply:
        if asked.line == "GET /api/server/ping":
            return Reply(content={"res": "pong"})
        if asked.headers.get("x-api-key") != KEY:
            said = {"message": "Invalid API key", "error": "Unauthorized", "statusCode": 401}
            return Reply(401, said)
        method, path = asked.line.split()
        match method, path.removeprefix("/api/").split("/"):
            case "POST", ["assets", "bulk-upload-check"]:
                return Reply(200, {"results": [self._check(one) for one in asked.body["assets"]]})
            case "GET", ["people"]:
                return Reply(200, self._page(asked.query["page"], asked.query["size"]))
            case "POST", ["people"]:
                person = self._id()
                self.people[person] = asked.body.get("name", "")
                return Reply(201, self._person(person))
            case "GET", ["faces"]:
                own = [key for key, one in self.faces.items() if one.asset == asked.query["id"]]
                return Reply(200, [self._face(key) for key in own])
            case "POST", ["faces"]:
                self._make(asked.body)
                return Reply(201)
            case "PUT", ["faces", person]:
                self.faces[asked.body["id"]].person = person
                return Reply(200, self._person(person))
            case "DELETE", ["faces", face]:
                assert asked.body == {"force": True}
                del self.faces[face]
                return Reply(204)
        return Reply(404, {"message": f"Cannot {asked.line}", "error": "Not Found"})

    def _check(self, asked: dict[str, str]) -> dict[str, Any]:
        asset = self.assets.get(asked["checksum"])
        if asset is None:
            return {"id": asked["id"], "action": "accept"}
        return {
            "id": asked["id"],
            "action": "reject",
            "reason": "duplicate",
            "assetId": asset,
            "isTrashed": asset in self.trash,
        }

    def _make(self, body: dict[str, Any]) -> None:
        assert set(body) == {"assetId", "personId", *INTEGERS}
        assert all(type(body[name]) is int for name in INTEGERS)
        left, top = body["x"], body["y"]
        box = left, top, left + body["width"], top + body["height"]
        size = body["imageWidth"], body["imageHeight"]
        self.faces[self._id()] = Face(body["assetId"], body["personId"], box, size, "manual")

    def _page(self, page: int, size: int) -> dict[str, Any]:
        assert size <= 1000
        # People whom no face shows are not listed.
        shown = [
            key for key in self.people if any(key == one.person for one in self.faces.values())
        ]
        own = shown[(page - 1) * size : page * size]
        return {
            "total": len(shown),
            "hidden": 0,
            "people": [self._person(one) for one in own],
            "hasNextPage": page * size < len(shown),
        }

    def _person(self, person: str) -> dict[str, Any]:
        return {
            "id": person, "name": self.people[person], "birthDate": None, "thumbnailPath": "",
            "isHidden": False, "isFavorite": False,
        }  # fmt: skip

    def _face(self, key: str) -> dict[str, Any]:
        one = self.faces[key]
        left, top, right, bottom = one.box
        return {
            "id": key, "imageWidth": one.size[0], "imageHeight": one.size[1],
            "boundingBoxX1": left, "boundingBoxY1": top,
            "boundingBoxX2": right, "boundingBoxY2": bottom,
            "sourceType": one.source,
            "person": None if one.person is None else self._person(one.person),
        }  # fmt: skip
