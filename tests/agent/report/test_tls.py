"""The link over TLS to a real broker: both sides show certificates, and what the device does where one is not taken."""

import threading
import time
from pathlib import Path

import pytest

from agent.report.link import Link
from agent.trust import broker_trust
from contract.keys import new_device_key, save_private
from contract.telemetry import DeviceState
from tests.agent.authority import DAY_S, SmallAuthority
from tests.agent.report.brokers import MOSQUITTO, TlsMosquitto, free_port, wait_for

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed here")


class Device:
    """One device with its state folder, and a link that is told what happens."""

    def __init__(self, folder: Path, authority: SmallAuthority, port: int) -> None:
        self.state = folder / "state"
        self.authority = authority
        self.key = new_device_key()
        save_private(self.key, self.state / "key.pem")
        (self.state / "ca.pem").write_text(authority.pem)
        self.near = False
        self.ups = 0
        self.refused = 0
        self.link = Link(
            DeviceState(device="d-1", online=True),
            "127.0.0.1",
            port,
            tls=lambda: broker_trust(self.state),
            urgent=lambda: self.near,
            retry_cap_s=0.3,
        )
        self.link.on_up = self._up
        self.link.on_refused = self._refused

    def certify(self, begins: float, ends: float) -> str:
        made = self.authority.device(self.key.public_key(), "d-1", begins, ends)
        (self.state / "certificate.pem").write_text(made)
        return made

    def _up(self) -> None:
        self.ups += 1

    def _refused(self) -> None:
        self.refused += 1


@pytest.fixture
def authority():
    return SmallAuthority(time.time())


@pytest.fixture
def broker(tmp_path, authority):
    one = TlsMosquitto(free_port(), tmp_path / "broker", authority)
    yield one
    one.kill()


@pytest.fixture
def device(tmp_path, authority, broker):
    one = Device(tmp_path, authority, broker.port)
    yield one
    one.link.stop()


def told(caplog, words: str) -> int:
    return sum(words in one.getMessage() for one in caplog.records)


def test_device_and_broker_know_each_other_by_their_certificates(device, broker):
    device.certify(time.time() - 60, time.time() + DAY_S)
    broker.start()
    device.link.start()
    assert wait_for(lambda: device.link.up)
    assert "u'd-1'" in broker.log()


def test_a_new_certificate_is_used_when_no_lesson_is_near_and_an_expired_ones_successor_at_once(device, broker):
    device.certify(time.time() - 60, time.time() + DAY_S)
    broker.start()
    device.near = True
    device.link.start()
    assert wait_for(lambda: device.ups == 1)
    device.certify(time.time() - 60, time.time() + 2 * DAY_S)
    device.link.renewed(at_once=False)
    assert not wait_for(lambda: device.ups > 1, within_s=1.5)
    device.near = False
    assert wait_for(lambda: device.ups == 2)
    device.near = True
    device.link.renewed(at_once=True)
    assert wait_for(lambda: device.ups == 3)
    assert device.link.up


def test_a_revoked_device_says_so_once_and_goes_on_trying(device, broker, caplog):
    broker.revoked = (device.certify(time.time() - 60, time.time() + DAY_S),)
    broker.start()
    device.link.start()
    assert wait_for(lambda: broker.log().count("certificate verify failed") >= 6, within_s=30)
    assert told(caplog, "this device was revoked") == 1
    assert told(caplog, "trying with long pauses") == 1
    assert device.refused  # the hub is asked why
    broker.kill()
    broker.revoked = ()
    broker.start()
    assert wait_for(lambda: device.link.up, within_s=30)
    assert told(caplog, "is back") == 1


def test_an_expired_certificate_is_told_to_whoever_renews_it_and_the_new_one_is_used_at_once(device, broker, caplog):
    device.certify(time.time() - 2 * DAY_S, time.time() - DAY_S)
    broker.start()
    device.link.start()
    assert wait_for(lambda: device.refused)
    assert told(caplog, "this device's certificate has expired") == 1
    device.certify(time.time() - 60, time.time() + DAY_S)
    device.link.renewed(at_once=True)
    assert wait_for(lambda: device.link.up)


def test_without_a_certificate_the_link_waits_for_one(device, broker, caplog):
    broker.start()
    device.link.start()
    assert wait_for(lambda: told(caplog, "certificate.pem"))
    device.certify(time.time() - 60, time.time() + DAY_S)
    assert wait_for(lambda: device.link.up)


def test_a_broker_of_another_authority_gets_nothing(device, broker, caplog):
    device.certify(time.time() - 60, time.time() + DAY_S)
    broker.authority = SmallAuthority(time.time())
    broker.start()
    device.link.start()
    assert wait_for(lambda: told(caplog, "CERTIFICATE_VERIFY_FAILED"))
    assert not device.link.up
    assert "d-1" not in broker.log()


def test_a_lesson_that_comes_near_ends_a_long_wait(tmp_path):
    near = threading.Event()
    port = free_port()
    link = Link(DeviceState(device="d-1", online=True), "127.0.0.1", port, urgent=near.is_set, retry_cap_s=600)
    link._retry.attempts = 16  # it has been away for long
    from tests.agent.report.brokers import broker_of

    link.start()
    broker = broker_of("mosquitto", tmp_path / "broker")
    broker.port = port
    broker.start()
    try:
        assert not wait_for(lambda: link.up, within_s=1.0)
        near.set()
        assert wait_for(lambda: link.up)
    finally:
        link.stop()
        broker.kill()
