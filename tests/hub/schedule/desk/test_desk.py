"""A draft is made, changed by hand, agreed on and lets its lessons count."""

import pytest
import sqlalchemy

from hub.schedule.desk.edits import AddBan as NewBan
from hub.schedule.desk.edits import PinAsServed, PinTo, SetGoals, TakeOut, Unpin, Weigh
from hub.schedule.desk.errors import EditRefused, NotAgreed, PlanMoved, PlanMoveRefused, PlanUnknown, TermUnknown
from hub.schedule.desk.states import PlanState
from hub.schedule.desk.views import NewApproval, NewDraft, NewPublication
from hub.schedule.district import Goals
from hub.schedule.register.kinds import RequestFact, RoomFact
from hub.schedule.wants import Ban, Pin
from hub.store.plan_facts import FactChange, NewImport
from hub.store.plans import DISTRICT
from tests.hub.schedule.desk.conftest import TERM
from tests.hub.schedule.register.test_assembling import ASKED, SCHOOLS, rows

WEEK_S = 7 * 86_400.0


def state(office, plan):
    return office.desk.open(plan).head.state


# Making.


def test_a_draft_keeps_the_district_as_it_was_planned_and_the_plan_also_after_a_restart(office):
    plan = office.draft(words="第一稿")
    office.solved_by("answer")  # a new desk, which has nothing open
    opened = office.desk.open(plan)
    assert opened.book.district == office.district
    assert opened.book.plan.served == office.plan.served
    assert opened.book.fits
    assert (opened.head.words, opened.head.state) == ("第一稿", PlanState.DRAFT)
    assert office.changed == [plan]


def test_a_draft_can_be_made_of_the_facts(office):
    opened = office.desk.make(NewDraft(term="2026b", first_week=3, last_week=3), "operator")
    assert opened.book.district.schools == ()
    assert opened.book.plan is None


def test_a_plan_that_breaks_a_rule_is_no_beginning(office):
    served = office.plan.served
    twice = office.plan.model_copy(update={"served": (*served, served[0])})
    with pytest.raises(EditRefused, match=r"breaks 1 rules of the district: .* is served twice"):
        office.desk.make(
            NewDraft(term="2026b", first_week=1, last_week=1, district=office.district, plan=twice), "operator"
        )


@pytest.mark.parametrize(
    ("term", "weeks", "words"),
    [
        ("2030a", (1, 2), "there is no term 2030a"),
        ("2026b", (1, 21), "weeks 1 to 20, and no week 21"),
        ("2026b", (3, 2), "week 2 lies before week 3"),
    ],
)
def test_a_draft_for_weeks_that_are_not_there_is_refused(office, term, weeks, words):
    with pytest.raises(TermUnknown, match=words):
        office.desk.make(NewDraft(term=term, first_week=weeks[0], last_week=weeks[1]), "operator")


def test_a_plan_that_is_not_there_is_told(office):
    with pytest.raises(PlanUnknown, match="there is no plan p-000099"):
        office.desk.open("p-000099")


# Editing.


def test_what_is_served_can_be_kept_as_it_is_and_left_to_the_planner_again(office):
    plan = office.draft()
    one = office.plan.served[0]
    pinned = office.desk.edit(plan, [PinAsServed(do="pin", request=one.request)], "li")
    assert [(pin.request, pin.lesson, pin.time) for pin in pinned.book.district.pins] == [
        (one.request, one.lesson, one.time)
    ]
    assert pinned.book.fits
    assert office.desk.edit(plan, [Unpin(do="unpin", request=one.request)], "li").book.district.pins == ()


def test_a_ban_against_the_plan_leaves_it_until_it_is_solved_again(office):
    plan = office.draft()
    one = office.plan.served[0]
    edited = office.desk.edit(plan, [NewBan(do="ban", ban=Ban(request=one.request, lesson=one.lesson))], "li")
    assert not edited.book.fits
    assert len(edited.book.violations) == 1
    assert edited.book.plan.served == office.plan.served
    with pytest.raises(EditRefused, match="solve it again"):
        office.desk.propose(plan, "li")


def test_a_request_that_is_taken_out_is_served_no_more_and_counts_no_more(office):
    plan = office.draft()
    before = office.desk.open(plan).book
    one = office.plan.served[0]
    after = office.desk.edit(plan, [TakeOut(do="take-out", request=one.request)], "li").book
    assert one.request not in after.requests
    assert one.request not in after.served
    assert after.fits
    assert after.plan.score.served == before.plan.score.served - 1000 * before.requests[one.request].weight


def test_other_weights_and_goals_count_the_plan_anew(office):
    plan = office.draft()
    before = office.desk.open(plan).book
    one = office.plan.served[0].request
    weighed = office.desk.edit(plan, [Weigh(do="weigh", request=one, weight=50)], "li").book.plan.score
    assert weighed.served == before.plan.score.served + 1000 * (50 - before.requests[one].weight)
    goals = office.desk.edit(plan, [SetGoals(do="goals", goals=Goals(opened=100))], "li").book.plan.score
    assert goals.opened == -100 * len(office.plan.held)


def test_a_bound_outlives_what_only_narrows(office):
    plan = office.draft(plan=False)
    office.desk.begin_with(plan, office.plan.model_copy(update={"bound": 1e6, "proof": "LP"}), "li")
    one = office.plan.served[0].request
    assert office.desk.edit(plan, [PinAsServed(do="pin", request=one)], "li").book.plan.bound == 1e6
    assert office.desk.edit(plan, [Weigh(do="weigh", request=one, weight=5)], "li").book.plan.bound is None


def test_a_bound_does_not_outlive_a_pin_that_lets_a_request_be_served_where_it_could_not(office):
    one = office.plan.served[0]
    asked = next(each for each in office.district.requests if each.id == one.request)
    strange = next((day, period) for day in range(1, 8) for period in (1, 2) if (day, period) not in asked.times)
    plan = office.draft(plan=False)
    pins = {"narrow": Pin(request=one.request, time=asked.times[0]), "wide": Pin(request=one.request, time=strange)}
    for how, bound in (("wide", None), ("narrow", 1e6)):
        office.desk.begin_with(plan, office.plan.model_copy(update={"bound": 1e6, "proof": "LP", "district": ""}), "li")
        assert office.desk.edit(plan, [PinTo(do="pin-to", pin=pins[how])], "li").book.plan.bound == bound
        office.desk.edit(plan, [Unpin(do="unpin", request=one.request)], "li")


def test_a_bound_of_another_district_is_not_taken(office):
    plan = office.draft(plan=False)
    elsewhere = office.plan.model_copy(update={"bound": 1e6, "proof": "LP", "district": "0" * 64})
    assert office.desk.begin_with(plan, elsewhere, "li").book.plan.bound is None


def test_of_several_edits_all_or_none_are_made(office):
    plan = office.draft()
    one = office.plan.served[0].request
    with pytest.raises(EditRefused, match="no request nobody"):
        office.desk.edit(plan, [PinAsServed(do="pin", request=one), TakeOut(do="take-out", request="nobody")], "li")
    assert office.desk.open(plan).book.district.pins == ()


def test_what_is_before_the_schools_is_not_changed(office):
    plan = office.draft()
    office.desk.propose(plan, "li")
    with pytest.raises(PlanMoveRefused, match="is proposed; for this it must be draft"):
        office.desk.edit(plan, [TakeOut(do="take-out", request=office.plan.served[0].request)], "li")
    office.desk.reopen(plan, "li")
    office.desk.edit(plan, [TakeOut(do="take-out", request=office.plan.served[0].request)], "li")


# Agreeing.


def test_the_district_approves_last(office):
    plan = office.draft()
    office.desk.propose(plan, "li")
    schools = office.desk.open(plan).book.taking_part
    assert len(schools) > 1
    with pytest.raises(NotAgreed, match="the district approves last"):
        office.desk.note(plan, NewApproval(approved=True), "li")
    for school in schools:
        office.desk.note(plan, NewApproval(school=school, approved=True, words="教务处王老师来电"), "li")
    assert state(office, plan) is PlanState.PROPOSED
    office.desk.note(plan, NewApproval(approved=True, words="教研室"), "li")
    assert state(office, plan) is PlanState.APPROVED
    said = office.desk.approvals(plan)
    assert said[schools[0]].words == "教务处王老师来电"
    assert said[DISTRICT].approved


def test_a_school_that_refuses_says_why_and_keeps_the_district_from_approving(office):
    plan = office.draft()
    office.desk.propose(plan, "li")
    first, *others = office.desk.open(plan).book.taking_part
    with pytest.raises(NotAgreed, match="say in words why"):
        office.desk.note(plan, NewApproval(school=first, approved=False), "li")
    office.desk.note(plan, NewApproval(school=first, approved=False, words="周三下午校运会"), "li")
    for school in others:
        office.desk.note(plan, NewApproval(school=school, approved=True), "li")
    with pytest.raises(NotAgreed):
        office.desk.note(plan, NewApproval(approved=True), "li")
    office.desk.reopen(plan, "li")
    assert office.desk.approvals(plan)[first].words == "周三下午校运会"  # to be read while it is mended
    office.desk.propose(plan, "li")
    assert office.desk.approvals(plan) == {}


def test_a_school_without_a_part_is_not_asked(office):
    plan = office.draft()
    one = office.plan.served[0]
    only = [TakeOut(do="take-out", request=each.request) for each in office.plan.served if each != one]
    office.desk.edit(plan, only, "li")
    office.desk.propose(plan, "li")
    book = office.desk.open(plan).book
    assert set(book.taking_part) == {book.home(one.request), book.lead_school(one.lesson)}
    other = next(school.id for school in office.district.schools if school.id not in book.taking_part)
    with pytest.raises(NotAgreed, match="has no part in this plan"):
        office.desk.note(plan, NewApproval(school=other, approved=True), "li")


# Counting.


def test_what_nobody_approved_is_not_published(office):
    plan = office.draft()
    with pytest.raises(PlanMoveRefused, match="is draft; for this it must be approved or published"):
        office.desk.publish(plan, NewPublication(), "li")


def test_an_approved_plan_counts_for_its_weeks_and_once_more_changes_nothing(office):
    plan = office.approved(weeks=(2, 3))
    published = office.desk.publish(plan, NewPublication(), "li")
    assert state(office, plan) is PlanState.PUBLISHED
    assert office.desk.counting("2026b") == {plan: [2, 3]}
    lessons = office.store.occurrences.between(office.now, office.now + 30 * WEEK_S)
    assert {one.occurrence.week for one in lessons} == {2, 3}
    assert len(published.added) == len(lessons) > 0
    again = office.desk.publish(plan, NewPublication(), "li")
    assert (again.added, again.changed, again.cancelled) == ([], [], [])
    assert len(again.kept) == len(lessons)


def test_a_plan_for_one_week_counts_there_and_the_older_one_in_the_others(office):
    whole = office.approved(weeks=(1, 4))
    office.desk.publish(whole, NewPublication(), "li")
    office.now += 1
    special = office.approved(weeks=(2, 3), based_on=whole)
    office.desk.publish(special, NewPublication(first_week=3, last_week=3), "li")
    assert office.desk.counting("2026b") == {special: [3], whole: [1, 2, 4]}
    assert state(office, whole) is PlanState.PUBLISHED
    plans = {one.occurrence.week: one.plan for one in office.store.occurrences.between(0.0, 4e9)}
    assert plans == {1: whole, 2: whole, 3: special, 4: whole}


def test_a_plan_of_which_no_week_is_left_is_superseded(office):
    whole = office.approved(weeks=(1, 4))
    office.desk.publish(whole, NewPublication(), "li")
    office.now += 2 * WEEK_S + 86_400.0  # Monday of week 3
    rest = office.approved(weeks=(3, 20))
    office.desk.publish(rest, NewPublication(), "li")
    assert state(office, whole) is PlanState.SUPERSEDED
    assert state(office, rest) is PlanState.PUBLISHED


def test_a_published_plan_that_is_withdrawn_calls_its_lessons_to_come_off(office):
    plan = office.approved(weeks=(1, 2))
    office.desk.publish(plan, NewPublication(), "li")
    office.now += WEEK_S  # Sunday before week 2
    called_off = office.desk.withdraw(plan, "li")
    lessons = office.store.occurrences.between(0.0, 4e9)
    assert {one.occurrence.week for one in lessons if one.cancelled} == {2}
    assert {one.occurrence.week for one in lessons if not one.cancelled} == {1}
    assert len(called_off.cancelled) == sum(one.cancelled for one in lessons)
    assert state(office, plan) is PlanState.WITHDRAWN


def held(office):
    """By week and lesson: the plan that it is of."""
    lessons = office.store.occurrences.between(0.0, 4e9)
    return {(one.occurrence.week, one.occurrence.lesson): one.plan for one in lessons if not one.cancelled}


def test_where_a_withdrawn_plan_counted_the_older_one_is_held_again(office):
    whole = office.approved(weeks=(1, 3))
    office.desk.publish(whole, NewPublication(), "li")
    before = held(office)
    office.now += 1
    bare = office.draft(weeks=(3, 4))
    gone = [TakeOut(do="take-out", request=one.request) for one in office.plan.served[2:]]
    office.desk.edit(bare, gone, "li")
    office.agreed(bare)
    office.desk.publish(bare, NewPublication(), "li")
    assert {key for key in held(office) if key[0] == 3} < {key for key in before if key[0] == 3}
    office.desk.withdraw(bare, "li")
    assert held(office) == before
    assert office.desk.counting("2026b") == {whole: [1, 2, 3]}


ACTS = {
    "publish": lambda office, plan: office.desk.publish(plan, NewPublication(), "li"),
    "withdraw": lambda office, plan: office.desk.withdraw(plan, "li"),
    "adopt": lambda office, plan: office.desk.adopt(
        office.desk.open(plan), office.district, office.bare, range(2, 3), "校运会", "li"
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_lessons_and_what_counts_are_written_together_or_not_at_all(office, act):
    """Ended at any statement that writes, the hub has it all as it was, and the same act does it all the next time."""
    plan = office.approved(weeks=(1, 2))
    if act != "publish":
        office.desk.publish(plan, NewPublication(), "li")
    office.now += 1
    kept = {one.lesson for one in office.plan.held[:2]}
    office.bare = office.plan.model_copy(
        update={
            "held": office.plan.held[:2],
            "served": tuple(one for one in office.plan.served if one.lesson in kept),
            "district": "",
        }
    )

    def stands():
        return {one.id: one.state for one in office.desk.heads()}, held(office)

    before, died = stands(), 0
    while ended_at(office, died + 1, ACTS[act], plan):
        died += 1
        office.solved_by("answer")  # the hub is started again
        assert stands() == before
    assert died >= 2
    after = stands()
    assert after != before
    assert set(after[1].values()) == {
        one.id for one in office.desk.heads() if office.desk.counting("2026b").get(one.id)
    }


class _Ended(BaseException):
    """Nothing catches it, as nothing catches the end of the process."""


def ended_at(office, number, act, plan):
    """Whether an act comes to so many statements that write; there it ends."""
    left = [number]

    def count(_connection, _cursor, statement, *_rest):
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            left[0] -= 1
            if not left[0]:
                raise _Ended

    engine = office.store.occurrences._database.engine
    sqlalchemy.event.listen(engine, "before_cursor_execute", count)
    try:
        act(office, plan)
    except _Ended:
        return True
    finally:
        sqlalchemy.event.remove(engine, "before_cursor_execute", count)
    return False


def test_of_two_repairs_of_one_week_the_first_counts(office):
    plan = office.approved(weeks=(1, 3))
    office.desk.publish(plan, NewPublication(), "li")
    seen = office.desk.open(plan)
    office.now += 1
    office.desk.adopt(seen, office.district, office.plan, range(2, 3), "first", "li")
    with pytest.raises(PlanMoved, match="another plan counts for week 2"):
        office.desk.adopt(seen, office.district, office.plan, range(2, 3), "second", "wang")


def test_a_day_off_that_the_term_gets_later_counts_when_the_plan_is_published_again(office):
    plan = office.approved(weeks=(1, 1))
    office.desk.publish(plan, NewPublication(), "li")
    thursday = [one for one in office.store.occurrences.between(0.0, 4e9) if one.occurrence.day == 4]
    assert thursday
    fuller = TERM.model_validate({**TERM.model_dump(), "days_off": [{"date": "2026-09-03", "words": "校庆"}]})
    change = FactChange("term", "2026b", TERM.model_dump_json(), fuller.model_dump_json())
    office.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", office.now), [change])
    again = office.desk.publish(plan, NewPublication(), "li")
    assert sorted(again.cancelled) == sorted(one.occurrence.id for one in thursday)


def test_a_draft_of_the_facts_is_solved_over_what_was_imported_and_tells_what_did_not_fit(office):
    facts = [*SCHOOLS, *ASKED, RoomFact(id="lost", school="nowhere")]
    changes = [FactChange(one.kind, one.id, None, one.data) for one in rows(*facts)]
    office.store.plan_facts.apply(NewImport("operator", "a.xlsx", "xlsx", "", office.now), changes)
    opened = office.desk.make(NewDraft(term="2026b", first_week=1, last_week=20), "operator")
    asked = {one.id for one in ASKED if isinstance(one, RequestFact)}
    assert {one.id for one in opened.book.district.requests} == asked != set()
    assert len(opened.misfits) == 1
    assert "lost" in opened.misfits[0].en
    assert opened.misfits[0].zh != opened.misfits[0].en
    office.solved_by("answer")
    assert office.desk.open(opened.head.id).misfits == opened.misfits
