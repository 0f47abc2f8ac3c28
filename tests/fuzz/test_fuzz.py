"""A short run over damaged inputs of every kind; `python -m tests.fuzz` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .watch import folder_in_memory, make_sources, tried

SEED = 17

COUNTS = {
    "pictures": 400,
    "exports": 120,
    "sidecars": 300,
    "records": 200,
    "captions": 300,
    "corrections": 300,
    "models": 60,
    "databases": 60,
    "videos": 40,
}
"""About a minute of one core."""

MOST_MEMORY = 2 * 2**30


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTS)
def test_damage_is_answered_by_sentences(kind: str) -> None:
    with folder_in_memory() as name:
        folder = Path(name)
        make_sources(kind, folder)
        # Patience is for a machine that does other things at the same time.
        tally = tried(kind, COUNTS[kind], seed=SEED, folder=folder, patience=120)
    assert tally.lines() == []
    assert tally.inputs == COUNTS[kind]
    assert tally.peak < MOST_MEMORY


def test_what_may_not_happen_is_counted(tmp_path: Path) -> None:
    """A watch that sees nothing would be content with anything."""
    (tmp_path / "sources" / "captions").mkdir(parents=True)
    (tmp_path / "sources" / "captions" / "0.txt").write_text("a, b")
    bad = """
import os, signal, sys, time
for number in range(int(sys.argv[4]), int(sys.argv[5])):
    print(number, flush=True)
    if number == 1:
        print("fault ValueError", flush=True)
    elif number == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    elif number == 3:
        time.sleep(600)
    else:
        print("fine", flush=True)
"""
    (tmp_path / "bad.py").write_text(bad)
    tally = tried(
        "captions", 6, seed=0, folder=tmp_path, patience=2, worker=[str(tmp_path / "bad.py")]
    )
    assert tally.inputs == 6
    assert (tally.faults, tally.signals, tally.hangs) == (["1 ValueError"], ["2 SIGSEGV"], ["3"])
    assert tally.peak > 2**20
