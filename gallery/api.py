"""What programs talk to: `import gallery` hands it on."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from gallery.engine import assemble
from gallery.engine.engine import CALIBRATED_FPIR, Engine
from gallery.errors import BadSetting, ClosedGallery
from gallery.events import EnrolEvent, EnrolmentSummary, Event, LabelEvent, LabelSummary, result_of
from gallery.faces.describe import Describer
from gallery.faces.quality import Gates
from gallery.faces.video import VideoOptions
from gallery.jobs import enroll as enrolling
from gallery.jobs import label as labelling
from gallery.jobs import relabel as relabelling
from gallery.media.images import decode, from_pillow, from_pixels, read_image
from gallery.output import registry
from gallery.output.format import OutputOptions
from gallery.output.training_set import Cut, SetFormat
from gallery.settings import EVERY, SAME, resolved
from gallery.types import (
    Character,
    Decided,
    DescribedFace,
    Image,
    MatchMode,
    Record,
    Sample,
    Source,
    Verdict,
)

if TYPE_CHECKING:
    import PIL.Image

    from gallery.audit.proposals import Proposal
    from gallery.evaluation.decided import DecidedEvaluation
    from gallery.evaluation.evaluate import Evaluation
    from gallery.identify.calibration.calibrate import Calibrated
    from gallery.jobs.answers import Renewal
    from gallery.jobs.cluster import Cluster, Clusters
    from gallery.jobs.compare import Comparison
    from gallery.jobs.corrections import Corrected
    from gallery.jobs.dataset_report import Dataset
    from gallery.jobs.harvest import Harvested, HarvestEvent
    from gallery.jobs.meant import Given
    from gallery.jobs.name import Named
    from gallery.jobs.opinion import Opinions
    from gallery.jobs.reencode import Reencoded
    from gallery.jobs.references import References
    from gallery.output.arrays import FaceTable
    from gallery.output.screen_time import Episode
    from gallery.store.answers import AnswerCounts, AnswerPage
    from gallery.store.archive import Imported
    from gallery.store.rejections import Rejection
    from gallery.store.sightings import Sighting
    from gallery.store.steps import DecidedFace, Step, Undone

PathLike: TypeAlias = str | os.PathLike[str]

Picture: TypeAlias = "PathLike | bytes | NDArray[np.uint8] | PIL.Image.Image"
"""A file's path; a file's content; an RGB array of shape (height, width, 3), 0 to 255; or a picture
of Pillow's."""

Pictures: TypeAlias = (
    "PathLike | bytes | NDArray[np.uint8] | PIL.Image.Image | "
    "Sequence[PathLike | bytes | NDArray[np.uint8] | PIL.Image.Image]"
)
"""One picture or a list of them."""

FacesMeant: TypeAlias = (
    "PathLike | int | Sighting | Cluster | Sequence[PathLike | int | Sighting | Cluster]"
)
"""A seen face's number or the face itself, all faces of a cluster, a picture's path, or a list."""

NAMELESS = Path("picture")
"""What a record calls a picture that no file holds."""

AT_ONCE = 8
"""Pictures of memory that are identified together."""

Told = TypeVar("Told")
Result = TypeVar("Result")


class Job(Iterator[Told], Generic[Told, Result]):
    """Long work: iterate for its events, or call `run` for its result. Made by Gallery.

    Nothing happens before the first event is asked for, and nothing is written between two of them;
    pictures are prepared ahead. What an event tells has happened and stays. Leave the loop or call
    `close` at any time; the same job, begun anew, resumes. The last event is a Finished. A job that
    nobody iterates did nothing, and a RuntimeWarning says so.
    """

    def __init__(self, name: str, events: Generator[Told, None, None]) -> None:
        self._name, self._events = name, events
        self._is_begun = False

    def __iter__(self) -> Job[Told, Result]:
        return self

    def __next__(self) -> Told:
        self._is_begun = True
        return next(self._events)

    def run(self) -> Result:
        """Do all that is left and return what came of it: the result of the last event."""
        result: Result = result_of(self)  # type: ignore[arg-type]
        return result

    def close(self) -> None:
        """End the job where it is; its files are closed."""
        self._is_begun = True
        self._events.close()

    def __enter__(self) -> Job[Told, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._is_begun:
            warnings.warn(
                f"Nobody iterated Gallery.{self._name}, so that it did nothing; loop over it or "
                "call its run().",
                RuntimeWarning,
                stacklevel=2,
            )


def open_gallery(
    database: PathLike | None = None,
    *,
    encoder: str | None = None,
    detector: str | None = None,
    runtime: str | None = None,
    device: str | None = None,
    head_scale: float | None = None,
    collage: bool | None = None,
    exclusive: bool | None = None,
    series: str | None = None,
) -> Gallery:
    """Open a gallery to enroll, identify and label with; use it in a `with` block, or close it.

    `database` is a path or a URL, of SQLite or PostgreSQL. What is None is as on the command line:
    GALLERY_DATABASE, GALLERY_ENCODER, GALLERY_DEVICE and GALLERY_DETECTOR where they are set, then
    the usual. The detector `whole` stands for --cropped: every picture is a face already. With
    `collage` several faces of a picture may have one name. Where no database is, the first `enroll`
    makes it. A file that this process alone uses is `exclusive`: it may lie on a network file
    system. Networks are opened when the first picture needs them. With a `series`, faces are
    answered, calibrated and audited as if its characters were all that there are.

    Raises SetupError for an encoder that is not here, StoreError for a database that does not fit,
    and InputError for a URL that is none and a series that no character belongs to.
    """
    settings = resolved(
        None if database is None else os.fspath(database),
        encoder=encoder,
        runtime=runtime,
        device=device,
        detector=detector,
        head_scale=head_scale,
        collage=collage,
        exclusive=exclusive,
        series=series,
    )
    is_there = assemble.is_there(settings)
    if not is_there:
        assemble.check(settings)
    return Gallery(
        lambda create: assemble.open_gallery(settings, create=create),
        lambda: assemble.describer(settings),
        database=settings.database,
        is_there=is_there,
    )


class Gallery:
    """A gallery that is open: all that the commands can do. Made by open_gallery.

    Long work - enroll, label, relabel, cluster, adopt, harvest, dataset, corrections, reencode,
    calibrate, evaluate, audit - returns a Job. Everything else answers at once.

    Threads may share it: they take turns, an event or an answer each, so that nothing breaks and
    nothing gets faster; for more speed, open one in every process. Any number of processes may
    have the same database open: each sees what the others changed at its next question, and one
    that writes waits up to 30 seconds for another's transaction. After a fork, open it anew in the
    child.
    """

    def __init__(
        self,
        opener: Callable[[bool], Engine],
        open_describer: Callable[[], Describer],
        *,
        database: str,
        is_there: bool,
    ) -> None:
        """Keep what opens its parts; open the database where one is there.

        The opener is told whether to make the database, which `database` names.
        """
        self._database = database
        self._opener, self._open_describer = opener, open_describer
        self._turn = threading.RLock()
        self._is_closed = False
        self._engine: Engine | None = None
        self._describer: Describer | None = None
        if is_there:
            self._open(create=False)

    @property
    def encoder(self) -> str:
        """The id of the encoder in use, which descriptors carry."""
        with self._turn:
            return self._open(create=False).encoder

    @property
    def path(self) -> Path | None:
        """The file of the database; None for a gallery in memory or on a server."""
        with self._turn:
            return self._open(create=False).store.path

    def close(self) -> None:
        """Let go of the database. Iterators that are under way end with an InputError."""
        with self._turn:
            self._is_closed = True
            if self._engine is not None:
                self._engine.close()

    def __enter__(self) -> Gallery:
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
        portrait: bool = False,
        keep_poor: bool = False,
        again: bool = False,
        with_guesses: bool = False,
        series: str | None = None,
    ) -> Job[EnrolEvent, EnrolmentSummary]:
        """Take pictures into the gallery, as `gallery enroll` does; tell what becomes of each.

        `paths` is a folder that holds one folder per character, or with another source pictures and
        folders of pictures. `names` and `tag_prefix` say which tags of captions are names, where
        the gallery's own characters are not meant. `largest` takes the largest of several faces;
        faces with a head smaller than `min_face` pixels, or worse to be seen than `min_quality`
        (0 to 1), are as if they were not there, and with `portrait` those that are not upright and
        seen from the front, see quality.is_portrait; `keep_poor` lets poor faces count. Faces that
        were forgotten are passed over, unless they are wanted `again`. With the source XMP,
        `with_guesses` takes names that gallery wrote itself of characters that it has, too. With a
        `series`, all who are shown belong to it; reject classes do not.

        What an Enrolled tells is in the database. At the end a Retired tells of each sample that
        went, since its file holds another picture now. Raises InputError where there is nothing to
        enroll, StoreError where the database cannot be written or lacks descriptors of the encoder,
        SetupError where detector or encoder do not work.
        """
        gates, wanted = _gates(min_face, min_quality, portrait=portrait), _texts(names, "names")

        def events() -> Generator[EnrolEvent, None, None]:
            folders = _paths(paths)
            named = enrolling.named_in(folders, source, wanted, tag_prefix)
            engine = self._open(create=True)
            named = named or enrolling.named_as_in(engine, folders)
            yield from enrolling.enroll(
                engine,
                named,
                largest=largest,
                gates=gates,
                keep_poor=keep_poor,
                again=again,
                with_guesses=with_guesses,
                series=series,
            )

        return Job("enroll", self._in_turn(events()))

    def add(
        self,
        picture: Picture,
        name: str,
        *,
        largest: bool = False,
        aligned: bool = False,
        keep_poor: bool = False,
    ) -> Sample:
        """Enroll the one face of a picture under a name, new or not, and return the sample.

        `picture` is as in identify. `largest` takes the largest of several faces; an `aligned`
        picture is a crop that gallery has cut, such as one of `crops`, and no detector sees it. A
        face that is there already is returned as it is. Raises InputError where there is no face
        or several, and for a face that is enrolled under another name; StoreError and SetupError as
        enroll does.
        """
        from gallery.jobs.add import add

        image = _image(picture)
        with self._turn:
            return add(
                self._open(create=True),
                image,
                name,
                largest=largest,
                aligned=aligned,
                keep_poor=keep_poor,
            )

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

        `picture` is a file's path, a file's content as bytes, an RGB array of shape (height, width,
        3) and type uint8, or a picture of Pillow's; a record calls what no file holds `picture`.
        `top` says how many characters to name for a face, `mode` what of a character it is compared
        with. Faces below `min_face` pixels or `min_quality` (0 to 1) are left out and counted.
        Nothing is written.

        Raises InputError for what is no picture and where there is no gallery yet, StoreError and
        SetupError as enroll does.
        """
        _check_top(top)
        gates = _gates(min_face, min_quality)
        image = _image(picture)
        with self._turn:
            engine = self._open(create=False)
            engine.require_encoded()
            return engine.identify(image, mode=mode, top=top, gates=gates)

    def identify_all(
        self,
        pictures: Pictures,
        *,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
        min_face: float = 0.0,
        min_quality: float = 0.0,
    ) -> list[Record]:
        """Say of several pictures what identify says of each; together they take less time.

        Paths may be folders, too, and a file that cannot be read has a record with its error; all
        cores prepare files. The rest is as in identify.
        """
        _check_top(top)
        gates = _gates(min_face, min_quality)
        given = _several(pictures)
        with self._turn:
            engine = self._open(create=False)
            engine.require_encoded()
            if all(isinstance(one, (str, os.PathLike)) for one in given):
                return _of_files(engine, given, mode=mode, top=top, gates=gates)
            records: list[Record] = []
            for start in range(0, len(given), AT_ONCE):
                images = [_image(one) for one in given[start : start + AT_ONCE]]
                records += engine.identify_all(images, mode=mode, top=top, gates=gates)
            return records

    def compare(
        self,
        first: Picture,
        second: Picture,
        *,
        threshold: float | None = None,
        largest: bool = False,
    ) -> Comparison:
        """Say how far apart the faces of two pictures are, and whether they are one character.

        At most `threshold` apart they are; unless told, at most 0.6. Raises InputError for a
        picture without a face, or with several unless the `largest` is meant.
        """
        from gallery.jobs.compare import compare

        images = _image(first), _image(second)
        with self._turn:
            return compare(
                self._describing(),
                *images,
                threshold=SAME if threshold is None else threshold,
                largest=largest,
            )

    def describe(self, picture: Picture) -> list[DescribedFace]:
        """Return every face of a picture with crop, descriptor and quality, best score first."""
        image = _image(picture)
        with self._turn:
            return self._describing().describe_all(image)

    def describe_all(
        self, paths: PathLike | Sequence[PathLike]
    ) -> Job[Event[FaceTable], FaceTable]:
        """Describe every face of pictures, as `gallery describe` does; all cores prepare files.

        The result has the descriptors of all faces and saves them as arrays.
        """
        from gallery.jobs.describe import describe
        from gallery.media.inputs import pictures_of

        def events() -> Generator[Event[FaceTable], None, None]:
            yield from describe(self._describing(), pictures_of(_paths(paths)))

        return Job("describe_all", self._in_turn(events()))

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
    ) -> Job[LabelEvent, LabelSummary]:
        """Label pictures, videos and folders of them, as `gallery label` does.

        `out` is a .jsonl or .csv file of records; where it is there, the job resumes. `write` holds
        other formats as FORMAT[:TARGET], `options` what they can be told, and `rewrite` has them
        written for pictures of earlier runs, too. `since` takes files changed since a date or for a
        duration such as 7d. With `keep` the gallery notes what it sees, for `gallery cluster` and
        `gallery relabel`. So many `workers` prepare pictures at the same time; unless told, one for
        each core. With `watch` the iterator does not end: it goes on with pictures that come into
        the folders, and says by a Waiting when all that has come is labelled; leave it there, or by
        Ctrl-C. Videos are looked at from `start` to `end`, in seconds, and `every` so many seconds;
        the rest is as in identify.

        What a Labelled tells is in the files; documents such as coco are written when the job ends
        or is closed. Raises InputError where paths or outputs cannot be used, also where another
        job writes `out`; StoreError and SetupError as enroll does.
        """
        _check_top(top)
        watched = _video(start, end, every, _gates(min_face, min_quality))
        if workers is not None and workers < 1:
            raise BadSetting("workers", f"{workers} workers do nothing", "there is 1 at the least")
        choices = labelling.LabelChoices(mode, top, keep, watched, workers)
        formats = _texts(write, "write")

        def events() -> Generator[LabelEvent, None, None]:
            plan = labelling.planned(
                _paths(paths), Path(out), formats, options or OutputOptions(), since, watch=watch
            )
            with ExitStack() as own:
                opened = own.enter_context(self._apart()) if watch else self._open(create=False)
                yield from labelling.label(opened, plan, choices, rewrite=rewrite)

        # While one thread waits for pictures, the others have their turns.
        return Job("label", events() if watch else self._in_turn(events()))

    def relabel(
        self,
        out: PathLike,
        paths: PathLike | Sequence[PathLike] = (),
        *,
        alone: bool = False,
        gone: bool = False,
        write: Sequence[str] = (),
        rewrite: bool = False,
        options: OutputOptions | None = None,
        mode: MatchMode = MatchMode.IDEAL,
        top: int = 3,
    ) -> Job[LabelEvent, LabelSummary]:
        """Answer anew what was labelled before, as `gallery relabel` does.

        No picture is looked at: what `label` saw is kept in the gallery. All of it is answered, or
        files and folders in `paths`. Once the gallery is calibrated, all faces that were ever seen
        are scored jointly, unless they are to be answered `alone`; those of files that are `gone`
        are answered alone, unless they are wanted. The rest is as in label; a file
        that has changed since is Refused, and so is a path at which nothing was labelled. Raises
        InputError where there is nothing to answer.
        """
        _check_top(top)
        formats = _texts(write, "write")

        def events() -> Generator[LabelEvent, None, None]:
            wanted = [registry.output_spec(text) for text in formats]
            choices = relabelling.RelabelChoices(
                Path(out),
                _paths(paths) if paths else (),
                alone,
                mode,
                top,
                wanted,
                options or OutputOptions(),
                gone,
                rewrite,
            )
            yield from relabelling.relabel(self._open(create=False), choices)

        return Job("relabel", self._in_turn(events()))

    def appearances(
        self,
        paths: PathLike | Sequence[PathLike] = (),
        *,
        alone: bool = False,
        write: Sequence[str] = (),
        options: OutputOptions | None = None,
    ) -> Job[Event[tuple[Episode, ...]], tuple[Episode, ...]]:
        """Say who is on screen in labelled videos, as `gallery appearances` does.

        All that were labelled are told of, or files and folders in `paths`; `write` takes formats
        that tell who is on screen. The result has an Episode for each video. Raises InputError
        where no video was labelled.
        """
        from gallery.jobs.appearances import AppearanceChoices, appearances

        formats = _texts(write, "write")

        def events(engine: Engine) -> Generator[Event[tuple[Episode, ...]], None, None]:
            wanted = [registry.output_spec(text) for text in formats]
            chosen = _paths(paths) if paths else ()
            yield from appearances(
                engine, AppearanceChoices(chosen, alone, wanted, options or OutputOptions())
            )

        return self._job("appearances", events)

    def dataset(
        self,
        out: PathLike,
        paths: PathLike | Sequence[PathLike] = (),
        *,
        form: SetFormat = SetFormat.KOHYA,
        crop: Cut = Cut.PICTURE,
        characters: Collection[str] = (),
        confirmed: bool = False,
        keep_near: bool = False,
        repeats: int = 1,
        resolution: int = 1024,
        min_face: float = 0.0,
        min_quality: float = 0.0,
        portrait: bool = False,
        alone: bool = False,
        options: OutputOptions | None = None,
    ) -> Job[Event[Dataset], Dataset]:
        """Make a training set of what was labelled, as `gallery dataset` does.

        All of it is taken, or files and folders in `paths`; of all `characters` or some; only
        faces that a person `confirmed`, or all that have a name; gates are those of enroll.
        `repeats` are of the character with most pictures, and `resolution` is the side in pixels
        that the trainer brings pictures to. The folder appears at the end, whole; one that holds
        such a set is replaced. Raises InputError where nothing was labelled, and for a folder
        that holds anything else.
        """
        from gallery.jobs.dataset import DatasetChoices, dataset

        if repeats < 1 or resolution < 1:
            raise BadSetting("repeats", "repeats and resolution are whole numbers from 1")
        choices = DatasetChoices(
            SetFormat(form),
            _paths(paths) if paths else (),
            Cut(crop),
            _texts(characters, "characters"),
            confirmed,
            keep_near,
            repeats,
            resolution,
            _gates(min_face, min_quality, portrait=portrait),
            alone,
            options or OutputOptions(),
        )
        return self._job("dataset", lambda engine: dataset(engine, Path(out), choices))

    def corrections(
        self,
        files: PathLike | Sequence[PathLike],
        *,
        original: PathLike | None = None,
        everything: bool = False,
        pictures: PathLike | None = None,
        new: bool = False,
        dry_run: bool = False,
        who: str | None = None,
    ) -> Job[Event[Corrected], Corrected]:
        """Take in what was corrected in other programs, as `gallery corrections` does.

        All of it becomes one step, which `undo` takes back. `original` is the file as gallery wrote
        it: what it says, too, is no correction; with `everything` all names in gallery's own
        records are a person's. Relative paths lead from the folder `pictures`. Names that nobody
        has are taken where they may be `new`. With `dry_run` nothing is decided. Raises InputError
        where no file can be read.
        """
        from gallery.jobs.corrections import CorrectionChoices, corrections

        choices = CorrectionChoices(
            _paths(files),
            None if original is None else Path(original),
            everything,
            None if pictures is None else Path(pictures),
            new,
            dry_run,
        )
        return self._job("corrections", lambda engine: corrections(engine, choices, who=who))

    def cluster(
        self, *, poor: bool = False, afresh: bool = False
    ) -> Job[Event[Clusters], Clusters]:
        """Group the unknown faces that labelling saw, as `gallery cluster` does, largest first.

        A cluster keeps its number while more faces come, unless all are grouped `afresh`. `poor`
        takes faces that can hardly be seen, too. `alone` of the result says how many unknown faces
        are in no cluster.
        """
        from gallery.jobs.cluster import cluster

        return self._job("cluster", lambda engine: cluster(engine, poor=poor, afresh=afresh))

    def opinions(
        self,
        tagger: PathLike,
        paths: PathLike | Sequence[PathLike] = (),
        *,
        tags: PathLike | None = None,
        least: float = 0.85,
    ) -> Job[Event[Opinions], Opinions]:
        """Ask a tagger of the WD14 family who labelled faces are, as `gallery opinion` does.

        `tagger` is its ONNX file, `tags` its table, which lies beside it unless named. A tag counts
        from the probability `least` on, 0 to 1. Nothing is changed. Raises InputError for files
        that are no tagger, and for a path at which nothing was labelled.
        """
        from gallery.faces.tagger import Tagger
        from gallery.jobs.opinion import opinions

        if not 0 < least <= 1:
            raise BadSetting("least", "least is a probability above 0, at most 1")
        table, given = None if tags is None else Path(tags), _paths(paths) if paths else ()

        def job(engine: Engine) -> Generator[Event[Opinions], None, None]:
            yield from opinions(engine, Tagger(Path(tagger), table), given, least=least)

        return self._job("opinions", job)

    def adopt(
        self,
        faces: FacesMeant,
        name: str,
        *,
        only: FacesMeant = (),
        without: FacesMeant = (),
        face: int | None = None,
        time: float | None = None,
        poor: bool = False,
    ) -> Job[Event[int], int]:
        """Enroll unknown faces under a name, new or not; the result is how many.

        A number is a cluster's, of which all faces are taken that it showed, `only` some, or all
        `without` some. A LeftOut tells of each that was enrolled or decided of since. The rest is
        as in confirm. Raises InputError where there is no such cluster or face, and for a name that
        cannot be one.
        """
        from gallery.jobs.adopt import adopt_faces
        from gallery.jobs.meant import UnknownCluster, Which

        given = [UnknownCluster(faces)] if isinstance(faces, int) else _meant(faces)
        some, rest, which = _meant(only), _meant(without), Which(face, time)
        return self._job(
            "adopt",
            lambda engine: adopt_faces(
                engine, given, name, which, only=some, without=rest, poor=poor
            ),
        )

    def use_confirmed(
        self, name: str, take: int = 5, *, dry_run: bool = False
    ) -> Job[Event[References], References]:
        """Enroll the few confirmed faces of a character that teach most, as `gallery references`.

        At most so many are taken: what can be seen well, and is like other confirmed faces more
        than like a sample that is there. The result says which; nothing is enrolled with `dry_run`.
        Raises InputError for a name that nobody has, and where no seen face is confirmed as it.
        """
        from gallery.jobs.references import references

        return self._job(
            "use_confirmed", lambda engine: references(engine, name, take, dry_run=dry_run)
        )

    def harvest(
        self,
        paths: PathLike | Sequence[PathLike],
        out: PathLike,
        *,
        at_least: int = 1,
        mode: MatchMode = MatchMode.IDEAL,
        min_face: float = 0.0,
        min_quality: float = 0.2,
        portrait: bool = False,
        start: float = 0.0,
        end: float | None = None,
        every: float = EVERY,
    ) -> Job[HarvestEvent, Harvested]:
        """Gather the unknown faces of pictures and videos in one new folder a likely character.

        As `gallery harvest` does. Clusters of fewer faces than `at_least` are left out. The folder
        appears at the end, whole. `portrait` is as in enroll, and the rest as in label.
        """
        from gallery.jobs.harvest import harvest, refuse_inside
        from gallery.media.inputs import media_of

        options = _video(start, end, every, _gates(min_face, min_quality, portrait=portrait))

        def events() -> Generator[HarvestEvent, None, None]:
            named = _paths(paths)
            media = media_of(named)
            refuse_inside(Path(out), named)
            yield from harvest(
                self._open(create=True),
                media,
                Path(out),
                options=options,
                mode=mode,
                at_least=at_least,
            )

        return Job("harvest", self._in_turn(events()))

    def reencode(self, *, everything: bool = False) -> Job[Event[Reencoded], Reencoded]:
        """Encode stored faces with the encoder in use, as `gallery reencode` does.

        Those that it has encoded are passed over, unless `everything` is encoded anew.
        """
        from gallery.jobs.reencode import reencode

        return self._job("reencode", lambda engine: reencode(engine, everything=everything))

    def calibrate(self, fpir: float = CALIBRATED_FPIR) -> Job[Event[Calibrated], Calibrated]:
        """Learn which answers are sure, as `gallery calibrate` does.

        `fpir`, above 0 and below 0.5, is the share of strangers that may be surely named.
        """
        from gallery.jobs.calibrate import calibrate

        return self._job("calibrate", lambda engine: calibrate(engine, fpir))

    def evaluate(
        self, folder: PathLike | None = None, *, largest: bool = False, seed: int = 0
    ) -> Job[Event[Evaluation], Evaluation]:
        """Measure how often the gallery is right, as `gallery evaluate` does.

        On its own faces, or on a folder that holds a folder of pictures for each character.
        """
        from gallery.evaluation.run import evaluate

        asked = None if folder is None else Path(folder)
        return self._job(
            "evaluate", lambda engine: evaluate(engine, asked, largest=largest, seed=seed)
        )

    def evaluate_decisions(
        self, *, seed: int = 0
    ) -> Job[Event[DecidedEvaluation], DecidedEvaluation]:
        """Measure how often the gallery is right by itself on the faces that a person decided of.

        As `gallery evaluate --decisions` does.
        """
        from gallery.evaluation.decided import evaluate_decisions

        return self._job("evaluate_decisions", lambda engine: evaluate_decisions(engine, seed=seed))

    def audit(self) -> Job[Event[list[Proposal]], list[Proposal]]:
        """Look for what may be wrong in the gallery, as `gallery audit` does, likeliest first."""
        from gallery.audit.run import audit

        return self._job("audit", audit)

    def characters(self) -> list[Character]:
        """Return all characters by name."""
        with self._turn:
            return self._open(create=False).characters()

    def samples(self, name: str) -> list[Sample]:
        """Return a character's samples by id. Raises InputError for a name nobody has."""
        with self._turn:
            return self._open(create=False).samples(name)

    def crops(self, sample_ids: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
        """Return the aligned crops of samples by id: RGB, shape (150, 150, 3), 0 to 255."""
        with self._turn:
            return self._open(create=False).crops(_ids(sample_ids))

    def rename(self, old: str, new: str) -> None:
        """Give a character another name; folders with the old one go on meaning the character."""
        with self._turn:
            self._open(create=False).rename(old, new)

    def belong(self, names: Sequence[str], series: str) -> None:
        """Let characters belong to a series, as `gallery series` does; to none without its name.

        Raises InputError for a name nobody has.
        """
        with self._turn:
            self._open(create=False).belong(_texts(names, "names"), series)

    def series(self) -> dict[str, list[str]]:
        """Return the series in their order, each with the names of its characters."""
        with self._turn:
            return self._open(create=False).store.series.all()

    def other_names(self, name: str) -> list[str]:
        """Return the other names that a character goes by; those it had before are among them."""
        with self._turn:
            store = self._open(create=False).store
            return store.other_names(store.character(name).id)

    def call(self, name: str, others: Sequence[str]) -> None:
        """Let a character go by other names, too, as `gallery alias` does.

        Raises InputError for a name nobody has, and where another one means somebody else.
        """
        with self._turn:
            self._open(create=False).call(name, _texts(others, "others"))

    def call_no_more(self, name: str, others: Sequence[str]) -> None:
        """Let other names of a character mean nobody.

        Raises InputError for a name nobody has, and for one that the character does not go by.
        """
        with self._turn:
            self._open(create=False).call_no_more(name, _texts(others, "others"))

    def merge(self, source: str, target: str) -> int:
        """Give all samples of one character to another, and return how many."""
        from gallery.jobs.decide import person

        with self._turn:
            return self._open(create=False).merge(source, target, person(None)).samples

    def move(self, sample_ids: Sequence[int], name: str, *, new: bool = False) -> None:
        """Give samples to a character. Raises InputError for one nobody has, unless it is new."""
        with self._turn:
            self._open(create=False).move(_ids(sample_ids), name, new=new)

    def split(self, name: str, new: str, sample_ids: Sequence[int]) -> int:
        """Make a new character of some of a character's samples, and return how many.

        Raises InputError where the character lacks one of them or has no others, and for a name
        that somebody has.
        """
        with self._turn:
            return self._open(create=False).split(name, new, _ids(sample_ids))

    def forget(self, name: str) -> int:
        """Remove a character with all its samples, and return how many; pictures stay."""
        with self._turn:
            engine = self._open(create=False)
            return engine.forget(engine.store.character(name).name)

    def forget_samples(self, sample_ids: Sequence[int]) -> None:
        """Remove samples; their character and their pictures stay."""
        with self._turn:
            self._open(create=False).forget_samples(_ids(sample_ids))

    def confirm(
        self,
        faces: FacesMeant,
        name: str | None = None,
        *,
        face: int | None = None,
        time: float | None = None,
        new: bool = False,
        who: str | None = None,
    ) -> Step:
        """Decide that faces show a character, as `gallery confirm` does, and return the step.

        Without a name each shows whom the gallery answers. They are answered so from then on, and
        sure; none is enrolled. `faces` are one or several: the number of a seen face, as Sighting
        has it, a Sighting, a Cluster, or the path of a picture, of which `face` counts as identify
        does, or of a labelled video at a `time` in seconds. `who` decides is the user of this
        machine unless it is said.

        Raises InputError for faces that are not there, for one that the gallery has no name for,
        and for a name that nobody has, unless it is `new`.
        """
        from gallery.jobs.decide import confirm
        from gallery.jobs.meant import Which

        given, which = _meant(faces), Which(face, time)
        with self._turn:
            engine = self._open(create=False)
            return result_of(confirm(engine, given, name, which, new=new, who=who))

    def name(
        self,
        faces: FacesMeant,
        name: str,
        *,
        face: int | None = None,
        time: float | None = None,
        box: tuple[float, float, float, float] | None = None,
        use: bool = False,
        new: bool = False,
        who: str | None = None,
    ) -> Named:
        """Decide that faces show a character, as `gallery name` does, and return what came of it.

        As confirm does it; a `box` in pixels says where the face of a picture is, too. With `use`
        the faces are enrolled: one that is somebody else's sample is moved, and what is in the box
        is taken as a face where the detector sees none.
        """
        from gallery.jobs.meant import Which
        from gallery.jobs.name import name_faces
        from gallery.types import Box

        given, which = _meant(faces), Which(face, time, None if box is None else Box(*box))
        with self._turn:
            engine = self._open(create=False)
            return result_of(name_faces(engine, given, name, which, use=use, new=new, who=who))

    def ignore(
        self,
        faces: FacesMeant,
        *,
        face: int | None = None,
        time: float | None = None,
        who: str | None = None,
    ) -> Step:
        """Decide that nobody wants to know whom faces show, and return the step; see confirm."""
        return self._set_aside("ignore", faces, face, time, who)

    def no_face(
        self,
        faces: FacesMeant,
        *,
        face: int | None = None,
        time: float | None = None,
        who: str | None = None,
    ) -> Step:
        """Decide that what the detector found is no face, and return the step; see confirm."""
        return self._set_aside("no_face", faces, face, time, who)

    def clear(
        self,
        faces: FacesMeant,
        *,
        face: int | None = None,
        time: float | None = None,
        who: str | None = None,
    ) -> Step:
        """Decide nothing of faces any more, and return the step; see confirm."""
        return self._set_aside("clear", faces, face, time, who)

    def _set_aside(
        self, action: str, faces: FacesMeant, face: int | None, time: float | None, who: str | None
    ) -> Step:
        from gallery.jobs.decide import set_aside
        from gallery.jobs.meant import Which
        from gallery.store.steps import Action

        given, which = _meant(faces), Which(face, time)
        with self._turn:
            engine = self._open(create=False)
            return result_of(set_aside(engine, given, Action(action), which, who=who))

    def undo(self, steps: Sequence[int] = (), *, who: str | None = None) -> Undone:
        """Restore what was before steps, or before the last one that is not undone.

        What a newer step decided of is left alone, and told. Raises InputError where there is no
        such step, and where there is nothing left to undo.
        """
        from gallery.jobs.decide import undo

        with self._turn:
            return undo(self._open(create=False), _ids(steps), who=who)

    def decisions(self) -> list[DecidedFace]:
        """Return the faces that were ever decided of, with their states now."""
        with self._turn:
            return self._open(create=False).store.decisions.faces()

    def steps(self) -> list[Step]:
        """Return the steps that decided of faces, newest first."""
        with self._turn:
            return self._open(create=False).store.decisions.steps()

    def answer_counts(self) -> AnswerCounts:
        """Return how many seen faces have which stored answer, and how many of these are stale."""
        with self._turn:
            engine = self._open(create=False)
            return engine.store.answers.counts(engine.encoder)

    def answers(
        self,
        verdict: Verdict | None,
        character: str | None = None,
        *,
        decided: Decided = Decided.UNDECIDED,
        after: str | None = None,
        limit: int = 200,
        likeliest: bool = False,
    ) -> AnswerPage:
        """Return stored answers of a verdict, of one character or of all, least likely first.

        `verdict` None asks for faces that were not answered yet. Those that a person decided of
        come where it is said what: CONFIRMED ones are SURE, IGNORED and NO_FACE ones UNKNOWN.
        `after` is what the page before says of its end. With `likeliest` the likeliest come first.
        """
        with self._turn:
            engine = self._open(create=False)
            name = None if character is None else engine.store.character(character).name
            return engine.store.answers.page(
                engine.encoder,
                verdict,
                name,
                decided=decided,
                after=after,
                limit=limit,
                likeliest=likeliest,
            )

    def renew_answers(self, *, alone: bool = False) -> Job[Event[Renewal], Renewal]:
        """Answer the seen faces anew whose stored answers are stale.

        A calibrated gallery scores them jointly, unless each is to be answered `alone`, which
        takes less time.
        """
        from gallery.jobs.answers import renew

        return self._job("renew_answers", lambda engine: renew(engine, alone=alone))

    def reject(
        self, path: PathLike | int | Sighting, name: str, *, face: int | None = None
    ) -> Rejection:
        """Note that a face of a picture does not show a character, and return the note.

        Faces are numbered from 1 in the order of identify; without a number it is the only face,
        or the only one that is answered with that name. A seen face is given as in confirm.
        """
        from gallery.jobs.review import reject

        (given,) = _meant(path)
        with self._turn:
            engine = self._open(create=False)
            engine.require_encoded()
            return reject(engine, given, name, face)

    def rejections(self) -> list[Rejection]:
        """Return what was rejected, by id."""
        with self._turn:
            return self._open(create=False).store.rejections.all()

    def take_back(self, rejection_ids: Sequence[int]) -> None:
        """Take rejections back. Raises InputError where one does not exist."""
        from gallery.jobs.review import take_back

        with self._turn:
            take_back(self._open(create=False), _ids(rejection_ids))

    def backup(self, file: PathLike) -> None:
        """Write a copy of the database, also while others write to it.

        Raises StoreError where the file is there already or cannot be written.
        """
        with self._turn:
            self._open(create=False).store.back_up(Path(file))

    def restore(self, file: PathLike) -> Path | None:
        """Put a back-up in the database's place, and return where what it replaces lies.

        None where there was nothing. The back-up stays. Jobs that are under way end with a
        StoreError. Raises InputError where there is no back-up; StoreError for one that is no
        gallery's, is damaged or of a newer version, and where another process has the database
        open.
        """
        from gallery.store.backups import restore

        with self._turn:
            self._require_open()
            if self._engine is not None:
                self._engine.close()
                self._engine = None
            return restore(self._database, Path(file))

    def export(self, file: PathLike) -> int:
        """Write the whole gallery as one .zip file, and return how many samples are in it."""
        from gallery.store import archive

        with self._turn:
            return archive.export(self._open(create=False).store, Path(file))

    def import_archive(self, file: PathLike) -> Imported:
        """Add an exported gallery to this one; faces that are here already keep their labels."""
        from gallery.store import archive

        with self._turn:
            return archive.restore(self._open(create=True).store, Path(file))

    def _job(
        self, name: str, begin: Callable[[Engine], Generator[Event[Result], None, None]]
    ) -> Job[Event[Result], Result]:
        """Return a job of an open gallery, whose events take turns."""

        def events() -> Generator[Event[Result], None, None]:
            yield from begin(self._open(create=False))

        return Job(name, self._in_turn(events()))

    def _describing(self) -> Describer:
        """Return detector, aligner and encoder, also where there is no database yet."""
        self._require_open()
        if self._engine is not None:
            return self._engine.describer
        if self._describer is None:
            self._describer = self._open_describer()
        return self._describer

    def _open(self, *, create: bool) -> Engine:
        with self._turn:
            self._require_open()
            if self._engine is None:
                self._engine = self._opener(create)
            return self._engine

    def _apart(self) -> Engine:
        """Open the same gallery once more, for one thread alone."""
        if self._open(create=False).store.address.shown is None:
            raise BadSetting(
                "database", "A gallery in memory cannot be opened twice", "to watch, give it a file"
            )
        return self._opener(False)

    def _require_open(self) -> None:
        if self._is_closed:
            raise ClosedGallery

    def _in_turn(self, events: Generator[Told, None, None]) -> Generator[Told, None, None]:
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


def _meant(faces: FacesMeant) -> list[Given]:
    """Return the faces that a program means."""
    from gallery.jobs.cluster import Cluster
    from gallery.jobs.meant import SeenFace, read_given
    from gallery.store.sightings import Sighting

    if isinstance(faces, Cluster):
        return [SeenFace(one.id) for one in faces.faces]
    if isinstance(faces, Sighting):
        return [SeenFace(faces.id)]
    if isinstance(faces, int):
        return [SeenFace(faces)]
    if isinstance(faces, (str, os.PathLike)):
        return [read_given(os.fspath(faces))]
    return [one for several in faces for one in _meant(several)]


def _image(picture: Picture) -> Image:
    if isinstance(picture, (str, os.PathLike)):
        return read_image(Path(picture))
    if isinstance(picture, bytes):
        return decode(picture, NAMELESS)
    if isinstance(picture, np.ndarray):
        return from_pixels(picture, NAMELESS)
    return from_pillow(picture, NAMELESS)


def _gates(min_face: float, min_quality: float, *, portrait: bool = False) -> Gates:
    """Return gates. Raises InputError for values that no face has."""
    if min_face < 0 or not 0 <= min_quality <= 1:
        raise BadSetting(
            "gates", "min_face is a number of pixels from 0, min_quality one from 0 to 1"
        )
    return Gates(min_face, min_quality, portrait)


def _check_top(top: int) -> None:
    if top < 1:
        raise BadSetting("top", f"{top} characters cannot be named for a face", "top is 1 or more")


def _texts(given: Collection[str], what: str) -> list[str]:
    """Return texts as a list. Raises InputError for one text in the place of several."""
    if isinstance(given, str):
        raise BadSetting(what, f"{what} is a list of texts, not one text", f"give [{given!r}]")
    return list(given)


def _ids(given: Sequence[int]) -> list[int]:
    """Return ids, each once, in their order. Raises InputError for what is no list of them."""
    if isinstance(given, (int, str)):
        raise BadSetting("ids", "Ids are a list of numbers", f"give [{given}]")
    return list(dict.fromkeys(given))


def _several(pictures: Pictures) -> list[Picture]:
    """Return one picture or several as a list."""
    if isinstance(pictures, (list, tuple)):
        return list(pictures)
    return [pictures]  # type: ignore[list-item]


def _of_files(
    engine: Engine, paths: Sequence[Picture], *, mode: MatchMode, top: int, gates: Gates
) -> list[Record]:
    """Identify files and those of folders, prepared by all cores."""
    from gallery.jobs.pipeline import identified
    from gallery.media.inputs import pictures_of

    media = pictures_of([Path(os.fspath(one)) for one in paths])  # type: ignore[arg-type]
    answers = identified(engine, media.pictures, mode=mode, top=top, gates=gates)
    records = [one.record for one in answers]
    return [
        *records,
        *(Record(one.path, None, None, engine.encoder, error=one.reason) for one in media.refused),
    ]


def _video(start: float, end: float | None, every: float, gates: Gates) -> VideoOptions:
    """Return what of videos is looked at. Raises InputError for times that are none."""
    if every < 0 or start < 0 or (end is not None and end <= start):
        raise BadSetting("start", "Times of a video begin at 0, and its end comes after its start")
    return VideoOptions(start, end, every, gates)
