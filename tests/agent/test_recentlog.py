import logging

from agent.recentlog import LINE_MAX, LINES_KEPT, RecentLog


def fresh() -> logging.Logger:
    log = logging.getLogger("tests.recentlog")
    log.handlers.clear()
    log.propagate = False
    return log


def test_the_last_lines_are_kept_and_no_more():
    recent = RecentLog()
    log = fresh()
    log.addHandler(recent)
    for number in range(LINES_KEPT + 50):
        log.warning("line %d", number)
    lines = recent.last(10**6, 10**9)
    assert len(lines) == LINES_KEPT
    assert lines[0].endswith("WARNING tests.recentlog: line 50")
    assert [line.rpartition(" ")[2] for line in recent.last(2, 10**9)] == [str(LINES_KEPT + 48), str(LINES_KEPT + 49)]


def test_what_does_not_fit_into_an_answer_is_left_out_from_the_old_end():
    recent = RecentLog()
    log = fresh()
    log.addHandler(recent)
    log.warning("旧 old")
    log.warning("新 " * 1000)
    old, new = recent.last(10, 10**6)
    assert ("旧" in old, len(new)) == (True, LINE_MAX)
    assert recent.last(10, len(new.encode()) + 2) == [new]
    assert recent.last(10, 3) == []


def test_a_fault_with_its_stack_is_several_lines():
    recent = RecentLog()
    log = fresh()
    log.addHandler(recent)
    try:
        raise ValueError("nothing")
    except ValueError:
        log.exception("it failed")
    lines = recent.last(50, 10**6)
    assert "it failed" in lines[0]
    assert lines[-1] == "ValueError: nothing"
