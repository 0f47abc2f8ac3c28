"""Output formats: name -> implementation, one line each, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import BadSetting, GalleryError, NoSuchFormat, PluginFailed
from gallery.output.format import Output, OutputWriter, Placing
from gallery.system import plugins
from gallery.system.patience import Overdue, Patience
from gallery.types import Record

if TYPE_CHECKING:
    from gallery.output.screen_time import Episode

GROUP = "gallery.writers"
"""The entry-point group in which other packages name factories: an Output in, a writer out."""

CLOSING = 20
"""How many times as long as a record the end of a package's output may take: documents are written
then."""


class Target(StrEnum):
    """What kind of target a format needs."""

    BESIDE = "[:FOLDER]"
    """Beside the pictures, or below a folder."""
    FOLDER = ":FOLDER"
    FILE = ":FILE"
    ANY = "[:TARGET]"


@dataclass(frozen=True, slots=True)
class Format:
    """One format of gallery's own."""

    target: Target
    open: Callable[[Output], OutputWriter]
    makes_pictures: bool = False
    """True where pictures come into the folder, which are not to be labelled in their turn."""
    is_document: bool = False
    """As the writer says."""
    takes_videos: bool = False
    """As the writer says."""
    screen_suffix: str = ""
    """Of one that tells who is on screen in a video: what ends its file, see video_documents."""


def _captions(output: Output) -> OutputWriter:
    from gallery.output.captions import Captions

    return Captions(output)


def _hydrus(output: Output) -> OutputWriter:
    from gallery.output.hydrus import Hydrus

    return Hydrus(output)


def _xmp(output: Output) -> OutputWriter:
    from gallery.output.xmp_sidecar import XmpSidecar

    return XmpSidecar(output)


def _xmp_stem(output: Output) -> OutputWriter:
    from gallery.output.xmp_sidecar import XmpSidecar

    return XmpSidecar(output, by_stem=True)


def _sorted(output: Output) -> OutputWriter:
    from gallery.output.sorted_folders import SortedFolders

    return SortedFolders(output)


def _annotated(output: Output) -> OutputWriter:
    from gallery.output.annotated import Annotated

    return Annotated(output)


def _jsonl(output: Output) -> OutputWriter:
    from gallery.output.record_copy import RecordCopy

    return RecordCopy("jsonl", output)


def _csv(output: Output) -> OutputWriter:
    from gallery.output.record_copy import RecordCopy

    return RecordCopy("csv", output)


def _coco(output: Output) -> OutputWriter:
    from gallery.output.coco import Coco

    return Coco(output)


def _label_studio(output: Output) -> OutputWriter:
    from gallery.output.label_studio import LabelStudio

    return LabelStudio(output)


def _html(output: Output) -> OutputWriter:
    from gallery.output.html_sheet import HtmlSheet

    return HtmlSheet(output)


def _webvtt(output: Output) -> OutputWriter:
    from gallery.output.subtitles import is_our_webvtt, webvtt

    return _of_videos("vtt", webvtt, is_our_webvtt, output)


def _srt(output: Output) -> OutputWriter:
    from gallery.output.subtitles import is_our_srt, srt

    return _of_videos("srt", srt, is_our_srt, output)


def _chapters(output: Output) -> OutputWriter:
    from gallery.output.chapters import is_ours, matroska

    return _of_videos("chapters", matroska, is_ours, output)


def _ffmetadata(output: Output) -> OutputWriter:
    from gallery.output.chapters import ffmetadata, is_ours

    return _of_videos("ffmetadata", ffmetadata, is_ours, output)


def _edl(output: Output) -> OutputWriter:
    from gallery.output.markers import edl, is_our_edl

    return _of_videos("edl", edl, is_our_edl, output)


def _otio(output: Output) -> OutputWriter:
    from gallery.output.markers import is_our_otio, otio, require_otio

    require_otio()
    return _of_videos("otio", otio, is_our_otio, output)


def _timeline(output: Output) -> OutputWriter:
    from gallery.output.time_line import is_ours, time_line

    return _of_videos("timeline", time_line, is_ours, output)


def _of_videos(
    name: str,
    text: Callable[[Episode], str],
    is_ours: Callable[[bytes], bool],
    output: Output,
) -> OutputWriter:
    from gallery.output.video_documents import VideoDocuments, VideoForm

    return VideoDocuments(VideoForm(name, FORMATS[name].screen_suffix, text, is_ours), output)


def _on_screen(open_it: Callable[[Output], OutputWriter], suffix: str) -> Format:
    return Format(Target.ANY, open_it, is_document=True, takes_videos=True, screen_suffix=suffix)


FORMATS: dict[str, Format] = {
    "captions": Format(Target.BESIDE, _captions),
    "hydrus": Format(Target.BESIDE, _hydrus),
    "xmp": Format(Target.BESIDE, _xmp),
    "xmp-stem": Format(Target.BESIDE, _xmp_stem),
    "sorted": Format(Target.FOLDER, _sorted, makes_pictures=True, takes_videos=True),
    "annotated": Format(Target.FOLDER, _annotated, makes_pictures=True, takes_videos=True),
    "jsonl": Format(Target.FILE, _jsonl, takes_videos=True),
    "csv": Format(Target.FILE, _csv, takes_videos=True),
    "coco": Format(Target.FILE, _coco, is_document=True),
    "label-studio": Format(Target.FILE, _label_studio, is_document=True),
    "html": Format(Target.FILE, _html, is_document=True, takes_videos=True),
    "vtt": _on_screen(_webvtt, ".vtt"),
    "srt": _on_screen(_srt, ".srt"),
    "chapters": _on_screen(_chapters, ".chapters.xml"),
    "ffmetadata": _on_screen(_ffmetadata, ".ffmetadata"),
    "edl": _on_screen(_edl, ".edl"),
    "otio": _on_screen(_otio, ".otio"),
    "timeline": _on_screen(_timeline, ".json"),
}

ON_SCREEN = tuple(name for name, one in FORMATS.items() if one.screen_suffix)
"""The formats that tell who is on screen in videos."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """A format that a user asked for, and where it goes."""

    format: str
    target: Path | None

    @property
    def is_document(self) -> bool:
        """True for one file of all pictures; False for formats of other packages."""
        own = FORMATS.get(self.format)
        return own is not None and own.is_document

    @property
    def one_video_file(self) -> Path | None:
        """The file that has room for one video; None where each gets its own, or all one."""
        own = FORMATS.get(self.format)
        if own is None or not own.screen_suffix or self.target is None:
            return None
        last = own.screen_suffix[own.screen_suffix.rindex(".") :]
        return self.target if self.target.suffix.lower() == last else None

    @property
    def pictures_folder(self) -> Path | None:
        """The folder that gets pictures; None for a format without one."""
        own = FORMATS.get(self.format)
        return self.target if own is None or own.makes_pictures else None


def output_spec(text: str) -> OutputSpec:
    """Read `FORMAT[:TARGET]`. Raises InputError for a format nobody has, or a missing target."""
    name, colon, target = text.partition(":")
    own = FORMATS.get(name)
    if own is None and name not in plugins.names(GROUP):
        raise NoSuchFormat(name, (*FORMATS, *plugins.names(GROUP)))
    wish = own.target if own is not None else Target.ANY
    if (colon and not target) or (not colon and wish in (Target.FOLDER, Target.FILE)):
        raise BadSetting("write", f"{text} does not say where to write", f"give {name}{wish}")
    return OutputSpec(name, Path(target) if target else None)


def of_records(out: Path) -> tuple[Path, OutputSpec | None]:
    """Return the file of records that an output names, and the format that it is of.

    That is a subtitle file or another one that tells who is on screen: its records come into a
    file of its name that ends in .jsonl. An output that is a file of records is that file.
    """
    for name in ON_SCREEN:
        spec = OutputSpec(name, out)
        if spec.one_video_file is not None and out.suffix.lower() != ".json":
            return out.with_suffix(".jsonl"), spec
    return out, None


def require_for_videos(
    asked: Sequence[OutputSpec], placing: Placing = Placing.COPY, *, videos: int = 1
) -> None:
    """Raise InputError for formats that have no place for so many videos.

    And for links to their frames.

    Formats of other packages declare what they take, see OutputWriter.
    """
    own = [one.format for one in asked if one.format in FORMATS]
    unfit = [name for name in own if not FORMATS[name].takes_videos]
    if unfit:
        fit = [name for name, one in FORMATS.items() if one.takes_videos]
        raise BadSetting(
            "write",
            f"{' and '.join(unfit)} cannot tell of videos, which are written as "
            f"{', '.join(fit[:-1])} and {fit[-1]}",
            "label them apart",
        )
    for one in asked:
        if videos > 1 and one.one_video_file is not None:
            from gallery.output.video_documents import several_videos

            raise several_videos(one.one_video_file, one.format)
    if "sorted" in own and placing is not Placing.COPY:
        raise BadSetting(
            "placing",
            "Frames of videos are no files that a link could lead to",
            "copy pictures, or label the videos apart",
        )


def open_writer(name: str, output: Output) -> OutputWriter:
    """Open a format. Raises InputError and SetupError with the reason where that cannot be."""
    own = FORMATS.get(name)
    return own.open(output) if own is not None else _plugged(name, output)


def check(name: str) -> None:
    """Load what another package brings. Raises SetupError where that fails, or two bring one."""
    entry = plugins.entry_of(name, GROUP, "an output format")
    if entry is None:
        return
    try:
        entry.load()
    except Exception as error:
        # Somebody else's code may raise anything.
        raise PluginFailed(
            "output format",
            name,
            plugins.package_of(entry),
            f"cannot be loaded ({plugins.in_a_line(error)})",
        ) from error


def _plugged(name: str, output: Output) -> OutputWriter:
    entry = plugins.entry_of(name, GROUP, "an output format")
    if entry is None:
        raise NoSuchFormat(name, tuple(FORMATS))
    package = plugins.package_of(entry)
    patience = Patience()
    try:
        made = patience.call(lambda: entry.load()(output))
    except GalleryError:
        raise
    except Overdue as error:
        raise PluginFailed(
            "output format", name, package, str(error), plugins.TAKES_LONGER
        ) from error
    except Exception as error:
        # Somebody else's code may raise anything.
        raise PluginFailed(
            "output format", name, package, f"cannot be opened ({plugins.in_a_line(error)})"
        ) from error
    lacking = [part for part in ("write", "close") if not callable(getattr(made, part, None))]
    if lacking:
        raise PluginFailed(
            "output format", name, package, f"has no function {' and '.join(lacking)}"
        )
    return PluggedWriter(made, name, package, patience)


class PluggedWriter:
    """A writer of another package, whose failures become sentences."""

    def __init__(self, writer: OutputWriter, name: str, package: str, patience: Patience) -> None:
        self.name = name
        self.is_document = bool(getattr(writer, "is_document", False))
        self.takes_videos = bool(getattr(writer, "takes_videos", False))
        self._writer = writer
        self._package = package
        self._patience = patience

    def write(self, record: Record) -> None:
        """Write a record. Raises SetupError where the package fails or takes too long."""
        self._guarded(lambda: self._writer.write(record))

    def close(self) -> None:
        """End it. Raises SetupError where the package fails or takes too long.

        One that took too long before is left as it is.
        """
        if not self._patience.is_left:
            self._guarded(self._writer.close, times=CLOSING)

    def _guarded(self, act: Callable[[], None], *, times: int = 1) -> None:
        try:
            self._patience.call(act, times=times)
        except GalleryError:
            raise
        except Overdue as error:
            raise PluginFailed(
                "output format", self.name, self._package, str(error), plugins.TAKES_LONGER
            ) from error
        except Exception as error:
            # Somebody else's code may raise anything.
            raise PluginFailed(
                "output format",
                self.name,
                self._package,
                f"failed ({plugins.in_a_line(error)})",
                "update that package or leave the format out",
            ) from error
