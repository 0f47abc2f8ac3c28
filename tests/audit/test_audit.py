"""What an audit proposes: mistakes that were made on purpose, and the commands that undo them."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Done, call
from fakes import fake_gallery, new_sample
from numpy.typing import NDArray
from typer.main import get_command

from gallery.audit.audit_set import audit_set_of
from gallery.audit.characters import centre_distance, two_parts
from gallery.audit.misplaced import margins
from gallery.audit.page import report_of
from gallery.audit.proposals import Kind, Proposal, command
from gallery.audit.right import say_right
from gallery.audit.run import audit
from gallery.cli import app
from gallery.engine.engine import Engine
from gallery.errors import NoSuchSample
from gallery.events import result_of
from gallery.media.images import encode_jpeg, encode_png
from gallery.reports.page import as_html
from gallery.store.rejections import NewRejection
from gallery.store.steps import Action, FaceMeant
from gallery.types import Decided, FaceState, Place, Quality, Sample, Thresholds

CHARACTERS, FACES = 12, 8
THRESHOLDS = Thresholds(sure=0.378, unknown=0.434, margin=0.019)
CROP = encode_png(np.full((150, 150, 3), 90, np.uint8))

Faces = NDArray[np.float32]


def drawn(seed: int = 0, spread: float = 0.25) -> Faces:
    """Faces of characters as anime-ensemble describes them, shape (CHARACTERS, FACES, 128)."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(CHARACTERS, 1, 128))
    centres *= 0.45 / np.linalg.norm(centres, axis=2, keepdims=True)
    noise = generator.normal(size=(CHARACTERS, FACES, 128)) * spread / np.sqrt(128)
    return np.asarray(centres + noise, np.float32)


Change = Callable[[list[tuple[str, Faces]]], None]


def filled(database: Path, change: Change = lambda _: None) -> Engine:
    """A gallery of drawn characters c00, c01, ... with a change to its samples."""
    faces = drawn()
    rows = [
        (f"c{name:02}", faces[name, face]) for name in range(CHARACTERS) for face in range(FACES)
    ]
    change(rows)
    gallery = fake_gallery(database, thresholds=THRESHOLDS)
    with gallery.store.writing() as writer:
        for number, (name, vector) in enumerate(rows, 1):
            sample = dataclasses.replace(
                new_sample(name, number, {"fake": vector}),
                crop_png=CROP,
                quality=Quality(60.0, 0.5 + number % 7 / 20, 0.0, 1.0, 0.0),
            )
            assert writer.add(sample) == number
    return gallery


def proposals(gallery: Engine) -> list[Proposal]:
    return result_of(audit(gallery))


def of_kind(gallery: Engine, kind: Kind) -> list[Proposal]:
    return [one for one in proposals(gallery) if one.kind is kind]


def test_a_sound_gallery_has_nothing_to_propose(database: Path) -> None:
    with filled(database) as gallery:
        assert proposals(gallery) == []
        assert "Nothing was found" in as_html(report_of(gallery, []))


def test_swapped_labels_come_first_and_the_commands_swap_them_back(database: Path) -> None:
    def swap(rows: list[tuple[str, Faces]]) -> None:
        rows[3], rows[20] = (rows[20][0], rows[3][1]), (rows[3][0], rows[20][1])

    with filled(database, swap) as gallery:
        first, second, *rest = proposals(gallery)
        assert rest == []
        assert {first.kind, second.kind} == {Kind.MISPLACED}
        assert {first.command, second.command} == {
            "gallery move 4 --to c00",
            "gallery move 21 --to c02",
        }
        assert min(first.likelihood or 0, second.likelihood or 0) > 0.9
        gallery.move([4], "c00")
        gallery.move([21], "c02")
        assert proposals(gallery) == []


def test_a_stranger_is_proposed_to_be_forgotten(database: Path) -> None:
    stranger = np.random.default_rng(7).normal(size=128)
    stranger *= 0.5 / np.linalg.norm(stranger)

    with filled(
        database, lambda rows: rows.insert(0, ("c00", stranger.astype(np.float32)))
    ) as gallery:
        audit_set = audit_set_of(gallery)
        found = margins(audit_set)
        assert found.own[0] > 0.5
        # Of those far from everybody, only who is nearer to another is proposed.
        said = {one.samples for one in of_kind(gallery, Kind.MISPLACED)}
        assert said == ({(1,)} if found.values[0] > 0 else set())


def test_margins_leave_the_sample_itself_out(database: Path) -> None:
    with filled(database) as gallery:
        audit_set = audit_set_of(gallery)
    found = margins(audit_set)
    own = audit_set.descriptors[:FACES]
    left_out = own[1:].mean(axis=0)
    assert found.own[0] == pytest.approx(np.linalg.norm(own[0] - left_out))
    others = audit_set.descriptors.reshape(CHARACTERS, FACES, 128).mean(axis=1)[1:]
    assert found.other[0] == pytest.approx(np.linalg.norm(others - own[0], axis=1).min())


def test_a_rejected_name_is_not_proposed(database: Path) -> None:
    def move(rows: list[tuple[str, Faces]]) -> None:
        rows[0] = ("c05", rows[0][1])

    with filled(database, move) as gallery:
        (one,) = of_kind(gallery, Kind.MISPLACED)
        assert one.characters == ("c05", "c00")
        (sample,) = [sample for sample in gallery.samples("c05") if sample.id == 1]
        with gallery.store.writing() as writer:
            crop = encode_jpeg(np.full((150, 150, 3), 9, np.uint8))
            writer.reject(
                NewRejection("c00", sample.digest, sample.path, sample.face.box, crop, {})
            )
        assert all(one.characters[1] != "c00" for one in of_kind(gallery, Kind.MISPLACED))


def test_a_character_of_two_is_proposed_to_be_split_and_the_command_does_it(
    database: Path,
) -> None:
    def join(rows: list[tuple[str, Faces]]) -> None:
        for row in range(FACES, FACES + 4):
            rows[row] = ("c00", rows[row][1])
        del rows[FACES + 4 : 2 * FACES]

    with filled(database, join) as gallery:
        (one,) = of_kind(gallery, Kind.SPLIT)
        assert one.samples == (9, 10, 11, 12)
        assert one.command == "gallery split c00 'c00 2' 9 10 11 12"
    done = call(*shlex.split(one.command)[1:], cwd=database.parent, database=database)
    assert done == Done(0, "", "4 samples of c00 are c00 2 now.\n")
    with fake_gallery(database, thresholds=THRESHOLDS) as gallery:
        assert [sample.id for sample in gallery.samples("c00 2")] == [9, 10, 11, 12]
        assert proposals(gallery) == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("c00", "c01", "1"), "c01 goes by the name c01 already; `gallery move` gives samples"),
        (("c00", "Neu", "9"), "c00 has no sample 9; `gallery show` lists them."),
        (("c00", "Neu", *"12345678"), "These are all samples of c00; `gallery rename` gives"),
        (("c77", "Neu", "1"), "No character is called c77"),
        (("c00", "a\tb", "1"), "name"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused_and_changes_nothing(
    database: Path, words: tuple[str, ...], complaint: str
) -> None:
    with filled(database) as gallery:
        before = gallery.store.change()
    done = call("split", *words, cwd=database.parent, database=database)
    assert (done.code, done.stdout) == (1, "")
    assert complaint in done.complaint
    with fake_gallery(database, thresholds=THRESHOLDS) as gallery:
        assert gallery.store.change() == before


def test_two_characters_of_one_are_proposed_to_be_merged(database: Path) -> None:
    def cut(rows: list[tuple[str, Faces]]) -> None:
        for row in range(3):
            rows[row] = ("d'Arc", rows[row][1])

    with filled(database, cut) as gallery:
        (one,) = of_kind(gallery, Kind.MERGE)
        assert shlex.split(one.command) == ["gallery", "merge", "d'Arc", "c00"]
        gallery.merge(*one.characters)
        assert proposals(gallery) == []


def test_near_duplicates_keep_the_one_that_is_seen_best(database: Path) -> None:
    def copy(rows: list[tuple[str, Faces]]) -> None:
        rows += [("c00", rows[0][1]), ("c00", rows[0][1] + np.float32(0.001))]

    with filled(database, copy) as gallery:
        (one,) = of_kind(gallery, Kind.DUPLICATES)
        quality = {sample.id: sample.quality for sample in gallery.samples("c00")}
        scores = {row: known.score for row, known in quality.items() if known}
        (kept,) = one.beside
        assert {*one.samples, kept} == {1, 97, 98}
        assert scores[kept] == max(scores[row] for row in (1, 97, 98))
        gallery.forget_samples(one.samples)
        assert proposals(gallery) == []


def test_the_same_face_under_two_names_is_found(database: Path) -> None:
    def copy(rows: list[tuple[str, Faces]]) -> None:
        # Half way between two characters, so that neither label looks wrong by itself.
        middle = np.asarray((rows[0][1] + rows[FACES][1]) / 2, np.float32)
        rows += [("c00", middle), ("c01", middle)]

    with filled(database, copy) as gallery:
        found = of_kind(gallery, Kind.TWINS) + of_kind(gallery, Kind.MISPLACED)
        assert {97, 98} & {sample for one in found for sample in one.samples}


def test_characters_with_too_little_get_advice_at_the_end(database: Path) -> None:
    def thin(rows: list[tuple[str, Faces]]) -> None:
        del rows[2:FACES]
        rows += [("c11", rows[-1][1])] * 3
        rows += [("alike", drawn(5)[0, 0])] * 5

    with filled(database, thin) as gallery:
        found = proposals(gallery)
        advice = [one for one in found if one.kind is Kind.FEW]
        assert found[-len(advice) :] == advice
        assert {one.characters for one in advice} == {("c00",), ("alike",)}
        assert any("5 samples, 1 of which differ" in one.reason for one in advice)
        assert {one.command for one in advice} == {"gallery enroll /pictures"}
        # Nobody would find a folder of a character that was adopted.
        with gallery.store.writing() as writer:
            writer.rename("alike", "Somebody")
            for sample in gallery.samples("alike"):
                writer.follow(sample.id, Path(f"/shots/{sample.id}.png"))
        (one,) = [one for one in of_kind(gallery, Kind.FEW) if one.characters == ("Somebody",)]
        assert one.command == "gallery name PICTURE Somebody --use"
        assert "folder" not in one.reason
        assert {one.likelihood for one in advice} == {None}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_galleries_of_next_to_nothing(database: Path, count: int) -> None:
    with filled(database, lambda rows: rows.__delitem__(slice(count, None))) as gallery:
        assert {one.kind for one in proposals(gallery)} <= {Kind.FEW}
        as_html(report_of(gallery, proposals(gallery)))


def test_identical_pictures_everywhere_end(database: Path) -> None:
    def same(rows: list[tuple[str, Faces]]) -> None:
        rows[:] = [(name, rows[0][1]) for name, _ in rows]

    with filled(database, same) as gallery:
        assert {Kind.DUPLICATES, Kind.MERGE} <= {one.kind for one in proposals(gallery)}


def test_reject_classes_take_no_part(database: Path) -> None:
    def noise(rows: list[tuple[str, Faces]]) -> None:
        rows += [("Noise", rows[0][1]), ("Noise", rows[9][1])]

    with filled(database, noise) as gallery:
        assert proposals(gallery) == []


def test_nothing_is_ever_changed(database: Path) -> None:
    def swap(rows: list[tuple[str, Faces]]) -> None:
        rows[3], rows[20] = (rows[20][0], rows[3][1]), (rows[3][0], rows[20][1])

    with filled(database, swap) as gallery:
        before = gallery.store.change()
        page = as_html(report_of(gallery, proposals(gallery)))
        assert gallery.store.change() == before
    assert page.count("<img") == 2 * 7
    assert "gallery move 4 --to c00" in page


def test_a_page_shows_the_likeliest_and_says_that_there_are_more(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swap(rows: list[tuple[str, Faces]]) -> None:
        rows[3], rows[20] = (rows[20][0], rows[3][1]), (rows[3][0], rows[20][1])

    monkeypatch.setattr("gallery.audit.page.MOST_ROWS", 1)
    with filled(database, swap) as gallery:
        found = proposals(gallery)
        page = as_html(report_of(gallery, found))
    assert page.count("<img") == 7
    assert found[0].command in page
    assert found[1].command not in page
    assert "The likeliest 1 are shown" in page


def test_every_command_that_is_proposed_exists() -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    for name, option in (("move", "--to"), ("forget", "--sample")):
        assert option in {opt for one in known[name].params for opt in one.opts}
    assert {"merge", "split", "enroll"} <= known.keys()
    words = ["gallery", "merge", "Joan d'Arc", "ジャンヌ"]
    assert shlex.split(command("merge", "Joan d'Arc", "ジャンヌ")) == words


def test_centres_are_freed_of_chance() -> None:
    generator = np.random.default_rng(3)
    apart = [centre_distance(*generator.normal(size=(2, 5, 128)) / np.sqrt(128)) for _ in range(50)]
    # The raw distance of means of 5 is sqrt(2 / 5) = 0.63.
    assert np.mean(apart) < 0.2
    shifted = generator.normal(size=(2, 50, 128)) / np.sqrt(128)
    shifted[1, :, 0] += 1.0
    assert centre_distance(*shifted) == pytest.approx(1.0, abs=0.15)


def test_too_few_samples_are_not_cut_in_two() -> None:
    assert two_parts(drawn()[0].astype(np.float64), np.arange(5)) is None


def test_a_large_character_is_looked_at_in_part() -> None:
    rows = np.random.default_rng(0).normal(size=(2500, 128))
    rows[:1000, 0] += 40
    parts = two_parts(rows, np.arange(2500))
    assert parts is not None
    assert (parts[0] >= 1000).all()
    assert (parts[1] < 1000).all()


def test_poor_samples_are_judged_and_judge_nobody(database: Path) -> None:
    with filled(database) as gallery:
        audit_set = audit_set_of(gallery)
    poor = dataclasses.replace(audit_set.enrolled, poor=audit_set.ids == 1)
    changed = dataclasses.replace(audit_set, enrolled=poor)
    assert changed.sizes[0] == FACES - 1
    assert margins(changed).own[0] == pytest.approx(margins(audit_set).own[0])


def test_what_is_said_to_be_right_is_not_proposed_again(database: Path) -> None:
    def spoil(rows: list[tuple[str, Faces]]) -> None:
        # Two in one, a copy, and a character with too little.
        for row in range(FACES, FACES + 4):
            rows[row] = ("c00", rows[row][1])
        del rows[FACES + 4 : 2 * FACES]
        rows.append(("c03", rows[-1][1]))
        rows.append(("alone", drawn(5)[0, 0]))

    with filled(database, spoil) as gallery:
        doubted = [one for one in proposals(gallery) if one.kind is not Kind.MERGE]
        assert {Kind.SPLIT, Kind.FEW} <= {one.kind for one in doubted}
        for one in doubted:
            step = say_right(gallery, one.samples)
            assert step.action is Action.CONFIRM
        assert [one for one in proposals(gallery) if one.kind is not Kind.MERGE] == []
        # A sample that goes to somebody else is doubted once more.
        lone = gallery.samples("alone")[0].id
        gallery.move([lone], "c01", new=True)
        assert lone in {sample for one in proposals(gallery) for sample in one.samples}
        with pytest.raises(NoSuchSample):
            say_right(gallery, [1, 999])


def test_what_a_person_decided_otherwise_comes_first_and_is_not_guessed_at(database: Path) -> None:
    with filled(database) as gallery:
        one, two, three = gallery.samples("c05")[:3]

        def said(sample: Sample, change: Callable[[FaceState], FaceState]) -> None:
            meant = FaceMeant(Place(sample.digest), sample.path, sample.face.box)
            with gallery.store.writing() as writer:
                step = writer.decisions.begin(Action.CONFIRM, "")
                writer.decisions.decide(step, [meant], lambda state, _: change(state))

        said(one, lambda state: state.confirmed("c00"))
        said(two, lambda state: state.set_aside(Decided.NO_FACE))
        said(three, lambda state: state.confirmed("c05"))
        found = proposals(gallery)
        assert [one.kind for one in found[:2]] == [Kind.CONTRADICTED] * 2
        commands = {proposal.command for proposal in found[:2]}
        assert commands == {
            f"gallery move {one.id} --to c00",
            f"gallery forget --sample {two.id}",
        }
        assert len(of_kind(gallery, Kind.CONTRADICTED)) == 2
        gallery.move([one.id], "c00")
        gallery.forget_samples([two.id])
        assert of_kind(gallery, Kind.CONTRADICTED) == []
