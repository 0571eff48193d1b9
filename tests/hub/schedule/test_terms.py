"""Teaching weeks, odd and even, days off and make-up days: which date is a day of which week."""

import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.schedule.slots import parities
from hub.schedule.terms import DayOff, MakeUp, Term, when
from tests.hub.schedule.test_planning_page import PAGE, example

FIRST = dt.date(2026, 8, 31)
DAYS = st.integers(1, 7)
PATTERNS = st.sampled_from(["AB", "A", "B"])


def autumn(**changes):
    """Twenty weeks, of which National Day's is not counted; Thursday of week 4 and Friday of week 4 are made up."""
    parts = {
        "id": "2026-autumn",
        "first_day": FIRST,
        "weeks": 20,
        "uncounted": (dt.date(2026, 10, 5),),
        "days_off": (DayOff(date=dt.date(2026, 9, 25), words="中秋节"), DayOff(date=dt.date(2026, 10, 1))),
        "make_ups": (
            MakeUp(date=dt.date(2026, 9, 20), week=4, day=5, words="补中秋节"),
            MakeUp(date=dt.date(2026, 10, 17), weeks="B", day=4),
        ),
    }
    return Term(**{**parts, **changes})


@st.composite
def terms(draw):
    weeks = draw(st.integers(2, 22))
    plain = Term(id="t", first_day=FIRST, weeks=weeks)
    skipped = draw(st.sets(st.integers(1, weeks - 1), max_size=3))
    uncounted = tuple(FIRST + dt.timedelta(weeks=number) for number in sorted(skipped))
    # Skipped weeks push the last one back, so that every one of them lies before it.
    plain = Term(id="t", first_day=FIRST, weeks=weeks, uncounted=uncounted)
    span = (plain.last_day - FIRST).days
    chosen = draw(st.lists(st.integers(0, span), unique=True, max_size=12))
    dates = [FIRST + dt.timedelta(days=number) for number in chosen]
    off, made = dates[: len(dates) // 2], dates[len(dates) // 2 :]
    make_ups = []
    taken = set()
    for date in made:
        named = next((one for one in off if one not in taken and plain.week_of(one) is not None), None)
        if named is not None and draw(st.booleans()):
            taken.add(named)
            make_ups.append(MakeUp(date=date, week=plain.week_of(named), day=named.isoweekday()))
        elif plain.week_of(date) is not None:
            make_ups.append(MakeUp(date=date, weeks=draw(PATTERNS), day=draw(DAYS)))
    return Term(
        id="t",
        first_day=FIRST,
        weeks=weeks,
        uncounted=uncounted,
        days_off=tuple(DayOff(date=one) for one in off),
        make_ups=tuple(make_ups),
    )


@settings(max_examples=60, deadline=None)
@given(terms())
def test_every_teaching_date_belongs_to_exactly_one_week(term):
    dates = [one.date for one in term.teaching_days]
    assert dates == sorted(set(dates))
    for one in term.teaching_days:
        assert 1 <= one.week <= term.weeks
        assert [week for week in range(1, term.weeks + 1) if one in term.held_on("AB", one.day, week, week)] == [
            one.week
        ]
        if not one.make_up:
            assert term.date_of(one.week, one.day) == one.date
    for date in (one.date for one in term.days_off):
        assert date not in dates


@settings(max_examples=60, deadline=None)
@given(terms(), st.sampled_from(["A", "B"]), DAYS)
def test_a_lesson_of_odd_weeks_never_falls_on_an_even_one_unless_a_make_up_says_so(term, weeks, day):
    made_up = {one.date: one for one in term.make_ups}
    for one in term.held_on(weeks, day):
        says_so = made_up.get(one.date)
        if says_so is None:
            assert (term.week_of(one.date) % 2 == 1) == (weeks == "A")
            assert one.date.isoweekday() == day
        elif says_so.weeks is not None:
            assert (says_so.weeks, says_so.day) == (weeks, day)
        else:
            assert (says_so.week % 2 == 1) == (weeks == "A")


@settings(max_examples=60, deadline=None)
@given(terms(), PATTERNS, DAYS)
def test_what_a_week_holds_is_held_once_or_fell_on_a_day_off(term, weeks, day):
    held = [one for one in term.held_on(weeks, day) if not one.extra]
    numbers = [one.week for one in held]
    assert len(numbers) == len(set(numbers))
    missing = {week for week in range(1, term.weeks + 1) if (week - 1) % 2 in parities(weeks)} - set(numbers)
    free = {one.date for one in (*term.days_off, *term.make_ups)}
    assert all(term.date_of(week, day) in free for week in missing)


@settings(max_examples=60, deadline=None)
@given(terms())
def test_a_term_is_the_same_after_it_was_written_and_read(term):
    assert Term.model_validate_json(term.model_dump_json()) == term


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), DAYS, st.integers(1, 20))
def test_week_day_and_period_can_be_read_back_from_the_words(week, day, period):
    chinese = re.fullmatch(r"第 (\d+) 周 周(.) 第 (\d+) 节", when(week, day, period))
    assert (int(chinese[1]), "一二三四五六日".index(chinese[2]) + 1, int(chinese[3])) == (week, day, period)
    english = re.fullmatch(r"Week (\d+), (\w+), period (\d+)", when(week, day, period, "en"))
    named = (dt.date(2026, 8, 30) + dt.timedelta(days=day)).strftime("%A")
    assert (int(english[1]), english[2], int(english[3])) == (week, named, period)


def test_a_week_that_is_not_counted_moves_odd_and_even_after_it():
    term = autumn()
    assert term.week_of(dt.date(2026, 9, 28)) == 5
    assert term.week_of(dt.date(2026, 10, 7)) is None
    assert term.week_of(dt.date(2026, 10, 12)) == 6
    mondays = [one.date for one in term.held_on("A", 1, 4, 8)]
    assert mondays == [dt.date(2026, 9, 28), dt.date(2026, 10, 19)], "seven days of counting apart, not fourteen"
    assert term.last_day == dt.date(2027, 1, 24)


def test_the_lessons_of_a_day_off_are_held_on_the_day_that_the_district_named_and_nowhere_else():
    fridays = {one.date: one for one in autumn().held_on("B", 5, 3, 5)}
    assert list(fridays) == [dt.date(2026, 9, 20)]
    assert (fridays[dt.date(2026, 9, 20)].week, fridays[dt.date(2026, 9, 20)].make_up) == (4, True)
    assert [one.date for one in autumn(make_ups=()).held_on("B", 5, 3, 5)] == [], "a make-up is never inferred"


def test_a_make_up_by_pattern_holds_what_even_thursdays_have_whatever_its_week():
    extra = dt.date(2026, 10, 17)
    assert extra in [one.date for one in autumn().held_on("B", 4)]
    assert extra not in [one.date for one in autumn().held_on("A", 4)]
    assert autumn().teaching(extra).week == 6


def test_two_days_may_trade_places():
    monday, tuesday = dt.date(2026, 9, 7), dt.date(2026, 9, 8)
    swapped = autumn(make_ups=(MakeUp(date=monday, week=2, day=2), MakeUp(date=tuesday, week=2, day=1)))
    assert [swapped.held_on("AB", day, 2, 2)[0].date for day in (1, 2)] == [tuesday, monday]


def test_a_changed_copy_of_a_term_counts_its_own_weeks():
    term = autumn()
    assert term.week_of(dt.date(2026, 10, 12)) == 6
    assert term.model_copy(update={"uncounted": ()}).week_of(dt.date(2026, 10, 12)) == 7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_day": dt.date(2026, 9, 1)}, "2026-09-01 is no Monday"),
        ({"uncounted": (dt.date(2027, 6, 7),)}, "uncounted week of 2027-06-07"),
        ({"days_off": (DayOff(date=dt.date(2026, 8, 30)),)}, "day off 2026-08-30 does not lie in the term"),
        ({"make_ups": (MakeUp(date=dt.date(2026, 9, 20), week=3, day=4),)}, "which is no day off"),
        ({"make_ups": (MakeUp(date=dt.date(2026, 10, 10), weeks="A", day=4),)}, "lies in no counted week"),
        ({"make_ups": (MakeUp(date=dt.date(2026, 9, 25), weeks="A", day=4),)}, "2026-09-25 is named twice"),
        (
            {"make_ups": tuple(MakeUp(date=dt.date(2026, 9, day), week=4, day=5) for day in (19, 20))},
            "two make-up days take the place of 2026-09-25",
        ),
    ],
)
def test_a_term_that_contradicts_itself_is_refused_in_words(changes, words):
    with pytest.raises(ValidationError, match=words):
        autumn(**changes)


def test_a_make_up_day_says_as_what_it_is_taught():
    with pytest.raises(ValidationError, match="either a week or a pattern"):
        MakeUp(date=FIRST, day=1)


def test_the_planning_pages_example_is_a_term_and_names_every_field():
    term = Term.model_validate_json(example("term"))
    assert [one.date for one in term.held_on("B", 5, 4, 4)] == [dt.date(2026, 9, 20)]
    assert term.week_of(dt.date(2026, 10, 12)) == 6
    for model in (Term, DayOff, MakeUp):
        assert [name for name in model.model_fields if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE] == []
