"""The one place that names every probe."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agent.report.clock import HubClock
from agent.report.health import (
    camera,
    certificate,
    connection,
    disk,
    hubclock,
    memory,
    microphone,
    processor,
    runs,
    temperature,
    waiting,
)
from agent.report.health.probe import Probe
from agent.report.health.wanted import Wanted
from agent.report.outbox import Outbox


@dataclass(frozen=True)
class Looked:
    """What the probes look at."""

    boot: str
    state: Path
    min_free_bytes: int
    outboxes: tuple[Outbox, ...]
    clock: HubClock
    link_up: Callable[[], bool]
    restart: runs.Restart
    wanted: Callable[[], Wanted] = field(default=Wanted)


def every_probe(at: Looked) -> tuple[Probe, ...]:
    """All probes of one machine, in the order in which a person would ask."""
    return (
        connection.probe(at.link_up),
        disk.probe(at.state, at.min_free_bytes),
        *(waiting.probe(one.path.stem, one.depth, at.boot) for one in at.outboxes),
        hubclock.probe(at.clock),
        camera.probe(at.wanted),
        microphone.probe(at.wanted),
        certificate.probe(at.state, at.clock.now),
        runs.probe(at.restart),
        processor.probe(),
        memory.probe(),
        temperature.probe(),
    )
