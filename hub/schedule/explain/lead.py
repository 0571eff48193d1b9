"""What is in the way where the lesson is."""

from collections.abc import Iterator

from hub.schedule.explain.change import FactChange
from hub.schedule.explain.home import line_obstacle, room_obstacle
from hub.schedule.explain.obstacle import Obstacle
from hub.schedule.explain.occupied import Occupied, Place
from hub.schedule.facts import LEAD
from hub.schedule.slots import Slot, Weeks, covered, parities
from hub.schedule.wants import Ban, Lesson, Request
from hub.schedule.words import WEEKS_EN, WEEKS_ZH, Words, slot_words


def pair_obstacles(occupied: Occupied, request: Request, lesson: Lesson) -> Iterator[Obstacle]:
    """What keeps a request from a lesson of its topic at any time."""
    district, names = occupied.district, occupied.names
    gap = abs(lesson.unit - request.unit)
    if gap > district.rules.unit_gap:
        words = Words(
            zh=f"单元相差 {gap}（第 {lesson.unit} 单元与第 {request.unit} 单元，最多 {district.rules.unit_gap}）",
            en=f"units lie {gap} apart ({lesson.unit} and {request.unit}; {district.rules.unit_gap} at most)",
        )
        yield Obstacle("unit", words, (FactChange(kind="unit-gap", number=gap),))
    if not set(parities(request.weeks)) <= set(parities(lesson.weeks)):
        yield _weeks(request, lesson.weeks)
    pin = next((one for one in district.pins if one.request == request.id), None)
    if pin is not None and pin.lesson not in {None, lesson.id}:
        yield Obstacle("pin", Words(zh="已固定由别的课服务", en="it is pinned to another lesson"))
    for ban in district.bans:
        if _banned(occupied, ban, request, lesson):
            who, what = names.request(request.id), names.lesson(lesson.id)
            words = Words(zh=f"禁排：{who.zh} 与 {what.zh}", en=f"a ban keeps {who.en} from {what.en}")
            yield Obstacle("ban", words, (FactChange(kind="ban", ban=ban),))


def _weeks(request: Request, lesson: Weeks) -> Obstacle:
    shared = set(parities(request.weeks)) & set(parities(lesson))
    changes = (FactChange(kind="weeks", request=request.id, weeks=lesson),) if shared else ()
    asked = Words(zh=WEEKS_ZH[request.weeks] or "每周", en=WEEKS_EN[request.weeks] or " every week")
    words = Words(
        zh=f"周次不合：需求为{asked.zh}，该课只在{WEEKS_ZH[lesson]}",
        en=f"it is asked for{asked.en}; the lesson is held{WEEKS_EN[lesson]} only",
    )
    return Obstacle("weeks", words, changes)


def _banned(occupied: Occupied, ban: Ban, request: Request, lesson: Lesson) -> bool:
    home, lead = occupied.names.home(request).id, occupied.names.lead_school(lesson).id
    return (
        ban.request in {None, request.id}
        and ban.school_class in {None, request.school_class}
        and ban.school in {None, home}
        and ban.lesson in {None, lesson.id}
        and ban.teacher in {None, lesson.teacher}
        and ban.lead_school in {None, lead}
    )


def following(occupied: Occupied, request: Request, lesson: Lesson) -> tuple[Obstacle, ...]:
    """That a lesson that is held serves as many as it may."""
    full = any(
        sum(parity in parities(one.weeks) for one in occupied.followers.get(lesson.id, ())) >= lesson.fan_out
        for parity in parities(request.weeks)
    )
    if not full:
        return ()
    who = [occupied.names.request(one.id) for one in occupied.followers.get(lesson.id, ())]
    words = Words(
        zh=f"已带满 {lesson.fan_out} 个听课教室（{'；'.join(one.zh for one in who)}）",
        en=f"it serves {lesson.fan_out} rooms already ({'; '.join(one.en for one in who)})",
    )
    return (
        Obstacle("fan-out-full", words, (FactChange(kind="fan-out", lesson=lesson.id, number=lesson.fan_out + 1),)),
    )


def holding(occupied: Occupied, lesson: Lesson, time: Slot) -> tuple[Obstacle, ...]:
    """What keeps a lesson that is not held from being held in a slot of its school."""
    return tuple(_holding(occupied, lesson, time))


def _holding(occupied: Occupied, lesson: Lesson, time: Slot) -> Iterator[Obstacle]:
    names, busy = occupied.names, occupied.busy
    teacher, school = names.teachers[lesson.teacher], names.lead_school(lesson)
    then, who = slot_words(time), names.teacher(lesson.teacher)
    if time not in lesson.times:
        words = Words(zh=f"{then.zh}不在该课可排节次内", en=f"{then.en} is not among the slots the lesson may have")
        yield Obstacle("lead-time", words, (FactChange(kind="lesson-time", lesson=lesson.id, time=time),))
    if covered(school.closed, lesson.weeks, time):
        name = names.school(school.id)
        yield Obstacle("closed", Words(zh=f"{name} {then.zh}停课", en=f"{name} is closed on {then.en}"))
    if covered(teacher.away, lesson.weeks, time):
        words = Words(zh=f"{who} {then.zh}不在", en=f"{who} is away on {then.en}")
        yield Obstacle("away", words, (FactChange(kind="present", teacher=teacher.id, time=time),))
    at = [busy.at.get((teacher.id, parity, time)) for parity in parities(lesson.weeks)]
    other = next(filter(None, at), None)
    if other is not None:
        leads = other in names.lessons and names.lessons[other].teacher == teacher.id
        what = names.lesson(other) if leads else names.request(other)
        yield Obstacle("lead-busy", Words(zh=f"{who} {then.zh}有 {what.zh}", en=f"{who} has {what.en} on {then.en}"))
    if busy.leads_on(teacher.id, lesson.weeks, time[0]) >= teacher.most_a_day:
        words = Words(
            zh=f"{who} 当天已主讲 {teacher.most_a_day} 节",
            en=f"{who} leads {teacher.most_a_day} lesson(s) that day already",
        )
        more = FactChange(kind="most-a-day", teacher=teacher.id, number=teacher.most_a_day + 1)
        yield Obstacle("most-a-day", words, (more,))
    places: list[Place] = [(school.id, parity, time) for parity in parities(lesson.weeks)]
    yield from room_obstacle(occupied, places, occupied.lead_rooms(lesson), lesson.needs | {LEAD})
    yield from line_obstacle(occupied, school, places, occupied.district.rules.lead_uplink)
