"""`gallery enroll`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.advice import told, why
from gallery.cli.progress import Reporter, follow, passed_over
from gallery.cli.seen import say_when_seen
from gallery.cli.show import (
    Cropped,
    Json,
    Largest,
    MinFace,
    MinQuality,
    Portrait,
    json_line,
    named_path,
    plural,
    say,
    settings_of,
)
from gallery.events import EnrolmentStarted, Event, Noticed, PassedOver, Refused
from gallery.types import Enrolled, Outcome, Retired, Source

if TYPE_CHECKING:
    from gallery.engine.engine import Engine


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(enroll)


def enroll(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER",
            parser=named_path,
            help="Holds one folder of pictures per character. With --from: pictures, or folders "
            "of pictures.",
        ),
    ],
    source: Annotated[
        Source, typer.Option("--from", help="Where names come from: folders, xmp or captions.")
    ] = Source.FOLDERS,
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=named_path,
            help="For captions: names that tags may stand for, one a line; those of the gallery "
            "unless given. Case, underscores and a series in brackets make no difference.",
        ),
    ] = None,
    tag_prefix: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            help="For captions: tags that begin so are names, as in character:Rei; others are not.",
        ),
    ] = "",
    with_guesses: Annotated[
        bool,
        typer.Option(
            "--with-guesses",
            help="For xmp: take names that gallery wrote of characters that it has, too.",
        ),
    ] = False,
    cropped: Cropped = False,
    largest: Largest = False,
    min_face: MinFace = 0.0,
    min_quality: MinQuality = 0.0,
    portrait: Portrait = False,
    keep_poor: Annotated[
        bool,
        typer.Option("--keep-poor", help="Let poor faces count for a character's ideal and best."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Take faces in that were forgotten.")
    ] = False,
    series: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What the characters are from; see `gallery series`."),
    ] = None,
    json: Json = False,
) -> None:
    """Take folders of pictures into the gallery, one folder per character, or labels you have.

    Run it again at any time: files that have not changed are passed over, moved ones followed. A
    picture stays the same whatever other programs write into its file; where a file holds another
    picture, that one takes the place of the former. What was forgotten stays so, until --again. A
    folder whose name begins with Noise holds what is to be turned away.
    Faces that are too small or blurred to tell anybody by are enrolled, too, and marked as poor: a
    character's ideal and best leave them out while it has others.
    With --from xmp, every face that a sidecar or a picture's own metadata names is enrolled; with
    --from captions, pictures whose caption names one character.
    The exit code is 1 when a picture was refused; the others are enrolled.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.faces.quality import Gates
    from gallery.jobs.enroll import check_names, named_as_in, named_in
    from gallery.jobs.enroll import enroll as job
    from gallery.metadata.captions import names_listed

    check_names(source, are_given=names is not None)
    listed = names_listed(names) if names is not None else []
    named = named_in(paths, source, listed, tag_prefix)
    gates = Gates(min_face, min_quality, portrait)
    with open_gallery(settings_of(ctx, cropped=cropped), create=True) as gallery:
        named = named or named_as_in(gallery, paths)
        reporter = _EnrolReporter(json=json)
        follow(
            job(
                gallery,
                named,
                largest=largest,
                gates=gates,
                keep_poor=keep_poor,
                again=again,
                with_guesses=with_guesses,
                series=series,
            ),
            reporter,
        )
        poor = [] if json else _poor_alone(gallery, reporter.settled)
        refused = reporter.report()
        for name in poor:
            say(f"{name} has poor faces alone; its ideal is made of these.")
        if not json and reporter.has_changed:
            say_when_seen(gallery, "enrolled faces")
    if refused:
        raise typer.Exit(1)


def _poor_alone(gallery: Engine, settled: Sequence[Enrolled]) -> list[str]:
    """Return those of whom poor faces came and who have no others."""
    from gallery.jobs.given_names import GivenNames

    names = {one.candidate.character for one in settled if one.is_poor}
    given = GivenNames(gallery.store, names)
    known = gallery.store.characters({given.character(name) for name in names})
    return [one.name for one in known if one.samples == one.poor > 0]


class _EnrolReporter(Reporter):
    """Keeps what became of each picture for the report at the end."""

    def __init__(self, *, json: bool) -> None:
        self.settled: list[Enrolled] = []
        self._started = EnrolmentStarted(0, 0)
        self._retired: list[Retired] = []
        self._refused: list[tuple[Path, str]] = []
        self._passed_over: Mapping[str, int] = {}
        self._notices: list[str] = []
        self._json = json

    def tell(self, event: Event[object]) -> None:
        """Note what became of a picture."""
        if isinstance(event, EnrolmentStarted):
            self._started = event
        elif isinstance(event, PassedOver):
            self._passed_over = event.suffixes
        elif isinstance(event, Noticed):
            self._notices.append(told(event.notice))
        elif isinstance(event, Refused):
            self._refused.append((event.path, why(event)))
        elif isinstance(event, Enrolled):
            self.settled.append(event)
            if event.outcome is Outcome.REFUSED:
                self._refused.append((event.candidate.path, why(event)))
        elif isinstance(event, Retired):
            self._retired.append(event)

    def stop(self) -> None:
        """Report what was done, and how to go on."""
        self.report()
        say("Stopped; what was enrolled stays. Run it again to go on.")

    def report(self) -> int:
        """Say what became of the pictures, and return how many were refused."""
        counts = Counter(one.outcome for one in self.settled)
        if self._json:
            json_line(self._as_json(counts))
        else:
            self._say(counts)
        return len(self._refused)

    @property
    def has_changed(self) -> bool:
        """Whether some sample is new, another's or gone, or counts from now on."""
        changes = (Outcome.ADDED, Outcome.RELABELLED, Outcome.KEPT)
        return bool(self._retired) or any(one.outcome in changes for one in self.settled)

    @property
    def _characters(self) -> int:
        return len({one.candidate.character for one in self.settled})

    @property
    def _poor(self) -> int:
        return sum(one.is_poor for one in self.settled)

    def _as_json(self, counts: Counter[Outcome]) -> dict[str, object]:
        return {
            "characters": self._characters,
            **{outcome.value: counts[outcome] for outcome in Outcome},
            "retired": len(self._retired),
            "poor": self._poor,
            "unlabelled": self._started.unlabelled,
            "guessed": self._started.guessed,
            "rejects": list(self._started.rejects),
            "taken_as": dict(self._started.taken_as),
            "passed_over": dict(self._passed_over),
            "notices": self._notices,
            "refused": [{"path": str(path), "reason": reason} for path, reason in self._refused],
        }

    def _say(self, counts: Counter[Outcome]) -> None:
        for one in self.settled:
            if one.outcome is Outcome.RELABELLED:
                say(f"now {one.candidate.character}: {one.reason}")
            elif one.stays_with is not None:
                say(f"{one.candidate.path} stays {one.stays_with}: you moved the sample by hand.")
        for gone in self._retired:
            say(
                f"gone: sample {gone.sample_id} of {gone.character}, since {gone.path} holds "
                "another picture now."
            )
        for _, reason in self._refused:
            say(f"refused: {reason}")
        counts[Outcome.REFUSED] = len(self._refused)
        parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
        what = plural(counts.total(), self._started.unit)
        who = plural(self._characters, "character")
        say(f"{what} of {who}: {', '.join(parts) or 'none looked at'}.")
        for line in self._notes(counts):
            say(line)

    def _notes(self, counts: Counter[Outcome]) -> Iterator[str]:
        """Yield what a person may not expect of names and of what was passed over."""
        for name, known in self._started.taken_as.items():
            yield f"{name} is taken as {known}: case or width alone differs."
        if self._started.rejects:
            names = " and ".join(self._started.rejects)
            yield f"What looks like {names} is turned away: a name that begins with Noise says so."
        if self._retired:
            gone = plural(len(self._retired), "sample")
            yield f"{gone} gone, of files that hold other pictures now."
        if counts[Outcome.FORGOTTEN]:
            faces = plural(counts[Outcome.FORGOTTEN], "face")
            yield (
                f"{faces} that you forgot passed over; enrolling again with --again takes them in."
            )
        if self._started.unlabelled:
            yield f"{plural(self._started.unlabelled, 'picture')} without a name passed over."
        if self._started.guessed:
            faces = plural(self._started.guessed, "face")
            yield f"{faces} that gallery named itself passed over; --with-guesses takes them."
        if self._passed_over:
            yield passed_over(self._passed_over)
        yield from self._notices
        if self._poor:
            yield (
                f"{plural(self._poor, 'poor face')} marked and left out of ideals; `gallery show "
                "NAME` says which, enrolling again with --keep-poor lets them count."
            )
