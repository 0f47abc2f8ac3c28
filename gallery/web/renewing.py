"""Stale answers are renewed in the background, while a page is open or programs are served.

A thread with an engine of its own does in small parts what `jobs.answers` does. Between two parts
it waits until no request is under way, so that a decision waits for one part at most.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Self

from gallery.engine.engine import Engine
from gallery.errors import GalleryError
from gallery.jobs.answers import renew, renew_doubted
from gallery.store.answers import GalleryState
from gallery.web.pairs_ahead import PairsAhead
from gallery.web.turns import Turns

LOOK = 1.0
"""Seconds between two looks whether something is stale."""

SETTLED = 2.0
"""Seconds without a change of the gallery before all is answered anew: somebody may enroll."""

QUIET = 60.0
"""Seconds without a new answer before faces that were answered alone are answered jointly."""

AT_ONCE = 50
"""Faces between two commits."""

STILL = 0.05
"""Seconds without a request before a part begins: a program's next one follows at once, and would
wait for the part."""

PATIENCE = 1.0
"""Seconds that one part waits for requests at most, so that it goes on under any load."""

ENDING = 30.0
"""Seconds that the end of it is waited for."""

SWITCH = 0.0005
"""Seconds after which a thread that computes lets another one go on. With Python's usual 5 ms each
of the many statements of a decision could wait as long."""


class Renewing:
    """Renews answers until its block is left; `tell` gets a sentence where it cannot."""

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        turns: Turns,
        tell: Callable[[str], None] = lambda _: None,
        *,
        pairs: PairsAhead | None = None,
        look: float = LOOK,
        settled: float = SETTLED,
        quiet: float = QUIET,
    ) -> None:
        """Take what opens the gallery once more, for this thread alone.

        The pairs, where there are some, are found anew as well.
        """
        self._pairs = pairs
        self._open, self._turns, self._tell = open_engine, turns, tell
        self._look, self._settled, self._quiet = look, settled, quiet
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gallery-renewing", daemon=True)
        self._seen: tuple[GalleryState, int] | None = None
        """The gallery and the revision of its answers at the last look."""
        self._changed_at = self._answered_at = 0.0
        self.looks = 0
        """How often it was looked whether something is stale."""
        self._left: tuple[GalleryState, int] | None = None
        """The gallery, and how many faces were stale, after all was answered that can be."""

    def __enter__(self) -> Self:
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        if self._pairs is not None:
            self._pairs.in_background = True
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(ENDING)
        if self._pairs is not None:
            self._pairs.in_background = False
        sys.setswitchinterval(self._switch)

    def _run(self) -> None:
        told = None
        # A page that is opened at once would wait for the first look.
        self._ending.wait(self._look)
        with contextlib.ExitStack() as opened:
            engine: Engine | None = None
            while not self._ending.is_set():
                try:
                    if engine is None:
                        engine = opened.enter_context(contextlib.closing(self._open()))
                    self._give_way()
                    self._renew(engine)
                    if self._pairs is not None:
                        self._pairs.follow(engine)
                    self.looks += 1
                    told = None
                except GalleryError as error:
                    # A request is told so as well, and somebody may put it right meanwhile.
                    if str(error) != told:
                        told = str(error)
                        self._tell(told)
                self._ending.wait(self._look)

    def _renew(self, engine: Engine) -> None:
        """Renew what is stale now, first of all what single decisions put in doubt."""
        self._renew_doubted(engine)
        stored, now = engine.store.answers, time.monotonic()
        state, news = stored.now(engine.encoder), stored.news(engine.encoder)
        if self._seen is None or self._seen[0] != state:
            # What is stale at the beginning has been so for long.
            self._changed_at = now if self._seen else now - self._settled
        if self._seen is None or self._seen[1] != news.revision:
            self._answered_at = now if self._seen else now - self._quiet
        self._seen = state, news.revision
        is_stale = bool(news.stale) and now - self._changed_at >= self._settled
        is_alone = bool(news.alone) and now - self._answered_at >= self._quiet
        if (is_stale or is_alone) and self._left != (state, news.stale + news.alone):
            self._do(renew(engine, at_once=AT_ONCE), lambda: self._renew_doubted(engine))
            news = stored.news(engine.encoder)
            self._left = state, news.stale + news.alone
            self._seen = state, news.revision

    def _renew_doubted(self, engine: Engine) -> None:
        stored = engine.store.answers
        if stored.unheeded() or stored.doubted(engine.encoder):
            self._do(renew_doubted(engine, at_once=AT_ONCE))

    def _do(
        self, job: Generator[Any, None, None], between: Callable[[], None] = lambda: None
    ) -> None:
        """Do a job part by part; what is done of it stays where it is left."""
        with contextlib.closing(job):
            for _ in job:
                if self._ending.is_set():
                    return
                self._give_way()
                between()

    def _give_way(self) -> None:
        """Wait until requests leave a gap; where they leave none, between two of them."""
        if not self._turns.wait(PATIENCE, STILL):
            self._turns.wait(PATIENCE)
