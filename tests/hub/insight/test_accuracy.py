import pytest

from hub.insight.accuracy import HIDDEN, beside, widened, wilson
from models.gate import published
from models.manifest import load_manifest


def test_what_the_report_hides_is_what_the_models_gate_does_not_let_through():
    behaviours = load_manifest().behaviour
    assert set(HIDDEN) == {one.name for one in behaviours} - set(published(behaviours))


def test_the_interval_of_a_share_is_wilsons():
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(0.3, 0) == (0.0, 1.0)


def test_the_interval_of_rt_is_widened_by_the_measured_error_and_stays_a_share():
    low, high = wilson(0.5, 80)
    told = widened(0.5, 80, "rt")
    assert (low - told["low"], told["high"] - high) == pytest.approx((beside("rt").mean,) * 2, abs=1e-3)
    assert widened(0.99, 80, "rt")["high"] == 1.0


def test_beside_a_figure_stands_the_larger_error_of_a_detector_that_knows_its_loudspeaker_and_one_that_does_not():
    assert {one: beside(one).on for one in ("frames", "talk", "rt", "ch", "answers")} == {
        "frames": "lessons",
        "talk": "loudspeaker-known",
        "rt": "loudspeaker-known",
        "ch": "loudspeaker-known",
        "answers": "lessons",
    }
    assert beside("waits") is None
