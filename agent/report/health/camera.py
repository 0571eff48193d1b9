"""Whether the room's camera is there."""

from collections.abc import Callable
from pathlib import Path

from agent.report.health.probe import Probe
from agent.report.health.wanted import LISTED, Presence, Wanted, opened

DEV = Path("/dev")
EVERY_S = 5.0


def probe(wanted: Callable[[], Wanted], dev: Path = DEV, used: Callable[[], frozenset[str]] | None = None) -> Probe:
    """`camera`: a `Presence`.

    Args:
        wanted: what the room's source needs now.
        dev: where the system lists its devices.
        used: paths that this process has open.
    """
    look_at_used = used or (lambda: frozenset(opened()))
    return Probe("camera", lambda: {"camera": str(presence(wanted(), dev, look_at_used()))}, every_s=EVERY_S)


def presence(wanted: Wanted, dev: Path, used: frozenset[str], *, listed: bool = LISTED) -> Presence:
    """What can be told of the camera without opening it.

    Args:
        wanted: what the room's source needs.
        dev: where V4L2 lists each camera as a file.
        used: paths that this process has open.
        listed: whether this system lists its cameras at all.
    """
    if wanted.camera is None:
        return Presence.UNNEEDED
    file = dev / f"video{wanted.camera}"
    if str(file) in used:
        return Presence.IN_USE
    if file.exists():
        return Presence.PRESENT
    return Presence.MISSING if listed else Presence.UNKNOWN
