"""A plan on the dates of a term: who meets whom, when, by which bells; and what a lesson is known by."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hub.schedule.calendars.occurrences import Kind, expand, occurrence_id
from hub.schedule.errors import PlanWrong
from hub.schedule.generate import planted
from hub.schedule.plan import Held, Plan
from hub.schedule.terms import MakeUp, Term
from tests.hub.schedule.calendars.small import SHANGHAI, TERM, district, plan


def held(lesson, weeks=range(1, 7), day=3, term=TERM):
    return {one.week: one for one in expand(term, district(), plan(day), weeks, SHANGHAI) if one.lesson == lesson}


def test_a_lesson_is_there_on_every_date_of_its_weeks_with_the_rooms_of_that_week():
    english = held("english")
    assert {week: f"{one.date:%m-%d}" for week, one in english.items()} == {
        1: "09-02",
        2: "09-09",
        3: "09-16",
        4: "09-26",
        5: "10-07",
        6: "10-14",
    }, "week 4's Wednesday is off and made up on a Saturday; National Day's week has no number"
    assert [one.room for one in english[1].receiving] == ["two-a", "two-b"]
    assert [one.room for one in english[2].receiving] == ["two-b"], "q2 asks in odd weeks only; q1 has another room"
    assert (english[4].day, english[4].make_up) == (3, True)


def test_times_are_the_bells_of_each_school_and_what_they_have_in_common():
    one = held("english")[1]
    local = dt.datetime.fromtimestamp(one.epoch, SHANGHAI)
    assert local.isoformat() == "2026-09-02T08:50:00+08:00"
    assert (one.ends - one.epoch, one.lead.epoch) == (40 * 60, one.epoch)
    there = one.receiving[0]
    assert (there.epoch - one.epoch, there.ends - one.ends) == (300, 300)
    assert (there.common_epoch, there.common_ends) == (there.epoch, one.ends)


def test_bells_follow_the_clock_of_the_place_through_a_change_of_it():
    term = Term(id="t", first_day=dt.date(2026, 10, 19), weeks=2)
    berlin = ZoneInfo("Europe/Berlin")
    found = [one for one in expand(term, district(), plan(), range(1, 3), berlin) if one.lesson == "english"]
    assert [dt.datetime.fromtimestamp(one.epoch, berlin).hour for one in found] == [8, 8]
    assert found[1].epoch - found[0].epoch == 7 * 86_400 + 3600


def test_everybody_who_has_a_part_is_named():
    one = held("english")[1]
    assert one.parts == {
        (Kind.ROOM, "one-lead"),
        (Kind.ROOM, "two-a"),
        (Kind.ROOM, "two-b"),
        (Kind.SCHOOL, "one"),
        (Kind.SCHOOL, "two"),
        (Kind.TEACHER, "li"),
        (Kind.TEACHER, "wang"),
        (Kind.CLASS, "two-3-1"),
        (Kind.CLASS, "two-3-2"),
    }
    assert one.lead.teacher.name == "李静"
    assert [(part.class_name, part.teacher and part.teacher.name) for part in one.receiving] == [
        ("三年级 1 班", "王芳"),
        ("三年级 2 班", None),
    ]
    watched = held("watched")[2]
    assert [one.id for one in watched.receiving[0].observers] == ["zhao"]
    assert (Kind.TEACHER, "zhao") in watched.parts
    assert watched.receiving[0].school_class is None


def test_an_open_class_has_its_room_and_no_lead():
    booked = held("q4")
    assert sorted(booked) == [2, 4, 6]
    assert booked[2].lead is None
    assert booked[2].mode == "open"
    assert [one.room for one in booked[2].rooms] == ["two-a"]
    assert booked[2].slot.words("zh") == "第 2 周 周一 第 1 节"
    assert (booked[2].receiving[0].common_ends - booked[2].epoch) == 20 * 60


def test_a_lesson_that_moved_within_its_week_is_the_same_one():
    before, after = held("english"), held("english", day=4)
    assert before[2].id == after[2].id
    assert before[2].date != after[2].date
    assert len({one.id for one in expand(TERM, district(), plan(), range(1, 7), SHANGHAI)}) == 6 + 3 + 3


def test_a_make_up_day_on_top_is_a_lesson_of_its_own():
    extra = TERM.model_copy(update={"make_ups": (*TERM.make_ups, MakeUp(date=dt.date(2026, 9, 12), weeks="A", day=3))})
    found = [one for one in expand(extra, district(), plan(), [2], SHANGHAI) if one.lesson == "english"]
    assert [f"{one.date:%m-%d}" for one in found] == ["09-09", "09-12"]
    assert len({one.id for one in found}) == 2
    assert [one.room for one in found[1].receiving] == ["two-a", "two-b"], "an odd week's rooms, in an even week"


def test_a_lesson_to_which_nobody_listens_is_not_held():
    alone = Plan(held=(Held(lesson="english", time=(3, 2), room="one-lead"),))
    assert expand(TERM, district(), alone, range(1, 7), SHANGHAI) == []


def test_ids_fit_the_database_however_long_the_names_are():

    day = TERM.teaching_days[0]
    first, second = (occurrence_id("t" * 60, lesson * 60, day) for lesson in "ab")
    assert len(first) <= 64
    assert first != second


def test_what_is_not_in_the_district_is_refused_in_words():
    stranger = Plan(held=(Held(lesson="german", time=(3, 2), room="one-lead"),))
    with pytest.raises(PlanWrong, match="names lesson german, which is not in the district"):
        expand(TERM, district(), stranger, [1], SHANGHAI)
    with pytest.raises(ValueError, match="has weeks 1 to 6"):
        expand(TERM, district(), plan(), [7], SHANGHAI)


def test_a_whole_district_has_nobody_in_two_places_at_a_time():
    crowd, its_plan = planted(schools=6, rooms=24, requests=90, seed=3)
    found = expand(TERM, crowd, its_plan, range(1, 7), SHANGHAI)
    assert len({one.id for one in found}) == len(found) > 100
    busy = {}
    for one in found:
        for part in one.rooms:
            for key in [("room", part.room), *([("class", part.school_class)] if part is not one.lead else [])]:
                busy.setdefault(key, []).append((part.epoch, part.ends))
    for times in busy.values():
        times.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(times))
