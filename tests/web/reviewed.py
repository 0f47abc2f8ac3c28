"""A gallery to review, with drawn faces, and a client of its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fakes import Square, write_picture
from labelled import identify_files
from starlette.testclient import TestClient

from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.jobs.answers import renew
from gallery.jobs.cluster import cluster
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.web.application import application
from gallery.web.desk import Desk
from gallery.web.doors import Address, Doors

COLOURS = {"Asuka": (220, 20, 20), "Rei": (20, 20, 220)}
GREEN, PINK, ORANGE = (20, 200, 20), (230, 30, 200), (220, 90, 20)

PORT = 4321
HOST = f"127.0.0.1:{PORT}"
ADDRESS = Address(PORT, "the-token")

CHANGING = {
    "origin": f"http://{HOST}",
    "sec-fetch-site": "same-origin",
    "content-type": "application/json",
}
"""What a browser says of a request of our own page."""


def reviewed(gallery: Engine, folder: Path, *, sure: int = 4, unknown: int = 3) -> Engine:
    """Enroll Asuka, red, and Rei, blue; label faces of both, one that is doubtful, and a cluster.

    Of each there are so many sure faces; the first picture shows both.
    """
    for name, colour in COLOURS.items():
        for number in range(2):
            place = folder / "in" / name / f"{number}.png"
            write_picture(place, Square(10, 20, 60, colour), seed=number)
    candidates, _ = candidates_in(folder / "in")
    list(enroll_candidates(gallery, candidates))
    both = [Square(10, 20, 60, COLOURS["Asuka"]), Square(90, 20, 50, COLOURS["Rei"])]
    new = folder / "new"
    write_picture(new / "both.png", *both, seed=50)
    for name, colour in COLOURS.items():
        for number in range(1, sure):
            where = new / f"{name}-{number:03}.png"
            write_picture(where, Square(10, 20, 60, colour), seed=100 + number)
    for number in range(unknown):
        write_picture(new / f"green-{number}.png", Square(10, 20, 60, GREEN), seed=60 + number)
    for number in range(2):
        write_picture(new / f"orange-{number}.png", Square(10, 20, 60, ORANGE), seed=80 + number)
    write_picture(new / "pink.png", Square(10, 20, 60, PINK), seed=70)
    list(identify_files(gallery, sorted(new.iterdir()), keep=True))
    result_of(cluster(gallery))
    return gallery


def desk_of(gallery: Engine) -> Desk:
    result_of(renew(gallery))
    return Desk(gallery)


def client_of(gallery: Engine, *, let_in: bool = True) -> TestClient:
    doors = Doors(application(desk_of(gallery), "drawn"), ADDRESS)
    client = TestClient(doors, base_url=f"http://{HOST}", follow_redirects=False)
    if let_in:
        client.cookies.set(ADDRESS.cookie, ADDRESS.token or "")
    return client


def get(client: TestClient, what: str, **params: Any) -> Any:
    answer = client.get(f"/api/v1/{what}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(client: TestClient, what: str, status: int = 200, **body: Any) -> Any:
    answer = client.post(f"/api/v1/{what}", content=json.dumps(body), headers=CHANGING)
    assert answer.status_code == status, answer.text
    return answer.json()


def given(faces: list[Any]) -> list[dict[str, int]]:
    return [{"id": one["id"], "version": one["version"]} for one in faces]


def bring(
    client: TestClient,
    what: str,
    picture: bytes,
    status: int = 200,
    *,
    kind: str = "image/png",
    **params: Any,
) -> Any:
    """Bring a picture, as the page does."""
    headers = {**CHANGING, "content-type": kind}
    answer = client.post(f"/api/v1/{what}", content=picture, params=params, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()
