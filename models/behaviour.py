"""What a behaviour must be measured to before anybody is told of it, and what it was measured to."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Bar(BaseModel):
    """The least that a figure must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    average_precision: Share = 0.8
    people: int = Field(500, ge=1, description="Labelled people behind the figure.")
    positives: int = Field(50, ge=1, description="Of these, those who really did it.")
    rooms: int = Field(3, ge=1, description="Rooms that nobody tuned on.")
    above_majority: Share = Field(
        0.05, description="By how much the accuracy at the threshold must exceed that of always saying the commoner."
    )


class Measured(BaseModel):
    """A figure, and what it was measured on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    average_precision: Share
    people: int = Field(ge=0)
    positives: int | None = Field(None, ge=0, description="None: not told by whoever measured.")
    rooms: int = Field(ge=0)
    unseen: bool = Field(description="Whether rule and threshold were chosen without these rooms.")
    accuracy: Share | None = Field(None, description="At the behaviour's threshold; None: none was chosen.")
    majority: Share | None = Field(None, description="Accuracy of always saying the commoner.")
    data: str = Field(description="What it was measured on, in words.")


class Behaviour(BaseModel):
    """Something that people do and a rule may see."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    model: str = Field(description="The model whose keypoints the rule reads.")
    rule: str = Field(description="The rule, in words.")
    threshold: float | None = Field(None, description="Least score; None: none was chosen, and nothing can be told.")
    bar: Bar = Bar()
    measured: Measured | None = Field(None, description="None: nobody has measured this rule.")
