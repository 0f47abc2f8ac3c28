"""What every detector keeps to, and what each is to find."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes import FakeDetector, Square, draw
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gallery.errors import SetupError
from gallery.faces import catalog
from gallery.faces.detectors.animeface import AnimefaceDetector
from gallery.faces.detectors.boxes import head_around
from gallery.faces.detectors.onnx_file import OnnxFileDetector, prior_boxes
from gallery.faces.detectors.whole import WholePicture
from gallery.faces.interfaces import Detector
from gallery.media.images import read_image
from gallery.testing import check_detector
from gallery.types import Box, Face, Image, Pixels, Point

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
FACEBOXES = SHARED / "detector" / "faceboxes.onnx"
ORIGINAL = SHARED / "original"


def image_of(pixels: Pixels) -> Image:
    return Image(pixels, "0" * 64, Path("picture.png"))


def save_graph(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: dict[str, NDArray[np.float32] | NDArray[np.int64]],
) -> Path:
    graph = helper.make_graph(
        nodes,
        "detector",
        inputs,
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def faceboxes_graph(path: Path, offsets: tuple[float, float, float, float] = (0, 0, 0, 0)) -> Path:
    """A FaceBoxes file that sees a head of 128 pixels around every red cell of 32 pixels.

    The 128-pixel box stands last of the 21 of every cell of stride 32; a picture of 800 pixels
    has 25 x 25 such cells, then 13 x 13 of stride 64 and 7 x 7 of stride 128.
    """
    first, rest = 25 * 25, 13 * 13 + 7 * 7
    last_of_21 = np.zeros((1, 21), np.float32)
    last_of_21[0, 20] = 1
    return save_graph(
        path,
        [
            # Red less green of blue-green-red order, from 0 to 1, averaged over cells.
            helper.make_node("Conv", ["x", "red"], ["redness"]),
            helper.make_node(
                "AveragePool", ["redness"], ["cells"], kernel_shape=[32, 32], strides=[32, 32]
            ),
            helper.make_node("Clip", ["cells", "zero", "one"], ["clipped"]),
            helper.make_node("Reshape", ["clipped", "column"], ["flat"]),
            helper.make_node("MatMul", ["flat", "last"], ["spread"]),
            helper.make_node("Reshape", ["spread", "column"], ["near"]),
            helper.make_node("Concat", ["near", "far"], ["face"], axis=0),
            helper.make_node("Sub", ["one", "face"], ["background"]),
            helper.make_node("Concat", ["background", "face"], ["conf"], axis=1),
            helper.make_node("Identity", ["offsets"], ["loc"]),
        ],
        [floats("x", 1, 3, "height", "width")],
        [floats("loc", 1, first * 21 + rest, 4), floats("conf", first * 21 + rest, 2)],
        {
            "red": np.array([0, -1 / 200, 1 / 200], np.float32).reshape(1, 3, 1, 1),
            "zero": np.array(0, np.float32),
            "one": np.array(1, np.float32),
            "column": np.array([-1, 1], np.int64),
            "last": last_of_21,
            "far": np.zeros((rest, 1), np.float32),
            "offsets": np.tile(np.array(offsets, np.float32), (1, first * 21 + rest, 1)).astype(
                np.float32
            ),
        },
    )


def yolo_graph(path: Path, *, classes: int = 1) -> Path:
    """A YOLO file for pictures of 64x64 that sees a head of 16 pixels at every red 8x8 cell."""
    centres = np.arange(8, dtype=np.float32) * 8 + 4
    x, y = np.meshgrid(centres, centres)
    boxes = np.stack([x.ravel(), y.ravel(), np.full(64, 16), np.full(64, 16)])
    others = [np.full((1, 1, 64), 0.01, np.float32)] * (classes - 1)
    return save_graph(
        path,
        [
            helper.make_node("Conv", ["x", "red"], ["redness"]),
            helper.make_node(
                "AveragePool", ["redness"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]
            ),
            helper.make_node("Clip", ["cells", "zero", "one"], ["clipped"]),
            helper.make_node("Reshape", ["clipped", "row"], ["scores"]),
            helper.make_node("Concat", ["boxes", "others", "scores"], ["output"], axis=1),
        ],
        [floats("x", 1, 3, 64, 64)],
        [floats("output", 1, 4 + classes, 64)],
        {
            "red": np.array([1.2, -1.2, 0], np.float32).reshape(1, 3, 1, 1),
            "zero": np.array(0, np.float32),
            "one": np.array(1, np.float32),
            "row": np.array([1, 1, 64], np.int64),
            "boxes": boxes[None].astype(np.float32),
            "others": np.concatenate([*others, np.zeros((1, 0, 64), np.float32)], axis=1),
        },
    )


def constant_yolo(path: Path, rows: list[list[float]]) -> Path:
    """A YOLO file for pictures of any size that says the same of every one."""
    table = np.array(rows, np.float32).T[None]
    return save_graph(
        path,
        [
            helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
            helper.make_node("Add", ["table", "nothing"], ["output"]),
        ],
        [floats("x", 1, 3, "height", "width")],
        [floats("output", 1, table.shape[1], table.shape[2])],
        {
            "zero": np.array(0, np.float32),
            "table": table,
        },
    )


MAKERS: dict[str, Callable[[Path], Detector]] = {
    "fake": lambda _folder: FakeDetector(),
    "animeface": lambda _folder: AnimefaceDetector(),
    "whole": lambda _folder: WholePicture(),
    "YOLO": lambda folder: OnnxFileDetector(yolo_graph(folder / "yolo.onnx")),
    "enlarged": lambda folder: OnnxFileDetector(yolo_graph(folder / "y.onnx", classes=3), 1.55),
    "FaceBoxes": lambda _folder: OnnxFileDetector(FACEBOXES),
}


@pytest.fixture(params=MAKERS)
def detector(request: pytest.FixtureRequest, tmp_path: Path) -> Detector:
    if request.param == "FaceBoxes" and not FACEBOXES.exists():
        pytest.skip("there is no shared/data/detector/faceboxes.onnx beside the repository")
    return MAKERS[request.param](tmp_path)


def test_it_keeps_what_other_packages_are_asked_to_keep(detector: Detector) -> None:
    check_detector(detector, [draw(Square(10, 10, 60))])


def check(face: Face) -> None:
    assert isinstance(face, Face)
    assert 0 <= face.score <= 1
    assert all(type(edge) is float and math.isfinite(edge) for edge in face.box)
    assert face.box.width > 0
    assert face.box.height > 0
    if face.landmarks is not None:
        assert face.landmarks.left_eye.x <= face.landmarks.right_eye.x


def test_every_picture_gets_its_faces_best_first(detector: Detector) -> None:
    pictures = [
        draw(seed=1),
        draw(Square(20, 20, 60), seed=2),
        draw(Square(5, 5, 50), Square(90, 40, 60), width=200, height=150, seed=3),
        np.zeros((100, 300, 3), np.uint8),
        np.full((300, 100, 3), (255, 0, 0), np.uint8),
    ]
    found = detector.detect([image_of(pixels) for pixels in pictures])
    assert len(found) == len(pictures)
    for faces in found:
        for face in faces:
            check(face)
        scores = [face.score for face in faces]
        assert scores == sorted(scores, reverse=True)
    # A picture's faces do not depend on those beside it.
    for pixels, faces in zip(pictures, found, strict=True):
        assert detector.detect([image_of(pixels)]) == [faces]


def test_no_pictures_give_no_answers(detector: Detector) -> None:
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 3000), (3000, 1), (3000, 2), (7, 900)]
)
def test_pictures_of_any_size_are_looked_at(detector: Detector, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    pixels.setflags(write=False)
    for face in detector.detect([image_of(pixels)])[0]:
        check(face)


def test_a_detector_has_a_name_and_leaves_the_picture_as_it_is(detector: Detector) -> None:
    pixels = draw(Square(20, 20, 60))
    before = pixels.copy()
    detector.detect([image_of(pixels)])
    assert detector.name
    assert np.array_equal(pixels, before)


def test_the_fake_finds_the_squares_that_are_drawn() -> None:
    squares = (Square(10, 12, 60, (20, 200, 30)), Square(90, 40, 40))
    (faces,) = FakeDetector().detect([image_of(draw(*squares))])
    assert [face.box for face in faces] == [Box(10, 12, 70, 72), Box(90, 40, 130, 80)]
    assert faces[0].landmarks is not None
    assert faces[0].landmarks.left_eye == Point(28, 45)


def test_the_whole_picture_is_a_head() -> None:
    (faces,) = WholePicture().detect([image_of(draw(width=70, height=50))])
    assert faces == [Face(Box(0, 0, 70, 50), 1.0)]


def test_yolo_boxes_come_back_in_the_pictures_pixels(tmp_path: Path) -> None:
    pixels = np.full((200, 320, 3), 128, np.uint8)
    # Five picture pixels to one of the network's, which sees 64x40 of its 64x64.
    pixels[80:120, 160:200] = (255, 0, 0)
    (faces,) = OnnxFileDetector(yolo_graph(tmp_path / "a.onnx")).detect([image_of(pixels)])
    (face,) = faces
    assert face.box == pytest.approx(Box(140, 60, 220, 140), abs=0.5)
    assert face.score > 0.9
    (enlarged,) = OnnxFileDetector(tmp_path / "a.onnx", head_scale=2).detect([image_of(pixels)])[0]
    assert enlarged.box.width == pytest.approx(160, abs=1)
    assert enlarged.box.centre.x == pytest.approx(180, abs=1)
    # A head reaches higher above brow and chin than below.
    assert enlarged.box.centre.y < face.box.centre.y


def test_the_likeliest_of_several_classes_counts(tmp_path: Path) -> None:
    pixels = np.full((64, 64, 3), 128, np.uint8)
    pixels[16:24, 40:48] = (255, 0, 0)
    detector = OnnxFileDetector(yolo_graph(tmp_path / "a.onnx", classes=3))
    (faces,) = detector.detect([image_of(pixels)])
    assert [face.box.centre for face in faces] == [Point(44, 20)]


def test_of_boxes_over_each_other_the_best_stays(tmp_path: Path) -> None:
    path = constant_yolo(
        tmp_path / "a.onnx",
        [[100, 100, 60, 60, 0.6], [102, 100, 60, 60, 0.9], [300, 300, 60, 60, 0.7],
         [500, 500, 60, 60, 0.29]],
    )  # fmt: skip
    (faces,) = OnnxFileDetector(path).detect([image_of(draw(width=640, height=640))])
    assert [round(face.score, 3) for face in faces] == [0.9, 0.7]
    assert faces[0].box.centre.x == pytest.approx(102)


def test_rows_that_are_no_boxes_are_no_faces(tmp_path: Path) -> None:
    path = constant_yolo(
        tmp_path / "a.onnx",
        [
            [math.nan, 100, 60, 60, 0.9],
            [100, 100, math.inf, 60, 0.9],
            [300, 300, 60, 60, math.nan],
            [300, 100, 0, 0, 0.9],
            [300, 200, -20, 30, 0.9],
            [500, 500, 60, 60, 0.8],
        ],
    )
    (faces,) = OnnxFileDetector(path).detect([image_of(draw(width=640, height=640))])
    for face in faces:
        check(face)
    assert [face.box.centre for face in faces] == [Point(500, 500)]


def test_the_number_of_faces_is_bounded(tmp_path: Path) -> None:
    rows = [[x * 20.0, y * 20.0, 8, 8, 0.9] for x, y in product(range(30), range(30))]
    (faces,) = OnnxFileDetector(constant_yolo(tmp_path / "a.onnx", rows)).detect(
        [image_of(draw(width=640, height=640))]
    )
    assert len(faces) == 500


def test_faceboxes_offsets_are_undone_around_the_prior_boxes(tmp_path: Path) -> None:
    pixels = np.full((400, 400, 3), 128, np.uint8)
    # Cell 10 across and 7 down, of 32 pixels in the network's 800.
    pixels[7 * 16 : 8 * 16, 10 * 16 : 11 * 16] = (255, 0, 0)
    (faces,) = OnnxFileDetector(faceboxes_graph(tmp_path / "a.onnx")).detect([image_of(pixels)])
    assert [face.box for face in faces] == [pytest.approx(Box(136, 88, 200, 152), abs=0.5)]
    moved = faceboxes_graph(tmp_path / "b.onnx", (1.0, -2.0, math.log(2) / 0.2, 0.0))
    (faces,) = OnnxFileDetector(moved).detect([image_of(pixels)])
    # A tenth of 128 to the right, two tenths up, twice as wide; half of it in the picture.
    (face,) = faces
    assert face.box.centre == pytest.approx((168 + 6.4, 120 - 12.8), abs=0.5)
    assert (face.box.width, face.box.height) == pytest.approx((128, 64), abs=0.5)


@pytest.mark.parametrize(("width", "height"), [(800, 800), (800, 450), (257, 800), (800, 1)])
def test_prior_boxes_stand_where_the_reference_has_them(width: int, height: int) -> None:
    rows = []
    for step, sizes in ((32, (32, 64, 128)), (64, (256,)), (128, (512,))):
        for i, j in product(range(math.ceil(height / step)), range(math.ceil(width / step))):
            for size in sizes:
                shifts = {32: [0, 0.25, 0.5, 0.75], 64: [0, 0.5]}.get(size, [0.5])
                rows += [
                    [(j + x) * step / width, (i + y) * step / height, size / width, size / height]
                    for y, x in product(shifts, shifts)
                ]
    assert np.allclose(prior_boxes(width, height), rows)


@pytest.mark.skipif(
    not (FACEBOXES.exists() and ORIGINAL.is_dir()),
    reason="there is no shared/data with a detector and pictures beside the repository",
)
@pytest.mark.parametrize("name", ["FaceBoxes", "animeface"])
def test_the_originals_pictures_show_one_head_each(name: str, tmp_path: Path) -> None:
    paths = [path for path in sorted(ORIGINAL.rglob("*")) if path.suffix in (".png", ".jpg")]
    smallest = sorted(paths, key=lambda path: path.stat().st_size)[:4]
    assert smallest
    for path in smallest:
        image = read_image(path)
        (faces,) = MAKERS[name](tmp_path).detect([image])
        assert len(faces) == 1
        assert min(faces[0].box.within(image.width, image.height)[2:]) > 0


def two_outputs(path: Path) -> None:
    save_graph(
        path,
        [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Identity", ["x"], ["b"])],
        [floats("x", 1, 3, 8, 8)],
        [floats("a", 1, 3, 8, 8), floats("b", 1, 3, 8, 8)],
        {},
    )


def whole_numbers(path: Path) -> None:
    picture = helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 3, 8, 8])
    save_graph(
        path,
        [helper.make_node("Identity", ["table"], ["output"])],
        [picture],
        [floats("output", 1, 5, 1)],
        {
            "table": np.zeros((1, 5, 1), np.float32),
        },
    )


def three_numbers_a_row(path: Path) -> None:
    save_graph(
        path,
        [helper.make_node("Identity", ["table"], ["output"])],
        [floats("x", 1, 3, 8, 8)],
        [floats("output", 1, 3, 10)],
        {
            "table": np.zeros((1, 3, 10), np.float32),
        },
    )


@pytest.mark.parametrize("make", [two_outputs, whole_numbers, three_numbers_a_row])
def test_files_of_another_family_are_refused_with_what_is_expected(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "a.onnx")
    with pytest.raises(SetupError, match="expected are one float input"):
        OnnxFileDetector(tmp_path / "a.onnx")


def test_a_file_that_does_not_take_a_pictures_size_is_refused_with_the_cure(
    tmp_path: Path,
) -> None:
    # The graph has as many boxes as a square picture wants, whatever it gets.
    detector = OnnxFileDetector(faceboxes_graph(tmp_path / "a.onnx"))
    with pytest.raises(SetupError, match="pictures of 800x400; export it"):
        detector.detect([image_of(draw(width=400, height=200))])
    fixed = constant_yolo(tmp_path / "b.onnx", [[1, 1, 1, 1, 0.9]])
    model = onnx.load(str(fixed))
    model.graph.input[0].CopyFrom(floats("x", 1, 3, 32, "width"))
    onnx.save(model, str(fixed))
    with pytest.raises(SetupError, match="pictures of 640x640; export it"):
        OnnxFileDetector(fixed).detect([image_of(draw())])


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="does not exist"):
        OnnxFileDetector(tmp_path / "missing.onnx")
    with pytest.raises(SetupError, match="does not exist"):
        OnnxFileDetector(tmp_path)
    for content in (b"", b"This is text.", bytes(1000)):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(SetupError, match=r"cannot be opened as ONNX|has input"):
            OnnxFileDetector(tmp_path / "bad.onnx")
    whole = yolo_graph(tmp_path / "cut.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SetupError, match="cannot be opened as ONNX"):
        OnnxFileDetector(tmp_path / "cut.onnx")


def test_the_catalog_opens_detectors_by_name_and_refuses_others(tmp_path: Path) -> None:
    assert catalog.detector("whole").name == "whole"
    path = yolo_graph(tmp_path / "頭.ONNX")
    assert catalog.detector(str(path)).name.startswith("onnx:頭.ONNX@")
    assert catalog.detector(str(path), 1.5).name.startswith("onnx:頭.ONNX*1.5@")
    with pytest.raises(SetupError, match="choose heads, animeface, whole or the path of"):
        catalog.detector("haar")


def test_a_head_stands_around_and_above_its_face() -> None:
    assert head_around(Point(50, 60), 20, head_scale=2, lift=0.25) == Box(30, 35, 70, 75)
