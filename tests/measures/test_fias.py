import pytest
from hypothesis import given, settings

from measures.fias import CODES, fias_lite
from measures.figure import Reason
from measures.voices import Voice, tidied
from tests.measures.rooms import lessons, spans


def lite(script: str, end: float):
    return fias_lite(tidied(spans(script), 0, end), 0, end)


def test_eight_samples_worked_by_hand():
    # T T S T - M S S: pairs TT TS ST T- -M MS SS.
    found = lite("T6 S3 T3 -3 M3 S6", 24)
    assert CODES == (Voice.TEACHER, Voice.STUDENT, Voice.SILENCE, Voice.SEVERAL)
    assert found.matrix == ((1, 1, 1, 0), (1, 1, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0))
    assert found.share[Voice.TEACHER].value == pytest.approx(3 / 8)
    assert found.share[Voice.STUDENT].value == pytest.approx(3 / 8)
    assert found.steady.value == pytest.approx(2 / 7)
    assert found.taken_up.value == pytest.approx(1 / 2)
    assert found.steady.interval_s == 3


def test_whoever_has_most_of_a_sample_has_it_and_pupils_come_first_in_doubt():
    assert lite("T2 S1", 3).share[Voice.TEACHER].value == 1
    assert lite("T1.5 S1.5", 3).share[Voice.STUDENT].value == 1
    assert lite("-1.5 T1.5", 3).share[Voice.TEACHER].value == 1


def test_across_an_unknown_sample_there_is_no_pair():
    assert sum(map(sum, lite("T6 ?3 T6", 15).matrix)) == 2


def test_a_matrix_of_nothing_is_unknown():
    assert lite("T30", 0).steady.reason is Reason.EMPTY
    assert lite("", 30).share[Voice.TEACHER].reason is Reason.COVERAGE
    assert lite("T30", 30).taken_up.reason is Reason.NONE_SEEN


@settings(deadline=None)
@given(lessons)
def test_shares_add_up_to_one_and_pairs_are_fewer_than_samples(room):
    found = fias_lite(tidied(room, 0, 120), 0, 120)
    known = [one.value for one in found.share.values() if one.value is not None]
    assert not known or sum(known) == pytest.approx(1)
    samples = found.share[Voice.TEACHER].count
    assert sum(map(sum, found.matrix)) <= max(0, samples - 1)
