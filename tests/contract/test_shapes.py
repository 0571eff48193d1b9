"""States, topics, orders and settings files."""

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from contract import topics
from contract.session import Policy, Role, RoomOrder, SessionOrder
from contract.settings import Settings, SettingsRefused, load
from contract.signal import SIGNAL, Offer
from contract.state import FINAL, MOVES, MoveRefused, SessionState, moved

S = SessionState


def test_a_session_can_fail_or_be_cancelled_from_anywhere_but_the_end():
    for state in S:
        for to in (S.FAILED, S.CANCELLED):
            if state in FINAL:
                if state is not to:
                    with pytest.raises(MoveRefused):
                        moved(state, to)
            else:
                assert moved(state, to) is to


def test_a_whole_lesson_walks_through_every_state_in_order():
    state = S.SCHEDULED
    for to in (S.READYING, S.READY, S.LIVE, S.ENDING, S.SEALED, S.UPLOADED):
        state = moved(state, to)
    assert state in FINAL
    assert MOVES[state] == frozenset()


def test_a_refused_move_names_both_states_and_what_is_allowed():
    with pytest.raises(MoveRefused, match=r"sealed cannot become live; allowed from here: cancelled, failed, uploaded"):
        moved(S.SEALED, S.LIVE)


@pytest.mark.parametrize(
    "make", [topics.state, topics.tele, topics.event, topics.ack, topics.signal_up, topics.command]
)
def test_a_topic_names_its_device(make):
    assert topics.device_of(make("room-1")) == "room-1"


@pytest.mark.parametrize("topic", ["", "tt/v1", "tt/v1/hub/state", "ck/v1/room-1/state", "tt/v1/room-1"])
def test_what_is_no_topic_of_a_device_names_none(topic):
    assert topics.device_of(topic) is None


def test_everything_is_forbidden_until_the_school_allows_it():
    assert not any((Policy().record, Policy().observe, Policy().upload, Policy().watch))


def test_an_order_knows_its_end_its_lead_and_each_device_s_room():
    rooms = (
        RoomOrder(room="lead", device="d-1", role=Role.LEAD),
        RoomOrder(room="far", device="d-2", role=Role.RECEIVING),
    )
    order = SessionOrder(session="s-test", rev=1, epoch=100.0, seconds=40, rooms=rooms)
    assert order.ends == 140.0
    assert order.lead.room == "lead"
    assert order.room_of("d-2") == rooms[1]
    assert order.room_of("d-3") is None


@pytest.mark.parametrize("name", ["../etc", "A", "room/1", "", "x" * 80])
def test_a_room_s_name_can_never_be_a_path(name):
    with pytest.raises(ValidationError):
        RoomOrder(room=name, device="d-1", role=Role.LEAD)


def test_a_signal_of_a_newer_speaker_is_understood_as_far_as_it_goes():
    text = (
        '{"kind":"offer","device":"d-1","session":"s-test","sender":"far","to":"lead",'
        '"attempt":"a","sdp":"v=0","tracks":{},"from_the_future":1}'
    )
    assert isinstance(SIGNAL.validate_json(text), Offer)


class Inner(Settings):
    port: int = Field(8080, ge=1)


class Outer(Settings):
    inner: Inner = Inner()
    language: str = "zh"


def test_an_unknown_setting_is_refused_with_the_nearest_right_name(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text('langauge = "en"\n[inner]\nprot = 1\n')
    with pytest.raises(SettingsRefused) as told:
        load(path, Outer)
    assert "did you mean language?" in str(told.value)
    assert "inner.prot" in str(told.value)
    assert "did you mean port?" in str(told.value)


@pytest.mark.parametrize(
    "content, words",
    [(None, "cannot read"), (b"a = ", "not TOML"), (b"\xff\xfe", "UTF-8"), (b"[inner]\nport = 0", "inner.port")],
)
def test_a_settings_file_that_cannot_be_used_is_told_in_words(tmp_path: Path, content: bytes | None, words: str):
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsRefused, match=words):
        load(path, Outer)
