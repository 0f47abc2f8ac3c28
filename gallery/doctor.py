"""What works on this machine, what does not, and what to do about it."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata

import numpy as np

from gallery import __version__
from gallery.engine.assemble import (
    chosen_encoder,
    describer,
    index_cache,
    is_there,
    open_gallery,
)
from gallery.errors import DamagedDatabase, GalleryError, InputError, NoSuchNetwork, plural
from gallery.faces import catalog
from gallery.faces.detectors import plugged
from gallery.faces.encoders import plugged as encoders
from gallery.faces.interfaces import Encoder
from gallery.faces.networks.devices import DRAWN_FACE, offered
from gallery.faces.networks.library import locate
from gallery.media.images import read_image
from gallery.output import registry
from gallery.settings import Settings
from gallery.store.addresses import address_of
from gallery.store.changes import Indexed
from gallery.store.logs import has_changes
from gallery.system import plugins
from gallery.system.files import remove_unfinished
from gallery.system.mounts import network_of
from gallery.system.threads import available_cores
from gallery.types import Image

PACKAGES = (
    "animeface", "dlib-bin", "faiss-cpu", "numpy", "onnxruntime", "opencv-python-headless",
    "pillow", "sqlalchemy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    is_well: bool
    text: str
    error: GalleryError | None = None
    """What is not well."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at versions, detector, encoder, outputs, database and index; yield what is found."""
    for what, look in _LOOKS:
        try:
            yield Finding(what, is_well=True, text=look(settings))
        except GalleryError as error:
            yield Finding(what, is_well=False, text=str(error), error=error)


def mend(settings: Settings) -> Iterator[Finding]:
    """Put right what is safe to, and yield what was done; nothing that anybody made is touched.

    Files that killed processes left unfinished go. The log beside a database comes into it, unless
    somebody has it open. An index that is stale follows the database.
    """
    for what, do in _CURES:
        try:
            yield Finding(what, is_well=True, text=do(settings))
        except GalleryError as error:
            yield Finding(what, is_well=False, text=str(error), error=error)


def _unfinished(settings: Settings) -> str:
    path = address_of(settings.database).path
    folders = [settings.cache_folder, settings.cache_folder / "indexes", settings.models_folder]
    if path is not None:
        folders += [path.parent, path.with_name(f"{path.name}-index")]
    removed = sum(remove_unfinished(folder) for folder in dict.fromkeys(folders))
    return f"{plural(removed, 'file')} removed that killed processes had left"


def _log(settings: Settings) -> str:
    path = address_of(settings.database).path
    if path is None or not path.exists():
        return "no file, and so no log beside it"
    left = has_changes(path)
    # The last one that closes a database takes its log in; a log of another file is put aside.
    open_gallery(replace(settings, series=None)).close()
    if not left:
        return "nothing is left in it"
    if has_changes(path):
        return "in use by another process, which takes it in at its end"
    return "what a killed process left in it is in the database now"


def _renewed(settings: Settings) -> str:
    if not is_there(settings):
        return "none yet"
    with open_gallery(settings) as gallery:
        cache = index_cache(gallery.store, settings.cache_folder)
        change = gallery.store.change()
        if cache.open(gallery.encoder, change) is not None:
            return "fresh as it is"
        gallery.require_encoded()
        cache.get(gallery.store, gallery.encoder, Indexed.IDEAL)
        is_kept = cache.open(gallery.encoder, change) is not None
    return "made fresh" if is_kept else "cannot be kept; questions are answered without it"


def _versions(_settings: Settings) -> str:
    versions = [f"gallery {__version__}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            # A self-compiled dlib goes by another name than the wheel, and does as well.
            versions.append(f"{package} not installed under this name")
    return ", ".join(versions)


def _machine(settings: Settings) -> str:
    runtime = "ONNX Runtime" if settings.runtime == "onnx" else "dlib"
    return (
        f"{platform.system()} {platform.machine()}, {available_cores()} cores; "
        f"networks run by {runtime}"
    )


def _devices(settings: Settings) -> str:
    """Say what the encoder's network runs on, and how long each device takes for a face."""
    try:
        weights = locate(settings.encoder, settings.models_folder)
    except NoSuchNetwork:
        return f"{chosen_encoder(settings).name} runs as its package has it"
    open_on = partial(catalog.encoder_on, settings.runtime, weights, settings.cache_folder)
    used, encoder = open_on(settings.device)
    said = [f"{used} ({_milliseconds(encoder):.0f} ms a face)"]
    for name in offered() if settings.runtime == "onnx" else ():
        if name != used:
            try:
                said.append(f"{name} ({_milliseconds(open_on(name)[1]):.0f} ms a face)")
            except GalleryError as error:
                said.append(f"{name} (not usable: {error})")
    return f"{used} is used; here are {', '.join(said)}"


def _milliseconds(encoder: Encoder) -> float:
    """Return how long a face takes, the second time."""
    face = _test_face().pixels[None]
    encoder.encode(face)
    began = time.perf_counter()
    encoder.encode(face)
    return 1000 * (time.perf_counter() - began)


def _test_face() -> Image:
    return read_image(DRAWN_FACE)


def _detector(settings: Settings) -> str:
    parts = describer(settings)
    (faces,) = parts.faces([_test_face()])
    if len(faces) != 1:
        raise InputError(
            f"{parts.detector.name} finds {plural(len(faces), 'face')} in the self-test picture, "
            "which shows one; reinstall gallery with its packages, or choose another detector "
            "where it is a file of yours."
        )
    others = plugins.names(plugged.GROUP)
    return f"{parts.detector.name} finds the drawn face (score {faces[0].score:.2f})" + (
        f"; plug-ins here: {', '.join(others)}" if others else ""
    )


def _encoder(settings: Settings) -> str:
    chosen = chosen_encoder(settings)
    # Whatever is wrong with the detector is another finding.
    parts = describer(replace(settings, detector="whole"), chosen)
    (one,) = parts.describe_all(_test_face())
    if not np.isfinite(one.descriptor).all() or not one.descriptor.any():
        raise InputError(f"The encoder {parts.encoder.id} gives no descriptor of the drawn face.")
    kind = (
        " - A STAND-IN for human faces: it is wrong about anime more often than right; "
        "`gallery models list` shows others"
        if chosen.stand_in
        else ""
    )
    others = plugins.names(encoders.GROUP)
    kind += f"; plug-ins here: {', '.join(others)}" if others else ""
    return f"{chosen.name} ({parts.encoder.id}) encodes the drawn face{kind}"


def _outputs(_settings: Settings) -> str:
    brought = plugins.names(registry.GROUP)
    for name in brought:
        registry.check(name)
    return ", ".join(registry.FORMATS) + (
        f"; plug-ins here: {', '.join(brought)}" if brought else ""
    )


def _database(settings: Settings) -> str:
    shown = address_of(settings.database).shown
    if shown is None:
        return "in memory, gone when a command ends; name a file with --database"
    if not is_there(settings):
        return f"none yet at {shown}; `gallery enroll FOLDER` makes it"
    with open_gallery(settings) as gallery:
        wrong = gallery.store.check()
        if wrong:
            # SQLite lists what it finds, a line each, under a heading of asterisks.
            first = next((line for line in wrong[0].splitlines() if line[:1] != "*"), wrong[0])
            raise DamagedDatabase(shown, f"is damaged ({first})")
        gallery.require_encoded()
        characters = gallery.characters()
        samples = sum(one.samples for one in characters)
        encoders = ", ".join(f"{name}: {count}" for name, count in gallery.store.encoders().items())
    path = gallery.store.path
    kind = None if path is None else network_of(path)
    alone = "" if kind is None else f"; on a network ({kind}), for one process alone"
    return (
        f"{shown} is sound: {plural(len(characters), 'character')}, "
        f"{plural(samples, 'sample')} ({encoders or 'none encoded'}){alone}"
    )


def _index(settings: Settings) -> str:
    address = address_of(settings.database)
    if address.shown is None or not is_there(settings):
        return "none yet"
    with open_gallery(settings) as gallery:
        cache = index_cache(gallery.store, settings.cache_folder)
        found = cache.open(gallery.encoder, gallery.store.change())
    name = "the one in the cache folder" if address.path is None else f"{address.path.name}-index"
    state = "fresh" if found is not None else "missing or stale; the next question renews it"
    return f"{name} is {state}"


_LOOKS: tuple[tuple[str, Callable[[Settings], str]], ...] = (
    ("versions", _versions),
    ("machine", _machine),
    ("device", _devices),
    ("detector", _detector),
    ("encoder", _encoder),
    ("outputs", _outputs),
    ("database", _database),
    ("index", _index),
)

_CURES: tuple[tuple[str, Callable[[Settings], str]], ...] = (
    ("unfinished files", _unfinished),
    ("log", _log),
    ("index", _renewed),
)
