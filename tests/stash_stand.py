"""Stands for Stash: the part of its GraphQL interface that gallery uses, as its schema has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from speaking import KEY, Asked, Reply, Speaker

INPUTS: dict[str, dict[str, type]] = {
    "SceneHashInput": {"checksum": str, "oshash": str},
    "TagCreateInput": {"name": str, "aliases": list},
    "SceneMarkerCreateInput": {
        "title": str, "seconds": float, "end_seconds": float, "scene_id": str,
        "primary_tag_id": str, "tag_ids": list,
    },
}  # fmt: skip
"""Fields of the schema's inputs, and of what type they are."""


@dataclass(slots=True)
class Tag:
    """A tag in Stash."""

    name: str
    aliases: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Marker:
    """A marker in Stash."""

    scene: str
    title: str
    seconds: float
    end: float | None
    tag: str
    tags: list[str] = field(default_factory=list)


class StashStand(Speaker):
    def __init__(self) -> None:
        super().__init__()
        self.wants_key = True
        self.scenes: dict[str, str] = {}
        """Ids by sums."""
        self.tags: dict[str, Tag] = {}
        self.markers: dict[str, Marker] = {}
        self._count = 100

    def hold(self, content: bytes) -> str:
        """Hold a video; its sum is counted here in another way than there."""
        length = min(len(content), 1 << 16) // 8 * 8
        ends = content[:length] + content[len(content) - length :]
        words = [int.from_bytes(ends[at : at + 8], "little") for at in range(0, len(ends), 8)]
        scene = str(len(self.scenes) + 1)
        self.scenes[f"{(len(content) + sum(words)) & (2**64 - 1):016x}"] = scene
        return scene

    def tag(self, name: str, *aliases: str) -> str:
        key = str(len(self.tags) + 1)
        self.tags[key] = Tag(name, list(aliases))
        return key

    def mark(self, marker: Marker) -> str:
        self._count += 1
        key = str(self._count)
        self.markers[key] = marker
        return key

    def said(self, scene: str) -> list[tuple[float, float | None, str, list[str]]]:
        """The markers of a scene: from when to when, the first tag, and the others."""
        return sorted(
            (
                one.seconds,
                one.end,
                self.tags[one.tag].name,
                [self.tags[tag].name for tag in one.tags],
            )
            for one in self.markers.values()
            if one.scene == scene
        )

    @property
    def operations(self) -> list[str]:
        return [_operation(one.body["query"]) for one in self.asked]

    def answer(self, asked: Asked) -> Reply:
        if asked.line != "POST /graphql":
            return Reply(404, b"404 page not found")
        if self.wants_key and asked.headers.get("ApiKey") != KEY:
            return Reply(401, b"Unauthorized")
        variables = asked.body["variables"]
        for name, kind in re.findall(r"\$(\w+): (\w+)!", asked.body["query"].partition("{")[0]):
            self._check(variables[name], kind)
        match _operation(asked.body["query"]):
            case "query version":
                return _data(version={"version": "v0.29.1"})
            case "query findSceneByHash":
                return _data(findSceneByHash=self._scene(variables["input"]["oshash"]))
            case "query findTags":
                return _data(findTags={"tags": self._found(variables["name"])})
            case "mutation tagCreate":
                name = variables["input"]["name"]
                if any(name in (one.name, *one.aliases) for one in self.tags.values()):
                    return _error(f"tag with name '{name}' already exists")
                return _data(tagCreate={"id": self.tag(name)})
            case "mutation sceneMarkerCreate":
                said = variables["input"]
                marker = Marker(
                    said["scene_id"], said["title"], said["seconds"], said["end_seconds"],
                    said["primary_tag_id"], said["tag_ids"],
                )  # fmt: skip
                return _data(sceneMarkerCreate={"id": self.mark(marker)})
            case "mutation sceneMarkerDestroy":
                if variables["id"] not in self.markers:
                    return _error(f"scene marker with id {variables['id']} not found")
                del self.markers[variables["id"]]
                return _data(sceneMarkerDestroy=True)
        raise AssertionError(asked.body["query"])

    def _check(self, value: Any, kind: str) -> None:
        if kind in INPUTS:
            for name, one in value.items():
                assert isinstance(one, (INPUTS[kind][name], int)), (kind, name, one)
        else:
            assert isinstance(value, str), (kind, value)

    def _scene(self, oshash: str) -> dict[str, Any] | None:
        scene = self.scenes.get(oshash)
        if scene is None:
            return None
        markers = [
            {
                "id": key, "seconds": one.seconds, "end_seconds": one.end,
                "primary_tag": {
                    "name": self.tags[one.tag].name, "aliases": self.tags[one.tag].aliases,
                },
            }
            for key, one in self.markers.items()
            if one.scene == scene
        ]  # fmt: skip
        return {"id": scene, "scene_markers": markers}

    def _found(self, name: str) -> list[dict[str, Any]]:
        # As SQL's LIKE.
        pattern = re.escape(name).replace("%", ".*").replace("_", ".")
        like = re.compile(pattern, re.IGNORECASE)
        return [
            {"id": key, "name": one.name, "aliases": one.aliases}
            for key, one in self.tags.items()
            if any(like.fullmatch(other) for other in (one.name, *one.aliases))
        ]


def _operation(query: str) -> str:
    """What is asked: the kind of the operation, and its field."""
    found = re.match(r"(query|mutation) \w+(?:\([^)]*\))? \{\s*(\w+)", query)
    assert found is not None, query
    assert query.count("{") == query.count("}")
    return f"{found[1]} {found[2]}"


def _data(**values: Any) -> Reply:
    return Reply(content={"data": values})


def _error(message: str) -> Reply:
    return Reply(content={"data": None, "errors": [{"message": message, "path": []}]})
