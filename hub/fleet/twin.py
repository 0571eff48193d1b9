"""The twin of each device: what is wanted of it, what it reports, and how far the two are apart.

What is wanted is checked before it is kept, signed, and published retained. A device tells how it
stands at each connect; one that lags is told again then and every minute while it is there.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import topics
from contract.envelope import sign
from contract.twin import TWIN_LIMIT_BYTES, Desired, Reported, TwinStatus, TwinUnfit, understood
from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.broker.signed import read
from hub.fleet.commands import Roll
from hub.fleet.errors import DeviceUnknown, TwinChanged, TwinRefused
from hub.fleet.inbox import Inbox
from hub.store.twins import TwinRecord, TwinTable

RECONCILE_S = 60.0
VALID_S = 10 * 365.25 * 86_400.0
"""A wish holds until another one comes; its revision, not its age, says which is the newer."""
NOT_IN_FORCE = "twin-not-in-force"
"""The alert's kind."""
NAMED = 5
"""Devices that a line of the log names."""

log = logging.getLogger("hub.fleet")


@dataclass(frozen=True, slots=True)
class TwinStanding:
    """One twin, and how far the device is from what is wanted of it."""

    twin: TwinRecord
    lags: bool
    """Whether what is wanted is not in force there."""
    says: str
    """How it stands, in words."""


class Twins:
    """Every twin of the district, in memory and in the store. Thread-safe; what changes one blocks on the database.

    Args:
        table: where they are kept.
        roll: who there is.
        key: the hub's key.
        publish: sends a payload to a topic, retained.
        now: hub UTC in seconds.
        misfits: counts what cannot be used.
        on_report: is told, on a thread of ours, of each twin whose device said something new.
    """

    def __init__(
        self,
        table: TwinTable,
        roll: Roll,
        key: Ed25519PrivateKey,
        publish: Callable[[str, bytes], None],
        now: Callable[[], float],
        misfits: Misfits,
        on_report: Callable[[TwinRecord], None] = lambda _twin: None,
    ) -> None:
        self._table = table
        self._roll = roll
        self._key = key
        self._publish = publish
        self._now = now
        self._on_report = on_report
        self._lock = threading.Lock()
        self._twins = {one.device: one for one in table.all()}
        self._lagging: frozenset[str] = frozenset()
        self._reconcile_s = 0.0
        self._inbox = Inbox("hub.twins", self._read, self._take, self._tend, misfits)

    def start(self) -> None:
        """Begin to take reports and to reconcile; what is wanted is published anew."""
        for twin in self._all():
            if twin.rev:
                self._send(twin)
        self._inbox.start()

    def stop(self) -> None:
        """Take the reports that have arrived, then end."""
        self._inbox.stop()

    @property
    def alive(self) -> bool:
        """Whether reports are taken."""
        return self._inbox.alive

    # What operators ask for.

    def want(self, device: str, config: Mapping[str, Any], based_on: int | None = None) -> TwinStanding:
        """Want exactly `config` of a device; what is left out there stays as its own settings have it.

        The same as before, in force or on its way, changes nothing.

        Args:
            device: of whom.
            config: keys by table, as in `agent.toml`.
            based_on: the revision that was looked at; None where it does not matter.

        Raises:
            DeviceUnknown: there is no such device.
            TwinChanged: the twin has another revision by now.
            TwinRefused: a key is unknown or out of bounds.
        """
        self._check_known(device)
        try:
            desired = json.dumps(understood(config).plain(), sort_keys=True)
        except TwinUnfit as error:
            raise TwinRefused(str(error)) from error
        with self._lock:
            twin = self._twins.get(device, TwinRecord(device))
            if based_on is not None and based_on != twin.rev:
                raise TwinChanged(f"the twin of {device} has revision {twin.rev} by now, not {based_on}; look again")
            fell_through = twin.status in {TwinStatus.REFUSED, TwinStatus.RESTORED}
            if twin.rev and desired == twin.desired and not fell_through:
                return self._standing(twin)
            twin = self._renewed(replace(twin, desired=desired))
        self._send(twin)
        log.info("revision %d of the twin of %s: %s", twin.rev, device, desired)
        return self._standing(twin)

    def get(self, device: str) -> TwinStanding:
        """The twin of a device; an empty one where nothing was ever wanted of it.

        Raises:
            DeviceUnknown: there is no such device.
        """
        self._check_known(device)
        with self._lock:
            twin = self._twins.get(device, TwinRecord(device))
        return self._standing(twin)

    def standings(self, *, lagging: bool = False) -> list[TwinStanding]:
        """Every twin by device; where `lagging`, only those that are not in force."""
        known = [one for one in self._all() if self._roll.get(one.device) is not None]
        return [one for one in map(self._standing, known) if one.lags or not lagging]

    # What devices say.

    def arrived(self, arrival: Arrival) -> None:
        """Take an arrival on `twin/reported`; called on the network thread, never blocks."""
        if arrival.payload:  # else somebody cleared what was retained
            self._inbox.offer(arrival)

    def _read(self, arrival: Arrival) -> Reported:
        return read(arrival, self._roll.key, Reported.model_validate_json, TWIN_LIMIT_BYTES)[1]

    def _take(self, said: Sequence[Reported]) -> None:
        newest = {one.device: one for one in said}
        with self._lock:
            news = self._news(newest.values())
        # Told before it is kept: a hub that is killed in between hears it again, and tells it again.
        for twin in news:
            self._on_report(twin)
        with self._lock:
            news = self._news(newest.values())  # somebody may want something else by now
            if news:
                self._table.put(news)
                self._twins.update({twin.device: twin for twin in news})
        for one in newest.values():
            self._answer(one)

    def _news(self, said: Iterable[Reported]) -> list[TwinRecord]:
        """The twins of which something new is said, as they are then; with the lock held."""
        found = []
        for one in said:
            before = self._twins.get(one.device, TwinRecord(one.device))
            after = _after(before, one, self._now())
            if after != before:
                found.append(after)
        return found

    def _answer(self, said: Reported) -> None:
        """Tell a device that lags what is wanted; one that is ahead of a restored hub gets a newer revision."""
        with self._lock:
            twin = self._twins.get(said.device)
            if twin is None or not twin.rev or said.rev == twin.rev:
                return
            if said.rev > twin.rev:
                log.warning(
                    "%s holds revision %d of its twin, this hub (restored from a backup?) has %d; it is wanted anew",
                    said.device,
                    said.rev,
                    twin.rev,
                )
                twin = self._renewed(twin)
        self._send(twin)

    def _tend(self) -> None:
        if time.monotonic() < self._reconcile_s:
            return
        self._reconcile_s = time.monotonic() + RECONCILE_S
        behind = [one.twin for one in self.standings(lagging=True) if one.twin.reported_rev < one.twin.rev]
        there = [twin for twin in behind if self._roll.online(twin.device)]
        for twin in there:
            self._send(twin)
        names = frozenset(twin.device for twin in there)
        if names != self._lagging:
            self._lagging = names
            shown = ", ".join(sorted(names)[:NAMED])
            log.info("%d devices that are there lag behind their twin: %s", len(names), shown or "none")

    # How it is kept and sent.

    def _all(self) -> list[TwinRecord]:
        with self._lock:
            return [self._twins[name] for name in sorted(self._twins)]

    def _check_known(self, device: str) -> None:
        if self._roll.get(device) is None:
            raise DeviceUnknown(f"there is no device {device[:64]}, or it was revoked")

    def _renewed(self, twin: TwinRecord) -> TwinRecord:
        """`twin` under the next revision, kept; with the lock held."""
        after = replace(twin, rev=max(twin.rev, twin.reported_rev) + 1, changed=self._now())
        self._table.put([after])
        self._twins[twin.device] = after
        return after

    def _send(self, twin: TwinRecord) -> None:
        body = Desired(device=twin.device, rev=twin.rev, config=json.loads(twin.desired))
        self._publish(topics.twin_desired(twin.device), sign(body, self._key, self._now(), VALID_S).to_json())

    def _standing(self, twin: TwinRecord) -> TwinStanding:
        in_force = twin.reported_rev == twin.rev and twin.status in {"", TwinStatus.APPLIED}
        return TwinStanding(twin, bool(twin.rev) and not in_force, self._says(twin))

    def _says(self, twin: TwinRecord) -> str:
        if not twin.rev and twin.reported_rev:
            return (
                f"it holds revision {twin.reported_rev}, which this hub never set (was it restored from a backup?); "
                "set the twin anew"
            )
        if not twin.rev:
            return "nothing is wanted of it"
        if twin.reported_rev != twin.rev and not self._roll.online(twin.device):
            return f"the device is away; it gets revision {twin.rev} when it is back"
        if twin.reported_rev != twin.rev:
            return f"revision {twin.rev} is on its way; the device speaks of {twin.reported_rev}"
        return "in force" if twin.status == TwinStatus.APPLIED else f"{twin.status}: {twin.words}"


def told_as_alerts(
    raise_: Callable[[str, str, str], None], clear: Callable[[str, str], None]
) -> Callable[[TwinRecord], None]:
    """An `on_report` that raises an alert for a configuration that a device refused or took back, and clears it.

    Args:
        raise_: takes device, kind and words.
        clear: takes device and kind.
    """

    def tell(twin: TwinRecord) -> None:
        if twin.status in {TwinStatus.REFUSED, TwinStatus.RESTORED}:
            words = f"what is wanted of its settings (revision {twin.reported_rev}) is not in force: {twin.words}"
            raise_(twin.device, NOT_IN_FORCE, words)
        else:
            clear(twin.device, NOT_IN_FORCE)

    return tell


def _after(twin: TwinRecord, said: Reported, now: float) -> TwinRecord:
    """`twin` after its device spoke; the same where it said nothing new."""
    words = said.words.replace("\0", "")
    reported = json.dumps(said.config, sort_keys=True)
    new = (said.rev, str(said.status), words, reported)
    if new == (twin.reported_rev, twin.status, twin.words, twin.reported):
        return twin
    return replace(
        twin, reported_rev=said.rev, status=str(said.status), words=words, reported=reported, reported_at=now
    )
