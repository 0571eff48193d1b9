"""The agent's courier against a pipe that loses, repeats and reorders, with real keys and envelopes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.report.courier import Courier
from contract.envelope import BadSignature, parse, sign, verify
from contract.keys import new_device_key, new_hub_key
from contract.signal import SIGNAL, Clock, ClockReply, Offer, Order, Peer, Received, RoomReport
from tests.agent.report.test_report import order_of

DEVICE_KEY, HUB_KEY = new_device_key(), new_hub_key()


class HubTime:
    heard = True

    def __init__(self) -> None:
        self.s = 1000.0
        self.replies = []

    def now(self) -> float:
        return self.s

    def ask(self) -> int:
        return round(self.s * 1e9)

    def answer(self, reply, t4_ns) -> bool:
        self.replies.append((reply, t4_ns))
        return True


class Pipe:
    """Keeps what the device sent, and says whether there is a connection."""

    def __init__(self) -> None:
        self.up = True
        self.sent: list = []

    def publish(self, data: bytes, _qos: int) -> bool:
        if self.up:
            self.sent.append(parse(data))
        return self.up

    def signals(self, kind: str) -> list:
        return [one for one in map(self.read, self.sent) if one.kind == kind]

    @staticmethod
    def read(envelope):
        return SIGNAL.validate_json(envelope.body)


@pytest.fixture
def time_():
    return HubTime()


@pytest.fixture
def pipe():
    return Pipe()


@pytest.fixture
def courier(time_, pipe):
    one = Courier("d-1", DEVICE_KEY, HUB_KEY.public_key(), pipe.publish, time_, mono_s=lambda: time_.s)
    one.up()
    return one


def room_report(state: str = "ready") -> RoomReport:
    return RoomReport(device="d-1", session="s-0001", room="lead", rev=1, state=state, incarnation="i")


def from_hub(signal, now: float = 1000.0, valid_s: float = 60.0, key=HUB_KEY) -> bytes:
    return sign(signal, key, now, valid_s).to_json()


def peer(room: str = "receiving-1", device: str = "d-1") -> Peer:
    return Peer(device=device, session="s-0001", room=room, state="live", incarnation="i")


def tick(courier, time_, s: float) -> None:
    until = time_.s + s
    while time_.s < until:
        courier.tick()
        time_.s += 0.25


def test_a_signal_is_sent_again_ever_more_rarely_until_it_is_answered(courier, pipe, time_):
    courier.send(room_report(), 600)
    tick(courier, time_, 20)
    assert 5 <= len(pipe.sent) <= 8
    assert len({one.id for one in pipe.sent}) == 1
    courier.arrived(from_hub(Received(device="d-1", ref=pipe.sent[0].id), time_.s), 0)
    sent = len(pipe.sent)
    tick(courier, time_, 20)
    assert (len(pipe.sent), courier.waiting()) == (sent, 0)


def test_what_is_sent_is_signed_by_this_device(courier, pipe, time_):
    courier.send(room_report(), 600)
    courier.tick()
    verify(pipe.sent[0], DEVICE_KEY.public_key(), time_.s)
    with pytest.raises(BadSignature):
        verify(pipe.sent[0], new_device_key().public_key(), time_.s)


def test_a_signal_that_nobody_answers_is_given_up_when_it_is_worth_nothing_any_more(courier, pipe, time_):
    courier.send(room_report(), 10)
    tick(courier, time_, 30)
    assert courier.waiting() == 0


def test_a_newer_report_replaces_the_older_one(courier, pipe, time_):
    pipe.up = False
    courier.send(room_report("readying"), 600, key="room s-0001")
    courier.send(room_report("ready"), 600, key="room s-0001")
    pipe.up = True
    courier.up()
    tick(courier, time_, 1)
    assert {one.state for one in pipe.signals("room")} == {"ready"}


def test_everything_unanswered_goes_out_at_once_when_the_link_is_back(courier, pipe, time_):
    courier.send(room_report(), 600)
    courier.down()
    tick(courier, time_, 60)
    assert pipe.sent == []
    courier.up()
    courier.tick()
    assert len(pipe.sent) == 1


def test_a_repeated_signal_is_answered_each_time_and_acted_on_once(courier, pipe):
    came = []
    courier.on_signal = came.append
    data = from_hub(peer())
    for _ in range(3):
        courier.arrived(data, 0)
    assert len(came) == 1
    assert [one.ref for one in pipe.signals("received")] == [parse(data).id] * 3


def test_an_answer_is_never_answered(courier, pipe):
    courier.arrived(from_hub(Received(device="d-1", ref="0123456789")), 0)
    courier.arrived(from_hub(ClockReply(device="d-1", t1_ns=1, t2_ns=2, t3_ns=3)), 0)
    assert pipe.sent == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff" * 40,
        from_hub(peer(), key=new_hub_key()),
        from_hub(peer()).replace(b"receiving-1", b"receiving-2"),
    ],
)
def test_what_the_hub_did_not_sign_is_neither_acted_on_nor_answered(courier, pipe, data):
    came = []
    courier.on_signal = came.append
    courier.arrived(data, 0)
    assert (came, pipe.sent) == ([], [])


def test_a_signal_for_another_device_or_too_late_is_refused_in_words(courier, pipe, time_):
    came = []
    courier.on_signal = came.append
    courier.arrived(from_hub(peer(device="d-2")), 0)
    courier.arrived(from_hub(peer(), now=time_.s - 100, valid_s=30), 0)
    assert came == []
    first, second = pipe.signals("received")
    assert "meant for d-2" in first.refused
    assert "expired" in second.refused


def test_an_order_that_the_disk_does_not_take_is_not_answered_and_comes_again(courier, pipe):
    room = [False, True]

    def keep(_order, _envelope) -> None:
        if not room.pop(0):
            raise OSError(28, "No space left on device")

    courier.on_order = keep
    data = from_hub(Order(device="d-1", order=order_of()))
    courier.arrived(data, 0)
    assert pipe.sent == []
    courier.arrived(data, 0)
    assert [one.refused for one in pipe.signals("received")] == [""]


def test_a_refusal_of_the_hub_ends_the_resending_and_is_told(courier, pipe, time_):
    told = []
    courier.on_refused = lambda signal, why: told.append((signal.kind, why))
    courier.send(room_report(), 600)
    courier.tick()
    courier.arrived(from_hub(Received(device="d-1", ref=pipe.sent[0].id, refused="no such session")), 0)
    assert told == [("room", "no such session")]
    assert courier.waiting() == 0


def test_signals_wait_a_moment_for_the_hubs_time_and_are_then_signed_by_it(courier, pipe, time_):
    time_.heard = False
    time_.s = 50.0
    courier.up()
    courier.send(room_report(), 600)
    courier.tick()
    assert pipe.sent == []
    time_.s = 54.0
    courier.tick()
    assert pipe.sent[0].expires < 1000
    time_.heard, time_.now = True, lambda: 5000.0
    time_.s = 60.0
    courier.tick()
    assert pipe.sent[1].expires > 5000
    courier.arrived(from_hub(Received(device="d-1", ref=pipe.sent[0].id), 5000.0), 0)
    assert courier.waiting() == 0


def test_a_question_for_the_time_does_not_expire_on_a_machine_that_stands_in_1970(courier, pipe, time_):
    time_.s = 100.0
    assert courier.ask_time()
    assert isinstance(Pipe.read(pipe.sent[0]), Clock)
    verify(pipe.sent[0], DEVICE_KEY.public_key(), 1_900_000_000.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), loss=st.floats(0, 0.8), count=st.integers(1, 8))
def test_over_a_lossy_pipe_every_signal_arrives_and_is_acted_on_once(seed, loss, count):
    chance, time_ = random.Random(seed), HubTime()
    in_air: list = []

    def publish(data: bytes, _qos: int) -> bool:
        if chance.random() >= loss:
            in_air.extend([data] * chance.choice((1, 1, 2)))
        return True

    courier = Courier("d-1", DEVICE_KEY, HUB_KEY.public_key(), publish, time_, mono_s=lambda: time_.s)
    courier.up()
    for number in range(count):
        courier.send(
            Offer(
                device="d-1",
                session="s-0001",
                sender="receiving-1",
                to="lead",
                attempt=str(number),
                sdp="v=0",
                tracks={},
            ),
            3600,
        )
    acted: dict[str, int] = {}
    nonces: set[str] = set()
    for _ in range(4000):
        courier.tick()
        chance.shuffle(in_air)
        for data in in_air:
            envelope = parse(data)
            if envelope.nonce not in nonces:
                nonces.add(envelope.nonce)
                attempt = SIGNAL.validate_json(envelope.body).attempt
                acted[attempt] = acted.get(attempt, 0) + 1
            if chance.random() >= loss:
                courier.arrived(from_hub(Received(device="d-1", ref=envelope.id), time_.s), 0)
        in_air.clear()
        time_.s += 0.5
        if not courier.waiting():
            break
    assert acted == {str(number): 1 for number in range(count)}
    assert courier.waiting() == 0
