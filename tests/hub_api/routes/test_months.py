"""Month reports over HTTP: of lessons that were planned, held and measured by real packages."""

import datetime as dt
import io
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from contract.state import SessionState
from hub.store.occurrences import Laid
from tests.hub.insight.month.planned import SHANGHAI, occurrence
from tests.hub_api.district import District
from tests.hub_api.reported import kept, taught


def planned(hub: District, *sessions: str) -> str:
    """Occurrences of which these sessions came, and one of which none came; the month they are in."""
    rooms = {"one": "room-lead", "two": "room-far"}
    made = []
    for number, session in enumerate((*sessions, "")):
        order = hub.parts.conductor.order(session) if session else None
        at = order.epoch if order else hub.parts.clock.now() - 7200
        made.append(occurrence(dt.datetime.fromtimestamp(at, SHANGHAI), lesson=f"l{number}", rooms=rooms))
    hub.parts.store.occurrences.publish([Laid("p", "t", [12], made)], 0.0)
    for one, session in zip(made, sessions, strict=False):
        hub.parts.store.occurrences.link(one.id, session)
    return f"{made[0].date:%Y-%m}"


@pytest.fixture
def month(hub: District, tmp_path) -> str:
    session = taught(hub)
    found = planned(hub, session)
    kept(hub, session, tmp_path, 0, 1)
    for room in hub.parts.store.sessions.get(session).rooms:
        hub.parts.store.sessions.save_room(session, replace(room, state=SessionState.UPLOADED))
    return found


def test_a_month_tells_what_was_planned_and_what_its_packages_measured(hub: District, month: str):
    with hub.http() as http:
        assert month in http.get("/api/v1/plan/months").json()
        told = http.get(f"/api/v1/plan/months/{month}").json()
    counts = told["counts"]
    assert (counts["planned"], counts["held"], counts["missed"]) == (2, 1, 1)
    assert [(one["fate"], one["words"]) for one in told["lost"]] == [("missed", "no-session")]
    assert told["observed"] == 1
    assert told["measures"]["teachers_share"] | {"of": 1, "known": 1} == told["measures"]["teachers_share"]
    (one,) = told["classes"]
    assert one["answers"]["known"] == 1


def test_it_is_read_in_chinese_and_english_and_taken_away(hub: District, month: str):
    with hub.http() as http:
        page = http.get("/months", params={"month": month, "of": "district:"})
        assert page.status_code == 200
        assert "双师课堂月报" in page.text
        assert "没有上成" in page.text
        english = http.get("/months", params={"month": month, "lang": "en"})
        assert "were not held" in english.text
        book = http.get(f"/api/v1/plan/months/{month}/xlsx?lang=zh")
        assert load_workbook(io.BytesIO(book.content)).worksheets[0]["A1"].value.startswith("全区")
        paper = http.get(f"/api/v1/plan/months/{month}/pdf?lang=en")
        assert paper.content.startswith(b"%PDF")
        assert "filename*=UTF-8''" in paper.headers["content-disposition"]


def test_what_is_no_month_or_no_school_is_refused_in_words(hub: District, month: str):
    with hub.http() as http:
        wrong = http.get("/api/v1/plan/months/2026-13")
        assert wrong.status_code == 422
        assert "write it as 2026-11" in wrong.json()["error"]
        unknown = http.get(f"/api/v1/plan/months/{month}", params={"scope": "school", "who": "nowhere"})
        assert "there is no school nowhere" in unknown.json()["error"]
        page = http.get("/months", params={"month": month, "of": "school:nowhere"})
        assert page.status_code == 404
        assert http.get("/months", params={"of": "planet:x"}).status_code == 422


def test_a_hub_that_planned_nothing_says_so(hub: District):
    with hub.http() as http:
        assert http.get("/api/v1/plan/months").json() == []
        assert "还没有发布过任何课程计划" in http.get("/months").text


def test_who_names_no_month_sees_the_one_that_runs_and_before_a_term_its_first(hub: District):
    def month_in(days: float) -> dt.datetime:
        return dt.datetime.fromtimestamp(hub.parts.clock.now() + days * 86_400.0, SHANGHAI)

    def plan(*days: int) -> None:
        laid = [Laid("p", "t", [12], [occurrence(month_in(one), lesson=f"l{one}") for one in days])]
        hub.parts.store.occurrences.publish(laid, 0.0)

    def seen() -> str:
        with hub.http() as http:
            return http.get("/months").text

    plan(70, 100)
    assert f"{month_in(70):%Y} 年 {month_in(70).month} 月" in seen()
    plan(0, 70, 100)
    assert f"{month_in(0):%Y} 年 {month_in(0).month} 月" in seen()
