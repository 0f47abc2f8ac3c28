"""Manifests, and the way from a name to a checked file."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.errors import InputError, MissingNetwork, SetupError
from gallery.faces.networks.dlib_format import read_network, write_network
from gallery.faces.networks.library import Library, Weights, locate, shipped_detector
from gallery.faces.networks.manifest import Entry, git_blob, read_manifest, write_manifest
from gallery.settings import DEFAULT_ENCODER, bundled
from gallery.types import Thresholds

HUMAN = locate("human", Path("nowhere"))
CONTENT = b"a network that is fetched" * 1000


class Server(http.server.BaseHTTPRequestHandler):
    """Answers a few paths, one of them wrongly and one of them without end."""

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        answers = {"/right": CONTENT, "/wrong": b"something else", "/large": CONTENT + b"!"}
        if self.path == "/broken":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:500])
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answers[self.path])))
        self.end_headers()
        self.wfile.write(answers[self.path])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of the user's own: the human one with another margin of its loss."""
    network = read_network(HUMAN.path.read_bytes())
    path = tmp_path_factory.mktemp("trained") / "мой エンコーダ.dat"
    path.write_bytes(write_network(dataclasses.replace(network, margin=0.1)))
    return path


def entry(name: str, url: str | None = None) -> Entry:
    return Entry(
        name=name,
        thresholds=Thresholds(0.5, 0.7, 0.1),
        measured="by nobody",
        licence="MIT",
        source="here",
        git_blob=git_blob(CONTENT),
        size=len(CONTENT),
        url=url,
        zoom=0.9,
    )


def library(tmp_path: Path, *entries: Entry) -> Library:
    shipped = tmp_path / "shipped" / "manifest.toml"
    write_manifest(shipped, {one.name: one for one in entries})
    return Library(tmp_path / "models", shipped)


# The shipped manifest.


def test_the_shipped_manifest_knows_the_stand_in_and_the_original() -> None:
    entries = read_manifest(bundled("models") / "manifest.toml")
    assert {"anime", "anime-lite", "anime-wide", "anime-fine", "anime-ensemble"} <= set(entries)
    assert {"human", "original"} <= set(entries)
    assert entries["anime-ensemble"].parts == ("anime-lite", "anime-wide", "anime-fine")
    assert DEFAULT_ENCODER in entries
    assert not entries["anime"].stand_in
    assert entries["human"].stand_in
    assert not entries["original"].stand_in
    assert entries["original"].git_blob == "e6d3602d18273ba221fe7b81267d2619dc3d7cb8"
    assert entries["original"].zoom == 0.86
    for one in entries.values():
        assert one.licence
        assert one.source
        assert one.measured


def test_the_stand_in_is_found_without_importing_its_package() -> None:
    weights = locate("human", Path("nowhere"))
    assert weights.path.is_file()
    assert weights.licence == "CC0-1.0"
    assert weights.stand_in
    assert weights.encoder_id == f"dlib-{weights.sha256[:12]}"
    assert "face_recognition_models" not in sys.modules
    assert len(weights.read()) == 22_466_066


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries = {"a": entry("a", "https://example.org/a"), "b-2": entry("b-2")}
    write_manifest(tmp_path / "manifest.toml", entries)
    assert read_manifest(tmp_path / "manifest.toml") == entries


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[networks", "cannot be read"),
        ("networks = 3", "no tables"),
        ("[networks]\na = 3", "no tables"),
        ("[networks.a]\nlicence = 'x'", "'thresholds'"),
        ("[networks.a]\nthresholds = 3", "'thresholds'"),
        ("[networks.a.thresholds]\nsure = 1\nunknown = 'x'\nmargin = 0", "'unknown'"),
        ("[networks.a.thresholds]\nsure = 1\nunknown = 2\nmargin = 0", "'licence'"),
        ("[networks.'../a']\nlicence = 'x'", "no valid name"),
        (
            "[networks.a]\nlicence = 'x'\nsource = 'y'\nzoom = 1.5\n"
            "[networks.a.thresholds]\nsure = 1\nunknown = 2\nmargin = 0",
            "no meaning",
        ),
        (
            "[networks.a]\nlicence = 'x'\nsource = 'y'\nsha256 = 'short'\n"
            "[networks.a.thresholds]\nsure = 1\nunknown = 2\nmargin = 0",
            "no meaning",
        ),
        (
            "[networks.a]\nlicence = 'x'\nsource = 'y'\n"
            "[networks.a.thresholds]\nsure = 2\nunknown = nan\nmargin = 0",
            "no meaning",
        ),
    ],
)
def test_a_manifest_without_sense_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(SetupError, match=complaint):
        locate("human", tmp_path)


HEADS = """[detectors.heads]
file = "heads.onnx"
sha256 = "{sha256}"
size = 7
licence = "MIT"
source = "here"
"""


def test_a_shipped_detector_is_located_and_verified(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    (tmp_path / "manifest.toml").write_text(HEADS.format(sha256=sha256))
    assert shipped_detector("heads", tmp_path) == (tmp_path / "heads.onnx", sha256)
    library = Library(tmp_path / "own", tmp_path / "manifest.toml")
    for content, intact in ((None, False), (b"other", False), (CONTENT, True)):
        if content is not None:
            (tmp_path / "heads.onnx").write_bytes(content)
        assert [(one.name, one.intact) for one in library.verify()] == [("heads", intact)]


def test_a_detector_that_the_manifest_does_not_know_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"heads is not on this machine.*another detector"):
        shipped_detector("heads", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"heads.onnx"', '"../heads.onnx"', "no meaning"),
        ('"heads.onnx"', "3", "'file'"),
        ('licence = "MIT"', "", "'licence'"),
        ("a" * 64, "short", "no meaning"),
        ("[detectors.heads]", "[detectors]", "no tables named detectors.NAME"),
    ],
)
def test_a_detectors_entry_without_sense_is_refused(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = HEADS.format(sha256="a" * 64)
    assert old in text
    (tmp_path / "manifest.toml").write_text(text.replace(old, new))
    with pytest.raises(SetupError, match=complaint):
        shipped_detector("heads", tmp_path)


# Locating.


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        SetupError,
        match=(
            "'nobody'; known are anime, anime-lite, anime-wide, anime-fine, anime-ensemble, human, "
            "original"
        ),
    ):
        locate("nobody", tmp_path)


def test_a_network_that_can_be_fetched_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingNetwork, match="is not on this machine: fetch it") as caught:
        locate("original", tmp_path)
    assert caught.value.url is not None


def test_a_network_of_a_missing_package_names_it(tmp_path: Path) -> None:
    lost = dataclasses.replace(entry("a"), package="no_such_package", file="a.dat")
    with pytest.raises(SetupError, match="no_such_package; install"):
        library(tmp_path, lost).locate("a")


def test_the_id_tells_the_preprocessing() -> None:
    def id_of(zoom: float, mirror: bool) -> str:
        return dataclasses.replace(HUMAN, zoom=zoom, mirror=mirror).encoder_id

    start = f"dlib-{HUMAN.sha256[:12]}"
    assert id_of(1.0, mirror=False) == start
    assert id_of(0.86, mirror=False) == f"{start}-zoom0.86"
    assert id_of(0.9, mirror=True) == f"{start}-zoom0.9-mirror"


def test_a_file_put_there_by_hand_is_checked_and_remembered(tmp_path: Path) -> None:
    known = library(tmp_path, entry("a"))
    known.models_folder.mkdir()
    (known.models_folder / "a.dat").write_bytes(CONTENT)
    assert known.locate("a").sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert read_manifest(known.own_manifest)["a"].sha256 == hashlib.sha256(CONTENT).hexdigest()
    (known.models_folder / "a.dat").write_bytes(CONTENT + b"!")
    with pytest.raises(SetupError, match="damaged or was changed"):
        known.locate("a").read()


def test_a_wrong_file_put_there_by_hand_is_refused(tmp_path: Path) -> None:
    known = library(tmp_path, entry("a"))
    known.models_folder.mkdir()
    (known.models_folder / "a.dat").write_bytes(b"wrong")
    with pytest.raises(SetupError, match="is not the network 'a'; delete it"):
        known.locate("a")


def test_the_users_manifest_cannot_lead_out_of_the_models_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.dat").write_bytes(CONTENT)
    known = library(tmp_path)
    hostile = dataclasses.replace(
        entry("a"), file="../secret.dat", package="face_recognition_models"
    )
    write_manifest(known.own_manifest, {"a": hostile})
    with pytest.raises(SetupError, match="not on this machine"):
        known.locate("a")


# Fetching.


def test_a_network_is_fetched_checked_and_kept(tmp_path: Path, address: str) -> None:
    known = library(tmp_path, entry("a", f"{address}/right"))
    steps: list[tuple[int, int | None]] = []
    fetched = known.fetch("a", lambda done, total: steps.append((done, total)))
    assert fetched == known.locate("a")
    assert fetched.path == tmp_path / "models" / "a.dat"
    assert fetched.read() == CONTENT
    assert fetched.zoom == 0.9
    assert fetched.thresholds == Thresholds(0.5, 0.7, 0.1)
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    steps.clear()
    assert known.fetch("a", lambda done, total: steps.append((done, total))) == fetched
    assert not steps


def test_fetching_mends_a_damaged_file(tmp_path: Path, address: str) -> None:
    known = library(tmp_path, entry("a", f"{address}/right"))
    known.fetch("a").path.write_bytes(b"damaged")
    assert known.fetch("a").read() == CONTENT


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/missing", "answers 404"),
        ("/wrong", "is not the network 'a'"),
        ("/large", "more than the 25000 bytes"),
        ("/broken", "is not the network 'a'|cannot be reached"),
    ],
)
def test_what_is_not_right_is_not_kept(
    tmp_path: Path, address: str, path: str, complaint: str
) -> None:
    known = library(tmp_path, entry("a", address + path))
    with pytest.raises(SetupError, match=complaint) as caught:
        known.fetch("a")
    assert "download it by hand and add its file" in str(caught.value)
    assert not known.models_folder.exists()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/nobody", "file:///etc/hostname", "http://[broken", "ftp://a/b"]
)
def test_an_address_that_cannot_be_reached_is_one_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(SetupError) as caught:
        library(tmp_path, entry("a", url)).fetch("a")
    assert str(caught.value).startswith(url)
    assert "\n" not in str(caught.value)


def test_what_has_no_address_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be fetched: add its file"):
        library(tmp_path, entry("a")).fetch("a")


def test_a_models_folder_that_cannot_be_written_is_named(tmp_path: Path, address: str) -> None:
    (tmp_path / "models").write_text("a file where the folder belongs")
    known = library(tmp_path, entry("a", f"{address}/right"))
    with pytest.raises(SetupError, match="models"):
        known.fetch("a")


# Adding.


def test_a_network_of_the_users_own_is_added(tmp_path: Path, trained: Path) -> None:
    own = Library(tmp_path / "models")
    added = own.add(trained, "my-anime_2.0", threshold=0.8, zoom=0.9, mirror=True, licence="MIT")
    assert added == locate("my-anime_2.0", tmp_path / "models")
    assert added.read() == trained.read_bytes()
    assert added.encoder_id.endswith("-zoom0.9-mirror")
    assert (added.thresholds.sure, added.thresholds.unknown) == (0.8, 1.0)
    assert not added.stand_in
    assert trained.name in own.entries()["my-anime_2.0"].source
    assert own.add(trained, "my-anime_2.0", threshold=0.7).thresholds.sure == 0.7


def test_without_a_threshold_the_convention_holds(tmp_path: Path, trained: Path) -> None:
    added = Library(tmp_path).add(trained, "mine")
    assert (added.thresholds.sure, added.thresholds.unknown) == (0.6, 0.75)
    assert added.thresholds.margin == pytest.approx(0.05)


@pytest.mark.parametrize(
    "name", ["", "../mine", "a/b", "a\\b", ".hidden", "-x", "mein name", "名前", "a" * 65, "a\n"]
)
def test_names_that_are_no_names_are_refused(tmp_path: Path, trained: Path, name: str) -> None:
    with pytest.raises(InputError, match="no name for a network"):
        Library(tmp_path).add(trained, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["human", "original", "Original", "HUMAN"])
def test_a_shipped_name_is_kept_for_its_network(tmp_path: Path, trained: Path, name: str) -> None:
    with pytest.raises(InputError, match="belongs to a network"):
        Library(tmp_path).add(trained, name, replacing=True)


def test_a_taken_name_needs_a_word_more(tmp_path: Path, trained: Path) -> None:
    own = Library(tmp_path / "models")
    own.add(trained, "mine")
    other = tmp_path / "other.dat"
    network = read_network(HUMAN.path.read_bytes())
    other.write_bytes(write_network(dataclasses.replace(network, margin=0.2)))
    with pytest.raises(InputError, match="taken"):
        own.add(other, "mine")
    with pytest.raises(InputError, match="taken"):
        own.add(other, "Mine", replacing=True)
    assert own.add(other, "mine", replacing=True).read() == other.read_bytes()


def test_a_shipped_network_is_recognised_by_its_content(tmp_path: Path) -> None:
    known = library(tmp_path, entry("a", "https://example.org/a"))
    file = tmp_path / "downloaded by hand"
    file.write_bytes(CONTENT)
    for name in ("a", "something-else"):
        added = known.add(file, name, threshold=0.1)
        assert added.name == "a"
        assert added.thresholds == Thresholds(0.5, 0.7, 0.1)
        assert added.zoom == 0.9
    assert list(known.entries()) == ["a"]


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    own = Library(tmp_path / "models")
    foreign = HUMAN.path.parent / "shape_predictor_5_face_landmarks.dat"
    with pytest.raises(InputError, match="no face recognition network"):
        own.add(foreign, "mine")
    with pytest.raises(InputError, match="is not a file"):
        own.add(tmp_path, "mine")
    with pytest.raises(InputError, match="is not a file"):
        own.add(tmp_path / "gone.dat", "mine")
    large = HUMAN.path.parent / "shape_predictor_68_face_landmarks.dat"
    with pytest.raises(InputError, match="more than"):
        own.add(large, "mine")
    assert not own.models_folder.exists()


@pytest.mark.parametrize(
    ("threshold", "zoom"), [(0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0), (0.6, 0.0), (0.6, 1.1)]
)
def test_options_out_of_range_are_refused(
    tmp_path: Path, trained: Path, threshold: float, zoom: float
) -> None:
    with pytest.raises(InputError):
        Library(tmp_path).add(trained, "mine", threshold=threshold, zoom=zoom)


# Verifying.


def test_all_files_that_are_here_are_verified(tmp_path: Path, trained: Path) -> None:
    own = Library(tmp_path)
    own.add(trained, "mine")
    assert {one.name: one.intact for one in own.verify()} == {
        "anime": True,
        "anime-lite": True,
        "anime-ensemble": True,
        "anime-fine": True,
        "anime-wide": True,
        "human": True,
        "mine": True,
        "heads": True,
        "eyes": True,
    }
    damaged = bytearray((tmp_path / "mine.dat").read_bytes())
    damaged[9_999_999] ^= 1
    (tmp_path / "mine.dat").write_bytes(damaged)
    assert not own.check(own.entry("mine")).intact


def test_a_file_that_vanished_is_named(tmp_path: Path, trained: Path) -> None:
    added = Library(tmp_path).add(trained, "mine")
    added.path.unlink()
    with pytest.raises(MissingNetwork, match="'mine' is not on this machine: add its file"):
        locate("mine", tmp_path)
    with pytest.raises(SetupError, match="cannot be read"):
        Weights.read(added)
