"""What operators are told of lessons that cannot be made, or lack rooms; pure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from hub.schedule.calendars.occurrences import Occurrence

WITHOUT_DEVICE = "rooms-without-device"
NOT_MADE = "lessons-not-made"
NAMED_MOST = 5
"""Rooms that one alert names."""
LONGEST_NAME = 64
GRADES = "一二三四五六七八九"

Key = tuple[str, str]
"""School, or nothing for the hub, and kind of an alert."""


def shortfalls(
    lessons: Sequence[Occurrence], without: Mapping[str, tuple[str, ...]], why: Mapping[str, str], timezone: ZoneInfo
) -> dict[Key, str]:
    """The alerts that should be open: one a school whose rooms lack devices, one for all else.

    Args:
        lessons: in order of time.
        without: by lesson: rooms of it in which no device stands.
        why: by lesson: why it is no session, or lacks rooms.
        timezone: in which times are told.
    """
    by_school: dict[str, dict[str, Occurrence]] = defaultdict(dict)
    for lesson in lessons:
        for part in lesson.rooms:
            if part.room in without.get(lesson.id, ()):
                by_school[part.school_name or part.school].setdefault(part.room_name or part.room, lesson)
    wanted = {
        (school[:LONGEST_NAME], WITHOUT_DEVICE): _without_words(rooms, timezone) for school, rooms in by_school.items()
    }
    not_made = [lesson for lesson in lessons if lesson.id in why and lesson.id not in without]
    if not_made:
        first = not_made[0]
        wanted["", NOT_MADE] = (
            f"{len(not_made)} lessons of the plan cannot be made, the first on {_when(first, timezone)} "
            f"({title_of(first)}): {why[first.id]}"
        )
    return wanted


def title_of(lesson: Occurrence) -> str:
    """What people call a lesson that has no title: grade and subject."""
    if lesson.title:
        return lesson.title
    grade = GRADES[lesson.grade - 1] if lesson.grade <= len(GRADES) else f"高{'一二三'[lesson.grade - 10]}"
    return f"{grade}年级{lesson.subject}" if lesson.grade <= len(GRADES) else f"{grade}{lesson.subject}"


def _without_words(rooms: Mapping[str, Occurrence], timezone: ZoneInfo) -> str:
    named = ", ".join(list(rooms)[:NAMED_MOST])
    return (
        f"{len(rooms)} rooms have lessons in the plan and no device ({named}), the first on "
        f"{_when(_first(rooms.values()), timezone)}; enrol their devices, or plan without them"
    )


def _first(lessons: Iterable[Occurrence]) -> Occurrence:
    return min(lessons, key=lambda one: one.epoch)


def _when(lesson: Occurrence, timezone: ZoneInfo) -> str:
    return dt.datetime.fromtimestamp(lesson.epoch, timezone).strftime("%Y-%m-%d %H:%M")
