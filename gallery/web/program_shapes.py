"""What programs are answered, as JSON; `gallery identify --json` says the same of a picture."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from gallery.web.shapes import LONGEST_NAME, FaceShape, Given, StepShape

MOST_NAMES = 10_000

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]

DecidedState = Literal["confirmed", "ignored", "no_face"]


class QualityShape(BaseModel):
    """How well a face can be seen."""

    score: float = Field(description="All of it in one number, 0 to 1.")
    size: float = Field(description="The shorter side of the head's box, in pixels.")
    sharpness: float
    roll: float | None = Field(description="In degrees, clockwise above 0.")
    frontal: float | None
    cut: float | None = Field(description="The share of the box outside the picture.")


class MatchShape(BaseModel):
    """One of the nearest characters."""

    character: str
    distance: float = Field(description="Small is near.")


class AnsweredShape(BaseModel):
    """A face of a picture, and who it is."""

    box: tuple[int, int, int, int] = Field(description="Left, top, right, bottom, in pixels.")
    score: float = Field(description="How sure the detector is, 0 to 1.")
    quality: QualityShape | None
    verdict: Literal["sure", "unsure", "unknown"]
    character: str | None
    distance: float | None
    probability: float | None = Field(
        default=None, description="That the character is right; without a calibration none."
    )
    stranger: float | None = Field(
        default=None, description="That it is nobody's; without a calibration none."
    )
    decided: str | None = Field(default=None, description="What a person decided of the face.")
    matches: list[MatchShape]


class IdentifiedShape(BaseModel):
    """Who is in a picture."""

    width: int
    height: int
    encoder: str
    digest: str = Field(description="SHA-256 of the picture's file.")
    faces: list[AnsweredShape]
    left_out: int = Field(description="Faces that are too small or too poor.")


class ReferencesGiven(Given):
    """Whose confirmed faces are to become references."""

    names: list[Name] = Field(
        default_factory=list,
        max_length=MOST_NAMES,
        description="Without one: of all that have confirmed faces.",
    )
    take: int = Field(default=5, ge=1, le=100, description="How many at most, of each.")
    dry_run: bool = Field(default=False, description="Say which, and enroll none.")


class TaughtShape(BaseModel):
    """What of a character's confirmed faces teaches most."""

    name: str
    confirmed: int = Field(description="How many there were to choose from.")
    faces: list[FaceShape] = Field(description="The one that teaches most comes first.")


class ReferencesShape(BaseModel):
    """Confirmed faces that are samples since."""

    step: StepShape | None = Field(description="None where all that teach are samples already.")
    of: list[TaughtShape]


class DecisionsShape(BaseModel):
    """Faces of which a person decided one thing."""

    faces: list[FaceShape]
    after: str | None = Field(description="Where the next page begins; none after the last.")
