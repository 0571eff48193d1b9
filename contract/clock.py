"""One clock: four-timestamp exchanges, and the piecewise-linear map they make.

Source of the arithmetic: RFC 5905, section 8 (offset and delay of one exchange).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import Field

from contract.model import Message

DRIFT_BOUND_PPM = 100
"""A quartz that is worse than this is broken; the error of a map grows by it with age."""
WINDOW_S = 300
"""Exchanges older than this no longer compete for the best round trip."""
RAW_KEPT = 400
"""Raw exchanges kept for the package."""


class Exchange(Message):
    """One exchange: sent and received here (`t1`, `t4`), received and sent there (`t2`, `t3`), in ns."""

    t1: int
    t2: int
    t3: int
    t4: int

    @property
    def offset_ns(self) -> int:
        """There minus here."""
        return ((self.t2 - self.t1) + (self.t3 - self.t4)) // 2

    @property
    def round_trip_ns(self) -> int:
        """Time on the way, both ways; never negative."""
        return max(0, (self.t4 - self.t1) - (self.t3 - self.t2))

    @property
    def error_ns(self) -> int:
        """The true offset lies within this of `offset_ns`."""
        return (self.round_trip_ns + 1) // 2


class Segment(Message):
    """From `mono_ns` on: there = `there_ns` + (here - `mono_ns`) * (1 + `rate_ppb` / 1e9)."""

    mono_ns: int
    there_ns: int
    rate_ppb: int = 0
    error_ns: int = Field(ge=0)

    def at(self, mono_ns: int) -> int:
        """The other clock's time at `mono_ns` of this clock, in ns."""
        past = mono_ns - self.mono_ns
        return self.there_ns + past + past * self.rate_ppb // 1_000_000_000


class ClockRecord(Message):
    """The map as a package keeps it: one boot's segments and the raw exchanges behind them."""

    boot: str
    segments: tuple[Segment, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    source: str = Field("exchange", description="`exchange`, or `wall` where the hub was never heard.")


class SessionClock(Protocol):
    """Maps this device's monotonic clock to hub UTC."""

    def hub_ns(self, mono_ns: int) -> int:
        """Hub UTC in ns at `mono_ns` of this device's monotonic clock."""

    def error_ns(self, mono_ns: int) -> int:
        """Bound of the error of `hub_ns`, in ns."""


def session_t(clock: SessionClock, epoch: float, mono_ns: int) -> float:
    """Session time in seconds, to the microsecond, of a moment on this device's monotonic clock."""
    return round((clock.hub_ns(mono_ns) - round(epoch * 1e9)) / 1e9, 6)


def mono_at(clock: SessionClock, hub_s: float, mono_ns: int) -> int:
    """The moment on this device's monotonic clock at which hub UTC is `hub_s`; `mono_ns` is now."""
    ahead = round(hub_s * 1e9) - clock.hub_ns(mono_ns)
    return mono_ns + ahead


@dataclass
class ClockMap:
    """Estimates another clock from exchanges; the exchange with the least round trip wins.

    Not thread-safe: one owner adds, and copies are handed out with `record`.
    """

    boot: str
    segments: list[Segment] = field(default_factory=list)
    raw: list[Exchange] = field(default_factory=list)
    source: str = "exchange"

    @classmethod
    def from_wall(cls, boot: str, mono_ns: int, wall_ns: int, error_ns: int = 2_000_000_000) -> "ClockMap":
        """A map for a device that never heard the hub: its own wall clock, with a large error."""
        return cls(boot, [Segment(mono_ns=mono_ns, there_ns=wall_ns, error_ns=error_ns)], [], "wall")

    @classmethod
    def from_record(cls, record: ClockRecord) -> "ClockMap":
        """Go on from a record of the same boot."""
        return cls(record.boot, list(record.segments), list(record.exchanges), record.source)

    @property
    def known(self) -> bool:
        """Whether the map has anything to say."""
        return bool(self.segments)

    def add(self, exchange: Exchange) -> None:
        """Take one exchange; a new segment begins when it says better than the map does.

        Raises:
            ValueError: the timestamps run backwards.
        """
        if exchange.t4 < exchange.t1 or exchange.t3 < exchange.t2:
            raise ValueError(f"timestamps of an exchange run backwards: {exchange}")
        self.raw.append(exchange)
        del self.raw[:-RAW_KEPT]
        recent = [one for one in self.raw if exchange.t4 - one.t4 <= WINDOW_S * 1_000_000_000 and _agree(one, exchange)]
        best = min(recent, key=lambda one: one.error_ns + _aged(exchange.t4 - one.t4))
        rate = _rate_ppb(recent)
        error = best.error_ns
        new = Segment(mono_ns=best.t4, there_ns=best.t4 + best.offset_ns, rate_ppb=rate, error_ns=error)
        if self.source == "wall":
            self.segments.clear()
            self.source = "exchange"
        last = self.segments[-1] if self.segments else None
        if last is None:
            self.segments.append(new)
            return
        here = exchange.t4
        jump = abs(new.at(here) - last.at(here))
        bound_new = new.error_ns + _aged(here - new.mono_ns)
        bound_last = last.error_ns + _aged(here - last.mono_ns)
        if jump > bound_last + bound_new or bound_new < bound_last:
            self.segments.append(Segment(mono_ns=here, there_ns=new.at(here), rate_ppb=rate, error_ns=bound_new))

    def hub_ns(self, mono_ns: int) -> int:
        """The other clock at `mono_ns` of this one, in ns.

        Raises:
            LookupError: nothing is known yet.
        """
        return self._segment(mono_ns).at(mono_ns)

    def error_ns(self, mono_ns: int) -> int:
        """Bound of the error of `hub_ns`, in ns; grows with the distance from the last exchange."""
        segment = self._segment(mono_ns)
        return segment.error_ns + _aged(abs(mono_ns - segment.mono_ns))

    def record(self) -> ClockRecord:
        """A copy to keep in a package."""
        return ClockRecord(boot=self.boot, segments=tuple(self.segments), exchanges=tuple(self.raw), source=self.source)

    def _segment(self, mono_ns: int) -> Segment:
        if not self.segments:
            raise LookupError("no clock exchange with the hub yet")
        for segment in reversed(self.segments):
            if segment.mono_ns <= mono_ns:
                return segment
        return self.segments[0]


def _aged(age_ns: int) -> int:
    return age_ns * DRIFT_BOUND_PPM // 1_000_000


def _agree(old: Exchange, new: Exchange) -> bool:
    """Whether both can be true of two clocks that run; else one stepped: a machine slept, a hub's time was set."""
    apart = abs(new.offset_ns - old.offset_ns)
    return apart <= old.error_ns + new.error_ns + _aged(new.t4 - old.t4)


def _rate_ppb(exchanges: Sequence[Exchange]) -> int:
    """Drift between the best exchange of the older and of the newer half, where they are a minute apart."""
    half = len(exchanges) // 2
    if half < 2:
        return 0
    old = min(exchanges[:half], key=lambda one: one.round_trip_ns)
    new = min(exchanges[half:], key=lambda one: one.round_trip_ns)
    span = new.t4 - old.t4
    if span < 60_000_000_000:
        return 0
    rate = (new.offset_ns - old.offset_ns) * 1_000_000_000 // span
    noise = (new.error_ns + old.error_ns) * 1_000_000_000 // span
    limit = DRIFT_BOUND_PPM * 1000
    return max(-limit, min(limit, rate)) if abs(rate) > noise else 0
