import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.figure import Reason
from measures.voices import tidied
from measures.waits import wait_times
from tests.measures.rooms import lessons, pieces, spans


def waits(script: str, end: float | None = None):
    room = spans(script)
    end = room[-1].end_s if end is None else end
    return wait_times(tidied(room, 0, end), 0, end)


def seconds(kind) -> list[float]:
    return [round(one.seconds, 3) for one in kind.waits]


def test_five_questions_worked_by_hand():
    # Wait time 1: teacher's end to pupil's start; wait time 2: pupil's end to the teacher's next word.
    found = waits("T10 -1 S2 -0.5 T5 -4 S2 -3 T5 S2 T5 -2 S3 -1 T5 -3 S2 -0.8 T5")
    assert seconds(found.first) == [1, 4, 0, 2, 3]
    assert seconds(found.second) == [0.5, 3, 0, 1, 0.8]
    assert found.first.median.value == pytest.approx(2)
    assert found.first.longest.value == pytest.approx(4)
    assert found.first.long_share.value == pytest.approx(2 / 5)
    assert found.first.bins == (1, 2, 2, 0)
    assert found.first.waits[1].at_s == pytest.approx(18.5)


def test_few_waits_have_no_typical_one_but_a_longest():
    found = waits("T10 -4 S2 -1 T5")
    assert found.first.median.reason is found.first.long_share.reason is Reason.TOO_FEW
    assert found.first.longest.value == pytest.approx(4)
    assert found.first.number.value == 1


def test_without_answers_there_is_no_wait():
    found = waits("T10 -4 T10")
    assert found.first.longest.reason is Reason.NONE_SEEN
    assert found.first.number.value == 0


def test_half_a_minute_of_work_is_no_wait():
    assert seconds(waits("T10 -30 S2").first) == [30]
    assert seconds(waits("T10 -31 S2").first) == []


def test_what_was_not_heard_is_no_wait():
    assert seconds(waits("T10 -2 ?1 S5 T20").first) == []
    assert seconds(waits("T10 ?2 S5 T20").first) == []


def test_a_chair_in_the_silence_does_not_end_a_wait():
    assert seconds(waits("T10 -2 M0.2 -2 S3").first) == [4.2]


def test_the_end_of_the_lesson_cuts_the_last_wait_off():
    assert seconds(waits("T10 -4 S2", end=12).first) == []


@settings(deadline=None)
@given(lessons)
def test_each_wait_is_between_nothing_and_half_a_minute_and_in_the_bins(room):
    found = wait_times(tidied(room, 0, 300), 0, 300)
    for kind in (found.first, found.second):
        assert all(0 <= one.seconds <= 30 + 1e-6 for one in kind.waits)
        assert sum(kind.bins) == len(kind.waits)


@settings(deadline=None)
@given(lessons)
def test_cutting_spans_changes_no_wait(room):
    whole, cut = (wait_times(tidied(one, 0, 300), 0, 300) for one in (room, pieces(room, [0.5])))
    assert seconds(whole.first) == seconds(cut.first)


@settings(deadline=None)
@given(st.integers(0, 290), st.integers(0, 100))
def test_a_longer_silence_is_a_longer_wait(tenths, more):
    longer = min(tenths + more, 299)
    short, long = (waits(f"T10 -{one / 10} S5").first.waits[0].seconds for one in (tenths + 1, longer + 1))
    assert short <= long + 1e-6
