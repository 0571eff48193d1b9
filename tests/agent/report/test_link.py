"""The link to a broker that takes the connection and refuses the device."""

import contextlib
import socket
import threading

from agent.report.report import Report
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
    assert "it refused us: Not authorized" in told[0]
    broker.start()
    hub.start()
    try:
        assert wait_for(lambda: report.waiting() == 0)
        assert any("is back" in one.getMessage() for one in caplog.records)
    finally:
        report.stop(drain_s=0)
        hub.stop()
        broker.kill()
