"""While a lesson runs, API and console say how it goes, as its lead room tells it."""

import re
import time
from typing import Any

import pytest

from contract.telemetry import Row
from hub.store.rows import Arrived
from tests.hub_api.console.test_rungs import present, running
from tests.hub_api.district import Device, District

SHARE = {"value": 0.724, "unit": "share", "coverage": 0.97, "interval_s": 0.032, "confidence": 0.9}
UNKNOWN = {"value": None, "unit": "share", "coverage": 0.41, "interval_s": 0.032, "confidence": None}
WAIT = {"value": 4.26, "unit": "s", "coverage": 0.97, "interval_s": 0.032, "confidence": 0.9, "count": 3}


def data(lesson: str, device: Device, **changed: Any) -> dict[str, Any]:
    figures = {"talk_share": SHARE, "far_share": UNKNOWN | {"reason": "coverage"}, "longest_wait": WAIT}
    told = {"session": lesson, "room": device.room, "t": 55.0, "start_t": 0.0, "end_t": 40.0, "figures": figures}
    return told | changed


def says(hub: District, device: Device, told: dict[str, Any], seq: int = 2) -> None:
    row = Row(
        stream=f"st-{device.id}",
        seq=seq,
        first=1,
        id=f"i-{seq}",
        kind="lesson.insight",
        boot="b",
        mono_ns=1,
        wall=0.0,
        data=told,
    )
    hub.parts.store.rows.take([Arrived(device.id, "tele", row, time.time() + seq / 1000)])


@pytest.fixture
def session(hub: District) -> str:
    running(hub, "both")
    (view,) = hub.parts.conductor.views()
    return view.session


def view(hub: District, session: str) -> dict[str, Any]:
    answer = hub.http().get(f"/api/v1/sessions/{session}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_view_holds_what_the_lead_room_said_last(hub: District, session: str):
    assert view(hub, session)["insight"] is None
    says(hub, hub.lead, data(session, hub.lead, t=45.0), seq=2)
    says(hub, hub.lead, data(session, hub.lead, t=55.0), seq=3)
    told = view(hub, session)["insight"]
    assert told["t"] == 55.0
    assert told["figures"]["talk_share"] == SHARE | {"count": None, "reason": ""}
    assert told["figures"]["far_share"]["reason"] == "coverage"
    assert hub.http().get("/api/v1/sessions").json()[0]["insight"] == told


def test_a_receiving_rooms_own_view_is_not_the_sessions(hub: District, session: str):
    says(hub, hub.receiving, data(session, hub.receiving))
    says(hub, hub.receiving, data(session, hub.lead), seq=3)
    assert view(hub, session)["insight"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"session": "s-another"},
        {"room": "elsewhere"},
        {"t": "soon"},
        {"t": float("nan")},
        {"figures": {}},
        {"figures": []},
        {"figures": {"talk_share": {"value": "much"}, "far_share": UNKNOWN, "longest_wait": WAIT}},
        {"figures": {"talk_share": SHARE | {"coverage": 7}, "far_share": UNKNOWN, "longest_wait": WAIT}},
        {"figures": {"talk_share": UNKNOWN | {"reason": "x" * 65}, "far_share": UNKNOWN, "longest_wait": WAIT}},
        {"t": -200.0},
    ],
)
def test_what_is_old_of_another_lesson_or_unreadable_is_not_shown(hub: District, session: str, wrong: dict[str, Any]):
    says(hub, hub.lead, data(session, hub.lead, **wrong))
    assert view(hub, session)["insight"] is None
    assert "暂不清楚" not in hub.http().get(f"/lessons/{session}", headers={"Accept-Language": "zh"}).text


@pytest.mark.parametrize(
    ("language", "there"),
    [
        (
            "zh",
            (
                "主讲教师发言占比 72 %",
                "听课班级占学生发言 暂不清楚 能确定的时间不足八成",
                "4.3 秒",
                "统计 00:00 至 00:40",
            ),
        ),
        (
            "en",
            ("72 % 97 % of the time is known", "Not known Less than 80 % of the time is known", "4.3 s", "to 00:40"),
        ),
    ],
)
@pytest.mark.parametrize("page", ["/lessons/{session}", "/lessons/{session}/insight", "/overview"])
def test_console_pages_say_it_in_the_readers_language(
    hub: District, session: str, language: str, there: tuple[str, ...], page: str
):
    says(hub, hub.lead, data(session, hub.lead))
    shown = words(hub.http().get(page.format(session=session), headers={"Accept-Language": language}).text)
    for one in there:
        assert one in shown


def test_a_reason_that_this_hub_does_not_know_is_shown_as_it_is_and_harms_nothing(hub: District, session: str):
    odd = {"talk_share": UNKNOWN | {"reason": "<b>fog</b>"}, "far_share": UNKNOWN, "longest_wait": WAIT}
    says(hub, hub.lead, data(session, hub.lead, figures=odd))
    assert "&lt;b&gt;fog&lt;/b&gt;" in hub.http().get(f"/lessons/{session}/insight").text


def test_when_the_lesson_is_over_the_page_is_told_and_the_view_holds_no_insight(hub: District, session: str):
    says(hub, hub.lead, data(session, hub.lead))
    hub.parts.conductor.end(session)
    hub.parts.clock.behind_s = -900.0
    present(hub, online=False)
    hub.parts.conductor.tick()
    assert view(hub, session)["insight"] is None
    assert hub.http().get(f"/lessons/{session}/insight").status_code == 204
    assert 'id="insight"' not in hub.http().get(f"/lessons/{session}").text


def test_a_lesson_that_nobody_knows_has_no_insight(hub: District):
    assert hub.http().get("/lessons/s-nowhere/insight").status_code == 404


def test_what_rooms_send_and_receive_is_shown_beside_it(hub: District, session: str):
    says(hub, hub.lead, data(session, hub.lead))
    says(hub, hub.receiving, data(session, hub.receiving))
    assert "250" in words(hub.http().get("/overview", headers={"Accept-Language": "en"}).text)
