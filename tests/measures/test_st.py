from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.figure import Reason
from measures.st import ClassType, class_type, st_analysis
from measures.voices import tidied
from tests.measures.rooms import lessons, pieces, spans


def analysis(script: str, end: float, interval: float = 30.0):
    return st_analysis(tidied(spans(script), 0, end), 0, end, interval)


def test_a_sequence_of_ten_worked_by_hand():
    # Rt = N_T / N, g = runs of equal code, Ch = (g - 1) / N: TTTSSTTSTT has N_T = 7, g = 5.
    found = analysis("T90 S60 T60 S30 T60", 300)
    assert found.codes == "TTTSSTTSTT"
    assert found.rt.value == pytest.approx(0.7)
    assert found.ch.value == pytest.approx(0.4)
    assert found.rt.interval_s == 30
    assert found.rt.count == 10


def test_silence_and_several_voices_are_not_the_teacher():
    assert analysis("-30 M30 S30 T30", 120).codes == "SSST"


def test_a_look_lasts_three_seconds_in_the_middle_of_its_interval():
    assert analysis("S13.5 T3 S13.5", 30).codes == "T"
    assert analysis("T13.5 S3 T13.5", 30).codes == "S"
    assert analysis("T14 -1.5 T14.5", 30).codes == "T"


def test_unknown_samples_are_left_out_and_too_many_make_all_unknown():
    found = analysis("T30 ?30 S30 T60", 150)
    assert found.codes == "T?STT"
    assert found.rt.value == pytest.approx(3 / 4)
    assert found.ch.value == pytest.approx(2 / 4)
    assert found.rt.coverage == pytest.approx(0.8)
    lost = analysis("T30 ?60 S30 T30", 150)
    assert lost.rt.value is None
    assert lost.rt.reason is lost.type.reason is Reason.COVERAGE


def test_a_lesson_shorter_than_a_sample_is_unknown():
    for end in (0.0, 29.0, -5.0):
        found = analysis("T29", end)
        assert found.codes == ""
        assert found.rt.reason is Reason.EMPTY


def test_the_types_of_class_and_the_order_of_tests():
    assert class_type(0.3, 0.1) is ClassType.PRACTICE
    assert class_type(0.7, 0.1) is ClassType.LECTURE
    assert class_type(0.5, 0.4) is ClassType.DIALOGUE
    assert class_type(0.5, 0.39) is ClassType.MIXED
    # Both hold; question and answer says more than that the teacher talks much.
    assert class_type(0.75, 0.45) is ClassType.DIALOGUE
    assert class_type(0.25, 0.45) is ClassType.DIALOGUE


def test_at_a_short_interval_no_type_is_told():
    found = analysis("T30 S30", 60, 3.0)
    assert found.rt.value == pytest.approx(0.5)
    assert found.type.reason is Reason.INTERVAL
    assert analysis("T300", 300).type.value == "lecture"


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="cannot sample"):
        analysis("T30", 30, 0)


@settings(deadline=None)
@given(lessons, st.sampled_from([1.0, 3.0, 10.0, 30.0]))
def test_ch_is_bounded_by_rt(room, interval):
    found = st_analysis(tidied(room, 0, 300), 0, 300, interval)
    if found.rt.value is not None and found.ch.value is not None:
        n = found.rt.count
        assert found.ch.value <= 2 * min(found.rt.value, 1 - found.rt.value) + 1 / n + 1e-9
        assert 0 <= found.rt.value <= 1


@settings(deadline=None)
@given(lessons)
def test_cutting_spans_changes_no_code(room):
    whole, cut = (st_analysis(tidied(one, 0, 300), 0, 300, 7.0) for one in (room, pieces(room, [0.37])))
    assert whole.codes == cut.codes


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_more_of_the_teacher_never_lowers_rt(codes):
    rts = []
    for extra in range(len(codes) + 1):
        script = " ".join(f"{'T' if one or at < extra else 'S'}30" for at, one in enumerate(codes))
        rts.append(analysis(script, 30 * len(codes)).rt.value)
    assert all(a <= b for a, b in pairwise(rts))
