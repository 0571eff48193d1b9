"""How long the planner may."""

from hub.schedule.solve.progress import Allowance


def test_where_work_is_counted_the_clock_has_no_say():
    allowance = Allowance(None, lambda: False)
    allowance.keep_back(1000)
    assert not allowance.timed
    assert allowance.left(0.1) == float("inf")
    assert not allowance.over()


def test_seconds_run_out_share_by_share_and_what_is_kept_back_or_given_counts():
    allowance = Allowance(1000, lambda: False)
    assert 90 < allowance.left(0.1) <= 100
    allowance.keep_back(500)
    assert 40 < allowance.left(0.1) <= 50
    allowance.give(100)
    assert 140 < allowance.left(0.1) <= 150
    allowance.keep_back(500)
    assert 90 < allowance.left() <= 100
    assert not allowance.over()
    assert Allowance(0, lambda: False).over()


def test_whoever_says_stop_ends_it():
    assert Allowance(None, lambda: True).over()
    assert Allowance(1000, lambda: True).over()
