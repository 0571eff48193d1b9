"""What the service hands to each lesson."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from agent.capture.masks import RoomMasks
from agent.capture.sources import SourceSpec
from agent.classroom import PictureLimits
from agent.observe.observer import Observer
from agent.record.package import Standpoint
from agent.record.store import FolderStore
from agent.stream.mediaclock import MediaClock
from agent.stream.playout import Playout
from contract.observation import Observation
from contract.signal import Signal


class Report(Protocol):
    """Where events go."""

    def event(self, kind: str, data: dict[str, Any] | None = None) -> bool:
        """Report something that happened."""

    def telemetry(self, kind: str, data: dict[str, Any] | None = None) -> bool:
        """Report a sample."""


class MakeObserver(Protocol):
    """Makes the observer of one lesson."""

    def __call__(
        self,
        *,
        on_observation: Callable[[Observation], None],
        on_trouble: Callable[[str], None],
        session_t: Callable[[int], float],
        words: bool,
    ) -> Observer:
        """Make it; it is not started yet. `words`: whether this room's teacher may be told in words."""


@dataclass(frozen=True)
class House:
    """What the service hands to each lesson."""

    incarnation: str
    standpoint: Standpoint
    media_clock: MediaClock
    spec: SourceSpec
    seed: int
    limits: PictureLimits
    name: str
    """Name of this room, as people call it."""
    store: FolderStore
    min_free_bytes: int
    """Recording ends cleanly before less than this is free."""
    send: Callable[[Signal, float, str | None], None]
    """Sends a signal, valid for so many seconds; a newer one with the same key replaces it."""
    report: Report
    observer: MakeObserver | None
    playout: Playout | None
    on_change: Callable[[], None]
    """Called when something about the lesson changed that the teacher's screen shows."""
    masks: RoomMasks | None = None
    """What nobody sees of this room's pictures."""
    lapel: str = ""
    """The teacher's own microphone, which is observed and neither sent nor recorded; empty: there is none."""
    mono_ns: Callable[[], int] = time.monotonic_ns
