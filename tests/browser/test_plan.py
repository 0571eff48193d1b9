"""A week is planned in a real browser, with a real hub and the real solver behind it."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import icalendar
import pytest
from playwright.sync_api import Page, expect

from contract.keys import new_device_key, public_pem
from contract.state import SessionState
from hub.fleet.devices import NewDevice
from hub.schedule.desk.states import PlanState
from hub.schedule.desk.views import NewApproval, NewDraft, NewPublication
from hub.schedule.district import District as Planned
from hub.schedule.generate import generate, planted
from hub.schedule.plan import Plan
from hub.schedule.terms import Term
from hub.store.occurrences import OccurrenceRecord
from hub.store.plan_facts import FactChange, NewImport
from tests.browser.browser import chromium
from tests.hub_api.district import District, district

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TERM = Term(id="2026b", name="2026 秋", first_day="2026-08-31", weeks=20)
SOLVED_MS = 240_000
"""The first solving on a machine compiles."""
SMALL = (5, 14, 18, 1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    (tmp_path / "hub").mkdir()
    with district(tmp_path / "hub") as made:
        made.parts.clock.behind_s = time.time() - 1_788_076_800.0  # the Sunday before the term
        change = FactChange("term", TERM.id, None, TERM.model_dump_json())
        made.parts.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", 0.0), [change])
        yield made


@pytest.fixture
def page(hub: District) -> Iterator[Page]:
    """A browser that is signed in; what goes wrong in the page fails the test."""
    with chromium() as browser:
        page = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768}).new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.goto(hub.url)
        page.get_by_label("运维口令").fill(hub.token)
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("link", name="排课")).to_be_visible()
        yield page
        assert wrong == []


def published(hub: District, made: Planned, answer: Plan) -> str:
    """A plan of the whole term that counts."""
    desk = hub.parts.desk
    plan = desk.make(NewDraft(term="2026b", first_week=1, last_week=20, district=made, plan=answer), "li").head.id
    desk.propose(plan, "li")
    for school in (*desk.open(plan).book.taking_part, ""):
        desk.note(plan, NewApproval(school=school, approved=True), "li")
    desk.publish(plan, NewPublication(), "li")
    return plan


def test_an_operator_makes_solves_agrees_on_and_publishes_a_plan(hub: District, page: Page, tmp_path: Path):
    generate(*SMALL).save(tmp_path / "district.json")
    page.get_by_role("link", name="排课").click()
    page.get_by_label("名称").fill("第一稿")
    page.get_by_label("区域文件").set_input_files(tmp_path / "district.json")
    page.get_by_role("button", name="新建草稿").click()
    expect(page.get_by_role("heading", name="第一稿")).to_be_visible()

    page.get_by_label("秒数").fill("1")
    page.get_by_role("button", name="开始排课").click()
    page.get_by_role("button", name="提交学校征求意见").click(
        timeout=SOLVED_MS
    )  # the page follows the solving by itself

    first = page.locator(".said tbody tr").nth(1)
    first.get_by_role("textbox").fill("教务处王老师")
    first.get_by_role("button", name="同意", exact=True).click()
    expect(page.locator(".said")).to_contain_text("教务处王老师")
    page.get_by_text("其余学校均已同意…").click()
    page.get_by_label("依据，例如").fill("周五例会")
    page.get_by_role("button", name="全部记为同意").click()
    last = page.locator(".said tbody tr", has_text="区里（最后批准）")
    last.get_by_role("button", name="同意", exact=True).click()
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_text("这份课表在 20 周内生效。")).to_be_visible()
    assert hub.parts.desk.heads()[0].state is PlanState.PUBLISHED
    assert hub.parts.store.occurrences.between(0.0, 4e9)


def test_the_week_is_seen_from_both_sides_on_its_dates_and_in_the_readers_language(hub: District, page: Page):
    made, answer = planted(*SMALL)
    plan = published(hub, made, answer)
    book = hub.parts.desk.open(plan).book
    held = next(one for one in answer.held if book.lessons[one.lesson].weeks == "AB")
    lead = book.lead_school(held.lesson)

    page.goto(f"{hub.url}/plan/{plan}")
    page.get_by_label("学校").first.select_option(lead)
    page.wait_for_url("**school=*")
    page.get_by_label("谁的课表").select_option(f"room:{held.room}")
    page.wait_for_url("**whose=room*")
    page.get_by_label("周次").select_option("12")
    page.wait_for_url("**week=12*")
    day, period = held.time
    slot = page.locator(".slot.lead").first
    expect(slot).to_contain_text("主讲")
    words = f"第 12 周 周{'一二三四五'[day - 1]} 第 {period} 节"
    expect(page.locator(f".slot.lead[title='{words}']")).to_have_count(1)
    page.get_by_role("link", name="English").click()
    expect(page.locator(".slot.lead").first).to_contain_text("Lead")

    follower = book.followers[held.lesson][0]
    page.goto(f"{hub.url}/plan/{plan}?school={book.home(follower.request)}&whose=room:{follower.room}")
    expect(page.locator(".slot.receiving").first).to_contain_text("Receiving")


def test_the_page_says_why_a_request_is_not_served(hub: District, page: Page):
    made, answer = planted(*SMALL)
    plan = hub.parts.desk.make(
        NewDraft(term="2026b", first_week=1, last_week=20, district=made, plan=answer), "li"
    ).head.id
    page.goto(f"{hub.url}/plan/{plan}")
    requests = page.locator("#requests")
    expect(requests).to_contain_text("未满足")
    expect(requests.locator("tbody .under").nth(2)).to_be_visible()
    expect(requests).not_to_contain_text("正在查找")
    one = requests.locator("tbody tr").first
    before = requests.locator("tbody tr").count()
    one.get_by_role("button", name="移出本稿").click()
    expect(page.locator("#requests tbody tr")).to_have_count(before - 1)


def test_a_teacher_is_sick_and_with_one_click_session_and_calendar_follow(hub: District, page: Page):
    made, answer = planted(*SMALL)
    plan = published(hub, made, answer)
    book = hub.parts.desk.open(plan).book
    key = public_pem(new_device_key())
    for room in made.rooms:
        hub.parts.devices.register(NewDevice(f"d-{room.id}", room.id, room.name, room.school, key))
    hub.parts.attendance.tick()
    lesson = max(
        (one for one in book.followers if book.lessons[one].weeks == "AB"),
        key=lambda one: (len(book.followers[one]), one),
    )
    day, teacher = book.held[lesson].time[0], book.lessons[lesson].teacher
    (dated,) = (one.occurrence.id for one in hub.parts.store.occurrences.between(0.0, 4e9) if _is(one, lesson, 1))
    before = hub.parts.store.occurrences.get(dated)
    assert before.session
    calendar = hub.http().post("/api/v1/plan/calendars", json={"kind": "teacher", "who": teacher}).json()["address"]
    was = told(calendar, dated)

    page.goto(f"{hub.url}/plan/{plan}")
    page.get_by_role("link", name="教师请假").click()
    page.get_by_label("学校").select_option(book.lead_school(lesson))
    page.wait_for_url("**school=*")
    page.get_by_label("请假的教师").select_option(label=book.teacher_name(teacher))
    page.get_by_role("checkbox", name="周" + "一二三四五"[day - 1]).check()
    page.get_by_role("button", name="找办法").dblclick()
    expect(page.locator(".way")).not_to_have_count(0)
    assert len(hub.parts.store.repairs.newest()) == 1
    page.locator(".way").last.get_by_role("button", name="采用").click()  # called off: nothing else can come of it
    expect(page.get_by_role("status")).to_contain_text("已采用")

    after = hub.parts.store.occurrences.get(dated)
    assert after.sequence == before.sequence + 1
    assert after.cancelled
    now = told(calendar, dated)
    assert (was.get("status"), now.get("status")) == ("CONFIRMED", "CANCELLED")
    assert now["sequence"] > was["sequence"]
    hub.parts.attendance.tick()
    assert hub.parts.conductor.view(before.session).state is SessionState.CANCELLED
    row = page.locator("tbody tr", has_text=after.occurrence.slot.words("zh"))
    expect(row.get_by_text("取消")).to_be_visible()
    page.get_by_role("link", name="请假", exact=False).first.click()
    expect(page.locator("#repairs")).to_contain_text("已采用")


def _is(one: OccurrenceRecord, lesson: str, week: int) -> bool:
    return (one.occurrence.lesson, one.occurrence.week) == (lesson, week)


def told(address: str, dated: str) -> icalendar.Event:
    """A lesson on a date as its subscribers have it."""
    events = icalendar.Calendar.from_ical(httpx.get(address).content).walk("VEVENT")
    return next(one for one in events if str(one["uid"]).startswith(dated))
