"""Sound files of every kind: pictures of data/ in all formats, and what gallery makes of some."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from fakes import Square, fake_gallery, write_picture
from labelled import label
from PIL import Image as pillow
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo
from videos import at_rate, scene, write_video
from yolo import yolo_file

from gallery.engine.engine import Engine
from gallery.identify.calibration.strangers import nobody, write_strangers
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.media.images import FORMATS, encode_jpeg
from gallery.metadata import xmp
from gallery.metadata.regions import Area, Region, Shape
from gallery.output.resume import open_writer
from gallery.settings import bundled
from gallery.store import archive
from gallery.store.rejections import NewRejection
from gallery.types import CROP_SIDE, DIMENSION, Box

ROOT = Path(__file__).parents[2]

COLOURS = {"Rei": (220, 20, 20), "日向ソラ": (20, 20, 220), "Noise": (20, 220, 20)}

SIDE = 200
"""Pixels of a sound picture's longer side: what is damaged is the file and not the picture."""

NAMED = (Region(Area(0.4, 0.4, 0.3, 0.4), "Rei"), Region(Area(0.8, 0.5, 0.2, 0.3), "Asuka"))


def write_sources(kind: str, folder: Path) -> None:
    """Write the sound files of a kind into a folder."""
    folder.mkdir(parents=True)
    MAKERS[kind](folder)


def _pictures(folder: Path) -> None:
    for number, path in enumerate(sorted((ROOT / "data" / "characters").glob("*/0[12].*"))[:6]):
        with pillow.open(path) as opened:
            opened.thumbnail((SIDE, SIDE))
            for name, content in _encoded(opened.convert("RGB")):
                (folder / f"{number}-{name}").write_bytes(content)


def _encoded(picture: pillow.Image) -> Iterator[tuple[str, bytes]]:
    """Yield a picture as files of all formats that are read, in several ways each."""
    orientation = pillow.Exif()
    orientation[0x0112] = 6
    packet = xmp.merged(None, [], Shape(*picture.size), given=NAMED)
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode())
    text.add_text("Comment", "words " * 50, zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ways: list[tuple[str, pillow.Image, dict[str, object]]] = [
        ("JPEG", picture, {"exif": orientation, "xmp": packet, "icc_profile": profile}),
        ("JPEG", picture, {"progressive": True}),
        ("JPEG", picture.convert("CMYK"), {}),
        ("PNG", picture, {"pnginfo": text, "icc_profile": profile}),
        ("PNG", picture.convert("RGBA"), {"exif": orientation}),
        ("PNG", picture.convert("P"), {}),
        ("PNG", picture.convert("I;16"), {}),
        ("GIF", picture, {"save_all": True, "append_images": [picture.rotate(90)]}),
        ("WEBP", picture, {"xmp": packet, "exif": orientation}),
        ("WEBP", picture.convert("RGBA"), {"lossless": True}),
        ("WEBP", picture, {"save_all": True, "append_images": [picture.rotate(90)]}),
        ("BMP", picture, {}),
        ("BMP", picture.convert("P"), {}),
        ("AVIF", picture, {"exif": orientation, "speed": 10}),
        ("HEIF", picture, {}),
        ("TIFF", picture, {"compression": "tiff_lzw"}),
        ("TIFF", picture.convert("L"), {}),
        ("JPEG2000", picture, {}),
    ]
    pillow.init()
    for number, (name, made, options) in enumerate(ways):
        if name in FORMATS and name in pillow.SAVE:
            content = io.BytesIO()
            made.save(content, name, **options)
            yield f"{number}.{name.lower()}", content.getvalue()


def filled(folder: Path) -> Engine:
    """Return a gallery of drawn faces that has all there is in one."""
    gallery = fake_gallery(folder / "gallery.db")
    for name, colour in COLOURS.items():
        for number in range(3):
            square = Square(20 + number, 10, 70 + number, colour)
            write_picture(folder / "album" / name / f"{number}.png", square, seed=number)
    list(enroll_candidates(gallery, candidates_in(folder / "album")[0]))
    gallery.rename("Rei", "Ayanami")
    first, *_ = gallery.samples("日向ソラ")
    gallery.forget_samples([first.id])
    crop = encode_jpeg(np.full((CROP_SIDE, CROP_SIDE, 3), (200, 90, 30), np.uint8))
    vector = np.linspace(0, 1, DIMENSION, dtype=np.float32)
    with gallery.store.writing() as writer:
        rejected = NewRejection(
            "Noise", "5" * 64, Path("/seen.png"), Box(1, 2, 3, 4), crop, {"fake": vector}
        )
        writer.reject(rejected)
    return gallery


def _exports(folder: Path) -> None:
    with filled(folder / "gallery") as gallery:
        archive.export(gallery.store, folder / "0.zip")
        gallery.forget("Noise")
        archive.export(gallery.store, folder / "1.zip")
    shutil.rmtree(folder / "gallery")


def _databases(folder: Path) -> None:
    with filled(folder / "gallery") as gallery:
        gallery.calibrate()
        _label(gallery, folder / "gallery", "out.jsonl")
        gallery.store.back_up(folder / "0.db")
    shutil.rmtree(folder / "gallery")
    for old in sorted((ROOT / "tests" / "assets").glob("gallery-*.db"))[-2:]:
        shutil.copy(old, folder)


def _label(gallery: Engine, folder: Path, name: str) -> None:
    pictures = sorted((folder / "album").glob("*/*.png"))
    two = write_picture(folder / "two.png", Square(5, 5, 60), Square(80, 40, 60, (20, 20, 220)))
    (folder / "broken.png").write_bytes(b"no picture")
    records = open_writer(folder / name, "fake")
    list(label(gallery, [*pictures, two, folder / "broken.png"], records, keep=True))
    records.close()


def _records(folder: Path) -> None:
    with filled(folder / "gallery") as gallery:
        for suffix in (".jsonl", ".csv"):
            _label(gallery, folder / "gallery", f"out{suffix}")
            shutil.copy(folder / "gallery" / f"out{suffix}", folder / f"0{suffix}")
    shutil.rmtree(folder / "gallery")
    made = ROOT / "tests" / "assets" / "made_before"
    for path in sorted(made.rglob("*.jsonl")) if made.is_dir() else ():
        shutil.copy(path, folder / f"before-{path.name}")
    coco = {"info": {"description": "Faces labelled by gallery"}, "images": [], "annotations": []}
    (folder / "0.json").write_text(json.dumps(coco), encoding="utf-8")
    tasks = [{"data": {}, "predictions": [{"model_version": "gallery fake", "result": []}]}]
    (folder / "1.json").write_text(json.dumps(tasks), encoding="utf-8")


def _sidecars(folder: Path) -> None:
    shape = Shape(160, 120)
    (folder / "0.xmp").write_bytes(xmp.merged(None, [], shape, "png", given=NAMED))
    unnamed = [Region(Area(0.4, 0.4, 0.3, 0.4)), Region(Area(0.8, 0.5, 0.2, 0.3), "Rei", True)]
    (folder / "1.xmp").write_bytes(xmp.merged(None, unnamed, shape))
    (folder / "2.xmp").write_text(MICROSOFT, encoding="utf-8")


MICROSOFT = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
 xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
<rdf:li><rdf:Description
 MPReg:Rectangle="0.25, 0.2, 0.3, 0.4" MPReg:PersonDisplayName="Rei"/></rdf:li>
<rdf:li MPReg:Rectangle="0.7 0.35 0.2 0.3" MPReg:PersonDisplayName="Asuka"/>
</rdf:Bag></MPRI:Regions></MP:RegionInfo></rdf:Description></rdf:RDF></x:xmpmeta>
"""


def _captions(folder: Path) -> None:
    texts = (
        "1girl, ayanami_rei_(evangelion), blue hair, solo",
        "character:ayanami rei\n1girl\nseries:evangelion\n",
        "\ufeffRei stands in the rain, seen from behind.\r\nRei smiles, 1girl, umbrella\r\n",
        "character:Rei%2C the first, \\(smile\\), 日向ソラ",
    )
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_bytes(text.encode())


def _models(folder: Path) -> None:
    yolo_file(folder / "0.onnx", 2)
    shutil.copy(bundled("models") / "eyes.onnx", folder / "1.onnx")
    shutil.copy(bundled("models") / "manifest.toml", folder / "0.toml")
    shutil.copy(bundled("models") / "anime.dat", folder / "0.dat")
    write_strangers(folder / "0.npz", nobody())
    shutil.copy(sorted(bundled("models").glob("strangers-*.npz"))[0], folder / "1.npz")


def _videos(folder: Path) -> None:
    shown = [scene(Square(20 + step, 20, 60), brightness=40 * (step // 12)) for step in range(24)]
    frames = at_rate(shown)
    ways = (
        ("0.mkv", "ffv1", "bgr0"), ("1.mp4", "mpeg4", "yuv420p"), ("2.avi", "mjpeg", "yuvj420p"),
        ("3.ts", "mpeg2video", "yuv420p"), ("4.mov", "png", "rgb24"),
        ("5.mp4", "libx264", "yuv420p"), ("6.webm", "libvpx-vp9", "yuv420p"),
        ("7.flv", "flv", "yuv420p"), ("8.mpg", "mpeg2video", "yuv420p"),
        ("9.mkv", "libx265", "yuv420p10le"),
    )  # fmt: skip
    for name, codec, pixels in ways:
        try:
            write_video(folder / name, frames, codec=codec, pixel_format=pixels)
        except ValueError:
            # This FFmpeg cannot write it.
            (folder / name).unlink(missing_ok=True)


def _corrections(folder: Path) -> None:
    """Write what other programs say of the one face of a picture, a.png."""
    place = {"x": 10.0, "y": 10.0, "width": 40.0, "height": 60.0}
    region = {"value": {**place, "rotation": 0, "rectanglelabels": ["Rei"]}}
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": 160, "height": 120}],
        "categories": [{"id": 1, "name": "Rei"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 60, 70]}],
    }
    face = {"box": [10, 10, 70, 80], "character": "Rei", "decided": "confirmed"}
    record = {"path": "a.png", "width": 160, "height": 120, "faces": [face], "digest": "0" * 64}
    takeout = {"title": "a.png", "people": [{"name": "Rei"}]}
    texts = {
        "tasks.json": json.dumps(
            [{"data": {"image": "a.png"}, "annotations": [{"result": [region]}]}]
        ),
        "coco.json": json.dumps(coco),
        "takeout.json": json.dumps(takeout),
        "records.jsonl": json.dumps(record) + "\n",
        "table.csv": "path,left,top,right,bottom,character\na.png,10,10,70,80,Rei\n",
        "cvat.xml": '<annotations><image name="a.png" width="160" height="120"><box label="Rei" '
        'xtl="10" ytl="10" xbr="70" ybr="80"/></image></annotations>',
        "picasa.ini": "[Contacts2]\n12=Rei;;\n[a.png]\nfaces=rect64(1000100080008000),12\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    with closing(sqlite3.connect(folder / "digikam4.db")) as database, database:
        database.executescript(
            """
            CREATE TABLE AlbumRoots (id INTEGER PRIMARY KEY, identifier TEXT, specificPath TEXT);
            CREATE TABLE Albums (id INTEGER PRIMARY KEY, albumRoot INTEGER, relativePath TEXT);
            CREATE TABLE Images (id INTEGER PRIMARY KEY, album INTEGER, name TEXT);
            CREATE TABLE Tags (id INTEGER PRIMARY KEY, pid INTEGER, name TEXT);
            CREATE TABLE TagProperties (tagid INTEGER, property TEXT, value TEXT);
            CREATE TABLE ImageTagProperties (imageid, tagid, property TEXT, value TEXT);
            INSERT INTO AlbumRoots VALUES (1, 'volumeid:?path=%2Fbeside', '/');
            INSERT INTO Albums VALUES (1, 1, '/beside');
            INSERT INTO Images VALUES (1, 1, 'a.png');
            INSERT INTO Tags VALUES (1, 0, 'Rei');
            INSERT INTO ImageTagProperties
                VALUES (1, 1, 'tagRegion', '<rect x="10" y="10" width="60" height="70"/>');
            """
        )


MAKERS = {
    "pictures": _pictures,
    "exports": _exports,
    "sidecars": _sidecars,
    "records": _records,
    "captions": _captions,
    "corrections": _corrections,
    "models": _models,
    "databases": _databases,
    "videos": _videos,
}
"""By kind."""
