"""Labels that people have already: named faces in metadata, and names in captions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from command import Done, call
from fakes import FakeDetector, Square, draw, fake_gallery, write_picture
from PIL import Image as pillow
from PIL.PngImagePlugin import PngInfo

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.jobs.enroll_folders import enroll_candidates
from gallery.jobs.enroll_regions import RegionEnrolment
from gallery.media.images import encode_png, read_header, read_image
from gallery.metadata import xmp
from gallery.metadata.captions import TagRule, candidates_in, names_listed
from gallery.metadata.named_regions import NamedFaces, NamedRegion, named_faces
from gallery.metadata.regions import Area, Region, Shape, stored
from gallery.output import registry
from gallery.output.format import Output
from gallery.types import Answer, Box, Candidate, Enrolled, Face, Outcome, Record, Verdict

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)
LEFT, RIGHT = Square(10, 20, 50, RED), Square(90, 30, 60, BLUE)
SHAPE = Shape(160, 120)


def region(name: str | None, square: Square) -> Region:
    middle = (square.left + square.side / 2) / 160, (square.top + square.side / 2) / 120
    return Region(Area(*middle, square.side / 160, square.side / 120), name)


def packet(*regions: Region) -> bytes:
    """What a person's program writes of faces, who named some of them."""
    unnamed = [one for one in regions if one.name is None]
    return xmp.merged(None, unnamed, SHAPE, given=[one for one in regions if one.name])


def mark(picture: Path, *regions: Region) -> Path:
    picture.with_name(f"{picture.name}.xmp").write_bytes(packet(*regions))
    return picture


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """A picture of two faces, with nothing said about them."""
    return write_picture(tmp_path / "both.png", LEFT, RIGHT)


def enroll(gallery: Engine, *pictures: Path) -> list[Enrolled]:
    enrolment = RegionEnrolment(gallery.store, gallery.describer)
    return list(enrolment.run([named_faces(path) for path in pictures]))


def said(picture: Path) -> dict[str, bool]:
    """The names in a picture's metadata, and whether they are gallery's own answers."""
    return {one.name: one.is_guess for one in named_faces(picture).regions}


def outcomes(enrolled: list[Enrolled]) -> dict[str, Outcome]:
    return {one.candidate.character: one.outcome for one in enrolled}


def owners(gallery: Engine) -> dict[str, list[int]]:
    """Where each character's faces begin, from left to right."""
    return {
        one.name: sorted(round(sample.face.box.left) for sample in gallery.samples(one.name))
        for one in gallery.characters()
        if one.samples
    }


SPACES = """xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
 xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
 xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
 xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#\""""


def in_xmp(text: str) -> str:
    """A packet with a description in it."""
    return xmp.EMPTY.replace(" </rdf:RDF>", f"{text}</rdf:RDF>")


def described(people: str) -> str:
    """People as Microsoft's programs list them."""
    return (
        f'<rdf:Description rdf:about="" {SPACES}><MP:RegionInfo rdf:parseType="Resource">'
        f"<MPRI:Regions><rdf:Bag>{people}</rdf:Bag></MPRI:Regions></MP:RegionInfo>"
        "</rdf:Description>"
    )


def person(name: str, rectangle: str) -> str:
    return (
        f'<rdf:li MPReg:PersonDisplayName="{name}" MPReg:PersonEmailDigest="ABC" '
        f'MPReg:Rectangle="{rectangle}"/>'
    )


def microsoft(name: str, square: Square) -> str:
    """A person where a square is."""
    sides = square.left / 160, square.top / 120, square.side / 160, square.side / 120
    return person(name, ", ".join(f"{one:.6f}" for one in sides))


PROGRAMS = {
    "Windows Photo Gallery": f"""<rdf:Description rdf:about="uuid:faf5bdd5" {SPACES}>
<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag><rdf:li><rdf:Description>
<MPReg:Rectangle>0.062500, 0.166667, 0.312500, 0.416667</MPReg:Rectangle>
<MPReg:PersonDisplayName>綾波 レイ</MPReg:PersonDisplayName>
</rdf:Description></rdf:li></rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>
</rdf:Description>""",
    "digiKam": f"""<rdf:Description rdf:about="" {SPACES}>
<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
<rdf:li MPReg:PersonDisplayName="綾波 レイ"
 MPReg:Rectangle="0.0625, 0.166667, 0.3125, 0.416667"/>
</rdf:Bag></MPRI:Regions></MP:RegionInfo>
<mwg-rs:Regions rdf:parseType="Resource">
<mwg-rs:AppliedToDimensions stDim:w="160" stDim:h="120" stDim:unit="pixel"/>
<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="綾波 レイ" mwg-rs:Type="Face">
<mwg-rs:Area stArea:x="0.21875" stArea:y="0.375" stArea:w="0.3125" stArea:h="0.416667"
 stArea:unit="normalized"/></rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList>
</mwg-rs:Regions></rdf:Description>""",
    "Picasa": f"""<rdf:Description rdf:about="" {SPACES}>
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions rdf:parseType="Resource">
<stDim:w>160</stDim:w><stDim:h>120</stDim:h><stDim:unit>pixel</stDim:unit>
</mwg-rs:AppliedToDimensions><mwg-rs:RegionList><rdf:Bag>
<rdf:li rdf:parseType="Resource"><mwg-rs:Type>Face</mwg-rs:Type>
<mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.9</stArea:x><stArea:y>0.9</stArea:y>
<stArea:w>0.1</stArea:w><stArea:h>0.1</stArea:h><stArea:unit>normalized</stArea:unit>
</mwg-rs:Area></rdf:li>
<rdf:li rdf:parseType="Resource"><mwg-rs:Type>Face</mwg-rs:Type>
<mwg-rs:Name>綾波 レイ</mwg-rs:Name><mwg-rs:Area rdf:parseType="Resource">
<stArea:x>0.21875</stArea:x><stArea:y>0.375</stArea:y><stArea:w>0.3125</stArea:w>
<stArea:h>0.416667</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area></rdf:li>
</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description>""",
    "Lightroom": f"""<rdf:Description rdf:about="" {SPACES}>
<mwg-rs:Regions rdf:parseType="Resource">
<mwg-rs:AppliedToDimensions stDim:w="160" stDim:h="120" stDim:unit="pixel"/>
<mwg-rs:RegionList><rdf:Bag>
<rdf:li><rdf:Description mwg-rs:Rotation="0.00000" mwg-rs:Name="綾波 レイ" mwg-rs:Type="Face">
<mwg-rs:Area stArea:h="0.41667" stArea:w="0.31250" stArea:x="0.21875" stArea:y="0.37500"/>
</rdf:Description></rdf:li>
<rdf:li><rdf:Description mwg-rs:Type="Focus"><mwg-rs:Area stArea:d="0.1" stArea:x="0.5"
 stArea:y="0.5"/></rdf:Description></rdf:li>
</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description>""",
}
"""One named face, at LEFT, as each program says it."""


class TestNamedFaces:
    def test_a_sidecar_names_faces(self, both: Path) -> None:
        mark(both, region("Rei", LEFT), region("綾波", RIGHT), region(None, Square(0, 0, 9)))
        found = named_faces(both)
        assert [one.name for one in found.regions] == ["Rei", "綾波"]
        assert np.allclose(found.regions[0].box, (10, 20, 60, 70), atol=0.01)

    @pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
    def test_a_picture_names_its_own(self, tmp_path: Path, form: str) -> None:
        from PIL import Image as pillow
        from PIL.PngImagePlugin import PngInfo

        content = packet(region("Rei", LEFT))
        path = tmp_path / f"1.{form.lower()}"
        picture = pillow.fromarray(draw(LEFT))
        if form == "PNG":
            information = PngInfo()
            information.add_itxt("XML:com.adobe.xmp", content.decode())
            picture.save(path, form, pnginfo=information)
        else:
            picture.save(path, form, xmp=content)
        assert [one.name for one in named_faces(path).regions] == ["Rei"]
        # What stands beside the picture comes first.
        mark(path, region("Asuka", LEFT))
        assert [one.name for one in named_faces(path).regions] == ["Asuka"]
        mark(path, region(None, LEFT))
        assert [one.name for one in named_faces(path).regions] == ["Rei"]

    def test_a_sidecar_of_the_stem_belongs_to_one_picture(self, both: Path) -> None:
        content = xmp.merged(None, [], SHAPE, "jpg", [region("Rei", LEFT)])
        both.with_suffix(".xmp").write_bytes(content)
        assert named_faces(both).regions == ()
        both.with_suffix(".xmp").write_bytes(content.replace(b'"jpg"', b'"PNG"'))
        assert [one.name for one in named_faces(both).regions] == ["Rei"]

    def test_what_exiv2_writes_is_read(self, both: Path) -> None:
        exiv2 = pytest.importorskip("exiv2")
        mark(both, region("Rei", LEFT))
        sidecar = both.with_name("both.png.xmp")
        image = exiv2.ImageFactory.open(str(sidecar))
        image.readMetadata()
        data = image.xmpData()
        data["Xmp.mwg-rs.Regions/mwg-rs:RegionList[1]/mwg-rs:Name"] = "Named by Exiv2"
        data["Xmp.dc.title"] = "a title"
        image.setXmpData(data)
        image.writeMetadata()
        assert "rdf:Description" in sidecar.read_text(encoding="utf-8")
        assert [one.name for one in named_faces(both).regions] == ["Named by Exiv2"]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b'stArea:unit="normalized"', b'stArea:unit="pixel"'),
            (b'stArea:w="0.312500"', b'stArea:w="nan"'),
            (b'stArea:w="0.312500"', b'stArea:w="-1"'),
            (b'stArea:w="0.312500"', b""),
            (b"<mwg-rs:Type>Face", b"<mwg-rs:Type>Pet"),
        ],
    )
    def test_a_region_that_is_no_face_says_nothing(
        self, both: Path, before: bytes, after: bytes
    ) -> None:
        content = packet(region("Rei", LEFT))
        assert before in content
        both.with_name("both.png.xmp").write_bytes(content.replace(before, after))
        found = named_faces(both).regions
        # Pixels are as good as shares; this one is smaller than a pixel.
        assert all(one.box.width < 1 for one in found)

    @pytest.mark.parametrize("program", PROGRAMS)
    def test_the_ways_of_programs_are_read(self, both: Path, program: str) -> None:
        both.with_name("both.png.xmp").write_text(in_xmp(PROGRAMS[program]), encoding="utf-8")
        (found,) = named_faces(both).regions
        assert found.name == "綾波 レイ"
        assert np.allclose(found.box, (10, 20, 60, 70), atol=0.1)

    def test_what_digikam_writes_for_windows_is_read(self, both: Path) -> None:
        exiv2 = pytest.importorskip("exiv2")
        sidecar = both.with_name("both.png.xmp")
        sidecar.write_bytes(xmp.EMPTY.encode())
        image = exiv2.ImageFactory.open(str(sidecar))
        image.readMetadata()
        data = image.xmpData()
        data["Xmp.MP.RegionInfo/MPRI:Regions"] = exiv2.XmpTextValue('type="Bag"')
        for row, (name, place) in enumerate(
            [("綾波", "0.0625, 0.166667, 0.3125, 0.416667"), ("Rei", "0.5625,0.25,0.375,0.5")], 1
        ):
            start = f"Xmp.MP.RegionInfo/MPRI:Regions[{row}]/MPReg:"
            data[f"{start}PersonDisplayName"] = name
            data[f"{start}Rectangle"] = place
        image.setXmpData(data)
        image.writeMetadata()
        found = named_faces(both).regions
        assert [one.name for one in found] == ["綾波", "Rei"]
        assert np.allclose([one.box for one in found], [(10, 20, 60, 70), (90, 30, 150, 90)], 0.01)

    def test_two_ways_in_one_file_name_a_face_once(self, both: Path) -> None:
        text = packet(region("Rei", LEFT), region(None, RIGHT)).decode()
        people = "".join(
            microsoft(name, square) for name, square in (("Asuka", LEFT), ("Misato", RIGHT))
        )
        both.with_name("both.png.xmp").write_text(
            text.replace("</rdf:RDF>", f"{described(people)}</rdf:RDF>"), encoding="utf-8"
        )
        found = {one.name: one.box for one in named_faces(both).regions}
        assert set(found) == {"Rei", "Misato"}
        assert np.allclose(found["Misato"], (90, 30, 150, 90), atol=0.1)

    @pytest.mark.parametrize("orientation", [3, 6, 8])
    def test_microsofts_places_are_those_of_the_file(
        self, tmp_path: Path, orientation: int
    ) -> None:
        path = turned(tmp_path / "1.png", orientation, LEFT)
        header = read_header(path)
        shape = Shape(header.width, header.height, orientation)
        place = stored(region(None, LEFT).area, orientation)
        rectangle = (place.x - place.width / 2, place.y - place.height / 2, *place[2:])
        text = described(person("Rei", ", ".join(map(str, rectangle))))
        assert shape.shown == (160, 120)
        path.with_name("1.png.xmp").write_text(in_xmp(text), encoding="utf-8")
        (found,) = named_faces(path).regions
        assert np.allclose(found.box, (10, 20, 60, 70), atol=0.1)

    @pytest.mark.parametrize(
        "rectangle",
        ["", "0.1, 0.2, 0.3", "0, 0, 0, 0", "1.5, 0, 0.1, 0.1", "a, b, c, d", "nan" * 4],
    )
    def test_a_person_without_a_place_says_nothing(self, both: Path, rectangle: str) -> None:
        text = described(person("Rei", rectangle) + microsoft("", LEFT))
        both.with_name("both.png.xmp").write_text(in_xmp(text), encoding="utf-8")
        assert named_faces(both).regions == ()

    def test_who_was_named_in_windows_keeps_the_name(self, both: Path) -> None:
        sidecar = both.with_name("both.png.xmp")
        sidecar.write_text(in_xmp(described(microsoft("By hand", LEFT))), encoding="utf-8")
        answers = [region("Rei", LEFT), region("Asuka", RIGHT)]
        assert xmp.merged(sidecar.read_bytes(), answers[:1], SHAPE, "") == sidecar.read_bytes()
        sidecar.write_bytes(xmp.merged(sidecar.read_bytes(), answers, SHAPE, ""))
        assert {one.name for one in named_faces(both).regions} == {"By hand", "Asuka"}

    def test_names_that_gallery_wrote_are_its_own_until_somebody_changes_them(
        self, both: Path
    ) -> None:
        sidecar = both.with_name("both.png.xmp")
        guesses = [region("Rei", LEFT), region("Asuka", RIGHT)]
        sidecar.write_bytes(xmp.merged(None, guesses, SHAPE))
        assert said(both) == {"Rei": True, "Asuka": True}
        text = sidecar.read_text(encoding="utf-8")
        sidecar.write_text(
            text.replace("<mwg-rs:Name>Rei<", "<mwg-rs:Name>Rei Ayanami<"), encoding="utf-8"
        )
        assert said(both) == {"Rei Ayanami": False, "Asuka": True}

    @pytest.mark.parametrize("before", ["nothing", "an answer", "a person's name"])
    def test_a_name_inside_the_picture_is_kept_in_its_sidecar(
        self, tmp_path: Path, before: str
    ) -> None:
        path = tmp_path / "1.png"
        note = PngInfo()
        note.add_itxt("XML:com.adobe.xmp", packet(region("By hand", LEFT)).decode())
        with pillow.open(write_picture(path, LEFT, RIGHT)) as picture:
            picture.save(path, pnginfo=note)
        sidecar = path.with_name("1.png.xmp")
        if before != "nothing":
            name = region("Rei", LEFT)
            is_answer = before == "an answer"
            sidecar.write_bytes(xmp.merged(None, [name], SHAPE) if is_answer else packet(name))
        faces = [
            Answer(Face(Box(*place), 1.0), Verdict.SURE, name, 0.1, ())
            for name, place in (("Guess", (10, 20, 60, 70)), ("Asuka", (90, 30, 150, 90)))
        ]
        writer = registry.open_writer("xmp", Output(None, tmp_path, "fake"))
        for _ in range(2):
            writer.write(Record(path, 160, 120, "fake", tuple(faces)))
        writer.close()
        kept = "Rei" if before == "a person's name" else "By hand"
        assert said(path) == {kept: False, "Asuka": True}

    @pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "JPEG2000"])
    def test_what_exiftool_writes_into_pictures_is_read(self, tmp_path: Path, form: str) -> None:
        from PIL import Image as pillow

        if shutil.which("exiftool") is None:
            pytest.skip("exiftool is not installed; Debian has it in libimage-exiftool-perl")
        path = tmp_path / f"1.{form.lower()}"
        pillow.fromarray(draw(LEFT, RIGHT)).save(path, form)
        sidecar = tmp_path / "ours"
        sidecar.write_bytes(packet(region("綾波", LEFT)))
        place = "|, ".join(("0.5625", "0.25", "0.375", "0.5"))
        subprocess.run(
            [
                "exiftool", "-q", "-overwrite_original", "-tagsFromFile", sidecar, "-XMP:all",
                f"-RegionInfoMP={{Regions=[{{PersonDisplayName=Rei,Rectangle={place}}}]}}", path,
            ],
            check=True,
        )  # fmt: skip
        found = named_faces(path).regions
        assert [one.name for one in found] == ["綾波", "Rei"]
        assert np.allclose([one.box for one in found], [(10, 20, 60, 70), (90, 30, 150, 90)], 0.01)

    def test_damaged_metadata_is_named_with_its_file(self, both: Path) -> None:
        both.with_name("both.png.xmp").write_text("Dear diary")
        with pytest.raises(InputError, match=r"both\.png\.xmp holds something other than XMP"):
            named_faces(both)
        (both.parent / "text.png").write_text("text")
        with pytest.raises(InputError, match=r"text\.png is no picture"):
            named_faces(both.parent / "text.png")
        with pytest.raises(InputError, match=r"gone\.png cannot be read"):
            named_faces(both.parent / "gone.png")


class TestRegionEnrolment:
    def test_each_region_is_the_face_it_overlaps(self, gallery: Engine, both: Path) -> None:
        # Between brow and chin, as other programs mark faces.
        mark(both, region("Rei", Square(102, 46, 36)), region("Asuka", Square(17, 32, 32)))
        assert outcomes(enroll(gallery, both)) == {"Rei": Outcome.ADDED, "Asuka": Outcome.ADDED}
        assert owners(gallery) == {"Asuka": [10], "Rei": [90]}

    def test_a_region_without_a_face_is_refused_with_its_reason(
        self, gallery: Engine, both: Path
    ) -> None:
        mark(
            both, region("Rei", LEFT), region("Nobody", Square(62, 2, 20)), region(" \u200d", RIGHT)
        )
        enrolled = {one.candidate.character: one for one in enroll(gallery, both)}
        assert enrolled["Rei"].outcome is Outcome.ADDED
        assert enrolled["Nobody"].outcome is Outcome.REFUSED
        assert "no face that the detector sees where Nobody is marked" in enrolled["Nobody"].reason
        assert "62, 2, 82, 22" in enrolled["Nobody"].reason

    @pytest.mark.parametrize("name", ["x" * 201, "new\nline", "\x07"])
    def test_a_name_that_cannot_be_one_is_refused(
        self, gallery: Engine, both: Path, name: str
    ) -> None:
        named = NamedFaces(both, (NamedRegion(name, Box(10, 20, 60, 70)),))
        (enrolled,) = RegionEnrolment(gallery.store, gallery.describer).run([named])
        assert enrolled.outcome is Outcome.REFUSED
        assert "cannot be enrolled" in enrolled.reason
        assert gallery.characters() == []

    def test_again_nothing_is_looked_at(self, database: Path, both: Path) -> None:
        detector = FakeDetector()
        with fake_gallery(database, detector=detector) as gallery:
            mark(both, region("Rei", LEFT), region("Asuka", RIGHT))
            enroll(gallery, both)
            detector.seen.clear()
            assert set(outcomes(enroll(gallery, both)).values()) == {Outcome.UNCHANGED}
            assert detector.seen == []
            # One more name wants one more look, and takes no face that has a sample.
            mark(both, region("Rei", LEFT), region("Asuka", RIGHT), region("Misato", LEFT))
            assert outcomes(enroll(gallery, both))["Misato"] is Outcome.REFUSED
            assert owners(gallery) == {"Asuka": [90], "Rei": [10]}

    def test_a_region_with_another_name_gives_its_face_away(
        self, gallery: Engine, both: Path
    ) -> None:
        enroll(gallery, mark(both, region("Rei", LEFT), region("Asuka", RIGHT)))
        (_, changed) = enroll(gallery, mark(both, region("Rei", LEFT), region("Misato", RIGHT)))
        assert changed.outcome is Outcome.RELABELLED
        assert "was Asuka" in changed.reason
        assert owners(gallery) == {"Misato": [90], "Rei": [10]}

    def test_what_a_person_moved_stays_moved(self, gallery: Engine, both: Path) -> None:
        enroll(gallery, mark(both, region("Rei", LEFT)))
        (sample,) = gallery.samples("Rei")
        gallery.move([sample.id], "Asuka", new=True)
        assert outcomes(enroll(gallery, both)) == {"Rei": Outcome.UNCHANGED}
        assert owners(gallery) == {"Asuka": [10]}

    def test_files_are_known_by_content(self, gallery: Engine, both: Path) -> None:
        enroll(gallery, mark(both, region("Rei", LEFT)))
        copy = both.with_name("copy.png")
        shutil.copy(both, copy)
        assert outcomes(enroll(gallery, mark(copy, region("Rei", LEFT)))) == {
            "Rei": Outcome.DUPLICATE
        }
        both.unlink()
        assert outcomes(enroll(gallery, copy)) == {"Rei": Outcome.MOVED}
        (sample,) = gallery.samples("Rei")
        assert sample.path == copy.resolve()

    def test_a_picture_of_a_folder_and_of_regions_is_one(
        self, gallery: Engine, tmp_path: Path
    ) -> None:
        path = write_picture(tmp_path / "Rei" / "1.png", LEFT).resolve()
        list(enroll_candidates(gallery, [Candidate(path, "Rei")]))
        assert outcomes(enroll(gallery, mark(path, region("Rei", LEFT)))) == {
            "Rei": Outcome.UNCHANGED
        }
        assert [one.outcome for one in enroll_candidates(gallery, [Candidate(path, "Rei")])] == [
            Outcome.UNCHANGED
        ]

    def test_a_damaged_picture_is_refused_and_the_pass_goes_on(
        self, gallery: Engine, both: Path
    ) -> None:
        cut = both.with_name("cut.png")
        cut.write_bytes(both.read_bytes()[:400])
        for path in (cut, both):
            mark(path, region("Rei", LEFT))
        first, second = enroll(gallery, cut, both)
        assert (first.outcome, second.outcome) == (Outcome.REFUSED, Outcome.ADDED)
        assert "damaged or cut short" in first.reason


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Engine]:
    with fake_gallery(tmp_path / "filled.db") as gallery:
        candidates = [
            Candidate(
                write_picture(tmp_path / "known" / name / "1.png", Square(9, 9, 60, tone)), name
            )
            for name, tone in (("Rei", BLUE), ("綾/波", RED), ("CON", GREEN))
        ]
        list(enroll_candidates(gallery, candidates))
        yield gallery


def turned(path: Path, orientation: int, *squares: Square) -> Path:
    """Save a picture whose EXIF orientation shows these squares."""
    from PIL import Image as pillow
    from PIL.Image import Transpose

    back = {3: Transpose.ROTATE_180, 6: Transpose.ROTATE_90, 8: Transpose.ROTATE_270}
    exif = pillow.Exif()
    exif[0x0112] = orientation
    pillow.fromarray(draw(*squares)).transpose(back[orientation]).save(path, exif=exif)
    return path


def test_what_label_writes_enroll_reads(filled: Engine, database: Path, tmp_path: Path) -> None:
    shots = tmp_path / "shots"
    paths = [
        write_picture(shots / "1.png", LEFT, RIGHT, seed=1),
        write_picture(shots / "2.png", Square(30, 40, 60, GREEN), seed=2),
        turned(shots / "3.png", 6, LEFT, RIGHT),
        turned(shots / "4.png", 3, LEFT, Square(90, 30, 60, GREEN)),
        turned(shots / "5.png", 8, RIGHT),
    ]
    writer = registry.open_writer("xmp", Output(None, shots, "fake"))
    said = {}
    for path in paths:
        record = filled.identify(read_image(path))
        writer.write(record)
        said[path.name] = {answer.character for answer in record.faces}
    writer.close()
    assert {"Rei", "綾/波", "CON"} == set().union(*said.values())
    assert read_header(paths[2]).width == 120
    with fake_gallery(database) as fresh:
        enrolled = enroll(fresh, *paths)
        assert {one.outcome for one in enrolled} == {Outcome.ADDED}
        named = {
            path.name: {one.candidate.character for one in enrolled if one.candidate.path == path}
            for path in paths
        }
        assert named == said
        assert owners(fresh) == {"CON": [30, 90], "Rei": [90, 90, 90], "綾/波": [10, 10, 10]}


MICROSOFT = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
 xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>{}</rdf:Bag></MPRI:Regions>
</MP:RegionInfo></rdf:Description></rdf:RDF></x:xmpmeta>"""

PERSON = '<rdf:li MPReg:Rectangle="{}, 0.2, 0.01, 0.01" MPReg:PersonDisplayName="N{}"/>'


def crowd(kind: str, count: int) -> bytes:
    """A packet that marks so many faces side by side."""
    places = [0.9 * number / count for number in range(count)]
    if kind == "Microsoft":
        items = "".join(PERSON.format(place, number) for number, place in enumerate(places))
        return MICROSOFT.format(items).encode()
    one = packet(Region(Area(0.5, 0.5, 0.01, 0.01), "NAME"))
    item = one[one.index(b"<rdf:li") : one.index(b"</rdf:li>") + len(b"</rdf:li>")]
    marked = [
        item.replace(b"NAME", b"N%d" % row).replace(b'x="0.500000"', b'x="%f"' % place)
        for row, place in enumerate(places)
    ]
    return one.replace(item, b"".join(marked))


@pytest.mark.parametrize("kind", ["Microsoft", "Working Group"])
class TestCrowds:
    def test_as_many_faces_as_a_picture_may_show_are_read(self, kind: str) -> None:
        packet = crowd(kind, xmp.MOST_REGIONS)
        assert [one.name for one in xmp.read(packet, SHAPE)] == [
            f"N{number}" for number in range(xmp.MOST_REGIONS)
        ]

    def test_more_are_refused(self, kind: str, both: Path) -> None:
        packet = crowd(kind, xmp.MOST_REGIONS + 1)
        both.with_name(f"{both.name}.xmp").write_bytes(packet)
        with pytest.raises(InputError, match="marks 2001 faces, and no program marks over 2000"):
            named_faces(both)
        with pytest.raises(xmp.PacketError, match="marks 2001 faces"):
            xmp.merged(packet, [], SHAPE)


class TestCaptions:
    @pytest.mark.parametrize(
        ("caption", "rule", "names"),
        [
            ("1girl, Rei, smile", TagRule(["Rei", "Asuka"]), ["Rei"]),
            ("1girl, rei_ayanami_(evangelion)", TagRule(["Rei Ayanami"]), ["Rei Ayanami"]),
            ("hu tao \\(genshin impact\\)", TagRule(["Hu Tao (Genshin Impact)"]), ["Hu Tao (Gen"]),
            ("reiko, prairie", TagRule(["Rei"]), []),
            ("rei, REI", TagRule(["Rei"]), ["Rei"]),
            ("character:New One, Rei", TagRule(["Rei"], "character:"), ["New One"]),
            ("Character:rei", TagRule(["Rei"], "character:"), ["Rei"]),
            ("series:x\ncharacter:綾波\n", TagRule([], "character:"), ["綾波"]),
            ("", TagRule(["Rei"]), []),
        ],
    )
    def test_a_tag_becomes_a_name(
        self, both: Path, caption: str, rule: TagRule, names: list[str]
    ) -> None:
        both.with_suffix(".txt").write_text(caption, encoding="utf-8")
        found = candidates_in([both], rule)
        assert [one.character[: len("Hu Tao (Gen")] for one in found.candidates] == names
        assert found.without == (not names)
        assert found.refused == []

    def test_several_names_do_not_say_whose_face(self, both: Path) -> None:
        both.with_suffix(".txt").write_text("Rei", encoding="utf-8")
        both.with_name("both.png.txt").write_text("Asuka", encoding="utf-8")
        found = candidates_in([both], TagRule(["Rei", "Asuka"]))
        assert found.candidates == []
        (refused,) = found.refused
        assert refused.path == both
        assert "2 names, Rei and Asuka" in refused.reason

    def test_what_is_no_text_is_refused(self, both: Path) -> None:
        both.with_suffix(".txt").write_bytes(b"\xff\xfe")
        (refused,) = candidates_in([both], TagRule(["Rei"])).refused
        why = refused.reason
        assert "no text in UTF-8" in why

    def test_without_names_nobody_can_be_found(self, both: Path) -> None:
        with pytest.raises(InputError, match="list the names, or give the prefix"):
            candidates_in([both], TagRule([]))
        both.with_name("names").write_text("\n \n")
        with pytest.raises(InputError, match="lists no name"):
            names_listed(both.with_name("names"))
        with pytest.raises(InputError, match="cannot be read"):
            names_listed(both.with_name("gone"))


def ask(folder: Path, *words: str | Path, database: str = "gallery.db") -> Done:
    return call(*words, cwd=folder, database=folder / database)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with a gallery and pictures of its characters, each a face as a whole."""
    for name, tone in (("Red Rin", RED), ("Blue Aoi", BLUE)):
        for row in range(2):
            path = tmp_path / "album" / name / f"{row}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_png(draw(Square(20, 0, 118 - row, tone), seed=row)))
    assert ask(tmp_path, "enroll", "album", "--cropped").code == 0
    return tmp_path


class TestCommands:
    @pytest.mark.parametrize("source", ["xmp", "captions"])
    def test_labels_go_round(self, album: Path, source: str) -> None:
        words = ("--cropped", "--out", "l.jsonl", "--write", source, "--unsure")
        done = ask(album, "label", "album", *words)
        assert done.code == 0, done.stderr
        again = ask(album, "label", "album", *words)
        assert "--rewrite does" in again.stderr
        (album / "names").write_text("Red Rin\nBlue Aoi\n")
        more = ("--names", "names") if source == "captions" else ()
        enrolled = ask(
            album, "enroll", "album", "--from", source, "--cropped", *more, database="new.db"
        )
        assert (enrolled.code, enrolled.stdout) == (0, "")
        assert "of 2 characters: 4 added." in enrolled.stderr
        shown = [
            ask(album, "characters", "--json", database=name).stdout
            for name in ("new.db", "gallery.db")
        ]
        counts = [
            {one["character"]: one["samples"] for one in map(json.loads, text.splitlines())}
            for text in shown
        ]
        assert counts[0] == counts[1] == {"Blue Aoi": 2, "Red Rin": 2}

    def test_a_gallerys_own_answers_are_taken_when_they_are_asked_for(self, album: Path) -> None:
        done = ask(album, "label", "album", "--cropped", "--out", "l.jsonl", "--write", "xmp")
        assert done.code == 0, done.stderr
        words = ("enroll", "album", "--from", "xmp", "--cropped")
        done = ask(album, *words)
        assert done.code == 0
        assert "faces that gallery named itself passed over; --with-guesses" in done.stderr
        done = ask(album, *words, "--with-guesses", "--json")
        said = json.loads(done.stdout)
        assert (said["guessed"], said["unchanged"] + said["added"] > 0) == (0, True)
        done = ask(album, "enroll", "album", "--with-guesses")
        assert (done.code, "tells gallery's own answers" in done.stderr) == (1, True)

    def test_names_of_the_gallery_serve_without_a_list(self, album: Path) -> None:
        shutil.copytree(album / "album" / "Red Rin", album / "more")
        (album / "more" / "0.txt").write_text("1girl, red_rin")
        done = ask(album, "enroll", "more", "--from", "captions", "--cropped", "--json")
        said = json.loads(done.stdout)
        assert (said["duplicate"], said["unlabelled"], done.code) == (1, 1, 0)

    def test_a_refused_region_is_told(self, album: Path) -> None:
        picture = album / "album" / "Red Rin" / "0.png"
        mark(picture, region("Tiny", Square(3, 3, 4)))
        done = ask(album, "enroll", picture, "--from", "xmp", "--cropped", database="n.db")
        assert done.code == 1
        assert "refused: " in done.stderr
        assert "where Tiny is marked" in done.stderr

    def test_wrong_uses_are_one_sentence(self, album: Path) -> None:
        for words, why in {
            ("enroll", "album", "album"): "Give one folder",
            ("enroll", "album", "--names", "x"): "are for --from captions",
            ("enroll", "album", "--from", "captions", "--names", "x"): "x cannot be read",
            ("label", "album", "--out", "l.jsonl", "--write", "xml"): "no output format xml",
            ("label", "album", "--out", "l.jsonl", "--write", "sorted:album"): "another folder",
            ("label", "album", "--out", "l.jsonl", "--since", "ever"): "neither a date",
            ("label", "album", "--out", "l.jsonl", "--write", "jsonl:l.jsonl"): "another process",
            (
                "label",
                "album",
                "--out",
                "l.jsonl",
                "--write",
                "coco:album",
            ): "does not end in .json",
        }.items():
            done = ask(album, *words)
            assert done.code == 1
            assert why in done.complaint

    def test_sorted_folders_inside_the_pictures_are_not_labelled(self, album: Path) -> None:
        words = ("album", "--cropped", "--out", "l.jsonl", "--write", "sorted:album/done")
        assert ask(album, "label", *words).code == 0
        found = list((album / "album" / "done").rglob("*.png"))
        assert len(found) == 4
        done = ask(album, "label", *words)
        assert "4 pictures in folders that outputs go to left out." in done.stderr
        assert list((album / "album" / "done").rglob("*.png")) == found

    def test_two_folders_of_outputs_inside_the_pictures_are_not_labelled(self, album: Path) -> None:
        words = (
            "album", "--cropped", "--out", "album/l.jsonl",
            "--write", "sorted:album/done", "--write", "annotated:album/seen/drawn",
            "--write", "captions:album/texts", "--write", "coco:album/faces.json",
        )  # fmt: skip
        assert ask(album, "label", *words).code == 0
        before = sorted((album / "album").rglob("*"))
        assert sum(path.suffix == ".png" for path in before) == 12
        done = ask(album, "label", *words)
        assert "4 pictures in folders that outputs go to left out." in done.stderr
        assert "4 pictures with boxes drawn by gallery passed over." in done.stderr
        assert sorted((album / "album").rglob("*")) == before
        assert len((album / "album" / "l.jsonl").read_bytes().splitlines()) == 4

    def test_places_that_take_no_file_are_one_sentence(self, album: Path) -> None:
        (album / "file").touch()
        for target in ("coco:file/x.json", "sorted:file/x", "captions:file/x", "csv:file/x.csv"):
            done = ask(album, "label", "album", "--cropped", "--out", "l.jsonl", "--write", target)
            assert done.code == 1
            assert "cannot be written" in done.complaint
            assert (album / "file").read_bytes() == b""

    def test_since_takes_what_has_changed(self, album: Path) -> None:
        old = album / "album" / "Red Rin" / "0.png"
        os.utime(old, (1, 1))
        done = ask(album, "label", "album", "--cropped", "--out", "l.jsonl", "--since", "2d")
        assert "3 pictures with 3 faces" in done.stderr

    def test_the_summary_groups_what_failed(self, album: Path) -> None:
        for name in "ab":
            (album / "album" / f"{name}.png").write_bytes(b"")
        done = ask(album, "label", "album", "--cropped", "--out", "l.jsonl")
        assert done.code == 1
        assert "  2 is empty" in done.stderr.splitlines()
        assert "2 could not be read." in done.stderr

    def test_io_of_a_picture_is_not_needed_to_write_documents_again(self, album: Path) -> None:
        words = ("album", "--cropped", "--out", "l.csv")
        assert ask(album, "label", *words).code == 0
        assert ask(album, "label", *words, "--write", "coco:c.json").code == 0
        document = json.loads((album / "c.json").read_text(encoding="utf-8"))
        assert len(document["annotations"]) == 4
        heading = (album / "l.csv").read_bytes().splitlines()[0]
        assert heading.startswith(b"\xef\xbb\xbfpath,")
