"""Who may say and hear what over MQTT: written once, as data, and enforced by whichever broker runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from contract import topics
from hub.fleet.authority import HUB_NAME

EVERYTHING = f"{topics.ROOT}/#"

DEVICE_PUBLISHES: Sequence[Callable[[str], str]] = (
    topics.state,
    topics.tele,
    topics.event,
    topics.signal_up,
    topics.result,
    topics.twin_reported,
)
"""What a device says, each on its own topic."""
DEVICE_SUBSCRIBES: Sequence[Callable[[str], str]] = (
    topics.state,
    topics.ack,
    topics.signal_down,
    topics.command,
    topics.twin_desired,
)
"""What a device hears, each on its own topic. Its own presence among them: a late will shows there."""
EVERY_DEVICE_SUBSCRIBES = (topics.HUB_STATE,)
HUB_PUBLISHES = (EVERYTHING,)
HUB_SUBSCRIBES = (EVERYTHING, f"$share/+/{EVERYTHING}")
"""Shared subscriptions among them: several intake workers divide the rows."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one client may do; whatever no pattern covers is denied."""

    publishes: tuple[str, ...]
    """Patterns of topics, also of a will."""
    subscribes: tuple[str, ...]
    """Patterns of topics that it may hear, and of filters that it may ask for."""

    def may_publish(self, topic: str) -> bool:
        """Whether it may send to `topic`."""
        return any(covers(pattern, topic) for pattern in self.publishes)

    def may_subscribe(self, asked: str) -> bool:
        """Whether it may ask for the filter `asked`."""
        return any(covers(pattern, asked) for pattern in self.subscribes)

    def may_receive(self, topic: str) -> bool:
        """Whether a message on `topic` may reach it."""
        return any(covers(pattern, topic) for pattern in self.subscribes)


@lru_cache(maxsize=4096)
def rules_of(name: str) -> Rules:
    """The rules for the client whose certificate bears `name`: the hub, or a device."""
    if name == HUB_NAME:
        return Rules(HUB_PUBLISHES, HUB_SUBSCRIBES)
    return Rules(
        tuple(topic(name) for topic in DEVICE_PUBLISHES),
        (*(topic(name) for topic in DEVICE_SUBSCRIBES), *EVERY_DEVICE_SUBSCRIBES),
    )


def covers(pattern: str, asked: str) -> bool:
    """Whether every topic that matches the filter or topic `asked` also matches `pattern`.

    >>> covers("tt/v1/#", "tt/v1/+/tele"), covers("tt/v1/+/tele", "tt/v1/#"), covers("tt/v1/a/ack", "tt/v1/+/ack")
    (True, False, False)
    """
    allowed, wanted = pattern.split("/"), asked.split("/")
    for at, level in enumerate(allowed):
        if level == "#":
            return True
        if at >= len(wanted) or (wanted[at] == "#") or (level not in ("+", wanted[at])):
            return False
    return len(allowed) == len(wanted)
