"""The hub's own intake and courier, as much of a hub as a device ever hears."""

import secrets
import time
from pathlib import Path

from contract.keys import new_hub_key, public_pem
from hub.broker.courier import Courier
from hub.broker.intake import Intake
from hub.broker.link import HubLink
from hub.broker.misfits import Misfits
from hub.fleet.devices import Devices, NewDevice
from hub.store.store import Store
from tests.hub.tables import with_tables


class HubSide:
    def __init__(self, folder: Path, port: int) -> None:
        self.key = new_hub_key()
        self.signals: list = []
        self.answers: list = []
        self.listeners: list = []
        self._url = with_tables(folder / "hub.db")
        self._port = port
        self._known: list[NewDevice] = []

    def know(self, device: str, key) -> None:
        self._known.append(NewDevice(device, f"room-{device}", "", "", public_pem(key)))

    def start(self) -> None:
        self.store = Store.open(self._url)
        self.misfits = Misfits(time.monotonic)
        self.devices = Devices(self.store.devices, time.time, lambda _device: None)
        for one in self._known:
            self.devices.register(one)
        self.link = HubLink("127.0.0.1", self._port, secrets.token_hex(4), "test", time.time_ns, self._arrived)
        self.intake = Intake(self.store.rows, self.devices, self.link.publish, self.misfits)
        self.courier = Courier(
            self.key,
            self.devices.key,
            self.link.publish,
            time.time_ns,
            self.misfits,
            self.devices.heard,
            self.devices.online,
        )
        self.intake.on_stored += self.listeners
        self.intake.start()
        self.courier.start(self._handle, lambda signal, why: self.answers.append((signal, why)))
        self.link.start()

    def stop(self) -> None:
        self.link.stop()
        self.courier.stop()
        self.intake.stop()
        self.store.close()

    def ids(self, device: str) -> list[str]:
        return self.store.rows.ids(device)

    def _handle(self, signal, _issued) -> str:
        self.signals.append(signal)
        return ""

    def _arrived(self, arrival) -> None:
        if arrival.topic.endswith("/signal/up"):
            self.courier.arrived(arrival)
        else:
            self.intake.offer(arrival)
