"""Facts of the planner change as one, and are undone as one, byte for byte."""

import json

import pytest

from hub.store.plan_facts import FactChange, FactsChanged, NewImport, PlanFact, UndoRefused, WhyNot
from hub.store.store import Store


@pytest.fixture
def facts(database_url):
    store = Store.open(database_url)
    yield store.plan_facts
    store.close()


def school(name="一小", fact="s-1"):
    return json.dumps({"id": fact, "name": name}, ensure_ascii=False)


def new(words="schools", made=10.0, source="schools.xlsx"):
    return NewImport("operator", source, "table", words, made)


def becomes(after, before=None, kind="school", fact="s-1"):
    return FactChange(kind, fact, before, after)


def state(facts):
    return [(one.kind, one.id, one.school, one.data) for one in facts.everything()]


def test_what_was_imported_is_read_back_with_the_school_that_it_belongs_to(facts):
    room = '{"id": "r-1", "school": "s-1"}'
    made = facts.apply(new(), [becomes(school()), becomes(room, kind="room", fact="r-1")])
    assert facts.all("school") == [PlanFact("school", "s-1", "s-1", school(), 10.0)]
    assert facts.get("room", "r-1").school == "s-1"
    assert facts.get("room", "r-2") is None
    assert facts.counts() == {"room": 1, "school": 1}
    assert facts.imports() == [made]
    assert [one.fact for one in facts.changes(made.id)] == ["s-1", "r-1"]


def test_an_import_that_was_worked_out_from_older_facts_changes_nothing(facts):
    facts.apply(new(), [becomes(school())])
    before = state(facts)
    with pytest.raises(FactsChanged, match="school s-1 changed meanwhile"):
        facts.apply(new("late"), [becomes(school("二小", "s-2"), fact="s-2"), becomes(school("又一小"))])
    assert state(facts) == before
    assert len(facts.imports()) == 1


def test_undo_restores_every_fact_byte_for_byte_and_undoing_that_makes_them_again(facts):
    odd = '{"name":  "一小" ,"id":"s-1"}'  # not as we would write it
    facts.apply(new(), [becomes(odd), becomes(school("二小", "s-2"), fact="s-2")])
    before = state(facts)
    second = facts.apply(
        new("changes", 11.0),
        [
            becomes(school(), odd),
            becomes(None, school("二小", "s-2"), fact="s-2"),
            becomes(school("三小", "s-3"), fact="s-3"),
        ],
    )
    after = state(facts)
    undo = facts.undo(second.id, "li-jing", 12.0)
    assert state(facts) == before
    assert (undo.source, undo.format, undo.operator) == (second.id, "undo", "li-jing")
    assert facts.imports()[1].undone == 12.0
    again = facts.undo(undo.id, "operator", 13.0)
    assert state(facts) == after
    assert again.words == f"again {second.id}: changes"
    facts.undo(again.id, "operator", 14.0)
    assert state(facts) == before


def test_an_import_whose_facts_a_later_one_changed_is_undone_after_it(facts):
    first = facts.apply(new("one"), [becomes(school("一"))])
    second = facts.apply(new("two", 11.0), [becomes(school("二"), school("一"))])
    third = facts.apply(new("three", 12.0), [becomes(school("一"), school("二"))])  # as the first one left it
    with pytest.raises(UndoRefused, match=f"{third.id} .school s-1., {second.id} .school s-1.; undo those first"):
        facts.undo(first.id, "operator", 13.0)
    for one in (third, second, first):
        facts.undo(one.id, "operator", 13.0)
    assert facts.everything() == []


def test_what_is_undone_or_unknown_is_not_undone(facts):
    first = facts.apply(new(), [becomes(school())])
    facts.undo(first.id, "operator", 11.0)
    for wrong, words in ((first.id, "undone already"), ("i-000099", "there is no import i-000099")):
        with pytest.raises(UndoRefused, match=words):
            facts.undo(wrong, "operator", 12.0)


def test_undoing_is_not_taken_back_once_its_facts_have_changed(facts):
    first = facts.apply(new(), [becomes(school("一"))])
    undo = facts.undo(first.id, "operator", 11.0)
    facts.apply(new("anew", 12.0), [becomes(school("二"))])
    with pytest.raises(UndoRefused):
        facts.undo(undo.id, "operator", 13.0)
    assert [one.data for one in facts.all("school")] == [school("二")]


def test_imports_without_anything_in_common_are_undone_in_any_order(facts):
    first = facts.apply(new(), [becomes(school())])
    facts.apply(new("other", 11.0), [becomes(school("二小", "s-2"), fact="s-2")])
    facts.undo(first.id, "operator", 12.0)
    assert [one.id for one in facts.all("school")] == ["s-2"]


def test_imports_are_summed_up_by_kind_and_what_became_of_the_facts(facts):
    assert facts.newest() == ""
    first = facts.apply(new(), [becomes(school()), becomes(school("二小", "s-2"), fact="s-2")])
    room = '{"id": "r-1", "school": "s-1"}'
    second = facts.apply(
        new("more", 11.0),
        [
            becomes(school("新一小"), school()),
            becomes(None, school("二小", "s-2"), fact="s-2"),
            becomes(room, kind="room", fact="r-1"),
        ],
    )
    assert facts.changed([first.id, second.id]) == {
        first.id: {"school": {"added": 2}},
        second.id: {"school": {"changed": 1, "removed": 1}, "room": {"added": 1}},
    }
    assert facts.changed([]) == {}
    assert facts.newest() == second.id
    assert [one.id for one in facts.some("school", {"s-1", "s-2", "s-9"})] == ["s-1"]


def test_a_refused_undo_tells_programs_what_stands_in_the_way(facts):
    first = facts.apply(new("one"), [becomes(school("一"))])
    second = facts.apply(new("two", 11.0), [becomes(school("二"), school("一"))])
    with pytest.raises(UndoRefused) as refused:
        facts.undo(first.id, "operator", 12.0)
    assert (refused.value.why, refused.value.made) == (WhyNot.COVERED, first.id)
    assert refused.value.later == {second.id: ("school", "s-1")}
    with pytest.raises(UndoRefused) as refused:
        facts.undo("i-000099", "operator", 12.0)
    assert (refused.value.why, refused.value.later) == (WhyNot.UNKNOWN, {})
