"""What there is only so much of: people, rooms, lines, places beside a lesson."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hub.schedule.checking.alone import rooms_of
from hub.schedule.checking.known import WEEK_WORDS, Known, named, when
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.plan import Held, Served
from hub.schedule.slots import Slot, parities
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import DAYS_EN, DAYS_ZH, Words, listed

_Each = TypeVar("_Each")
_Where = tuple[str, str, Slot]
"""Kind, id, slot."""
KIND_ZH: Mapping[str, str] = {"teacher": "教师", "class": "班级", "room": "教室"}


@dataclass(slots=True)
class Uses:
    """Who uses what, slot by slot, in odd and even weeks."""

    known: Known
    _people: dict[_Where, dict[int, list[Words]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _line: dict[tuple[str, Slot], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _days: dict[tuple[str, int], dict[int, list[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _fan: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def add_lesson(self, lesson: Lesson, held: Held) -> None:
        """A lesson is held."""
        what = Words(zh=f"主讲课 {lesson.id}", en=f"lesson {lesson.id}")
        rooms = rooms_of(held, lesson.weeks)
        for parity in parities(lesson.weeks):
            self._people["teacher", lesson.teacher, held.time][parity].append(what)
            self._people["room", rooms[parity], held.time][parity].append(what)
            self._days[lesson.teacher, held.time[0]][parity].append(lesson.id)
            self._line[self.known.lead_school(lesson).id, held.time][parity] += self.known.district.rules.lead_uplink

    def add_request(self, request: Request, served: Served) -> None:
        """A request is served."""
        what = Words(zh=f"需求 {request.id}", en=f"request {request.id}")
        rooms = rooms_of(served, request.weeks)
        teachers = {*request.observers, *([served.assistant] if served.assistant else [])}
        for parity in parities(request.weeks):
            if request.school_class is not None:
                self._people["class", request.school_class, served.time][parity].append(what)
            for teacher in sorted(teachers):
                self._people["teacher", teacher, served.time][parity].append(what)
            self._people["room", rooms[parity], served.time][parity].append(what)
            if request.mode != "master":
                self._line[self.known.home(request).id, served.time][parity] += self.known.district.rules.listen_uplink
            if served.lesson is not None:
                self._fan[served.lesson][parity] += 1

    def wrong(self) -> Iterator[Words]:
        """Whatever is used more than there is."""
        yield from self._twice()
        yield from self._overloaded()
        yield from self._too_many_a_day()
        yield from self._too_many_places()

    def _twice(self) -> Iterator[Words]:
        for (kind, one, time), by_parity in self._people.items():
            for weeks, whats in _grouped(by_parity):
                if len(whats) > 1:
                    who, at, all_of_it = self._name(kind, one), when(time, weeks), listed(whats)
                    yield Words(
                        zh=f"{KIND_ZH[kind]} {who} {at.zh}排了 {len(whats)} 次：{all_of_it.zh}",
                        en=f"{kind} {who} is taken {len(whats)} times {at.en}: {all_of_it.en}",
                    )

    def _overloaded(self) -> Iterator[Words]:
        for (school_id, time), units in self._line.items():
            school = self.known.schools[school_id]
            for parity in (0, 1):
                there_are = _uplink(school, parity, time)
                if units[parity] > there_are:
                    at = when(time, [parity])
                    yield Words(
                        zh=f"{named(school)} 的线路{at.zh}可承载 {there_are} 份，已排 {units[parity]} 份",
                        en=f"the line of {named(school)} carries {there_are} units {at.en}; {units[parity]} are taken",
                    )

    def _too_many_a_day(self) -> Iterator[Words]:
        for (teacher_id, day), by_parity in self._days.items():
            teacher = self.known.teachers[teacher_id]
            for weeks, lessons in _grouped(by_parity):
                if len(lessons) > teacher.most_a_day:
                    yield Words(
                        zh=f"教师 {named(teacher)} {WEEK_WORDS[weeks].zh}{DAYS_ZH[day - 1]}主讲 {len(lessons)} 节："
                        f"{'、'.join(lessons)}；一天最多 {teacher.most_a_day} 节",
                        en=f"teacher {named(teacher)} leads {len(lessons)} lessons on {DAYS_EN[day - 1]}, "
                        f"{WEEK_WORDS[weeks].en}: {', '.join(lessons)}; {teacher.most_a_day} a day are allowed",
                    )

    def _too_many_places(self) -> Iterator[Words]:
        for lesson_id, count in self._fan.items():
            lesson = self.known.lessons[lesson_id]
            for weeks, served in _grouped({parity: [number] for parity, number in count.items()}):
                if served[0] > lesson.fan_out:
                    what, at = self.known.lesson_words(lesson), WEEK_WORDS[weeks]
                    yield Words(
                        zh=f"{what.zh} {at.zh}有 {served[0]} 项需求来听，最多 {lesson.fan_out} 项",
                        en=f"{what.en} serves {served[0]} requests in {at.en}; it can serve {lesson.fan_out}",
                    )

    def _name(self, kind: str, one: str) -> str:
        if kind == "teacher":
            part: Teacher | SchoolClass | Room | None = self.known.teachers.get(one)
        else:
            part = self.known.classes.get(one) if kind == "class" else self.known.rooms.get(one)
        return named(part) if part is not None else one


def _grouped(by_parity: Mapping[int, Sequence[_Each]]) -> Iterator[tuple[tuple[int, ...], Sequence[_Each]]]:
    """Odd and even weeks apart, or together where the same is true of both."""
    odd, even = by_parity.get(0, ()), by_parity.get(1, ())
    if odd == even:
        yield (0, 1), odd
        return
    for parity, found in ((0, odd), (1, even)):
        if found:
            yield (parity,), found


def _uplink(school: School, parity: int, time: Slot) -> int:
    """Units that a line carries in one slot: the least of all that is said about it."""
    day, period = time
    said = [
        limit.uplink
        for limit in school.uplink_limits
        if limit.day == day and limit.first <= period <= limit.last and parity in parities(limit.weeks)
    ]
    return min([school.uplink, *said])
