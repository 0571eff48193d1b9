"""This device's certificate: the request for one, what is in it, and whether one that the hub made is right."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509.oid import NameOID

from agent.identity import CERTIFICATE, EnrolmentRefused, IdentityDamaged

DAY_S = 86_400.0
RENEW_AT = 2 / 3
"""A certificate is renewed at this part of its life."""
ENROL_AGAIN = "enrol this device again: tongtang agent enrol CODE --anew"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What stands in a device's certificate. Times are seconds of UTC."""

    device: str
    """The name that the hub gave it (CN)."""
    serial: str
    """Lower-case hexadecimal."""
    begins: float
    ends: float

    @property
    def renew_at(self) -> float:
        """When a new one is asked for."""
        return self.begins + (self.ends - self.begins) * RENEW_AT

    def days_left(self, now: float) -> float:
        """Days that it still holds; negative where it has expired."""
        return (self.ends - now) / DAY_S


def request(key: EllipticCurvePrivateKey) -> str:
    """A request for a certificate (PKCS 10, PEM): proof of the key, without a name, for the hub gives names."""
    asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return asked.public_bytes(serialization.Encoding.PEM).decode()


def load_certificate(state: Path) -> Certificate:
    """Read this device's certificate from its state folder.

    Raises:
        IdentityDamaged: there is none, or it cannot be used.
    """
    path = state / CERTIFICATE
    try:
        return _read(x509.load_pem_x509_certificates(path.read_bytes())[0])
    except OSError as error:
        raise IdentityDamaged(f"cannot read the certificate {path}: {error.strerror}; {ENROL_AGAIN}") from error
    except (ValueError, IndexError) as error:
        raise IdentityDamaged(f"{path} holds no usable certificate; {ENROL_AGAIN}") from error


def certificate_pem(state: Path) -> str:
    """This device's certificate as it lies in its state folder; empty where there is none that can be read."""
    try:
        return (state / CERTIFICATE).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def checked(pem: str, ca: str, key: EllipticCurvePrivateKey, device: str) -> Certificate:
    """Read a certificate that the hub made, where it is for this key and device and signed by the hub's authority.

    Args:
        pem: the certificate, then those between it and the authority.
        ca: certificates of the authority.
        key: this device's key.
        device: the name that it must carry.

    Raises:
        EnrolmentRefused: it is not what it must be.
    """
    try:
        own, *between = x509.load_pem_x509_certificates(pem.encode())
        above = [*between, *x509.load_pem_x509_certificates(ca.encode())]
        read = _read(own)
    except (ValueError, IndexError) as error:
        raise EnrolmentRefused("the hub answered with a certificate that cannot be read") from error
    if own.public_key() != key.public_key() or read.device != device:
        raise EnrolmentRefused(f"the hub answered with a certificate that is not for this device ({read.device})")
    if not any(_signed_by(own, one) for one in above):
        raise EnrolmentRefused("the hub answered with a certificate that its authority did not sign")
    return read


def _signed_by(one: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _read(one: x509.Certificate) -> Certificate:
    name = one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    begins, ends = one.not_valid_before_utc.timestamp(), one.not_valid_after_utc.timestamp()
    return Certificate(str(name), format(one.serial_number, "x"), begins, ends)
