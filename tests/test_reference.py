"""The pages of the site that are made from the code."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from command import ROOT

import gallery


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_stands_there_with_its_options(reference: ModuleType) -> None:
    page = reference.commands()
    for heading in ("enroll", "label", "models", "models list", "review"):
        assert f"\n## gallery {heading}\n" in page
    _, _, label = page.partition("\n## gallery label\n")
    label, _, _ = label.partition("\n## ")
    assert "```text\ngallery label [OPTIONS] " in label
    assert "`--cluster" in label
    assert "go on where it stopped" in label


def test_everything_that_programs_import_stands_there_once(reference: ModuleType) -> None:
    named = [
        line.rpartition(".")[2]
        for line in reference.python().splitlines()
        if line.startswith("::: ")
    ]
    assert sorted(named) == sorted(gallery.__all__)
