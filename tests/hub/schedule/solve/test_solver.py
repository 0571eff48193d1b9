"""The planner as a whole: what it emits was checked, says what it is worth, and depends on seed and work alone."""

import pytest

from hub.schedule.check import check
from hub.schedule.district import District, Goals
from hub.schedule.errors import PinsUnmet, PlanBroken
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.generate import generate
from hub.schedule.plan import fingerprint
from hub.schedule.slots import Bell
from hub.schedule.solve import solver
from hub.schedule.solve.solver import solve
from hub.schedule.synthetic.extras import Extras
from hub.schedule.wants import Lesson, Pin, Request

WORK = 60_000


@pytest.fixture(scope="module")
def district():
    return generate(8, 40, 120, seed=3, extras=Extras.every(0.1))


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def plan(district, told):
    return solve(district, seed=1, work=WORK, on_progress=told.append)


def test_the_plan_holds_is_worth_what_it_says_and_is_near_the_bound(district, plan):
    checked = check(district, plan)
    assert not checked.violations
    assert plan.score == checked.score
    assert plan.district == fingerprint(district)
    assert plan.gap is not None
    assert 0 <= plan.gap < 0.05
    assert plan.proof


def test_progress_names_the_phases_and_never_goes_back(told, plan):
    phases = list(dict.fromkeys(one.phase for one in told))
    assert phases == ["reading", "greedy", "compiling", "bound", "search", "polish", "checking"]
    worth = [one.points for one in told if one.points is not None]
    assert worth == sorted(worth)
    assert worth[-1] == plan.score.total > worth[0]
    assert told[-1].served == len(plan.served)
    assert told[-1].bound == plan.bound
    assert told[-1].work == WORK
    assert [one.seconds for one in told] == sorted(one.seconds for one in told)


def test_the_same_seed_and_work_give_the_same_plan_to_the_byte(district, plan):
    assert solve(district, seed=1, work=WORK).model_dump_json() == plan.model_dump_json()
    assert solve(district, seed=2, work=WORK).model_dump_json() != plan.model_dump_json()


def test_seconds_stop_it_and_so_does_whoever_asks(district):
    phases = []
    stopped = solve(district, seconds=1000, on_progress=phases.append, stop=lambda: len(phases) > 1)
    assert not check(district, stopped).violations
    assert stopped.score.total > 0
    short = solve(district, seconds=0.5)
    assert not check(district, short).violations


def test_a_start_is_gone_on_from_and_a_plan_before_is_kept_to(district, plan):
    again = solve(district, seed=5, work=1_000, start=plan, prove=False)
    assert again.score.total >= plan.score.total
    assert again.bound is None
    before = solve(district, seed=2, work=1_000, prove=False)
    kept = solve(district, seed=1, work=WORK, before=before, prove=False)
    assert kept.score == check(district, kept, before).score
    assert kept.score.kept > check(district, plan, before).score.kept


def test_whatever_the_seed_and_however_long_it_may_a_plan_comes_of_it(district, plan):
    assert solve(district, seed=-7, work=150_000, start=plan, prove=False).score.total >= plan.score.total
    told = []
    soon = solve(district, seconds=float("inf"), on_progress=told.append, stop=lambda: told[-1].work > 0, prove=False)
    assert not check(district, soon).violations


def test_a_pin_that_a_start_has_no_room_for_moves_few_others(district, plan):
    pinned = {pin.request for pin in district.pins}
    times = {one.id: one.times for one in district.requests}
    stays = {one.request: (one.lesson, one.time) for one in plan.served}
    tried = 0
    for one in plan.served:
        for time in times[one.request]:
            changed = district.model_copy(update={"pins": (*district.pins, Pin(request=one.request, time=time))})
            if tried >= 8 or one.request in pinned or time == one.time:
                continue
            try:
                after = solve(changed, work=1, start=plan, prove=False)
            except PinsUnmet:
                continue
            tried += 1
            assert sum((each.lesson, each.time) == stays.get(each.request) for each in after.served) > 0.9 * len(stays)
    assert tried == 8


def test_a_pinned_request_is_served_however_much_more_others_would_be_worth():
    bells = (Bell(begins="08:00", ends="08:40"),)
    classes = [f"k{number}" for number in range(13)]
    topic = {"subject": "英语", "grade": 3}
    torn = District(
        schools=(School(id="lead", name="", bells=bells), School(id="home", name="", bells=bells)),
        rooms=(
            Room(id="studio", school="lead", equipment=frozenset({"lead"})),
            *(Room(id=f"r{number}", school="home") for number in range(13)),
        ),
        teachers=(Teacher(id="t", school="lead"),),
        classes=tuple(SchoolClass(id=one, school="home") for one in classes),
        lessons=(Lesson(id="l", teacher="t", fan_out=20, times=((1, 1), (2, 1)), **topic),),
        requests=(
            Request(id="pinned", school_class="k0", times=((1, 1),), **topic),
            *(Request(id=one, school_class=one, times=((2, 1),), weight=100, **topic) for one in classes[1:]),
        ),
        pins=(Pin(request="pinned"),),
        goals=Goals(served=2000),
    )
    assert [one.request for one in solve(torn, work=1_000, prove=False).served] == ["pinned"]


def test_where_the_timetable_sets_the_times_the_plan_is_the_best_there_is(district, plan):
    held = {one.lesson: one.time for one in plan.held}
    lessons = tuple(
        lesson.model_copy(update={"times": (held.get(lesson.id, lesson.times[0]),)}) for lesson in district.lessons
    )
    fixed = solve(district.model_copy(update={"lessons": lessons}), work=1_000)
    assert fixed.bound == fixed.score.total >= plan.score.total
    assert fixed.gap == 0


def test_pins_that_contradict_each_other_are_refused_by_name(district, plan):
    one = next(one for one in plan.served if one.lesson is not None)
    request = next(each for each in district.requests if each.id == one.request)
    twins = tuple(request.model_copy(update={"id": f"{request.id}-{number}"}) for number in range(2))
    pins = tuple(Pin(request=twin.id, lesson=one.lesson, time=one.time) for twin in twins)
    torn = district.model_copy(update={"requests": (*district.requests, *twins), "pins": (*district.pins, *pins)})
    with pytest.raises(PinsUnmet, match=f"cannot be served beside the other pins: .*{request.id}-"):
        solve(torn, work=1_000)


def test_a_plan_that_breaks_a_rule_is_never_handed_out(district, monkeypatch):
    crowd = generate(8, 40, 120, seed=3, extras=Extras.every(0.1)).model_copy(
        update={"rules": district.rules.model_copy(update={"min_overlap_minutes": 5})}
    )
    compiled = solver.compile_district
    monkeypatch.setattr(solver, "compile_district", lambda _district, before: compiled(crowd, before))
    with pytest.raises(PlanBroken, match="a mistake in it"):
        solve(district, work=WORK, prove=False)


def test_a_district_without_requests_has_an_empty_plan(district):
    bare = district.model_copy(update={"requests": (), "pins": (), "bans": (), "wishes": ()})
    plan = solve(bare, work=1_000)
    assert plan.served == plan.held == ()
    assert plan.score.total == 0
