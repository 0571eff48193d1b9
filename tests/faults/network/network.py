"""The network as its user holds it."""

import itertools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from tests.faults.network.link import Direction, Link
from tests.faults.network.namespaces import NetworkUnavailable, missing, move, namespace, remove

ROOT = Path(__file__).resolve().parents[3]
SUBNET = "10.77.0."
NAME = re.compile(r"[a-z0-9]{1,20}")
SETUP_S = 15.0
_runs = itertools.count()


class Network:
    """Namespaces, joined. Everything can be changed in mid-run, and takes effect before the call returns."""

    def __init__(self, *names: str, seed: int = 1) -> None:
        """Name the namespaces.

        Args:
            names: two or more; small letters and digits. `lead` and `far` if none is given.
            seed: the same seed loses the same packets, counted in each direction from its first one.
        """
        self._names = names or ("lead", "far")
        if len(set(self._names)) < 2 or not all(NAME.fullmatch(name) for name in self._names):
            raise ValueError(f"a network needs two different names or more, of small letters and digits: {names}")
        self._seed = seed
        self._run = next(_runs)
        self._addresses = {name: f"{SUBNET}{index}" for index, name in enumerate(self._names, 1)}
        self._fresh = itertools.count(100)
        self._processes: list[subprocess.Popen[Any]] = []
        self._impairer: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Set the network up.

        Raises:
            NetworkUnavailable: this machine cannot; says why.
        """
        if words := missing():
            raise NetworkUnavailable(words)
        hosts = [f"{name}={address}" for name, address in self._addresses.items()]
        told = [str(os.getpid()), str(self._run), str(self._seed), *hosts]
        # In a session of its own: what interrupts the test must not keep it from cleaning up.
        self._impairer = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.network.impairer", *told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            said = self._hear()
        except BaseException:
            self.__exit__()
            raise
        if "error" in said:
            self.__exit__()
            raise NetworkUnavailable(said["error"])
        return self

    def __exit__(self, *_: object) -> None:
        """End every process in it and remove it."""
        if self._impairer is None or self._impairer.stdin is None or self._impairer.stdout is None:
            return
        for process in self._processes:
            process.kill()
        self._impairer.stdin.close()
        try:
            self._impairer.wait(SETUP_S)
        except subprocess.TimeoutExpired:
            self._impairer.kill()
            self._impairer.wait()
        for name in self._names:
            remove(self.namespace(name))
        for process in self._processes:
            process.wait()
        self._impairer.stdout.close()

    def namespace(self, name: str) -> str:
        """What `ip netns` calls it."""
        return namespace(os.getpid(), self._run, name)

    def address(self, name: str) -> str:
        """The IPv4 address of a namespace."""
        return self._addresses[name]

    def shape(self, direction: Direction | None, link: Link) -> None:
        """Let a direction, or `BOTH`, behave like this from now on."""
        self._order(direction, shape=asdict(link))

    def cut(self, direction: Direction | None = None) -> None:
        """Let nothing through; what is under way is lost."""
        self._order(direction, cut=True)

    def heal(self, direction: Direction | None = None) -> None:
        """Let through again what the link lets through."""
        self._order(direction, cut=False)

    def move(self, name: str) -> str:
        """Give a namespace another address, as when a machine changes to another network; returns it."""
        self._addresses[name] = f"{SUBNET}{next(self._fresh)}"
        move(self.namespace(name), self._addresses[name])
        self._order(None, move=name, address=self._addresses[name])
        return self._addresses[name]

    def counts(self, direction: Direction | None = None) -> dict[str, int]:
        """What became of the packets of one direction, or of all together (`link.Counts`), and `queued_bytes`."""
        found = self._order(None)["directions"]
        if direction is not None:
            return dict(found[">".join(direction)])
        return {key: sum(one[key] for one in found.values()) for key in next(iter(found.values()))}

    def cost(self) -> tuple[float, float]:
        """(CPU time of the impairer, time since it began), in seconds."""
        said = self._order(None)
        return said["cpu_s"], said["seconds"]

    def run(self, name: str, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a process in a namespace; `options` are those of `Popen`. The end of the network ends it."""
        inside = ["ip", "netns", "exec", self.namespace(name), *command]
        process = subprocess.Popen(inside, **{"cwd": ROOT, **options})
        self._processes.append(process)
        return process

    def _order(self, direction: Direction | None, **order: Any) -> dict[str, Any]:
        with self._lock:
            if self._impairer is None or self._impairer.stdin is None:
                raise ValueError("the network has not been entered")
            self._impairer.stdin.write(json.dumps({"direction": direction, **order}) + "\n")
            self._impairer.stdin.flush()
            return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._impairer is not None and self._impairer.stdout is not None
        line = self._impairer.stdout.readline()
        if not line:
            raise RuntimeError("the network's own process ended; its words are on standard error")
        said: dict[str, Any] = json.loads(line)
        return said
