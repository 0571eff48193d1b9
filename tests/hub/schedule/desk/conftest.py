"""A desk on a real store, with a small district in which a plan is hidden, and a term."""

import sys
import time
from zoneinfo import ZoneInfo

import pytest

from hub.schedule.desk.desk import Desk
from hub.schedule.desk.publication import Publication
from hub.schedule.desk.solving import OVER, Solver
from hub.schedule.desk.views import NewApproval, NewDraft
from hub.schedule.generate import planted
from hub.schedule.terms import Term
from hub.store.plan_facts import FactChange, NewImport
from hub.store.store import Store
from tests.hub.tables import with_tables

SHANGHAI = ZoneInfo("Asia/Shanghai")
TERM = Term(id="2026b", name="2026 秋", first_day="2026-08-31", weeks=20)
SUNDAY_BEFORE = 1_788_076_800.0
"""2026-08-30 16:00 in Shanghai, in seconds of UTC."""
FAKE = "tests.hub.schedule.desk.fake_solver"


def fact_of(term):
    return FactChange("term", term.id, None, term.model_dump_json())


class Office:
    """A desk and what it stands on; `now` is in hand."""

    def __init__(self, folder, district, plan):
        self.folder = folder
        self.district = district
        self.plan = plan
        self.now = SUNDAY_BEFORE
        self.changed = []
        self.store = Store.open(with_tables(folder / "hub.db"))
        self.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", self.now), [fact_of(TERM)])
        self.publication = Publication(self.store.plans, self.store.occurrences, self.store.plan_facts, SHANGHAI)
        (folder / "plan.json").write_text(plan.model_dump_json(), "utf-8")
        self.solver = None
        self.desk = None
        self.solved_by("answer")

    def solved_by(self, how, most=2):
        """Let drafts be solved by a process that behaves so."""
        if self.solver is not None:
            self.solver.close()
        program = (sys.executable, "-m", FAKE, how, str(self.folder / "plan.json"))
        self.solver = Solver(most, lambda: self.now, program=program)
        self.desk = Desk(
            self.store.plans,
            self.store.plan_facts,
            self.publication,
            self.solver,
            5.0,
            lambda: self.now,
            self.changed.append,
        )

    def draft(self, *, plan=True, weeks=(1, 20), **more):
        new = NewDraft(
            term="2026b",
            first_week=weeks[0],
            last_week=weeks[1],
            district=self.district,
            plan=self.plan if plan else None,
            **more,
        )
        return self.desk.make(new, "operator").head.id

    def approved(self, **more):
        """A plan to which everybody said yes."""
        return self.agreed(self.draft(**more))

    def agreed(self, plan):
        """Have everybody say yes to a draft."""
        self.desk.propose(plan, "operator")
        for school in self.desk.open(plan).book.taking_part:
            self.desk.note(plan, NewApproval(school=school, approved=True), "operator")
        self.desk.note(plan, NewApproval(approved=True, words="教研室"), "operator")
        return plan

    def until_solved(self, plan):
        return until(lambda: (found := self.desk.solving(plan)) is not None and found.state in OVER and found)

    def close(self):
        self.solver.close()
        self.store.close()


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="session")
def hidden():
    """A district and the plan that is hidden in it."""
    return planted(5, 14, 18, 1)


@pytest.fixture
def office(tmp_path, hidden):
    made = Office(tmp_path, *hidden)
    yield made
    made.close()
