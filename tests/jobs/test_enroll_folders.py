"""Enrolling folders: what becomes of every file, and what is never done twice."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import FakeDetector, Square, draw, fake_gallery, write_picture

from gallery.engine.engine import Engine
from gallery.errors import (
    InputError,
    NoFace,
    NoFacePasses,
    SeveralFaces,
    UnreadablePicture,
    UnusableFile,
)
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs import enroll_folders as enrolment
from gallery.jobs import known_pictures
from gallery.jobs.enroll_folders import (
    CHUNK,
    DOMINANCE,
    candidates_in,
    choose_face,
    enroll_candidates,
)
from gallery.jobs.reencode import encode_samples
from gallery.jobs.refusals import recalled, remembered, settings_key
from gallery.media import images
from gallery.media.images import digest_of, encode_png
from gallery.store.reader import Store
from gallery.types import Box, Candidate, Enrolled, Face, Image, Outcome

ONE = Square(20, 20, 60)
TWO_ALIKE = (Square(10, 10, 40), Square(90, 20, 40))
ONE_DOMINANT = (Square(5, 5, 90), Square(110, 20, 30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


def enroll(gallery: Engine, folder: Path, *, largest: bool = False) -> list[Enrolled]:
    candidates, _ = candidates_in(folder)
    return list(enroll_candidates(gallery, candidates, largest=largest))


def enrolled_again(gallery: Engine, folder: Path) -> list[Enrolled]:
    candidates, _ = candidates_in(folder)
    return list(enroll_candidates(gallery, candidates, again=True))


def outcomes(found: Sequence[Enrolled]) -> dict[str, Outcome]:
    return {one.candidate.path.name: one.outcome for one in found}


def counts(gallery: Engine) -> dict[str, int]:
    return {one.name: one.samples for one in gallery.characters()}


class Work:
    """Counts how often enrolment reads and decodes files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: list[str] = []
        self.decoded: list[str] = []
        read_bytes, decode = images.read_bytes, images.decode

        def counted_read(path: Path) -> bytes:
            self.read.append(path.name)
            return read_bytes(path)

        def counted_decode(content: bytes, path: Path) -> Image:
            self.decoded.append(path.name)
            return decode(content, path)

        monkeypatch.setattr(known_pictures, "read_bytes", counted_read)
        monkeypatch.setattr(known_pictures, "decode", counted_decode)
        monkeypatch.setattr(enrolment, "decode", counted_decode)

    def take(self) -> tuple[list[str], list[str]]:
        """Return what was read and decoded since the last time."""
        taken = self.read[:], self.decoded[:]
        self.read.clear()
        self.decoded.clear()
        return taken


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


def test_pictures_are_added_under_their_folders_names(gallery: Engine, folder: Path) -> None:
    write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    write_picture(folder / "Rei" / "deeper" / "still" / "2.png", ONE, seed=2)
    write_picture(folder / "Asuka" / "3.png", ONE, seed=3)
    found = enroll(gallery, folder)
    assert set(outcomes(found).values()) == {Outcome.ADDED}
    assert counts(gallery) == {"Asuka": 1, "Rei": 2}
    (asuka,) = gallery.samples("Asuka")
    assert asuka.face.box == Box(20, 20, 80, 80)
    assert asuka.path == (folder / "Asuka" / "3.png").resolve()
    assert gallery.crops([asuka.id])[asuka.id].shape == (150, 150, 3)


def test_a_second_run_reads_and_decodes_nothing(gallery: Engine, folder: Path, work: Work) -> None:
    for number in range(CHUNK + 3):
        write_picture(folder / "Rei" / f"{number}.png", ONE, seed=number)
    write_picture(folder / "Rei" / "landscape.png", seed=90)
    write_picture(folder / "Rei" / "crowd.png", *TWO_ALIKE, seed=91)
    shutil.copyfile(folder / "Rei" / "0.png", folder / "Rei" / "copy.png")
    (folder / "Rei" / "text.png").write_text("This is text.")
    (folder / "Rei" / "cut.png").write_bytes(encode_png(draw(ONE, seed=92))[:500])
    first = enroll(gallery, folder)
    work.take()
    token = gallery.store.change()
    second = enroll(gallery, folder)
    assert work.take() == ([], [])
    assert gallery.store.change() == token
    unchanged = {Outcome.ADDED: Outcome.UNCHANGED}
    assert outcomes(second) == {
        name: unchanged.get(outcome, outcome) for name, outcome in outcomes(first).items()
    }
    assert {one.reason for one in second} == {one.reason for one in first}


def test_a_touched_file_is_read_but_not_decoded(gallery: Engine, folder: Path, work: Work) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    work.take()
    os.utime(path, ns=(1, 1))
    assert outcomes(enroll(gallery, folder)) == {"1.png": Outcome.UNCHANGED}
    assert work.take() == (["1.png"], [])
    assert outcomes(enroll(gallery, folder)) == {"1.png": Outcome.UNCHANGED}
    assert work.take() == ([], [])


def test_a_moved_file_keeps_its_label_and_is_not_decoded(
    gallery: Engine, folder: Path, work: Work
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    work.take()
    path.rename(folder / "Rei" / "renamed.png")
    (moved,) = enroll(gallery, folder)
    assert moved.outcome is Outcome.MOVED
    assert "1.png" in moved.reason
    assert work.take()[1] == []
    assert gallery.samples("Rei")[0].path == (folder / "Rei" / "renamed.png").resolve()
    assert outcomes(enroll(gallery, folder)) == {"renamed.png": Outcome.UNCHANGED}


def test_a_moved_tree_is_followed(gallery: Engine, folder: Path, tmp_path: Path) -> None:
    for name in ("Rei", "Asuka"):
        for number in range(3):
            write_picture(folder / name / f"{number}.png", ONE, seed=hash_of(name) + number)
    enroll(gallery, folder)
    folder.rename(tmp_path / "elsewhere")
    found = enroll(gallery, tmp_path / "elsewhere")
    assert {one.outcome for one in found} == {Outcome.MOVED}
    assert counts(gallery) == {"Asuka": 3, "Rei": 3}
    assert all("elsewhere" in str(sample.path) for sample in gallery.samples("Rei"))


def hash_of(name: str) -> int:
    return sum(map(ord, name))


def test_a_file_moved_to_another_characters_folder_changes_its_label(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    write_picture(folder / "Asuka" / "2.png", ONE, seed=2)
    enroll(gallery, folder)
    path.rename(folder / "Asuka" / "1.png")
    assert outcomes(enroll(gallery, folder))["1.png"] is Outcome.RELABELLED
    assert counts(gallery) == {"Asuka": 2, "Rei": 0}
    assert len(gallery.store.vectors("fake").character_ids) == 1


def test_a_renamed_characters_folder_goes_on_meaning_it(gallery: Engine, folder: Path) -> None:
    write_picture(folder / "rei_01" / "1.png", ONE, seed=1)
    enroll(gallery, folder)
    gallery.rename("rei_01", "Ayanami Rei")
    write_picture(folder / "rei_01" / "2.png", ONE, seed=2)
    assert outcomes(enroll(gallery, folder)) == {
        "1.png": Outcome.UNCHANGED,
        "2.png": Outcome.ADDED,
    }
    assert counts(gallery) == {"Ayanami Rei": 2}


def test_a_folder_renamed_as_its_character_was_relabels_nothing(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / "rei_01" / "1.png", ONE)
    enroll(gallery, folder)
    gallery.rename("rei_01", "Rei")
    (folder / "rei_01").rename(folder / "Rei")
    assert outcomes(enroll(gallery, folder)) == {"1.png": Outcome.MOVED}
    assert counts(gallery) == {"Rei": 1}


def test_a_sample_moved_by_hand_keeps_its_label_on_the_next_run(
    gallery: Engine, folder: Path, tmp_path: Path
) -> None:
    write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    write_picture(folder / "Asuka" / "2.png", ONE, seed=2)
    enroll(gallery, folder)
    gallery.move([gallery.samples("Rei")[0].id], "Asuka")
    assert set(outcomes(enroll(gallery, folder)).values()) == {Outcome.UNCHANGED}
    assert counts(gallery) == {"Asuka": 2, "Rei": 0}
    folder.rename(tmp_path / "elsewhere")
    assert set(outcomes(enroll(gallery, tmp_path / "elsewhere")).values()) == {Outcome.MOVED}
    assert counts(gallery) == {"Asuka": 2, "Rei": 0}


def test_a_copy_beside_a_sample_moved_by_hand_is_still_a_copy(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    shutil.copyfile(path, folder / "Rei" / "2.png")
    enroll(gallery, folder)
    gallery.move([gallery.samples("Rei")[0].id], "Asuka", new=True)
    assert outcomes(enroll(gallery, folder)) == {
        "1.png": Outcome.UNCHANGED,
        "2.png": Outcome.DUPLICATE,
    }


def test_a_second_copy_in_one_folder_is_a_duplicate(
    gallery: Engine, folder: Path, work: Work
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    shutil.copyfile(path, folder / "Rei" / "2.png")
    assert outcomes(enroll(gallery, folder)) == {
        "1.png": Outcome.ADDED,
        "2.png": Outcome.DUPLICATE,
    }
    assert counts(gallery) == {"Rei": 1}
    shutil.copyfile(path, folder / "Rei" / "3.png")
    work.take()
    assert outcomes(enroll(gallery, folder))["3.png"] is Outcome.DUPLICATE
    assert work.take() == (["3.png"], [])
    path.unlink()
    assert outcomes(enroll(gallery, folder)) == {
        "2.png": Outcome.MOVED,
        "3.png": Outcome.DUPLICATE,
    }
    assert counts(gallery) == {"Rei": 1}


@pytest.mark.parametrize("at_once", [True, False])
def test_one_picture_under_two_characters_is_refused_with_the_other_ones_name(
    gallery: Engine, folder: Path, at_once: bool
) -> None:
    first = write_picture(folder / "Asuka" / "1.png", ONE)
    if not at_once:
        enroll(gallery, folder)
    write_picture(folder / "Rei" / "2.png", ONE)
    assert first.read_bytes() == (folder / "Rei" / "2.png").read_bytes()
    refused = enroll(gallery, folder)[-1]
    assert refused.outcome is Outcome.REFUSED
    assert "enrolled as Asuka" in refused.reason
    assert str(first.resolve()) in refused.reason
    assert counts(gallery) == {"Asuka": 1}
    first.unlink()
    assert outcomes(enroll(gallery, folder)) == {"2.png": Outcome.RELABELLED}


def test_a_picture_without_a_face_is_refused(gallery: Engine, folder: Path) -> None:
    write_picture(folder / "Rei" / "1.png")
    (refused,) = enroll(gallery, folder)
    assert refused.outcome is Outcome.REFUSED
    assert "no face" in refused.reason
    assert str(refused.candidate.path) in refused.reason
    assert counts(gallery) == {}


def test_several_faces_are_refused_with_their_count_unless_one_dominates(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / "Rei" / "alike.png", *TWO_ALIKE, Square(50, 70, 40), seed=1)
    write_picture(folder / "Rei" / "dominant.png", *ONE_DOMINANT, seed=2)
    found = {one.candidate.path.name: one for one in enroll(gallery, folder)}
    assert found["alike.png"].outcome is Outcome.REFUSED
    assert "3 faces" in found["alike.png"].reason
    refusal = found["alike.png"].error
    assert isinstance(refusal, SeveralFaces)
    assert refusal.faces == 3
    assert found["dominant.png"].outcome is Outcome.ADDED
    (sample,) = gallery.samples("Rei")
    assert sample.face.box.width == 90


def test_a_face_dominates_from_four_times_the_area_on() -> None:
    def sized(area: float) -> Face:
        return Face(Box(0, 0, area, 1), 0.5)

    assert choose_face(Path("x"), [sized(1), sized(DOMINANCE)], largest=False).box.area == DOMINANCE
    with pytest.raises(InputError):
        choose_face(Path("x"), [sized(1), sized(DOMINANCE - 0.01)], largest=False)
    assert choose_face(Path("x"), [sized(1), sized(1.1)], largest=True).box.area == 1.1


def test_largest_is_tried_though_the_picture_was_refused_without_it(
    gallery: Engine, folder: Path, work: Work
) -> None:
    write_picture(folder / "Rei" / "1.png", Square(10, 10, 40), Square(90, 20, 44))
    assert outcomes(enroll(gallery, folder)) == {"1.png": Outcome.REFUSED}
    work.take()
    assert outcomes(enroll(gallery, folder, largest=True)) == {"1.png": Outcome.ADDED}
    assert work.take()[1] == ["1.png"]
    assert gallery.samples("Rei")[0].face.box.width == 44


def test_a_refusal_is_remembered_wherever_the_file_goes_and_for_one_detector_alone(
    database: Path, folder: Path, work: Work
) -> None:
    path = write_picture(folder / "Rei" / "1.png")
    with fake_gallery(database) as gallery:
        enroll(gallery, folder)
        work.take()
        path.rename(folder / "Rei" / "other.png")
        (again,) = enroll(gallery, folder)
    assert work.take()[1] == []
    assert again.outcome is Outcome.REFUSED
    assert "other.png" in again.reason
    assert "1.png" not in again.reason
    assert isinstance(again.error, NoFace)
    assert again.error.path == again.candidate.path
    with fake_gallery(database, detector=FakeDetector("another")) as gallery:
        enroll(gallery, folder)
    assert work.take()[1] == ["other.png"]


@pytest.mark.parametrize(
    "older", [("fake", "shows no face."), (None, "shows no face."), (None, '{"error": "New"}')]
)
def test_a_refusal_of_another_version_means_that_the_picture_is_looked_at_once_more(
    gallery: Engine, folder: Path, work: Work, older: tuple[str | None, str]
) -> None:
    settings, reason = older
    path = write_picture(folder / "Rei" / "1.png")
    key = settings or settings_key("fake", largest=False, gates=NO_GATES)
    with gallery.store.writing() as writer:
        writer.remember_refusal(digest_of(path.read_bytes()), key, reason)
    for looked_at in (["1.png"], []):
        (refused,) = enroll(gallery, folder)
        assert isinstance(refused.error, NoFace)
        assert work.take()[1] == looked_at


@pytest.mark.parametrize(
    "refusal",
    [
        NoFace(Path("a.png")),
        NoFacePasses(Path("a.png"), 40.0, 0.25),
        NoFacePasses(Path("a.png"), 0.0, 0.0, portrait=True),
        SeveralFaces(Path("a.png"), 3),
        UnreadablePicture(Path("a.png"), "is damaged or cut short: \u4e94", remedy="draw it"),
        UnusableFile(Path("a.png"), "is strange"),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
def test_what_a_refusal_knows_is_remembered_but_for_the_path(refusal: UnusableFile) -> None:
    text = remembered(refusal)
    assert "a.png" not in text
    assert "--" not in text
    for path in (Path("a.png"), Path("/b/c.png")):
        again = recalled(text, path)
        assert again is not None
        assert vars(again) == {**vars(refusal), "path": path}
    assert repr(recalled(text, Path("a.png"))) == repr(refusal)


def test_a_refusal_holds_for_the_settings_it_was_made_with() -> None:
    keys = {
        settings_key(detector, largest=largest, gates=Gates(size, quality, portrait))
        for detector in ("heads", "fake")
        for largest in (False, True)
        for size in (0, 40)
        for quality in (0.0, 0.25)
        for portrait in (False, True)
    }
    assert len(keys) == 32
    assert all("--" not in key for key in keys)
    assert settings_key("fake", largest=False, gates=Gates(0)) == settings_key(
        "fake", largest=False, gates=NO_GATES
    )


@pytest.mark.parametrize("name", ["Noise", "noise", "NOISE_2", "Noise crowd"])
def test_folders_named_noise_are_turned_away(gallery: Engine, folder: Path, name: str) -> None:
    write_picture(folder / name / "1.png", ONE)
    enroll(gallery, folder)
    (character,) = gallery.characters()
    assert character.is_reject


def test_a_file_that_is_gone_leaves_its_sample(gallery: Engine, folder: Path) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    write_picture(folder / "Rei" / "2.png", ONE, seed=2)
    enroll(gallery, folder)
    path.unlink()
    enroll(gallery, folder)
    assert counts(gallery) == {"Rei": 2}


def test_loose_pictures_are_told_apart(folder: Path) -> None:
    write_picture(folder / "Rei" / "1.png", ONE)
    loose = write_picture(folder / "loose.png", ONE)
    candidates, found = candidates_in(folder)
    assert [one.character for one in candidates] == ["Rei"]
    assert [one.path for one in found.refused] == [loose.resolve()]


def test_folders_that_cannot_be_enrolled_are_refused_with_the_cure(folder: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        candidates_in(folder)
    folder.mkdir()
    with pytest.raises(InputError, match="holds no folder with a picture"):
        candidates_in(folder)
    (folder / "Rei").mkdir()
    (folder / "Rei" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="holds no folder with a picture"):
        candidates_in(folder)
    loose = write_picture(folder / "1.png", ONE)
    with pytest.raises(InputError, match="no folder per character"):
        candidates_in(folder)
    with pytest.raises(InputError, match="is not a folder"):
        candidates_in(loose)


def test_a_folder_named_in_decomposed_letters_means_the_composed_name(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / unicodedata.normalize("NFD", "ガンダム") / "1.png", ONE)
    enroll(gallery, folder)
    assert counts(gallery) == {"ガンダム": 1}
    assert outcomes(enroll(gallery, folder)) == {"1.png": Outcome.UNCHANGED}


def test_a_missing_file_and_a_broken_link_are_refused_and_the_rest_goes_on(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / "Rei" / "1.png", ONE)
    (folder / "Rei" / "broken.png").symlink_to(folder / "nowhere.png")
    candidates, _ = candidates_in(folder)
    found = list(enroll_candidates(gallery, [*candidates, Candidate(folder / "gone.png", "Rei")]))
    assert outcomes(found) == {
        "1.png": Outcome.ADDED,
        "broken.png": Outcome.REFUSED,
        "gone.png": Outcome.REFUSED,
    }


class Interrupted(FakeDetector):
    """Is interrupted by the user after so many pictures."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        if len(self.seen) + len(images) > self._after:
            raise KeyboardInterrupt
        return super().detect(images)


def test_an_interruption_keeps_what_is_finished_and_the_next_run_does_the_rest_alone(
    database: Path, folder: Path
) -> None:
    for number in range(3 * CHUNK):
        write_picture(folder / "Rei" / f"{number:02}.png", ONE, seed=number)
    candidates, _ = candidates_in(folder)
    seen: list[Enrolled] = []
    with fake_gallery(database, detector=Interrupted(2 * CHUNK)) as gallery:
        with pytest.raises(KeyboardInterrupt):
            seen.extend(enroll_candidates(gallery, candidates))
        assert counts(gallery) == {"Rei": 2 * CHUNK}
    detector = FakeDetector()
    with fake_gallery(database, detector=detector) as gallery:
        found = enroll(gallery, folder)
        assert len(detector.seen) == CHUNK
        assert Counter(one.outcome for one in found) == {
            Outcome.UNCHANGED: 2 * CHUNK,
            Outcome.ADDED: CHUNK,
        }
        assert counts(gallery) == {"Rei": 3 * CHUNK}


def test_what_was_yielded_is_in_the_database_though_nobody_asks_for_the_rest(
    gallery: Engine, folder: Path
) -> None:
    for number in range(2 * CHUNK):
        write_picture(folder / "Rei" / f"{number:02}.png", ONE, seed=number)
    candidates, _ = candidates_in(folder)
    iterator = enroll_candidates(gallery, candidates)
    next(iterator)
    iterator.close()  # type: ignore[attr-defined]
    assert counts(gallery) == {"Rei": CHUNK}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_a_file_name_that_is_no_text_is_refused_with_a_sentence(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    shutil.copyfile(folder / "Rei" / "1.png", os.fsencode(folder / "Rei") + b"/\xff\xfe.png")
    write_picture(folder / "Rei" / "2.png", ONE, seed=2)
    found = enroll(gallery, folder)
    assert [one.outcome for one in found].count(Outcome.ADDED) == 2
    (refused,) = [one for one in found if one.outcome is Outcome.REFUSED]
    assert "rename it" in refused.reason
    assert gallery.store.check() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_a_folder_name_that_is_no_text_is_refused_and_the_rest_goes_on(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / "Rei" / "1.png", ONE)
    os.mkdir(os.fsencode(folder) + b"/\xff")  # noqa: PTH102
    shutil.copyfile(folder / "Rei" / "1.png", os.fsencode(folder) + b"/\xff/1.png")
    found = enroll(gallery, folder)
    assert sorted(one.outcome for one in found) == [Outcome.ADDED, Outcome.REFUSED]
    assert counts(gallery) == {"Rei": 1}


def test_a_folder_name_that_can_name_nobody_is_refused_and_the_rest_goes_on(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    write_picture(folder / "a\nb" / "2.png", ONE, seed=2)
    write_picture(folder / ("x" * 201) / "3.png", ONE, seed=3)
    found = outcomes(enroll(gallery, folder))
    assert found == {
        "1.png": Outcome.ADDED,
        "2.png": Outcome.REFUSED,
        "3.png": Outcome.REFUSED,
    }
    assert counts(gallery) == {"Rei": 1}


SPOILT = 6
"""A head of so few pixels tells nobody."""


def test_a_poor_face_is_marked_and_left_out_of_the_ideal_while_there_is_a_better_one(
    gallery: Engine, folder: Path
) -> None:
    write_picture(folder / "Rei" / "poor.png", Square(20, 20, SPOILT), seed=1)
    (poor,) = enroll(gallery, folder)
    assert (poor.outcome, poor.is_poor) == (Outcome.ADDED, True)
    (alone,) = gallery.samples("Rei")
    assert (alone.is_poor, alone.is_best, alone.distance) == (True, True, 0)
    assert alone.quality is not None
    assert alone.quality.size == SPOILT
    write_picture(folder / "Rei" / "good.png", ONE, seed=2)
    assert {one.is_poor for one in enroll(gallery, folder)} == {False}
    poor_one, good_one = gallery.samples("Rei")
    assert (poor_one.is_best, good_one.is_best) == (False, True)
    assert (good_one.is_poor, good_one.distance) == (False, 0)
    assert (gallery.characters()[0].samples, gallery.characters()[0].poor) == (2, 1)


def test_poor_faces_count_where_that_is_asked_for(
    gallery: Engine, folder: Path, work: Work
) -> None:
    path = write_picture(folder / "Rei" / "poor.png", Square(20, 20, SPOILT), seed=1)
    write_picture(folder / "Rei" / "good.png", ONE, seed=2)
    candidates, _ = candidates_in(folder)
    assert [one.is_poor for one in enroll_candidates(gallery, candidates, keep_poor=True)] == [
        False,
        False,
    ]
    assert [one.distance == 0 for one in gallery.samples("Rei")] == [False, False]
    # Marks are a person's to give and to take: one that was taken does not come back.
    gallery.forget("Rei")
    assert all(
        one.is_poor == (one.candidate.path == path) for one in enrolled_again(gallery, folder)
    )
    work.take()
    again = list(enroll_candidates(gallery, candidates, keep_poor=True))
    assert outcomes(again) == {"good.png": Outcome.UNCHANGED, "poor.png": Outcome.KEPT}
    assert work.take() == ([], [])
    for keep_poor in (True, False):
        again = list(enroll_candidates(gallery, candidates, keep_poor=keep_poor))
        assert {one.outcome for one in again} == {Outcome.UNCHANGED}
    assert [one.is_poor for one in gallery.samples("Rei")] == [False, False]
    gallery.forget("Rei")
    enrolled_again(gallery, folder)
    path.rename(folder / "Rei" / "moved.png")
    candidates, _ = candidates_in(folder)
    again = list(enroll_candidates(gallery, candidates, keep_poor=True))
    assert outcomes(again)["moved.png"] is Outcome.MOVED
    assert [one.is_poor for one in gallery.samples("Rei")] == [False, False]


def test_a_copy_elsewhere_takes_no_mark_away(gallery: Engine, folder: Path) -> None:
    path = write_picture(folder / "Rei" / "poor.png", Square(20, 20, SPOILT))
    enroll(gallery, folder)
    (folder / "Asuka").mkdir()
    copy = folder / "Asuka" / "copy.png"
    shutil.copyfile(path, copy)
    (refused,) = enroll_candidates(gallery, [Candidate(copy, "Asuka")], keep_poor=True)
    assert refused.outcome is Outcome.REFUSED
    assert [one.is_poor for one in gallery.samples("Rei")] == [True]


def test_faces_below_a_gate_are_as_if_they_were_not_there(
    gallery: Engine, folder: Path, work: Work
) -> None:
    write_picture(folder / "Rei" / "crowd.png", *TWO_ALIKE, Square(60, 65, 50), seed=1)
    write_picture(folder / "Rei" / "small.png", Square(10, 10, 40), seed=2)
    candidates, _ = candidates_in(folder)

    def run(gates: Gates) -> dict[str, Enrolled]:
        return {
            one.candidate.path.name: one
            for one in enroll_candidates(gallery, candidates, gates=gates)
        }

    found = run(Gates(min_face=45))
    assert found["crowd.png"].outcome is Outcome.ADDED
    assert gallery.samples("Rei")[0].face.box.width == 50
    assert found["small.png"].reason.endswith(
        "shows no face of at least 45 pixels; give a better picture, or ask for less."
    )
    work.take()
    assert run(Gates(min_face=45))["small.png"].reason == found["small.png"].reason
    assert work.take() == ([], [])
    assert run(Gates(min_quality=1.0))["small.png"].outcome is Outcome.REFUSED
    assert run(Gates(40, 0.1))["small.png"].outcome is Outcome.ADDED


def test_samples_of_an_encoder_that_is_not_in_use_stop_an_enrolment(
    database: Path, folder: Path
) -> None:
    from fakes import FakeEncoder

    from gallery.errors import StoreError

    write_picture(folder / "Rei" / "1.png", ONE)
    with fake_gallery(database) as gallery:
        enroll(gallery, folder)
    with fake_gallery(database, encoder=FakeEncoder("another")) as gallery:
        with pytest.raises(StoreError, match="encode them anew"):
            enroll(gallery, folder)
        encode_samples(gallery, gallery.remaining())
        assert set(outcomes(enroll(gallery, folder)).values()) == {Outcome.UNCHANGED}


def test_somebody_elses_enrolment_of_the_same_files_is_seen(database: Path, folder: Path) -> None:
    for number in range(3):
        write_picture(folder / "Rei" / f"{number}.png", ONE, seed=number)
    candidates, _ = candidates_in(folder)
    with fake_gallery(database) as gallery, Store(str(database)) as store:
        late = enrolment.Enrolment(store, gallery.describer).run(candidates)
        enroll(gallery, folder)
        assert {one.outcome for one in late} <= {Outcome.DUPLICATE, Outcome.UNCHANGED}
        assert counts(gallery) == {"Rei": 3}
