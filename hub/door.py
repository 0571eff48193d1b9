"""The hub's one door: where it listens for HTTP, and that nothing beyond this machine is readable on the way."""

import datetime as dt
import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from hub.errors import HubRefused
from hub.settings import HttpSettings

HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  to name, not to listen
"""How a server that listens everywhere is reached from this machine."""

WHERE = "hub.json"
"""File in the data folder in which a hub that runs says how it is reached."""


class OpenBinding(HubRefused):
    """The hub was told to listen beyond this machine without TLS."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the hub shows to whoever calls over HTTPS."""

    file: Path
    expires: dt.datetime
    names: tuple[str, ...] = ()
    """Hosts that it is for; those with a star are left out."""

    def days_left(self, now: dt.datetime) -> float:
        """Days until it expires; negative where it has."""
        return (self.expires - now) / dt.timedelta(days=1)


def refuse_open_binding(host: str, *, tls: bool) -> None:
    """Let `host` pass where it is loopback or TLS is on.

    Raises:
        OpenBinding: tokens would cross the network in the clear.
    """
    if tls or is_loopback(host):
        return
    raise OpenBinding(
        f"the hub will not listen on {host} without TLS, because tokens and lessons would cross the network readable; "
        "set tls_cert and tls_key under [http], or listen on 127.0.0.1 behind a TLS proxy"
    )


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def certificate(settings: HttpSettings) -> Certificate | None:
    """The certificate that the settings name, read and matched with its key; None without TLS.

    Raises:
        HubRefused: certificate or key is missing, damaged, locked by a password, or of another pair.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    for name, file in (("tls_cert", settings.tls_cert), ("tls_key", settings.tls_key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise HubRefused(f"{file} cannot be read: {error.strerror}; mend {name} under [http]") from error
    try:
        shown = x509.load_pem_x509_certificates(settings.tls_cert.read_bytes())[0]
    except ValueError as error:
        raise HubRefused(
            f"{settings.tls_cert} holds no certificate (PEM expected); mend tls_cert under [http]"
        ) from error
    try:
        # Without an answer of ours, OpenSSL would ask for a password on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=lambda: ""
        )
    except (ssl.SSLError, ValueError) as error:
        raise HubRefused(
            f"{settings.tls_key} is not the key of {settings.tls_cert}, or is locked by a password; "
            "mend tls_key under [http]"
        ) from error
    return Certificate(settings.tls_cert, shown.not_valid_after_utc, _names(shown))


def certificate_pem(settings: HttpSettings) -> str:
    """The certificate that the hub shows over HTTPS, PEM, without those above it; empty without TLS.

    Raises:
        HubRefused: it cannot be used.
    """
    if certificate(settings) is None or settings.tls_cert is None:
        return ""
    shown = x509.load_pem_x509_certificates(settings.tls_cert.read_bytes())[0]
    return shown.public_bytes(serialization.Encoding.PEM).decode()


def _names(shown: x509.Certificate) -> tuple[str, ...]:
    try:
        every = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    hosts = [*every.get_values_for_type(x509.DNSName), *map(str, every.get_values_for_type(x509.IPAddress))]
    return tuple(host for host in hosts if "*" not in host)


def address_for_devices(settings: HttpSettings, here: str) -> str:
    """How devices reach the hub, as a URL: what the settings say, else by the certificate's name, else `here`.

    Args:
        settings: of the hub's HTTP side.
        here: how the hub is reached by whoever asks.

    Raises:
        HubRefused: the certificate cannot be used.
    """
    if settings.url:
        return settings.url
    shown = certificate(settings)
    if shown is None or not shown.names or is_loopback(settings.host):
        return here.rstrip("/")
    host = f"[{shown.names[0]}]" if ":" in shown.names[0] else shown.names[0]
    port = urlsplit(here).port
    return f"https://{host}:{port}" if port else f"https://{host}"


def listen(settings: HttpSettings, port: int) -> socket.socket:
    """A socket on which the hub may answer; nothing is answered yet.

    Args:
        settings: which address, and whether TLS is on.
        port: TCP port; 0 takes a free one.

    Raises:
        OpenBinding: it would be open beyond this machine without TLS.
        HubRefused: the address is not this machine's, or the port is taken.
    """
    refuse_open_binding(settings.host, tls=settings.tls)
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        words = f"the hub cannot listen on {settings.host}:{port}: {why}; set another host or port under [http]"
        raise HubRefused(words) from error


def address(listener: socket.socket, *, tls: bool) -> str:
    """Where the hub is found from this machine, as a URL."""
    host, port = listener.getsockname()[:2]
    host = HERE.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"
