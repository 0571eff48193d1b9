"""A room that failed says why, in the reader's language, wherever the session is shown."""

import pytest

from contract.signal import RoomReport
from contract.state import SessionState
from hub.console.texts import load_texts
from hub.console.words import remark_words
from hub.session.remarks import Reason, Remark
from tests.hub_api.district import Device, District


def report(hub: District, device: Device, session: str, state: SessionState, words: str = "") -> None:
    now = hub.parts.clock.now()
    said = RoomReport(
        device=device.id, session=session, room=device.room, incarnation="i1", state=state, t=0.0, words=words, rev=1
    )
    assert hub.parts.conductor.handle(said, now) == ""


def pages(hub: District, session: str, language: str) -> list[str]:
    headers = {"Accept-Language": language}
    return [hub.http().get(path, headers=headers).text for path in ("/", f"/lessons/{session}")]


def test_a_room_that_says_why_it_failed_is_quoted(hub: District):
    session = hub.session()
    report(hub, hub.lead, session, SessionState.FAILED, "the camera is gone")
    for page in pages(hub, session, "zh"):
        assert "主讲一：失败，the camera is gone" in page
    for page in pages(hub, session, "en"):
        assert "主讲一: failed, the camera is gone" in page


def test_a_room_that_fails_without_a_word_is_said_to_have_given_no_reason(hub: District):
    session = hub.session()
    report(hub, hub.lead, session, SessionState.FAILED)
    for page in pages(hub, session, "zh"):
        assert "主讲一：失败，没有说明原因" in page


def test_a_room_that_is_not_heard_from_is_told_without_a_word_of_english(hub: District):
    session = hub.session(seconds=10)
    report(hub, hub.lead, session, SessionState.LIVE)
    hub.parts.clock.behind_s = -600.0
    for page in pages(hub, session, "zh"):
        assert "主讲一：失去联系，最后的状态是“上课中”" in page
        assert "听课一：上课期间没有音讯" in page
        assert "see whether" not in page
    view = hub.http().get(f"/api/v1/sessions/{session}").json()
    assert [room["remark"]["reason"] for room in view["rooms"]] == ["room_lost", "room_unheard"]
    assert "听课一 failed: was not heard from during the lesson" in view["words"]
    assert view["rooms"][0]["words"] == "was last heard from when it was live; see whether its device runs"


def test_a_lesson_that_was_called_off_says_so(hub: District):
    session = hub.session()
    hub.http().post(f"/api/v1/sessions/{session}/cancel")
    for page in pages(hub, session, "zh"):
        assert "已取消" in page
        assert "called off" not in page


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_can_be_told_in_every_language(reason: Reason, language: str):
    remark = Remark(reason=reason, room="三班", state=SessionState.LIVE)
    told = remark_words(remark, load_texts()[language])
    assert "三班" in told
    assert "{" not in told
    assert len(told) > 4
