"""How a machine becomes a device with a claim code: the hub says which."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from agent.certificate import checked, request
from agent.hubdoor import ask, reason, understood
from agent.identity import (
    KEY,
    NEW_KEY,
    Change,
    EnrolledElsewhere,
    EnrolmentRefused,
    HubUnreachable,
    HubUntrusted,
    Identity,
    IdentityDamaged,
    held_identity,
    keep,
    load_identity,
    made_key,
)
from agent.machine import fingerprint as machine_fingerprint
from agent.registration import Registered
from agent.trust import hub_trust
from contract.enrolment import CodeUnreadable, code_sha256, fingerprint, read_code, read_ticket
from contract.model import DeviceId, Message, RoomId

ASK_AGAIN_S = 5.0
KEY_SHOWN = 16
"""Signs of a key's fingerprint by which a person compares."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Code:
    """What a person typed or scanned to make this machine a device."""

    code: str
    """As it was printed."""
    hub_url: str = ""
    """Address of the hub, where a QR code told it."""
    hub_key: str = ""
    """Fingerprint of the hub's key, where a QR code told it."""


class _Enrolled(Registered):
    device: DeviceId
    room: RoomId
    name: str = ""
    school: str = ""
    certificate: str = ""
    ca: str = ""


class _Waiting(Message):
    words: str = ""


def read_typed(typed: str) -> Code | None:
    """The claim code that `typed` is, or holds as a QR code does; None where it looks like an operator's token.

    Raises:
        EnrolmentRefused: it was meant to be a code, and is none.
    """
    try:
        if typed.strip().lower().startswith("tongtang:"):
            ticket = read_ticket(typed)
            return Code(ticket.code, ticket.hub.rstrip("/"), ticket.hub_key)
        if typed.startswith("tt-"):
            return None
        return Code(read_code(typed))
    except CodeUnreadable as error:
        raise EnrolmentRefused(str(error)) from error


def enrol(
    state: Path,
    hub_url: str,
    code: Code,
    *,
    ca: Path | None = None,
    anew: bool = False,
    say: Say = lambda _words: None,
    pause: Callable[[float], None] = time.sleep,
    timeout_s: float = 10.0,
) -> Identity:
    """Become the device that a claim code stands for; waits while an operator must confirm it.

    The key is made here and stays, also when this is interrupted: run again with the same code it goes on.

    Args:
        state: state folder; gets key, identity, certificate and authority.
        hub_url: `http://host:port` or `https://host:port` of the hub.
        code: what was typed or scanned.
        ca: file of the authority that signed the certificate of the hub's HTTP side; None where this system knows it.
        anew: give up who this machine is now, with its key: after it was revoked, or moved to another room.
        say: told in words while there is something to wait for.
        pause: waits so many seconds.
        timeout_s: longest wait for one answer, in seconds.

    Raises:
        HubUnreachable: nobody answered.
        HubUntrusted: what answers is not the hub that it should be.
        EnrolmentRefused: the hub answered no.
        EnrolledElsewhere: this machine is a device already.
        IdentityDamaged: the state folder cannot be written, or holds a key that cannot be used.
    """
    hub_url = hub_url.rstrip("/")
    try:
        held = held_identity(state)
    except IdentityDamaged:
        if not anew:
            raise
        held = None
    if held is not None and (held.claim_sha256, held.hub_url) == (code_sha256(code.code), hub_url):
        return load_identity(state)
    if held is not None and not anew:
        raise EnrolledElsewhere(
            f"this machine is device {held.device} of the hub {held.hub_url} already; if it was revoked, stands in "
            "another room now, or its hub was restored from a backup made before it was enrolled, give it a new key: "
            "the same command with --anew"
        )
    trust = hub_trust(ca)
    key = made_key(state, NEW_KEY if anew else KEY)
    body = {"code": code.code, "csr": request(key), "machine": machine_fingerprint(state)}
    asking = _Asking(lambda: ask(hub_url, "/api/v1/enrolments", body, trust, timeout_s=timeout_s), say, pause)
    answer = understood(_Enrolled, asking.until_answered(hub_url, key), hub_url)
    _check_hub(answer, code, hub_url)
    if answer.mqtt.tls:
        checked(answer.certificate, answer.ca, key, answer.device)
    file = answer.identity(hub_url, answer.device, answer.room, answer.name, answer.school, code_sha256(code.code))
    return keep(state, Change(identity=file, certificate=answer.certificate, ca=answer.ca, new_key=anew))


class _Asking:
    """Asks until the hub says yes or no."""

    def __init__(self, once: Callable[[], httpx.Response], say: Say, pause: Callable[[float], None]) -> None:
        self._once = once
        self._say = say
        self._pause = pause
        self._said = ""
        self._waited = False

    def until_answered(self, hub_url: str, key: EllipticCurvePrivateKey) -> httpx.Response:
        """The hub's yes.

        Raises:
            HubUnreachable: nobody answered the first time; later it is waited for.
            EnrolmentRefused: it said no.
        """
        while True:
            try:
                reply = self._once()
            except HubUnreachable as error:
                if not self._waited:
                    raise
                self._wait(ASK_AGAIN_S, f"{error}; waiting for it")
                continue
            if reply.status_code == httpx.codes.ACCEPTED:
                shown = fingerprint(key.public_key())[:KEY_SHOWN]
                self._wait(ASK_AGAIN_S, f"{understood(_Waiting, reply, hub_url).words} (key of this machine: {shown})")
            elif reply.status_code == httpx.codes.TOO_MANY_REQUESTS:
                self._wait(_retry_after_s(reply), reason(reply))
            elif reply.is_server_error and self._waited:
                self._wait(ASK_AGAIN_S, f"the hub at {hub_url} has trouble: {reason(reply)}; waiting for it")
            elif reply.is_error:
                raise EnrolmentRefused(f"the hub at {hub_url} refused this machine: {reason(reply)}")
            else:
                return reply

    def _wait(self, seconds: float, words: str) -> None:
        self._waited = True
        if words != self._said:
            self._said = words
            self._say(words)
        self._pause(seconds)


def _check_hub(answer: _Enrolled, code: Code, hub_url: str) -> None:
    """Refuse an answer that does not come from the hub that made the code, where we know which that is."""
    key = fingerprint(answer.hub_key(hub_url))
    if code.hub_key and code.hub_key.lower() != key:
        raise HubUntrusted(
            f"what answers at {hub_url} is not the hub that printed this QR code: its key is another; "
            "do not use this code any more, and tell whoever looks after the hub"
        )


def _retry_after_s(reply: httpx.Response) -> float:
    said = reply.headers.get("Retry-After", "")
    return max(1.0, float(said)) if said.isdigit() else ASK_AGAIN_S
