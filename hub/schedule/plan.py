"""What the planner answers: one week's plan, as a file (docs/planning.md describes the format)."""

import hashlib
from codecs import BOM_UTF8
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError

from hub.schedule.district import District, told
from hub.schedule.errors import PlanWrong
from hub.schedule.slots import Id, Part, Slot


class Held(Part):
    """A lead lesson that is held, when and where; in slots of the lead school."""

    lesson: Id
    time: Slot
    room: Id
    room_even: Id | None = Field(None, description="The room in even weeks, where it is another.")


class Served(Part):
    """A request that is served (安排), in slots of its own school."""

    request: Id
    lesson: Id | None = Field(None, description="None for an open class: it has no lead lesson.")
    time: Slot
    room: Id
    room_even: Id | None = Field(None, description="The room in even weeks, where it is another.")
    assistant: Id | None = Field(None, description="None only where the request names nobody.")


class Score(Part):
    """What a plan is worth, by goal; the sum is `total`."""

    served: int = 0
    fairness: int = Field(0, le=0)
    community: int = 0
    units: int = Field(0, le=0)
    minutes: int = Field(0, le=0)
    opened: int = Field(0, le=0)
    wishes: int = 0
    kept: int = Field(0, le=0)

    @property
    def total(self) -> int:
        """Points in all."""
        return sum(self.model_dump().values())


class Plan(Part):
    """One week's plan."""

    format: Literal["tongtang-plan/1"] = "tongtang-plan/1"
    district: str = Field("", description="SHA-256 of the district that it answers; empty where nobody said.")
    held: tuple[Held, ...] = ()
    served: tuple[Served, ...] = ()
    score: Score = Score()
    bound: float | None = Field(
        None, allow_inf_nan=False, description="No plan is worth more than this; none where nobody proved one."
    )
    proof: str = Field("", description="Where the bound comes from.")

    @property
    def gap(self) -> float | None:
        """How far the plan may be from the best, as a share of the bound; None without a bound."""
        if self.bound is None or self.bound <= 0:
            return None
        return max(0.0, 1.0 - self.score.total / self.bound)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            PlanWrong: it is not there, is no JSON, or something in it is wrong; the words say where and what.
        """
        try:
            return cls.model_validate_json(path.read_bytes().removeprefix(BOM_UTF8))
        except OSError as error:
            raise PlanWrong(f"{path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise PlanWrong(f"{path} is no plan file: {told(error)}") from error

    def save(self, path: Path) -> None:
        """Write a file, the same bytes on every machine."""
        path.write_text(self.model_dump_json(indent=1) + "\n", "utf-8", newline="\n")


def fingerprint(district: District) -> str:
    """SHA-256 of a district, as plans name it, in lower-case hexadecimal."""
    return hashlib.sha256(district.model_dump_json(exclude_defaults=True).encode()).hexdigest()
