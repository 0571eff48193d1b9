"""Which edition and unit is taught in a week, where a lesson or a request leaves it open."""

from typing import NamedTuple

from hub.schedule.register.kinds import ProgressFact
from hub.schedule.register.register import Register

UNKNOWN_UNIT = 1
"""The unit where nobody said: what `Topic` has by default."""


class Taught(NamedTuple):
    """What is taught."""

    edition: str
    unit: int


class Progress:
    """What is taught in one week, by class, by lesson, or by grade of a school.

    The newest line at or before the week counts, edition and unit each for itself; a class's own lines go before those
    of its grade.
    """

    def __init__(self, register: Register, week: int) -> None:
        self._edition: dict[tuple[str | int | None, ...], str] = {}
        self._unit: dict[tuple[str | int | None, ...], int] = {}
        lines = sorted(register.all(ProgressFact).values(), key=lambda one: (one.week, one.id))
        for one in lines:
            if one.week > week:
                break
            key = _key(one)
            if one.edition is not None:
                self._edition[key] = one.edition
            if one.unit is not None:
                self._unit[key] = one.unit

    def of_lesson(self, lesson: str) -> Taught:
        """What a lesson teaches."""
        key = ("lesson", lesson)
        return Taught(self._edition.get(key, ""), self._unit.get(key, UNKNOWN_UNIT))

    def of_class(self, school_class: str, school: str, grade: int, subject: str) -> Taught:
        """What a class has; empty and the first unit where nobody said."""
        return self._first(("class", school_class, subject), ("grade", school, grade, subject))

    def of_grade(self, school: str, grade: int, subject: str) -> Taught:
        """What a grade of a school has."""
        return self._first(("grade", school, grade, subject))

    def _first(self, *keys: tuple[str | int | None, ...]) -> Taught:
        edition = next((self._edition[key] for key in keys if key in self._edition), "")
        unit = next((self._unit[key] for key in keys if key in self._unit), UNKNOWN_UNIT)
        return Taught(edition, unit)


def _key(one: ProgressFact) -> tuple[str | int | None, ...]:
    if one.lesson is not None:
        return "lesson", one.lesson
    if one.school_class is not None:
        return "class", one.school_class, one.subject
    return "grade", one.school, one.grade, one.subject
