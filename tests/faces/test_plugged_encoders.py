"""Encoders of other packages, of another width and metric, do all that gallery's own do."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import ROOT, Done, call
from fakes import Square, write_picture
from numpy.typing import NDArray

from gallery.engine import assemble
from gallery.engine.engine import Engine
from gallery.errors import (
    DamagedDescriptor,
    InputError,
    NoSuchNetwork,
    PluginFailed,
    SetupError,
)
from gallery.faces.encoders.plugged import PluggedEncoder
from gallery.faces.interfaces import Channels, EncoderCard, Metric
from gallery.settings import Settings
from gallery.store import archive
from gallery.store.reader import Store
from gallery.testing import check_encoder, check_plugged_encoder
from gallery.types import CROP_SIDE, Thresholds, width_of

EXAMPLE = ROOT / "examples" / "gallery-thumbnail"
RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 200, 20)
COLOURS = {"Nami": RED, "Robin": BLUE, "Zoro": GREEN}
CARD = EncoderCard("1", 6, Thresholds(0.3, 0.6, 0.05), "MIT", Metric.EUCLIDEAN, 10, Channels.BGR)


class Means:
    """A network of six numbers: the mean of each colour, above and below."""

    card = CARD
    seen: NDArray[np.uint8]

    def encode(self, heads: NDArray[np.uint8]) -> NDArray[np.float32]:
        Means.seen = heads
        halves = (heads[:, :5], heads[:, 5:])
        found = [half.reshape(len(heads), -1, 3).mean(axis=1) / 255 for half in halves]
        return np.concatenate(found, axis=1).astype(np.float32)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's package, as pip installs it."""
    site = tmp_path / "site"
    about = site / "gallery_thumbnail-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "gallery_thumbnail.py").write_text(
        (EXAMPLE / "gallery_thumbnail.py").read_text(encoding="utf-8")
    )
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: gallery-thumbnail\nVersion: 1.0\n"
    )
    (entry,) = re.findall(
        r"^thumbnail = \"(.*)\"$", (EXAMPLE / "pyproject.toml").read_text(), re.MULTILINE
    )
    (about / "entry_points.txt").write_text(f"[gallery.encoders]\nthumbnail = {entry}\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "gallery_thumbnail", raising=False)


def opened(database: Path) -> Engine:
    settings = Settings(database=str(database), encoder="thumbnail", detector="whole")
    return assemble.open_gallery(settings)


@pytest.fixture
def filled(installed: None, tmp_path: Path) -> Path:
    """A gallery of three characters of two pictures each, by the example's encoder."""
    for name, colour in COLOURS.items():
        for seed in range(2):
            square = Square(10, 20, 60 + 4 * seed, colour)
            write_picture(tmp_path / "in" / name / f"{seed}.png", square, seed=seed)
    assert typed(tmp_path, "enroll", "in").code == 0
    return tmp_path


def typed(folder: Path, *words: str) -> Done:
    words = ("--encoder", "thumbnail", "--detector", "whole", *words)
    return call(*words, cwd=folder, database=folder / "gallery.db")


def test_an_id_says_how_wide_descriptors_are() -> None:
    for encoder, width in (
        ("dlib-7663491fdfe4", 128), ("fake", 128), ("x@768", 768), ("a@b@2", 2), ("x@0", 128),
        ("x@", 128), ("@6", 6), ("x@12345", 128), ("x@-4", 128),
    ):  # fmt: skip
        assert width_of(encoder) == width, encoder


def test_the_example_and_a_network_keep_the_contract(installed: None) -> None:
    from gallery_thumbnail import Thumbnail

    check_plugged_encoder(Thumbnail)
    check_plugged_encoder(Means)
    assert (
        PluggedEncoder(Thumbnail, "thumbnail", "gallery-thumbnail").id
        == "thumbnail-1-cosine-16-rgb@768"
    )


def test_heads_come_as_the_card_wants_them_and_directions_have_length_one() -> None:
    crops = np.zeros((70, CROP_SIDE, CROP_SIDE, 3), np.uint8)
    crops[..., 0] = 250
    encoder = PluggedEncoder(Means, "means", "theirs")
    described = encoder.encode(crops)
    assert (described.shape, Means.seen.shape) == ((70, 6), (6, 10, 10, 3))
    assert Means.seen[0, 0, 0].tolist() == [0, 0, 250]

    class Directions(Means):
        card = replace(CARD, metric=Metric.COSINE)

    lengths = np.linalg.norm(PluggedEncoder(Directions, "means", "theirs").encode(crops), axis=1)
    assert np.allclose(lengths, 1)


def test_what_an_encoder_of_another_width_describes_goes_all_ways(filled: Path) -> None:
    answered = typed(filled, "identify", "in/Robin/1.png", "--json")
    record = json.loads(answered.stdout)
    assert record["encoder"] == "thumbnail-1-cosine-16-rgb@768"
    assert record["faces"][0]["matches"][0]["character"] == "Robin"
    for mode in ("best", "nearest", "vote"):
        assert typed(filled, "identify", "in/Nami/0.png", "--match", mode).code == 0
    for words in (
        ("label", "in", "--out", "out.jsonl"), ("calibrate",), ("relabel", "--out", "new.jsonl"),
        ("cluster", "--poor"), ("audit",), ("evaluate",), ("reencode", "--all"), ("doctor",),
        ("compare", "in/Nami/0.png", "in/Zoro/0.png"), ("describe", "in", "--out", "all.npz"),
        ("reject", "in/Nami/0.png", "Zoro"), ("export", "whole.zip"),
        ("copy", "gallery.db", "copy.db"), ("enroll", "in"),
    ):  # fmt: skip
        done = typed(filled, *words)
        assert "Traceback" not in done.stderr
        assert done.code == 0 or words[0] == "calibrate", (words, done.stderr)
    with np.load(filled / "all.npz") as file:
        assert file["descriptor"].shape == (6, 768)
    with Store(str(filled / "new.db"), create=True) as store:
        assert archive.restore(store, filled / "whole.zip").added == 6
    for name in ("new.db", "copy.db"):
        with opened(filled / name) as engine:
            assert engine.references()[0].descriptors.shape == (6, 768)
    # Beside it gallery's own encoder describes the same faces, and neither reads the other's.
    own = call("reencode", "--detector", "whole", cwd=filled, database=filled / "gallery.db")
    assert own.code == 0, own.stderr
    with opened(filled / "gallery.db") as engine:
        widths = {width_of(encoder) for encoder in engine.store.encoders()}
        (one, *_) = engine.store.sample_ids()
        found = {len(vector) for vector in engine.store.descriptors_of(one).values()}
    assert widths == found == {128, 768}


def test_descriptors_of_another_width_are_damage(filled: Path) -> None:
    with opened(filled / "gallery.db") as engine:
        (one, *_) = engine.store.sample_ids()
        with (
            pytest.raises(InputError, match="A descriptor is 768 finite numbers"),
            engine.store.writing() as writer,
        ):
            writer.describe(one, engine.encoder, np.zeros(128, np.float32))
        encoder = engine.encoder
    with closing(sqlite3.connect(filled / "gallery.db")) as database:
        database.execute("UPDATE descriptors SET vector = zeroblob(512)")
        database.commit()
    with Store(str(filled / "gallery.db")) as store, pytest.raises(DamagedDescriptor):
        store.described_samples(encoder)


def failing(error: Exception) -> Callable[[NDArray[np.uint8]], object]:
    def encode(_: NDArray[np.uint8]) -> object:
        raise error

    return encode


@pytest.mark.parametrize(
    ("gives", "why"),
    [
        (lambda heads: np.full((len(heads), 6), np.nan, np.float32), "that are not finite"),
        (lambda heads: np.zeros((len(heads), 7), np.float32), r"instead of numbers of shape"),
        (lambda heads: np.zeros((1, 6), np.float32), r"gave \(1, 6\) instead"),
        (lambda heads: np.zeros((len(heads), 6), np.int64), "instead of numbers"),
        (lambda heads: [[0.0] * 6] * len(heads), "gave list instead"),
        (lambda heads: None, "gave NoneType instead"),
        (failing(ZeroDivisionError("by\nzero")), r"failed \(ZeroDivisionError: by zero\)"),
    ],
)
def test_a_network_that_fails_is_named_in_a_sentence(
    gives: Callable[[NDArray[np.uint8]], object], why: str
) -> None:
    class Bad(Means):
        pass

    Bad.encode = staticmethod(gives)  # type: ignore[assignment]
    encoder = PluggedEncoder(Bad, "bad", "theirs")
    with pytest.raises(PluginFailed, match=f"The encoder bad of the package theirs .*{why}"):
        encoder.encode(np.zeros((2, CROP_SIDE, CROP_SIDE, 3), np.uint8))


def test_a_descriptor_without_a_direction_is_refused() -> None:
    class Dark(Means):
        card = replace(CARD, metric=Metric.COSINE)

    with pytest.raises(PluginFailed, match="without a direction"):
        PluggedEncoder(Dark, "dark", "theirs").encode(np.zeros((1, CROP_SIDE, CROP_SIDE, 3), "u1"))


class Learnt(Means):
    card = replace(CARD, metric=Metric.LEARNT)
    matrix = np.diag(np.array([4, 1, 1, 1, 1, 0], np.float32))

    def __init__(self) -> None:
        turned, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
        self.matrix = (turned @ type(self).matrix @ turned.T).astype(np.float32)


def test_a_learnt_metric_is_the_distance_of_descriptors() -> None:
    check_plugged_encoder(Learnt)
    crops = np.random.default_rng(1).integers(0, 256, (2, CROP_SIDE, CROP_SIDE, 3), np.uint8)
    crops[1] //= 3
    crops[1, :60, :, 0] = 200
    learnt = PluggedEncoder(Learnt, "learnt", "theirs")
    assert learnt.id == "learnt-1-learnt-10-bgr@6"
    one, other = learnt.encode(crops).astype(np.float64)
    (plain, apart) = PluggedEncoder(Means, "means", "theirs").encode(crops).astype(np.float64)
    difference = plain - apart
    wanted = float(np.sqrt(difference @ Learnt().matrix @ difference))
    assert wanted > 0.1
    assert float(np.linalg.norm(one - other)) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (None, r"has no `matrix` of finite numbers of shape \(6, 6\)"),
        (np.eye(5, dtype=np.float32), "has no `matrix` of finite"),
        (np.full((6, 6), np.nan, np.float32), "has no `matrix` of finite"),
        (np.eye(6, dtype=np.int64), "has no `matrix` of finite"),
        (-np.eye(6, dtype=np.float32), "no metric"),
        (np.diag(np.array([1, 1, 1, 1, 1, -0.1], np.float32)), "no metric"),
        (np.triu(np.ones((6, 6), np.float32)), "no metric"),
        (np.zeros((6, 6), np.float32), "no metric"),
    ],
)
def test_a_matrix_that_is_no_metric_is_refused(matrix: object, why: str) -> None:
    class Odd(Learnt):
        def __init__(self) -> None:
            self.matrix = matrix  # type: ignore[assignment]

    with pytest.raises(PluginFailed, match=why):
        PluggedEncoder(Odd, "odd", "theirs").encode(np.zeros((1, CROP_SIDE, CROP_SIDE, 3), "u1"))


def ccip_at(folder: Path) -> Path:
    """Write a network with the input and the output of CCIP's: colours in 16 x 16 places."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir()
    graph = helper.make_graph(
        [
            helper.make_node(
                "AveragePool", ["input"], ["small"], kernel_shape=[24, 24], strides=[24, 24]
            ),
            helper.make_node("Reshape", ["small", "flat"], ["output"]),
        ],
        "feat",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 384, 384])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 768])],
        [numpy_helper.from_array(np.array([-1, 768], np.int64), "flat")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model_feat.onnx"))
    return folder


def test_ccip_is_brought_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    about = site / "gallery_ccip-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: gallery-ccip\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[gallery.encoders]\nccip = gallery_ccip:Ccip\n")
    monkeypatch.syspath_prepend(ROOT / "examples" / "gallery-ccip")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("CCIP", str(tmp_path / "ccip"))
    monkeypatch.delitem(sys.modules, "gallery_ccip", raising=False)
    with pytest.raises(SetupError, match=r"ccip lacks model_feat\.onnx; fetch a folder of https"):
        assemble.check(Settings(encoder="ccip"))
    monkeypatch.delitem(sys.modules, "gallery_ccip", raising=False)
    ccip_at(tmp_path / "ccip")
    digest = hashlib.sha256((tmp_path / "ccip" / "model_feat.onnx").read_bytes()).hexdigest()
    chosen = assemble.chosen_encoder(Settings(encoder="ccip"))
    assert chosen.id == f"ccip-{digest[:12]}-cosine-384-rgb@768"
    check_encoder(chosen.open())
    # A network that sees red alone: (1 - mean) / deviation, of length 1.
    red = np.zeros((1, CROP_SIDE, CROP_SIDE, 3), np.uint8)
    red[..., 0] = 255
    planes = chosen.open().encode(red).reshape(3, 256)
    wanted = (np.array([1, 0, 0]) - [0.48145466, 0.4578275, 0.40821073]) / [
        0.26862954, 0.26130258, 0.27577711
    ]  # fmt: skip
    wanted /= 16 * np.linalg.norm(wanted)
    assert np.allclose(planes, wanted[:, None], atol=1e-5)
    monkeypatch.delitem(sys.modules, "gallery_ccip")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"width": 7}, "width"),
        ({"width": 0}, "width"),
        ({"width": 5000}, "width"),
        ({"width": 6.0}, "width"),
        ({"side": 1}, "side"),
        ({"version": ""}, "version"),
        ({"thresholds": Thresholds(0.6, 0.3, 0.0)}, "thresholds"),
        ({"metric": "manhattan"}, "metric"),
        ({"channels": "cmyk"}, "channels"),
    ],
)
def test_a_card_without_a_meaning_is_refused(changes: dict[str, object], part: str) -> None:
    class Odd(Means):
        card = replace(CARD, **changes)  # type: ignore[arg-type]

    with pytest.raises(PluginFailed, match=f"has a card whose {part} has no meaning"):
        PluggedEncoder(Odd, "odd", "theirs")
    with pytest.raises(PluginFailed, match="has no `card`"):
        PluggedEncoder(dict, "odd", "theirs")  # type: ignore[arg-type]


def test_an_unknown_encoder_is_answered_with_those_of_packages(installed: None) -> None:
    with pytest.raises(NoSuchNetwork, match=r"known are .*thumbnail"):
        assemble.check(Settings(encoder="thumbnails"))
    chosen = assemble.chosen_encoder(Settings(encoder="thumbnail"))
    assert (chosen.ships, chosen.stand_in) == (False, False)
    check_encoder(chosen.open())
