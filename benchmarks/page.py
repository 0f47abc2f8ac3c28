"""Measures the page as a person has it: real server, real Chromium, 100,000 seen faces.

    python -m benchmarks.page [--faces 100000] [--characters 500] [--times 50] [--starts 5]
                              [--database FILE]

Faces are made up as benchmarks.answers makes them, and those of strangers lie in groups. That takes
minutes: where a file is named, they are made there once, and every run takes a copy. `gallery
review` is started as a command, and keys are pressed in Chromium, which the system brings. A row
says how long a thing takes in the
middle and at the 95th percentile, how often it was measured, and what REVIEW asks for:

- start: from the command to the first view as it is painted,
- a key: from the key's event until the frame after it is painted,
- a decision: from when the page sends it until it has the answer,
- a page: 200 faces of a name, or unknown ones by the nearest character, from the request to the
  whole answer,
- pairs: the sixty likeliest, once they were found in the background,
- a screen: 100 faces from the address to the last crop as it is decoded,
- undo of 1,000: from when the page sends it until it has the answer,
- a decision while answers are renewed: after a sample was given to another character, so that
  the answers of all faces are made anew meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.answers import SAMPLES, see
from benchmarks.large import drawn, fill
from gallery.engine.assemble import open_gallery
from gallery.events import result_of
from gallery.jobs import answers
from gallery.settings import Settings
from gallery.system.threads import available_cores
from gallery.types import Verdict
from gallery.web.renewing import LOOK, SETTLED
from measuring.tables import table

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120_000
"""Milliseconds after which what is waited for does not come."""

MANY, PAGE = 1000, 200
OF_A_GROUP = 12
"""Groups of unknown faces have 2 faces to 13."""

WATCH = """() => {
  performance.setResourceTimingBufferSize(1e6);
  window.paints = [];
  addEventListener("keydown", (event) => requestAnimationFrame(() => {
    // What is posted in a frame comes after the frame is painted.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => window.paints.push(performance.now() - event.timeStamp);
    port2.postMessage(0);
  }), true);
}"""

PAINTED = """async (count) => {
  while (window.paints.length < count) await new Promise(requestAnimationFrame);
  return window.paints.at(-1);
}"""

SAVED = """async () => {
  while (document.getElementById("saving").textContent) await new Promise(requestAnimationFrame);
}"""

SENT = """(what) => performance.getEntriesByType("resource")
  .filter((one) => new URL(one.name).pathname === `/api/v1/${what}`).map((one) => one.duration)"""

ASK = """async ([what, body]) => {
  const headers = { "Content-Type": "application/json" };
  const began = performance.now();
  const answer = await fetch(`/api/v1/${what}`,
    body ? { method: "POST", headers, body: JSON.stringify(body) } : {});
  const value = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(value));
  return [performance.now() - began, value];
}"""

SHOWN = """async ([address, wanted]) => {
  const began = performance.now();
  location.hash = address;
  for (;;) {
    const all = [...document.querySelectorAll(".face img")];
    if (document.querySelector("h1")?.textContent === wanted && all.length
        && all.every((one) => one.complete && one.naturalWidth)) {
      return performance.now() - began;
    }
    await new Promise(requestAnimationFrame);
  }
}"""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is measured."""

    what: str
    wanted: float
    """Milliseconds at the 95th percentile."""
    took: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rows:
    """All things that are measured."""

    start: Row = field(default_factory=lambda: Row("start, to the first view", 2000))
    move: Row = field(default_factory=lambda: Row("a key that moves, to paint", 50))
    tick: Row = field(default_factory=lambda: Row("a key that ticks, to paint", 50))
    decide: Row = field(default_factory=lambda: Row("a key that decides, to paint", 50))
    decision: Row = field(default_factory=lambda: Row("a decision of one face", 50))
    screen: Row = field(default_factory=lambda: Row("a decision of a screen of 100", 50))
    page: Row = field(default_factory=lambda: Row(f"a page of {PAGE} faces", 100))
    near: Row = field(default_factory=lambda: Row(f"{PAGE} unknown faces by the nearest", 100))
    pairs: Row = field(default_factory=lambda: Row("likely pairs", 100))
    crops: Row = field(default_factory=lambda: Row("a screen, to its last crop", 1000))
    undo: Row = field(default_factory=lambda: Row(f"undo of {MANY:,}", 200))
    renewing: Row = field(default_factory=lambda: Row("a decision while answers are renewed", 50))

    @property
    def all(self) -> list[Row]:
        """In their order."""
        return [getattr(self, name) for name in self.__slots__]


def make(database: Path, faces: int, characters: int) -> None:
    """Make a gallery whose seen faces are answered."""
    fill(database, characters, SAMPLES)
    each = 2 * faces // (3 * characters) + 1
    seen = drawn(characters * 3 // 2, each)
    order = np.random.default_rng(1).permutation(seen.shape[0] * each)[:faces]
    with open_gallery(Settings(database=str(database))) as engine:
        see(database, engine.encoder, seen.reshape(-1, seen.shape[2])[order])
        result_of(answers.renew(engine, alone=True))
    group(database, {face: int(row) // each for face, row in enumerate(order, 1)})


def group(database: Path, identities: Mapping[int, int]) -> None:
    """Put unknown faces into groups of one stranger each, some into several, as clustering does."""
    with closing(sqlite3.connect(database)) as connection, connection:
        unknown = connection.execute(
            "SELECT sighting_id FROM answers WHERE verdict = ?", (Verdict.UNKNOWN.value,)
        )
        numbers = itertools.count(1)
        room: dict[int, tuple[int, int]] = {}
        rows = []
        for (face,) in unknown:
            number, left = room.get(identities[face], (0, 0))
            if not left:
                number = next(numbers)
                left = 2 + number % OF_A_GROUP
            room[identities[face]] = number, left - 1
            rows.append((number, face))
        connection.executemany("UPDATE sightings SET cluster = ? WHERE id = ?", rows)


@contextlib.contextmanager
def reviewing(database: Path) -> Iterator[str]:
    """Run `gallery review`, and give the link that it prints."""
    command = [sys.executable, "-m", "gallery", "--database", str(database), "review"]
    process = subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def measured(page: Page, rows: Rows, names: Sequence[str], times: int) -> None:
    """Look at faces and decide of them."""
    page.evaluate(WATCH)
    for name in names[:times]:
        rows.crops.took.append(page.evaluate(SHOWN, [f"#/sure/{name}", name]))
    for name in itertools.islice(itertools.cycle(names), times):
        rows.page.took.append(page.evaluate(ASK, [f"faces?name={name}&limit={PAGE}", None])[0])
    after = ""
    for _ in range(times):
        took, found = page.evaluate(ASK, [f"near?limit={PAGE}{after}", None])
        rows.near.took.append(took)
        after = f"&after={found['after']}" if found["after"] else ""
    wait_for_pairs(page)
    for _ in range(times):
        rows.pairs.took.append(page.evaluate(ASK, ["pairs", None])[0])
    page.locator(".faces").first.focus()
    for keys, row in ((("ArrowRight", "ArrowLeft"), rows.move), (("x", "Shift+X"), rows.tick)):
        for key in itertools.islice(itertools.cycle(keys), times):
            row.took.append(pressed(page, key))
    rows.decision.took.extend(decided_one_by_one(page, rows.decide, times))
    for name in names[times : times + 10]:
        page.evaluate(SHOWN, [f"#/sure/{name}", name])
        page.evaluate("() => performance.clearResourceTimings()")
        page.keyboard.press("y")
        page.evaluate(SAVED)
        rows.screen.took.extend(page.evaluate(SENT, "decisions"))
    many(page, rows, names)


def wait_for_pairs(page: Page) -> None:
    """Wait until pairs are found, which is a while after the start."""
    time.sleep(3 * LOOK)
    page.evaluate(ASK, ["pairs", None])


def decided_one_by_one(page: Page, row: Row, times: int) -> list[float]:
    """Ignore one face after the other, and return how long each decision takes."""
    page.evaluate("() => performance.clearResourceTimings()")
    for _ in range(times):
        row.took.append(pressed(page, "i"))
        page.evaluate(SAVED)
        pressed(page, "ArrowRight")
    return [float(one) for one in page.evaluate(SENT, "decisions")]


def while_renewing(page: Page, rows: Rows, database: Path, names: Sequence[str]) -> None:
    """Decide of a screen of faces, one after the other, while the answers of all are renewed."""
    with open_gallery(Settings(database=str(database))) as engine:
        engine.move([engine.samples(names[-1])[0].id], names[-2])
    time.sleep(SETTLED + LOOK)
    page.evaluate(SHOWN, [f"#/sure/{names[-3]}", names[-3]])
    page.locator(".faces").first.focus()
    total = page.evaluate(ASK, ["news", None])[1]["stale"]
    while total:
        rows.renewing.took.extend(decided_one_by_one(page, Row("", 0), 10))
        left = page.evaluate(ASK, ["news", None])[1]["stale"]
        if not left or len(rows.renewing.took) >= page.locator(".face").count():
            print(f"{left:,} of {total:,} faces were still to be answered anew")
            break


def many(page: Page, rows: Rows, names: Sequence[str]) -> None:
    """Decide of 1,000 faces at once, and undo it, ten times."""
    faces: list[dict[str, Any]] = []
    for name in reversed(names):
        _, found = page.evaluate(ASK, [f"faces?name={name}&limit=500", None])
        faces += [{"id": one["id"], "version": one["version"]} for one in found["faces"]]
        if len(faces) >= MANY:
            break
    body = {"action": "confirm", "name": names[0], "faces": faces[:MANY]}
    for _ in range(10):
        _, done = page.evaluate(ASK, ["decisions", body])
        assert done["step"]["faces"] == MANY
        took, undone = page.evaluate(ASK, ["undo", {"step": done["step"]["id"]}])
        assert undone["left"] == 0
        rows.undo.took.append(took)


def pressed(page: Page, key: str) -> float:
    """Press a key, and return how long it takes until that is painted, in milliseconds."""
    page.evaluate("() => { window.paints.length = 0; }")
    page.keyboard.press(key)
    # Shift is a key, too.
    return float(page.evaluate(PAINTED, key.count("+") + 1))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="Measure the page in a real browser.")
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--characters", type=int, default=500)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--database", type=Path, help="where the gallery is made, or was before")
    chosen = parser.parse_args(arguments)
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise SystemExit(f"No browser is installed: {', '.join(BROWSERS)}.")
    rows = Rows()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        database = Path(folder) / "page.db"
        kept = chosen.database or database
        if not kept.exists():
            make(kept, chosen.faces, chosen.characters)
        if kept != database:
            shutil.copy(kept, database)
        with open_gallery(Settings(database=str(database))) as engine:
            names = [*engine.store.answers.counts(engine.encoder).names(Verdict.SURE)]
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE)
        for left in reversed(range(chosen.starts)):
            began = time.perf_counter()
            with reviewing(database) as link:
                page.goto(link)
                page.locator("h1").first.wait_for()
                rows.start.took.append(1000 * (time.perf_counter() - began))
                if not left:
                    measured(page, rows, names, chosen.times)
                    while_renewing(page, rows, database, names)
        browser.close()
    print(
        f"{chosen.faces:,} seen faces of {chosen.characters} characters, {available_cores()} cores"
    )
    print(
        table(
            ("what", "median ms", "95 % ms", "wanted", "N"),
            [
                (
                    one.what,
                    f"{np.median(one.took):.0f}",
                    f"{np.quantile(one.took, 0.95):.0f}",
                    f"{one.wanted:.0f}",
                    str(len(one.took)),
                )
                for one in rows.all
                if one.took
            ],
        )
    )


if __name__ == "__main__":
    main()
