"""Every command in a fresh home: nothing but gallery's own is written, and nobody is asked."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import ROOT, run
from fakes import Square
from hydrus_stand import HydrusStand
from immich_stand import ImmichStand
from photoprism_stand import PhotoPrismStand
from speaking import KEY, listening
from stash_stand import StashStand
from taggers import tagger_at
from typer.main import get_command
from videos import at_rate, scene, write_video

from gallery.cli import app

DATA = ROOT / "data"
SHOTS = ("03-alone.jpg", "04-stranger.jpg")

COMMANDS = (
    "enroll characters",
    "identify shots/03-alone.jpg --annotate annotated --json",
    "compare characters/Pim/01.jpg characters/Pim/05.jpg",
    "describe shots --out faces.npz",
    "characters",
    "show Pim --sheet sheet.png",
    "series Sky Pim",
    "alias Pim Pimmy",
    "identify shots/03-alone.jpg --series sky",
    "rename Pim Pip",
    "split Pip Pam 21 22",
    "move 21 --to Pip",
    "merge Pam Pip",
    "forget Pip --yes",
    "label shots characters/Pim --out labels.jsonl --write coco:labels.json",
    "harvest characters/Pim --out harvest",
    "cluster",
    "adopt 1 Stranger",
    "reject shots/03-alone.jpg Stranger --face 1",
    "confirm shots/03-alone.jpg --as Stranger --face 1",
    "references Stranger",
    "name shots/04-stranger.jpg Stranger --face 1",
    "ignore shots/04-stranger.jpg --face 1",
    "no-face shots/04-stranger.jpg --face 1",
    "undo",
    "decisions",
    "reencode --all",
    "calibrate",
    "relabel --out relabelled.csv",
    "opinion tagger/model.onnx",
    "label ep.mkv --out ep.vtt --detector whole",
    "appearances ep.mkv --write edl:ep.edl --out screen.svg --preview seen.mp4",
    "dataset set --confirmed",
    "corrections labels.jsonl --original labels.jsonl",
    "audit",
    "evaluate",
    "seen",
    "backup copy.db",
    "restore copy.db",
    "copy copy.db other.db",
    "cluster-keys keys",
    "export whole.zip",
    "import whole.zip",
    "doctor",
    "models list",
    "models verify",
    "models add anime.dat --name mine",
    "models fetch nobody",
)
"""Each command once, in an order in which each has something to do; the last one fails."""

TALKS: dict[str, type[HydrusStand | ImmichStand | PhotoPrismStand | StashStand]] = {
    "send hydrus --yes": HydrusStand,
    "fetch hydrus character:pim --out fetched": HydrusStand,
    "send immich --yes": ImmichStand,
    "send photoprism --yes": PhotoPrismStand,
    "send stash --yes": StashStand,
}
"""Commands that talk to another program, and what answers."""

CONNECTED = re.compile(r"connect\(\d+, (\{sa_family=AF_INET6?,[^}]*\})")
"""Whom a process of a trace talked to."""

TRACED = "socket,connect,sendto,sendmsg,sendmmsg,openat,open,creat"
NETWORK = re.compile(r"AF_INET|resolv\.conf|/etc/hosts|nscd|/etc/ssl|ca-certificates")
"""What a name that is looked up, or a host that is talked to, leaves in a trace."""
OPENED = re.compile(r'open(?:at)?\((?:\w+, )?"([^"]*)", ([A-Z_|]+)[^=]*= \d')


@dataclass(frozen=True, slots=True)
class Lived:
    """What was left by a user who ran every command."""

    home: Path
    work: Path
    trace: str | None
    """System calls, where they can be traced."""


def tracing(trace: Path, *, offline: bool = True) -> list[str]:
    """What writes down what a command asks of the system, and takes the network from it."""
    way = ["strace", "--follow-forks", "--seccomp-bpf", f"--trace={TRACED}", f"--output={trace}"]
    prefix = ["unshare", "--net", "--map-root-user", *way] if offline else way
    if any(shutil.which(program) is None for program in ("unshare", "strace")):
        return []
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else []


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    top = tmp_path_factory.mktemp("privacy")
    home, work, trace = top / "home", top / "work", top / "trace"
    for folder in (home, work, top / "tmp"):
        folder.mkdir()
    shutil.copytree(DATA / "characters", work / "characters")
    (work / "shots").mkdir()
    for name in SHOTS:
        shutil.copy(DATA / "screenshots" / name, work / "shots")
    shutil.copy(ROOT / "models" / "anime.dat", work)
    tagger_at(work / "tagger")
    write_video(work / "ep.mkv", at_rate([scene(Square(20, 20, 50, (220, 20, 20)))] * 6))
    prefix = tracing(trace)
    whole = ""
    for line in COMMANDS:
        done = run(*words_of(line), cwd=work, extra=fresh(home, top / "tmp"), prefix=prefix)
        assert done.code == (1 if line.endswith("nobody") else 0), (line, done)
        whole += trace.read_text(encoding="utf-8", errors="replace") if prefix else ""
    return Lived(home, work, whole if prefix else None)


def words_of(line: str) -> Sequence[str]:
    return line.split()


def fresh(home: Path, temporary: Path) -> dict[str, str]:
    """The environment of a user who has never run anything; telemetry is even asked for."""
    return {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "TMPDIR": str(temporary),
        "GALLERY_CACHE": "",
        "CI": "",
        "ORT_DISABLE_TELEMETRY": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        # What measures the tests' own coverage would write, too.
        "COVERAGE_PROCESS_CONFIG": "",
        "COVERAGE_PROCESS_START": "",
    }


def test_every_command_is_run() -> None:
    ran = {line.split()[0] for line in COMMANDS} | {" ".join(line.split()[:2]) for line in COMMANDS}
    group = get_command(app).commands  # type: ignore[attr-defined]
    # These listen on loopback until they are stopped; tests/web and tests/machines look at who is
    # let in. Those talk to programs, see below.
    talking = {"fetch", "send"}
    assert set(group) - {"review", "scheduler", "serve", "worker"} - talking <= ran
    assert {name for talk in talking for name in group[talk].commands} <= {
        line.split()[1] for line in TALKS
    }
    assert {f"models {name}" for name in group["models"].commands} <= ran


@pytest.mark.slow
def test_nothing_but_its_own_is_written_into_a_home(lived: Lived) -> None:
    own = (lived.home / "data" / "gallery", lived.home / "cache" / "gallery")
    written = [path for path in lived.home.rglob("*") if path.is_file()]
    assert any(path.name == "gallery.db" for path in written)
    assert [path for path in written if not any(path.is_relative_to(one) for one in own)] == []
    assert list((lived.home.parent / "tmp").iterdir()) == []


@pytest.mark.slow
def test_nothing_is_written_elsewhere_and_no_name_is_looked_up(lived: Lived) -> None:
    if lived.trace is None:
        pytest.skip("needs unshare and strace, and the right to use them")
    assert [line for line in lived.trace.splitlines() if NETWORK.search(line)] == []
    opened = [found.groups() for found in OPENED.finditer(lived.trace)]
    changed = {path for path, how in opened if "O_CREAT" in how and path.startswith("/")}
    assert str(lived.home / "data" / "gallery" / "gallery.db") in changed
    top = str(lived.home.parent)
    assert [path for path in changed if not path.startswith((top, "/dev/"))] == []


@pytest.mark.slow
@pytest.mark.parametrize("line", TALKS)
def test_who_talks_to_a_program_talks_to_nobody_else(lived: Lived, line: str) -> None:
    if lived.trace is None:
        pytest.skip("needs unshare and strace, and the right to use them")
    trace = lived.work / "talk"
    prefix = tracing(trace, offline=False)
    stand = TALKS[line]()
    for path in (lived.work / "shots").iterdir():
        if isinstance(stand, HydrusStand):
            stand.hold(path.read_bytes(), ".jpg", "character:pim")
        else:
            stand.hold(path.read_bytes())
    name = line.split()[1].upper()
    with listening(stand) as url:
        port = url.rpartition(":")[2]
        extra = fresh(lived.home, lived.home.parent / "tmp")
        extra |= {f"GALLERY_{name}_URL": url, f"GALLERY_{name}_KEY": KEY, "http_proxy": url + "1"}
        done = run(*line.split(), cwd=lived.work, extra=extra, prefix=prefix)
    assert KEY not in done.stdout + done.stderr
    said = trace.read_text(encoding="utf-8", errors="replace")
    talked = set(CONNECTED.findall(said))
    assert len(talked) == 1, done
    assert all(f"htons({port})" in one and '"127.0.0.1"' in one for one in talked)
    assert "resolv.conf" not in said
    assert done.code == 0, done
    changed = any(one.method in ("POST", "PUT") for one in stand.asked)
    assert changed or len(list((lived.work / "fetched").iterdir())) == len(SHOTS)


def test_a_program_that_imports_gallery_first_is_silent_too(tmp_path: Path) -> None:
    code = "import os, gallery; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"


@pytest.mark.parametrize("folder", ["benchmarks", "measuring", "training"])
def test_what_runs_networks_beside_the_package_imports_it_first(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if "onnxruntime" not in imported(tree):
            continue
        loaded = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        first = [name for node in loaded for name in imported(node)]
        assert "gallery" in first, path
        assert "onnxruntime" not in first, path


def imported(tree: ast.AST) -> list[str]:
    """The top-level packages that code imports, wherever in it."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [one.name.partition(".")[0] for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append((node.module or "").partition(".")[0])
    return names
