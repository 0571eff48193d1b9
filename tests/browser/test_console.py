"""The console in a real browser, with a real hub behind it and recordings that really play."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from contract.state import SessionState
from contract.telemetry import DeviceState
from tests.browser.browser import chromium
from tests.browser.lessons import APART_S, finished_lesson, present, running_lesson, says_how_it_goes
from tests.hub_api.district import District, answering, district, make

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
APART_AT_MOST_S = 0.2


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    """A hub with two rooms and a finished lesson."""
    (tmp_path / "hub").mkdir()
    with district(tmp_path / "hub") as made:
        made.register()
        made.lesson = finished_lesson(made, tmp_path / "packages")
        present(made)
        yield made


@pytest.fixture
def page(hub: District) -> Iterator[Page]:
    """A browser that is signed in; what goes wrong in the page fails the test."""
    with chromium() as browser:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.goto(hub.url)
        page.get_by_label("运维口令").fill(hub.token)
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("heading", name="教室", exact=True)).to_be_visible()
        yield page
        assert wrong == []


def until(page: Page, holds: str) -> None:
    """Wait until an expression holds; the page's own policy lets nothing be evaluated from inside."""
    end = time.monotonic() + 60
    while not page.evaluate(holds):
        assert time.monotonic() < end, f"never came true: {holds}"
        time.sleep(0.05)


def positions(page: Page) -> list[float]:
    """Session time that each room's camera shows, taken in one moment."""
    lead, far = page.evaluate(
        "[...document.querySelectorAll('[data-track=camera] video')].map((video) => video.currentTime)"
    )
    return [lead, far + APART_S]


@pytest.mark.alone
def test_an_operator_signs_in_sees_the_rooms_and_watches_both_recordings_in_step(hub: District, page: Page):
    for room in ("主讲一", "听课一"):
        expect(page.locator(".room", has_text=room)).to_contain_text("在线")
    page.get_by_role("link", name="八年级数学 · 勾股定理").click()
    expect(page.locator("video")).to_have_count(3)
    expect(page.get_by_text("录制重新开始")).to_be_visible()
    page.get_by_role("button", name="播放").click()
    until(page, "document.querySelector('video').currentTime > 1.5")
    seen = []
    for _ in range(8):
        seen.append(positions(page))
        time.sleep(0.25)
    assert all(abs(lead - far) <= APART_AT_MOST_S for lead, far in seen), seen
    assert all(later[0] > earlier[0] and later[1] > earlier[1] for earlier, later in itertools.pairwise(seen)), seen

    page.get_by_role("slider").fill("8")  # in the far room's second part
    until(page, "[...document.querySelectorAll('video')].every((video) => video.readyState > 2)")
    until(page, "document.querySelector('video').currentTime > 9")
    lead, far = page.evaluate(
        "[...document.querySelectorAll('[data-track=camera] video')].map((video) => video.currentTime)"
    )
    assert abs(lead - (far + 7.0)) <= APART_AT_MOST_S


def test_the_overview_follows_the_district_and_ends_a_lesson_after_asking(hub: District, page: Page):
    expect(page.get_by_role("status")).to_have_text("实时更新中")
    hub.parts.devices.present([DeviceState(device=hub.lead.id, online=False, incarnation=hub.lead.id)])
    expect(page.locator(".room", has_text="主讲一")).to_contain_text("离线")
    running_lesson(hub)
    expect(page.get_by_text("7425 帧").first).to_be_visible()
    page.get_by_role("button", name="结束上课").click()
    page.get_by_role("dialog").get_by_role("button", name="返回").click()
    assert hub.parts.conductor.views()[0].state is SessionState.LIVE
    page.get_by_role("button", name="结束上课").click()
    page.get_by_role("dialog").get_by_role("button", name="结束上课").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".lesson")).to_contain_text("收尾中")


def test_the_page_of_a_running_lesson_follows_how_it_goes_until_it_is_over(hub: District, page: Page):
    session = running_lesson(hub)
    expect(page.locator(".lesson .insight")).to_contain_text("72 %")
    page.goto(f"{hub.url}/lessons/{session}")
    box = page.locator("#insight")
    expect(box).to_contain_text("72 %")
    expect(box).to_contain_text("能确定的时间不足八成")
    says_how_it_goes(hub, session, 0.5, seq=3)
    expect(box).to_contain_text("50 %")
    hub.parts.conductor.end(session)
    expect(page.locator("#insight")).to_have_count(0)


def test_the_overview_says_when_the_hub_is_away_and_comes_back_by_itself(tmp_path: Path):
    hub = make(tmp_path)
    hub.register()
    with chromium() as browser:
        page = browser.new_page(locale="zh-CN")
        with answering(hub):
            page.goto(hub.url)
            page.get_by_label("运维口令").fill(hub.token)
            page.get_by_role("button", name="登录").click()
            expect(page.get_by_role("status")).to_have_text("实时更新中")
        expect(page.get_by_role("status")).to_contain_text("未连接")
        again = make(tmp_path, token=hub.token)
        present(again)
        with answering(again, port=int(hub.url.rsplit(":", 1)[1])):
            expect(page.get_by_role("status")).to_have_text("实时更新中")
            expect(page.locator(".room", has_text="主讲一")).to_contain_text("在线")


def test_the_language_is_changed_by_a_click_and_remembered(hub: District, page: Page):
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Rooms", exact=True)).to_be_visible()
    page.goto(f"{hub.url}/lessons/{hub.lesson}")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
