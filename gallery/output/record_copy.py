"""A second file of records, in another format than the first."""

from __future__ import annotations

from pathlib import Path

from gallery.errors import BadOutput
from gallery.output.format import Output
from gallery.output.resume import VideoProgress, open_writer, progress_of, stands_in
from gallery.types import Record, VideoEnd, VideoRecord


class RecordCopy:
    """JSON Lines or a table beside the file that says what is done."""

    is_document = False
    takes_videos = True
    takes_set_aside = True

    def __init__(self, name: str, output: Output) -> None:
        """Open the file. Raises InputError as job.open_writer does, and for another suffix."""
        path = output.target
        if path is None or path.suffix.lower() != f".{name}":
            raise BadOutput(
                path or Path(name), f"does not end in .{name}", remedy=f"give {name}:FILE.{name}"
            )
        self.name = name
        self._file = open_writer(path, output.encoder)
        self._done = set(self._file.done)
        self._shots: dict[Path, VideoProgress] | None = None

    def write(self, record: Record) -> None:
        """Append a new record, or replace an outdated one."""
        if str(record.path) in self._done:
            if self._is_outdated(record):
                self._file.drop([str(record.path)])
                self._file.write(record)
            return
        is_part = isinstance(record, VideoRecord) and not isinstance(record.part, VideoEnd)
        if not (isinstance(record, VideoRecord) and self._stands(record)):
            self._file.write(record)
        if not is_part:
            self._done.add(str(record.path))

    def _is_outdated(self, record: Record) -> bool:
        """Say whether the file's record of a picture is outdated."""
        stands = self._file.standing.get(str(record.path))
        if stands is None or isinstance(record, VideoRecord):
            return False
        if stands.has_failed or record.error is not None:
            return stands.has_failed != (record.error is not None)
        return None not in (stands.digest, record.digest) and stands.digest != record.digest

    def _stands(self, record: VideoRecord) -> bool:
        """Say whether the record of a part was in the file before this job."""
        if self._shots is None:
            self._shots = progress_of(self._file.records())
        return stands_in(record, self._shots)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
