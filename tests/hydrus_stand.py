"""Stands for hydrus: the part of its Client API that gallery uses, as its documentation has it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from speaking import KEY, Asked, Reply, Speaker

MY_TAGS, OTHER_TAGS, SHARED = "6c6f63616c2074616773", "aa04" * 16, "5674" * 16
VERSIONS = {"version": 80, "hydrus_version": 622}
SERVICES = {
    MY_TAGS: {"name": "my tags", "type": 5, "type_pretty": "local tag service"},
    OTHER_TAGS: {"name": "guesses", "type": 5, "type_pretty": "local tag service"},
    SHARED: {"name": "public tag repository", "type": 0, "type_pretty": "hydrus tag repository"},
    "6c6f63616c2066696c6573": {"name": "my files", "type": 2, "type_pretty": "local file domain"},
}


@dataclass(frozen=True, slots=True)
class Held:
    """A file in hydrus."""

    id: int
    content: bytes
    suffix: str


class HydrusStand(Speaker):
    def __init__(self) -> None:
        super().__init__()
        self.permissions = [0, 2, 3]
        self.files: dict[str, Held] = {}
        self.tags: defaultdict[tuple[str, str], dict[str, set[str]]] = defaultdict(
            lambda: {"0": set(), "2": set()}
        )
        """By digest and service: current and deleted ones."""

    def hold(self, content: bytes, suffix: str = ".png", *tags: str) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.files[digest] = Held(len(self.files) + 1, content, suffix)
        self.tags[digest, MY_TAGS]["0"] |= set(tags)
        return digest

    def current(self, digest: str, service: str = MY_TAGS) -> set[str]:
        return self.tags[digest, service]["0"]

    def take(self, digest: str, tag: str) -> None:
        """Somebody takes a tag from a file."""
        self.tags[digest, MY_TAGS]["0"].discard(tag)
        self.tags[digest, MY_TAGS]["2"].add(tag)

    @property
    def sent(self) -> list[Any]:
        """What was to be changed, request by request."""
        return [one.body for one in self.asked if one.method == "POST"]

    def answer(self, asked: Asked) -> Reply:
        key = asked.headers.get("Hydrus-Client-API-Access-Key")
        if key != KEY:
            return Reply(403 if key else 401, b"Did not find an entry for that access key!")
        match asked.line:
            case "GET /verify_access_key":
                return _json(
                    name="gallery",
                    permits_everything=False,
                    basic_permissions=self.permissions,
                    human_description="API Permissions (gallery)",
                )
            case "GET /get_services":
                return _json(services=SERVICES)
            case "GET /get_files/search_files":
                return _json(file_ids=self._found(asked.query["tags"]))
            case "GET /get_files/file_metadata":
                return _json(metadata=self._metadata(asked))
            case "GET /get_files/file":
                (one,) = [one for one in self.files.values() if one.id == asked.query["file_id"]]
                return Reply(content=one.content, headers={"Content-Type": "image/png"})
            case "POST /add_tags/add_tags":
                assert asked.headers["Content-Type"] == "application/json"
                self._change(asked.body)
                return Reply()
        return Reply(404, b"<html><body>404</body></html>")

    def _found(self, tags: list[str]) -> list[int]:
        wanted = {tag for tag in tags if not tag.startswith("system:")}
        return [one.id for digest, one in self.files.items() if wanted <= self.current(digest)]

    def _metadata(self, asked: Asked) -> list[dict[str, Any]]:
        assert asked.query["include_services_object"] is False
        ids = {one.id: digest for digest, one in self.files.items()}
        digests = asked.query.get("hashes") or [ids[one] for one in asked.query["file_ids"]]
        rows: list[dict[str, Any]] = []
        for digest in digests:
            held = self.files.get(digest)
            if held is None:
                rows.append({"file_id": None, "hash": digest})
                continue
            row: dict[str, Any] = {
                "file_id": held.id, "hash": digest, "size": len(held.content),
                "mime": "image/png", "ext": held.suffix, "width": 160, "height": 120,
                "duration": None, "has_audio": False, "num_frames": None, "num_words": None,
            }  # fmt: skip
            if not asked.query.get("only_return_basic_information"):
                row["tags"] = {key: self._stored(digest, key) for key in (MY_TAGS, OTHER_TAGS)}
            rows.append(row)
        return rows

    def _stored(self, digest: str, service: str) -> dict[str, Any]:
        by_status = {
            status: sorted(tags) for status, tags in self.tags[digest, service].items() if tags
        }
        return {"storage_tags": by_status, "display_tags": by_status}

    def _change(self, body: dict[str, Any]) -> None:
        for service, actions in body["service_keys_to_actions_to_tags"].items():
            for digest in body["hashes"]:
                tags = self.tags[digest, service]
                for tag in actions.get("0", []):
                    assert tag == tag.strip().lower()
                    if tag not in tags["2"] or body["override_previously_deleted_mappings"]:
                        tags["0"].add(tag)
                        tags["2"].discard(tag)
                for tag in actions.get("1", []):
                    if tag in tags["0"] or body["create_new_deleted_mappings"]:
                        tags["0"].discard(tag)
                        tags["2"].add(tag)


def _json(**values: Any) -> Reply:
    return Reply(content={**VERSIONS, **values})
