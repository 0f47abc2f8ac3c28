"""The second look at the eyes: what it is shown, what comes back, what is no such network."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gallery.errors import SetupError
from gallery.faces.detectors.heads import HeadDetector
from gallery.faces.detectors.landmarks import (
    AROUND,
    AT_ONCE,
    SIDE,
    EyeFinder,
    Frame,
    back,
    frame_of,
    matrix_of,
    view,
)
from gallery.faces.networks.library import shipped_detector
from gallery.types import Box, Face, Image, Landmarks, Pixels, Point

SAID = (0.3 * SIDE, 0.5 * SIDE, 0.7 * SIDE, 0.5 * SIDE, 0.9, 0.9)
"""Eyes level in the middle of the view, both seen."""


def image_of(pixels: Pixels) -> Image:
    return Image(pixels, "0" * 64, Path("picture.png"))


def saying(path: Path, eyes: tuple[float, ...] = SAID, *, side: int = SIDE) -> Path:
    """A file that says the same of every view, the left eye further right the brighter it is."""
    constants: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "table": np.array([eyes], np.float32),
        "first": np.array([[1 / 255] + [0] * (len(eyes) - 1)], np.float32),
        "zeros": np.zeros(4, np.int64),
        "one": np.array([2**31, 1, 1, 1], np.int64),
        "column": np.array([-1, 1], np.int64),
    }
    nodes = [
        helper.make_node("Slice", ["views", "zeros", "one"], ["corner"]),
        helper.make_node("Cast", ["corner"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["real", "column"], ["bright"]),
        helper.make_node("Mul", ["bright", "first"], ["more"]),
        helper.make_node("Add", ["table", "more"], ["eyes"]),
    ]
    graph = helper.make_graph(
        nodes,
        "eyes",
        [helper.make_tensor_value_info("views", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info("eyes", TensorProto.FLOAT, ["n", len(eyes)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def face(box: Box, roll: float = 0.0) -> Face:
    """A face whose eyes are known roughly, half a side apart around the box's middle."""
    across = 0.25 * box.width * math.cos(math.radians(roll))
    down = 0.25 * box.width * math.sin(math.radians(roll))
    x, y = box.centre
    return Face(box, 0.9, Landmarks(Point(x - across, y - down), Point(x + across, y + down)))


def spot_in(seen: Pixels) -> NDArray[np.float64]:
    """Return where the bright pixels of a view are, with the first pixel from 0 to 1."""
    weights = seen[:, :, 0].astype(np.float64)
    weights[weights < 60] = 0
    rows, columns = np.indices(weights.shape) + 0.5
    return np.array([(columns * weights).sum(), (rows * weights).sum()] / weights.sum())


@pytest.mark.parametrize("roll", [0.0, 30.0, -75.0, 90.0])
@pytest.mark.parametrize("size", [24.0, 90.0, 400.0, 1200.0])
def test_what_is_in_a_picture_is_where_the_matrix_says(size: float, roll: float) -> None:
    frame = Frame(Point(700.3, 650.8), size * AROUND, roll)
    pixels = np.zeros((1300, 1400, 3), np.uint8)
    radius = max(size / 24, 1)
    down, across = np.indices(pixels.shape[:2]) + 0.5
    centre = np.array([700.3 + 0.1 * size, 650.8 - 0.15 * size])
    pixels[np.hypot(across - centre[0], down - centre[1]) <= radius] = 255
    matrix = matrix_of(frame)
    wanted = matrix[:, :2] @ centre + matrix[:, 2]
    # Half of a pixel of the picture is what the spot itself may be off.
    assert spot_in(view(pixels, frame)) == pytest.approx(wanted, abs=0.35 + 0.5 * SIDE / size)
    assert back(wanted.reshape(1, 1, 2), [frame])[0, 0] == pytest.approx(centre)


def test_a_view_is_level_and_holds_the_head() -> None:
    box = Box(100, 100, 200, 220)
    marks = Landmarks(Point(130, 150), Point(170, 190))
    frame = frame_of(box, marks)
    assert frame.roll == pytest.approx(45)
    assert frame.side == pytest.approx(120 * AROUND)
    matrix = matrix_of(frame)
    left, right = (matrix[:, :2] @ eye + matrix[:, 2] for eye in marks[:2])
    assert left[1] == pytest.approx(right[1])
    assert left[0] < right[0]


def test_beyond_a_picture_its_edge_is_repeated() -> None:
    pixels = np.full((40, 60, 3), 90, np.uint8)
    for centre in (Point(0, 0), Point(60, 40), Point(-30, 20), Point(90, 90)):
        assert (view(pixels, Frame(centre, 50, 20)) == 90).all()
    assert view(np.full((1, 1, 3), 7, np.uint8), Frame(Point(0.5, 0.5), 1.1, 0)).max() == 7


def test_eyes_come_back_in_the_pictures_pixels(tmp_path: Path) -> None:
    finder = EyeFinder(saying(tmp_path / "eyes.onnx"))
    box = Box(50, 60, 150, 160)
    ((level,),) = finder.placed([image_of(np.zeros((300, 300, 3), np.uint8))], [[face(box)]])
    assert level.landmarks is not None
    reach = 0.2 * AROUND * 100
    assert level.landmarks.left_eye == pytest.approx((100 - reach, 110))
    assert level.landmarks.right_eye == pytest.approx((100 + reach, 110))
    ((turned,),) = finder.placed([image_of(np.zeros((300, 300, 3), np.uint8))], [[face(box, 30)]])
    assert turned.landmarks is not None
    assert turned.landmarks.right_eye == pytest.approx(
        (100 + reach * math.cos(math.pi / 6), 110 + reach * math.sin(math.pi / 6))
    )


def test_faces_without_eyes_stay_without(tmp_path: Path) -> None:
    finder = EyeFinder(saying(tmp_path / "eyes.onnx"))
    hidden = Face(Box(5, 5, 50, 50), 0.8)
    seen = face(Box(50, 60, 150, 160))
    images = [image_of(np.zeros((300, 300, 3), np.uint8))] * 3
    first, second, third = finder.placed(images, [[hidden, seen], [], [hidden]])
    assert (first[0], second, third) == (hidden, [], [hidden])
    assert first[1] != seen
    assert finder.placed([], []) == []


def test_all_heads_of_all_pictures_come_back_in_their_places(tmp_path: Path) -> None:
    finder = EyeFinder(saying(tmp_path / "eyes.onnx"))
    images = [image_of(np.full((200, 200, 3), 20 * place, np.uint8)) for place in range(5)]
    found = [[face(Box(0, 0, 100, 100))] * (AT_ONCE // 2 + place) for place in range(5)]
    together = finder.placed(images, found)
    assert [len(one) for one in together] == [len(one) for one in found]
    assert together == [
        finder.placed([image], [faces])[0] for image, faces in zip(images, found, strict=True)
    ]
    lefts = [one[0].landmarks.left_eye.x for one in together if one[0].landmarks]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 5


def test_an_eye_that_is_not_seen_stays_where_the_first_look_put_it(tmp_path: Path) -> None:
    finder = EyeFinder(saying(tmp_path / "eyes.onnx", (*SAID[:4], 0.1, 0.9)))
    rough = face(Box(50, 60, 150, 160))
    ((one,),) = finder.placed([image_of(np.zeros((300, 300, 3), np.uint8))], [[rough]])
    assert one.landmarks is not None
    assert rough.landmarks is not None
    assert one.landmarks.left_eye == rough.landmarks.left_eye
    assert one.landmarks.right_eye != rough.landmarks.right_eye


@pytest.mark.parametrize(
    "eyes",
    [
        (40.0, 40.0, 41.0, 40.0, 0.9, 0.9),
        (-40.0, 40.0, 60.0, 40.0, 0.9, 0.9),
        (math.nan, math.nan, math.nan, math.nan, 0.9, 0.9),
    ],
)
def test_eyes_that_cannot_be_a_heads_change_nothing(
    eyes: tuple[float, ...], tmp_path: Path
) -> None:
    finder = EyeFinder(saying(tmp_path / "eyes.onnx", eyes))
    rough = face(Box(50, 60, 150, 160))
    assert finder.placed([image_of(np.zeros((300, 300, 3), np.uint8))], [[rough]]) == [[rough]]


def test_the_left_eye_stays_on_the_left(tmp_path: Path) -> None:
    crossed = (SAID[2], SAID[3], SAID[0], SAID[1], 0.9, 0.9)
    finder = EyeFinder(saying(tmp_path / "eyes.onnx", crossed))
    image = image_of(np.zeros((300, 300, 3), np.uint8))
    ((one,),) = finder.placed([image], [[face(Box(50, 60, 150, 160))]])
    assert one.landmarks is not None
    assert one.landmarks.left_eye.x < one.landmarks.right_eye.x


def test_what_is_no_such_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"gone\.onnx does not exist"):
        EyeFinder(tmp_path / "gone.onnx")
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(SetupError, match="cannot be opened as ONNX"):
        EyeFinder(tmp_path / "a.onnx")
    for path in (
        saying(tmp_path / "b.onnx", side=SIDE // 2),
        saying(tmp_path / "c.onnx", (1.0, 2.0, 3.0)),
    ):
        with pytest.raises(SetupError, match=r"expected is one uint8 input \(n, 96, 96, 3\)"):
            EyeFinder(path)


def test_another_file_than_the_one_that_ships_is_refused(tmp_path: Path) -> None:
    path = saying(tmp_path / "eyes.onnx")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert EyeFinder(path, sha256=digest).digest == digest
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SetupError, match="is damaged or was changed"):
        EyeFinder(path, sha256=digest)
    path.unlink()
    with pytest.raises(SetupError, match="is missing"):
        EyeFinder(path, sha256=digest)


def test_the_shipped_detector_looks_twice() -> None:
    (heads, heads_sha256), (eyes, eyes_sha256) = (
        shipped_detector("heads"),
        shipped_detector("eyes"),
    )
    detector = HeadDetector(
        heads, sha256=heads_sha256, eyes=eyes, eyes_sha256=eyes_sha256, threads=1
    )
    assert detector.name == f"heads-portrait@{heads_sha256[:8]}+{eyes_sha256[:8]}"
    assert heads.stat().st_size + eyes.stat().st_size <= 5e6
