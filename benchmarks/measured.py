"""A figure of the analytics against labels, with the interval that chance alone would leave it in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000
SEED = 1


class LabelsUnreadable(Exception):
    """Labels are not what they should be; the message names the file and the line."""


@dataclass(frozen=True)
class Measured:
    """One figure."""

    part: str
    """`speech`, `people` or `slides`."""
    what: str
    value: float
    low: float | None
    high: float | None
    """Bounds of the 95 % interval: a bootstrap over the files. None with a single file."""
    worst: str
    """The file that is worst, and its value."""
    files: int
    cpu: float | None
    """CPU-seconds for a second of sound or for a picture."""


def over_files(
    part: str,
    what: str,
    rows: Sequence[tuple[str, float, float]],
    cpu: float | None = None,
    *,
    worse: Callable[[float], float] = float,
) -> Measured:
    """A figure over files: the mean, weighted.

    Args:
        part: of the analytics.
        what: in words, with the unit.
        rows: for each file its name, its value (an error, if `worse` says no other) and its weight (seconds, pictures).
        cpu: CPU-seconds for each unit of weight.
        worse: the larger it makes a value, the worse that is.
    """
    names, values, weights = zip(*rows, strict=True)
    value, weight = np.array(values), np.array(weights)
    low = high = None
    if len(rows) > 1:
        chosen = np.random.default_rng(SEED).integers(0, len(rows), (RESAMPLES, len(rows)))
        means = (value[chosen] * weight[chosen]).sum(axis=1) / weight[chosen].sum(axis=1)
        low, high = (float(one) for one in np.quantile(means, (0.025, 0.975)))
    worst = max(range(len(values)), key=lambda at: worse(values[at]))
    mean = float((value * weight).sum() / weight.sum())
    return Measured(part, what, mean, low, high, f"{names[worst]}: {value[worst]:.3f}", len(rows), cpu)
