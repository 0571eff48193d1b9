"""What a probe is, and when what it found is worth telling again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

Value = bool | int | float | str | list[str] | None
"""What may stand in a sample: flat, so that any reader of telemetry can take it apart."""
Reading = Mapping[str, Value]
"""What one look of a probe gives, by field; units stand in the names."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that is looked at again and again."""

    name: str
    look: Callable[[], Reading]
    """May take long, hang or raise: it has a thread of its own."""
    every_s: float = 0.0
    """Least time between two looks, in seconds; 0 looks for every sample."""
    always: frozenset[str] = frozenset()
    """Fields that stand in every sample; others only when they changed, and now and then."""
    steps: Mapping[str, float] = field(default_factory=dict)
    """By how much a number must have moved since it was told last to count as changed."""


def changed(told: Value, now: Value, step: float) -> bool:
    """Whether `now` says something that `told` did not; numbers that moved by less than `step` do not."""
    if _is_number(told) and _is_number(now):
        return abs(now - told) >= step if step else now != told
    return told != now


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
