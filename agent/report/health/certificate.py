"""How long the device's certificate is good for."""

import time
from collections.abc import Callable
from pathlib import Path

from agent.certificate import load_certificate
from agent.identity import CERTIFICATE
from agent.report.health.probe import Probe, Reading

EVERY_S = 60.0
DAYS_STEP = 0.5


def probe(state: Path, now: Callable[[], float] = time.time) -> Probe:
    """`certificate_days`: days until it expires, negative where it has; None where the device has none.

    Args:
        state: the state folder.
        now: seconds of UTC; the hub's, where it is known.
    """

    def look() -> Reading:
        if not (state / CERTIFICATE).exists():
            return {"certificate_days": None}
        return {"certificate_days": round(load_certificate(state).days_left(now()), 1)}

    return Probe("certificate", look, every_s=EVERY_S, steps={"certificate_days": DAYS_STEP})
