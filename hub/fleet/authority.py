"""The hub's certificate authority: signs devices and the broker, and says who was shut out.

Names are set here, never taken from a request. All times are seconds of hub UTC.
"""

import datetime as dt
import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contract.keys import new_device_key, save_private
from hub.fleet.errors import AuthorityUnusable
from hub.platform import sync_folder
from hub.settings import HubSettings

FOLDER = "ca"
KEY = "ca.key"
CERTIFICATE = "ca.pem"
HUB_NAME = "hub"
"""Common name of the hub's own certificates; no device may be called so."""
DAY_S = 86_400.0
AUTHORITY_LIFE_S = 3650 * DAY_S
DEVICE_LIFE_S = 30 * DAY_S
SERVER_LIFE_S = 90 * DAY_S
BACKDATED_S = 600.0
"""Certificates begin this long before they are signed, for clocks that are behind."""
REVOCATION_LIFE_S = 3650 * DAY_S
"""Brokers lock everybody out once a revocation list is past its next update, so that lies far ahead."""

AuthorityKey = EllipticCurvePrivateKey | RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was just signed."""

    serial: str
    """Lower-case hexadecimal."""
    certificate_pem: str
    """The certificate, then whatever stands between it and the root."""
    expires: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where an authority's key and certificate lie."""

    certificate: Path
    key: Path
    own: bool
    """Whether the hub made it; else the settings name it."""


def place(settings: HubSettings) -> Place:
    """Where the authority of this hub lies, or will."""
    ca = settings.ca
    if ca.certificate is not None and ca.key is not None:
        return Place(ca.certificate, ca.key, own=False)
    folder = settings.data / FOLDER
    return Place(folder / CERTIFICATE, folder / KEY, own=True)


def make_authority(data: Path, now: float) -> None:
    """Make the hub's own authority in its folder `data`; one that is there is left as it is.

    Raises:
        AuthorityUnusable: the folder cannot be written, or holds half an authority.
    """
    folder = data / FOLDER
    if (folder / CERTIFICATE).exists():
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A key without its certificate is what a `make` that was interrupted leaves behind; nothing was signed with it.
        (folder / KEY).unlink(missing_ok=True)
        key = new_device_key()
        save_private(key, folder / KEY)
        draft = folder / f"{CERTIFICATE}.new"
        draft.write_bytes(_self_signed(key, now).public_bytes(serialization.Encoding.PEM))
        draft.replace(folder / CERTIFICATE)
        sync_folder(folder)
        sync_folder(data)
    except OSError as error:
        raise AuthorityUnusable(f"no certificate authority can be made in {folder}: {error.strerror}") from error


class Authority:
    """Signs with the authority's key. Thread-safe: it changes nothing.

    Args:
        chain: the authority's certificate, then those that lead to its root, which is the last.
        key: the private key of the first.
    """

    def __init__(self, chain: Sequence[x509.Certificate], key: AuthorityKey) -> None:
        self._chain = tuple(chain)
        self._key = key

    @classmethod
    def open(cls, settings: HubSettings) -> "Authority":
        """Read the authority that the settings name, or the hub's own.

        Raises:
            AuthorityUnusable: it is missing, damaged, not an authority, or its chain does not end at a root.
        """
        at = place(settings)
        mend = "restore it from a backup" if at.own else "mend certificate and key under [ca]"
        chain = _read_chain(at.certificate, mend)
        key = _read_key(at.key, mend)
        if key.public_key() != chain[0].public_key():
            raise AuthorityUnusable(f"{at.key} is not the key of {at.certificate}; {mend}")
        _refuse_unfit(chain, at.certificate, mend)
        return cls(chain, key)

    @property
    def ca_pem(self) -> str:
        """What those who trust this authority keep: its certificate and every one up to the root, PEM."""
        return _pem(self._chain)

    @property
    def expires(self) -> float:
        """When the first certificate of the chain ends; nothing that is signed lives longer."""
        return min(one.not_valid_after_utc.timestamp() for one in self._chain)

    def sign_device(self, public_key: EllipticCurvePublicKey, device: str, now: float) -> Issued:
        """A client certificate for `device`, good for 30 days."""
        builder = self._begun(public_key, device, now, DEVICE_LIFE_S)
        return self._signed(builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True))

    def sign_server(self, public_key: EllipticCurvePublicKey, names: Sequence[str], now: float) -> Issued:
        """A certificate for the hub's own broker, and for the hub as its client, good for 90 days.

        Args:
            public_key: of the hub's key for it.
            names: host names and addresses by which it is reached.
            now: hub UTC.
        """
        builder = self._begun(public_key, HUB_NAME, now, SERVER_LIFE_S)
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), True)
        # A name may stand in the settings twice, as address and as host.
        alternatives = [_alternative(name) for name in dict.fromkeys(names)]
        return self._signed(builder.add_extension(x509.SubjectAlternativeName(alternatives), False))

    def crl(self, revoked_serials: Iterable[str], now: float) -> bytes:
        """The list of revoked certificates, PEM; serials in hexadecimal, as `Issued` has them."""
        since = _utc(now - BACKDATED_S)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._chain[0].subject)
            .last_update(since)
            .next_update(_utc(now + REVOCATION_LIFE_S))
            .add_extension(self._own_identifier(), False)
            .add_extension(x509.CRLNumber(int(now * 1000)), False)
        )
        for serial in sorted(set(revoked_serials)):
            revoked = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(since)
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _begun(
        self, public_key: EllipticCurvePublicKey, name: str, now: float, life_s: float
    ) -> x509.CertificateBuilder:
        ends = min(now + life_s, self.expires)
        if ends <= now:
            raise AuthorityUnusable(
                "the hub's certificate authority has expired; put a new one in its place and enrol every device again"
            )
        return (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(self._chain[0].subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_utc(now - BACKDATED_S))
            .not_valid_after(_utc(ends))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(_usage(signature=True), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
            .add_extension(self._own_identifier(), False)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> Issued:
        made = builder.sign(self._key, hashes.SHA256())
        between = [one for one in self._chain if one.issuer != one.subject]
        return Issued(format(made.serial_number, "x"), _pem([made, *between]), made.not_valid_after_utc.timestamp())

    def _own_identifier(self) -> x509.AuthorityKeyIdentifier:
        try:
            own = self._chain[0].extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        except x509.ExtensionNotFound:
            return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _self_signed(key: EllipticCurvePrivateKey, now: float) -> x509.Certificate:
    # The name differs between hubs, or a client that knows two of them would try the wrong one.
    name = _named(f"Tongtang hub {secrets.token_hex(4)}")
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_utc(now - DAY_S))
        .not_valid_after(_utc(now + AUTHORITY_LIFE_S))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(_usage(authority=True), True)
        .add_extension(own, False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), False)
        .sign(key, hashes.SHA256())
    )


def _read_chain(file: Path, mend: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise AuthorityUnusable(f"{file} cannot be read: {error.strerror}; {mend}") from error
    except ValueError as error:
        raise AuthorityUnusable(f"{file} holds no certificate (PEM expected); {mend}") from error


def _read_key(file: Path, mend: str) -> AuthorityKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise AuthorityUnusable(f"{file} cannot be read: {error.strerror}; {mend}") from error
    except (ValueError, TypeError) as error:
        raise AuthorityUnusable(f"{file} holds no usable key (PEM without a password expected); {mend}") from error
    if isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey):
        return key
    raise AuthorityUnusable(f"{file} holds a key that is neither of an elliptic curve nor RSA; {mend}")


def _refuse_unfit(chain: Sequence[x509.Certificate], file: Path, mend: str) -> None:
    """Raise where the chain cannot sign devices or lists, or does not lead to a root."""
    try:
        basic = chain[0].extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = chain[0].extensions.get_extension_for_class(x509.KeyUsage).value
        may = basic.ca and usage.key_cert_sign and usage.crl_sign
    except x509.ExtensionNotFound:
        may = False
    if not may:
        raise AuthorityUnusable(
            f"{file} may not sign certificates and revocation lists (CA, keyCertSign, cRLSign); {mend}"
        )
    for one, above in zip(chain, [*chain[1:], chain[-1]], strict=True):
        try:
            one.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise AuthorityUnusable(
                f"{file} must hold the authority, then each that signed the one before it, up to the root, "
                f"which signs itself; {one.subject.rfc4514_string()} is not signed by the next one; {mend}"
            ) from error


def _usage(*, signature: bool = False, authority: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return x509.DNSName(name)


def _named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificates: Iterable[x509.Certificate]) -> str:
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)


def _utc(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
