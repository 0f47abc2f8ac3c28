"""Stash's GraphQL interface: markers in scenes, which it knows by a sum of their files' ends.

https://docs.stashapp.cc/api, version 0.28 and later, where markers have an end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from gallery.errors import ServiceRefused
from gallery.services.client import MOST_SAID, Client
from gallery.system.escapes import one_line

KEY_HEADER = "ApiKey"

ENDS = 64 * 1024
"""Bytes at either end of a file that its sum is made of."""

VERSION = "query Version { version { version } }"
SCENE = """query SceneByHash($input: SceneHashInput!) {
  findSceneByHash(input: $input) {
    id
    scene_markers { id seconds end_seconds primary_tag { name aliases } }
  }
}"""
TAGS = """query TagsByName($name: String!) {
  findTags(
    tag_filter: {
      name: { value: $name, modifier: EQUALS }
      OR: { aliases: { value: $name, modifier: EQUALS } }
    }
    filter: { per_page: -1 }
  ) { tags { id name aliases } }
}"""
NEW_TAG = """mutation NewTag($input: TagCreateInput!) {
  tagCreate(input: $input) { id }
}"""
NEW_MARKER = """mutation NewMarker($input: SceneMarkerCreateInput!) {
  sceneMarkerCreate(input: $input) { id }
}"""
NO_MARKER = "mutation NoMarker($id: ID!) { sceneMarkerDestroy(id: $id) }"


@dataclass(frozen=True, slots=True)
class HeldMarker:
    """A marker in a scene."""

    id: str
    names: frozenset[str]
    """What its first tag goes by, in small letters."""
    start: float
    end: float | None
    """In seconds; None for a moment."""


@dataclass(frozen=True, slots=True)
class HeldScene:
    """A video in Stash."""

    id: str
    markers: tuple[HeldMarker, ...]


@dataclass(frozen=True, slots=True)
class NewMarker:
    """A marker that a scene is to get."""

    scene: str
    name: str
    """Its title, and its first tag."""
    start: float
    end: float
    """In seconds."""
    others: tuple[str, ...] = ()
    """The names of its other tags."""


class Stash:
    """What Stash is asked and told."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._root = "" if client.address.path.endswith("/graphql") else "/graphql"
        self._tags: dict[str, str] = {}
        """Ids of tags by names in small letters."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self._client.program

    @property
    def address(self) -> str:
        """Where it is."""
        return self._client.address.url

    def check(self) -> None:
        """Ask whether it is Stash, and takes the key."""
        said = self._ask(VERSION, {})
        with self._client.understood("its version"):
            str(said["version"]["version"])

    def scene(self, sum_of_ends: str) -> HeldScene | None:
        """Return the scene of a file by its sum, see oshash; None where there is none."""
        said = self._ask(SCENE, {"input": {"oshash": sum_of_ends}})
        with self._client.understood("about a scene"):
            scene = said["findSceneByHash"]
            if scene is None:
                return None
            return HeldScene(str(scene["id"]), tuple(map(_marker, scene["scene_markers"])))

    def add(self, marker: NewMarker) -> str:
        """Add a marker, and its tags where they are missing; return its id."""
        said = {
            "title": marker.name,
            "seconds": marker.start,
            "end_seconds": marker.end,
            "scene_id": marker.scene,
            "primary_tag_id": self._tag(marker.name),
            "tag_ids": [self._tag(name) for name in marker.others],
        }
        made = self._ask(NEW_MARKER, {"input": said})
        with self._client.understood("a new marker"):
            return str(made["sceneMarkerCreate"]["id"])

    def remove(self, marker: str) -> None:
        """Remove a marker."""
        self._ask(NO_MARKER, {"id": marker})

    def _tag(self, name: str) -> str:
        """Return the id of the tag that has or goes by a name; it is made where there is none."""
        folded = name.casefold()
        if folded not in self._tags:
            said = self._ask(TAGS, {"name": name})
            with self._client.understood("about tags"):
                # It compares by patterns, in which some letters stand for any.
                tags = said["findTags"]["tags"]
                found = [str(one["id"]) for one in tags if folded in _names(one)]
            self._tags[folded] = found[0] if found else self._new_tag(name)
        return self._tags[folded]

    def _new_tag(self, name: str) -> str:
        made = self._ask(NEW_TAG, {"input": {"name": name}})
        with self._client.understood("a new tag"):
            return str(made["tagCreate"]["id"])

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        said = self._client.ask("POST", self._root, body=body)
        with self._client.understood("a question"):
            errors = said.get("errors") or []
            told = "; ".join(str(one["message"]) for one in errors)
            data: dict[str, Any] = {} if errors else dict(said["data"])
        if errors:
            told = one_line(told)[:MOST_SAID].rstrip(".")
            if "not authorized" in told.casefold():
                raise ServiceRefused(self.name, self.address, f"refuses the key ({told})")
            raise self._client.failed(f"answers: {told}", "see that it is of version 0.28 or later")
        return data


def oshash(file: BinaryIO, size: int) -> str:
    """Return what Stash knows a file of a size by: its size and the sum of both its ends.

    The ends are taken as little-endian numbers of 64 bits, as OpenSubtitles does. Raises ValueError
    for a file of less than one such number.
    """
    length = min(size, ENDS) // 8 * 8
    if not length:
        raise ValueError(size)
    total = size
    for place in (0, size - length):
        file.seek(place)
        total += sum(one for (one,) in struct.iter_unpack("<Q", file.read(length)))
    return f"{total % 2**64:016x}"


def _names(tag: dict[str, Any]) -> frozenset[str]:
    return frozenset(str(name).casefold() for name in (tag["name"], *tag["aliases"]))


def _marker(one: dict[str, Any]) -> HeldMarker:
    end = one["end_seconds"]
    return HeldMarker(
        str(one["id"]),
        _names(one["primary_tag"]),
        float(one["seconds"]),
        None if end is None else float(end),
    )
