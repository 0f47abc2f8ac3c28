"""Our head detector around its network: fitting pictures, what comes back, what is no detector."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes import draw
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gallery.errors import SetupError
from gallery.faces.detectors.heads import (
    LEAST_SCORE,
    MAX_FACES,
    PADDING,
    HeadDetector,
    Seen,
    Window,
    cut_by,
    fit,
    joined,
    strongest,
    uncut,
    windows,
)
from gallery.types import Box, Image, Pixels, Point


def image_of(pixels: Pixels) -> Image:
    return Image(pixels, "0" * 64, Path("picture.png"))


def row(
    score: float,
    box: tuple[float, float, float, float],
    seen: tuple[float, float] = (0.9, 0.9),
) -> list[float]:
    """What a cell says of a box, with eyes at 30 and 70 % of its width, 60 % of its height."""
    left, top, right, bottom = box
    eyes = [left + 0.3 * (right - left), top + 0.6 * (bottom - top)]
    eyes += [left + 0.7 * (right - left), top + 0.6 * (bottom - top)]
    return [score, *box, *eyes, *seen]


def constant(path: Path, rows: list[list[float]], *, picture_type: int = TensorProto.UINT8) -> Path:
    """A detector file that says the same of every picture, plus how bright the first pixel is.

    The brightness, 0 to 1, is added to the first row's score, so that pictures differ.
    """
    table = np.array(rows, np.float32)[None]
    first = np.zeros_like(table)
    first[0, 0, 0] = 1 / 255
    constants: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "table": table,
        "first": first,
        "zeros": np.zeros(4, np.int64),
        "one": np.array([2**31, 1, 1, 1], np.int64),
        "column": np.array([-1, 1, 1], np.int64),
    }
    nodes = [
        helper.make_node("Slice", ["pictures", "zeros", "one"], ["corner"]),
        helper.make_node("Cast", ["corner"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["real", "column"], ["bright"]),
        helper.make_node("Mul", ["bright", "first"], ["more"]),
        helper.make_node("Add", ["table", "more"], ["heads"]),
    ]
    graph = helper.make_graph(
        nodes,
        "heads",
        [helper.make_tensor_value_info("pictures", picture_type, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("heads", TensorProto.FLOAT, ["n", "c", table.shape[2]])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def test_a_picture_is_scaled_to_its_longer_side_and_filled_up() -> None:
    pixels = np.full((1080, 1920, 3), 200, np.uint8)
    fitted = fit(pixels, 640)
    assert fitted.pixels.shape == (384, 640, 3)
    assert fitted.scale == pytest.approx(1 / 3)
    assert (fitted.pixels[:360] == 200).all()
    assert (fitted.pixels[360:] == PADDING).all()


def test_a_small_picture_is_not_enlarged_without_end() -> None:
    fitted = fit(np.zeros((20, 30, 3), np.uint8), 640)
    assert fitted.scale == 2
    assert fitted.pixels.shape == (64, 64, 3)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (300, 168), (168, 300), (1280, 720)])
def test_places_come_back_in_the_pictures_pixels(width: int, height: int, tmp_path: Path) -> None:
    # A head stands at 20 to 40 % of the width and 30 to 60 % of the height.
    scale = fit(np.zeros((height, width, 3), np.uint8), 640).scale
    wanted = Box(0.2 * width, 0.3 * height, 0.4 * width, 0.6 * height)
    inside = [edge * scale for edge in wanted]
    file = constant(tmp_path / "a.onnx", [row(0.8, (inside[0], inside[1], inside[2], inside[3]))])
    ((face,),) = HeadDetector(file).detect([image_of(np.zeros((height, width, 3), np.uint8))])
    assert face.box == pytest.approx(wanted, abs=0.01)
    assert face.score == pytest.approx(0.8)
    assert face.landmarks is not None
    assert face.landmarks.left_eye == pytest.approx((0.26 * width, 0.48 * height), abs=0.01)
    assert face.landmarks.right_eye == pytest.approx((0.34 * width, 0.48 * height), abs=0.01)


def test_a_head_that_the_edge_cuts_reaches_a_little_beyond_it(tmp_path: Path) -> None:
    file = constant(tmp_path / "a.onnx", [row(0.8, (-50, -20, 100, 500))])
    ((face,),) = HeadDetector(file).detect([image_of(np.zeros((360, 640, 3), np.uint8))])
    # The network's box ends at the picture; its longer side is 360.
    assert face.box == pytest.approx((-54, 0, 100, 360))


def test_a_cut_head_becomes_square_across_the_edge_that_cuts_it() -> None:
    assert uncut(Box(0, 50, 90, 150), 640, 360) == Box(-10, 50, 90, 150)
    assert uncut(Box(550, 50, 640, 150), 640, 360) == Box(550, 50, 650, 150)
    assert uncut(Box(50, 0, 150, 90), 640, 360) == Box(50, -10, 150, 90)
    assert uncut(Box(50, 270, 150, 360), 640, 360) == Box(50, 270, 150, 370)
    # By no more than 0.15 of its side, and only across an edge that is there alone.
    assert uncut(Box(0, 50, 20, 150), 640, 360) == Box(-15, 50, 20, 150)
    assert uncut(Box(10, 50, 100, 150), 640, 360) == Box(10, 50, 100, 150)
    assert uncut(Box(0, 0, 20, 100), 20, 100) == Box(0, 0, 20, 100)


def test_eyes_that_cannot_be_this_heads_are_left_out(tmp_path: Path) -> None:
    outside, together = row(0.9, (100, 100, 200, 200)), row(0.8, (300, 100, 400, 200))
    outside[5:9] = [150, 90, 160, 230]
    together[5:9] = [345, 150, 355, 150]
    ((first, second),) = HeadDetector(constant(tmp_path / "a.onnx", [outside, together])).detect(
        [image_of(np.zeros((360, 640, 3), np.uint8))]
    )
    assert (first.landmarks, second.landmarks) == (None, None)


def test_pictures_together_are_seen_as_each_alone(tmp_path: Path) -> None:
    file = constant(tmp_path / "a.onnx", [row(0.5, (10, 10, 50, 50)), row(0.1, (0, 0, 5, 5))])
    pictures = [image_of(draw(seed=seed)) for seed in range(9)]
    detector = HeadDetector(file, threads=3)
    assert detector.detect(pictures) == [detector.detect([one])[0] for one in pictures]


def test_what_fails_among_several_pictures_is_said_once(tmp_path: Path) -> None:
    file = constant(tmp_path / "a.onnx", [row(0.9, (0, 0, 5, 5))])
    model = onnx.load(str(file))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 32
    onnx.save(model, str(file))
    with pytest.raises(SetupError, match=r"does not take pictures of 320x256; expected is one"):
        HeadDetector(file, threads=2).detect([image_of(draw()), image_of(draw())])


def test_a_shipped_network_that_was_changed_is_refused(tmp_path: Path) -> None:
    file = constant(tmp_path / "heads.onnx", [row(0.9, (0, 0, 5, 5))])
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert HeadDetector(file, sha256=sha256).name == f"heads-portrait@{sha256[:8]}"
    with pytest.raises(SetupError, match=r"heads\.onnx is damaged or was changed; install gallery"):
        HeadDetector(file, sha256="0" * 64)
    with pytest.raises(SetupError, match="is missing; install gallery again"):
        HeadDetector(tmp_path / "gone.onnx", sha256=sha256)


def test_pictures_of_several_sizes_go_in_one_batch(tmp_path: Path) -> None:
    file = constant(tmp_path / "a.onnx", [row(0.2, (10, 10, 50, 50)), row(0.1, (0, 0, 5, 5))])
    sizes = [(360, 640), (640, 360), (360, 640), (100, 100)] * 5
    pictures = [np.full((*size, 3), 10 * place, np.uint8) for place, size in enumerate(sizes)]
    found = HeadDetector(file).detect([image_of(pixels) for pixels in pictures])
    scores = [[face.score for face in faces] for faces in found]
    for place, own in enumerate(scores):
        bright = 0.2 + 10 * place / 255
        assert own == pytest.approx([bright] if bright >= LEAST_SCORE else [])
    assert HeadDetector(file).detect([]) == []


def test_eyes_that_cannot_be_seen_leave_a_face_without_landmarks(tmp_path: Path) -> None:
    rows = [row(0.9, (0, 0, 50, 50), (0.9, 0.1)), row(0.8, (100, 0, 150, 50), (0.5, 0.5))]
    (faces,) = HeadDetector(constant(tmp_path / "a.onnx", rows)).detect(
        [image_of(np.zeros((640, 640, 3), np.uint8))]
    )
    assert [face.landmarks is not None for face in faces] == [False, True]


def test_the_left_eye_stands_on_the_left(tmp_path: Path) -> None:
    said = row(0.9, (0, 0, 50, 50))
    said[5:9] = [*said[7:9], *said[5:7]]
    ((face,),) = HeadDetector(constant(tmp_path / "a.onnx", [said])).detect(
        [image_of(np.zeros((640, 640, 3), np.uint8))]
    )
    assert face.landmarks is not None
    assert face.landmarks.left_eye == Point(15, 30)


def test_rows_that_are_no_boxes_are_no_heads() -> None:
    rows = np.array(
        [
            row(0.9, (0, 0, 0, 10)),
            row(0.9, (20, 0, 10, 10)),
            row(0.9, (0, math.nan, 10, 10)),
            row(0.9, (0, 0, math.inf, 10)),
            row(math.nan, (0, 0, 10, 10)),
            row(0.29, (50, 50, 60, 60)),
            row(0.31, (0, 0, 10, 10)),
        ],
        np.float32,
    )
    assert strongest(rows, 0.3)[:, 0].tolist() == [np.float32(0.31)]


def test_what_is_said_of_one_head_is_averaged_by_score() -> None:
    rows = [
        row(0.6, (0, 0, 100, 100)),
        row(0.3, (9, 0, 109, 100)),
        # Half over the first: excluded, but of another head.
        row(0.5, (30, 0, 130, 100)),
        row(0.4, (300, 0, 400, 100)),
    ]
    first, second = strongest(np.array(rows, np.float32), 0.2)
    assert first[:5].tolist() == pytest.approx([0.6, 3, 0, 103, 100], abs=1e-4)
    assert first[5:9].tolist() == pytest.approx([33, 60, 73, 60], abs=1e-4)
    assert second.tolist() == pytest.approx(rows[3])


def test_the_number_of_faces_is_bounded() -> None:
    rows = [
        row(0.9, (x * 10, y * 10, x * 10 + 8, y * 10 + 8)) for x in range(30) for y in range(30)
    ]
    assert len(strongest(np.array(rows, np.float32), 0.3)) == MAX_FACES


def test_a_strip_is_looked_at_window_by_window() -> None:
    assert windows(1920, 1080) == [Window(0, 0, 1920, 1080)]
    assert windows(600, 100) == [Window(0, 0, 600, 100)]
    for width, height in ((10_000, 100), (800, 20_000), (30_000, 1)):
        parts = windows(width, height)
        assert 1 < len(parts) < 200
        along = [(part.left, part.right) for part in parts]
        if height > width:
            along = [(part.top, part.bottom) for part in parts]
        short, long = sorted((width, height))
        assert along[0][0] == 0
        assert along[-1][1] == long
        # A head as wide as the strip is whole in one of two neighbours.
        for (_, end), (start, _) in pairwise(along):
            assert end - start >= short


def test_a_head_in_two_windows_is_one(tmp_path: Path) -> None:
    # Windows of 640x100 are not enlarged; the second begins where the picture's half does.
    pixels = np.zeros((100, 960, 3), np.uint8)
    parts = windows(960, 100)
    assert [part.left for part in parts] == [0, 320]
    rows = [row(0.9, (400, 10, 460, 70)), row(0.6, (80, 10, 140, 70))]
    (faces,) = HeadDetector(constant(tmp_path / "a.onnx", rows)).detect([image_of(pixels)])
    lefts = sorted(round(face.box.left) for face in faces)
    assert lefts == [80, 400, 720]


@pytest.mark.parametrize("upright", [False, True])
def test_a_whole_head_beats_the_part_of_it_that_a_window_cuts(upright: bool) -> None:
    def seen(part: Window, *rows: list[float]) -> Seen:
        heads = np.array(rows, np.float32)
        if upright:
            heads[:, 1:9] = heads[:, [2, 1, 4, 3, 6, 5, 8, 7]]
            part = Window(part.top, part.left, part.bottom, part.right)
        size = (100, 960) if upright else (960, 100)
        return Seen(heads, cut_by(part, heads, *size))

    whole, part = row(0.7, (590, 10, 670, 90)), row(0.9, (592, 10, 640, 90))
    alone, at_the_edge = row(0.8, (300, 10, 380, 90)), row(0.8, (0, 10, 50, 90))
    windows = [
        seen(Window(0, 0, 640, 100), part, alone, at_the_edge),
        seen(Window(320, 0, 960, 100), whole),
    ]
    assert sorted(joined(windows)[:, 0].tolist()) == pytest.approx([0.7, 0.8, 0.8])
    # Where no window has the whole head, its part stays.
    assert len(joined(windows[:1])) == 3


def test_a_neighbour_of_a_cut_head_takes_it_not_away() -> None:
    cut = row(0.9, (600, 10, 640, 90))
    beside = row(0.7, (560, 10, 615, 90))
    heads = np.array([cut, beside], np.float32)
    part = Window(0, 0, 640, 100)
    assert len(joined([Seen(heads, cut_by(part, heads, 960, 100))])) == 2


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 3000), (3000, 1), (7, 900)])
def test_pictures_of_any_size_are_looked_at(size: tuple[int, int], tmp_path: Path) -> None:
    file = constant(tmp_path / "a.onnx", [row(0.9, (0, 0, 500, 500))])
    for face in HeadDetector(file).detect([image_of(np.zeros((*size, 3), np.uint8))])[0]:
        most = 0.15 * max(size)
        assert 0 < face.box.right <= size[1] + most
        assert 0 < face.box.bottom <= size[0] + most


def test_another_file_and_another_size_have_other_names(tmp_path: Path) -> None:
    one = constant(tmp_path / "a.onnx", [row(0.9, (0, 0, 5, 5))])
    other = constant(tmp_path / "b.onnx", [row(0.8, (0, 0, 5, 5))])
    names = {
        HeadDetector(one).name,
        HeadDetector(other).name,
        HeadDetector(one, longer_side=1280).name,
    }
    assert len(names) == 3


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"a\.onnx does not exist"):
        HeadDetector(tmp_path / "a.onnx")
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(SetupError, match="cannot be opened as ONNX"):
        HeadDetector(tmp_path / "a.onnx")
    whole = constant(tmp_path / "b.onnx", [row(0.9, (0, 0, 5, 5))]).read_bytes()
    (tmp_path / "b.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SetupError, match="cannot be opened as ONNX"):
        HeadDetector(tmp_path / "b.onnx")


def test_a_file_with_other_inputs_or_outputs_is_told_what_is_expected(tmp_path: Path) -> None:
    floats = constant(tmp_path / "a.onnx", [row(0.9, (0, 0, 5, 5))], picture_type=TensorProto.FLOAT)
    short = constant(tmp_path / "b.onnx", [[0.9, 0, 0, 5, 5]])
    for path in (floats, short):
        with pytest.raises(SetupError, match=r"expected is one uint8 input"):
            HeadDetector(path)


def test_the_picture_stays_as_it_is(tmp_path: Path) -> None:
    pixels = draw()
    before = pixels.copy()
    pixels.setflags(write=False)
    HeadDetector(constant(tmp_path / "a.onnx", [row(0.9, (0, 0, 5, 5))])).detect([image_of(pixels)])
    assert np.array_equal(pixels, before)
