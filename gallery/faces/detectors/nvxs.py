"""The face detector in C that the package animeface carries, called with arrays.

The package's own wrapper reads the private structs of Pillow. Pillow 12 changed them, and since
then the wrapper finds no face, without an error. The library below knows nothing of Pillow. Here it
is called as `animeface/_nvxs.c` of https://github.com/nya3jp/python-animeface calls it: the same
figures in the same order, so that boxes, parts and likelihoods are the same to the bit. Colours of
hair, skin and eyes, which the wrapper asks for too, are left out.

The structs are those of nvxs 1.0.2, https://github.com/nagadomi/animeface-2009: `nv_core_matrix.h`,
`nv_core_util.h`, `nv_ml_mlp.h` and `nv_face_detect.h`.
"""

from __future__ import annotations

import ctypes
import threading
from ctypes import POINTER, c_float, c_int, c_uint
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.errors import SetupError
from gallery.types import Pixels

SMALLEST_WINDOW = 42.592
"""Side of the smallest window, in pixels."""

SCALE_FACTOR = 1.095
"""Side of a window over the side of the next smaller one."""

STEP = 4.0
"""How far a window moves, in 32ths of its side."""

EDGE_LEVEL = 4.0
"""What the Laplacian is multiplied by; edges are cut off at 255."""

MOST_FACES = 4096

FEATURES = 1152
"""How many numbers the networks take: eight of each of 12 x 12 places in a window."""

NETWORKS = ("dir", "face_00", "face_01", "face_02", "parts")

CURE = (
    "install it again (pip install --force-reinstall 'animeface>=2.0.3,<3'), "
    "or choose another detector."
)


class Rectangle(ctypes.Structure):
    """`nv_rect_t`: whole pixels from the picture's top left corner."""

    _fields_ = (("x", c_int), ("y", c_int), ("width", c_int), ("height", c_int))
    x: int
    y: int
    width: int
    height: int


class FoundFace(ctypes.Structure):
    """`nv_face_position_t`: a face from brow to chin, and its parts.

    Left and right are the character's. The likelihood lies between 0.5 and 1. The package gives
    nose and chin as points: the x and y of their rectangles.
    """

    _fields_ = (
        ("likelihood", c_float),
        ("face", Rectangle),
        ("left_eye", Rectangle),
        ("right_eye", Rectangle),
        ("nose", Rectangle),
        ("mouth", Rectangle),
        ("chin", Rectangle),
    )
    likelihood: float
    face: Rectangle
    left_eye: Rectangle
    right_eye: Rectangle
    nose: Rectangle
    mouth: Rectangle
    chin: Rectangle


class Matrix(ctypes.Structure):
    """`nv_matrix_t`: rows x cols places of n floats each, m places in all."""

    _fields_ = (
        ("list", c_int),
        ("list_step", c_uint),
        ("n", c_int),
        ("m", c_int),
        ("rows", c_int),
        ("cols", c_int),
        ("step", c_int),
        ("alias", c_int),
        ("v", POINTER(c_float)),
    )

    @classmethod
    def over(cls, values: NDArray[np.float32]) -> Matrix:
        """Return an array of shape (rows, cols, n), C-contiguous, as the library sees it."""
        rows, columns, channels = values.shape
        matrix = cls(1, values.size, channels, rows * columns, rows, columns, channels, 0)
        matrix.v = values.ctypes.data_as(POINTER(c_float))
        matrix.values = values  # The struct holds an address; this holds what lies there.
        return matrix

    @classmethod
    def zeros(cls, rows: int, columns: int) -> Matrix:
        """Return a matrix of zeros with one channel."""
        return cls.over(np.zeros((rows, columns, 1), np.float32))

    def layout(self) -> tuple[int, ...]:
        """Return all fields but the address."""
        return tuple(getattr(self, name) for name, _kind in self._fields_[:-1])


class Network(ctypes.Structure):
    """The beginning of `nv_mlp_t`; addresses of weights follow."""

    _fields_ = (("input", c_int), ("hidden", c_int), ("output", c_int))


FUNCTIONS = {
    "nv_matrix3d_alloc": (c_int, c_int, c_int),
    "nv_matrix_free": (POINTER(POINTER(Matrix)),),
    "nv_gray": (POINTER(Matrix), POINTER(Matrix)),
    "nv_gaussian5x5": (POINTER(Matrix), c_int, POINTER(Matrix), c_int),
    "nv_laplacian1": (POINTER(Matrix), POINTER(Matrix), c_float),
    "nv_integral": (POINTER(Matrix), POINTER(Matrix), c_int),
    "nv_face_detect": (
        POINTER(FoundFace), c_int, POINTER(Matrix), POINTER(Matrix), POINTER(Rectangle),
        POINTER(Network), POINTER(Network), POINTER(POINTER(Network)), c_int, POINTER(Network),
        c_float, c_float, c_float,
    ),
}  # fmt: skip
"""The functions called, with the types of what they take."""


class FaceLibrary:
    """The library in a file, or in what that file was linked with. One picture at a time.

    Raises SetupError where the file cannot be loaded or holds another library than nvxs 1.0.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._library = ctypes.CDLL(str(path))
            for name, kinds in FUNCTIONS.items():
                getattr(self._library, name).argtypes = kinds
            self._library.nv_matrix3d_alloc.restype = POINTER(Matrix)
            self._networks = [
                Network.in_dll(self._library, f"nv_face_mlp_{name}") for name in NETWORKS
            ]
        except (OSError, AttributeError, ValueError) as error:
            raise SetupError(f"The library of animeface cannot be used ({error}); {CURE}") from None
        if not self._is_laid_out_as_expected():
            raise SetupError(f"The library of animeface stores numbers in another way; {CURE}")
        self._lock = threading.Lock()

    def _is_laid_out_as_expected(self) -> bool:
        """Ask the library for a matrix and compare, before it is given one of ours."""
        theirs = self._library.nv_matrix3d_alloc(3, 5, 7)
        layout = theirs.contents.layout()
        self._library.nv_matrix_free(ctypes.byref(theirs))
        expected = Matrix.over(np.zeros((5, 7, 3), np.float32)).layout()
        return layout == expected and all(one.input == FEATURES for one in self._networks)

    def detect(self, pixels: Pixels) -> list[FoundFace]:
        """Return the faces in a picture, RGB of shape (height, width, 3), smallest first."""
        height, width, _channels = pixels.shape
        colours = Matrix.over(np.ascontiguousarray(pixels[:, :, ::-1], np.float32))
        grey, smooth, edges = (Matrix.zeros(height, width) for _ in range(3))
        grey_sums, edge_sums = (Matrix.zeros(height + 1, width + 1) for _ in range(2))
        library = self._library
        # ctypes lets other threads run, and nothing says that this code takes two pictures at once.
        with self._lock:
            library.nv_gray(grey, colours)
            library.nv_gaussian5x5(smooth, 0, grey, 0)
            library.nv_laplacian1(edges, smooth, EDGE_LEVEL)
            library.nv_integral(grey_sums, grey, 0)
            library.nv_integral(edge_sums, edges, 0)
            return self._search(grey_sums, edge_sums, Rectangle(0, 0, width, height))

    def _search(self, grey_sums: Matrix, edge_sums: Matrix, size: Rectangle) -> list[FoundFace]:
        """Return the faces by the integral images, one row and column larger than the picture."""
        direction, first, *judges, parts = self._networks
        both = (POINTER(Network) * 2)(*map(ctypes.pointer, judges))
        found = (FoundFace * MOST_FACES)()
        count = self._library.nv_face_detect(
            found, MOST_FACES, grey_sums, edge_sums, size, direction, first, both, len(both), parts,
            STEP, SCALE_FACTOR, SMALLEST_WINDOW,
        )  # fmt: skip
        return found[:count]


@cache
def installed() -> FaceLibrary:
    """Return the library of the installed package animeface, loaded at the first call.

    The wrapper's extension module was linked with the library, and whatever name and place the
    library was given, what it exports is found through that module. Raises SetupError as
    FaceLibrary does, and where the package is missing.
    """
    try:
        from animeface import _nvxs
    except ImportError as error:
        raise SetupError(f"The package animeface cannot be loaded ({error}); {CURE}") from None
    return FaceLibrary(Path(_nvxs.__file__))
