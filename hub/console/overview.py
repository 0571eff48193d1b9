"""The overview page's contents, sorted for the eye."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.state import SessionState
from hub.api.shapes import AlertView, ClaimView, DeviceView, Overview
from hub.fleet.signs import HealthState
from hub.session.views import SessionView

OVER = frozenset({SessionState.SEALED, SessionState.UPLOADED, SessionState.FAILED, SessionState.CANCELLED})
"""The lesson itself is over, whatever is still to be uploaded."""

KINDS: Mapping[str, str] = {
    SessionState.SCHEDULED: "off",
    SessionState.READYING: "info",
    SessionState.READY: "info",
    SessionState.LIVE: "ok",
    SessionState.ENDING: "info",
    SessionState.SEALED: "warn",
    SessionState.UPLOADED: "ok",
    SessionState.FAILED: "bad",
    SessionState.CANCELLED: "off",
}
"""Shape and colour of each state; the word stands beside them always."""

RUNGS: Mapping[str, str] = {"both": "ok", "one-way": "info", "sound": "warn", "alone": "bad"}
"""Shape and colour of each rung of the failure ladder, as rooms report it."""


@dataclass(frozen=True)
class Part:
    """What a room does in a session that is not over."""

    state: SessionState
    title: str


@dataclass(frozen=True)
class OverviewPage:
    """What the page shows."""

    devices: tuple[DeviceView, ...]
    """Present ones first, among them those that need a look; then by school and name."""
    current: tuple[SessionView, ...]
    """Lessons that are not over, running ones first."""
    finished: tuple[SessionView, ...]
    """Newest first."""
    parts: Mapping[str, Part]
    """By room."""
    names: Mapping[str, str]
    """What people call each room."""
    alerts: tuple[AlertView, ...] = ()
    """Newest first."""
    waiting: tuple[ClaimView, ...] = ()
    """Machines that an operator must confirm."""

    @property
    def online(self) -> int:
        """Devices that are present."""
        return sum(device.online for device in self.devices)

    @property
    def live(self) -> int:
        """Lessons that are running."""
        return sum(session.state is SessionState.LIVE for session in self.current)


def kind_of(state: str) -> str:
    """Shape and colour of a state."""
    return KINDS[SessionState(state)]


def rung_kind(rung: str) -> str:
    """Shape and colour of a rung; an agent of another version may name one that is not known here."""
    return RUNGS.get(rung, "off")


def _place(device: DeviceView) -> tuple[bool, bool, str, str, str]:
    """What the eye should meet first."""
    return not device.online, device.health is not HealthState.DEGRADED, device.school, device.name, device.room


def overview_page(overview: Overview) -> OverviewPage:
    """Sort an overview for the page."""
    current = [session for session in overview.sessions if session.state not in OVER]
    current.sort(key=lambda one: (one.state is not SessionState.LIVE, one.epoch))
    parts: dict[str, Part] = {}
    for session in current:
        for room in session.rooms:
            parts.setdefault(room.room, Part(room.state, session.title))
    return OverviewPage(
        devices=tuple(sorted(overview.devices, key=_place)),
        current=tuple(current),
        finished=tuple(session for session in overview.sessions if session.state in OVER),
        parts=parts,
        names={device.room: device.name or device.room for device in overview.devices},
        alerts=tuple(reversed(overview.alerts)),
        waiting=overview.waiting,
    )
