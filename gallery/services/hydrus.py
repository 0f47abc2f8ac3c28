"""The hydrus network's Client API: tags of files, which it knows by their SHA-256, and the files.

https://hydrusnetwork.github.io/hydrus/developer_api.html, version 45 and later: services by their
keys, and no legacy names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from gallery.errors import BadSetting, ServiceFailed, ServiceRefused
from gallery.services.client import Client

KEY_HEADER = "Hydrus-Client-API-Access-Key"

AT_ONCE = 100
"""Files that are asked for at once; their hashes stand in the address."""

MOST_LETTERS = 1024
"""Of a tag; hydrus cuts longer ones."""

MOST_BYTES = 64 * 1024**3
"""Of a file; whatever says that it has more is no answer."""

DIGEST = re.compile(r"[0-9a-f]{64}")
SUFFIX = re.compile(r"\.[0-9a-z]{1,10}")

LOCAL_TAGS = 5
"""The type of a service that holds the user's own tags."""

REPOSITORY = 0
"""The type of one that many people share."""

CURRENT, DELETED = "0", "2"
"""How tags stand in a service, as metadata counts it."""

ADD, DELETE = "0", "1"
"""What can be done about tags of a local service."""


class Permission(IntEnum):
    """What a key may do."""

    EDIT_TAGS = 2
    SEARCH_FILES = 3

    @property
    def words(self) -> str:
        """It as hydrus' own window calls it."""
        return self.name.replace("_", " ").lower()


@dataclass(frozen=True, slots=True)
class TagService:
    """One of the places that hydrus keeps tags in."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class HeldTags:
    """The tags that a file has in a service, and those that were taken from it."""

    current: frozenset[str]
    deleted: frozenset[str]


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that hydrus holds."""

    id: int
    digest: str
    """Its SHA-256."""
    size: int
    """In bytes."""
    suffix: str
    """With the dot, in small letters."""


def cleaned(tag: str) -> str:
    """Return a tag as hydrus stores it: in small letters, without superfluous spaces."""
    return " ".join(tag.lower().split())[:MOST_LETTERS].strip()


class Hydrus:
    """What hydrus is asked and told."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def address(self) -> str:
        """Where it is."""
        return self._client.address.url

    def failed(self, reason: str, remedy: str) -> ServiceFailed:
        """Return what is to be said of an answer that is none."""
        return self._client.failed(reason, remedy)

    def require(self, *wanted: Permission) -> None:
        """Raise ServiceRefused where the key does not permit something, and where it is none."""
        said = self._client.ask("GET", "/verify_access_key")
        with self._client.understood("what the key permits"):
            # Both stand in every version's answer.
            permitted = {int(one) for one in said["basic_permissions"]}
            everything = bool(said.get("permits_everything", False))
        lacking = [one.words for one in wanted if one not in permitted and not everything]
        if lacking:
            raise ServiceRefused(
                self._client.program,
                self.address,
                f"has a key that does not permit to {' and to '.join(lacking)}",
                "give it these rights there, under services, review services",
            )

    def tag_service(self, wanted: str) -> TagService:
        """Return the local tag service of a name or a key.

        Raises InputError where there is none, and for a repository, which is shared with others.
        """
        said = self._client.ask("GET", "/get_services")
        with self._client.understood("its services"):
            known = {
                str(key): (str(one["name"]), int(one["type"]))
                for key, one in said["services"].items()
            }
        own = {key: name for key, (name, kind) in known.items() if kind == LOCAL_TAGS}
        found = [key for key, name in own.items() if wanted in (key, name)]
        if len(found) == 1:
            return TagService(found[0], own[found[0]])
        names = ", ".join(sorted(own.values())) or "none"
        if len(found) > 1:
            reason, cure = "several tag services have the name", "give the key of one"
        elif any(wanted in (key, name) for key, (name, kind) in known.items() if not kind):
            reason = "others share the tag repository"
            cure = f"guesses do not belong there, send to one of yours: {names}"
        else:
            reason, cure = "hydrus has no local tag service", f"there are {names}"
        raise BadSetting("service", f"{reason} {wanted}".capitalize(), cure)

    def tags_of(self, digests: Collection[str], service: TagService) -> dict[str, HeldTags]:
        """Return what tags those of some files have in a service that hydrus knows."""
        found: dict[str, HeldTags] = {}
        for one in self._metadata("hashes", sorted(digests)):
            with self._client.understood("about files"):
                if one["file_id"] is None:
                    continue
                held = one["tags"].get(service.key, {"storage_tags": {}})["storage_tags"]
                found[str(one["hash"])] = HeldTags(
                    frozenset(map(str, held.get(CURRENT, ()))),
                    frozenset(map(str, held.get(DELETED, ()))),
                )
        return found

    def change_tags(
        self,
        digests: Sequence[str],
        service: TagService,
        *,
        add: Collection[str],
        remove: Collection[str],
        again: bool,
    ) -> None:
        """Give tags to files, and take tags from them; what is so already stays.

        A tag that was once taken from a file is not given to it, unless it is to be again.
        """
        actions = {ADD: sorted(add), DELETE: sorted(remove)}
        self._client.ask(
            "POST",
            "/add_tags/add_tags",
            body={
                "hashes": list(digests),
                "service_keys_to_actions_to_tags": {
                    service.key: {action: tags for action, tags in actions.items() if tags}
                },
                "override_previously_deleted_mappings": again,
                "create_new_deleted_mappings": False,
            },
        )

    def search(self, tags: Sequence[str]) -> list[int]:
        """Return the ids of the files that have all of some tags, as its search takes them."""
        said = self._client.ask("GET", "/get_files/search_files", {"tags": list(tags)})
        with self._client.understood("to a search"):
            return [int(one) for one in said["file_ids"]]

    def files(self, ids: Sequence[int]) -> Iterator[HeldFile]:
        """Yield what is known of files, in the order of their ids here."""
        for one in self._metadata("file_ids", ids, only_return_basic_information=True):
            with self._client.understood("about files"):
                held = HeldFile(int(one["file_id"]), one["hash"], int(one["size"]), one["ext"])
                is_sound = DIGEST.fullmatch(held.digest) and SUFFIX.fullmatch(held.suffix)
                if not is_sound or not 0 <= held.size <= MOST_BYTES:
                    raise ValueError(held)
            yield held

    def content(self, file: HeldFile) -> Iterator[bytes]:
        """Yield what a file holds. Raises ServiceFailed where that has another size."""
        return self._client.download("/get_files/file", {"file_id": file.id}, file.size)

    def _metadata(
        self, by: str, keys: Sequence[object], **choices: bool
    ) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(keys), AT_ONCE):
            some = list(keys[start : start + AT_ONCE])
            said = self._client.ask(
                "GET",
                "/get_files/file_metadata",
                {by: some, "include_services_object": False, **choices},
            )
            with self._client.understood("about files"):
                rows = list(said["metadata"])
            yield from rows
