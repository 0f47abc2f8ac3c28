"""Label Studio: a task for every picture, with faces as predictions to check and correct."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote_from_bytes

from gallery.output.document import DocumentFile, label_of, place_of
from gallery.output.format import Output
from gallery.output.records import as_json, to_line
from gallery.system.file_names import path_of
from gallery.types import Answer, Record

LOCAL_FILES = "/data/local-files/?d="
"""Where Label Studio serves files of its document root, which is the folder of the pictures."""


class LabelStudio:
    """Collects tasks, for a labelling interface whose tags are called `label` and `image`."""

    name = "label-studio"
    is_document = True
    takes_videos = False

    def __init__(self, output: Output) -> None:
        """Prepare the file. Raises InputError as DocumentFile does."""
        self._output = output
        self._file = DocumentFile(output, self.name, (".json",), _is_ours)
        self._tasks: list[str] = []

    def write(self, record: Record) -> None:
        """Collect a picture that could be read, with its faces."""
        if record.error is not None:
            return
        place = place_of(record, self._output)
        faces = zip(record.faces, as_json(record)["faces"], strict=True)
        regions = [
            self._region(f"face{number}", answer, values, record)
            for number, (answer, values) in enumerate(faces, 1)
        ]
        task = {
            "data": {"image": LOCAL_FILES + quote_from_bytes(os.fsencode(path_of(place)))},
            "predictions": [
                {
                    "model_version": f"gallery {record.encoder}",
                    "result": [region for region in regions if region is not None],
                }
            ],
        }
        self._tasks.append(to_line(task))

    def close(self) -> None:
        """Write the file."""
        self._file.save(("[\n" + ",\n".join(self._tasks) + "\n]\n").encode())

    def _region(
        self, name: str, answer: Answer, values: dict[str, Any], record: Record
    ) -> dict[str, Any] | None:
        left, top, right, bottom = values["box"]
        if right <= left or bottom <= top or not record.width or not record.height:
            return None
        return {
            "id": name,
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": record.width,
            "original_height": record.height,
            "image_rotation": 0,
            "score": values["score"],
            "value": {
                "x": 100 * left / record.width,
                "y": 100 * top / record.height,
                "width": 100 * (right - left) / record.width,
                "height": 100 * (bottom - top) / record.height,
                "rotation": 0,
                "rectanglelabels": [label_of(answer, unsure=self._output.options.unsure)],
            },
        }


def _is_ours(content: bytes) -> bool:
    try:
        tasks = json.loads(content)
        versions = [one["model_version"] for task in tasks for one in task["predictions"]]
        is_ours = all(one.startswith("gallery ") for one in versions)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return isinstance(tasks, list) and is_ours
