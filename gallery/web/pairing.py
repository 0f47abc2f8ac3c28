"""Pairs: groups of unknown faces that may be one, or a character's, for a person to say."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gallery.audit.likely_pairs import LikelyPair, likely_pairs
from gallery.store.answers import StoredAnswer
from gallery.web import words
from gallery.web.desk import Desk
from gallery.web.shapes import FaceShape


class SideShape(BaseModel):
    """One of two that may be the same: a group, or a character."""

    number: int | None = Field(description="The group; None for a character.")
    name: str | None = Field(description="The character; None for a group.")
    total: int = Field(description="Faces of the group, or samples of the character.")
    faces: list[FaceShape] = Field(description="Those of a group that are to be decided of.")
    references: list[int] = Field(description="Samples that show the character best.")


class PairShape(BaseModel):
    """Two that may be the same; the first one is a group."""

    one: SideShape
    other: SideShape
    likelihood: float
    words: str


class PairsShape(BaseModel):
    """What is asked, likeliest first."""

    pairs: list[PairShape]


def routes(desk: Desk) -> APIRouter:
    """Return the route of pairs; they are answered by those of decisions and of groups."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/pairs", summary="Groups that may be one, or a character's, likeliest first")
    def pairs() -> PairsShape:
        with desk.turn:
            found = likely_pairs(desk.engine)
            sides = _sides(desk, found)
            return PairsShape(
                pairs=[
                    PairShape(
                        one=sides[one.group],
                        other=sides[one.other],
                        likelihood=one.likelihood,
                        words=words.in_words(one.likelihood),
                    )
                    for one in found
                ]
            )

    return routes


def _sides(desk: Desk, pairs: list[LikelyPair]) -> dict[int | str, SideShape]:
    found: dict[int | str, SideShape] = {}
    samples = {one.name: one.samples for one in desk.engine.characters()}
    answers = desk.engine.store.answers
    totals = answers.unknown_clusters()
    for one in {side for pair in pairs for side in (pair.group, pair.other)}:
        if isinstance(one, str):
            found[one] = SideShape(
                number=None,
                name=one,
                total=samples.get(one, 0),
                faces=[],
                references=desk.references(one, words.SIDE),
            )
        else:
            own: tuple[StoredAnswer, ...] = answers.unknown_in(
                desk.engine.encoder, one, words.SCREEN
            )
            found[one] = SideShape(
                number=one,
                name=None,
                total=totals.get(one, 0),
                faces=desk.shaped(own),
                references=[],
            )
    return found
