"""Imports point one way, and importing is free."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gallery

PACKAGE = Path(__file__).parents[1] / "gallery"

LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "types errors gallery pairing absolute interrupts",
        "interfaces settings atomic profiles quality verdict images dlib_format records tables "
        "events face_areas rdf rows tag_text threads line_chart clustering",
        "table_file manifest align annotate microsoft_regions encodings report calibration",
        "weights xmp rejections seen_videos",
        "detectors encoders plugins sightings readers",
        "describe catalog schema writer",
        "store",
        "index enrolment archive region_enrolment",
        "matching judging",
        "gallery.gallery",
        "company",
        "video review evaluation audit",
        "labelling",
        "unknowns paths",
        "assemble harvest sources label_job relabel_job",
        "doctor api",
        "cli",
        "__main__",
    )
)
"""From the bottom up: a module imports those of layers below its own. `gallery` is the package's
own file, which hands names on from above without importing them, see below; what has no place here
is only kept out of circles."""

DATABASE = {"store", "writer", "tables", "schema", "index", "faiss", "sqlalchemy", "alembic"}

FORBIDDEN: dict[str, set[str]] = {
    "detectors": DATABASE,
    "encoders": DATABASE,
    "plugins": DATABASE | {"cv2", "numpy"},
    "align": DATABASE,
    "images": DATABASE,
    "describe": DATABASE,
    "store": {"faiss", "index", "matching", "onnxruntime", "dlib", "animeface", "detectors"},
    "writer": {"faiss", "index", "matching", "onnxruntime", "dlib", "animeface", "detectors"},
    "tables": {"faiss", "index", "matching"},
    "schema": {"faiss", "index", "matching"},
    "index": {"sqlalchemy", "tables", "schema", "alembic", "writer"},
    "matching": {"sqlalchemy", "tables", "schema", "faiss"},
    "enrolment": {"sqlalchemy", "tables", "schema", "faiss", "index"},
    "verdict": DATABASE | {"numpy"},
    "calibration": DATABASE,
    "quality": DATABASE,
    "gallery.gallery": {
        "sqlalchemy",
        "tables",
        "schema",
        "faiss",
        "detectors",
        "encoders",
        "weights",
    },
    "labelling": DATABASE,
    "evaluation": DATABASE,
    "video": DATABASE,
    "harvest": DATABASE,
    "readers": DATABASE,
    "cli": {
        "sqlalchemy",
        "faiss",
        "tables",
        "schema",
        "alembic",
        "onnxruntime",
        "dlib",
        "animeface",
    },
}

HEAVY = (
    "cv2", "onnxruntime", "onnx", "dlib", "faiss", "sqlalchemy", "alembic", "animeface", "PIL",
    "numpy", "av", "scenedetect", "sklearn",
)  # fmt: skip


def place_of(path: Path) -> str:
    """What a file is called in the tables above: a module, or the folder that it lies in."""
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    if inside == ("__init__",):
        return "gallery"
    return "gallery.gallery" if inside == ("gallery",) else inside[0]


def handed_on() -> ast.If:
    """The part of the package's own file that is for type checkers: where its names come from."""
    (block,) = (
        node
        for node in ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.If)
    )
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    return block


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; gallery's own by place.

    What the package's own file hands on for type checkers is no import; nothing in the package may
    take it from there.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path == PACKAGE / "__init__.py":
        tree.body = [node for node in tree.body if ast.dump(node) != ast.dump(handed_on())]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relative to itself"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, *rest = name.split(".")
            if top != "gallery":
                yield top
            elif rest and (PACKAGE / f"{rest[0]}.py").exists():
                yield "gallery.gallery" if rest[0] == "gallery" else rest[0]
            elif rest and (PACKAGE / rest[0]).is_dir():
                yield rest[0]
            else:
                yield "gallery"


def graph() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = place_of(path)
        found.setdefault(place, set()).update(set(imports_of(path)) - {place})
    return found


GRAPH = graph()
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}


def test_the_graph_holds_what_is_known_to_be_in_it() -> None:
    assert {"writer", "schema", "sqlalchemy", "types"} <= GRAPH["store"]
    assert "faiss" in GRAPH["index"]
    assert "animeface" in GRAPH["detectors"]
    assert "store" in GRAPH["gallery.gallery"]


@pytest.mark.parametrize("place", sorted(GRAPH))
def test_a_module_imports_only_from_below(place: str) -> None:
    for imported in GRAPH[place] & HEIGHT.keys():
        if place in HEIGHT:
            assert HEIGHT[imported] < HEIGHT[place], f"{place} imports {imported}"
    assert place == "cli" or "cli" not in GRAPH[place]


def test_the_package_takes_nothing_from_its_own_file_but_the_version() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "gallery":
                own = {one.name for one in node.names} & set(gallery.__all__)
                assert not own, f"{path} takes {own} from the package's own file"
            elif isinstance(node, ast.Import):
                assert "gallery" not in {one.name for one in node.names}, path


def test_the_package_hands_on_what_type_checkers_are_told() -> None:
    for node in handed_on().body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module is not None
        home = importlib.import_module(node.module)
        for one in node.names:
            assert getattr(gallery, one.name) is getattr(home, one.name)
    told = [one.name for node in handed_on().body for one in node.names]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(gallery.__all__)
    assert set(gallery.__all__) <= set(dir(gallery))
    with pytest.raises(AttributeError, match="no attribute 'nobody'"):
        gallery.nobody  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(gallery, "catalogue")


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, gallery; print(*(name for name in sys.modules if 'gallery' in name))"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    assert process.stdout.split() == ["gallery"]
    assert loaded_by("gallery") == set()


def test_importing_what_programs_talk_to_loads_no_network_and_no_picture_library() -> None:
    assert loaded_by("gallery.api") <= {"numpy", "sqlalchemy"}


def test_no_imports_go_in_a_circle() -> None:
    done: set[str] = set()

    def follow(place: str, way: tuple[str, ...]) -> None:
        assert place not in way, " -> ".join((*way, place))
        if place not in done:
            for imported in sorted(GRAPH[place] & GRAPH.keys()):
                follow(imported, (*way, place))
            done.add(place)

    for place in sorted(GRAPH):
        follow(place, ())


@pytest.mark.parametrize("place", sorted(FORBIDDEN))
def test_a_module_knows_nothing_of_what_is_not_its_business(place: str) -> None:
    assert GRAPH[place] & FORBIDDEN[place] == set()


def loaded_by(module: str) -> set[str]:
    """Which heavy packages a fresh Python has loaded after importing a module."""
    code = f"import sys, {module}; print(*(set({HEAVY!r}) & set(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    return set(process.stdout.split())


@pytest.mark.skipif(
    not (PACKAGE / "cli" / "__init__.py").exists(), reason="there is no command line yet"
)
def test_importing_the_command_line_loads_nothing_heavy() -> None:
    assert loaded_by("gallery.cli") == set()


def test_importing_detectors_and_encoders_opens_no_runtime() -> None:
    modules = sorted(
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for folder in ("detectors", "encoders")
        for path in (PACKAGE / folder).glob("*.py")
        if path.stem != "__init__"
    )
    assert modules
    assert loaded_by(", ".join(modules)) <= {"numpy"}


def test_importing_the_gallery_loads_no_network_and_no_picture_library() -> None:
    assert loaded_by("gallery.assemble") <= {"numpy", "sqlalchemy"}
