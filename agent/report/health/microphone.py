"""Whether a microphone is there."""

from collections.abc import Callable
from pathlib import Path

from agent.report.health.probe import Probe
from agent.report.health.wanted import LISTED, Presence, Wanted, opened

SND = Path("/dev/snd")
EVERY_S = 5.0


def probe(wanted: Callable[[], Wanted], snd: Path = SND, used: Callable[[], frozenset[str]] | None = None) -> Probe:
    """`microphone`: a `Presence`.

    Args:
        wanted: what the room's source needs now.
        snd: where ALSA lists its devices.
        used: paths that this process has open.
    """
    look_at_used = used or (lambda: frozenset(opened()))
    return Probe("microphone", lambda: {"microphone": str(presence(wanted(), snd, look_at_used()))}, every_s=EVERY_S)


def presence(wanted: Wanted, snd: Path, used: frozenset[str], *, listed: bool = LISTED) -> Presence:
    """What ALSA tells of devices that can be heard with, without opening one.

    Which of several a name means is not told here, and a microphone that comes over the network by a sound
    server of its own is not listed.

    Args:
        wanted: what the room's source needs.
        snd: where ALSA lists its devices; not there on a machine without any.
        used: paths that this process has open.
        listed: whether this system lists its microphones at all.
    """
    if not wanted.microphone:
        return Presence.UNNEEDED
    heard = {str(one) for one in snd.glob("pcmC*D*c")}
    if heard & used:
        return Presence.IN_USE
    if heard:
        return Presence.PRESENT
    return Presence.MISSING if listed else Presence.UNKNOWN
