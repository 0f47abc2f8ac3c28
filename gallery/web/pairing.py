"""Pairs: groups of unknown faces that may be one, or a character's, for a person to say."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gallery.audit.likely_pairs import LikelyPair
from gallery.web import words
from gallery.web.desk import Desk
from gallery.web.shapes import FaceShape


class VersionShape(BaseModel):
    """A face that is decided of unseen."""

    id: int
    version: int


class SideShape(BaseModel):
    """One of two that may be the same: a group, or a character."""

    number: int | None = Field(description="The group; None for a character.")
    name: str | None = Field(description="The character; None for a group.")
    total: int = Field(description="Faces of the group, or samples of the character.")
    faces: list[FaceShape] = Field(description="Some of a group that are to be decided of.")
    others: list[VersionShape] = Field(description="The rest of them.")
    references: list[int] = Field(description="Samples that show the character best.")


class PairShape(BaseModel):
    """Two that may be the same; the first one is a group."""

    one: SideShape
    other: SideShape
    likelihood: float
    words: str
    is_likely: bool = Field(description="Rather the same than not.")


class PairsShape(BaseModel):
    """What is asked, likeliest first."""

    pairs: list[PairShape]


def routes(desk: Desk) -> APIRouter:
    """Return the route of pairs; they are answered by those of decisions and of groups."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/pairs", summary="Groups that may be one, or a character's, likeliest first")
    def pairs() -> PairsShape:
        with desk.turn:
            found, members = desk.pairs.open(desk.engine)
            sides = _sides(desk, found, members)
            return PairsShape(
                pairs=[
                    PairShape(
                        one=sides[one.group],
                        other=sides[one.other],
                        likelihood=one.likelihood,
                        words=words.in_words(one.likelihood),
                        is_likely=words.is_likely(one.likelihood),
                    )
                    for one in found
                ]
            )

    return routes


def _sides(
    desk: Desk, pairs: list[LikelyPair], members: Mapping[int, Mapping[int, int]]
) -> dict[int | str, SideShape]:
    wanted = {side for pair in pairs for side in (pair.group, pair.other)}
    seen = {one: [*members[one]][: words.SIDE] for one in wanted if isinstance(one, int)}
    answers = desk.engine.store.answers.of_faces(
        desk.engine.encoder, [face for own in seen.values() for face in own]
    )
    shaped = {one.id: one for one in desk.shaped(answers.values())}
    samples = {one.name: one.samples for one in desk.engine.characters()}
    best = desk.references_of([one for one in wanted if isinstance(one, str)], words.SIDE)
    found: dict[int | str, SideShape] = {}
    for one in wanted:
        if isinstance(one, str):
            found[one] = SideShape(
                number=None, name=one, total=samples[one], faces=[], others=[], references=best[one]
            )
            continue
        own = members[one]
        found[one] = SideShape(
            number=one,
            name=None,
            total=len(own),
            faces=[shaped[face] for face in seen[one] if face in shaped],
            others=[
                VersionShape(id=face, version=version)
                for face, version in own.items()
                if face not in shaped
            ],
            references=[],
        )
    return found
