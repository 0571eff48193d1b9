"""What the desk and its solving process say to each other, a line of JSON each."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hub.schedule.district import District
from hub.schedule.plan import Plan
from hub.schedule.slots import Part


class Job(Part):
    """What is to be solved; the first line on the process's standard input. `stop` may follow as a line of its own."""

    district: District
    start: Plan | None = Field(None, description="The plan to go on from.")
    before: Plan | None = Field(None, description="The plan that counts so far; keeping to it is worth points.")
    seed: int = 1
    seconds: float | None = Field(None, gt=0, description="How long it may search.")
    work: int | None = Field(None, ge=1, description="How many moves it may try: the same plan on every machine.")


class Told(Part):
    """How far it has come."""

    tell: Literal["progress"] = "progress"
    elapsed_s: float
    points: int | None = Field(None, description="What the best plan so far is worth.")
    served: int | None = Field(None, description="Requests that it serves.")
    bound: float | None = Field(None, description="No plan is worth more.")
    stage: str = Field("", description="What it does now.")


class Solved(Part):
    """The plan; the last line."""

    tell: Literal["solved"] = "solved"
    plan: Plan


class Refused(Part):
    """Why there is none; the last line."""

    tell: Literal["refused"] = "refused"
    words: str


Line = Annotated[Told | Solved | Refused, Field(discriminator="tell")]
LINE: TypeAdapter[Line] = TypeAdapter(Line)
