"""How the head detector is trained: what is believed, painted, assigned, scored and learnt."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import Square, draw
from numpy.typing import NDArray

from gallery.faces.detectors.heads import HeadDetector
from gallery.media.images import encode_png
from gallery.types import Image
from training.detector.__main__ import main
from training.detector.assign import NOBODY, STRIDES, UNKNOWN, assigned, cells
from training.detector.config import read_config
from training.detector.geometry import (
    anchored,
    cut,
    moved,
    moved_boxes,
    moved_points,
    similarity,
    turned,
    warped,
)
from training.detector.labels import (
    FaceLabels,
    Heads,
    Picture,
    believed,
    believed_faces,
    corrected,
    differences,
    digests_in,
    empty_heads,
    is_held,
    joined_by_own,
    read_corrections,
)
from training.detector.scenes import Material, Painter, Recipe, Scene, Stack, cut_out
from training.detector.score import average_precision, figures

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)
CONFIG = Path(__file__).parents[2] / "training" / "detector" / "configs" / "heads.toml"
Numbers = NDArray[np.float64]


def heads_of(*boxes: tuple[float, float, float, float]) -> Heads:
    """Heads with eyes at 30 and 70 % of the width, 60 % of the height."""
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    size = corners[:, 2:] - corners[:, :2]
    eyes = corners[:, None, :2] + size[:, None] * np.array([[0.3, 0.6], [0.7, 0.6]])
    return Heads(corners, eyes, np.ones((len(corners), 2)), np.zeros((0, 4)))


def marked_crop() -> tuple[NDArray[np.uint8], Heads]:
    """A white disc that fills a square, with a red left and a blue right eye."""
    import cv2

    crop = np.full((160, 160, 3), 255, np.uint8)
    cv2.circle(crop, (50, 90), 7, (255, 0, 0), -1)
    cv2.circle(crop, (110, 96), 7, (0, 0, 255), -1)
    eyes = np.array([[[50.5, 90.5], [110.5, 96.5]]])
    return crop, Heads(np.array([[10.0, 10, 151, 151]]), eyes, np.ones((1, 2)), np.zeros((0, 4)))


def disc() -> NDArray[np.uint8]:
    import cv2

    mask = np.zeros((160, 160), np.uint8)
    cv2.circle(mask, (80, 80), 70, 255, -1)
    return mask


def centre_of(marked: NDArray[np.bool_]) -> Numbers:
    rows, columns = np.nonzero(marked)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("scale", "roll"), [(1.0, 0.0), (1.7, 40.0), (0.3, -65.0), (0.8, 15.0)])
def test_box_and_eyes_follow_a_pasted_head(scale: float, roll: float, mirrored: bool) -> None:
    crop, head = marked_crop()
    linear = similarity(scale, roll, mirrored=mirrored)
    matrix = anchored(linear, np.array([80.5, 80.5]), np.array([200.0, 180.0]))
    stack = Stack(Scene(np.zeros((400, 400, 3), np.uint8), empty_heads()))
    stack.put(crop, disc(), matrix, head)
    scene = stack.scene()

    red, _, blue = (scene.pixels[:, :, channel].astype(int) for channel in range(3))
    at_red, at_blue = centre_of(red - blue > 100), centre_of(blue - red > 100)
    first, second = (at_blue, at_red) if mirrored else (at_red, at_blue)
    assert scene.heads.eyes[0, 0] == pytest.approx(first, abs=0.8)
    assert scene.heads.eyes[0, 1] == pytest.approx(second, abs=0.8)
    assert scene.heads.eyes[0, 0, 0] < scene.heads.eyes[0, 1, 0]
    rows, columns = np.nonzero(scene.pixels.max(axis=2) > 127)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert scene.heads.boxes[0] == pytest.approx(found, abs=1.6)
    assert scene.heads.seen.tolist() == [[1, 1]]


def test_a_covered_eye_is_not_seen_and_a_covered_head_is_unknown() -> None:
    crop, head = marked_crop()
    mask = np.full((160, 160), 255, np.uint8)
    stack = Stack(Scene(np.zeros((400, 400, 3), np.uint8), empty_heads()))
    stack.put(crop, mask, anchored(np.eye(2), np.zeros(2), np.array([100.0, 100.0])), head)
    # Covers what stands right of x = 190: the right eye is at 210.
    stack.put(crop, mask, anchored(np.eye(2), np.zeros(2), np.array([190.0, 100.0])), head)
    heads = stack.scene().heads
    assert heads.seen.tolist() == [[1, 0], [1, 1]]
    assert heads.eyes[0, 1] == pytest.approx([210.5, 196.5])
    stack.put(crop, mask, anchored(np.eye(2), np.zeros(2), np.array([95.0, 105.0])), head)
    heads = stack.scene().heads
    assert heads.boxes[:, 0].tolist() == [200, 105]
    assert heads.ignored.tolist() == [[110, 110, 251, 251]]


def test_what_is_drawn_over_covers_too() -> None:
    stack = Stack(Scene(np.zeros((200, 200, 3), np.uint8), heads_of((0, 0, 100, 100))))
    changed = np.zeros((200, 200), np.bool_)
    changed[55:65, 25:35] = True
    stack.cover(changed)
    assert stack.scene().heads.seen.tolist() == [[0, 1]]


def test_a_turned_circle_keeps_its_box() -> None:
    box = np.array([[10.0, 20, 50, 60]])
    for roll in (0, 30, 45, 90):
        matrix = anchored(similarity(2.0, roll), np.array([30.0, 40]), np.array([100.0, 100]))
        assert moved_boxes(box, matrix)[0] == pytest.approx([60, 60, 140, 140])
    flat = np.array([[0.0, 0, 40, 20]])
    turned = moved_boxes(flat, anchored(similarity(1.0, 90), np.array([20.0, 10]), np.zeros(2)))
    assert turned[0] == pytest.approx([-10, -20, 10, 20])


def test_positive_roll_turns_clockwise_on_a_screen() -> None:
    matrix = anchored(similarity(1.0, 90), np.zeros(2), np.zeros(2))
    assert moved_points(np.array([1.0, 0.0]), matrix) == pytest.approx([0, 1])


@pytest.mark.parametrize("roll", [0, 45, -30])
def test_a_turned_picture_takes_its_heads_along(roll: float) -> None:
    pixels = draw(Square(60, 40, 50, (220, 20, 20)), width=300, height=170)
    shown, heads = turned(pixels, heads_of((60, 40, 110, 90)), roll)
    red = shown[:, :, 0].astype(int) - shown[:, :, 1] > 100
    assert centre_of(red) == pytest.approx((heads.boxes[0, :2] + heads.boxes[0, 2:]) / 2, abs=1.5)
    across, down = heads.eyes[0, 1] - heads.eyes[0, 0]
    assert np.degrees(np.arctan2(down, across)) == pytest.approx(roll)


def test_the_frame_cuts_boxes_and_drops_what_is_mostly_outside() -> None:
    heads = heads_of((-40, 10, 60, 110), (-80, 10, 20, 110), (-300, 0, -200, 100), (50, 50, 54, 54))
    cut_heads = cut(heads, 100, 120)
    assert cut_heads.boxes.tolist() == [[0, 10, 60, 110]]
    # The left eye stands at -10, outside.
    assert cut_heads.seen.tolist() == [[0, 1]]
    assert cut_heads.ignored.tolist() == [[0, 10, 20, 110], [50, 50, 54, 54]]


def test_unknown_eyes_stay_unknown() -> None:
    heads = heads_of((10, 10, 60, 60))
    unknown = Heads(heads.boxes, heads.eyes * np.nan, heads.seen * np.nan, heads.ignored)
    matrix = anchored(similarity(1.2, 20, mirrored=True), np.zeros(2), np.array([90.0, 10.0]))
    after = cut(moved(unknown, matrix), 200, 200)
    assert len(after) == 1
    assert np.isnan(after.eyes).all()
    assert np.isnan(after.seen).all()


@pytest.mark.parametrize("scale", [0.1, 0.55, 1.0, 3.0])
def test_a_moved_picture_lands_where_its_places_do(scale: float) -> None:
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[100:140, 200:240] = 255
    matrix = anchored(similarity(scale, 0), np.array([220.0, 120]), np.array([150.0, 150]))
    answer = warped(pixels, matrix, 300, 300, 0)
    assert centre_of(answer[:, :, 0] > 127) == pytest.approx([150, 150], abs=0.6)


def material(tmp_path: Path) -> Material:
    """Three drawn faces and three drawn pictures: one with heads, one free, one trusted."""
    del tmp_path
    squares = [Square(20, 30, 110, colour) for colour in ((220, 20, 20), (20, 220, 20))]
    crops = [draw(one, width=160, height=160) for one in (*squares, Square(40, 40, 80))]
    boxes = heads_of((20, 30, 130, 140), (20, 30, 130, 140), (40, 40, 120, 120))
    peopled = encode_png(draw(Square(60, 40, 50), width=300, height=170))
    trusted = encode_png(draw(Square(10, 10, 50), width=170, height=300))
    nobody = encode_png(draw(width=300, height=170))
    return Material(
        np.stack(crops),
        FaceLabels(np.arange(3), boxes.boxes, boxes.eyes),
        [
            Picture(peopled, heads_of((60, 40, 110, 90)), is_free=False, is_trusted=False),
            Picture(nobody, empty_heads(), is_free=True, is_trusted=False),
            Picture(trusted, heads_of((10, 10, 60, 60)), is_free=False, is_trusted=True),
        ],
    )


def test_scenes_hold_sound_heads_and_come_again_with_their_seed(tmp_path: Path) -> None:
    painter = Painter(material(tmp_path), Recipe())
    total, doubtful = 0, 0
    for seed in range(40):
        width, height = ((256, 192), (160, 224))[seed % 2]
        scene = painter.scene(width, height, np.random.default_rng(seed))
        again = painter.scene(width, height, np.random.default_rng(seed))
        assert scene.pixels.shape == (height, width, 3)
        assert scene.pixels.dtype == np.uint8
        assert np.array_equal(scene.pixels, again.pixels)
        assert np.array_equal(scene.heads.boxes, again.heads.boxes)
        boxes = scene.heads.boxes
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes >= 0).all()
        assert (boxes <= [width, height, width, height]).all()
        assert scene.heads.eyes.shape == (len(boxes), 2, 2)
        assert np.isin(scene.heads.seen, (0, 1)).all()
        total += len(boxes)
        doubtful += scene.is_doubtful
    assert total > 40
    assert 0 < doubtful < 40


def test_a_drawn_face_is_inside_its_box(tmp_path: Path) -> None:
    recipe = Recipe(pasted_rate=1.0, numbers=(0, 1), overlay_rate=0, skin_rate=0, body_rate=0)
    plain = material(tmp_path)
    plain.pictures.clear()
    painter = Painter(plain, recipe)
    seen = 0
    for seed in range(12):
        scene = painter.scene(320, 320, np.random.default_rng(seed))
        for box, eyes in zip(scene.heads.boxes, scene.heads.eyes, strict=True):
            # An eye is dark in a square of strong colour; it stands well inside the box.
            assert (eyes > box[:2] - 2).all()
            assert (eyes < box[2:] + 2).all()
            seen += 1
    assert seen >= 8


@pytest.mark.parametrize("pasted", [0.0, 1.0])
def test_heads_lean_as_far_as_the_recipe_says(tmp_path: Path, pasted: float) -> None:
    recipe = Recipe(
        pasted_rate=pasted,
        mosaic_rate=0,
        overlay_rate=0,
        body_rate=0,
        level_views=0,
        most_view_roll=40,
        level_heads=0,
        most_head_roll=40,
    )
    plain = material(tmp_path)
    if pasted:
        # Nothing but what is pasted: views of pictures lie behind it now and then.
        plain.pictures.clear()
    painter = Painter(plain, recipe)
    leans = []
    for seed in range(30):
        eyes = painter.scene(320, 320, np.random.default_rng(seed)).heads.eyes
        across, down = (eyes[:, 1] - eyes[:, 0]).T
        leans += np.degrees(np.arctan2(down, across)).tolist()
    assert len(leans) > 15
    assert max(np.abs(leans)) <= 40.001
    assert min(leans) < -20
    assert max(leans) > 20


def test_masks_show_the_heads_middle() -> None:
    box = np.array([30.0, 20, 130, 140])
    for seed in range(30):
        mask = cut_out(160, box, np.random.default_rng(seed))
        assert mask.shape == (160, 160)
        assert mask[60:100, 60:100].min() > 200


def test_cells_stand_in_the_middle_of_their_strides() -> None:
    places = cells(96, 64)
    counts = [int((places[:, 2] == stride).sum()) for stride in STRIDES]
    assert counts == [12 * 8, 6 * 4, 3 * 2, 2 * 1]
    assert places[0].tolist() == [4, 4, 8]
    assert places[1].tolist() == [12, 4, 8]


def test_every_head_has_cells_of_its_size_and_small_ones_come_first() -> None:
    places = cells(256, 256)
    heads = heads_of((0, 0, 256, 256), (100, 100, 109, 109), (60, 60, 140, 140))
    answers = assigned(heads, places)
    for head in range(3):
        assert (answers == head).any()
    assert set(places[answers == 0][:, 2]) == {64}
    assert set(places[answers == 1][:, 2]) == {8}
    assert set(places[answers == 2][:, 2]) == {16, 32}
    for head, stride in ((1, 8), (2, 32)):
        middle = (heads.boxes[head, :2] + heads.boxes[head, 2:]) / 2
        assert (np.abs(places[answers == head][:, :2] - middle) <= 1.5 * stride).all()


def test_cells_in_ignored_regions_are_unknown_unless_a_head_is_there() -> None:
    known = heads_of((10, 10, 30, 30))
    heads = Heads(known.boxes, known.eyes, known.seen, np.array([[0.0, 0, 64, 64]]))
    places = cells(128, 128)
    answers = assigned(heads, places)
    inside = (places[:, :2] < 64).all(axis=1)
    assert set(answers[inside]) == {0, UNKNOWN}
    assert set(answers[~inside]) == {NOBODY}


def line_of(
    teacher: list[list[float]], animeface: list[list[float]], kept: list[int]
) -> dict[str, Any]:
    return {"teacher": teacher, "animeface": animeface, "kept": kept, "size": [300, 200]}


def test_what_both_see_is_believed_and_what_one_sees_is_ignored() -> None:
    both = [100.0, 50, 150, 100, 0.6, 800]
    weak = [200.0, 50, 250, 100, 0.6, 800]
    eyes = [115.0, 80, 135, 81, 0.0]
    line = line_of(
        [both, weak], [[102, 48, 152, 98, 0.9, *eyes], [10, 10, 60, 60, 0.9, *eyes]], [0, 1]
    )
    heads = believed(line)
    assert heads.boxes.tolist() == [both[:4]]
    assert heads.eyes.tolist() == [[[115, 80], [135, 81]]]
    assert heads.ignored.tolist() == [weak[:4], [10, 10, 60, 60]]


def test_the_teacher_is_believed_alone_where_it_is_sure_twice() -> None:
    once = line_of([[100.0, 50, 150, 100, 0.9, 800]], [], [0])
    assert len(believed(once)) == 0
    twice = line_of([[100.0, 50, 150, 100, 0.9, 800], [100.0, 50, 154, 100, 0.9, 1200]], [], [0])
    heads = believed(twice)
    assert heads.boxes[0] == pytest.approx([100, 50, 152, 100])
    assert np.isnan(heads.eyes).all()
    assert np.isnan(heads.seen).all()


def test_eyes_that_cannot_be_a_heads_are_not_known() -> None:
    box = [100.0, 50, 150, 100]
    for eyes in ([115.0, 80, 116, 80], [115.0, 80, 400, 80]):
        heads = believed(line_of([[*box, 0.99, 800]], [[*box, 0.9, *eyes, 0.0]], [0]))
        assert len(heads) == 1
        assert np.isnan(heads.eyes).all()


def test_a_person_takes_claims_back_or_doubts_them() -> None:
    claims = np.full((3, 9), np.nan)
    claims[:, :5] = [[0, 0, 40, 40, 0.9], [50, 0, 90, 40, 0.9], [0, 50, 40, 90, 0.9]]
    hand, back = np.array([2.0, 0.0, 42.0, 40.0]), np.array([50.0, 2.0, 90.0, 42.0])
    left = corrected(claims, [(hand, "nothing"), (back, "unknown")])
    assert left[:, :2].tolist() == [[50, 0], [0, 50]]
    heads = joined_by_own(empty_heads(), left)
    assert heads.boxes.tolist() == [[0, 50, 40, 90]]
    assert heads.ignored.tolist() == [[50, 0, 90, 40]]


def test_the_corrections_are_boxes_of_pictures_to_train_with() -> None:
    corrections = read_corrections()
    validation = CONFIG.parents[3] / "data" / "detection" / "validation.json"
    assert len(corrections) > 100
    assert not corrections.keys() & digests_in(validation)
    for marks in corrections.values():
        for box, what in marks:
            assert what in ("nothing", "unknown")
            assert (box[2:] > box[:2]).all()


def test_our_own_detector_adds_what_it_is_sure_of_and_doubts_the_rest() -> None:
    known = heads_of((0, 0, 50, 50))
    before = Heads(known.boxes, known.eyes, known.seen, np.array([[100.0, 0, 150, 50]]))
    eyes = [110.0, 30, 140, 30]
    claims = np.array(
        [
            [2, 0, 52, 50, 0.9, *eyes],
            [101, 0, 151, 50, 0.8, *eyes],
            [200, 0, 230, 30, 0.6, *[np.nan] * 4],
            [0, 100, 20, 120, 0.2, *eyes],
        ]
    )
    after = joined_by_own(before, claims)
    assert after.boxes.tolist() == [[0, 0, 50, 50], [101, 0, 151, 50], [200, 0, 230, 30]]
    assert after.eyes[1].ravel().tolist() == eyes
    assert np.isnan(after.seen[2]).all()
    assert after.seen[:2].tolist() == [[1, 1], [1, 1]]
    assert after.ignored.tolist() == [[0, 100, 20, 120]]
    assert len(joined_by_own(before, claims[:0])) == 1


def test_faces_with_two_heads_or_a_doubtful_one_are_left_out(tmp_path: Path) -> None:
    box = [10.0, 10, 150, 150]
    lines = [
        {"row": 5, "teacher": [[*box, 0.97]], "animeface": []},
        {"row": 2, "teacher": [[*box, 0.7]], "animeface": []},
        {"row": 3, "teacher": [[*box, 0.9], [0, 0, 30, 30, 0.8]], "animeface": []},
        {"row": 4, "teacher": [], "animeface": []},
        {"row": 1, "teacher": [[*box, 0.7]], "animeface": [[*box, 0.8, 50, 90, 110, 90, 0.0]]},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + '\n{"row": 9, "tea'
    (tmp_path / "faces.jsonl").write_text(text, encoding="utf-8")
    labels = believed_faces(tmp_path)
    assert labels.index.tolist() == [1, 5]
    assert labels.eyes[0].tolist() == [[50, 90], [110, 90]]
    assert np.isnan(labels.eyes[1]).all()


def test_pictures_that_look_alike_have_the_same_signs() -> None:
    generator = np.random.default_rng(0)
    import cv2

    picture = cv2.resize(generator.integers(0, 256, (6, 8, 3)).astype(np.uint8), (320, 180))
    other = cv2.resize(generator.integers(0, 256, (6, 8, 3)).astype(np.uint8), (320, 180))
    small = cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA)
    first, same, different = (
        differences(np.asarray(one, np.uint8)) for one in (picture, small, other)
    )
    assert (first ^ same).bit_count() <= 3
    assert (first ^ different).bit_count() > 10


def test_a_validation_sets_digests_are_found_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "validation.json"
    path.write_text(json.dumps({"pictures": [{"sha256": "ab" * 32, "heads": []}]}))
    assert digests_in(path) == {"ab" * 32}
    with pytest.raises(FileNotFoundError):
        digests_in(tmp_path / "none.json")


def test_a_share_is_held_out_by_name() -> None:
    held = [is_held(f"face {number}", 0.1) for number in range(2000)]
    assert 140 < sum(held) < 260
    assert held == [is_held(f"face {number}", 0.1) for number in range(2000)]


def test_average_precision_of_a_hand_made_list() -> None:
    # Right, wrong, right of three: precision 1, 1/2, 2/3; the area is 1/3 x 1 + 1/3 x 2/3.
    scores, right = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    assert average_precision(scores, right, 3) == pytest.approx(1 / 3 + 2 / 9)
    assert average_precision(scores[:0], right[:0], 3) == 0


def test_figures_leave_ignored_regions_out() -> None:
    heads = heads_of((10, 10, 60, 60))
    known = Heads(heads.boxes, heads.eyes, heads.seen, np.array([[100.0, 100, 200, 200]]))
    eyes = [25.0, 42, 45, 40]
    rows = np.array(
        [
            [0.9, 10, 10, 60, 62, *eyes, 1, 1],
            [0.8, 120, 120, 160, 160, *eyes, 1, 1],
            [0.7, 12, 10, 60, 60, *eyes, 1, 1],
        ],
        np.float32,
    )
    answer = figures([rows], [known])
    assert answer["ap50"] == 1
    assert answer["recall"] == 1
    # One eye is 2 of 20 pixels away, the other stands right.
    assert answer["eye_error"] == pytest.approx(0.05)


def test_the_recipes_are_sound(tmp_path: Path) -> None:
    for name in ("heads", "heads-turned"):
        config = read_config(CONFIG.with_name(f"{name}.toml"))
        assert config.name == name
        assert config.recipe.largest > config.recipe.smallest
    bad = tmp_path / "bad.toml"
    bad.write_text(CONFIG.read_text(encoding="utf-8").replace("[448, 448]", "[450, 448]"))
    with pytest.raises(ValueError, match="multiples of 32"):
        read_config(bad)


def test_a_start_that_is_not_there_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "last.pt"
    arguments = ["train", "--run", str(tmp_path), "--start", str(missing)]
    monkeypatch.setattr("sys.argv", ["training.detector", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert f"{missing} is not there" in capsys.readouterr().err


@needs_torch
def test_the_network_says_one_row_for_every_cell_and_is_small() -> None:
    import torch

    from training.detector.network import HeadNetwork, cost, decode, prepare

    network = HeadNetwork().eval()
    for height, width in ((64, 96), (32, 32), (160, 224)):
        pictures = torch.zeros(2, height, width, 3, dtype=torch.uint8)
        with torch.no_grad():
            said = decode(network(prepare(pictures)))
        assert said.shape == (2, len(cells(height, width)), 11)
    parameters, multiplications = cost(network, 384, 640)
    assert parameters < 1.2e6
    assert multiplications < 0.6e9


@needs_torch
def test_cells_answer_where_they_are_assigned() -> None:
    """A map of zeros says a box of four strides around each cell."""
    import torch

    from training.detector.network import decode

    maps = [torch.zeros(1, 11, -(-96 // stride), -(-160 // stride)) for stride in STRIDES]
    said = decode(maps)[0].numpy()
    places = cells(96, 160)
    middles = (said[:, 1:3] + said[:, 3:5]) / 2
    assert np.allclose(middles, places[:, :2])
    assert np.allclose(said[:, 3] - said[:, 1], 4 * places[:, 2])
    assert np.allclose(said[:, 5:7], places[:, :2])


@needs_torch
def test_right_answers_cost_nothing_but_their_score() -> None:
    import torch

    from training.detector.losses import losses
    from training.detector.train import batch_of

    heads = heads_of((20, 20, 60, 60))
    scene = Scene(np.zeros((96, 96, 3), np.uint8), heads)
    _, targets = batch_of([scene, Scene(np.zeros((96, 96, 3), np.uint8), empty_heads())])
    said = torch.zeros(2, len(cells(96, 96)), 11)
    said[..., 0] = torch.where(targets.answers >= 0, 20.0, -20.0)
    said[..., 1:5] = torch.tensor(heads.boxes[0], dtype=torch.float32)
    said[..., 5:9] = torch.tensor(heads.eyes[0].ravel(), dtype=torch.float32)
    said[..., 9:] = 20.0
    right = losses(said, targets)
    for part in (right.score, right.box, right.eye, right.seen):
        assert float(part) == pytest.approx(0, abs=1e-4)
    said[..., 5] += 10
    said[..., 1] -= 10
    wrong = losses(said, targets)
    assert float(wrong.eye) > 0.1
    assert float(wrong.box) > 0.1


@needs_torch
def test_confident_answers_in_doubtful_pictures_are_hardly_corrected() -> None:
    import torch

    from training.detector.losses import losses
    from training.detector.train import batch_of

    said = torch.full((1, len(cells(96, 96)), 11), -9.0)
    said[0, 5, 0] = 2.0
    scores = []
    for doubtful in (False, True):
        pixels = np.zeros((96, 96, 3), np.uint8)
        _, targets = batch_of([Scene(pixels, empty_heads(), doubtful)])
        scores.append(float(losses(said, targets).score))
    assert 0 < scores[1] < 0.2 * scores[0]


@needs_torch
def test_the_exported_file_answers_as_pytorch_does_and_finds_heads(tmp_path: Path) -> None:
    import torch

    from training.detector.export import TOLERANCE, export
    from training.detector.network import HeadNetwork

    torch.manual_seed(0)
    path = tmp_path / "heads.onnx"
    assert export(HeadNetwork(), path) <= TOLERANCE
    assert path.stat().st_size < 5e6
    detector = HeadDetector(path, least_score=0.0)
    (faces,) = detector.detect([Image(draw(), "", Path("picture.png"))])
    assert faces


@needs_torch
def test_a_few_steps_on_two_scenes_bring_the_loss_down(tmp_path: Path) -> None:
    import torch

    from training.detector.losses import losses
    from training.detector.network import HeadNetwork, Widths, decode, prepare
    from training.detector.train import batch_of

    torch.manual_seed(0)
    painter = Painter(material(tmp_path), Recipe(pasted_rate=1.0, numbers=(0, 0, 1)))
    pictures, targets = batch_of(
        [painter.scene(128, 128, np.random.default_rng(seed)) for seed in range(2)]
    )
    network = HeadNetwork(Widths(16, 16, 32, 32, 32, 16))
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    totals = []
    for _ in range(25):
        parts = losses(decode(network(prepare(pictures))), targets)
        whole = parts.score + parts.box + parts.eye + parts.seen
        optimiser.zero_grad()
        whole.backward()
        optimiser.step()
        totals.append(whole.item())
    assert totals[-1] < 0.6 * totals[0]
