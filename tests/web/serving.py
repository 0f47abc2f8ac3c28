"""Serves a gallery over fakes until it is killed: python serving.py DATABASE PORT TOKEN."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from fakes import fake_gallery
    from reviewed import desk_of

    from gallery.web.application import application
    from gallery.web.doors import Address
    from gallery.web.server import loopback, serving

    database, port, token = sys.argv[1:]
    with fake_gallery(database) as gallery, loopback(int(port)) as (where, sockets):
        address = Address(where, token)
        with serving(application(desk_of(gallery), "killed"), address, sockets) as running:
            sys.stdout.write(f"{address.link}\n")
            sys.stdout.flush()
            running.wait()
