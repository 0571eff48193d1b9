"""A week's planning problem is made of the facts; what does not fit is told in words, and the rest is planned."""

import datetime as dt
from typing import NamedTuple

import pytest

from hub.schedule.register.assembling import district_of
from hub.schedule.register.kinds import (
    MODELS,
    BanFact,
    BellsFact,
    ClassFact,
    ClosureFact,
    Kind,
    LessonFact,
    LimitFact,
    PinFact,
    ProgressFact,
    RequestFact,
    RoomFact,
    RulesFact,
    SchoolFact,
    TeacherFact,
    TimetableEntry,
    TimetableFact,
    WishFact,
    written,
)
from hub.schedule.register.register import Register
from hub.schedule.register.words import LANGUAGES, catalogue
from hub.schedule.slots import Bell, Window
from hub.schedule.terms import DayOff, MakeUp, Term

TERM = Term(
    id="t-1",
    first_day=dt.date(2026, 8, 31),
    weeks=18,
    days_off=(DayOff(date=dt.date(2026, 9, 9)), DayOff(date=dt.date(2026, 9, 11))),
    make_ups=(MakeUp(date=dt.date(2026, 9, 12), week=2, day=5),),
)
BELLS = (Bell(begins="08:00", ends="08:40"), Bell(begins="08:50", ends="09:30"))
ENGLISH = {"subject": "英语", "grade": 3}


class Row(NamedTuple):
    kind: str
    id: str
    data: str


def rows(*facts):
    kinds = {model: kind for kind, model in MODELS.items()}
    return [Row(kinds[type(one)], one.id, written(one)) for one in facts]


SCHOOLS = (
    SchoolFact(id="s1", name="一小", community="东片"),
    SchoolFact(id="s2", name="二小", community="东片", under_resourced=True),
    BellsFact(id="s1", school="s1", bells=BELLS),
    BellsFact(id="s2", school="s2", bells=BELLS),
    RoomFact(id="r1", school="s1", equipment=frozenset({"lead"})),
    RoomFact(id="r2", school="s2"),
    TeacherFact(id="t1", school="s1", name="李梅"),
    TeacherFact(id="t2", school="s2", subjects=("英语",)),
    TeacherFact(id="t3", school="s2", subjects=("数学",)),
    ClassFact(id="c1", school="s1", grade=3),
    ClassFact(id="c2", school="s2", grade=3, size=40),
)
ASKED = (
    LessonFact(id="l1", teacher="t1", fan_out=2, **ENGLISH),
    RequestFact(id="q1", school_class="c2", subject="英语"),
)


def of(*facts, week=1, dated=True):
    found = district_of(Register.read(rows(*facts)), TERM, week, dated=dated)
    return found.district, [one.told("en") for one in found.misfits]


def test_what_a_request_leaves_open_follows_from_class_progress_and_who_may_assist():
    district, misfits = of(
        *SCHOOLS,
        *ASKED,
        ProgressFact(id="p1", school="s2", grade=3, subject="英语", edition="人教版", unit=1),
        ProgressFact(id="p2", school_class="c2", subject="英语", week=3, unit=4),
        ProgressFact(id="p3", lesson="l1", edition="人教版", unit=3),
        week=4,
    )
    asked, lesson = district.requests[0], district.lessons[0]
    assert misfits == []
    assert (asked.grade, asked.edition, asked.unit, asked.assistants) == (3, "人教版", 4, ("t2",))
    assert (lesson.edition, lesson.unit) == ("人教版", 3)
    assert set(asked.times) == {(day, period) for day in range(1, 6) for period in (1, 2)}
    earlier, _ = of(*SCHOOLS, *ASKED, ProgressFact(id="p2", school_class="c2", subject="英语", week=3, unit=4), week=2)
    assert earlier.requests[0].unit == 1


def test_times_and_assistants_follow_the_timetable_and_whoever_teaches_then_is_away():
    district, misfits = of(
        *SCHOOLS,
        *ASKED,
        TimetableFact(
            id="c2",
            school="s2",
            entries=(
                TimetableEntry(day=1, period=1, subject="英语", teacher="t3"),
                TimetableEntry(day=2, period=1, subject="英语", teacher="t3", weeks="A"),
                TimetableEntry(day=3, period=2, subject="数学", teacher="t3"),
                TimetableEntry(day=3, period=3, subject="英语"),
            ),
        ),
        TimetableFact(
            id="c1",
            school="s1",
            entries=(
                TimetableEntry(day=4, period=1, subject="英语", teacher="t1"),
                TimetableEntry(day=4, period=2, subject="音乐", teacher="t1"),
            ),
        ),
    )
    assert district.requests[0].times == ((1, 1),)
    assert district.requests[0].assistants == ("t3",)
    assert district.lessons[0].times == ((4, 1),)
    away = {one.id: one.away for one in district.teachers}
    assert away == {"t1": (Window(day=4, first=2, last=2),), "t2": (), "t3": (Window(day=3, first=2, last=2),)}
    assert len(misfits) == 1
    assert "period 3 on Wednesday; school s2 has 2 periods" in misfits[0]


def test_what_lies_on_dates_counts_in_its_week_alone_and_on_the_day_that_a_make_up_stands_for():
    facts = (
        *SCHOOLS,
        ClosureFact(id="x1", of="room", who="r2", begins=dt.date(2026, 9, 12), ends=dt.date(2026, 9, 14), last=1),
        ClosureFact(id="x2", of="teacher", who="t1", day=2, weeks="A"),
        ClosureFact(id="x3", of="district", day=1, first=2, last=2),
        LimitFact(id="x4", school="s2", uplink=3, begins=dt.date(2026, 9, 7), ends=dt.date(2026, 9, 7)),
    )
    district, misfits = of(*facts, week=2)
    assert misfits == []
    assert district.rooms[1].down == (Window(day=5, last=1, weeks="B"), Window(day=7, last=1, weeks="B"))
    assert district.teachers[0].away == (Window(day=2, weeks="A"),)
    off = (Window(day=3, weeks="B"), Window(day=6, weeks="B"))  # what Saturday has is not held: Friday's is
    assert district.schools[0].closed == (Window(day=1, first=2, last=2), *off)
    assert [(one.day, one.weeks, one.uplink) for one in district.schools[1].uplink_limits] == [(1, "B", 3)]
    assert of(*facts, week=3)[0].rooms[1].down == (Window(day=1, last=1, weeks="A"),)
    lasting, misfits = of(*facts, week=2, dated=False)
    assert ["closures and limits lie on dates" in one for one in misfits] == [True]
    assert misfits[0].startswith("2 ")
    assert "limit x4 from 2026-09-07" in misfits[0]
    assert of(*facts, week=4, dated=False)[1] == [], "they are over by then"
    assert lasting.rooms[1].down == ()
    assert lasting.schools[0].closed == (Window(day=1, first=2, last=2),)


def test_pins_bans_wishes_and_rules_arrive_as_they_are():
    district, misfits = of(
        *SCHOOLS,
        *ASKED,
        PinFact(id="q1", request="q1", lesson="l1", time=(1, 1), room="r2"),
        BanFact(id="b1", school="s2", teacher="t1", words="同课异构"),
        WishFact(id="w1", request="q1", points=20, time=(1, 2)),
        RulesFact(unit_gap=0),
    )
    assert misfits == []
    assert (district.pins[0].room, district.bans[0].teacher, district.wishes[0].points) == ("r2", "t1", 20)
    assert district.rules.unit_gap == 0


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ([SchoolFact(id="s3", name="三小")], "school s3 三小 has no bells"),
        ([RoomFact(id="r9", school="s9")], "room r9 names school s9"),
        ([LessonFact(id="l9", teacher="t9", fan_out=1, **ENGLISH)], "lesson l9 names teacher t9"),
        ([RequestFact(id="q9", school_class="c9", subject="英语")], "request q9 names class c9"),
        ([RequestFact(id="q9", mode="master", observers=("t9",), **ENGLISH)], "request q9 names teacher t9"),
        ([RequestFact(id="q9", mode="master", observers=("t2", "t1"), **ENGLISH)], "teacher t1 of school s1"),
        ([RequestFact(id="q9", school_class="c2", assistants=("t9",), **ENGLISH)], "without"),
        ([RequestFact(id="q9", mode="master", observers=("t2",), subject="英语")], "request q9 has no grade"),
        ([RequestFact(id="q9", school_class="c2", times=((1, 7),), **ENGLISH)], "names period 7 on Monday"),
        ([PinFact(id="q9", request="q9")], "pin q9 names request q9"),
        ([*ASKED, PinFact(id="q1", request="q1", room="r1")], "room r1, which is not of school s2"),
        ([*ASKED, PinFact(id="q1", request="q1", time=(1, 3))], "pin q1 names period 3"),
        ([BanFact(id="b9", school="s2", lead_school="s9")], "ban b9 names school s9"),
        ([WishFact(id="w9", request="q9", points=1)], "wish w9 names request q9"),
        ([ClosureFact(id="x9", of="room", who="r9", day=1)], "closure x9 names room r9"),
        ([LimitFact(id="x9", school="s9", uplink=1, day=1)], "uplink limit x9 names school s9"),
    ],
)
def test_what_does_not_fit_is_told_and_the_rest_is_planned(facts, told):
    district, misfits = of(*SCHOOLS, *facts)
    assert len(district.schools) == 2
    assert told in misfits[0]


def test_a_fact_that_cannot_be_read_is_told_and_the_rest_is_planned():
    register = Register.read([*rows(*SCHOOLS), Row("room", "r9", '{"id": "r9"}'), Row("star", "x", "{}")])
    found = district_of(register, TERM, 1)
    assert len(found.district.rooms) == 2
    assert ["r9" in found.misfits[0].told("zh"), "star" in found.misfits[1].told("zh")] == [True, True]


def test_a_week_that_the_term_does_not_have_is_refused():
    with pytest.raises(ValueError, match="weeks 1 to 18"):
        of(*SCHOOLS, week=19)


def test_every_fact_is_read_as_it_was_written():
    for row in rows(*SCHOOLS, *ASKED, TERM, RulesFact(), PinFact(id="q1", request="q1")):
        model = MODELS[Kind(row.kind)]
        assert written(model.model_validate_json(row.data)) == row.data


def test_both_languages_say_the_same_things():
    zh, en = (catalogue(language) for language in LANGUAGES)
    assert zh.keys() == en.keys()
