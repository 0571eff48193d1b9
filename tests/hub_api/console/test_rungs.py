"""While a lesson runs, the console says on which rung of the failure ladder each room stands."""

import re
import time

import pytest

from contract.result import ReceivedFrom, RoomResult
from contract.state import SessionState
from contract.telemetry import DeviceState, Row
from hub.store.rows import Arrived
from tests.hub_api.console.test_remarks import report
from tests.hub_api.district import Device, District

LIVE = (SessionState.READYING, SessionState.READY, SessionState.LIVE)


def present(hub: District, *, online: bool = True) -> None:
    for device in (hub.lead, hub.receiving):
        state = DeviceState(device=device.id, online=online, boot="b", incarnation="i1", version="0.1.0")
        hub.parts.devices.present([state])


def tells(hub: District, device: Device, other: Device, session: str, rung: str) -> None:
    came = ReceivedFrom(sender=other.room, video_frames=250, audio_seconds=10.0, latency_ms=None, join_ms=90, rung=rung)
    data = {"session": session, "result": RoomResult(received=(came,)).model_dump(by_alias=True)}
    row = Row(
        stream=f"st-{device.id}", seq=1, first=1, id="p", kind="lesson.live", boot="b", mono_ns=1, wall=0.0, data=data
    )
    hub.parts.store.rows.take([Arrived(device.id, "tele", row, time.time())])


def running(hub: District, rung: str) -> None:
    present(hub)
    hub.parts.clock.behind_s = 60.0
    session = hub.session(seconds=600)
    hub.parts.clock.behind_s = 0.0
    for state in LIVE:
        for device in (hub.lead, hub.receiving):
            report(hub, device, session, state)
    tells(hub, hub.receiving, hub.lead, session, rung)
    hub.parts.conductor.tick()


def overview(hub: District, language: str) -> str:
    """The overview's words, without its marks."""
    page = hub.http().get("/overview", headers={"Accept-Language": language}).text
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    ("rung", "zh", "en"),
    [
        ("both", "双向互动 与 主讲一", "Both ways with 主讲一"),
        ("one-way", "单向画面 与 主讲一", "Picture one way only with 主讲一"),
        ("sound", "只有声音和课件 与 主讲一", "Sound and slides only with 主讲一"),
        ("alone", "未连通，本地教学 与 主讲一", "Not connected, teaching locally with 主讲一"),
        ("roof", "roof 与 主讲一", "roof with 主讲一"),
    ],
)
def test_a_live_room_shows_its_rung_in_the_readers_language(hub: District, rung: str, zh: str, en: str):
    running(hub, rung)
    assert zh in overview(hub, "zh")
    assert en in overview(hub, "en")


def test_a_room_that_tells_no_rung_shows_none(hub: District):
    running(hub, "")
    assert "与 主讲一" not in overview(hub, "zh")


def test_what_a_room_told_before_it_went_away_is_not_shown_as_if_it_were_now(hub: District):
    running(hub, "both")
    assert "双向互动" in overview(hub, "zh")
    present(hub, online=False)
    assert "双向互动" not in overview(hub, "zh")
