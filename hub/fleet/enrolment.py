"""Machines become devices by a claim code, and devices renew their certificates by their key."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from contract.enrolment import CodeUnreadable, code_sha256, read_code
from contract.keys import public_pem
from hub.fleet.alerts import Alerts
from hub.fleet.authority import DAY_S, Authority, Issued
from hub.fleet.claims import CONFIRM_S
from hub.fleet.devices import Devices, NewDevice
from hub.fleet.errors import CodeSpent, CodeUnknown, RequestUnfit, ShutOut, TooManyTries
from hub.fleet.guesses import Guesses
from hub.fleet.requests import requested_key
from hub.store.certificates import CertificateRecord
from hub.store.claims import ClaimRecord, ClaimState
from hub.store.devices import DeviceRecord
from hub.store.store import Store

LATE_S = 180 * DAY_S
"""An expired certificate is renewed for this long: schools are closed in summer."""
ANSWERED_S = 14 * DAY_S
"""A code answers the machine that used it for this long, in seconds, from when it was confirmed or else used: the
answer may have been lost, the machine switched off over a holiday."""
SHOWN_AGAIN = "code-shown-again"
"""The alert that a second machine showed a code."""
LATE_RENEWAL = "late-renewal"
"""The alert that a device came with a certificate that had expired."""
NEW_CODE = "ask an operator for a new code (tongtang hub enrol)"

log = logging.getLogger("hub.fleet")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A machine that is a device now."""

    device: DeviceRecord
    issued: Issued


@dataclass(frozen=True, slots=True)
class Waits:
    """A machine whose code is good, but which an operator must confirm."""

    room: str
    words: str


class Enrolment:
    """Admits machines and renews certificates. Thread-safe; every call may block on the database.

    Args:
        store: claims and certificates.
        devices: who is admitted.
        authority: signs.
        alerts: where what is odd is told.
        now: hub UTC in seconds.
        on_change: is told the room for which a machine waits.
        monotonic: seconds that never jump, for the count of wrong codes.
    """

    def __init__(
        self,
        store: Store,
        devices: Devices,
        authority: Authority,
        alerts: Alerts,
        now: Callable[[], float],
        on_change: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claims = store.claims
        self._certificates = store.certificates
        self._devices = devices
        self._authority = authority
        self._alerts = alerts
        self._now = now
        self._on_change = on_change
        self._guesses = Guesses(monotonic)

    @property
    def ca_pem(self) -> str:
        """The certificates by which a device knows the broker, PEM."""
        return self._authority.ca_pem

    def enrol(self, typed: str, csr: str, machine: str, address: str) -> Admitted | Waits:
        """Admit the machine that shows a claim code, where the code is its own.

        With the same key the same code may be shown again: an answer can be lost.

        Args:
            typed: the code.
            csr: certificate request, PEM.
            machine: fingerprint of the machine.
            address: where it asks from.

        Raises:
            ClaimRefused: the code does not count for it, or there were too many wrong ones.
            DeviceRefused: the room was given to another device meanwhile.
        """
        key = requested_key(csr)
        claim = self._known(typed, address)
        pem = public_pem(key)
        if (former := self._devices.shut_out(pem)) is not None:
            raise ShutOut(
                f"this machine's key was that of device {former}, which was revoked",
                "give it a new key: enrol it again with --anew",
            )
        now = self._now()
        if claim.used is None and now <= claim.expires:
            claim = self._claims.take(claim.code_sha256, pem, machine, address, now, now + CONFIRM_S)
            log.info("the code of room %s was shown by machine %s at %s", claim.room, machine or "?", address)
            self._on_change(claim.room)
        self._refuse_spent(claim, pem, address, now)
        if claim.state(now) is ClaimState.WAITING:
            return Waits(claim.room, f"an operator must confirm this machine for room {claim.room}; it waits for that")
        return self._admitted(claim, key, pem)

    def renew(self, device: str, csr: str) -> Issued:
        """A new certificate for a device that has proved its key; also up to 180 days after the last one expired.

        Raises:
            ClaimRefused: the request is unfit, or the device is shut out or came too late.
        """
        key = requested_key(csr)
        record = self._devices.get(device)
        if record is None:
            raise _revoked(device)
        if public_pem(key) != record.public_key:
            raise RequestUnfit(
                f"the certificate request is for another key than that of device {device}",
                "renew with the device's own key, or enrol it anew with a claim code",
            )
        ended = self._certificates.newest_ends(device)
        late_s = self._now() - ended if ended is not None else 0.0
        if late_s > LATE_S:
            raise ShutOut(f"the certificate of device {device} expired {late_s / DAY_S:.0f} days ago", NEW_CODE)
        issued = self._issue(key, device)
        log.info("certificate of device %s renewed, serial %s", device, issued.serial)
        if late_s > 0:
            days = f"{late_s / DAY_S:.0f}"
            words = (
                f"device {device} renewed a certificate that had expired {days} days before; "
                "see that it stands where it should"
            )
            self._alerts.raise_(device, LATE_RENEWAL, words)
        else:
            self._alerts.clear(device, LATE_RENEWAL)
        return issued

    def _known(self, typed: str, address: str) -> ClaimRecord:
        if (wait_s := self._guesses.wait_s(address)) > 0:
            raise TooManyTries(wait_s)
        try:
            code = read_code(typed)
        except CodeUnreadable as error:
            raise RequestUnfit(str(error), "type the code as it is printed") from error
        claim = self._claims.get(code_sha256(code))
        if claim is None:
            log.info("a claim code that is not known was shown by %s", address)
            if (wait_s := self._guesses.wrong(address)) > 0:
                raise TooManyTries(wait_s)
            raise CodeUnknown("this claim code is not known here", f"look at it again, letter by letter, or {NEW_CODE}")
        return claim

    def _refuse_spent(self, claim: ClaimRecord, pem: str, address: str, now: float) -> None:
        if claim.public_key not in {None, pem}:
            words = (
                f"the code of room {claim.room} was shown again, by another machine, at {address}; "
                "find out which of the two belongs there"
            )
            self._alerts.raise_(claim.device or claim.room, SHOWN_AGAIN, words)
            raise CodeSpent("another machine has used this claim code", NEW_CODE)
        answered = (claim.confirmed or claim.used or 0.0) + ANSWERED_S
        if claim.state(now) is ClaimState.ENDED or (claim.state(now) is ClaimState.USED and now > answered):
            raise CodeSpent("this claim code has expired, or a newer one took its place", NEW_CODE)

    def _admitted(self, claim: ClaimRecord, key: EllipticCurvePublicKey, pem: str) -> Admitted:
        device = claim.device or self._devices.id_for(claim.room, pem)
        new = NewDevice(device, claim.room, claim.name, claim.school, pem)
        known = self._devices.get(device)
        record = self._devices.register(new, claim.machine)
        if claim.device != device:
            self._claims.became(claim.code_sha256, device)
        issued = self._issue(key, device)
        if known is None:
            log.info(
                "device %s enrolled for room %s from %s, machine %s, %s, certificate %s",
                device,
                claim.room,
                claim.address,
                claim.machine or "?",
                "confirmed" if claim.confirmed is not None else "by its code alone",
                issued.serial,
            )
        return Admitted(record, issued)

    def _issue(self, key: EllipticCurvePublicKey, device: str) -> Issued:
        now = self._now()
        issued = self._authority.sign_device(key, device, now)
        if not self._certificates.add(CertificateRecord(issued.serial, device, now, issued.expires)):
            raise _revoked(device)
        return issued


def _revoked(device: str) -> ShutOut:
    return ShutOut(f"device {device} was revoked", f"{NEW_CODE}; its machine needs a new key")
