"""What can go wrong, and what to do about it.

GalleryError            one sentence: what happened and what to do
├── InputError          give something else: a picture, a name, a folder, an option
├── SetupError          install or fetch something
└── StoreError          the database does not fit, or cannot be written
"""


class GalleryError(Exception):
    """The root of the tree; its text is meant for the user as it stands."""


class InputError(GalleryError):
    """What was given cannot be used; give something else."""


class SetupError(GalleryError):
    """Something is missing or broken on this machine; install or fetch it."""


class StoreError(GalleryError):
    """The database is damaged, of another version, or cannot be written."""
