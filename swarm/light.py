"""A light device: one connection, two lanes, the agent's own window, a box in memory.

What it leaves out of a real one: signals (hello, clock, lessons), commands' answers, health, and the disk.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from agent.report.connection import CONNACK_WAIT_S
from agent.report.outbox import Sample
from agent.report.retry import Retry
from agent.report.window import Window
from agent.trust import refusal
from contract import topics
from contract.telemetry import DeviceState, HubState, Watermark
from swarm import packets
from swarm.box import Box
from swarm.wire import Address, Turns, Wire

log = logging.getLogger(__name__)

KEEPALIVE_S = 15
ROWS_AT_ONCE = 50
REFUSALS = frozenset({2, 4, 5})
"""CONNACK codes that speak of who we are, not of the moment."""


Takers = Mapping[str, Callable[[bytes], None]]
"""Topics, and who takes the payloads that come on each."""


class Phase(StrEnum):
    """Where a light device stands with its broker."""

    AWAY = "away"
    """No connection; it will be tried again."""
    DIALLING = "dialling"
    """TCP and TLS are being opened."""
    GREETING = "greeting"
    """CONNECT and SUBSCRIBE are not answered yet."""
    UP = "up"
    """Subscribed and present."""
    ENDED = "ended"
    """It said goodbye and will not come back."""


@dataclass(slots=True)
class LightLane:
    """One box on its way to one topic."""

    topic: bytes
    box: Box
    window: Window = field(default_factory=Window)


class LightDevice:
    """One simulated device on the loop.

    Args:
        turns: the loop.
        name: the device's id, and its MQTT client id.
        address: the broker.
        certificate: PEM file of its certificate and key; None for plain MQTT.
        chance: jitter of reconnects, by the agent's own rule.
        on_stored: told the rows that the hub has acknowledged.
        more: further topics to subscribe to, each with who takes the payloads.
    """

    def __init__(
        self,
        turns: Turns,
        name: str,
        address: Address,
        certificate: Path | None,
        chance: random.Random,
        *,
        on_stored: Callable[[Sequence[Sample]], None] = lambda _rows: None,
        more: Takers | None = None,
    ) -> None:
        self.name = name
        self.phase = Phase.AWAY
        self.lives = 0
        """Connections so far."""
        self.why = ""
        """Why the last connection ended."""
        stream = f"{chance.getrandbits(64):016x}"
        self.telemetry = LightLane(packets.text(topics.tele(name)), Box(f"{stream}-t"))
        self.events = LightLane(packets.text(topics.event(name)), Box(f"{stream}-e"))
        self._lanes = (self.events, self.telemetry)
        self._turns = turns
        self._address = address
        self._certificate = certificate
        self._retry = Retry(chance=chance)
        self._on_stored = on_stored
        self._birth = DeviceState(device=name, online=True, boot="swarm", incarnation=stream[:12], version="swarm")
        self._takers = {topics.ack(name): self._marked, topics.HUB_STATE: self._hub_told, **(more or {})}
        self._by_topic = {topic.encode(): take for topic, take in self._takers.items()}
        self._wire: Wire | None = None
        self._reader = packets.PacketReader()
        self._number = 0
        self._up_s = 0.0
        self._heard_s = 0.0
        self._said_s = 0.0
        self._hub: HubState | None = None

    # What the fleet does with it.

    def dial(self) -> None:
        """Begin to connect; it stays connected from then on, until `end`."""
        if self.phase is not Phase.AWAY:
            return
        self.phase = Phase.DIALLING
        self._reader = packets.PacketReader()
        self._hub = None
        self._heard_s = self._said_s = self._turns.now
        self._wire = Wire(self._turns, self._address, self._certificate, self._opened, self._arrived, self._gone)
        try:
            self._wire.dial()
        except OSError as error:
            self._wire = None
            self._gone(str(error))

    def put(self, lane: LightLane, sample: Sample) -> None:
        """Keep a row, and send it where the window lets it out."""
        lane.box.put(sample)
        if self.phase is Phase.UP:
            self._send(lane)

    def tend(self) -> None:
        """Send again what has waited too long, and give a sign of life; called about twice a second."""
        now = self._turns.now
        if self.phase is Phase.UP:
            for lane in self._lanes:
                if lane.box.waiting:
                    self._send(lane)
            if now - self._said_s >= KEEPALIVE_S:
                self._say(packets.PING)
            if now - self._heard_s > 1.5 * KEEPALIVE_S + CONNACK_WAIT_S:
                self._drop("nothing was heard for too long")
        elif self.phase is Phase.GREETING and now - self._heard_s > CONNACK_WAIT_S:
            self._drop("it does not answer as an MQTT broker")

    @property
    def waiting(self) -> int:
        """Rows that the hub has not acknowledged."""
        return self.events.box.waiting + self.telemetry.box.waiting

    def end(self) -> None:
        """Say goodbye, where there is somebody to hear it, and stay away."""
        if self.phase is Phase.UP:
            last = self._birth.model_copy(update={"online": False, "why": "stopped", "wall": time.time()})
            self._publish(packets.text(topics.state(self.name)), last.model_dump_json().encode(), retain=True)
            self._say(packets.GOODBYE)
        self._close()
        self.phase = Phase.ENDED

    # What happens to its connection.

    def _opened(self) -> None:
        self.phase = Phase.GREETING
        self._heard_s = self._turns.now
        will = self._birth.model_copy(update={"online": False, "why": "the connection broke"})
        told = will.model_dump_json().encode()
        self._say(packets.connect(self.name, KEEPALIVE_S, topics.state(self.name), told))

    def _arrived(self, data: bytes) -> None:
        self._heard_s = self._turns.now
        answers = b""
        try:
            for packet in self._reader.feed(data):
                if packet.kind == packets.PUBLISH:
                    message = packets.published(packet)
                    if message.number:
                        answers += packets.puback(message.number)
                    self._take(message)
                elif packet.kind == packets.CONNACK:
                    self._let_in(packet.body[1])
                elif packet.kind == packets.SUBACK:
                    self._greeted()
        except (packets.PacketsBroken, IndexError) as error:
            self._drop(f"what it says is no MQTT: {error}")
            return
        if answers:
            self._say(answers)

    def _let_in(self, code: int) -> None:
        if code:
            self._drop(f"it refused us with code {code}", refused=code in REFUSALS)
        else:
            self._say(packets.subscribe(self._next(), tuple(self._takers)))

    def _greeted(self) -> None:
        self.phase = Phase.UP
        self.lives += 1
        self._up_s = self._turns.now
        birth = self._birth.model_copy(update={"wall": time.time()})
        self._publish(packets.text(topics.state(self.name)), birth.model_dump_json().encode(), retain=True)
        for lane in self._lanes:
            lane.window.restart(self._turns.now)
            self._send(lane)

    def _drop(self, words: str, *, refused: bool = False) -> None:
        self._close()
        self._gone(words, refused=refused)

    def _close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _gone(self, words: str, *, refused: bool = False) -> None:
        if self.phase is Phase.UP:
            self._retry.lost(self._turns.now - self._up_s)
        else:
            self._retry.failed(refused=refused or refusal(words) is not None)
        self.phase = Phase.AWAY
        self.why = words
        self._wire = None
        self._turns.at(self._turns.now + self._retry.wait_s(urgent=False), self.dial)

    # What it says and hears.

    def _take(self, message: packets.Published) -> None:
        taker = self._by_topic.get(message.topic)
        if taker is None:
            return
        try:
            taker(message.payload)
        except ValidationError as error:
            log.warning("%s: a message on %s cannot be read: %s", self.name, message.topic.decode(), error)

    def _marked(self, payload: bytes) -> None:
        mark = Watermark.model_validate_json(payload)
        for lane in self._lanes:
            if lane.box.stream != mark.stream:
                continue
            rows = lane.box.acknowledge(mark)
            moved = lane.window.rewound if mark.rewind else lane.window.acknowledged
            moved(lane.box.acked, self._turns.now)
            if rows:
                self._on_stored(rows)
            if lane.box.last > lane.window.sent:
                self._send(lane)

    def _hub_told(self, payload: bytes) -> None:
        if not payload:
            return
        state = HubState.model_validate_json(payload)
        if state == self._hub:
            return
        known, self._hub = self._hub, state
        if state.online and known is not None:
            for lane in self._lanes:
                lane.window.restart(self._turns.now)
                self._send(lane)

    def _send(self, lane: LightLane) -> None:
        now = self._turns.now
        after, room = lane.window.ask(now)
        out = []
        for row in lane.box.after(after, min(room, ROWS_AT_ONCE)):
            out.append(packets.publish(lane.topic, row.model_dump_json().encode(), self._next()))
            lane.window.took(row.seq, row.first, now)
        if out:
            self._say(b"".join(out))

    def _publish(self, topic: bytes, payload: bytes, *, retain: bool) -> None:
        self._say(packets.publish(topic, payload, self._next(), retain=retain))

    def _say(self, data: bytes) -> None:
        if self._wire is not None:
            self._said_s = self._turns.now
            self._wire.send(data)

    def _next(self) -> int:
        self._number = self._number % packets.NUMBERS + 1
        return self._number
