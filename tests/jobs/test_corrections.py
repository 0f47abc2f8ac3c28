"""Corrections of other programs become decisions on the faces they are of, in one step."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from command import call
from fakes import Square, enroll_squares, fake_gallery, write_picture
from labelled import identify_files
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import BadSetting, InputError, UnreadableFile
from gallery.events import Refused, result_of
from gallery.faces.video import VideoOptions
from gallery.jobs import decide
from gallery.jobs.correction_places import Unmatched
from gallery.jobs.corrections import Corrected, CorrectionChoices, corrections
from gallery.jobs.label_video import label_video
from gallery.metadata.corrections.read import read
from gallery.output import registry
from gallery.output.format import Output
from gallery.output.outputs import open_outputs
from gallery.output.resume import open_writer
from gallery.store.sightings import Sighting
from gallery.store.steps import Action
from gallery.types import UNDECIDED, Box, Decided, FaceState, Record

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)


@pytest.fixture
def filled(database: Path, tmp_path: Path) -> Iterator[Engine]:
    with fake_gallery(database) as gallery:
        enroll_squares(gallery, tmp_path / "enrolled", {"Rei": BLUE, "Asuka": RED})
        yield gallery


@pytest.fixture
def shots(filled: Engine, tmp_path: Path) -> list[Record]:
    """One picture of Rei and a stranger, one of Asuka, both labelled."""
    paths = [
        write_picture(
            tmp_path / "shots" / "綾 波.png", Square(10, 20, 60, BLUE), Square(90, 20, 50, GREEN)
        ),
        write_picture(tmp_path / "shots" / "deep" / "2.png", Square(40, 30, 60, RED)),
    ]
    return list(identify_files(filled, paths, keep=True))


def states(gallery: Engine) -> dict[int, FaceState]:
    """What is decided of the seen faces, by their left edges."""
    seen = gallery.store.sightings.all()
    found = gallery.decided().states([one.place for one in seen], [one.face.box for one in seen])
    return {round(one.face.box.left): state for one, state in zip(seen, found, strict=True)}


def lefts(gallery: Engine) -> tuple[int, int, int]:
    """The left edges of Rei, of the stranger beside her, and of Asuka."""
    seen = sorted(gallery.store.sightings.all(), key=lambda one: one.face.box.left)
    rei, asuka, stranger = (round(one.face.box.left) for one in seen)
    return rei, stranger, asuka


def seen_at(gallery: Engine, left: int) -> Sighting:
    (one,) = [one for one in gallery.store.sightings.all() if round(one.face.box.left) == left]
    return one


def taken(gallery: Engine, *sources: Path, **choices: Any) -> Corrected:
    return result_of(corrections(gallery, CorrectionChoices(sources, **choices), who="me"))


CONFIRMED = Decided.CONFIRMED


def check(gallery: Engine, done: Corrected) -> None:
    """Rei is Asuka, the stranger is Rei, and Asuka is ignored; one undo takes all of it back."""
    rei, stranger, asuka = lefts(gallery)
    wanted = {
        rei: FaceState(CONFIRMED, "Asuka"),
        stranger: FaceState(CONFIRMED, "Rei"),
        asuka: FaceState(Decided.IGNORED),
    }
    assert done.missed == ()
    assert states(gallery) == wanted
    assert done.step is not None
    assert (done.step.action, done.step.faces, done.step.who) == (Action.CORRECT, 3, "me")
    assert done.step.title == "took corrections of 3 in"
    assert decide.undo(gallery).restored == 3
    assert set(states(gallery).values()) == {UNDECIDED}


def boxes(gallery: Engine) -> list[tuple[str, str, Box, tuple[int, int]]]:
    """The three faces with what a person says of them: picture, label, box, size."""
    rei, stranger, asuka = (seen_at(gallery, left) for left in lefts(gallery))
    found = []
    for one, label in ((rei, "Asuka"), (stranger, "Rei"), (asuka, "ignored")):
        size = gallery.store.sightings.size_of(one.path)
        assert size is not None
        found.append((str(one.path), label, one.face.box, size))
    return found


def label_studio(gallery: Engine, root: Path) -> list[dict[str, Any]]:
    tasks: dict[str, list[dict[str, Any]]] = {}
    for path, label, box, (width, height) in boxes(gallery):
        value = {
            "x": 100 * box.left / width, "y": 100 * box.top / height,
            "width": 100 * box.width / width, "height": 100 * box.height / height,
            "rotation": 0, "rectanglelabels": [label],
        }  # fmt: skip
        region = {"type": "rectanglelabels", "original_width": width, "value": value}
        tasks.setdefault(path, []).append(region)
    return [
        {
            "data": {"image": f"/data/local-files/?d={Path(path).relative_to(root).as_posix()}"},
            "predictions": [{"result": [{"value": {"rectanglelabels": ["Nobody"]}}]}],
            "annotations": [
                {"was_cancelled": False, "result": []},
                {"was_cancelled": False, "result": regions},
                {"was_cancelled": True, "result": []},
            ],
        }
        for path, regions in tasks.items()
    ]


def test_label_studio(filled: Engine, shots: list[Record], tmp_path: Path) -> None:
    export = tmp_path / "export.json"
    tasks = label_studio(filled, tmp_path / "shots")
    export.write_text(json.dumps(tasks), encoding="utf-8")
    check(filled, taken(filled, export))
    plain = [
        {
            "image": f"/data/upload/3/0a1b2c3d-{task['data']['image'].rpartition('/')[2]}".replace(
                "?d=", ""
            ),
            "id": row,
            "label": [
                {**region["value"], "original_width": 160}
                for region in task["annotations"][1]["result"]
            ],
        }
        for row, task in enumerate(tasks)
    ]  # fmt: skip
    export.write_text(json.dumps(plain), encoding="utf-8")
    check(filled, taken(filled, export))


def test_what_gallery_wrote_for_label_studio_comes_back(
    filled: Engine, shots: list[Record], tmp_path: Path
) -> None:
    target = tmp_path / "tasks.json"
    writer = registry.open_writer("label-studio", Output(target, tmp_path / "shots", "fake"))
    for record in shots:
        writer.write(record)
    writer.close()
    tasks = json.loads(target.read_text(encoding="utf-8"))
    assert taken(filled, target).changes == ()
    labels = iter(["Asuka", "Rei", "no face"])
    for task in tasks:
        (prediction,) = task.pop("predictions")
        for region in sorted(prediction["result"], key=lambda one: float(one["value"]["x"])):
            region["value"]["rectanglelabels"] = [next(labels)]
        task["annotations"] = [prediction]
    target.write_text(json.dumps(tasks), encoding="utf-8")
    done = taken(filled, target)
    rei, stranger, asuka = lefts(filled)
    assert done.missed == ()
    assert {left: state.decided for left, state in states(filled).items()} == {
        rei: CONFIRMED, stranger: CONFIRMED, asuka: Decided.NO_FACE,
    }  # fmt: skip


def test_coco_of_another_program(filled: Engine, shots: list[Record], tmp_path: Path) -> None:
    pictures = sorted({(path, size) for path, _, _, size in boxes(filled)})
    values = {
        # Of another machine, at half the size.
        "images": [
            {
                "id": row, "file_name": path.replace(str(tmp_path), "D:\\data").replace("/", "\\"),
                "width": width // 2, "height": height // 2,
            }
            for row, (path, (width, height)) in enumerate(pictures)
        ],
        "categories": [
            {"id": 7, "name": "asuka"}, {"id": 8, "name": "Rei"}, {"id": 9, "name": "ignore"},
        ],
        "annotations": [
            {
                "image_id": [one for one, _ in pictures].index(path),
                "category_id": {"Asuka": 7, "Rei": 8, "ignored": 9}[label],
                "bbox": [box.left / 2, box.top / 2, box.width / 2, box.height / 2],
            }
            for path, label, box, _ in boxes(filled)
        ],
    }  # fmt: skip
    (tmp_path / "coco.json").write_text(json.dumps(values), encoding="utf-8")
    check(filled, taken(filled, tmp_path / "coco.json"))


def test_cvat(filled: Engine, shots: list[Record], tmp_path: Path) -> None:
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations><version>1.1</version>"]
    for row, (path, label, box, (width, height)) in enumerate(boxes(filled)):
        name = quoteattr(str(Path(path).relative_to(tmp_path)))
        lines.append(f'<image id="{row}" name={name} width="{width}" height="{height}">')
        # The face alone, which lies in the head.
        inner = Box(box.left + 8, box.top + 20, box.right - 8, box.bottom - 4)
        places = " ".join(
            f'{key}="{value:.2f}"'
            for key, value in zip(("xtl", "ytl", "xbr", "ybr"), inner, strict=True)
        )
        if label == "Rei":
            lines.append(f'<box label="face" {places}><attribute name="name">Rei</attribute></box>')
        else:
            lines.append(f'<box label="{label}" {places} occluded="0"></box>')
        lines.append('<polygon label="Rei" points="1,1;2,2"/></image>')
    (tmp_path / "cvat.xml").write_text("\n".join([*lines, "</annotations>"]), encoding="utf-8")
    check(filled, taken(filled, tmp_path / "cvat.xml"))


def records(gallery: Engine, shots: Sequence[Record], path: Path) -> None:
    outputs = open_outputs(
        open_writer(path, gallery.encoder),
        [],
        paths=[shots[0].path],
        encoder=gallery.encoder,
        options=Output(None, path.parent, "fake").options,
    )
    for record in shots:
        outputs.write(record)
    outputs.close()


def test_our_own_lines(filled: Engine, shots: list[Record], tmp_path: Path) -> None:
    first, edited = tmp_path / "first.jsonl", tmp_path / "edited.jsonl"
    records(filled, shots, first)
    with pytest.raises(BadSetting, match="give the file as gallery wrote it"):
        taken(filled, first)
    labels = dict(zip(lefts(filled), ("Asuka", "Rei", None), strict=True))
    lines = [json.loads(line) for line in first.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["path"] = f"/gone/{Path(line['path']).name}"
        for face in line["faces"]:
            face["character"] = labels[face["box"][0]]
            if face["character"] is None:
                face["decided"] = "ignored"
    edited.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    check(filled, taken(filled, edited, everything=True))
    # Without more, only what says that it is a person's counts.
    done = taken(filled, edited)
    assert [one.after.decided for one in done.changes] == [Decided.IGNORED]
    assert done.answers == 2


def test_our_own_table_as_a_spreadsheet_saves_it(
    filled: Engine, shots: list[Record], tmp_path: Path
) -> None:
    first, edited = tmp_path / "first.csv", tmp_path / "edited.csv"
    records(filled, shots, first)
    rows = list(csv.DictReader(io.StringIO(first.read_text(encoding="utf-8-sig"), newline="")))
    rei, _, asuka = lefts(filled)
    for row in rows:
        if row["left"] == str(rei):
            row["character"] = "Asuka"
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    edited.write_text(text.getvalue(), encoding="utf-8-sig")
    done = taken(filled, edited, original=first)
    assert done.missed == ()
    assert done.answers == 1
    assert [one.after for one in done.changes] == [FaceState(CONFIRMED, "Asuka")]
    assert states(filled)[rei] == FaceState(CONFIRMED, "Asuka")
    assert states(filled)[asuka] == UNDECIDED


def digikam(path: Path, faces: Sequence[tuple[str, str, str, str, str]]) -> Path:
    """A database with album root, album, picture, property, region and tag of each face."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            """
            CREATE TABLE AlbumRoots (id INTEGER PRIMARY KEY, identifier TEXT, specificPath TEXT);
            CREATE TABLE Albums (id INTEGER PRIMARY KEY, albumRoot INTEGER, relativePath TEXT);
            CREATE TABLE Images (id INTEGER PRIMARY KEY, album INTEGER, name TEXT);
            CREATE TABLE Tags (id INTEGER PRIMARY KEY, pid INTEGER, name TEXT);
            CREATE TABLE TagProperties (tagid INTEGER, property TEXT, value TEXT);
            CREATE TABLE ImageTagProperties (
                imageid INTEGER, tagid INTEGER, property TEXT, value TEXT);
            INSERT INTO AlbumRoots VALUES (1, 'volumeid:?uuid=abc', '/home/me/Pictures');
            INSERT INTO Tags VALUES (1, 0, 'Ignored'), (2, 0, 'Unknown');
            INSERT INTO TagProperties VALUES (1, 'ignoredPerson', NULL), (2, 'unknownPerson', NULL);
            """
        )
        tags = {"Ignored": 1, "Unknown": 2}
        for row, (album, name, kind, region, tag) in enumerate(faces, 1):
            database.execute("INSERT INTO Albums VALUES (?, 1, ?)", (row, album))
            database.execute("INSERT INTO Images VALUES (?, ?, ?)", (row, row, name))
            if tag not in tags:
                tags[tag] = len(tags) + 1
                database.execute("INSERT INTO Tags VALUES (?, 0, ?)", (tags[tag], tag))
                database.execute(
                    "INSERT INTO TagProperties VALUES (?, 'person', ?)", (tags[tag], tag)
                )
            values = (row, tags[tag], kind, region)
            database.execute("INSERT INTO ImageTagProperties VALUES (?, ?, ?, ?)", values)
    return path


def test_digikams_confirmed_faces(filled: Engine, shots: list[Record], tmp_path: Path) -> None:
    faces = []
    for path, label, box, _ in boxes(filled):
        album = "/" + Path(path).parent.relative_to(tmp_path).as_posix()
        region = (
            f'<rect x="{round(box.left)}" y="{round(box.top)}" width="{round(box.width)}" '
            f'height="{round(box.height)}"/>'
        )
        tag = "Ignored" if label == "ignored" else label
        kind = "ignoredFace" if label == "ignored" else "tagRegion"
        faces.append((album, Path(path).name, kind, region, tag))
        faces.append((album, Path(path).name, "tagRegion", region, "Unknown"))
        faces.append((album, Path(path).name, "autodetectedPerson", region, "Suggested"))
    database = digikam(tmp_path / "digikam4.db", faces)
    before = database.read_bytes()
    done = taken(filled, database)
    assert done.nameless == 3
    check(filled, done)
    assert database.read_bytes() == before
    assert [one.name for one in tmp_path.glob("digikam4.db*")] == ["digikam4.db"]


def rect64(box: Box, size: tuple[int, int]) -> str:
    shares = (box.left / size[0], box.top / size[1], box.right / size[0], box.bottom / size[1])
    return "".join(f"{round(min(max(one, 0), 1) * 65535):04x}" for one in shares).lstrip("0")


def test_picasa_in_each_folder(filled: Engine, shots: list[Record], tmp_path: Path) -> None:
    (rei, stranger, asuka) = boxes(filled)
    folder = tmp_path / "shots"
    contacts = "[Contacts2]\n8e62398ebda8c1a5=Asuka;;\n1111111111111111=Rei;rei@nerv.jp;\n"
    faces = ";".join(
        f"rect64({rect64(box, size)}),{contact}"
        for (_, _, box, size), contact in (
            (rei, "8e62398ebda8c1a5"),
            (stranger, "1111111111111111"),
            (stranger, "ffffffffffffffff"),
        )
    )  # fmt: skip
    (folder / ".picasa.ini").write_text(
        f"[Picasa]\nname=shots\n[綾 波.png]\nfaces={faces}\nbackuphash=1\n{contacts}",
        encoding="utf-8",
    )
    (folder / "deep" / ".picasa.ini").write_text(
        f"[Contacts2]\n22=Ignored;;\n[2.png]\nfaces=rect64({rect64(asuka[2], asuka[3])}),22\n",
        encoding="utf-8",
    )
    done = taken(filled, folder)
    assert done.nameless == 1
    check(filled, done)


def test_takeout_says_who_but_not_where(
    filled: Engine, shots: list[Record], tmp_path: Path
) -> None:
    folder = tmp_path / "shots"
    for name, people in (("deep/2.png", ["Rei"]), ("綾 波.png", ["Rei", "Asuka"])):
        path = folder / name
        values = {"title": path.name, "people": [{"name": one} for one in people]}
        path.with_name(f"{path.name}.supplemental-metadata.json").write_text(json.dumps(values))
    (folder / "metadata.json").write_text('{"title": "Album"}')
    (folder / "broken.json").write_text("{")
    done = taken(filled, folder)
    assert [(one.why, one.correction.name) for one in done.missed] == [
        (Unmatched.PEOPLE, "Rei"),
        (Unmatched.PEOPLE, "Asuka"),
    ]
    asuka = lefts(filled)[2]
    assert {left: one for left, one in states(filled).items() if one != UNDECIDED} == {
        asuka: FaceState(CONFIRMED, "Rei")
    }
    with pytest.raises(InputError, match="No file of corrections could be read"):
        taken(filled, tmp_path / "enrolled")


def own_line(path: str, box: Box, name: str | None, **more: object) -> str:
    face = {"box": [round(side) for side in box], "character": name, "decided": "confirmed"}
    record = {"path": path, "width": 160, "height": 120, "faces": [{**face, **more}]}
    return json.dumps(record) + "\n"


def test_what_cannot_be_taken_in_is_named(
    filled: Engine, shots: list[Record], tmp_path: Path
) -> None:
    rei = seen_at(filled, lefts(filled)[0])
    box, path = rei.face.box, str(rei.path)
    write_picture(tmp_path / "other" / "2.png", Square(40, 30, 60, RED), seed=9)
    list(identify_files(filled, [tmp_path / "other" / "2.png"], keep=True))
    lines = [
        (own_line("/elsewhere/99.png", box, "Rei"), Unmatched.PICTURE),
        (own_line("/elsewhere/2.png", box, "Rei"), Unmatched.PICTURE),
        (own_line("2.png", box, "Rei"), Unmatched.PICTURES),
        (own_line(path, Box(0, 100, 12, 112), "Rei"), Unmatched.PLACE),
        (own_line(path, box, "Nobody"), Unmatched.NAME),
        (own_line(path, box, "\x07"), Unmatched.NAME),
    ]
    source = tmp_path / "said.jsonl"
    for line, why in lines:
        source.write_text(line, encoding="utf-8")
        done = taken(filled, source)
        assert [one.why for one in done.missed] == [why], line
        assert done.step is None
    source.write_text(own_line(path, box, "\x07"), encoding="utf-8")
    assert [one.why for one in taken(filled, source, new=True).missed] == [Unmatched.NAME]
    other = tmp_path / "other.jsonl"
    source.write_text(own_line(path, box, "Rei"), encoding="utf-8")
    other.write_text(own_line(path, box, "Asuka"), encoding="utf-8")
    done = taken(filled, source, other)
    assert [one.why for one in done.missed] == [Unmatched.TWICE, Unmatched.TWICE]
    assert set(states(filled).values()) == {UNDECIDED}
    source.write_text(own_line(path, box, "Ayanami"), encoding="utf-8")
    done = taken(filled, source, new=True)
    assert done.missed == ()
    assert [one.after for one in done.changes] == [FaceState(CONFIRMED, "Ayanami")]
    assert taken(filled, source).same == 1


def test_a_dry_run_decides_nothing(filled: Engine, shots: list[Record], tmp_path: Path) -> None:
    rei = seen_at(filled, lefts(filled)[0])
    source = tmp_path / "said.jsonl"
    source.write_text(own_line(str(rei.path), rei.face.box, "ASUKA"), encoding="utf-8")
    done = taken(filled, source, dry_run=True)
    assert [one.after for one in done.changes] == [FaceState(CONFIRMED, "Asuka")]
    assert done.step is None
    assert set(states(filled).values()) == {UNDECIDED}
    assert filled.store.decisions.steps() == []


def test_a_picture_is_known_by_its_digest_wherever_it_is(
    filled: Engine, shots: list[Record], tmp_path: Path
) -> None:
    rei = seen_at(filled, lefts(filled)[0])
    record = json.loads(own_line("renamed.png", rei.face.box, "Asuka"))
    record["digest"] = rei.place.digest
    source = tmp_path / "said.jsonl"
    source.write_text(json.dumps(record), encoding="utf-8")
    assert len(taken(filled, source).changes) == 1


def test_tracks_of_a_video_are_known_by_their_times(filled: Engine, tmp_path: Path) -> None:
    frames = [
        *([scene(Square(20, 20, 50, RED))] * 24),
        *([scene(Square(20, 20, 50, BLUE), brightness=-100)] * 24),
    ]
    video = write_video(tmp_path / "ep.mkv", at_rate(frames))
    out = tmp_path / "said.csv"
    outputs = open_outputs(
        open_writer(out, filled.encoder), [], paths=[video], encoder=filled.encoder,
        options=Output(None, tmp_path, "fake").options,
    )  # fmt: skip
    for record in label_video(filled, video, VideoOptions(), keep=True):
        outputs.write(record)
    outputs.close()
    text = out.read_text(encoding="utf-8-sig")
    edited = tmp_path / "edited.csv"
    edited.write_text(text.replace(",Rei,", ",Asuka,"), encoding="utf-8-sig")
    done = taken(filled, edited, original=out)
    (change,) = done.changes
    assert change.sighting.track is not None
    assert change.sighting.track.shot == 2
    assert change.after == FaceState(CONFIRMED, "Asuka")


BAD = {
    "empty.json": b"",
    "nothing.json": b"[]",
    "text.txt": b"hello",
    "nan.json": b'{"images": [{"id": 1, "file_name": "a"}], '
    b'"categories": [{"id": 1, "name": "A"}], "annotations": '
    b'[{"image_id": 1, "category_id": 1, "bbox": [NaN, 0, 1, 1]}]}',
    "lost.json": b'{"images": [], "categories": [], "annotations": [{"image_id": 1}]}',
    "deep.json": b"[" * 100_000,
    "turned.json": b'[{"data": {"image": "a.png"}, "annotations": [{"result": [{"value": {"x": 1, '
    b'"y": 1, "width": 1, "height": 1, "rotation": 12, "rectanglelabels": ["A"]}}]}]}]',
    "bomb.xml": b'<!DOCTYPE a [<!ENTITY b "cc">]><annotations><image name="&b;"/></annotations>',
    "other.xml": b"<html/>",
    "half.xml": b"<annotations><image",
    "some.db": b"SQLite format 3\0" + b"\0" * 100,
    "row.csv": b"path,left,top,right,bottom,character\na.png,1,2,x,4,Rei\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_of_another_kind_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(BAD[name])
    with pytest.raises(UnreadableFile, match="holds no corrections that can be read"):
        read(tmp_path / name)


def test_a_file_that_is_not_there_and_a_folder_without_any(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"holds no \.picasa\.ini and no people"):
        read(tmp_path)


def test_a_file_that_cannot_be_read_stops_no_other(
    filled: Engine, shots: list[Record], tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_bytes(b"{}")
    export = tmp_path / "export.json"
    tasks = label_studio(filled, tmp_path / "shots")
    export.write_text(json.dumps(tasks), encoding="utf-8")
    events = list(corrections(filled, CorrectionChoices((tmp_path / "bad.json", export))))
    (refused,) = [one for one in events if isinstance(one, Refused)]
    assert refused.path.name == "bad.json"
    assert len(filled.store.decisions.steps()) == 1


def test_the_command_says_what_would_change_and_undo_takes_it_back(tmp_path: Path) -> None:
    database = tmp_path / "gallery.db"

    def run(*words: str, code: int = 0) -> str:
        done = call(*words, cwd=tmp_path, database=database)
        assert done.code == code, done.stderr
        return done.stdout + done.stderr

    for name, colour in (("Rei", BLUE), ("Asuka", RED)):
        write_picture(tmp_path / "characters" / name / "1.png", Square(5, 5, 70, colour))
    run("enroll", "characters", "--cropped")
    run("label", "characters", "--cropped", "--out", "first.jsonl")
    lines = (tmp_path / "first.jsonl").read_text(encoding="utf-8")

    def edit(name: str | None) -> None:
        """Say that the first face is somebody else, and the second one Nobody where it is said."""
        records = [json.loads(line) for line in lines.splitlines()]
        (first,), (second,) = (record["faces"] for record in records)
        first["character"] = name or ("Asuka" if first["character"] != "Asuka" else "Rei")
        second["character"] = name or second["character"]
        text = "".join(json.dumps(record) + "\n" for record in records)
        (tmp_path / "edited.jsonl").write_text(text, encoding="utf-8")

    edit(None)
    said = run("corrections", "edited.jsonl", code=1)
    assert "give --original FILE, the file as gallery wrote it, or --all" in said
    words = ("corrections", "edited.jsonl", "--original", "first.jsonl")
    said = run(*words, "--dry-run")
    assert "1 face would change, 0 as they were." in said
    assert "undecided" in said
    found = json.loads(run(*words, "--json").splitlines()[0])
    assert found["step"]["title"] == "took corrections of 1 in"
    assert [one["after"]["decided"] for one in found["changes"]] == ["confirmed"]
    assert "0 faces changed, 1 as they were." in run(*words)
    assert "undid step" in run("undo")
    assert "2 faces would change" in run("corrections", "edited.jsonl", "--all", "--dry-run")
    record = {**json.loads(lines.splitlines()[0]), "path": "1.png", "digest": None}
    (tmp_path / "one.jsonl").write_text(json.dumps(record), encoding="utf-8")
    said = run("corrections", "one.jsonl", "--all", "--dry-run", code=1)
    assert "several labelled pictures are called so" in said
    words_there = ("--pictures", "characters/Rei", "--dry-run")
    assert "1 face would change" in run("corrections", "one.jsonl", "--all", *words_there)
    edit("Nobody")
    said = run(*words, code=1)
    assert "Nobody in " in said
    assert "no character is called so" in said
    assert "2 faces changed" in run(*words, "--new")
