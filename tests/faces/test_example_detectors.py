"""The packages that wrap qhgz2013's and kanosawa's programs, run against stand-ins for these.

The stand-ins have the modules, functions, arguments and outputs that the two programs have in
public, and none of their code. They find what `draw` paints: faces of one strong red, black eyes.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from command import ROOT
from fakes import Square, draw
from numpy.typing import NDArray

from gallery.engine import assemble
from gallery.errors import PluginFailed, SetupError
from gallery.faces import catalog
from gallery.settings import Settings
from gallery.testing import check_detector
from gallery.types import Box, Image

QHGZ2013 = {
    "_tf_compat_import.py": """
class _Options:
    allow_growth = False

class _Config:
    def __init__(self):
        self.gpu_options = _Options()

class _Session:
    def __init__(self, config=None):
        assert config.gpu_options.allow_growth
        self.restored = None

class _Saver:
    def restore(self, session, path):
        session.restored = path

class compat_tensorflow:
    ConfigProto, Session = _Config, _Session
    class train:
        Saver = _Saver
""",
    "faster_rcnn_wrapper.py": """
from _tf_compat_import import compat_tensorflow as tf

class FasterRCNNSlim:
    pass
""",
    "nms_wrapper.py": """
class NMSType: ...

class NMSWrapper:
    def __init__(self, nms_type):
        raise ModuleNotFoundError("nms.cpu_nms")  # it wants `make`
""",
    "main.py": """
import numpy as np
from faster_rcnn_wrapper import FasterRCNNSlim
from nms_wrapper import NMSType, NMSWrapper

def detect(sess, rcnn_cls, image):
    assert sess.restored.endswith("res101_faster_rcnn_iter_60000.ckpt")
    assert type(rcnn_cls) is FasterRCNNSlim
    blue, green, red = image.astype(np.float32, copy=True).transpose(2, 0, 1)
    rows, columns = np.where((red > 180) & (blue < 90) & (green < 90))
    far = [image.shape[1] - 1, 0, image.shape[1] - 1, 30]  # clipped to nothing at the edge
    face = [0, 0, 0, 0]
    score = 0.0
    if len(rows) > 500:
        face = [columns.min(), rows.min(), columns.max(), rows.max()]
        score = 0.97
    boxes = np.array([face, [one + 2 for one in face], [5, 5, 60, 60], far], np.float32)
    likely = np.array([score, max(score - 0.1, 0), 0.7, 0.9], np.float32)
    everything = np.hstack([np.zeros_like(boxes), boxes])
    return np.stack([1 - likely, likely], axis=1), everything
""",
}

CFA = {
    "CFA.py": """
import numpy as np
import torch

class CFA:
    def __init__(self, output_channel_num, checkpoint_name=None):
        self.output_channel_num = output_channel_num
        self.trains, self.weights = True, None
        if checkpoint_name:
            self.load_state_dict(torch.load(checkpoint_name)["state_dict"])
        else:
            self.load_weight_from_dict()

    def load_weight_from_dict(self):
        raise OSError("This downloads 500 MB.")

    def load_state_dict(self, state):
        self.weights = state

    def eval(self):
        self.trains = False

    def __call__(self, x):
        assert (self.weights, self.trains) == ({"stages": 1}, False)
        given = x.numpy()
        assert given.shape == (1, 3, 128, 128) and given.dtype == np.float32
        assert 0 <= given.min() and given.max() <= 1
        blue, green, red = given[0]
        dark = np.maximum(np.maximum(blue, green), red) < 0.2
        cells = dark.reshape(16, 8, 16, 8).mean(axis=(1, 3)).astype(np.float32)
        maps = np.zeros((1, self.output_channel_num, 16, 16), np.float32)
        maps[0, 14, :, :8], maps[0, 19, :, 8:] = cells[:, :8], cells[:, 8:]
        for number, (x, y) in {9: (8, 10), 1: (8, 15), 21: (8, 12), 23: (8, 14)}.items():
            maps[0, number, y, x] = 1
        return [torch.Tensor(np.full_like(maps, 7)), torch.Tensor(maps)]
""",
}


@dataclass
class Tensor:
    """What the wrapper asks of one of torch."""

    values: NDArray[np.float32]

    def numpy(self) -> NDArray[np.float32]:
        return self.values


def stand_in_for_torch() -> types.ModuleType:
    torch: Any = types.ModuleType("torch")

    def load(path: Path, *, map_location: str, weights_only: bool) -> dict[str, object]:
        assert (path.read_text(), map_location, weights_only) == ("weights", "cpu", True)
        return {"epoch": 3, "state_dict": {"stages": 1}}

    torch.Tensor, torch.from_numpy, torch.no_grad, torch.load = Tensor, Tensor, nullcontext, load
    return torch  # type: ignore[no-any-return]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Both packages installed, and both programs with their weights in a folder."""
    site = tmp_path / "site"
    for name, kind in (("qhgz2013", "FasterRcnnDetector"), ("kanosawa", "LandmarkDetector")):
        folder = ROOT / "examples" / f"gallery-{name}"
        declared = f'[project.entry-points."gallery.detectors"]\n{name} = "gallery_{name}:{kind}"\n'
        assert declared in (folder / "pyproject.toml").read_text(encoding="utf-8")
        about = site / f"gallery_{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: gallery-{name}\n")
        entry = f"[gallery.detectors]\n{name} = gallery_{name}:{kind}\n"
        (about / "entry_points.txt").write_text(entry)
        monkeypatch.syspath_prepend(folder)
    monkeypatch.syspath_prepend(site)
    for folder, files in ((tmp_path / "rcnn", QHGZ2013), (tmp_path / "cfa", CFA)):
        folder.mkdir()
        for name, code in files.items():
            (folder / name).write_text(code, encoding="utf-8")
    (tmp_path / "rcnn" / "model").mkdir()
    (tmp_path / "rcnn" / "model" / "res101_faster_rcnn_iter_60000.ckpt.index").touch()
    (tmp_path / "cfa" / "checkpoint_landmark_191109.pth.tar").write_text("weights")
    monkeypatch.setenv("ANIME_FACE_DETECTOR", str(tmp_path / "rcnn"))
    monkeypatch.setenv("ANIME_LANDMARKS", str(tmp_path / "cfa"))
    monkeypatch.delenv("ANIME_HEADS", raising=False)
    monkeypatch.setitem(sys.modules, "torch", stand_in_for_torch())
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name in {"CFA", "main", "nms_wrapper", "faster_rcnn_wrapper", "_tf_compat_import"}:
            del sys.modules[name]


def image(pixels: NDArray[np.uint8]) -> Image:
    return Image(pixels, "0" * 64, Path("picture.png"))


def test_qhgz2013s_faces_become_heads(programs: Path) -> None:
    module = importlib.import_module("gallery_qhgz2013")
    check_detector(module.FasterRcnnDetector(), [draw(Square(50, 40, 62))])
    detector = catalog.detector("qhgz2013")
    assert detector.name == "qhgz2013@60000"
    ((head,), nobody) = detector.detect([image(draw(Square(50, 40, 62))), image(draw())])
    # Its box is from 50 to 111 and from 40 to 101; the second is the same face, the third is
    # unlikely, and nothing is left of the fourth.
    middle, half = (80.5, 70.5 - 0.2 * 61), 61 * 1.55 / 2
    wanted = Box(middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
    assert head.box == pytest.approx(wanted)
    assert head.score == pytest.approx(0.97)
    assert (head.landmarks, nobody) == (None, [])
    assert str(programs / "rcnn") not in sys.path


def with_eyes() -> NDArray[np.uint8]:
    """A picture whose middle is a face with eyes at (110, 190) and (200, 175)."""
    pixels = np.full((310, 310, 3), (220, 20, 20), np.uint8)
    for x, y in ((110, 190), (200, 175)):
        cv2.circle(pixels, (x, y), 8, (0, 0, 0), -1)
    return pixels


def test_kanosawas_points_are_found_in_other_detectors_heads(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANIME_HEADS", "whole")
    module = importlib.import_module("gallery_kanosawa")
    check_detector(module.LandmarkDetector(), [with_eyes()])
    detector = catalog.detector("kanosawa")
    assert detector.name == f"{catalog.detector('whole').name}+kanosawa@191109"
    ((face,),) = detector.detect([image(with_eyes())])
    (plain,) = catalog.detector("whole").detect([image(with_eyes())])[0]
    assert (face.box, face.score) == (plain.box, plain.score)
    points = face.landmarks
    assert points is not None
    # A cell of the network is 12.5 pixels here.
    assert points.left_eye == pytest.approx((110, 190), abs=6)
    assert points.right_eye == pytest.approx((200, 175), abs=6)
    left, top, cell = 55, 95, 12.5
    nose, chin, mouth = ((left + cell * 8.5, top + cell * (y + 0.5)) for y in (10, 15, 13))
    assert points.nose == pytest.approx(nose, abs=2)
    assert points.chin == pytest.approx(chin, abs=4)
    assert points.mouth == pytest.approx(mouth, abs=2)


def test_one_finds_the_heads_and_the_other_the_eyes_of_a_gallery(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANIME_HEADS", "qhgz2013")
    parts = assemble.describer(Settings(detector="kanosawa"))
    (described,) = parts.describe_all(image(draw(Square(50, 40, 62))))
    assert parts.detector.name == "qhgz2013@60000+kanosawa@191109"
    assert described.quality.roll == pytest.approx(0, abs=3)
    assert described.crop[82, 55].max() < 60  # the left eye, at 55 % of the height


@pytest.mark.parametrize(
    ("name", "lost", "why"),
    [
        ("qhgz2013", "rcnn/main.py", "lacks main.py; get https://.*set ANIME_FACE_DETECTOR to"),
        (
            "qhgz2013",
            "rcnn/model/res101_faster_rcnn_iter_60000.ckpt.index",
            r"lacks model/res101_faster_rcnn_iter_60000\.ckpt\.index;",
        ),
        ("kanosawa", "cfa/CFA.py", "lacks CFA.py; get https://.*set ANIME_LANDMARKS to"),
        ("kanosawa", "cfa/checkpoint_landmark_191109.pth.tar", r"lacks checkpoint_landmark_1911"),
    ],
)
def test_what_is_not_here_is_named(programs: Path, name: str, lost: str, why: str) -> None:
    (programs / lost).unlink()
    with pytest.raises(SetupError, match=why):
        catalog.detector(name)


def test_kanosawa_finds_no_heads(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANIME_HEADS", "kanosawa")
    with pytest.raises(SetupError, match="kanosawa finds none"):
        catalog.detector("kanosawa")


def test_another_version_of_a_program_is_one_sentence(programs: Path) -> None:
    (programs / "rcnn" / "main.py").write_text("def detect(image):\n    return []\n")
    importlib.invalidate_caches()
    detector = catalog.detector("qhgz2013")
    with pytest.raises(PluginFailed, match=r"qhgz2013 of the package gallery-qhgz2013 failed \(Ty"):
        detector.detect([image(draw())])
