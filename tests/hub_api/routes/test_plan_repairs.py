"""A plan that counts is repaired over HTTP: told what happened, one way out taken with one call."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.schedule.desk.views import NewApproval, NewDraft, NewPublication
from hub.schedule.generate import planted
from hub.schedule.repair.names import Names
from hub.schedule.terms import Term
from hub.store.plan_facts import FactChange, NewImport
from tests.hub_api.district import District, district

REPLANS = "/api/v1/plan/replans"
TODAY = dt.datetime.now(dt.UTC).date()
NEXT_MONDAY = TODAY + dt.timedelta(days=14 - TODAY.weekday())
TERM = Term(id="next", name="下学期", first_day=NEXT_MONDAY, weeks=6)
MADE, HIDDEN = planted(5, 14, 18, 1)
NAMES = Names(MADE)
SERVED = HIDDEN.served[0]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    with district(tmp_path) as made:
        change = FactChange("term", TERM.id, None, TERM.model_dump_json())
        made.parts.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", time.time()), [change])
        desk = made.parts.desk
        new = NewDraft(term="next", first_week=1, last_week=6, district=MADE, plan=HIDDEN)
        plan = desk.make(new, "operator").head.id
        desk.propose(plan, "operator")
        for school in (*desk.open(plan).book.taking_part, ""):
            desk.note(plan, NewApproval(school=school, approved=True), "operator")
        desk.publish(plan, NewPublication(), "operator")
        yield made


def sick(**more: object) -> dict:
    day = {"day": SERVED.time[0]}
    happened = {"kind": "teacher-sick", "teacher": NAMES.lessons[SERVED.lesson].teacher, "windows": [day]}
    week = 1 if NAMES.lessons[SERVED.lesson].weeks != "B" else 2
    return {"term": "next", "week": week, "happened": happened} | more


def test_a_teacher_is_sick_and_one_way_out_is_taken(hub: District):
    found = hub.http().post(REPLANS, json=sick())
    assert found.status_code == 200, found.text
    told = found.json()
    best = told["alternatives"][0]
    assert best["hit"]
    assert best["changes"][0]["words"]["zh"]
    assert [one["id"] for one in hub.http().get(REPLANS).json()] == [told["id"]]
    done = hub.http().post(f"{REPLANS}/{told['id']}/accept", json={"take": 1})
    assert done.status_code == 200, done.text
    assert done.json()["changed"] + done.json()["cancelled"] > 0
    assert hub.http().get(f"{REPLANS}/{told['id']}").json()["taken"] == 1
    assert [told["week"]] in hub.parts.desk.counting("next").values()
    again = hub.http().post(f"{REPLANS}/{told['id']}/accept", json={"take": 1})
    assert again.status_code == 409


def test_a_repair_is_let_go(hub: District):
    told = hub.http().post(REPLANS, json=sick()).json()
    left = hub.http().post(f"{REPLANS}/{told['id']}/let-go").json()
    assert left["taken"] is None
    assert left["closed"] is not None
    assert list(hub.parts.desk.counting("next").values()) == [[1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"week": 9}, 409, "no plan counts for week 9"),
        (
            {"happened": {"kind": "teacher-sick", "teacher": "nobody", "windows": [{"day": 1}]}},
            422,
            "no teacher nobody",
        ),
        ({"happened": {"kind": "flood"}}, 422, "flood"),
    ],
)
def test_what_cannot_be_repaired_is_refused_in_words(hub: District, body: dict, status: int, words: str):
    answer = hub.http().post(REPLANS, json=sick(**body))
    assert answer.status_code == status
    assert words in answer.text


def test_a_repair_that_is_not_there_is_not_found(hub: District):
    assert hub.http().get(f"{REPLANS}/repair-0").status_code == 404
