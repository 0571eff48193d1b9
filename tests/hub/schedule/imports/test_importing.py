"""Between a dry run and its import others may have changed facts: nothing is made of what is no longer so."""

import pytest

from hub.schedule.imports.errors import ImportRefused
from hub.schedule.imports.importing import Importing, summary
from hub.schedule.imports.reading import Wanted
from hub.store.store import Store
from tests.hub.schedule.imports.test_tables import BELLS, SCHOOLS, csv

BAD = csv("schools.csv", "编号,名称\ns1,一小\ns2,\n")


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def test_an_import_says_in_short_what_it_changed_and_one_that_changes_nothing_is_none(store):
    importing = Importing(store.plan_facts)
    proposal = importing.dry_run([BELLS, SCHOOLS], Wanted())
    assert store.plan_facts.counts() == {}
    made = importing.apply(proposal, "li-jing", 5.0)
    assert (made.operator, made.source, made.format) == ("li-jing", "bells.csv, schools.csv", "table")
    assert made.words == "学校 +2；作息 +2"
    assert summary(proposal.counts(), "en") == "school +2; bells +2"
    assert importing.apply(importing.dry_run([SCHOOLS], Wanted()), "li-jing", 6.0) is None
    assert len(store.plan_facts.imports()) == 1


def test_of_two_that_looked_at_the_same_moment_the_later_one_looks_again(store):
    importing = Importing(store.plan_facts)
    first, second = (
        importing.dry_run([csv("schools.csv", f"编号,名称\ns1,{name}\n")], Wanted()) for name in ("甲", "乙")
    )
    importing.apply(first, "operator", 1.0)
    with pytest.raises(ImportRefused, match="school s1 changed meanwhile; look again"):
        importing.apply(second, "operator", 2.0)
    assert '"甲"' in store.plan_facts.get("school", "s1").data


def test_mistakes_stand_in_the_way_unless_their_rows_are_skipped_and_then_nothing_is_removed_beside(store):
    importing = Importing(store.plan_facts)
    importing.apply(importing.dry_run([SCHOOLS], Wanted()), "operator", 1.0)
    proposal = importing.dry_run([BAD, BELLS], Wanted())
    with pytest.raises(ImportRefused, match="mistakes stand in the way, 1 of them"):
        importing.apply(proposal, "operator", 2.0)
    assert "bells" not in store.plan_facts.counts()
    removing = importing.dry_run([BAD, BELLS], Wanted(replace=True))
    with pytest.raises(ImportRefused, match="would be removed, too"):
        importing.apply(removing, "operator", 2.0, skip_bad_rows=True, replaced=True)
    importing.apply(proposal, "operator", 2.0, skip_bad_rows=True)
    assert store.plan_facts.counts() == {"bells": 2, "school": 2}
