"""A gallery into another database: from a file to a server, and back."""

from __future__ import annotations

from contextlib import closing

from gallery.events import Advanced, Finished, Job, Started
from gallery.store.addresses import address_of
from gallery.store.copying import Copied, Copy, Portion


def copy(source: str, target: str, *, exclusive: bool = False) -> Job[Copied]:
    """Copy all of a gallery into a database that is empty, or not there yet.

    Both are paths or URLs; files are `exclusive` where this process alone uses them. What is told
    is in the target; a copy that is left goes on where it was. Raises InputError where there is no
    gallery to copy, where the target holds one, and for a URL that is none; StoreError where a
    database fails.
    """
    with closing(Copy(address_of(source), address_of(target), exclusive=exclusive)) as copying:
        for step in copying.portions():
            if isinstance(step, Portion):
                yield Advanced(step.rows)
            elif isinstance(step, Copied):
                yield Finished(step)
            else:
                yield Started("copying", step, "row")
