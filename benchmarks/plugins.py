"""What calibration makes of an encoder that a package brings, beside the default.

    python -m benchmarks.plugins [--data FOLDER] [--cache FOLDER] [--galleries N]

examples/gallery-thumbnail has 768 numbers and is compared by cosine; it learnt nothing, so that it
knows few faces. Random galleries of the dev split are calibrated and asked as in
`benchmarks.openset`, for an FPIR of 1 %: the figure to look at is the FPIR that is reached. No
strangers ship with such an encoder. The default stands beside it with the strangers that ship, and
as it would be without them. Descriptors are kept in the cache folder. Intervals are 95 %, over
characters.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.openset import (
    CHARACTERS,
    FPIR,
    GALLERIES,
    REFERENCES,
    SAMPLES,
    SEED,
    Faces,
    Found,
    background,
    by_threshold,
    rate,
    read_dev,
    read_false_detections,
    run,
)
from benchmarks.timing import ROOT, SHARED
from gallery.faces.encoders.plugged import PluggedEncoder
from gallery.faces.networks.library import Library
from gallery.identify.calibration.strangers import Strangers, nobody, read_strangers
from gallery.numerics.intervals import weightings
from gallery.settings import DEFAULT_ENCODER, Settings, bundled
from gallery.types import Thresholds, width_of
from measuring.cutting import read_cut
from measuring.tables import table

EXAMPLE = ROOT / "examples" / "gallery-thumbnail"


def plugged() -> PluggedEncoder:
    """Return the example's encoder, as if its package were installed."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        from gallery_thumbnail import Thumbnail
    finally:
        sys.path.remove(str(EXAMPLE))
    return PluggedEncoder(Thumbnail, "thumbnail", "gallery-thumbnail")


def described(faces: Faces, crops: NDArray[np.uint8], encoder: PluggedEncoder) -> Faces:
    """Return the same faces as another encoder describes them."""
    return dataclasses.replace(faces, descriptors=encoder.encode(crops))


def line(name: str, found: Found, encoder: str, shipped: Strangers) -> tuple[str, ...]:
    """Return what is said of an encoder."""
    weights = weightings(found.characters, SAMPLES, SEED)
    known, strangers = found.known, found.strangers
    return (
        name,
        f"{width_of(encoder)}",
        f"{len(shipped)}",
        rate(strangers, by_threshold(strangers, found.thresholds), weights),
        rate(strangers, strangers.sure, weights),
        rate(known, known.sure & known.right, weights),
        rate(known, known.right, weights),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plugins", description=main.__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    parser.add_argument("--galleries", type=int, default=GALLERIES)
    chosen = parser.parse_args()
    if not (chosen.data / "faces" / "faces.csv").is_file():
        print(f"{chosen.data} holds no faces; nothing is measured. --data names the folder.")
        return
    weights = Library(Settings().models_folder).locate(DEFAULT_ENCODER)
    faces = read_dev(chosen.data, weights, chosen.cache)
    false = read_false_detections(chosen.data, weights, chosen.cache)
    encoder = plugged()
    crops = np.asarray(read_cut(chosen.data / "faces", "dev", chosen.cache).pixels)
    others = described(faces, crops, encoder)
    other_false = described(false, np.stack(list(background(chosen.data))), encoder)
    shipped = read_strangers(bundled("models"), weights.encoder_id)

    def measured(
        name: str, of: tuple[Faces, Faces], strangers: Strangers, thresholds: Thresholds
    ) -> tuple[str, ...]:
        found = run(*of, strangers, thresholds, chosen.galleries)
        return line(name, found, weights.encoder_id if of[0] is faces else encoder.id, strangers)

    rows = [
        measured(DEFAULT_ENCODER, (faces, false), shipped, weights.thresholds),
        measured("the same, no strangers", (faces, false), nobody(), weights.thresholds),
        measured(
            encoder.name,
            (others, other_false),
            nobody(encoder.card.width),
            encoder.card.thresholds,
        ),
    ]
    print(
        f"{len(faces.labels)} faces, {chosen.galleries} galleries of {CHARACTERS} characters by "
        f"{REFERENCES} references, asked for FPIR {FPIR:.0%}\n"
    )
    columns = (
        "encoder", "numbers", "strangers", "FPIR, thresholds as given", "FPIR, calibrated",
        "known, sure and right", "nearest is right",
    )  # fmt: skip
    print(table(columns, rows))


if __name__ == "__main__":
    main()
