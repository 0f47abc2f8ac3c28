"""One contract that every encoder keeps, and what holds between the runtimes."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder

from gallery.errors import InputError, SetupError
from gallery.faces import catalog
from gallery.faces.encoders.dlib_network import DlibNetwork
from gallery.faces.encoders.ensemble import EnsembleNetwork
from gallery.faces.encoders.onnx_network import CONVERTER_VERSION, OnnxNetwork, convert
from gallery.faces.encoders.preprocess import BATCH, as_crops, describe, zoomed
from gallery.faces.interfaces import Encoder
from gallery.faces.networks.dlib_format import read_network
from gallery.faces.networks.library import Weights, locate
from gallery.system.threads import available_cores
from gallery.testing import check_encoder
from gallery.types import CROP_SIDE, DIMENSION

ROOT = Path(__file__).parents[2]
SHARED_FACES = ROOT.parent / "shared" / "data" / "faces" / "dev.zip"
DRAWN_FACES = ROOT / "data" / "characters"


@pytest.fixture(scope="session")
def human() -> Weights:
    return locate("human", Path("nowhere"))


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_shipped_network_is_the_same_to_dlib(cache_folder: Path) -> None:
    weights = locate("anime", Path("nowhere"))
    crops = np.random.default_rng(0).integers(0, 256, (3, CROP_SIDE, CROP_SIDE, 3), np.uint8)
    fast, reference = OnnxNetwork(weights, cache_folder), DlibNetwork(weights)
    assert fast.id == reference.id
    assert np.abs(fast.encode(crops) - reference.encode(crops)).max() <= 1e-5


@pytest.fixture(scope="session")
def dlib_network(human: Weights) -> DlibNetwork:
    return DlibNetwork(human)


@pytest.fixture(scope="session")
def onnx_network(human: Weights, cache_folder: Path) -> OnnxNetwork:
    return OnnxNetwork(human, cache_folder)


@pytest.fixture(params=["fake", "dlib", "onnx"])
def encoder(
    request: pytest.FixtureRequest, dlib_network: DlibNetwork, onnx_network: OnnxNetwork
) -> Encoder:
    encoders: dict[str, Encoder] = {
        "fake": FakeEncoder(),
        "dlib": dlib_network,
        "onnx": onnx_network,
    }
    return encoders[request.param]


def painted(count: int, seed: int = 0) -> np.ndarray:
    """Smooth random colour fields with a little grain, shape (count, 150, 150, 3)."""
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(0, 255, (count, 5, 5, 3))
    smooth = coarse.repeat(30, axis=1).repeat(30, axis=2)
    grain = generator.normal(0, 6, smooth.shape)
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def resized(data: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture.convert("RGB").resize((CROP_SIDE, CROP_SIDE)))


# The contract.


def test_it_keeps_what_other_packages_are_asked_to_keep(encoder: Encoder) -> None:
    check_encoder(encoder)


def test_descriptors_have_the_right_shape(encoder: Encoder) -> None:
    described = encoder.encode(painted(3))
    assert described.shape == (3, DIMENSION)
    assert described.dtype == np.float32
    assert np.isfinite(described).all()


def test_an_empty_batch_gives_an_empty_result(encoder: Encoder) -> None:
    described = encoder.encode(np.empty((0, CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8))
    assert described.shape == (0, DIMENSION)
    assert described.dtype == np.float32


def test_a_batch_says_what_its_crops_say_one_by_one(encoder: Encoder) -> None:
    crops = painted(4)
    single = np.concatenate([encoder.encode(crops[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(encoder.encode(crops), single, atol=1e-5)


def test_encoding_twice_gives_the_same_and_leaves_the_crops_alone(encoder: Encoder) -> None:
    crops = painted(2)
    before = crops.copy()
    first = encoder.encode(crops)
    np.testing.assert_array_equal(encoder.encode(crops), first)
    np.testing.assert_array_equal(crops, before)


def test_crops_need_not_lie_in_one_piece(encoder: Encoder) -> None:
    crops = painted(4)
    np.testing.assert_allclose(
        encoder.encode(crops[::2, :, ::-1]),
        encoder.encode(np.ascontiguousarray(crops[::2, :, ::-1])),
        atol=1e-6,
    )


def test_like_crops_are_nearer_than_unlike_ones(encoder: Encoder) -> None:
    crops = painted(2)
    brighter = np.clip(crops[0].astype(int) + 4, 0, 255).astype(np.uint8)
    one, other, like = encoder.encode(np.stack([crops[0], crops[1], brighter]))
    assert np.linalg.norm(one - like) < np.linalg.norm(one - other) / 2


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((150, 150, 3), dtype=np.uint8),
        np.zeros((150, 150), dtype=np.uint8),
        np.zeros((1, 150, 150, 2), dtype=np.uint8),
        np.zeros((1, 0, 150, 3), dtype=np.uint8),
        np.zeros((1, 150, 150, 3), dtype=np.float32),
        np.full((1, 150, 150, 3), np.nan),
        np.zeros((1, 1, 150, 150, 3), dtype=np.uint8),
    ],
)
def test_what_is_no_batch_of_crops_is_refused(encoder: Encoder, crops: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"takes (a batch of )?crops.* shape \("):
        encoder.encode(crops)


def test_crops_of_other_kinds_say_what_they_show(encoder: Encoder) -> None:
    crop = painted(1)[0]
    (asked,) = encoder.encode(crop[None])
    deep = crop.astype(np.uint16) * 257
    opaque = np.dstack([crop, np.full(crop.shape[:2], 255, dtype=np.uint8)])
    (answered,) = encoder.encode(deep[None])
    np.testing.assert_array_equal(answered, asked)
    (answered,) = encoder.encode(opaque[None])
    np.testing.assert_array_equal(answered, asked)
    grey = crop[:, :, 0]
    (asked,) = encoder.encode(np.dstack([grey] * 3)[None])
    np.testing.assert_array_equal(encoder.encode(grey[None])[0], asked)
    np.testing.assert_array_equal(encoder.encode(grey[None, :, :, None])[0], asked)


def test_transparent_pixels_of_a_crop_are_white(encoder: Encoder) -> None:
    crop = painted(1)[0]
    see_through = np.dstack([crop, np.full(crop.shape[:2], 255, dtype=np.uint8)])
    see_through[:75, :, 3] = 0
    crop[:75] = 255
    np.testing.assert_array_equal(encoder.encode(see_through[None]), encoder.encode(crop[None]))


def test_crops_of_any_size_are_scaled(encoder: Encoder) -> None:
    crop = painted(1)[0]
    doubled = crop.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(encoder.encode(doubled[None]), encoder.encode(crop[None]))
    assert encoder.encode(crop[None, :40, :90]).shape == (1, DIMENSION)


def test_pictures_of_several_kinds_become_one_batch() -> None:
    crop = painted(1)[0]
    crops = as_crops([crop, crop.repeat(3, axis=0)[:, :, 0], crop[:1, :1]])
    assert crops.shape == (3, CROP_SIDE, CROP_SIDE, 3)
    np.testing.assert_array_equal(crops[0], crop)
    assert (crops[2] == crop[0, 0]).all()


def test_the_id_is_one_word(encoder: Encoder) -> None:
    assert encoder.id
    assert encoder.id.split() == [encoder.id]


# Between the runtimes.


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_both_runtimes_say_the_same_for_every_batch_size(
    count: int, dlib_network: DlibNetwork, onnx_network: OnnxNetwork
) -> None:
    crops = painted(count, seed=count)
    crops[0] = np.random.default_rng(count).integers(0, 256, crops[0].shape, dtype=np.uint8)
    difference = onnx_network.encode(crops) - dlib_network.encode(crops)
    assert np.abs(difference).max() <= 1e-5


def test_both_runtimes_say_the_same_of_plain_and_extreme_crops(
    dlib_network: DlibNetwork, onnx_network: OnnxNetwork
) -> None:
    crops = np.zeros((3, CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8)
    crops[1] = 255
    crops[2, ::2] = 255
    difference = onnx_network.encode(crops) - dlib_network.encode(crops)
    assert np.abs(difference).max() <= 1e-5


def test_both_runtimes_say_the_same_of_drawn_characters(
    dlib_network: DlibNetwork, onnx_network: OnnxNetwork
) -> None:
    files = sorted(path for path in DRAWN_FACES.rglob("*") if path.suffix in {".png", ".jpg"})
    if not files:
        pytest.skip("no drawn pictures under data/characters")
    crops = np.stack([resized(file.read_bytes()) for file in files[:: max(1, len(files) // 8)][:8]])
    difference = onnx_network.encode(crops) - dlib_network.encode(crops)
    assert np.abs(difference).max() <= 1e-5


def test_both_runtimes_say_the_same_of_real_faces(
    dlib_network: DlibNetwork, onnx_network: OnnxNetwork
) -> None:
    if not SHARED_FACES.is_file():
        pytest.skip("the shared faces are not beside the repository")
    with zipfile.ZipFile(SHARED_FACES) as archive:
        names = sorted(archive.namelist())[::220][:16]
        crops = np.stack([resized(archive.read(name)) for name in names])
    difference = onnx_network.encode(crops) - dlib_network.encode(crops)
    assert np.abs(difference).max() <= 1e-5


@pytest.mark.parametrize(
    ("zoom", "mirror", "suffix"),
    [
        (1.0, False, ""),
        (0.86, False, "-zoom0.86"),
        (1.0, True, "-mirror"),
        (0.7, True, "-zoom0.7-mirror"),
    ],
)
def test_preprocessing_is_the_same_for_both_and_a_part_of_the_id(
    zoom: float, mirror: bool, suffix: str, human: Weights, cache_folder: Path
) -> None:
    weights = dataclasses.replace(human, zoom=zoom, mirror=mirror)
    ours, theirs = OnnxNetwork(weights, cache_folder), DlibNetwork(weights)
    crops = painted(2)
    assert np.abs(ours.encode(crops) - theirs.encode(crops)).max() <= 1e-5
    assert ours.id == theirs.id == f"dlib-{human.sha256[:12]}{suffix}"


def test_with_mirror_a_face_and_its_mirror_image_are_the_same(
    human: Weights, cache_folder: Path
) -> None:
    encoder = OnnxNetwork(dataclasses.replace(human, mirror=True), cache_folder)
    plain = OnnxNetwork(human, cache_folder)
    crops = painted(1)
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])
    np.testing.assert_allclose(encoder.encode(crops), encoder.encode(mirrored), atol=1e-6)
    mean = (plain.encode(crops) + plain.encode(mirrored)) / 2
    np.testing.assert_allclose(encoder.encode(crops), mean, atol=1e-6)
    assert np.abs(plain.encode(crops) - plain.encode(mirrored)).max() > 1e-3


# Preprocessing.


def test_zoom_one_changes_nothing() -> None:
    crops = painted(2)
    np.testing.assert_array_equal(zoomed(crops, 1.0), crops)


def test_zoom_keeps_the_middle_and_enlarges() -> None:
    rows, columns = np.mgrid[0:CROP_SIDE, 0:CROP_SIDE]
    ramp = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    middle = (CROP_SIDE - 1) / 2
    half = zoomed(ramp[None], 0.5)[0].astype(float)
    expected = middle + (np.arange(CROP_SIDE) - middle) * 0.5
    assert np.abs(half[:, 10, 0] - expected).max() <= 1
    assert np.abs(half[10, :, 1] - expected).max() <= 1
    assert half.shape == ramp.shape


def test_batches_are_bounded() -> None:
    sizes: list[int] = []

    def run(batch: np.ndarray) -> np.ndarray:
        sizes.append(len(batch))
        return np.full((len(batch), DIMENSION), batch[:, 0, 0, 0, None], dtype=np.float32)

    crops = np.zeros((2 * BATCH + 1, CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8)
    crops[:, 0, 0, 0] = np.arange(len(crops))
    described = describe(crops, 1.0, mirror=False, run=run)
    assert sizes == [BATCH, BATCH, 1]
    np.testing.assert_array_equal(described[:, 5], np.arange(len(crops)))


def test_at_least_one_core_is_available() -> None:
    assert available_cores() >= 1


# The cache of converted networks.


def test_a_sound_cache_spares_reading_the_network(
    human: Weights, cache_folder: Path, onnx_network: OnnxNetwork, tmp_path: Path
) -> None:
    moved = dataclasses.replace(human, path=tmp_path / "gone.dat")
    crops = painted(1)
    again = OnnxNetwork(moved, cache_folder, threads=1).encode(crops)
    np.testing.assert_allclose(again, onnx_network.encode(crops), atol=1e-6)


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "other version"])
def test_a_damaged_cache_is_made_again(damage: str, human: Weights, tmp_path: Path) -> None:
    crops = painted(1)
    expected = OnnxNetwork(human, tmp_path).encode(crops)
    (cached,) = (tmp_path / "networks").iterdir()
    sound = cached.read_bytes()
    if damage == "truncated":
        cached.write_bytes(sound[: len(sound) // 2])
    elif damage == "changed":
        middle = len(sound) // 2
        cached.write_bytes(sound[:middle] + bytes([sound[middle] ^ 64]) + sound[middle + 1 :])
    elif damage == "empty":
        cached.write_bytes(b"")
    else:
        cached.rename(cached.with_name(cached.name.replace(f"-{CONVERTER_VERSION}-", "-0-")))
    np.testing.assert_array_equal(OnnxNetwork(human, tmp_path).encode(crops), expected)
    assert cached.read_bytes() == sound
    assert not list((tmp_path / "networks").glob(".*"))


def test_a_cache_that_cannot_be_written_is_done_without(human: Weights, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert OnnxNetwork(human, blocked).encode(painted(1)).shape == (1, DIMENSION)


def test_a_network_that_cannot_be_run_is_one_sentence(human: Weights, tmp_path: Path) -> None:
    junk = b"a whole file, but no network"
    digest = hashlib.sha256(junk).hexdigest()[:32]
    (tmp_path / "networks").mkdir()
    name = f"{human.sha256[:32]}-{CONVERTER_VERSION}-{digest}.onnx"
    (tmp_path / "networks" / name).write_bytes(junk)
    with pytest.raises(SetupError, match=r"^ONNX Runtime cannot run the network 'human': .*\w\.$"):
        OnnxNetwork(human, tmp_path)


@pytest.mark.parametrize("runtime", ["dlib", "onnx"])
def test_a_changed_network_is_never_used(runtime: str, human: Weights, tmp_path: Path) -> None:
    changed = bytearray(human.path.read_bytes())
    changed[5_000_000] ^= 1
    path = tmp_path / "changed.dat"
    path.write_bytes(changed)
    weights = dataclasses.replace(human, path=path)
    with pytest.raises(SetupError, match="damaged or was changed"):
        DlibNetwork(weights) if runtime == "dlib" else OnnxNetwork(weights, tmp_path)


@pytest.fixture
def onnx_file(human: Weights, tmp_path: Path) -> Weights:
    """Return a network that comes as ONNX."""
    model = convert(read_network(human.read()))
    path = tmp_path / "own.onnx"
    path.write_bytes(model)
    return dataclasses.replace(human, path=path, sha256=hashlib.sha256(model).hexdigest())


def test_an_onnx_file_is_run_as_it_is(
    onnx_file: Weights, onnx_network: OnnxNetwork, tmp_path: Path
) -> None:
    encoder = OnnxNetwork(onnx_file, tmp_path / "cache")
    crops = painted(2)
    np.testing.assert_allclose(encoder.encode(crops), onnx_network.encode(crops), atol=1e-6)
    assert encoder.id.startswith("onnx-")
    assert encoder.id != onnx_network.id
    assert not (tmp_path / "cache").exists()


def test_an_onnx_file_is_nothing_for_dlib(onnx_file: Weights) -> None:
    with pytest.raises(SetupError, match=r"'human' is an ONNX file, which dlib cannot run"):
        DlibNetwork(onnx_file)


def test_a_changed_onnx_file_is_never_used(onnx_file: Weights, tmp_path: Path) -> None:
    onnx_file.path.write_bytes(onnx_file.path.read_bytes() + b" ")
    with pytest.raises(SetupError, match="damaged or was changed"):
        OnnxNetwork(onnx_file, tmp_path)


def test_a_missing_network_is_named(human: Weights, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"gone\.dat"):
        DlibNetwork(dataclasses.replace(human, path=tmp_path / "gone.dat"))


# Several networks as one.


def fused_weights(matrix: np.ndarray, folder: Path, *parts: Weights) -> Weights:
    """Return weights whose file is this matrix."""
    path = folder / "both.npy"
    np.save(path, matrix)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return dataclasses.replace(parts[0], path=path, sha256=digest, parts=parts)


def test_distances_of_networks_together_are_those_of_each(
    human: Weights, onnx_file: Weights, tmp_path: Path
) -> None:
    # All that two networks of one file say fits into the first one's numbers.
    matrix = np.concatenate([np.eye(DIMENSION)] * 2).astype(np.float32)
    weights = fused_weights(matrix, tmp_path, human, onnx_file)
    encoder = catalog.encoder("onnx", weights, tmp_path)
    alone = OnnxNetwork(human, tmp_path).encode(painted(3))
    alone /= np.linalg.norm(alone, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(painted(3)), 2 * alone, atol=1e-5)
    assert encoder.encode(painted(0)).shape == (0, DIMENSION)
    assert encoder.id == weights.encoder_id


def test_the_id_of_networks_together_names_each_and_how_they_are_joined(
    human: Weights, onnx_file: Weights, tmp_path: Path
) -> None:
    matrix = np.zeros((2 * DIMENSION, DIMENSION), dtype=np.float32)
    ids = {
        fused_weights(matrix, tmp_path, human, onnx_file).encoder_id,
        fused_weights(matrix, tmp_path, onnx_file, human).encoder_id,
        fused_weights(matrix + 1, tmp_path, human, onnx_file).encoder_id,
        fused_weights(matrix, tmp_path, human, human).encoder_id,
        human.encoder_id,
        onnx_file.encoder_id,
    }
    assert len(ids) == 6


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((DIMENSION, DIMENSION), dtype=np.float32),
        np.zeros((2 * DIMENSION, DIMENSION)),
        np.full((2 * DIMENSION, DIMENSION), np.nan, dtype=np.float32),
        np.array([{}], dtype=object),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(
    matrix: np.ndarray, human: Weights, tmp_path: Path
) -> None:
    weights = fused_weights(matrix, tmp_path, human, human)
    with pytest.raises(SetupError, match=r"both\.npy of 'human' (is no array|holds)"):
        EnsembleNetwork([FakeEncoder(), FakeEncoder()], weights)
