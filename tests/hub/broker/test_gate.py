"""Who comes in and who says what, on both brokers by the same tests."""

import socket
import ssl
import struct
import time

import pytest
from cryptography import x509

from contract import topics
from hub.broker.acl import DEVICE_PUBLISHES, DEVICE_SUBSCRIBES
from hub.broker.certificate import HubCertificate, names_here
from hub.broker.embedded import choose
from hub.broker.gate import Gate
from hub.broker.port import free_port
from hub.fleet.authority import DAY_S
from tests.hub.broker.conftest import MINE
from tests.hub.broker.speaker import eventually
from tests.hub.broker.visitor import Paper, Visitor, authority_in, below_one_root

DEVICES = ["dev-a", "dev-b"]


class House:
    """A closed broker, the authority behind it, and the lists that stand for the database."""

    def __init__(self, kind, folder, authority=None):
        self.folder = folder
        self.authority = authority or authority_in(folder)
        self.admitted = list(DEVICES)
        self.revoked = []
        self.late_s = 0.0
        certificate = HubCertificate(self.authority, folder / "broker", lambda: names_here("127.0.0.1", ()), self.now)
        self.gate = Gate(certificate, lambda: list(self.admitted), self.crl)
        self.broker = choose(kind, "127.0.0.1", free_port("127.0.0.1"), folder / "broker", gate=self.gate)
        self.visitors = []

    def now(self):
        return time.time() + self.late_s

    def crl(self):
        return self.authority.crl([paper.serial for paper in self.revoked], time.time())

    def paper(self, device, **how):
        return Paper(self.folder, how.pop("authority", self.authority), device, **how)

    def visit(self, paper, client_id=None, **how):
        return self.keep(Visitor(self.broker.port, paper.context(self.authority), client_id or paper.device, **how))

    def keep(self, visitor):
        self.visitors.append(visitor)
        return visitor

    def device(self, name="dev-a", **how):
        visitor = self.visit(self.paper(name), **how)
        assert visitor.came_in
        return visitor

    def hub(self):
        """The hub's own connection, which hears everything."""
        port = self.broker.hub_address[1]
        hub = self.keep(Visitor(port, self.gate.certificate.client_context(), "hub-1"))
        assert hub.came_in
        assert hub.subscribe(f"{topics.ROOT}/#") == [True]
        return hub

    def revoke(self, *papers):
        for paper in papers:
            self.revoked.append(paper)
            self.admitted.remove(paper.device)
            self.broker.revoke(paper.device, self.crl())

    def close(self):
        for visitor in self.visitors:
            visitor.close()
        self.broker.stop()


@pytest.fixture(params=["amqtt", pytest.param("mosquitto", marks=MINE)])
def kind(request):
    return request.param


@pytest.fixture
def house(kind, tmp_path, request):
    house = House(kind, tmp_path)
    house.late_s = getattr(request, "param", 0.0)
    house.broker.start()
    yield house
    house.close()


def in_order(hub, device, name="dev-a"):
    """Until what the device says on its own topic arrives, and with it all that it said before."""
    last = f"last {time.monotonic_ns()}".encode()
    device.say(topics.tele(name), last)
    eventually(lambda: hub.hears(topics.tele(name), last))


def test_a_device_says_and_hears_what_is_its_own(house):
    hub, device = house.hub(), house.device()
    mine = [topic("dev-a") for topic in DEVICE_SUBSCRIBES]
    assert device.subscribe(*mine, topics.HUB_STATE) == [True] * (len(mine) + 1)
    for topic in DEVICE_PUBLISHES:
        device.say(topic("dev-a"))
        eventually(lambda topic=topic: hub.hears(topic("dev-a")))
    for topic in [*mine, topics.HUB_STATE]:
        hub.say(topic, b"from the hub")
        eventually(lambda topic=topic: device.hears(topic, b"from the hub"))


@pytest.mark.parametrize(
    "topic",
    [
        *(topic("dev-b") for topic in DEVICE_PUBLISHES),
        *(topic("dev-a") for topic in DEVICE_SUBSCRIBES if topic is not topics.state),
        topics.HUB_STATE,
        "tt/v1/dev-a",
        "tt/v1/dev-a/tele/more",
        "elsewhere",
    ],
)
def test_what_a_device_may_not_say_reaches_nobody(house, topic):
    hub, other, device = house.hub(), house.device("dev-b"), house.device()
    assert other.subscribe(*(mine("dev-b") for mine in DEVICE_SUBSCRIBES), topics.HUB_STATE)
    device.say(topic, retain=True)
    in_order(hub, device)
    assert not hub.hears(topic)
    assert other.heard == []


@pytest.mark.parametrize(
    "asked",
    [
        "#",
        "+/#",
        "tt/v1/#",
        "tt/v1/+/command",
        "tt/v1/dev-a/#",
        topics.command("dev-b"),
        topics.state("dev-b"),
        topics.tele("dev-a"),
        f"$share/us/{topics.command('dev-b')}",
        "$SYS/#",
        "$CONTROL/#",
    ],
)
def test_what_a_device_may_not_hear_it_may_not_ask_for(house, asked):
    hub, device = house.hub(), house.device()
    hub.say(topics.state("dev-b"), b"retained", retain=True)
    assert device.subscribe(asked, topics.ack("dev-a")) == [False, True]
    for topic in (topics.state("dev-b"), topics.command("dev-b"), topics.command("dev-a"), topics.ack("dev-a")):
        hub.say(topic, b"said now")
    eventually(lambda: device.hears(topics.ack("dev-a"), b"said now"))
    assert device.heard == [(topics.ack("dev-a"), b"said now")]


def test_a_client_without_a_certificate_is_refused(house):
    context = ssl.create_default_context(cadata=house.authority.ca_pem)
    assert not house.keep(Visitor(house.broker.port, context, "dev-a")).came_in
    assert not house.keep(Visitor(house.broker.hub_address[1], context, "hub-2")).came_in
    assert house.device().came_in


def test_a_client_that_speaks_no_tls_is_refused(house):
    with socket.create_connection(("127.0.0.1", house.broker.port), timeout=10) as line:
        line.sendall(bytes.fromhex("101100044d5154540402003c00056465762d61"))
        assert b"\x20\x02" not in read_all(line)


def test_a_certificate_of_another_authority_is_refused(house, tmp_path):
    foreign = authority_in(tmp_path / "foreign")
    assert not house.visit(house.paper("dev-a", authority=foreign)).came_in


def test_a_certificate_of_a_sister_authority_below_the_same_root_is_refused(kind, tmp_path):
    ours, sister = below_one_root(2)
    house = House(kind, tmp_path, ours)
    house.broker.start()
    try:
        in_order(house.hub(), house.device())
        assert not house.visit(house.paper("dev-b", authority=sister)).came_in
        paper = house.paper("dev-b")
        assert house.visit(paper).came_in
        house.revoke(paper)
        assert not house.visit(paper).came_in
    finally:
        house.close()


def test_an_expired_certificate_is_refused(house):
    assert not house.visit(house.paper("dev-a", at=time.time() - 31 * DAY_S)).came_in


def test_a_certificate_that_is_not_valid_yet_is_refused(house):
    assert not house.visit(house.paper("dev-a", at=time.time() + DAY_S)).came_in


def test_a_device_that_the_database_does_not_know_can_do_nothing(house):
    hub, stranger = house.hub(), house.visit(house.paper("dev-x"))
    if stranger.came_in:  # mosquitto asks nobody about a certificate that verifies
        assert stranger.subscribe(topics.command("dev-x"), topics.HUB_STATE) == [False, False]
        stranger.say(topics.tele("dev-x"))
    in_order(hub, house.device())
    assert not hub.hears(topics.tele("dev-x"))


def test_a_device_that_is_revoked_is_cut_off_at_once_and_refused_from_then_on(house):
    hub, other = house.hub(), house.device("dev-b")
    paper = house.paper("dev-a")
    device = house.visit(paper, will=topics.state("dev-a"))
    device.say(topics.state("dev-a"), b"here", retain=True)
    in_order(hub, device)
    house.revoke(paper)
    eventually(lambda: not device.there)
    assert not house.visit(paper).came_in
    in_order(hub, other, "dev-b")
    assert other.there
    # Nobody is told any more that it is here.
    assert (topics.state("dev-a"), b"here") not in house.hub().heard


def test_two_devices_that_are_revoked_in_the_same_second_are_both_refused(house):
    papers = [house.paper(name) for name in DEVICES]
    house.revoke(*papers)

    def both_refused():
        house.broker.tend()
        return not any(house.visit(paper).came_in for paper in papers)

    eventually(both_refused)


def test_a_device_that_is_admitted_can_come_in_at_once_and_again(house):
    hub, paper = house.hub(), house.paper("dev-c")
    house.admitted.append("dev-c")
    house.broker.admit("dev-c")
    house.broker.admit("dev-c")
    device = house.visit(paper)
    assert device.came_in
    in_order(hub, device, "dev-c")
    assert device.subscribe(topics.command("dev-c"), topics.command("dev-a")) == [True, False]


def test_who_takes_another_devices_client_id_does_not_take_its_place(house):
    hub, other = house.hub(), house.device("dev-b")
    assert other.subscribe(topics.command("dev-b")) == [True]
    thief = house.visit(house.paper("dev-a"), client_id="dev-b")
    if thief.came_in:  # under its own name, whatever it said
        assert thief.subscribe(topics.command("dev-b")) == [False]
        thief.say(topics.tele("dev-b"))
    in_order(hub, other, "dev-b")
    hub.say(topics.command("dev-b"), b"for dev-b")
    eventually(lambda: other.hears(topics.command("dev-b"), b"for dev-b"))
    assert other.there
    assert not hub.hears(topics.tele("dev-b"))


def test_a_device_does_not_come_in_by_the_hubs_door_as_somebody_else(house):
    hub = house.hub()
    device = house.keep(Visitor(house.broker.hub_address[1], house.paper("dev-a").context(house.authority), "hub-1"))
    if device.came_in:  # on mosquitto, with the rights that it has everywhere
        assert device.subscribe(f"{topics.ROOT}/#") == [False]
        device.say(topics.command("dev-b"))
        hub = house.hub()
    in_order(hub, house.device("dev-b"), "dev-b")
    assert not hub.hears(topics.command("dev-b"))


def test_a_will_for_another_device_is_not_told(house):
    hub = house.hub()
    device = house.visit(house.paper("dev-a"), will=topics.state("dev-b"))
    device.client.socket().shutdown(socket.SHUT_RDWR)
    eventually(lambda: not device.there)
    in_order(hub, house.device())
    assert not hub.hears(topics.state("dev-b"), b"dead")


def test_a_will_of_ones_own_is_told(house):
    hub = house.hub()
    device = house.device(will=topics.state("dev-a"))
    device.client.socket().shutdown(socket.SHUT_RDWR)
    eventually(lambda: hub.hears(topics.state("dev-a"), b"dead"))


def test_the_newer_of_two_connections_of_a_device_stays_and_the_death_of_the_older_is_told_before(house):
    hub = house.hub()
    older = house.device(will=topics.state("dev-a"))
    newer = house.device()
    newer.say(topics.state("dev-a"), b"here", retain=True)
    eventually(lambda: hub.hears(topics.state("dev-a"), b"here"))
    assert [payload for topic, payload in hub.heard if topic == topics.state("dev-a")] == [b"dead", b"here"]
    eventually(lambda: not older.there)
    assert newer.subscribe(topics.command("dev-a")) == [True]
    hub.say(topics.command("dev-a"), b"to the newer")
    eventually(lambda: newer.hears(topics.command("dev-a"), b"to the newer"))
    assert newer.there


def test_a_message_of_more_than_one_mebibyte_harms_its_sender_alone(house):
    hub, other, device = house.hub(), house.device("dev-b"), house.device()
    device.client.publish(topics.tele("dev-a"), bytes(1 << 20), qos=1)
    device.client.publish(topics.tele("dev-a"), bytes(3 << 20), qos=1)
    device.client.publish(topics.tele("dev-a"), b"after it", qos=1)
    eventually(lambda: not device.there or hub.hears(topics.tele("dev-a"), b"after it"))  # amqtt lets it go
    in_order(hub, other, "dev-b")
    assert not any(len(payload) > 1 << 20 for _, payload in hub.heard)
    in_order(hub, house.device())


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\x7f", b"\x10\x80\x80\x80\x80\x80", bytes(64)]
)
def test_who_shows_a_certificate_and_speaks_nonsense_is_let_go(house, sent):
    context = house.paper("dev-a").context(house.authority)
    with (
        socket.create_connection(("127.0.0.1", house.broker.port), timeout=20) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as tls,
    ):
        tls.sendall(sent)
        if sent != b"":
            assert b"\x20\x02\x00\x00" not in read_all(tls)
    in_order(house.hub(), house.device())


def test_a_device_that_falls_silent_is_given_up_and_its_death_told(house):
    hub = house.hub()
    context = house.paper("dev-a").context(house.authority)
    with (
        socket.create_connection(("127.0.0.1", house.broker.port), timeout=20) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as tls,
    ):
        tls.sendall(connect_packet("dev-a", keepalive_s=1, will=topics.state("dev-a")))
        assert tls.recv(4) == b"\x20\x02\x00\x00"
        eventually(lambda: hub.hears(topics.state("dev-a"), b"dead"))


@pytest.mark.parametrize("house", [-61 * DAY_S], indirect=True)
def test_a_broker_shows_a_renewed_certificate_in_time_and_cuts_nobody_off(house):
    hub, device = house.hub(), house.device()
    before = shown(house)
    house.late_s = 0.0  # of 90 days, 61 have passed

    def renewed():
        house.broker.tend()
        return shown(house) != before

    eventually(renewed)
    in_order(hub, device)
    assert house.device("dev-b").came_in
    assert house.hub().came_in


@MINE
def test_a_mosquitto_that_died_has_the_rules_of_the_database_when_it_is_back(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.broker.mosquitto.TELL_WAIT_S", 0.1)
    house = House("mosquitto", tmp_path)
    house.broker.start()
    try:
        paper = house.paper("dev-a")
        house.broker._child.kill()
        house.broker._child.wait()
        house.admitted += ["dev-c"]
        house.broker.admit("dev-c")
        house.revoke(paper)

        def back():
            house.broker.tend()
            return house.visit(house.paper("dev-c")).came_in

        eventually(back, within_s=20)
        assert not house.visit(paper).came_in
        device = house.device("dev-c")
        in_order(house.hub(), device, "dev-c")
    finally:
        house.close()


def shown(house):
    """Serial of the certificate that the broker shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(house.paper("dev-b").file)
    with (
        socket.create_connection(("127.0.0.1", house.broker.port), timeout=10) as line,
        context.wrap_socket(line) as tls,
    ):
        return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True)).serial_number


def read_all(line):
    found = b""
    try:
        while more := line.recv(4096):
            found += more
    except ConnectionError:
        pass
    return found


def connect_packet(client_id, *, keepalive_s, will):
    def text(words):
        return struct.pack("!H", len(words)) + words

    body = text(b"MQTT") + bytes([4, 0x02 | 0x04 | 0x20]) + struct.pack("!H", keepalive_s)
    body += text(client_id.encode()) + text(will.encode()) + text(b"dead")
    return bytes([0x10, len(body)]) + body
