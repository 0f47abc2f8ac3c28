"""Measures labelling a video from file to record, on the drawn episode.

    python -m benchmarks.video [--detector animeface] [--every 0.333] [--rounds 3]

The drawn characters are enrolled first. What is given is frames of the file a second, how many
times as fast as it plays that is, and where the time goes: decoding with cuts alone, and all of it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.timing import CHARACTERS, peak_memory, taking_turns
from drawing.episode import RATE, draw_episode
from gallery.engine import assemble
from gallery.engine.engine import Engine
from gallery.faces.video import VideoOptions
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.label_video import label_video
from gallery.media.shots import in_shots
from gallery.media.video_reader import VideoReader
from gallery.output.resume import open_writer
from gallery.settings import DEFAULT_DETECTOR, EVERY, Settings
from gallery.types import VideoShot
from measuring.tables import table


def frames_of(path: Path, *, all_of_them: bool) -> int:
    """Decode a video and find its cuts, and return how many frames were decoded."""
    with VideoReader(path) as video:
        return sum(1 for _ in in_shots(video.frames(all_of_them=all_of_them)))


def looks_of(gallery: Engine, path: Path, options: VideoOptions, out: Path) -> int:
    """Label a video as `gallery label` does, and return how many frames went to the detector."""
    writer = open_writer(out, gallery.encoder)
    looks = 0
    try:
        for record in label_video(gallery, path, options):
            writer.write(record)
            if isinstance(record.part, VideoShot):
                looks += record.part.looks
    finally:
        writer.close()
        out.unlink()
    return looks


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure labelling of a drawn episode.")
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    parser.add_argument("--every", type=float, default=EVERY)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    if not CHARACTERS.is_dir():
        print(f"Skipped: neither {CHARACTERS} nor a gallery is there.")
        return
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "episode.mkv", Path(folder) / "out.jsonl"
        episode = draw_episode(path)
        settings = Settings(database=f"{folder}/gallery.db", detector=chosen.detector)
        with assemble.open_gallery(settings, create=True) as gallery:
            list(enroll_candidates(gallery, candidates_in(CHARACTERS)[0]))
            options = VideoOptions(every=chosen.every)
            looks = looks_of(gallery, path, options, out)
            ways: dict[str, Callable[[], object]] = {
                "decode and cut, every frame": lambda: frames_of(path, all_of_them=True),
                "decode and cut, as labelling does": lambda: frames_of(path, all_of_them=False),
                "label": lambda: looks_of(gallery, path, options, out),
            }
            times = taking_turns(ways, chosen.rounds, warm_up=False)
            decoded = frames_of(path, all_of_them=False)
    frames = round(episode.seconds * RATE)
    print(
        f"{frames} frames of {episode.seconds:.0f} s, 640x360 H.264; {decoded} decoded, "
        f"{looks} looked at; detector {chosen.detector}, median of {chosen.rounds} rounds"
    )
    rows = [
        (
            name,
            f"{frames / one.median * 1000:.0f}",
            f"{episode.seconds / one.median * 1000:.1f}",
            f"{one.median / 1000 / episode.seconds * 60:.1f}",
        )
        for name, one in times.items()
    ]
    print(table(("way", "frames/s", "times as it plays", "minutes an hour"), rows))
    print(f"peak memory {peak_memory():.0f} MiB")


if __name__ == "__main__":
    main()
