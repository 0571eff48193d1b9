"""The hub's own certificate: its broker shows it to devices, and the hub shows it to its broker."""

import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from cryptography.hazmat.primitives import serialization

from contract.keys import new_device_key
from hub.broker.errors import BrokerUnusable
from hub.broker.files import replace
from hub.door import HERE
from hub.fleet.authority import Authority
from hub.fleet.errors import AuthorityUnusable
from hub.settings import is_name

log = logging.getLogger("hub.broker")

RENEW_AT = 2 / 3
"""Share of its life after which it is replaced."""
RETRY_S = 3600.0
KEY, CERTIFICATE, CA = "hub.key", "hub.pem", "ca.pem"
END = "-----END CERTIFICATE-----\n"
_IP = (socket.AF_INET, socket.AF_INET6)


class HubCertificate:
    """Key and certificate in a folder, made anew at each start and renewed while the hub runs.

    The TLS contexts that it hands out take the new certificate too: connections that stand keep the old one.

    Args:
        authority: signs it.
        folder: where `hub.key`, `hub.pem` and `ca.pem` go.
        names: host names and addresses by which the broker is reached; asked anew at each renewal.
        now: hub UTC in seconds.
    """

    def __init__(
        self, authority: Authority, folder: Path, names: Callable[[], Sequence[str]], now: Callable[[], float]
    ) -> None:
        self._authority = authority
        self._names = names
        self._now = now
        self._contexts: list[ssl.SSLContext] = []
        self._renew_at = 0.0
        self.key_file = folder / KEY
        self.certificate_file = folder / CERTIFICATE
        self.ca_file = folder / CA

    def make(self) -> None:
        """Make a key and have it signed; every context handed out shows the new certificate from now on.

        Raises:
            BrokerUnusable: the folder cannot be written.
            hub.fleet.errors.AuthorityUnusable: the authority has expired.
        """
        now = self._now()
        key = new_device_key()
        issued = self._authority.sign_server(key.public_key(), self._names(), now)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            self.key_file.parent.mkdir(parents=True, exist_ok=True)
            replace(self.ca_file, self._authority.ca_pem.encode())
            replace(self.key_file, pem)
            replace(self.certificate_file, issued.certificate_pem.encode())
        except OSError as error:
            raise BrokerUnusable(
                f"the broker's certificate cannot be kept: {error.filename}: {error.strerror}"
            ) from error
        self._renew_at = now + (issued.expires - now) * RENEW_AT
        for context in self._contexts:
            context.load_cert_chain(self.certificate_file, self.key_file)

    def due(self) -> bool:
        """Whether it is time for a new one."""
        return self._now() >= self._renew_at

    def renewed(self) -> bool:
        """Make a new one when it is time; whether that was done. Why it could not be is told, every hour."""
        if not self.due():
            return False
        try:
            self.make()
        except (BrokerUnusable, AuthorityUnusable) as error:
            log.error("the broker's certificate is not renewed: %s", error)  # noqa: TRY400  the sentence says all
            self._renew_at = self._now() + RETRY_S
            return False
        log.info("the broker has a new certificate")
        return True

    def server_context(self) -> ssl.SSLContext:
        """For a broker in this process: only clients whose certificate this authority itself signed come in."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        # The signing authority alone is trusted, not others below the same root.
        signing = self._authority.ca_pem.partition(END)
        context.load_verify_locations(cadata=signing[0] + END)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.num_tickets = 0  # paho never resumes; a ticket costs each of them a signature less and us a write
        return self._kept(context)

    def client_context(self) -> ssl.SSLContext:
        """For the hub's own connections to its broker."""
        context = ssl.create_default_context(cadata=self._authority.ca_pem)
        return self._kept(context)

    def _kept(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate_file, self.key_file)
        self._contexts.append(context)
        return context


def names_here(host: str, more: Sequence[str]) -> list[str]:
    """Everything that this machine may be called by those who dial it.

    Args:
        host: the address that is listened on.
        more: names that the settings add.
    """
    listened = [] if host in HERE else [host]
    found = [*more, *listened, "localhost", "127.0.0.1", "::1", socket.gethostname(), *_addresses()]
    return [name for name in dict.fromkeys(found) if is_name(name)]


def _addresses() -> list[str]:
    """Addresses of this machine, without those that only neighbours on the same wire can use."""
    found = [one.address for ends in psutil.net_if_addrs().values() for one in ends if one.family in _IP]
    return [address for address in found if "%" not in address]
