"""What the state folder held and holds no more, found when the agent starts and told once."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.report.health.runs import Restart

KIND = "state.lost"
"""Kind of the event that tells it."""
LIMIT = 50


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that is gone."""

    what: str
    """Short name: `outbox.telemetry`, `orders`, `clock`, `identity`, `machine`, `runs` ..."""
    words: str
    """What it means, in a sentence."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the state folder holds now that everything in it has been opened."""

    boot: str
    machine: str
    device: str
    streams: Mapping[str, str]
    """Stream of each outbox, by the outbox's name."""
    clock: bool
    """Whether the clock goes on from what was kept."""
    orders_unread: int
    """Files of orders that could not be used."""


@dataclass
class Losses:
    """Collects what is gone, from whoever notices; any thread may note."""

    _noted: dict[str, Loss] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, words: str) -> None:
        """Something is gone; the first words on a subject count."""
        with self._lock:
            if len(self._noted) < LIMIT:
                self._noted.setdefault(what, Loss(what, words))

    def told(self) -> list[Loss]:
        """What was noted since this was asked last."""
        with self._lock:
            noted, self._noted = list(self._noted.values()), {}
        return noted


def compare(restart: Restart, held: Held) -> list[Loss]:
    """What the last run had and this one has not. Pure.

    Nothing can be said where the last run left no trace: a state folder that is gone altogether shows
    by its missing identity, and the device is enrolled anew.
    """
    found = []
    if held.orders_unread:
        words = f"{held.orders_unread} orders on the disk cannot be used; the hub sends them again"
        found.append(Loss("orders", words))
    before = restart.before
    if before is None:
        if restart.damaged:
            found.append(Loss("runs", "the record of earlier runs is gone: restarts are counted anew"))
        return found
    if before.machine != held.machine:
        found.append(Loss("machine", "this disk was in another machine before; its rows go out as new streams"))
    if before.device != held.device:
        found.append(Loss("identity", f"this was device {before.device} before and is {held.device} now"))
    if (before.machine, before.device) == (held.machine, held.device):
        found += [
            Loss(f"outbox.{name}", f"the {name} outbox was begun anew: rows that waited in it are gone")
            for name, stream in held.streams.items()
            if name in before.streams and before.streams[name] != stream
        ]
    if before.clock and before.boot == held.boot and not held.clock:
        found.append(Loss("clock", "the clock's map is gone: until the hub is heard, the wall clock stands in"))
    return found
