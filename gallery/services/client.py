"""Talks to one program by JSON over HTTP: bounded in size and time, and with nobody else.

It is the standard library's connection, which asks no proxy, follows no redirection and keeps no
cookie. So a key goes to the address that a user gave, and nowhere else.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

from gallery.errors import BadSetting, ServiceFailed, ServiceRefused
from gallery.system.escapes import one_line

PATIENCE = 60.0
"""Seconds that a whole answer may take; a search of a million files takes some."""

SLOWEST = 100_000
"""Bytes in a second at which a file has to come, at least."""

BUSY = 429
"""The status of a program that has done nothing yet, and will later."""

TURNS, PAUSE = 10, 1.0
"""So often a busy program is asked, with so many seconds between."""

MOST_JSON = 64 * 1024 * 1024
"""Bytes of an answer that is no file."""

MOST_SAID = 200
"""Letters of what a program says of its refusal that are told."""

CHUNK = 1 << 16

SHORT = len("Bearer")
"""No key is as short."""

LOOPBACK = "localhost"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a program listens."""

    url: str
    """As it is shown and remembered, without a slash at its end."""
    host: str
    port: int
    path: str
    """What stands before the paths of the interface; empty where it is at the root."""
    is_encrypted: bool

    @property
    def is_overheard(self) -> bool:
        """Whether what goes there can be read on the way."""
        if self.is_encrypted or self.host == LOOPBACK:
            return False
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return True


def address_of(url: str) -> Address:
    """Return the address that a URL names. Raises InputError for anything else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https") or not url.isprintable():
        raise BadSetting(
            "url",
            f"{one_line(url)} is no address of a program",
            "give one as http://127.0.0.1:8000",
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise BadSetting(
            "url",
            f"The address of {host} holds more than where it is",
            "leave out names, keys and questions",
        )
    is_encrypted = parts.scheme == "https"
    port = port or (443 if is_encrypted else 80)
    path = quote(parts.path.rstrip("/"), safe="/%")
    shown = f"[{host}]" if ":" in host else host
    return Address(f"{parts.scheme}://{shown}:{port}{path}", host, port, path, is_encrypted)


class Client:
    """Asks one program; every question has a connection of its own."""

    def __init__(
        self,
        program: str,
        address: Address,
        secrets: Mapping[str, str],
        certificate: Path | None = None,
    ) -> None:
        """Take what the program is called, and the headers that hold the key.

        A certificate in a PEM file is trusted, too. Raises InputError where that cannot be read.
        """
        self.program, self.address = program, address
        self._secrets = dict(secrets)
        self._tls = _tls(certificate) if address.is_encrypted else None

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        *,
        missing: bool = False,
    ) -> Any:
        """Return the JSON that the program answers; None for no content.

        Where something may be missing, None stands for its 404, too. Values of the query that are
        no texts are JSON. A program that is busy and has done nothing is asked again some times.
        Raises ServiceFailed for everything else than an answer.
        """
        for turn in range(1, TURNS + 1):
            with self._answer(method, path, query, body, PATIENCE) as answer:
                if missing and answer.status == 404:
                    return None
                is_busy = answer.status == BUSY and turn < TURNS
                if not is_busy:
                    self._check(answer, path)
                    content = b"".join(self._chunks(answer, MOST_JSON))
                    break
            time.sleep(PAUSE)
        if not content:
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self.failed(
                "answers something that is no JSON", "see that it is the right address"
            ) from error

    def download(self, path: str, query: Mapping[str, object], size: int) -> Iterator[bytes]:
        """Yield a file of a known size, in bytes. Raises ServiceFailed where it has another."""
        with self._answer("GET", path, query, None, PATIENCE + size / SLOWEST) as answer:
            self._check(answer, path)
            came = 0
            for chunk in self._chunks(answer, size):
                came += len(chunk)
                yield chunk
        if came != size:
            raise self.failed(f"gives {came} bytes of a file of {size}", "run this again")

    @contextmanager
    def understood(self, what: str) -> Iterator[None]:
        """Raise ServiceFailed where an answer has another shape than its reader takes."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self.failed(
                f"answers {what} in another way than {self.program} does",
                f"see that it is {self.program}, and no old version",
            ) from error

    def failed(self, reason: str, remedy: str = "") -> ServiceFailed:
        """Return what is to be said of an answer that is none."""
        return ServiceFailed(self.program, self.address.url, reason, remedy)

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None,
        body: object,
        seconds: float,
    ) -> Iterator[http.client.HTTPResponse]:
        """Ask, and give what comes until all of it is there, for so many seconds at most."""
        target = self.address.path + path
        if query:
            target += "?" + urlencode({name: _text(value) for name, value in query.items()})
        content = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Connection": "close", **self._secrets}
        if content is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection(seconds)
        try:
            with _ended_after(connection, seconds) as is_late:
                try:
                    connection.request(method, target, content, headers)
                    with connection.getresponse() as answer:
                        yield answer
                except (OSError, http.client.HTTPException, ValueError, ServiceFailed) as error:
                    if isinstance(error, TimeoutError) or is_late.is_set():
                        raise self._silent(seconds) from error
                    if isinstance(error, ServiceFailed):
                        raise
                    raise self._torn(error) from error
                if is_late.is_set():
                    raise self._silent(seconds)
        finally:
            connection.close()

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        host, port = self.address.host, self.address.port
        connection = (
            http.client.HTTPConnection(host, port, timeout=seconds)
            if self._tls is None
            else http.client.HTTPSConnection(host, port, timeout=seconds, context=self._tls)
        )
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise self.failed(
                f"has a certificate that is not trusted ({error.verify_message})",
                "give the file of the certificate if it is its own",
            ) from error
        except TimeoutError as error:
            connection.close()
            raise self._silent(seconds) from error
        except ssl.SSLError as error:
            connection.close()
            raise self.failed("does not speak TLS", "its address may begin with http") from error
        except (OSError, ValueError) as error:
            connection.close()
            why = getattr(error, "strerror", None) or error
            raise self.failed(
                f"cannot be reached ({why})", "see that it runs and lets programs in"
            ) from error
        return connection

    def _check(self, answer: http.client.HTTPResponse, path: str) -> None:
        """Raise ServiceFailed for an answer that says no."""
        status = answer.status
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            self._sent_elsewhere(answer)
        said = self._said(answer)
        if status in (401, 403, 419):
            raise ServiceRefused(
                self.program,
                self.address.url,
                f"refuses the key ({said})",
                "see that it is the right one, and may do what is asked",
            )
        if status == 404:
            raise self.failed(f"has nothing at {path} ({said})", "see that the address is right")
        raise self.failed(f"answers {said}", "run this again when it is well")

    def _sent_elsewhere(self, answer: http.client.HTTPResponse) -> NoReturn:
        place = answer.headers.get("Location", "")
        with suppress(ValueError):
            place = urlsplit(place).hostname or self.address.host
        place = one_line(place)[:MOST_SAID]
        raise self.failed(
            f"sends on to another address, of {place}, and the key was not carried there",
            "give that address if it is right",
        )

    def _said(self, answer: http.client.HTTPResponse) -> str:
        """Return a status with what the program says of it, without any key."""
        status = f"{answer.status} {answer.reason}".strip()
        try:
            text = b"".join(self._chunks(answer, CHUNK)).decode("utf-8", "replace")
        except ServiceFailed:
            text = ""
        with suppress(ValueError, RecursionError, AttributeError, TypeError):
            values: Any = json.loads(text)
            text = ""
            (first, *_) = values.get("errors") or [{}]
            text = values.get("message") or values.get("error") or first.get("message") or ""
        text = text if isinstance(text, str) and not text.lstrip().startswith("<") else ""
        # Some headers hold a word before the key.
        words = [word for value in self._secrets.values() for word in value.split()]
        for secret in filter(lambda word: len(word) > SHORT, words):
            text, status = text.replace(secret, "***"), status.replace(secret, "***")
        text = one_line(text)[:MOST_SAID].rstrip(".")
        status = one_line(status)[:MOST_SAID]
        return f"{status}: {text}" if text and text not in status else status

    def _chunks(self, answer: http.client.HTTPResponse, most: int) -> Iterator[bytes]:
        """Yield what comes, of so many bytes at most."""
        too_much = self.failed(f"answers with more than {most} bytes", "nothing of it was kept")
        if answer.length is not None and answer.length > most:
            raise too_much
        came = 0
        while chunk := answer.read(CHUNK):
            came += len(chunk)
            if came > most:
                raise too_much
            yield chunk
        if answer.length:
            raise self.failed("breaks off before all has come", "run this again")

    def _silent(self, seconds: float) -> ServiceFailed:
        return self.failed(
            f"does not answer within {seconds:.0f} seconds", "run this again when it is less busy"
        )

    def _torn(self, error: Exception) -> ServiceFailed:
        if isinstance(error, (ConnectionError, ssl.SSLError, http.client.IncompleteRead)):
            return self.failed("breaks off before all has come", "run this again")
        return self.failed("does not speak HTTP", "see that it is the right address")


@contextmanager
def _ended_after(
    connection: http.client.HTTPConnection, seconds: float
) -> Iterator[threading.Event]:
    """End a connection after a time, however it trickles; the event says that this was it."""
    is_late, line = threading.Event(), connection.sock

    def end() -> None:
        is_late.set()
        with suppress(OSError):
            # Not the method of TLS, which another thread may be in.
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()


def _tls(certificate: Path | None) -> ssl.SSLContext:
    """Return what checks certificates: by the system's, and one that a user trusts."""
    context = ssl.create_default_context()
    if certificate is not None:
        try:
            context.load_verify_locations(cafile=certificate)
        except OSError as error:
            why = "is no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
            raise BadSetting(
                "certificate_file", f"{certificate} cannot be trusted: {why}", "name another file"
            ) from error
    return context


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
