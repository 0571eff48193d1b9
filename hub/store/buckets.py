"""Samples summed up by the minute and the hour: pure, no database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

Step = Literal["minute", "hour"]
STEPS_S: Mapping[Step, int] = {"minute": 60, "hour": 3600}
"""Length of a bucket, in seconds."""
NAMES_MOST = 64
"""Numbers of one bucket that are kept apart; further names are left out."""
NAME_LIMIT = 64
DEPTH_MOST = 4
LARGEST = 1e18
"""Numbers beyond it are no measurements, and sums of them would not stay finite."""
EARLY_S = 5.0
LATE_S = 30 * 86_400.0
"""A wall clock can be right where the row arrived at most so much before and so long after what it says."""
LIVE_S = 10.0
"""A boot whose rows span this long here is judged by its pace."""
PACE_SLACK_S = 10.0
BREATH = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """A stored row, as far as it is summed up."""

    id: int
    device: str
    kind: str
    boot: str
    mono_ns: int
    wall: float
    received: float
    data: str
    """JSON."""


class Key(NamedTuple):
    """A bucket's name; `start` in seconds of hub UTC."""

    step: Step
    device: str
    kind: str
    start: int


@dataclass(slots=True)
class Bucket:
    """Rows of one device and kind in one minute or hour."""

    rows: int = 0
    numbers: dict[str, list[float]] = field(default_factory=dict)
    """By name: smallest, largest, sum and count."""

    def add(self, found: Mapping[str, float]) -> None:
        """One more row, with these numbers."""
        self.rows += 1
        numbers = self.numbers
        for name, value in found.items():
            known = numbers.get(name)
            if known is None:
                if len(numbers) < NAMES_MOST:
                    numbers[name] = [value, value, value, 1]
                continue
            if value < known[0]:  # noqa: PLR1730  a call of min for each number would cost as much as all the rest
                known[0] = value
            if value > known[1]:  # noqa: PLR1730
                known[1] = value
            known[2] += value
            known[3] += 1

    def merge(self, other: "Bucket") -> None:
        """Everything of `other` as well."""
        self.rows += other.rows
        for name, (low, high, total, count) in other.numbers.items():
            known = self.numbers.get(name)
            if known is not None:
                known[:] = min(known[0], low), max(known[1], high), known[2] + total, known[3] + count
            elif len(self.numbers) < NAMES_MOST:
                self.numbers[name] = [low, high, total, count]

    def to_json(self) -> str:
        """The numbers as text."""
        return to_json(self.numbers).decode()

    @classmethod
    def from_json(cls, rows: int, text: str) -> "Bucket":
        """What `to_json` wrote."""
        return cls(rows, from_json(text))


class _Pace:
    """How the rows of one boot came, to tell what is live from what had waited."""

    __slots__ = ("behind", "first_mono", "first_received", "last_mono", "last_received")

    def __init__(self, mono: float, received: float) -> None:
        self.first_mono = self.last_mono = mono
        self.first_received = self.last_received = received
        self.behind = received - mono

    def add(self, mono: float, received: float) -> None:
        self.first_mono, self.last_mono = min(self.first_mono, mono), max(self.last_mono, mono)
        self.first_received, self.last_received = min(self.first_received, received), max(self.last_received, received)
        self.behind = min(self.behind, received - mono)

    @property
    def live(self) -> bool:
        """Whether the rows came as fast as they happened; what had waited comes much faster."""
        span = self.last_mono - self.first_mono
        return LIVE_S <= span <= self.last_received - self.first_received + PACE_SLACK_S


class Times:
    """When samples happened, in hub UTC, as well as that can be told without asking their devices.

    Rows that came as fast as they happened are placed by the monotonic clock, and so are those whose wall clock cannot
    be right; rows that had waited are placed by the wall clock. The answer hangs on these samples alone.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._paces: dict[tuple[str, str], _Pace] = {}
        for one in samples:
            key, mono = (one.device, one.boot), one.mono_ns / 1e9
            if key in self._paces:
                self._paces[key].add(mono, one.received)
            else:
                self._paces[key] = _Pace(mono, one.received)

    def of(self, sample: Sample) -> float:
        """When `sample`, one of them, happened; never after it arrived."""
        pace = self._paces[sample.device, sample.boot]
        waited = sample.received - sample.wall
        if pace.live or not -EARLY_S <= waited <= LATE_S:
            return sample.mono_ns / 1e9 + pace.behind
        return min(sample.wall, sample.received)


def summed(samples: Sequence[Sample], breathe: Callable[[], object] = lambda: None) -> dict[Key, Bucket]:
    """Every sample, counted once in its minute and once in its hour.

    `breathe` is called every few samples: other threads may want the interpreter meanwhile.
    """
    times = Times(samples)
    buckets: dict[Key, Bucket] = {}
    for index, sample in enumerate(samples, start=1):
        if index % BREATH == 0:
            breathe()
        key = Key("minute", sample.device, sample.kind, _start(times.of(sample), "minute"))
        if key not in buckets:
            buckets[key] = Bucket()
        buckets[key].add(numbers(sample.data))
    for key, minute in list(buckets.items()):
        hour = key._replace(step="hour", start=_start(key.start, "hour"))
        buckets.setdefault(hour, Bucket()).merge(minute)
    return buckets


def _start(at: float, step: Step) -> int:
    return int(at // STEPS_S[step]) * STEPS_S[step]


def numbers(data: str) -> dict[str, float]:
    """The numbers in a row's data, by name; names of nested ones are joined by dots, yes and no count as 1 and 0."""
    found: dict[str, float] = {}
    _gather(from_json(data), "", DEPTH_MOST, found)
    return found


def _gather(held: dict[str, Any], prefix: str, depth: int, found: dict[str, float]) -> None:
    for key, value in held.items():
        if isinstance(value, int | float):
            if -LARGEST <= value <= LARGEST and 0 < len(prefix) + len(key) <= NAME_LIMIT:
                found[prefix + key] = float(value)
        elif isinstance(value, dict) and depth > 1:
            _gather(value, f"{prefix}{key}.", depth - 1, found)
