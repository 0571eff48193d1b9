"""Two rooms tell each other who speaks, over a line that loses, repeats and mixes up; and what one makes of garbage."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.stream.roomclock import LINE_MAX
from agent.stream.voicetalk import (
    AGAIN_MAX_S,
    CODES,
    KEPT_S,
    LINES_BURST,
    PREFIX,
    SPANS_A_LINE,
    TICK_S,
    MonoSpan,
    VoiceTalk,
)
from measures.voices import Voice

NS = 1_000_000_000


@dataclass
class Clock:
    """The other room's clock is `ahead_ns` ahead of ours."""

    ahead_ns: int = 0
    known: bool = True

    def here_ns(self, there_ns: int) -> int | None:
        return there_ns - self.ahead_ns if self.known else None

    @property
    def error_ns(self) -> int | None:
        return 2_000_000 if self.known else None


@dataclass
class Room:
    """One end, and what the other told it."""

    name: str
    other: str
    stream: str
    clock: Clock = field(default_factory=Clock)
    got: list[MonoSpan] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.talk = VoiceTalk([self.other], self.stream, self._told)

    def _told(self, room: str, spans: Sequence[MonoSpan], error_s: float) -> None:
        assert room == self.other
        self.got += spans
        self.errors.append(error_s)


def spans(count: int, first: int = 0, begin_ns: int = 0) -> list[MonoSpan]:
    voices = list(Voice)
    return [
        MonoSpan(begin_ns + at * NS, 0.9, voices[at % len(voices)], round(at % 100 / 100, 2))
        for at in range(first, first + count)
    ]


def exchange(a: Room, b: Room, ticks: int, rng: random.Random, lost: float = 0.0, begin_s: float = 0.0) -> float:
    """Let both tell for some ticks; lines are lost, repeated and mixed up."""
    now_s = begin_s
    for _ in range(ticks):
        now_s += TICK_S
        under_way: list[tuple[Room, str]] = []
        for one, other in ((a, b), (b, a)):

            def say(line: str, to: Room = other, post: list[tuple[Room, str]] = under_way) -> bool:
                post.append((to, line))
                return True

            one.talk.tell(one.other, now_s, say)
        under_way += [one for one in under_way if rng.random() < lost]
        rng.shuffle(under_way)
        for to, line in under_way:
            assert len(line) <= LINE_MAX
            if rng.random() >= lost:
                to.talk.take(to.other, line, to.clock, now_s)
    return now_s


def pair() -> tuple[Room, Room]:
    return Room("lead", "far", "0000000a"), Room("far", "lead", "0000000b")


def tell_all(room: Room, told: list[MonoSpan]) -> None:
    for one in told:
        room.talk.add(one, one.start_ns)


@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_every_voice_comes_once_and_in_order_whatever_the_line_does(lost):
    lead, far = pair()
    tell_all(far, spans(120))
    tell_all(lead, spans(30))
    exchange(lead, far, 400, random.Random(1), lost)
    assert lead.got == spans(120)
    assert far.got == spans(30)
    assert lead.errors[0] == pytest.approx(0.002)


def test_times_are_told_on_the_hearers_clock():
    lead, far = pair()
    lead.clock.ahead_ns = 7 * NS
    tell_all(far, spans(1, begin_ns=100 * NS))
    exchange(lead, far, 4, random.Random(1))
    assert lead.got[0].start_ns == 93 * NS


def test_what_was_said_while_the_line_was_down_comes_after_it():
    lead, far = pair()
    tell_all(far, spans(20))
    rng = random.Random(2)
    now_s = exchange(lead, far, 20, rng)
    tell_all(far, spans(40, first=20))
    now_s = exchange(lead, far, 100, rng, lost=1.0, begin_s=now_s)
    assert len(lead.got) == 20
    exchange(lead, far, round(AGAIN_MAX_S / TICK_S) + 40, rng, begin_s=now_s)
    assert lead.got == spans(60)


def test_a_hearer_that_was_started_anew_is_told_again_what_still_counts():
    lead, far = pair()
    tell_all(far, spans(50))
    rng = random.Random(3)
    now_s = exchange(lead, far, 60, rng)
    anew = Room("lead", "far", "0000000c")
    tell_all(far, spans(1, first=50))
    exchange(anew, far, 80, rng, begin_s=now_s)
    assert anew.got == spans(51)


def test_a_teller_that_was_started_anew_is_heard_from_its_first_voice():
    lead, far = pair()
    tell_all(far, spans(30))
    rng = random.Random(4)
    now_s = exchange(lead, far, 40, rng)
    anew = Room("far", "lead", "0000000d")
    tell_all(anew, spans(5, first=100))
    exchange(lead, anew, 20, rng, begin_s=now_s)
    assert lead.got == spans(30) + spans(5, first=100)


def test_voices_too_old_for_the_figures_are_told_no_more():
    lead, far = pair()
    tell_all(far, spans(2))
    late = MonoSpan(round((KEPT_S + 100) * NS), 1.0, Voice.TEACHER, 0.5)
    far.talk.add(late, late.start_ns)
    exchange(lead, far, 10, random.Random(5))
    assert lead.got == [late]


def test_before_the_clock_is_known_nothing_is_taken_and_afterwards_all():
    lead, far = pair()
    lead.clock.known = False
    tell_all(far, spans(10))
    now_s = exchange(lead, far, 10, random.Random(6))
    assert lead.got == []
    lead.clock.known = True
    exchange(lead, far, round(AGAIN_MAX_S / TICK_S) + 10, random.Random(6), begin_s=now_s)
    assert lead.got == spans(10)


def test_a_line_that_cannot_leave_is_not_taken_for_sent():
    lead, far = pair()
    tell_all(far, spans(3))
    far.talk.tell("lead", 1.0, lambda _line: False)
    exchange(lead, far, 3, random.Random(7), begin_s=1.0)
    assert lead.got == spans(3)


def test_a_room_that_never_answers_costs_few_lines():
    _, far = pair()
    tell_all(far, spans(500))
    lines = []
    for tick in range(2 * 600):
        far.talk.tell("lead", tick * TICK_S, lambda line: bool(lines.append(line)) or True)
    assert len(lines) <= 600 / AGAIN_MAX_S * 4 + 20


def test_nothing_is_told_to_a_room_outside_the_session_nor_taken_from_one():
    lead, far = pair()
    tell_all(far, spans(3))
    lines: list[str] = []
    far.talk.tell("stranger", 1.0, lambda line: bool(lines.append(line)) or True)
    assert lines == []
    far.talk.tell("lead", 1.0, lambda line: bool(lines.append(line)) or True)
    lead.talk.take("stranger", lines[0], lead.clock, 1.0)
    assert lead.got == []


def test_a_line_that_claims_another_room_is_of_the_room_at_the_other_end():
    got: list[str] = []
    talk = VoiceTalk(["far", "farther"], "0000000a", lambda room, _spans, _error: got.append(room))
    line = {"voices": "0000000b", "room": "farther", "kept": 0, "from": 0, "spans": [[1, 1, "T", 1]]}
    talk.take("far", json.dumps(line), Clock(), 1.0)
    assert got == ["far"]


def test_one_rooms_stream_does_not_reach_into_anothers():
    got: list[tuple[str, int]] = []
    talk = VoiceTalk(["far", "farther"], "0000000a", lambda room, told, _error: got.append((room, len(told))))
    for room in ("far", "farther", "far"):
        line = {"voices": "0000000b", "kept": 0, "from": 0, "spans": [[1, 1, "T", 1], [2, 1, "-", None]]}
        talk.take(room, json.dumps(line), Clock(), 1.0)
    assert got == [("far", 2), ("farther", 2)]


def line(**changed: object) -> str:
    good = {"voices": "0000000b", "kept": 0, "from": 0, "spans": [[1000, 500, "T", 90]]}
    return json.dumps(good | changed)


@pytest.mark.parametrize(
    "bad",
    [
        line(voices=7),
        line(voices="x" * 8),
        line(kept=-1),
        line(kept=2, **{"from": 1}),
        line(kept=True),
        line(**{"from": 1.0}),
        line(**{"from": 2**60}),
        line(spans=[]),
        line(spans=[[1, 1, "T", 1]] * (SPANS_A_LINE + 1)),
        line(spans=[[1, 1, "T"]]),
        line(spans=[[-1, 1, "T", 1]]),
        line(spans=[[1, 60_001, "T", 1]]),
        line(spans=[[1, 1, "X", 1]]),
        line(spans=[[1, 1, ["T"], 1]]),
        line(spans=[[1, 1, "T", 101]]),
        line(spans=[[1, 1, "T", "1"]]),
        line(spans=[[1000, 500, "T", 90], [1, 1, "T", None, 4]]),
        line(spans={"0": 1}),
        line(spans="spans"),
        '{"voices":' * 40,
        '{"voice' + "[" * 400,
        '{"voiced":"0000000a","upto":' + "9" * 400 + "}",
        '{"voiced":"0000000a","upto":-1}',
        '{"voiced":"0000000a"}',
        '{"voices": null}',
    ],
)
def test_what_cannot_be_read_is_dropped_whole_and_the_next_good_line_counts(bad):
    lead, _ = pair()
    lead.talk.take("far", bad, lead.clock, 1.0)
    assert lead.got == []
    lead.talk.take("far", line(), lead.clock, 1.0)
    assert len(lead.got) == 1


def test_a_flood_is_dropped_and_the_room_is_heard_again_afterwards():
    lead, _ = pair()
    for at in range(2000):
        lead.talk.take("far", line(**{"from": at, "kept": at}), lead.clock, 1.0)
    assert len(lead.got) == LINES_BURST
    lead.talk.take("far", line(**{"from": 5000, "kept": 5000}), lead.clock, 3.0)
    assert len(lead.got) == LINES_BURST + 1


def test_an_acknowledgement_of_more_than_was_told_is_none():
    lead, far = pair()
    tell_all(far, spans(3))
    far.talk.take("lead", '{"voiced":"0000000b","upto":4}', far.clock, 1.0)
    far.talk.take("lead", '{"voiced":"0000000e","upto":3}', far.clock, 1.0)
    exchange(lead, far, 3, random.Random(8), begin_s=1.0)
    assert lead.got == spans(3)


@given(
    st.one_of(
        st.text(max_size=LINE_MAX),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.sampled_from([*CODES, "0000000b"])),
            lambda inner: st.one_of(
                st.lists(inner, max_size=4),
                st.dictionaries(st.sampled_from(["voices", "voiced", "kept", "from", "upto", "spans"]), inner),
            ),
        ).map(json.dumps),
    )
)
def test_no_line_does_any_harm(said):
    lead, _ = pair()
    lead.talk.take("far", said, lead.clock, 1.0)
    lines: list[str] = []
    lead.talk.tell("far", 2.0, lambda one: bool(lines.append(one)) or True)
    assert all(one.startswith(PREFIX) and len(one) <= LINE_MAX for one in lines)


def test_the_longest_line_fits():
    _, far = pair()
    for at in range(SPANS_A_LINE):
        far.talk.add(MonoSpan(2**53 * 1_000_000 // 64 + at, 60.0, Voice.TEACHER, 1.0), 0)
    far.talk._first = 2**40
    far.talk._rooms["lead"].telling.acknowledged = 2**40
    lines: list[str] = []
    far.talk.tell("lead", 1.0, lambda one: bool(lines.append(one)) or True)
    assert 0 < len(lines[0]) <= LINE_MAX
