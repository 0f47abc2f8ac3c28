"""The measurement of servers: both places take the same, and nothing is left on the server."""

from __future__ import annotations

from pathlib import Path

from postgres import Server

from benchmarks.machines import places
from gallery.store.reader import Store


def test_both_places_take_the_same_rows_and_the_databases_go(
    server: Server, tmp_path: Path
) -> None:
    with places(server.url("postgres"), tmp_path) as known:
        assert sorted(known) == ["file", "server"]
        for place in known.values():
            with Store(place.where) as store:
                place.add(store, 3)
                place.keep(store, 2)
                place.read(store, 20)
                assert (len(store.samples("random")), store.sightings.count()) == (3, 4)
    left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'gallery_benchmark_%'"
    assert server.run(left) == [(0,)]
