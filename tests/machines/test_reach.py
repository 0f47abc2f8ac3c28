"""Where schedulers are, who is let in, and what is refused before anything is sent."""

from __future__ import annotations

import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from command import call

from gallery.errors import BadSetting, NoScheduler, UnfitWorker, UnreadableFile, UnwritableFile
from gallery.faces.catalog import detector_id
from gallery.faces.quality import NO_GATES
from gallery.machines import work
from gallery.machines.reach import Reach, listening_at, make_keys, reach_of, security_of
from gallery.machines.work import Asked, Order, kind, look
from gallery.machines.workers import workers_at
from gallery.settings import Settings

KEYS = Path("keys")


@pytest.mark.parametrize(
    ("text", "keys", "address"),
    [
        ("tcp://127.0.0.1:99", None, "tcp://127.0.0.1:99"),
        ("localhost", None, "tcp://localhost:8786"),
        ("tcp://[::1]:99", None, "tcp://[::1]:99"),
        ("::1", None, "tcp://[::1]:8786"),
        ("tcp://server:99", KEYS, "tls://server:99"),
        ("tls://192.0.2.10", KEYS, "tls://192.0.2.10:8786"),
    ],
)
def test_addresses_are_understood(text: str, keys: Path | None, address: str) -> None:
    assert reach_of(text, keys).address == address


@pytest.mark.parametrize(
    "text",
    ["", "http://server", "tcp://", "server:", "server:x", "server:0", "server:65536", "/"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="is no address of a scheduler; give one as tcp://server"):
        reach_of(text, KEYS)


@pytest.mark.parametrize("host", ["server", "192.0.2.10", "0.0.0.0", "::"])  # noqa: S104
def test_beyond_this_machine_nothing_goes_without_keys(host: str) -> None:
    with pytest.raises(BadSetting, match=f"^{host} is reached over a network, where others could"):
        listening_at(host, 1, None)
    with pytest.raises(BadSetting, match="is reached over a network"):
        reach_of("tls://127.0.0.1")
    assert listening_at(host, 1, KEYS) == Reach(host, 1, KEYS)


def test_keys_are_for_their_owner_and_are_never_replaced(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    pytest.importorskip("cryptography", reason="cryptography is not installed")
    folder = tmp_path / "keys"
    make_keys(folder)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    security = security_of(folder)
    assert security is not None
    assert security.require_encryption
    before = [path.read_bytes() for path in sorted(folder.iterdir())]
    with pytest.raises(UnwritableFile, match="holds keys already; name another folder"):
        make_keys(folder)
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableFile):
        make_keys(tmp_path / "file" / "keys")


def test_a_folder_without_sound_keys_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    assert security_of(None) is None
    with pytest.raises(UnreadableFile, match=r"holds no cluster\.pem and cluster\.key"):
        security_of(tmp_path)
    for name in ("cluster.pem", "cluster.key"):
        (tmp_path / name).write_text("nothing")
    with pytest.raises(UnreadableFile, match="holds no keys of a cluster"):
        security_of(tmp_path)


def test_what_is_no_scheduler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr("gallery.machines.workers.PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(NoScheduler), workers_at(Settings(), address):
            pass


def test_a_worker_refuses_what_it_would_do_with_other_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "_own_address", lambda: "tcp://there:1")
    order = Order.of(Settings(encoder="anime-lite", detector="whole"))
    assert order.settings.encoder == "anime-lite"
    for changed, said in (
        (replace(order, encoder_id="onnx-other"), "has other weights of the network 'anime-lite'"),
        (replace(order, detector_id="other"), "has another detector 'whole'"),
        (replace(order, encoder="nobody's"), "cannot do it: There is no network named"),
    ):
        with pytest.raises(UnfitWorker, match=f"The worker at tcp://there:1 {said}"):
            look(changed, NO_GATES, [])


def test_a_file_that_is_another_one_there_is_not_taken(tmp_path: Path) -> None:
    order = Order.of(Settings(encoder="anime-lite", detector="whole"))
    place = tmp_path / "x.png"
    place.write_bytes(b"no picture")
    asked = [
        Asked("/here/x.png", None, str(place), 10),
        Asked("/here/x.png", None, str(place), 11),
        Asked("/here/x.png", None, str(tmp_path / "gone.png"), 10),
    ]
    (tmp_path / "empty.png").touch()
    asked.append(Asked("/here/x.png", None, str(tmp_path / "empty.png"), 0))
    first, second, third, fourth = look(order, NO_GATES, asked)
    assert str(first.failure).startswith("/here/x.png is not a picture")
    assert second.is_absent
    assert third.is_absent
    assert str(fourth.failure) == "/here/x.png is empty."


def test_a_detector_is_known_by_what_it_is_made_of(tmp_path: Path) -> None:
    assert detector_id("heads").count("+") == 1
    assert detector_id("animeface")
    assert not detector_id("whole")
    file = tmp_path / "x.onnx"
    file.write_bytes(b"one")
    one = detector_id(str(file))
    file.write_bytes(b"two")
    assert detector_id(str(file)) != one
    assert kind().startswith("gallery ")


def test_the_command_line_refuses_in_a_sentence(tmp_path: Path) -> None:
    label = ("label", "shots", "--out", "x.jsonl")
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "x.png").touch()
    for words, said in (
        (("worker", "--scheduler", "server"), "--keys FOLDER on each machine."),
        (("scheduler", "--host", "server"), "--keys FOLDER on each machine."),
        ((*label, "--cluster", "tcp://127.0.0.1:1"), "There is no gallery at"),
    ):
        done = call(*words, cwd=tmp_path)
        assert done.code == 1
        assert said in done.complaint
    for more in (("--map", "a=b"), ("--cluster", "local:x"), ("--cluster", "1", "--map", "a")):
        done = call("--database", "x.db", *label, *more, cwd=tmp_path)
        assert done.code in {1, 2}
    assert not (tmp_path / "x.jsonl").exists()
