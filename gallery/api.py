"""What programs talk to: `import gallery` hands it on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from gallery.engine import assemble
from gallery.engine.engine import Gallery
from gallery.errors import BadSetting, ClosedGallery
from gallery.events import EnrolEvent, LabelEvent
from gallery.faces.quality import Gates
from gallery.faces.video import VideoOptions
from gallery.jobs import enroll as sources
from gallery.jobs import label as label_job
from gallery.jobs import relabel as relabel_job
from gallery.jobs.enroll import Source
from gallery.media.images import from_pillow, from_pixels, read_image
from gallery.output import registry
from gallery.output.format import OutputOptions
from gallery.settings import resolved
from gallery.types import Image, MatchMode, Record

if TYPE_CHECKING:
    import PIL.Image

PathLike: TypeAlias = str | os.PathLike[str]

Picture: TypeAlias = "PathLike | NDArray[np.uint8] | PIL.Image.Image"
"""A file; an RGB array of shape (height, width, 3), 0 to 255; or a picture of Pillow's."""

NAMELESS = Path("picture")
"""What a record calls a picture that no file holds."""

EVERY = 0.333
"""Seconds between looks at a video, as `gallery label` has it: a job may be gone on with by either.
"""

Event = TypeVar("Event")


def open_gallery(
    database: PathLike | None = None,
    *,
    encoder: str | None = None,
    detector: str | None = None,
    runtime: str | None = None,
    head_scale: float | None = None,
) -> OpenGallery:
    """Open a gallery to enroll, identify and label with; use it in a `with` block, or close it.

    `database` is a path or an SQLite URL. What is None is as on the command line: GALLERY_DATABASE,
    GALLERY_ENCODER and GALLERY_DETECTOR where they are set, then the usual. The detector `whole`
    stands for --cropped: every picture is a face already. Where no database is, the first enrolment
    makes it. Networks are opened when the first picture needs them.

    Raises SetupError for an encoder that is not here, StoreError for a database that does not fit,
    and InputError for a URL that is none.
    """
    settings = resolved(
        None if database is None else os.fspath(database),
        encoder=encoder,
        runtime=runtime,
        detector=detector,
        head_scale=head_scale,
    )
    is_there = assemble.is_there(settings)
    if not is_there:
        assemble.check(settings)
    return OpenGallery(
        lambda create: assemble.open_gallery(settings, create=create), is_there=is_there
    )


class OpenGallery:
    """A gallery that is open. Made by open_gallery.

    Threads may share it: they take turns, an event or an answer each, so that nothing breaks and
    nothing gets faster; for more speed, open one in every process. Any number of processes may
    have the same database open: each sees what the others changed at its next question, and one
    that writes waits up to 30 seconds for another's transaction. After a fork, open it anew in the
    child.
    """

    def __init__(self, opener: Callable[[bool], Gallery], *, is_there: bool) -> None:
        """Keep what opens it, told whether to make its database; open it where one is there."""
        self._opener = opener
        self._turn = threading.RLock()
        self._is_closed = False
        self._gallery: Gallery | None = None
        if is_there:
            self._open(create=False)

    @property
    def gallery(self) -> Gallery:
        """Everything else that can be done with it: characters, names, samples, calibration.

        It does not take turns: one thread at a time. Raises InputError where there is no database
        yet, and after the end.
        """
        return self._open(create=False)

    def close(self) -> None:
        """Let go of the database. Iterators that are under way end with an InputError."""
        with self._turn:
            self._is_closed = True
            if self._gallery is not None:
                self._gallery.close()

    def __enter__(self) -> OpenGallery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def enroll(
        self,
        paths: PathLike | Sequence[PathLike],
        *,
        source: Source = Source.FOLDERS,
        names: Collection[str] = (),
        tag_prefix: str = "",
        largest: bool = False,
        min_face: float = 0.0,
        min_quality: float = 0.0,
        keep_poor: bool = False,
    ) -> Generator[EnrolEvent, None, None]:
        """Take pictures into the gallery, as `gallery enroll` does, and yield what becomes of each.

        `paths` is a folder that holds one folder per character, or with another source pictures and
        folders of pictures. `names` and `tag_prefix` say which tags of captions are names, where
        the gallery's own characters are not meant. `largest` takes the largest of several faces;
        faces with a head smaller than `min_face` pixels, or worse to be seen than `min_quality`
        (0 to 1), are as if they were not there; `keep_poor` lets poor faces count.

        Nothing happens before the first event is asked for. What an Enrolled tells is in the
        database; close the iterator at any time, enroll again, and it goes on. Raises InputError
        where there is nothing to enroll, StoreError where the database cannot be written or lacks
        descriptors of the encoder, SetupError where detector or encoder do not work.
        """
        gates = _gates(min_face, min_quality)

        def events() -> Generator[EnrolEvent, None, None]:
            folders = _paths(paths)
            named = sources.named_in(folders, source, names, tag_prefix)
            gallery = self._open(create=True)
            named = named or sources.named_as_in(gallery, folders)
            yield from sources.enroll(
                gallery, named, largest=largest, gates=gates, keep_poor=keep_poor
            )

        return self._in_turn(events())

    def identify(
        self,
        picture: Picture,
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        min_face: float = 0.0,
        min_quality: float = 0.0,
    ) -> Record:
        """Say who every face in a picture is: what `gallery identify --json` prints, typed.

        `picture` is a file's path, an RGB array of shape (height, width, 3) and type uint8, or a
        picture of Pillow's; the record's path of the latter two is `picture`. `top` says how many
        characters to name for a face, `mode` what of a character it is compared with. Faces below
        `min_face` pixels or `min_quality` (0 to 1) are left out and counted. Nothing is written.

        Raises InputError for what is no picture and where there is no gallery yet, StoreError and
        SetupError as enroll does.
        """
        _check_top(top)
        gates = _gates(min_face, min_quality)
        image = _image(picture)
        with self._turn:
            gallery = self._open(create=False)
            gallery.require_encoded()
            return gallery.identify(image, mode=mode, top=top, gates=gates)

    def label(
        self,
        paths: PathLike | Sequence[PathLike],
        out: PathLike,
        *,
        write: Sequence[str] = (),
        rewrite: bool = False,
        options: OutputOptions | None = None,
        since: str | None = None,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        min_face: float = 0.0,
        min_quality: float = 0.0,
        keep: bool = True,
        workers: int | None = None,
        watch: bool = False,
        start: float = 0.0,
        end: float | None = None,
        every: float = EVERY,
    ) -> Generator[LabelEvent, None, None]:
        """Label pictures, videos and folders of them, as `gallery label` does, and yield events.

        `out` is a .jsonl or .csv file of records, which is gone on with where it is. `write` holds
        other formats as FORMAT[:TARGET], `options` what they can be told, and `rewrite` has them
        written for pictures of earlier runs, too. `since` takes files changed since a date or for a
        duration such as 7d. With `keep` the gallery notes what it sees, for `gallery cluster` and
        `gallery relabel`. So many `workers` prepare pictures at the same time; unless told, one for
        each core. With `watch` the iterator does not end: it goes on with pictures that come into
        the folders, and says by a Waiting when all that has come is labelled; leave it there, or by
        Ctrl-C. Videos are looked at from `start` to `end`, in seconds, and `every` so many seconds;
        the rest is as in identify.

        Nothing happens before the first event is asked for, and nothing is written between two of
        them; pictures are prepared ahead. What a Labelled tells is in the files; documents such as
        coco are written when the iterator ends or is closed. Close it at any time and label again:
        it goes on. Raises InputError where paths or outputs cannot be used, also where another job
        writes `out`; StoreError and SetupError as enroll does.
        """
        _check_top(top)
        if every < 0 or start < 0 or (end is not None and end <= start):
            raise BadSetting(
                "start", "Times of a video begin at 0, and its end comes after its start"
            )
        if workers is not None and workers < 1:
            raise BadSetting("workers", f"{workers} workers do nothing", "there is 1 at the least")
        watched = VideoOptions(start, end, every, _gates(min_face, min_quality))
        choices = label_job.LabelChoices(mode, top, keep, watched, workers)

        def events() -> Generator[LabelEvent, None, None]:
            plan = label_job.planned(
                _paths(paths), Path(out), write, options or OutputOptions(), since, watch=watch
            )
            with ExitStack() as own:
                opened = own.enter_context(self._apart()) if watch else self._open(create=False)
                yield from label_job.label(opened, plan, choices, rewrite=rewrite)

        # While one thread waits for pictures, the others have their turns.
        return events() if watch else self._in_turn(events())

    def relabel(
        self,
        out: PathLike,
        paths: PathLike | Sequence[PathLike] = (),
        *,
        alone: bool = False,
        write: Sequence[str] = (),
        rewrite: bool = False,
        options: OutputOptions | None = None,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
    ) -> Generator[LabelEvent, None, None]:
        """Answer anew what was labelled before, as `gallery relabel` does, and yield events.

        No picture is looked at: what `label` saw is kept in the gallery. All of it is answered, or
        files and folders in `paths`. Once the gallery is calibrated, all faces that were ever seen
        are judged in each other's company, unless they are to be answered `alone`. The rest, and
        how the iterator goes on, is as in label; a file that has changed since is Refused, and so
        is a path at which nothing was labelled. Raises InputError where there is nothing to answer.
        """
        _check_top(top)

        def events() -> Generator[LabelEvent, None, None]:
            wanted = [registry.output_spec(text) for text in write]
            choices = relabel_job.RelabelChoices(
                Path(out),
                _paths(paths) if paths else (),
                alone,
                mode,
                top,
                wanted,
                options or OutputOptions(),
                rewrite,
            )
            yield from relabel_job.relabel(self._open(create=False), choices)

        return self._in_turn(events())

    def _open(self, *, create: bool) -> Gallery:
        with self._turn:
            self._require_open()
            if self._gallery is None:
                self._gallery = self._opener(create)
            return self._gallery

    def _apart(self) -> Gallery:
        """Open the same gallery once more, for one thread alone."""
        if self._open(create=False).store.path is None:
            raise BadSetting(
                "database", "A gallery in memory cannot be opened twice", "to watch, give it a file"
            )
        return self._opener(False)

    def _require_open(self) -> None:
        if self._is_closed:
            raise ClosedGallery

    def _in_turn(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        """Yield events, each made while no other thread uses the gallery."""
        try:
            while True:
                with self._turn:
                    self._require_open()
                    try:
                        event = next(events)
                    except StopIteration:
                        return
                yield event
        finally:
            with self._turn:
                events.close()


def _paths(paths: PathLike | Sequence[PathLike]) -> list[Path]:
    """Return one path or several as a list. Raises InputError where there is none."""
    found = [Path(paths)] if isinstance(paths, (str, os.PathLike)) else [Path(one) for one in paths]
    if not found:
        raise BadSetting("paths", "No path is given", "name a picture or a folder")
    return found


def _image(picture: Picture) -> Image:
    if isinstance(picture, (str, os.PathLike)):
        return read_image(Path(picture))
    if isinstance(picture, np.ndarray):
        return from_pixels(picture, NAMELESS)
    return from_pillow(picture, NAMELESS)


def _gates(min_face: float, min_quality: float) -> Gates:
    """Return gates. Raises InputError for values that no face has."""
    if min_face < 0 or not 0 <= min_quality <= 1:
        raise BadSetting(
            "gates", "min_face is a number of pixels from 0, min_quality one from 0 to 1"
        )
    return Gates(min_face, min_quality)


def _check_top(top: int) -> None:
    if top < 1:
        raise BadSetting("top", f"{top} characters cannot be named for a face", "top is 1 or more")
