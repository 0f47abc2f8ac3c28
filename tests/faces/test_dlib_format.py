"""The reader and writer of dlib's network files, on the real file and on damaged ones."""

from __future__ import annotations

import dataclasses
import re
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.errors import InputError
from gallery.faces.networks.dlib_format import (
    BLOCKS,
    MAXIMUM_SIZE,
    Affine,
    Block,
    Convolution,
    Network,
    read_network,
    write_network,
)
from gallery.faces.networks.library import locate

HUMAN = locate("human", Path("nowhere"))
REAL = HUMAN.path.read_bytes()
PACKAGE = HUMAN.path.parent
NAMES = (
    rb"loss_metric_2|input_rgb_image_sized|con_4|affine_|relu_|max_pool_2|avg_pool_2|add_prev_|fc_2"
)
STRUCTURE = sorted(
    {
        place
        for match in re.finditer(NAMES, REAL)
        for place in range(match.start() - 90, match.end() + 12)
        if 0 <= place < len(REAL)
    }
    | set(range(360))
)
"""Offsets of bytes that stand between the weights."""
RATES = bytes.fromhex("01108104" * 3 + "0100010b")


@pytest.fixture(scope="module")
def network() -> Network:
    return read_network(REAL)


def test_what_is_read_is_written_byte_for_byte(network: Network) -> None:
    assert write_network(network) == REAL


def test_bare_weights_make_the_whole_file(network: Network) -> None:
    def copy(values: np.ndarray) -> np.ndarray:
        return np.array(values)

    def convolution(layer: Convolution) -> Convolution:
        return Convolution(copy(layer.filters), copy(layer.biases))

    def affine(layer: Affine) -> Affine:
        return Affine(copy(layer.gamma), copy(layer.beta))

    bare = Network(
        stem=convolution(network.stem),
        stem_affine=affine(network.stem_affine),
        blocks=tuple(
            Block(
                convolution(block.first),
                affine(block.first_affine),
                convolution(block.second),
                affine(block.second_affine),
                halves,
            )
            for block, (_, halves) in zip(network.blocks, BLOCKS, strict=True)
        ),
        projection=copy(network.projection),
    )
    assert write_network(bare) == REAL


def test_the_network_has_the_known_shape(network: Network) -> None:
    assert network.stem.filters.shape == (32, 3, 7, 7)
    assert [len(block.first.biases) for block in network.blocks] == [
        *[32] * 3,
        *[64] * 4,
        *[128] * 3,
        *[256] * 4,
    ]
    assert network.projection.shape == (256, 128)
    assert network.means == pytest.approx((122.782, 117.001, 104.298), abs=1e-5)


@pytest.mark.parametrize(
    "length",
    [*range(0, 340, 7), 341, 5000, 19_290, 19_296, 19_400, *range(20_000, len(REAL), 1_931_117)],
)
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(InputError, match=r"^The file is no .*network of dlib.*\.$"):
        read_network(REAL[:length])


@pytest.mark.parametrize("missing", [1, 2, 10, 60, 72, 73, 131_072])
def test_a_file_without_its_end_is_refused(missing: int) -> None:
    with pytest.raises(InputError, match="ends at byte"):
        read_network(REAL[:-missing])


@pytest.mark.parametrize(
    "name", ["shape_predictor_5_face_landmarks.dat", "mmod_human_face_detector.dat"]
)
def test_other_files_of_dlib_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="no face recognition network"):
        read_network((PACKAGE / name).read_bytes())


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n" + bytes(100), b"\xff" * 400, b"text\n" * 99])
def test_files_of_other_kinds_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_network(data)


def test_bytes_after_the_network_are_refused() -> None:
    with pytest.raises(InputError, match="3 bytes follow"):
        read_network(REAL + b"abc")


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(InputError, match="no such network has more"):
        read_network(bytes(MAXIMUM_SIZE + 1))


def test_a_size_that_the_file_does_not_back_allocates_nothing() -> None:
    start = REAL.index(b"con_4") + len(b"con_4")
    sizes = b"\x01\x02" + b"\x08" + b"\xff" * 7 + b"\x7f" + b"\x08" + b"\xff" * 8 + b"\x01\x01" * 2
    after_first = REAL.index(b"110", start)
    for hostile in (
        REAL[:start] + sizes + REAL[start + 12 :],
        REAL[: after_first + 3] + sizes + REAL[after_first + 15 :],
    ):
        tracemalloc.start()
        with pytest.raises(InputError):
            read_network(hostile)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2**20


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(STRUCTURE) | st.integers(0, len(REAL) - 1), st.integers(1, 255)),
        min_size=1,
        max_size=3,
    )
)
def test_changed_bytes_give_a_network_or_an_input_error(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(REAL)
    for place, difference in changes:
        damaged[place] ^= difference
    try:
        network = read_network(bytes(damaged))
    except InputError:
        return
    assert network.projection.shape == (256, 128)
    assert len(write_network(network)) <= len(REAL) + 8


def test_numbers_that_are_not_finite_are_refused(network: Network) -> None:
    for number in (np.nan, np.inf):
        projection = network.projection.copy()
        projection[3, 4] = number
        with pytest.raises(InputError, match="not finite"):
            write_network(dataclasses.replace(network, projection=projection))
        place = REAL.index(network.projection.tobytes()[:64])
        damaged = REAL[:place] + struct.pack("<f", number) + REAL[place + 4 :]
        with pytest.raises(InputError, match="not finite"):
            read_network(damaged)


def test_arrays_of_another_shape_are_not_written(network: Network) -> None:
    with pytest.raises(InputError, match=r"\(128, 256\)"):
        write_network(dataclasses.replace(network, projection=network.projection.T))
    with pytest.raises(InputError, match="residual blocks"):
        write_network(dataclasses.replace(network, blocks=network.blocks[:-1]))


def test_the_means_are_kept(network: Network) -> None:
    means = (-12.5, 0.0, 99.75)
    assert read_network(write_network(dataclasses.replace(network, means=means))).means == means


def test_the_form_of_newer_versions_of_dlib_is_read(network: Network, tmp_path: Path) -> None:
    convolutions, last = REAL.split(b"\x01\x04fc_2")
    newer = (
        convolutions.replace(b"con_4", b"con_6").replace(RATES + b"110", RATES + b"10110")
        + b"\x01\x04fc_3"
        + last.replace(RATES + b"110", RATES + b"0110")
    )
    for affine in _affines(network):
        old = _affine_bytes(b"affine_", affine)
        newer = newer.replace(old, _affine_bytes(b"affine_2", affine) + b"0", 1)
    assert len(newer) > len(REAL)
    assert write_network(read_network(newer)) == REAL
    _dlib_opens(newer, tmp_path)


def test_batch_norms_are_read_as_dlib_reads_them(network: Network, tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    trained = REAL
    for affine in _affines(network):
        trained = trained.replace(
            _affine_bytes(b"affine_", affine), _batch_norm_bytes(affine, generator), 1
        )
    read = read_network(trained)
    for ours, real in zip(_affines(read), _affines(network), strict=True):
        np.testing.assert_allclose(ours.gamma, real.gamma, rtol=1e-5)
        np.testing.assert_allclose(ours.beta, real.beta, rtol=1e-4, atol=1e-4)
    crop = generator.integers(0, 256, (150, 150, 3), dtype=np.uint8)
    ours_described = _dlib_opens(write_network(read), tmp_path, crop)
    theirs_described = _dlib_opens(trained, tmp_path, crop)
    assert np.abs(ours_described - theirs_described).max() < 1e-5


def _affines(network: Network) -> list[Affine]:
    blocks = [(block.first_affine, block.second_affine) for block in network.blocks]
    return [network.stem_affine, *(affine for pair in blocks for affine in pair)]


def _integers(*values: int) -> bytes:
    lengths = [max(1, (value.bit_length() + 7) // 8) for value in values]
    return b"".join(
        bytes([length]) + value.to_bytes(length, "little")
        for value, length in zip(values, lengths, strict=True)
    )


def _tensor(values: np.ndarray, *shape: int) -> bytes:
    return _integers(2, *shape) + values.astype("<f4").tobytes()


def _affine_bytes(name: bytes, affine: Affine) -> bytes:
    count = len(affine.gamma)
    return (
        _integers(len(name))
        + name
        + _tensor(np.concatenate([affine.gamma, affine.beta]), 2 * count, 1, 1, 1)
        + _integers(1, 1, count, 1, 1, 1, 1, count, 1, 1, 0)
    )


def _batch_norm_bytes(affine: Affine, generator: np.random.Generator) -> bytes:
    count = len(affine.gamma)
    mean = generator.normal(size=count).astype(np.float32)
    variance = generator.uniform(0.5, 2, size=count).astype(np.float32)
    gamma = affine.gamma * np.sqrt(variance + np.float32(2**-13))
    beta = affine.beta + affine.gamma * mean
    nothing = np.empty(0, dtype=np.float32)
    return (
        _integers(7)
        + b"bn_con2"
        + _tensor(np.concatenate([gamma, beta]), 2 * count, 1, 1, 1)
        + _integers(1, 1, count, 1, 1, 1, 1, count, 1, 1)
        + _tensor(nothing, 0, 0, 0, 0) * 2
        + _tensor(mean, 1, count, 1, 1)
        + _tensor(variance, 1, count, 1, 1)
        + _integers(1000, 100)
        + RATES
        + b"\x01\x01\x81\x0d"  # 2 to the power of -13
    )


def _dlib_opens(data: bytes, folder: Path, crop: np.ndarray | None = None) -> np.ndarray:
    """Let dlib read a file; its own code is the judge of what the layout is."""
    import dlib

    path = folder / "network.dat"
    path.write_bytes(data)
    model = dlib.face_recognition_model_v1(str(path))
    shown = np.zeros((150, 150, 3), dtype=np.uint8) if crop is None else crop
    return np.array(model.compute_face_descriptor(shown, 0))
