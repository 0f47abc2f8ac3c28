"""A small server on loopback that stands for a program, writes down what it is asked, and errs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

KEY = "0123456789abcdef" * 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as its server understood it."""

    method: str
    path: str
    query: Mapping[str, Any]
    """Values that are JSON are what that holds."""
    body: Any
    headers: Mapping[str, str] = field(compare=False)

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; content that is neither bytes nor None is sent as JSON."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_sent: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Sends something else instead."""

    @property
    def payload(self) -> bytes:
        if self.content is None:
            return b""
        return (
            self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        )


class Speaker:
    """What answers requests; a program is a class below it."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.errs: dict[str, Reply] = {}
        """What is answered instead, by method and path; `*` stands for all."""
        self.url = ""

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    @property
    def lines(self) -> list[str]:
        """Methods and paths of all requests, in their order."""
        return [one.line for one in self.asked]

    def respond(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.errs.get(asked.line) or self.errs.get("*") or self.answer(asked)


@contextmanager
def listening(speaker: Speaker) -> Iterator[str]:
    """Let a program listen on loopback, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            content = self.rfile.read(length)
            asked = Asked(
                self.command,
                unquote(parts.path),
                {name: _value(text) for name, text in parse_qsl(parts.query)},
                json.loads(content) if content else None,
                dict(self.headers),
            )
            reply = speaker.respond(asked)
            if reply.is_sent is not None:
                reply.is_sent(self)
                self.close_connection = True
                return
            self.send_response(reply.status)
            headers = {"Content-Length": str(len(reply.payload)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.payload)

        do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # nothing of a test goes on behind its end

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        speaker.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield speaker.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def raw(*pieces: bytes, pause: float = 0.0) -> Reply:
    """An answer whose every byte is as it stands here, a piece after the other."""
    import time

    def send(handler: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            try:
                handler.wfile.write(piece)
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(pause)

    return Reply(is_sent=send)


def head(length: int | None, kind: str = "application/json") -> bytes:
    """The beginning of an answer that says how long it is."""
    said = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{said}Connection: close\r\n\r\n".encode()
