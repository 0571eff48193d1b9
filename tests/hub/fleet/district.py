"""The hub's side of commands and twins on a real broker, and devices that answer as real MQTT clients."""

import secrets
import threading
import time
from collections import Counter
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from contract import topics
from contract.command import Command, Outcome, Result
from contract.envelope import Envelope, parse, sign, verify
from contract.keys import new_device_key, new_hub_key, public_pem
from contract.signal import Hello
from contract.telemetry import DeviceState
from contract.twin import Desired, Reported, TwinStatus
from hub.broker.courier import Courier
from hub.broker.link import HubLink
from hub.broker.misfits import Misfits
from hub.fleet.commands import Commands
from hub.fleet.devices import Devices, NewDevice
from hub.fleet.twin import Twins
from hub.store.store import Store
from tests.hub.tables import with_tables


class Hub:
    """As much of a hub as commands and twins need; may be stopped, or dropped as by a kill, and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.key = new_hub_key()
        self.url = with_tables(folder / "hub.db")
        self.port = port
        self.behind_s = 0.0
        self.changed: Counter[str] = Counter()
        self.reports: list = []

    def now(self) -> float:
        return self.now_ns() / 1e9

    def now_ns(self) -> int:
        return time.time_ns() - round(self.behind_s * 1e9)

    def start(self) -> "Hub":
        self.store = Store.open(self.url)
        self.misfits = Misfits(time.monotonic)
        self.devices = Devices(self.store.devices, self.now, lambda _: None)
        self.link = HubLink("127.0.0.1", self.port, secrets.token_hex(4), "test", self.now_ns, self._arrived)
        self.commands = Commands(
            self.store.commands,
            self.devices,
            self.key,
            self.link.publish,
            self.now,
            self.misfits,
            lambda device: self.changed.update([device]),
        )
        self.twins = Twins(
            self.store.twins,
            self.devices,
            self.key,
            lambda topic, data: self.link.publish(topic, data, retain=True),
            self.now,
            self.misfits,
            self.reports.append,
        )
        self.courier = Courier(
            self.key,
            self.devices.key,
            self.link.publish,
            self.now_ns,
            self.misfits,
            self.devices.heard,
            self.devices.online,
        )
        self.courier.start(self._handle, lambda *_: None)
        self.commands.start()
        self.link.start()
        assert self.link.wait_ready(15)
        self.twins.start()
        return self

    def stop(self) -> None:
        self.twins.stop()
        self.link.stop()
        self.courier.stop()
        self.commands.stop()
        self.store.close()

    def register(self, *devices: "Device", school: str = "") -> None:
        for one in devices:
            self.devices.register(NewDevice(one.id, f"room-{one.id}", one.id, school, public_pem(one.key)))

    def state(self, command: str) -> str:
        return str(self.commands.get(command).state)

    def _handle(self, signal, _issued) -> str:
        if isinstance(signal, Hello):
            self.devices.incarnated(signal.device, signal.boot, signal.incarnation)
            self.commands.hello(signal.device)
        return ""

    def _arrived(self, arrival) -> None:
        if arrival.topic.endswith("/signal/up"):
            self.courier.arrived(arrival)
        elif arrival.topic.endswith("/result"):
            self.commands.arrived(arrival)
        elif arrival.topic.endswith("/twin/reported"):
            self.twins.arrived(arrival)
        elif arrival.topic.endswith("/state"):
            self.devices.present([DeviceState.model_validate_json(arrival.payload)])


class Device:
    """One device: `got` holds every command that came, `wishes` every configuration."""

    def __init__(self, device: str, port: int, *, answers: bool = True) -> None:
        self.id = device
        self.key = new_device_key()
        self.port = port
        self.answers = answers
        self.hub_key = None
        self.got: list[tuple[Envelope, Command]] = []
        self.wishes: list[Desired] = []
        self.client: paho.Client | None = None

    def connect(self) -> "Device":
        ready = threading.Event()
        self.client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"{self.id}-{secrets.token_hex(4)}")
        mine = [(topics.command(self.id), 1), (topics.twin_desired(self.id), 1)]
        client.on_connect = lambda one, *_: one.subscribe(mine)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = self._heard
        client.connect("127.0.0.1", self.port, keepalive=20)
        client.loop_start()
        assert ready.wait(15)
        self.present(online=True)
        return self

    def present(self, *, online: bool) -> None:
        state = DeviceState(device=self.id, online=online, boot="b", incarnation="i")
        self.publish(topics.state(self.id), state.model_dump_json().encode(), retain=True)

    def close(self) -> None:
        if self.client is not None:
            self.client.disconnect()
            self.client.loop_stop()
            self.client = None

    def publish(self, topic: str, data: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, data, qos=1, retain=retain)

    def answer(self, ref: str, outcome: Outcome = Outcome.DONE, *, key=None, device: str = "", **more) -> None:
        result = Result(device=device or self.id, ref=ref, outcome=outcome, at=time.time(), **more)
        self.publish(topics.result(self.id), sign(result, key or self.key, time.time(), 60).to_json())

    def report(self, rev: int, status: TwinStatus = TwinStatus.APPLIED, words: str = "", config=None, *, key=None):
        said = Reported(device=self.id, rev=rev, status=status, words=words, config=config or {})
        data = sign(said, key or self.key, time.time(), 60).to_json()
        self.publish(topics.twin_reported(self.id), data, retain=True)

    def _heard(self, _client, _data, message) -> None:
        if not message.topic.endswith(("/command", "/twin/desired")):
            return  # amqtt hands retained messages to those who did not ask for them, too
        envelope = parse(message.payload)
        if self.hub_key is not None:
            verify(envelope, self.hub_key, None)
        if message.topic.endswith("/twin/desired"):
            self.wishes.append(Desired.model_validate_json(envelope.body))
            return
        self.got.append((envelope, Command.model_validate_json(envelope.body)))
        if self.answers:
            self.answer(envelope.id, words="好", data={"of": self.id})
