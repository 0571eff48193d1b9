import itertools
import time

import pytest

from contract.keys import new_device_key
from contract.session import Role, RoomOrder, SessionOrder
from contract.signal import Clock, Hello, Offer, Order, Peer, Received, RoomReport
from contract.state import SessionState
from hub.broker.embedded import choose
from hub.broker.pending import Pending
from hub.broker.port import free_port
from hub.broker.reading import PAYLOAD_LIMIT
from tests.hub.broker.speaker import eventually


@pytest.fixture
def broker(tmp_path):
    """One broker is enough here; that each of them carries messages is tried with the intake."""
    broker = choose("auto", "127.0.0.1", free_port("127.0.0.1"), tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


def report(device="dev-1", state="ready"):
    return RoomReport(
        device=device, session="s-0001", room="room-1", rev=1, state=SessionState(state), incarnation="i1"
    )


def order(rev=1):
    rooms = (
        RoomOrder(room="room-1", device="dev-1", role=Role.LEAD),
        RoomOrder(room="room-2", device="dev-2", role=Role.RECEIVING),
    )
    return Order(device="dev-1", order=SessionOrder(session="s-0001", rev=rev, epoch=1.0, seconds=2.0, rooms=rooms))


def test_a_signal_is_acted_on_once_and_every_repetition_is_answered(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    envelope = speaker.say(report())
    eventually(lambda: speaker.answer_to(envelope))
    for _ in range(3):
        speaker.raw("tt/v1/dev-1/signal/up", envelope.to_json())
    eventually(lambda: len(speaker.told("received")) == 4)
    assert ear.handled == [report()]
    assert {one.refused for one in speaker.told("received")} == {""}


def test_a_refusal_comes_back_in_words_also_to_repetitions(listen, speak):
    ear = listen()
    ear.refuse = "there is no such session"
    speaker = speak(ear=ear)
    envelope = speaker.say(report())
    eventually(lambda: speaker.answer_to(envelope))
    speaker.raw("tt/v1/dev-1/signal/up", envelope.to_json())
    eventually(lambda: len(speaker.told("received")) == 2)
    assert {one.refused for one in speaker.told("received")} == {"there is no such session"}


def test_signals_are_acted_on_in_the_order_in_which_they_came(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    said = [report(state=state) for state in ("readying", "ready", "live", "ending")]
    for one in said:
        speaker.say(one)
    eventually(lambda: len(ear.handled) == 4)
    assert ear.handled == said


def test_only_the_devices_own_key_speaks_for_it(listen, speak):
    ear = listen()
    speaker, other = speak(ear=ear), speak("dev-2", ear=ear)
    stranger = speak("dev-9")
    speaker.say(report(), key=new_device_key())
    other.say(report("dev-1"))
    stranger.say(report("dev-9"))
    speaker.raw("tt/v1/dev-1/signal/up", b"{}")
    speaker.raw("tt/v1/dev-1/signal/up", b"x" * (PAYLOAD_LIMIT + 1))
    late = speaker.say(report(), now=time.time() - 1000)
    good = speaker.say(report(state="live"))
    eventually(lambda: speaker.answer_to(good))
    assert ear.handled == [report(state="live")]
    assert "expired" in speaker.answer_to(late).refused
    counted = {
        "dev-1": {"bad-signature": 1, "malformed": 1, "oversized": 1, "expired": 1},
        "dev-2": {"spoofed": 1},
        "dev-9": {"unknown-device": 1},
    }
    eventually(lambda: ear.misfits.counts() == counted)
    assert ear.handled == [report(state="live")]


def test_a_device_that_does_not_know_the_time_yet_may_say_hello_and_ask_for_it(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    hello = Hello(device="dev-1", boot="b1", incarnation="i1")
    envelope = speaker.say(hello, now=0.0)
    speaker.say(Clock(device="dev-1", t1_ns=77), now=0.0)
    eventually(lambda: speaker.answer_to(envelope) and speaker.told("clock-reply"))
    assert ear.handled == [hello]
    reply = speaker.told("clock-reply")[0]
    assert reply.t1_ns == 77
    assert time.time_ns() - 10_000_000_000 < reply.t2_ns <= reply.t3_ns < time.time_ns() + 1_000_000_000


def test_a_signal_is_sent_again_until_it_is_answered(listen, speak):
    ear = listen()
    speaker = speak(ear=ear, answers=False)
    eventually(lambda: ear.devices.online("dev-1"))
    ear.courier.send(order(), 60.0)
    ear.courier.send(order(), 60.0)
    eventually(lambda: len(speaker.told("order")) >= 2)
    speaker.answers = True
    eventually(lambda: ear.answered)
    assert ear.answered == [(order(), "")]
    assert ear.courier._pending.due(lambda _: True) == []
    assert not ear.courier._pending._waiting


def test_an_answer_from_another_device_changes_nothing(listen, speak):
    ear = listen()
    speak("dev-1", ear=ear, answers=False)
    other = speak("dev-2", ear=ear)
    ear.courier.send(order(), 60.0)
    ref = next(iter(ear.courier._pending._subjects))
    envelope = other.say(Received(device="dev-2", ref=ref))
    other.say(report("dev-2"))
    eventually(lambda: ear.handled)
    assert ear.answered == []
    assert envelope.id != ref


def test_a_hello_brings_at_once_what_waited_for_the_device(listen, speak):
    ear = listen()
    speaker = speak(ear=ear, answers=False)
    eventually(lambda: ear.devices.online("dev-1"))
    ear.devices.present([_away()])
    ear.courier.send(order(), 60.0)
    eventually(lambda: speaker.told("order"))
    time.sleep(1.6)
    assert len(speaker.told("order")) == 1, "nothing is sent again to a device that is away"
    speaker.say(Hello(device="dev-1", boot="b1", incarnation="i1"))
    ear.devices.incarnated("dev-1", "b1", "i1")
    eventually(lambda: len(speaker.told("order")) == 2)


def _away():
    from contract.telemetry import DeviceState

    return DeviceState(device="dev-1", online=False, incarnation="i1")


def test_a_signal_that_makes_the_hub_stumble_is_not_answered_and_stops_no_other(listen, speak, caplog):
    ear = listen()
    speaker = speak(ear=ear)
    stumbled = []

    def handle(signal, issued):
        if not stumbled:
            stumbled.append(signal)
            raise ZeroDivisionError
        return ""

    ear.courier._handle = handle
    first = speaker.say(report())
    second = speaker.say(report(state="live"))
    eventually(lambda: speaker.answer_to(second))
    assert speaker.answer_to(first) is None
    speaker.raw("tt/v1/dev-1/signal/up", first.to_json())
    eventually(lambda: speaker.answer_to(first))
    assert any("could not be acted on" in line for line in caplog.messages)


class TestPending:
    def setup_method(self):
        self.now = 0.0
        self.pending = Pending(lambda: self.now)

    def add(self, signal, valid_s=60.0):
        from contract.envelope import sign
        from contract.keys import new_hub_key

        envelope = sign(signal, new_hub_key(), 0.0, valid_s)
        self.pending.add(signal, envelope, valid_s)
        return envelope

    def sent(self, until):
        times = []
        while self.now < until:
            self.now = round(self.now + 0.1, 1)
            times += [self.now for _ in self.pending.due(lambda _: True)]
        return times

    def test_pauses_grow_from_one_second_to_five_and_end_with_validity(self):
        self.add(order(), valid_s=30.0)
        times = self.sent(60.0)
        pauses = [round(b - a, 1) for a, b in itertools.pairwise(times)]
        assert times[0] == 1.0
        assert pauses == sorted(pauses)
        assert pauses[-1] == 5.0
        assert 24.0 < times[-1] < 30.0

    def test_a_device_that_is_away_gets_nothing_until_it_wakes_then_at_once(self):
        self.add(order())
        self.now = 8.0
        assert self.pending.due(lambda _: False) == []
        assert self.pending.due(lambda _: True) == []
        self.pending.wake("dev-1")
        assert len(self.pending.due(lambda _: True)) == 1

    def test_a_newer_order_replaces_the_older_one(self):
        old, new = self.add(order(1)), self.add(order(2))
        self.now = 2.0
        assert [one.id for _, one in self.pending.due(lambda _: True)] == [new.id]
        assert self.pending.answered("dev-1", old.id) is None
        assert self.pending.answered("dev-1", new.id) == order(2)

    def test_offers_of_different_rooms_and_peers_do_not_replace_each_other(self):
        offer = {"device": "dev-1", "session": "s-0001", "to": "room-1", "sdp": "v=0", "tracks": {}}
        self.add(Offer(**offer, sender="room-2", attempt="a"))
        self.add(Offer(**offer, sender="room-3", attempt="a"))
        self.add(Offer(**offer, sender="room-3", attempt="b"))
        peer = {"device": "dev-1", "session": "s-0001", "state": SessionState.READY, "incarnation": "i"}
        self.add(Peer(**peer, room="room-2"))
        self.add(Peer(**peer, room="room-3"))
        self.now = 2.0
        assert len(self.pending.due(lambda _: True)) == 4
