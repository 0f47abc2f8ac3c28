"""What is stored of seen faces is what the gallery says, and at once what a person said."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from fakes import Square, write_picture
from labelled import identify_files

from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.errors import BadSetting, NoSuchCharacter
from gallery.events import Finished, result_of
from gallery.jobs import answers, decide
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.meant import SeenFace
from gallery.jobs.relabel import RelabelChoices, relabel
from gallery.store.answers import StoredAnswer
from gallery.store.steps import Action
from gallery.types import Decided, MatchMode, Verdict

RED, BLUE, GREEN, PINK = (220, 20, 20), (20, 20, 220), (20, 200, 20), (230, 30, 200)
ENCODER = "fake"


@pytest.fixture
def shots(gallery: Engine, tmp_path: Path) -> Path:
    """Asuka, red, and Rei, blue, are enrolled; labelled are both, another Asuka, and a green."""
    for name, colour in (("Asuka", RED), ("Rei", BLUE)):
        for number in range(2):
            write_picture(
                tmp_path / "in" / name / f"{number}.png", Square(10, 20, 60, colour), seed=number
            )
    enrol(gallery, tmp_path / "in")
    new = tmp_path / "new"
    write_picture(new / "both.png", Square(10, 20, 60, RED), Square(90, 20, 50, BLUE), seed=50)
    write_picture(new / "asuka.png", Square(10, 20, 60, RED), seed=51)
    write_picture(new / "green.png", Square(10, 20, 60, GREEN), seed=60)
    list(identify_files(gallery, sorted(new.iterdir()), keep=True))
    return new


def enrol(gallery: Engine, folder: Path) -> None:
    list(enroll_candidates(gallery, candidates_in(folder)[0]))


def stored(gallery: Engine) -> dict[int, StoredAnswer]:
    faces = [one.id for one in gallery.store.sightings.all()]
    return gallery.store.answers.of_faces(gallery.encoder, faces)


def face_in(gallery: Engine, path: Path, character: str | None = None) -> StoredAnswer:
    (found,) = [
        one
        for one in gallery.store.answers.in_picture(gallery.encoder, path)
        if character in (None, one.character)
    ]
    return found


def check_true(gallery: Engine) -> None:
    """What is stored of every face is what the gallery says now, and so are the counts."""
    seen = gallery.store.sightings.all()
    vectors = gallery.store.sightings.vectors_of(gallery.encoder, [one.id for one in seen])
    said = joint.alone(gallery, top=9)(seen, [one.described(vectors[one.id]) for one in seen])
    found = stored(gallery)
    for one, answer in zip(seen, said, strict=True):
        row = found[one.id]
        assert not row.is_stale
        assert (row.verdict, row.character) == (answer.verdict, answer.character)
        assert row.decided is (answer.decided or Decided.UNDECIDED)
        if answer.decided is None:
            assert row.distance == answer.distance
            assert row.likelihood == answer.probability
            assert [near.character for near in row.alternatives] == [
                match.character for match in answer.matches
            ]
    counts = gallery.store.answers.counts(gallery.encoder)
    assert (counts.faces, counts.stale) == (len(seen), 0)
    for kind in counts.kinds:
        assert kind.faces == sum(
            (one.decided, one.verdict, one.character)
            == (kind.decided, kind.verdict, kind.character)
            for one in found.values()
        )


def renewed(gallery: Engine, *, alone: bool = False) -> answers.Renewal:
    return result_of(answers.renew(gallery, alone=alone))


def test_labelling_stores_what_it_says(gallery: Engine, shots: Path) -> None:
    check_true(gallery)
    assert renewed(gallery).renewed == 0
    counts = gallery.store.answers.counts(ENCODER)
    assert counts.names(Verdict.SURE) == {"Asuka": 2, "Rei": 1}
    assert counts.of(Verdict.UNKNOWN) == 1
    assert counts.of(Verdict.SURE, "Rei") == 1


def test_a_gallery_that_changed_makes_answers_stale_at_once(
    gallery: Engine, shots: Path, tmp_path: Path
) -> None:
    write_picture(tmp_path / "more" / "Midori" / "1.png", Square(10, 20, 60, GREEN), seed=7)
    enrol(gallery, tmp_path / "more")
    assert gallery.store.answers.counts(ENCODER).stale == 4
    assert all(one.is_stale for one in stored(gallery).values())
    assert face_in(gallery, shots / "green.png").verdict is Verdict.UNKNOWN
    assert renewed(gallery) == answers.Renewal(4, is_outdated=False)
    assert face_in(gallery, shots / "green.png").character == "Midori"
    check_true(gallery)


def test_a_calibration_makes_answers_stale(gallery: Engine, shots: Path) -> None:
    with gallery.store.writing() as writer:
        writer.calibrate(ENCODER, "2026-01-01", "{}")
    assert gallery.store.answers.counts(ENCODER).stale == 4
    with gallery.store.writing() as writer:
        writer.calibrate("another", "2026-01-01", "{}")
    assert gallery.store.answers.counts("another").stale == 4


def test_a_decision_stands_in_its_row_at_once(gallery: Engine, shots: Path) -> None:
    green = face_in(gallery, shots / "green.png")
    step = result_of(decide.confirm(gallery, [SeenFace(green.face)], "Rei"))
    row = face_in(gallery, shots / "green.png")
    assert (row.verdict, row.character, row.decided) == (Verdict.SURE, "Rei", Decided.CONFIRMED)
    assert row.decision != green.decision
    counts = gallery.store.answers.counts(ENCODER)
    assert counts.names(Verdict.SURE, decided=Decided.CONFIRMED) == {"Rei": 1}
    assert counts.of(Verdict.UNKNOWN) == 0
    # What the gallery by itself says is as it was.
    assert row.distance == green.distance
    check_true(gallery)
    decide.undo(gallery, [step.id])
    row = face_in(gallery, shots / "green.png")
    assert (row.verdict, row.character, row.decided) == (
        Verdict.UNKNOWN,
        None,
        Decided.UNDECIDED,
    )
    renewed(gallery)
    check_true(gallery)


@pytest.mark.parametrize(
    ("action", "state"), [(Action.IGNORE, Decided.IGNORED), (Action.NO_FACE, Decided.NO_FACE)]
)
def test_what_is_set_aside_has_no_name(
    gallery: Engine, shots: Path, action: Action, state: Decided
) -> None:
    face = face_in(gallery, shots / "asuka.png").face
    result_of(decide.set_aside(gallery, [SeenFace(face)], action))
    row = face_in(gallery, shots / "asuka.png")
    assert (row.verdict, row.character, row.decided) == (Verdict.UNKNOWN, None, state)
    page = gallery.store.answers.page(ENCODER, Verdict.UNKNOWN, decided=state)
    assert [one.face for one in page.faces] == [face]
    check_true(gallery)


def test_a_rejected_name_is_never_said_again(gallery: Engine, shots: Path) -> None:
    face = face_in(gallery, shots / "both.png", "Rei").face
    result_of(decide.reject(gallery, [SeenFace(face)], "Rei"))
    row = stored(gallery)[face]
    assert (row.verdict, row.character, row.is_stale) == (Verdict.UNKNOWN, None, True)
    answers.renew_faces(gallery, [face])
    assert not stored(gallery)[face].is_stale
    renewed(gallery)
    check_true(gallery)


def test_a_rejected_name_counts_for_faces_nearly_the_same(gallery: Engine, shots: Path) -> None:
    one, other = (face_in(gallery, shots / name, "Asuka") for name in ("asuka.png", "both.png"))
    result_of(decide.reject(gallery, [SeenFace(one.face)], "Asuka"))
    assert stored(gallery)[other.face].character == "Asuka"
    renewed(gallery)
    check_true(gallery)
    decide.undo(gallery)
    renewed(gallery)
    check_true(gallery)


def test_what_is_decided_while_faces_are_answered_is_not_lost(gallery: Engine, shots: Path) -> None:
    """The answer is of before the decision, and is stored after it."""
    row = face_in(gallery, shots / "both.png", "Rei")
    now = gallery.store.answers.now(ENCODER)
    (seen,) = gallery.store.sightings.some([row.face]).values()
    vectors = gallery.store.sightings.vectors_of(ENCODER, [row.face])
    (answer,) = joint.alone(gallery)([seen], [seen.described(vectors[row.face])])
    result_of(decide.reject(gallery, [SeenFace(row.face)], "Rei"))
    with gallery.store.writing() as writer:
        writer.answers.put(now, {row.face: answer}, {seen.place.digest})
    after = stored(gallery)[row.face]
    assert (after.character, after.is_stale) == (None, True)
    renewed(gallery)
    check_true(gallery)


def test_names_follow_a_character(gallery: Engine, shots: Path) -> None:
    face = face_in(gallery, shots / "green.png").face
    result_of(decide.confirm(gallery, [SeenFace(face)], "Rei"))
    gallery.rename("Rei", "Ayanami Rei")
    assert stored(gallery)[face].character == "Ayanami Rei"
    check_true(gallery)
    gallery.merge("Ayanami Rei", "Asuka")
    assert {one.character for one in stored(gallery).values()} == {"Asuka"}
    renewed(gallery)
    check_true(gallery)
    gallery.forget("Asuka")
    assert {one.character for one in stored(gallery).values()} == {None}
    renewed(gallery)
    check_true(gallery)


def test_a_character_that_turns_faces_away_is_no_answer(gallery: Engine, shots: Path) -> None:
    gallery.rename("Rei", "noise")
    renewed(gallery)
    check_true(gallery)


def test_labelling_again_keeps_what_was_decided(gallery: Engine, shots: Path) -> None:
    face = face_in(gallery, shots / "green.png").face
    result_of(decide.confirm(gallery, [SeenFace(face)], "Rei"))
    list(identify_files(gallery, sorted(shots.iterdir()), keep=True))
    check_true(gallery)
    with gallery.store.writing() as writer:
        writer.sightings.forget()
    assert gallery.store.answers.counts(ENCODER).faces == 0
    list(identify_files(gallery, sorted(shots.iterdir()), keep=True))
    assert face_in(gallery, shots / "green.png").decided is Decided.CONFIRMED
    check_true(gallery)


def test_another_way_of_matching_stores_nothing(gallery: Engine, shots: Path) -> None:
    list(identify_files(gallery, sorted(shots.iterdir()), mode=MatchMode.VOTE, keep=True))
    assert gallery.store.answers.counts(ENCODER).stale == 4
    result_of(
        decide.confirm(gallery, [SeenFace(face_in(gallery, shots / "green.png").face)], "Rei")
    )
    with gallery.store.writing() as writer:
        writer.sightings.forget()
    list(identify_files(gallery, sorted(shots.iterdir()), mode=MatchMode.VOTE, keep=True))
    # What a person decided is known all the same.
    assert face_in(gallery, shots / "green.png").character == "Rei"
    assert face_in(gallery, shots / "asuka.png").verdict is None


def test_relabelling_stores_what_it_says(gallery: Engine, shots: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "more" / "Midori" / "1.png", Square(10, 20, 60, GREEN), seed=7)
    enrol(gallery, tmp_path / "more")
    told = [
        len(one.record.faces[0].matches)
        for one in relabel(gallery, RelabelChoices(tmp_path / "out.jsonl", top=1))
        if hasattr(one, "record")
    ]
    assert told == [1, 1, 1]
    check_true(gallery)
    assert renewed(gallery).renewed == 0


def test_a_renewal_that_is_left_goes_on_where_it_was(gallery: Engine, shots: Path) -> None:
    gallery.forget("Rei")
    with closing(answers.renew(gallery, at_once=1)) as job:
        next(job)
        next(job)
        next(job)
    # The two faces of one picture are answered at once.
    assert gallery.store.answers.counts(ENCODER).stale == 1
    assert renewed(gallery).renewed == 1
    check_true(gallery)


def test_a_renewal_ends_where_the_gallery_changes(gallery: Engine, shots: Path) -> None:
    gallery.forget("Rei")
    job = answers.renew(gallery, at_once=1)
    next(job)
    next(job)
    gallery.forget("Asuka")
    *_, last = job
    assert last == Finished(answers.Renewal(1, is_outdated=True))
    assert gallery.store.answers.counts(ENCODER).stale == 4
    assert renewed(gallery) == answers.Renewal(4, is_outdated=False)
    check_true(gallery)


def test_a_view_comes_page_by_page_least_likely_first(gallery: Engine, shots: Path) -> None:
    read = gallery.store.answers
    whole = read.page(ENCODER, Verdict.SURE)
    assert whole.after is None
    assert [one.character for one in whole.faces] == ["Asuka", "Asuka", "Rei"]
    found: list[StoredAnswer] = []
    after = None
    while True:
        page = read.page(ENCODER, Verdict.SURE, after=after, limit=1)
        found += page.faces
        after = page.after
        if after is None:
            break
    assert found == list(whole.faces)
    own = read.page(ENCODER, Verdict.SURE, "Asuka").faces
    assert [one.distance for one in own] == sorted((one.distance or 0 for one in own), reverse=True)
    backwards = read.page(ENCODER, Verdict.SURE, "Asuka", likeliest=True, limit=1)
    assert backwards.faces == own[1:]
    last = read.page(ENCODER, Verdict.SURE, "Asuka", likeliest=True, after=backwards.after)
    assert last.faces == own[:1]
    assert [one.path.name for one in read.page(ENCODER, Verdict.UNKNOWN).faces] == ["green.png"]
    with pytest.raises(NoSuchCharacter):
        read.page(ENCODER, Verdict.SURE, "Nobody")
    for wrong in ("", "1", "x_1", "nan_1", "1_2_3"):
        with pytest.raises(BadSetting):
            read.page(ENCODER, Verdict.SURE, "Asuka", after=wrong)


def test_faces_of_a_cluster_come_page_by_page(gallery: Engine, shots: Path) -> None:
    faces = sorted(stored(gallery))
    with gallery.store.writing() as writer:
        writer.sightings.group(dict.fromkeys(faces[:3], 7))
    first = gallery.store.answers.in_cluster(ENCODER, 7, limit=2)
    rest = gallery.store.answers.in_cluster(ENCODER, 7, limit=2, after=first.after)
    assert [one.face for one in first.faces + rest.faces] == faces[:3]
    assert {one.cluster for one in rest.faces} == {7}


def test_a_name_that_a_person_gives_is_taken_from_the_face_beside(
    gallery: Engine, shots: Path
) -> None:
    rei = face_in(gallery, shots / "both.png", "Rei")
    step = result_of(decide.confirm(gallery, [SeenFace(rei.face)], "Asuka"))
    assert gallery.store.answers.counts(ENCODER).stale == 1
    assert result_of(answers.renew_doubted(gallery)).renewed == 1
    beside = [
        one.character
        for one in gallery.store.answers.in_picture(ENCODER, shots / "both.png")
        if one.face != rei.face
    ]
    assert beside in ([None], ["Rei"])
    check_true(gallery)
    decide.undo(gallery, [step.id])
    renewed(gallery)
    assert face_in(gallery, shots / "both.png", "Asuka").verdict is Verdict.SURE
    check_true(gallery)


def test_a_part_of_a_picture_is_renewed_with_the_rest(gallery: Engine, shots: Path) -> None:
    write_picture(shots / "twins.png", Square(10, 20, 50, RED), Square(90, 20, 50, RED), seed=71)
    list(identify_files(gallery, [shots / "twins.png"], keep=True))
    before = stored(gallery)
    twins = gallery.store.answers.in_picture(ENCODER, shots / "twins.png")
    assert sorted(one.character or "" for one in twins) == ["", "Asuka"]
    for one in twins:
        with gallery.store.writing() as writer:
            writer.answers.doubt([one.face])
        assert result_of(answers.renew_doubted(gallery)).renewed == 1
        assert stored(gallery) == before
    check_true(gallery)
