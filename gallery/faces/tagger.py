"""A tagger of the WD14 family, which a user brings: what characters it takes a picture for.

Such a tagger is two files: a network in ONNX, and a table that says what its outputs are. It takes
squares, BGR, 0 to 255 as floats, of shape (1, side, side, 3); pictures are padded with white. It
gives a probability for each row of the table. Rows of category 4 are characters.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.errors import SetupError, UnusableFile
from gallery.faces.detectors.sessions import open_for
from gallery.system.reading import read_file
from gallery.system.threads import available_cores
from gallery.types import Pixels

CHARACTER = "4"
"""The category of characters in the tables of this family, as on Danbooru."""

TABLE = "selected_tags.csv"
"""What the table is called beside the network."""

WHITE = 255
EXPECTED = "a network and a table of the WD14 family go together"


@dataclass(frozen=True, slots=True)
class Tag:
    """A character that a tagger sees."""

    text: str
    """As the table has it, as in `ayanami_rei`."""
    probability: float
    """0 to 1, as the tagger says."""


class Tagger:
    """Says what characters a picture shows."""

    def __init__(self, network: Path, table: Path | None = None) -> None:
        """Open the network, and read its table: TABLE beside it unless another is named.

        Raises InputError for a table that is none, and for a network that does not go with it;
        SetupError for a file that is no network.
        """
        self.path = network
        self._tags = _characters(table or network.with_name(TABLE))
        self._session = open_for(network, available_cores())
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        count = outputs[0].shape[-1] if outputs and outputs[0].shape else None
        if (
            len(shape) != 4
            or shape[3] != 3
            or not isinstance(shape[1], int)
            or shape[1] != shape[2]
            or inputs[0].type != "tensor(float)"
        ):
            raise UnusableFile(network, f"takes {shape}, not squares in colour", remedy=EXPECTED)
        if isinstance(count, int) and count != self._tags.outputs:
            raise UnusableFile(network, self._not_of_table(count), remedy=EXPECTED)
        self._side, self._input, self._output = shape[1], inputs[0].name, outputs[0].name

    def characters(self, pixels: Pixels, least: float) -> list[Tag]:
        """Return the characters with at least a probability, the likeliest first.

        Pixels are RGB, shape (height, width, 3). Raises SetupError where the network fails, or
        gives something else than a probability for each tag.
        """
        try:
            (found,) = self._session.run([self._output], {self._input: self._prepared(pixels)})
        except Exception as error:
            # ONNX Runtime raises a dozen classes of its own.
            raise SetupError(f"The tagger {self.path} fails; {EXPECTED}.") from error
        said = np.asarray(found, np.float64).reshape(-1)
        if said.size != self._tags.outputs:
            raise SetupError(f"The tagger {self.path} {self._not_of_table(said.size)}; {EXPECTED}.")
        if not ((said >= 0) & (said <= 1)).all():
            raise SetupError(f"The tagger {self.path} gives numbers that are no probabilities.")
        own = said[self._tags.rows]
        order = [int(row) for row in np.argsort(-own, kind="stable") if own[row] >= least]
        return [Tag(self._tags.texts[row], float(own[row])) for row in order]

    def _not_of_table(self, count: int) -> str:
        return f"gives {count} numbers, and its table has {self._tags.outputs} tags"

    def _prepared(self, pixels: Pixels) -> NDArray[np.float32]:
        import cv2

        height, width = pixels.shape[:2]
        longer = max(height, width)
        top, left = (longer - height) // 2, (longer - width) // 2
        square = np.full((longer, longer, 3), WHITE, np.uint8)
        square[top : top + height, left : left + width] = pixels
        way = cv2.INTER_AREA if longer > self._side else cv2.INTER_CUBIC
        sized = cv2.resize(square, (self._side, self._side), interpolation=way)
        return np.ascontiguousarray(sized[None, ..., ::-1], np.float32)


@dataclass(frozen=True, slots=True)
class _Characters:
    """Which outputs are characters."""

    texts: Sequence[str]
    rows: NDArray[np.intp]
    outputs: int
    """How many there are, those of other categories too."""


def _characters(table: Path) -> _Characters:
    try:
        text = read_file(table).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
        named = [(row["name"], row["category"]) for row in rows]
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
        raise UnusableFile(table, why, remedy=f"the tagger's {TABLE} lies beside it") from error
    except (UnicodeDecodeError, csv.Error, KeyError) as error:
        why = "is no table of tags with the columns name and category"
        raise UnusableFile(table, why, remedy=f"give the tagger's {TABLE}") from error
    own = [row for row, (name, category) in enumerate(named) if category == CHARACTER and name]
    if not own:
        raise UnusableFile(
            table, "has no characters", remedy=f"they are of category {CHARACTER} in {TABLE}"
        )
    return _Characters([named[row][0] for row in own], np.array(own, np.intp), len(named))
