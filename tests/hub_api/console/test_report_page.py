"""The page of a lesson's report: what stands on it, and what is said where nothing is known."""

import re
from pathlib import Path

import httpx
import pytest

from contract.session import Mode, Policy
from hub.console.texts import load_texts
from hub.insight.accuracy import beside
from tests.hub.insight.archive import archived, manifest_of
from tests.hub_api.district import District
from tests.hub_api.reported import kept, taught

EN = load_texts()["en"]


def page(hub: District, session: str, language: str = "en") -> str:
    with hub.http() as http:
        answer = http.get(f"/lessons/{session}/report", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text


def row(text: str, label: str, after: str = "") -> list[str]:
    """The cells of a row of a table, tags taken out."""
    body = text[text.index(after) :]
    found = re.search(rf'<th scope="row">{re.escape(label)}</th>(.*?)</tr>', body, re.DOTALL)
    assert found, label
    return [re.sub(r"<[^>]+>", " ", one).strip() for one in re.findall(r"<td[^>]*>(.*?)</td>", found[1], re.DOTALL)]


def test_the_page_shows_the_same_figures_as_the_data(hub: District, tmp_path: Path):
    session = taught(hub)
    kept(hub, session, tmp_path, 0, 1)
    with hub.http() as http:
        told = http.get(f"/api/v1/sessions/{session}/report").json()
    text = page(hub, session)
    rt = told["measures"]["st"]["rt"]
    assert row(text, "Rt (share of teacher&#39;s acts)")[0].startswith(f"{100 * rt['value']:.1f}\u00a0%")
    answers = row(text, "Answers of single pupils", "Room by room")
    assert [one.split()[0] for one in answers[:2]] == [f"{one['answers']['value']:g}" for one in told["rooms"]]
    assert f"{100 * beside('answers').mean:.1f}\u00a0% found" in answers[3]
    assert text.count("<svg") == 2 + 1 + 2  # S-T and Rt-Ch, one time axis, two rooms' seats
    assert "Raised hands, standing and heads up are not shown" in text


def test_a_room_whose_package_is_missing_is_named_and_its_figures_say_why(hub: District, tmp_path: Path):
    session = taught(hub)
    kept(hub, session, tmp_path, 0)
    text = page(hub, session, "zh")
    assert "以下教室的课例包不在本平台，它们的情况未知：听课一。" in text
    assert "未知" in row(text, "单人回答", "各教室")[1]
    assert "已知不足 80 %" in row(text, "教师说话", "各教室")[1]
    assert "另一室未被听到" in row(text, "单人回答", "各教室")[0]


def test_a_lesson_of_one_room_has_a_page_without_a_word_of_other_rooms(hub: District, tmp_path: Path):
    session = taught(hub, mode=Mode.OPEN)
    kept(hub, session, tmp_path, 0)
    text = page(hub, session)
    assert "Open class" in text
    assert row(text, "Rt (share of teacher&#39;s acts)")[0].endswith("known")
    for label in (
        "report.figure.talk.teachers",
        "report.room.by_room",
        "report.figure.answers.far_share",
        "report.figure.talk.far_of_pupils",
        "report.figure.talk.far_rooms",
    ):
        assert f'<th scope="row">{EN(label)}</th>' not in text
    assert EN("report.why.no-room") not in text
    assert "are not in this hub" not in text
    assert text.count("<svg") == 2 + 1 + 1


def test_a_lesson_of_which_nothing_can_be_told_has_a_page_that_says_why(hub: District, tmp_path: Path):
    silent = taught(hub, policy=Policy(record=True, upload=True))
    kept(hub, silent, tmp_path, 0, 1)
    said = page(hub, silent)
    assert "has observing off" in said
    assert "<svg" not in said
    assert "No room&#39;s package" in page(hub, taught(hub, hours=5))
    running = hub.session(seconds=600.0)
    assert "课还没有结束" in page(hub, running, "zh")
    hub.parts.conductor.cancel(running)
    assert "called off" in page(hub, running)


def test_a_lesson_that_nobody_knows_is_not_found(hub: District):
    with hub.http() as http:
        assert http.get("/lessons/s-nobody/report").status_code == 404


def test_the_lesson_page_leads_to_the_report(hub: District):
    session = taught(hub)
    with hub.http() as http:
        assert f'href="/lessons/{session}/report"' in http.get(f"/lessons/{session}").text


def test_a_room_that_says_nothing_but_nonsense_still_has_a_page(hub: District, tmp_path: Path):
    session = taught(hub)
    for room in ("room-lead", "room-far"):
        archived(
            hub.parts.archive,
            manifest_of(session, room),
            b'{"v":1,"kind":"slide","t":1.0,"mono_ns":0,"value":{"title":"<script>x</script>","index":"x"}}\n' * 90,
            scratch=tmp_path,
        )
    text = page(hub, session)
    assert "<script>x" not in text
    assert "unknown" in row(text, "Rt (share of teacher&#39;s acts)")[0]
    assert "30 more stand in the data" in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_many_rooms_stand_in_several_drawings_and_tables_that_fit_on_paper(
    hub: District, tmp_path: Path, language: str
):
    session = taught(hub, far=3)
    kept(hub, session, tmp_path, 0, 1, 2, 3, 4, trouble=True)
    text = page(hub, session, language)
    assert text.count('class="figures rooms-table"') == 2
    assert "†" in text
    assert text.count('class="plot timeline"') == 1


def test_the_page_needs_no_script_and_no_style_of_its_own(hub: District, tmp_path: Path):
    session = taught(hub)
    kept(hub, session, tmp_path, 0, 1)
    with hub.http() as http:
        answer: httpx.Response = http.get(f"/lessons/{session}/report")
    assert "<script" not in answer.text
    assert 'style="' not in answer.text
    assert "style-src 'self'" in answer.headers["content-security-policy"]


def test_a_type_whose_error_reaches_over_a_limit_says_so(hub: District, tmp_path: Path):
    short = taught(hub, seconds=60.0)
    kept(hub, short, tmp_path, 0, 1)
    assert "reaches over a limit" in row(page(hub, short), "Type of class")[0]
