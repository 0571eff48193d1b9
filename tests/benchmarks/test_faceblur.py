"""The benchmark of the face blur counts what it says."""

from dataclasses import replace

import numpy as np
import pytest

from agent.capture.faces import CAUTION
from benchmarks.crowd import Act, Crowd, Part
from benchmarks.faceblur import judge, watched
from models.centerface import Faces

SECONDS = 2.0


class Blind:
    """A detector that finds nobody."""

    def faces(self, bgr: np.ndarray, score: float) -> Faces:
        assert bgr.shape == (360, 640, 3)
        return Faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@pytest.fixture(scope="module")
def seen():
    return watched(Crowd(Part.REPORT, 0, SECONDS), Blind(), 13, CAUTION.score)


def test_where_nothing_is_covered_every_face_is_bare(seen):
    tally = judge([seen], replace(CAUTION, change=256))
    assert tally.faces["all"] > 300
    assert tally.share == 1
    assert tally.longest_s > 1
    assert max(tally.covered) == 0


def test_where_everything_is_covered_none_is(seen):
    tally = judge([seen], replace(CAUTION, late_s=-1))
    assert tally.share == 0
    assert min(tally.covered) == 1


def test_whoever_keeps_still_and_is_never_found_is_bare_and_whoever_walks_is_not(seen):
    tally = judge([seen])
    assert tally.bare[Act.SIT] > 0.3 * tally.faces[Act.SIT]
    walked = judge([watched(Crowd(Part.REPORT, 0, 8.0), Blind(), 13, CAUTION.score)])
    assert walked.bare[Act.WALK] < 0.5 * walked.faces[Act.WALK]


def test_one_seed_makes_one_sequence_and_the_parts_are_different_ones():
    moments = [next(Crowd(part, 1).moments()) for part in (Part.TUNE, Part.TUNE, Part.REPORT)]
    assert (moments[0].buffer == moments[1].buffer).all()
    assert (moments[0].buffer != moments[2].buffer).mean() > 0.5
    assert len(np.unique(moments[0].labels)) > 8
