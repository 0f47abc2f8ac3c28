"""The default encoder in the shape of the test that CCIP's published F1 comes from.

    python -m benchmarks.ccip [--encoder NAME] [--data FOLDER] [--cache FOLDER]

45 characters by six pictures, all ordered pairs, with every picture's pair with itself and without,
at the threshold that suits these very pairs best; the mean of 20 draws. Faces are found and cut as
in use. Nobody trained on the characters of `dev` and `dev-tv`. Few characters of `dev-tv` have six
pictures: all of its 45 take part, with six or what they have. Intervals are 95 %, over characters.
CCIP states 0.917 to 0.941 with self pairs, of pictures whose characters it may have learnt.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.timing import SHARED
from gallery.faces.networks.library import Library
from gallery.numerics.intervals import SAMPLES, weightings
from gallery.settings import DEFAULT_ENCODER, Settings
from measuring.ccip_shape import SEED, ccip_figures
from measuring.cutting import read_cut
from measuring.tables import table

SPLITS = ("dev", "dev-tv")


def main() -> None:
    """Print the figures of each split."""
    from gallery.faces import catalog

    parser = argparse.ArgumentParser(prog="python -m benchmarks.ccip", description=main.__doc__)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    chosen = parser.parse_args()
    if not (chosen.data / "faces" / "faces.csv").is_file():
        print(f"{chosen.data} holds no faces; nothing is measured. --data names the folder.")
        return
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    encoder = catalog.encoder("onnx", weights, Settings().cache_folder)
    rows = []
    for split in SPLITS:
        faces = read_cut(chosen.data / "faces", split, chosen.cache)
        described = np.concatenate(
            [encoder.encode(faces.pixels[at : at + 128]) for at in range(0, len(faces), 128)]
        )
        names, labels = np.unique(faces.identity, return_inverse=True)
        over = weightings(len(names), SAMPLES, SEED)
        rows += [
            (f"{split}, {title}", f"{figure.count}", str(figure))
            for title, figure in ccip_figures(described, labels, over).items()
        ]
    print(f"{weights.encoder_id}\n")
    print(table(("pairs", "N", "F1, best threshold"), rows))


if __name__ == "__main__":
    main()
