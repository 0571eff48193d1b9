"""What two rooms tell each other over the data channel, and what one makes of garbage."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.stream.ladder import Told
from agent.stream.roomclock import LINE_MAX
from agent.stream.roomline import BUFFERED_MAX_BYTES, TELL_S, TOLD_S, RoomLine
from agent.stream.rung import Rung
from tests.patience import comes

S = 1_000_000_000


class Wire:
    """A data channel whose other end is a function."""

    def __init__(self, deliver) -> None:
        self.readyState = "open"
        self.bufferedAmount = 0
        self.deliver = deliver

    def send(self, data: str) -> None:
        self.deliver(data)

    def on(self, event: str, f) -> None:
        assert event == "message"
        self.take = f


class End:
    """One room with a line and a clock of its own."""

    def __init__(self, ahead_ns: int = 0, anchor_ns: int = 0) -> None:
        self.now_ns = 100 * S
        self.lags: list[float] = []
        self.sent: list[str] = []
        self.line = RoomLine(anchor_ns, self.lags.append, lambda: self.now_ns + ahead_ns)


@pytest.fixture
def alone() -> End:
    end = End()
    end.line.open(Wire(end.sent.append))
    return end


def told(hears: bool = True) -> Told:
    return Told(next(iter(Rung)), hears)


def test_what_one_room_tells_the_other_knows():
    here, there = End(), End()
    here.line.open(Wire(there.line.take))
    there.line.open(Wire(here.line.take))
    here.line.tell(told(hears=False), 12.34)
    assert there.line.told == told(hears=False)
    assert there.lags == [12.3]
    assert here.line.told is None


def test_what_was_told_counts_for_a_while_only(alone):
    alone.line.take(told().line())
    alone.now_ns += round(TOLD_S * S) - 1
    assert alone.line.told == told()
    alone.now_ns += 1
    assert alone.line.told is None


def test_the_same_is_told_now_and_then_and_what_is_new_at_once(alone):
    for _ in range(10):
        alone.line.tell(told(), None)
        alone.now_ns += round(TELL_S / 5 * S)
    assert len(alone.sent) == 2
    alone.line.tell(told(hears=False), None)
    assert alone.sent[-1] == told(hears=False).line()


def test_each_room_learns_the_others_clock():
    here, there = End(), End(ahead_ns=7 * S, anchor_ns=1000 * S)
    there_wire = Wire(here.line.take)
    here.line.open(Wire(there.line.take))
    there.line.open(there_wire)
    here.line.clock.ask()
    assert abs(here.line.clock.here_ns(107 * S) - 100 * S) <= here.line.clock.error_ns + 1000
    assert there.line.clock.here_ns(0) is None, "it has not asked yet"
    captured_ntp = ((1000 + 107 + 2_208_988_800) << 32) & (2**64 - 1)
    age_ns, error_ns = here.line.clock.age_ns(captured_ntp, here.now_ns + S)
    assert abs(age_ns - S) <= error_ns + 1000


def test_a_second_channel_is_not_used(alone):
    other: list[str] = []
    assert not alone.line.open(Wire(other.append))
    alone.line.tell(told(), None)
    assert alone.sent
    assert other == []


def test_nothing_is_sent_into_a_channel_that_is_not_open_or_full():
    end = End()
    wire = Wire(end.sent.append)
    end.line.tell(told(), None)
    end.line.open(wire)
    wire.readyState = "connecting"
    end.line.tell(told(hears=False), 1.0)
    wire.readyState, wire.bufferedAmount = "open", BUFFERED_MAX_BYTES + 1
    end.line.tell(told(), 1.0)
    assert end.sent == []
    wire.bufferedAmount = 0
    end.line.tell(told(hears=False), 1.0)
    assert len(end.sent) == 2


def test_lines_about_voices_are_handed_on_and_disturb_nothing_else():
    voices: list[str] = []
    line = RoomLine(0, lambda _lag: None, on_voices=voices.append)
    sent: list[str] = []
    assert not line.say("x"), "there is no channel yet"
    line.open(Wire(sent.append))
    line.take('{"voices":"0000000a"}')
    line.take('{"voiced":"0000000a","upto":1}')
    line.take(told().line())
    assert len(voices) == 2
    assert line.told == told()
    assert line.say("x")
    assert sent == ["x"]


async def test_the_clock_is_asked_for_often_at_first(alone):
    asking = asyncio.create_task(alone.line.run())
    await asyncio.sleep(1.0)
    await comes(lambda: len(alone.sent) >= 3)
    asking.cancel()
    assert 3 <= len(alone.sent) <= 5
    assert all("ask" in json.loads(line) for line in alone.sent)


@pytest.mark.parametrize(
    ("lag", "known"), [("1e999", []), ("-5", [0.0]), ('"x"', []), ("null", []), ("NaN", []), ("4.5", [4.5])]
)
def test_only_a_lag_that_can_be_is_taken(alone, lag, known):
    alone.line.take('{"lag_ms": ' + lag + "}")
    assert alone.lags == known


@given(
    st.one_of(
        st.text(max_size=LINE_MAX + 50),
        st.binary(max_size=20),
        st.dictionaries(
            st.sampled_from(["ask", "t1", "t2", "t3", "anchor", "lag_ms", "carries", "hears"]),
            st.one_of(st.none(), st.booleans(), st.text(max_size=9), st.floats(), st.integers()),
        ).map(json.dumps),
        st.sampled_from(
            ["[" * LINE_MAX, '{"lag_ms":' * 40, '{"lag_ms": ' + "9" * 400 + "}", '{"ask":' + "9" * 450 + "}"]
        ),
    )
)
def test_no_line_does_any_harm(line):
    end = End()
    end.line.open(Wire(end.sent.append))
    end.line.take(line)
    assert len(end.sent) <= 1
    assert all(0 <= lag < float("inf") for lag in end.lags)
    end.line.take(told().line())
    assert end.line.told == told()
