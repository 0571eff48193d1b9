"""The figures of a running lesson: what is known, what is not, and what is not believed."""

import math
import random

import pytest

from agent.observe.live import KEPT_S, LATE_S, MOST_SPANS, LiveVoices, live_summary
from contract.observation import Observation
from measures.figure import Reason
from measures.voices import Role, Span, Voice

T, S, M, N = Voice.TEACHER, Voice.STUDENT, Voice.SEVERAL, Voice.SILENCE
ROOMS = {"lead": Role.LEAD, "far": Role.RECEIVING}


def seen(t: float, seconds: float, voice: object, kind: str = "voice") -> Observation:
    return Observation(kind=kind, t=t, mono_ns=0, seconds=seconds, confidence=0.9, value={"voice": voice})


def lesson(upto_s: float) -> dict[str, list[Span]]:
    """Minutes alike: she speaks 30 s, waits 3 s, a lead pupil 12 s, again 3 s, a far pupil 4 s, silence."""
    told: dict[str, list[Span]] = {"lead": [], "far": []}
    for minute in range(math.ceil(upto_s / 60)):
        at = minute * 60.0
        for room, parts in {
            "lead": [(30, T), (3, N), (12, S), (15, N)],
            "far": [(48, N), (4, S), (8, N)],
        }.items():
            start = at
            for seconds, voice in parts:
                told[room].append(Span(start, float(seconds), voice, 0.9))
                start += seconds
    return {room: [one for one in spans if one.end_s <= upto_s] for room, spans in told.items()}


def hear_all(live: LiveVoices, spans: list[Span], now_s: float) -> None:
    for one in spans:
        live.hear(seen(one.start_s, one.seconds, one.voice.value), now_s)


def figures(live: LiveVoices, now_s: float):
    return live_summary(live.heard(now_s)).figures


def test_both_rooms_together_say_how_the_lesson_goes():
    live, told = LiveVoices(ROOMS, "lead"), lesson(300)
    hear_all(live, told["lead"], 310)
    live.told("far", told["far"], 0.01, 310)
    got = figures(live, 310)
    assert got["talk_share"].value == pytest.approx(30 / 46)
    assert got["far_share"].value == pytest.approx(4 / 16)
    assert got["longest_wait"].value == pytest.approx(3.0)
    assert all(one.coverage == 1 for one in got.values()), "what is not told yet is not missing"


def test_voices_that_come_in_one_burst_make_what_was_unknown_known():
    live, told = LiveVoices(ROOMS, "lead"), lesson(120)
    got = figures(live, 120)
    assert all(one.value is None for one in got.values())
    hear_all(live, told["lead"], 121)
    live.told("far", told["far"], 0.0, 121)
    assert all(one.known for one in figures(live, 121).values())


def test_a_room_that_is_not_heard_takes_its_part_with_it_and_only_that():
    live, told = LiveVoices(ROOMS, "lead"), lesson(300)
    hear_all(live, told["lead"], 300)
    got = figures(live, 300)
    assert got["far_share"].reason is Reason.COVERAGE
    assert got["talk_share"].known
    assert got["longest_wait"].known


def test_a_connection_that_is_cut_makes_the_far_rooms_share_unknown_and_its_return_known_again():
    live, told = LiveVoices(ROOMS, "lead"), lesson(1200)
    cut_s = 600.0
    for now in range(10, 1201, 10):
        hear_all(live, [one for one in told["lead"] if now - 10 < one.end_s <= now], float(now))
        if now <= cut_s:
            live.told("far", [one for one in told["far"] if now - 10 < one.end_s <= now], 0.0, float(now))
            known = figures(live, float(now))["far_share"].known
    assert known, "as long as there is a connection"
    got = figures(live, 1200.0)["far_share"]
    assert (got.value, got.reason) == (None, Reason.COVERAGE)
    back = [one for one in told["far"] if one.end_s > cut_s]
    live.told("far", back, 0.0, 1200.0)
    again = figures(live, 1200.0)["far_share"]
    assert (again.value, again.coverage) == (pytest.approx(4 / 16, abs=0.01), pytest.approx(1.0, abs=0.02))


def test_late_voices_are_waited_for_and_not_for_ever():
    live, told = LiveVoices(ROOMS, "lead"), lesson(300)
    hear_all(live, told["lead"], 300)
    live.told("far", [one for one in told["far"] if one.end_s <= 280], 0.0, 300)
    assert live.heard(265).end_s == pytest.approx(max(one.end_s for one in told["far"] if one.end_s <= 280))
    assert live.heard(400).end_s == 400 - LATE_S


def test_clocks_that_do_not_agree_leave_each_room_alone():
    live, told = LiveVoices(ROOMS, "lead"), lesson(300)
    hear_all(live, told["lead"], 300)
    live.told("far", told["far"], 0.2, 300)
    got = figures(live, 300)
    assert got["far_share"].reason is Reason.CLOCK
    assert got["talk_share"].known


def test_errors_of_two_far_clocks_add_up_and_one_counts_alone():
    live = LiveVoices({**ROOMS, "farther": Role.RECEIVING}, "lead")
    live.told("far", [Span(0, 10, N)], 0.03, 20)
    live.told("farther", [Span(0, 10, N)], 0.04, 20)
    assert live.heard(40).clock_error_s == pytest.approx(0.07)
    alone = LiveVoices(ROOMS, "lead")
    alone.told("far", [Span(0, 10, N)], 0.03, 20)
    assert alone.heard(40).clock_error_s == pytest.approx(0.03)


def test_nobody_tells_for_this_room_or_for_one_outside_the_session():
    live = LiveVoices(ROOMS, "lead")
    for room in ("lead", "elsewhere"):
        live.told(room, [Span(0, 10, T)], 0.0, 20)
    assert [one.spans for one in live.heard(45).rooms] == [(), ()]


@pytest.mark.parametrize(
    "absurd",
    [
        Span(math.nan, 1, T),
        Span(0, math.inf, T),
        Span(-1e300, 1, T),
        Span(1e300, 1, T),
        Span(990, 61, T),
        Span(1000, 10, T),
        Span(990, -5, T),
        Span(990, 0, T),
        Span(999 - KEPT_S - 10, 5, T),
    ],
)
def test_a_voice_that_cannot_be_is_none(absurd):
    live = LiveVoices(ROOMS, "lead")
    live.told("far", [absurd, Span(980, 10, S)], 0.0, 1000)
    assert live.heard(1025).rooms[1].spans == (Span(980, 10, S),)


def test_an_error_that_is_no_number_tells_nothing():
    live = LiveVoices(ROOMS, "lead")
    live.told("far", [Span(980, 10, S)], math.nan, 1000)
    assert live.heard(1025).rooms[1].spans == ()


def test_a_flood_is_bounded_and_what_is_old_is_forgotten():
    live = LiveVoices(ROOMS, "lead")
    live.told("far", [Span(100 + at * 0.01, 0.01, S) for at in range(3 * MOST_SPANS)], 0.0, 300)
    assert len(live.heard(330).rooms[1].spans) <= MOST_SPANS
    live.told("far", [Span(2990, 5, S)], 0.0, 3000)
    assert live.heard(3025).rooms[1].spans == (Span(2990, 5, S),)
    assert len(live._told["far"]) == 1


def test_what_is_told_twice_or_in_another_order_changes_nothing():
    told = lesson(300)
    once, twice = LiveVoices(ROOMS, "lead"), LiveVoices(ROOMS, "lead")
    mixed = [*told["far"], *told["far"]]
    random.Random(1).shuffle(mixed)
    for live, far in ((once, told["far"]), (twice, mixed)):
        hear_all(live, told["lead"], 300)
        live.told("far", far, 0.0, 300)
    assert figures(once, 300) == figures(twice, 300)


def test_observations_of_other_kinds_or_of_no_known_voice_are_left_out():
    live = LiveVoices(ROOMS, "lead")
    for one in (seen(0, 5, "teacher", "speech"), seen(0, 5, "ghost"), seen(0, 5, None), seen(0, 5, ["teacher"])):
        live.hear(one, 10)
    assert live.heard(35).rooms[0].spans == ()


def test_a_receiving_room_knows_itself_and_the_lead_room_and_of_three_no_far_share():
    live, told = LiveVoices({**ROOMS, "farther": Role.RECEIVING}, "far"), lesson(300)
    hear_all(live, told["far"], 300)
    live.told("lead", told["lead"], 0.0, 300)
    got = figures(live, 300)
    assert got["talk_share"].known
    assert not got["far_share"].known


def test_before_the_first_second_nothing_is_known():
    for now_s in (-5.0, 0.0, LATE_S):
        assert live_summary(LiveVoices(ROOMS, "lead").heard(now_s)).end_s == 0.0
        assert all(one.reason is Reason.EMPTY for one in figures(LiveVoices(ROOMS, "lead"), now_s).values())
