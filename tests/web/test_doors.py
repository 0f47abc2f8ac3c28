"""A table of attacks: whoever is not our own page gets nothing and changes nothing."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from reviewed import ADDRESS, CHANGING, HOST, PORT, client_of, desk_of, reviewed
from starlette.testclient import TestClient

from gallery.engine.engine import Engine
from gallery.web.application import HERE, application
from gallery.web.doors import BRINGING, HEADERS, LARGEST_BODY, LARGEST_PICTURE, Address, Doors

GOOD_HOSTS = (HOST, f"[::1]:{PORT}", f"localhost:{PORT}")
EVIL = f"evil.com:{PORT}"
BAD_HOSTS = (
    "", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"127.0.0.1.evil.com:{PORT}", EVIL,
    f"127.0.0.1:{PORT}.evil.com", f"localhost.evil.com:{PORT}", f"0.0.0.0:{PORT}",
    f"127.0.0.1:{PORT}@evil.com", f"127.0.0.1:0{PORT}", f"127.1:{PORT}",
)  # fmt: skip
ORIGINS = {
    f"http://{HOST}": True,
    f"http://[::1]:{PORT}": True,
    "http://evil.com": False,
    f"https://{HOST}": False,
    f"http://127.0.0.1:{PORT + 1}": False,
    f"http://{HOST}.evil.com": False,
    "null": False,
    None: False,
}
COOKIES = {"the-token": True, "another": False, "": False, None: False}
KINDS = {
    "application/json": True,
    "application/json; charset=utf-8": True,
    "text/plain": False,
    "application/x-www-form-urlencoded": False,
    "multipart/form-data; boundary=x": False,
    "text/plain; application/json": False,
    None: False,
}
SITES = {"same-origin": True, "same-site": False, "cross-site": False, "none": False, None: False}
BODY = json.dumps({"action": "ignore", "faces": [{"id": 1, "version": 0}]})


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path, sure=1, unknown=0)


@pytest.fixture
def client(shown: Engine) -> TestClient:
    return client_of(shown, let_in=False)


def cookie(value: str | None) -> dict[str, str]:
    return {} if value is None else {"cookie": f"{ADDRESS.cookie}={value}"}


def test_nothing_is_changed_but_by_our_own_page(client: TestClient, shown: Engine) -> None:
    decided = 0
    hosts = [*((one, True) for one in GOOD_HOSTS), *((one, False) for one in BAD_HOSTS)]
    for (host, a), (origin, b), (held, c), (kind, d), (site, e) in itertools.product(
        hosts, ORIGINS.items(), COOKIES.items(), KINDS.items(), SITES.items()
    ):
        # What two wrongs do not open, three do not.
        if (a, b, c, d, e).count(False) > (2 if host in (HOST, EVIL) else 1):
            continue
        said = {"origin": origin, "content-type": kind, "sec-fetch-site": site}
        headers = {"host": host, **cookie(held)}
        headers |= {name: value for name, value in said.items() if value is not None}
        answer = client.post("/api/v1/decisions", content=BODY, headers=headers)
        is_let_in = a and b and c and d and e
        assert (answer.status_code == 200) == is_let_in, (headers, answer.text)
        assert a or answer.status_code == 421, headers
        decided += "step" in answer.text and answer.json()["step"] is not None
    assert decided == 1
    assert len(shown.store.decisions.steps()) == 1


SAID = {
    "Bearer the-token-of-programs": True,
    "bearer the-token-of-programs": True,
    "Bearer the-token": False,
    "Bearer another": False,
    "Bearer ": False,
    "the-token-of-programs": False,
    "Basic the-token-of-programs": False,
    None: False,
}
FROM = {**ORIGINS, None: True}
"""Programs do not say where they are from; a page that had their token would have to."""
SEEN_AS = {"same-origin": True, "none": True, None: True, "same-site": False, "cross-site": False}


@pytest.fixture
def programs(shown: Engine) -> TestClient:
    address = Address(PORT, None, bearer="the-token-of-programs")
    return TestClient(Doors(application(desk_of(shown), "drawn"), address), f"http://{HOST}")


@pytest.mark.slow
def test_programs_change_what_they_may_with_their_token_alone(
    programs: TestClient, shown: Engine
) -> None:
    hosts = [*((one, True) for one in GOOD_HOSTS), *((one, False) for one in BAD_HOSTS)]
    for (host, a), (origin, b), (said, c), (kind, d), (site, e) in itertools.product(
        hosts, FROM.items(), SAID.items(), KINDS.items(), SEEN_AS.items()
    ):
        if (a, b, c, d, e).count(False) > (2 if host in (HOST, EVIL) else 1):
            continue
        # The cookie of a page opens nothing here.
        named = {"origin": origin, "content-type": kind, "sec-fetch-site": site}
        headers = {"host": host, **cookie("the-token"), **({"authorization": said} if said else {})}
        headers |= {name: value for name, value in named.items() if value is not None}
        answer = programs.post("/api/v1/decisions", content=BODY, headers=headers)
        assert (answer.status_code == 200) == (a and b and c and d and e), (headers, answer.text)
        assert a or answer.status_code == 421, headers
        assert not a or c or answer.status_code == 401, headers
        assert "set-cookie" not in answer.headers
    assert len(shown.store.decisions.steps()) == 1


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/?token=the-token-of-programs"])
def test_programs_have_the_interface_alone(programs: TestClient, path: str) -> None:
    held = {"authorization": "Bearer the-token-of-programs"}
    assert programs.get("/api/v1/today", headers=held).status_code == 200
    assert programs.get(path, headers=held).status_code == 403
    for headers in ({}, cookie("the-token"), cookie("")):
        assert programs.get(path, headers=headers).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_programs_have_no_other_methods(programs: TestClient, method: str) -> None:
    held = {"authorization": "Bearer the-token-of-programs", "content-type": "application/json"}
    answer = programs.request(method, "/api/v1/decisions", content=BODY, headers=held)
    assert answer.status_code == 405
    assert not [one for one in answer.headers if one.startswith("access-control")]


def test_the_page_knows_no_token_of_programs(client: TestClient) -> None:
    for said in ("Bearer the-token", "Bearer ", "Bearer None"):
        answer = client.get("/api/v1/today", headers={"authorization": said})
        assert answer.status_code == 403


PICTURES = {
    "image/png": True,
    "image/jpeg": True,
    "image/svg+xml": True,
    "IMAGE/PNG": True,
    "image/png; charset=utf-8": False,
    "image/": False,
    "image/*": False,
    "application/json": False,
    "application/octet-stream": False,
    "text/plain": False,
    "multipart/form-data; boundary=x": False,
    "application/x-www-form-urlencoded": False,
    None: False,
}


@pytest.mark.parametrize("path", sorted(BRINGING))
@pytest.mark.slow
def test_pictures_are_brought_by_our_own_page_alone(client: TestClient, path: str) -> None:
    hosts = [*((one, True) for one in GOOD_HOSTS), *((one, False) for one in BAD_HOSTS)]
    for (host, a), (origin, b), (held, c), (kind, d), (site, e) in itertools.product(
        hosts, ORIGINS.items(), COOKIES.items(), PICTURES.items(), SITES.items()
    ):
        if (a, b, c, d, e).count(False) > (2 if host in (HOST, EVIL) else 1):
            continue
        said = {"origin": origin, "content-type": kind, "sec-fetch-site": site}
        headers = {"host": host, **cookie(held)}
        headers |= {name: value for name, value in said.items() if value is not None}
        answer = client.post(path, content=b"no picture", headers=headers)
        # What is let in is looked at by the routes, which refuse it in another way.
        is_let_in = a and b and c and d and e
        wanted = (409, 422) if is_let_in else (403, 415, 421)
        assert answer.status_code in wanted, (headers, answer.text)


def test_a_picture_is_taken_where_one_is_wanted_alone(client: TestClient) -> None:
    headers = {**CHANGING, **cookie("the-token"), "content-type": "image/png"}
    for path in ("/api/v1/decisions", "/api/v1/undo", "/api/v1/search/", "/api/v1/Search"):
        assert client.post(path, content=b"x", headers=headers).status_code == 415
    for path in ("/", "/api/v1/today", "/static/main.js"):
        assert client.post(path, content=b"x", headers=headers).status_code == 415


def test_a_long_picture_is_not_read(client: TestClient) -> None:
    headers = {**CHANGING, **cookie("the-token"), "content-type": "image/png"}
    for path in sorted(BRINGING):
        sent = {**headers, "content-length": str(LARGEST_PICTURE + 1)}
        assert client.post(path, content=b"x", headers=sent).status_code == 413
        sent = {**headers, "content-length": "9" * 40}
        assert client.post(path, content=b"x", headers=sent).status_code == 413
        assert client.post(path, content=iter([b"x"]), headers=headers).status_code == 411


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/v1/today", "/api/v1/crops/1.jpg"])
def test_nothing_is_read_without_the_cookie(client: TestClient, path: str) -> None:
    for held in ("another", "", None):
        assert client.get(path, headers=cookie(held)).status_code == 403
    for host in BAD_HOSTS:
        answer = client.get(path, headers={"host": host, **cookie("the-token")})
        assert answer.status_code == 421, host
    for host in GOOD_HOSTS:
        answer = client.get(path, headers={"host": host, **cookie("the-token")})
        assert answer.status_code == 200, host


@pytest.mark.parametrize("site", ["cross-site", "same-site", "what"])
def test_a_page_of_another_port_reads_nothing(client: TestClient, site: str) -> None:
    headers = {**cookie("the-token"), "sec-fetch-site": site}
    assert client.get("/api/v1/today", headers=headers).status_code == 403


def test_the_link_becomes_a_cookie_that_no_script_reads(client: TestClient) -> None:
    answer = client.get("/?token=the-token")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    held = answer.headers["set-cookie"]
    assert held == f"gallery-{PORT}=the-token; HttpOnly; SameSite=Strict; Path=/"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/?token=another", "/?token=", "/?token=the-token&token=x", "/api/v1/today?token=the-token"],
)
def test_another_link_opens_nothing(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_what_watches_other_servers_is_told_nothing(
    shown: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastAPI would tell a tracer of this process of every request, and what came in with it."""
    watching = pytest.importorskip("fastapi.telemetry._asgi", reason="this FastAPI tells nobody")
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setattr(watching, "_unconfigured", lambda _: False)
    app = application(desk_of(shown), "a gallery")
    assert watching.NativeTelemetry(FastAPI()._telemetry).enabled(), "another server would tell"
    assert not app._native_telemetry.enabled()
    assert app._telemetry["auto_configure"] is False


def test_a_token_in_a_header_of_another_host_opens_nothing(client: TestClient) -> None:
    answer = client.get("/?token=the-token", headers={"host": f"evil.com:{PORT}"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (421, False)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client: TestClient, method: str) -> None:
    headers = {**CHANGING, **cookie("the-token")}
    answer = client.request(method, "/api/v1/decisions", content=BODY, headers=headers)
    assert answer.status_code == 405
    assert not [one for one in answer.headers if one.startswith("access-control")]


def test_a_long_body_is_not_read(client: TestClient) -> None:
    headers = {**CHANGING, **cookie("the-token")}
    long = " " * LARGEST_BODY + BODY
    assert client.post("/api/v1/decisions", content=long, headers=headers).status_code == 413
    both = {**headers, "content-length": str(len(BODY)), "transfer-encoding": "chunked"}
    assert client.post("/api/v1/decisions", content=BODY, headers=both).status_code == 411
    parts = iter([BODY.encode()])
    assert client.post("/api/v1/decisions", content=parts, headers=headers).status_code == 411


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/v1/today", "/nowhere"])
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    for headers in (cookie("the-token"), {}):
        answer = client.get(path, headers=headers)
        for name, value in HEADERS:
            assert answer.headers[name] == value
        assert "access-control-allow-origin" not in answer.headers
    assert "no-store" in answer.headers["cache-control"]


def test_no_path_leads_out_of_what_is_served(client: TestClient) -> None:
    for path in ("/static/../doors.py", "/static/%2e%2e/doors.py", "/static/..%2fdoors.py"):
        assert client.get(path, headers=cookie("the-token")).status_code == 404
    for path in ("/api/v1/crops/..%2f1.jpg", "/api/v1/pictures/%2fetc%2fpasswd.jpg"):
        assert client.get(path, headers=cookie("the-token")).status_code in (404, 422)


def test_the_page_loads_nothing_from_elsewhere() -> None:
    found = [*(HERE / "static").iterdir(), *(HERE / "templates").iterdir()]
    assert found
    for one in found:
        text = one.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z0-9-]+\.", text), one
        assert "innerHTML" not in text, f"{one} makes HTML of text"


def test_a_title_is_no_markup(gallery: Engine) -> None:
    client = TestClient(application(desk_of(gallery), '"><script>alert(1)</script>'))
    assert "<script>alert" not in client.get("/").text


def test_the_usual_port_may_be_left_out() -> None:
    assert "127.0.0.1" in Address(80).hosts
    assert "127.0.0.1" not in ADDRESS.hosts
    assert "the-token" not in repr(ADDRESS)
