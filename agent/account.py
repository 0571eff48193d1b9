"""One room's account of one lesson, carried over restarts of the service by the lines of quality."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

from agent.stream.figures import PeerFigures
from contract.result import Latency, ReceivedFrom, RoomResult

log = logging.getLogger(__name__)

LINE_MAX_BYTES = 4096


@dataclass(frozen=True)
class Counts:
    """What was counted so far, over all incarnations of the service in this lesson."""

    sent: int = 0
    """Camera pictures encoded in session time."""
    frames: Mapping[str, int] = field(default_factory=dict)
    """Camera pictures decoded in session time, by the room they came from."""
    sound_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds of sound decoded in session time, by room."""

    @classmethod
    def of(cls, sent: int, figures: Mapping[str, PeerFigures]) -> "Counts":
        """This incarnation's counts."""
        return cls(
            sent,
            {room: one.video_frames for room, one in figures.items()},
            {room: one.audio_seconds for room, one in figures.items()},
        )

    @classmethod
    def left_by(cls, quality: Path) -> "Counts":
        """What the last line of quality of an earlier incarnation says; zeros where there is none."""
        try:
            with quality.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LINE_MAX_BYTES))
                lines = file.read().splitlines()
        except OSError:
            return cls()
        for line in reversed(lines):
            try:
                sample = json.loads(line)
                return cls(
                    int(sample["sent"]),
                    {str(room): int(count) for room, count in sample["frames"].items()},
                    {str(room): float(seconds) for room, seconds in sample["sound_s"].items()},
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # the torn line of a crash; the one before it is whole
        return cls()

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        rooms = {*self.frames, *other.frames}
        return Counts(
            self.sent + other.sent,
            {room: self.frames.get(room, 0) + other.frames.get(room, 0) for room in rooms},
            {room: self.sound_s.get(room, 0.0) + other.sound_s.get(room, 0.0) for room in rooms},
        )

    def as_json(self) -> dict[str, Any]:
        """As a line of quality keeps it."""
        sound_s = {room: round(seconds, 2) for room, seconds in self.sound_s.items()}
        return {"sent": self.sent, "frames": dict(self.frames), "sound_s": sound_s}

    def result(
        self,
        figures: Mapping[str, PeerFigures],
        words: tuple[str, ...],
        cpu_s: float,
        rungs: Mapping[str, str] = MappingProxyType({}),
    ) -> RoomResult:
        """The room's account.

        Args:
            figures: of this incarnation's connections, by room.
            words: what went less well, a sentence each.
            cpu_s: processor time that the lesson took, in seconds.
            rungs: on which rung of the failure ladder the lesson stands with a room now, while it is live.
        """
        received = []
        for room in {**self.frames, **figures}:
            one = figures.get(room, PeerFigures())
            received.append(
                ReceivedFrom(
                    **{"from": room},
                    video_frames=self.frames.get(room, 0),
                    audio_seconds=round(self.sound_s.get(room, 0.0), 2),
                    latency_ms=latency(one),
                    join_ms=one.join_ms,
                    joins=one.joins,
                    rung=rungs.get(room, ""),
                )
            )
        return RoomResult(
            video_frames_sent=self.sent, received=tuple(received), words=words, cpu_seconds=round(cpu_s, 2)
        )


def latency(figures: PeerFigures) -> Latency | None:
    """Median and 95th percentile of capture to decoded, in ms; None where the clock between the rooms is unknown."""
    found = figures.latencies.percentiles(0.5, 0.95)
    if found is None:
        return None
    return Latency(p50=found[0], p95=found[1], error=round(figures.clock_error_ms, 2))


def cpu_seconds() -> float:
    """Processor time of this process and its living children, in seconds."""
    own = psutil.Process()
    times = [own.cpu_times()]
    for child in own.children(recursive=True):
        try:
            times.append(child.cpu_times())
        except psutil.Error:
            continue  # it ended meanwhile
    return sum(one.user + one.system for one in times)
