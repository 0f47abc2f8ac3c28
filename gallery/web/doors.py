"""Who is let in: loopback is no wall, since every web page that a person opens can reach it.

A stranger's page can send requests to any port of this machine, under any name that it lets point
here, and other programs of the machine serve pages from the same address. So everything is refused
but what comes from our own page, from whoever was given the link, and from programs that say the
token which is made for them.
"""

from __future__ import annotations

import json
import re
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

LARGEST_PICTURE = 64 << 20
"""Bytes of a picture that is brought; what it may unfold to is looked at where it is decoded."""

BRINGING = frozenset({"/api/v1/identify", "/api/v1/search", "/api/v1/samples"})
"""Which routes take a picture, and nothing else."""

PICTURE = re.compile(r"image/[a-z0-9][a-z0-9.+-]*")

READING = ("GET", "HEAD")

INTERFACE = "/api/v1/"
"""What programs may ask for."""

LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
"""How links call this machine where nobody else reaches it."""

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
    """Where the page or the interface is, under which names, and what opens it."""

    port: int
    token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """What opens the page; None where there is none."""
    names: tuple[str, ...] = LOOPBACK
    """How links may call the host; the first one stands in those that are printed."""
    is_secure: bool = False
    """Whether TLS is spoken."""
    bearer: str | None = field(default=None, repr=False)
    """What lets programs in; None where there are none."""

    @property
    def hosts(self) -> frozenset[str]:
        """What the header Host may be."""
        whole = {f"{name}:{self.port}" for name in self.names}
        # Browsers leave the usual port out.
        is_usual = self.port == (443 if self.is_secure else 80)
        return frozenset(whole | set(self.names) if is_usual else whole)

    @property
    def origins(self) -> frozenset[str]:
        """What the header Origin may be."""
        return frozenset(f"{self._scheme}://{host}" for host in self.hosts)

    @property
    def _scheme(self) -> str:
        return "https" if self.is_secure else "http"

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies know no ports, and two galleries may be open."""
        return f"gallery-{self.port}"

    @property
    def link(self) -> str:
        """What a person opens."""
        return f"{self.root}/?token={self.token}"

    @property
    def root(self) -> str:
        """What the paths of all requests stand behind."""
        return f"{self._scheme}://{self.names[0]}:{self.port}"


class RefusedError(Exception):
    """A request is not let in."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Doors:
    """Lets in what our own page and programs ask for; all else gets a status and a sentence."""

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
            asks = (("www-authenticate", "Bearer"),) if refused.status == 401 else ()
            is_program = request.path.startswith(INTERFACE)
            await _answer(send, refused.status, refused.why, asks, as_json=is_program)
            return
        await self._app(scope, receive, _with_headers(send))

    @property
    def _set_cookie(self) -> str:
        what = f"{self._address.cookie}={self._address.token}; HttpOnly; SameSite=Strict; Path=/"
        return f"{what}; Secure" if self._address.is_secure else what

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
        is_program = self._is_program(request)
        if not is_program and not _is_same(
            request.cookie(self._address.cookie), self._address.token
        ):
            raise RefusedError(403, "Open the link that was printed; it lets you in.")
        site = request.only("sec-fetch-site")
        # Pages of other ports are of the same site, so that they have the cookie, too.
        if site not in (None, "same-origin", "none"):
            raise RefusedError(403, "Another page asked for this.")
        if request.method in READING:
            return
        if request.method != "POST":
            raise RefusedError(405, "There are GET, HEAD and POST.")
        # A page that has the token of programs would say where it is from; programs say nothing.
        origin = request.only("origin")
        if origin not in self._address.origins and (origin is not None or not is_program):
            raise RefusedError(403, "What changes something wants an Origin of this page.")
        if site != "same-origin" and not is_program:
            raise RefusedError(403, "What changes something wants Sec-Fetch-Site: same-origin.")
        self._check_body(request)

    def _is_program(self, request: _Request) -> bool:
        """Say whether a program asks that has the token; who says another one is refused."""
        if self._address.bearer is None:
            return False
        kind, _, given = (request.only("authorization") or "").partition(" ")
        if kind.lower() == "bearer" and _is_same(given.strip(), self._address.bearer):
            if request.path.startswith(INTERFACE):
                return True
            raise RefusedError(403, f"For programs there is what begins with {INTERFACE}.")
        if request.only("authorization") is None and self._address.token is not None:
            return False
        raise RefusedError(401, "Send the token of programs, as Authorization: Bearer TOKEN.")

    def _check_body(self, request: _Request) -> None:
        """Look at what a request brings."""
        self._check_kind(request)
        most = LARGEST_PICTURE if request.path in BRINGING else LARGEST_BODY
        length = request.only("content-length") or ""
        # What comes in pieces may be longer than it says.
        is_whole = request.only("transfer-encoding") is None
        if not (is_whole and length.isascii() and length.isdecimal()):
            raise RefusedError(411, "What changes something says its Content-Length.")
        if len(length) > 9 or int(length) > most:
            raise RefusedError(413, f"At most {most} bytes are taken.")

    def _check_kind(self, request: _Request) -> None:
        """Let JSON in, and to the routes that take a picture pictures alone.

        Neither is a kind that another page may send without being asked for leave.
        """
        kind, _, rest = (request.only("content-type") or "").partition(";")
        kind, rest = kind.strip().lower(), rest.strip().lower()
        if request.path in BRINGING:
            if not PICTURE.fullmatch(kind) or rest:
                raise RefusedError(415, "This wants a picture.")
        elif kind != "application/json" or rest not in ("", "charset=utf-8"):
            raise RefusedError(415, "What changes something is JSON.")


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


def _is_same(given: str, token: str | None) -> bool:
    """Say whether a token is the one; none is where there is none."""
    return bool(token) and secrets.compare_digest(given.encode(), (token or "").encode())


async def _answer(
    send: Send,
    status: int,
    text: str,
    headers: tuple[tuple[str, str], ...] = (),
    *,
    as_json: bool = False,
) -> None:
    """Answer by a sentence."""
    body = (json.dumps({"detail": text}) if as_json else text).encode("utf-8")
    kind = "application/json" if as_json else "text/plain; charset=utf-8"
    own = (("content-type", kind), ("cache-control", "no-store"))
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
