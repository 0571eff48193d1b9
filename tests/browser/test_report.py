"""The lesson report in a real browser: on a screen, on a narrow one, and on paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.browser import chromium
from tests.hub_api.district import District, district
from tests.hub_api.reported import kept, taught

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
A4_PT = (595, 842)
CLOSE_PT = 2.0


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    """A hub with a lesson of four rooms that is over, of which one was away and one was not listened to."""
    (tmp_path / "hub").mkdir()
    with district(tmp_path / "hub") as made:
        made.register()
        made.lesson = taught(made, seconds=1200.0, far=2, title="五年级数学 · 分数的意义")
        kept(made, made.lesson, tmp_path, 0, 1, 2, 3, trouble=True)
        yield made


@pytest.fixture
def context(hub: District) -> Iterator[BrowserContext]:
    with chromium() as browser:
        yield browser.new_context(locale="zh-CN", extra_http_headers=hub.headers)


def opened(context: BrowserContext, hub: District, language: str) -> Page:
    page = context.new_page()
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.wrong.append(said.text))
    page.goto(f"{hub.url}/lessons/{hub.lesson}/report?lang={language}")
    return page


def test_from_the_lesson_to_its_report_and_its_drawings_have_names(hub: District, context: BrowserContext):
    page = context.new_page()
    page.goto(f"{hub.url}/lessons/{hub.lesson}")
    page.get_by_role("link", name="课堂报告").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("五年级数学 · 分数的意义")
    for name in ("课堂时间轴", "S-T 图", "Rt-Ch 图"):
        expect(page.get_by_role("img", name=re.compile(f"^{name}"))).to_be_visible()
    page.get_by_role("link", name="返回课例").click()
    expect(page).to_have_url(f"{hub.url}/lessons/{hub.lesson}")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [360, 820, 1366])
def test_the_page_fits_on_any_screen(hub: District, context: BrowserContext, width: int, language: str):
    page = opened(context, hub, language)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.wrong == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_paper_no_drawing_is_cut_nothing_runs_over_the_edge_and_the_console_is_gone(
    hub: District, context: BrowserContext, language: str
):
    page = opened(context, hub, language)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins, in CSS pixels
    expect(page.locator("header.top")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    uncut = page.evaluate(
        "[...document.querySelectorAll('svg.plot')].every((plot) => {"
        " for (let one = plot; one; one = one.parentElement)"
        " if (getComputedStyle(one).breakInside === 'avoid') return true; return false })"
    )
    assert uncut
    tall = page.evaluate("Math.max(...[...document.querySelectorAll('.block')].map((one) => one.offsetHeight))")
    assert tall < 950, "a block that may not be cut is taller than a page"


def test_the_pdf_is_a4_with_the_lessons_name_on_every_page(hub: District, context: BrowserContext, tmp_path: Path):
    page = opened(context, hub, "en")
    made = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", made)
    assert 3 <= len(boxes) <= 10
    for box in boxes:
        assert [float(one) for one in box] == pytest.approx(A4_PT, abs=CLOSE_PT)
    heads = page.evaluate("getComputedStyle(document.querySelector('.paper > thead')).display")
    assert heads == "none"  # on the screen; on paper the table's head comes again on each page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.paper > thead')).display") == "table-header-group"


def test_without_colour_the_voices_are_told_apart_by_their_rows(hub: District, context: BrowserContext):
    page = opened(context, hub, "en")
    tops = page.evaluate(
        "['teacher', 'student', 'several'].map((voice) =>"
        " document.querySelector(`.p-voice-${voice}`).getBoundingClientRect().top)"
    )
    assert tops == sorted(set(tops))
    assert len(set(tops)) == 3
