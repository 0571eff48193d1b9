"""What may be told of people's behaviour: only what was measured well enough in rooms that nobody tuned on.

A random split of pictures is no such measure: neighbouring pictures of one room leak from one part into the
other. Raised hands had an average precision of 0.71 that way, and of 0.13 on rooms left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models.behaviour import Bar, Behaviour, Measured


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one behaviour is told."""

    name: str
    reasons: tuple[str, ...]
    """Why not, in words; empty where it passes."""
    measured: Measured | None

    @property
    def passes(self) -> bool:
        """Whether it may be told."""
        return not self.reasons


def judged(behaviour: Behaviour, measured: Measured | None = None) -> Verdict:
    """Hold one behaviour's figure, or another that is given instead, against its bar."""
    figure = measured or behaviour.measured
    if figure is None:
        return Verdict(behaviour.name, ("nobody has measured this rule",), None)
    reasons = list(_short(behaviour.bar, figure))
    if behaviour.threshold is None:
        reasons.append("no threshold was chosen")
    return Verdict(behaviour.name, tuple(reasons), figure)


def published(behaviours: Sequence[Behaviour]) -> dict[str, float]:
    """Thresholds of the behaviours that pass, by name; whatever is not in it is not told to anybody."""
    return {one.name: one.threshold for one in behaviours if one.threshold is not None and judged(one).passes}


def _short(bar: Bar, figure: Measured) -> list[str]:
    """What the figure falls short of, in words."""
    counts: Mapping[str, tuple[int | None, int]] = {
        "labelled people": (figure.people, bar.people),
        "of them who did it": (figure.positives, bar.positives),
        "rooms": (figure.rooms, bar.rooms),
    }
    reasons = []
    if figure.average_precision < bar.average_precision:
        reasons.append(
            f"average precision {figure.average_precision:.2f}, at least {bar.average_precision:.2f} is asked"
        )
    for what, (has, least) in counts.items():
        if has is None or has < least:
            reasons.append(f"{'an unknown number' if has is None else has} {what}, at least {least} are asked")
    if not figure.unseen:
        reasons.append("the rooms were used to choose the rule or its threshold")
    if figure.accuracy is None or figure.majority is None:
        reasons.append("no accuracy beside that of always saying the commoner")
    elif figure.accuracy < figure.majority + bar.above_majority:
        reasons.append(
            f"accuracy {figure.accuracy:.2f} where always saying the commoner has {figure.majority:.2f}, "
            f"at least {bar.above_majority:.2f} more is asked"
        )
    return reasons


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float | None:
    """Area under precision over recall; None where no label is positive.

    Formula: mean over the positives of the precision at their score, with equal scores taken together; NaN scores
    (what a rule could not assess) come last, so that leaving out the hard ones does not help.

    Args:
        scores: higher for surer, shape (people,).
        labels: whether they did it, shape (people,).

    Raises:
        ValueError: not as many labels as scores.

    Source: non-interpolated average precision, Manning, Raghavan, Schuetze, "Introduction to Information
    Retrieval" (2008), section 8.4.
    """
    score = np.nan_to_num(np.asarray(scores, np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    did = np.asarray(labels, np.bool_)
    if score.shape != did.shape or score.ndim != 1:
        raise ValueError(f"{score.shape} scores for {did.shape} labels")
    if not did.any():
        return None
    values, which = np.unique(-score, return_inverse=True)
    taken = np.cumsum(np.bincount(which, minlength=len(values)))
    right = np.cumsum(np.bincount(which, did, minlength=len(values)))
    gained = np.diff(right, prepend=0)
    return float((gained * right / taken).sum() / did.sum())
