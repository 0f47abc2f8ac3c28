"""The wheel: what is in it, and that an empty environment can do with it what a newcomer does."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
import urllib.parse
import urllib.request
import zipfile
from email.parser import HeaderParser
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from command import ROOT, environment

pytestmark = pytest.mark.slow

MOST_BYTES = 100_000_000
"""What PyPI takes for a file."""


def without_checkout() -> dict[str, str]:
    """Return the environment of programs that know of no checkout."""
    return {name: value for name, value in environment().items() if name != "PYTHONPATH"}


def done(*words: str | Path, cwd: Path, **variables: str) -> str:
    """Run a program to its end and return what it printed; fails where it does."""
    ended = subprocess.run(
        [*map(str, words)],
        cwd=cwd,
        env={**without_checkout(), **variables},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder)
    done(sys.executable, *build, ROOT, cwd=folder)
    (built,) = folder.iterdir()
    return built


def test_a_wheel_has_what_the_program_wants_and_no_more(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        head = HeaderParser().parsestr(archive.read(about).decode("utf-8"))
    assert {name.partition("/")[0] for name in names} == {"gallery", about.partition("/")[0]}
    for folder, there in (("models", "models"), ("migrations/versions", "migrations/versions")):
        wanted = {one.name for one in (ROOT / folder).iterdir() if one.is_file()}
        assert wanted <= {Path(name).name for name in names if name.startswith(f"gallery/{there}/")}
    assert head["Name"] == "anime-gallery"
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = set(declared["project"]["optional-dependencies"])
    assert set(head.get_all("Provides-Extra", [])) == extras
    installing = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    assert [extra for extra in extras if f"`{extra}`" not in installing] == []


@pytest.mark.parametrize("module", ["twine", "check_wheel_contents"])
def test_an_index_will_take_it(wheel: Path, module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: pip install --group package")
    words = {"twine": ["check", "--strict"], "check_wheel_contents": []}[module]
    done(sys.executable, "-m", module, *words, wheel, cwd=ROOT)


def test_an_empty_environment_enrolls_labels_reviews_and_makes_a_training_set(
    wheel: Path, tmp_path: Path
) -> None:
    """The way of the first pages, by the wheel and what it declares alone."""
    done(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    done(programs / "python", "-m", "pip", "install", "--quiet", f"{wheel}[web]", cwd=tmp_path)
    for name in ("characters", "screenshots"):
        shutil.copytree(ROOT / "data" / name, tmp_path / name)
    own = {"GALLERY_DATABASE": str(tmp_path / "gallery.db"), "HOME": str(tmp_path / "home")}

    def gallery(*words: str) -> str:
        return done(programs / "gallery", *words, cwd=tmp_path, **own)

    assert "gallery enroll FOLDER" in gallery()
    gallery("enroll", "characters")
    gallery("label", "screenshots", "--out", "who.csv")
    assert "Chloé Marchand" in (tmp_path / "who.csv").read_text(encoding="utf-8")
    command = (str(programs / "gallery"), "review", "--no-browser")
    with subprocess.Popen(
        command, cwd=tmp_path, env=without_checkout() | own, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            confirmed = _confirm(server.stdout.readline().strip(), "Chloé Marchand")
        finally:
            server.kill()
    assert confirmed > 0
    assert len(gallery("decisions", "--json").splitlines()) == confirmed
    gallery("dataset", "set", "--alone", "--crop", "head")
    assert (tmp_path / "set" / "dataset_config.toml").is_file()
    gallery("doctor")


def _confirm(link: str, name: str) -> int:
    """Confirm a name in the page that a link opens, as its script does; return how many faces."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with opener.open(link) as page:
        assert b"gallery" in page.read()
    origin = link.partition("/?")[0]
    of_name = f"{origin}/api/v1/faces?{urllib.parse.urlencode({'name': name})}"
    with opener.open(of_name) as answer:
        faces = [{"id": one["id"], "version": one["version"]} for one in json.load(answer)["faces"]]
    decision = {"action": "confirm", "name": name, "faces": faces}
    sent = {"Content-Type": "application/json", "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    body = json.dumps(decision).encode()
    asked = urllib.request.Request(f"{origin}/api/v1/decisions", body, sent)  # noqa: S310 - loopback
    with opener.open(asked) as answer:
        assert json.load(answer)["stale"] == []
    return len(faces)


def test_the_pages_make_a_site_in_which_all_links_lead_somewhere(tmp_path: Path) -> None:
    if importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed: pip install --group docs")
    build = ("-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site")
    done(sys.executable, *build, cwd=ROOT, NO_MKDOCS_2_WARNING="1", PATH=os.environ["PATH"])
    for page in ("index.html", "docs/index.html", "docs/commands.html", "models/anime.html"):
        assert (tmp_path / "site" / page).is_file()
    assert not list((tmp_path / "site").rglob("*.onnx"))
