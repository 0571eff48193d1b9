"""What people do, by the rules of a keypoint: hands up, standing, heads up. Hidden until it is measured.

Each rule gives a score, higher for surer, and NaN where it cannot be told (a wrist under the desk). A rule is
told only where `models.gate` publishes its behaviour, which asks for a figure on rooms that nobody tuned on,
and with the threshold that belongs to that figure. Today none has one.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.observe.finding import Finding
from measures.people import rate

NOSE: Final = 0
EARS: Final = (3, 4)
SHOULDERS: Final = (5, 6)
ELBOWS: Final = (7, 8)
WRISTS: Final = (9, 10)
HIPS: Final = (11, 12)
KNEES: Final = (13, 14)
SEEN: Final = 0.127
"""Least score of a keypoint that a rule uses: the published graph leaves others out of a pose."""

FloatArray = NDArray[np.float32]
Rule = Callable[[FloatArray], FloatArray]


def hand_raised(keypoints: FloatArray) -> FloatArray:
    """How far the higher wrist is above its shoulder, in widths of the shoulders.

    Pupils who raise a forearm with the elbow on the desk, as is usual in Chinese classrooms, stay under their
    shoulder: the rule misses them.

    Args:
        keypoints: across, down in pixels and score, shape (people, 17, 3).

    Returns:
        Shape (people,); NaN where no wrist or not both shoulders are seen.
    """
    down = _down(keypoints)
    above = down[:, SHOULDERS] - down[:, WRISTS]
    return _per_shoulders(keypoints, _highest(above))


def standing(keypoints: FloatArray) -> FloatArray:
    """How far the knees are below the hips, as a share of the body from shoulders to hips.

    About 1 for somebody who stands, less for somebody who sits, seen from before; NaN where hips, knees and
    shoulders are not seen on one side at least, as behind a desk. Shape (people, 17, 3) to (people,).
    """
    down = _down(keypoints)
    body = down[:, HIPS] - down[:, SHOULDERS]
    thigh = down[:, KNEES] - down[:, HIPS]
    return _highest(np.where(body > 0, thigh / np.where(body > 0, body, 1), np.nan).astype(np.float32))


def head_up(keypoints: FloatArray) -> FloatArray:
    """How far the nose is above the shoulders, in widths of the shoulders: less where the head is bent.

    NaN where the nose or not both shoulders are seen; so who is turned away is not assessed. Shape (people, 17, 3)
    to (people,).
    """
    down = _down(keypoints)
    return _per_shoulders(keypoints, down[:, SHOULDERS].mean(axis=1) - down[:, NOSE])


RULES: Final[Mapping[str, Rule]] = {"hand-raised": hand_raised, "standing": standing, "head-up": head_up}
"""By the name of the behaviour in the manifest."""


class PosePart:
    """Tells what people do, as far as the gate publishes it."""

    def __init__(self, thresholds: Mapping[str, float]) -> None:
        """`thresholds`: of the behaviours that are published, and of no others (models.gate.published)."""
        self._thresholds = {name: thresholds[name] for name in RULES if name in thresholds}

    def update(self, keypoints: FloatArray, present: int, mono_ns: int) -> list[Finding]:
        """Tell one look, a finding for each published behaviour.

        The value is `share` of the people assessed (null under a coverage of 0.8 or five people), `count`,
        `assessed` and `present`.

        Args:
            keypoints: across, down in pixels and score, shape (people, 17, 3).
            present: people who are there, assessed or not.
            mono_ns: when the picture was taken.
        """
        findings = []
        for name, threshold in self._thresholds.items():
            scores = RULES[name](keypoints)
            assessed = int(np.isfinite(scores).sum())
            count = int((scores[np.isfinite(scores)] >= threshold).sum())
            told = rate(count, assessed, present)
            value = {"share": told.share, "count": count, "assessed": assessed, "present": present}
            findings.append(Finding(name, mono_ns, confidence=round(told.coverage, 3), value=value))
        return findings


def _down(keypoints: FloatArray) -> FloatArray:
    """How far down each keypoint is, NaN where it is not seen; shape (people, 17)."""
    return np.where(keypoints[:, :, 2] >= SEEN, keypoints[:, :, 1], np.float32(np.nan)).astype(np.float32)


def _highest(values: FloatArray) -> FloatArray:
    """The higher of two sides, the other where one is NaN; shape (people, 2) to (people,)."""
    return np.fmax(values[:, 0], values[:, 1])


def _per_shoulders(keypoints: FloatArray, values: FloatArray) -> FloatArray:
    """In widths of the shoulders; NaN where not both are seen or one covers the other."""
    left, right = keypoints[:, SHOULDERS[0]], keypoints[:, SHOULDERS[1]]
    wide = np.hypot(left[:, 0] - right[:, 0], left[:, 1] - right[:, 1])
    seen = (np.minimum(left[:, 2], right[:, 2]) >= SEEN) & (wide >= 1)
    return np.where(seen, values / np.where(seen, wide, 1), np.float32(np.nan)).astype(np.float32)
