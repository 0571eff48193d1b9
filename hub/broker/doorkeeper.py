"""Who may come in to the built-in broker; asked at the door and at every message."""

import threading
from collections.abc import Collection, Mapping
from typing import Any

from cryptography import x509

from hub.fleet.authority import HUB_NAME


class Doorkeeper:
    """Devices that are admitted and certificates that are revoked. Thread-safe.

    Args:
        devices: every device that was not revoked.
        crl: the list of revoked certificates, PEM.
    """

    def __init__(self, devices: Collection[str], crl: bytes) -> None:
        self._lock = threading.Lock()
        self._admitted = {HUB_NAME, *devices}
        self._revoked = _serials(crl)

    def admit(self, device: str) -> None:
        """Let `device` in from now on."""
        with self._lock:
            self._admitted.add(device)

    def expel(self, device: str, crl: bytes) -> None:
        """Keep `device` out from now on, and whoever shows a certificate of the list."""
        revoked = _serials(crl)
        with self._lock:
            self._admitted.discard(device)
            self._revoked = revoked

    def admits(self, name: str) -> bool:
        """Whether the client of this name may do anything."""
        with self._lock:
            return name in self._admitted

    def name_of(self, certificate: Mapping[str, Any] | None) -> str | None:
        """Whom a client's verified certificate names; None where it may not come in.

        Args:
            certificate: as `ssl.SSLSocket.getpeercert` has it.
        """
        if not certificate:
            return None
        subject = dict(pair for step in certificate.get("subject", ()) for pair in step)
        name = str(subject.get("commonName", ""))
        with self._lock:
            revoked = int(certificate["serialNumber"], 16) in self._revoked
            return None if revoked or name not in self._admitted else name


def _serials(crl: bytes) -> frozenset[int]:
    return frozenset(one.serial_number for one in x509.load_pem_x509_crl(crl))
