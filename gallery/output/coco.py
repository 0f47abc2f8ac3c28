"""COCO: a box and a category for every face, as detection tools and FiftyOne read them."""

from __future__ import annotations

import json

from gallery.output.document import DocumentFile, label_of, place_of
from gallery.output.format import Output
from gallery.output.records import as_json, to_line
from gallery.types import Record

DESCRIPTION = "Faces labelled by gallery"


class Coco:
    """Collects pictures and faces; categories are numbered by name when it is closed."""

    name = "coco"
    is_document = True
    takes_videos = False

    def __init__(self, output: Output) -> None:
        """Prepare the file. Raises InputError as DocumentFile does."""
        self._output = output
        self._file = DocumentFile(output, self.name, (".json",), _is_ours)
        # As text they take a quarter of the memory.
        self._images: list[str] = []
        self._faces: list[tuple[str, str]] = []

    def write(self, record: Record) -> None:
        """Collect a picture that could be read, and its faces."""
        if record.error is not None:
            return
        image_id = len(self._images) + 1
        image = {
            "id": image_id,
            "file_name": place_of(record, self._output),
            "width": record.width,
            "height": record.height,
        }
        self._images.append(to_line(image))
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
                    # Masks are drawn from polygons; readers fail on a face that has none.
                    "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
                    "score": values["score"],
                    "attributes": {"verdict": values["verdict"], "distance": values["distance"]},
                }
                self._faces.append((label_of(answer, unsure=unsure), to_line(face)))

    def close(self) -> None:
        """Write the file."""
        numbers = {name: row for row, name in enumerate(sorted({one for one, _ in self._faces}), 1)}
        categories = [
            {"id": number, "name": name, "supercategory": "character"}
            for name, number in numbers.items()
        ]
        parts = {
            "info": to_line({"description": DESCRIPTION, "version": "1.0"}),
            "licenses": _listed([]),
            "images": _listed(self._images),
            "annotations": _listed(
                [f'{face[:-1]}, "category_id": {numbers[label]}}}' for label, face in self._faces]
            ),
            "categories": _listed([to_line(one) for one in categories]),
        }
        text = ",\n".join(f'"{name}": {part}' for name, part in parts.items())
        self._file.save(f"{{{text}}}\n".encode())


def _listed(lines: list[str]) -> str:
    """Return JSON values as a list of them, one on each line."""
    return "[\n" + ",\n".join(lines) + "\n]"


def _is_ours(content: bytes) -> bool:
    try:
        return bool(json.loads(content)["info"]["description"] == DESCRIPTION)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
