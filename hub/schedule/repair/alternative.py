"""A way out of a disruption: the plan, and what it changes for whom."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from hub.schedule.plan import Plan, Score
from hub.schedule.repair.disruption import AnyDisruption, WeekKind
from hub.schedule.slots import Id, Part
from hub.schedule.words import Words

AlternativeKind = Literal["keep", "substitute", "nobody-moves", "some-move", "postpone", "cancel"]
ChangeKind = Literal[
    "lost", "placed", "moved", "room", "assistant", "lesson-moved", "lesson-off", "lesson-on", "substitute", "unpinned"
]
Whom = tuple[Literal["school", "teacher", "class", "room"], Id]


class Change(Part):
    """One thing that is otherwise than in the plan before."""

    kind: ChangeKind = Field(
        description="lost: not served any more. placed: hit, served otherwise. moved: not hit, yet served otherwise. "
        "room, assistant: another one, at the same time. lesson-moved, lesson-off, lesson-on: a lead lesson is held at "
        "another time, not held, or held though it was not. substitute: another teacher. unpinned: its pin is given up."
    )
    request: Id | None = None
    lesson: Id | None = None
    schools: tuple[Id, ...] = ()
    teachers: tuple[Id, ...] = ()
    classes: tuple[Id, ...] = ()
    rooms: tuple[Id, ...] = ()
    words: Words

    @property
    def whom(self) -> tuple[Whom, ...]:
        """Everybody who has to know."""
        return (
            *(("school", one) for one in self.schools),
            *(("teacher", one) for one in self.teachers),
            *(("class", one) for one in self.classes),
            *(("room", one) for one in self.rooms),
        )


class Alternative(Part):
    """One way out. `plan` answers `hub.schedule.repair.replan.facts_of(district, plan, alternative)`."""

    kind: AlternativeKind
    words: Words = Field(description="What it comes to, in a sentence.")
    week: WeekKind | None = Field(
        None, description="The plan is for one week of that kind alone; none: for every week."
    )
    facts: tuple[AnyDisruption, ...] = Field(description="What the district's facts have become, in order.")
    unpinned: tuple[Id, ...] = Field((), description="Requests whose pins are given up: what happened broke them.")
    plan: Plan
    score: Score
    hit: tuple[Id, ...] = Field((), description="Requests that could not stay as they were.")
    placed: tuple[Id, ...] = Field((), description="Those of them that are served otherwise.")
    lost: tuple[Id, ...] = Field((), description="Those of them that are not served any more.")
    moved: tuple[Id, ...] = Field(
        (),
        description="Requests that were not hit, yet have another lesson, time or assistant.",
    )
    sessions_moved: int = Field(
        0, description="Sessions that these are: a lesson at another time is one, with all who follow it there."
    )
    changes: tuple[Change, ...] = ()

    def for_whom(self) -> Mapping[Whom, tuple[Change, ...]]:
        """The changes that each school, teacher, class and room has to know of."""
        found: dict[Whom, list[Change]] = defaultdict(list)
        for change in self.changes:
            for one in change.whom:
                found[one].append(change)
        return {one: tuple(changes) for one, changes in sorted(found.items())}
