"""A repair: what may not move stays, few others move, and every way out is a plan that holds."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.schedule.check import check
from hub.schedule.errors import DisruptionWrong
from hub.schedule.generate import planted
from hub.schedule.repair.disruption import (
    ClassSwap,
    LessonExtended,
    RoomDown,
    SchoolClosed,
    Substitute,
    TeacherSick,
    UplinkHalved,
)
from hub.schedule.repair.names import Names
from hub.schedule.repair.replan import facts_of, replan
from hub.schedule.repair.week import in_week, plan_in_week
from hub.schedule.repair.world import Fixed, week_until
from hub.schedule.slots import Window
from hub.schedule.wants import Pin

DISTRICT, PLAN = planted(schools=8, rooms=30, requests=90, seed=4)
NAMES = Names(DISTRICT)
HELD = {one.lesson: one for one in PLAN.held}
SERVED = {one.request: one for one in PLAN.served}
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def disruptions(draw):
    """Anything that can happen to somebody who is in the plan."""
    week = draw(st.sampled_from([None, "A", "B"]))
    here = [one for one in PLAN.served if week in {None, *NAMES.requests[one.request].weeks}]
    served = draw(st.sampled_from(here))
    lesson, held = NAMES.lessons[served.lesson], HELD[served.lesson]
    window = Window(day=served.time[0], first=1, last=draw(st.sampled_from([4, 20])))
    school_class = NAMES.requests[served.request].school_class
    school = draw(st.sampled_from([NAMES.classes[school_class].school, NAMES.teachers[lesson.teacher].school]))
    mates = [one.id for one in DISTRICT.teachers if one.school == NAMES.teachers[lesson.teacher].school]
    kinds = [
        TeacherSick(week=week, teacher=lesson.teacher, windows=(window,)),
        TeacherSick(week=week, teacher=served.assistant, windows=(window,)),
        RoomDown(week=week, room=draw(st.sampled_from([served.room, held.room])), windows=(window,)),
        ClassSwap(week=week, school_class=school_class, first=served.time, second=(served.time[0] % 5 + 1, 1)),
        ClassSwap(week=week, school_class=school_class, first=served.time),
        Substitute(week=week, lesson=lesson.id, teacher=draw(st.sampled_from(mates))),
        UplinkHalved(week=week, school=school, windows=(window,)),
        SchoolClosed(week=week, school=school, windows=(window,)),
        LessonExtended(week=week, lesson=lesson.id, minutes=draw(st.integers(5, 60))),
    ]
    return draw(st.sampled_from(kinds))


def weight(way):
    return sum(NAMES.requests[one].weight for one in way.lost)


def as_planned(plan, request):
    """Where and by whom a request is served, with the time at which its lesson is held."""
    served = next((one for one in plan.served if one.request == request), None)
    if served is None:
        return None
    held = next((one for one in plan.held if one.lesson == served.lesson), None)
    return served.lesson, served.time, served.assistant, held and held.time


def along(before, after, request):
    """The lesson with which a request went to another time; None where it went by itself."""
    was, now = as_planned(before, request), as_planned(after, request)
    return was[0] if was[0] == now[0] and was[3] != now[3] else None


@quick
@given(disruption=disruptions(), most=st.integers(0, 3))
def test_every_way_out_holds_and_moves_few(disruption, most):
    before = plan_in_week(PLAN, DISTRICT, disruption.week) if disruption.week else PLAN
    ways = replan(DISTRICT, PLAN, disruption, most_moved=most)
    assert 1 <= len(ways) <= 4
    assert weight(ways[0]) == min(weight(way) for way in ways)
    for way in ways:
        assert check(facts_of(DISTRICT, PLAN, way), way.plan).violations == ()
        served = {one.request for one in before.served}
        moved = {one for one in served - set(way.hit) if as_planned(way.plan, one) != as_planned(before, one)}
        assert moved == set(way.moved)
        sessions = {along(before, way.plan, one) or one for one in moved}
        assert way.sessions_moved == len(sessions) <= most
        assert served - {one.request for one in way.plan.served} == set(way.lost) <= set(way.hit)
        assert {one.request for one in way.plan.served} <= served
        told = {one.request for one in way.changes if one.kind in {"lost", "placed", "moved", "assistant"}}
        assert told >= moved | set(way.lost)
    lost = {way.kind: set(way.lost) for way in ways}
    if {"some-move", "nobody-moves"} <= set(lost):
        assert lost["some-move"] < lost["nobody-moves"]
    assert len({(one.plan.held, one.plan.served) for one in ways}) == len(ways)


@quick
@given(disruption=disruptions(), draws=st.data())
def test_what_is_pinned_or_running_never_moves(disruption, draws):
    pinned = draws.draw(st.lists(st.sampled_from(sorted(SERVED)), max_size=25, unique=True))
    running = draws.draw(st.lists(st.sampled_from(sorted(HELD)), max_size=8, unique=True))
    named = draws.draw(st.lists(st.sampled_from(sorted(SERVED)), max_size=8, unique=True))
    until = draws.draw(st.sampled_from([{}, week_until(2, "12:00"), week_until(4, "09:00"), {1: "10:00", 3: "24:00"}]))
    pins = [Pin(request=one, lesson=SERVED[one].lesson, time=SERVED[one].time) for one in pinned]
    district = DISTRICT.model_copy(update={"pins": tuple(pins)})
    fixed = Fixed(requests=frozenset(named), lessons=frozenset(running), until=until)
    before = plan_in_week(PLAN, district, disruption.week) if disruption.week else PLAN
    try:
        ways = replan(district, PLAN, disruption, fixed=fixed, most_moved=3)
    except DisruptionWrong as error:
        assert str(error).startswith("all of it is over")
        return
    for way in ways:
        for one in before.served:
            still = one.request in named or one.lesson in running or begun(until, one)
            now = as_planned(way.plan, one.request)
            if still:  # it may be hit and lost, but goes nowhere
                assert now in {None, as_planned(before, one.request)}
                both = begun(until, one) and led_before(until, one)
                if both and isinstance(disruption, TeacherSick | SchoolClosed):
                    assert now is not None  # what is to come takes nothing away that was held
                assert now is not None or one.request in way.lost
                if now is not None and not isinstance(disruption, (RoomDown, LessonExtended)):
                    assert one in way.plan.served  # in the same room, too
            elif one.request in pinned and now is not None:
                assert now[:2] == as_planned(before, one.request)[:2]
        held = {one.lesson: one for one in before.held}
        for lesson in set(running) & set(held):
            followed = {one.request for one in way.plan.served if one.lesson == lesson}
            assert followed <= {one.request for one in before.served if one.lesson == lesson}
            now = next((one for one in way.plan.held if one.lesson == lesson), None)
            assert now is None or now.time == held[lesson].time


def led_before(until, served):
    lead = NAMES.lead_school(NAMES.lessons[served.lesson])
    day, period = HELD[served.lesson].time
    return lead.bells[period - 1].begins < until.get(day, "")


def begun(until, served):
    day, period = served.time
    return NAMES.home(NAMES.requests[served.request]).bells[period - 1].begins < until.get(day, "")


def test_the_same_disruption_has_the_same_ways_out():
    closed = SchoolClosed(week="A", school=DISTRICT.schools[0].id, windows=(Window(day=1), Window(day=2)))
    first = replan(DISTRICT, PLAN, closed)
    assert first == replan(DISTRICT, PLAN, closed)
    assert any(way.lost or way.placed for way in first)


def test_one_week_is_repaired_alone():
    assert any(one.weeks == "A" for one in DISTRICT.requests)
    assert any(one.weeks == "B" for one in DISTRICT.requests)
    district, plan = in_week(DISTRICT, "B"), plan_in_week(PLAN, DISTRICT, "B")
    assert {one.weeks for one in (*district.lessons, *district.requests)} == {"B"}
    assert check(district, plan.model_copy(update={"district": ""})).violations == ()
    gone = {one.id for one in DISTRICT.requests if one.weeks == "A"}
    assert not gone & {one.request for one in plan.served}
    assert {one.request for one in PLAN.served} - gone == {one.request for one in plan.served}


@pytest.mark.parametrize(
    "disruption",
    [
        TeacherSick(teacher="nobody", windows=(Window(day=1),)),
        RoomDown(room="nowhere", windows=(Window(day=1),)),
        ClassSwap(school_class=DISTRICT.classes[0].id, first=(1, 1), second=(1, 20)),
        Substitute(lesson=DISTRICT.lessons[0].id, teacher="nobody"),
        LessonExtended(lesson="none"),
    ],
)
def test_what_cannot_have_happened_is_refused_in_words(disruption):
    with pytest.raises(DisruptionWrong, match=r"nobody|nowhere|no period 20|none"):
        replan(DISTRICT, PLAN, disruption)


def test_a_pin_that_is_broken_is_given_up_and_told():
    served = PLAN.served[0]
    home = NAMES.home(NAMES.requests[served.request])
    pins = (Pin(request=served.request, time=served.time),)
    district = DISTRICT.model_copy(update={"pins": pins})
    ways = replan(district, PLAN, SchoolClosed(school=home.id, windows=(Window(day=served.time[0]),)))
    for way in ways:
        assert way.unpinned == (served.request,)
        assert served.request in way.lost
        assert [one.request for one in way.changes if one.kind == "unpinned"] == [served.request]
        assert facts_of(district, PLAN, way).pins == ()


def test_a_free_colleague_of_the_same_subject_steps_in():
    lesson = NAMES.lessons[PLAN.held[0].lesson]
    sick = NAMES.teachers[lesson.teacher]
    colleague = sick.model_copy(update={"id": "colleague", "name": "任"})
    offered = lesson.model_copy(update={"id": "offered", "teacher": colleague.id, "times": (PLAN.held[0].time,)})
    district = DISTRICT.model_copy(
        update={"teachers": (*DISTRICT.teachers, colleague), "lessons": (*DISTRICT.lessons, offered)}
    )
    best = replan(district, PLAN, TeacherSick(teacher=sick.id, windows=(Window(day=PLAN.held[0].time[0]),)))[0]
    assert best.kind == "substitute"
    assert Substitute(teacher="colleague", lesson=lesson.id) in best.facts
    assert not best.moved
    assert next(one for one in best.plan.held if one.lesson == lesson.id).time == PLAN.held[0].time
    told = [one for one in best.changes if one.kind == "substitute"]
    assert "任" in told[0].words.zh
    assert ("teacher", sick.id) in best.for_whom()


def test_whoever_has_to_know_is_told_with_names():
    served = PLAN.served[0]
    home = NAMES.home(NAMES.requests[served.request])
    closed = SchoolClosed(week=None, school=home.id, windows=tuple(Window(day=day) for day in range(1, 6)))
    best = replan(DISTRICT, PLAN, closed)[0]
    pupils = NAMES.requests[served.request].school_class
    lost = next(one for one in best.for_whom()["class", pupils] if one.request == served.request)
    assert lost.kind == "lost"
    assert NAMES.school_class(pupils) in lost.words.zh
    assert f"第 {served.time[1]} 节" in lost.words.zh
    lead = NAMES.lessons[served.lesson].teacher
    assert lost in best.for_whom()["teacher", lead]
