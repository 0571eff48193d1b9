"""Calendar feeds, read back by two other programs' readers: nothing lost, Chinese whole, cancelled ones kept."""

import base64
import datetime as dt
import re
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

import icalendar
import pytest
import vobject

from hub.schedule.calendars.feed import Heading, etag, feed, last_changed
from hub.schedule.calendars.occurrences import Kind, Occurrence, Person, expand
from hub.schedule.calendars.recorder import recorder_calendar
from hub.schedule.calendars.seen import REPLACED
from tests.hub.schedule.calendars.small import SHANGHAI, TERM, district, plan

CHANGED = 1_780_000_000.25
HEADING = Heading(Kind.ROOM, "two-b", SHANGHAI, "zh", "hub-1.example")


@dataclass(frozen=True)
class Row:
    occurrence: Occurrence
    sequence: int = 0
    cancelled: bool = False
    words: str = ""
    changed: float = CHANGED


@pytest.fixture(scope="module")
def rows():
    return [Row(one) for one in expand(TERM, district(), plan(), range(1, 7), SHANGHAI)]


def of(rows, kind, who):
    return [one for one in rows if (kind, who) in one.occurrence.parts]


def read(body):
    return icalendar.Calendar.from_ical(body)


def events(body):
    return {str(event["uid"]): event for event in read(body).walk("VEVENT")}


def test_a_feed_says_the_same_to_another_reader(rows):
    mine = of(rows, Kind.ROOM, "two-b")
    changed = [replace(mine[0], sequence=3, cancelled=True, words="老师生病;改期,再议\n见通知"), *mine[1:]]
    body = feed(HEADING, changed)
    ours = events(body)
    theirs = list(vobject.readOne(body.decode()).vevent_list)
    assert len(theirs) == len(ours) == len(mine) > 3
    for event in theirs:
        own = ours[event.uid.value]
        assert event.dtstart.value == own["dtstart"].dt
        assert event.dtend.value == own["dtend"].dt
        assert event.dtstamp.value == event.last_modified.value == dt.datetime.fromtimestamp(int(CHANGED), dt.UTC)
        assert int(event.sequence.value) == own["sequence"]
        for name in ("summary", "location", "description", "status"):
            assert getattr(event, name).value == str(own[name])
        assert event.categories.value == [str(one) for one in own["categories"].cats]
    again = vobject.readOne(vobject.readOne(body.decode()).serialize())
    assert [one.description.value for one in again.vevent_list] == [one.description.value for one in theirs]
    assert "老师生病;改期,再议\n见通知" in theirs[0].description.value


def test_what_no_reader_may_be_given_is_left_out_of_whatever_a_districts_file_holds(rows):
    spoilt = "Uni\x00t \x0b3\x1f\x7f\x85"
    lead = rows[0].occurrence.lead.model_copy(update={"teacher": Person(id="li", name=spoilt), "room_name": spoilt})
    parts = {"title": spoilt, "subject": spoilt, "lead": lead}
    mine = [replace(rows[0], occurrence=rows[0].occurrence.model_copy(update=parts), words=f"a{spoilt}\nb")]
    heading = replace(HEADING, kind=Kind.ROOM, who="one-lead")
    bodies = feed(heading, mine), recorder_calendar("one-lead", mine, 0.0, "zh")
    for body in bodies:
        assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]", body.decode())
        assert {str(event["summary"]) for event in read(body).walk("VEVENT")} == {"Unit 3"}
    (event,) = read(bodies[1]).walk("VEVENT")
    episode, _ = (base64.b64decode(one.to_ical()) for one in event["attach"])
    assert [one.text for one in ET.fromstring(episode) if one.tag.endswith("creator")] == ["Unit 3"]


def test_what_was_read_is_written_again_as_it_was(rows):
    body = feed(HEADING, of(rows, Kind.ROOM, "two-b"))
    assert read(body).to_ical() == body


def test_lines_are_folded_by_octets_and_no_character_is_cut(rows):
    long = [replace(one, words="因市里统一组织的教研活动，本节课改到另一天上，请各校转告家长。" * 9) for one in rows]
    body = feed(replace(HEADING, kind=Kind.SCHOOL, who="two"), long)
    lines = body.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    assert any(line.startswith(b" ") for line in lines)
    for line in lines:
        line.decode()


def test_every_date_is_an_event_of_its_own_with_times_of_the_room(rows):
    body = feed(HEADING, of(rows, Kind.ROOM, "two-b"))
    assert b"RRULE" not in body
    first = events(body)["2026-autumn~english~w01@hub-1.example"]
    assert first["dtstart"].dt == dt.datetime(2026, 9, 2, 8, 55, tzinfo=SHANGHAI), "by its own school's bell"
    assert first["dtend"].dt == dt.datetime(2026, 9, 2, 9, 35, tzinfo=SHANGHAI)
    assert first["dtstart"].params["TZID"] == "Asia/Shanghai"
    assert str(first["summary"]) == "英语 Unit 3"
    assert str(first["location"]) == "窦店中心小学 双师教室二"
    assert str(first["description"]).splitlines() == [
        "第 1 周 周三 第 2 节",
        "三年级英语 专递课堂",
        "主讲：良乡第一小学 主讲教室（李静）",
        "听课：窦店中心小学 双师教室一 三年级 1 班（王芳）",
        "听课：窦店中心小学 双师教室二 三年级 2 班",
    ]
    assert [str(one) for one in first["categories"].cats] == ["英语", "专递课堂"]
    assert str(first["status"]) == "CONFIRMED"


def test_a_make_up_day_and_an_open_class_are_told_as_such(rows):
    found = events(feed(HEADING, rows))
    make_up = found["2026-autumn~english~w04@hub-1.example"]
    assert str(make_up["description"]).startswith("第 4 周 周三 第 2 节（补课）")
    assert make_up["dtstart"].dt.date() == dt.date(2026, 9, 26)
    assert "教室：窦店中心小学 双师教室一 三年级 2 班" in str(
        found["2026-autumn~open~q4~w02@hub-1.example"]["description"]
    )


def test_the_calendar_names_its_owner_and_when_to_look_again(rows):
    names = {
        (Kind.ROOM, "two-b"): "窦店中心小学 双师教室二 双师课表",
        (Kind.TEACHER, "li"): "李静 双师课表",
        (Kind.CLASS, "two-3-2"): "窦店中心小学 三年级 2 班 双师课表",
        (Kind.SCHOOL, "two"): "窦店中心小学 双师课表",
        (Kind.ROOM, "nobody"): "nobody 双师课表",
    }
    for (kind, who), name in names.items():
        calendar = read(feed(replace(HEADING, kind=kind, who=who), of(rows, kind, who)))
        assert str(calendar["x-wr-calname"]) == str(calendar["name"]) == name
        assert calendar["refresh-interval"].to_ical() == b"PT15M"
        assert calendar["refresh-interval"].params["VALUE"] == "DURATION"
        assert str(calendar["x-wr-timezone"]) == "Asia/Shanghai"
    assert [str(one["tzid"]) for one in read(feed(HEADING, rows)).walk("VTIMEZONE")] == ["Asia/Shanghai"]
    assert read(feed(HEADING, [])).walk("VEVENT") == []


def test_in_english_all_of_ours_is_english(rows):
    heading = replace(HEADING, language="en", kind=Kind.TEACHER, who="li")
    found = events(feed(heading, of(rows, Kind.TEACHER, "li")))
    lines = str(found["2026-autumn~watched~w02@hub-1.example"]["description"]).splitlines()
    assert lines == [
        "Week 2, Friday, period 2",
        "语文, grade 3 master class",
        "Taught from: 良乡第一小学 主讲教室 (李静)",
        "Followed in: 窦店中心小学 双师教室一 (赵敏)",
    ]


def test_what_is_cancelled_stays_and_says_so(rows):
    off = [replace(one, cancelled=True, sequence=1) for one in of(rows, Kind.ROOM, "two-b")[:1]]
    event = next(iter(events(feed(HEADING, off)).values()))
    assert (str(event["status"]), str(event["transp"]), event["sequence"]) == ("CANCELLED", "TRANSPARENT", 1)
    assert str(event["summary"]) == "已取消：英语 Unit 3"


def test_why_a_plan_cancelled_a_lesson_is_told_in_the_language_of_the_calendar(rows):
    for language, why in (("zh", "说明：已按新的课表安排"), ("en", "Why: another plan counts now")):
        body = feed(replace(HEADING, language=language), [replace(rows[0], cancelled=True, words=REPLACED)])
        assert str(next(iter(events(body).values()))["description"]).splitlines()[-1] == why


def test_in_the_calendar_of_a_room_that_lost_its_part_the_lesson_is_cancelled(rows):
    english = next(one for one in rows if one.occurrence.lesson == "english" and one.occurrence.week == 2)
    event = next(iter(events(feed(replace(HEADING, who="two-a"), [replace(english, sequence=1)])).values()))
    assert str(event["status"]) == "CANCELLED"
    assert "与本日历无关了" in str(event["description"])
    still = next(iter(events(feed(HEADING, [replace(english, sequence=1)])).values()))
    assert str(still["status"]) == "CONFIRMED"


def test_the_tag_changes_with_what_is_shown_and_only_with_it(rows):
    tag = etag(HEADING, rows)
    assert tag == etag(HEADING, list(rows))
    assert feed(HEADING, rows) == feed(HEADING, list(rows)), "the same bytes at each reading"
    others = [
        etag(HEADING, rows[1:]),
        etag(HEADING, [replace(rows[0], sequence=1), *rows[1:]]),
        etag(HEADING, [replace(rows[0], cancelled=True), *rows[1:]]),
        etag(replace(HEADING, language="en"), rows),
        etag(replace(HEADING, who="two-a"), rows),
    ]
    assert len({tag, *others}) == 6
    assert last_changed([rows[0], replace(rows[1], changed=CHANGED + 5)]) == CHANGED + 5
    assert last_changed([]) is None
