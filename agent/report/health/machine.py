"""The health of this machine in this run: what is told once a start, and a sample every few seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.report.clock import HubClock
from agent.report.health.health import Health
from agent.report.health.losses import Held
from agent.report.health.registry import Looked, every_probe
from agent.report.health.runs import Ending
from agent.report.health.start import Start
from agent.report.health.versions import versions
from agent.report.health.wanted import Wanted
from agent.report.orders import OrderShelf
from agent.report.outbox import Outbox
from agent.report.reporter import Reporter
from agent.settings import AgentSettings


@dataclass(frozen=True, slots=True)
class Run:
    """Which run of which device this is."""

    device: str
    machine: str
    """Fingerprint of the machine."""
    boot: str
    incarnation: str
    version: str


class MachineHealth:
    """Looks, tells and remembers, from the start of the agent to its end.

    Args:
        run: which run this is.
        settings: the agent's settings.
        reporter: takes samples and events.
        outboxes: all of them, opened.
        clock: the hub's time.
        orders: what is held of orders.
        link_up: whether the broker is in reach.
        wanted: devices of this machine that the room's source names.
    """

    def __init__(
        self,
        run: Run,
        settings: AgentSettings,
        reporter: Reporter,
        outboxes: tuple[Outbox, ...],
        clock: HubClock,
        orders: OrderShelf,
        link_up: Callable[[], bool],
        wanted: Wanted,
    ) -> None:
        shelved = len(list((settings.state / "orders").glob("*.json")))
        held = Held(
            boot=run.boot,
            machine=run.machine,
            device=run.device,
            streams={one.path.stem: one.stream for one in outboxes},
            clock=clock.heard,
            orders_unread=max(0, shelved - len(orders.revs())),
        )
        self._clock = clock
        self._start = Start(settings.state, run.incarnation, held, time.time())
        looked = Looked(
            boot=run.boot,
            state=settings.state,
            min_free_bytes=settings.record.min_free_bytes,
            outboxes=outboxes,
            clock=clock,
            link_up=link_up,
            restart=self._start.restart,
            wanted=lambda: wanted,
        )
        self._health = Health(
            every_probe(looked),
            reporter.telemetry,
            settings.report.health_s,
            first=lambda: self._start.tell(reporter.event, lambda: versions(run.version)),
        )
        self.ending = Ending.STOPPED
        """Why this run will have ended, where it ends in order."""

    def start(self) -> None:
        """Tell what is told once, then one sample after the other."""
        self._health.start()

    def lost(self, what: str, words: str) -> None:
        """Something that the state folder held is gone: a short name and a sentence; before `start` alone."""
        self._start.lost(what, words)

    def now(self) -> dict[str, Any]:
        """All that is known, looked at now; takes a few seconds at most. Thread-safe."""
        return self._health.now()

    def tell_all(self) -> None:
        """Make the next sample a whole one."""
        self._health.tell_all()

    def stop(self) -> None:
        """Send no more samples; may be called twice."""
        self._health.stop()

    def ended(self) -> None:
        """This run ends in order; the clock's map is on the disk, where the hub was heard."""
        self._start.end(self.ending, clock=self._clock.heard)
