"""What an observation's value holds, read with doubt: a room may have written anything, a crash may have torn it."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from contract.observation import Observation
from measures.cadence import Cadence

SIGNS_MOST = 200
"""Longest title that is shown, in signs."""
PEOPLE_MOST = 1000
"""More people are in no classroom: the count is a fault."""
INTERVAL_MOST_S = 3600.0
"""A longer time between two samples is a fault."""


def number(told: Any, low: float, high: float) -> float | None:
    """A number within these bounds; None for anything else, such as a truth value, a text or no number at all."""
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return float(told) if math.isfinite(told) and low <= told <= high else None


def whole(told: Any, low: int, high: int) -> int | None:
    """A whole number within these bounds; None for anything else."""
    return told if isinstance(told, int) and not isinstance(told, bool) and low <= told <= high else None


def words(told: Any) -> str:
    """A text in one line of printable signs, at most `SIGNS_MOST`; empty for anything else."""
    if not isinstance(told, str):
        return ""
    return "".join(sign for sign in " ".join(told.split()) if sign.isprintable())[:SIGNS_MOST].strip()


def moment(t: float) -> float:
    """A session time as the report tells it, to the millisecond."""
    return round(t, 3)


def cadence_of(lines: Iterable[Observation], keys: Sequence[str], default_s: float) -> Cadence:
    """How often one thing was looked at: under the first of these keys that a `cadence` line has."""
    told = [one for one in lines if one.kind == "cadence"]
    every = [
        next((found for key in keys if (found := number(one.value.get(key), 1e-3, INTERVAL_MOST_S))), default_s)
        for one in told
    ]
    return Cadence.told(zip((one.t for one in told), every, strict=True), default_s)
