"""How long the device's certificate is good for."""

import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from agent.report.health.probe import Probe, Reading

FILE = "certificate.pem"
DAY_S = 86_400.0
EVERY_S = 60.0
DAYS_STEP = 0.5


def probe(state: Path, now: Callable[[], float] = time.time) -> Probe:
    """`certificate_days`: days until it expires, negative where it has; None where the device has none.

    Args:
        state: the state folder.
        now: seconds of UTC; the hub's, where it is known.
    """

    def look() -> Reading:
        try:
            pem = (state / FILE).read_bytes()
        except FileNotFoundError:
            return {"certificate_days": None}
        expires = x509.load_pem_x509_certificates(pem)[0].not_valid_after_utc
        return {"certificate_days": round((expires.timestamp() - now()) / DAY_S, 1)}

    return Probe("certificate", look, every_s=EVERY_S, steps={"certificate_days": DAYS_STEP})
