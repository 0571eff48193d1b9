"""The latest health of every device: in memory, from the rows that the intake has committed."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.fleet.signs import RISKY, HealthRemark, HealthState, Sign
from hub.store.rows import Arrived

KIND = "health"
VERSIONS = "agent.versions"
LOST = "state.lost"
KINDS = frozenset({KIND, VERSIONS, LOST})
WHOLE = "all"
"""Field of a sample that holds every field; what was known before is forgotten."""
STALE_S = 60.0
"""A device that is connected and tells nothing for this long is not known to be well, in seconds."""
MISSED = 3
"""Or for so many samples, where it tells them further apart."""
REMEMBERED_S = 86_400.0
"""How long it is remarked that a device lost some of its state, in seconds."""
LESSON_MIB = 1_050
"""One lesson of 45 minutes: 2 Mbit/s camera, 1 Mbit/s slides, sound."""
DAY_MIB = 8 * LESSON_MIB
MEMORY_MIB = 200
HOT_C = 90
CLOCK_MS = 5_000
WAIT_S = 120
CERTIFICATE_DAYS = 7
"""Certificates live 30 days and are renewed at two thirds of that."""
RESTARTS = 4
RESTART_WHY: Mapping[str, str] = {
    "killed": "killed or crashed",
    "fault": "a fault in the program",
    "machine": "the machine went down",
}
"""Why an agent was started again without having been asked to end."""
FIELDS_MOST = 64
"""Fields of a device that are kept; a device tells about thirty."""
TEXT_MOST = 200
LIST_MOST = 20
NAME_MOST = 64
LARGEST = 1e15


class Present(Protocol):
    """Who is there."""

    def online(self, device: str) -> bool:
        """Whether the device is registered and connected."""


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """How one device is, as far as the hub knows."""

    state: HealthState
    remarks: tuple[HealthRemark, ...] = ()
    at: float | None = None
    """When the newest sample was made, in seconds of hub UTC; None where none came."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What the device told, by field; units stand in the names."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What runs there, where it was told since this hub started."""


Shown = tuple[HealthState, tuple[HealthRemark, ...]]


@dataclass(slots=True)
class _Told:
    """What one device has told."""

    stream: str = ""
    seq: int = 0
    at: float | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    lost: tuple[float, str] | None = None
    """When it lost some of its state, and what, in words."""
    shown: Shown | None = None
    """What was last told on."""


class FleetHealth:
    """The health of every device. Thread-safe; nothing here blocks on a database.

    Args:
        present: who is connected.
        now: hub UTC in seconds.
        on_change: is told the id of a device whose state or remarks changed; called by `look` alone.
    """

    def __init__(self, present: Present, now: Callable[[], float], on_change: Callable[[str], None]) -> None:
        self._present = present
        self._now = now
        self._on_change = on_change
        self._lock = threading.Lock()
        self._told: dict[str, _Told] = {}

    def on_stored(self, rows: Sequence[Arrived]) -> None:
        """Rows are committed; called on the intake's writer, returns at once and never raises for what a row says."""
        with self._lock:
            for one in rows:
                if one.row.kind in KINDS:
                    _hear(self._told.setdefault(one.device, _Told()), one)

    def of(self, device: str) -> DeviceHealth:
        """How `device` is."""
        with self._lock:
            told = self._told.get(device) or _Told()
            fields, versions = dict(told.fields), dict(told.versions)
            at, lost = told.at, told.lost
        state, remarks = judged(fields, at, self._now(), online=self._present.online(device), lost=lost)
        return DeviceHealth(state, remarks, at, fields, versions)

    def look(self, devices: Iterable[str]) -> dict[str, DeviceHealth]:
        """How each of these devices is; it is told on where one is not as it was at the last look.

        Every other device is forgotten: it has been revoked.
        """
        found = {device: self.of(device) for device in devices}
        with self._lock:
            for device in self._told.keys() - found.keys():
                del self._told[device]
            changed = [device for device, health in found.items() if self._is_news(device, health)]
        for device in changed:
            self._on_change(device)
        return found

    def _is_news(self, device: str, health: DeviceHealth) -> bool:
        told = self._told.setdefault(device, _Told())
        before, told.shown = told.shown, (health.state, health.remarks)
        return before is None or _reads(before) != _reads(told.shown)


def judged(
    fields: Mapping[str, Any], at: float | None, now: float, *, online: bool, lost: tuple[float, str] | None = None
) -> tuple[HealthState, tuple[HealthRemark, ...]]:
    """A device's state and what there is to remark; pure.

    Args:
        fields: what it told, added up.
        at: when the newest sample was made, in seconds of hub UTC; None where none came.
        now: seconds of hub UTC.
        online: whether it is connected.
        lost: when it lost some of its state, and what, in words.
    """
    found = list(_remarks(Figures(fields))) if at is not None else []
    found.sort(key=lambda one: one.sign not in RISKY)  # what may cost a lesson comes first
    if lost is not None and now - lost[0] < REMEMBERED_S:
        found.append(HealthRemark(sign=Sign.STATE_LOST, values={"words": lost[1]}))
    if not online:
        return HealthState.DOWN, (HealthRemark(sign=Sign.AWAY), *found)
    if at is None:
        return HealthState.UNKNOWN, (HealthRemark(sign=Sign.UNHEARD), *found)
    every_s = Figures(fields).number("every_s") or 0.0
    if now - at > max(STALE_S, MISSED * every_s):
        minutes = round((now - at) / 60)
        return HealthState.UNKNOWN, (HealthRemark(sign=Sign.STALE, values={"minutes": minutes}), *found)
    return (HealthState.DEGRADED if found else HealthState.OK), tuple(found)


class Figures:
    """Reads fields of another program, whatever stands in them."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def number(self, name: str) -> float | None:
        """The number under `name`; None where there is none, or one that no machine has."""
        value = self._fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if -LARGEST <= value <= LARGEST else None

    def text(self, name: str) -> str:
        """The text under `name`; empty where there is none."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """The texts in the list under `name`."""
        value = self._fields.get(name)
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _remarks(told: Figures) -> Iterable[HealthRemark]:
    """What there is to remark on a sample."""
    yield from _disk(told)
    if told.text("camera") == "missing":
        yield HealthRemark(sign=Sign.CAMERA_MISSING)
    if told.text("microphone") == "missing":
        yield HealthRemark(sign=Sign.MICROPHONE_MISSING)
    yield from _machine(told)
    yield from _rows(told)
    yield from _certificate(told)
    times, why = told.number("restarts_day") or 0.0, RESTART_WHY.get(told.text("restart_why"))
    if times >= RESTARTS and why is not None:
        yield HealthRemark(sign=Sign.RESTARTS, values={"times": round(times), "why": why})
    if failed := told.texts("failed"):
        yield HealthRemark(sign=Sign.PROBES_FAIL, values={"words": "; ".join(failed)[:TEXT_MOST]})


def _disk(told: Figures) -> Iterable[HealthRemark]:
    free, floor = told.number("disk_free_mib"), told.number("disk_floor_mib") or 0.0
    if free is None:
        return
    sign = Sign.DISK_FULL if free <= floor + LESSON_MIB else Sign.DISK_LOW
    if free <= floor + DAY_MIB:
        yield HealthRemark(sign=sign, values={"free_mib": round(free)})


def _machine(told: Figures) -> Iterable[HealthRemark]:
    memory = told.number("memory_free_mib")
    if memory is not None and memory < MEMORY_MIB:
        yield HealthRemark(sign=Sign.MEMORY_LOW, values={"free_mib": round(memory)})
    degrees = told.number("temperature_c")
    if degrees is not None and degrees >= HOT_C:
        yield HealthRemark(sign=Sign.HOT, values={"degrees": round(degrees)})
    offset = told.number("clock_offset_ms")
    if offset is not None and abs(offset) > CLOCK_MS:
        yield HealthRemark(sign=Sign.CLOCK_WRONG, values={"seconds": round(abs(offset) / 1000)})


def _rows(told: Figures) -> Iterable[HealthRemark]:
    waiting = {name: told.number(f"{name}_age_s") or 0.0 for name in ("telemetry", "event")}
    if max(waiting.values()) > WAIT_S:
        rows = sum(told.number(f"{name}_rows") or 0.0 for name in waiting)
        minutes = round(max(waiting.values()) / 60)
        yield HealthRemark(sign=Sign.ROWS_WAIT, values={"rows": round(rows), "minutes": minutes})
    dropped = sum(told.number(f"{name}_dropped") or 0.0 for name in waiting)
    if dropped:
        yield HealthRemark(sign=Sign.ROWS_DROPPED, values={"rows": round(dropped)})


def _certificate(told: Figures) -> Iterable[HealthRemark]:
    days = told.number("certificate_days")
    if days is not None and days <= 0:
        yield HealthRemark(sign=Sign.CERTIFICATE_ENDED)
    elif days is not None and days < CERTIFICATE_DAYS:
        yield HealthRemark(sign=Sign.CERTIFICATE_ENDS, values={"days": round(days)})


def _reads(shown: Shown) -> tuple[HealthState, list[Sign]]:
    """What a person reads; figures that move in a sentence are no news."""
    return shown[0], [one.sign for one in shown[1]]


def _hear(told: _Told, one: Arrived) -> None:
    """Add a row to what is known."""
    row, data = one.row, one.row.data
    if row.kind == VERSIONS:
        told.versions = {
            str(name)[:NAME_MOST]: str(value)[:TEXT_MOST] for name, value in list(data.items())[:FIELDS_MOST]
        }
    elif row.kind == LOST:
        told.lost = (_made(one), "; ".join(Figures(data).texts("words"))[:TEXT_MOST])
    elif row.stream != told.stream or row.seq > told.seq:
        if data.get(WHOLE) is True or row.stream != told.stream:
            told.fields = {}
        told.stream, told.seq, told.at = row.stream, row.seq, _made(one)
        fields = told.fields
        for name, value in data.items():
            # Nearly every value is a number: asking that first spares a call for each of a device's thirty fields.
            plain = -LARGEST <= value <= LARGEST if isinstance(value, int | float) else _is_plain(value)
            if plain and len(name) <= NAME_MOST:
                fields[name] = value
        fields.pop(WHOLE, None)
        if len(fields) > FIELDS_MOST:
            told.fields = dict(list(told.fields.items())[-FIELDS_MOST:])


def _is_plain(value: object) -> bool:
    """Whether a value that is no number is one that a probe may tell; nothing else is kept or shown."""
    if isinstance(value, list):
        return len(value) <= LIST_MOST and all(isinstance(one, str) and len(one) <= TEXT_MOST for one in value)
    return value is None or (isinstance(value, str) and len(value) <= TEXT_MOST)


def _made(one: Arrived) -> float:
    """When a row was made, in hub UTC: by the device's own reckoning where it tells its offset, never after it came.

    A device that was cut off hands over rows of hours ago; they must not count as news.
    """
    offset_ms = Figures(one.row.data).number("clock_offset_ms")
    if offset_ms is None:
        return one.received
    return min(one.received, one.row.wall + offset_ms / 1000)
