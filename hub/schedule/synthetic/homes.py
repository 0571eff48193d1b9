"""Schools that are made up: bells, rooms, classes, lines."""

from dataclasses import dataclass, field

from hub.schedule.facts import LEAD, RECEIVING, Room, School, SchoolClass, Teacher, UplinkLimit
from hub.schedule.slots import Bell, Slot, Weeks, Window
from hub.schedule.synthetic.draws import Draws
from hub.schedule.synthetic.extras import Extras
from hub.schedule.synthetic.names import GIVEN, SURNAMES, class_name, numeral

DAYS = 5
SUBJECTS = ("英语", "科学", "音乐", "美术", "数学")
EDITIONS = ("人教版", "北京版")
SPECIAL = "lab"
"""Equipment that only some rooms have, where `Extras.equipment` is on."""
COMMUNITIES = 3 / 37
"""Communities a school, as the district had on which the sizes of the benchmark were taken."""


@dataclass(slots=True)
class Home:
    """A school as it is being made up."""

    school: School
    strong: bool
    grades: tuple[int, ...]
    edition: dict[str, str]
    """By subject."""
    rooms: list[Room] = field(default_factory=list)
    classes: dict[int, list[SchoolClass]] = field(default_factory=dict)
    """By grade."""
    teachers: list[Teacher] = field(default_factory=list)
    assistants: dict[tuple[str, int, int], Teacher] = field(default_factory=dict)
    """By subject, two grades, and odd or even number of the class: one assistant stands beside some three classes."""

    @property
    def slots(self) -> list[Slot]:
        """Every slot of the week."""
        return [(day, period) for day in range(1, DAYS + 1) for period in range(1, len(self.school.bells) + 1)]


def made_up(draws: Draws, extras: Extras, schools: int, rooms: int) -> list[Home]:
    """Schools with bells, rooms, classes and lines; teachers come as they are needed.

    Args:
        draws: where chance comes from.
        extras: what else is switched on.
        schools: how many; about two in three are primary schools, one in three is strong.
        rooms: how many in all, at least one a school.
    """
    homes = []
    primaries = 0
    width = max(2, len(str(schools)))
    for index in range(schools):
        primary = draws.share() < 0.65 or index < 2  # the smallest district has a pair as well
        primaries += primary
        number = primaries if primary else index + 1 - primaries
        community = 1 + draws.below(max(1, round(schools * COMMUNITIES)))
        strong = draws.share() < 0.33
        school = School(
            id=f"s{index + 1:0{width}}",
            name=f"第{numeral(number)}{'小学' if primary else '中学'}",
            community=f"第{numeral(community)}共同体",
            bells=_bells(draws, minutes=40 if primary else 45, periods=7 if primary else 8),
            under_resourced=draws.share() < 0.6 and not strong,
        )
        edition = {subject: EDITIONS[draws.share() >= 0.85] for subject in SUBJECTS}
        homes.append(Home(school, strong, tuple(range(1, 7)) if primary else (7, 8, 9), edition))
    least = min(2, rooms // schools)
    counts = [least] * schools
    for _ in range(rooms - least * schools):
        counts[draws.below(schools)] += 1
    for home, count in zip(homes, counts, strict=True):
        _furnish(draws, extras, home, count)
    return homes


def new_teacher(draws: Draws, extras: Extras, home: Home) -> Teacher:
    """One more teacher of a school; whoever asks puts them on its list."""
    name = draws.one(SURNAMES) + "".join(draws.some(GIVEN, draws.one((1, 2, 2))))
    number = len(home.teachers) + 1
    return Teacher(
        id=f"t-{home.school.id}-{number}", school=home.school.id, name=name, away=_half_day(draws, extras.away)
    )


def assistant(draws: Draws, extras: Extras, home: Home, subject: str, grade: int, number: int) -> Teacher:
    """Whoever stands beside a class of a school in a subject.

    Args:
        draws: where chance comes from.
        extras: what else is switched on.
        home: the school.
        subject: the subject.
        grade: the class's grade.
        number: the class's number in its grade.
    """
    key = (subject, grade // 2, number % 2)
    found = home.assistants.get(key)
    if found is None:
        found = home.assistants[key] = new_teacher(draws, extras, home)
        home.teachers.append(found)
    return found


def _bells(draws: Draws, minutes: int, periods: int) -> tuple[Bell, ...]:
    bells = []
    begins = 8 * 60 + draws.one((0, 0, 5, 10, 15, 20))
    for period in range(periods):
        if period == 4:
            begins = 13 * 60 + draws.one((0, 10, 20, 30, 30))
        bells.append(Bell(begins=_clock(begins), ends=_clock(begins + minutes)))
        begins += minutes + (draws.one((20, 25, 30)) if period == 1 else 10)
    return tuple(bells)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _half_day(draws: Draws, share: float) -> tuple[Window, ...]:
    if not draws.chance(share):
        return ()
    day = 1 + draws.below(DAYS)
    first, last = draws.one(((1, 4), (5, 20)))
    weeks: Weeks = draws.one(("AB", "AB", "A", "B"))
    return (Window(day=day, first=first, last=last, weeks=weeks),)


def _furnish(draws: Draws, extras: Extras, home: Home, rooms: int) -> None:
    school = home.school
    lead = max(1, round(rooms * (0.6 if home.strong else 0.25)))
    uplink = max(3, int(rooms * 1.2) + 1)
    limited = draws.chance(extras.limits)
    home.school = school.model_copy(
        update={
            "uplink": uplink,
            "uplink_limits": (UplinkLimit(day=1 + draws.below(DAYS), uplink=uplink // 2),) if limited else (),
            "closed": _half_day(draws, extras.limits),
        }
    )
    for number in range(1, rooms + 1):
        equipment = {RECEIVING} | ({LEAD} if number <= lead else set())
        equipment |= {SPECIAL} if draws.chance(extras.equipment) else set()
        seats = draws.one((36, 48)) if draws.chance(extras.seats) else None
        home.rooms.append(
            Room(
                id=f"{school.id}-r{number}",
                school=school.id,
                name=f"双师教室{number}",
                equipment=frozenset(equipment),
                seats=seats,
                down=_half_day(draws, extras.maintenance),
            )
        )
    for grade in home.grades:
        home.classes[grade] = [
            SchoolClass(
                id=f"{school.id}-c{grade}-{number}",
                school=school.id,
                name=class_name(grade, number),
                size=25 + draws.below(21) if draws.chance(extras.seats) else None,
                away=_half_day(draws, extras.away),
            )
            for number in range(1, 1 + draws.one((2, 3, 4)))
        ]
