"""Devices that our authority certified and our database does not know: enrolled after the backup it came from."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from contract.envelope import PublicKey
from hub.fleet.alerts import Alerts
from hub.fleet.authority import HUB_NAME
from hub.fleet.devices import Devices

FORGOTTEN = "forgotten-device"
"""The alert's kind."""


class Strangers:
    """Knows them by their certificate and tells operators of them. Thread-safe.

    Args:
        ca_pem: the authority's certificate, then those up to its root, PEM.
        devices: who is known.
        alerts: where operators are told.
    """

    def __init__(self, ca_pem: str, devices: Devices, alerts: Alerts) -> None:
        self._authority = x509.load_pem_x509_certificates(ca_pem.encode())[0]
        self._devices = devices
        self._alerts = alerts
        devices.on_admitted.append(self._admitted)

    def key(self, device: str, certificate: bytes) -> PublicKey | None:
        """The key in a certificate of our authority for `device`; None where it is not one, or we know the device.

        When it expired does not matter: it says whose the device was, and lets it do nothing.

        Args:
            device: who shows it.
            certificate: DER.
        """
        if device == HUB_NAME or self._devices.former_key(device) is not None or self._devices.get(device) is not None:
            return None
        try:
            shown = x509.load_der_x509_certificate(certificate)
            shown.verify_directly_issued_by(self._authority)
            names = [one.value for one in shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
            key = shown.public_key()
        except (ValueError, TypeError, InvalidSignature):
            return None
        return key if names == [device] and isinstance(key, PublicKey) else None

    def came(self, device: str) -> None:
        """A device that we do not know has proved that it was ours."""
        words = (
            "this hub's authority certified it, but the hub does not know it: it was enrolled after the backup "
            "was made from which this hub was restored. Its room is not connected and records for itself: make a new "
            "code for it, and say on its machine: tongtang agent enrol CODE --anew"
        )
        self._alerts.raise_(device, FORGOTTEN, words)

    def _admitted(self, device: str) -> None:
        self._alerts.clear(device, FORGOTTEN)
