"""What goes over HTTP, as JSON: the nouns of the routes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_FACES = 10_000
"""Faces of one decision."""

LONGEST_NAME = 300


class Given(BaseModel):
    """What a client sends; what it has too much is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FaceShape(BaseModel):
    """A seen face, and what is said of it."""

    id: int
    version: int = Field(description="Another one says that somebody decided of it meanwhile.")
    decided: str = Field(description="undecided, confirmed, not_this, ignored or no_face.")
    verdict: str
    character: str | None
    not_these: list[str]
    likelihood: float | None
    words: str = Field(description="The likelihood in words.")
    odd: bool = Field(description="Of a sure name one of its least likely faces.")
    alternatives: list[str]
    picture: str = Field(description="The name of its file, with the time in a video.")
    box: tuple[float, float, float, float]


class NameShape(BaseModel):
    """A name and its faces."""

    name: str
    faces: int


class WorkShape(BaseModel):
    """What is left of one kind."""

    faces: int
    groups: int = Field(description="Names, or clusters.")
    minutes: int


class TodayShape(BaseModel):
    """What is left to decide."""

    seen: int
    stale: int = Field(description="Faces of which the gallery may say something else by now.")
    decided: int
    confirmed: int = Field(description="Those of them that have a name.")
    characters: int
    sure: WorkShape
    doubtful: WorkShape
    unknown: WorkShape
    alone: int = Field(description="Unknown faces that are in no cluster.")


class NewsShape(BaseModel):
    """Whether the gallery says something else than before."""

    revision: int = Field(description="Another one after every answer that is stored.")
    decision: int = Field(description="Another one after every decision.")
    stale: int = Field(description="Faces whose answers are still to be renewed.")
    more: int = Field(description="Sure faces of the name that were not so at the revision.")


class FacesShape(BaseModel):
    """A screen of faces."""

    name: str
    revision: int = Field(description="Of the answers; `news` says what came since.")
    total: int
    faces: list[FaceShape]
    after: str | None = Field(description="Where the next screen begins; None after the last.")
    references: list[int] = Field(description="Samples that show the character best.")


class RowShape(BaseModel):
    """Faces that may be one character, beside those that surely are."""

    name: str
    total: int
    references: list[int]
    alternatives: list[str]
    faces: list[FaceShape]


class RowsShape(BaseModel):
    """A screen of rows."""

    total: int
    start: int
    rows: list[RowShape]


class NearShape(BaseModel):
    """A screen of unknown faces, in rows by the character that is nearest."""

    rows: list[RowShape]
    after: str | None = Field(description="Where the next screen begins; None after the last.")


class ClusterShape(BaseModel):
    """Unknown faces that are likely of one character."""

    number: int | None = Field(description="None for faces that are like no other.")
    alternatives: list[str] = Field(description="The characters that are nearest.")
    total: int
    faces: list[FaceShape]


class ClustersShape(BaseModel):
    """A screen of clusters."""

    total: int
    start: int
    clusters: list[ClusterShape]


class PictureShape(BaseModel):
    """A picture, or a moment of a video, with all faces that were seen in it."""

    face: int
    name: str
    width: int | None
    height: int | None
    has_image: bool = Field(description="Whether its file is there and can be shown.")
    faces: list[FaceShape]


class StepShape(BaseModel):
    """What a person did at once."""

    id: int
    title: str
    made_at: str | None
    who: str
    action: str
    undoes: int | None
    faces: int


class HistoryShape(BaseModel):
    """Steps, newest first."""

    steps: list[StepShape]


class CharacterShape(BaseModel):
    """A character for the name box."""

    name: str
    samples: int
    reference: int | None = Field(description="The sample that shows it best.")
    former: list[str]


class CharactersShape(BaseModel):
    """All characters by name."""

    characters: list[CharacterShape]


class FaceGiven(Given):
    """A face as the client saw it."""

    id: int = Field(ge=1)
    version: int = Field(ge=0)


class DecisionGiven(Given):
    """A decision of some faces."""

    action: Literal["confirm", "reject", "ignore", "no_face", "clear"]
    faces: list[FaceGiven] = Field(min_length=1, max_length=MOST_FACES)
    name: str | None = Field(default=None, min_length=1, max_length=LONGEST_NAME)
    new: bool = Field(default=False, description="Nobody in the gallery has the name yet.")


class UndoGiven(Given):
    """Which step to undo; without one the newest that is not undone."""

    step: int | None = Field(default=None, ge=1)
    faces: list[int] = Field(
        default_factory=list, max_length=MOST_FACES, description="Which faces to tell of."
    )


class DoneShape(BaseModel):
    """What came of a decision or an undo."""

    step: StepShape | None = Field(description="None where nothing was left to decide.")
    faces: list[FaceShape] = Field(description="The faces as they are now.")
    stale: list[FaceShape] = Field(description="Those that somebody decided of meanwhile.")
    left: int = Field(description="Faces of an undone step that a newer decision owns.")


class ComplaintShape(BaseModel):
    """Why it was not done, as a sentence."""

    detail: str
