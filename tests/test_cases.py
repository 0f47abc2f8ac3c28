"""Inputs that everyday use brings, kept beside the project: what each says is right, is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "cases"

SECONDS = 500

SCRIPTS = sorted([*CASES.glob("*.sh"), *CASES.glob("*/case.sh")])

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SCRIPTS, reason=f"the cases are not beside the project, at {CASES}"),
]


def name_of(script: Path) -> str:
    return script.parent.name if script.name == "case.sh" else script.stem


@pytest.mark.parametrize("script", [one for one in SCRIPTS if one.name != "lib.sh"], ids=name_of)
def test_what_a_case_calls_right_is(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", script, Path(sys.executable).with_name("gallery")],
        cwd=ROOT,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "GALLERY_DATA": str(ROOT / "data"),
            # They run some two hundred commands, which other tests measure.
            "COVERAGE_PROCESS_CONFIG": "",
            "COVERAGE_PROCESS_START": "",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = (done.stdout + done.stderr).splitlines()
    if done.returncode and any("skip" in line.lower() for line in said[-2:]):
        pytest.skip(said[-1])
    assert done.returncode == 0, "\n".join(said[-20:])
