"""How the values of a measure are spread over lessons: known of all, median, middle half."""

from collections.abc import Iterable, Sequence

from pydantic import Field

from hub.session.views import View

LEAST = 3
"""Fewer known values than this have no median: the report says how many there are."""


class Spread(View):
    """Values of one measure over the lessons of a month."""

    unit: str
    known: int = Field(description="Lessons in which it is known.")
    of: int = Field(description="Lessons in which it could be.")
    median: float | None = Field(None, description="None with fewer than three known values.")
    low: float | None = Field(None, description="A quarter of the values lie below: the lower quartile.")
    high: float | None = Field(None, description="A quarter of the values lie above.")
    least: float | None = None
    most: float | None = None


def spread(values: Iterable[float | None], unit: str) -> Spread:
    """The spread of values, of which None is unknown.

    Formula: quantiles by linear interpolation between the sorted values (Hyndman & Fan 1996, type 7).

    >>> spread([1, 2, None, 3, 4, 5], "count").median
    3.0
    """
    told = list(values)
    known = sorted(float(one) for one in told if one is not None)
    if len(known) < LEAST:
        return Spread(unit=unit, known=len(known), of=len(told))
    return Spread(
        unit=unit,
        known=len(known),
        of=len(told),
        median=_quantile(known, 0.5),
        low=_quantile(known, 0.25),
        high=_quantile(known, 0.75),
        least=round(known[0], 4),
        most=round(known[-1], 4),
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (at - below) * (ordered[above] - ordered[below]), 4)
