"""Devices: registered once, known by key and by room, present or away, shut out for good where they must be."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from contract.envelope import PublicKey
from contract.keys import KeyUnusable, load_public, public_pem
from contract.telemetry import DeviceState
from hub.fleet.alerts import Alerts
from hub.fleet.authority import HUB_NAME
from hub.fleet.errors import DeviceRefused, DeviceUnknown
from hub.fleet.presence import CLONED, LONGEST_MACHINE, Turns, seen_after
from hub.store.devices import DeviceRecord, DeviceTable

LATE_WILL_S = 2.0
"""A device that speaks this long after its death was told is alive; before, its last words are still on the way."""
LONGEST_ID = 63

log = logging.getLogger("hub.fleet")


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to be registered: who, where, and the public key it signs with (PEM)."""

    device: str
    room: str
    name: str
    school: str
    public_key: str


class Devices:
    """Every device of the district, in memory and in the store. Thread-safe.

    A revoked device is known here by its id alone: it has no key, no room and no presence any more.
    `on_admitted` and `on_revoked` are handed a device's id, on the caller's thread and before the caller is answered;
    each may be handed the same id again and must then do no harm.

    Args:
        table: where they are kept.
        now: hub UTC in seconds.
        on_change: is told the id of a device that was registered, came, went or was revoked; from any thread.
        alerts: where a copied disk is told.
    """

    def __init__(
        self,
        table: DeviceTable,
        now: Callable[[], float],
        on_change: Callable[[str], None],
        alerts: Alerts | None = None,
    ) -> None:
        self._table = table
        self._now = now
        self._on_change = on_change
        self._alerts = alerts
        # Whoever changes something holds the first, also while the database is written; the second only to change
        # what is in memory, so that nobody who asks waits for a disk: the network thread asks, too.
        self._changing = threading.Lock()
        self._lock = threading.Lock()
        self.on_admitted: list[Callable[[str], object]] = []
        self.on_revoked: list[Callable[[str], object]] = []
        table.all_away()
        every = table.all()
        self._devices = {one.id: one for one in every if one.revoked is None}
        self._revoked = {one.id: one for one in every if one.revoked is not None}
        self._keys = {one.id: load_public(one.public_key) for one in self._devices.values()}
        self._rooms = {one.room: one.id for one in self._devices.values()}
        self._turns = Turns()

    def register(self, new: NewDevice, machine: str = "") -> DeviceRecord:
        """Register a device; doing so again with the same key and room is harmless and renews its name.

        Where no name or no school is given, the room keeps those that it had.

        Args:
            new: who it is.
            machine: fingerprint of the machine, where it is known already.

        Raises:
            DeviceRefused: it is known with another key or room, the room has another device, it or its key was
                revoked, or the key is unusable.
        """
        key = _device_key(new)
        pem = public_pem(key)
        with self._changing:
            known = self._devices.get(new.device)
            self._check(new, known, pem)
            former = known or self._last_in(new.room)
            name, school = new.name or (former.name if former else ""), new.school or (former.school if former else "")
            if known is None:
                record = DeviceRecord(new.device, new.room, name, school, pem, self._now(), machine[:LONGEST_MACHINE])
                self._table.add(record)
            else:
                record = replace(known, name=name, school=school)
                self._table.rename(new.device, name, school)
            with self._lock:
                self._devices[record.id] = record
                self._keys[record.id] = key
                self._rooms[record.room] = record.id
        for admit in self.on_admitted:
            admit(record.id)
        self._on_change(record.id)
        return record

    def _last_in(self, room: str) -> DeviceRecord | None:
        """The device that stood in `room` last and was revoked since, or None."""
        gone = [one for one in self._revoked.values() if one.room == room]
        return max(gone, key=lambda one: one.registered, default=None)

    def id_for(self, room: str, public_key: str) -> str:
        """The id under which the machine with this key would stand in `room`.

        That of the device it is there already; else the room's own name, or `room-2`, `room-3`, ...
        where devices that are revoked had the ones before.

        Args:
            room: where it is to stand.
            public_key: PEM, as `contract.keys.public_pem` writes it.
        """
        with self._lock:
            holder = self._rooms.get(room)
            if holder is not None and self._devices[holder].public_key == public_key:
                return holder
            taken = self._devices.keys() | self._revoked.keys() | {HUB_NAME}
        return next(name for name in _names(room) if name not in taken)

    def _check(self, new: NewDevice, known: DeviceRecord | None, pem: str) -> None:
        if new.device == HUB_NAME:
            raise DeviceRefused(f"{HUB_NAME} is the hub's own name; give the device another id")
        if new.device in self._revoked:
            raise DeviceRefused(f"device {new.device} was revoked; give the machine another device id")
        if (former := self.shut_out(pem)) is not None:
            raise DeviceRefused(f"this key was that of device {former}, which was revoked; the machine needs a new key")
        if known is not None and known.public_key != pem:
            raise DeviceRefused(
                f"device {new.device} is registered with another key; give the new machine another device id"
            )
        if known is not None and known.room != new.room:
            raise DeviceRefused(f"device {new.device} stands in room {known.room}, not in {new.room}")
        holder = self._rooms.get(new.room)
        if holder is not None and holder != new.device:
            raise DeviceRefused(
                f"room {new.room} already has device {holder}; name another room, or revoke that device first"
            )

    def revoke(self, device: str, by: str) -> DeviceRecord:
        """Shut a device out for good and free its room; doing so again is harmless.

        Args:
            device: its id.
            by: who wants it, for the log.

        Raises:
            DeviceUnknown: there never was such a device.
        """
        with self._changing:
            if device not in self._devices and device not in self._revoked:
                raise DeviceUnknown(f"there is no device {device[:80]}")
            if self._table.revoke(device, self._now()):
                log.info("device %s is revoked by %s", device, by)
        if device not in self.notice_revoked():
            # Asked for once more: perhaps because the broker failed to hear of it.
            for shut_out in self.on_revoked:
                shut_out(device)
        with self._lock:
            return self._revoked[device]

    def notice_revoked(self) -> list[str]:
        """Shut out whom the database says is revoked: the command line may have written it. Returns who is new."""
        with self._changing:
            new = {one: at for one, at in self._table.revoked().items() if one in self._devices}
            with self._lock:
                for device, at in new.items():
                    gone = self._devices.pop(device)
                    self._keys.pop(device, None)
                    self._revoked[device] = replace(gone, revoked=at, online=False, why="revoked")
                    if self._rooms.get(gone.room) == device:
                        del self._rooms[gone.room]
        for device in new:
            log.info("device %s is shut out", device)
            if self._alerts is not None:
                self._alerts.forget(device)
            for shut_out in self.on_revoked:
                shut_out(device)
            self._on_change(device)
        return list(new)

    def ids(self) -> list[str]:
        """Every device that may speak, by id."""
        with self._lock:
            return sorted(self._devices)

    def revoked(self) -> list[DeviceRecord]:
        """Devices that were shut out, by id."""
        with self._lock:
            return [self._revoked[name] for name in sorted(self._revoked)]

    def revoked_serials(self) -> list[str]:
        """Serials of every revoked certificate, in hexadecimal; for `Authority.crl`."""
        return self._table.revoked_serials()

    def shut_out(self, public_key: str) -> str | None:
        """The revoked device whose key this was (PEM), or None."""
        with self._lock:
            return next((one.id for one in self._revoked.values() if one.public_key == public_key), None)

    def get(self, device: str) -> DeviceRecord | None:
        """One device, or None; a revoked one is none."""
        with self._lock:
            return self._devices.get(device)

    def of_room(self, room: str) -> DeviceRecord | None:
        """The device that stands in `room`, or None."""
        with self._lock:
            holder = self._rooms.get(room)
            return self._devices[holder] if holder is not None else None

    def all(self) -> list[DeviceRecord]:
        """Every device that is not revoked, by id."""
        with self._lock:
            return [self._devices[name] for name in sorted(self._devices)]

    def key(self, device: str) -> PublicKey | None:
        """The public key of `device`, or None where it is not registered, or revoked."""
        with self._lock:
            return self._keys.get(device)

    def former_key(self, device: str) -> PublicKey | None:
        """The public key that a revoked device had, or None; by it alone we know whom we shut out."""
        with self._lock:
            gone = self._revoked.get(device)
        return load_public(gone.public_key) if gone is not None else None

    def online(self, device: str) -> bool:
        """Whether `device` is registered and there."""
        with self._lock:
            known = self._devices.get(device)
            return known is not None and known.online

    def present(self, states: Sequence[DeviceState]) -> None:
        """Presences came, one a device; what repeats the last is not told on, nor what a revoked device says."""
        with self._changing:
            known = [(self._devices[state.device], state) for state in states if state.device in self._devices]
            before = {one.id: one for one, _ in known}
            seen = [seen_after(one, state, self._now()) for one, state in known]
            self._keep(seen)
            twice = {one.id: self._turns.words(one, state) for one, state in known if state.online}
        self._tell(before, seen)
        for device, words in twice.items():
            if words and self._alerts is not None:
                self._alerts.raise_(device, CLONED, words)

    def heard(self, device: str) -> None:
        """A registered device spoke; where it counted as away, a late will said so, and it is there."""
        with self._lock:
            known = self._devices.get(device)
            if known is None or known.online or self._now() - (known.last_seen or 0.0) < LATE_WILL_S:
                return
        self.incarnated(device, known.boot, known.incarnation)

    def incarnated(self, device: str, boot: str, incarnation: str) -> None:
        """A registered device said hello; it is there, in this incarnation."""
        with self._changing:
            known = self._devices.get(device)
            if known is None or (known.online, known.boot, known.incarnation) == (True, boot, incarnation):
                return
            seen = replace(known, online=True, boot=boot, incarnation=incarnation, last_seen=self._now(), why="")
            self._keep([seen])
        self._tell({device: known}, [seen])

    def _keep(self, seen: Sequence[DeviceRecord]) -> None:
        if not seen:
            return
        self._table.seen(seen)
        with self._lock:
            self._devices.update({one.id: one for one in seen})

    def _tell(self, before: Mapping[str, DeviceRecord], seen: Sequence[DeviceRecord]) -> None:
        for one in seen:
            if replace(one, last_seen=None) != replace(before[one.id], last_seen=None):
                self._on_change(one.id)


def _names(room: str) -> Iterator[str]:
    yield room
    for number in count(2):
        end = f"-{number}"
        yield room[: LONGEST_ID - len(end)] + end


def _device_key(new: NewDevice) -> EllipticCurvePublicKey:
    try:
        key = load_public(new.public_key)
    except KeyUnusable as error:
        raise DeviceRefused(f"device {new.device} cannot be registered: {error}") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise DeviceRefused(f"device {new.device} cannot be registered: a device signs with a P-256 key")
    return key
