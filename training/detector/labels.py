"""What two other detectors say of the shared pictures and faces, and what of it is believed.

The teacher (FaceBoxes, trained on anime heads) gives boxes, animeface gives eyes. All that they
say is written down once, a line of JSON for each picture; what is believed is decided when it is
read, so that a rule can change without asking them again.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import math
import multiprocessing
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gallery.faces.detectors.heads import HeadDetector
from gallery.faces.detectors.onnx_file import prior_boxes
from gallery.media.images import decode
from gallery.numerics.distances import keep_best, overlaps
from gallery.system.files import replace_file
from gallery.types import Face, Image, Pixels
from measuring.faces import STORED_SIDE, read_faces

if TYPE_CHECKING:
    from gallery.faces.detectors.animeface import AnimefaceDetector

Numbers = NDArray[np.float64]
Task = TypeVar("Task")

TEACHER_SIDES = (400, 800, 1200)
"""Longer sides at which the teacher looks at a picture: large heads first, small ones last."""

TEACHER_FACE_SIDE = 480
FACE_BORDER = 40
"""Pixels repeated around a face crop, so that a head that fills it is seen as a whole."""

ANIMEFACE_SIDE = 800
CLOSE_SIDE = 240
"""Side of the square around a head that animeface looks at once more."""

CLOSE_VIEW = 1.5
"""That square's side over the head's."""

TURNS = (0.0, 25.0, -25.0)
"""Degrees by which it is turned there: animeface loses heads that roll more than 20."""

LEAST_CLAIM = 0.1
"""The teacher's score from which on a region is not called free of heads."""

SURE = 0.8
"""Its score from which on it is believed without animeface, where it says so at two sizes."""

SURE_ALONE = 0.95
OWN_CLAIM = 0.45
"""Score of our own detector, half trained, from which on a region is not called free of heads."""

OWN_SURE = 0.6
"""Its score from which on it is believed alone."""

CORRECTIONS = Path(__file__).parent / "corrections.json"
"""What a person who looked at our own detector's claims said of them: `nothing` (a hand, a sign)
or `unknown` (the back of a head, a person's photograph, a blur)."""

SAME = 0.4
"""Intersection over union from which on two boxes are one head."""

HEX_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
NEAR_BITS = 6
"""Pictures whose 64 signs of differences differ in up to this many are nearly identical."""


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Heads of a picture, in its pixels."""

    boxes: Numbers
    """Shape (n, 4): left, top, right, bottom."""
    eyes: Numbers
    """Shape (n, 2, 2): the beholder's left and right eye, x and y; NaN where not known."""
    seen: Numbers
    """Shape (n, 2): 1 for an eye that can be seen, 0 for a covered one, NaN where not known."""
    ignored: Numbers
    """Shape (m, 4): regions of which nothing is known; no answer there is right or wrong."""

    def __len__(self) -> int:
        """How many heads there are."""
        return len(self.boxes)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A shared picture with what is believed of it."""

    content: bytes
    """The picture's file."""
    heads: Heads
    is_free: bool
    """Whether neither of the two claims any head; half of such pictures show one all the same."""
    is_trusted: bool
    """Whether all its heads are known: artwork shows one figure, which both see or one surely."""

    def pixels(self) -> Pixels:
        """Return the decoded picture."""
        return decode(self.content, Path("picture")).pixels


@dataclass(frozen=True, slots=True, eq=False)
class FaceLabels:
    """What is believed of the shared faces that show exactly one head."""

    index: NDArray[np.int64]
    """Shape (n,): their rows in the table of faces."""
    boxes: Numbers
    """Shape (n, 4), in pixels of the stored square; it may reach beyond."""
    eyes: Numbers
    """Shape (n, 2, 2); NaN where not known."""

    def subset(self, chosen: NDArray[np.bool_]) -> FaceLabels:
        """Return the faces that are marked."""
        return FaceLabels(self.index[chosen], self.boxes[chosen], self.eyes[chosen])


def empty_heads() -> Heads:
    """Return the heads of a picture without any."""
    return Heads(np.zeros((0, 4)), np.zeros((0, 2, 2)), np.zeros((0, 2)), np.zeros((0, 4)))


class Teacher:
    """FaceBoxes at sizes of one's choice, on one core."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def heads(self, pixels: Pixels, side: int) -> Numbers:
        """Return heads, shape (n, 5): box and score, with the longer side scaled to `side`."""
        import cv2

        height, width = pixels.shape[:2]
        scale = side / max(height, width)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        reduce = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        values = np.asarray(cv2.resize(pixels, size, interpolation=reduce), np.float32)
        values = values[:, :, ::-1] - np.array([104, 117, 123], np.float32)
        offsets, chances = self._session.run(
            ["loc", "conf"], {"x": np.ascontiguousarray(values.transpose(2, 0, 1)[None])}
        )
        rows = np.flatnonzero(chances[:, 1] >= LEAST_CLAIM)
        offset, prior = offsets[0, rows].astype(np.float64), prior_boxes(*size)[rows]
        # The variances of SSD (arXiv 1512.02325) are 0.1 for centres and 0.2 for sizes.
        centres = prior[:, :2] + offset[:, :2] * 0.1 * prior[:, 2:]
        halves = prior[:, 2:] * np.exp(np.minimum(offset[:, 2:] * 0.2, 20.0)) / 2
        boxes = np.hstack([centres - halves, centres + halves]) * np.tile([width, height], 2)
        scores = chances[rows, 1].astype(np.float64)
        kept = keep_best(boxes, scores, 0.4, 200)
        return np.column_stack([boxes[kept], scores[kept]])


def differences(pixels: Pixels) -> int:
    """Return 64 signs of brightness differences, alike for pictures that look alike.

    The difference hash: the picture at 9x8 grey pixels, each compared with its right neighbour.
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = np.asarray(cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA), np.int64)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The two detectors, open in one process."""

    teacher: Teacher
    animeface: AnimefaceDetector


_asked: _Asked | None = None


def _open(teacher: Path) -> None:
    """Open both detectors in a process of the pool."""
    import cv2

    from gallery.faces.detectors.animeface import AnimefaceDetector

    global _asked  # noqa: PLW0603 - a pool gives its processes no other place
    cv2.setNumThreads(1)
    _asked = _Asked(Teacher(teacher), AnimefaceDetector())


def label(shared: Path, cache: Path, workers: int) -> None:
    """Ask both detectors about all pictures and training faces that are not in the cache yet.

    Writes pictures.jsonl and faces.jsonl into the cache folder, line by line, in an order that
    has nothing to do with the sources, so that a part of them can be used as well.
    """
    context = multiprocessing.get_context("spawn")
    teacher = shared / "detector" / "faceboxes.onnx"
    with context.Pool(workers, _open, (teacher,)) as pool:
        _append(cache / "pictures.jsonl", "file", _pictures_to_ask(shared), _ask_picture, pool.imap)
        faces = _faces_to_ask(shared, cache)
        _append(cache / "faces.jsonl", "row", faces, _ask_face, pool.imap)


def _append(
    path: Path,
    key: str,
    tasks: dict[Any, Callable[[], Any]],
    ask: Callable[[Any], dict[str, Any]],
    map_in_order: Callable[..., Iterable[dict[str, Any]]],
) -> None:
    """Append the answers to all tasks that the file does not hold yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {line[key] for line in read_lines(path)}
    left = [name for name in tasks if name not in done]
    print(f"{path.name}: {len(done)} are there, {len(left)} are left", flush=True)
    _end_line(path)
    with path.open("a", encoding="utf-8") as file:
        answers = map_in_order(ask, ((name, tasks[name]()) for name in left), 4)
        for place, answer in enumerate(answers):
            file.write(json.dumps(answer) + "\n")
            if place % 100 == 0:
                file.flush()
                print(f"{path.name}: {place}/{len(left)}", flush=True)


def _end_line(path: Path) -> None:
    """End a line that was cut off, which is then no line of JSON and is passed over."""
    if path.is_file() and path.stat().st_size:
        data = path.read_bytes()
        if not data.endswith(b"\n"):
            path.write_bytes(data + b"\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a file of JSON lines; none where there is no file."""
    lines: list[dict[str, Any]] = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                lines.append(json.loads(line))
    return lines


def _pictures_to_ask(shared: Path) -> dict[Any, Callable[[], Any]]:
    """Return every picture's file name with what reads it, in a shuffled order."""
    folder = shared / "pictures"
    with (folder / "pictures.csv").open(encoding="utf-8", newline="") as table:
        files = [row["file"] for row in csv.DictReader(table)]
    archive = zipfile.ZipFile(folder / "pictures.zip")
    files = [files[place] for place in np.random.default_rng(1).permutation(len(files))]
    return {file: (lambda file=file: archive.read(file)) for file in files}  # type: ignore[misc]


def _faces_to_ask(shared: Path, cache: Path) -> dict[Any, Callable[[], Any]]:
    """Return every training face's row with what reads it, in a shuffled order."""
    pixels = read_faces(shared / "faces", "train", cache).pixels
    rows = np.random.default_rng(2).permutation(len(pixels)).tolist()
    return {row: (lambda row=row: np.asarray(pixels[row])) for row in rows}  # type: ignore[misc]


def _ask_picture(task: tuple[str, bytes]) -> dict[str, Any]:
    """Return what both say of a picture."""
    assert _asked is not None
    file, content = task
    image = decode(content, Path(file))
    claims = [
        np.column_stack([heads, np.full(len(heads), side)])
        for side in TEACHER_SIDES
        for heads in [_asked.teacher.heads(image.pixels, side)]
    ]
    teacher = np.concatenate(claims)
    kept = keep_best(teacher[:, :4], teacher[:, 4], 0.5, 200)
    found = _animeface(image.pixels, ANIMEFACE_SIDE / max(image.width, image.height))
    for row in kept:
        box = teacher[row, :4]
        if teacher[row, 4] >= 0.5 and not _hit(found, box):
            found += _look_closer(image.pixels, box)
    return {
        "file": file,
        "sha256": image.digest,
        "signs": f"{differences(image.pixels):016x}",
        "size": [image.width, image.height],
        "teacher": np.round(teacher, 3).tolist(),
        "kept": [int(row) for row in kept],
        "animeface": found,
    }


def _ask_face(task: tuple[int, Pixels]) -> dict[str, Any]:
    """Return what both say of a face crop, in its pixels."""
    assert _asked is not None
    row, crop = task
    framed = np.pad(crop, ((FACE_BORDER,) * 2, (FACE_BORDER,) * 2, (0, 0)), mode="edge")
    teacher = _asked.teacher.heads(framed, TEACHER_FACE_SIDE)
    teacher[:, :4] -= FACE_BORDER
    found = _animeface(crop, 1.0)
    if not found and len(teacher) and teacher[0, 4] >= 0.5:
        found = _look_closer(crop, teacher[0, :4])
    return {"row": row, "teacher": np.round(teacher, 3).tolist(), "animeface": found}


def _animeface(pixels: Pixels, scale: float) -> list[list[float]]:
    """Return heads as animeface sees them at a scale: box, score, left eye, right eye, turn."""
    import cv2

    assert _asked is not None
    if scale > 1:
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8
        )
    (faces,) = _asked.animeface.detect([Image(pixels, "", Path("picture"))])
    return [_row(face, 1 / max(scale, 1.0)) for face in faces]


def _row(face: Face, scale: float) -> list[float]:
    assert face.landmarks is not None
    eyes = (*face.landmarks.left_eye, *face.landmarks.right_eye)
    numbers = [*(edge * scale for edge in face.box), face.score, *(at * scale for at in eyes)]
    return [round(number, 2) for number in numbers] + [0.0]


def _hit(found: list[list[float]], box: Numbers) -> bool:
    """Say whether one of animeface's heads is this box."""
    if not found:
        return False
    return bool(overlaps(np.array(found)[:, :4], box[None]).max() >= SAME)


def _look_closer(pixels: Pixels, box: Numbers) -> list[list[float]]:
    """Let animeface look at a head alone, large and turned; return it as `_animeface` does."""
    import cv2

    side = max(box[2] - box[0], box[3] - box[1])
    middle = (box[:2] + box[2:]) / 2
    for turn in TURNS:
        scale = CLOSE_SIDE / (side * CLOSE_VIEW)
        matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), turn, scale)
        matrix = np.column_stack([matrix[:, :2], matrix[:, 2] + CLOSE_SIDE / 2 - middle])
        view = cv2.warpAffine(
            pixels, matrix, (CLOSE_SIDE, CLOSE_SIDE), borderMode=cv2.BORDER_REPLICATE
        )
        back = cv2.invertAffineTransform(matrix)
        for found in _animeface(np.asarray(view, np.uint8), 1.0):
            head = np.array(found[:4]).reshape(2, 2)
            centre = back[:, :2] @ head.mean(axis=0) + back[:, 2]
            half = (head[1] - head[0]).max() / scale / 2
            eyes = (np.array(found[5:9]).reshape(2, 2) @ back[:, :2].T + back[:, 2]).ravel()
            row = [*(centre - half), *(centre + half), found[4], *eyes]
            if _hit([row], box):
                return [[round(float(number), 2) for number in row] + [turn]]
    return []


def own_labels(cache: Path) -> Path:
    """Return the file of what our own detector says."""
    return cache / "own.jsonl"


def label_with(detector: Path, shared: Path, cache: Path) -> None:
    """Write own.jsonl: what our own detector, trained before, says of all labelled pictures."""
    own = HeadDetector(detector, least_score=OWN_CLAIM, threads=1)
    lines = []
    with zipfile.ZipFile(shared / "pictures" / "pictures.zip") as archive:
        for line in read_lines(cache / "pictures.jsonl"):
            (faces,) = own.detect([decode(archive.read(line["file"]), Path(line["file"]))])
            claims = [_own_row(face) for face in faces]
            lines.append(json.dumps({"sha256": line["sha256"], "heads": claims}))
    replace_file(own_labels(cache), ("\n".join(lines) + "\n").encode("utf-8"))


def _own_row(face: Face) -> list[float]:
    """Return box, score and eyes, NaN where they are not seen."""
    marks = face.landmarks
    eyes = (*marks.left_eye, *marks.right_eye) if marks else (math.nan,) * 4
    return [round(number, 3) for number in (*face.box, face.score, *eyes)]


def corrected(claims: Numbers, corrections: list[tuple[Numbers, str]]) -> Numbers:
    """Return claims, shape (n, 9), without those called nothing; unknown ones are not sure."""
    kept = claims.copy()
    for box, what in corrections:
        same = overlaps(kept, box[None])[:, 0] >= SAME
        if what == "nothing":
            kept = kept[~same]
        else:
            kept[same, 4] = np.minimum(kept[same, 4], OWN_CLAIM)
    return kept


def read_corrections(path: Path = CORRECTIONS) -> dict[str, list[tuple[Numbers, str]]]:
    """Return boxes and what was said of them, by their picture's digest."""
    found: dict[str, list[tuple[Numbers, str]]] = {}
    for digest, box, what in json.loads(path.read_text(encoding="utf-8"))["claims"]:
        found.setdefault(digest, []).append((np.array(box, np.float64), what))
    return found


def joined_by_own(heads: Heads, claims: Numbers) -> Heads:
    """Return heads with those that our own detector, shape (n, 9), is sure of beside them.

    What it is not sure of, and no one else sees, is ignored; where it is sure, nothing is.
    """
    new = claims[overlaps(claims, heads.boxes).max(axis=1, initial=0.0) < SAME]
    sure = new[:, 4] >= OWN_SURE
    eyes = np.vstack([heads.eyes, new[sure, 5:9].reshape(-1, 2, 2)])
    known = overlaps(heads.ignored, new[sure]).max(axis=1, initial=0.0) >= SAME
    return Heads(
        np.vstack([heads.boxes, new[sure, :4]]),
        eyes,
        np.where(np.isnan(eyes[:, :, 0]), np.nan, 1.0),
        np.vstack([heads.ignored[~known], new[~sure, :4]]),
    )


def believed(line: dict[str, Any]) -> Heads:
    """Return the heads of a picture that are believed, and the regions that are not known.

    Believed are boxes of the teacher that animeface sees too, with its eyes, and boxes of which
    the teacher is sure at two sizes or very sure at one, without eyes. All other claims of either
    are ignored.
    """
    teacher = np.array(line["teacher"], np.float64).reshape(-1, 6)
    animeface = np.array(line["animeface"], np.float64).reshape(-1, 10)
    kept = teacher[line["kept"]]
    boxes, eyes, ignored = [], [], []
    same = overlaps(kept, animeface)
    for row, claim in enumerate(kept):
        agreeing = overlaps(claim[None], teacher)[0] >= 0.5
        sizes = len(np.unique(teacher[agreeing & (teacher[:, 4] >= SURE), 5]))
        seen = bool(len(animeface)) and same[row].max() >= SAME
        if (seen and claim[4] >= 0.3) or sizes >= 2 or claim[4] >= SURE_ALONE:
            boxes.append(_mean_box(teacher[agreeing]))
            own = animeface[int(same[row].argmax()), 5:9] if seen else np.full(4, np.nan)
            eyes.append(_plausible(own.reshape(2, 2), boxes[-1]))
        else:
            ignored.append(claim[:4])
    believed_boxes = np.array(boxes).reshape(-1, 4)
    unmatched = overlaps(animeface, believed_boxes).max(axis=1, initial=0.0) < SAME
    ignored.extend(animeface[unmatched, :4])
    known = np.array(eyes).reshape(-1, 2, 2)
    return Heads(
        _inside(believed_boxes, *line["size"]),
        known,
        np.where(np.isnan(known[:, :, 0]), np.nan, 1.0),
        np.array(ignored).reshape(-1, 4),
    )


def _mean_box(claims: Numbers) -> Numbers:
    """Return the mean of one head's boxes, weighted by their scores."""
    return np.asarray(np.average(claims[:, :4], axis=0, weights=claims[:, 4]))


def _inside(boxes: Numbers, width: float, height: float) -> Numbers:
    """Return the part of boxes that lies in a picture."""
    return np.asarray(np.clip(boxes, 0, [width, height, width, height]))


def _plausible(eyes: Numbers, box: Numbers) -> Numbers:
    """Return eyes (2, 2), or NaN where they lie outside their head's box or in one place."""
    side = max(box[2] - box[0], box[3] - box[1])
    apart = math.dist(eyes[0], eyes[1])
    inside = ((eyes > box[:2]) & (eyes < box[2:])).all()
    good = inside and 0.15 * side < apart < 0.75 * side
    return eyes if good else np.full((2, 2), np.nan)


def believed_faces(cache: Path) -> FaceLabels:
    """Return the training faces whose head's place in the stored square is believed.

    Exactly one head of the teacher, sure of itself or seen by animeface as well; the box is the
    teacher's, the eyes are animeface's.
    """
    rows, boxes, eyes = [], [], []
    for line in read_lines(cache / "faces.jsonl"):
        teacher = np.array(line["teacher"], np.float64).reshape(-1, 5)
        animeface = np.array(line["animeface"], np.float64).reshape(-1, 10)
        if not len(teacher) or (teacher[1:, 4] >= 0.3).any() or teacher[0, 4] < 0.5:
            continue
        same = overlaps(teacher[:1], animeface)[0]
        seen = bool(len(same)) and same.max() >= SAME
        if not seen and teacher[0, 4] < SURE_ALONE:
            continue
        box = _inside(teacher[0, :4], STORED_SIDE, STORED_SIDE)
        own = animeface[int(same.argmax()), 5:9] if seen else np.full(4, np.nan)
        rows.append(int(line["row"]))
        boxes.append(box)
        eyes.append(_plausible(own.reshape(2, 2), box))
    order = np.argsort(rows)
    return FaceLabels(
        np.array(rows, np.int64)[order],
        np.array(boxes).reshape(-1, 4)[order],
        np.array(eyes).reshape(-1, 2, 2)[order],
    )


def believed_pictures(shared: Path, cache: Path, left_out: set[str]) -> dict[str, Picture]:
    """Return the pictures to train with by digest, without those left out and their likes.

    left_out holds SHA-256 digests in hexadecimal. The original's samples, which serve as tests,
    are always left out. Where own.jsonl is there, what our own detector says counts as well.
    """
    lines = read_lines(cache / "pictures.jsonl")
    signs = [int(line["signs"], 16) for line in lines if line["sha256"] in left_out]
    digests = set(left_out)
    for image in _samples(shared / "original"):
        signs.append(differences(image.pixels))
        digests.add(image.digest)
    own = {line["sha256"]: line["heads"] for line in read_lines(own_labels(cache))}
    corrections = read_corrections()
    pictures = {}
    with zipfile.ZipFile(shared / "pictures" / "pictures.zip") as archive:
        for line in lines:
            sign = int(line["signs"], 16)
            near = any((sign ^ other).bit_count() <= NEAR_BITS for other in signs)
            if line["sha256"] not in digests and not near:
                claims = np.array(own.get(line["sha256"], []), np.float64).reshape(-1, 9)
                claims = corrected(claims, corrections.get(line["sha256"], []))
                claims = claims[claims[:, 4] >= OWN_CLAIM]
                heads = joined_by_own(believed(line), claims)
                pictures[line["sha256"]] = Picture(
                    archive.read(line["file"]),
                    heads,
                    is_free=not line["teacher"] and not line["animeface"] and not len(claims),
                    is_trusted=line["file"].startswith("artwork")
                    and len(heads) > 0
                    and len(heads.ignored) == 0,
                )
    return pictures


def _samples(folder: Path) -> Iterator[Image]:
    for path in sorted(folder.iterdir()):
        yield decode(path.read_bytes(), path)


def digests_in(path: Path) -> set[str]:
    """Return all SHA-256 digests that a validation set's file names.

    Raises FileNotFoundError where there is none: training on its pictures would spoil it.
    """
    return set(HEX_DIGEST.findall(path.read_text(encoding="utf-8")))


def is_held(name: str, share: float) -> bool:
    """Say by a name's digest whether it belongs to a share of all that is kept out."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) < share * 2**32
