"""A character gallery and identification database for anime.

`gallery.open_gallery()` is where a program begins; docs/python.md shows the rest. Importing the
package loads nothing: each name comes with its module when it is first asked for.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gallery.api import OpenGallery, Picture, open_gallery
    from gallery.errors import GalleryError, InputError, SetupError, StoreError
    from gallery.events import (
        Advanced,
        Arrived,
        EnrolEvent,
        EnrolmentStarted,
        EnrolmentSummary,
        Finished,
        LabelEvent,
        Labelled,
        LabellingStarted,
        LabelSummary,
        Refused,
        Started,
        VideoStarted,
        Waiting,
    )
    from gallery.jobs.enroll import Source
    from gallery.output.format import OutputOptions, Placing, TagStyle
    from gallery.output.records import as_json
    from gallery.types import (
        Answer,
        Box,
        Candidate,
        Enrolled,
        Face,
        Match,
        MatchMode,
        Outcome,
        Quality,
        Record,
        Verdict,
        VideoEnd,
        VideoRecord,
        VideoShot,
        VideoTrack,
    )
else:

    def __getattr__(name):
        """Return a name of __all__ from the module that has it."""
        import importlib

        # Light ones come first.
        homes = (
            "errors",
            "types",
            "events",
            "jobs.enroll",
            "output.records",
            "output.format",
            "api",
        )
        for home in homes if name in __all__ else ():
            module = importlib.import_module(f"gallery.{home}")
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"module 'gallery' has no attribute {name!r}")

    def __dir__():
        """List these names, too."""
        return sorted({*globals(), *__all__})


__all__ = [
    "Advanced",
    "Answer",
    "Arrived",
    "Box",
    "Candidate",
    "EnrolEvent",
    "Enrolled",
    "EnrolmentStarted",
    "EnrolmentSummary",
    "Face",
    "Finished",
    "GalleryError",
    "InputError",
    "LabelEvent",
    "LabelSummary",
    "Labelled",
    "LabellingStarted",
    "Match",
    "MatchMode",
    "OpenGallery",
    "Outcome",
    "OutputOptions",
    "Picture",
    "Placing",
    "Quality",
    "Record",
    "Refused",
    "SetupError",
    "Source",
    "Started",
    "StoreError",
    "TagStyle",
    "Verdict",
    "VideoEnd",
    "VideoRecord",
    "VideoShot",
    "VideoStarted",
    "VideoTrack",
    "Waiting",
    "as_json",
    "open_gallery",
]
