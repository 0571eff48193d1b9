"""A certificate authority of a test: signs whatever is asked, for any time."""

import datetime as dt
import ipaddress
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contract.keys import new_device_key, save_private

DAY_S = 86_400.0


def utc(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(one) -> str:
    return one.public_bytes(serialization.Encoding.PEM).decode()


class SmallAuthority:
    def __init__(self, now: float) -> None:
        self.key = new_device_key()
        self.name = named(f"Authority {secrets.token_hex(4)}")
        self._usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = (
            self._begun(self.key.public_key(), self.name, now - DAY_S, now + 3650 * DAY_S)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
            .add_extension(self._usage, True)
            .sign(self.key, hashes.SHA256())
        )
        self.pem = pem(self.certificate)

    def device(self, public_key, device: str, begins: float, ends: float) -> str:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = self._begun(public_key, named(device), begins, ends).add_extension(usage, True)
        return pem(builder.sign(self.key, hashes.SHA256()))

    def server(self, folder: Path, host: str, begins: float, ends: float) -> tuple[Path, Path]:
        """Files of a certificate for `host` and of its key."""
        key = new_device_key()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(host))]
        except ValueError:
            names = [x509.DNSName(host)]
        builder = self._begun(key.public_key(), named("hub"), begins, ends)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        stem = folder / f"server-{secrets.token_hex(4)}"
        stem.with_suffix(".pem").write_text(pem(builder.sign(self.key, hashes.SHA256())))
        save_private(key, stem.with_suffix(".key"))
        return stem.with_suffix(".pem"), stem.with_suffix(".key")

    def crl(self, now: float, *revoked: str) -> bytes:
        """The list of revoked certificates (PEM texts), as PEM."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(utc(now - DAY_S))
            .next_update(utc(now + 3650 * DAY_S))
        )
        for text in revoked:
            serial = x509.load_pem_x509_certificate(text.encode()).serial_number
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(utc(now)).build()
            builder = builder.add_revoked_certificate(one)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _begun(self, public_key, subject: x509.Name, begins: float, ends: float) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(utc(begins))
            .not_valid_after(utc(ends))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        )
