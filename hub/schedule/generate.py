"""Makes up a district, with a plan hidden in it that serves nine of ten requests (docs/planning.md, "The benchmark").

The plan is laid first: lessons are placed, classes are put into rooms beside them, and only then is it written
down what each of them could have done instead. The tenth request is drawn without a place. So every district has a
known good answer, and nothing in its file tells it. The same arguments make the same file, byte for byte.
"""

from collections.abc import Iterator, Sequence

from hub.schedule.check import check
from hub.schedule.district import District
from hub.schedule.errors import DistrictWrong
from hub.schedule.plan import Plan, Served, fingerprint
from hub.schedule.synthetic.draws import Draws
from hub.schedule.synthetic.extras import Extras
from hub.schedule.synthetic.homes import Home, made_up
from hub.schedule.synthetic.planting import Planter
from hub.schedule.wants import Ban, Lesson, Pin, Topic, Wish

SURPLUS = 10
"""One request in so many has no place in the hidden plan."""

__all__ = ["Extras", "generate", "planted"]


def generate(
    schools: int = 37, rooms: int = 189, requests: int = 800, seed: int = 1, extras: Extras | None = None
) -> District:
    """Make up a district.

    Args:
        schools: how many; two in three are primary schools, one in three is strong.
        rooms: how many in all, at least one a school.
        requests: how many in all, a tenth of them more than the hidden plan serves.
        seed: another number makes another district.
        extras: what else is switched on; nothing in the benchmark.

    Raises:
        DistrictWrong: there are too few schools or rooms for so many requests.
    """
    return _made(schools, rooms, requests, seed, extras or Extras())[0]


def planted(
    schools: int = 37, rooms: int = 189, requests: int = 800, seed: int = 1, extras: Extras | None = None
) -> tuple[District, Plan]:
    """As `generate`, and the plan that is hidden in it."""
    district, planter = _made(schools, rooms, requests, seed, extras or Extras())
    plan = Plan(district=fingerprint(district), held=tuple(planter.held), served=tuple(planter.served))
    return district, plan.model_copy(update={"score": check(district, plan).score})


def _made(schools: int, rooms: int, requests: int, seed: int, extras: Extras) -> tuple[District, Planter]:
    if schools < 2 or rooms < schools or requests < 1:
        raise DistrictWrong("a district has two schools at least, a room in each of them, and a request")
    draws = Draws(seed)
    homes = made_up(draws, extras, schools, rooms)
    planned = requests - requests // SURPLUS
    planter = Planter(draws, extras, homes, planned)
    if not planter.lay():
        raise DistrictWrong(
            f"{schools} schools with {rooms} rooms hold {len(planter.served)} of {planned} requests; "
            "ask for fewer requests, or for more schools and rooms"
        )
    while len(planter.requests) < requests:
        planter.add_surplus()
    _shuffle(draws, planter)
    district = District(
        name=f"{schools} schools, {rooms} rooms, {requests} requests, seed {seed}",
        schools=tuple(home.school for home in homes),
        rooms=tuple(room for home in homes for room in home.rooms),
        teachers=tuple(teacher for home in homes for teacher in home.teachers),
        classes=tuple(one for home in homes for classes in home.classes.values() for one in classes),
        lessons=tuple(planter.lessons),
        requests=tuple(planter.requests),
        pins=tuple(_pins(draws, extras.pins, homes, planter.served)),
        bans=tuple(_bans(draws, extras.bans, planter)),
        wishes=tuple(_wishes(draws, extras.wishes, planter)),
    )
    return district, planter


def _shuffle(draws: Draws, planter: Planter) -> None:
    """Deal lessons and requests anew, so that their order does not tell who belongs to whom."""
    lessons = draws.some(planter.lessons, len(planter.lessons))
    requests = draws.some(planter.requests, len(planter.requests))
    ids = {one.id: f"l{number:04}" for number, one in enumerate(lessons, start=1)}
    ids |= {one.id: f"q{number:05}" for number, one in enumerate(requests, start=1)}
    planter.lessons = [one.model_copy(update={"id": ids[one.id]}) for one in lessons]
    planter.requests = [one.model_copy(update={"id": ids[one.id]}) for one in requests]
    held = (one.model_copy(update={"lesson": ids[one.lesson]}) for one in planter.held)
    served = (
        one.model_copy(update={"request": ids[one.request], "lesson": ids[one.lesson] if one.lesson else None})
        for one in planter.served
    )
    planter.held = sorted(held, key=lambda one: one.lesson)
    planter.served = sorted(served, key=lambda one: one.request)


def _pins(draws: Draws, share: float, homes: Sequence[Home], served: Sequence[Served]) -> Iterator[Pin]:
    """Pins that the hidden plan keeps. Only one room a school is pinned to: each makes one more kind of room."""
    pinned_to = {home.rooms[-1].id for home in homes}
    for one in served:
        if draws.chance(share):
            yield Pin(
                request=one.request,
                lesson=one.lesson if draws.share() < 0.5 else None,
                time=one.time if draws.share() < 0.5 else None,
                room=one.room if one.room in pinned_to and draws.share() < 0.5 else None,
            )


def _bans(draws: Draws, share: float, planter: Planter) -> Iterator[Ban]:
    """Bans of what the hidden plan does not do anyway: between requests and lessons that would have suited."""
    suited = _suited(planter.lessons)
    lessons = {lesson.id: lesson for lesson in planter.lessons}
    planned = {one.request: lessons[one.lesson] for one in planter.served if one.lesson}
    for request in planter.requests:
        if not draws.chance(share):
            continue
        its_own = planned.get(request.id)
        others = [one for one in suited.get(_topic(request), []) if its_own is None or one.teacher != its_own.teacher]
        if not others:
            continue
        other = draws.one(others)
        if draws.share() < 0.5:
            yield Ban(request=request.id, lesson=other.id)
        else:
            yield Ban(request=request.id, teacher=other.teacher)


def _wishes(draws: Draws, share: float, planter: Planter) -> Iterator[Wish]:
    """Wishes of all kinds, most of them for something, some against it."""
    suited = _suited(planter.lessons)
    leads = {teacher.id: home.school.id for home in planter.homes for teacher in home.teachers}
    for request in planter.requests:
        if not draws.chance(share):
            continue
        points = draws.one((-20, 10, 20, 40))
        lessons = suited.get(_topic(request), [])
        kind = draws.below(5) if lessons else 0
        if kind == 0:
            yield Wish(points=points, request=request.id, time=draws.one(request.times))
            continue
        lesson = draws.one(lessons)
        yield (
            Wish(points=points, request=request.id, teacher=lesson.teacher),
            Wish(points=points, request=request.id, lead_school=leads[lesson.teacher]),
            Wish(points=points, request=request.id, lesson=lesson.id),
            Wish(points=points, lesson=lesson.id, time=draws.one(lesson.times)),
        )[kind - 1]


def _topic(one: Topic) -> tuple[str, int, str]:
    return one.subject, one.grade, one.edition


def _suited(lessons: Sequence[Lesson]) -> dict[tuple[str, int, str], list[Lesson]]:
    found: dict[tuple[str, int, str], list[Lesson]] = {}
    for lesson in lessons:
        found.setdefault(_topic(lesson), []).append(lesson)
    return found
