import numpy as np
import pytest

from agent.observe.pose import RULES, PosePart, hand_raised, head_up, standing
from models.gate import published
from models.manifest import load_manifest

LEFT, RIGHT = 130.0, 70.0


def figure(**down: float) -> np.ndarray:
    """Somebody seen from before, shoulders 60 pixels apart at 100; how far down the rest is can be said."""
    at = {"nose": 50, "ears": 48, "shoulders": 100, "elbows": 150, "wrists": 180, "hips": 190, "knees": 240} | down
    points = np.zeros((17, 3), np.float32)
    points[:, 2] = 0.8
    points[0:5, 0] = 100
    points[5::2, 0], points[6::2, 0] = LEFT, RIGHT
    points[0:3, 1], points[3:5, 1] = at["nose"], at["ears"]
    for number, name in enumerate(("shoulders", "elbows", "wrists", "hips", "knees")):
        points[5 + 2 * number : 7 + 2 * number, 1] = at[name]
    return points


def hidden(points: np.ndarray, *which: int) -> np.ndarray:
    points = points.copy()
    points[list(which), 2] = 0.05
    return points


def one(rule, points: np.ndarray) -> float:
    (score,) = rule(points[None])
    return float(score)


def test_a_hand_over_the_shoulder_scores_higher_than_one_on_the_desk():
    up = figure()
    up[9, 1] = 40
    assert one(hand_raised, up) == pytest.approx(1.0)
    assert one(hand_raised, figure()) == pytest.approx(-80 / 60)


def test_one_wrist_is_enough_and_none_cannot_be_told():
    up = figure()
    up[9, 1] = 40
    assert one(hand_raised, hidden(up, 10)) == pytest.approx(1.0)
    assert np.isnan(one(hand_raised, hidden(up, 9, 10)))
    assert np.isnan(one(hand_raised, hidden(up, 5)))


def test_who_stands_scores_higher_than_who_sits():
    assert one(standing, figure(hips=190, knees=280)) == pytest.approx(1.0)
    assert one(standing, figure(hips=190, knees=210)) == pytest.approx(20 / 90, abs=1e-3)
    assert np.isnan(one(standing, hidden(figure(), 13, 14))), "behind a desk"


def test_a_bent_head_scores_lower_and_who_is_turned_away_cannot_be_told():
    assert one(head_up, figure(nose=40)) > one(head_up, figure(nose=80))
    assert np.isnan(one(head_up, hidden(figure(), 0)))


def test_shoulders_that_cover_one_another_divide_by_nothing():
    side = figure()
    side[5:7, 0] = 100
    assert np.isnan(one(head_up, side))


@pytest.mark.parametrize("name", RULES)
def test_nobody_has_no_scores(name: str):
    assert RULES[name](np.zeros((0, 17, 3), np.float32)).shape == (0,)


def test_today_no_rule_is_measured_well_enough_and_nothing_is_told():
    thresholds = published(load_manifest().behaviour)
    assert PosePart(thresholds).update(figure()[None].repeat(9, axis=0), 9, 7) == []


def test_every_behaviour_of_the_manifest_has_a_rule():
    assert {behaviour.name for behaviour in load_manifest().behaviour} == set(RULES)


def test_what_the_gate_publishes_is_told_with_its_coverage():
    up = figure()
    up[9, 1] = 40
    people = np.stack([up, up] + [figure()] * 6 + [hidden(figure(), 9, 10)] * 2)
    (told,) = PosePart({"hand-raised": 0.2}).update(people, 10, 7)
    assert (told.kind, told.mono_ns, told.confidence) == ("hand-raised", 7, 0.8)
    assert told.value == {"share": 0.25, "count": 2, "assessed": 8, "present": 10}
    (told,) = PosePart({"hand-raised": 0.2}).update(people, 11, 7)
    assert told.value["share"] is None
