"""What programs are answered over HTTP, and what of it the documentation says."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from command import INTERRUPTED, call, environment
from fakes import FakeDetector, Square, fake_gallery, write_picture
from reviewed import ADDRESS, COLOURS, HOST, desk_of, reviewed
from starlette.testclient import TestClient

from gallery.engine.engine import Engine
from gallery.errors import BadSetting
from gallery.output.records import as_json
from gallery.store.reader import Store
from gallery.web.application import application
from gallery.web.doors import Address, Doors
from gallery.web.places import Certificate, Place, place_of
from gallery.web.server import listening, serving
from gallery.web.tokens import check_token, kept_token

SAID = "the-token-of-programs"
HELD = {"authorization": f"Bearer {SAID}"}
OPEN = urllib.request.build_opener().open
EVERY = str(ipaddress.IPv4Address(0))
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")


def opener(
    trusting: ssl.SSLContext | None = None, token: str = SAID
) -> urllib.request.OpenerDirector:
    """What asks with a token."""
    made = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusting))
    made.addheaders = [("authorization", f"Bearer {token}")]
    return made


@pytest.fixture
def shown(gallery: Engine, tmp_path: Path) -> Engine:
    return reviewed(gallery, tmp_path)


@pytest.fixture
def client(shown: Engine) -> TestClient:
    address = Address(ADDRESS.port, None, bearer=SAID)
    doors = Doors(application(desk_of(shown), "drawn"), address)
    return TestClient(doors, base_url=f"http://{HOST}", headers=HELD, follow_redirects=False)


def test_a_picture_is_identified_as_the_command_does(
    client: TestClient, shown: Engine, tmp_path: Path
) -> None:
    path = write_picture(tmp_path / "asked.png", Square(30, 20, 60, COLOURS["Rei"]), seed=9)
    kind = {"content-type": "image/png"}
    answer = client.post("/api/v1/identify?top=2", content=path.read_bytes(), headers=kind)
    assert answer.status_code == 200, answer.text
    from gallery.media.images import read_image

    said = as_json(shown.identify(read_image(path), top=2))
    assert answer.json() == {key: said[key] for key in answer.json()}
    assert {*said} - {*answer.json()} == {"path", "error"}
    assert [one["character"] for one in answer.json()["faces"]] == ["Rei"]
    assert shown.store.sightings.at(path) == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"no picture", "image/png", 409),
        (b"", "image/png", 422),
        (b"{}", "application/json", 415),
        (b"{}", "image/png; charset=utf-8", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_what_is_no_picture_is_told(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    answer = client.post("/api/v1/identify", content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_what_was_decided_is_listed_page_by_page(client: TestClient) -> None:
    faces = client.get("/api/v1/faces?name=Rei").json()["faces"]
    given = [{"id": one["id"], "version": one["version"]} for one in faces]
    for body in (
        {"action": "confirm", "name": "Rei", "faces": given[:3]},
        {"action": "no_face", "faces": given[3:]},
    ):
        assert client.post("/api/v1/decisions", json=body).status_code == 200
    first = client.get("/api/v1/decisions?limit=2").json()
    second = client.get(f"/api/v1/decisions?limit=2&after={first['after']}").json()
    listed = [one["id"] for one in first["faces"] + second["faces"]]
    assert (sorted(listed), second["after"]) == (sorted(one["id"] for one in given[:3]), None)
    assert client.get("/api/v1/decisions?name=Asuka").json()["faces"] == []
    (lone,) = client.get("/api/v1/decisions?state=no_face").json()["faces"]
    assert (lone["id"], lone["decided"]) == (given[3]["id"], "no_face")
    assert client.get("/api/v1/decisions?name=Nobody").status_code == 404
    assert client.get("/api/v1/decisions?state=perhaps").status_code == 422


def test_confirmed_faces_become_references(client: TestClient, shown: Engine) -> None:
    nothing = client.post("/api/v1/references", json={"names": ["Rei"]}).json()
    assert nothing == {"step": None, "of": []}
    assert client.post("/api/v1/references", json={"names": ["Nobody"]}).status_code == 404
    faces = [one for row in client.get("/api/v1/doubtful").json()["rows"] for one in row["faces"]]
    given = [{"id": one["id"], "version": one["version"]} for one in faces]
    client.post("/api/v1/decisions", json={"action": "confirm", "name": "Asuka", "faces": given})
    assert client.get("/api/v1/today").json()["confirmed"] == 2
    for is_dry in (True, False):
        wanted = {"take": 1, "dry_run": is_dry}
        told = client.post("/api/v1/references", json=wanted).json()
        (asuka,) = told["of"]
        assert (asuka["name"], asuka["confirmed"], len(asuka["faces"])) == ("Asuka", 2, 1)
        assert {one["id"] for one in asuka["faces"]} <= {one["id"] for one in faces}
    assert told["step"]["title"] == "took 1 reference of Asuka"
    assert shown.store.character("Asuka").samples == 3
    assert client.get("/api/v1/news").json()["stale"] == 14
    client.post("/api/v1/undo", json={"step": told["step"]["id"]})
    assert shown.store.character("Asuka").samples == 2
    (undone, *_) = client.get("/api/v1/history").json()["steps"]
    refused = client.post("/api/v1/undo", json={"step": undone["id"]})
    assert (refused.status_code, "anew" in refused.json()["detail"]) == (409, True)


def test_every_route_says_what_it_takes_and_answers(client: TestClient) -> None:
    told = client.get("/api/v1/openapi.json").json()
    complaint = {"$ref": "#/components/schemas/ComplaintShape"}
    for path, routes in told["paths"].items():
        assert path.startswith("/api/v1/")
        for method, one in routes.items():
            what = f"{method} {path}"
            assert one["summary"], what
            assert not one["summary"].endswith("."), what
            (good,) = one["responses"]["200"]["content"].items()
            assert good[0] == "image/jpeg" or "$ref" in json.dumps(good[1]["schema"]), what
            wanted = {"401", "403", "409", "421", "500"}
            wanted |= {"411", "413", "415"} if method == "post" else set()
            wanted |= {"404"} if "{" in path else set()
            assert wanted <= one["responses"].keys(), what
            for status in wanted:
                schema = one["responses"][status]["content"]["application/json"]["schema"]
                assert schema == complaint, (what, status)
            if method == "post":
                (body,) = one["requestBody"]["content"]
                assert body in ("application/json", "image/*"), what


def test_a_refusal_has_the_shape_that_is_told(client: TestClient) -> None:
    answer = client.get("/api/v1/today", headers={"authorization": "Bearer another"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["detail"].startswith("Send the token")
    answer = client.get("/api/v1/today", headers={"host": "evil.com"})
    assert (answer.status_code, [*answer.json()]) == (421, ["detail"])


def test_the_examples_of_the_page_work(gallery: Engine, tmp_path: Path) -> None:
    if shutil.which("curl") is None or os.name != "posix":
        pytest.skip("no curl is installed")
    desk = desk_of(reviewed(gallery, tmp_path))
    write_picture(tmp_path / "picture.png", Square(30, 20, 60, COLOURS["Asuka"]), seed=9)
    token, _ = kept_token(tmp_path / "token")
    curl = next(one for one in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "curl" in one)
    (python,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with listening(None) as (port, sockets):
        address = Address(port, None, bearer=token)
        with serving(application(desk, "drawn"), address, sockets):
            shell = ["bash", "-euo", "pipefail", "-c", curl.replace("8477", str(port))]
            done = subprocess.run(
                shell, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
            )
            told = _values(done.stdout)
            program = [sys.executable, "-c", python.replace("8477", str(port))]
            said = subprocess.run(
                program, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
            ).stdout.splitlines()
    identified, today, faces, decided = told
    assert [one["character"] for one in identified["faces"]] == ["Asuka"]
    assert today["seen"] == 14
    assert faces["name"] == "Asuka"
    assert decided["step"]["title"] == "confirmed 1 as Asuka"
    assert said[0].startswith("sure Asuka [")
    assert said[1] == "confirmed 4 as Rei - 0 were decided by somebody else meanwhile"
    assert [one.action.value for one in gallery.store.decisions.steps()] == [
        "undo", "confirm", "confirm",
    ]  # fmt: skip


def _values(text: str) -> list[Any]:
    """Return the JSON values that stand one behind the other."""
    found, place = [], 0
    while place < len(text):
        value, place = json.JSONDecoder().raw_decode(text, place)
        found.append(value)
    return found


def test_a_token_is_made_once_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "token"
    token, is_new = kept_token(path)
    assert (is_new, len(token)) == (True, 43)
    assert kept_token(path) == (token, False)
    if os.name != "posix":
        return
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(BadSetting, match="can be read by others"):
        kept_token(path)


@pytest.mark.parametrize("text", ["", "short", "t" * 201, "one and two are no token", "é" * 30])
def test_what_is_no_token_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(f"{text}\n", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(BadSetting) as told:
        kept_token(path)
    assert str(path) in str(told.value)
    with pytest.raises(BadSetting, match="GALLERY_TOKEN"):
        check_token(text, "GALLERY_TOKEN")


def test_a_token_file_that_cannot_be_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "file" / "token"):
        (tmp_path / "file").write_text("")
        with pytest.raises(BadSetting, match="cannot be read or made"):
            kept_token(path)


def test_without_a_host_this_machine_alone_is_meant() -> None:
    assert place_of() == Place()
    assert not place_of("127.0.0.1").is_exposed
    assert "localhost" in place_of("127.0.0.1", ["Gallery.Home"]).names
    assert place_of(None, ["Gallery.Home"]).names[0] == "gallery.home"


def test_other_machines_want_tls_and_a_name() -> None:
    with pytest.raises(BadSetting, match="without TLS"):
        place_of("192.0.2.1")
    with pytest.raises(BadSetting, match="without TLS"):
        place_of(EVERY, ["gallery.home"])
    with pytest.raises(BadSetting, match="Nobody knows"):
        place_of("no host.invalid")
    with pytest.raises(BadSetting, match="A key alone"):
        place_of(key=Path("key.pem"))
    with pytest.raises(BadSetting, match="cannot be read"):
        place_of(certificate=Path("/nowhere.pem"))
    with (
        pytest.raises(BadSetting, match="no address of this machine"),
        listening(None, ["192.0.2.1"]),
    ):
        pass


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A certificate of localhost that signs itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl is installed")
    one = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {one.key} "
    words += f"-out {one.file} -addext subjectAltName=DNS:localhost"
    subprocess.run([openssl, *words.split()], check=True, capture_output=True)
    return one


def test_with_a_certificate_the_place_is_made_and_tls_is_spoken(
    shown: Engine, certificate: Certificate
) -> None:
    exposed = place_of(EVERY, ["gallery.home"], certificate.file, certificate.key)
    assert (exposed.is_exposed, exposed.names) == (True, ("gallery.home",))
    with pytest.raises(BadSetting, match="every address"):
        place_of(EVERY, (), certificate.file, certificate.key)
    with pytest.raises(BadSetting, match="no certificate with its key"):
        place_of(EVERY, ["gallery.home"], certificate.file)
    place = place_of(None, ["localhost"], certificate.file, certificate.key)
    with listening(None, place.addresses) as (port, sockets):
        address = Address(port, None, place.names, is_secure=True, bearer=SAID)
        app = application(desk_of(shown), "drawn")
        with serving(app, address, sockets, place.certificate):
            assert address.root == f"https://localhost:{port}"
            trusting = ssl.create_default_context(cafile=certificate.file)
            with opener(trusting).open(f"{address.root}/api/v1/today", timeout=60) as answer:
                assert json.load(answer)["seen"] == 14
            with pytest.raises((urllib.error.URLError, OSError)):
                OPEN(f"http://localhost:{port}/api/v1/today", timeout=30)


def test_a_cookie_over_tls_is_for_tls_alone(shown: Engine) -> None:
    address = Address(ADDRESS.port, "the-token", is_secure=True)
    doors = Doors(application(desk_of(shown), "drawn"), address)
    client = TestClient(doors, base_url=f"https://{HOST}", follow_redirects=False)
    assert client.get("/?token=the-token").headers["set-cookie"].endswith("; Secure")
    assert address.origins == {f"https://{host}" for host in address.hosts}


def test_the_commands_say_what_is_missing(database: Path) -> None:
    Store(str(database), create=True).close()
    for name in ("serve", "review"):
        done = call(name, "--host", "192.0.2.1", cwd=database.parent, database=database)
        assert done.code == 1
        assert done.complaint == (
            "Other machines reach 192.0.2.1, and without TLS the token and all pictures can be "
            "read on the way; give --certificate FILE and --key FILE, or leave --host out."
        )


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.slow
def test_serve_makes_a_token_prints_it_once_and_answers(database: Path, tmp_path: Path) -> None:
    Store(str(database), create=True).close()
    path = tmp_path / "token"
    for is_first in (True, False):
        process = subprocess.Popen(
            [
                *INTERRUPTED,
                *("--database", str(database), "serve"),
                *("--token-file", str(path), "--port", str(_free_port())),
            ],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            api = process.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/v1/", api)
            token = path.read_text().strip()
            with opener(token=token).open(f"{api}characters", timeout=60) as answer:
                assert json.load(answer) == {"characters": []}
            with pytest.raises(urllib.error.HTTPError, match="401"):
                OPEN(f"{api}characters", timeout=60)
            process.send_signal(signal.SIGINT)
            rest, said = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        assert (process.returncode, rest) == (0, "")
        assert (token in said) == is_first
        assert "Whoever has the token sees all labelled faces" in said
        assert "Traceback" not in said


def _free_port() -> int:
    with listening(None) as (port, _):
        return port


def test_one_detector_looks_at_one_picture_at_a_time(database: Path, tmp_path: Path) -> None:
    import threading

    inside, most = [], []

    class Counting(FakeDetector):
        def detect(self, *args: Any) -> Any:
            inside.append(1)
            most.append(len(inside))
            found = super().detect(*args)
            inside.pop()
            return found

    path = write_picture(tmp_path / "one.png", Square(30, 20, 60, COLOURS["Rei"]), seed=9)
    with fake_gallery(database, detector=Counting()) as opened:
        from gallery.web.desk import Desk
        from gallery.web.programs import Programs

        programs = Programs(Desk(opened))
        threads = [
            threading.Thread(target=programs.identify, args=(path.read_bytes(), 1))
            for _ in range(6)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
    assert (len(most), max(most)) == (6, 1)
