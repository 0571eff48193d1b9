"""A load for whoever listens: rows of many devices over real MQTT, at a steady rate or as fast as they go.

python -m benchmarks.fleet PORT DEVICES ROWS RATE    (RATE 0: as fast as they go)

On the swarm's packets and sockets; rows go by the broker's PUBACK alone, so that a listener that acknowledges
nothing gets the same load as a hub.
"""

import json
import sys
import time

from benchmarks.wire import HOST
from contract import topics
from contract.telemetry import Row
from swarm import packets
from swarm.ledger import DATA
from swarm.wire import Address, Turns, Wire

PUBLISHERS = 50
"""Connections that share the devices: a broker takes more from many than from one."""
IN_FLIGHT = 20
"""Rows that one connection may have at the broker without a PUBACK."""
PATIENCE_S = 60.0


def device_name(number: int) -> str:
    return f"dev-{number}"


def row(number: int, seq: int) -> bytes:
    """A health sample of one device, stamped with the moment it leaves."""
    stream = f"stream-{number}"
    said = Row(
        stream=stream,
        seq=seq,
        first=1,
        id=f"{stream}-{seq}",
        kind="health",
        boot="b1",
        mono_ns=time.monotonic_ns(),
        wall=time.time(),
        data=DATA,
    )
    return said.model_dump_json().encode()


class Publisher:
    """One connection that says the rows of its devices, one device after another."""

    def __init__(self, turns: Turns, port: int, number: int, devices: list[int], rows: int) -> None:
        self.up = False
        self.unanswered = 0
        self._turns = turns
        self._name = f"publisher-{number}"
        self._topics = [packets.text(topics.tele(device_name(one))) for one in devices]
        self._devices = devices
        self._left = rows
        self._said = 0
        self._flowing = False
        self._reader = packets.PacketReader()
        self._wire = Wire(turns, Address(HOST, port), None, self._opened, self._arrived, self._gone)
        self._wire.dial()

    @property
    def done(self) -> bool:
        return not self._left and not self.unanswered

    def flow(self) -> None:
        """From now on, as fast as PUBACKs come."""
        self._flowing = True
        self._say(IN_FLIGHT)

    def pace(self, at_s: float, every_s: float) -> None:
        """From `at_s` on, a row every so often."""

        def one() -> None:
            nonlocal at_s
            self._say(1)
            at_s += every_s
            if self._left:
                self._turns.at(at_s, one)

        self._turns.at(at_s, one)

    def end(self) -> None:
        self._wire.send(packets.GOODBYE)
        self._wire.close()

    def _opened(self) -> None:
        self._wire.send(packets.connect(self._name, 60, topics.state(self._name), b""))

    def _arrived(self, data: bytes) -> None:
        answered = 0
        for packet in self._reader.feed(data):
            if packet.kind == packets.CONNACK:
                self.up = True
            elif packet.kind == packets.PUBACK:
                answered += 1
        self.unanswered -= answered
        if self._flowing and answered:
            self._say(answered)

    def _say(self, rows: int) -> None:
        out = []
        for _ in range(min(rows, self._left)):
            at, seq = self._said % len(self._devices), self._said // len(self._devices) + 1
            number = self._said % packets.NUMBERS + 1
            out.append(packets.publish(self._topics[at], row(self._devices[at], seq), number))
            self._said += 1
        if out:
            self._left -= len(out)
            self.unanswered += len(out)
            self._wire.send(b"".join(out))

    def _gone(self, words: str) -> None:
        raise RuntimeError(f"the broker left {self._name}: {words}")


def main(port: int, devices: int, rows: int, rate: float) -> None:
    turns = Turns()
    each = [rows // PUBLISHERS + (number < rows % PUBLISHERS) for number in range(PUBLISHERS)]
    crowd = [
        Publisher(turns, port, number, list(range(number, devices, PUBLISHERS)), each[number])
        for number in range(PUBLISHERS)
    ]
    if not turns.run(lambda: all(one.up for one in crowd), time.monotonic() + PATIENCE_S):
        raise RuntimeError("the broker does not answer")
    begun = time.monotonic()
    for number, one in enumerate(crowd):
        if rate:
            one.pace(begun + number / rate, PUBLISHERS / rate)
        else:
            one.flow()
    planned_s = rows / rate if rate else 0.0
    turns.run(lambda: all(one.done for one in crowd), begun + planned_s + PATIENCE_S)
    sent_s = time.monotonic() - begun
    for one in crowd:
        one.end()
    print(json.dumps({"rate": rows / sent_s}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
