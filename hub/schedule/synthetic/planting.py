"""Lays a plan, and writes down what everybody in it could have done instead."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hub.schedule.district import Rules
from hub.schedule.facts import LEAD, Room, SchoolClass, Teacher
from hub.schedule.plan import Held, Served
from hub.schedule.slots import Slot, Tags, Weeks, meeting_periods
from hub.schedule.synthetic.diary import Diary, Taken
from hub.schedule.synthetic.draws import Draws
from hub.schedule.synthetic.extras import Extras
from hub.schedule.synthetic.homes import SPECIAL, SUBJECTS, Home, assistant, new_teacher
from hub.schedule.wants import Lesson, Request

WEEKS: tuple[Weeks, ...] = ("AB", "AB", "AB", "A", "B")
OBSERVERS = 2
"""Teachers who watch a master class together."""


class Group(NamedTuple):
    """Whoever can listen: a class, or teachers who stand beside it otherwise."""

    home: Home
    grade: int
    number: int
    """Of the class in its grade, from 0."""

    @property
    def school_class(self) -> SchoolClass:
        """The class."""
        return self.home.classes[self.grade][self.number]


class Seated(NamedTuple):
    """A group with its place beside a lesson."""

    group: Group
    time: Slot
    room: Room
    people: tuple[Teacher, ...]
    """The assistant; for a master class, whoever watches."""


class Planter:
    """Lays a plan teacher by teacher.

    Args:
        draws: where chance comes from.
        extras: what else is switched on.
        homes: the schools; teachers are added to them.
        planned: requests that the plan is to serve.
    """

    def __init__(self, draws: Draws, extras: Extras, homes: Sequence[Home], planned: int) -> None:
        self._draws = draws
        self._extras = extras
        self.homes = homes
        self._planned = planned
        self._diary = Diary()
        self._open = 0
        self._meeting: dict[tuple[str, str], dict[int, list[tuple[int, int]]]] = {}
        self._groups: dict[int, list[Group]] = {}
        for home in homes:
            for grade, classes in home.classes.items():
                self._groups.setdefault(grade, []).extend(Group(home, grade, one) for one in range(len(classes)))
        self.lessons: list[Lesson] = []
        self.requests: list[Request] = []
        self.held: list[Held] = []
        self.served: list[Served] = []

    def lay(self) -> bool:
        """Lay the plan; False where the district is too small for it."""
        strong = [home for home in self.homes if home.strong] or self.homes
        for _ in range(20 * self._planned + 1000):
            if len(self.served) >= self._planned:
                return True
            most_open = self._extras.open_class * (len(self.served) + 1)
            if self._open < most_open and self._draws.chance(self._extras.open_class):
                self._plant_open()
            else:
                self._plant_teacher(self._draws.one(strong if self._draws.share() < 0.85 else self.homes))
        return len(self.served) >= self._planned

    def add_surplus(self) -> None:
        """One more request after the manner of a lesson, without a place in the plan."""
        if not self.lessons:  # nothing but open classes: one more of those
            group = self._draws.one(self._groups[self._draws.one(sorted(self._groups))])
            self._ask_open(group, self._some_times(group.home, 10))
            return
        lesson = self._draws.one(self.lessons)
        alike = [one for one in self._groups[lesson.grade] if one.home.edition[lesson.subject] == lesson.edition]
        group = self._draws.one(alike)
        times = self._some_times(group.home, 10)
        self._ask(
            lesson, group, lesson.unit, times, self._people(group, lesson.subject, master=lesson.mode == "master")
        )

    # A lead teacher with their lessons.

    def _plant_teacher(self, home: Home) -> None:
        draws = self._draws
        subject, grade = draws.one(SUBJECTS), draws.one(home.grades)
        free = [slot for slot in home.slots if draws.share() < 0.55]
        if len(free) < 4:
            return
        teacher = new_teacher(draws, self._extras, home)
        days: list[int] = []
        for _ in range(draws.one((1, 2, 2, 3))):
            weeks, unit, fan_out = draws.one(WEEKS), 1 + draws.below(6), draws.one((2, 3, 3, 4))
            master = draws.chance(self._extras.master)
            taken = Taken((teacher.id,), teacher.away, Rules().lead_uplink)
            lead_rooms = [room for room in home.rooms if LEAD in room.equipment]
            for time in draws.some(free, len(free)):
                room = self._diary.room(home.school, lead_rooms, taken, weeks, time)
                if room is not None and days.count(time[0]) < teacher.most_a_day:
                    break
            else:
                continue
            lesson = Lesson(
                id=f"l{len(self.lessons) + 1:04}",
                teacher=teacher.id,
                mode="master" if master else "delivery",
                subject=subject,
                grade=grade,
                edition=home.edition[subject],
                unit=unit,
                weeks=weeks,
                fan_out=fan_out,
                times=tuple(sorted({time, *draws.some(free, draws.one((8, 12, 16)))})),
                needs=self._special(room),
            )
            seated = list(self._seated(home, lesson, time))
            if not seated:
                continue
            if not days:
                home.teachers.append(teacher)
            days.append(time[0])
            self._diary.put(home.school, room, taken, weeks, time)
            self.lessons.append(lesson)
            self.held.append(Held(lesson=lesson.id, time=time, room=room.id))
            for one in seated:
                self._ask_seated(lesson, one)

    def _seated(self, lead: Home, lesson: Lesson, time: Slot) -> Iterator[Seated]:
        """Whoever finds a place beside a lesson; what they take is written down."""
        draws = self._draws
        ranked: list[tuple[float, int, Group]] = []
        for group in self._groups[lesson.grade]:
            if group.home is not lead and group.home.edition[lesson.subject] == lesson.edition:
                far = group.home.school.community != lead.school.community and draws.share() < 0.75
                ranked.append((far + draws.share() * 0.5 * (not group.home.school.under_resourced), len(ranked), group))
        seats = min(lesson.fan_out, self._planned - len(self.served))
        master = lesson.mode == "master"
        for _, _, group in sorted(ranked, key=lambda one: one[:2]):
            if seats == 0:
                return
            meeting = self._meets(lead, group.home).get(time[1])
            if not meeting:
                continue
            here = (time[0], meeting[0][0])
            people = self._people(group, lesson.subject, master=master)
            room = self._room(group, people, lesson.weeks, here, master=master)
            if room is not None:
                seats -= 1
                yield Seated(group, here, room, people)

    def _people(self, group: Group, subject: str, *, master: bool) -> tuple[Teacher, ...]:
        """The assistant of a group; for a master class, its observers."""
        numbers = range(group.number, group.number + (OBSERVERS if master else 1))
        return tuple(assistant(self._draws, self._extras, group.home, subject, group.grade, one) for one in numbers)

    def _room(self, group: Group, people: Sequence[Teacher], weeks: Weeks, time: Slot, *, master: bool) -> Room | None:
        """The room of a group in one slot, which is then taken; None where there is none."""
        home = group.home
        size = None if master else group.school_class.size
        fitting = [room for room in home.rooms if not (size and room.seats and room.seats < size)]
        away = [window for one in people for window in one.away]
        names = [one.id for one in people]
        if not master:
            away += group.school_class.away
            names.append(group.school_class.id)
        taken = Taken(names, away, 0 if master else Rules().listen_uplink)
        fitting.sort(key=lambda room: LEAD in room.equipment)  # rooms to teach from are scarce
        room = self._diary.room(home.school, fitting, taken, weeks, time)
        if room is not None:
            self._diary.put(home.school, room, taken, weeks, time)
        return room

    def _meets(self, lead: Home, home: Home) -> dict[int, list[tuple[int, int]]]:
        key = (lead.school.id, home.school.id)
        if key not in self._meeting:
            least = Rules().min_overlap_minutes
            self._meeting[key] = meeting_periods(lead.school.bells, home.school.bells, least)
        return self._meeting[key]

    # Requests.

    def _ask_seated(self, lesson: Lesson, seated: Seated) -> None:
        draws, group = self._draws, seated.group
        times = self._some_times(group.home, draws.one((8, 12, 16)))
        unit = min(9, max(1, lesson.unit + draws.one((-1, 0, 0, 0, 1))))
        request = self._ask(
            lesson, group, unit, [*times, seated.time], seated.people, self._special(seated.room), may_change=True
        )
        self.served.append(
            Served(
                request=request.id,
                lesson=lesson.id,
                time=seated.time,
                room=seated.room.id,
                assistant=seated.people[0].id if request.assistants else None,
            )
        )

    def _ask(
        self,
        lesson: Lesson,
        group: Group,
        unit: int,
        times: Sequence[Slot],
        people: Sequence[Teacher],
        needs: Tags = frozenset(),
        *,
        may_change: bool = False,
    ) -> Request:
        master = lesson.mode == "master"
        request = Request(
            id=self._next_id(),
            mode=lesson.mode,
            school_class=None if master else group.school_class.id,
            observers=tuple(one.id for one in people) if master else (),
            subject=lesson.subject,
            grade=lesson.grade,
            edition=lesson.edition,
            unit=unit,
            weeks=lesson.weeks,
            times=tuple(sorted(set(times))),
            assistants=() if master else self._assistants(group, lesson.subject, people, may_change=may_change),
            needs=needs,
            weight=3 if group.home.school.under_resourced else 1,
        )
        self.requests.append(request)
        return request

    def _assistants(
        self, group: Group, subject: str, people: Sequence[Teacher], *, may_change: bool
    ) -> tuple[str, ...]:
        named = tuple(one.id for one in people)
        if may_change and self._draws.chance(self._extras.assistants):
            return ()
        if may_change and self._draws.chance(self._extras.assistants):
            other = assistant(self._draws, self._extras, group.home, subject, group.grade, group.number + 1)
            return tuple(sorted({*named, other.id}))
        return named

    def _plant_open(self) -> None:
        draws = self._draws
        group = draws.one(self._groups[draws.one(sorted(self._groups))])
        time, weeks = draws.one(group.home.slots), draws.one(WEEKS)
        room = self._room(group, (), weeks, time, master=False)
        if room is not None:
            request = self._ask_open(group, [time, *self._some_times(group.home, 8)], weeks, self._special(room))
            self.served.append(Served(request=request.id, time=time, room=room.id))
            self._open += 1

    def _ask_open(self, group: Group, times: Sequence[Slot], weeks: Weeks = "AB", needs: Tags = frozenset()) -> Request:
        subject = self._draws.one(SUBJECTS)
        request = Request(
            id=self._next_id(),
            mode="open",
            school_class=group.school_class.id,
            subject=subject,
            grade=group.grade,
            edition=group.home.edition[subject],
            weeks=weeks,
            times=tuple(sorted(set(times))),
            needs=needs,
            weight=3 if group.home.school.under_resourced else 1,
        )
        self.requests.append(request)
        return request

    def _next_id(self) -> str:
        return f"q{len(self.requests) + 1:05}"

    def _some_times(self, home: Home, count: int) -> list[Slot]:
        slots = home.slots
        return [self._draws.one(slots) for _ in range(count)]

    def _special(self, room: Room) -> Tags:
        return (
            frozenset({SPECIAL})
            if SPECIAL in room.equipment and self._draws.chance(self._extras.equipment)
            else frozenset()
        )
