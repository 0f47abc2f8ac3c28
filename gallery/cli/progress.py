"""Following a job: one bar a stage, a line for what is refused, and one end for Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TypeAlias

import typer

from gallery.cli.advice import told, why
from gallery.cli.show import console, plural, say
from gallery.events import (
    DRAWN,
    Event,
    Finished,
    Job,
    LeftOut,
    Noticed,
    PassedOver,
    Refused,
    Result,
    Started,
    VideoStarted,
    Waiting,
    steps_of,
)

Advance: TypeAlias = Callable[[int], None]
"""Tells a bar that so many more are done."""


class Reporter:
    """What a command says of a job; most say more than this by a class of their own."""

    refused = 0
    """How many files or pictures could not be used so far."""

    def tell(self, event: Event[object]) -> None:
        """Say what an event is about."""
        if isinstance(event, Refused):
            self.refused += 1
            say(f"gallery: {why(event)}")
        elif isinstance(event, Noticed):
            say(told(event.notice))
        elif isinstance(event, PassedOver):
            say(passed_over(event.suffixes))
        elif isinstance(event, LeftOut):
            say(f"face:{event.face} of {event.path} left out: it {event.reason}.")

    def stop(self) -> None:
        """Say how things stand when a person stopped the job; most need no word."""


class WholeReporter(Reporter):
    """Of a job whose output is written whole or not at all."""

    def stop(self) -> None:
        """Say that nothing is left."""
        say("Stopped; nothing was written.")


def passed_over(suffixes: Mapping[str, int]) -> str:
    """Return a sentence on files that are not read, the most frequent first."""
    suffixes = dict(suffixes)
    drawn = suffixes.pop(DRAWN, 0)
    if drawn:
        said = f"{plural(drawn, 'picture')} with boxes drawn by gallery passed over."
        return f"{said} {passed_over(suffixes)}" if suffixes else said
    by_count = sorted(suffixes.items(), key=lambda one: (-one[1], one[0]))
    each = ", ".join(f"{count} {suffix or 'without a suffix'}" for suffix, count in by_count)
    count = plural(sum(suffixes.values()), "file")
    return f"{count} passed over, of formats that are not read here: {each}."


def follow(events: Job[Result], reporter: Reporter | None = None, *, bars: bool = True) -> Result:
    """Run a job to its end and return what came of it; show how far it is.

    Raises typer.Exit with the code of Ctrl-C where a person stops it: what it was about has let go
    of its files then.
    """
    reporter = reporter or Reporter()
    try:
        with closing(events), _Bars(is_shown=bars) as shown:
            for event in events:
                shown.turn(event)
                reporter.tell(event)
                shown.advance(steps_of(event))
                if isinstance(event, Finished):
                    return event.result
    except KeyboardInterrupt:
        reporter.stop()
        raise typer.Exit(130) from None
    raise RuntimeError("A job ended without a Finished.")


class _Bars:
    """One bar at a time: a stage's takes the place of the one before."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._bar = ExitStack()
        self.advance: Advance = _nowhere

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def turn(self, event: Event[object]) -> None:
        """Begin or end a bar where an event begins or ends a stage."""
        if isinstance(event, (Started, Waiting, Finished)):
            self._bar.close()
            self.advance = _nowhere
        if isinstance(event, Started) and self._is_shown:
            what = event.stage.capitalize()
            if isinstance(event, VideoStarted):
                what += f" {event.path.name}"
            self.advance = self._bar.enter_context(_bar(what, event.total))


def _nowhere(_: int) -> None:
    """Advance no bar."""


@contextmanager
def _bar(what: str, total: int) -> Iterator[Advance]:
    """Show a bar with count, rate and time left on standard error, when that is a terminal.

    There is none for a total below two.
    """
    if total < 2 or not sys.stderr.isatty():
        yield _nowhere
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Pictures per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f}/s" if speed else "")

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console(error=True),
        redirect_stdout=False,
        speed_estimate_period=60,
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.update(task, advance=count)
