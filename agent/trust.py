"""Whose certificates count: for the hub over HTTPS, for the broker over MQTT; also where this machine's clock is wrong.

A classroom machine whose battery is flat starts in 1970, where no certificate is valid yet. Its clock must not shut it
out: where it is known to be wrong, certificates are judged by the hub's time, as far as that was heard, and everything
else about them as ever (docs/decisions/0012-certificates-and-wrong-clocks.md).
"""

import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.certificate import ENROL_AGAIN, load_certificate
from agent.identity import AUTHORITY, CERTIFICATE, KEY, HubUntrusted, IdentityDamaged

RELEASED_S = 1_795_000_000.0
"""No certificate that this version meets was made to be used earlier (November 2026): a clock before it is wrong."""
FAR_OFF_S = 3600.0
"""A wall clock this far from the hub's time is wrong."""
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL (x509_vfy.h), which Python's `ssl` does not name."""

HubTime = Callable[[], float | None]
"""Seconds of hub UTC; None where the hub was not heard yet."""


def _unheard() -> float | None:
    return None


class PatientContext(ssl.SSLContext):
    """Verifies as `ssl` does, by a better time where the wall clock is known to be wrong.

    The wall clock is wrong where it is before `floor_s`, or far off the hub's time. OpenSSL then leaves all times out,
    and the end of the other side's certificate is compared with the hub's time, where that is known.
    """

    hub_time: HubTime
    floor_s: float
    wall: Callable[[], float]

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As ever, by the time that is known now."""
        self.verify_flags = ssl.VerifyFlags(self.verify_flags & ~_NO_CHECK_TIME | self._flags())
        return super().wrap_socket(*arguments, **options)

    def wall_is_wrong(self) -> bool:
        """Whether this machine's clock is known to be wrong."""
        wall, hub = self.wall(), self.hub_time()
        return wall < self.floor_s if hub is None else abs(wall - hub) > FAR_OFF_S

    def _flags(self) -> int:
        return _NO_CHECK_TIME if self.wall_is_wrong() else 0


class _JudgedSocket(ssl.SSLSocket):
    """Compares the end of the other side's certificate with the hub's time where OpenSSL was told to leave it out."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as in the base
        super().do_handshake(block)
        context = self.context
        if not isinstance(context, PatientContext) or not context.verify_flags & _NO_CHECK_TIME:
            return
        hub = context.hub_time()
        ends = str((self.getpeercert() or {}).get("notAfter", ""))
        if hub is not None and ends and ssl.cert_time_to_seconds(ends) < hub:
            raise ssl.SSLCertVerificationError(
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired by the hub's time"
            )

    def send(self, data: Any, flags: int = 0) -> int:
        """As ever; where the other side has closed meanwhile, with its reason, which only reading tells.

        With TLS 1.3 it refuses our certificate after the handshake, when we have already begun to speak.
        """
        try:
            return super().send(data, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                super().recv(1)
            raise


def _context(hub_time: HubTime, floor_s: float, wall: Callable[[], float]) -> PatientContext:
    context = PatientContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the chain and the host's name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _JudgedSocket
    context.hub_time, context.floor_s, context.wall = hub_time, floor_s, wall
    return context


def hub_trust(
    ca: Path | None, hub_time: HubTime = _unheard, *, wall: Callable[[], float] = time.time
) -> PatientContext:
    """Whose certificates count for the hub: those of the authority in the file `ca` alone, or this system's.

    Args:
        ca: PEM file; None where this system knows the authority.
        hub_time: the hub's time, as far as it was heard.
        wall: this machine's wall clock, in seconds.

    Raises:
        HubUntrusted: `ca` is missing or holds no certificate.
    """
    context = _context(hub_time, RELEASED_S, wall)
    try:
        if ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=ca)
    except OSError as error:  # includes ssl.SSLError
        why = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "it holds no certificate"
        raise HubUntrusted(f"{ca} cannot be used: {why}; mend ca under [hub] (a PEM file is expected)") from error
    return context


def broker_trust(state: Path, hub_time: HubTime = _unheard, *, wall: Callable[[], float] = time.time) -> PatientContext:
    """How to meet the broker: with this device's certificate, trusting its hub's authority alone.

    Args:
        state: state folder with `certificate.pem`, `key.pem` and `ca.pem`.
        hub_time: the hub's time, as far as it was heard.
        wall: this machine's wall clock, in seconds.

    Raises:
        IdentityDamaged: one of the three is missing or cannot be used.
    """
    own = load_certificate(state)
    context = _context(hub_time, max(RELEASED_S, own.begins), wall)
    try:
        context.load_verify_locations(cafile=state / AUTHORITY)
        context.load_cert_chain(state / CERTIFICATE, state / KEY)
    except OSError as error:
        raise IdentityDamaged(f"the certificates in {state} cannot be used ({error}); {ENROL_AGAIN}") from error
    return context


def untrusted(hub_url: str, error: Exception) -> str:
    """What to do where a request failed because the hub's certificate is not trusted here; empty for other reasons."""
    why = str(error)
    if "CERTIFICATE_VERIFY_FAILED" not in why:
        return ""
    why = why.partition("failed: ")[2] or why
    if "expired" in why or "not yet valid" in why:
        return f"by this machine's clock the certificate of {hub_url} does not hold now ({why}); set the clock"
    return (
        f"the certificate of {hub_url} is not trusted here ({why}); "
        "name the file of the authority that signed it with ca under [hub] in agent.toml"
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a broker does not take this device's certificate."""

    words: str
    expired: bool = False
    """Whether a new certificate would mend it."""


ALERTS = {
    "CERTIFICATE_REVOKED": Refusal("this device was revoked; enrol it again with a new code if that was wrong"),
    "CERTIFICATE_EXPIRED": Refusal("this device's certificate has expired", expired=True),
    "CERTIFICATE_REQUIRED": Refusal("it wants a certificate; enrol this device again"),
    "UNKNOWN_CA": Refusal("it does not know who signed this device's certificate; was the hub set up anew?"),
    "BAD_CERTIFICATE": Refusal("it does not take this device's certificate"),
    "CERTIFICATE_UNKNOWN": Refusal("it does not take this device's certificate"),
    "UNSUPPORTED_CERTIFICATE": Refusal("it does not take this device's certificate"),
    "ACCESS_DENIED": Refusal("it does not let this device in"),
}
"""TLS alerts (RFC 8446, section 6.2) by the part of OpenSSL's words that names them."""


def refusal(said: str) -> Refusal | None:
    """Why the broker refused our certificate, by what OpenSSL said; None where it was something else."""
    if "ALERT" not in said.upper():
        return None
    return next((why for name, why in ALERTS.items() if name in said.upper()), None)
