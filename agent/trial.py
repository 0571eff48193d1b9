"""Puts what the hub wants into force when that disturbs no lesson, and judges whether the machine is well with it."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.report.heard import said_to
from agent.twin import Phase, Standing, Twin
from contract.envelope import EnvelopeRefused, Malformed, PublicKey, parse, verify
from contract.twin import TWIN_LIMIT_BYTES, Desired, Reported

log = logging.getLogger(__name__)

CLEAR_S = 600.0
"""Nothing is put into force this close to a session, in seconds."""
CLEAR_TO_RESTORE_S = 150.0
"""A configuration that does no good is taken back until so close to a session, just before devices open."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long things take, in seconds."""

    look_s: float = 1.0
    """Between two looks at what is wanted."""
    stand_s: float = 5.0
    """Between two looks at the machine, on trial."""
    steady_s: float = 20.0
    """A machine that is well for so long is well."""
    patience_s: float = 180.0
    """One that is not well by then gets its last good configuration back."""


class Trials:
    """One service's part in the twin; everything but `arrived` belongs to the event loop.

    Args:
        twin: what is wanted and what is in force.
        device: identifier of this device.
        hub_key: the hub's public key.
        why_not: why the service cannot be built anew, where no session may be on or nearer than so many seconds;
            an empty text where it can.
        stand: how the machine stands now; may take its time.
        publish: tells the hub; False where there is no connection.
        rebuild: ends the service, so that another one is built.
        times: how long things take.
        mono_s: monotonic seconds.
    """

    def __init__(
        self,
        twin: Twin,
        device: str,
        hub_key: PublicKey,
        *,
        why_not: Callable[[float], str],
        stand: Callable[[], Standing],
        publish: Callable[[Reported], bool],
        rebuild: Callable[[], None],
        times: Times | None = None,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._twin = twin
        self._device = device
        self._hub_key = hub_key
        self._why_not = why_not
        self._stand = stand
        self._publish = publish
        self._rebuild = rebuild
        self._times = times or Times()
        self._mono_s = mono_s
        self._began_s = mono_s()
        self._look_at_s = self._began_s
        self._well_since_s: float | None = None
        self._told: Reported | None = None
        self._lock = threading.Lock()
        self._desired: Desired | None = None
        self._trouble = ""

    def arrived(self, data: bytes) -> None:
        """Take what came on `twin/desired`; called on the network thread, returns at once."""
        if not data:
            return  # the hub cleared what was retained
        try:
            desired = self._read(data)
        except EnvelopeRefused as error:
            self._tell_trouble(f"a configuration is left out: {error}")
            return
        with self._lock:
            if self._desired is None or self._desired.rev < desired.rev:
                self._desired = desired

    def connected(self) -> None:
        """The hub is in reach; it is told anew how this machine stands."""
        self._told = None

    async def run(self) -> None:
        """Look after the twin until cancelled, or until the service is to be built anew."""
        while True:
            if await self._looked():
                return
            await asyncio.sleep(self._times.look_s)

    async def _looked(self) -> bool:
        """One look; whether the service is to be built anew."""
        again = False
        try:
            await self._take()
            if self._twin.phase is Phase.WAITING:
                again = await self._tried_out()
            elif self._twin.phase is Phase.TRIAL:
                again = await self._judged()
        except OSError as error:
            self._tell_trouble(f"the twin cannot be kept: {error.strerror}; it is tried again")
        self._report()
        if again:
            self._rebuild()
        return again

    async def _take(self) -> None:
        with self._lock:
            desired, self._desired = self._desired, None
        if desired is None:
            return
        if await asyncio.to_thread(self._twin.take, desired):
            log.info("revision %d of the twin: %s", desired.rev, self._twin.reported(self._device).status)
        else:
            self._told = None  # the hub may not know that we know

    async def _tried_out(self) -> bool:
        if words := self._why_not(CLEAR_S):
            self._twin.wait(f"it waits, because {words}")
            return False
        before = await asyncio.to_thread(self._stand)
        await asyncio.to_thread(self._twin.try_out, before)
        return True

    async def _judged(self) -> bool:
        """Whether the last good configuration must come back."""
        times, now = self._times, self._mono_s()
        if now < self._look_at_s:
            return False
        self._look_at_s = now + times.stand_s
        before = self._twin.before
        lost = before.lost(await asyncio.to_thread(self._stand)) if before is not None else []
        if not lost:
            self._well_since_s = now if self._well_since_s is None else self._well_since_s
            if now - self._well_since_s >= times.steady_s:
                await asyncio.to_thread(self._twin.well)
            return False
        self._well_since_s = None
        if now - self._began_s < times.patience_s or self._why_not(CLEAR_TO_RESTORE_S):
            return False
        missed = " and ".join(lost)
        await asyncio.to_thread(self._twin.restore, f"{missed} did not come back within {times.patience_s:.0f} s")
        return True

    def _report(self) -> None:
        reported = self._twin.reported(self._device)
        if reported != self._told and self._publish(reported):
            self._told = reported

    def _read(self, data: bytes) -> Desired:
        if len(data) > TWIN_LIMIT_BYTES:
            raise Malformed(f"{len(data)} bytes are too many")
        envelope = parse(data)
        verify(envelope, self._hub_key, None)  # a wish does not expire; its revision says which is the newer
        return said_to(self._device, envelope, Desired.model_validate_json, "configuration")

    def _tell_trouble(self, words: str) -> None:
        if words != self._trouble:
            self._trouble = words
            log.warning("%s", words)
