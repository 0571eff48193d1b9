import numpy as np

from agent.observe.board import BoardPart
from agent.observe.view import Rectangle

BOARD = Rectangle(0.2, 0.1, 0.8, 0.5)


def told(*boxes: tuple[float, float, float, float]) -> dict[str, object]:
    (finding,) = BoardPart(BOARD).update(np.asarray(boxes, np.float32).reshape(-1, 4), 7)
    assert (finding.kind, finding.mono_ns, finding.confidence) == ("board", 7, None)
    return finding.value


def test_the_position_runs_along_the_board():
    assert told((0.15, 0.1, 0.25, 0.5)) == {"position": 0.0, "people": 1}
    assert told((0.45, 0.15, 0.55, 0.6)) == {"position": 0.5, "people": 1}


def test_with_several_the_tallest_is_followed():
    assert told((0.3, 0.2, 0.4, 0.45), (0.6, 0.1, 0.7, 0.6)) == {"position": 0.75, "people": 2}


def test_pupils_in_front_and_people_beside_are_not_at_the_board():
    head_that_reaches_in = (0.4, 0.45, 0.45, 0.6)
    beside = (0.85, 0.1, 0.95, 0.5)
    below = (0.4, 0.6, 0.5, 1.0)
    assert told(head_that_reaches_in, beside, below) == {"position": None, "people": 0}


def test_nobody_is_not_unknown():
    assert told() == {"position": None, "people": 0}
    (finding,) = BoardPart(BOARD).update(None, 7)
    assert finding.value == {"position": None, "people": None}
