"""Whatever is done to a database, in whatever order: no sample is lost, ideal and best are true."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from fakes import memory, new_sample, vector
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from postgres import Server

from gallery.errors import InputError
from gallery.store.reader import Store
from gallery.types import Descriptor, Quality

NAMES = st.sampled_from(["Rei", "Asuka", "Misato", "Noise 1", "綾波"])
ENCODERS = ("fake", "second")
PICKS = st.lists(st.integers(0, 50), max_size=4)


@dataclass
class Held:
    """What the model knows of one sample."""

    owner: int
    digest: str
    vectors: dict[str, Descriptor]
    is_poor: bool


@dataclass
class Model:
    """The database in plain Python; characters are known by numbers of the model's own."""

    names: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    samples: dict[int, Held] = field(default_factory=dict)
    characters_made: int = 0

    def find(self, name: str) -> int | None:
        return self.names.get(name, self.aliases.get(name))

    def find_or_make(self, name: str) -> int:
        found = self.find(name)
        if found is None:
            self.characters_made += 1
            found = self.names[name] = self.characters_made
        return found

    def name_of(self, character: int) -> str:
        (name,) = [name for name, number in self.names.items() if number == character]
        return name

    def remove(self, character: int) -> None:
        del self.names[self.name_of(character)]
        self.aliases = {name: who for name, who in self.aliases.items() if who != character}


class StoreMachine(RuleBasedStateMachine):
    """Does the same to a database and to the model, and compares them after every step."""

    server: Server | None = None
    """Has the databases, where they are to be in no file."""

    @initialize()
    def make(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=memory())
        in_file = str(Path(self.folder.name) / "gallery.db")
        self.where = in_file if self.server is None else self.server.gallery()
        self.store = Store(self.where, create=True)
        self.model = Model()
        self.pictures = 0
        self.sample_ids_seen: set[int] = set()
        self.character_ids_seen: dict[int, int] = {}
        self.tokens = {self.store.change()}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.store.check() == []
            self.store.close()
            self.folder.cleanup()

    def expect_new_token(self) -> None:
        token = self.store.change()
        assert token not in self.tokens
        self.tokens.add(token)

    def pick(self, picks: list[int]) -> list[int]:
        ids = sorted(self.model.samples)
        return sorted({ids[pick % len(ids)] for pick in picks}) if ids else []

    @rule(name=NAMES, both=st.booleans(), is_poor=st.booleans())
    def add(self, name: str, both: bool, is_poor: bool) -> None:
        self.pictures += 1
        vectors = {"fake": vector(self.pictures)}
        if both:
            vectors["second"] = vector(-self.pictures % 1000 + 1000)
        sample = replace(new_sample(name, self.pictures, vectors), is_poor=is_poor)
        with self.store.writing() as writer:
            sample_id = writer.add(sample)
        assert sample_id is not None
        assert sample_id > max(self.sample_ids_seen, default=0)
        self.sample_ids_seen.add(sample_id)
        owner = self.model.find_or_make(name)
        self.model.samples[sample_id] = Held(owner, sample.digest, vectors, is_poor)
        self.expect_new_token()

    @rule(name=NAMES, picks=PICKS)
    def add_again(self, name: str, picks: list[int]) -> None:
        token = self.store.change()
        for sample_id in self.pick(picks):
            sample = replace(new_sample(name, 0), digest=self.model.samples[sample_id].digest)
            with self.store.writing() as writer:
                assert writer.add(sample) is None
        assert self.store.change() == token

    @rule(picks=PICKS, name=NAMES)
    def move(self, picks: list[int], name: str) -> None:
        some = self.pick(picks)
        with self.store.writing() as writer:
            writer.move(some, name)
        owner = self.model.find_or_make(name)
        for sample_id in some:
            self.model.samples[sample_id].owner = owner
        self.expect_new_token()

    @rule(picks=PICKS)
    def keep(self, picks: list[int]) -> None:
        some = self.pick(picks)
        with self.store.writing() as writer:
            writer.keep(some)
        for sample_id in some:
            self.model.samples[sample_id].is_poor = False
        if some:
            self.expect_new_token()

    @rule(picks=PICKS)
    def measure(self, picks: list[int]) -> None:
        token = self.store.change()
        with self.store.writing() as writer:
            for sample_id in self.pick(picks):
                writer.measure(sample_id, Quality(9.0, 0.01, None, None, None))
        assert self.store.change() == token

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        character, holder = self.model.find(old), self.model.names.get(new)
        if character is None or holder not in (None, character):
            with pytest.raises(InputError), self.store.writing() as writer:
                writer.rename(old, new)
            return
        with self.store.writing() as writer:
            writer.rename(old, new)
        former = self.model.name_of(character)
        del self.model.names[former]
        self.model.names[new] = character
        self.model.aliases.pop(new, None)
        if former != new:
            self.model.aliases[former] = character

    @rule(gone=NAMES, into=NAMES)
    def merge(self, gone: str, into: str) -> None:
        source_id, target_id = self.model.find(gone), self.model.find(into)
        if source_id is None or target_id is None or source_id == target_id:
            with pytest.raises(InputError), self.store.writing() as writer:
                writer.merge(gone, into)
            return
        moved = [held for held in self.model.samples.values() if held.owner == source_id]
        with self.store.writing() as writer:
            assert writer.merge(gone, into).samples == len(moved)
        former = self.model.name_of(source_id)
        self.model.aliases = {
            name: target_id if who == source_id else who for name, who in self.model.aliases.items()
        }
        for held in moved:
            held.owner = target_id
        self.model.remove(source_id)
        self.model.aliases[former] = target_id
        self.expect_new_token()

    @rule(name=NAMES)
    def forget(self, name: str) -> None:
        character = self.model.find(name)
        if character is None:
            with pytest.raises(InputError), self.store.writing() as writer:
                writer.forget(name)
            return
        kept = {row: held for row, held in self.model.samples.items() if held.owner != character}
        with self.store.writing() as writer:
            assert writer.forget(name) == len(self.model.samples) - len(kept)
        self.model.samples = kept
        self.model.remove(character)
        self.expect_new_token()

    @rule(picks=PICKS)
    def forget_samples(self, picks: list[int]) -> None:
        some = self.pick(picks)
        with self.store.writing() as writer:
            writer.forget_samples(some)
        for sample_id in some:
            del self.model.samples[sample_id]
        if some:
            self.expect_new_token()

    @rule(picks=PICKS, encoder=st.sampled_from(ENCODERS), seed=st.integers(2000, 2100))
    def describe(self, picks: list[int], encoder: str, seed: int) -> None:
        some = self.pick(picks)
        with self.store.writing() as writer:
            for sample_id in some:
                writer.describe(sample_id, encoder, vector(seed + sample_id))
        for sample_id in some:
            self.model.samples[sample_id].vectors[encoder] = vector(seed + sample_id)
        if some:
            self.expect_new_token()

    @rule(name=NAMES, other=NAMES, picks=PICKS)
    def fail(self, name: str, other: str, picks: list[int]) -> None:
        some = self.pick(picks)
        token = self.store.change()
        with pytest.raises(KeyboardInterrupt), self.store.writing() as writer:  # noqa: PT012
            writer.add(new_sample(name, 100_000))
            writer.move(some, other)
            writer.forget_samples(some)
            writer.forget(name)
            raise KeyboardInterrupt
        assert self.store.change() == token

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.where)

    @invariant()
    def the_same_samples_are_there(self) -> None:
        found = {
            sample.id: (sample.character, sample.digest, sample.is_poor)
            for sample in self.store.samples("fake")
        }
        assert found == {
            row: (self.model.name_of(held.owner), held.digest, held.is_poor)
            for row, held in self.model.samples.items()
        }
        assert self.store.crops(list(found)).keys() == found.keys()

    @invariant()
    def the_same_characters_are_there(self) -> None:
        characters = self.store.characters()
        counts = {name: [0, 0] for name in self.model.names}
        for held in self.model.samples.values():
            counts[self.model.name_of(held.owner)][0] += 1
            counts[self.model.name_of(held.owner)][1] += held.is_poor
        assert {one.name: [one.samples, one.poor] for one in characters} == counts
        assert all(one.is_reject == one.name.startswith("Noise") for one in characters)
        # One of the database's ids is one of the model's characters for good.
        for one in characters:
            character = self.model.names[one.name]
            assert self.character_ids_seen.setdefault(one.id, character) == character

    @invariant()
    def every_name_means_what_it_meant(self) -> None:
        for name, character in (self.model.aliases | self.model.names).items():
            assert self.store.character(name).name == self.model.name_of(character)

    @invariant()
    def ideal_and_best_are_what_recomputing_gives(self) -> None:
        ids = {one.id: self.model.names[one.name] for one in self.store.characters()}
        for encoder in ENCODERS:
            described = {
                row: held for row, held in self.model.samples.items() if encoder in held.vectors
            }
            vectors = self.store.vectors(encoder)
            assert vectors.change == self.store.change()
            assert vectors.sample_ids.tolist() == sorted(described)
            for row, kept in zip(vectors.sample_ids.tolist(), vectors.samples, strict=True):
                assert np.array_equal(kept, described[row].vectors[encoder])
            owners = {held.owner for held in described.values()}
            assert {ids[row] for row in vectors.character_ids.tolist()} == owners
            marked = {one.id for one in self.store.samples(encoder) if one.is_best}
            for row, ideal, best in zip(
                vectors.character_ids.tolist(), vectors.ideals, vectors.bests, strict=True
            ):
                theirs = {
                    sample_id: held
                    for sample_id, held in described.items()
                    if held.owner == ids[row]
                }
                good = {row for row, held in theirs.items() if not held.is_poor}
                own = {
                    sample_id: held.vectors[encoder].astype(np.float64)
                    for sample_id, held in theirs.items()
                    if sample_id in good or not good
                }
                mean = sum(own.values(), np.zeros(128)) / len(own)
                assert np.allclose(ideal, mean, atol=1e-6)
                distances = {
                    sample_id: float(np.linalg.norm(one - mean)) for sample_id, one in own.items()
                }
                (chosen,) = marked & own.keys()
                assert distances[chosen] <= min(distances.values()) + 1e-6
                assert np.array_equal(best, described[chosen].vectors[encoder])


StoreMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=25)
test_no_order_of_changes_loses_a_sample_or_leaves_a_profile_false = StoreMachine.TestCase


def test_none_does_so_on_a_server(server: Server) -> None:
    class ServerMachine(StoreMachine):
        """Does so in databases on a server."""

    ServerMachine.server = server
    run_state_machine_as_test(
        ServerMachine, settings=settings(max_examples=5, stateful_step_count=20)
    )
