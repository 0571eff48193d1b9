"""Dated lessons: a plan is published over another, single dates are changed by hand, and calendars can follow."""

from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.calendars.occurrences import Kind, expand
from hub.store.occurrences import Laid, OccurrenceRefused
from hub.store.store import Store
from tests.hub.schedule.calendars.small import SHANGHAI, TERM, district, plan

WEEKS = range(1, 7)
BEFORE = 1_780_000_000.0
"""Before the term."""
ENGLISH = "2026-autumn~english~w{:02d}"


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def occurrences(day=3, its_plan=None):
    return expand(TERM, district(), its_plan or plan(day), WEEKS, SHANGHAI)


def publish(store, found, now=BEFORE, weeks=WEEKS, name="p1"):
    return store.occurrences.publish([Laid(name, TERM.id, weeks, found, "gone")], now)


def english(day=3):
    return [one for one in occurrences(day) if one.lesson == "english"]


def test_what_is_published_is_read_back_whole(store):
    found = occurrences()
    published = publish(store, found)
    assert sorted(published.added) == sorted(one.id for one in found)
    records = store.occurrences.between(0.0, 1e12)
    assert [one.occurrence for one in records] == found
    assert {(one.sequence, one.cancelled, one.plan, one.by_hand) for one in records} == {(0, False, "p1", False)}


def test_the_same_plan_once_more_changes_nothing_that_a_calendar_shows(store):
    publish(store, occurrences())
    before = store.occurrences.between(0.0, 1e12)
    again = publish(store, occurrences(), BEFORE + 60, name="p2")
    assert (len(again.kept), again.added, again.changed, again.cancelled) == (len(before), [], [], [])
    after = store.occurrences.between(0.0, 1e12)
    assert [(one.sequence, one.changed) for one in after] == [(one.sequence, one.changed) for one in before]
    assert {one.plan for one in after} == {"p2"}


def test_a_moved_lesson_keeps_its_id_and_counts_up(store):
    publish(store, occurrences())
    published = publish(store, occurrences(day=4), BEFORE + 60)
    # Week 4's Wednesday was made up on a Saturday; its Thursday is a day as any other.
    assert published.changed == [ENGLISH.format(week) for week in WEEKS]
    assert (published.added, published.cancelled) == ([], [])
    moved = store.occurrences.get(ENGLISH.format(2))
    assert (moved.sequence, moved.occurrence.date.isoweekday(), moved.changed) == (1, 4, BEFORE + 60)
    assert (moved.occurrence.epoch, moved.cancelled) == (english(4)[1].epoch, False)


def test_what_is_gone_is_cancelled_and_held_again_when_a_plan_has_it_again(store):
    publish(store, occurrences())
    without = [one for one in occurrences() if one.lesson != "english"]
    published = publish(store, without, BEFORE + 60)
    assert published.cancelled == [ENGLISH.format(week) for week in WEEKS]
    gone = store.occurrences.get(ENGLISH.format(3))
    assert (gone.cancelled, gone.sequence, gone.words) == (True, 1, "gone")
    assert publish(store, without, BEFORE + 90).cancelled == [], "it is cancelled once"
    assert publish(store, occurrences(), BEFORE + 120).changed == [ENGLISH.format(week) for week in WEEKS]
    back = store.occurrences.get(ENGLISH.format(3))
    assert (back.cancelled, back.sequence, back.words) == (False, 2, "")


def test_other_weeks_and_what_is_past_stay_as_they_are(store):
    publish(store, occurrences())
    now = english()[1].epoch
    published = publish(store, [], now, weeks=[1, 2, 3])
    left = {one.occurrence.id for one in store.occurrences.between(0.0, 1e12) if not one.cancelled}
    assert {ENGLISH.format(1), ENGLISH.format(2)} <= left, "the second one has just begun"
    assert ENGLISH.format(3) in published.cancelled
    assert {ENGLISH.format(week) for week in (4, 5, 6)} <= left
    published = publish(store, occurrences(day=4), now, name="p3")
    assert {ENGLISH.format(1), ENGLISH.format(2)} <= set(published.past), "also where the new time is still to come"
    assert [store.occurrences.get(ENGLISH.format(week)).occurrence for week in (1, 2)] == english()[:2]


def test_nothing_is_added_at_a_time_that_is_past(store):
    now = english()[3].epoch
    published = publish(store, occurrences(), now)
    assert ENGLISH.format(4) in published.past
    assert store.occurrences.get(ENGLISH.format(4)) is None
    assert store.occurrences.get(ENGLISH.format(5)) is not None


def test_a_lesson_that_a_plan_moves_into_the_past_is_cancelled(store):
    publish(store, occurrences(day=4))
    wednesday_is_over = english(3)[1].ends
    assert publish(store, occurrences(day=3), wednesday_is_over).cancelled[0] == ENGLISH.format(2)


def test_a_date_called_off_by_hand_stays_off_until_the_plan_has_another_idea_of_it(store):
    publish(store, occurrences())
    store.occurrences.cancel(ENGLISH.format(2), BEFORE + 1, "老师生病")
    cancelled = store.occurrences.cancel(ENGLISH.format(2), BEFORE + 2)
    assert (cancelled.sequence, cancelled.words, cancelled.by_hand) == (1, "老师生病", True)
    assert ENGLISH.format(2) in publish(store, occurrences(), BEFORE + 60).kept
    assert store.occurrences.get(ENGLISH.format(2)).cancelled
    assert ENGLISH.format(2) in publish(store, occurrences(day=4), BEFORE + 120).changed
    assert not store.occurrences.get(ENGLISH.format(2)).cancelled


def test_what_has_begun_is_not_called_off(store):
    publish(store, occurrences())
    now = english()[1].epoch + 1
    with pytest.raises(OccurrenceRefused, match="has begun"):
        store.occurrences.cancel(ENGLISH.format(2), now)
    with pytest.raises(OccurrenceRefused, match="no occurrence nobody"):
        store.occurrences.cancel("nobody", now)


def test_everybody_finds_their_own_and_whoever_lost_a_part_still_finds_it(store):
    publish(store, occurrences())

    def of(kind, who):
        return {one.occurrence.id for one in store.occurrences.of(kind, who, 0.0, 1e12)}

    assert of(Kind.CLASS, "two-3-2") == {ENGLISH.format(week) for week in (1, 3, 5)} | {
        f"2026-autumn~open~q4~w{week:02d}" for week in (2, 4, 6)
    }
    assert of(Kind.TEACHER, "zhao") == {f"2026-autumn~watched~w{week:02d}" for week in (2, 4, 6)}
    assert len(of(Kind.SCHOOL, "one")) == 9
    assert of(Kind.ROOM, "nowhere") == set()
    served = plan().served
    without_class = plan().model_copy(update={"served": tuple(one for one in served if one.request != "q2")})
    publish(store, occurrences(its_plan=without_class), BEFORE + 60)
    assert ENGLISH.format(1) in of(Kind.CLASS, "two-3-2")
    assert (Kind.CLASS, "two-3-2") not in store.occurrences.get(ENGLISH.format(1)).occurrence.parts
    assert store.occurrences.who(Kind.CLASS) == ["two-3-1", "two-3-2"]


def test_between_gives_what_touches_the_time(store):
    publish(store, occurrences())
    one = english()[0]
    assert [found.occurrence.id for found in store.occurrences.between(one.ends - 1, one.ends)] == [one.id]
    assert store.occurrences.between(one.ends, one.ends + 1) == []


def test_a_session_is_linked_and_calendars_show_nothing_of_it(store):
    publish(store, occurrences())
    before = store.occurrences.get(ENGLISH.format(2))
    store.occurrences.link(ENGLISH.format(2), "s-0001")
    linked = store.occurrences.get(ENGLISH.format(2))
    assert (before.session, linked.session) == (None, "s-0001")
    assert (linked.sequence, linked.changed) == (before.sequence, before.changed)


def test_an_occurrence_of_another_week_is_not_published_unseen(store):
    with pytest.raises(ValueError, match="not of the weeks"):
        publish(store, occurrences(), weeks=[1])
    assert store.occurrences.between(0.0, 1e12) == []


@pytest.fixture(scope="module")
def one_store(tmp_path_factory):
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store')}/hub.db")
    yield store
    store.close()


NUMBERS = count()
DAYS = st.sampled_from([3, 4])
ACTS = st.one_of(
    st.tuples(st.just("publish"), DAYS, st.booleans()),
    st.tuples(st.just("cancel"), st.integers(1, 6), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 12), st.just(0)),
)


def shown(store, term):
    """What calendars show of a term, by id: (what, whether it is off, sequence, when it begins)."""
    found = (one for one in store.occurrences.between(0.0, 1e12) if one.occurrence.term == term)
    return {one.occurrence.id: (one.occurrence, one.cancelled, one.sequence) for one in found}


@settings(max_examples=25, deadline=None)
@given(st.lists(ACTS, max_size=9))
def test_whatever_is_done_a_calendar_can_follow_it(one_store, acts):
    term = TERM.model_copy(update={"id": f"t{next(NUMBERS)}"})
    by_day = {day: expand(term, district(), plan(day), WEEKS, SHANGHAI) for day in (3, 4)}
    named = {(one.lesson, one.week): one for one in by_day[3]}
    now = by_day[3][0].epoch - 86_400.0
    before = {}
    for what, number, more in acts:
        if what == "wait":
            now += number * 86_400.0
        elif what == "publish":
            found = [one for one in by_day[number] if more or one.lesson != "english"]
            one_store.occurrences.publish([Laid("p", term.id, WEEKS, found)], now)
        else:
            one = named["english", number]
            with suppress(OccurrenceRefused):
                one_store.occurrences.cancel(one.id, now)
        after = shown(one_store, term.id)
        assert before.keys() <= after.keys(), "a calendar is told of an end, never left to guess it"
        for name, was in before.items():
            if was[0].epoch <= now:
                assert after[name] == was, "what has begun stays as it was"
            assert after[name][2] == was[2] + (after[name][:2] != was[:2]), "one step for each change, none without"
        before = after
