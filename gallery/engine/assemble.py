"""The one file that joins concrete parts."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.faces import catalog
from gallery.faces.align import EyeAligner
from gallery.faces.catalog import ChosenEncoder
from gallery.faces.describe import Describer, LateEncoder
from gallery.identify.calibration.strangers import read_strangers
from gallery.identify.index_cache import IndexCache
from gallery.settings import Settings, bundled
from gallery.store.addresses import address_of
from gallery.store.databases import is_gallery_at
from gallery.store.reader import Store


def open_gallery(settings: Settings | None = None, *, create: bool = False) -> Engine:
    """Open the gallery that settings name; with create, make its database where none is.

    Raises InputError where no database is and for a series that is not there, StoreError for a
    database that does not fit, SetupError for a network that is not here.
    """
    settings = settings or Settings()
    chosen = chosen_encoder(settings)
    store = Store(settings.database, create=create, exclusive=settings.exclusive)
    return Engine(
        store,
        chosen.id,
        chosen.thresholds,
        lambda: describer(settings, chosen),
        index_cache(store, settings.cache_folder),
        read_strangers=lambda: read_strangers(bundled("models"), chosen.id, do_ship=chosen.ships),
        # A head that is not sure says nothing against a crop.
        open_heads=lambda: catalog.heads(portraits=False),
        collage=settings.collage,
        series=settings.series,
    )


def is_there(settings: Settings) -> bool:
    """Say whether the gallery that settings name is there; one in memory always is.

    Raises InputError for a URL that is none, SetupError for another kind of database, StoreError
    for a server that does not answer.
    """
    return is_gallery_at(address_of(settings.database))


def check(settings: Settings) -> None:
    """Raise SetupError for a network that is not here, whatever is with the database."""
    chosen_encoder(settings)


def chosen_encoder(settings: Settings) -> ChosenEncoder:
    """Return the encoder that settings name, not opened yet. Raises SetupError for none."""
    return catalog.chosen_encoder(
        settings.encoder,
        settings.runtime,
        settings.models_folder,
        settings.cache_folder,
        settings.device,
    )


def index_cache(store: Store, cache_folder: Path) -> IndexCache:
    """Return the indexes kept in a folder beside a database; for one in memory none is kept.

    Those of a database on a server are kept in a cache folder.
    """
    path, shown = store.path, store.address.shown
    if path is not None:
        return IndexCache(path.with_name(f"{path.name}-index"))
    if shown is None:
        return IndexCache(None)
    return IndexCache(cache_folder / "indexes" / hashlib.sha256(str(shown).encode()).hexdigest())


def describer(settings: Settings, chosen: ChosenEncoder | None = None) -> Describer:
    """Join detector, aligner and encoder without a database; the first face opens the network.

    Raises SetupError where the detector does not work or the network is not here.
    """
    chosen = chosen or chosen_encoder(settings)
    return Describer(
        catalog.detector(settings.detector, settings.head_scale),
        EyeAligner(),
        LateEncoder(chosen.id, chosen.open),
    )
