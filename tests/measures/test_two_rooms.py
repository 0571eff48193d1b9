"""Synthetic lessons through both loudspeakers: detectors that hear them, and ones that know what is played.

`ECHO_S` and `TIE_S` were chosen on seeds 0 to 11; these are others.
"""

from statistics import mean

import pytest

from measures.figure import Reason
from measures.lesson import LessonMeasures, measure_lesson
from measures.voices import Party, RoomVoices
from tests.measures.lectures import STUDENT, TEACHER, SyntheticLesson, lesson

SEEDS = range(100, 106)


@pytest.fixture(scope="module", params=[False, True], ids=["open", "gated"])
def measured(request) -> list[tuple[SyntheticLesson, LessonMeasures]]:
    told = [lesson(seed, mislabelled=0.0, gated=request.param) for seed in SEEDS]
    return [(one, measure_lesson(one.rooms, 0, one.seconds)) for one in told]


def test_a_far_room_that_took_the_lead_teacher_for_its_own_is_found_out(measured):
    for truth, measures in measured:
        assert measures.rooms[1].teacher_known is not truth.confused
        there = truth.share(1, TEACHER) + truth.share(1, STUDENT)
        assert measures.talk.far_rooms.value == pytest.approx(there, abs=0.03)


def found(truth: SyntheticLesson, measures: LessonMeasures) -> tuple[int, int, int]:
    """Answers there are, those of them that were found, and those that were invented."""
    there = [(("lead", "far")[one.room], one.start_s, one.end_s) for one in truth.said if one.code == STUDENT]
    told = [(one.room, one.start_s, one.end_s) for one in measures.answers.answers if one.kind == "single"]

    def same(a: tuple[str, float, float], b: tuple[str, float, float]) -> bool:
        return a[0] == b[0] and min(a[2], b[2]) - max(a[1], b[1]) > 0.2

    hit = sum(any(same(one, other) for other in told) for one in there)
    return len(there), hit, sum(not any(same(one, other) for one in there) for other in told)


def test_talk_shares_are_near_the_truth_in_the_worst_lesson(measured):
    for truth, measures in measured:
        if truth.confused:
            assert measures.talk.far_of_pupils.reason is Reason.VOICES
            continue
        assert measures.talk.share[Party.LEAD_TEACHER].value == pytest.approx(truth.share(0, TEACHER), abs=0.03)
        assert measures.talk.share[Party.LOCAL_TEACHER].value == pytest.approx(truth.share(1, TEACHER), abs=0.03)
        assert measures.talk.far_of_pupils.value == pytest.approx(truth.far_of_pupils, abs=0.06)


def test_answers_are_found_in_their_room_and_hardly_any_is_invented(measured):
    there, hit, invented = map(sum, zip(*(found(*one) for one in measured if not one[0].confused), strict=True))
    assert hit >= 0.92 * there
    assert invented <= 0.02 * there


def test_counted_as_the_rooms_report_it_the_far_room_would_look_far_busier_than_it_is():
    errors = []
    for seed in SEEDS:
        truth = lesson(seed, mislabelled=0.0)
        alone = [measure_lesson([RoomVoices(one.room, one.role, one.spans)], 0, truth.seconds) for one in truth.rooms]
        pupils = [one.rooms[0].talk.seconds for one in alone]
        seconds = [sum(one.value or 0.0 for voice, one in each.items() if voice == "student") for each in pupils]
        errors.append(abs(seconds[1] / sum(seconds) - truth.far_of_pupils))
    assert mean(errors) > 0.2
