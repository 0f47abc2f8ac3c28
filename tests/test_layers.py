"""The house has rooms: every module has its place, imports point down, and importing is free."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gallery

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gallery"

ROOMS = (
    ("errors",),
    ("types", "settings"),
    ("events",),
    ("system",),
    ("numerics",),
    ("media", "reports"),
    ("faces",),
    ("store", "metadata"),
    ("identify", "output"),
    ("engine", "services"),
    ("jobs",),
    ("audit", "evaluation", "machines"),
    ("api", "doctor", "testing"),
    ("web",),
    ("cli",),
    ("__main__",),
)
"""From the ground up: a room imports from the floors below its own alone."""

FLOORS: dict[str, tuple[str, ...]] = {
    "system": (
        "escapes files interrupts locks memory mounts patience plugins reading threads",
        "file_names",
    ),
    "numerics": ("assignment distances intervals neighbours profiles spans", "choosing clustering"),
    "media": (
        "difference_hash folders images timecodes",
        "inputs selection video_reader",
        "shots stills video_writer",
    ),
    "reports": ("annotate line_chart time_chart", "page"),
    "faces": (
        "align detectors.boxes detectors.nvxs detectors.portrait detectors.rolled detectors.whole "
        "encoders.preprocess interfaces networks.dlib_format networks.manifest quality tracking",
        "crops describe drawn detectors.animeface detectors.onnx_file detectors.plugged "
        "encoders.plugged networks.devices "
        "networks.library",
        "detectors.sessions encoders.dlib_network encoders.ensemble encoders.onnx_network video",
        "detectors.landmarks tagger",
        "detectors.heads",
        "catalog",
    ),
    "store": (
        "addresses archive_members dialects kinds logs names",
        "columns tables",
        "descriptors place schema",
        "backups belonging changes contents described sent server videos",
        "databases rejections",
        "copying",
        "decided enrolled_faces forgotten",
        "sightings",
        "answers grouping steps",
        "answering",
        "deciding decisions",
        "writer",
        "reader",
        "decision_archive enrolled",
        "archive",
    ),
    "metadata": (
        "rdf regions tags",
        "captions corrections.correction microsoft",
        "corrections.coco corrections.cvat corrections.digikam corrections.label_studio "
        "corrections.own_records corrections.picasa corrections.takeout xmp",
        "corrections.read named_regions",
    ),
    "identify": (
        "calibration.evidence distinct index",
        "calibration.doubles calibration.model calibration.strangers index_cache seen",
        "calibration.own_series calibration.trials matching",
        "calibration.fit",
        "calibration.figures",
        "calibration.calibrate",
        "calibration.joint judging",
        "judging_pictures look_alikes",
    ),
    "output": (
        "arrays format record_file record_values summary",
        "records screen_time",
        "annotated csv_table document jsonl own_folder sidecars sorted_folders subtitles time_line "
        "training_set",
        "captions chapters coco html_sheet hydrus label_studio markers resume video_documents "
        "xmp_sidecar",
        "record_copy",
        "registry",
        "outputs",
    ),
    "engine": ("drawn", "engine", "assemble figures", "joint"),
    "services": ("faces known", "client keys", "hydrus immich photoprism stash"),
    "jobs": (
        "away fetch_files",
        "pipeline",
        "calibrate changes copy given_names keep_video known_pictures reencode refusals "
        "relabel_pictures relabel_video stored_answers worth written",
        "renamed_folders",
        "answers describe enroll_folders enroll_regions identify label_video relabel "
        "unknown_faces watch",
        "add answered appearances compare draw harvest_page preview shown",
        "cluster correction_places dataset_cuts dataset_report enroll harvest label meant "
        "opinion send_faces send_markers send_tags",
        "cluster_faces dataset decide decided_faces",
        "adopt corrections regroup review seen",
        "name references",
    ),
    "machines": ("library", "reach work", "serving workers"),
    "audit": (
        "audit_set proposals",
        "characters contradicted misplaced page",
        "duplicates likely_pairs right",
        "fixes run",
    ),
    "evaluation": (
        "figures metrics series",
        "pairs search",
        "evaluation_set trials",
        "verification",
        "identification",
        "verdicts",
        "hard_strangers poses",
        "decided evaluate",
        "page plain run",
    ),
    "web": (
        "doors pairs_ahead pictures shapes tokens turns uploads",
        "picture_shapes places program_shapes renewing words",
        "desk server",
        "drawing enrolling episodes pairing programs routes searching",
        "auditing grouping picture_routes program_routes",
        "application",
    ),
    "cli": (
        "advice show",
        "video writing",
        "archive doctor meant models progress seen",
        "appearances audit calibrate cluster copy dataset decide enroll evaluate "
        "label_progress machines references review series services web",
        "characters corrections faces harvest hydrus identify label opinion relabel serve stash",
        "",
    ),
}
"""Inside each package, from the ground up; an empty name is the package's own file."""

MOST_MODULES = 9
"""Directly in the package: more, and a room is missing."""

DATABASE = {"store", "identify.index", "identify.index_cache", "faiss", "sqlalchemy", "alembic"}

STORE_FORBIDDEN = {"faiss", "identify", "onnxruntime", "dlib", "animeface", "faces.detectors"}

FORBIDDEN: dict[str, set[str]] = {
    "faces": DATABASE,
    "faces.detectors.plugged": {"cv2", "numpy"},
    "system.plugins": {"cv2", "numpy"},
    "media": DATABASE,
    "metadata": DATABASE,
    "numerics": DATABASE - {"faiss"},
    "output": DATABASE,
    "reports": DATABASE,
    "services": DATABASE | {"numpy", "media"},
    "store": STORE_FORBIDDEN,
    "identify.calibration": DATABASE,
    "identify.index": {"store", "sqlalchemy", "alembic"},
    "identify.index_cache": {"sqlalchemy", "store.tables", "store.schema", "alembic", "faiss"},
    "identify.matching": {"sqlalchemy", "store.tables", "store.schema", "faiss"},
    "engine.engine": {
        "sqlalchemy", "store.tables", "store.schema", "faiss", "faces.detectors", "faces.encoders",
        "faces.networks",
    },
    "jobs": {
        "sqlalchemy", "store.tables", "store.schema", "faiss", "identify.index",
        "identify.index_cache", "alembic",
    },
    "evaluation": {"sqlalchemy", "store.tables", "store.schema", "faiss", "alembic"},
    "machines": {"sqlalchemy", "store.reader", "store.writer", "faiss", "alembic"},
    "machines.work": DATABASE,
    "web": {"sqlalchemy", "store.tables", "store.schema", "faiss", "alembic", "store.writer"},
    "cli": {
        "sqlalchemy", "faiss", "store.tables", "store.schema", "alembic", "onnxruntime", "dlib",
        "animeface",
    },
}  # fmt: skip

HEAVY = (
    "cv2", "onnxruntime", "onnx", "dlib", "faiss", "sqlalchemy", "alembic", "animeface", "PIL",
    "numpy", "av", "scenedetect", "fastapi", "jinja2", "uvicorn",
    "dask", "distributed", "cryptography",
)  # fmt: skip


def name_of(path: Path) -> str:
    """What a file is called inside the package: `media.images`; a package's own file as it is."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
RANK = {room: rank for rank, floor in enumerate(ROOMS) for room in floor}
FLOOR = {
    f"{package}.{module}".strip("."): floor
    for package, floors in FLOORS.items()
    for floor, names in enumerate(floors)
    for module in (names.split() or [""])
}


def room_of(module: str) -> str:
    return module.partition(".")[0]


def is_own_file(module: str) -> bool:
    return MODULES[module].name == "__init__.py"


def handed_on() -> ast.If:
    """The part of the package's own file that is for type checkers: where its names come from."""
    (block,) = (
        node
        for node in ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.If)
    )
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    return block


def imports_of(module: str) -> Iterator[str]:
    """Every module that a file imports, wherever in it; gallery's own without the first part.

    What the package's own file hands on for type checkers is no import; nothing in the package may
    take it from there.
    """
    path = MODULES[module]
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
            top, _, inside = name.partition(".")
            if top != "gallery":
                yield top
                continue
            while inside and inside not in MODULES:
                inside = inside.rpartition(".")[0]
            if inside:
                yield inside


GRAPH = {module: set(imports_of(module)) - {module} for module in MODULES}


def test_the_graph_holds_what_is_known_to_be_in_it() -> None:
    assert {"store.writer", "store.databases", "sqlalchemy", "types"} <= GRAPH["store.reader"]
    assert "faiss" in GRAPH["numerics.neighbours"]
    assert "animeface" in GRAPH["faces.detectors.nvxs"]
    assert "store.reader" in GRAPH["engine.engine"]


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__init__"}))
def test_a_module_has_a_place_and_imports_from_below_it(module: str) -> None:
    room = room_of(module)
    assert room in RANK, f"{module} lies in no room; give it a place in ROOMS"
    assert room not in FLOORS or module in FLOOR or is_own_file(module), (
        f"{module} has no floor in its room; give it one in FLOORS"
    )
    for imported in GRAPH[module] & MODULES.keys():
        if room_of(imported) != room:
            assert RANK[room_of(imported)] < RANK[room], f"{module} imports {imported}"
        elif not is_own_file(imported):
            assert FLOOR[imported] < FLOOR.get(module, len(FLOOR)), f"{module} imports {imported}"


def test_the_plan_holds_nothing_that_is_not_there() -> None:
    assert {room for room in RANK if room != "__main__"} <= {room_of(one) for one in MODULES}
    assert set(FLOOR) <= set(MODULES)
    assert set(FLOORS) == {
        path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()
    }


def test_few_modules_lie_outside_the_rooms() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_MODULES


def test_no_imports_go_in_a_circle() -> None:
    done: set[str] = set()

    def follow(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in done:
            for imported in sorted(GRAPH[module] & MODULES.keys()):
                follow(imported, (*way, module))
            done.add(module)

    for module in sorted(MODULES):
        follow(module, ())


@pytest.mark.parametrize("place", sorted(FORBIDDEN))
def test_a_module_knows_nothing_of_what_is_not_its_business(place: str) -> None:
    own = [one for one in MODULES if one == place or one.startswith(f"{place}.")]
    assert own
    for module in own:
        for imported in GRAPH[module]:
            parts = imported.split(".")
            ways = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
            assert not ways & FORBIDDEN[place], f"{module} imports {imported}"


def test_the_architecture_page_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = {
        line.split("|")[1].strip().strip("`").removesuffix(".py").removesuffix("/")
        for line in page.splitlines()
        if line.startswith("| `") and "gallery" not in line.split("|")[1]
    }
    rooms = {room_of(one) for one in MODULES} - {"__init__"}
    assert rooms <= named, f"docs/architecture.md does not name {rooms - named}"
    outside = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert named - rooms <= outside, f"there is no {named - rooms - outside}"


@pytest.mark.parametrize(
    ("folder", "may_know"),
    [
        ("gallery", set()),
        ("drawing", {"gallery"}),
        ("measuring", {"gallery"}),
        ("training", {"gallery", "measuring"}),
        ("benchmarks", {"drawing", "gallery", "measuring"}),
    ],
)
def test_what_lies_beside_the_package_knows_what_it_may(folder: str, may_know: set[str]) -> None:
    ours = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            known = {name.partition(".")[0] for name in names} & ours - {folder}
            assert known <= may_know, f"{path} imports {known - may_know}"


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
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout.split() == ["gallery"]
    assert loaded_by("gallery") == set()


def test_importing_what_programs_talk_to_loads_no_network_and_no_picture_library() -> None:
    assert loaded_by("gallery.api") <= {"numpy", "sqlalchemy"}


def loaded_by(module: str) -> set[str]:
    """Which heavy packages a fresh Python has loaded after importing a module."""
    code = f"import sys, {module}; print(*(set({HEAVY!r}) & set(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(process.stdout.split())


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    assert loaded_by("gallery.cli") == set()


def test_importing_detectors_and_encoders_opens_no_runtime() -> None:
    modules = [
        f"gallery.{one}"
        for one in MODULES
        if one.startswith(("faces.detectors.", "faces.encoders."))
    ]
    assert modules
    assert loaded_by(", ".join(modules)) <= {"numpy"}


def test_importing_the_gallery_loads_no_network_and_no_picture_library() -> None:
    assert loaded_by("gallery.engine.assemble") <= {"numpy", "sqlalchemy"}
