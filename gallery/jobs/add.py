"""One picture into the gallery, from a file or from memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import UnusableFile
from gallery.faces.align import EyeAligner
from gallery.faces.describe import Describer
from gallery.faces.detectors.whole import WholePicture
from gallery.faces.quality import is_poor
from gallery.jobs.enroll_folders import choose_face
from gallery.media.images import pixels_digest
from gallery.store.names import clean_name
from gallery.store.writer import NewSample
from gallery.types import Content, DescribedFace, Image, Sample

if TYPE_CHECKING:
    from gallery.engine.engine import Engine


def add(
    engine: Engine,
    image: Image,
    name: str,
    *,
    largest: bool = False,
    aligned: bool = False,
    keep_poor: bool = False,
) -> Sample:
    """Enroll the one face of a picture under a name, new or not, and return the sample.

    `largest` takes the largest of several faces; an `aligned` picture is a crop that gallery cut,
    and no detector sees it. A face that is enrolled under the name already is returned as it is.
    Raises InputError where there is no face or several, for a name that cannot be one, and for a
    face that is enrolled under another; StoreError where samples lack the encoder in use.
    """
    name = clean_name(name)
    engine.require_encoded()
    describer = engine.describer
    if aligned:
        describer = Describer(WholePicture(), EyeAligner(), describer.encoder)
    return put(engine, look(describer, image, largest=largest), name, keep_poor=keep_poor).sample


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A picture that was looked at, and the one face that it is enrolled by."""

    image: Image
    content: Content
    face: DescribedFace
    encoder: str
    detector: str


@dataclass(frozen=True, slots=True)
class Added:
    """A sample that a picture became."""

    sample: Sample
    is_new: bool
    """False for a face that was there already."""


def look(describer: Describer, image: Image, *, largest: bool = False) -> Looked:
    """Describe the one face of a picture, or the largest, without a look at the database.

    Raises InputError where there is no face or several.
    """
    content = image.content or Content(pixels_digest(image.pixels))
    # A picture of memory has no other digest than its pixels'.
    image = image if image.digest else replace(image, digest=content.pixels)
    face = choose_face(image.path, describer.faces([image])[0], largest=largest)
    (described,) = describer.describe([(image, face)])
    return Looked(image, content, described, describer.encoder.id, describer.detector.name)


def put(
    engine: Engine,
    looked: Looked,
    name: str,
    *,
    path: Path | None = None,
    keep_poor: bool = False,
) -> Added:
    """Enroll a picture that was looked at under a name, new or not.

    Its path is noted, unless another one is given. Raises InputError for a name that cannot be one,
    and for a face that is enrolled under another.
    """
    name = clean_name(name)
    image, face = looked.image, looked.face
    with engine.store.writing() as writer:
        writer.remember_content(image.digest, looked.content)
        sample_id = writer.add(
            NewSample.of(
                face,
                name,
                digest=image.digest,
                path=path or image.path,
                encoder=looked.encoder,
                detector=looked.detector,
                is_poor=is_poor(face.quality) and not keep_poor,
            )
        )
    if sample_id is None:
        return Added(_known(engine, name, image), is_new=False)
    own = engine.samples(name)
    return Added(next(one for one in own if one.id == sample_id), is_new=True)


def _known(engine: Engine, name: str, image: Image) -> Sample:
    """Return the sample that a picture's face is already."""
    same = engine.store.same_picture(image.digest)
    found = [one for one in engine.store.samples(engine.encoder) if one.digest in same]
    owners = {one.character for one in found}
    owner = name if name in owners else engine.store.former_names().get(name)
    if owner not in owners:
        raise UnusableFile(
            image.path,
            f"is enrolled as {found[0].character} already",
            remedy="move that sample instead",
        )
    return next(one for one in found if one.character == owner)
