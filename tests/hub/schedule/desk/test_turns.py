"""No room is in two sessions at a time, whatever the bells of the lead schools."""

from itertools import pairwise

import pytest

from hub.schedule.calendars.occurrences import Occurrence, expand
from hub.schedule.desk.turns import LEAST_S, spans
from hub.schedule.generate import planted
from tests.hub.schedule.desk.conftest import SHANGHAI, TERM

LEAD = {"school": "lead", "period": 1, "teacher": {"id": "t"}}


def lesson(name: str, lead: tuple[int, int], follow: tuple[int, int], room: str = "far") -> Occurrence:
    """A lesson from and to minutes of a day: by the lead school's bells, and by those of the room that follows."""
    begins, ends = (60.0 * minutes for minutes in lead)
    comes, goes = (60.0 * minutes for minutes in follow)
    part = {"room": room, "school": "far", "period": 1, "epoch": comes, "ends": goes, "request": f"q-{name}"}
    common = {"common_epoch": max(begins, comes), "common_ends": min(ends, goes)}
    return Occurrence(
        id=name,
        term="x",
        week=1,
        day=1,
        date="2026-08-31",
        lesson=name,
        mode="delivery",
        subject="英语",
        grade=3,
        epoch=begins,
        ends=ends,
        lead={**LEAD, "room": f"lead-{name}", "epoch": begins, "ends": ends},
        receiving=({**part, **common},),
    )


def minutes(*lessons: Occurrence) -> dict[str, tuple[float, float]]:
    return {name: (begins / 60, ends / 60) for name, (begins, ends) in spans(lessons).items()}


def test_lessons_that_do_not_meet_run_for_their_whole_period():
    assert minutes(lesson("a", (0, 40), (0, 40)), lesson("b", (50, 90), (50, 90))) == {"a": (0, 40), "b": (50, 90)}


def test_the_earlier_ends_when_the_later_begins_where_its_class_has_gone():
    assert minutes(lesson("a", (5, 45), (0, 40)), lesson("b", (42, 82), (50, 90))) == {"a": (5, 42), "b": (42, 82)}


def test_the_later_begins_when_the_class_before_has_gone():
    assert minutes(lesson("a", (5, 45), (0, 40)), lesson("b", (37, 77), (42, 82))) == {"a": (5, 40), "b": (40, 77)}


def test_other_rooms_are_not_looked_at():
    apart = minutes(lesson("a", (5, 45), (0, 40)), lesson("b", (37, 77), (42, 82), room="other"))
    assert apart == {"a": (5, 45), "b": (37, 77)}


def test_two_that_lie_on_each_other_are_left_to_be_told():
    assert minutes(lesson("a", (0, 40), (0, 40)), lesson("b", (0, 40), (0, 40))) == {"a": (0, 40), "b": (0, 40)}


@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_whole_district_no_room_is_in_two_sessions_and_no_lesson_is_cut_by_much(seed: int):
    district, plan = planted(12, 60, 200, seed)
    lessons = [one for one in expand(TERM, district, plan, (1, 2), SHANGHAI) if one.lead is not None]
    found = spans(lessons)
    by_room: dict[str, list[tuple[float, float]]] = {}
    for one in lessons:
        for part in one.rooms:
            by_room.setdefault(part.room, []).append(found[one.id])
    overlaps = [
        (room, one, other)
        for room, turns in by_room.items()
        for one, other in pairwise(sorted(turns))
        if other[0] < one[1]
    ]
    assert overlaps == []
    assert all(ends - begins >= LEAST_S for begins, ends in found.values())
