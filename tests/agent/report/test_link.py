"""The link to a broker that takes the connection and refuses the device."""

import contextlib
import socket
import threading

import pytest

from agent.report.connection import paced
from agent.report.link import Link
from agent.report.report import Report
from contract.telemetry import DeviceState
from tests.agent.report.brokers import broker_of, wait_for
from tests.agent.report.conftest import identity_of, settings_of
from tests.agent.report.hubside import HubSide

NOT_AUTHORISED = b"\x20\x02\x00\x05"
"""CONNACK with return code 5 (MQTT 3.1.1, table 3.1)."""


@contextlib.contextmanager
def refusing(port: int):
    """A broker that refuses everybody; yields how often it did."""
    refused: list[int] = []
    door = socket.create_server(("127.0.0.1", port), reuse_port=False)
    door.settimeout(0.1)
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            try:
                guest, _ = door.accept()
            except TimeoutError:
                continue
            with guest, contextlib.suppress(OSError):
                guest.settimeout(2)
                guest.recv(1024)
                guest.sendall(NOT_AUTHORISED)
                guest.recv(1024)  # until the device has read it and goes
                refused.append(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield refused
    finally:
        closing.set()
        thread.join()
        door.close()


def test_a_broker_that_refuses_is_told_once_with_its_reason_and_nothing_is_lost(tmp_path, device_key, caplog):
    broker = broker_of("", tmp_path / "broker")
    hub = HubSide(tmp_path, broker.port)
    hub.know("d-1", device_key)
    identity = identity_of(device_key, hub.key.public_key(), broker.port)
    report = Report(identity, settings_of(tmp_path / "state"), incarnation="i-1")
    with refusing(broker.port) as refused:
        report.start()
        report.reporter.event("thing")
        assert wait_for(lambda: len(refused) >= 2)
    told = [one.getMessage() for one in caplog.records if "is away" in one.getMessage()]
    assert len(told) == 1
    assert "it refuses us: Not authorized" in told[0]
    broker.start()
    hub.start()
    try:
        assert wait_for(lambda: report.waiting() == 0)
        assert any("is back" in one.getMessage() for one in caplog.records)
    finally:
        report.stop(drain_s=0)
        hub.stop()
        broker.kill()


class Silent:
    """A way to the broker that stops carrying anything, in either direction, and stays open."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.silent = threading.Event()
        self._closing = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        self._door.settimeout(0.1)
        while not self._closing.is_set():
            try:
                near, _ = self._door.accept()
            except TimeoutError:
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            for one, other in ((near, far), (far, near)):
                self._threads.append(threading.Thread(target=self._carry, args=(one, other)))
                self._threads[-1].start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        one.settimeout(0.1)
        with one, contextlib.suppress(OSError):
            while not self._closing.is_set():
                if self.silent.is_set():
                    self._closing.wait(0.1)
                    continue
                try:
                    data = one.recv(4096)
                except TimeoutError:
                    continue
                if not data:
                    break
                other.sendall(data)

    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._door.close()


def test_a_connection_that_is_dead_and_open_is_noticed_and_made_anew(broker, tmp_path):
    way = Silent(broker.port)
    link = Link(DeviceState(device="d-1", online=True), "127.0.0.1", way.port, keepalive_s=4, retry_cap_s=0.3)
    ups: list[int] = []
    downs: list[int] = []
    link.on_up = lambda: ups.append(1)
    link.on_down = lambda: downs.append(1)
    link.start()
    try:
        assert wait_for(lambda: link.up)
        way.silent.set()
        assert wait_for(lambda: downs, within_s=30)
        way.silent.clear()
        assert wait_for(lambda: len(ups) == 2, within_s=30)
    finally:
        link.stop()
        way.close()


def test_what_paho_is_told_keeps_the_promise_of_one_and_a_half_times_the_keepalive():
    for keepalive_s in range(3, 301):
        silence_s = paced(keepalive_s)  # then a ping, as long again for its answer, and a look each second
        assert silence_s >= 1
        assert 2 * silence_s + 2 <= 1.5 * keepalive_s


def test_a_topic_of_another_part_reaches_its_taker_and_what_that_raises_harms_nobody(broker, tmp_path):
    link = Link(DeviceState(device="d-1", online=True), "127.0.0.1", broker.port)
    taken: list[bytes] = []

    def take(data: bytes) -> None:
        taken.append(data)
        raise RuntimeError("the taker has a fault")

    link.handle("tt/v1/d-1/command", take)
    with pytest.raises(ValueError, match="has its taker already"):
        link.handle("tt/v1/d-1/command", take)
    link.start()
    try:
        assert wait_for(lambda: link.up)
        for _ in range(2):
            assert link.publish("tt/v1/d-1/command", b"do it")
        assert wait_for(lambda: taken == [b"do it"] * 2)
        assert link.up
        with pytest.raises(RuntimeError, match="before the link starts"):
            link.handle("tt/v1/d-1/late", take)
    finally:
        link.stop()
