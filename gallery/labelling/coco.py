"""COCO: a box and a category for every face, as detection tools and FiftyOne read them."""

from __future__ import annotations

import json
from typing import Any

from gallery.labelling.document import DocumentFile, label_of, place_of
from gallery.labelling.output import Output
from gallery.records import as_json, to_line
from gallery.types import Record

DESCRIPTION = "Faces labelled by gallery"


class Coco:
    """Collects pictures and faces; categories are numbered by name when it is closed."""

    name = "coco"
    is_document = True

    def __init__(self, output: Output) -> None:
        """Prepare the file. Raises InputError as DocumentFile does."""
        self._output = output
        self._file = DocumentFile(output, self.name, (".json",), _is_ours)
        self._images: list[dict[str, Any]] = []
        self._faces: list[tuple[str, dict[str, Any]]] = []

    def write(self, record: Record) -> None:
        """Collect a picture that could be read, and its faces."""
        if record.error is not None:
            return
        image_id = len(self._images) + 1
        self._images.append(
            {
                "id": image_id,
                "file_name": place_of(record, self._output),
                "width": record.width,
                "height": record.height,
            }
        )
        unsure = self._output.options.unsure
        for answer, values in zip(record.faces, as_json(record)["faces"], strict=True):
            left, top, right, bottom = values["box"]
            if right > left and bottom > top:
                face = {
                    "id": len(self._faces) + 1,
                    "image_id": image_id,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                    "segmentation": [],
                    "score": values["score"],
                    "attributes": {"verdict": values["verdict"], "distance": values["distance"]},
                }
                self._faces.append((label_of(answer, unsure=unsure), face))

    def close(self) -> None:
        """Write the file."""
        numbers = {name: row for row, name in enumerate(sorted({one for one, _ in self._faces}), 1)}
        document = {
            "info": {"description": DESCRIPTION, "version": "1.0"},
            "licenses": [],
            "images": self._images,
            "annotations": [{**face, "category_id": numbers[label]} for label, face in self._faces],
            "categories": [
                {"id": number, "name": name, "supercategory": "character"}
                for name, number in numbers.items()
            ],
        }
        self._file.save(f"{to_line(document)}\n".encode())


def _is_ours(content: bytes) -> bool:
    try:
        return bool(json.loads(content)["info"]["description"] == DESCRIPTION)
    except (ValueError, KeyError, TypeError):
        return False
