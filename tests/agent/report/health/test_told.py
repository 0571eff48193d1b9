"""A device's health, told over a real broker, as the hub sees it."""

import time

from agent.report.health.wanted import Wanted
from agent.report.report import Report
from hub.fleet.health import FleetHealth
from hub.fleet.signs import HealthState, Sign
from tests.agent.report.brokers import wait_for
from tests.agent.report.conftest import identity_of, settings_of


class Seen:
    """What a hub knows of the device's health; forgotten with each hub."""

    def __init__(self, hub):
        self.hub = hub
        hub.listeners = [self.take]
        self.anew()

    def anew(self):
        self.health = FleetHealth(self, time.time, lambda _device: None)

    def online(self, device):
        return self.hub.devices.online(device)

    def take(self, rows):
        self.health.on_stored(rows)

    def signs(self):
        return {one.sign for one in self.health.of("d-1").remarks}


def test_the_hub_knows_how_a_device_is_and_knows_it_again_after_a_start_of_its_own(broker, hub, tmp_path, device_key):
    seen = Seen(hub)
    hub.stop()
    hub.start()
    identity = identity_of(device_key, hub.key.public_key(), broker.port)
    settings = settings_of(tmp_path / "told", health_s=0.2)
    report = Report(identity, settings, incarnation="i-1", version="0.1.0", wanted=Wanted(camera=99))
    report.start()
    try:
        assert wait_for(lambda: Sign.CAMERA_MISSING in seen.signs())
        assert seen.health.of("d-1").state is HealthState.DEGRADED
        assert wait_for(lambda: seen.health.of("d-1").versions.get("tongtang") == "0.1.0")
        assert wait_for(lambda: seen.health.of("d-1").fields.get("clock_source") == "exchange")
        hub.stop()
        seen.anew()
        hub.start()
        assert wait_for(lambda: Sign.CAMERA_MISSING in seen.signs())
    finally:
        report.stop(drain_s=1)
    assert wait_for(lambda: seen.health.of("d-1").state is HealthState.DOWN)


def test_what_was_lost_is_told_with_the_start(broker, hub, tmp_path, device_key):
    identity = identity_of(device_key, hub.key.public_key(), broker.port)
    report = Report(identity, settings_of(tmp_path / "state"), incarnation="i-1")
    report.health.lost("twin", "twin.json cannot be used (ValidationError); the hub says anew what it wants")
    report.start()
    try:
        assert wait_for(lambda: any(one["kind"] == "state.lost" for one in hub.store.rows.latest("d-1", "event")))
    finally:
        report.stop(drain_s=1)
    event = next(one for one in hub.store.rows.latest("d-1", "event") if one["kind"] == "state.lost")
    assert event["data"]["what"] == ["twin"]
