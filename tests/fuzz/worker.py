"""Uses inputs one after another in a process of its own, and says how each went.

    python -m fuzz.worker KIND FOLDER SEED FIRST LAST

It prints the number of an input when it begins with it, then `fine`, or `fault` with the kind of
exception; the traceback and the input lie in the folder's `faults` then.
"""

from __future__ import annotations

import faulthandler
import os
import random
import shutil
import sys
import traceback
import warnings
from pathlib import Path

from fuzz.inputs import write_input
from fuzz.uses import Uses


def main() -> None:
    """Work as the arguments say."""
    kind, folder, seed, first, last = sys.argv[1:]
    faulthandler.enable()
    warnings.simplefilter("ignore")
    # What libraries print must not stand among the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    work = Path(folder, f"work-{kind}")
    shutil.rmtree(work, ignore_errors=True)
    use = Uses(work / "own").of(kind)
    inputs = work / "input"
    inputs.mkdir()
    for number in range(int(first), int(last)):
        print(number, file=answers)
        numbers = random.Random(f"{seed} {kind} {number}")
        path = write_input(Path(folder, "sources", kind), inputs, "x", numbers)
        kept = path.read_bytes()
        try:
            use(path)
        except Exception as error:
            faults = Path(folder, "faults")
            faults.mkdir(exist_ok=True)
            (faults / f"{kind}-{number}{path.suffix}").write_bytes(kept)
            (faults / f"{kind}-{number}.txt").write_text(
                traceback.format_exc(), encoding="utf-8", errors="replace"
            )
            print("fault", type(error).__name__, file=answers)
        else:
            print("fine", file=answers)
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
