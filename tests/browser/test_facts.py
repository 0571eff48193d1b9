"""An operator brings the plan's facts in by a browser: a broken sheet, a good one, and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browser import chromium
from tests.hub_api.district import District, district

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    (tmp_path / "hub").mkdir()
    with district(tmp_path / "hub") as made:
        yield made


@pytest.fixture
def page(hub: District) -> Iterator[Page]:
    """A browser that is signed in; what goes wrong in the page fails the test."""
    with chromium() as browser:
        page = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768}).new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: said.type == "error" and "413" not in said.text and wrong.append(said.text))
        page.goto(hub.url)
        page.get_by_label("运维口令").fill(hub.token)
        page.get_by_role("button", name="登录").click()
        page.get_by_role("link", name="资料", exact=True).click()
        expect(page.get_by_role("heading", name="排课资料")).to_be_visible()
        yield page
        assert wrong == []


def test_a_broken_sheet_is_told_row_by_row_a_good_one_is_made_real_and_undone(
    hub: District, page: Page, tmp_path: Path
):
    facts = hub.parts.store.plan_facts
    with page.expect_download() as download:
        page.get_by_role("link", name="学校.csv").click()
    filled = download.value.path().read_text("utf-8-sig") + "s1,东关小学,东片,6,否\n"
    broken = tmp_path / "学校.csv"
    broken.write_text(f"{filled}s2,,东片,6,否\ns3,石桥小学,东片,很多,是\n", "gb18030")

    def bring(file: Path) -> None:
        page.get_by_label("文件", exact=True).set_input_files(file)
        page.get_by_role("button", name="预览改动").click()
        expect(page.get_by_role("heading", name="导入预览")).to_be_visible()

    bring(broken)
    rows = page.locator(".mistakes tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("4")
    expect(rows.nth(0)).to_contain_text("名称")
    expect(rows.nth(1)).to_contain_text("“很多”无法识别")
    expect(page.get_by_role("button", name="确认写入")).to_have_count(0)
    page.get_by_role("link", name="English").click()
    expect(page.locator(".mistakes tbody tr").nth(0)).to_contain_text("must not be empty")
    page.get_by_role("link", name="中文").click()
    page.get_by_role("button", name="放弃").click()

    good = tmp_path / "学校.csv"
    good.write_text(f"{filled}s2,石桥小学,东片,6,是\n", "utf-8")
    bring(good)
    expect(page.locator(".changes tbody tr")).to_have_count(2)
    assert facts.counts() == {}
    page.get_by_role("button", name="确认写入").click()
    expect(page.locator(".done")).to_contain_text("学校 +2")
    expect(page.locator(".by-school")).to_contain_text("石桥小学")
    expect(page.locator(".by-school")).to_contain_text("缺作息")
    assert facts.counts() == {"school": 2}

    page.locator("#imports").get_by_role("button", name="撤销").click()
    expect(page.locator(".done")).to_contain_text("学校 -2")
    expect(page.locator("#imports")).to_contain_text("已撤销")
    assert facts.counts() == {}


def test_a_file_that_is_too_large_is_told_in_a_sentence(page: Page, tmp_path: Path):
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(40 << 20)
    page.get_by_label("文件", exact=True).set_input_files(large)
    with page.expect_response("**/facts") as answer:
        page.get_by_role("button", name="预览改动").click()
    assert answer.value.status == 413
    expect(page.get_by_role("alert")).to_contain_text("文件超过 16 MiB")
