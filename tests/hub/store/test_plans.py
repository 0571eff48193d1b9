from dataclasses import replace

import pytest

from hub.schedule.desk.states import PlanState
from hub.store.plans import DISTRICT, Approval, PlanContents, PlanHead
from hub.store.store import Store

HEAD = PlanHead("p-000001", "2026a", 1, 18, PlanState.DRAFT, "", "秋季第一稿", "operator", 5.0, 5.0)


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def test_a_plan_is_read_back_as_it_was_kept(store):
    store.plans.add(HEAD, PlanContents('{"name": "房山"}', ""))
    assert store.plans.head("p-000001") == HEAD
    assert store.plans.contents("p-000001") == PlanContents('{"name": "房山"}', "")
    assert store.plans.head("p-000009") is None
    assert store.plans.contents("p-000009") is None


def test_whoever_looked_at_an_older_plan_changes_nothing(store):
    store.plans.add(HEAD, PlanContents("{}", ""))
    assert store.plans.change("p-000001", 5.0, 5.0, data="first")
    assert not store.plans.change("p-000001", 5.0, 9.0, data="second")
    assert store.plans.contents("p-000001").data == "first"
    assert store.plans.head("p-000001").changed > 5.0


def test_ids_count_up_and_the_newest_plan_stands_first(store):
    assert store.plans.next_id() == "p-000001"
    store.plans.add(HEAD, PlanContents("{}", ""))
    assert store.plans.next_id() == "p-000002"
    store.plans.add(replace(HEAD, id="p-000002", term="2027a", created=6.0), PlanContents("{}", ""))
    assert [one.id for one in store.plans.heads()] == ["p-000002", "p-000001"]
    assert [one.id for one in store.plans.heads("2026a")] == ["p-000001"]


def test_of_the_plans_that_count_the_one_published_last_stands_first(store):
    for number, changed in ((1, 50.0), (2, 70.0), (3, 60.0)):
        head = replace(HEAD, id=f"p-00000{number}", state=PlanState.PUBLISHED, changed=changed)
        store.plans.add(head, PlanContents("{}", ""))
    store.plans.add(replace(HEAD, id="p-000004", changed=99.0), PlanContents("{}", ""))
    assert [one.id for one in store.plans.published("2026a")] == ["p-000002", "p-000003", "p-000001"]


def test_what_a_school_says_takes_the_place_of_what_it_said_before(store):
    store.plans.add(HEAD, PlanContents("{}", ""))
    store.plans.approve(Approval("p-000001", "chengguan", approved=False, words="周三不行", operator="li", at=6.0))
    store.plans.approve(Approval("p-000001", "chengguan", approved=True, words="可以", operator="li", at=7.0))
    store.plans.approve(Approval("p-000001", DISTRICT, approved=True, words="教研室", operator="wang", at=8.0))
    said = store.plans.approvals("p-000001")
    assert [(one.school, one.approved, one.words) for one in said] == [
        (DISTRICT, True, "教研室"),
        ("chengguan", True, "可以"),
    ]
    store.plans.forget_approvals("p-000001")
    assert store.plans.approvals("p-000001") == []
