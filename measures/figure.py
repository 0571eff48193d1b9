"""A measured value with all that must travel with it: unit, coverage, interval, confidence, and why it is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

COVERAGE = 0.8
"""Least share of the time that must be known; under it a figure is unknown (observe research, section 6)."""

EVENTS = {"events": True}
"""Metadata of fields that list single events; a summary leaves them out."""


class Reason(StrEnum):
    """Why a figure is unknown."""

    EMPTY = "empty"
    """The lesson, or the stretch asked for, has no length."""
    COVERAGE = "coverage"
    """Less than 80 % of the time is known."""
    NO_LEAD = "no-lead"
    """The lead room was not listened to, or too little: what belongs to the whole session cannot be said."""
    NO_ROOM = "no-room"
    """No class follows the lesson from another room: what would be said of one is not asked for."""
    CLOCK = "clock"
    """The rooms' clocks are not known well enough against each other to tell which room spoke first."""
    CROSS_TALK = "cross-talk"
    """Another room of the session was not listened to, so its pupils may be what was heard here in the loudspeaker."""
    VOICES = "voices"
    """A receiving room took the lead teacher in its loudspeaker for its own: who of that room speaks is not known."""
    NO_SPEECH = "no-speech"
    """Nobody spoke, so there is nothing to share out."""
    NONE_SEEN = "none-seen"
    """Nothing of the kind happened."""
    TOO_FEW = "too-few"
    """It happened too seldom for a typical value."""
    INTERVAL = "interval"
    """The sampling interval is not one for which the limits of the types were made."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, or unknown with the reason."""

    value: float | str | None
    unit: str
    """`s`, `share`, `count`, `type`, `per-minute`."""
    coverage: float
    """Share of the time that is known, 0 to 1."""
    interval_s: float
    """Sampling interval of what it is made of, in seconds."""
    reason: Reason | None = None
    """Why it is unknown; None where it is known."""
    confidence: float | None = None
    """Mean confidence of the spans it is made of; None where none was told."""
    count: int | None = None
    """How many events or samples it is made of; None where that means nothing."""

    @property
    def known(self) -> bool:
        """Whether it has a value."""
        return self.value is not None

    def to_json(self) -> dict[str, Any]:
        """All of it, rounded to what can be meant; `reason` only where it is unknown, `count` only where it has one."""
        value = round(self.value, 4) if isinstance(self.value, float) else self.value
        out: dict[str, Any] = {
            "value": value,
            "unit": self.unit,
            "coverage": round(self.coverage, 4),
            "interval_s": self.interval_s,
            "confidence": None if self.confidence is None else round(self.confidence, 4),
        }
        if self.count is not None:
            out["count"] = self.count
        if self.reason is not None:
            out["reason"] = self.reason.value
        return out


@dataclass(frozen=True, slots=True)
class Ground:
    """What a family of figures stands on; makes them, known or unknown."""

    coverage: float
    interval_s: float
    confidence: float | None = None
    missing: Reason | None = None
    """Why none of them can be known, whatever the coverage."""

    @property
    def reason(self) -> Reason | None:
        """Why figures of this ground are unknown; None where they are known."""
        return self.missing or (Reason.COVERAGE if self.coverage < COVERAGE else None)

    def figure(
        self, value: float | str | None, unit: str, *, reason: Reason | None = None, count: int | None = None
    ) -> Figure:
        """A figure on this ground; `reason` is told where the ground would hold but the value is unknown.

        What is not asked for of this lesson stays so, however much of it is known.
        """
        why = reason if reason is Reason.NO_ROOM else self.reason or reason
        return Figure(
            None if why else value, unit, self.coverage, self.interval_s, why, None if why else self.confidence, count
        )


def ground(
    coverage: float, interval_s: float, seconds: float, confidence: float | None = None, missing: Reason | None = None
) -> Ground:
    """The ground of figures over `seconds`; without any time they are all unknown."""
    return Ground(coverage, interval_s, confidence, Reason.EMPTY if seconds <= 0 else missing)


def as_json(thing: Any, *, events: bool = True) -> Any:
    """Anything made of dataclasses, figures, mappings and sequences as what JSON knows; fields keep their names.

    Args:
        thing: what is to be told.
        events: whether fields marked as `EVENTS` come along.
    """
    if isinstance(thing, Figure):
        return thing.to_json()
    if is_dataclass(thing) and not isinstance(thing, type):
        told = [one.name for one in fields(thing) if events or one.metadata != EVENTS]
        return {name: as_json(getattr(thing, name), events=events) for name in told}
    if isinstance(thing, Mapping):
        return {str(key): as_json(value, events=events) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [as_json(one, events=events) for one in thing]
    return round(thing, 4) if isinstance(thing, float) else thing
