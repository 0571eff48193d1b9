"""Pins that cannot all hold: a smallest set of pins and facts that contradict each other.

Everything that could be in the way has a name: each pin, and each thing of which there is only so much (a teacher or a
class at one time, a school's rooms or its line in a slot, the rooms that a lesson serves, that it is held at one
time). Names are let go one after the other, in halves first, as long as what is left stays contradictory. What
remains contradicts itself, and no more does without any one of it; both are verified at the end.

Source: the deletion filter of J. Chinneck and E. Dravnieks, Locating Minimal Infeasible Constraint Sets in Linear
Programs, ORSA Journal on Computing 3 (1991).
"""

from collections.abc import Callable, Collection, Sequence

from hub.schedule.compiled import Compiled, Resource
from hub.schedule.compiling import compile_district
from hub.schedule.district import District
from hub.schedule.errors import ScheduleRefused
from hub.schedule.explain.feasible import Feasible, Ground
from hub.schedule.explain.obstacle import Way
from hub.schedule.explain.occupied import Occupied
from hub.schedule.explain.ways import Ways
from hub.schedule.plan import Plan
from hub.schedule.repair.names import Names
from hub.schedule.slots import Id, Part
from hub.schedule.wants import Pin
from hub.schedule.words import Words, listed, slot_words


class Conflict(Part):
    """Pins that cannot all hold, with what makes it so."""

    pins: tuple[Id, ...]
    """The requests that are pinned."""
    facts: tuple[Words, ...]
    words: Words


def conflict(district: District) -> Conflict | None:
    """A smallest set of pins and facts of a district that contradict each other; None where all pins can hold.

    Raises:
        ScheduleRefused: HiGHS gave up on a part of the question.
    """
    if not district.pins:
        return None
    pinned = {pin.request for pin in district.pins}
    part = district.model_copy(
        update={"requests": tuple(one for one in district.requests if one.id in pinned), "wishes": ()}
    )
    compiled = compile_district(part)
    for number, request in enumerate(part.requests):
        if compiled.request_start[number] == compiled.request_start[number + 1]:
            return _alone(part, next(pin for pin in part.pins if pin.request == request.id))
    holds = Feasible(compiled)
    grounds = holds.grounds
    if holds(grounds):
        return None
    left = smallest(grounds, holds)
    return _told(part, compiled, left)


def smallest(grounds: Sequence[Ground], holds: Callable[[Collection[Ground]], bool]) -> list[Ground]:
    """Of grounds that do not hold together, some that do not either, but do without any one of them.

    Raises:
        ScheduleRefused: what was found is no such set; the solver contradicted itself.
    """
    left, step = list(grounds), max(1, len(grounds) // 2)
    while True:
        begin = 0
        while begin < len(left):
            without = [*left[:begin], *left[begin + step :]]
            if holds(without):
                begin += step
            else:
                left = without
        if step == 1:
            break
        step = max(1, step // 2)
    if holds(left) or not all(holds([one for one in left if one != other]) for other in left):
        raise ScheduleRefused("no smallest set of pins that contradict each other was found")
    return left


def _alone(district: District, pin: Pin) -> Conflict:
    """A pin that nothing can serve, whatever the others are."""
    names = Names(district)
    request = names.requests[pin.request]
    occupied = Occupied(district, Plan())
    best: Way | None = min(Ways(occupied).of(request), key=lambda way: way.order, default=None)
    facts = tuple(one.words for one in best.obstacles) if best is not None else ()
    if not facts:
        facts = (Words(zh="没有相符的课", en="no lesson suits it"),)
    return _conflict(names, [pin], facts)


def _told(district: District, compiled: Compiled, left: Sequence[Ground]) -> Conflict:
    names = Names(district)
    pins = {pin.request: pin for pin in district.pins}
    pinned = [pins[district.requests[one.number].id] for one in left if one.kind == "pin"]
    facts = dict.fromkeys(_fact(names, compiled, one) for one in left if one.kind != "pin")
    return _conflict(names, pinned, tuple(facts))


def _conflict(names: Names, pins: Sequence[Pin], facts: tuple[Words, ...]) -> Conflict:
    who, why = listed(_pin_words(names, pin) for pin in pins), listed(facts)
    words = Words(
        zh=f"以下固定安排不能同时成立：{who.zh}。原因：{why.zh}",
        en=f"these pins cannot all hold: {who.en}. Why: {why.en}",
    )
    return Conflict(pins=tuple(pin.request for pin in pins), facts=facts, words=words)


def _pin_words(names: Names, pin: Pin) -> Words:
    what = names.request(pin.request)
    zh, en = [what.zh], [what.en]
    if pin.time is not None:
        then = slot_words(pin.time)
        zh.append(f"固定在{then.zh}")
        en.append(f"pinned to {then.en}")
    if pin.lesson is not None:
        lesson = names.lesson(pin.lesson)
        zh.append(f"由 {lesson.zh}服务")
        en.append(f"by {lesson.en}")
    if pin.room is not None:
        zh.append(f"在 {names.room(pin.room)}")
        en.append(f"in {names.room(pin.room)}")
    return Words(zh=" ".join(zh), en=" ".join(en))


def _fact(names: Names, compiled: Compiled, one: Ground) -> Words:
    if one.kind == "once":
        lesson = names.lesson(compiled.district.lessons[one.number].id)
        return Words(zh=f"{lesson.zh}每周只在一个节次", en=f"{lesson.en} is held at one time")
    if one.kind == "fan":
        lesson, fan = names.lesson(compiled.district.lessons[one.number].id), int(compiled.lesson_fan[one.number])
        return Words(zh=f"{lesson.zh}最多带 {fan} 个听课教室", en=f"{lesson.en} serves {fan} rooms at most")
    return _resource_words(names, compiled.resources[one.number], int(compiled.capacity[one.number]))


def _resource_words(names: Names, resource: Resource, most: int) -> Words:
    if resource.kind == "teacher-day":
        who = names.teacher(resource.who)
        return Words(zh=f"{who} 每天最多主讲 {most} 节", en=f"{who} leads {most} lesson(s) a day at most")
    then = slot_words((resource.day, resource.period), "B" if resource.parity else "A")
    if resource.kind == "rooms":
        school, rooms = (
            names.school(resource.who),
            "、".join(names.rooms[one].name or one for one in sorted(resource.rooms)),
        )
        return Words(
            zh=f"{school} {then.zh}可用教室 {most} 间（{rooms}）",
            en=f"{school} has {most} of the rooms {rooms} on {then.en}",
        )
    if resource.kind == "uplink":
        school = names.school(resource.who)
        return Words(
            zh=f"{school} {then.zh}上行只有 {most} 个单位", en=f"{school} has {most} unit(s) of uplink on {then.en}"
        )
    who = names.teacher(resource.who) if resource.kind == "teacher" else names.school_class(resource.who)
    return Words(zh=f"{who} {then.zh}只能在一处", en=f"{who} can be in one place on {then.en}")
