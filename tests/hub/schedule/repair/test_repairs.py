"""A repair of a plan that counts: offered, taken with one call, and in the calendars from then on."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.schedule.desk.states import PlanState
from hub.schedule.desk.views import NewPublication
from hub.schedule.errors import DisruptionWrong
from hub.schedule.generate import planted
from hub.schedule.repair.disruption import SchoolClosed, TeacherSick
from hub.schedule.repair.errors import RepairRefused
from hub.schedule.repair.names import Names
from hub.schedule.repair.repairs import NewRepair, Repairs
from hub.schedule.slots import Window
from hub.schedule.terms import Term
from hub.store.plan_facts import FactChange, NewImport
from tests.hub.schedule.desk.conftest import SHANGHAI, SUNDAY_BEFORE, TERM, Office
from tests.hub.schedule.desk.test_desk import ended_at

DAY_S = 86_400.0
DISTRICT, PLAN = planted(5, 14, 18, 1)
NAMES = Names(DISTRICT)
SERVED = next(one for one in PLAN.served if one.lesson and NAMES.requests[one.request].weeks == "AB")
CLOSED = SchoolClosed(school=NAMES.home(NAMES.requests[SERVED.request]).id, windows=(Window(day=SERVED.time[0]),))


@pytest.fixture
def office(tmp_path):
    made = Office(tmp_path, DISTRICT, PLAN)
    made.plan_id = made.approved()
    made.desk.publish(made.plan_id, NewPublication(), "operator")
    made.now += 60
    made.repairs = Repairs(made.store.repairs, made.desk, SHANGHAI, lambda: made.now)
    yield made
    made.close()


def change_term(office, **changed):
    term = Term.model_validate(TERM.model_dump() | changed)
    change = FactChange("term", TERM.id, TERM.model_dump_json(), term.model_dump_json())
    office.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", office.now), [change])


def lessons(office, week):
    """What is to be held in a week, by lesson."""
    found = office.store.occurrences.between(SUNDAY_BEFORE, SUNDAY_BEFORE + 200 * DAY_S)
    return {one.occurrence.lesson: one.occurrence for one in found if one.occurrence.week == week and not one.cancelled}


def test_the_way_that_is_taken_counts_for_its_week_alone(office):
    before = {week: lessons(office, week) for week in (2, 3, 4)}
    found = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    best = found.alternatives[0]
    assert SERVED.request in best.hit
    assert best.week == "A"
    published = office.repairs.accept(found.record.id, 1, "li-jing")
    assert published.changed or published.cancelled
    assert lessons(office, 2) == before[2]
    assert lessons(office, 4) == before[4]
    assert set(lessons(office, 3)) == {one.lesson for one in best.plan.held}
    assert lessons(office, 3) != before[3]
    counts = office.desk.counting("2026b")
    (repaired,) = [plan for plan, weeks in counts.items() if weeks == [3]]
    head = office.desk.head(repaired)
    assert (head.state, head.based_on, head.operator) == (PlanState.PUBLISHED, office.plan_id, "li-jing")
    taken = office.repairs.get(found.record.id)
    assert taken.record.taken == 1
    assert taken.alternatives == found.alternatives


def test_a_way_that_is_taken_is_noted_and_published_together_or_not_at_all(office):
    """Ended at any statement that writes, the hub has neither; the same click does both the next time."""
    found = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    before, died = (office.desk.heads(), lessons(office, 3)), 0

    def accept(_office, _plan):
        office.repairs.accept(found.record.id, 1, "li-jing")

    while ended_at(office, died + 1, accept, ""):
        died += 1
        office.solved_by("answer")
        office.repairs = Repairs(office.store.repairs, office.desk, SHANGHAI, lambda: office.now)
        assert (office.desk.heads(), lessons(office, 3)) == before
        assert office.repairs.get(found.record.id).record.closed is None
    assert died >= 3
    taken = office.repairs.get(found.record.id)
    assert office.desk.counting("2026b")[taken.outcome.plan] == [3]
    assert taken.outcome.changed or taken.outcome.cancelled


def test_a_repair_is_decided_once(office):
    found = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    with pytest.raises(RepairRefused, match="no way 9"):
        office.repairs.accept(found.record.id, 9, "operator")
    office.repairs.let_go(found.record.id)
    with pytest.raises(RepairRefused, match="decided already"):
        office.repairs.accept(found.record.id, 1, "operator")
    with pytest.raises(RepairRefused, match="there is no repair"):
        office.repairs.accept("repair-0", 1, "operator")
    assert [one.record.taken for one in office.repairs.newest()] == [None]


def test_a_way_out_of_a_plan_that_counts_no_more_is_not_taken(office):
    first = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    second = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "li-jing")
    office.repairs.accept(first.record.id, 1, "operator")
    with pytest.raises(RepairRefused, match="another plan counts for week 3"):
        office.repairs.accept(second.record.id, 1, "operator")
    assert office.store.repairs.get(second.record.id).closed is None


def test_two_who_take_a_way_at_the_same_moment_do_not_undo_each_other(office):
    """Ways out of the same plan for the same week: one counts, the other is refused in words and stays open."""
    sick = TeacherSick(teacher=NAMES.lessons[SERVED.lesson].teacher, windows=(Window(day=SERVED.time[0]),))
    found = [
        office.repairs.find(NewRepair(term="2026b", week=3, happened=happened), "operator").record.id
        for happened in (CLOSED, sick)
    ]

    def take(repair):
        try:
            return office.repairs.accept(repair, 1, "operator")
        except RepairRefused as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as both:
        told = list(both.map(take, found))
    assert [one for one in told if isinstance(one, str)] == [
        "another plan counts for week 3 by now; find the ways out anew"
    ]
    assert [one.record.taken for one in office.repairs.newest()].count(None) == 1


def test_the_same_told_twice_is_looked_for_once(office):
    def find(operator="operator"):
        new = NewRepair(term="2026b", week=3, happened=CLOSED)
        return office.repairs.find(new, operator).record.id

    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: find(), range(2))
    assert first == second
    assert find("li-jing") != first
    office.now += 61
    again = find()
    assert again != first
    office.repairs.let_go(again)
    assert find() != again
    assert len(office.repairs.of(office.plan_id)) == 4


def test_what_came_of_a_repair_stays_to_be_read(office):
    found = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    before = lessons(office, 3)
    office.repairs.accept(found.record.id, 1, "li-jing")
    after = lessons(office, 3)
    (head,) = office.repairs.of(office.plan_id)
    assert head.ways[0].words == found.alternatives[0].words
    assert head.outcome.plan in office.desk.counting("2026b")
    changed = {one.id for lesson, one in after.items() if before.get(lesson) != one}
    gone = {one.id for lesson, one in before.items() if lesson not in after}
    assert {*head.outcome.changed, *head.outcome.added} == changed
    assert set(head.outcome.cancelled) == gone


def test_nothing_is_put_where_the_week_is_over(office):
    """Who is sick from Thursday on is made up for on Wednesday; told on Thursday, no more."""
    late = next(one for one in PLAN.served if one.request == "q00002")
    day = late.time[0]
    sick = TeacherSick(
        teacher=NAMES.lessons[late.lesson].teacher, windows=tuple(Window(day=one) for one in range(day, 8))
    )

    def placed_before():
        found = office.repairs.find(NewRepair(term="2026b", week=3, happened=sick), "operator")
        ways = [(way, {one.request: one.time[0] for one in way.plan.served}) for way in found.alternatives]
        assert all(late.request in way.hit for way, _ in ways)
        return [one for way, days in ways for one in way.placed if days[one] < day]

    assert placed_before()
    office.now = SUNDAY_BEFORE + (2 * 7 + day) * DAY_S - 16 * 3600  # as that day begins
    assert not placed_before()


def test_a_way_out_is_not_taken_when_what_it_changes_has_begun_meanwhile(office):
    """It would come true in parts: what has begun stays as it was."""
    office.now = SUNDAY_BEFORE + 14 * DAY_S + 60
    found = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    before = lessons(office, 3)
    office.now += SERVED.time[0] * DAY_S + 4 * 3600  # that evening
    with pytest.raises(RepairRefused, match="have begun since"):
        office.repairs.accept(found.record.id, 1, "operator")
    assert lessons(office, 3) == before
    assert office.repairs.get(found.record.id).record.closed is None


def test_without_its_term_no_way_out_can_be_taken_and_the_list_still_stands(office):
    office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    gone = FactChange("term", TERM.id, TERM.model_dump_json(), None)
    office.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", office.now), [gone])
    assert [office.repairs.takeable(one) for one in office.repairs.of(office.plan_id)] == [False]


def test_nothing_is_put_on_a_day_that_is_off(office):
    """Who is sick on the only day that is taught is made up for on none of the others, which are off that week."""
    late = next(one for one in PLAN.served if one.request == "q00002")
    day = late.time[0]
    sick = TeacherSick(teacher=NAMES.lessons[late.lesson].teacher, windows=(Window(day=day),))

    def placed():
        found = office.repairs.find(NewRepair(term="2026b", week=3, happened=sick), "operator")
        ways = [(way, {one.request: one.time[0] for one in way.plan.served}) for way in found.alternatives]
        assert all(late.request in way.hit for way, _ in ways)
        return {days[one] for way, days in ways for one in way.placed} - {day}

    usual = placed()
    assert usual
    change_term(office, days_off=[{"date": TERM.date_of(3, one)} for one in sorted(usual)])
    office.now += 61
    assert not placed() & usual


def test_a_day_that_is_made_up_later_in_its_week_is_not_over_when_its_weekday_is(office):
    """A day is taught on Saturday; told on the day after it, its lessons are still to come, and other past ones not."""
    day = SERVED.time[0]
    change_term(
        office,
        days_off=[{"date": TERM.date_of(3, day)}],
        make_ups=[{"date": TERM.date_of(3, 6), "week": 3, "day": day}],
    )
    office.now = SUNDAY_BEFORE + (2 * 7 + day + 1) * DAY_S
    found = office.repairs.find(NewRepair(term="2026b", week=3, happened=CLOSED), "operator")
    assert SERVED.request in found.alternatives[0].hit
    past = CLOSED.model_copy(update={"windows": (Window(day=day - 1),)})
    with pytest.raises(DisruptionWrong, match="all of it is over"):
        office.repairs.find(NewRepair(term="2026b", week=3, happened=past), "operator")


def test_a_week_that_is_over_but_for_a_day_that_is_made_up_can_still_be_repaired(office):
    friday = TERM.date_of(3, 5)
    later = TERM.date_of(4, 6)
    make_up = {"date": later, "week": 3, "day": 5}
    change_term(office, days_off=[{"date": friday}], make_ups=[make_up])
    office.now = SUNDAY_BEFORE + (3 * 7 + 4) * DAY_S
    closed = SchoolClosed(school=CLOSED.school, windows=(Window(day=5),))
    found = office.repairs.find(NewRepair(term="2026b", week=3, happened=closed), "operator")
    days = {one.request: one.time[0] for one in PLAN.served}
    assert all({one.time[0] for one in way.plan.served if days[one.request] == 5} <= {5} for way in found.alternatives)
    assert office.repairs.takeable(found)
    office.now += 3 * DAY_S
    assert not office.repairs.takeable(found)
    with pytest.raises(RepairRefused, match="week 3 is past"):
        office.repairs.find(NewRepair(term="2026b", week=3, happened=closed), "operator")


def test_weeks_without_a_plan_and_past_ones_are_refused(office):
    with pytest.raises(RepairRefused, match="no plan counts for week 21"):
        office.repairs.find(NewRepair(term="2026b", week=21, happened=CLOSED), "operator")
    office.now = SUNDAY_BEFORE + 30 * DAY_S
    with pytest.raises(RepairRefused, match="week 1 is past"):
        office.repairs.find(NewRepair(term="2026b", week=1, happened=CLOSED), "operator")


def test_what_lasts_counts_until_the_plan_ends(office):
    found = office.repairs.find(NewRepair(term="2026b", week=18, onwards=True, happened=CLOSED), "operator")
    assert found.alternatives[0].week is None
    office.repairs.accept(found.record.id, 1, "operator")
    assert sorted(office.desk.counting("2026b").values()) == [list(range(1, 18)), [18, 19, 20]]
