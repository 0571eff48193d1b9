"""Reports over a network that breaks: every row is stored once, whatever the network did."""

import random
import threading
import time

import pytest

from agent.report.report import Report
from agent.report.reporter import Ledger
from contract.keys import new_device_key
from hub.broker import network
from tests.agent.report.brokers import KINDS, broker_of, wait_for
from tests.agent.report.conftest import identity_of, settings_of
from tests.agent.report.hubside import HubSide
from tests.faults.middlebox import Middlebox

pytestmark = pytest.mark.faults

AGAIN_S = 60.0
"""Generous: what is waited for comes in a second or two on a quiet machine."""


class Producing:
    """Reports from a thread of its own while the network breaks."""

    def __init__(self, report: Report, per_s: float = 200.0) -> None:
        self._report = report
        self._pause_s = 1 / per_s
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._enough.wait(self._pause_s):
            number += 1
            self._report.reporter.event("thing", {"number": number, "words": "断" * (number % 50)})
            self._report.reporter.telemetry("sample", {"number": number})


class Line:
    """A device, a broker and a hub, with a middlebox before each of the two."""

    def __init__(self, tmp_path, device_key, kind: str = "") -> None:
        self.state = tmp_path / "state"
        self.broker = broker_of(kind, tmp_path / "broker")
        self.broker.start()
        self.near_device = Middlebox(self.broker.port, random.Random(1))
        self.near_hub = Middlebox(self.broker.port, random.Random(2))
        self.hub = HubSide(tmp_path, self.near_hub.port)
        self.hub.know("d-1", device_key)
        self.hub.start()
        identity = identity_of(device_key, self.hub.key.public_key(), self.near_device.port)
        self.report = Report(identity, settings_of(self.state), incarnation="i-1")
        self.report.start()
        assert wait_for(lambda: self.report.connected, AGAIN_S)

    def stored_once(self) -> bool:
        """Whether everything that was produced arrives, and arrives once; fails where it does not."""
        assert self.report.drain(AGAIN_S), f"{self.report.waiting()} rows and signals wait"
        produced = Ledger.read(self.state / "produced")
        stored = self.hub.ids("d-1")
        assert len(stored) == len(set(stored)), "stored twice"
        assert set(produced) <= set(stored), "lost"
        assert self.hub.intake.counts.quarantined == 0
        return len(produced) > 100

    def end(self) -> None:
        self.report.stop(drain_s=0)
        self.hub.stop()
        for box in (self.near_device, self.near_hub):
            box.__exit__()
        self.broker.kill()


@pytest.fixture
def device_key():
    return new_device_key()


@pytest.fixture
def line(request, tmp_path, device_key):
    made = Line(tmp_path, device_key, getattr(request, "param", ""))
    yield made
    made.end()


@pytest.mark.parametrize("line", KINDS, indirect=True)
def test_connections_that_are_cut_in_the_middle_of_everything(line):
    with Producing(line.report):
        line.near_device.cut_after(20_000)
        for round_ in range(4):
            before = line.near_device.made
            if round_ % 2:
                line.near_hub.cut()
            assert wait_for(lambda before=before: line.near_device.made >= before + 5, AGAIN_S)
        line.near_device.cut_after(None)
        line.near_device.cut()
    assert line.near_device.made > 20
    assert line.stored_once()


def test_a_connection_that_swallows_everything_and_stays_open(line):
    with Producing(line.report, per_s=50):
        time.sleep(0.5)
        made = line.near_device.made
        line.near_device.swallow()
        assert wait_for(lambda: line.near_device.made > made, AGAIN_S), "the device notices and dials anew"
        assert wait_for(lambda: line.report.connected, AGAIN_S)
    assert line.stored_once()


def test_a_connection_on_which_no_answer_comes_back_any_more(line):
    with Producing(line.report, per_s=50):
        time.sleep(0.5)
        made = line.near_device.made
        line.near_device.swallow(up=False)
        repeated = line.hub.intake.counts.repeated
        assert wait_for(lambda: line.near_device.made > made, AGAIN_S), "the device notices and dials anew"
    assert line.stored_once()
    assert line.hub.intake.counts.repeated > repeated, "what the hub had stored unheard came again"


def test_a_hub_whose_connection_swallows_everything(tmp_path, device_key, monkeypatch):
    monkeypatch.setattr(network, "KEEPALIVE_S", 2)
    line = Line(tmp_path, device_key)
    try:
        with Producing(line.report, per_s=50):
            time.sleep(0.5)
            made = line.near_hub.made
            line.near_hub.swallow()
            assert wait_for(lambda: line.near_hub.made > made, AGAIN_S), "the hub notices and dials anew"
        assert line.stored_once()
    finally:
        line.end()
