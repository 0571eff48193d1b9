"""Where there is no room, a few others move, and nobody else loses anything by it."""

import pytest

from hub.schedule.check import check
from hub.schedule.district import District
from hub.schedule.errors import DisruptionWrong
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.generate import Extras, planted
from hub.schedule.plan import Held, Plan, Served
from hub.schedule.repair.disruption import RoomDown, SchoolClosed, TeacherSick
from hub.schedule.repair.names import Names
from hub.schedule.repair.replan import facts_of, replan
from hub.schedule.repair.world import Fixed, week_until
from hub.schedule.slots import Bell, Window
from hub.schedule.wants import Lesson, Pin, Request

BELLS = tuple(Bell(begins=f"{hour:02}:00", ends=f"{hour:02}:40") for hour in range(8, 12))
FIRST, SECOND = (1, 1), (1, 2)
EARLY = Window(day=1, first=1, last=1)


def lesson(name, teacher, times, **more):
    return Lesson(id=name, teacher=teacher, times=times, **{"subject": name, "grade": 3, "fan_out": 3, **more})


def request(name, school_class, follows, times=(FIRST, SECOND), **more):
    return Request(id=name, school_class=school_class, subject=follows, grade=3, times=times, **more)


def town(**changes):
    """Two schools with one room each, which is taken in the second period when lesson `a` moves there."""
    parts = {
        "schools": tuple(School(id=one, name=one, bells=BELLS) for one in ("lead", "two", "three")),
        "rooms": (
            *(Room(id=f"lead{one}", school="lead", equipment=frozenset({"lead"})) for one in range(3)),
            Room(id="room2", school="two"),
            Room(id="room3", school="three"),
        ),
        "teachers": tuple(Teacher(id=one, school="lead", most_a_day=4) for one in ("ann", "bo", "cai")),
        "classes": tuple(
            SchoolClass(id=f"{one}{number}", school=school)
            for one, school in (("k", "two"), ("m", "three"))
            for number in (1, 2)
        ),
        "lessons": (
            lesson("a", "ann", (FIRST, SECOND)),
            lesson("b", "bo", (FIRST, SECOND)),
            lesson("c", "cai", (FIRST, SECOND)),
        ),
        "requests": (
            request("k1a", "k1", "a"),
            request("m1a", "m1", "a"),
            request("k2b", "k2", "b"),
            request("m2c", "m2", "c"),
        ),
    }
    return District(**{**parts, **changes})


PLAN = Plan(
    held=(
        Held(lesson="a", time=FIRST, room="lead0"),
        Held(lesson="b", time=SECOND, room="lead1"),
        Held(lesson="c", time=SECOND, room="lead2"),
    ),
    served=(
        Served(request="k1a", lesson="a", time=FIRST, room="room2"),
        Served(request="m1a", lesson="a", time=FIRST, room="room3"),
        Served(request="k2b", lesson="b", time=SECOND, room="room2"),
        Served(request="m2c", lesson="c", time=SECOND, room="room3"),
    ),
)
ANN_LATE = TeacherSick(teacher="ann", windows=(EARLY,))


def test_the_plan_of_these_tests_holds():
    assert check(town(), PLAN).violations == ()


@pytest.mark.parametrize(("most", "lost"), [(0, 2), (1, 1), (2, 0), (3, 0)])
def test_no_more_move_than_may(most, lost):
    ways = replan(town(), PLAN, ANN_LATE, most_moved=most)
    assert len(ways[0].lost) == lost
    assert ways[0].sessions_moved == len(ways[0].moved) == 2 - lost
    assert check(facts_of(town(), PLAN, ways[0]), ways[0].plan).violations == ()
    assert next(way for way in ways if way.kind == "nobody-moves").lost == ("k1a", "m1a")


@pytest.mark.parametrize(
    ("pins", "fixed"),
    [
        ((Pin(request="k2b"),), Fixed()),
        ((), Fixed(requests=frozenset({"k2b"}))),
        ((), Fixed(lessons=frozenset({"b"}))),
    ],
)
def test_whoever_may_not_move_is_not_asked_to(pins, fixed):
    best = replan(town(pins=pins), PLAN, ANN_LATE, fixed=fixed)[0]
    assert best.moved == ("m2c",)
    assert best.lost == ("k1a",)
    assert PLAN.served[2] in best.plan.served


def test_a_lesson_that_moves_with_its_classes_is_one_session():
    both = (*town().requests[:3], request("m2b", "m2", "b"))
    served = (*PLAN.served[:3], Served(request="m2b", lesson="b", time=SECOND, room="room3"))
    plan = Plan(held=PLAN.held[:2], served=served)
    assert check(town(requests=both), plan).violations == ()
    best = replan(town(requests=both), plan, ANN_LATE, most_moved=1)[0]
    assert (best.lost, best.moved, best.sessions_moved) == ((), ("k2b", "m2b"), 1)
    assert "1 others move" in best.words.en
    pinned = town(requests=both, pins=(Pin(request="m2b", time=SECOND),))
    assert "k2b" not in replan(pinned, plan, ANN_LATE, most_moved=3)[0].moved


def test_nobody_who_is_served_gives_way_for_good():
    odd = request("k1a", "k1", "a", (FIRST, SECOND), weeks="A", weight=9)
    even = request("k2a", "k2", "a", (FIRST, SECOND), weeks="B", weight=9)
    stays = request("k3b", "k3", "b", (SECOND,))
    district = town(classes=(*town().classes, SchoolClass(id="k3", school="two")), requests=(odd, even, stays))
    plan = Plan(
        held=PLAN.held[:2],
        served=(
            Served(request="k1a", lesson="a", time=FIRST, room="room2"),
            Served(request="k2a", lesson="a", time=FIRST, room="room2"),
            Served(request="k3b", lesson="b", time=SECOND, room="room2"),
        ),
    )
    assert check(district, plan).violations == ()
    for way in replan(district, plan, ANN_LATE):
        assert way.lost == ("k1a", "k2a")


def test_who_loses_least_gives_way_where_a_room_is_down():
    rooms = (*town().rooms, Room(id="spare", school="two"))
    light, heavy = request("k1a", "k1", "a", (FIRST,)), request("k2a", "k2", "a", (FIRST,), weight=3)
    served = (
        Served(request="k1a", lesson="a", time=FIRST, room="room2"),
        Served(request="k2a", lesson="a", time=FIRST, room="spare"),
    )
    district, plan = town(rooms=rooms, requests=(light, heavy)), Plan(held=PLAN.held[:1], served=served)
    best = replan(district, plan, RoomDown(room="spare", windows=(EARLY,)))[0]
    assert best.lost == ("k1a",)
    assert [(one.request, one.room) for one in best.plan.served] == [("k2a", "room2")]
    assert [one.kind for one in best.changes if one.request == "k2a"] == ["room"]


def test_a_postponed_lesson_keeps_its_classes():
    alone = town(requests=town().requests[:2])
    plan = Plan(held=PLAN.held[:1], served=PLAN.served[:2])
    best = replan(alone, plan, SchoolClosed(school="lead", windows=(EARLY,)))[0]
    assert best.lost == ()
    assert best.plan.held[0].time == SECOND
    moved = next(one for one in best.changes if one.kind == "lesson-moved")
    assert "由周一 第 1 节改到周一 第 2 节" in moved.words.zh
    assert "from Monday, period 1 to Monday, period 2" in moved.words.en


def test_what_is_over_is_not_called_off_and_from_the_next_week_on_it_goes_elsewhere():
    alone = town(requests=town().requests[:2])
    plan = Plan(held=PLAN.held[:1], served=PLAN.served[:2])
    closed = SchoolClosed(school="lead", windows=(EARLY,))
    at_half_past_eight = week_until(1, "08:30")
    with pytest.raises(DisruptionWrong, match="all of it is over"):
        replan(alone, plan, closed, fixed=Fixed(until=at_half_past_eight))
    best = replan(alone, plan, closed, fixed=Fixed(until=at_half_past_eight, onwards=True))[0]
    assert best.lost == ()
    assert best.plan.held[0].time == SECOND
    whole_day = SchoolClosed(school="two", windows=(Window(day=1),))
    (keeps,) = replan(alone, plan, whole_day, fixed=Fixed(until=at_half_past_eight))
    assert (keeps.kind, keeps.hit) == ("keep", ())


def test_where_a_room_is_down_whoever_is_pinned_changes_rooms_rather_than_being_lost():
    """Only room C and B have what k2 needs; k1 sits in B, could as well be in A, and has to give way."""
    lab = frozenset({"receiving", "lab"})
    rooms = (
        *town().rooms[:3],
        Room(id="A", school="two"),
        *(Room(id=one, school="two", equipment=lab) for one in "BC"),
    )
    asked = (request("k1a", "k1", "a", (FIRST,)), request("k2a", "k2", "a", (FIRST,), needs=frozenset({"lab"})))
    district = town(rooms=rooms, requests=asked, pins=(Pin(request="k1a"), Pin(request="k2a")))
    served = tuple(Served(request=one, lesson="a", time=FIRST, room=room) for one, room in (("k1a", "B"), ("k2a", "C")))
    plan = Plan(held=PLAN.held[:1], served=served)
    assert check(district, plan).violations == ()
    best = replan(district, plan, RoomDown(room="C", windows=(EARLY,)))[0]
    assert (best.kind, best.hit, best.moved) == ("keep", (), ())
    assert {one.request: one.room for one in best.plan.served} == {"k1a": "A", "k2a": "B"}
    assert [one.kind for one in best.changes] == ["room", "room"]


def test_everything_that_a_district_can_have_is_repaired():
    district, plan = planted(9, 36, 110, 1, Extras.every(0.3))
    names = Names(district)
    wednesday = Fixed(until=week_until(3, "10:00"))
    modes = set()
    first = {names.requests[one.request].mode: one for one in reversed(plan.served)}
    for served in (*first.values(), *plan.served[::20]):
        asked = names.requests[served.request]
        modes.add(asked.mode)
        home, window = names.home(asked).id, Window(day=served.time[0])
        happened = [RoomDown(room=served.room, windows=(window,)), SchoolClosed(school=home, windows=(window,))]
        happened += [TeacherSick(teacher=one, windows=(window,)) for one in names.people(asked, served.assistant)[:1]]
        for one in happened:
            if served.time[0] < 3:
                with pytest.raises(DisruptionWrong, match="all of it is over"):
                    replan(district, plan, one, fixed=wednesday)
                continue
            for way in replan(district, plan, one, fixed=wednesday):
                assert check(facts_of(district, plan, way), way.plan).violations == ()
                assert way.sessions_moved <= 3
    assert modes == {"delivery", "master", "open"}
