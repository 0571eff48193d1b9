"""Whether there is memory left."""

import psutil

from agent.report.health.probe import Probe, Reading

MIB = 1 << 20


def look() -> Reading:
    """Memory that is left on the machine, and taken by this process, in MiB."""
    return {
        "memory_free_mib": psutil.virtual_memory().available // MIB,
        "memory_agent_mib": psutil.Process().memory_info().rss // MIB,
    }


def probe() -> Probe:
    """`memory_free_mib`, `memory_agent_mib`."""
    return Probe("memory", look, always=frozenset({"memory_free_mib"}), steps={"memory_agent_mib": 16})
