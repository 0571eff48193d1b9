"""Repairs by the console's forms, without a script: what happened is said by name, a way out is taken by one click."""

import datetime as dt
import html
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from hub.schedule.desk.book import Book
from hub.schedule.desk.views import NewApproval, NewDraft, NewPublication
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
from hub.schedule.slots import Window
from hub.schedule.terms import Term
from hub.store.plan_facts import FactChange, NewImport
from tests.hub_api.district import District, district

SUNDAY_BEFORE = 1_788_076_800.0
TERM = Term(
    id="2026b",
    name="2026 秋",
    first_day="2026-08-31",
    weeks=20,
    days_off=({"date": "2026-10-01", "words": "国庆"}, {"date": "2026-10-02", "words": "国庆"}),
    make_ups=({"date": "2026-10-10", "week": 5, "day": 4},),
)
MADE, HIDDEN = planted(5, 14, 18, 1)
BOOK = Book(MADE, HIDDEN)
LESSON = max(
    (lesson for lesson in BOOK.followers if BOOK.lessons[lesson].weeks == "AB"),
    key=lambda one: (len(BOOK.followers[one]), one),
)
"""A lesson of every week that more follow than any other."""
HELD = BOOK.held[LESSON]
FOLLOWS = next(one for one in BOOK.followers[LESSON] if one.assistant is not None)
SICK = BOOK.lessons[LESSON].teacher
LEAD = BOOK.lead_school(LESSON)
HOME = BOOK.home(FOLLOWS.request)
PUPILS = BOOK.requests[FOLLOWS.request].school_class
DAY = str(HELD.time[0])
FOLLOWING_DAY, FOLLOWING_PERIOD = (str(one) for one in FOLLOWS.time)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A district with a plan that counts from tomorrow on; each test has weeks of its own."""
    with district(tmp_path_factory.mktemp("hub")) as made:
        made.parts.clock.behind_s = time.time() - SUNDAY_BEFORE
        change = FactChange("term", TERM.id, None, TERM.model_dump_json())
        made.parts.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", 0.0), [change])
        desk = made.parts.desk
        new = NewDraft(term="2026b", first_week=1, last_week=20, district=MADE, plan=HIDDEN, words="秋季课表")
        plan = desk.make(new, "li").head.id
        desk.propose(plan, "li")
        for school in (*desk.open(plan).book.taking_part, ""):
            desk.note(plan, NewApproval(school=school, approved=True), "li")
        desk.publish(plan, NewPublication(), "li")
        yield made


PLAN = "/plan/p-000001"


def send(hub: District, address: str, **form: object) -> httpx.Response:
    return hub.http(timeout=60).post(address, data=form)


def page(hub: District, address: str, language: str = "zh") -> str:
    answer = hub.http(cookies={"tongtang-language": language}).get(address)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def away(hub: District, in_week: int, **more: object) -> httpx.Response:
    form = {"kind": "teacher-sick", "school": LEAD, "week": in_week, "who": SICK, "day": DAY}
    return send(hub, f"{PLAN}/repairs", **form | more)


def counting(hub: District, week: int) -> str:
    return next(plan for plan, weeks in hub.parts.desk.counting("2026b").items() if week in weeks)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            {"kind": "teacher-sick", "school": LEAD, "who": SICK, "day": [DAY, "3"], "first": "2", "last": "3"},
            TeacherSick(
                teacher=SICK, windows=tuple(Window(day=one, first=2, last=3) for one in dict.fromkeys((int(DAY), 3)))
            ),
        ),
        (
            {"kind": "room-down", "school": LEAD, "who": HELD.room, "day": DAY, "onwards": "yes"},
            RoomDown(room=HELD.room, windows=(Window(day=HELD.time[0]),)),
        ),
        (
            {
                "kind": "class-swap",
                "school": HOME,
                "who": PUPILS,
                "slot_day": FOLLOWING_DAY,
                "slot_period": FOLLOWING_PERIOD,
                "other_day": "1",
                "other_period": "1",
            },
            ClassSwap(school_class=PUPILS, first=FOLLOWS.time, second=(1, 1)),
        ),
        (
            {"kind": "substitute", "school": HOME, "what": f"request:{FOLLOWS.request}", "who": FOLLOWS.assistant},
            Substitute(teacher=FOLLOWS.assistant, request=FOLLOWS.request),
        ),
        ({"kind": "school-closed", "school": HOME, "day": "2"}, SchoolClosed(school=HOME, windows=(Window(day=2),))),
        ({"kind": "uplink-halved", "school": HOME, "day": "2"}, UplinkHalved(school=HOME, windows=(Window(day=2),))),
        (
            {"kind": "lesson-extended", "school": LEAD, "what": f"lesson:{LESSON}", "minutes": "30"},
            LessonExtended(lesson=LESSON, minutes=30),
        ),
    ],
    ids=lambda one: one["kind"] if isinstance(one, dict) else "",
)
def test_each_kind_is_said_by_its_own_form(hub: District, form: dict, expected: object):
    offered = page(hub, f"{PLAN}/repairs?kind={form['kind']}&school={form['school']}&week=3")
    for name in form.keys() - {"kind", "school", "onwards"}:
        assert f'name="{name}"' in offered
    assert send(hub, f"{PLAN}/repairs", week=3, **form).status_code in {200, 303}
    told = hub.parts.store.repairs.newest()[0]
    assert told.kind == form["kind"]
    shown = hub.http().get("/api/v1/plan/replans").json()[0]
    assert expected.model_dump(mode="json") == shown["happened"]
    assert (shown["week"], shown["onwards"]) == (3, form.get("onwards") == "yes")
    assert shown["words"]["zh"] in page(hub, PLAN)
    assert html.unescape(shown["words"]["en"]) in page(hub, PLAN, "en")


def test_ways_out_stand_side_by_side_and_one_click_takes_one(hub: District):
    found = away(hub, 2)
    assert found.status_code == 303, found.text
    address = found.headers["location"]
    ways = hub.http().get(f"/api/v1/plan/replans/{address.rsplit('/', 1)[1]}").json()["alternatives"]
    shown, english = page(hub, address), page(hub, address, "en")
    for way in ways:
        for change in way["changes"]:
            assert change["words"]["zh"] in shown
            assert change["words"]["en"] in english
    assert shown.count(">采用</button>") == len(ways) > 1
    assert "待定" in page(hub, PLAN)
    before = {one.occurrence.id: one for one in hub.parts.store.occurrences.between(0.0, 4e9)}

    assert send(hub, f"{address}/accept", take="2").headers["location"] == address
    after = {one.occurrence.id: one for one in hub.parts.store.occurrences.between(0.0, 4e9)}
    changed = [one for one in after.values() if before.get(one.occurrence.id, one).sequence != one.sequence]
    assert changed
    assert {one.occurrence.week for one in changed} == {2}
    told = page(hub, address)
    assert "已采用办法 2" in told
    assert f'href="/plan/{counting(hub, 2)}?week=2"' in told
    for one in changed:
        assert one.occurrence.slot.words("zh") in told
    parts = {part for one in changed for part in one.occurrence.parts} | {("teacher", SICK)}
    assert [part for part in parts if f'/api/v1/plan/calendars/{part[0]}/{part[1]}"' not in told] == []
    assert "已采用" in page(hub, PLAN)
    assert address in page(hub, f"/plan/{counting(hub, 2)}")  # and on the page of the plan that was made


def test_a_second_click_does_nothing_more_and_another_decision_is_refused_in_words(hub: District):
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: away(hub, 4).headers["location"], range(2))
    assert first == second
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: send(hub, f"{first}/accept", take="1").status_code, range(2)))
    assert answers == [303, 303]
    made = [head for head in hub.parts.desk.heads() if (head.first_week, head.last_week) == (4, 4)]
    assert len(made) == 1
    other = send(hub, f"{first}/accept", take="2")
    assert other.status_code == 409
    assert "已有人先作了决定" in other.text
    assert "已采用办法 1" in other.text
    assert "已有人先作了决定" in send(hub, f"{first}/let-go").text
    assert send(hub, f"{first}/accept", take="9").status_code == 409
    assert counting(hub, 4) == made[0].id


def test_none_is_taken_and_the_plan_stays(hub: District):
    address = away(hub, 6).headers["location"]
    assert send(hub, f"{address}/let-go").headers["location"] == address
    assert send(hub, f"{address}/let-go").status_code == 303  # the second click
    assert "课表保持原样" in page(hub, address)
    assert "未采用" in page(hub, PLAN)
    assert counting(hub, 6) == "p-000001"
    assert send(hub, f"{address}/accept", take="1").status_code == 409


def test_ways_out_of_a_plan_that_was_replaced_meanwhile_are_not_taken(hub: District):
    first = away(hub, 8).headers["location"]
    second = send(hub, f"{PLAN}/repairs", kind="school-closed", school=LEAD, week=8, day=DAY).headers["location"]
    send(hub, f"{first}/accept", take="1")
    made = counting(hub, 8)
    late = send(hub, f"{second}/accept", take="1")
    assert late.status_code == 409
    assert "刚被别人改动" in late.text
    assert "不能再采用" in late.text
    assert counting(hub, 8) == made
    assert ">采用</button>" not in page(hub, second)
    again = away(hub, 8, day=str(HELD.time[0] % 5 + 1))
    assert again.status_code == 422
    assert "现在由另一份课表生效" in again.text
    form = hub.http().get(f"{PLAN}/repairs?week=8")
    assert form.headers["location"].startswith(f"/plan/{made}/repairs")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"who": ""}, "请选择是谁"),
        ({"who": "t-nobody"}, "请选择是谁"),
        ({"day": ""}, "第 5 周没有这一天"),
        ({"day": []}, "请至少选一天"),
        ({"day": "7"}, "第 5 周没有这一天"),
        ({"day": "5"}, "这一天放假"),
        ({"first": "4", "last": "2"}, "第 2 节在第 4 节之前"),
        ({"first": "99"}, "请选 1 到"),
        ({"first": "9" * 5000}, "请选 1 到"),
        ({"week": "99"}, "请选一个还未上完"),
        ({"week": "x"}, "请选一个还未上完"),
        ({"kind": "lesson-extended", "what": f"lesson:{LESSON}", "minutes": "500"}, "1 到 120 分钟"),
        ({"kind": "lesson-extended", "what": ""}, "请选择哪节课"),
        ({"kind": "class-swap", "school": HOME, "who": PUPILS, "slot_day": "1"}, "请选星期和节次"),
        (
            {
                "kind": "class-swap",
                "school": HOME,
                "who": PUPILS,
                "slot_day": "1",
                "slot_period": "2",
                "other_day": "1",
                "other_period": "2",
            },
            "两个时间相同",
        ),
        ({"kind": "flood"}, "请重新选择情况和学校"),
        ({"school": "s-nowhere"}, "请重新选择情况和学校"),
    ],
)
def test_what_the_form_lacks_is_told_beside_it_and_nothing_is_looked_for(hub: District, form: dict, words: str):
    before = len(hub.parts.store.repairs.newest())
    answer = away(hub, 5, **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'role="alert"' in answer.text
    assert len(hub.parts.store.repairs.newest()) == before


def test_what_was_filled_in_stays_and_a_day_that_is_made_up_stands_with_its_date(hub: District):
    answer = away(hub, 5, day=["2", "4"], first="3", last="1")
    assert f'<option value="{SICK}" selected>' in answer.text
    assert 'name="day" value="4" checked' in answer.text
    assert "周四 10-10 补课" in answer.text
    assert re.search(r'value="5" disabled> 周五 放假', answer.text)


def test_that_nobody_is_touched_is_told_beside_the_form(hub: District):
    busy = {one.time[0] for one in BOOK.held.values() if BOOK.lessons[one.lesson].teacher == SICK}
    busy |= {one.time[0] for one in BOOK.served.values() if one.assistant == SICK}
    free = next(day for day in range(1, 6) if day not in busy)
    answer = away(hub, 10, day=free)
    assert answer.status_code == 200
    assert "没有课受影响，课表不用改" in answer.text
    assert "无人受影响" in answer.text  # in the list below the form
    assert "无人受影响" in page(hub, PLAN)
    told = hub.http().get("/api/v1/plan/replans").json()[0]
    assert ">采用</button>" not in page(hub, f"{PLAN}/repairs/{told['id']}")  # there is nothing left to decide
    assert counting(hub, 10) == "p-000001"


def test_what_lasts_says_which_weeks_with_a_plan_of_their_own_it_replaces(hub: District):
    send(hub, f"{away(hub, 17).headers['location']}/accept", take="1")
    assert counting(hub, 17) != "p-000001"
    lasts = away(hub, 16, onwards="yes").headers["location"]
    assert "第 17 周各有单独的课表" in page(hub, lasts)
    send(hub, f"{lasts}/accept", take="1")
    assert len({counting(hub, week) for week in range(16, 21)}) == 1
    told = page(hub, lasts)
    assert "自第 16 周起的课表现在是" in told
    assert "第 20 周" in told


def test_a_repair_of_another_plan_or_none_is_not_found(hub: District):
    address = away(hub, 12).headers["location"]
    elsewhere = address.replace("p-000001", "p-000099")
    assert hub.http().get(elsewhere).status_code == 404
    assert send(hub, f"{elsewhere}/accept", take="1").status_code == 404
    assert hub.http().get(f"{PLAN}/repairs/repair-0").status_code == 404
    assert hub.http().get("/plan/p-000099/repairs").status_code == 404
    assert "没有课表 p-000099" in send(hub, "/plan/p-000099/repairs", kind="teacher-sick").text
    assert send(hub, f"{address}/accept", take="x").status_code == 409
    assert counting(hub, 12) == "p-000001"


def test_a_page_of_another_site_takes_nothing(hub: District):
    address = away(hub, 14).headers["location"]
    cookies = hub.http().post("/login", data={"token": hub.token}).cookies
    foreign = httpx.post(
        f"{hub.url}{address}/accept", data={"take": "1"}, cookies=cookies, headers={"Origin": "https://elsewhere"}
    )
    assert foreign.status_code == 403
    assert counting(hub, 14) == "p-000001"


def test_what_is_over_cannot_be_said_and_what_lasts_begins_with_a_week_to_come(hub: District):
    there = hub.parts.clock.behind_s
    evening = TERM.date_of(15, 2) - dt.date(1970, 1, 1)
    hub.parts.clock.behind_s = time.time() - (evening.total_seconds() + 12 * 3600)  # 20:00 in Shanghai
    try:
        over, begun = away(hub, 15, day="1"), away(hub, 15, day="2")
        lasting = away(hub, 15, day="5", onwards="yes")
        past = away(hub, 14)
    finally:
        hub.parts.clock.behind_s = there
    assert "这一天已经过去" in over.text
    assert begun.status_code == 409
    assert "所说的时间都已经过去" in begun.text
    assert "请从还没开始的周选起" in lasting.text
    assert "请选一个还未上完" in past.text


def test_a_plans_page_lists_the_newest_repairs_and_leads_to_all(hub: District):
    for period in range(1, 8):
        away(hub, 15, first=str(period), last=str(period))
    told = [one for one in hub.http().get("/api/v1/plan/replans").json() if one["plan"] == "p-000001"]
    few, every = page(hub, PLAN), page(hub, f"{PLAN}/repairs")
    shown = [[one["id"] for one in told if one["id"] in some] for some in (few, every)]
    assert shown == [[one["id"] for one in told[:6]], [one["id"] for one in told]]
    assert f"全部 {len(told)} 次临时调整" in few
