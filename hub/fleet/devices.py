"""Devices: registered once, known by key and by room, present or away."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from contract.envelope import PublicKey
from contract.keys import KeyUnusable, load_public, public_pem
from contract.telemetry import DeviceState
from hub.fleet.errors import DeviceRefused
from hub.store.devices import DeviceRecord, DeviceTable

LATE_WILL_S = 2.0
"""A device that speaks this long after its death was told is alive; before, its last words are still on the way."""


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

    Args:
        table: where they are kept.
        now: hub UTC in seconds.
        on_change: is told the id of a device that was registered, came or went; from any thread.
    """

    def __init__(self, table: DeviceTable, now: Callable[[], float], on_change: Callable[[str], None]) -> None:
        self._table = table
        self._now = now
        self._on_change = on_change
        self._lock = threading.RLock()
        table.all_away()
        self._devices = {one.id: one for one in table.all()}
        self._keys = {one.id: load_public(one.public_key) for one in self._devices.values()}
        self._rooms = {one.room: one.id for one in self._devices.values()}

    def register(self, new: NewDevice) -> DeviceRecord:
        """Register a device; doing so again with the same key and room is harmless and renews its name.

        Raises:
            DeviceRefused: it is known with another key or room, the room has another device, or the key is unusable.
        """
        try:
            key = load_public(new.public_key)
        except KeyUnusable as error:
            raise DeviceRefused(f"device {new.device} cannot be registered: {error}") from error
        if not isinstance(key, EllipticCurvePublicKey):
            raise DeviceRefused(f"device {new.device} cannot be registered: a device signs with a P-256 key")
        pem = public_pem(key)
        with self._lock:
            known = self._devices.get(new.device)
            self._check(new, known, pem)
            if known is None:
                record = DeviceRecord(new.device, new.room, new.name, new.school, pem, self._now())
                self._table.add(record)
            else:
                record = replace(known, name=new.name, school=new.school)
                self._table.rename(new.device, new.name, new.school)
            self._devices[record.id] = record
            self._keys[record.id] = key
            self._rooms[record.room] = record.id
        self._on_change(record.id)
        return record

    def _check(self, new: NewDevice, known: DeviceRecord | None, pem: str) -> None:
        if known is not None and known.public_key != pem:
            raise DeviceRefused(
                f"device {new.device} is registered with another key; give the new machine another device id"
            )
        if known is not None and known.room != new.room:
            raise DeviceRefused(f"device {new.device} stands in room {known.room}, not in {new.room}")
        holder = self._rooms.get(new.room)
        if holder is not None and holder != new.device:
            raise DeviceRefused(f"room {new.room} already has device {holder}; name another room")

    def get(self, device: str) -> DeviceRecord | None:
        """One device, or None."""
        with self._lock:
            return self._devices.get(device)

    def of_room(self, room: str) -> DeviceRecord | None:
        """The device that stands in `room`, or None."""
        with self._lock:
            holder = self._rooms.get(room)
            return self._devices[holder] if holder is not None else None

    def all(self) -> list[DeviceRecord]:
        """Every device, by id."""
        with self._lock:
            return [self._devices[name] for name in sorted(self._devices)]

    def key(self, device: str) -> PublicKey | None:
        """The public key of `device`, or None where it is not registered."""
        with self._lock:
            return self._keys.get(device)

    def online(self, device: str) -> bool:
        """Whether `device` is registered and there."""
        with self._lock:
            known = self._devices.get(device)
            return known is not None and known.online

    def present(self, states: Sequence[DeviceState]) -> None:
        """Presences came from registered devices, one a device; what repeats the last is not told on."""
        with self._lock:
            before = {state.device: self._devices[state.device] for state in states}
            seen = [_seen(self._devices[state.device], state, self._now()) for state in states]
            self._keep(seen)
        self._tell(before, seen)

    def heard(self, device: str) -> None:
        """A registered device spoke; where it counted as away, a late will said so, and it is there."""
        with self._lock:
            known = self._devices[device]
            if known.online or self._now() - (known.last_seen or 0.0) < LATE_WILL_S:
                return
        self.incarnated(device, known.boot, known.incarnation)

    def incarnated(self, device: str, boot: str, incarnation: str) -> None:
        """A registered device said hello; it is there, in this incarnation."""
        with self._lock:
            known = self._devices[device]
            if (known.online, known.boot, known.incarnation) == (True, boot, incarnation):
                return
            seen = replace(known, online=True, boot=boot, incarnation=incarnation, last_seen=self._now(), why="")
            self._keep([seen])
        self._tell({device: known}, [seen])

    def _keep(self, seen: Sequence[DeviceRecord]) -> None:
        self._table.seen(seen)
        self._devices.update({one.id: one for one in seen})

    def _tell(self, before: Mapping[str, DeviceRecord], seen: Sequence[DeviceRecord]) -> None:
        for one in seen:
            if replace(one, last_seen=None) != replace(before[one.id], last_seen=None):
                self._on_change(one.id)


def _seen(known: DeviceRecord, state: DeviceState, now: float) -> DeviceRecord:
    """`known` after a presence; a death keeps boot, incarnation and version of the life it ends."""
    if state.online:
        return replace(
            known,
            online=True,
            boot=state.boot,
            incarnation=state.incarnation,
            version=state.version,
            last_seen=now,
            why=state.why,
        )
    if state.incarnation and known.incarnation not in {"", state.incarnation}:
        return known  # the will of an earlier life, told late
    return replace(known, online=False, last_seen=now, why=state.why)
