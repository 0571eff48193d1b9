"""The process that carries the packets between the namespaces, and mistreats them.

    python -m tests.faults.network.impairer OWNER RUN SEED NAME=ADDRESS ...

Makes the namespaces and removes them when its standard input ends, which it also does when whoever
started it is killed. A line of JSON on its standard input is an order, answered with a line.
It costs about 60 µs of CPU a packet at 400 packets a second, each with two wake-ups of its own (1.3 % of a
core for 2 Mbps one way), and less the more there are at once; `Network.cost` tells what it was.
"""

import contextlib
import json
import os
import resource
import select
import socket
import sys
import time
from typing import Any

from tests.faults.network.link import Direction, Link, Pipe
from tests.faults.network.namespaces import NetworkUnavailable, namespace, open_tun, remove, remove_stale

BATCH = 64
"""Packets read from one device before the others have their turn."""
PACKET_MAX = 65_535
IDLE_S = 0.5
NICE = -10
"""Late timers would look like jitter of the network."""


class Impairer:
    """Reads packets of each device, passes them through their pipe and writes them to the other's."""

    def __init__(self, devices: dict[str, int], addresses: dict[str, str], seed: str) -> None:
        self._devices = devices
        self._names = {device: name for name, device in devices.items()}
        self._by_address: dict[bytes, str] = {}
        for name, address in addresses.items():
            self._by_address[socket.inet_aton(address)] = name
        self._pipes: dict[Direction, Pipe] = {
            (one, other): Pipe(f"{seed} {one}>{other}") for one in devices for other in devices if one != other
        }
        self._strays = 0
        """Packets to nobody here: multicast, old addresses."""
        self._refused = 0
        """Packets that a device would not take."""
        self._begun_s = time.monotonic()
        self._orders = b""

    def run(self) -> None:
        """Carry packets until standard input ends."""
        readers = [*self._names, sys.stdin.fileno()]
        while True:
            self._deliver(time.monotonic())
            nexts = [at for pipe in self._pipes.values() if (at := pipe.next_s()) is not None]
            wait_s = min(IDLE_S, max(0.0, min(nexts) - time.monotonic())) if nexts else IDLE_S
            ready, _, _ = select.select(readers, [], [], wait_s)
            for one in ready:
                if one in self._names:
                    self._read(one)
                elif not self._hear():
                    return

    def _deliver(self, now_s: float) -> None:
        for (_, to), pipe in self._pipes.items():
            for packet in pipe.take(now_s):
                try:
                    os.write(self._devices[to], packet)
                except OSError:
                    self._refused += 1

    def _read(self, device: int) -> None:
        name = self._names[device]
        for _ in range(BATCH):
            try:
                packet = os.read(device, PACKET_MAX)
            except BlockingIOError:
                return
            to = self._by_address.get(packet[16:20]) if packet[0] >> 4 == 4 else None
            if to is None or to == name:
                self._strays += 1
                continue
            self._pipes[name, to].put(packet, time.monotonic())

    def _hear(self) -> bool:
        """Take what came on standard input; False at its end."""
        data = os.read(sys.stdin.fileno(), PACKET_MAX)
        *lines, self._orders = (self._orders + data).split(b"\n")
        for line in lines:
            sys.stdout.write(json.dumps(self._obey(json.loads(line))) + "\n")
            sys.stdout.flush()
        return bool(data)

    def _obey(self, order: dict[str, Any]) -> Any:
        now_s = time.monotonic()
        asked = order.get("direction")
        pipes = [self._pipes[tuple(asked)]] if asked else list(self._pipes.values())
        if "shape" in order:
            for pipe in pipes:
                pipe.shape(Link(**order["shape"]), now_s)
        elif "cut" in order:
            for pipe in pipes:
                pipe.cut(now_s) if order["cut"] else pipe.heal()
        elif "move" in order:
            self._by_address = {old: name for old, name in self._by_address.items() if name != order["move"]}
            self._by_address[socket.inet_aton(order["address"])] = order["move"]
        return self._figures()

    def _figures(self) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "directions": {f"{one}>{to}": pipe.figures() for (one, to), pipe in self._pipes.items()},
            "strays": self._strays,
            "refused": self._refused,
            "cpu_s": used.ru_utime + used.ru_stime,
            "seconds": time.monotonic() - self._begun_s,
        }


def main(owner: int, run: int, seed: str, hosts: list[str]) -> None:
    addresses = dict(host.split("=") for host in hosts)
    spaces = {name: namespace(owner, run, name) for name in addresses}
    try:
        remove_stale()
        devices = {
            name: open_tun(spaces[name], address, f"tt{owner:x}x{run:x}x{index}")
            for index, (name, address) in enumerate(addresses.items())
        }
        with contextlib.suppress(OSError):
            os.nice(NICE)
        impairer = Impairer(devices, addresses, seed)
        print(json.dumps({"ready": True}), flush=True)
        impairer.run()
    except NetworkUnavailable as error:
        print(json.dumps({"error": str(error)}), flush=True)
    finally:
        for space in spaces.values():
            remove(space)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
