"""An explanation names what is in the way, and what it proposes does serve the request."""

import pytest

from hub.schedule.check import check
from hub.schedule.district import District, Rules
from hub.schedule.explain.explaining import explain, with_fix
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.generate import planted
from hub.schedule.plan import Held, Plan, Served
from hub.schedule.slots import Bell, Window
from hub.schedule.wants import Ban, Lesson, Request

BELLS = tuple(Bell(begins=f"{hour:02}:00", ends=f"{hour:02}:40") for hour in range(8, 11))
LATE = tuple(Bell(begins=f"{hour:02}:15", ends=f"{hour:02}:55") for hour in range(8, 11))
ENGLISH = {"subject": "英语", "grade": 3}
FIRST, SECOND = (1, 1), (1, 2)
EARLY = Window(day=1, first=1, last=1)


@pytest.fixture(scope="module")
def large():
    district, plan = planted(seed=3, schools=12, rooms=50, requests=200)
    return district, plan, explain(district, plan)


def lesson(**more):
    return Lesson(**{"id": "l", "teacher": "ann", "fan_out": 3, "times": (FIRST,), **ENGLISH, **more})


def asked(**more):
    return Request(**{"id": "q", "school_class": "k1", "times": (FIRST,), "assistants": ("ma",), **ENGLISH, **more})


def village(**changes):
    """Class k0 follows Ann's lesson with Li's assistance; k1, with Ma's, would like to."""
    parts = {
        "schools": (School(id="lead", name="一小", bells=BELLS), School(id="two", name="二小", bells=BELLS)),
        "rooms": (
            Room(id="stage", school="lead", equipment=frozenset({"lead"})),
            Room(id="room1", school="two"),
            Room(id="room2", school="two"),
        ),
        "teachers": (
            Teacher(id="ann", school="lead", name="安"),
            Teacher(id="li", school="two", name="李"),
            Teacher(id="ma", school="two", name="马"),
        ),
        "classes": tuple(SchoolClass(id=one, school="two", name=f"三年级{one}") for one in ("k0", "k1")),
        "lessons": (lesson(),),
        "requests": (
            Request(id="q0", school_class="k0", times=(FIRST,), assistants=("li",), **ENGLISH),
            asked(),
        ),
    }
    return District(**{**parts, **changes})


PLAN = Plan(
    held=(Held(lesson="l", time=FIRST, room="stage"),),
    served=(Served(request="q0", lesson="l", time=FIRST, room="room1", assistant="li"),),
)
TOWN = village()
Q0 = TOWN.requests[0]


def teachers(**away):
    return tuple(one.model_copy(update={"away": (EARLY,)} if one.id in away else {}) for one in TOWN.teachers)


CASES = {
    "fan-out": ({"lessons": (lesson(fan_out=1),)}, "fan-out-full", "已带满 1 个", ("fan-out",)),
    "no other room": ({"rooms": TOWN.rooms[:2]}, "rooms-full", "二小 周一 第 1 节教室已满", ("add-room",)),
    "a room without a camera": (
        {"rooms": (*TOWN.rooms[:2], Room(id="plain", school="two", equipment=frozenset()))},
        "rooms-full",
        "room1：二小 三年级k0 的三年级英语",
        ("equip-room",),
    ),
    "a room that is down": (
        {"rooms": (*TOWN.rooms[:2], Room(id="room2", school="two", down=(EARLY,)))},
        "rooms-full",
        "room2：停用",
        ("room-up",),
    ),
    "a thin line": (
        {"schools": (TOWN.schools[0], School(id="two", name="二小", bells=BELLS, uplink=1))},
        "uplink-full",
        "二小 周一 第 1 节上行已满",
        ("uplink",),
    ),
    "a ban": ({"bans": (Ban(request="q", teacher="ann"),)}, "ban", "禁排", ("ban",)),
    "units apart": ({"requests": (Q0, asked(unit=4))}, "unit", "单元相差 3", ("unit-gap",)),
    "another slot": ({"requests": (Q0, asked(times=(SECOND,)))}, "time", "不在可排节次内", ("allow-time",)),
    "a class away": (
        {"classes": (TOWN.classes[0], SchoolClass(id="k1", school="two", name="三年级k1", away=(EARLY,)))},
        "away",
        "二小 三年级k1 周一 第 1 节不在",
        ("present",),
    ),
    "an assistant away, nobody else free": ({"teachers": teachers(ma=1)}, "away", "马 周一 第 1 节不在", ("present",)),
    "an assistant busy, somebody else free": (
        {"requests": (Q0, asked(assistants=("li",)))},
        "assistant-busy",
        "李 周一 第 1 节有 二小 三年级k0 的三年级英语",
        ("assistant",),
    ),
    "weeks": ({"lessons": (lesson(weeks="A"),), "requests": (Q0.model_copy(update={"weeks": "A"}), asked())}, "weeks",
              "周次不合", ("weeks",)),
    "short overlap": (
        {
            "schools": (*TOWN.schools, School(id="three", name="三小", bells=LATE)),
            "rooms": (*TOWN.rooms, Room(id="room3", school="three")),
            "classes": (TOWN.classes[0], SchoolClass(id="k1", school="three", name="三年级k1")),
            "requests": (Q0, asked(assistants=())),
        },
        "overlap",
        "两校共同时间只有 25 分钟",
        ("min-overlap",),
    ),
    "both": (
        {"lessons": (lesson(fan_out=1),), "rooms": TOWN.rooms[:2]},
        "fan-out-full",
        "教室已满",
        ("fan-out", "add-room"),
    ),
    "room for it": ({}, None, "可以安排", ()),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "kind", "words", "fix"), CASES.values(), ids=CASES)
def test_what_is_in_the_way_is_named_and_the_change_serves(changes, kind, words, fix):
    district = village(**changes)
    assert check(district, PLAN).violations == ()
    (found,) = explain(district, PLAN)
    assert found.request == "q"
    assert found.reasons[0].lesson == "l"
    assert kind is None or kind in found.reasons[0].kinds
    assert words in found.reasons[0].words.zh
    assert found.fix is not None
    assert tuple(one.kind for one in found.fix.changes) == fix
    verify(district, PLAN, found)


def verify(district, plan, found):
    """That with the change it is served and nobody loses anything, and that without it the same plan would be wrong."""
    changed, after = with_fix(district, plan, found.fix)
    assert check(changed, after).violations == ()
    before = {one.request: one for one in plan.served}
    now = {one.request: one for one in after.served}
    assert set(now) == {*before, found.request}
    for name, one in before.items():
        assert (one.lesson, one.time, one.assistant) == (now[name].lesson, now[name].time, now[name].assistant)
    held = {one.lesson: one.time for one in after.held}
    assert all(held[one.lesson] == one.time for one in plan.held)
    unchanged = after.model_copy(update={"district": ""})
    if found.fix.changes and found.fix.changes[0].kind != "weeks":  # a plan in fewer weeks than asked names no weeks
        assert check(district, unchanged).violations


LEAD_CASES = {
    "a lead teacher away": ({"away": (EARLY,)}, {}, "away", "present"),
    "a full day": ({"most_a_day": 1}, {}, "most-a-day", "most-a-day"),
    "no slot that meets": ({}, {"times": (SECOND,)}, "lead-time", "lesson-time"),
}


@pytest.mark.parametrize(("teacher", "second", "kind", "change"), LEAD_CASES.values(), ids=LEAD_CASES)
def test_a_lesson_that_is_not_held_is_explained_at_its_school(teacher, second, kind, change):
    """Ann offers mathematics, too, which only class k1 asks for."""
    maths = {"subject": "数学", "grade": 3}
    pupils = TOWN.classes[1].model_copy(update={"away": (Window(day=1, first=1, last=2),)})
    offered = Lesson(**{"id": "m", "teacher": "ann", "fan_out": 1, "times": ((1, 3),), **maths, **second})
    away = {"away": (Window(day=1, first=3, last=3),)} if "away" in teacher else teacher
    district = village(
        teachers=(Teacher(id="ann", school="lead", name="安", **away), *TOWN.teachers[1:]),
        lessons=(lesson(), offered),
        requests=(Q0, Request(id="q", school_class="k1", assistants=("ma",), times=((1, 3),), **maths)),
        classes=(TOWN.classes[0], pupils),
    )
    (found,) = explain(district, PLAN)
    assert kind in found.reasons[0].kinds
    assert [one.kind for one in found.fix.changes] == [change]
    verify(district, PLAN, found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"edition": "北师大版"}, "教材版本不同（未注明，需要北师大版）"),
        ({"grade": 4}, "年级不同（三年级，需要四年级）"),
    ],
)
def test_where_no_lesson_is_of_the_topic_the_nearest_are_told(change, words):
    district = village(requests=(Q0, asked(**change)))
    (found,) = explain(district, PLAN)
    assert found.reasons[0].kinds == ("topic",)
    assert words in found.reasons[1].words.zh
    assert found.fix.changes[0].kind == "add-lesson"
    assert "请 一小 安" in found.fix.words.zh
    verify(district, PLAN, found)


def test_a_class_that_is_busy_cannot_be_in_two_places():
    district = village(
        lessons=(lesson(), Lesson(id="m", teacher="bo", fan_out=1, times=(FIRST,), subject="数学", grade=3)),
        teachers=(*TOWN.teachers, Teacher(id="bo", school="lead")),
        rooms=(*TOWN.rooms, Room(id="stage2", school="lead", equipment=frozenset({"lead"}))),
        requests=(Q0, asked(), Request(id="q2", school_class="k1", times=(FIRST,), subject="数学", grade=3)),
    )
    plan = Plan(
        held=(*PLAN.held, Held(lesson="m", time=FIRST, room="stage2")),
        served=(*PLAN.served, Served(request="q2", lesson="m", time=FIRST, room="room2")),
    )
    assert check(district, plan).violations == ()
    (found,) = explain(district, plan)
    assert "class-busy" in found.reasons[0].kinds
    assert "已排 二小 三年级k1 的三年级数学" in found.reasons[0].words.zh
    assert found.fix.changes[0].kind == "add-lesson"
    assert found.fix.served[0].time != FIRST
    verify(district, plan, found)


def test_where_nothing_helps_it_is_said():
    closed = tuple(Window(day=day) for day in range(1, 6))
    district = village(
        schools=(*TOWN.schools, School(id="three", name="三小", bells=BELLS, closed=closed)),
        rooms=(*TOWN.rooms, Room(id="room3", school="three")),
        classes=(TOWN.classes[0], SchoolClass(id="k1", school="three", name="三年级k1")),
        requests=(Q0, asked(assistants=())),
    )
    (found,) = explain(district, PLAN)
    assert "closed" in found.reasons[0].kinds
    assert "三小 周一 第 1 节停课" in found.reasons[0].words.zh
    assert found.fix is None
    assert found.no_fix is not None


def test_only_those_asked_about_are_explained(large):
    district, plan, found = large
    one = found[3].request
    assert [each.request for each in explain(district, plan, [one, plan.served[0].request])] == [one]
    assert {each.request for each in found} == {each.id for each in district.requests} - {
        each.request for each in plan.served
    }


def test_every_change_that_is_proposed_in_a_large_district_serves(large):
    district, plan, found = large
    assert len(found) == 20
    assert sum(one.fix is not None for one in found) >= 12
    for one in found:
        assert (one.fix is None) != (one.no_fix is None)
        assert one.reasons
        if one.fix is not None:
            verify(district, plan, one)


def test_rules_that_are_loose_are_kept_so():
    loose = village(rules=Rules(min_overlap_minutes=5), requests=(Q0, asked()))
    assert explain(loose, PLAN)[0].fix.changes == ()


def test_a_lesson_that_is_full_of_classes_from_elsewhere_is_not_taken_for_empty():
    town = village(
        schools=(*TOWN.schools, School(id="three", name="三小", bells=BELLS)),
        rooms=(
            *TOWN.rooms,
            Room(id="stage2", school="lead", equipment=frozenset({"lead"})),
            Room(id="room3", school="three"),
        ),
        teachers=(*TOWN.teachers, Teacher(id="bob", school="lead", name="鲍")),
        classes=(*TOWN.classes, SchoolClass(id="k9", school="three", name="三年级k9")),
        lessons=(lesson(fan_out=1, unit=2), lesson(id="m", teacher="bob", fan_out=1)),
        requests=(*TOWN.requests, Request(id="q9", school_class="k9", times=(FIRST,), **ENGLISH)),
    )
    plan = Plan(
        held=(*PLAN.held, Held(lesson="m", time=FIRST, room="stage2")),
        served=(*PLAN.served, Served(request="q9", lesson="m", time=FIRST, room="room3")),
    )
    assert check(town, plan).holds
    (found,) = explain(town, plan)
    assert [one.kind for one in found.fix.changes] == ["fan-out"]
    facts, after = with_fix(town, plan, found.fix)
    assert check(facts, after).violations == ()
    assert {one.request for one in after.served} == {"q", "q0", "q9"}
