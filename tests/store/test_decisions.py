"""What a person decided stays: it follows names and files, and can be undone step by step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect

import numpy as np
import pytest
from fakes import new_sample, vector
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.errors import NoSuchStep
from gallery.media.images import encode_jpeg
from gallery.store.reader import Store
from gallery.store.rejections import NewRejection
from gallery.store.steps import Action, FaceMeant, Undone
from gallery.types import UNDECIDED, Box, Content, Decided, FaceState, Place, VideoTrack

BOX = Box(10.0, 10.0, 50.0, 50.0)
CROP = encode_jpeg(np.full((150, 150, 3), 90, np.uint8))

Change = Callable[[FaceState], FaceState]


def meant(number: int, *, crop: bool = False) -> FaceMeant:
    """The face of a picture of its own."""
    place, path = Place(f"{number:064x}"), Path(f"/seen/{number}.png")
    if not crop:
        return FaceMeant(place, path, BOX)
    return FaceMeant(place, path, BOX, None, CROP, {"fake": vector(number)})


def confirmed(name: str) -> Change:
    return lambda state: state.confirmed(name)


def rejected(name: str) -> Change:
    return lambda state: state.rejected(name)


def ignored(state: FaceState) -> FaceState:
    return state.set_aside(Decided.IGNORED)


def decide(store: Store, faces: Sequence[FaceMeant], change: Change, name: str = "Rei") -> int:
    """Decide in a step of its own, and return its number."""
    with store.writing() as writer:
        step = writer.decisions.begin(Action.CONFIRM, "somebody", name)
        writer.decisions.decide(step, faces, lambda state, _: change(state))
    return step


def undo(store: Store, step: int) -> Undone:
    with store.writing() as writer:
        return writer.decisions.undo(step, "somebody")


def states(store: Store) -> dict[int, FaceState]:
    """The states of pictures' faces, by the pictures' numbers; undecided ones are left out."""
    found = {int(one.path.stem): one.state for one in store.decisions.faces()}
    return {number: state for number, state in found.items() if state != UNDECIDED}


@pytest.fixture
def known(store: Store) -> Store:
    with store.writing() as writer:
        for number, name in enumerate(("Rei", "Asuka", "Misato", "Noise crowd")):
            writer.add(new_sample(name, number))
    return store


REI = FaceState(Decided.CONFIRMED, "Rei")
IGNORED = FaceState(Decided.IGNORED)


def test_a_step_is_kept_with_who_when_and_what_was_before(known: Store) -> None:
    decide(known, [meant(1), meant(2)], ignored, "Rei")
    decide(known, [meant(2), meant(3)], confirmed("Rei"))
    assert states(known) == {1: IGNORED, 2: REI, 3: REI}
    newest, oldest = known.decisions.steps()
    assert newest.title == "confirmed 2 as Rei"
    assert (newest.who, newest.character, newest.faces) == ("somebody", "Rei", 2)
    assert newest.made_at is not None
    assert newest.made_at.endswith("+00:00")
    assert [(one.step, one.before, one.after) for one in known.decisions.log()] == [
        (oldest.id, UNDECIDED, IGNORED),
        (oldest.id, UNDECIDED, IGNORED),
        (newest.id, IGNORED, REI),
        (newest.id, UNDECIDED, REI),
    ]
    assert known.decisions.counts() == {
        (Decided.IGNORED, None): 1,
        (Decided.CONFIRMED, "Rei"): 2,
    }


def test_undoing_restores_what_was_before_and_leaves_alone_what_a_newer_one_owns(
    known: Store,
) -> None:
    first = decide(known, [meant(1), meant(2), meant(3)], ignored)
    second = decide(known, [meant(2)], confirmed("Rei"))
    done = undo(known, first)
    assert (done.restored, [one.title for one in done.steps]) == (2, [f"undid step {first} for 2"])
    assert [(one.face.path.name, one.step) for one in done.left] == [("2.png", second)]
    assert states(known) == {2: REI}
    with pytest.raises(NoSuchStep, match="no step 77"):
        undo(known, 77)


def test_undoing_step_by_step_goes_back_to_the_beginning_and_forth_again(known: Store) -> None:
    changes = [ignored, confirmed("Rei"), rejected("Rei"), confirmed("Asuka")]
    steps = [decide(known, [meant(1)], change) for change in changes]
    before, backwards = [states(known)], []
    for step in reversed(steps):
        (undone,) = undo(known, step).steps
        backwards.append(undone.id)
        before.append(states(known))
    assert before[-1] == {}
    assert before[3] == {1: IGNORED}
    for step, wanted in zip(reversed(backwards), reversed(before[:-1]), strict=True):
        undo(known, step)
        assert states(known) == wanted
    assert undo(known, backwards[0]).restored == 0


def test_what_is_decided_again_is_owned_by_the_newer_step(known: Store) -> None:
    first = decide(known, [meant(1)], confirmed("Rei"))
    second = decide(known, [meant(1)], confirmed("Rei"))
    assert [one.step for one in undo(known, first).left] == [second]
    assert states(known) == {1: REI}
    undo(known, second)
    undo(known, first)
    assert states(known) == {}
    (left,) = undo(known, first).left
    assert left.step is None


def test_the_newest_step_is_the_one_that_is_not_undone(known: Store) -> None:
    with known.writing() as writer:
        assert writer.decisions.newest() is None
    first = decide(known, [meant(1)], ignored)
    second = decide(known, [meant(2)], ignored)
    for step in (second, first, None):
        with known.writing() as writer:
            assert writer.decisions.newest() == step
            if step is not None:
                writer.decisions.undo(step, "")


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("confirm", "reject")),
            st.sampled_from(("Rei", "Asuka")),
            st.sets(st.integers(1, 3), min_size=1),
        ),
        st.tuples(
            st.sampled_from(("ignored", "no_face", "undecided")),
            st.none(),
            st.sets(st.integers(1, 3), min_size=1),
        ),
        st.tuples(st.just("undo"), st.integers(0, 20), st.none()),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    """A gallery for many examples, each of which decides of pictures of its own."""
    with Store("sqlite://", create=True) as opened:
        with opened.writing() as writer:
            for name in ("Rei", "Asuka"):
                writer.character_id(name)
        yield opened


EXAMPLES = itertools.count(1)


@settings(max_examples=60)
@given(steps=STEPS)
def test_any_decisions_and_undos_end_in_the_state_that_replaying_the_log_gives(
    shared: Store,
    steps: list[tuple[str, str | int | None, set[int] | None]],
) -> None:
    changes: dict[str, Callable[[str], Change]] = {
        "confirm": confirmed,
        "reject": rejected,
        "undecided": lambda _: lambda _: UNDECIDED,
    }
    example = 10 * next(EXAMPLES)
    made: list[int] = []
    ruling = shared.decisions.ruling()
    for what, of, faces in steps:
        # What is read of the new decisions alone is what is read of all.
        ruling = shared.decisions.ruling(ruling)
        assert ruling == shared.decisions.ruling()
        if what == "undo":
            if made:
                done = undo(shared, made[int(of or 0) % len(made)])
                made += [one.id for one in done.steps]
            continue
        change = changes.get(what)
        becomes = change(str(of)) if change else (lambda state, w=what: state.set_aside(Decided(w)))
        made.append(decide(shared, [meant(example + one) for one in sorted(faces or ())], becomes))
    replayed: dict[int, FaceState] = {}
    after: dict[int, FaceState] = {}
    for one in shared.decisions.log():
        assert replayed.get(one.face, UNDECIDED) == one.before
        replayed[one.face] = after[one.id] = one.after
    now = shared.decisions.faces()
    assert {one.id: one.state for one in now} == replayed
    assert all(one.state == after.get(one.owner, UNDECIDED) for one in now)
    assert shared.check() == []


def test_what_rules_is_read_anew_where_a_name_has_another_meaning(known: Store) -> None:
    decide(known, [meant(1), meant(2)], confirmed("Rei"))
    decide(known, [meant(3)], rejected("Asuka"), "Asuka")
    ruling = known.decisions.ruling()

    def renewed(number: int) -> FaceState:
        nonlocal ruling
        ruling = known.decisions.ruling(ruling)
        assert ruling == known.decisions.ruling()
        return ruling.faces.state(meant(number).place, BOX)

    with known.writing() as writer:
        writer.rename("Rei", "Ayanami")
    assert renewed(1).character == "Ayanami"
    with known.writing() as writer:
        writer.merge("Asuka", "Misato")
    assert renewed(3).not_these == ("Misato",)
    with known.writing() as writer:
        writer.forget("Ayanami")
    assert renewed(1) == UNDECIDED
    decide(known, [meant(2)], rejected("Misato"), "Misato")
    assert renewed(2).not_these == ("Misato",)
    with known.writing() as writer:
        writer.add(new_sample("Ayanami", 60))
    assert renewed(1).character == "Ayanami"
    assert ruling is known.decisions.ruling(ruling)


def test_decisions_follow_a_new_name_also_where_two_swap_theirs(known: Store) -> None:
    decide(known, [meant(1)], confirmed("Rei"))
    decide(known, [meant(2)], confirmed("Asuka"))
    decide(known, [meant(3)], rejected("Rei"))
    with known.writing() as writer:
        writer.rename("Rei", "aside")
        writer.rename("Asuka", "Rei")
        writer.rename("aside", "Asuka")
    assert states(known) == {
        1: FaceState(Decided.CONFIRMED, "Asuka"),
        2: REI,
        3: FaceState(Decided.NOT_THIS, None, ("Asuka",)),
    }
    assert known.decisions.steps()[-1].title == "confirmed 1 as Asuka"


def test_decisions_follow_a_merge_and_say_nothing_twice(known: Store) -> None:
    decide(known, [meant(1)], lambda state: state.rejected("Rei").rejected("Asuka"))
    decide(known, [meant(2)], lambda state: state.rejected("Asuka").confirmed("Rei"))
    with known.writing() as writer:
        writer.merge("Asuka", "Rei")
    assert states(known) == {1: FaceState(Decided.NOT_THIS, None, ("Rei",)), 2: REI}


def test_a_forgotten_name_rules_nothing_until_somebody_has_it_again(known: Store) -> None:
    decide(known, [meant(1)], lambda state: state.rejected("Asuka").confirmed("Rei"))
    with known.writing() as writer:
        writer.forget("Rei")
    not_asuka = FaceState(Decided.NOT_THIS, None, ("Asuka",))
    assert known.decisions.ruling().faces.state(meant(1).place, BOX) == not_asuka
    assert states(known)[1].character == "Rei"
    with known.writing() as writer:
        writer.add(new_sample("Rei", 50))
    ruling = known.decisions.ruling().faces.state(meant(1).place, BOX)
    assert ruling == FaceState(Decided.CONFIRMED, "Rei", ("Asuka",))
    assert known.check() == []


def test_whoever_is_confirmed_as_a_reject_class_is_ignored(known: Store) -> None:
    decide(known, [meant(1)], confirmed("Noise crowd"))
    assert known.decisions.ruling().faces.state(meant(1).place, BOX) == IGNORED


def test_a_face_is_known_where_another_detector_draws_it_and_whatever_is_written_into_its_file(
    known: Store,
) -> None:
    with known.writing() as writer:
        for digest in ("a" * 64, "b" * 64):
            writer.remember_content(digest, Content("c" * 64))
    first = FaceMeant(Place("a" * 64), Path("/1.png"), BOX)
    decide(known, [first], confirmed("Rei"))
    near, far = Box(12, 12, 54, 54), Box(40, 40, 80, 80)
    ruling = known.decisions.ruling().faces
    for place in (Place("a" * 64), Place("b" * 64), Place("d" * 64, None, "c" * 64)):
        assert ruling.states([place, place], [far, near]) == [UNDECIDED, REI]
    decide(known, [FaceMeant(Place("b" * 64), Path("/2.png"), near)], ignored)
    (face,) = known.decisions.faces()
    assert face.state == IGNORED


def test_of_two_faces_in_one_place_a_decision_is_of_the_one_that_overlaps_it_most(
    known: Store,
) -> None:
    decide(known, [meant(1)], confirmed("Rei"))
    place, shifted = meant(1).place, Box(14, 10, 54, 50)
    assert known.decisions.ruling().faces.states([place, place], [shifted, BOX]) == [UNDECIDED, REI]


def test_the_face_of_a_video_is_known_by_its_time(known: Store) -> None:
    def track(start: float, end: float) -> VideoTrack:
        return VideoTrack(1, 1, start, end, (start + end) / 2, 3)

    video = "e" * 64
    face = FaceMeant(Place(video, track(2.0, 4.0)), Path("/1.mkv"), BOX)
    decide(known, [face], confirmed("Rei"))
    ruling = known.decisions.ruling().faces
    assert ruling.state(Place(video, track(2.0, 4.0)), BOX) == REI
    assert ruling.state(Place(video, track(1.5, 3.9)), BOX) == REI
    assert ruling.state(Place(video, track(4.5, 6.0)), BOX) == UNDECIDED
    assert ruling.state(Place(video), BOX) == UNDECIDED
    decide(known, [replace(face, place=Place(video, track(1.5, 3.9)))], ignored)
    assert len(known.decisions.faces()) == 1


def test_a_rejection_is_a_decision_and_stands_as_long_as_it_does(known: Store) -> None:
    face = meant(1, crop=True)
    step = decide(known, [face], rejected("Rei"))
    (one,) = known.rejections.all()
    assert (one.character, known.rejections.rejected("fake").names) == ("Rei", ["Rei"])
    undo(known, step)
    assert known.rejections.all() == []
    (again,) = [one.id for one in known.decisions.steps() if one.action is Action.UNDO]
    undo(known, again)
    assert known.rejections.all() == [one]
    decide(known, [face], confirmed("Rei"))
    assert known.rejections.all() == []
    with known.writing() as writer:
        number = writer.reject(
            NewRejection("Rei", face.place.digest, face.path, BOX, CROP, {"fake": vector(1)})
        )
    assert number == one.id
    assert states(known) == {1: FaceState(Decided.NOT_THIS, None, ("Rei",))}
    with known.writing() as writer:
        writer.take_back([one.id])
    assert (states(known), known.rejections.all()) == ({}, [])


def test_a_thousand_decisions_are_undone_at_once(known: Store) -> None:
    step = decide(known, [meant(one) for one in range(1000, 2000)], confirmed("Rei"))
    assert undo(known, step).restored == 1000
    assert states(known) == {}


def test_states_are_looked_up_by_indices(known: Store, database: Path) -> None:
    decide(known, [meant(1)], confirmed("Rei"))
    asked = {
        "SELECT * FROM decided_faces WHERE digest = 'x'": "ix_decided_faces_digest",
        "SELECT count(*) FROM decided_faces WHERE state = 'confirmed' AND name_id = 1": (
            "ix_decided_faces_state_name_id"
        ),
        "SELECT * FROM decisions WHERE step_id = 1": "ix_decisions_step_id",
    }
    with closing(connect(database)) as connection:
        for question, index in asked.items():
            (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {question}").fetchall()
            assert index in plan[-1]
