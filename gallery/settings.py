"""What a user can choose, and where things lie. Light to import."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

APPLICATION = "gallery"

DEFAULT_ENCODER = "anime-ensemble"
"""The best of the networks that ship with gallery; models/anime.md says what it is worth."""

DEFAULT_DEVICE = "cpu"
"""The processor: what it says is what others are held to."""

DEFAULT_DETECTOR = "heads"
"""What finds faces where nobody chose; docs/detectors.md says what each is worth."""

SAME = 0.6
"""Up to this distance networks of dlib's kind call two faces the same, by convention."""

EVERY = 0.333
"""Seconds between looks at a video where nobody chose: limited animation holds a drawing about as
long. The command line and programs have the same, so that either can resume the other's job."""


YES = ("1", "true", "yes", "on")
"""What turns a choice on in the environment."""


def bundled(name: str) -> Path:
    """Return a folder that ships with the package: `models` or `migrations`.

    A wheel carries it inside the package; a checkout has it beside the package.
    """
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def default_database() -> str:
    """Return GALLERY_DATABASE, or a file in the platform's data folder."""
    return os.environ.get("GALLERY_DATABASE") or str(
        Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "gallery.db"
    )


def default_models_folder() -> Path:
    """Return GALLERY_MODELS, or a folder in the platform's data folder."""
    chosen = os.environ.get("GALLERY_MODELS")
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "models"


def default_cache_folder() -> Path:
    """Return GALLERY_CACHE, or the platform's cache folder; all in it can be made again."""
    chosen = os.environ.get("GALLERY_CACHE")
    return Path(chosen or platformdirs.user_cache_dir(APPLICATION, appauthor=False))


def default_token_file() -> Path:
    """Return where the token of programs is kept, in the platform's data folder."""
    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "token"


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices one run is made with."""

    database: str = field(default_factory=default_database)
    """A path, an SQLite URL or one of PostgreSQL; see store.addresses."""
    encoder: str = field(default_factory=lambda: os.environ.get("GALLERY_ENCODER", DEFAULT_ENCODER))
    """A name from the model manifest."""
    runtime: str = "onnx"
    """What runs the encoder's network: `onnx` or `dlib`. Both give the same descriptors."""
    device: str = field(default_factory=lambda: os.environ.get("GALLERY_DEVICE", DEFAULT_DEVICE))
    """What the encoder's network runs on; `auto` is the first that works, see networks.devices."""
    detector: str = field(
        default_factory=lambda: os.environ.get("GALLERY_DETECTOR", DEFAULT_DETECTOR)
    )
    """`heads`, `animeface`, `whole` (the picture is the face), a plug-in's name, or the path of an
    ONNX file."""
    head_scale: float = 1.0
    """For ONNX files: side of a head, hair and chin inside, over the side of the file's boxes."""
    collage: bool = field(default_factory=lambda: os.environ.get("GALLERY_COLLAGE", "") in YES)
    """Whether several faces of a picture may have one name, as in collages and split screens."""
    models_folder: Path = field(default_factory=default_models_folder)
    """Where fetched and added networks are kept."""
    cache_folder: Path = field(default_factory=default_cache_folder)
    exclusive: bool = field(default_factory=lambda: os.environ.get("GALLERY_EXCLUSIVE", "") in YES)
    """Whether one process alone uses a database in a file, which then may lie on a network."""
    series: str | None = None
    """The series whose characters alone are asked for; None for all."""


def resolved(
    database: str | None = None,
    *,
    encoder: str | None = None,
    runtime: str | None = None,
    device: str | None = None,
    detector: str | None = None,
    head_scale: float | None = None,
    collage: bool | None = None,
    exclusive: bool | None = None,
    series: str | None = None,
) -> Settings:
    """Return settings with what was chosen; what is None is as Settings has it."""
    usual = Settings()
    return replace(
        usual,
        database=usual.database if database is None else database,
        encoder=usual.encoder if encoder is None else encoder,
        runtime=usual.runtime if runtime is None else runtime,
        device=usual.device if device is None else device,
        detector=usual.detector if detector is None else detector,
        head_scale=usual.head_scale if head_scale is None else head_scale,
        collage=usual.collage if collage is None else collage,
        exclusive=usual.exclusive if exclusive is None else exclusive,
        series=series,
    )
