"""A character gallery and identification database for anime.

`gallery.open_gallery()` is where a program begins; docs/python.md shows the rest. Importing the
package loads nothing: each name comes with its module when it is first asked for.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # as type checkers know it; importing typing takes longer than all the rest
if TYPE_CHECKING:
    from gallery.api import OpenGallery, Picture, open_gallery
    from gallery.errors import GalleryError, InputError, SetupError, StoreError
    from gallery.events import (
        Arrived,
        EnrolEvent,
        EnrolmentStarted,
        LabelEvent,
        Labelled,
        LabellingStarted,
        Refused,
        VideoStarted,
        Waiting,
    )
    from gallery.labelling.output import OutputOptions, Placing, TagStyle
    from gallery.records import as_json
    from gallery.sources import Source
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
        homes = ("errors", "types", "events", "sources", "records", "labelling.output", "api")
        for home in homes if name in __all__ else ():
            module = importlib.import_module(f"gallery.{home}")
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"module 'gallery' has no attribute {name!r}")

    def __dir__():
        """List these names, too."""
        return sorted({*globals(), *__all__})


__all__ = [
    "Answer",
    "Arrived",
    "Box",
    "Candidate",
    "EnrolEvent",
    "Enrolled",
    "EnrolmentStarted",
    "Face",
    "GalleryError",
    "InputError",
    "LabelEvent",
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
