"""The two outboxes of one device: what fills them, what they are emptied by, and their end."""

from agent.report.lane import Lane
from agent.report.outbox import Outbox
from agent.report.reporter import Ledger, Reporter, make_good
from agent.settings import AgentSettings
from contract import topics

EVENT_SYNC_S = 0.02
"""An event is safe from a power cut so soon, and then it is sent; those of this time share one fdatasync ..."""
TELEMETRY_SYNC_S = 0.25
"""... as telemetry does, which a newer sample replaces anyway."""
EVENTS_ROOM_BYTES = 4 << 20
"""Of the disk's last bytes, so many are left to events."""


class Outboxes:
    """Events and telemetry; where the disk is full, telemetry makes room for events."""

    def __init__(self, settings: AgentSettings, *, device: str, machine: str, boot: str, incarnation: str) -> None:
        """Open both, and make good what a kill cut off on its way into them.

        Args:
            settings: the agent's settings.
            device: identifier of this device.
            machine: fingerprint of this machine.
            boot: this boot's identity.
            incarnation: of the service; names its ledger, where one is kept.
        """
        state, kept = settings.state, settings.report
        self._device = device
        self._telemetry = Outbox(
            state / "telemetry.db",
            machine=machine,
            device=device,
            cap_bytes=kept.telemetry_cap_bytes,
            sync_s=TELEMETRY_SYNC_S,
            floor_bytes=EVENTS_ROOM_BYTES,
        )
        self._events = Outbox(
            state / "event.db",
            machine=machine,
            device=device,
            cap_bytes=kept.event_cap_bytes,
            sync_s=EVENT_SYNC_S,
            lesser=self._telemetry,
        )
        self._ledger: Ledger | None = None
        if kept.ledger:
            make_good(state / "produced", self.both)
            self._ledger = Ledger(state / "produced" / f"{incarnation}.txt")
        self.reporter = Reporter(self._telemetry, self._events, device=device, boot=boot, ledger=self._ledger)
        """What puts rows into them."""

    @property
    def both(self) -> tuple[Outbox, ...]:
        """Telemetry and events."""
        return self._telemetry, self._events

    def lanes(self) -> tuple[Lane, ...]:
        """Their ways to the hub; what stands first goes first."""
        return (
            Lane(topics.event(self._device), self._events),
            Lane(topics.tele(self._device), self._telemetry),
        )

    def flush(self) -> None:
        """Bring everything to the disk, so that it may be sent."""
        for box in self.both:
            box.flush()

    def waiting(self) -> int:
        """Rows that the hub has not confirmed."""
        return sum(box.depth().rows for box in self.both)

    def close(self) -> None:
        """Close both and the ledger; may be called twice."""
        self._events.close()  # first: where the disk is full, telemetry makes room for it
        self._telemetry.close()
        if self._ledger is not None:
            self._ledger.close()
