"""Whoever listens to the fleet, in a process of its own: the hub's intake, or a subscriber that only counts.

python -m benchmarks.ear hub|floor PORT DEVICES ROWS FOLDER SECONDS
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import insert

from benchmarks.fleet import device_name
from benchmarks.wire import HOST
from contract import topics
from contract.keys import new_device_key, public_pem
from hub.broker.intake import Intake
from hub.broker.link import HubLink
from hub.broker.misfits import Misfits
from hub.clock import HubClock
from hub.fleet.devices import Devices
from hub.garbage import collect_rarely
from hub.store.checkpoints import checkpoints
from hub.store.devices import DeviceRecord
from hub.store.rows import Arrived, RowTable, Taken
from hub.store.store import Store
from hub.store.tables import DEVICE

LOOKED_AT = 20
"""The floor reads the time of one row in so many; the others it only counts."""


class Tally:
    """Rows that have come as far as is measured, and how long they took."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self.count = 0
        self.first = self.last = 0.0
        self.waits: list[float] = []
        self.done = threading.Event()

    def add(self, count: int, walls: Sequence[float]) -> None:
        now = time.time()
        self.first = self.first or now
        self.last = now
        self.count += count
        self.waits += [now - wall for wall in walls]
        if self.count >= self._rows:
            self.done.set()


class TimedRows(RowTable):
    """The hub's own table, which tells when a batch was committed."""

    tally: Tally

    def take(self, batch: Sequence[Arrived]) -> Taken:
        taken = super().take(batch)
        self.tally.add(len(batch), [one.row.wall for one in batch])
        return taken


def hub(port: int, devices: int, tally: Tally, folder: Path):
    """The hub's link, intake and database, as `hub.wiring` puts them together; returns what ends them."""
    store = Store.open(f"sqlite:///{folder}/hub.db")
    pem = public_pem(new_device_key())
    records = [DeviceRecord(device_name(n), f"room-{n}", "", "", pem, 0.0) for n in range(devices)]
    values = [{column.name: getattr(one, column.name) for column in DEVICE.c} for one in records]
    with store.database.write() as connection:
        connection.execute(insert(DEVICE), values)
    clock = HubClock()
    rows = TimedRows(store.database)
    rows.tally = tally
    roll = Devices(store.devices, clock.now, lambda _: None)
    link = HubLink(HOST, port, "bench", "1", clock.now_ns, lambda arrival: intake.offer(arrival))
    intake = Intake(rows, roll, link.publish, Misfits(time.monotonic))
    collect_rarely()
    putting_away = checkpoints(store.database)
    putting_away.start()
    intake.start()
    link.start()
    assert link.wait_ready(10)

    def end() -> int:
        link.stop()
        intake.stop()
        putting_away.stop()
        store.close()
        return intake.counts.dropped

    return end


def floor(port: int, tally: Tally):
    """A subscriber that counts; nobody can take these rows with less. Returns what ends it."""
    ready = threading.Event()
    seen = [0]

    def arrived(_client, _data, message):
        seen[0] += 1
        look = seen[0] % LOOKED_AT == 0
        tally.add(1, [json.loads(message.payload)["wall"]] if look else [])

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="floor")
    client.on_connect = lambda *_: client.subscribe(topics.tele("+"), 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = arrived
    client.connect(HOST, port)
    client.loop_start()
    assert ready.wait(10)

    def end() -> int:
        client.disconnect()
        client.loop_stop()
        return 0

    return end


def main(which: str, port: int, devices: int, rows: int, folder: Path, seconds: float) -> None:
    tally = Tally(rows)
    end = hub(port, devices, tally, folder) if which == "hub" else floor(port, tally)
    print("ready", flush=True)
    cpu = time.process_time()
    whole = tally.done.wait(seconds)
    cpu = time.process_time() - cpu
    dropped = end()
    waits = sorted(tally.waits)
    found = {
        "rows": tally.count,
        "whole": whole,
        "dropped": dropped,
        "rate": tally.count / max(tally.last - tally.first, 1e-9),
        "cpu_s": cpu,
        "p50_ms": 1000 * waits[len(waits) // 2],
        "p99_ms": 1000 * waits[int(len(waits) * 0.99)],
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]), float(sys.argv[6]))
