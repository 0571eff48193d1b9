"""A command is done once, in time, for whom it is meant, or not at all; and whoever sent it hears which."""

import threading
import time

import pytest

from agent.commands import ActFailed, ActRefused, Commands, Done
from agent.report.journal import Journal
from contract.command import COMMAND_LIMIT_BYTES, Command, CommandName, Outcome, Result
from contract.envelope import parse, sign, verify
from contract.keys import new_device_key, new_hub_key
from contract.settings import Settings
from tests.agent.report.brokers import wait_for


class Time:
    """The hub's time as a machine may know it."""

    def __init__(self) -> None:
        self.heard = True
        self.ahead_s = 0.0
        self.error_s = 0.001

    def now(self) -> float:
        return time.time() + self.ahead_s

    def error_ns(self, _mono_ns: int) -> int:
        return round(self.error_s * 1e9)


class Room:
    """The commands of one room; `done` holds what was acted on, `told` what the hub hears."""

    def __init__(self, state) -> None:
        self.state = state
        self.key = new_device_key()
        self.hub_key = new_hub_key()
        self.clock = Time()
        self.done: list[str] = []
        self.told: list[Result] = []
        self.events: list[tuple[str, dict]] = []
        self.hold = threading.Event()
        self.hold.set()

    def start(self) -> "Room":
        acts = {
            CommandName.PING: self._act,
            CommandName.IDENTIFY: self._slow,
            CommandName.RESTART: lambda _: self.done.append("restart"),
            CommandName.HEALTH: self._failing,
            CommandName.RENEW: self._refusing,
            CommandName.LOG: lambda _: Done("long", {"lines": ["x" * 1000] * 100}),
        }
        self.commands = Commands(
            "d-1",
            self.key,
            self.hub_key.public_key(),
            Journal(self.state / "commands.jsonl"),
            self.clock,
            self._publish,
            lambda kind, data: self.events.append((kind, data)),
            acts,
        )
        self.commands.start()
        return self

    def stop(self) -> None:
        self.hold.set()
        self.commands.stop()

    def give(self, name: str, *, key=None, device="d-1", valid_s=60.0, now=None, **arguments) -> bytes:
        command = Command(device=device, name=name, arguments=arguments)
        data = sign(command, key or self.hub_key, time.time() if now is None else now, valid_s).to_json()
        self.commands.arrived(data)
        return data

    def results(self, data: bytes) -> list[Result]:
        return [one for one in self.told if one.ref == parse(data).id]

    def result(self, data: bytes) -> Result:
        assert wait_for(lambda: self.results(data))
        return self.results(data)[0]

    def _act(self, _arguments: Settings) -> Done:
        self.done.append("ping")
        return Done("here", {"n": len(self.done)})

    def _slow(self, _arguments: Settings) -> Done:
        self.done.append("identify")
        self.hold.wait(20)
        return Done("shown")

    def _failing(self, _arguments: Settings) -> Done:
        if not self.done:
            raise ActFailed("the sensor is dumb")
        raise ZeroDivisionError

    def _refusing(self, _arguments: Settings) -> Done:
        raise ActRefused("not today")

    def _publish(self, data: bytes) -> bool:
        envelope = parse(data)
        verify(envelope, self.key.public_key(), None)
        self.told.append(Result.model_validate_json(envelope.body))
        return True


@pytest.fixture
def room(tmp_path):
    one = Room(tmp_path).start()
    yield one
    one.stop()


def test_a_command_is_done_and_answered(room):
    result = room.result(room.give("ping"))
    assert (result.outcome, result.words, result.data, result.device) == (Outcome.DONE, "here", {"n": 1}, "d-1")
    assert abs(result.at - time.time()) < 30
    assert ("command", "ping") in [(kind, data.get("name")) for kind, data in room.events]


def test_repetitions_are_answered_as_before_and_not_done_again(room):
    data = room.give("ping")
    first = room.result(data)
    for _ in range(5):
        room.commands.arrived(data)
    assert wait_for(lambda: len(room.results(data)) == 6)
    assert room.results(data) == [first] * 6
    assert room.done == ["ping"]
    assert room.commands.counts == {"repeated": 5}


def test_a_repetition_after_a_restart_of_the_service_is_answered_from_the_journal(room):
    data = room.give("ping")
    first = room.result(data)
    room.stop()
    room.told.clear()
    room.start()
    room.commands.arrived(data)
    assert room.result(data) == first
    assert room.done == ["ping"]


def test_a_command_that_was_cut_off_is_told_as_interrupted_and_not_done_again(room):
    room.hold.clear()
    data = room.give("identify")
    assert wait_for(lambda: room.done == ["identify"])
    other = Room(room.state)  # as after a kill: another life on the same disk, the first one never ended
    other.key, other.hub_key = room.key, room.hub_key
    other.start()
    try:
        assert other.result(data).outcome is Outcome.INTERRUPTED
        other.commands.arrived(data)
        assert wait_for(lambda: len(other.results(data)) == 2)
        assert other.done == []
    finally:
        other.stop()


def test_a_restart_is_answered_by_the_next_life(room):
    data = room.give("restart")
    assert wait_for(lambda: room.done == ["restart"])
    room.stop()
    assert room.results(data) == []
    room.start()
    assert room.result(data).outcome is Outcome.DONE
    assert "started anew" in room.result(data).words


def test_what_was_refused_stays_refused_when_it_comes_again(room):
    data = room.give("renew-certificate")
    assert room.result(data).outcome is Outcome.REFUSED
    assert room.result(data).words == "not today"
    room.commands.arrived(data)
    assert wait_for(lambda: len(room.results(data)) == 2)


def test_what_fails_is_told_and_does_not_keep_the_next_from_being_done(room):
    failed = room.result(room.give("health"))
    assert (failed.outcome, failed.words) == (Outcome.FAILED, "the sensor is dumb")
    room.result(room.give("ping"))
    faulty = room.result(room.give("health"))
    assert faulty.outcome is Outcome.FAILED
    assert "fault in the program" in faulty.words
    assert room.result(room.give("ping")).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [("make-tea", {}, "there is no command"), ("identify", {"secs": 3}, "did you mean seconds")],
)
def test_what_this_machine_does_not_understand_is_refused_in_words(room, name, arguments, words):
    result = room.result(room.give(name, **arguments))
    assert result.outcome is Outcome.REFUSED
    assert words in result.words


def test_a_command_is_not_done_after_it_has_expired(room):
    result = room.result(room.give("ping", now=time.time() - 61))
    assert result.outcome is Outcome.REFUSED
    assert "it expired 1." in result.words
    assert room.done == []
    assert room.commands.counts == {"late": 1}


def test_a_clock_that_may_be_wrong_by_more_than_is_left_counts_as_too_late(room):
    room.clock.error_s = 100.0
    assert room.result(room.give("ping")).outcome is Outcome.REFUSED
    assert room.done == []


def test_a_command_that_expires_while_it_waits_is_not_done(room):
    room.hold.clear()
    room.give("identify")
    assert wait_for(lambda: room.done == ["identify"])
    waiting = room.give("ping", valid_s=0.5)
    time.sleep(0.6)
    room.hold.set()
    assert room.result(waiting).outcome is Outcome.REFUSED
    assert room.done == ["identify"]


def test_nothing_is_done_while_the_hubs_time_is_unknown_and_it_may_come_again(room):
    room.clock.heard = False
    data = room.give("ping")
    assert wait_for(lambda: room.commands.counts == {"no-time": 1})
    assert (room.done, room.told) == ([], [])
    room.clock.heard = True
    room.commands.arrived(data)
    assert room.result(data).outcome is Outcome.DONE


def test_what_the_hub_did_not_sign_is_not_done_and_not_answered(room):
    room.give("ping", key=new_hub_key())
    room.give("ping", key=room.key)
    good = parse(room.give("health"))
    changed = good.model_copy(update={"body": good.body.replace("health", "restart")})
    room.commands.arrived(changed.to_json())
    later = good.model_copy(update={"expires": good.expires + 1000, "nonce": "0" * 32})
    room.commands.arrived(later.to_json())
    assert wait_for(lambda: room.commands.counts.get("forged") == 4)
    assert room.done == []
    assert [data["reason"] for kind, data in room.events if kind == "command.unfit"] == ["forged"], "told once an hour"


def test_what_is_for_another_device_is_not_done(room):
    room.give("ping", device="d-2")
    assert wait_for(lambda: room.commands.counts == {"another-device": 1})
    assert (room.done, room.told) == ([], [])


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{}", b"[]", b'{"id": 1}', b"null"])
def test_what_is_no_command_is_counted_and_ends_nothing(room, data):
    room.commands.arrived(data)
    assert wait_for(lambda: room.commands.counts == {"malformed": 1})
    assert room.result(room.give("ping")).outcome is Outcome.DONE


def test_a_signed_body_that_is_no_command_is_counted(room):
    result = Result(device="d-1", ref="12345678", outcome=Outcome.DONE, at=1.0)
    room.commands.arrived(sign(result, room.hub_key, time.time(), 60).to_json())
    assert wait_for(lambda: room.commands.counts == {"malformed": 1})


def test_what_is_too_long_is_not_even_read(room):
    room.commands.arrived(b"x" * (COMMAND_LIMIT_BYTES + 1))
    room.give("ping", more="x" * COMMAND_LIMIT_BYTES)
    assert room.commands.counts == {"oversized": 2}
    assert room.done == []


def test_what_cannot_be_written_down_is_not_done(room):
    (room.state / "commands.jsonl").mkdir()
    result = room.result(room.give("ping"))
    assert result.outcome is Outcome.REFUSED
    assert "could not be written down first" in result.words
    assert room.done == []


def test_an_answer_that_is_too_long_is_left_out_and_says_so(room):
    result = room.result(room.give("log"))
    assert result.outcome is Outcome.DONE
    assert result.data == {}
    assert "too long to be sent" in result.words


def test_a_flood_is_dropped_and_told_and_ends_nothing(room):
    room.hold.clear()
    room.give("identify")
    assert wait_for(lambda: room.done == ["identify"])
    flood = [room.give("ping") for _ in range(200)]
    room.hold.set()
    assert room.commands.counts["queue-full"] > 100
    assert wait_for(lambda: len(room.done) == 1 + len(flood) - room.commands.counts["queue-full"])


def test_at_each_connect_the_last_results_are_told_again(room):
    data = room.give("ping")
    first = room.result(data)
    room.told.clear()
    room.commands.connected()
    assert room.result(data) == first
