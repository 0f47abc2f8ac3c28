"""Markers for Stash: when characters are on screen, and what is said no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.engine.joint import Scoring
from gallery.errors import GalleryError, NothingFound, NothingSeen, UnreadableFile
from gallery.events import Advanced, Finished, Job, Refused, Stage, Started
from gallery.jobs.answered import Least
from gallery.jobs.reencode import encode_kept
from gallery.jobs.relabel import has_changed, seen_below
from gallery.jobs.relabel_video import relabel_videos
from gallery.numerics.spans import Span
from gallery.output.screen_time import Episode, Episodes
from gallery.output.subtitles import GAP
from gallery.services.known import STASH
from gallery.services.stash import HeldMarker, HeldScene, NewMarker, Stash, oshash
from gallery.store.sent import SentItem, SentKey, SentState
from gallery.store.videos import ObservedVideo
from gallery.system.files import absolute
from gallery.system.reading import open_file
from gallery.types import VideoRecord, VideoTrack

FILE = "file"
"""The item that stands for the file itself; Stash knows it by a sum of its ends."""

NEAR = 1.0
"""Seconds between two markers of one tag that say the same."""

EVERY = (Least(confirmed=True), Least(), Least(unsure=True))
"""All choices of what is sent: what any of them says is not withdrawn."""


@dataclass(frozen=True, slots=True)
class MarkerChoices:
    """Which videos, and which names."""

    paths: Sequence[Path] = ()
    """Only these videos, or those of these folders; all labelled ones where there are none."""
    least: Least = field(default_factory=Least)
    alone: bool = False
    """Every track is answered alone instead of jointly, see joint."""


@dataclass(frozen=True, slots=True)
class SceneChange:
    """What is done about the markers of one video."""

    path: Path
    digest: str
    add: tuple[NewMarker, ...]
    remove: tuple[SentItem, ...]


@dataclass(frozen=True, slots=True)
class MarkerPlan:
    """What would be sent."""

    place: str
    """What the destination is remembered by."""
    changes: tuple[SceneChange, ...]
    noted: tuple[SentItem, ...]
    """What is known by now, without anything to be sent."""
    unheld: int
    """Videos with something to say that Stash does not have."""
    there: int
    """Markers that somebody else has set already."""


@dataclass(frozen=True, slots=True)
class _Said:
    """When characters are on screen in a video, and what of it was sent."""

    video: ObservedVideo
    wanted: Mapping[str, tuple[str, Span]]
    """Names and spans by item."""
    kept: frozenset[str]
    """Items that are not withdrawn where they were sent."""
    sent: Mapping[str, SentItem]

    @property
    def new(self) -> list[str]:
        """The items that were not sent yet, or not for sure."""
        return [
            item
            for item in self.wanted
            if item not in self.sent or self.sent[item].state is not SentState.SENT
        ]

    @property
    def stale(self) -> list[SentItem]:
        """What was sent and is said no more."""
        return [
            one
            for item, one in self.sent.items()
            if one.state is not SentState.WITHDRAWN and item not in self.kept
        ]


def plan_markers(engine: Engine, stash: Stash, choices: MarkerChoices) -> Job[MarkerPlan]:
    """Say which markers scenes would get and lose; nothing is changed there.

    A marker is withdrawn where gallery sent it and says it no more, unless somebody changed it.
    Videos whose files have changed since they were labelled, or are gone and were never sent, are
    refused. Raises ServiceFailed where Stash does not answer, and InputError where no video was
    labelled.
    """
    stash.check()
    place = f"{STASH.name} {stash.address}"
    sent: dict[str, dict[str, SentItem]] = {}
    for key, item in engine.store.sent.to(place).items():
        sent.setdefault(key.digest, {})[key.item] = item
    sums = {digest: own.pop(FILE).remote for digest, own in sent.items() if FILE in own}
    all_said = yield from _all_said(engine, choices, sent)
    wanted = [one for one in all_said if one.new or one.stale]
    series_of = engine.store.series.of_characters()
    yield Started("comparing", len(wanted), "video")
    changes: list[SceneChange] = []
    noted: list[SentItem] = []
    unheld = there = 0
    for one in wanted:
        try:
            known = sums.get(one.video.digest or "") or _counted(engine, place, one.video)
        except GalleryError as error:
            yield Refused.because(one.video.path, error)
            yield Advanced()
            continue
        scene = stash.scene(known)
        if scene is None:
            unheld += 1
        else:
            change, own, others = _compared(one, scene, series_of)
            noted, there = noted + own, there + others
            if change.add or change.remove:
                changes.append(change)
        yield Advanced()
    yield Finished(MarkerPlan(place, tuple(changes), tuple(noted), unheld, there))


def send_markers(engine: Engine, stash: Stash, plan: MarkerPlan) -> Job[int]:
    """Send what was planned; the result is how many videos were changed.

    What an event tells is sent and noted, so that the job may be left after any of them, and done
    again.
    """
    yield Started("sending", len(plan.changes), "video")
    _note(engine, plan.place, plan.noted)
    for one in plan.changes:
        for item in one.remove:
            stash.remove(item.remote)
            state = SentState.WITHDRAWN
            _note(engine, plan.place, [SentItem(item.key, state, item.said, item.remote)])
        for marker in one.add:
            key = SentKey(one.digest, _item(marker.name, Span(marker.start, marker.end)))
            _note(engine, plan.place, [SentItem(key, SentState.BEGUN, marker.name)])
            made = stash.add(marker)
            _note(engine, plan.place, [SentItem(key, SentState.SENT, marker.name, made)])
        yield Advanced()
    yield Finished(len(plan.changes))


def _all_said(
    engine: Engine, choices: MarkerChoices, sent: Mapping[str, Mapping[str, SentItem]]
) -> Stage[list[_Said]]:
    """Return what is said of the labelled videos; those that have changed are refused."""
    engine.require_encoded()
    yield from encode_kept(engine)
    videos = seen_below(engine.store.sightings.videos.all(), choices.paths)
    places = {place for one in videos for place in (one.path, *one.path.parents)}
    missing = [NothingSeen(path) for path in choices.paths if absolute(path) not in places]
    if not videos:
        raise missing[0] if missing else NothingSeen()
    answering = joint.alone(engine)
    if not choices.alone:
        answering = yield from joint.jointly(engine)
    yield Started("answering", len(videos), "video")
    for error in missing:
        yield Refused.because(error.path or Path(), error)
    found: dict[str, _Said] = {}
    for video in videos:
        if has_changed(video):
            changed = UnreadableFile(video.path, "has changed since it was labelled")
            yield Refused.because(video.path, changed)
        elif video.digest is not None and video.digest not in found:
            own = sent.get(video.digest, {})
            found[video.digest] = _said(engine, video, choices.least, answering, own)
        yield Advanced()
    return list(found.values())


def _said(
    engine: Engine,
    video: ObservedVideo,
    least: Least,
    answering: Scoring,
    sent: Mapping[str, SentItem],
) -> _Said:
    records = list(relabel_videos(engine, [video], answering))
    wanted = _spans(_episode(records, least))
    kept = {item for every in EVERY for item in _spans(_episode(records, every))}
    return _Said(video, wanted, frozenset(kept), sent)


def _episode(records: Sequence[VideoRecord], least: Least) -> Episode | None:
    """Return who is on screen, by the names alone that a choice takes; None without records."""
    episodes = Episodes(unsure=True)
    for one in records:
        if not isinstance(one.part, VideoTrack) or least.takes(one.faces[0]):
            episodes.add(one)
    return next(iter(episodes.videos.values()), None)


def _spans(episode: Episode | None) -> dict[str, tuple[str, Span]]:
    if episode is None:
        return {}
    return {
        _item(name, span): (name, span)
        for name, spans in episode.cast(GAP).items()
        for span in spans
    }


def _item(name: str, span: Span) -> str:
    """Return what an appearance is remembered by."""
    return f"{span.start:.3f}-{span.end:.3f} {name}"


def _compared(
    said: _Said, scene: HeldScene, series_of: Mapping[str, str]
) -> tuple[SceneChange, list[SentItem], int]:
    """Return what is to be done, what is known without it, and how many markers others have set."""
    held = {one.id: one for one in scene.markers}
    noted: list[SentItem] = []
    remove: list[SentItem] = []
    for one in said.stale:
        marker = _own(one, held)
        if marker is not None and _is_as_sent(marker, one):
            remove.append(SentItem(one.key, one.state, one.said, marker.id))
            del held[marker.id]
        else:
            # It is gone, or somebody changed it since.
            noted.append(SentItem(one.key, SentState.WITHDRAWN, one.said, one.remote))
    add: list[NewMarker] = []
    there = 0
    for item in said.new:
        name, span = said.wanted[item]
        same = [one for one in held.values() if _is_near(one, name, span.start)]
        before = said.sent.get(item)
        if same and before is not None and before.state is SentState.BEGUN:
            # A job that was killed had sent it.
            noted.append(SentItem(before.key, SentState.SENT, name, same[0].id))
        elif same:
            there += 1
        else:
            series = (series_of[name],) if name in series_of else ()
            start, end = round(span.start, 3), round(span.end, 3)
            add.append(NewMarker(scene.id, name, start, end, series))
    digest = said.video.digest or ""
    return SceneChange(said.video.path, digest, tuple(add), tuple(remove)), noted, there


def _own(one: SentItem, held: Mapping[str, HeldMarker]) -> HeldMarker | None:
    """Return the marker that was sent; by its place where a killed job did not hear its id."""
    if one.remote:
        return held.get(one.remote)
    return next((marker for marker in held.values() if _is_as_sent(marker, one)), None)


def _is_as_sent(marker: HeldMarker, one: SentItem) -> bool:
    """Say whether a marker is where gallery set it, with the same tag."""
    times = one.key.item.partition(" ")[0]
    is_then = times == f"{marker.start:.3f}-{marker.end or 0.0:.3f}"
    return is_then and one.said.casefold() in marker.names


def _is_near(marker: HeldMarker, name: str, start: float) -> bool:
    return abs(marker.start - start) <= NEAR and name.casefold() in marker.names


def _counted(engine: Engine, place: str, video: ObservedVideo) -> str:
    """Return the sum of a video's file, and note it. Raises InputError where it cannot be read."""
    try:
        with open_file(video.path) as opened:
            opened.seek(0, 2)
            found = oshash(opened, opened.tell())
    except FileNotFoundError as error:
        raise NothingFound(video.path, "is gone since it was labelled") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is too short"
        raise UnreadableFile(video.path, f"cannot be read: {why}") from error
    key = SentKey(video.digest or "", FILE)
    _note(engine, place, [SentItem(key, SentState.SENT, remote=found)])
    return found


def _note(engine: Engine, place: str, items: Sequence[SentItem]) -> None:
    # A gallery that cannot be written can say what it would send.
    if items and engine.store.is_writable:
        with engine.store.writing() as writer:
            writer.sent.note(place, items)
