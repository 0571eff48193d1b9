"""A sending and a receiving process that find each other over a network; several of them may share one."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.network import Network


class Call:
    """A sender in `lead` and a receiver in `far`."""

    def __init__(self, network: Network, mode: str, folder: Path, seconds: float, receiver: Sequence[str] = ()) -> None:
        """Start both.

        Args:
            network: has a `lead` and a `far`; its end ends both processes.
            mode: the sender: `ours`, `stock` or `stock-alone`.
            folder: of this call alone.
            seconds: measured time.
            receiver: module of the receiving process and its first arguments; by default one of the sender's mode.

        Raises:
            RuntimeError: the receiver ended early.
        """
        socket = str(folder / "signals")
        self._receiver = network.run(
            "far",
            [sys.executable, "-m", *(receiver or ("benchmarks.room_receiver", mode)), socket],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._receiver.stdout is None or self._receiver.stdout.readline() != "listening\n":
            raise RuntimeError("the receiver did not begin to listen")
        command = [sys.executable, "-m", "benchmarks.room_sender", mode, socket, str(folder), "--seconds", str(seconds)]
        self._words = (folder / "words").open("w+")
        self._sender = network.run("lead", command, stdout=subprocess.PIPE, stderr=self._words, text=True)

    def joined(self) -> None:
        """Wait until the two have found each other."""
        self._said()

    def begun(self) -> int:
        """Wait until measuring begins; returns when, in monotonic ns."""
        return int(self._said()["begin_ns"])

    def measured(self) -> dict[str, Any]:
        """Wait until it is over; what the sender then tells."""
        found = self._said()
        self._sender.wait(30)
        for pipe in (self._receiver.stdout, self._sender.stdout, self._words):
            if pipe is not None:
                pipe.close()
        return found

    def _said(self) -> dict[str, Any]:
        for line in self._sender.stdout or ():
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        self._words.seek(0)
        raise RuntimeError(f"the sender ended:\n{self._words.read()[-1500:]}")
