"""What a search answers, heads that are drawn and pictures that are enrolled, as JSON."""

from __future__ import annotations

from pydantic import BaseModel, Field

from gallery.web.shapes import FaceShape, Given


class NearFaceShape(FaceShape):
    """A seen face that may show the same character as another one."""

    distance: float = Field(description="Between the two descriptors; small is near.")
    near: str = Field(description="The distance in words.")


class NearestShape(BaseModel):
    """One of the characters that are nearest to a face."""

    name: str
    distance: float
    words: str = Field(description="How likely it is in words; without a calibration how near.")
    references: list[int] = Field(description="Samples that show the character best.")


class HeadShape(BaseModel):
    """A head in a picture that was brought, and what is said of it."""

    box: tuple[float, float, float, float]
    verdict: str
    character: str | None
    decided: str | None = Field(
        description="What a person decided of it, where its picture was seen before."
    )
    likelihood: float | None
    words: str = Field(description="The likelihood in words.")
    nearest: list[NearestShape]
    faces: list[NearFaceShape] = Field(description="Seen faces like it, nearest first.")


class FoundShape(BaseModel):
    """What a picture that was brought shows."""

    width: int
    height: int
    heads: list[HeadShape] = Field(description="From left to right.")
    left_out: int = Field(description="How many heads more there are.")


class LikeShape(BaseModel):
    """Seen faces like a seen face."""

    face: FaceShape
    references: list[int] = Field(description="Samples that show its character best.")
    faces: list[NearFaceShape] = Field(description="Nearest first, without the face itself.")
    has_more: bool


class HeadGiven(Given):
    """A head that a person draws."""

    face: int = Field(ge=1, description="A seen face of the same picture.")
    box: tuple[float, float, float, float] = Field(
        description="Left, top, right, bottom, in pixels of the picture."
    )


class ErasedShape(BaseModel):
    """A drawn head that was taken back."""

    face: int


class AddedShape(BaseModel):
    """What a picture became that was enrolled."""

    sample: int
    name: str
    is_new: bool = Field(description="False for a face that was there already.")
    is_poor: bool = Field(description="It can hardly be seen, and counts where there is no other.")
