"""How far off the detectors were when they were measured: the figures that stand beside the report's own.

One place, so that the report says what docs/performance.md says (its table "Who speaks", and "Where we stand").
All of it on other rooms than the reader's: built from read English or foreign recordings. Real classrooms are worse.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

Z95 = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""
HIDDEN = ("hand-raised", "standing", "head-up")
"""Behaviours that are not told to anybody: none passes its bar in models/manifest.toml (`models.gate`)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One error that was measured."""

    about: str
    """What of the report it stands beside."""
    mean: float
    worst: float | None
    """Of the worst lesson; None where it was not told."""
    unit: str
    """`off`: by how much a share is off; `wrong`: the share of the time that is told wrongly; `found`: the share
    that is found of what is there, and so `worst` is the lowest."""
    on: str
    """Which data it was measured on: `lessons` or `loudspeaker-known` (synthetic lessons of two rooms, the second with
    a detector that knows what its loudspeaker plays), `ami`, `classroom-pictures`, `rendered-slides`."""


MEASURED: Sequence[Measured] = (
    Measured("frames", 0.098, 0.167, "wrong", "lessons"),
    Measured("frames", 0.066, 0.133, "wrong", "loudspeaker-known"),
    Measured("speech", 0.050, None, "wrong", "ami"),
    Measured("talk", 0.015, 0.022, "off", "lessons"),
    Measured("talk", 0.017, 0.038, "off", "loudspeaker-known"),
    Measured("rt", 0.028, 0.070, "off", "lessons"),
    Measured("rt", 0.041, 0.087, "off", "loudspeaker-known"),
    Measured("ch", 0.051, 0.137, "off", "lessons"),
    Measured("ch", 0.052, 0.097, "off", "loudspeaker-known"),
    Measured("answers", 0.761, 0.38, "found", "lessons"),
    Measured("answers", 0.841, 0.67, "found", "loudspeaker-known"),
    Measured("people", 0.89, None, "found", "classroom-pictures"),
    Measured("slides", 1.0, None, "found", "rendered-slides"),
)
"""Source: docs/performance.md, 22 November 2026. Rt and Ch were measured at 3 s; of 88 answers 7 more, or 10 more with
the loudspeaker known, were told that there were not."""


def beside(about: str) -> Measured | None:
    """The error to stand beside a figure: of the harder case where both were measured."""
    found = [one for one in MEASURED if one.about == about]
    return max(found, key=lambda one: 1 - one.mean if one.unit == "found" else one.mean, default=None)


def accuracy_json() -> list[dict[str, Any]]:
    """All of it as what JSON knows."""
    return [asdict(one) for one in MEASURED]


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share that was seen in `n` samples.

    Formula: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), with z = 1.96; from 0 to 1 without a sample.

    Source: E. B. Wilson, Probable Inference, JASA 22 (1927).
    """
    if n <= 0:
        return 0.0, 1.0
    square = Z95 * Z95
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 * sqrt(max(0.0, share * (1 - share) / n + square / (4 * n * n))) / (1 + square / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def widened(share: float, n: int, about: str) -> dict[str, float]:
    """Interval of Rt or Ch: that of the sampling, widened on both sides by the mean measured error of the detector.

    Neighbouring samples are not independent, so the sampling's part is a proposal; the two are added, not combined,
    because nobody knows that they are independent.
    """
    low, high = wilson(share, n)
    off = found.mean if (found := beside(about)) else 0.0
    return {"low": round(max(0.0, low - off), 4), "high": round(min(1.0, high + off), 4)}
