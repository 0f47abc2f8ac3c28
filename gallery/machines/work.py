"""What a worker does: pictures and crops in, faces and descriptors out. It knows no database.

What it is asked and what it answers is plain, so that nothing of the submitter's machine comes
along but names: crops travel as PNG, which loses nothing.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gallery import __version__
from gallery.engine.assemble import chosen_encoder, describer
from gallery.errors import InputError, SetupError, UnfitWorker, UnreadablePicture
from gallery.faces.catalog import detector_id
from gallery.faces.describe import DescribedPicture, Describer
from gallery.faces.quality import Gates
from gallery.jobs.pipeline import Looked, prepared
from gallery.media.images import decode, decode_crop, encode_png, read_bytes
from gallery.settings import Settings
from gallery.system.files import absolute
from gallery.system.threads import ROOM, limited
from gallery.types import Content, DescribedFace, Descriptor, Face, Image, Quality

LIBRARIES = ("numpy", "onnxruntime", "cv2", "PIL")
"""Modules whose versions may tell in the last digit of a descriptor, or in a pixel."""


@functools.cache
def kind() -> str:
    """Return what is here of all that may tell in an answer; machines of one kind work together."""
    versions = (f"{name} {importlib.import_module(name).__version__}" for name in LIBRARIES)
    return ", ".join((f"gallery {__version__}", *versions))


@dataclass(frozen=True, slots=True)
class Order:
    """How faces are looked for and described: the submitter's settings."""

    encoder: str
    encoder_id: str
    """Names the weights that the worker's own have to be."""
    runtime: str
    detector: str
    detector_id: str
    head_scale: float

    @staticmethod
    def of(settings: Settings) -> Order:
        """Return what settings say. Raises SetupError for a network that is not here."""
        is_file = settings.detector.lower().endswith(".onnx")
        detector = str(absolute(settings.detector)) if is_file else settings.detector
        return Order(
            settings.encoder,
            chosen_encoder(settings).id,
            settings.runtime,
            detector,
            detector_id(detector),
            settings.head_scale,
        )

    @property
    def settings(self) -> Settings:
        """The same on this machine."""
        return Settings(
            encoder=self.encoder,
            runtime=self.runtime,
            detector=self.detector,
            head_scale=self.head_scale,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture to look at."""

    name: str
    """What it is called where it was asked for; nothing is read there."""
    content: bytes | None
    """The file; None where the worker reads it by itself."""
    place: str = ""
    """Where the worker finds it."""
    size: int = 0
    """How many bytes it has to have there."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face as it travels."""

    face: Face
    quality: Quality
    crop: bytes
    descriptor: bytes

    @staticmethod
    def of(one: DescribedFace) -> SeenFace:
        """Pack a face."""
        crop, descriptor = encode_png(one.crop), one.descriptor.astype(np.float32).tobytes()
        return SeenFace(one.face, one.quality, crop, descriptor)

    def described(self) -> DescribedFace:
        """Return the face that was packed."""
        return DescribedFace(
            self.face,
            decode_crop(self.crop),
            np.frombuffer(self.descriptor, np.float32),
            self.quality,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in a picture, or why it was refused."""

    digest: str = ""
    width: int = 0
    height: int = 0
    content: Content | None = None
    faces: tuple[SeenFace, ...] = ()
    left_out: int = 0
    failure: InputError | None = None
    is_absent: bool = False
    """Whether the worker does not find the file where it was told to read it."""


class _Absent(InputError):  # noqa: N818 - it says what happened
    """A file is not where it was said to be, or is another one."""


def look(order: Order, gates: Gates, asked: Sequence[Asked]) -> list[Seen]:
    """Look at pictures with one core.

    Raises SetupError where this worker cannot do as ordered, or would do it with other weights.
    """
    with limited(1):
        using = _describer(order)

        def found(images: Sequence[Image]) -> Sequence[Seen]:
            described = using.describe_pictures(images, gates)
            return [_seen(*one) for one in zip(images, described, strict=True)]

        return [_answer(one) for one in prepared(map(_read, asked), found, ROOM // 4)]


def encode(order: Order, crops: Sequence[bytes]) -> list[Descriptor]:
    """Return the descriptors of crops, PNG or JPEG files; raises SetupError as look does."""
    with limited(1):
        batch = np.stack([decode_crop(one) for one in crops])
        return list(_describer(order).encoder.encode(batch))


_OPENING = threading.Lock()


def _describer(order: Order) -> Describer:
    # Of several threads that come first, one opens the networks.
    with _OPENING:
        try:
            return _opened(order)
        except UnfitWorker:
            raise
        except SetupError as error:
            raise UnfitWorker(_own_address(), f"cannot do it: {str(error).rstrip('.')}") from error


@functools.lru_cache(maxsize=2)
def _opened(order: Order) -> Describer:
    settings = order.settings
    chosen = chosen_encoder(settings)
    if chosen.id != order.encoder_id:
        raise UnfitWorker(_own_address(), f"has other weights of the network {order.encoder!r}")
    if detector_id(order.detector) != order.detector_id:
        raise UnfitWorker(_own_address(), f"has another detector {order.detector!r}")
    return describer(settings, chosen)


def _own_address() -> str:
    from distributed import get_worker

    return str(get_worker().address)


def _read(asked: Asked) -> Looked[Seen]:
    path = Path(asked.name)
    try:
        content = _found(asked) if asked.content is None else asked.content
        return Looked(path, image=decode(content, path))
    except InputError as error:
        return Looked(path, failure=error.detached())


def _found(asked: Asked) -> bytes:
    """Return a file that the worker reads by itself."""
    place = Path(asked.place)
    try:
        content = read_bytes(place)
    except UnreadablePicture as error:
        # It is there, and no picture, wherever it is read.
        error.path = Path(asked.name)
        raise
    except InputError as error:
        raise _Absent from error
    if len(content) != asked.size:
        raise _Absent
    return content


def _seen(image: Image, described: DescribedPicture) -> Seen:
    return Seen(
        image.digest,
        image.width,
        image.height,
        image.content,
        tuple(SeenFace.of(one) for one in described.faces),
        described.left_out,
    )


def _answer(one: Looked[Seen]) -> Seen:
    if isinstance(one.failure, _Absent):
        return Seen(is_absent=True)
    return Seen(failure=one.failure) if one.found is None else one.found
