"""Whatever answers: one sentence, in bounded time and size, and the key goes nowhere else."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from speaking import KEY, Asked, Reply, Speaker, head, listening, raw

from gallery.errors import BadSetting, ServiceFailed, ServiceRefused
from gallery.services import client
from gallery.services.client import Client, address_of
from gallery.services.keys import key_of, required_key
from gallery.services.known import HYDRUS


class Echo(Speaker):
    def answer(self, asked: Asked) -> Reply:
        return Reply(content={"path": asked.path, "query": dict(asked.query), "body": asked.body})


@pytest.fixture
def echo() -> Iterator[Echo]:
    speaker = Echo()
    with listening(speaker):
        yield speaker


def client_of(url: str, certificate: Path | None = None) -> Client:
    return Client("hydrus", address_of(url), {"Key": KEY}, certificate)


def said_of(echo: Echo, reply: Reply) -> str:
    """The sentence about an answer; it holds no key, and one request was made."""
    echo.errs["*"] = reply
    with pytest.raises(ServiceFailed) as caught:
        client_of(echo.url).ask("GET", "/a")
    said = str(caught.value)
    assert said.startswith(f"hydrus at {echo.url} ")
    assert KEY not in said
    assert said.count("\n") == 0
    assert len(echo.asked) == 1
    return said.removeprefix(f"hydrus at {echo.url} ")


def test_values_of_all_kinds_arrive(echo: Echo) -> None:
    query = {"tags": ["a b", "character:綾波"], "basic": True, "name": "as it is&=?"}
    answer = client_of(f"{echo.url}/base/").ask("POST", "/a", query, {"x": ["ö", None]})
    assert answer == {"path": "/base/a", "query": query, "body": {"x": ["ö", None]}}
    (asked,) = echo.asked
    assert asked.headers["Key"] == KEY


@pytest.mark.parametrize("status", [401, 403, 419])
def test_a_refusal_is_one_of_its_own(echo: Echo, status: int) -> None:
    echo.errs["*"] = Reply(status, {"error": f"Nobody\nknows {KEY}."})
    with pytest.raises(
        ServiceRefused, match=rf"refuses the key \({status}.*: Nobody knows \*\*\*\)"
    ):
        client_of(echo.url).ask("GET", "/a")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(500, b"<html>oops</html>"), "answers 500 Internal Server Error; run this again"),
        (Reply(500, {"message": ["no", "text"]}), "answers 500 Internal Server Error; run this"),
        (Reply(400, {"message": "bad tag"}), "answers 400 Bad Request: bad tag; run this again"),
        (Reply(404, b"gone"), "has nothing at /a (404 Not Found: gone); see that"),
        (Reply(503, b"x" * (1 << 17)), "answers 503 Service Unavailable; run this again"),
        (Reply(200, b"<!doctype html><p>A router"), "answers something that is no JSON"),
        (Reply(200, b"[" * 200_000), "answers something that is no JSON"),
        (Reply(200, b'{"a": "\xff"}'), "answers something that is no JSON"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak HTTP"),
        (raw(b""), "breaks off before all has come"),
        (raw(head(100), b'{"a":'), "breaks off before all has come"),
        (raw(head(5), b'{"a": [1, 2, 3]}'), "answers something that is no JSON"),
        (raw(head(10**12), b"{}"), "answers with more than"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "breaks off before"),
        (raw(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 70_000), "does not speak HTTP"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_one_sentence(echo: Echo, reply: Reply, said: str) -> None:
    assert said_of(echo, reply).startswith(said)


def test_a_busy_program_is_asked_again(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE", 0.0)
    replies = iter([Reply(429), Reply(429, b"x" * 100), Reply(200, [1])])
    monkeypatch.setattr(echo, "answer", lambda _: next(replies))
    assert client_of(echo.url).ask("POST", "/a", body={"b": 1}) == [1]
    assert [one.body for one in echo.asked] == [{"b": 1}] * 3
    echo.errs["*"] = Reply(429, {"error": "Busy, please try again later"})
    with pytest.raises(
        ServiceFailed, match="answers 429 Too Many Requests: Busy, please try again"
    ):
        client_of(echo.url).ask("GET", "/a")
    assert len(echo.asked) == 3 + client.TURNS


def test_an_endless_answer_is_left(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_JSON", 1000)
    reply = raw(head(None), *([b"[" * 500] * 10))
    assert said_of(echo, reply).startswith("answers with more than 1000 bytes; nothing of it")


@pytest.mark.parametrize(
    "pieces", [[b""], [head(1000), *[b" "] * 15], [b"HTTP/1.1 ", *[b"2"] * 15]]
)
def test_an_answer_that_does_not_come_is_not_waited_for(
    echo: Echo, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]
) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.4)
    assert said_of(echo, raw(*pieces, pause=0.8 if len(pieces) == 1 else 0.05)).startswith(
        "does not answer within 0 seconds"
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_key_is_not_carried_to_another_host(echo: Echo, status: int) -> None:
    other = Echo()
    with listening(other):
        place = other.url.replace("127.0.0.1", "localhost")
        said = said_of(echo, Reply(status, headers={"Location": f"{place}/a"}))
    assert other.asked == []
    assert said.startswith("sends on to another address, of localhost, and the key was not carried")


def test_a_proxy_of_the_environment_is_not_asked(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Echo()
    with listening(proxy):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert client_of(echo.url).ask("GET", "/a")["path"] == "/a"
    assert proxy.asked == []


def test_nobody_there() -> None:
    with listening(Echo()) as url:
        pass
    with pytest.raises(ServiceFailed, match=r"cannot be reached .*; see that it runs"):
        client_of(url).ask("GET", "/a")


def test_what_is_no_tls_says_so(echo: Echo) -> None:
    with pytest.raises(ServiceFailed, match="does not speak TLS; its address may begin with http"):
        client_of(echo.url.replace("http:", "https:")).ask("GET", "/a")


@pytest.mark.parametrize(
    ("size", "content", "said"),
    [
        (5, b"12345", ""),
        (6, b"12345", "gives 5 bytes of a file of 6"),
        (4, b"12345", "answers with more than 4 bytes"),
    ],
)
def test_a_file_has_the_size_that_it_should(
    echo: Echo, size: int, content: bytes, said: str
) -> None:
    echo.errs["*"] = Reply(content=content)
    chunks = client_of(echo.url).download("/file", {}, size)
    if said:
        with pytest.raises(ServiceFailed, match=said):
            list(chunks)
    else:
        assert b"".join(chunks) == content


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:80", "ftp://a/", "http://", "http://a:x/", "http://[::1", "file:///a", "http://a\n",
     "http://me:secret@a/", "http://a/?key=secret", "http://a/#secret"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(BadSetting) as caught:
        address_of(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown", "is_overheard"),
    [
        ("http://127.0.0.1:80/", "http://127.0.0.1:80", False),
        ("http://[::1]:2283/api/", "http://[::1]:2283/api", False),
        ("http://localhost", "http://localhost:80", False),
        ("http://10.0.0.3:9", "http://10.0.0.3:9", True),
        ("http://nas", "http://nas:80", True),
        ("https://nas", "https://nas:443", False),
    ],
)
def test_addresses(url: str, shown: str, is_overheard: bool) -> None:
    address = address_of(url)
    assert (address.url, address.is_overheard) == (shown, is_overheard)


class TestKeys:
    def test_a_key_is_in_the_environment_or_in_a_file_of_ones_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GALLERY_HYDRUS_KEY", f" {KEY}\n")
        assert key_of(HYDRUS, None) == KEY
        file = tmp_path / "key"
        file.write_text("another\n")
        file.chmod(0o600)
        assert key_of(HYDRUS, file) == "another"
        monkeypatch.delenv("GALLERY_HYDRUS_KEY")
        assert key_of(HYDRUS, None) == ""
        with pytest.raises(BadSetting, match="hydrus wants a key, and GALLERY_HYDRUS_KEY is not"):
            required_key(HYDRUS, None)

    @pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", b"x" * 5000])
    def test_what_is_no_key_is_not_shown(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "key"
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(BadSetting, match=r"holds no key of hydrus; put the key alone into it"):
            key_of(HYDRUS, file)

    def test_a_key_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text(KEY)
        file.chmod(0o644)
        with pytest.raises(BadSetting, match="can be read by others than its owner"):
            key_of(HYDRUS, file)

    def test_a_key_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(BadSetting, match="cannot be read: No such file or directory"):
            key_of(HYDRUS, tmp_path / "nothing")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hydrus")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "client.crt", folder / "client.key"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, private


def test_certificates_are_checked(tmp_path: Path) -> None:
    pem, private = certificate(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[1]")

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that turns away is what is tested."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"https://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(ServiceFailed, match=r"a certificate that is not trusted \(self.signed"):
            client_of(url).ask("GET", "/a")
        assert client_of(url, pem).ask("GET", "/a") == [1]
        with pytest.raises(ServiceFailed, match=r"not trusted .*localhost"):
            client_of(url.replace("127.0.0.1", "localhost"), pem).ask("GET", "/a")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    with pytest.raises(BadSetting, match="cannot be trusted: No such file"):
        client_of("https://127.0.0.1:1", file)
    file.write_text("nothing")
    with pytest.raises(BadSetting, match=r"cannot be trusted: is no certificate in PEM"):
        client_of("https://127.0.0.1:1", file)
