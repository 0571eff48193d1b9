import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.behaviour import Bar, Behaviour, Measured
from models.gate import average_precision, judged, published


def figure(**changes: object) -> Measured:
    well = {"average_precision": 0.85, "people": 900, "positives": 120, "rooms": 4, "unseen": True}
    return Measured.model_validate(well | {"accuracy": 0.95, "majority": 0.87, "data": "four rooms"} | changes)


def behaviour(measured: Measured | None, threshold: float | None = 0.5) -> Behaviour:
    return Behaviour(name="hand-raised", model="movenet-multipose", rule="up", threshold=threshold, measured=measured)


def test_a_figure_over_the_bar_is_published_with_its_threshold():
    one = behaviour(figure())
    assert judged(one).passes
    assert published([one]) == {"hand-raised": 0.5}


def test_what_nobody_has_measured_stays_hidden():
    verdict = judged(behaviour(None))
    assert not verdict.passes
    assert verdict.reasons == ("nobody has measured this rule",)
    assert published([behaviour(None)]) == {}


@pytest.mark.parametrize(
    "change,words",
    [
        ({"average_precision": 0.79}, "average precision 0.79, at least 0.80 is asked"),
        ({"people": 499}, "499 labelled people, at least 500 are asked"),
        ({"positives": 8}, "8 of them who did it, at least 50 are asked"),
        ({"positives": None}, "an unknown number of them who did it, at least 50 are asked"),
        ({"rooms": 2}, "2 rooms, at least 3 are asked"),
        ({"unseen": False}, "the rooms were used to choose the rule or its threshold"),
        ({"accuracy": None}, "no accuracy beside that of always saying the commoner"),
        ({"accuracy": 0.9}, "accuracy 0.90 where always saying the commoner has 0.87, at least 0.05 more is asked"),
    ],
)
def test_each_thing_that_falls_short_hides_a_behaviour_and_is_told(change: dict[str, object], words: str):
    one = behaviour(figure(**change))
    assert judged(one).reasons == (words,)
    assert published([one]) == {}


def test_without_a_threshold_nothing_can_be_told():
    one = behaviour(figure(), threshold=None)
    assert judged(one).reasons == ("no threshold was chosen",)
    assert published([one]) == {}


def test_another_figure_can_be_held_against_the_bar_without_publishing_it():
    one = behaviour(None)
    assert judged(one, figure()).passes
    assert published([one]) == {}


def test_a_behaviour_may_have_a_bar_of_its_own():
    strict = behaviour(figure()).model_copy(update={"bar": Bar(average_precision=0.9)})
    assert not judged(strict).passes


def test_average_precision_of_a_known_order():
    # positives at ranks 1, 3 and 4: (1 + 2/3 + 3/4) / 3
    assert average_precision([0.9, 0.8, 0.7, 0.6, 0.1], [1, 0, 1, 1, 0]) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


def test_scores_that_say_nothing_have_the_precision_of_chance():
    assert average_precision([0.5] * 10, [True] + [False] * 9) == pytest.approx(0.1)


def test_who_could_not_be_assessed_is_not_left_out():
    scores = [0.9, np.nan, 0.2, 0.1]
    assert average_precision(scores, [1, 1, 0, 0]) == pytest.approx((1 + 2 / 4) / 2)


def test_without_a_positive_there_is_no_figure():
    assert average_precision([0.1, 0.2], [0, 0]) is None
    assert average_precision([], []) is None


def test_labels_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="labels"):
        average_precision([0.1, 0.2], [1])


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_average_precision_does_not_depend_on_the_order_of_people(people: list[tuple[int, bool]]):
    scores, labels = zip(*people, strict=True)
    found = average_precision(scores, labels)
    assert found == average_precision(scores[::-1], labels[::-1])
    assert found is None or 0 < found <= 1
