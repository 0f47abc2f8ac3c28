"""Stands for PhotoPrism: the part of its API that gallery uses, as its source describes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from speaking import KEY, Asked, Reply, Speaker


@dataclass(slots=True)
class Marker:
    """A marker in PhotoPrism."""

    file: str
    area: tuple[float, float, float, float]
    """Left, top, width and height in shares of the picture."""
    name: str = ""
    source: str = "image"
    is_invalid: bool = False


class PhotoPrismStand(Speaker):
    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, str] = {}
        """UIDs by SHA-1."""
        self.markers: dict[str, Marker] = {}

    def hold(self, content: bytes) -> str:
        uid = f"fs{len(self.files):014}"
        self.files[hashlib.sha1(content).hexdigest()] = uid  # noqa: S324
        return uid

    def see(self, file: str, box: tuple[int, int, int, int], name: str | None) -> str:
        """PhotoPrism sees a face in a picture of 160 by 120 pixels."""
        left, top, right, bottom = box
        area = left / 160, top / 120, (right - left) / 160, (bottom - top) / 120
        return self._mark(Marker(file, area, name or ""))

    def said(self, file: str) -> dict[tuple[int, int, int, int], str]:
        """Whom valid markers of a file show, by their boxes in pixels."""
        found = {}
        for one in self.markers.values():
            if one.file == file and not one.is_invalid:
                left, top, width, height = one.area
                edges = left * 160, top * 120, (left + width) * 160, (top + height) * 120
                found[tuple(round(edge) for edge in edges)] = one.name
        return found  # type: ignore[return-value]

    def _mark(self, marker: Marker) -> str:
        uid = f"ms{len(self.markers):014}"
        self.markers[uid] = marker
        return uid

    def answer(self, asked: Asked) -> Reply:
        if asked.line == "GET /api/v1/status":
            return Reply(content={"status": "operational"})
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return Reply(401, {"error": "Unauthorized", "code": 401})
        method, path = asked.line.split()
        match method, path.removeprefix("/api/v1/").split("/"):
            case "GET", ["files", digest] if digest in self.files:
                return Reply(200, self._file(digest))
            case "POST", ["markers"]:
                return self._made(asked.body)
            case "PUT", ["markers", uid] if uid in self.markers:
                marker = self.markers[uid]
                marker.is_invalid = asked.body.get("Invalid", marker.is_invalid)
                if asked.body.get("SubjSrc") == "manual" and asked.body.get("Name"):
                    marker.name = asked.body["Name"]
                return Reply(200, self._marker(uid))
            case "DELETE", ["markers", uid, "subject"] if uid in self.markers:
                self.markers[uid].name = ""
                return Reply(200, self._marker(uid))
        return Reply(404, {"error": "Entity not found", "code": 404})

    def _made(self, body: dict[str, Any]) -> Reply:
        area = body["X"], body["Y"], body["W"], body["H"]
        if not all(0 < one <= 1 for one in area) or body["FileUID"] not in self.files.values():
            return Reply(400, {"error": "Unable to do that", "code": 400})
        assert (body["Type"], body["SubjSrc"]) == ("face", "manual")
        uid = self._mark(Marker(body["FileUID"], area, body["Name"], body["Src"]))
        return Reply(201, self._marker(uid), {"Location": f"/api/v1/markers/{uid}"})

    def _file(self, digest: str) -> dict[str, Any]:
        uid = self.files[digest]
        own = [key for key, one in self.markers.items() if one.file == uid]
        said = {
            "UID": uid, "PhotoUID": "ps6sg6be2lvl0y11", "Name": "a.png", "Root": "/",
            "Hash": digest, "Size": 1, "Type": "png", "Primary": True, "Width": 160, "Height": 120,
        }  # fmt: skip
        return {**said, "Markers": [self._marker(one) for one in own]} if own else said

    def _marker(self, uid: str) -> dict[str, Any]:
        one = self.markers[uid]
        shares = dict(zip("XYWH", one.area, strict=True))
        return {
            "UID": uid, "FileUID": one.file, "Type": "face", "Src": one.source, "Name": one.name,
            **({"Invalid": True} if one.is_invalid else {}),
            **{side: share for side, share in shares.items() if share},
            "CreatedAt": "2026-01-01T00:00:00Z",
        }  # fmt: skip
