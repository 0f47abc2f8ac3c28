"""animeface's library, called with arrays, says what the package's own wrapper says."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gallery.errors import SetupError
from gallery.faces.detectors import nvxs
from gallery.faces.detectors.nvxs import FaceLibrary, FoundFace, Rectangle
from gallery.media.images import read_image
from gallery.types import Pixels

ROOT = Path(__file__).parents[2]

# What animeface.detect of animeface 2.0.3 says with Pillow 11.3: likelihood, face, left eye, right
# eye, nose, mouth, chin. All of them are PNG files, whose pixels every Pillow reads alike.
WRAPPER = {
    "gallery/assets/face.png": (
        0.9999975562095642, (83, 103, 166, 166), (181, 151, 45, 45), (106, 153, 44, 43),
        (159, 203), (152, 219, 26, 17), (161, 249),
    ),
    "data/characters/Pim/03.png": (
        1.0, (98, 130, 262, 262), (251, 203, 68, 83), (137, 208, 67, 83),
        (223, 284), (216, 315, 34, 27), (221, 357),
    ),
    "data/characters/日向ソラ/02.png": (
        1.0, (109, 163, 218, 218), (242, 220, 54, 58), (140, 215, 60, 55),
        (216, 288), (184, 307, 60, 49), (202, 362),
    ),
    "data/characters/Gen Kuroda/04.png": (
        0.7800636887550354, (353, 166, 166, 166), (456, 206, 45, 41), (378, 205, 47, 41),
        (434, 263), (414, 277, 41, 33), (427, 318),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def library() -> FaceLibrary:
    return nvxs.installed()


def pixels_of(name: str) -> Pixels:
    return read_image(ROOT / name).pixels


def box(part: Rectangle) -> tuple[int, int, int, int]:
    return part.x, part.y, part.width, part.height


def plain(found: list[FoundFace]) -> list[tuple[object, ...]]:
    """Found faces as the wrapper gives them: nose and chin are points."""
    return [
        (
            one.likelihood, box(one.face), box(one.left_eye), box(one.right_eye),
            box(one.nose)[:2], box(one.mouth), box(one.chin)[:2],
        )
        for one in found
    ]  # fmt: skip


@pytest.mark.parametrize("name", WRAPPER)
def test_faces_are_those_that_the_packages_wrapper_finds(library: FaceLibrary, name: str) -> None:
    ((likelihood, *parts),) = plain(library.detect(pixels_of(name)))
    assert likelihood == pytest.approx(WRAPPER[name][0], abs=1e-6)
    assert tuple(parts) == WRAPPER[name][1:]


def test_faces_do_not_depend_on_how_pixels_lie_in_memory(library: FaceLibrary) -> None:
    pixels = pixels_of("gallery/assets/face.png")[:, ::-1]
    expected = plain(library.detect(np.ascontiguousarray(pixels)))
    assert len(expected) == 1
    assert plain(library.detect(pixels)) == expected
    assert plain(library.detect(np.asfortranarray(pixels))) == expected


def test_grey_pictures_of_odd_sides_show_their_face(library: FaceLibrary) -> None:
    grey = pixels_of("gallery/assets/face.png")[1:, 1:].mean(axis=2, keepdims=True)
    ((_likelihood, face, *_parts),) = plain(library.detect(grey.astype(np.uint8).repeat(3, axis=2)))
    expected = WRAPPER["gallery/assets/face.png"][1]
    assert face == pytest.approx(expected, abs=10)


@pytest.mark.parametrize("size", [(1, 1), (4, 5), (56, 57), (57, 58), (59, 300), (1, 1920)])
def test_small_pictures_of_nothing_show_nothing(
    library: FaceLibrary, size: tuple[int, int]
) -> None:
    for colour in (0, 255):
        assert library.detect(np.full((*size, 3), colour, np.uint8)) == []


def test_threads_do_not_disturb_each_other(library: FaceLibrary) -> None:
    pictures = [pixels_of(name) for name in WRAPPER] * 2
    with ThreadPoolExecutor(4) as threads:
        together = [plain(found) for found in threads.map(library.detect, pictures)]
    assert together == [plain(library.detect(one)) for one in pictures]


def test_another_library_is_refused_with_the_cure(tmp_path: Path) -> None:
    from PIL import _imaging

    text = tmp_path / "nvxs.so"
    text.write_text("This is text.")
    for path in (text, tmp_path / "missing.so", Path(_imaging.__file__)):
        with pytest.raises(SetupError, match=r"cannot be used \(.*\); install it again"):
            FaceLibrary(path)


def test_a_library_with_other_networks_or_structs_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from animeface import _nvxs

    path = Path(_nvxs.__file__)
    with monkeypatch.context() as patched:
        patched.setattr(nvxs, "FEATURES", 576)
        with pytest.raises(SetupError, match="stores numbers in another way; install it again"):
            FaceLibrary(path)
    ours = nvxs.Matrix.layout
    # Of two matrices that are compared, theirs has its last field elsewhere.
    layouts = iter([(0,), (1,)])
    monkeypatch.setattr(nvxs.Matrix, "layout", lambda matrix: ours(matrix) + next(layouts))
    with pytest.raises(SetupError, match="stores numbers in another way; install it again"):
        FaceLibrary(path)


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    nvxs.installed.cache_clear()
    monkeypatch.setitem(sys.modules, "animeface", None)
    with pytest.raises(SetupError, match="animeface cannot be loaded"):
        nvxs.installed()
