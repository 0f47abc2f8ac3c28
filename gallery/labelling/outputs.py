"""All that a labelling job writes: the file of records, and what stands beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from gallery.labelling import formats
from gallery.labelling.appending import RecordFile
from gallery.labelling.job import open_writer
from gallery.labelling.output import NotWrittenError, Output, OutputOptions, OutputWriter, base_of
from gallery.types import Record


class Outputs:
    """The file of records with other formats before it.

    A record comes into the file when all formats have written it, so that what a kill cut short is
    done again.
    """

    def __init__(
        self, records: RecordFile, writers: Sequence[OutputWriter], *, rewrite: bool = False
    ) -> None:
        """Join them.

        Documents are told what stands in the file already; with rewrite all formats are.
        """
        self.done = records.done
        self.not_written: list[str] = []
        """Why outputs of single pictures are missing; these pictures are done again next time."""
        self._records = records
        self._writers = writers
        told = [writer for writer in writers if rewrite or writer.is_document]
        if told and self.done:
            for record in records.records():
                self._write(record, told)

    def write(self, record: Record) -> None:
        """Write a record in all formats, and note that it is done."""
        if self._write(record, self._writers):
            self._records.write(record)

    def _write(self, record: Record, writers: Sequence[OutputWriter]) -> bool:
        is_whole = True
        for writer in writers:
            try:
                writer.write(record)
            except NotWrittenError as error:
                is_whole = False
                self.not_written.append(str(error))
        return is_whole

    def close(self) -> None:
        """End all of them, documents first, even where one fails."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._records.close)
            for writer in reversed(self._writers):
                stack.callback(writer.close)


def open_outputs(
    out: Path,
    wanted: Sequence[formats.Wanted],
    *,
    paths: Sequence[Path],
    encoder: str,
    options: OutputOptions,
    rewrite: bool = False,
) -> Outputs:
    """Open the file of records and the formats that are wanted of pictures in paths.

    With rewrite, pictures whose records stand in the file already are written in all of them.
    Raises InputError and SetupError with the reason where one of them cannot be.
    """
    base = base_of(paths)
    with contextlib.ExitStack() as stack:
        records = open_writer(out, encoder)
        stack.callback(records.close)
        writers: list[OutputWriter] = []
        for one in wanted:
            output = Output(one.target, base, encoder, options)
            writer = formats.open_writer(one.format, output)
            if not writer.is_document:
                stack.callback(writer.close)
            writers.append(writer)
        outputs = Outputs(records, writers, rewrite=rewrite)
        stack.pop_all()
    return outputs
