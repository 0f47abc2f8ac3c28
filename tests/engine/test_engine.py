"""The gallery as a program uses it, over fakes: enroll, ask, look after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, FakeEncoder, Square, draw, fake_gallery, write_picture
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.errors import DamagedDescriptor, InputError, StoreError
from gallery.events import result_of
from gallery.faces.align import EyeAligner
from gallery.faces.describe import Describer, LateEncoder
from gallery.faces.interfaces import Encoder
from gallery.identify.index_cache import IndexCache
from gallery.jobs import reencode
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.reencode import encode_samples
from gallery.media.images import read_image
from gallery.numerics.profiles import profile
from gallery.types import CROP_SIDE, DIMENSION, Image, MatchMode, Outcome, Verdict

BLUE, RED, GREEN, PINK = (20, 20, 220), (220, 20, 20), (20, 200, 20), (230, 60, 180)
CHARACTERS = {"Rei": BLUE, "Asuka": RED, "Noise": GREEN}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three characters of two pictures each."""
    for row, (name, (red, green, blue)) in enumerate(CHARACTERS.items()):
        for number in range(2):
            colour = (red, green + 5 * number, blue)
            write_picture(
                tmp_path / "known" / name / f"{number}.png",
                Square(10, 10, 60 + 10 * number, colour),
                seed=10 * row + number,
            )
    return tmp_path / "known"


@pytest.fixture
def filled(gallery: Engine, folder: Path) -> Engine:
    candidates, _ = candidates_in(folder)
    assert {one.outcome for one in enroll_candidates(gallery, candidates)} == {Outcome.ADDED}
    return gallery


def image_of(*squares: Square, seed: int = 99) -> Image:
    return Image(draw(*squares, seed=seed), "0" * 64, Path("asked.png"))


@pytest.mark.parametrize("mode", list(MatchMode))
def test_every_face_of_a_picture_is_named(filled: Engine, mode: MatchMode) -> None:
    image = image_of(Square(5, 5, 70, BLUE), Square(90, 60, 40, RED))
    found = filled.identify(image, mode=mode)
    assert (found.path, found.width, found.height, found.error) == (image.path, 160, 120, None)
    assert found.encoder == filled.encoder == "fake"
    assert [face.character for face in found.faces] == ["Rei", "Asuka"]
    assert [face.verdict for face in found.faces] == [Verdict.SURE] * 2
    for face in found.faces:
        assert face.distance == face.matches[0].distance
        assert len(face.matches) == 3
    assert found.faces[0].face.box.width == 70


def test_what_is_to_be_turned_away_and_strangers_are_unknown(filled: Engine) -> None:
    found = filled.identify(image_of(Square(5, 5, 70, GREEN), Square(90, 60, 40, (90, 200, 255))))
    noise, stranger = found.faces
    assert (noise.verdict, noise.character) == (Verdict.UNKNOWN, None)
    assert noise.matches[0].character == "Noise"
    assert noise.matches[0].is_reject
    assert stranger.character in (None, "Rei", "Asuka")


@pytest.mark.parametrize("top", [1, 2, 3, 10])
def test_as_many_matches_are_given_as_asked_for_and_the_verdict_does_not_depend_on_it(
    filled: Engine, top: int
) -> None:
    (face,) = filled.identify(image_of(Square(5, 5, 70, PINK)), top=top).faces
    (usual,) = filled.identify(image_of(Square(5, 5, 70, PINK))).faces
    assert len(face.matches) == min(top, 3)
    assert (face.verdict, face.character) == (usual.verdict, usual.character)


def test_a_picture_without_faces_has_a_record_without_faces(filled: Engine) -> None:
    assert filled.identify(image_of()).faces == ()


def test_an_empty_gallery_knows_nobody(gallery: Engine) -> None:
    (face,) = gallery.identify(image_of(Square(5, 5, 70))).faces
    assert (face.verdict, face.character, face.distance) == (Verdict.UNKNOWN, None, None)
    assert face.matches == ()


def test_answers_follow_every_change_at_once(filled: Engine) -> None:
    def name() -> str | None:
        image = image_of(Square(5, 5, 70, BLUE))
        return filled.identify(image, mode=MatchMode.NEAREST).faces[0].character

    filled.rename("Rei", "Ayanami")
    assert name() == "Ayanami"
    filled.move([sample.id for sample in filled.samples("Ayanami")], "Clone", new=True)
    assert name() == "Clone"
    assert filled.merge("Clone", "Asuka").samples == 2
    assert name() == "Asuka"
    assert [one.samples for one in filled.characters()] == [4, 0, 2]
    filled.forget_samples([sample.id for sample in filled.samples("Asuka")])
    assert name() != "Asuka"


def test_moving_to_a_name_nobody_has_is_refused_unless_it_is_meant(filled: Engine) -> None:
    (first, *_) = filled.samples("Rei")
    with pytest.raises(InputError, match="did you mean Asuka"):
        filled.move([first.id], "Asuak")
    assert len(filled.samples("Rei")) == 2
    filled.rename("Asuka", "Soryu")
    filled.move([first.id], "Asuka")
    assert {sample.character for sample in filled.samples("Soryu")} == {"Soryu"}
    assert len(filled.samples("Soryu")) == 3


def test_another_encoder_wants_the_samples_encoded_and_encodes_them_from_the_crops(
    database: Path, filled: Engine, folder: Path
) -> None:
    for path in folder.rglob("*.png"):
        path.unlink()
    with fake_gallery(database, encoder=FakeEncoder("second")) as other:
        with pytest.raises(StoreError, match="6 of 6 samples are not encoded by second"):
            other.require_encoded()
        wanted = other.remaining()
        encode_samples(other, wanted)
        other.require_encoded()
        assert other.remaining() == []
        assert len(other.remaining(everything=True)) == 6
        (face,) = other.identify(image_of(Square(5, 5, 70, BLUE))).faces
        assert face.character == "Rei"
    # The first encoder's are still there.
    assert filled.store.encoders() == {"fake": 6, "second": 6}
    (face,) = filled.identify(image_of(Square(5, 5, 70, BLUE))).faces
    assert face.character == "Rei"


def test_reencoding_gives_what_enrolment_gave(filled: Engine) -> None:
    before = filled.store.vectors("fake")
    result_of(reencode.reencode(filled, everything=True))
    after = filled.store.vectors("fake")
    assert np.allclose(after.samples, before.samples, atol=1e-6)
    assert np.allclose(after.ideals, before.ideals, atol=1e-6)


def test_reencoding_notes_the_quality_of_samples_that_have_none_and_marks_nothing(
    filled: Engine, database: Path
) -> None:
    import sqlite3
    from contextlib import closing

    before = {one.id: one for name in CHARACTERS for one in filled.samples(name)}
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE samples SET size = NULL, sharpness = NULL, roll = NULL, frontal = NULL, "
            "cut = NULL WHERE id > 1"
        )
    assert [one.quality for one in filled.samples("Rei")] == [None, None]
    result_of(reencode.reencode(filled, everything=True))
    for name in CHARACTERS:
        for one in filled.samples(name):
            kept = before[one.id]
            assert kept.quality is not None
            # How much of the head the picture cut off cannot be known without it.
            expected = kept.quality if one.id == 1 else replace(kept.quality, cut=None)
            assert replace(one, distance=None) == replace(kept, quality=expected, distance=None)


class Saboteur(FakeEncoder):
    """Does something to the gallery in the midst of encoding."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.gallery: Engine | None = None

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.gallery is not None:
            other, self.gallery = self.gallery, None
            other.forget("Rei")
        return super().encode(crops)


def test_samples_that_are_removed_while_they_are_encoded_are_left_out(
    database: Path, filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencode, "AT_ONCE", 2)
    saboteur = Saboteur("second")
    with fake_gallery(database, encoder=saboteur) as other:
        saboteur.gallery = filled
        assert result_of(reencode.reencode(other)).samples == 6
        other.require_encoded()
        assert other.store.encoders() == {"fake": 4, "second": 4}


def test_a_damaged_descriptor_is_healed_as_its_error_says(filled: Engine, database: Path) -> None:
    import sqlite3
    from contextlib import closing

    for damage in ("x'0011'", "zeroblob(512) || x'00'", f"x'{'ff' * 512}'"):
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(f"UPDATE descriptors SET vector = {damage} WHERE sample_id = 2")  # noqa: S608
            connection.execute("UPDATE state SET change = hex(randomblob(8))")
        with pytest.raises(DamagedDescriptor, match="encode all samples again"):
            filled.identify(image_of(Square(5, 5, 70, BLUE)), mode=MatchMode.NEAREST)
        result_of(reencode.reencode(filled, everything=True))
        assert filled.identify(image_of(Square(5, 5, 70, BLUE))).faces[0].character == "Rei"


def test_looking_after_names_opens_no_network(database: Path, filled: Engine) -> None:
    def fail() -> Describer:
        raise AssertionError("the network was opened")

    quiet = Engine(filled.store, "fake", filled.thresholds, fail, IndexCache(None))
    quiet.rename("Rei", "Ayanami")
    quiet.merge("Ayanami", "Asuka")
    quiet.forget("Noise")
    assert len(quiet.crops([1, 2])) == 2
    assert [one.name for one in quiet.characters()] == ["Asuka"]


def test_a_second_run_and_pictures_without_faces_open_no_encoder(
    database: Path, filled: Engine, folder: Path
) -> None:
    def fail() -> Encoder:
        raise AssertionError("the encoder was opened")

    late = LateEncoder("fake", fail)
    with fake_gallery(database, encoder=late) as again:
        candidates, _ = candidates_in(folder)
        assert {one.outcome for one in enroll_candidates(again, candidates)} == {Outcome.UNCHANGED}
        assert again.identify(image_of()).faces == ()
        with pytest.raises(AssertionError):
            again.identify(image_of(Square(5, 5, 70)))


def test_a_late_encoder_is_opened_once_and_gives_what_it_opens() -> None:
    opened: list[FakeEncoder] = []

    def open_encoder() -> Encoder:
        opened.append(FakeEncoder("late"))
        return opened[-1]

    late = LateEncoder("late", open_encoder)
    crops = np.random.default_rng(0).integers(0, 256, (3, CROP_SIDE, CROP_SIDE, 3)).astype(np.uint8)
    assert np.array_equal(late.encode(crops), FakeEncoder().encode(crops))
    late.encode(crops)
    assert len(opened) == 1


def test_faces_are_described_in_one_batch_as_each_is_alone() -> None:
    describer = Describer(FakeDetector(), EyeAligner(), FakeEncoder())
    image = image_of(Square(5, 5, 70, BLUE), Square(90, 60, 40, RED))
    together = describer.describe_all(image)
    assert [one.face.box.width for one in together] == [70, 40]
    for one in together:
        (alone,) = describer.describe([(image, one.face)])
        assert np.array_equal(alone.crop, one.crop)
        assert np.allclose(alone.descriptor, one.descriptor, atol=1e-6)
        assert one.crop.shape == (CROP_SIDE, CROP_SIDE, 3)
        assert one.descriptor.shape == (DIMENSION,)
    assert describer.describe([]) == []


def test_ideal_is_the_mean_and_best_the_nearest_to_it() -> None:
    rows = np.zeros((3, DIMENSION), np.float32)
    rows[:, 0] = [0, 4, 11]
    found = profile(rows)
    assert found.ideal[0] == 5
    assert found.best == 1
    # Of equally near ones the first.
    assert profile(rows[[0, 2]]).best == 0
    assert profile(rows[[2, 0]]).best == 0
    assert profile(rows[:1]).best == 0


def test_a_gallery_opened_again_knows_what_it_knew(database: Path, filled: Engine) -> None:
    image = image_of(Square(5, 5, 70, BLUE))
    first = filled.identify(image)
    filled.close()
    with fake_gallery(database) as again:
        assert again.identify(image) == first
        assert len(list(database.with_name("gallery.db-index").glob("*.vectors"))) == 1


def test_an_enrolled_picture_is_at_its_own_samples_distance_of_nothing(
    filled: Engine, folder: Path
) -> None:
    image = read_image(folder / "Rei" / "0.png")
    (face,) = filled.identify(image, mode=MatchMode.NEAREST).faces
    assert face.distance == pytest.approx(0, abs=1e-6)
    assert face.character == "Rei"
