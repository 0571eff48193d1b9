import time
from dataclasses import dataclass

import pytest

from contract.keys import new_hub_key
from hub.broker.courier import Courier
from hub.broker.embedded import choose, find_mosquitto
from hub.broker.intake import Intake
from hub.broker.link import HubLink
from hub.broker.misfits import Misfits
from hub.broker.port import free_port
from hub.clock import HubClock
from hub.fleet.devices import Devices, NewDevice
from hub.store.store import Store
from tests.hub.broker.speaker import Speaker
from tests.hub.tables import with_tables

MINE = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed; amqtt alone is tried")


@pytest.fixture(params=["amqtt", pytest.param("mosquitto", marks=MINE)])
def broker(request, tmp_path):
    broker = choose(request.param, "127.0.0.1", free_port("127.0.0.1"), tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=[pytest.param("mosquitto", marks=MINE)])
def mosquitto(request, tmp_path):
    broker = choose("mosquitto", "127.0.0.1", free_port("127.0.0.1"), tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@dataclass
class Ear:
    """The hub's MQTT side without its sessions; may be killed and made anew on the same store."""

    store: Store
    devices: Devices
    misfits: Misfits
    intake: Intake
    courier: Courier
    link: HubLink
    handled: list
    answered: list
    refuse: str = ""

    def handle(self, signal, issued):
        self.handled.append(signal)
        return self.refuse

    def close(self):
        self.link.stop()
        self.courier.stop()
        self.intake.stop()
        self.store.close()


@pytest.fixture
def hub_key():
    return new_hub_key()


@pytest.fixture
def store_url(tmp_path):
    """Where an ear keeps what it hears; tests of what is kept have their own."""
    return with_tables(tmp_path / "hub.db")


@pytest.fixture
def listen(broker, store_url, hub_key):
    """Makes a hub's MQTT side, as often as asked."""
    ears = []

    def made(name="one"):
        clock = HubClock()
        store = Store.open(store_url)
        devices = Devices(store.devices, clock.now, lambda _: None)
        misfits = Misfits(time.monotonic)

        def arrived(arrival):
            (courier.arrived if arrival.topic.endswith("/up") else intake.offer)(arrival)

        link = HubLink(broker.host, broker.port, name, "1", clock.now_ns, arrived)
        intake = Intake(store.rows, devices, link.publish, misfits)
        courier = Courier(hub_key, devices.key, link.publish, clock.now_ns, misfits, devices.heard, devices.online)
        ear = Ear(store, devices, misfits, intake, courier, link, [], [])
        intake.start()
        courier.start(ear.handle, lambda *said: ear.answered.append(said))
        link.start()
        assert link.wait_ready(10)
        ears.append(ear)
        return ear

    yield made
    for ear in ears:
        if ear.intake.alive:
            ear.close()


@pytest.fixture
def speak(broker, hub_key):
    """Makes devices, registered where an ear is given."""
    speakers = []

    def made(device="dev-1", ear=None, **how):
        speaker = Speaker(device, broker.port, **how)
        speaker.hub_key = hub_key.public_key()
        speakers.append(speaker)
        if ear is not None:
            ear.devices.register(NewDevice(device, f"room-{device}", device, "", speaker.pem))
            speaker.birth()
        return speaker

    yield made
    for speaker in speakers:
        speaker.close()
