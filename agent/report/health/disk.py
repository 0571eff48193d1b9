"""Whether there is room for lessons."""

from pathlib import Path

import psutil

from agent.report.health.probe import Probe, Reading

MIB = 1 << 20


def probe(folder: Path, min_free_bytes: int) -> Probe:
    """`disk_free_mib`, `disk_total_mib`, and `disk_floor_mib`, below which nothing is recorded.

    Args:
        folder: anything on the volume that holds the lesson packages.
        min_free_bytes: recording ends before less than this is free.
    """

    def look() -> Reading:
        usage = psutil.disk_usage(str(folder))
        return {
            "disk_free_mib": usage.free // MIB,
            "disk_total_mib": usage.total // MIB,
            "disk_floor_mib": min_free_bytes // MIB,
        }

    return Probe("disk", look, always=frozenset({"disk_free_mib"}))
