"""What a person said a face is not is never answered again, whatever happens around it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import FakeEncoder, Square, fake_gallery, new_sample, vector, write_picture

from gallery.engine.engine import Engine
from gallery.errors import EnrolledFace, InputError, NoFace
from gallery.events import value_of
from gallery.jobs import review
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.reencode import encode_kept, encode_samples
from gallery.media.images import encode_jpeg, read_image
from gallery.store.reader import Store
from gallery.store.rejections import NewRejection
from gallery.types import Box, Verdict

RED, BLUE = (220, 20, 20), (20, 20, 220)
FACE = Box(40.0, 30.0, 100.0, 90.0)


def picture(path: Path, *colours: tuple[int, int, int], seed: int = 0) -> Path:
    places = [Square(10, 20, 60, colours[0])]
    places += [Square(90, 20, 50, colour) for colour in colours[1:]]
    return write_picture(path, *places, seed=seed)


@pytest.fixture
def enrolled(gallery: Engine, tmp_path: Path) -> Engine:
    """Asuka is red, Rei is blue."""
    for number in range(2):
        picture(tmp_path / "in" / "Asuka" / f"{number}.png", RED, seed=number)
        picture(tmp_path / "in" / "Rei" / f"{number}.png", BLUE, seed=10 + number)
    candidates, _ = candidates_in(tmp_path / "in")
    assert len(list(enroll_candidates(gallery, candidates))) == 4
    return gallery


def new_rejection(character: str, number: int) -> NewRejection:
    return NewRejection(
        character=character,
        digest=f"{number:064x}",
        path=Path(f"/seen/{number}.png"),
        box=FACE,
        crop_jpeg=encode_jpeg(np.full((150, 150, 3), number % 250, np.uint8)),
        descriptors={"fake": vector(number)},
    )


def answered(gallery: Engine, path: Path) -> list[str | None]:
    return [answer.character for answer in gallery.identify(read_image(path)).faces]


def test_a_rejected_name_is_excluded_and_the_next_one_follows(
    enrolled: Engine, tmp_path: Path
) -> None:
    path = picture(tmp_path / "new.png", RED, seed=99)
    before = enrolled.identify(read_image(path)).faces[0]
    assert (before.character, before.verdict) == ("Asuka", Verdict.SURE)
    review.reject(enrolled, path, "Asuka")
    (after,) = enrolled.identify(read_image(path)).faces
    assert after.character != "Asuka"
    assert [match.character for match in after.matches] == ["Rei"]


def test_a_face_nearly_the_same_is_not_answered_so_either(enrolled: Engine, tmp_path: Path) -> None:
    review.reject(enrolled, picture(tmp_path / "frame-1.png", RED, seed=99), "Asuka")
    neighbour = picture(tmp_path / "frame-2.png", RED, seed=100)
    assert answered(enrolled, neighbour) != ["Asuka"]
    other = picture(tmp_path / "other.png", BLUE, seed=100)
    assert answered(enrolled, other) == ["Rei"]


def test_undoing_brings_the_answer_back(enrolled: Engine, tmp_path: Path) -> None:
    path = picture(tmp_path / "new.png", RED, seed=99)
    one = review.reject(enrolled, path, "Asuka")
    assert review.reject(enrolled, path, "Asuka") == one
    review.take_back(enrolled, [one.id])
    assert answered(enrolled, path) == ["Asuka"]
    assert enrolled.store.rejections.all() == []
    with pytest.raises(InputError, match=f"no rejection {one.id}"):
        review.take_back(enrolled, [one.id])


def test_of_several_faces_the_one_with_that_name_is_meant(enrolled: Engine, tmp_path: Path) -> None:
    path = picture(tmp_path / "two.png", BLUE, RED, seed=99)
    review.reject(enrolled, path, "Asuka")
    assert answered(enrolled, path) == ["Rei", None]
    with pytest.raises(InputError, match="none is answered with Asuka"):
        review.reject(enrolled, path, "Asuka")
    with pytest.raises(InputError, match="there is no face 3"):
        review.reject(enrolled, path, "Rei", 3)
    review.reject(enrolled, path, "Rei", 1)
    assert answered(enrolled, path) == [None, None]


def test_a_picture_without_a_face_and_an_enrolled_face_are_refused(
    enrolled: Engine, tmp_path: Path
) -> None:
    with pytest.raises(NoFace, match="shows no face"):
        review.reject(enrolled, write_picture(tmp_path / "none.png"), "Rei")
    (sample, *_) = enrolled.samples("Asuka")
    with pytest.raises(EnrolledFace, match=r"is sample \d of Asuka; forget or move") as caught:
        review.reject(enrolled, sample.path, "Asuka")
    assert (caught.value.sample, caught.value.character) == (sample.id, "Asuka")
    with pytest.raises(InputError, match="No character is called Misato"):
        review.reject(enrolled, sample.path, "Misato")


def test_rejections_hold_with_another_encoder_and_again_after_reencoding(
    database: Path, enrolled: Engine, tmp_path: Path
) -> None:
    first = picture(tmp_path / "frame-1.png", RED, seed=99)
    neighbour = picture(tmp_path / "frame-2.png", RED, seed=100)
    review.reject(enrolled, first, "Asuka")
    with fake_gallery(database, encoder=FakeEncoder("other")) as other:
        encode_samples(other, other.remaining())
        # The face itself is known by its place; one nearly the same only by its descriptor.
        assert answered(other, first) != ["Asuka"]
        assert answered(other, neighbour) == ["Asuka"]
        assert value_of(encode_kept(other)) == 1
        assert value_of(encode_kept(other)) == 0
        assert answered(other, neighbour) != ["Asuka"]


def test_a_rejection_follows_its_character(store: Store) -> None:
    with store.writing() as writer:
        for number, name in enumerate(("Rei", "Asuka", "Misato")):
            writer.add(new_sample(name, number))
        for name, number in (("Rei", 1), ("Asuka", 1), ("Asuka", 2), ("Misato", 3)):
            writer.reject(new_rejection(name, number))
    with store.writing() as writer:
        writer.rename("Rei", "Yui")
        writer.merge("Asuka", "Yui")
        writer.forget("Misato")
    left = store.rejections.all()
    assert {(one.character, one.path.name) for one in left} == {("Yui", "1.png"), ("Yui", "2.png")}
    assert store.rejections.rejected("fake").names == ["Yui", "Yui"]
    assert store.check() == []


def test_a_rejection_that_stands_is_not_lost_to_one_that_was_taken_back(store: Store) -> None:
    with store.writing() as writer:
        for number, name in enumerate(("Rei", "Asuka")):
            writer.add(new_sample(name, number))
        taken_back = writer.reject(new_rejection("Rei", 5))
        assert taken_back is not None
        writer.reject(new_rejection("Asuka", 5))
        writer.take_back([taken_back])
    with store.writing() as writer:
        assert writer.merge("Asuka", "Rei").rejections == 1
    assert [one.character for one in store.rejections.all()] == ["Rei"]
    assert store.rejections.rejected("fake").names == ["Rei"]


def test_who_is_enrolled_after_all_is_not_rejected_any_more(store: Store) -> None:
    sample = new_sample("Rei", 1)
    said = replace(new_rejection("Rei", 1), digest=sample.digest, box=sample.face.box)
    with store.writing() as writer:
        writer.add(new_sample("Rei", 2))
        sample_id = writer.add(replace(sample, character="Asuka"))
        assert sample_id is not None
        writer.reject(said)
        writer.reject(new_rejection("Rei", 5))
    with store.writing() as writer:
        writer.move([sample_id], "Rei")
    assert [one.path.name for one in store.rejections.all()] == ["5.png"]


def test_every_change_to_rejections_is_a_change_of_the_gallery(store: Store) -> None:
    with store.writing() as writer:
        writer.add(new_sample("Rei", 1))
    seen = [store.change()]
    with store.writing() as writer:
        number = writer.reject(new_rejection("Rei", 7))
    assert number is not None
    seen.append(store.change())
    with store.writing() as writer:
        writer.describe_rejection(number, "second", vector(3))
    seen.append(store.change())
    with store.writing() as writer:
        writer.take_back([number])
    seen.append(store.change())
    assert len(set(seen)) == 4


@pytest.mark.parametrize(
    ("other", "share"),
    [
        (FACE, 1.0),
        (Box(40, 30, 100, 60), 0.5),
        (Box(70, 30, 130, 90), 1 / 3),
        (Box(100, 30, 160, 90), 0.0),
        (Box(200, 200, 210, 210), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(other: Box, share: float) -> None:
    assert FACE.overlap(other) == pytest.approx(share)
    assert other.overlap(FACE) == pytest.approx(share)


def test_the_command_wants_one_thing_at_a_time(tmp_path: Path, database: Path) -> None:
    for words in ([], ["a.png"], ["a.png", "Rei", "--list"], ["--list", "--undo", "1"]):
        assert call("reject", *words, cwd=tmp_path, database=database).code == 2
