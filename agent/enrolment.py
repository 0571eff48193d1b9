"""How a machine becomes a device: with a claim code, or with an operator's token (`register`)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from pydantic import Field, ValidationError

from agent.certificate import checked, request
from agent.hubdoor import ask, reason
from agent.identity import (
    IDENTITY,
    KEY,
    NEW_KEY,
    Change,
    EnrolledElsewhere,
    EnrolmentRefused,
    HubUnreachable,
    HubUntrusted,
    Identity,
    IdentityDamaged,
    IdentityFile,
    device_key,
    held_identity,
    keep,
    load_identity,
    short,
)
from agent.machine import fingerprint as machine_fingerprint
from agent.platform import hand_over
from agent.renewal import renew
from agent.trust import PatientContext, hub_trust
from contract.enrolment import CodeUnreadable, code_sha256, fingerprint, read_code, read_ticket
from contract.keys import KeyUnusable, load_public, new_device_key, public_pem, save_private
from contract.model import DeviceId, Message, RoomId

ASK_AGAIN_S = 5.0
KEY_SHOWN = 16
"""Signs of a key's fingerprint by which a person compares."""
_ANY_HOST = {"", "0.0.0.0", "::"}  # noqa: S104  # recognised, never bound

Say = Callable[[str], None]
T = TypeVar("T", bound=Message)


@dataclass(frozen=True, slots=True)
class Code:
    """What a person typed or scanned to make this machine a device."""

    code: str
    """As it was printed."""
    hub_url: str = ""
    """Address of the hub, where a QR code told it."""
    hub_key: str = ""
    """Fingerprint of the hub's key, where a QR code told it."""


class _Mqtt(Message):
    host: str = ""
    port: int = Field(ge=1, le=65535)
    tls: bool = False


class _Registered(Message):
    hub_public_key: str
    mqtt: _Mqtt


class _Enrolled(_Registered):
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
    answer = _read(_Enrolled, asking.until_answered(hub_url, key), hub_url)
    _check_hub(answer, code, hub_url)
    if answer.mqtt.tls:
        checked(answer.certificate, answer.ca, key, answer.device)
    file = IdentityFile(
        device=answer.device,
        room=answer.room,
        name=answer.name,
        school=answer.school,
        hub_url=hub_url,
        hub_public_key=answer.hub_public_key,
        mqtt_host=_broker_host(answer.mqtt.host, hub_url),
        mqtt_port=answer.mqtt.port,
        mqtt_tls=answer.mqtt.tls,
        claim_sha256=code_sha256(code.code),
    )
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
                self._wait(ASK_AGAIN_S, f"{_read(_Waiting, reply, hub_url).words} (key of this machine: {shown})")
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


def register(
    state: Path,
    hub_url: str,
    token: str,
    device: str,
    room: str,
    name: str = "",
    school: str = "",
    *,
    ca: Path | None = None,
    timeout_s: float = 10.0,
) -> Identity:
    """Make this machine known to a hub by an operator's token, under names that are chosen here.

    Doing so again with the same hub does no harm and keeps the key.

    Args:
        state: state folder; gets `key.pem` (0600) and `identity.json`.
        hub_url: `http://host:port` or `https://host:port` of the hub.
        token: an operator's token.
        device: identifier of this device.
        room: identifier of the room it stands in.
        name: name of the room for people.
        school: school for people.
        ca: file of the authority that signed the hub's certificate; None where this system knows it.
        timeout_s: longest wait for the hub, in seconds.

    Raises:
        HubUnreachable: nobody answered.
        HubUntrusted: its certificate is not trusted here, or `ca` cannot be used.
        EnrolmentRefused: the hub answered no.
        EnrolledElsewhere: the state folder belongs to another hub or device.
        IdentityDamaged: there is a key already, and it cannot be used.
    """
    hub_url = hub_url.rstrip("/")
    held = held_identity(state)
    if held is not None and (held.hub_url != hub_url or held.device != device):
        raise EnrolledElsewhere(
            f"{state} already belongs to device {held.device} of the hub {held.hub_url}; "
            "use another state folder, or remove identity.json and key.pem there"
        )
    trust = hub_trust(ca)
    key = made_key(state, KEY)
    body = {"device": device, "room": room, "name": name, "school": school, "public_key": public_pem(key)}
    reply = ask(hub_url, "/api/v1/devices", body, trust, token=token, timeout_s=timeout_s)
    if reply.status_code in {401, 403}:
        raise EnrolmentRefused(f"the hub at {hub_url} does not take this operator token; make one with `tongtang hub`")
    if reply.is_error:
        raise EnrolmentRefused(f"the hub at {hub_url} refused device {device}: {reason(reply)}")
    answer = _read(_Registered, reply, hub_url)
    _same_hub(answer, held, hub_url, state)
    file = IdentityFile(
        device=device,
        room=room,
        name=name,
        school=school,
        hub_url=hub_url,
        hub_public_key=answer.hub_public_key,
        mqtt_host=_broker_host(answer.mqtt.host, hub_url),
        mqtt_port=answer.mqtt.port,
        mqtt_tls=answer.mqtt.tls,
    )
    made = keep(state, Change(identity=file))
    return _certified(made, state, trust, timeout_s)


def _certified(made: Identity, state: Path, trust: PatientContext, timeout_s: float) -> Identity:
    """Get the first certificate where the broker wants one; its key is known to the hub by now."""
    if made.mqtt_tls:
        renew(made, state, time.time(), trust, timeout_s=timeout_s)
    return made


def made_key(state: Path, name: str) -> EllipticCurvePrivateKey:
    """This machine's key: the one that lies there, or a new one.

    Raises:
        IdentityDamaged: it cannot be used, or not be written.
    """
    key = new_device_key()
    try:
        save_private(key, state / name)
        hand_over(state / name)
    except FileExistsError:
        try:
            return device_key(state / name)
        except KeyUnusable as error:
            raise IdentityDamaged(f"{error}; remove it and enrol again") from error
    except OSError as error:
        raise IdentityDamaged(f"cannot write to the state folder {state}: {error.strerror}") from error
    return key


def _check_hub(answer: _Enrolled, code: Code, hub_url: str) -> None:
    """Refuse an answer that does not come from the hub that made the code, where we know which that is."""
    try:
        key = fingerprint(load_public(answer.hub_public_key))
    except KeyUnusable as error:
        raise EnrolmentRefused(f"{hub_url} answered with a key that cannot be used: {error}") from error
    if code.hub_key and code.hub_key.lower() != key:
        raise HubUntrusted(
            f"what answers at {hub_url} is not the hub that printed this QR code: its key is another; "
            "do not use this code any more, and tell whoever looks after the hub"
        )


def _same_hub(answer: _Registered, held: IdentityFile | None, hub_url: str, state: Path) -> None:
    """Refuse a hub whose key cannot be used, or is not the one it had."""
    try:
        load_public(answer.hub_public_key)
    except KeyUnusable as error:
        raise EnrolmentRefused(f"{hub_url} answered with a key that cannot be used: {error}") from error
    if held is not None and held.hub_public_key.strip() != answer.hub_public_key.strip():
        raise EnrolledElsewhere(
            f"the hub at {hub_url} has another key than the one this device was enrolled with; "
            f"if the hub was set up anew on purpose, remove {state / IDENTITY} and enrol again"
        )


def _broker_host(said: str, hub_url: str) -> str:
    return (urlsplit(hub_url).hostname or "127.0.0.1") if said in _ANY_HOST else said


def _retry_after_s(reply: httpx.Response) -> float:
    said = reply.headers.get("Retry-After", "")
    return max(1.0, float(said)) if said.isdigit() else ASK_AGAIN_S


def _read(form: type[T], reply: httpx.Response, hub_url: str) -> T:
    try:
        return form.model_validate_json(reply.content)
    except ValidationError as error:
        raise EnrolmentRefused(f"what answers at {hub_url} is not a Tongtang hub ({short(error)})") from error
