"""How this machine is: one probe a function, one sample of them all every few seconds."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from agent.report.clock import HubClock
from agent.report.outbox import Depth


def processor() -> dict[str, Any]:
    """Load of the whole machine since the last call, in per cent, and this process's CPU seconds."""
    times = psutil.Process().cpu_times()
    return {
        "cpu_percent": psutil.cpu_percent(interval=None),
        "cpu_seconds": round(times.user + times.system, 2),
    }


def memory() -> dict[str, Any]:
    """Memory that is left on the machine and taken by this process, in bytes."""
    return {
        "memory_free_bytes": psutil.virtual_memory().available,
        "memory_agent_bytes": psutil.Process().memory_info().rss,
    }


def disk(folder: Path) -> dict[str, Any]:
    """Room on the volume that holds the lesson packages, in bytes."""
    usage = psutil.disk_usage(str(folder))
    return {"disk_free_bytes": usage.free, "disk_total_bytes": usage.total}


def outbox(name: str, depth: Depth, wall: float) -> dict[str, Any]:
    """What waits for the hub: rows, age of the oldest in seconds, rows given up."""
    age = 0.0 if depth.oldest_wall is None else max(0.0, wall - depth.oldest_wall)
    return {f"{name}_rows": depth.rows, f"{name}_age_s": round(age, 1), f"{name}_dropped": depth.dropped}


def clock(hub_clock: HubClock, mono_ns: int) -> dict[str, Any]:
    """Bound of the error of the hub's time here, in milliseconds, and where it comes from."""
    source = "exchange" if hub_clock.heard else "wall"
    return {"clock_error_ms": round(hub_clock.error_ns(mono_ns) / 1e6, 3), "clock_source": source}


def temperature() -> dict[str, Any]:
    """The hottest sensor, in degrees Celsius; nothing where the machine has none."""
    read = getattr(psutil, "sensors_temperatures", None)
    if read is None:
        return {}
    hottest = [one.current for group in read().values() for one in group if one.current]
    return {"temperature_c": round(max(hottest), 1)} if hottest else {}


class Health:
    """Gathers one sample of every probe; a probe that fails is named and does not hide the others."""

    def __init__(self, probes: tuple[Callable[[], dict[str, Any]], ...]) -> None:
        self._probes = probes
        processor()  # psutil's first reading of the load means nothing

    def sample(self) -> dict[str, Any]:
        """One flat dictionary, units in its keys."""
        started = time.monotonic()
        found: dict[str, Any] = {}
        failed: list[str] = []
        for probe in self._probes:
            try:
                found |= probe()
            except (OSError, psutil.Error, RuntimeError) as error:
                failed.append(str(error))
        if failed:
            found["failed"] = failed
        found["probe_ms"] = round((time.monotonic() - started) * 1000, 1)
        return found
