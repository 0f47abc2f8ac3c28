"""Who is let in: loopback is no wall, since every web page that a person opens can reach it.

A stranger's page can send requests to any port of this machine, under any name that it lets point
here, and other programs of the machine serve pages from the same address. So everything is refused
but what comes from our own page, or from whoever was given the link.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1 << 20
"""Bytes that a request may bring; a decision of 10,000 faces takes half of it."""

READING = ("GET", "HEAD")

HEADERS: tuple[tuple[str, str], ...] = (
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)
"""With every answer: nothing is loaded from elsewhere, and nobody else shows or reads it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is, under which names, and what opens it."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """What the header Host may be."""
        names = ("127.0.0.1", "[::1]", "localhost")
        whole = {f"{name}:{self.port}" for name in names}
        # Browsers leave the usual port out.
        return frozenset(whole | set(names) if self.port == 80 else whole)

    @property
    def origins(self) -> frozenset[str]:
        """What the header Origin may be."""
        return frozenset(f"http://{host}" for host in self.hosts)

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies know no ports, and two galleries may be open."""
        return f"gallery-{self.port}"

    @property
    def link(self) -> str:
        """What a person opens."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"


class RefusedError(Exception):
    """A request is not let in."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Doors:
    """Lets in what the address's own page asks for; all else gets a status and a sentence."""

    def __init__(self, app: ASGIApp, address: Address) -> None:
        self._app = app
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = _Request(scope)
        try:
            self._check_host(request)
            if self._has_token(request):
                await _answer(send, 303, "", (("location", "/"), ("set-cookie", self._set_cookie)))
                return
            self._check(request)
        except RefusedError as refused:
            await _answer(send, refused.status, refused.why)
            return
        await self._app(scope, receive, _with_headers(send))

    @property
    def _set_cookie(self) -> str:
        return f"{self._address.cookie}={self._address.token}; HttpOnly; SameSite=Strict; Path=/"

    def _check_host(self, request: _Request) -> None:
        if request.only("host") not in self._address.hosts:
            raise RefusedError(421, "This is not the address of the page.")

    def _has_token(self, request: _Request) -> bool:
        """Say whether it is the link that was printed."""
        if request.method not in READING or request.path != "/":
            return False
        given = request.query.get("token", [])
        return len(given) == 1 and _is_same(given[0], self._address.token)

    def _check(self, request: _Request) -> None:
        if not _is_same(request.cookie(self._address.cookie), self._address.token):
            raise RefusedError(403, "Open the link that was printed; it lets you in.")
        site = request.only("sec-fetch-site")
        if request.method in READING:
            # Pages of other ports are of the same site, so that they have the cookie, too.
            if site not in (None, "same-origin", "none"):
                raise RefusedError(403, "Another page asked for this.")
            return
        if request.method != "POST":
            raise RefusedError(405, "There are GET, HEAD and POST.")
        self._check_change(request, site)

    def _check_change(self, request: _Request, site: str | None) -> None:
        """Look at what would change something."""
        if request.only("origin") not in self._address.origins:
            raise RefusedError(403, "What changes something wants an Origin of this page.")
        if site != "same-origin":
            raise RefusedError(403, "What changes something wants Sec-Fetch-Site: same-origin.")
        kind, _, rest = (request.only("content-type") or "").partition(";")
        if kind.strip().lower() != "application/json" or rest.strip().lower() not in (
            "", "charset=utf-8",
        ):  # fmt: skip
            raise RefusedError(415, "What changes something is JSON.")
        length = request.only("content-length") or ""
        if not (length.isascii() and length.isdecimal()):
            raise RefusedError(411, "What changes something says its Content-Length.")
        if len(length) > 9 or int(length) > LARGEST_BODY:
            raise RefusedError(413, f"At most {LARGEST_BODY} bytes are taken.")


class _Request:
    """What of a request decides whether it is let in."""

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = parse_qs(scope["query_string"].decode("latin-1"))
        self._headers: Collection[tuple[bytes, bytes]] = scope["headers"]

    def only(self, name: str) -> str | None:
        """Return the header of a name; None where there is none, "" where there are several."""
        found = [value for key, value in self._headers if key.lower() == name.encode("ascii")]
        if not found:
            return None
        return found[0].decode("latin-1") if len(found) == 1 else ""

    def cookie(self, name: str) -> str:
        """Return a cookie, "" where there is none."""
        try:
            found = SimpleCookie(self.only("cookie") or "").get(name)
        except CookieError:
            return ""
        return "" if found is None else found.value


def _is_same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


async def _answer(
    send: Send, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Answer by a sentence."""
    body = text.encode("utf-8")
    own = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))
    length = (("content-length", str(len(body))),)
    every = [
        (key.encode("ascii"), value.encode("ascii"))
        for key, value in (*HEADERS, *own, *length, *headers)
    ]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    """Return what sends our headers with all answers, which are not kept unless they say so."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            headers += [(key.encode("ascii"), value.encode("ascii")) for key, value in HEADERS]
            if not any(key.lower() == b"cache-control" for key, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return sending
