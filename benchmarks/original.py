"""Asks a gallery of one picture each about the other pictures of the same characters.

    python -m benchmarks.original [--encoder NAME ...] [--detector NAME]

The original project's 16 sample pictures are 8 characters, two pictures each. One of each is
enrolled and the other identified, both ways round: 16 probes, by the product as a user runs it, on
a temporary database. A probe is right when its own character is the nearest. Where the pictures
are not here, the first two drawn pictures of every drawn character take their place.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.timing import CHARACTERS, ORIGINAL, Pair, pairs, pictures
from gallery.engine.assemble import open_gallery
from gallery.faces.networks.library import Library
from gallery.jobs.enroll_folders import enroll_candidates
from gallery.media.images import read_image
from gallery.settings import Settings
from gallery.types import Candidate, Match, Outcome
from measuring.tables import table


@dataclass(frozen=True, slots=True)
class Probe:
    """What the gallery said of one picture's largest face."""

    picture: str
    character: str
    matches: tuple[Match, ...]
    """All characters, nearest first; empty where no face was found."""
    verdict: str

    @property
    def is_right(self) -> bool:
        """Whether its own character is the nearest."""
        return bool(self.matches) and self.matches[0].character == self.character

    @property
    def rank(self) -> int | None:
        """At which place its own character stands, from 1; None where it does not."""
        names = [match.character for match in self.matches]
        return names.index(self.character) + 1 if self.character in names else None


def sample_pairs() -> tuple[list[Pair], str]:
    """Return the pairs to measure with, and what they are."""
    found = pairs(ORIGINAL)
    if found:
        return found, "the original's sample pictures"
    drawn = []
    for folder in sorted(CHARACTERS.iterdir()) if CHARACTERS.is_dir() else ():
        files = pictures(folder)
        if len(files) > 1:
            drawn.append(Pair(folder.name, files[0], files[1]))
    return drawn, "drawn pictures, since the original's are not here"


def both_ways(found: Sequence[Pair], encoder: str, detector: str, head_scale: float) -> list[Probe]:
    """Enroll the first and ask about the second pictures, then the other way round."""
    forth = [(Candidate(pair.first, pair.name), pair.second) for pair in found]
    back = [(Candidate(pair.second, pair.name), pair.first) for pair in found]
    return [probe for way in (forth, back) for probe in one_way(way, encoder, detector, head_scale)]


def one_way(
    asked: Sequence[tuple[Candidate, Path]], encoder: str, detector: str, head_scale: float
) -> list[Probe]:
    """Enroll candidates and identify the picture beside each."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database=f"{folder}/gallery.db",
            encoder=encoder,
            detector=detector,
            head_scale=head_scale,
        )
        with open_gallery(settings, create=True) as gallery:
            for enrolled in enroll_candidates(gallery, [one for one, _ in asked], largest=True):
                if enrolled.outcome is not Outcome.ADDED:
                    print(f"  not enrolled: {enrolled.reason or enrolled.outcome}")
            probes = []
            for candidate, path in asked:
                faces = gallery.identify(read_image(path), top=len(asked)).faces
                largest = max(faces, key=lambda face: face.face.box.area, default=None)
                probes.append(
                    Probe(
                        path.name,
                        candidate.character,
                        largest.matches if largest else (),
                        largest.verdict.value if largest else "no face",
                    )
                )
    return probes


def told(probes: Sequence[Probe]) -> str:
    """Return a line for every probe."""
    rows = []
    for probe in probes:
        nearest = probe.matches[0] if probe.matches else None
        own = probe.matches[probe.rank - 1] if probe.rank else None
        rows.append(
            (
                probe.picture,
                nearest.character if nearest else "-",
                f"{nearest.distance:.3f}" if nearest else "-",
                f"{own.distance:.3f}" if own else "-",
                f"{probe.rank or '-'}",
                probe.verdict,
                "right" if probe.is_right else "WRONG",
            )
        )
    return table(("probe", "nearest", "distance", "own", "rank", "verdict", ""), rows)


def installed_encoders() -> list[str]:
    """Return the networks whose files are on this machine."""
    library = Library(Settings().models_folder)
    return [name for name, entry in library.entries().items() if library.path(entry) is not None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, for every encoder asked for."""
    parser = argparse.ArgumentParser(description="Identify the original's sample pictures.")
    parser.add_argument("--encoder", action="append", help="may be repeated; all that are here")
    parser.add_argument("--detector", default="animeface")
    parser.add_argument("--head-scale", type=float, default=1.0)
    chosen = parser.parse_args(arguments)
    found, origin = sample_pairs()
    if not found:
        print(f"Skipped: neither {ORIGINAL} nor pictures under {CHARACTERS} are there.")
        return
    print(f"{len(found)} characters of {origin}, one enrolled each, detector {chosen.detector}")
    for encoder in chosen.encoder or installed_encoders():
        probes = both_ways(found, encoder, chosen.detector, chosen.head_scale)
        right = sum(probe.is_right for probe in probes)
        print(f"\nencoder {encoder}: {right} of {len(probes)} right at rank 1\n{told(probes)}")


if __name__ == "__main__":
    main()
