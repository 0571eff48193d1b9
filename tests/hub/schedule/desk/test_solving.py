"""Drafts are solved in processes of their own; whatever becomes of those, the draft is never worse off."""

import os
import signal

import psutil
import pytest

from hub.schedule.desk.errors import SolveRefused
from hub.schedule.desk.solving import SolveState
from hub.schedule.desk.views import NewSolve
from tests.hub.schedule.desk.conftest import until


def told(office, plan):
    """The first thing that the process said: its points are its number."""
    return until(lambda: (found := office.desk.solving(plan)) and found.told)


def test_a_draft_has_the_plan_that_was_found(office):
    plan = office.draft(plan=False)
    assert office.desk.open(plan).book.plan is None
    began = office.desk.solve(plan, NewSolve(), "li")
    assert began.state is SolveState.RUNNING
    assert office.until_solved(plan).state is SolveState.DONE
    opened = office.desk.open(plan)
    assert opened.book.plan == office.plan
    assert opened.head.operator == "li"
    assert office.desk.solving(plan).told.served == len(office.district.requests)


def test_a_process_that_is_killed_leaves_the_draft_as_it_was(office):
    office.solved_by("wait")
    plan = office.draft()
    before = office.desk.open(plan)
    office.desk.solve(plan, NewSolve(), "li")
    os.kill(told(office, plan).points, signal.SIGKILL)
    ended = office.until_solved(plan)
    assert ended.state is SolveState.FAILED
    assert ended.words == "the process that solved it was killed (SIGKILL); the draft is as it was"
    assert office.desk.open(plan) == before


@pytest.mark.parametrize(
    ("how", "words"),
    [("die", "ended with 3 and no plan"), ("refuse", "request q-1 is pinned where nothing can be")],
)
def test_a_process_that_finds_nothing_says_why_and_leaves_the_draft_as_it_was(office, how, words):
    office.solved_by(how)
    plan = office.draft()
    before = office.desk.open(plan)
    office.desk.solve(plan, NewSolve(), "li")
    ended = office.until_solved(plan)
    assert ended.state is SolveState.FAILED
    assert words in ended.words
    assert office.desk.open(plan) == before


def test_one_that_is_stopped_answers_with_the_best_so_far(office):
    office.solved_by("wait")
    plan = office.draft(plan=False)
    office.desk.solve(plan, NewSolve(), "li")
    assert office.desk.stop(plan).state is SolveState.STOPPING
    assert office.until_solved(plan).state is SolveState.DONE
    assert office.desk.open(plan).book.plan == office.plan


def test_a_draft_is_solved_once_at_a_time_and_so_many_in_all(office):
    office.solved_by("wait", most=1)
    one, other = office.draft(), office.draft()
    office.desk.solve(one, NewSolve(), "li")
    with pytest.raises(SolveRefused, match="being solved"):
        office.desk.solve(one, NewSolve(), "li")
    with pytest.raises(SolveRefused, match=rf"as many drafts are being solved .*{one}"):
        office.desk.solve(other, NewSolve(), "li")
    with pytest.raises(SolveRefused, match="stop it first"):
        office.desk.propose(one, "li")
    office.desk.stop(one)
    office.until_solved(one)
    office.desk.solve(other, NewSolve(), "li")


def test_no_process_outlives_the_hub(office):
    office.solved_by("wait")
    plan = office.draft()
    office.desk.solve(plan, NewSolve(), "li")
    process = psutil.Process(told(office, plan).points)
    office.solver.close()
    until(lambda: not process.is_running())
    assert office.desk.solving(plan).state is SolveState.FAILED


def test_what_nobody_began_cannot_be_stopped(office):
    with pytest.raises(SolveRefused, match="not being solved"):
        office.desk.stop(office.draft())
