"""The chapters beside the player in a real browser: followed, jumped to, edited, and what happens when two edit."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from contract.session import Role
from contract.state import SessionState
from tests.browser.browser import chromium
from tests.browser.lessons import finish, present, report
from tests.browser.recordings import record
from tests.browser.test_console import until
from tests.hub_api.archive.test_intake import send
from tests.hub_api.district import District, district

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SECONDS = 60.0
TITLES = ["导入：生活中的直角", "探究：面积法", "勾股定理的表述", "小结与作业"]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    """A hub with a finished lesson of a minute: three slides with titles, and a mark of the teacher's."""
    (tmp_path / "hub").mkdir()
    with district(tmp_path / "hub") as made:
        made.register()
        made.lesson = taught(made, tmp_path / "packages")
        present(made)
        yield made


def taught(hub: District, folder: Path) -> str:
    hub.parts.clock.behind_s = 5400
    session = hub.session(seconds=SECONDS, title="八年级数学 · 勾股定理")
    for state in (SessionState.READYING, SessionState.READY, SessionState.LIVE):
        report(hub, hub.lead, session, state)
        report(hub, hub.receiving, session, state)
    hub.parts.clock.behind_s = 0.0
    shown = [(-2.0, TITLES[0], 0.9), (16.0, TITLES[1], 0.93), (33.0, TITLES[2], 0.41)]
    lead = [("slide", t, 0.0, {"title": title, "title_confidence": sure}) for t, title, sure in shown]
    lead += [("mark", 50.0, 0.0, {"title": TITLES[3]})]
    lead += [("speech", t, 4.0, {}) for t in (1.0, 9.5, 18.0, 30.0, 44.0, 52.0)]
    far = [("speech", t, 3.0, {}) for t in (6.0, 24.0, 38.0)]
    camera, slides = [("camera", 0, 0.0, SECONDS)], [("slides", 0, 0.0, SECONDS)]
    for device, role, where, seen, parts in (
        (hub.lead, Role.LEAD, folder / "lead", lead, camera + slides),
        (hub.receiving, Role.RECEIVING, folder / "far", far, camera),
    ):
        where.mkdir(parents=True)
        for track, *_ in parts:
            colour = (90, 60, 30) if track == "camera" else (70, 90, 40)
            record(where / f"{track}.mp4", SECONDS, track, colour, sound_hz=330 if track == "camera" else None)
        finish(device, role, where, session, seen, parts, hub, seconds=SECONDS)
        for path in sorted(where.iterdir(), key=lambda path: path.name == "manifest.json"):
            send(hub, device, session, path)
    hub.parts.conductor.tick()
    return session


@pytest.fixture
def page(hub: District) -> Iterator[Page]:
    """The lesson's page, signed in; what goes wrong in it fails the test."""
    with chromium() as browser:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda asked: asked.accept())  # changes that are not saved are left behind
        page.goto(f"{hub.url}/lessons/{hub.lesson}")
        page.get_by_label("运维口令").fill(hub.token)
        page.get_by_role("button", name="登录").click()
        expect(rows(page)).to_have_count(4)
        yield page
        assert wrong == []


def rows(page: Page):
    return page.locator("#chapters-list > li")


def starts(hub: District) -> list[tuple[float, str | None]]:
    answer = hub.http().get(f"/api/v1/sessions/{hub.lesson}/chapters").json()
    return [(one["t"], one["title"]) for one in answer["chapters"]]


def put(hub: District, rev: int, *told: tuple[float, str]) -> None:
    body = {"rev": rev, "chapters": [{"t": t, "title": title} for t, title in told]}
    assert hub.http().put(f"/api/v1/sessions/{hub.lesson}/chapters", json=body).status_code == 200


def seek(page: Page, t: float) -> None:
    page.get_by_role("slider").fill(str(t))


def current(page: Page):
    return page.locator("#chapters-list > li[aria-current]")


def test_chapters_stand_beside_the_player_are_jumped_to_and_followed(hub: District, page: Page):
    for row, title in enumerate(TITLES):
        expect(rows(page).nth(row)).to_contain_text(title)
    expect(rows(page).nth(1)).to_contain_text("课件标题")
    expect(rows(page).nth(1)).not_to_contain_text("不太确定")
    expect(rows(page).nth(2)).to_contain_text("标题识别不太确定")
    expect(rows(page).nth(3)).to_contain_text("教师标记")
    expect(current(page)).to_contain_text(TITLES[0])

    rows(page).nth(2).get_by_role("button").click()
    expect(page.locator("#time")).to_have_text("00:33 / 01:00")
    expect(current(page)).to_contain_text(TITLES[2])
    until(page, "Math.abs(document.querySelector('[data-track=camera] video').currentTime - 33) < 0.3")
    rows(page).nth(1).get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#time")).to_have_text("00:16 / 01:00")

    page.keyboard.press("]")
    expect(page.locator("#time")).to_have_text("00:33 / 01:00")
    page.keyboard.press("[")
    expect(page.locator("#time")).to_have_text("00:16 / 01:00")
    page.get_by_role("button", name="下一知识点").click()
    page.get_by_role("button", name="下一知识点").click()
    expect(current(page)).to_contain_text(TITLES[3])
    page.get_by_role("button", name="上一知识点").click()
    expect(current(page)).to_contain_text(TITLES[2])

    strip = page.locator("#chapters-strip")
    strip.click(position={"x": strip.bounding_box()["width"] * 0.4, "y": 10})
    expect(page.locator("#time")).to_have_text("00:16 / 01:00")
    seek(page, 32.2)
    page.get_by_role("button", name="播放").click()
    expect(current(page)).to_contain_text(TITLES[2])


def test_an_edit_is_made_by_the_keyboard_saved_and_still_there_after_a_reload(hub: District, page: Page):
    page.get_by_role("button", name="编辑", exact=True).press("Enter")
    page.get_by_label("第 1 章的标题").fill("导入")
    seek(page, 12.0)
    page.get_by_role("button", name="从当前位置开始：第 2 章").press("Enter")
    seek(page, 25.0)
    page.get_by_role("button", name="在当前位置拆分").press("Enter")
    expect(page.get_by_label("第 3 章的标题")).to_be_focused()
    page.keyboard.type("面积法的应用")
    page.get_by_role("button", name="并入上一章：第 5 章").press("Enter")
    expect(page.get_by_label("第 4 章的标题")).to_have_value(f"{TITLES[2]} / {TITLES[3]}")
    expect(page.get_by_text("有修改尚未保存")).to_be_visible()
    assert starts(hub)[0][1] == TITLES[0]
    page.get_by_role("button", name="保存").press("Enter")
    expect(page.get_by_text("章节已保存")).to_be_visible()
    wanted = [(0.0, "导入"), (12.0, TITLES[1]), (25.0, "面积法的应用"), (33.0, f"{TITLES[2]} / {TITLES[3]}")]
    assert starts(hub) == wanted

    page.reload()
    expect(rows(page)).to_have_count(4)
    expect(rows(page).nth(0)).to_contain_text("已编辑")
    expect(page.locator("#chapters-from")).to_contain_text("operator")
    page.get_by_role("button", name="编辑", exact=True).click()
    page.get_by_role("button", name="删除：第 1 章").click()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("章节已保存")).to_be_visible()
    expect(rows(page)).to_have_count(3)
    assert starts(hub)[0] == (0.0, TITLES[1])

    page.get_by_role("button", name="恢复自动章节").click()
    page.get_by_role("dialog").get_by_role("button", name="恢复自动章节").click()
    expect(page.get_by_text("已恢复自动章节")).to_be_visible()
    assert [title for _, title in starts(hub)] == TITLES


def test_whoever_saves_second_is_told_and_chooses_whose_list_it_is(hub: District, page: Page):
    page.get_by_role("button", name="编辑", exact=True).click()
    page.get_by_label("第 1 章的标题").fill("我的导入")
    put(hub, 1, (0, "别人的导入"))
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert")).to_contain_text("operator 在你编辑期间保存了另一份章节")
    expect(page.get_by_label("第 1 章的标题")).to_have_value("我的导入")  # nothing of it is lost
    page.get_by_role("button", name="用我的覆盖").click()
    expect(page.get_by_text("章节已保存")).to_be_visible()
    assert starts(hub)[0] == (0.0, "我的导入")

    page.get_by_role("button", name="编辑", exact=True).click()
    put(hub, 3, (0, "别人又改了"))
    page.get_by_role("button", name="保存").click()
    page.get_by_role("button", name="改用最新章节").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("别人又改了")


def test_an_edit_that_cannot_be_saved_says_why_and_stays_on_the_page(hub: District, page: Page):
    page.get_by_role("button", name="编辑", exact=True).click()
    page.get_by_label("第 2 章的标题").fill("看不见\u202e的")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#chapters-said")).to_have_text("第 2 章：标题为空、超过 200 字，或含有看不见的字符。")
    expect(page.get_by_label("第 2 章的标题")).to_be_focused()
    page.get_by_label("第 2 章的标题").fill("面积法")
    page.context.clear_cookies()
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#chapters-said")).to_contain_text("登录已失效")
    expect(page.get_by_label("第 2 章的标题")).to_have_value("面积法")
    page.get_by_role("button", name="取消").click()
    expect(rows(page).nth(1)).to_contain_text(TITLES[1])


def test_a_link_leads_to_a_moment_of_the_lesson(hub: District, page: Page):
    page.goto(f"{hub.url}/lessons/{hub.lesson}?t=33&lang=en")
    expect(page.locator("#time")).to_have_text("00:33 / 01:00")
    expect(current(page)).to_contain_text(TITLES[2])
    expect(rows(page).nth(3)).to_contain_text(re.compile("Teacher's mark"))
