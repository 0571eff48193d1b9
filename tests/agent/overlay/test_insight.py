"""The words in which the teacher's screen is told how the lesson goes."""

import re

import pytest

from agent.overlay.insight import WHY, InsightState, insight_state
from measures.figure import Figure, Reason


def share(value: float | None, reason: Reason | None = None) -> Figure:
    return Figure(value, "share", 0.91234, 0.032, reason, None)


def said(talk: Figure, far: Figure, wait: Figure, *, receiving: bool = False) -> InsightState:
    figures = {"talk_share": talk, "far_share": far, "longest_wait": wait}
    return insight_state((60.0004, 0.0, 41.5), figures, receiving=receiving)


WAIT = Figure(4.26, "s", 0.9, 0.032)


def test_known_figures_are_said_with_their_numbers_in_both_languages():
    state = said(share(0.724), share(0.123), WAIT)
    assert (state.t, state.start_t, state.end_t) == (60.0, 0.0, 41.5)
    assert state.talk_share.words_zh == "主讲教师发言占比 72 %"
    assert state.far_share.words_zh == "对方班级学生发言占比 12 %"
    assert state.longest_wait.words_zh == "学生回答前最长等待 4.3 秒"
    assert state.talk_share.words_en == "The lead teacher's share of talk: 72 %"
    assert state.longest_wait.words_en == "Longest wait before an answer: 4.3 s"
    assert (state.far_share.value, state.far_share.coverage, state.far_share.reason) == (0.123, 0.9123, "")


def test_nothing_heard_of_the_far_class_is_a_value_and_not_unknown():
    state = said(share(1.0), share(0.0), WAIT)
    assert state.far_share.value == 0.0
    assert state.far_share.words_zh == "对方班级学生发言占比 0 %"


def test_in_a_receiving_room_the_far_class_is_its_own():
    state = said(share(0.724), share(0.123), WAIT, receiving=True)
    assert state.far_share.words_zh == "本班学生发言占比 12 %"
    assert state.far_share.words_en == "This class's share of pupils' talk: 12 %"


@pytest.mark.parametrize("reason", Reason)
def test_what_is_unknown_says_why_for_every_reason_there_is(reason: Reason):
    state = said(share(None, reason), share(None, reason), Figure(None, "s", 0.4, 0.032, reason))
    for figure in (state.talk_share, state.far_share, state.longest_wait):
        assert figure.value is None
        assert figure.reason == reason.value
        assert figure.words_zh.endswith(f"暂不清楚：{WHY[reason][0]}")
        assert figure.words_en.endswith(f"is not known: {WHY[reason][1]}")
        assert not re.search(r"\d+ %$", figure.words_zh.replace("80 %", ""))


def test_the_state_survives_the_socket():
    state = said(share(0.724), share(None, Reason.COVERAGE), WAIT)
    assert InsightState.model_validate_json(state.model_dump_json()) == state
