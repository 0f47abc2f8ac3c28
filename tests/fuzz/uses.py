"""What gallery does with a file of each kind; it may answer, or raise a GalleryError."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from fakes import FakeDetector, fake_gallery, write_picture
from labelled import identify_files

from gallery.engine.engine import Engine
from gallery.errors import GalleryError
from gallery.events import result_of
from gallery.faces.detectors.onnx_file import OnnxFileDetector
from gallery.faces.networks.library import Library
from gallery.faces.networks.manifest import read_detectors
from gallery.identify.calibration.strangers import read_strangers
from gallery.jobs.corrections import CorrectionChoices, corrections
from gallery.jobs.reencode import encode_samples
from gallery.media.images import MAX_PIXELS, from_pixels, read_header, read_image
from gallery.media.inputs import is_video
from gallery.media.video_reader import VideoReader
from gallery.metadata.captions import TagRule, candidates_in, names_listed
from gallery.metadata.named_regions import named_faces
from gallery.output import registry
from gallery.output.format import Output
from gallery.output.resume import open_writer, progress_of, remaining
from gallery.store import archive
from gallery.types import Answer, Box, Face, Record, Verdict

SMALL = MAX_PIXELS // 200
"""Pixels of pictures in which faces are looked for: damage makes others of some sizes."""

FRAMES = 60
"""So many of a video are looked at."""


class Uses:
    """Holds what is made once for many inputs."""

    def __init__(self, folder: Path) -> None:
        """Work in a folder that is this process's own."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.picture = write_picture(folder / "beside" / "a.png")
        fake_gallery(folder / "empty.db").close()
        with fake_gallery(folder / "seen.db") as gallery:
            list(identify_files(gallery, [self.picture], keep=True))
        self.record = Record(
            self.picture,
            160,
            120,
            "fake",
            (
                Answer(
                    Face(Box(30.0, 20.0, 80.0, 70.0), 0.9),
                    verdict=Verdict.SURE,
                    character="Rei",
                    distance=0.1,
                    matches=(),
                ),
            ),
        )

    def of(self, kind: str) -> Callable[[Path], None]:
        """Return what a kind's file is given to."""
        uses: dict[str, Callable[[Path], None]] = {
            "pictures": self.use_picture,
            "exports": self.use_export,
            "sidecars": self.use_sidecar,
            "records": self.use_records,
            "captions": self.use_caption,
            "corrections": self.use_correction,
            "models": self.use_model,
            "databases": self.use_database,
            "videos": self.use_video,
        }
        return uses[kind]

    def use_picture(self, path: Path) -> None:
        with refusals():
            read_header(path)
        with refusals():
            named_faces(path)
        with refusals():
            image = read_image(path)
            if image.width * image.height < SMALL:
                FakeDetector().detect([image])

    def use_export(self, path: Path) -> None:
        with self._gallery(self.folder / "empty.db") as gallery, refusals():
            archive.restore(gallery.store, path)
            gallery.store.samples("fake")
            gallery.characters()

    def use_sidecar(self, path: Path) -> None:
        for name in ("a.png.xmp", "a.xmp"):
            beside = self.picture.with_name(name)
            shutil.copy(path, beside)
            with refusals():
                named_faces(self.picture)
            with refusals():
                self._write("xmp" if name == "a.png.xmp" else "xmp-stem")
            beside.unlink()

    def use_caption(self, path: Path) -> None:
        with refusals():
            names_listed(path)
        for name, writer in (
            ("a.txt", "captions"),
            ("a.caption", "captions"),
            ("a.png.txt", "hydrus"),
        ):
            beside = self.picture.with_name(name)
            shutil.copy(path, beside)
            candidates_in([self.picture], TagRule(["Rei", "日向ソラ"]))
            candidates_in([self.picture], TagRule([], "character:"))
            with refusals():
                self._write(writer)
            beside.unlink()

    def use_correction(self, path: Path) -> None:
        if path.suffix == ".ini":
            path = Path(shutil.copy(path, self.folder / ".picasa.ini"))
        choices = CorrectionChoices([path], everything=True, new=True)
        with self._gallery(self.folder / "seen.db") as gallery, refusals():
            result_of(corrections(gallery, choices))

    def use_records(self, path: Path) -> None:
        if path.suffix == ".json":
            for name in ("coco", "label-studio"):
                with refusals():
                    self._write(name, path)
            return
        with refusals(), contextlib.closing(open_writer(path, "fake")) as records:
            for name in ("coco", "label-studio"):
                writer = registry.open_writer(
                    name, Output(path.with_name(f"{name}.json"), path.parent, "fake")
                )
                for one in records.records():
                    writer.write(one)
                writer.close()
            progress_of(records.records())
            remaining([self.picture], records)
            records.drop(sorted(records.done)[:1])
            records.write(self.record)
        for name in ("coco.json", "label-studio.json"):
            path.with_name(name).unlink(missing_ok=True)

    def use_model(self, path: Path) -> None:
        if path.suffix == ".toml":
            library = Library(self.folder / "models", path)
            with refusals():
                library.verify()
            with refusals():
                read_detectors(path)
            own = self.folder / "own" / "manifest.toml"
            own.parent.mkdir(exist_ok=True)
            shutil.copy(path, own)
            with refusals():
                Library(own.parent).entries()
        elif path.suffix == ".npz":
            shutil.copy(path, self.folder / "strangers-fake.npz")
            with refusals():
                read_strangers(self.folder, "fake")
        elif path.suffix == ".dat":
            with refusals():
                Library(self.folder / "models").add(path, "other", replacing=True)
        else:
            with refusals():
                detector = OnnxFileDetector(path, threads=1)
                detector.detect([from_pixels(np.full((90, 120, 3), 90, np.uint8), path)])

    def use_database(self, path: Path) -> None:
        with refusals(), self._gallery(path) as gallery:
            for use in _database_uses(gallery, path.with_suffix(".zip")):
                with refusals():
                    use()
        for left in path.parent.glob(f"{path.name}*"):
            if left.is_file():
                left.unlink()
            else:
                shutil.rmtree(left)
        path.with_suffix(".zip").unlink(missing_ok=True)

    def use_video(self, path: Path) -> None:
        is_video(path)
        for start in (0.0, 0.6):
            with refusals(), VideoReader(path) as reader:
                for number, frame in enumerate(reader.frames(start)):
                    if number % 8 == 0:
                        frame.image()
                    if number > FRAMES:
                        break
                reader.cut_short()

    def _write(self, name: str, target: Path | None = None) -> None:
        output = Output(target, self.picture.parent, "fake")
        writer = registry.open_writer(name, output)
        writer.write(self.record)
        writer.close()

    @contextlib.contextmanager
    def _gallery(self, database: Path) -> Iterator[Engine]:
        copy = self.folder / "gallery.db"
        for left in self.folder.glob("gallery.db*"):
            left.unlink() if left.is_file() else shutil.rmtree(left)
        shutil.copy(database, copy)
        with fake_gallery(copy) as gallery:
            yield gallery


def _database_uses(gallery: Engine, target: Path) -> Iterator[Callable[[], object]]:
    store, seen = gallery.store, gallery.store.sightings
    image = from_pixels(np.full((90, 120, 3), (220, 20, 20), np.uint8), Path("a.png"))
    yield store.check
    yield gallery.characters
    yield lambda: store.samples("fake")
    yield lambda: store.vectors("fake")
    yield lambda: [store.descriptors_of(one) for one in store.sample_ids()]
    yield lambda: gallery.crops(store.sample_ids())
    yield lambda: (store.labels(), store.known_files(), store.contents(), store.forgotten())
    yield lambda: (store.former_names(), store.refusals(""), store.encoders(), store.replaced())
    yield lambda: (store.rejections.all(), gallery.rejected())
    yield lambda: (seen.all(), seen.pictures(), seen.vectors("fake"), seen.enrolled())
    yield lambda: list(seen.by_files())
    yield lambda: (seen.videos.all(), seen.videos.shots(), seen.videos.faces(""))
    yield lambda: json.dumps(str(gallery.calibration_note()))
    yield lambda: gallery.identify(image)
    yield lambda: archive.export(store, target)
    yield lambda: gallery.keep(gallery.observe([image]))
    yield lambda: encode_samples(gallery, gallery.remaining(everything=True))
    yield gallery.calibrate
    yield partial(_rename_all, gallery)
    yield lambda: [gallery.forget(one.name) for one in gallery.characters()]


def _rename_all(gallery: Engine) -> None:
    for one in gallery.characters():
        gallery.rename(one.name, f"{one.name} 2")


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Take what gallery refuses; its words are one sentence, or a few on one line."""
    try:
        yield
    except GalleryError as error:
        said = str(error)
        if not said.endswith((".", "?")) or "\n" in said.strip("\n"):
            raise AssertionError(f"no sentence: {said!r}") from error
