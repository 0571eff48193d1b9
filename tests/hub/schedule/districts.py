"""Small districts with whatever facts, also such that contradict each other."""

from random import Random

from hypothesis import strategies as st

from hub.schedule.district import District, Rules
from hub.schedule.facts import Room, School, SchoolClass, Teacher, UplinkLimit
from hub.schedule.slots import Bell, Window
from hub.schedule.wants import Ban, Lesson, Pin, Request, Wish

DAYS = 2
WEEKS = ("AB", "AB", "A", "B")


def any_district(seed: int) -> District:
    """Whatever may be: no room, no slot, no line, pins that cannot be kept. One in two is a kind one, and has plans."""
    return _Whims(Random(seed)).district()


districts = st.integers(0, 2**32 - 1).map(any_district)


class _Whims:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.kind = random.random() < 0.5

    def rarely(self, share: float) -> bool:
        """Whether something goes wrong: in kind districts a quarter as often."""
        return self.random.random() < (share / 4 if self.kind else share)

    def some(self, least: int, most: int) -> int:
        """How many: in kind districts the upper half."""
        return self.random.randint((least + most + 1) // 2 if self.kind else least, most)

    def district(self) -> District:
        random = self.random
        schools = tuple(self.school(number) for number in range(self.some(1, 3)))
        by_id = {school.id: school for school in schools}
        rooms = tuple(self.room(school, number) for school in schools for number in range(self.some(0, 3)))
        teachers = tuple(self.teacher(school, number) for school in schools for number in range(self.some(0, 3)))
        classes = tuple(self.school_class(school, number) for school in schools for number in range(self.some(0, 2)))
        lessons = tuple(self.lesson(f"l{number}", by_id, teachers) for number in range(self.some(0, 4)) if teachers)
        asked = (self.request(f"q{number}", by_id, teachers, classes) for number in range(self.some(0, 6)))
        requests = tuple(one for one in asked if one is not None)
        homes = {one.id: one.school for one in (*teachers, *classes)}
        at = {one.id: by_id[homes[one.school_class or one.observers[0]]] for one in requests}
        return District(
            schools=schools,
            rooms=rooms,
            teachers=teachers,
            classes=classes,
            lessons=lessons,
            requests=requests,
            pins=tuple(self.pin(one, at[one.id], rooms, lessons) for one in requests if self.rarely(0.2)),
            bans=tuple(
                self.ban(schools, requests, lessons) for _ in range(2) if requests and lessons and self.rarely(0.6)
            ),
            wishes=tuple(
                Wish(points=random.randint(-50, 50), request=one.id, time=random.choice(slots(at[one.id])))
                for one in requests
                if random.random() < 0.3
            ),
            rules=Rules(
                min_overlap_minutes=random.choice((1, 40, 120)) if self.rarely(0.5) else 30,
                unit_gap=random.randint(0, 1) if self.rarely(0.6) else 2,
                lead_uplink=random.randint(0, 3),
                listen_uplink=random.randint(0, 2),
            ),
        )

    def school(self, number: int) -> School:
        random = self.random
        begins = 20 if self.rarely(0.5) else random.choice((0, 5))
        return School(
            id=f"s{number}",
            name="",
            community=random.choice(("", "东")),
            bells=tuple(
                Bell(begins=f"{8 + period:02}:{begins:02}", ends=f"{8 + period:02}:{begins + 39:02}")
                for period in range(self.some(1, 3))
            ),
            uplink=random.choice((0, 1, 2, 4)) if self.rarely(0.8) else 6,
            uplink_limits=tuple(
                UplinkLimit(**one.model_dump(), uplink=random.randint(0, 3)) for one in self.windows(0.3)
            ),
            closed=self.windows(0.15),
            under_resourced=random.random() < 0.4,
        )

    def room(self, school: School, number: int) -> Room:
        return Room(
            id=f"{school.id}-r{number}",
            school=school.id,
            equipment=frozenset(one for one in ("lead", "receiving", "lab") if not self.rarely(0.3)),
            seats=self.random.choice((None, 20, 40)),
            down=self.windows(0.3),
        )

    def teacher(self, school: School, number: int) -> Teacher:
        name = f"{school.id}-t{number}"
        return Teacher(id=name, school=school.id, away=self.windows(0.3), most_a_day=self.random.randint(1, 2))

    def school_class(self, school: School, number: int) -> SchoolClass:
        size = self.random.choice((None, 30))
        return SchoolClass(id=f"{school.id}-k{number}", school=school.id, size=size, away=self.windows(0.3))

    def windows(self, share: float) -> tuple[Window, ...]:
        if not self.rarely(share):
            return ()
        random = self.random
        day, first, weeks = random.randint(1, DAYS), random.randint(1, 2), random.choice(WEEKS)
        return (Window(day=day, first=first, last=random.randint(first, 3), weeks=weeks),)

    def times(self, school: School) -> tuple[tuple[int, int], ...]:
        return tuple(slot for slot in slots(school) if not self.rarely(0.5))

    def topic(self) -> dict:
        return {
            "subject": "科学" if self.rarely(0.4) else "英语",
            "grade": 3,
            "edition": "" if self.rarely(0.3) else "人教版",
            "unit": self.random.randint(1, 3),
            "weeks": self.random.choice(WEEKS),
            "needs": frozenset({"lab"} if self.rarely(0.3) else ()),
        }

    def lesson(self, name: str, schools: dict[str, School], teachers: tuple[Teacher, ...]) -> Lesson:
        teacher = self.random.choice(teachers)
        return Lesson(
            id=name,
            teacher=teacher.id,
            mode=self.random.choice(("delivery", "delivery", "delivery", "master")),
            fan_out=self.random.randint(1, 3),
            times=self.times(schools[teacher.school]),
            **self.topic(),
        )

    def request(
        self,
        name: str,
        schools: dict[str, School],
        teachers: tuple[Teacher, ...],
        classes: tuple[SchoolClass, ...],
    ) -> Request | None:
        random = self.random
        mode = random.choice(("delivery", "delivery", "delivery", "master", "open"))
        among = teachers if mode == "master" else classes
        if not among:
            return None
        who = random.choice(among)
        local = [one.id for one in teachers if one.school == who.school]
        return Request(
            id=name,
            mode=mode,
            school_class=None if mode == "master" else who.id,
            observers=tuple(dict.fromkeys((who.id, random.choice(local)))) if mode == "master" else (),
            times=self.times(schools[who.school]),
            assistants=tuple(one for one in local if random.random() < 0.4),
            weight=random.choice((1, 3)),
            **self.topic(),
        )

    def pin(self, request: Request, home: School, rooms: tuple[Room, ...], lessons: tuple[Lesson, ...]) -> Pin:
        one = self.random.choice
        return Pin(
            request=request.id,
            lesson=one((None, *(lesson.id for lesson in lessons))),
            time=one((None, *slots(home))),
            room=one((None, *(room.id for room in rooms if room.school == home.id))),
        )

    def ban(self, schools: tuple[School, ...], requests: tuple[Request, ...], lessons: tuple[Lesson, ...]) -> Ban:
        one = self.random.choice
        if self.random.random() < 0.5:
            return Ban(request=one(requests).id, lesson=one(lessons).id)
        return Ban(school=one(schools).id, lead_school=one(schools).id)


def slots(school: School) -> list[tuple[int, int]]:
    return [(day, period) for day in range(1, DAYS + 1) for period in range(1, len(school.bells) + 1)]
