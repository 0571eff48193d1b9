"""Files of a lesson on its page, and the month report, in a real browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from contract.material import MaterialHeld
from tests.browser.browser import chromium
from tests.hub_api.district import District, district
from tests.hub_api.routes.test_months import planned

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    (tmp_path / "hub").mkdir()
    with district(tmp_path / "hub") as made:
        made.register()
        yield made


@pytest.fixture
def page(hub: District) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900}).new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(hub.url)
        page.get_by_label("运维口令").fill(hub.token)
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("heading", name="教室", exact=True)).to_be_visible()
        yield page
        assert wrong == []


def shot(page: Page, name: str) -> None:
    folder = os.environ.get("TONGTANG_SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_file_is_added_on_the_page_seen_in_the_rooms_that_hold_it_and_taken_out(
    hub: District, page: Page, tmp_path: Path
):
    session = hub.session(seconds=600)
    paper = tmp_path / "勾股定理 练习.pdf"
    paper.write_bytes(b"%PDF" + bytes(3000))
    page.goto(f"{hub.url}/lessons/{session}")
    expect(page.get_by_text("没有备用资料")).to_be_visible()
    page.locator("#material").set_input_files(paper)
    row = page.locator("#materials tr", has_text="勾股定理 练习.pdf")
    expect(row).to_contain_text("还没有：主讲一、听课一")
    (one,) = hub.parts.conductor.order(session).materials
    for device, room in (("device-lead", "room-lead"), ("device-far", "room-far")):
        hub.parts.materials.held(device, MaterialHeld(session=session, room=room, sha256=one.sha256))
    expect(row).to_contain_text("各教室都有")
    shot(page, "materials")
    row.get_by_role("button", name="移除").click()
    expect(page.get_by_text("没有备用资料")).to_be_visible()
    assert hub.parts.conductor.order(session).materials == ()


def test_what_the_hub_refuses_is_told_on_the_page(hub: District, page: Page, tmp_path: Path):
    session = hub.session(seconds=600)
    odd = tmp_path / "a:b?.pdf"
    odd.write_bytes(b"x")
    page.goto(f"{hub.url}/lessons/{session}")
    page.locator("#material").set_input_files(odd)
    expect(page.locator("#material-trouble")).to_contain_text("cannot be a file's name")


def test_a_principal_reads_the_month_in_sentences_and_takes_it_away(hub: District, page: Page):
    month = planned(hub)
    page.goto(f"{hub.url}/months")
    expect(page.get_by_role("heading", level=1)).to_contain_text("双师课堂月报")
    expect(page.locator(".said")).to_contain_text("1 节没有上成")
    shot(page, "month")
    with page.expect_download() as told:
        page.get_by_role("link", name="下载 PDF").click()
    assert told.value.suggested_filename.endswith("双师课堂月报.pdf")
    assert Path(told.value.path()).read_bytes().startswith(b"%PDF")
    expect(page.locator("select[name=month]")).to_have_value(month)
