from pathlib import Path

import pytest

from agent.observe.timeline import Timeline, read_timeline, summary
from contract.observation import Observation


def line(kind: str, t: float, seconds: float = 0.0, **value: object) -> Observation:
    return Observation(kind=kind, t=t, mono_ns=round(t * 1e9), seconds=seconds, value=value)


def test_lines_come_back_in_order_and_a_torn_last_one_is_left_out(tmp_path: Path):
    path = tmp_path / "timeline.jsonl"
    sent = [line("people", at / 10, count=at) for at in range(50)]
    whole = b"".join(one.model_dump_json().encode() + b"\n" for one in sent)
    path.write_bytes(whole)
    assert read_timeline(path) == Timeline(tuple(sent))
    path.write_bytes(whole[:-20])
    assert read_timeline(path) == Timeline(tuple(sent[:-1]), torn=True)


def test_lines_that_are_not_observations_are_counted(tmp_path: Path):
    path = tmp_path / "timeline.jsonl"
    path.write_bytes(b"\x00\x00\x00\n" + line("slide", 1.0).model_dump_json().encode() + b"\n")
    assert read_timeline(path).unreadable == 1
    assert len(read_timeline(path).observations) == 1


def test_a_timeline_that_was_never_begun_is_empty(tmp_path: Path):
    assert read_timeline(tmp_path / "timeline.jsonl").observations == ()


def test_the_summary_says_talk_time_slides_and_people():
    lines = [
        line("cadence", 0.0, speech_s=0.032, people_s=1.0, slides_s=0.5),
        line("speech", 1.0, 4.0),
        line("speech", 5.0, 2.0, continues=True),
        line("slide", 0.0, index=1),
        line("slide", 9.0, index=2),
        *[line("people", float(at), count=30 + at % 3) for at in range(20)],
    ]
    told = summary(lines, 20.0)
    assert told.observations == len(lines)
    assert told.speech_seconds == 6.0
    assert told.talk_share is None
    assert (told.people.median, told.people.known) == (31.0, True)
    assert told.slides == 2


def voices(*parts: tuple[str, float], begin: float = 0.0) -> list[Observation]:
    lines, at = [], begin
    for voice, seconds in parts:
        lines.append(line("voice", at, seconds, voice=voice))
        at += seconds
    return lines


def test_the_teachers_share_of_talk_is_told_where_enough_is_known():
    whole = voices(("teacher", 6.0), ("silence", 2.0), ("student", 3.0), ("silence", 6.0), ("several", 3.0))
    assert summary(whole, 20.0).talk_share == 0.5
    assert summary(whole).talk_share == 0.5
    assert summary(whole, 25.0).talk_share == 0.5, "80 % is known"
    assert summary(whole, 26.0).talk_share is None
    assert summary(whole[:-1], 20.0).talk_share == pytest.approx(6 / 9, abs=1e-4)


def test_only_talk_in_session_time_has_a_share_and_a_room_without_talk_has_none():
    assert summary(voices(("student", 10.0), ("teacher", 20.0), begin=-10.0), 10.0).talk_share == 1.0
    assert summary(voices(("silence", 20.0)), 20.0).talk_share is None
    odd = [
        line("voice", 0.0, 20.0, voice="ghost"),
        line("voice", 0.0, 20.0, voice=["teacher"]),
        line("voice", 0.0, 9.0),
    ]
    assert summary(odd, 20.0).talk_share is None
    assert summary(voices(("teacher", 20.0)), 0.0).talk_share is None


def test_without_counts_the_number_of_people_is_unknown():
    lines = [line("people", float(at), count=None) for at in range(20)]
    assert summary(lines).people.known is False
    assert summary([]).people.median is None


def test_only_session_time_counts():
    lines = [line("speech", -2.0, 4.0), line("speech", 18.0, 5.0), line("slide", 25.0, index=9)]
    told = summary(lines, 20.0)
    assert told.speech_seconds == 4.0
    assert told.slides == 0


def test_without_its_model_speech_is_unknown_and_with_it_silence_is_none_spoken():
    assert (
        summary([line("cadence", 0.0, speech_s=None, people_s=1.0), line("slide", 1.0, index=1)]).speech_seconds is None
    )
    assert summary([]).speech_seconds is None
    assert summary([line("cadence", 0.0, speech_s=0.032)]).speech_seconds == 0.0
