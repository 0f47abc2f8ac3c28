"""All that a labelling job writes: the file of records, and what stands beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from gallery.media.stills import Stills
from gallery.output import registry
from gallery.output.format import (
    NotWrittenError,
    Output,
    OutputOptions,
    OutputWriter,
    base_of,
    without_set_aside,
)
from gallery.output.record_file import RecordFile, RecordStatus
from gallery.types import Record, VideoRecord


class Outputs:
    """The file of records with other formats before it.

    A record comes into the file when all formats have written it, so that what a kill cut short is
    done again.
    """

    def __init__(
        self,
        records: RecordFile,
        writers: Sequence[OutputWriter],
        *,
        rewrite: bool = False,
        is_open_end: bool = False,
    ) -> None:
        """Join them.

        Documents are told what stands in the file already; with rewrite all formats are. In a job
        with an open end, records may be dropped later, and documents are told all at the end.
        """
        self.not_written: list[str] = []
        """Why outputs of single pictures are missing; these pictures are done again next time."""
        self._told = 0
        self._records = records
        documents = [writer for writer in writers if writer.is_document]
        others = [writer for writer in writers if not writer.is_document]
        self._late = documents if is_open_end else []
        self._writers = others if is_open_end else writers
        told = [writer for writer in self._writers if rewrite or writer.is_document]
        if told:
            for record in records.records():
                self._write(record, told)

    @property
    def done(self) -> frozenset[str]:
        """The paths, as they were given, whose records stand in the file in full."""
        return self._records.done

    @property
    def standing(self) -> Mapping[str, RecordStatus]:
        """What the file of records says of each of them."""
        return self._records.standing

    def drop(self, names: Collection[str]) -> None:
        """Take records of pictures out of the file, given by their paths in it.

        For a job with an open end; what else was written of them stays until they are written
        again.
        """
        self._records.drop(names)

    def write(self, record: Record) -> None:
        """Write a record in all formats, and note that it is done.

        A video's record is noted, too, where an output of it is missing: its shot is done.
        """
        if self._write(record, self._writers) or isinstance(record, VideoRecord):
            self._records.write(record)

    def complaints(self) -> tuple[str, ...]:
        """Return what of not_written was not returned yet."""
        new = tuple(self.not_written[self._told :])
        self._told += len(new)
        return new

    def records(self) -> Iterator[Record]:
        """Yield the records that stand in the file."""
        yield from self._records.records()

    def _write(self, record: Record, writers: Sequence[OutputWriter]) -> bool:
        is_whole = True
        shown = without_set_aside(record)
        for writer in writers:
            told = record if getattr(writer, "takes_set_aside", False) else shown
            if told is None or (isinstance(told, VideoRecord) and not writer.takes_videos):
                continue
            try:
                writer.write(told)
            except NotWrittenError as error:
                is_whole = False
                self.not_written.append(str(error))
        return is_whole

    def close(self) -> None:
        """End all formats, documents first, even where one fails."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._records.close)
            for writer in reversed(self._writers):
                stack.callback(writer.close)
            if self._late:
                for record in self._records.records():
                    self._write(record, self._late)
            for writer in reversed(self._late):
                stack.callback(writer.close)


def open_outputs(
    records: RecordFile,
    wanted: Sequence[registry.OutputSpec],
    *,
    paths: Sequence[Path],
    encoder: str,
    options: OutputOptions,
    rewrite: bool = False,
    is_open_end: bool = False,
    outdated: Collection[str] = (),
) -> Outputs:
    """Join an open file of records with the formats that are wanted of pictures in paths.

    With rewrite, pictures whose records stand in the file already are written in all of them.
    Outdated records, given by their paths in the file, are removed first; their pictures are
    labelled again. See Outputs for jobs with an open end. The file is closed with the outputs.
    Raises InputError and SetupError with the reason where a format cannot be opened.
    """
    base, stills = base_of(paths), Stills()
    with contextlib.ExitStack() as stack:
        stack.callback(records.close)
        writers: list[OutputWriter] = []
        for one in wanted:
            output = Output(one.target, base, encoder, options, stills)
            writer = registry.open_writer(one.format, output)
            if not writer.is_document:
                stack.callback(writer.close)
            writers.append(writer)
        records.drop(outdated)
        outputs = Outputs(records, writers, rewrite=rewrite, is_open_end=is_open_end)
        stack.pop_all()
    return outputs
