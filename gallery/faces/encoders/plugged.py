"""Encoders of other packages, from the entry-point group `gallery.encoders`.

The entry point names what opens the network, a class or a function, with an attribute `card` that
says what it is: so its id is known before the network is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gallery.errors import GalleryError, PluginFailed
from gallery.faces.interfaces import Channels, EncoderCard, Metric, PluggedNetwork
from gallery.system.patience import Overdue, Patience
from gallery.system.plugins import TAKES_LONGER, entry_of, in_a_line, package_of
from gallery.types import CROP_SIDE

GROUP = "gallery.encoders"
MOST_WIDE, MOST_SIDE = 4096, 2048
ROUNDING = 1e-5
"""Of a learnt metric's largest square, what its others may be below 0 and still be 0."""
AT_ONCE = 16
"""Heads that a network is given together: what a call may take is for so many."""


class PluggedEncoder:
    """An encoder of another package, whose failures and answers are checked."""

    def __init__(self, open_network: Callable[[], PluggedNetwork], name: str, package: str) -> None:
        """Read the card; the network is opened with the first face.

        Raises SetupError where there is no card, or one that has no meaning.
        """
        self.name, self._package = name, package
        self.card = self._checked(getattr(open_network, "card", None))
        self._open, self._network = open_network, cast(PluggedNetwork | None, None)
        self._root: NDArray[np.float32] | None = None
        # Somebody else's code need not know of threads, and may never answer.
        self._patience = Patience()

    @property
    def id(self) -> str:
        """Names package, version and what is done around the network; it ends in the width."""
        card = self.card
        around = f"{card.metric}-{card.side}-{card.channels}"
        return f"{self.name}-{card.version}-{around}@{card.width}"

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return descriptors, shape (n, width).

        Raises SetupError where the package fails, takes too long, or gives something else than
        finite numbers of that shape.
        """
        described = np.empty((len(crops), self.card.width), np.float32)
        for start in range(0, len(crops), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            described[some] = self._encoded(self._wanted(crops[some]))
        return described

    def _wanted(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return crops as the network wants them."""
        side = self.card.side
        if side != CROP_SIDE:
            import cv2

            way = cv2.INTER_AREA if side < CROP_SIDE else cv2.INTER_CUBIC
            sized = [cv2.resize(crop, (side, side), interpolation=way) for crop in crops]
            crops = np.stack(sized).astype(np.uint8)
        if self.card.channels is Channels.BGR:
            crops = crops[..., ::-1]
        # The network may write into it.
        return crops.copy()

    def _encoded(self, heads: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            network = self._network = self._network or self._patience.call(self._open)
            found: Any = self._patience.call(lambda: network.encode(heads))
        except GalleryError:
            raise
        except Overdue as error:
            raise self._complaint(str(error), TAKES_LONGER) from error
        except Exception as error:
            # Somebody else's code may raise anything.
            raise self._complaint(f"failed ({in_a_line(error)})") from error
        if self.card.metric is Metric.LEARNT and self._root is None:
            self._root = self._square_root(getattr(network, "matrix", None))
        wanted = (len(heads), self.card.width)
        if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or found.shape != wanted:
            shape = getattr(found, "shape", type(found).__name__)
            raise self._complaint(f"gave {shape} instead of numbers of shape {wanted}")
        described = found.astype(np.float32)
        if not np.isfinite(described).all():
            raise self._complaint("gave numbers that are not finite")
        if self.card.metric is Metric.COSINE:
            lengths = np.linalg.norm(described, axis=1, keepdims=True)
            if not (lengths > 0).all():
                raise self._complaint("gave a descriptor without a direction, all zeros")
            described /= lengths
        return described if self._root is None else described @ self._root

    def _square_root(self, matrix: Any) -> NDArray[np.float32]:
        """Return the symmetric square root of a learnt metric's matrix."""
        width = self.card.width
        if (
            not isinstance(matrix, np.ndarray)
            or matrix.dtype.kind != "f"
            or matrix.shape != (width, width)
            or not np.isfinite(matrix).all()
        ):
            raise self._complaint(f"has no `matrix` of finite numbers of shape {(width, width)}")
        values, vectors = np.linalg.eigh(matrix.astype(np.float64))
        least = -ROUNDING * max(float(values[-1]), 0.0)
        if not np.allclose(matrix, matrix.T, atol=-least) or values[-1] <= 0 or values[0] < least:
            raise self._complaint("has a `matrix` that is no metric: symmetric, no negative square")
        return np.asarray((vectors * np.sqrt(values.clip(0))) @ vectors.T, np.float32)

    def _checked(self, card: Any) -> EncoderCard:
        if not isinstance(card, EncoderCard):
            raise self._complaint("has no `card` that is a gallery.EncoderCard")
        limits = card.thresholds
        holds = {
            "version": isinstance(card.version, str) and card.version.strip() == card.version != "",
            "width": _is_whole(card.width, MOST_WIDE) and card.width % 2 == 0,
            "side": _is_whole(card.side, MOST_SIDE),
            "thresholds": 0 <= limits.sure <= limits.unknown < np.inf and limits.margin >= 0,
            "metric": isinstance(card.metric, Metric),
            "channels": isinstance(card.channels, Channels),
        }
        for part, is_so in holds.items():
            if not is_so:
                raise self._complaint(f"has a card whose {part} has no meaning")
        return card

    def _complaint(
        self, what: str, remedy: str = "update that package or choose another encoder"
    ) -> PluginFailed:
        return PluginFailed("encoder", self.name, self._package, what, remedy)


def encoder(name: str) -> PluggedEncoder | None:
    """Return the encoder of a name, not opened yet; None where no package brings one.

    Raises SetupError if two packages bring it, if it cannot be loaded, or if it is no encoder.
    """
    entry = entry_of(name, GROUP, "an encoder")
    if entry is None:
        return None
    try:
        open_network = Patience().call(entry.load)
    except GalleryError:
        raise
    except Overdue as error:
        raise PluginFailed("encoder", name, package_of(entry), str(error), TAKES_LONGER) from error
    except Exception as error:
        why = f"cannot be loaded ({in_a_line(error)})"
        raise PluginFailed("encoder", name, package_of(entry), why) from error
    return PluggedEncoder(open_network, name, package_of(entry))


def _is_whole(value: object, most: int) -> bool:
    return type(value) is int and 2 <= value <= most
