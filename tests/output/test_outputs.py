"""What a job writes beside its records is read back by programs that are not ours."""

from __future__ import annotations

import contextlib
import csv
import importlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from fakes import Square, write_picture
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gallery.errors import InputError, SetupError
from gallery.media.folders import files_below
from gallery.media.selection import moment, without_outputs
from gallery.metadata import xmp
from gallery.metadata.regions import Area, Region, Shape, overlaps, pairs, shown, stored
from gallery.metadata.tags import name_of, tag_of
from gallery.output import registry
from gallery.output.format import (
    CaptionPlace,
    NotWrittenError,
    Output,
    OutputOptions,
    OutputWriter,
    Placing,
    TagStyle,
    base_of,
)
from gallery.output.html_sheet import MOST
from gallery.output.outputs import Outputs, open_outputs
from gallery.output.resume import open_writer, remaining
from gallery.system.file_names import character_name, folder_name, mark, mark_in, path_of
from gallery.types import Answer, Box, Face, Match, Record, Verdict

NAMES = [
    "Rei",
    "綾波 レイ",
    "Fate/stay night",
    "..",
    ".hidden",
    'the "quoted" one',
    "it's; a, list",
    "emoji 😀",
    "new\nline\r\ttab",
    "right \u202e to left",
    "x" * 200,
    "綾" * 200,
    "CON",
    "nul.txt",
    "ends in a dot. ",
    "<b>&amp;</b>",
    "C:\\windows",
    "*?|",
    "unsure",
    "no character \ufffe",
    "-dash",
    "--out=/etc",
    "y" * 300,
    "مرحبا بالعالم",
    "both \"kinds\" of 'quotes'",
    "a.b..c",
    "ends\u2028early",
    "a: b # c",
]


LEFT, RIGHT = Box(10, 20, 60, 80), Box(100, 10, 140, 60)


def answer(name: str | None, box: Box = LEFT, verdict: Verdict = Verdict.SURE) -> Answer:
    distance = None if name is None else 0.25
    matches = () if name is None else (Match(name, 0.25),)
    return Answer(Face(box, 0.9), verdict, name, distance, matches)


def unknown(box: Box = RIGHT) -> Answer:
    return answer(None, box, Verdict.UNKNOWN)


def record_of(path: Path, *answers: Answer) -> Record:
    return Record(path, 160, 120, "fake", answers)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "shots" / "1.png", Square(10, 20, 50))


def opened(
    name: str, target: Path | None = None, base: Path = Path("/"), **options: object
) -> OutputWriter:
    chosen = OutputOptions(**options)  # type: ignore[arg-type]
    return registry.open_writer(name, Output(target, base, "fake", chosen))


def write(name: str, *records: Record, target: Path | None = None, **options: object) -> None:
    writer = opened(name, target, base_of([one.path for one in records]), **options)
    try:
        for one in records:
            writer.write(one)
    except InputError:
        if not writer.is_document:
            writer.close()
        raise
    writer.close()


def tree(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )


class TestCaptions:
    def test_names_come_to_the_end_of_a_caption_once(self, picture: Path) -> None:
        caption = picture.with_suffix(".txt")
        caption.write_text("1girl, blue_hair, REI", encoding="utf-8")
        for _ in range(2):
            write("captions", record_of(picture, answer("Rei"), answer("Asuka"), unknown()))
        assert caption.read_bytes() == b"1girl, blue_hair, REI, Asuka"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b"", b"Rei"),
            (b"\n", b"Rei\n"),
            (b"tag\n", b"tag, Rei\n"),
            (b"tag,\r\n", b"tag, Rei\r\n"),
            (b"one\ntwo", b"one, Rei\ntwo"),
            (b"one\n\ntwo, rei\n", b"one, Rei\n\ntwo, rei\n"),
            (b"a, b\nc, d\r\n", b"a, b, Rei\nc, d, Rei\r\n"),
            (b"a girl in the rain\n\na, b, rei", b"a girl in the rain, Rei\n\na, b, rei"),
            (b"\xef\xbb\xbftag", b"\xef\xbb\xbftag, Rei"),
            (b"a, b\rc, d\r", b"a, b, Rei\rc, d, Rei\r"),
            ("a\u2028b, c\x0bd\x85e".encode(), "a\u2028b, c\x0bd\x85e, Rei".encode()),
            ("日本語、タグ".encode(), "日本語、タグ, Rei".encode()),
        ],
    )
    def test_what_is_there_stays(self, picture: Path, before: bytes, after: bytes) -> None:
        picture.with_suffix(".txt").write_bytes(before)
        write("captions", record_of(picture, answer("Rei")))
        assert picture.with_suffix(".txt").read_bytes() == after

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("", "Rei, Asuka"),
            ("1girl, asuka, rain\n", "Rei, 1girl, asuka, rain\n"),
            ("a, b\nrei, asuka, c", "Rei, Asuka, a, b\nrei, asuka, c"),
        ],
    )
    def test_names_come_in_front_where_that_is_asked_for(
        self, picture: Path, before: str, after: str
    ) -> None:
        picture.with_suffix(".txt").write_text(before)
        for _ in range(2):
            write(
                "captions", record_of(picture, answer("Rei"), answer("Asuka")),
                caption_place=CaptionPlace.FRONT,
            )  # fmt: skip
        assert picture.with_suffix(".txt").read_text() == after

    @pytest.mark.parametrize("target", [None, "texts"])
    def test_a_picture_with_a_dot_caption_gets_its_names_there(
        self, picture: Path, tmp_path: Path, target: str | None
    ) -> None:
        picture.with_suffix(".caption").write_text("1girl")
        write(
            "captions", record_of(picture, answer("Rei")),
            target=tmp_path / target if target else None,
        )  # fmt: skip
        place = tmp_path / target / "1.caption" if target else picture.with_suffix(".caption")
        assert place.read_text() == ("Rei" if target else "1girl, Rei")
        assert not place.with_suffix(".txt").exists()

    def test_a_folder_in_the_place_of_a_caption_costs_its_picture_alone(
        self, picture: Path
    ) -> None:
        picture.with_suffix(".txt").mkdir()
        with pytest.raises(NotWrittenError, match=r"1\.txt .*\.$"):
            write("captions", record_of(picture, answer("Rei")))

    def test_a_pipe_in_the_place_of_a_caption_is_not_waited_for(self, picture: Path) -> None:
        if sys.platform == "win32":
            pytest.skip("needs POSIX pipes")
        os.mkfifo(picture.with_suffix(".txt"))
        with pytest.raises(NotWrittenError, match="is no file"):
            write("captions", record_of(picture, answer("Rei")))

    @pytest.mark.parametrize("ending", [".PNG", ".JPG", ".Webp"])
    def test_stems_are_shared_whatever_the_case_of_suffixes(
        self, picture: Path, ending: str
    ) -> None:
        other = picture.with_suffix(ending)
        shutil.copy(picture, other)
        if other.samefile(picture):
            pytest.skip("case makes no difference on this file system")
        with pytest.raises(NotWrittenError, match=f"share its caption with 1\\{ending}"):
            write("captions", record_of(picture, answer("Rei")))

    def test_only_sure_names_are_written_unless_asked(self, picture: Path) -> None:
        doubtful = record_of(picture, answer("Rei", verdict=Verdict.UNSURE), unknown())
        write("captions", doubtful)
        assert not picture.with_suffix(".txt").exists()
        write("captions", doubtful, unsure=True)
        assert picture.with_suffix(".txt").read_text() == "Rei"

    def test_tags_can_be_as_image_boards_have_them(self, picture: Path) -> None:
        write(
            "captions", record_of(picture, answer("Ayanami Rei"), answer("Shinji (pilot)")),
            tags=TagStyle.BOORU, series="Neon Genesis", prefix="character:",
        )  # fmt: skip
        assert picture.with_suffix(".txt").read_text() == (
            "character:ayanami_rei_(neon_genesis), character:shinji_(pilot)"
        )

    @pytest.mark.parametrize("name", NAMES)
    def test_any_name_is_one_tag_on_one_line(self, picture: Path, name: str) -> None:
        write("captions", record_of(picture, answer("before"), answer(name), answer("after")))
        text = picture.with_suffix(".txt").read_bytes().decode("utf-8")
        (row,) = csv.reader(io.StringIO(text, newline=""), skipinitialspace=False, quoting=3)
        assert len(row) == 3
        assert name_of(row[1].strip()) == name.strip()

    @pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"\x93\xfa", b"a\0b"])
    def test_a_caption_that_is_no_text_stays_and_is_named(
        self, picture: Path, content: bytes
    ) -> None:
        picture.with_suffix(".txt").write_bytes(content)
        with pytest.raises(NotWrittenError, match=r"1\.txt is n.*\.$"):
            write("captions", record_of(picture, answer("Rei")))
        assert picture.with_suffix(".txt").read_bytes() == content

    def test_two_pictures_of_one_stem_are_told_apart(self, picture: Path) -> None:
        shutil.copy(picture, picture.with_suffix(".webp"))
        for name in ("captions", "xmp-stem"):
            with pytest.raises(NotWrittenError, match=r"share its \w+ with 1\.webp"):
                write(name, record_of(picture, answer("Rei")))
        write("hydrus", record_of(picture, answer("Rei")))

    def test_captions_below_a_folder_keep_the_pictures_folders(
        self, picture: Path, tmp_path: Path
    ) -> None:
        other = write_picture(tmp_path / "shots" / "ep 2" / "1.png")
        records = [record_of(one, answer("Rei")) for one in (picture, other)]
        write("captions", *records, target=tmp_path / "out")
        assert tree(tmp_path / "out") == ["1.txt", "ep 2/1.txt"]


class TestHydrus:
    @pytest.mark.parametrize("name", NAMES)
    def test_any_name_is_one_line_with_its_namespace(self, picture: Path, name: str) -> None:
        sidecar = picture.with_name("1.png.txt")
        sidecar.write_text("series:x\n", encoding="utf-8")
        for _ in range(2):
            write("hydrus", record_of(picture, answer(name), answer("after")))
        lines = sidecar.read_bytes().decode("utf-8").split("\n")
        assert lines[0] == "series:x"
        assert lines[2:] == ["character:after", ""]
        namespace, _, rest = lines[1].partition(":")
        assert namespace == "character"
        assert name_of(rest) == name.strip()


def exiv2_of(path: Path) -> dict[str, str]:
    """What Exiv2, which digiKam reads and writes metadata with, finds in a sidecar."""
    exiv2 = pytest.importorskip("exiv2")
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    return {datum.key(): datum.toString() for datum in image.xmpData()}


def names_by_exiv2(path: Path) -> list[str]:
    return [text for key, text in sorted(exiv2_of(path).items()) if key.endswith("mwg-rs:Name")]


def exiftool(path: Path, *words: str) -> dict[str, Any]:
    """What exiftool makes of a file: its face regions, or what the words ask for."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed; Debian has it in libimage-exiftool-perl")
    asked = words or ("-RegionInfo",)
    done = subprocess.run(
        ["exiftool", "-j", "-struct", *asked, path], capture_output=True, check=True
    )
    (said,) = json.loads(done.stdout)
    return dict(said if words else said["RegionInfo"])


DIGIKAM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <!-- a comment -->
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:odd="http://example.org/odd/"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" odd:thing="kept">
   <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="160" stDim:h="120" stDim:unit="pixel"/>
    <mwg-rs:RegionList><rdf:Bag>
     <rdf:li><rdf:Description mwg-rs:Name="By hand" mwg-rs:Type="Face">
      <mwg-rs:Area stArea:x="0.22" stArea:y="0.42" stArea:w="0.3" stArea:h="0.5"
        stArea:unit="normalized"/></rdf:Description></rdf:li>
     <rdf:li><rdf:Description mwg-rs:Name="tower" mwg-rs:Type="BarCode">
      <mwg-rs:Area stArea:x="0.9" stArea:y="0.9" stArea:w="0.1" stArea:h="0.1"
        stArea:unit="normalized"/></rdf:Description></rdf:li>
    </rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


class TestXmp:
    @pytest.mark.parametrize("name", NAMES)
    def test_any_name_is_read_by_others(self, picture: Path, name: str) -> None:
        sidecar = picture.with_name("1.png.xmp")
        write("xmp", record_of(picture, answer(name), unknown()))
        wanted = name.replace("\ufffe", "").replace("\r", "\n").strip()
        root = ElementTree.parse(sidecar).getroot()  # noqa: S314 - it is what we wrote
        found = [one.text for one in root.iter(f"{{{xmp.REGIONS}}}Name")]
        assert [str(one).replace("\r", "\n") for one in found] == [wanted]
        assert names_by_exiv2(sidecar)[0].replace("\r", "\n") == wanted

    def test_regions_say_where_and_of_what_size(self, picture: Path) -> None:
        write("xmp", record_of(picture, answer("Rei", Box(-16, 30, 48, 90)), unknown()))
        found = exiv2_of(picture.with_name("1.png.xmp"))
        base = "Xmp.mwg-rs.Regions/mwg-rs:"
        size = [found[f"{base}AppliedToDimensions/stDim:{side}"] for side in ("w", "h", "unit")]
        assert size == ["160", "120", "pixel"]
        first = f"{base}RegionList[1]/mwg-rs:"
        area = [float(found[f"{first}Area/stArea:{part}"]) for part in "xywh"]
        assert np.allclose(area, [24 / 160, 60 / 120, 48 / 160, 60 / 120], atol=1e-6)
        assert found[f"{first}Area/stArea:unit"] == "normalized"
        assert found[f"{first}Type"] == "Face"
        assert f"{base}RegionList[2]/mwg-rs:Type" in found
        assert f"{base}RegionList[2]/mwg-rs:Name" not in found

    def test_exiftool_reads_every_name_and_place(self, picture: Path) -> None:
        boxes = [Box(2.0 * row, row, 2.0 * row + 20, row + 30.0) for row in range(len(NAMES))]
        faces = [answer(name, box) for name, box in zip(NAMES, boxes, strict=True)]
        write("xmp", record_of(picture, *faces, unknown()))
        found = exiftool(picture.with_name("1.png.xmp"))
        assert found["AppliedToDimensions"] == {"W": 160, "H": 120, "Unit": "pixel"}
        *named, nobody = found["RegionList"]
        assert "Name" not in nobody
        assert {one["Type"] for one in found["RegionList"]} == {"Face"}
        wanted = [name.replace("\ufffe", "").replace("\r", "\n").strip() for name in NAMES]
        assert [str(one["Name"]).replace("\r", "\n") for one in named] == wanted
        for one, box in zip(named, boxes, strict=True):
            area = one["Area"]
            assert area["Unit"] == "normalized"
            place = [area[key] for key in "XYWH"]
            assert np.allclose(
                place,
                [(box.left + 10) / 160, (box.top + 15) / 120, 20 / 160, 30 / 120], atol=1e-6,
            )  # fmt: skip

    @pytest.mark.parametrize("name", ["xmp", "xmp-stem"])
    def test_exiftool_finds_nothing_amiss(self, picture: Path, name: str) -> None:
        sidecar = picture.with_name("1.png.xmp") if name == "xmp" else picture.with_suffix(".xmp")
        write(name, record_of(picture, answer("Rei"), unknown()))
        assert "Warning" not in exiftool(sidecar, "-validate", "-warning", "-error")

    @pytest.mark.parametrize("orientation", [3, 6, 8])
    def test_exiftool_finds_the_face_in_a_turned_picture(
        self, tmp_path: Path, orientation: int
    ) -> None:
        from PIL import Image as pillow
        from PIL import ImageOps

        path, exif = tmp_path / "turned.jpg", pillow.Exif()
        exif[0x0112] = orientation
        pillow.new("L", (160, 80)).save(path, exif=exif)
        width, height = (160, 80) if orientation == 3 else (80, 160)
        box = Box(8, 16, 40, 48)
        write("xmp", Record(path, width, height, "fake", (answer("Rei", box),)))
        found = exiftool(path.with_name("turned.jpg.xmp"))
        assert found["AppliedToDimensions"] == {"W": 160, "H": 80, "Unit": "pixel"}
        area = found["RegionList"][0]["Area"]
        # Where exiftool says the face is in the file, a mark is seen where the face is.
        left, top = (area["X"] - area["W"] / 2) * 160, (area["Y"] - area["H"] / 2) * 80
        marked = pillow.new("L", (160, 80))
        marked.paste(
            255,
            (round(left), round(top), round(left + area["W"] * 160), round(top + area["H"] * 80)),
        )
        marked.getexif()[0x0112] = orientation
        assert ImageOps.exif_transpose(marked).getbbox() == box

    def test_all_that_is_in_a_sidecar_stays(self, picture: Path) -> None:
        sidecar = picture.with_name("1.png.xmp")
        sidecar.write_text(DIGIKAM, encoding="utf-8")
        before = exiv2_of(sidecar)
        # One face is marked by hand already, and keeps its name.
        write("xmp", record_of(picture, answer("Rei"), answer("Asuka", Box(100, 20, 140, 60))))
        after = exiv2_of(sidecar)
        assert {key: after.get(key) for key in before} == before
        assert names_by_exiv2(sidecar) == ["By hand", "tower", "Asuka"]
        text = sidecar.read_text(encoding="utf-8")
        assert "<!-- a comment -->" in text
        assert text.startswith('<?xpacket begin="\ufeff"')
        assert 'odd:thing="kept"' in text
        assert text.rstrip().endswith('<?xpacket end="w"?>')

    def test_writing_again_changes_nothing(self, picture: Path) -> None:
        sidecar = picture.with_name("1.png.xmp")
        sidecar.write_text(DIGIKAM, encoding="utf-8")
        record = record_of(picture, answer("Rei"), unknown())
        write("xmp", record)
        content, state = sidecar.read_bytes(), sidecar.stat().st_mtime_ns
        write("xmp", record)
        assert sidecar.read_bytes() == content
        assert sidecar.stat().st_mtime_ns == state

    def test_later_answers_replace_our_own_and_nobody_elses(self, picture: Path) -> None:
        sidecar = picture.with_name("1.png.xmp")
        other = Box(100, 20, 140, 60)
        write("xmp", record_of(picture, answer("Rei"), answer(None, other, Verdict.UNKNOWN)))
        write("xmp", record_of(picture, answer("Asuka"), answer("Misato", other)))
        assert names_by_exiv2(sidecar) == ["Asuka", "Misato"]
        by_hand = sidecar.read_text(encoding="utf-8").replace(
            "<mwg-rs:Name>Misato</mwg-rs:Name>", "<mwg-rs:Name>Ritsuko</mwg-rs:Name>"
        )
        sidecar.write_text(by_hand, encoding="utf-8")
        write("xmp", record_of(picture, answer("Rei"), answer("Rei", other)))
        assert names_by_exiv2(sidecar) == ["Rei", "Ritsuko"]
        # What gallery no longer sees goes, what somebody named stays.
        write("xmp", record_of(picture))
        assert names_by_exiv2(sidecar) == ["Ritsuko"]

    def test_a_face_from_brow_to_chin_is_the_head_around_it(self) -> None:
        head, face = Area(0.5, 0.5, 0.31, 0.31), Area(0.5, 0.54, 0.2, 0.2)
        shared = overlaps([head, Area(0.5, 0.5, 1, 1)], [face, Area(0.8, 0.5, 0.31, 0.31)])
        assert shared[0, 0] == pytest.approx(0.04 / 0.0961)
        assert shared[0, 1] == shared[1, 0] == 0
        assert pairs([face, Area(0.1, 0.1, 0.1, 0.1)], [Area(0.1, 0.12, 0.1, 0.1), head]) == {
            0: 1,
            1: 0,
        }

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"Dear diary", "something other than XMP"),
            (b"<html/>", "something other than XMP"),
            (DIGIKAM.encode()[:700], "something other than XMP"),
            (DIGIKAM.replace('stDim:h="120"', 'stDim:h="300"').encode(), "picture of 160 x 300"),
            (
                b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
                + DIGIKAM.partition("\n")[2].encode(),
                "words of its own",
            ),
        ],
    )
    def test_what_cannot_be_merged_stays_and_is_named(
        self, picture: Path, content: bytes, why: str
    ) -> None:
        sidecar = picture.with_name("1.png.xmp")
        sidecar.write_bytes(content)
        with pytest.raises(NotWrittenError, match=why):
            write("xmp", record_of(picture, answer("Rei")))
        assert sidecar.read_bytes() == content

    def test_an_entity_never_opens_a_file(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("secret")
        packet = f'<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}">]>' + DIGIKAM.partition("\n")[
            2
        ].replace("By hand", "&a;")
        with pytest.raises(InputError):
            xmp.read(packet.encode(), Shape(160, 120))

    def test_lightroom_names_sidecars_by_the_stem(self, picture: Path) -> None:
        write("xmp-stem", record_of(picture, answer("Rei")))
        sidecar = picture.with_suffix(".xmp")
        assert exiv2_of(sidecar)["Xmp.photoshop.SidecarForExtension"] == "png"
        assert names_by_exiv2(sidecar) == ["Rei"]
        picture.rename(picture.with_suffix(".webp"))
        with pytest.raises(NotWrittenError, match=r"belongs to the picture that ends in \.png"):
            write("xmp-stem", record_of(picture.with_suffix(".webp"), answer("Rei")))

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_turned_pictures_keep_their_faces(self, orientation: int) -> None:
        from PIL import Image as pillow
        from PIL import ImageOps

        pixels = np.zeros((80, 160), np.uint8)
        pixels[8:24, 32:80] = 255
        exif = pillow.Exif()
        exif[0x0112] = orientation
        file = io.BytesIO()
        pillow.fromarray(pixels).save(file, "PNG", exif=exif)
        upright = np.asarray(ImageOps.exif_transpose(pillow.open(file)))
        rows, columns = np.nonzero(upright > 128)
        height, width = upright.shape
        seen = (columns.min() / width, rows.min() / height, np.ptp(columns) + 1, np.ptp(rows) + 1)
        area = Area(56 / 160, 16 / 80, 48 / 160, 16 / 80)
        turned = shown(area, orientation)
        assert np.allclose(
            (turned.x - turned.width / 2, turned.y - turned.height / 2,
             turned.width * width, turned.height * height), seen,
        )  # fmt: skip
        assert np.allclose(stored(turned, orientation), area)

    @pytest.mark.parametrize("counted", ["stored", "shown"])
    def test_regions_counted_in_either_way_are_found(self, counted: str) -> None:
        shape = Shape(160, 80, 6)
        face = Region(Area(0.25, 0.125, 0.2, 0.1), "Rei")
        packet = xmp.merged(None, [face], shape, "")
        if counted == "shown":
            packet = xmp.merged(None, [face], Shape(80, 160), "")
        (found,) = xmp.read(packet, shape)
        assert np.allclose(found.area, face.area, atol=1e-5)

    @given(name=st.text(min_size=1, max_size=20))
    def test_every_text_comes_back_or_loses_what_xml_has_no_letters_for(self, name: str) -> None:
        packet = xmp.merged(None, [Region(Area(0.5, 0.5, 0.2, 0.2), name)], Shape(9, 9), "")
        (found,) = xmp.read(packet, Shape(9, 9))
        kept = xmp.NO_XML.sub("", name).strip()
        assert (found.name or "") == kept


class TestSortedFolders:
    def test_a_picture_goes_to_everybody_it_shows(self, picture: Path, tmp_path: Path) -> None:
        empty = write_picture(tmp_path / "shots" / "2.png", seed=1)
        records = [
            record_of(
                picture, answer("Rei"), answer("Asuka"), unknown(),
                answer("Misato", verdict=Verdict.UNSURE),
            ),
            record_of(empty),
            Record(tmp_path / "bad.png", None, None, "fake", error="bad"),
        ]  # fmt: skip
        for _ in range(2):
            write("sorted", *records, target=tmp_path / "out")
            assert tree(tmp_path / "out") == [
                "Asuka/1.png", "Rei/1.png", "no face/2.png", "unknown/1.png", "unsure/1.png",
            ]  # fmt: skip
        assert (tmp_path / "out" / "Rei" / "1.png").read_bytes() == picture.read_bytes()

    @pytest.mark.parametrize("placing", Placing)
    def test_pictures_of_one_name_never_replace_each_other(
        self, tmp_path: Path, placing: Placing
    ) -> None:
        paths = [
            write_picture(tmp_path / "shots" / folder / "1.png", seed=row)
            for row, folder in enumerate("abc")
        ]
        out = tmp_path / "out"
        (out / "Rei").mkdir(parents=True)
        (out / "Rei" / "1.png").write_text("mine")
        records = [record_of(path, answer("Rei")) for path in paths]
        for _ in range(2):
            write("sorted", *records, target=out, placing=placing)
        found = sorted((out / "Rei").iterdir())
        assert len(found) == 4
        assert (out / "Rei" / "1.png").read_text() == "mine"
        there = {path.read_bytes() for path in found}
        assert there == {b"mine", *(path.read_bytes() for path in paths)}
        links = [path for path in found if path.name != "1.png"]
        if placing is Placing.SYMLINK:
            assert {path.readlink() for path in links} == set(paths)
        if placing is Placing.HARDLINK:
            assert {path.stat().st_ino for path in links} == {path.stat().st_ino for path in paths}
        # The same run from nothing comes to the same names.
        shutil.rmtree(out)
        (out / "Rei").mkdir(parents=True)
        (out / "Rei" / "1.png").write_text("mine")
        write("sorted", *records, target=out, placing=placing)
        assert sorted((out / "Rei").iterdir()) == found

    def test_any_name_is_a_folder_of_its_own_everywhere(
        self, picture: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        write("sorted", record_of(picture, *(answer(name) for name in NAMES)), target=out)
        assert tree(tmp_path) == sorted(
            ["shots/1.png", *(f"out/{path.name}/1.png" for path in out.iterdir())]
        )
        folders = [path.name for path in out.iterdir()]
        assert len(folders) == len(NAMES)
        for name in folders:
            assert not PureWindowsPath(name).is_reserved()
            assert not set(name) & set('<>:"/\\|?*\n\r')
            assert name == name.strip()
            assert not name.startswith(".")
            assert not name.endswith(".")
            assert len(os.fsencode(name)) <= 255
            assert name.isprintable()
        assert {"Rei", "綾波 レイ", "emoji 😀"} <= set(folders)

    @given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
    @example("C.C.")
    @example("Fate/stay night: Rin?")
    @example("100%25 CON")
    @example(".hack")
    @example("con")
    @example("Rin~0123abcd")
    @example("0\ufa2a")
    def test_a_folder_says_whose_it_is(self, name: str) -> None:
        plain = folder_name(name)
        assume(len(os.fsencode(plain)) <= 200)
        other = folder_name(name, frozenset((plain.casefold(),)))
        for folder in (plain, other):
            assert mark_in(folder) is None
            read = unicodedata.normalize("NFC", character_name(folder))
            assert read == unicodedata.normalize("NFC", name)
        # A name of nothing but escapes has no twin in another case.
        assert plain.casefold() != other.casefold() or plain.count("%") * 3 == len(plain)

    @pytest.mark.parametrize("name", ["a%20b", "50%", "Rin %2f", "~%7E"])
    def test_a_persons_own_folder_keeps_its_name(self, name: str) -> None:
        assert character_name(name) == name

    def test_folders_of_a_former_version_go_on_meaning_their_character(
        self, picture: Path, tmp_path: Path
    ) -> None:
        former = f"C.C~{mark('C.C.')}"
        (tmp_path / "out" / former).mkdir(parents=True)
        write("sorted", record_of(picture, answer("C.C.")), target=tmp_path / "out")
        assert tree(tmp_path / "out") == [f"{former}/1.png"]

    @given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
    def test_two_names_never_share_a_folder(self, one: str, other: str) -> None:
        first, second = folder_name(one), folder_name(other)
        assert (first == second) == (one == other)
        assert not PureWindowsPath(first).is_reserved()
        assert Path("x", first).parent == Path("x")
        assert first not in {"", ".", ".."}

    def test_names_that_differ_by_case_alone_are_told_apart(
        self, picture: Path, tmp_path: Path
    ) -> None:
        for _ in range(2):
            write("sorted", record_of(picture, answer("Rei"), answer("REI")), target=tmp_path / "o")
        folders = sorted(path.name for path in (tmp_path / "o").iterdir())
        assert len({name.casefold() for name in folders}) == 2
        assert "Rei" in folders

    def test_a_character_called_as_a_folder_of_nobody_keeps_a_folder_of_its_own(
        self, picture: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        stranger = record_of(picture, unknown())
        for _ in range(2):
            write("sorted", stranger, record_of(picture, answer("unknown")), target=out)
        assert tree(out) == ["%75nknown/1.png", "unknown/1.png"]
        assert character_name("%75nknown") == "unknown"

    @pytest.mark.parametrize("name", ["@eaDir", "lost+found", "__MACOSX", "Rei.lrdata"])
    def test_a_character_called_as_a_system_folder_is_found_again(
        self, picture: Path, tmp_path: Path, name: str
    ) -> None:
        out = tmp_path / "out"
        for _ in range(2):
            write("sorted", record_of(picture, answer(name)), target=out)
        (found,) = files_below(out)
        assert isinstance(found, Path)
        assert character_name(found.parent.name) == name

    def test_a_link_never_leads_out_of_the_folder(self, picture: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "Rei").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="leads elsewhere"):
            write("sorted", record_of(picture, answer("Rei")), target=tmp_path / "out")
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_picture_that_is_gone_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(NotWrittenError, match="is there no more"):
            write("sorted", record_of(tmp_path / "x.png", answer("Rei")), target=tmp_path / "out")


class TestDocuments:
    def test_coco_is_read_by_pycocotools(
        self, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        coco = pytest.importorskip("pycocotools.coco")
        other = write_picture(tmp_path / "shots" / "ep" / "綾\n波.png")
        records = [
            record_of(picture, *(answer(name, Box(-4, 20, 40, 200)) for name in NAMES), unknown()),
            record_of(other, answer("Rei", verdict=Verdict.UNSURE)),
            Record(tmp_path / "bad.png", None, None, "fake", error="bad"),
        ]
        write("coco", *records[:2], records[2], target=tmp_path / "faces.json")
        found = coco.COCO(str(tmp_path / "faces.json"))
        images = found.loadImgs(found.getImgIds())
        assert {one["file_name"] for one in images} == {"shots/1.png", "shots/ep/綾\n波.png"}
        categories = {one["name"]: one["id"] for one in found.loadCats(found.getCatIds())}
        assert set(categories) == {*NAMES, "unknown", "unsure"}
        (rei,) = found.loadAnns(found.getAnnIds(catIds=[categories["Rei"]]))
        assert rei["bbox"] == [0, 20, 40, 100]
        assert rei["area"] == 4000
        with warnings.catch_warnings():
            # Of pycocotools, which calls NumPy as its first version wanted.
            warnings.simplefilter("ignore", DeprecationWarning)
            assert found.annToMask(rei).sum() == 4000
        assert len(found.getAnnIds()) == len(NAMES) + 2

    def test_label_studio_gets_what_it_wants(self, picture: Path, tmp_path: Path) -> None:
        odd = write_picture(tmp_path / "shots" / "a b&c?%.png")
        records = [
            record_of(picture, *(answer(name) for name in NAMES), unknown()),
            record_of(odd, answer("Rei", Box(-10, -10, 300, 300))),
        ]
        write("label-studio", *records, target=tmp_path / "tasks.json")
        tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
        places = [unquote(task["data"]["image"].partition("?d=")[2]) for task in tasks]
        assert places == ["1.png", "a b&c?%.png"]
        assert "&" not in tasks[1]["data"]["image"]
        labels = []
        for task in tasks:
            (prediction,) = task["predictions"]
            assert prediction["model_version"] == "gallery fake"
            assert len({one["id"] for one in prediction["result"]}) == len(prediction["result"])
            for one in prediction["result"]:
                assert one["type"] == "rectanglelabels"
                assert (one["original_width"], one["original_height"]) == (160, 120)
                value = one["value"]
                assert 0 <= value["x"] <= value["x"] + value["width"] <= 100
                assert 0 <= value["y"] <= value["y"] + value["height"] <= 100
                assert 0 <= one["score"] <= 1
                labels += value["rectanglelabels"]
        assert labels == [*NAMES, "unknown", "Rei"]

    def test_the_html_page_shows_names_as_text(self, picture: Path, tmp_path: Path) -> None:
        shots = [record_of(picture, *(answer(name) for name in NAMES), unknown())] * 15
        write("html", *shots, target=tmp_path / "sheet.html")
        page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
        seen = Page()
        seen.feed(page)
        assert "script" not in seen.tags
        assert "b" not in seen.tags
        assert "<b>&amp;</b>" in seen.text
        assert seen.tags.count("img") == 15 * (len(NAMES) + 1)
        assert "15 faces." in seen.text

    def test_the_html_page_has_a_command_under_each_face_and_opens_its_picture(
        self, picture: Path, tmp_path: Path
    ) -> None:
        record = record_of(
            picture, answer("Rei"), answer("Nico Robin", verdict=Verdict.UNSURE), unknown(LEFT)
        )
        write("html", record, target=tmp_path / "sheet.html")
        page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
        box = ",".join(map(str, LEFT.within(160, 120)))
        seen = Page()
        seen.feed(page)
        for command, name in (("reject", "Rei"), ("name", "Nico Robin"), ("name", "NAME")):
            words = ("gallery", command, str(picture), name, "--box", box)
            assert shlex.join(words) in seen.text
        assert page.count(f'<a href="{picture.as_uri()}">') == 3
        assert "Nico Robin? 1 face." in seen.text

    def test_a_full_html_page_shows_less_of_those_with_the_most_faces(
        self, picture: Path, tmp_path: Path
    ) -> None:
        shots = [record_of(picture, *([answer("Rei")] * 4)) for _ in range(MOST // 4 + 10)]
        shots += [record_of(picture, answer("Asuka", verdict=Verdict.UNSURE))] * 3
        write("html", *shots, target=tmp_path / "sheet.html")
        seen = Page()
        seen.feed((tmp_path / "sheet.html").read_text(encoding="utf-8"))
        assert seen.tags.count("img") == MOST
        assert "Asuka? 3 faces." in seen.text
        assert f"{MOST - 3} of {MOST + 40} faces." in seen.text

    @pytest.mark.parametrize(
        ("name", "file"), [("coco", "x.json"), ("label-studio", "x.json"), ("html", "x.html")]
    )
    def test_a_file_of_somebody_elses_stays(
        self, picture: Path, tmp_path: Path, name: str, file: str
    ) -> None:
        (tmp_path / file).write_text('{"mine": 1}')
        with pytest.raises(InputError, match="something else than gallery wrote"):
            opened(name, tmp_path / file)
        assert (tmp_path / file).read_text() == '{"mine": 1}'
        (tmp_path / file).unlink()
        record = record_of(picture, answer("Rei"))
        write(name, record, target=tmp_path / file)
        content = (tmp_path / file).read_bytes()
        write(name, record, target=tmp_path / file)
        assert (tmp_path / file).read_bytes() == content
        with pytest.raises(InputError, match="does not end in"):
            opened(name, tmp_path / "x.doc")

    def test_two_jobs_on_one_document_are_told(self, picture: Path, tmp_path: Path) -> None:
        first = opened("coco", tmp_path / "x.json")
        write("coco", record_of(picture, answer("Rei")), target=tmp_path / "x.json")
        content = (tmp_path / "x.json").read_bytes()
        with pytest.raises(InputError, match="written by another process meanwhile"):
            first.close()
        assert (tmp_path / "x.json").read_bytes() == content


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


class TestAnnotated:
    def test_pictures_with_faces_are_drawn_and_none_replaced(
        self, picture: Path, tmp_path: Path
    ) -> None:
        from PIL import Image as pillow

        empty = write_picture(tmp_path / "shots" / "2.png")
        content = picture.read_bytes()
        names = (answer(name) for name in NAMES)
        write("annotated", record_of(picture, *names), record_of(empty), target=picture.parent)
        assert tree(tmp_path / "shots") == ["1.annotated.png", "1.png", "2.png"]
        assert picture.read_bytes() == content
        with pillow.open(picture.with_name("1.annotated.png")) as drawn:
            assert drawn.size == (160, 120)

    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".gif"])
    def test_each_name_is_drawn_at_its_face(self, tmp_path: Path, suffix: str) -> None:
        from PIL import Image as pillow

        path = tmp_path / f"1{suffix}"
        pillow.new("RGB", (160, 120)).save(path)
        write("annotated", record_of(path, answer("Rei")), target=tmp_path / "out")
        (drawn,) = (tmp_path / "out").iterdir()
        assert drawn.suffix == (suffix if suffix in (".png", ".jpg", ".webp") else ".png")
        with pillow.open(drawn) as seen:
            green = np.asarray(seen.convert("RGB")).astype(int)[:, :, 1] > 100
        # The box's edge, and the name above it.
        assert green[20:80, 10].all()
        assert green[:20, 10:40].any()
        assert not green[30:75, 20:55].any()


def together(text: str) -> str:
    """A text without white space, which some formats cannot hold."""
    return "".join(text.split())


def kohya(caption: Path) -> list[str]:
    """The tags that kohya's sd-scripts train with: the first line's, parted by commas."""
    with caption.open(encoding="utf-8") as file:
        return [tag.strip() for tag in file.readlines()[0].strip().split(",")]


def hydrus(sidecar: Path) -> list[str]:
    """The tags that Hydrus imports: lines in lower case, without dashes before their parts."""
    lines = [line.strip() for line in sidecar.read_text(encoding="utf-8").splitlines()]
    parts = [line.lower().split(":", 1) for line in lines if line]
    return [":".join(hydrus_part(part) for part in both) for both in parts]


def hydrus_part(text: str) -> str:
    return re.sub(r"^(\s|-|system:)+", "", " ".join(text.split()))


def expat(sidecar: Path) -> list[str]:
    """The names in a sidecar as another XML parser than the one that wrote it finds them."""
    root = ElementTree.parse(sidecar).getroot()  # noqa: S314 - it is what we wrote
    return [str(one.text) for one in root.iter(f"{{{xmp.REGIONS}}}Name")]


def coco(file: Path) -> Any:
    """A file as the tools of COCO's makers read it."""
    return pytest.importorskip("pycocotools.coco").COCO(str(file))


def coco_names(file: Path) -> list[str]:
    found = coco(file)
    faces = found.loadAnns(found.getAnnIds())
    return [found.loadCats([one["category_id"]])[0]["name"] for one in faces]


def tasks(file: Path) -> list[dict[str, Any]]:
    return list(json.loads(file.read_text(encoding="utf-8")))


def task_names(file: Path) -> list[str]:
    return [
        region["value"]["rectanglelabels"][0]
        for task in tasks(file)
        for region in task["predictions"][0]["result"]
    ]


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as table:
        return list(csv.DictReader(table))


def unquoted(text: str) -> str:
    """A text as a spreadsheet shows it that must not be taken for a formula."""
    return re.sub(r"^'(?='*[=+@-])", "", text)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def captions(page: Path) -> list[tuple[str, str]]:
    """Who and which picture stands under the faces of a page, each of which is a picture."""
    import base64

    from lxml import html
    from PIL import Image as pillow

    found = []
    for figure in html.document_fromstring(page.read_bytes()).iter("figure"):
        head, _, content = next(figure.iter("img")).get("src").partition(",")
        assert head == "data:image/jpeg;base64"
        with pillow.open(io.BytesIO(base64.b64decode(content, validate=True))) as face:
            face.load()
            assert (face.format, face.size) == ("JPEG", (150, 150))
        who, _, picture = figure.find("figcaption").text_content().partition("\n")
        found.append((who.rpartition(" ")[0], picture))
    return found


Names = Callable[[Path], list[str]]

NAMES_BACK: dict[str, tuple[str, Names]] = {
    "captions": ("shots/1.txt", kohya),
    "hydrus": ("shots/1.png.txt", hydrus),
    "xmp": ("shots/1.png.xmp", expat),
    "xmp-stem": ("shots/1.xmp", expat),
    "coco": ("x.json", coco_names),
    "label-studio": ("x.json", task_names),
    "html": ("x.html", lambda file: [who for who, _ in captions(file)]),
    "csv": ("x.csv", lambda file: [unquoted(row["character"]) for row in rows(file)]),
    "jsonl": (
        "x.jsonl",
        lambda file: [one["character"] for line in lines(file) for one in line["faces"]],
    ),
}
"""The file that a format writes for `shots/1.png`, and the names that others find in it."""

SPELT: dict[str, Callable[[str], str]] = {
    "captions": lambda name: together(tag_of(name, ",")),
    "hydrus": lambda name: together(f"character:{hydrus_part(tag_of(name).lower())}"),
    "xmp": lambda name: together(name.replace("\ufffe", "")),
    "xmp-stem": lambda name: together(name.replace("\ufffe", "")),
    "html": together,
}
"""How a name comes back from formats that do not hold every letter; others give all of it back."""


@pytest.mark.parametrize("name", NAMES_BACK)
def test_every_name_comes_back(picture: Path, tmp_path: Path, name: str) -> None:
    place, names_of = NAMES_BACK[name]
    target = tmp_path / place if not place.startswith("shots") else None
    write(name, record_of(picture, *(answer(one) for one in NAMES)), target=target)
    found = names_of(tmp_path / place)
    if name not in SPELT:
        assert found == NAMES
    else:
        assert sorted(map(together, found)) == sorted(SPELT[name](one) for one in NAMES)


ODD_FILES = [
    "-dash.png",
    "--out=x.png",
    "a 'b' \"c\".png",
    "emoji 😀.png",
    "new\nline.png",
    "a.b..c.png",
    "مرحبا.png",
    "#%?&;+<b>.png",
    " leads.png",
    "C:\\x.png",
    f"{'y' * 236}.png",
    *([os.fsdecode(b"no text \xff.png")] if sys.platform == "linux" else []),
]

Files = Callable[[Path], list[str]]


def behind(folder: str, ending: str) -> Files:
    """Gives the names of files in a folder that end so, without the ending."""
    return lambda base: [
        one.name.removesuffix(ending)
        for one in (base / folder).iterdir()
        if one.name.endswith(ending)
    ]


FILES_BACK: dict[str, tuple[str | None, Files]] = {
    "captions": ("texts", lambda base: [f"{one}.png" for one in behind("texts", ".txt")(base)]),
    "hydrus": ("texts", behind("texts", ".txt")),
    "xmp": ("texts", behind("texts", ".xmp")),
    "xmp-stem": ("texts", lambda base: [f"{one}.png" for one in behind("texts", ".xmp")(base)]),
    "sorted": ("sorted", behind("sorted/Rei", "")),
    "annotated": (
        "drawn",
        lambda base: [f"{one}.png" for one in behind("drawn", ".annotated.png")(base)],
    ),
    "coco": (
        "x.json",
        lambda base: [
            path_of(one["file_name"]).name for one in coco(base / "x.json").imgs.values()
        ],
    ),
    "label-studio": (
        "x.json",
        lambda base: [
            unquote(
                one["data"]["image"].partition("?d=")[2], errors="surrogateescape"
            ).removeprefix(f"{base}/shots/")
            for one in tasks(base / "x.json")
        ],
    ),
    "csv": ("x.csv", lambda base: [path_of(row["path"]).name for row in rows(base / "x.csv")]),
    "jsonl": (
        "x.jsonl",
        lambda base: [path_of(one["path"]).name for one in lines(base / "x.jsonl")],
    ),
}
"""Where a format writes, and which pictures others see in it."""


@pytest.mark.parametrize("name", FILES_BACK)
def test_every_name_of_a_picture_comes_back(tmp_path: Path, name: str) -> None:
    if os.name == "nt":
        pytest.skip("Windows takes hardly any of these names")
    target, files_of = FILES_BACK[name]
    paths = [write_picture(tmp_path / "shots" / one, seed=row) for row, one in enumerate(ODD_FILES)]
    write(
        name, *(record_of(path, answer("Rei")) for path in paths),
        target=tmp_path / target if target else None,
    )  # fmt: skip
    assert sorted(files_of(tmp_path)) == sorted(ODD_FILES)
    if target is not None and (tmp_path / target).is_file():
        json.dumps((tmp_path / target).read_text(encoding="utf-8"), ensure_ascii=False).encode()


def test_a_page_names_any_picture(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / "shots" / one, seed=row) for row, one in enumerate(ODD_FILES)]
    records = [record_of(path, answer(str(row))) for row, path in enumerate(paths)]
    write("html", *records, target=tmp_path / "x.html")
    seen = {int(who): picture for who, picture in captions(tmp_path / "x.html")}
    wanted = dict(enumerate(one.encode("utf-8", "backslashreplace").decode() for one in ODD_FILES))
    assert seen == wanted


LABELS = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image"><Label value="Rei"/><Label value="unsure"/>
<Label value="unknown"/></RectangleLabels></View>"""


def test_label_studio_takes_its_tasks(picture: Path, tmp_path: Path) -> None:
    # It brings a great many packages along, so that it is no dependency of the tests; where it is
    # installed all the same, it has the last word.
    sdk = pytest.importorskip("label_studio_sdk.label_interface")
    faces = (answer("Rei"), answer("Asuka", verdict=Verdict.UNSURE), unknown())
    write("label-studio", record_of(picture, *faces), target=tmp_path / "tasks.json")
    interface = sdk.LabelInterface(LABELS)
    for task in tasks(tmp_path / "tasks.json"):
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction, return_errors=True) == []


def job(tmp_path: Path, pictures: list[Path], *wanted: str) -> Outputs:
    return open_outputs(
        open_writer(tmp_path / "out.jsonl", "fake"),
        [registry.output_spec(one) for one in wanted],
        paths=pictures, encoder="fake", options=OutputOptions(),
    )  # fmt: skip


class TestSeveralAtOnce:
    def test_a_picture_is_done_when_all_have_written_it(
        self, picture: Path, tmp_path: Path
    ) -> None:
        other = write_picture(tmp_path / "shots" / "2.png", seed=1)
        picture.with_suffix(".txt").write_bytes(b"\xff")
        outputs = job(tmp_path, [picture, other], "captions", f"coco:{tmp_path / 'c.json'}")
        for path in (picture, other):
            outputs.write(record_of(path, answer("Rei")))
        (why,) = outputs.not_written
        assert "1.txt is not in UTF-8" in why
        outputs.close()
        picture.with_suffix(".txt").unlink()
        outputs = job(tmp_path, [picture, other], "captions", f"coco:{tmp_path / 'c.json'}")
        assert remaining([picture, other], outputs) == [picture]
        outputs.write(record_of(picture, answer("Rei")))
        outputs.close()
        document = json.loads((tmp_path / "c.json").read_text())
        assert len(document["images"]) == 2
        assert picture.with_suffix(".txt").read_text() == "Rei"

    @pytest.mark.parametrize("suffix", ["jsonl", "csv"])
    def test_a_document_holds_what_earlier_runs_did(self, tmp_path: Path, suffix: str) -> None:
        paths = [write_picture(tmp_path / f"{row}.png", seed=row) for row in range(4)]
        records = [
            record_of(paths[0], answer("Rei, \n1", Box(-3.2, 4.6, 50.2, 60.1)), unknown()),
            record_of(paths[1]),
            Record(paths[2], None, None, "fake", error=f"{paths[2]} is bad."),
            record_of(paths[3], answer("Asuka", verdict=Verdict.UNSURE)),
        ]

        def run(out: str, some: list[Record]) -> None:
            outputs = open_outputs(
                open_writer(tmp_path / f"{out}.{suffix}", "fake"),
                [
                    registry.output_spec(f"coco:{tmp_path / out}-coco.json"),
                    registry.output_spec(f"label-studio:{tmp_path / out}-tasks.json"),
                ],
                paths=[tmp_path], encoder="fake", options=OutputOptions(),
            )  # fmt: skip
            for one in some:
                outputs.write(one)
            outputs.close()

        run("whole", records)
        run("parts", records[:2])
        run("parts", records[2:])
        run("parts", [])
        for kind in ("coco", "tasks"):
            parts, whole = (tmp_path / f"{out}-{kind}.json" for out in ("parts", "whole"))
            assert parts.read_bytes() == whole.read_bytes()

    def test_a_second_file_of_records_is_gone_on_with(self, picture: Path, tmp_path: Path) -> None:
        record = record_of(picture, answer("Rei"))
        for _ in range(2):
            outputs = job(tmp_path, [picture], f"csv:{tmp_path / 'out.csv'}")
            outputs.write(record)
            outputs.close()
        with (tmp_path / "out.csv").open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert [row["character"] for row in rows] == ["Rei"]

    def test_rewriting_needs_no_pictures_decoded(self, picture: Path, tmp_path: Path) -> None:
        outputs = job(tmp_path, [picture])
        outputs.write(record_of(picture, answer("Rei")))
        outputs.close()
        again = open_outputs(
            open_writer(tmp_path / "out.jsonl", "fake"), [registry.output_spec("captions")],
            paths=[picture], encoder="fake", options=OutputOptions(), rewrite=True,
        )  # fmt: skip
        again.close()
        assert picture.with_suffix(".txt").read_text() == "Rei"


KILLED = """
import sys
from pathlib import Path
from gallery.output import registry
from gallery.output.resume import open_writer, remaining
from gallery.output.format import OutputOptions
from gallery.output.outputs import open_outputs
from test_outputs import EVERY_FORMAT, made_up

base = Path(sys.argv[1])
pictures = sorted((base / "shots").rglob("*.png"))
wanted = [registry.output_spec(one.format(base=base)) for one in EVERY_FORMAT]
outputs = open_outputs(
    open_writer(base / "out.jsonl", "fake"), wanted,
    paths=[base], encoder="fake", options=OutputOptions(),
)
for path in remaining(pictures, outputs):
    outputs.write(made_up(path))
    print(path.name, flush=True)
outputs.close()
"""

EVERY_FORMAT = (
    "captions", "hydrus", "xmp", "xmp-stem", "sorted:{base}/sorted", "annotated:{base}/drawn",
    "coco:{base}/coco.json", "label-studio:{base}/tasks.json", "html:{base}/sheet.html",
    "csv:{base}/out.csv",
)  # fmt: skip


def made_up(path: Path) -> Record:
    """What a job of the kill test says of a picture: its name says it."""
    row = int(path.stem)
    faces = [answer(f"c{row % 3}"), unknown(), answer("d", RIGHT, Verdict.UNSURE)]
    return record_of(path, *faces[: row % 4])


def start_job(base: Path) -> subprocess.Popen[str]:
    tests = Path(__file__).parents[1]
    folders = (tests, tests.parent, Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(base)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
    )  # fmt: skip


@pytest.mark.slow
def test_a_job_that_is_killed_comes_to_the_same_end(tmp_path: Path) -> None:
    count = 12
    for base in ("whole", "killed"):
        for row in range(count):
            write_picture(tmp_path / base / "shots" / str(row % 2) / f"{row}.png", seed=row)
    with start_job(tmp_path / "whole") as process:
        assert process.wait() == 0
    for lines in (1, 4, 4):
        with start_job(tmp_path / "killed") as process:
            assert process.stdout is not None
            for _ in range(lines):
                assert process.stdout.readline()
            process.kill()
    with start_job(tmp_path / "killed") as process:
        assert process.wait() == 0
    ends = [
        {
            name: (tmp_path / base / name).read_bytes().replace(str(tmp_path / base).encode(), b"")
            for name in tree(tmp_path / base)
            # What was being written when the process was killed is hidden, and of nobody's.
            if not Path(name).name.startswith(".")
        }
        for base in ("whole", "killed")
    ]
    assert len(ends[0]) > 5 * count
    assert ends[0] == ends[1]


@pytest.fixture
def limited() -> Iterator[Callable[[int], None]]:
    """Limits the size of files as a full disk would, until the test ends."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


TARGETS = {
    "captions": None, "hydrus": None, "xmp": None, "sorted": "out", "annotated": "out",
    "coco": "x.json", "label-studio": "x.json", "html": "x.html",
}  # fmt: skip

PLACES = {**TARGETS, "jsonl": "x.jsonl", "csv": "x.csv"}


@pytest.mark.parametrize("name", TARGETS)
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half(
    picture: Path, tmp_path: Path, limited: Callable[[int], None], name: str
) -> None:
    target = TARGETS[name]
    limited(3)
    with pytest.raises(InputError, match=r"cannot be written: .*\.$") as caught:
        write(
            name, record_of(picture, answer("Reimi")), target=tmp_path / target if target else None
        )
    limited(10**9)
    assert not isinstance(caught.value, NotWrittenError)
    assert "\n" not in str(caught.value)
    assert tree(tmp_path) == ["shots/1.png"]


@pytest.mark.parametrize("name", ["jsonl", "csv"])
def test_a_full_disk_leaves_whole_records(
    tmp_path: Path, limited: Callable[[int], None], name: str
) -> None:
    paths = [write_picture(tmp_path / "shots" / f"{row}.png", seed=row) for row in range(2)]
    first, second = (record_of(path, answer("Reimi"), unknown()) for path in paths)
    file = tmp_path / f"x.{name}"
    writer = opened(name, file)
    writer.write(first)
    content = file.read_bytes()
    limited(len(content) + 20)
    with pytest.raises(InputError, match=r"cannot be written: .*\.$"):
        writer.write(second)
    limited(10**9)
    writer.close()
    assert file.read_bytes() == content
    write(name, first, second, target=file)
    found = rows(file) if name == "csv" else lines(file)
    assert [Path(one["path"]).name for one in found] == (
        ["0.png", "0.png", "1.png", "1.png"] if name == "csv" else ["0.png", "1.png"]
    )


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk without room for a byte more, until the test ends."""
    folder = tmp_path / "full"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(mounting, capture_output=True, check=False).returncode
    ):
        pytest.skip("only an administrator of Linux can make a small disk")
    try:
        with (folder / "filling").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 1024)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("name", PLACES)
def test_a_disk_that_is_full_is_one_sentence(picture: Path, full: Path, name: str) -> None:
    target = PLACES[name] or "texts"
    with pytest.raises(InputError, match=r"cannot be written: No space.*\.$") as caught:
        write(name, record_of(picture, answer("Rei")), target=full / target)
    assert not isinstance(caught.value, NotWrittenError)
    assert "\n" not in str(caught.value)
    left = [full / one for one in tree(full) if one != "filling"]
    assert sum(one.stat().st_size for one in left) == 0
    assert all(one.suffix in (".jsonl", ".csv") for one in left)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder with a picture in it that takes no file, until the test ends."""
    if os.name == "nt":
        pytest.skip("a folder on Windows takes files whatever its mode")
    nobody, root = 65534, os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_picture(folder / "1.png", Square(10, 20, 50))
        folder.chmod(0o555)
        try:
            if root == 0:
                # Root heeds no permissions.
                os.seteuid(nobody)
            yield folder
        finally:
            os.seteuid(root)
            folder.chmod(0o755)


@pytest.mark.parametrize("name", PLACES)
def test_a_read_only_place_is_one_sentence(read_only: Path, name: str) -> None:
    target = PLACES[name]
    with pytest.raises(InputError, match=r"cannot be written.*\.$") as caught:
        write(
            name, record_of(read_only / "1.png", answer("Rei")),
            target=read_only / target if target else None,
        )  # fmt: skip
    # Beside the pictures, another folder may take files.
    assert isinstance(caught.value, NotWrittenError) == (target is None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_cannot_be_is_one_sentence(picture: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    target = tmp_path / "file" / (PLACES[name] or "out")
    with pytest.raises(InputError, match=r"cannot be written: .*\.$") as caught:
        write(name, record_of(picture, answer("Rei")), target=target)
    assert not isinstance(caught.value, NotWrittenError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["captions", "xmp-stem", "sorted"])
def test_the_longest_names_are_written(tmp_path: Path, name: str) -> None:
    path = write_picture(tmp_path / "shots" / f"{'x' * 251}.png")
    write(name, record_of(path, answer("Rei")), target=tmp_path / "out")
    assert len(tree(tmp_path / "out")) == 1


@pytest.mark.parametrize("name", ["hydrus", "xmp", "annotated"])
def test_names_that_would_be_too_long_are_told(tmp_path: Path, name: str) -> None:
    path = write_picture(tmp_path / "shots" / f"{'x' * 251}.png")
    with pytest.raises(NotWrittenError, match="too long a name"):
        write(name, record_of(path, answer("Rei")), target=tmp_path / "out")
    assert not (tmp_path / "out").exists()


class TestChoosing:
    @pytest.mark.parametrize("text", ["sorted", "coco", "sorted:", "captions:"])
    def test_a_format_that_needs_a_place_says_so(self, text: str) -> None:
        with pytest.raises(InputError, match="does not say where to write"):
            registry.output_spec(text)

    def test_an_unknown_format_is_answered_with_all_there_are(self) -> None:
        with pytest.raises(InputError, match="no output format yolo; there are captions, hydrus"):
            registry.output_spec("yolo:x")

    def test_a_place_may_hold_colons(self) -> None:
        assert registry.output_spec("coco:C:/x.json").target == Path("C:/x.json")

    def test_what_is_written_is_not_read(self, tmp_path: Path) -> None:
        shots, out = tmp_path / "shots", tmp_path / "shots" / "out"
        pictures = [write_picture(shots / "1.png"), write_picture(out / "Rei" / "1.png")]
        assert without_outputs(pictures, [shots], [out]) == (pictures[:1], 1)
        assert without_outputs(pictures, [shots], [tmp_path]) == (pictures, 0)
        (tmp_path / "link").symlink_to(out)
        assert without_outputs(pictures, [shots], [tmp_path / "link"]) == (pictures[:1], 1)
        with pytest.raises(InputError, match="is the folder of the pictures"):
            without_outputs(pictures, [shots], [tmp_path / "shots"])

    def test_a_moment_is_a_date_or_a_time_ago(self) -> None:
        from datetime import UTC, datetime

        now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        assert moment("36h", now) == datetime(2026, 11, 21, 0, tzinfo=UTC)
        assert moment("2w", now) == datetime(2026, 11, 8, 12, tzinfo=UTC)
        assert moment("2026-11-01T20:00+00:00") == datetime(2026, 11, 1, 20, tzinfo=UTC)
        for text in ("soon", "7y", "", "99999999999999w", "2026-13-01"):
            with pytest.raises(InputError, match="neither a date nor a duration"):
                moment(text, now)


PLUGIN = """
class Writer:
    def __init__(self, output):
        self.path = output.target

    def write(self, record):
        {body}

    def close(self):
        pass

class Half:
    def __init__(self, output):
        pass
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a package with two output formats, as pip does."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(body: str) -> None:
        (tmp_path / "gallery_more.py").write_text(PLUGIN.format(body=body))
        about = tmp_path / "gallery_more-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: gallery_more\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(
            "[gallery.writers]\nmore = gallery_more:Writer\nhalf = gallery_more:Half\n"
        )
        monkeypatch.delitem(sys.modules, "gallery_more", raising=False)
        importlib.invalidate_caches()

    return install


class TestOtherPackages:
    def test_a_package_brings_a_format(
        self, plugin: Callable[[str], None], picture: Path, tmp_path: Path
    ) -> None:
        plugin("self.path.write_text(record.path.name)")
        wanted = registry.output_spec(f"more:{tmp_path / 'x.txt'}")
        writer = opened(wanted.format, wanted.target)
        writer.write(record_of(picture))
        writer.close()
        assert (tmp_path / "x.txt").read_text() == "1.png"

    def test_the_one_of_the_documentation_works(
        self, plugin: Callable[[str], None], picture: Path, tmp_path: Path
    ) -> None:
        plugin("pass")
        page = Path(__file__).parents[2] / "docs" / "formats.md"
        code = page.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
        (tmp_path / "gallery_more.py").write_text(code.replace("NamesWriter", "Writer"))
        write("more", record_of(picture, answer("Rei"), answer("綾波"), unknown()))
        assert picture.with_name("1.png.names").read_text(encoding="utf-8") == "Rei\n綾波"

    def test_one_that_fails_is_named(self, plugin: Callable[[str], None], picture: Path) -> None:
        plugin("raise ValueError('over\\nthere')")
        with pytest.raises(
            SetupError, match=r"more of the package gallery_more failed \(Value.*th"
        ):
            opened("more").write(record_of(picture))
        with pytest.raises(
            SetupError, match="half of the package gallery_more has no function wri"
        ):
            opened("half")
