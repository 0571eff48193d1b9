"""What the last run of this agent left behind: how often it starts, why it ended, and what it held."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from agent.platform import replace_file
from agent.report.health.probe import Probe, Reading
from contract.model import Message

log = logging.getLogger(__name__)

FILE = "runs.json"
TIMES_KEPT = 50
DAY_S = 86_400.0


class Ending(StrEnum):
    """How the run before this one ended."""

    FIRST = "first"
    """There was none that is known of."""
    STOPPED = "stopped"
    """It was asked to end."""
    FAULT = "fault"
    """A fault in the program ended it."""
    KILLED = "killed"
    """It was gone without a word while the machine went on: killed, or crashed."""
    MACHINE = "machine"
    """The machine was started anew without the agent having been ended: power, reset, or a fault of the system."""


class Run(Message):
    """`runs.json`: one run, written when it begins and when it ends."""

    version: int = 1
    starts: int = 0
    """Starts since the state folder was made."""
    times: tuple[float, ...] = ()
    """When the last of them were, by this machine's wall clock."""
    boot: str = ""
    incarnation: str = ""
    ended: str = ""
    """An `Ending`; empty while it runs, and for ever after a kill."""
    versions: dict[str, str] = Field(default_factory=dict)
    """What ran, as it was told to the hub."""
    machine: str = ""
    device: str = ""
    streams: dict[str, str] = Field(default_factory=dict)
    """Stream of each outbox, by the outbox's name."""
    clock: bool = False
    """Whether the clock's map was on the disk."""


@dataclass(frozen=True, slots=True)
class Restart:
    """What is known of this start."""

    before: Run | None
    """The run before; None where nothing of it is left."""
    damaged: bool
    """Whether the file was there and could not be read."""
    ending: Ending
    starts: int
    times: tuple[float, ...]


def begun(path: Path, boot: str, wall: float) -> Restart:
    """What the file says of the run before the one that begins now; nothing is written.

    Args:
        path: `runs.json`.
        boot: this boot.
        wall: this machine's wall clock, in seconds.
    """
    before, damaged = _held(path)
    starts = (before.starts if before else 0) + 1
    times = (*(before.times if before else ()), wall)[-TIMES_KEPT:]
    return Restart(before, damaged, _ending(before, boot), starts, times)


def keep(path: Path, run: Run) -> None:
    """Write the file; a disk that does not take it is told, and costs nothing else."""
    try:
        replace_file(path, run.model_dump_json().encode())
    except OSError as error:
        log.warning("%s cannot be written (%s): restarts are not counted", path, error.strerror)


def probe(restart: Restart, wall: Callable[[], float] = time.time) -> Probe:
    """`restarts`: starts so far; `restarts_day`: of the last 24 hours; `restart_why`: an `Ending`."""

    def look() -> Reading:
        now = wall()
        today = sum(0 <= now - one < DAY_S for one in restart.times)
        return {"restarts": restart.starts, "restarts_day": today, "restart_why": str(restart.ending)}

    return Probe("restarts", look, every_s=DAY_S / 48)


def _held(path: Path) -> tuple[Run | None, bool]:
    try:
        return Run.model_validate_json(path.read_bytes()), False
    except FileNotFoundError:
        return None, False
    except (OSError, ValidationError):
        return None, True


def _ending(before: Run | None, boot: str) -> Ending:
    if before is None:
        return Ending.FIRST
    if before.ended:
        return Ending.STOPPED if before.ended == Ending.STOPPED else Ending.FAULT
    return Ending.KILLED if before.boot == boot else Ending.MACHINE


def told_anew(before: Run | None, boot: str, now: Mapping[str, str]) -> bool:
    """Whether the hub should be told which versions run: another boot, or other versions."""
    return before is None or before.boot != boot or before.versions != dict(now)
