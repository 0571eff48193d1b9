"""A week's plan over HTTP: from a district as a file to lessons that count, and every refusal in words."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.schedule.generate import planted
from hub.schedule.terms import Term
from hub.store.plan_facts import FactChange, NewImport
from tests.hub_api.district import District, district

PLANS = "/api/v1/plan/plans"
TERM = Term(id="2026b", name="2026 秋", first_day="2026-08-31", weeks=20)
MADE, HIDDEN = planted(5, 14, 18, 1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    with district(tmp_path) as made:
        change = FactChange("term", TERM.id, None, TERM.model_dump_json())
        made.parts.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", time.time()), [change])
        yield made


def draft(hub: District, **more: object) -> str:
    new = {"term": "2026b", "first_week": 1, "last_week": 20, "district": MADE.model_dump(mode="json")} | more
    answer = hub.http().post(PLANS, json=new)
    assert answer.status_code == 201, answer.text
    return answer.json()["plan"]


def planned(hub: District, **more: object) -> str:
    return draft(hub, plan=HIDDEN.model_dump(mode="json"), words="第一稿", **more)


def get(hub: District, address: str, **query: object) -> dict:
    answer = hub.http().get(f"{PLANS}/{address}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(hub: District, address: str, body: object = None, status: int = 200) -> dict:
    answer = hub.http().post(f"{PLANS}/{address}", json=body if body is not None else {})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_district_sent_as_a_file_becomes_a_draft_that_is_listed_and_looked_at(hub: District):
    plan = planned(hub)
    (listed,) = hub.http().get(PLANS).json()
    assert (listed["plan"], listed["state"], listed["words"]) == (plan, "draft", "第一稿")
    seen = get(hub, plan)
    assert (seen["requests"], seen["served"], seen["fits"]) == (len(MADE.requests), len(HIDDEN.served), True)
    assert seen["total"] == sum(seen["score"].values())
    assert len(seen["unserved"]) == seen["requests"] - seen["served"]
    assert get(hub, f"{plan}/district")["requests"][0]["id"] == MADE.requests[0].id
    assert len(get(hub, f"{plan}/file")["served"]) == seen["served"]


def test_a_plan_is_agreed_on_and_counts_from_then_on(hub: District):
    plan = planned(hub)
    post(hub, f"{plan}/propose")
    refused = post(hub, f"{plan}/publish", status=409)
    assert "is proposed; for this it must be approved" in refused["error"]
    assert "not said yes" in post(hub, f"{plan}/approvals", {"approved": True}, status=409)["error"]
    for school in get(hub, plan)["schools"]:
        assert school["approved"] is None
        post(hub, f"{plan}/approvals", {"school": school["school"], "approved": True, "words": "教务处"})
    approved = post(hub, f"{plan}/approvals", {"approved": True, "words": "教研室"})
    assert approved["state"] == "approved"
    assert approved["district_said"]["operator"] == "operator"
    hub.parts.clock.behind_s = time.time() - 1_788_076_800.0  # the Sunday before the term
    assert post(hub, f"{plan}/publish")["added"] > 0
    assert get(hub, plan)["counts_for"] == list(range(1, 21))
    hub.parts.attendance.tick()
    (told, *_) = hub.http().get("/api/v1/alerts").json()
    assert told["kind"] == "rooms-without-device"
    post(hub, f"{plan}/withdraw")
    assert get(hub, plan)["state"] == "withdrawn"


def test_an_edit_that_cannot_be_is_refused_in_words(hub: District):
    plan = planned(hub)
    wrong = post(hub, f"{plan}/edits", {"edits": [{"do": "take-out", "request": "nobody"}]}, status=422)
    assert wrong["error"] == "this draft has no request nobody"
    one = HIDDEN.served[0].request
    after = post(hub, f"{plan}/edits", {"edits": [{"do": "take-out", "request": one}]})
    assert after["requests"] == len(MADE.requests) - 1


def test_requests_are_paged_and_found_by_what_they_hold(hub: District):
    plan = planned(hub)
    page = get(hub, f"{plan}/requests", limit=5, offset=10)
    assert (page["total"], len(page["requests"])) == (len(MADE.requests), 5)
    assert page["requests"][0]["request"] == MADE.requests[10].id
    served = get(hub, f"{plan}/requests", served=True)
    assert served["total"] == len(HIDDEN.served)
    one = served["requests"][0]
    found = get(hub, f"{plan}/requests", served=True, school=one["school"], subject=one["subject"], q=one["teacher"])
    assert one in found["requests"]
    assert get(hub, f"{plan}/requests", q="nobody at all")["total"] == 0


def test_a_week_is_seen_from_either_side(hub: District):
    plan = planned(hub)
    held = HIDDEN.held[0]
    room = get(hub, f"{plan}/week", of="room", who=held.room)
    lead = next(one for one in room if one["lesson"] == held.lesson)
    assert (lead["side"], [lead["day"], lead["period"]]) == ("lead", list(held.time))
    follower = next(one for one in HIDDEN.served if one.lesson == held.lesson)
    far = get(hub, f"{plan}/week", of="room", who=follower.room)
    assert any(one["request"] == follower.request and one["side"] == "receiving" for one in far)
    teacher = next(one.teacher for one in MADE.lessons if one.id == held.lesson)
    assert lead in get(hub, f"{plan}/week", of="teacher", who=teacher)
    answer = hub.http().get(f"{PLANS}/{plan}/week", params={"of": "room", "who": "nowhere"})
    assert answer.json()["error"] == "this plan knows no room nowhere"


@pytest.mark.parametrize(
    ("address", "method", "status"),
    [
        ("p-000099", "GET", 404),
        ("p-000099/propose", "POST", 404),
        ("p-000099/solve", "GET", 404),
        ("p-000001/solve", "GET", 404),
        ("p-000001/file", "GET", 404),
        ("p-000001/stop", "POST", 409),
        ("p-000001/propose", "POST", 422),
    ],
)
def test_what_is_not_there_is_told(hub: District, address: str, method: str, status: int):
    assert draft(hub) == "p-000001"
    answer = hub.http().request(method, f"{PLANS}/{address}")
    assert answer.status_code == status
    assert answer.json()["what_to_do"]
