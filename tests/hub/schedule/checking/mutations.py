"""Ways in which a plan that holds is made wrong, or the district under it is: each names the words that must come.

A mutation is a generator over (district, plan): it yields one wrong pair for every place where it can be done.
"""

import re
from collections.abc import Callable, Iterator

from hub.schedule.district import District
from hub.schedule.facts import UplinkLimit
from hub.schedule.plan import Plan, fingerprint
from hub.schedule.slots import Window
from hub.schedule.wants import Ban, Pin

Wrong = Iterator[tuple[District, Plan]]
MUTATIONS: dict[str, tuple[str, Callable[[District, Plan], Wrong]]] = {}
"""By name: the words, as a regular expression, and the mutation."""


def mutation(words: str):
    def note(made: Callable[[District, Plan], Wrong]) -> Callable[[District, Plan], Wrong]:
        MUTATIONS[made.__name__] = (words, made)
        return made

    return note


class Scene:
    """A district and its plan by their ids, and copies of both with one thing changed."""

    def __init__(self, district: District, plan: Plan) -> None:
        self.district, self.plan = district, plan
        self.by_id = {
            one.id: one
            for parts in (
                *(district.schools, district.rooms, district.teachers, district.classes),
                *(district.lessons, district.requests),
            )
            for one in parts
        }
        self.held = {one.lesson: one for one in plan.held}

    def with_plan(self, old, **changes):
        """One entry of the plan changed."""
        field = "held" if hasattr(old, "request") is False else "served"
        entries = [one.model_copy(update=changes) if one == old else one for one in getattr(self.plan, field)]
        return self.district, self.plan.model_copy(update={field: tuple(entries)})

    def with_fact(self, old, **changes):
        """One fact of the district changed; the plan does not say which district it is for."""
        for field in ("schools", "rooms", "teachers", "classes", "lessons", "requests"):
            parts = getattr(self.district, field)
            if old in parts:
                changed = tuple(one.model_copy(update=changes) if one == old else one for one in parts)
                return self.with_district(**{field: changed})
        raise AssertionError(old)

    def with_district(self, **changes):
        return self.district.model_copy(update=changes), self.plan.model_copy(update={"district": ""})

    def meetings(self):
        """(served, request, lesson, held) of all that have a lead lesson."""
        for served in self.plan.served:
            if served.lesson is not None:
                yield served, self.by_id[served.request], self.by_id[served.lesson], self.held[served.lesson]

    def lessons(self):
        return [(held, self.by_id[held.lesson]) for held in self.plan.held]

    def requests(self):
        return [(served, self.by_id[served.request]) for served in self.plan.served]


def window(time, weeks="AB"):
    return (Window(day=time[0], first=time[1], last=time[1], weeks=weeks),)


def other_slot(times):
    return next((day, period) for day in range(1, 8) for period in range(1, 8) if (day, period) not in times)


# The plan is changed.


@mutation("is held .* which is none of its times")
def a_lesson_at_another_time(district, plan):
    scene = Scene(district, plan)
    for held, lesson in scene.lessons():
        yield scene.with_fact(lesson, times=tuple(time for time in lesson.times if time != held.time))
        yield scene.with_plan(held, time=other_slot(lesson.times))


@mutation("is served .* which is none of its times")
def a_request_at_another_time(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        yield scene.with_plan(served, time=other_slot(request.times))


@mutation("have 0 minutes in common; 30 are needed")
def a_lesson_moved_and_its_requests_left(district, plan):
    scene = Scene(district, plan)
    for held, lesson in scene.lessons():
        for time in lesson.times:
            if time[0] != held.time[0]:
                yield scene.with_plan(held, time=time)


@mutation("which is not held")
def a_lesson_not_held(district, plan):
    for held in plan.held:
        yield district, plan.model_copy(update={"held": tuple(one for one in plan.held if one != held)})


@mutation("is held twice")
def a_lesson_held_twice(district, plan):
    for held in plan.held:
        yield district, plan.model_copy(update={"held": (*plan.held, held)})


@mutation("is served twice")
def a_request_served_twice(district, plan):
    for served in plan.served:
        yield district, plan.model_copy(update={"served": (*plan.served, served)})


@mutation("lesson l99999 is held, but is not in the district")
def an_unknown_lesson_held(district, plan):
    yield district, plan.model_copy(update={"held": (*plan.held, plan.held[0].model_copy(update={"lesson": "l99999"}))})


@mutation("request q99999 is served, but is not in the district")
def an_unknown_request(district, plan):
    one = plan.served[0].model_copy(update={"request": "q99999"})
    yield district, plan.model_copy(update={"served": (*plan.served, one)})


@mutation("is served by lesson l99999, which is not in the district")
def a_request_served_by_an_unknown_lesson(district, plan):
    scene = Scene(district, plan)
    for served, *_ in scene.meetings():
        yield scene.with_plan(served, lesson="l99999")


@mutation("is in room nowhere, which is not in the district")
def an_unknown_room(district, plan):
    scene = Scene(district, plan)
    for one in (*plan.held, *plan.served):
        yield scene.with_plan(one, room="nowhere")


@mutation("has assistant nobody, who is not in the district")
def an_unknown_assistant(district, plan):
    scene = Scene(district, plan)
    for served in plan.served:
        yield scene.with_plan(served, assistant="nobody")


@mutation("only an open class needs none")
def a_request_without_its_lesson(district, plan):
    scene = Scene(district, plan)
    for served, *_ in scene.meetings():
        yield scene.with_plan(served, lesson=None)


@mutation("an open class has no lead lesson")
def an_open_class_with_a_lesson(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        if request.mode == "open":
            yield scene.with_plan(served, lesson=district.lessons[0].id)


@mutation("the plan was made for another district")
def a_plan_of_another_district(district, plan):
    yield district, plan.model_copy(update={"district": fingerprint(district)[:-1] + "x"})


@mutation("is in room .*, which is of 第")
def a_room_of_another_school(district, plan):
    scene = Scene(district, plan)
    for one in (*plan.held, *plan.served):
        home = scene.by_id[one.room].school
        yield scene.with_plan(one, room=next(room.id for room in district.rooms if room.school != home))


@mutation("is in room .*, which is of 第")
def a_room_of_another_school_in_even_weeks(district, plan):
    scene = Scene(district, plan)
    for one, asked in (*scene.lessons(), *scene.requests()):
        if asked.weeks == "AB":
            home = scene.by_id[one.room].school
            yield scene.with_plan(one, room_even=next(room.id for room in district.rooms if room.school != home))


@mutation("does not meet both odd and even weeks")
def a_second_room_where_there_is_one_kind_of_week(district, plan):
    scene = Scene(district, plan)
    for one, asked in (*scene.lessons(), *scene.requests()):
        if asked.weeks != "AB":
            yield scene.with_plan(one, room_even=one.room)


@mutation("which lacks .*lead")
def a_room_that_cannot_lead(district, plan):
    scene = Scene(district, plan)
    for held in plan.held:
        for room in district.rooms:
            if room.school == scene.by_id[held.room].school and "lead" not in room.equipment:
                yield scene.with_plan(held, room=room.id)


@mutation("room .* is taken 2 times")
def two_in_one_room(district, plan):
    scene = Scene(district, plan)
    for one in plan.served:
        for other in plan.served:
            same_school = scene.by_id[one.room].school == scene.by_id[other.room].school
            weeks = {scene.by_id[one.request].weeks, scene.by_id[other.request].weeks}
            if one != other and same_school and one.time == other.time and weeks != {"A", "B"}:
                yield scene.with_plan(one, room=other.room)


@mutation("is served without an assistant")
def an_assistant_dropped(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        if request.assistants:
            yield scene.with_plan(served, assistant=None)


@mutation("whom it does not name")
def an_assistant_who_was_not_named(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        others = (one.id for one in district.teachers if one.id not in request.assistants)
        yield scene.with_plan(served, assistant=next(others))


@mutation(r"the lesson's (subject|grade) is|the lesson is for")
def a_lesson_about_something_else(district, plan):
    scene = Scene(district, plan)
    for _, request, *_ in scene.meetings():
        yield scene.with_fact(request, subject="书法")
        yield scene.with_fact(request, grade=12)
    for served, _, lesson, _ in scene.meetings():
        for other in plan.held:
            unlike = scene.by_id[other.lesson]
            if (unlike.subject, unlike.grade) != (lesson.subject, lesson.grade):
                yield scene.with_plan(served, lesson=other.lesson)
                break


@mutation("is pinned, but is not served")
def a_pinned_request_left_out(district, plan):
    for pin in district.pins:
        yield (
            district,
            plan.model_copy(update={"served": tuple(one for one in plan.served if one.request != pin.request)}),
        )


# The district is changed under the plan.


@mutation("when 第.* is closed")
def a_school_closed(district, plan):
    scene = Scene(district, plan)
    for one in (*plan.held, *plan.served):
        school = scene.by_id[scene.by_id[one.room].school]
        yield scene.with_fact(school, closed=window(one.time, _weeks(scene, one)))


@mutation("when it is down")
def a_room_down(district, plan):
    scene = Scene(district, plan)
    for one in (*plan.held, *plan.served):
        yield scene.with_fact(scene.by_id[one.room], down=window(one.time, _weeks(scene, one)))


@mutation("is away")
def a_lead_teacher_away(district, plan):
    scene = Scene(district, plan)
    for held, lesson in scene.lessons():
        yield scene.with_fact(scene.by_id[lesson.teacher], away=window(held.time, lesson.weeks))


@mutation("is away")
def an_assistant_or_observer_away(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        for teacher in (*request.observers, *([served.assistant] if served.assistant else [])):
            yield scene.with_fact(scene.by_id[teacher], away=window(served.time, request.weeks))


@mutation("when the class is away")
def a_class_away(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        if request.school_class:
            yield scene.with_fact(scene.by_id[request.school_class], away=window(served.time, request.weeks))


@mutation("which lacks .*(lead|receiving)")
def a_room_stripped(district, plan):
    scene = Scene(district, plan)
    for one in plan.held:
        yield scene.with_fact(scene.by_id[one.room], equipment=frozenset({"receiving"}))
    for served, request in scene.requests():
        if request.mode != "master":
            yield scene.with_fact(scene.by_id[served.room], equipment=frozenset({"lead"}))


@mutation("which lacks .*telescope")
def something_needed_that_no_room_has(district, plan):
    scene = Scene(district, plan)
    for _, asked in (*scene.lessons(), *scene.requests()):
        yield scene.with_fact(asked, needs=frozenset({"telescope"}))


@mutation("which seats 10; the class has 40")
def a_class_too_large(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        if request.school_class:
            smaller, _ = scene.with_fact(scene.by_id[served.room], seats=10)
            larger = scene.by_id[request.school_class]
            changed = tuple(one.model_copy(update={"size": 40}) if one == larger else one for one in smaller.classes)
            yield smaller.model_copy(update={"classes": changed}), plan.model_copy(update={"district": ""})


@mutation(r"the line of 第.* carries 0 units .*; \d are taken")
def a_line_cut(district, plan):
    scene = Scene(district, plan)
    for one in (*plan.held, *plan.served):
        if isinstance(getattr(one, "request", None), str) and scene.by_id[one.request].mode == "master":
            continue
        school = scene.by_id[scene.by_id[one.room].school]
        yield scene.with_fact(school, uplink=0)
        limit = UplinkLimit(**window(one.time, _weeks(scene, one))[0].model_dump(), uplink=0)
        yield scene.with_fact(school, uplink_limits=(limit,))


@mutation(r"serves \d requests in .*; it can serve \d")
def a_lesson_that_serves_fewer(district, plan):
    scene = Scene(district, plan)
    for _, lesson in scene.lessons():
        followers = sum(one.lesson == lesson.id for one in plan.served)
        if followers > 1:
            yield scene.with_fact(lesson, fan_out=followers - 1)


@mutation(r"leads 2 lessons on \w+day.*; 1 a day are allowed")
def a_teacher_who_may_lead_less(district, plan):
    scene = Scene(district, plan)
    for held, lesson in scene.lessons():
        for other, other_lesson in scene.lessons():
            same = lesson.teacher == other_lesson.teacher and held.time[0] == other.time[0]
            if lesson != other_lesson and same and {lesson.weeks, other_lesson.weeks} != {"A", "B"}:
                yield scene.with_fact(scene.by_id[lesson.teacher], most_a_day=1)


@mutation("teacher .* is taken 2 times")
def a_teacher_in_two_places(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        for other, other_request in scene.requests():
            if served != other and served.time == other.time and other.assistant:
                at_one = scene.by_id[served.room].school == scene.by_id[other.room].school
                if at_one and {request.weeks, other_request.weeks} != {"A", "B"}:
                    yield scene.with_plan(served, assistant=other.assistant)


@mutation("class .* is taken 2 times")
def a_class_in_two_places(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        for other, other_request in scene.requests():
            if request.school_class and other_request.school_class and request != other_request:
                at_one = scene.by_id[served.room].school == scene.by_id[other.room].school
                if at_one and served.time == other.time and {request.weeks, other_request.weeks} != {"A", "B"}:
                    yield scene.with_fact(request, school_class=other_request.school_class)


@mutation("have .* minutes in common; 120 are needed")
def bells_that_must_meet_longer(district, plan):
    scene = Scene(district, plan)
    yield scene.with_district(rules=district.rules.model_copy(update={"min_overlap_minutes": 120}))


@mutation(r"unit \d+ and unit \d+ lie more than 2 apart")
def a_class_three_units_further(district, plan):
    scene = Scene(district, plan)
    for _, request, lesson, _ in scene.meetings():
        yield scene.with_fact(request, unit=lesson.unit + 3)


@mutation("the lesson's edition is 人教版|the lesson's edition is 北京版")
def another_edition(district, plan):
    scene = Scene(district, plan)
    for _, request, *_ in scene.meetings():
        yield scene.with_fact(request, edition="苏教版")


@mutation("the lesson is for (delivery|master), the request for")
def a_lesson_of_another_mode(district, plan):
    scene = Scene(district, plan)
    for _, lesson in scene.lessons():
        yield scene.with_fact(lesson, mode="master" if lesson.mode == "delivery" else "delivery")


@mutation("the lesson is not held in (odd|even) weeks")
def a_lesson_in_fewer_weeks(district, plan):
    scene = Scene(district, plan)
    for _, request, lesson, _ in scene.meetings():
        if request.weeks == "AB":
            yield scene.with_fact(lesson, weeks="A")
            yield scene.with_fact(lesson, weeks="B")


@mutation("both are of one school")
def a_lesson_of_the_own_school(district, plan):
    scene = Scene(district, plan)
    for served, request, lesson, held in scene.meetings():
        lead = scene.by_id[lesson.teacher].school
        taken = {one.room for one in (*plan.held, *plan.served) if one.time == held.time}
        rooms = [one.id for one in district.rooms if one.school == lead and one.id not in taken]
        pupils = [one.id for one in district.classes if one.school == lead]
        if request.school_class and rooms and pupils:
            moved, _ = scene.with_fact(request, school_class=pupils[0], assistants=(), times=(held.time,))
            _, there = scene.with_plan(served, room=rooms[0], room_even=None, time=held.time, assistant=None)
            yield moved, there.model_copy(update={"district": ""})


@mutation("which is banned")
def a_ban_on_what_is_planned(district, plan):
    scene = Scene(district, plan)
    for served, request, lesson, _ in scene.meetings():
        lead = scene.by_id[lesson.teacher].school
        home = scene.by_id[served.room].school
        bans = [Ban(request=request.id, lesson=lesson.id), Ban(school=home, lead_school=lead, teacher=lesson.teacher)]
        if request.school_class:
            bans.append(Ban(school_class=request.school_class, teacher=lesson.teacher, request=request.id))
        for ban in bans:
            yield scene.with_district(bans=(ban,))


@mutation("is pinned to lesson")
def a_pin_to_another_lesson(district, plan):
    scene = Scene(district, plan)
    for _, request, lesson, _ in scene.meetings():
        other = next(one.id for one in district.lessons if one != lesson)
        yield scene.with_district(pins=(Pin(request=request.id, lesson=other),))


@mutation("is pinned to its place on")
def a_pin_to_another_time(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        yield scene.with_district(pins=(Pin(request=request.id, time=other_slot([served.time])),))


@mutation("is pinned to room")
def a_pin_to_another_room(district, plan):
    scene = Scene(district, plan)
    for served, request in scene.requests():
        for room in district.rooms:
            if room.school == scene.by_id[served.room].school and room.id != served.room:
                yield scene.with_district(pins=(Pin(request=request.id, room=room.id),))


def _weeks(scene, one):
    return scene.by_id[getattr(one, "request", None) or one.lesson].weeks


def noticed(words: str, violations: tuple[str, ...]) -> bool:
    return any(re.search(words, one) for one in violations)
