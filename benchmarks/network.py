"""Runs a sending and a receiving process with a bad network between them."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.call import Call
from benchmarks.recording import Recording, judge
from tests.faults.network import BOTH, Link, Network, NetworkUnavailable

SETTLE_S = 2.0
"""The link is shaped this long after the answer, so that joining is not what is measured."""

__all__ = ["BOTH", "Link", "Network", "NetworkUnavailable", "Outcome", "run"]


@dataclass(frozen=True)
class Outcome:
    """One run; times are monotonic ns."""

    begin_ns: int
    end_ns: int
    cpu_s: float
    """Of the sending process."""
    peers: list[dict[str, Any]]
    """What each receiver's tally holds."""
    recording: Recording | None
    """The sender's recording; None where it kept none."""


def run(
    mode: str,
    link: Link,
    seconds: float,
    during: Callable[[Network, float], None] | None = None,
    *,
    seed: int = 1,
    receiver: Sequence[str] = (),
) -> Outcome:
    """One sender, one receiver.

    Args:
        mode: the sender: `ours` or `stock`.
        link: both ways, from a little before measuring begins; before that only its delay.
        seconds: measured time.
        during: called with the network and the monotonic seconds at which measuring began; may shape, and sleep.
        seed: of the network.
        receiver: module of the receiving process and its first arguments; by default one of the sender's mode.

    Raises:
        NetworkUnavailable: this machine cannot hold the network.
        RuntimeError: a process ended early; its last words.
    """
    with tempfile.TemporaryDirectory() as folder, Network("lead", "far", seed=seed) as network:
        network.shape(BOTH, Link(delay_ms=link.delay_ms))
        call = Call(network, mode, Path(folder), seconds, receiver)
        call.joined()
        time.sleep(SETTLE_S)
        network.shape(BOTH, link)
        begin_ns = call.begun()
        if during is not None:
            during(network, begin_ns / 1e9)
        found = call.measured()
        file = Path(folder) / "camera.mp4"
        recording = judge(file) if mode == "ours" and file.exists() else None
        return Outcome(found["begin_ns"], found["end_ns"], found["cpu_s"], found["peers"], recording)
