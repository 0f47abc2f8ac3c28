"""Whatever a program does: one sentence, exit code 1, and the next run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from command import Done, call
from fakes import Square, fake_gallery, write_picture
from hydrus_stand import MY_TAGS, HydrusStand
from immich_stand import ImmichStand
from labelled import identify_files
from photoprism_stand import PhotoPrismStand
from speaking import KEY, Asked, Reply, head, listening, raw
from stash_stand import StashStand
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.faces.video import VideoOptions
from gallery.jobs.label_video import label_video
from gallery.services import client

Stand = HydrusStand | ImmichStand | PhotoPrismStand | StashStand

STANDS: dict[str, type[Stand]] = {
    "hydrus": HydrusStand,
    "immich": ImmichStand,
    "photoprism": PhotoPrismStand,
    "stash": StashStand,
}

TROUBLES = {
    "no key": (Reply(401, {"message": "Who are you?"}), "refuses the key (401"),
    "no right": (Reply(403, b"Forbidden"), "refuses the key (403"),
    "broken": (Reply(500, b"<h1>Oops</h1>"), "answers 500 Internal Server Error;"),
    "silent": (raw(b"", pause=0.6), "does not answer within"),
    "less than it says": (raw(head(1000), b'{"data": '), "breaks off before all has come"),
    "more than it says": (raw(head(3), b'{"data": {}}'), "answers something that is no JSON"),
    "too much": (raw(head(1 << 40), b"{}"), "answers with more than"),
    "a page": (Reply(200, b"<!doctype html>"), "answers something that is no JSON"),
    "elsewhere": (Reply(307, headers={"Location": "http://elsewhere.invalid/"}), "sends on to"),
    "another program": (Reply(200, {"hello": "world"}), "in another way than"),
    "no HTTP": (raw(b"220 mail.example ESMTP\r\n"), "does not speak HTTP"),
}


class Sending(NamedTuple):
    """A command that has something to send."""

    stand: Stand
    words: tuple[str | Path, ...]
    cwd: Path
    gallery: Engine
    name: str

    def run(self, *more: str) -> Done:
        done = call(*self.words, *more, cwd=self.cwd)
        assert KEY not in done.stdout + done.stderr
        return done

    @property
    def said(self) -> object:
        """What the program was told."""
        stand = self.stand
        if isinstance(stand, HydrusStand):
            return {key: tags["0"] for key, tags in stand.tags.items() if tags["0"]}
        if isinstance(stand, ImmichStand):
            return [*stand.faces.values()]
        return [*stand.markers.values()]

    @property
    def noted(self) -> list[str]:
        """What the gallery remembers that it sent, but for what files are known by."""
        place = f"{self.name} {self.stand.url}"
        place += f" {MY_TAGS}" if self.name == "hydrus" else ""
        items = self.gallery.store.sent.to(place).values()
        return [one.state.value for one in items if one.key.item != "file"]


@pytest.fixture(params=STANDS)
def sending(
    request: pytest.FixtureRequest,
    filled: Engine,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Sending]:
    monkeypatch.setattr("gallery.engine.assemble.open_gallery", lambda _: fake_gallery(database))
    stand = STANDS[request.param]()
    path = tmp_path / ("a.mkv" if request.param == "stash" else "a.png")
    squares = Square(10, 20, 50, (220, 20, 20)), Square(90, 20, 50, (20, 20, 220))
    if request.param == "stash":
        write_video(path, at_rate([scene(*squares)] * 24))
        list(label_video(filled, path, VideoOptions(), keep=True))
    else:
        write_picture(path, *squares)
        list(identify_files(filled, [path], keep=True))
    stand.hold(path.read_bytes())
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    names = {"immich": "Immich", "photoprism": "PhotoPrism", "stash": "Stash"}
    with listening(stand) as url:
        words = ("send", request.param, "--yes", "--url", url, "--key-file", key)
        yield Sending(stand, words, tmp_path, filled, names.get(request.param, "hydrus"))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_program_in_trouble_is_one_sentence(
    sending: Sending, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, said = TROUBLES[trouble]
    with monkeypatch.context() as patch:
        patch.setattr(client, "PATIENCE", 0.3 if trouble == "silent" else 30.0)
        sending.stand.errs["*"] = reply
        done = sending.run()
    assert done.code == 1
    assert done.complaint.startswith(f"{sending.name} at {sending.stand.url} ")
    assert said in done.complaint
    assert (len(sending.stand.asked), sending.noted) == (1, [])
    sending.stand.errs.clear()
    assert sending.run().code == 0
    assert set(sending.noted) == {"sent"}
    assert sending.said


@pytest.mark.parametrize("trouble", ["broken", "less than it says", "no right"])
def test_one_that_fails_in_the_middle_is_gone_on_with(sending: Sending, trouble: str) -> None:
    """Each run fails one request later, until one has no request so late."""
    reply, said = TROUBLES[trouble]
    real, stand = sending.stand.answer, sending.stand
    runs = 0
    while True:
        runs += 1
        waiting = iter(range(1, runs + 1))

        def answer(asked: Asked, waiting: Iterator[int] = waiting, last: int = runs) -> Reply:
            return reply if next(waiting, None) == last else real(asked)

        stand.answer = answer  # type: ignore[method-assign]
        done = sending.run()
        if done.code == 0:
            break
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert runs > 2
    assert set(sending.noted) == {"sent"}
    whole = sending.said
    stand.answer = real  # type: ignore[method-assign]
    assert sending.run().code == 0
    assert sending.said == whole
    if isinstance(stand, HydrusStand):
        assert next(iter(stand.tags.values()))["0"] == {"character:asuka", "character:rei"}
    elif isinstance(stand, ImmichStand):
        assert sorted(stand.people[one.person or ""] for one in stand.faces.values()) == [
            "Asuka",
            "Rei",
        ]
    elif isinstance(stand, PhotoPrismStand):
        assert sorted(one.name for one in stand.markers.values()) == ["Asuka", "Rei"]
    else:
        assert sorted(one.title for one in stand.markers.values()) == ["Asuka", "Rei"]
