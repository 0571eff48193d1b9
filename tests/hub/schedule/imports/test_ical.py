"""Calendars that schools bring: holidays, closures, absences; on the district's own clock."""

import json

import pytest

from hub.schedule.imports import ical
from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.register.kinds import Kind
from tests.hub.schedule.imports.test_tables import BELLS, SCHOOLS, csv, facts

PEOPLE = csv("teachers.csv", "学校,编号,姓名\ns1,t1,李梅\ns1,t2,王芳\n")
ROOMS = csv("rooms.csv", "学校,编号,名称\ns1,r1,录播教室\n")
TERM = csv("terms.csv", "编号,第一周周一,周数\nautumn,2026-08-31,18\n")
YEAR = csv("calendar.csv", "学期,日期,类型\nautumn,2026-10-01,放假\n")


IN_A_FOLDER = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Asia:20261012T083000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
"""Its time zone is the name of a folder of time zones."""


@pytest.fixture(scope="module")
def known():
    return facts(propose([SCHOOLS, BELLS, PEOPLE, ROOMS, TERM, YEAR], [], Wanted()))


def calendar(*events):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//school//", *(line for event in events for line in event)]
    return Brought("school.ics", "\r\n".join([*lines, "END:VCALENDAR", ""]).encode())


def event(*lines):
    return ["BEGIN:VEVENT", *lines, "END:VEVENT"]


def closures(proposal):
    assert [one.told("en") for one in proposal.mistakes] == []
    found = [json.loads(one.after) for one in proposal.changes]
    return [
        (one["of"], one["who"], one["begins"], one["ends"], one.get("first", 1), one.get("last", 20)) for one in found
    ]


def test_whole_days_close_the_school_and_the_last_day_is_the_one_before_the_calendars_end(known):
    days = event("UID:1", "DTSTART;VALUE=DATE:20261012", "DTEND;VALUE=DATE:20261015", "SUMMARY:运动会")
    proposal = propose([calendar(days)], known, Wanted(school="一小"))
    assert closures(proposal) == [("school", "s1", "2026-10-12", "2026-10-14", 1, 20)]
    assert propose([calendar(days)], [*known, *facts(proposal)], Wanted(school="s1")).changes == ()


@pytest.mark.parametrize(
    "lines",
    [
        ["SUMMARY:培训", "ATTENDEE;CN=李梅:mailto:li@example.org", "DTSTART;TZID=Asia/Shanghai:20261012T083000"],
        ["SUMMARY:李梅：培训", "DTSTART:20261012T003000Z"],
        ["SUMMARY:请假 t1", "DTSTART:20261012T083000"],
    ],
)
def test_an_absence_takes_the_periods_that_it_touches_by_the_teachers_bells_and_the_districts_clock(known, lines):
    proposal = propose([calendar(event("UID:1", *lines, "DURATION:PT25M"))], known, Wanted())
    assert closures(proposal) == [("teacher", "t1", "2026-10-12", "2026-10-12", 1, 2)]


def test_a_recurring_event_closes_its_room_on_each_of_its_days_but_those_taken_out_or_moved(known):
    weekly = event(
        "UID:1",
        "SUMMARY:维护",
        "LOCATION:录播教室",
        "DTSTART:20261012T080000",
        "DTEND:20261012T084000",
        "RRULE:FREQ=WEEKLY;UNTIL=20261110T000000",
        "EXDATE:20261019T080000",
    )
    moved = event("UID:1", "SUMMARY:维护", "LOCATION:r1", "RECURRENCE-ID:20261026T080000", "DTSTART:20261027T085500")
    proposal = propose([calendar(weekly, moved)], known, Wanted())
    assert sorted(closures(proposal)) == [
        ("room", "r1", "2026-10-12", "2026-10-12", 1, 1),
        ("room", "r1", "2026-10-27", "2026-10-27", 2, 2),
        ("room", "r1", "2026-11-02", "2026-11-02", 1, 1),
        ("room", "r1", "2026-11-09", "2026-11-09", 1, 1),
    ]


@pytest.mark.parametrize(
    ("begins", "until", "last"),
    [
        ("TZID=Asia/Shanghai:20261012T073000", "20261025T233000Z", "2026-10-26"),  # half past seven is yesterday in UTC
        ("TZID=Asia/Shanghai:20261012T080000", "20261025T235959Z", "2026-10-19"),
        ("TZID=Asia/Shanghai:20261012T080000", "20261026T000000Z", "2026-10-26"),
        ("VALUE=DATE:20261012", "20261026", "2026-10-26"),
    ],
)
def test_a_rules_end_in_utc_is_read_on_the_districts_clock(known, begins, until, last):
    weekly = event("UID:1", "SUMMARY:李梅", f"DTSTART;{begins}", "DURATION:P1D", f"RRULE:FREQ=WEEKLY;UNTIL={until}")
    weekly = [line.replace("P1D", "PT45M") if "T" in begins.split(":")[1] else line for line in weekly]
    assert max(one[2] for one in closures(propose([calendar(weekly)], known, Wanted()))) == last


def test_a_time_zone_that_nobody_knows_is_told(known):
    lines = ["UID:1", "SUMMARY:李梅", "DTSTART;TZID=Nowhere/City:20261012T083000", "DURATION:PT25M"]
    proposal = propose([calendar(event(*lines))], known, Wanted())
    assert closures(proposal) == [("teacher", "t1", "2026-10-12", "2026-10-12", 1, 2)]
    assert "the time zone “Nowhere/City” is not known" in proposal.notes[0].told("en")


def test_events_that_recur_endlessly_in_great_numbers_are_not_all_followed(known, monkeypatch):
    monkeypatch.setattr(ical, "MOST_EVENTS", 1000)
    daily = [event(f"UID:{one}", "SUMMARY:李梅", "DTSTART:20261012T083000", "RRULE:FREQ=DAILY") for one in range(4)]
    proposal = propose([calendar(*daily)], known, Wanted())
    assert [one.what.key for one in proposal.mistakes] == ["ical.too_many", "ical.too_many"]
    assert len(proposal.changes) == 2 * 367


def test_what_was_cancelled_is_no_closure(known):
    gone = event("UID:1", "DTSTART;VALUE=DATE:20261012", "STATUS:CANCELLED", "SUMMARY:李梅")
    assert propose([calendar(gone)], known, Wanted()).changes == ()


def test_days_off_are_added_to_the_term_that_they_lie_in_beside_those_that_it_has(known):
    days = event("UID:1", "DTSTART;VALUE=DATE:20261001", "DTEND;VALUE=DATE:20261003", "SUMMARY:国庆节")
    late = event("UID:2", "DTSTART;VALUE=DATE:20270501", "SUMMARY:劳动节")
    proposal = propose([calendar(days, late)], known, Wanted("days-off"))
    (change,) = proposal.changes
    assert (change.kind, change.what) == (Kind.TERM, "changed")
    off = json.loads(change.after)["days_off"]
    assert off == [{"date": "2026-10-01"}, {"date": "2026-10-02", "words": "国庆节"}]
    assert [one.what.key for one in proposal.notes] == ["ical.no_term"]


@pytest.mark.parametrize(
    ("lines", "column", "words"),
    [
        (["DTSTART;VALUE=DATE:20261012", "SUMMARY:张三"], "SUMMARY", "“张三” names no teacher"),
        (["SUMMARY:李梅"], "DTSTART", "does not say when it begins"),
        (["SUMMARY:李梅", "DTSTART:2026"], "DTSTART", "cannot be read"),
        (["SUMMARY:李梅", "DTSTART:20261012T080000", "DTEND:20261012T070000"], "DTEND", "ends before"),
        (["SUMMARY:李梅", "DTSTART;VALUE=DATE:20261012", "DTEND;VALUE=DATE:20291012"], "DTEND", "longer than"),
        (["SUMMARY:李梅", "DTSTART;VALUE=DATE:20261012", "RRULE:FREQ=MONTHLY"], "RRULE", "rule of recurrence"),
        (["SUMMARY:李梅", "DTSTART;VALUE=DATE:20261012", "RRULE:FREQ=DAILY;COUNT=-1"], "RRULE", "rule of recurrence"),
        (["SUMMARY:李梅", "DTSTART:20261012T200000"], "DTSTART", "no period of school s1"),
    ],
)
def test_an_event_that_cannot_be_taken_is_told_with_its_line_and_property(known, lines, column, words):
    good = event("UID:0", "DTSTART;VALUE=DATE:20261012", "SUMMARY:王芳")
    proposal = propose([calendar(good, event("UID:1", *lines))], known, Wanted())
    (mistake,) = proposal.mistakes
    assert (mistake.where.file, mistake.where.row, mistake.where.column) == ("school.ics", 9, column)
    assert words in mistake.told("en")
    assert len(proposal.changes) == 1


@pytest.mark.parametrize(
    "line",
    ["RECURRENCE-ID:2026", "RECURRENCE-ID;VALUE=TIME:083000", "RECURRENCE-ID;VALUE=PERIOD:20261012T080000Z/PT1H"],
)
def test_a_series_whose_moved_instance_cannot_be_read_is_taken_all_the_same(known, line):
    series = event("UID:1", "SUMMARY:王芳", "DTSTART;VALUE=DATE:20261012", "RRULE:FREQ=DAILY;COUNT=3")
    moved = event("UID:1", "SUMMARY:王芳", line, "DTSTART;VALUE=DATE:20261015")
    proposal = propose([calendar(series, moved)], known, Wanted())
    assert {"2026-10-12", "2026-10-13", "2026-10-14"} <= {json.loads(one.after)["begins"] for one in proposal.changes}


@pytest.mark.parametrize("text", ["", "hello", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nxx", IN_A_FOLDER])
def test_what_is_no_calendar_is_refused_in_words(known, text):
    proposal = propose([Brought("a.ics", text.encode())], known, Wanted())
    assert "this is no iCalendar file" in proposal.mistakes[0].told("en")
