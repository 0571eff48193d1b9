"""How hot the machine is."""

import psutil

from agent.report.health.probe import Probe, Reading


def look() -> Reading:
    """The hottest sensor, in degrees Celsius; nothing where the machine has none."""
    read = getattr(psutil, "sensors_temperatures", None)  # not on Windows
    if read is None:
        return {}
    hottest = [one.current for group in read().values() for one in group if one.current]
    return {"temperature_c": round(max(hottest), 1)} if hottest else {}


def probe() -> Probe:
    """`temperature_c`."""
    return Probe("temperature", look, every_s=15.0, steps={"temperature_c": 3.0})
