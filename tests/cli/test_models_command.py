"""The command `gallery models`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gallery.cli import app
from gallery.errors import InputError, SetupError
from gallery.faces.networks.dlib_format import read_network, write_network
from gallery.faces.networks.library import locate

runner = CliRunner()


@pytest.fixture(autouse=True)
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GALLERY_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = read_network(locate("human", Path("nowhere")).path.read_bytes())
    network.projection[0, 0] += 1
    path = tmp_path_factory.mktemp("trained") / "own.dat"
    path.write_bytes(write_network(network))
    return path


def test_the_list_is_a_table() -> None:
    result = runner.invoke(app, ["models", "list"])
    assert result.exit_code == 0
    assert "human" in result.stdout
    assert "original" in result.stdout
    assert "stand-in" in result.stdout


def test_the_list_is_one_object_a_line() -> None:
    result = runner.invoke(app, ["models", "list", "--json"])
    listed = {row["name"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert listed["human"]["here"]
    assert listed["human"]["stand_in"]
    assert Path(listed["human"]["path"]).is_file()
    assert not listed["original"]["here"]
    assert listed["original"]["thresholds"]["sure"] == 0.6


def test_a_network_is_added_listed_and_verified(trained: Path, models_folder: Path) -> None:
    result = runner.invoke(
        app, ["models", "add", str(trained), "--name", "mine", "--threshold", "0.5"]
    )
    assert result.exit_code == 0
    assert str(models_folder / "mine.dat") in result.stdout
    listing = runner.invoke(app, ["models", "list", "--json"]).stdout.splitlines()
    assert json.loads(listing[-1])["thresholds"]["sure"] == 0.5
    verified = runner.invoke(app, ["models", "verify"])
    assert verified.exit_code == 0
    assert verified.stdout.count("intact") == 9
    assert "heads: intact" in verified.stdout
    assert "eyes: intact" in verified.stdout


def test_verify_fails_for_a_damaged_file(trained: Path, models_folder: Path) -> None:
    runner.invoke(app, ["models", "add", str(trained), "--name", "mine"])
    (models_folder / "mine.dat").write_bytes(b"damaged")
    result = runner.invoke(app, ["models", "verify"])
    assert isinstance(result.exception, SetupError)
    assert "mine: DAMAGED" in result.stdout
    assert str(models_folder / "mine.dat") in str(result.exception)


def test_what_is_here_is_not_fetched_again() -> None:
    result = runner.invoke(app, ["models", "fetch", "human"])
    assert result.exit_code == 0
    assert result.stdout.startswith("human: ")


def test_a_shipped_file_keeps_its_name() -> None:
    human = locate("human", Path("nowhere")).path
    result = runner.invoke(app, ["models", "add", str(human), "--name", "mine"])
    assert result.exit_code == 0
    assert "is the network 'human'; it keeps that name" in result.stdout


def test_errors_reach_the_one_place_that_tells_them(tmp_path: Path) -> None:
    result = runner.invoke(app, ["models", "fetch", "nobody"])
    assert isinstance(result.exception, SetupError)
    result = runner.invoke(app, ["models", "add", str(tmp_path / "gone.dat"), "--name", "mine"])
    assert isinstance(result.exception, InputError)


def test_without_a_name_a_file_gives_its_own(trained: Path) -> None:
    result = runner.invoke(app, ["models", "add", str(trained)])
    assert result.exit_code == 0
    assert result.stdout.startswith("own: ")


def test_an_option_without_its_value_is_wrong_use(trained: Path) -> None:
    assert runner.invoke(app, ["models", "add", str(trained), "--name"]).exit_code == 2
