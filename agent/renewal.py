"""A new certificate in good time: at two thirds of the old one's life, by itself, never beside a lesson's start."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

import httpx

from agent.certificate import Certificate, certificate_pem, checked, load_certificate, request
from agent.hubdoor import ask, reason, understood
from agent.identity import (
    Change,
    Identity,
    IdentityRefused,
    RenewalRefused,
    device_token,
    held_identity,
    keep,
)
from agent.trust import PatientContext
from contract.model import Message

log = logging.getLogger(__name__)

LOOK_S = 60.0
"""Seconds between two looks at the certificate."""
SPREAD = 1 / 30
"""Part of its life over which the renewals of certificates of one day are spread."""
BUSY_S = 10.0
"""Seconds until it is looked again whether a lesson is near."""
RETRY_S = 60.0
RETRY_MAX_S = 3600.0
REST_S = 3600.0
"""After a renewal the next one is at least so far away, whatever a wrong clock says."""


class _Renewed(Message):
    certificate: str
    ca: str


def renew(
    identity: Identity, state: Path, now: float, trust: PatientContext, *, timeout_s: float = 10.0
) -> Certificate:
    """Get a new certificate by proof of the device's key, and put it in place of the old one.

    The certificate so far goes with it, expired or not: to a hub that does not know us it says whose we are.
    Where the hub does not take a token made at `now`, one made by the time in its answer is tried:
    a machine whose certificate has expired cannot ask for the hub's time in any other way.

    Args:
        identity: this device.
        state: its state folder.
        now: hub UTC as far as it is known, in seconds.
        trust: whose certificates count for the hub's HTTP side.
        timeout_s: longest wait for one answer, in seconds.

    Raises:
        HubUnreachable: nobody answered.
        HubUntrusted: what answers is not trusted here.
        RenewalRefused: the hub answered no: the device was revoked, or came too late.
        EnrolmentRefused: what the hub answered with cannot be used.
        IdentityDamaged: the state folder cannot be written.
    """
    body = {"csr": request(identity.key)}

    def asked(at: float) -> httpx.Response:
        token = device_token(identity, at, certificate_pem(state))
        return ask(identity.hub_url, "/api/v1/certificates", body, trust, token=token, timeout_s=timeout_s)

    reply = asked(now)
    if reply.status_code == httpx.codes.UNAUTHORIZED and (hub_now := _date(reply)) is not None:
        reply = asked(hub_now)
    if reply.is_error:
        raise RenewalRefused(f"the hub at {identity.hub_url} gives no new certificate: {reason(reply)}")
    answer = understood(_Renewed, reply, identity.hub_url)
    certificate = checked(answer.certificate, answer.ca, identity.key, identity.device)
    file = held_identity(state)
    if file is None or file.device != identity.device:
        raise RenewalRefused("this machine was enrolled anew meanwhile; start the service again")
    keep(state, Change(identity=file, certificate=answer.certificate, ca=answer.ca))
    return certificate


def _date(reply: httpx.Response) -> float | None:
    """The hub's time in its answer, in seconds of UTC."""
    try:
        return parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


class Clock(Protocol):
    """What the renewal goes by."""

    def now(self) -> float:
        """Hub UTC as far as it is known, in seconds."""


class Renewal:
    """Watches over the certificate of one device while the service runs; started only where the broker wants one."""

    def __init__(
        self,
        identity: Identity,
        state: Path,
        clock: Clock,
        trust: PatientContext,
        *,
        busy: Callable[[], bool],
        on_renewed: Callable[[Certificate, bool], None],
        on_trouble: Callable[[str], None],
        chance: random.Random | None = None,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            identity: this device.
            state: its state folder.
            clock: the hub's time.
            trust: whose certificates count for the hub's HTTP side.
            busy: whether a lesson starts now; then only an expired certificate is renewed.
            on_renewed: told of each new certificate, and whether the old one no longer held.
            on_trouble: told once of each trouble, in words.
            chance: jitter.
            mono_s: seconds that never jump.
        """
        self._identity = identity
        self._state = state
        self._clock = clock
        self._trust = trust
        self._busy = busy
        self._on_renewed = on_renewed
        self._on_trouble = on_trouble
        self._chance = chance or random.Random()
        self._mono_s = mono_s
        self._spread = self._chance.random() * SPREAD
        self._loop = asyncio.get_running_loop()
        self._refused = asyncio.Event()
        self._not_before_s = mono_s()
        self._failures = 0
        self._told = ""

    def refused(self) -> None:
        """The broker does not take this device. Any thread.

        Where its certificate has expired the broker knows better than this machine's clock; else the hub says why.
        """
        self._call(self._refused.set)

    def at_once(self) -> Certificate:
        """Get a new certificate now, because somebody wants it; on the caller's thread, not the event loop's.

        Raises:
            IdentityRefused: as `renew` does.
        """
        made = renew(self._identity, self._state, self._clock.now(), self._trust)
        self._call(self._renewed, made, False)
        return made

    async def run(self) -> None:
        """Look after the certificate until cancelled."""
        while True:
            rest_s = self._not_before_s - self._mono_s()
            if rest_s > 0:
                await asyncio.sleep(min(rest_s, LOOK_S))
            elif self._refused.is_set() or (due_s := self._due_s()) <= 0:
                await self._try()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._refused.wait(), min(due_s, LOOK_S))

    def _due_s(self) -> float:
        """Seconds until a new certificate is to be asked for, by what is known now."""
        try:
            held = load_certificate(self._state)
        except IdentityRefused as error:
            self._tell(str(error))
            return 0.0
        now = self._clock.now()
        if now >= held.ends:
            return 0.0
        due_s = held.renew_at + (held.ends - held.begins) * self._spread - now
        return max(due_s, BUSY_S) if self._busy() else due_s

    async def _try(self) -> None:
        late = self._refused.is_set() or not self._holds()
        self._refused.clear()
        try:
            made = await asyncio.to_thread(renew, self._identity, self._state, self._clock.now(), self._trust)
        except IdentityRefused as error:
            cap = min(RETRY_MAX_S, RETRY_S * 2 ** min(self._failures, 16))
            self._failures += 1
            self._not_before_s = self._mono_s() + self._chance.uniform(0.5, 1.0) * cap
            self._tell(str(error))
            return
        self._renewed(made, late)

    def _renewed(self, made: Certificate, late: bool) -> None:  # noqa: FBT001 - as on_renewed
        self._failures, self._told = 0, ""
        self._not_before_s = self._mono_s() + min(REST_S, (made.ends - made.begins) / 10)
        self._spread = self._chance.random() * SPREAD
        log.info("the certificate was renewed and holds until %s", time.strftime("%F", time.gmtime(made.ends)))
        self._on_renewed(made, late)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and so has the service
            self._loop.call_soon_threadsafe(function, *arguments)

    def _holds(self) -> bool:
        try:
            return self._clock.now() < load_certificate(self._state).ends
        except IdentityRefused:
            return False

    def _tell(self, words: str) -> None:
        if words != self._told:
            self._told = words
            self._on_trouble(words)
