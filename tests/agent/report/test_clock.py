import threading

import pytest

from agent.report.clock import WALL_ERROR_NS, HubClock
from contract.signal import ClockReply

S = 1_000_000_000


class Machine:
    """A machine's two clocks, set by hand."""

    def __init__(self) -> None:
        self.mono, self.wall = 5 * S, 1_000 * S

    def clock(self, path, boot: str = "boot-1") -> HubClock:
        return HubClock(path, boot, mono_ns=lambda: self.mono, wall_ns=lambda: self.wall)

    def exchange(self, clock: HubClock, hub_offset: int, trip: int = 2_000_000) -> bool:
        t1 = clock.ask()
        self.mono += trip
        at_hub = t1 + trip // 2 + hub_offset
        return clock.answer(ClockReply(device="d-1", t1_ns=t1, t2_ns=at_hub, t3_ns=at_hub), self.mono)


@pytest.fixture
def machine():
    return Machine()


def test_without_the_hub_the_wall_clock_stands_in_with_a_large_error(machine, tmp_path):
    clock = machine.clock(tmp_path / "clock.json")
    assert not clock.heard
    assert clock.hub_ns(machine.mono) == machine.wall
    assert clock.error_ns(machine.mono) >= WALL_ERROR_NS
    assert clock.record().source == "wall"


def test_one_exchange_replaces_the_wall_clock(machine, tmp_path):
    clock = machine.clock(tmp_path / "clock.json")
    assert machine.exchange(clock, 9_000 * S)
    assert clock.heard
    assert abs(clock.hub_ns(machine.mono) - (machine.mono + 9_000 * S)) <= 1_000_000
    assert clock.error_ns(machine.mono) <= 1_000_001


def test_a_wall_clock_that_jumps_moves_nothing_once_the_hub_was_heard(machine, tmp_path):
    clock = machine.clock(tmp_path / "clock.json")
    machine.exchange(clock, 9_000 * S)
    before = clock.hub_ns(machine.mono)
    machine.wall += 40 * 365 * 86_400 * S
    clock.follow_wall()
    assert clock.hub_ns(machine.mono) == before


def test_a_machine_that_woke_in_1970_follows_its_wall_clock_when_somebody_sets_it(machine, tmp_path):
    machine.wall = 0
    clock = machine.clock(tmp_path / "clock.json")
    machine.wall = 1_800_000_000 * S
    clock.follow_wall()
    assert clock.hub_ns(machine.mono) == machine.wall
    assert clock.record().source == "wall"


def test_an_answer_counts_once_and_only_when_asked_for(machine, tmp_path):
    clock = machine.clock(tmp_path / "clock.json")
    t1 = clock.ask()
    machine.mono += 1_000
    reply = ClockReply(device="d-1", t1_ns=t1, t2_ns=7 * S, t3_ns=7 * S)
    assert clock.answer(reply, machine.mono)
    assert not clock.answer(reply, machine.mono)
    assert not clock.answer(reply.model_copy(update={"t1_ns": 12345}), machine.mono)


def test_a_reply_with_timestamps_that_run_backwards_is_left_out(machine, tmp_path):
    clock = machine.clock(tmp_path / "clock.json")
    t1 = clock.ask()
    assert not clock.answer(ClockReply(device="d-1", t1_ns=t1, t2_ns=9 * S, t3_ns=8 * S), machine.mono)
    assert not clock.heard


def test_a_restart_in_the_same_boot_goes_on_and_another_boot_begins_anew(machine, tmp_path):
    path = tmp_path / "clock.json"
    clock = machine.clock(path)
    machine.exchange(clock, 9_000 * S)
    clock.save()
    machine.mono += 60 * S
    assert machine.clock(path).hub_ns(machine.mono) == clock.hub_ns(machine.mono)
    assert not machine.clock(path, "boot-2").heard


@pytest.mark.parametrize("content", [b"", b"{", b'{"boot":"boot-1","segments":[]}', b"\xff\xfe"])
def test_a_clock_file_that_cannot_be_used_is_left_out(machine, tmp_path, content):
    (tmp_path / "clock.json").write_bytes(content)
    assert not machine.clock(tmp_path / "clock.json").heard


def test_threads_may_ask_while_answers_come(machine, tmp_path):
    clock = machine.clock(tmp_path / "clock.json")
    stop, wrong = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            if clock.error_ns(machine.mono) < 0:
                wrong.append(1)
            clock.record()

    readers = [threading.Thread(target=look, daemon=True) for _ in range(3)]
    for one in readers:
        one.start()
    for number in range(300):
        machine.mono += 15 * S
        machine.exchange(clock, 9_000 * S, trip=1_000_000 + number % 7 * 100_000)
    stop.set()
    for one in readers:
        one.join()
    assert not wrong
    assert len(clock.record().segments) <= 2000
