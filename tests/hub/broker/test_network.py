"""The hub's network thread, on real sockets and real brokers."""

import socket
import threading
import time

import pytest

from hub.broker import network
from hub.broker.certificate import HubCertificate, names_here
from hub.broker.embedded import choose
from hub.broker.gate import Gate
from hub.broker.network import Buffered, Message, Network
from hub.broker.port import free_port
from tests.hub.broker.conftest import MINE
from tests.hub.broker.speaker import eventually
from tests.hub.broker.visitor import authority_in

TOPIC = "tt/v1/hub/state"


@pytest.fixture
def pair():
    """A buffered socket and the other side of it."""
    here, there = socket.socketpair()
    for end in (here, there):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    here.setblocking(False)
    there.settimeout(5)
    buffered = Buffered(here)
    yield buffered, there
    buffered.close()
    there.close()


@pytest.fixture(params=[(kind, tls) for kind in ("amqtt", "mosquitto") for tls in (False, True)], ids=str)
def house(request, tmp_path):
    """A broker, and the context by which the hub comes in."""
    kind, tls = request.param
    if kind == "mosquitto" and MINE.args[0]:
        pytest.skip(MINE.kwargs["reason"])
    gate = None
    if tls:
        authority = authority_in(tmp_path)
        shown = HubCertificate(authority, tmp_path / "broker", lambda: names_here("127.0.0.1", ()), time.time)
        gate = Gate(shown, list, lambda: authority.crl([], time.time()))
    broker = choose(kind, "127.0.0.1", free_port("127.0.0.1"), tmp_path / "broker", gate=gate)
    broker.start()
    yield broker, gate.certificate.client_context() if gate else None
    broker.stop()


class Echo:
    """A network thread that hears what it publishes."""

    def __init__(self, address, tls=None, client_id="hub-one"):
        self.heard = []
        self.ready = threading.Event()
        self.failures = []
        self.network = Network(client_id, tls, self.failures.append)
        client = self.network.client
        client.will_set(TOPIC, b"died", retain=True)
        client.on_connect = lambda client, *_: client.subscribe(TOPIC, 0)
        client.on_subscribe = lambda *_: self.ready.set()
        client.on_disconnect = lambda *_: self.ready.clear()
        client.on_message = lambda _client, _data, message: self.heard.append(message.payload)
        self.network.start(*address)


def test_what_arrived_together_is_read_at_once_and_handed_out_in_pieces(pair):
    buffered, there = pair
    there.sendall(b"abcdef")
    assert [buffered.recv(1), buffered.recv(2)] == [b"a", b"bc"]
    assert not buffered.dry
    assert buffered.recv(100) == b"def"
    with pytest.raises(BlockingIOError):
        buffered.recv(1)
    assert buffered.dry
    there.close()
    assert buffered.recv(1) == b""


def test_what_the_system_does_not_take_yet_is_kept_in_order_and_bounded(pair):
    buffered, there = pair
    sent, refused = b"", False
    for number in range(100):
        piece = bytes([number]) * 10_000
        try:
            buffered.send(piece)
        except BlockingIOError:
            refused = True
            break
        sent += piece
    assert refused
    assert buffered.behind < network.WRITE_BEHIND + 10_000
    got = b""
    while len(got) < len(sent):
        buffered.flush()
        got += there.recv(65_536)
    assert got == sent
    assert buffered.behind == 0


def test_what_was_sent_last_still_leaves_before_the_socket_closes(pair):
    buffered, there = pair
    buffered.send(b"goodbye")
    buffered.close()
    assert there.recv(100) == b"goodbye"
    assert there.recv(100) == b""


def test_a_broken_connection_is_told_to_whoever_flushes(pair):
    buffered, there = pair
    there.close()
    buffered.send(b"anybody?")
    with pytest.raises(OSError):
        buffered.flush()


def test_thousands_of_messages_from_several_threads_arrive_once_and_in_the_order_of_each_thread(house):
    broker, tls = house
    echo = Echo(broker.hub_address, tls)
    try:
        assert echo.ready.wait(10)
        assert isinstance(echo.network.client.socket(), Buffered)

        def speak(who):
            for number in range(1000):
                assert echo.network.publish(Message(TOPIC, b"%d %04d" % (who, number), qos=who % 2))

        speakers = [threading.Thread(target=speak, args=(who,)) for who in range(3)]
        for one in speakers:
            one.start()
        for one in speakers:
            one.join()
        eventually(lambda: len(echo.heard) >= 3000, 30)
        assert len(set(echo.heard)) == len(echo.heard) == 3000
        for who in range(3):
            ours = [payload for payload in echo.heard if payload.startswith(b"%d " % who)]
            assert ours == sorted(ours)
    finally:
        echo.network.stop()


def test_a_large_message_passes_both_ways(house):
    broker, tls = house
    large = bytes(range(256)) * 800
    echo = Echo(broker.hub_address, tls)
    try:
        assert echo.ready.wait(10)
        for _ in range(5):
            echo.network.publish(Message(TOPIC, large))
        eventually(lambda: len(echo.heard) == 5, 30)
        assert set(echo.heard) == {large}
    finally:
        echo.network.stop()


def test_it_says_why_a_broker_cannot_be_reached_and_sends_what_waited_once_it_can(tmp_path):
    port = free_port("127.0.0.1")
    echo = Echo(("127.0.0.1", port))
    try:
        eventually(lambda: echo.failures)
        assert isinstance(echo.failures[0], ConnectionRefusedError)
        echo.network.publish(Message(TOPIC, b"kept", retain=True))
        broker = choose("amqtt", "127.0.0.1", port, tmp_path)
        broker.start()
        try:
            eventually(lambda: echo.heard == [b"kept"])
        finally:
            echo.network.stop()
            broker.stop()
    finally:
        if echo.network.alive:
            echo.network.stop()


def test_it_comes_back_after_the_broker_died(mosquitto):
    echo = Echo(mosquitto.hub_address)
    try:
        assert echo.ready.wait(10)
        mosquitto._child.kill()
        eventually(lambda: not echo.ready.is_set())
        until = time.monotonic() + 20
        while not echo.ready.wait(0.1):
            mosquitto.tend()
            assert time.monotonic() < until
        echo.network.publish(Message(TOPIC, b"again"))
        eventually(lambda: b"again" in echo.heard)
    finally:
        echo.network.stop()


def test_what_a_slow_broker_does_not_take_yet_leaves_as_soon_as_it_does(monkeypatch):
    monkeypatch.setattr(network, "LOOK_S", 60.0)  # nothing but the socket wakes it
    with socket.create_server(("127.0.0.1", 0)) as listening:
        slow = Network("hub-slow", None)
        slow.start(*listening.getsockname())
        try:
            peer, _ = listening.accept()
            with peer:
                peer.settimeout(20)
                peer.recv(1000)
                peer.sendall(b"\x20\x02\x00\x00")  # taken in
                for _ in range(2):  # the second half finds no room with what the first has not left
                    for _ in range(50):
                        assert slow.publish(Message(TOPIC, bytes(100_000), qos=0))
                    time.sleep(0.5)  # as long as it does not read
                got = 0
                while got < 100 * 100_000:
                    got += len(peer.recv(1 << 20))
        finally:
            slow.stop()


def test_messages_that_were_read_ahead_wait_for_nothing_more_to_arrive(monkeypatch):
    monkeypatch.setattr(network, "LOOK_S", 60.0)
    monkeypatch.setattr(network, "READ_AT_ONCE", 3)
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        eager = Network("hub-eager", None)
        eager.client.on_message = lambda _client, _data, message: heard.append(message.payload)
        eager.start(*listening.getsockname())
        try:
            peer, _ = listening.accept()
            with peer:
                peer.settimeout(20)
                peer.recv(1000)
                peer.sendall(b"\x20\x02\x00\x00" + b"".join(b"\x30\x05\x00\x01t%02d" % n for n in range(50)))
                eventually(lambda: len(heard) == 50)
                assert heard == [b"%02d" % n for n in range(50)]
        finally:
            eager.stop()


def test_where_too_many_wait_for_a_broker_the_newest_are_dropped_and_told(monkeypatch):
    monkeypatch.setattr(network, "QUEUED", 10)
    echo = Echo(("127.0.0.1", free_port("127.0.0.1")))
    try:
        assert [echo.network.publish(Message(TOPIC, b"x")) for _ in range(12)] == [True] * 10 + [False] * 2
    finally:
        echo.network.stop()


def test_the_last_word_is_said_and_no_will_follows_it(house):
    broker, tls = house
    echo = Echo(broker.hub_address, tls, "hub-two")
    try:
        assert echo.ready.wait(10)
    finally:
        echo.network.stop(Message(TOPIC, b"gone", retain=True))
    assert not echo.network.alive
    late = Echo(broker.hub_address, tls, "hub-three")
    try:
        eventually(lambda: late.heard == [b"gone"])
        late.network.publish(Message(TOPIC, b"after"))
        eventually(lambda: late.heard == [b"gone", b"after"])
    finally:
        late.network.stop()
