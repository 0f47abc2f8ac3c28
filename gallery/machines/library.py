"""dask.distributed as gallery wants it: quiet, without pages of its own, and with its files here.

Dask writes its log to standard error, serves pages about its work on every network address, and
puts a file of settings into the user's home. Nothing of that is wanted.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from gallery.errors import MissingPackage
from gallery.settings import default_cache_folder

PAGES_AT = "127.0.0.1:0"
"""Where every part has a server for pages, which Dask insists on; there is no page on it."""

MANY = 1_000_000
"""So much of its kind a worker has: each batch takes one, and it never runs out."""

CONFIG: Mapping[str, Any] = {
    "logging": {"distributed": "critical", "bokeh": "critical", "tornado": "critical"},
    # Whoever lost a worker looks into it by himself, see workers.Workers.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    # A worker holds a few pictures at a time; what Dask would write to disk is nothing.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.large-graph-warning-threshold": "1 GiB",
    # Processes that are started hear of all this too late for their log.
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
    "distributed.comm.timeouts.connect": "5s",
    # A worker that ended is on its way back, however slow the machine is.
    "distributed.deploy.lost-worker-timeout": "365 days",
    # What Dask watches of itself fifty times a second is time that pictures want.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.diagnostics.nvml": False,
}


def load() -> ModuleType:
    """Return the module `distributed`; raises SetupError where it is not installed."""
    own = default_cache_folder() / "dask"
    os.environ.setdefault("DASK_CONFIG", str(own))
    try:
        import dask.config

        # Before the import, which reads them.
        dask.config.set({**CONFIG, "temporary-directory": str(own)})
        return importlib.import_module("distributed")
    except ImportError as error:
        raise MissingPackage("Other machines", "cluster") from error
