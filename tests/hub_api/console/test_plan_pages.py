"""The plan's pages as they come without a script: forms that do what they say, refusals in the reader's language."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.schedule.desk.edits import TakeOut
from hub.schedule.desk.states import PlanState
from hub.schedule.desk.views import NewDraft
from hub.schedule.district import District as Planned
from hub.schedule.facts import SchoolClass
from hub.schedule.generate import planted
from hub.schedule.terms import Term
from hub.store.plan_facts import FactChange, NewImport
from tests.hub_api.district import District, district

TERM = Term(
    id="2026b",
    name="2026 秋",
    first_day="2026-08-31",
    weeks=20,
    days_off=({"date": "2026-10-01", "words": "国庆"},),
    make_ups=({"date": "2026-10-10", "week": 5, "day": 4},),
)
MADE, HIDDEN = planted(5, 14, 18, 1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    with district(tmp_path) as made:
        change = FactChange("term", TERM.id, None, TERM.model_dump_json())
        made.parts.store.plan_facts.apply(NewImport("operator", "by hand", "json", "", time.time()), [change])
        yield made


@pytest.fixture
def plan(hub: District) -> str:
    new = NewDraft(term="2026b", first_week=1, last_week=20, district=MADE, plan=HIDDEN, words="第一稿")
    return hub.parts.desk.make(new, "li").head.id


def page(hub: District, address: str, language: str = "zh") -> str:
    answer = hub.http(cookies={"tongtang-language": language}).get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def send(hub: District, address: str, **form: object) -> httpx.Response:
    return hub.http().post(address, data=form)


def test_a_form_makes_a_draft_of_a_file_and_tells_what_is_wrong_with_another(hub: District):
    form = {"term": "2026b", "first_week": "3", "last_week": "4", "words": "试排"}
    good = MADE.model_dump_json(exclude_defaults=True).encode()
    made = hub.http().post("/plan", data=form, files={"file": ("d.json", good)})
    assert (made.status_code, made.headers["location"]) == (303, "/plan/p-000001")
    assert hub.parts.desk.open("p-000001").book.district == MADE
    wrong = hub.http().post("/plan", data=form, files={"file": ("d.json", b'{"schools": 1}')})
    assert wrong.status_code == 422
    assert "文件不是区域文件" in wrong.text
    assert 'value="试排"' in wrong.text  # what was filled in stays
    late = hub.http().post("/plan", data=form | {"last_week": "99"})
    assert late.status_code == 422
    assert len(hub.parts.desk.heads()) == 1


def test_the_list_names_plans_with_their_state_in_both_languages(hub: District, plan: str):
    assert "草稿" in page(hub, "/plan")
    english = page(hub, "/plan", "en")
    assert "Draft" in english
    assert "weeks 1–20" in english
    assert "第一稿" in english


def test_forms_take_a_plan_from_a_draft_to_lessons_that_count(hub: District, plan: str):
    hub.parts.clock.behind_s = time.time() - 1_788_076_800.0
    assert send(hub, f"/plan/{plan}/propose").status_code == 303
    first, *_ = hub.parts.desk.open(plan).book.taking_part
    refused = send(hub, f"/plan/{plan}/note", school=first, say="no", words="")
    assert refused.status_code == 409
    assert "不同意须写明原因" in refused.text
    send(hub, f"/plan/{plan}/note", school=first, say="no", words="周三不行")
    assert "周三不行" in page(hub, f"/plan/{plan}")
    send(hub, f"/plan/{plan}/note-all", words="例会")
    assert hub.parts.desk.approvals(plan)[first].approved is False  # who said no is not overruled
    send(hub, f"/plan/{plan}/note", school=first, say="yes", words="已商定")
    send(hub, f"/plan/{plan}/note", school="", say="yes", words="教研室")
    assert send(hub, f"/plan/{plan}/publish", first_week="2", last_week="3").status_code == 303
    assert hub.parts.desk.counting("2026b") == {plan: [2, 3]}
    assert "这份课表在 2 周内生效" in page(hub, f"/plan/{plan}")
    send(hub, f"/plan/{plan}/withdraw")
    assert hub.parts.desk.open(plan).head.state is PlanState.WITHDRAWN


def test_a_refusal_is_told_above_the_page_and_nothing_is_done(hub: District, plan: str):
    refused = send(hub, f"/plan/{plan}/publish")
    assert refused.status_code == 409
    assert "此操作要求" in refused.text
    assert send(hub, f"/plan/{plan}/dance").status_code == 409
    assert send(hub, "/plan/p-000099/propose").status_code == 404
    assert hub.http().get("/plan/p-000099").status_code == 404
    assert hub.parts.desk.open(plan).head.state is PlanState.DRAFT


def test_a_form_leads_back_to_where_it_stood_and_nowhere_else(hub: District, plan: str):
    one = HIDDEN.served[0].request
    there = send(hub, f"/plan/{plan}/pin", request=one, back="show=served&page=2")
    assert there.headers["location"] == f"/plan/{plan}?show=served&page=2"
    assert "已固定" in page(hub, f"/plan/{plan}?show=served")
    away = send(hub, f"/plan/{plan}/unpin", request=one, back="x\r\nLocation: https://elsewhere")
    assert "elsewhere" not in away.headers["location"]


def test_a_draft_that_no_longer_fits_says_what_it_breaks(hub: District, plan: str):
    one = HIDDEN.served[0]
    ban = {"do": "ban", "ban": {"request": one.request, "lesson": one.lesson}}
    assert hub.http().post(f"/api/v1/plan/plans/{plan}/edits", json={"edits": [ban]}).status_code == 200
    shown = page(hub, f"/plan/{plan}")
    assert "现有结果不再成立" in shown
    assert f"，这是禁排的（需求 {one.request}、主讲课 {one.lesson}）" in shown
    assert "which is banned" in page(hub, f"/plan/{plan}?lang=en")
    assert "提交学校征求意见" not in shown


def test_a_week_shows_its_dates_days_off_and_make_up_days(hub: District, plan: str):
    thursday = next(one for one in HIDDEN.held if one.time[0] == 4)
    school = hub.parts.desk.open(plan).book.lead_school(thursday.lesson)
    off = page(hub, f"/plan/{plan}?school={school}&week=5")
    assert "10-01" in off
    assert "放假" in off
    made_up = page(hub, f"/plan/{plan}?school={school}&week=6")
    assert "10-10" in made_up
    assert "补第 5 周周四的课" in made_up
    english = page(hub, f"/plan/{plan}?school={school}&week=6", "en")
    assert "for Thursday of week 5" in english


def test_names_are_shown_as_text_whatever_they_hold(hub: District):
    classes = tuple(SchoolClass(**{**one.model_dump(), "name": "<script>alert(1)</script>"}) for one in MADE.classes)
    told = Planned.model_validate({**MADE.model_dump(), "classes": [one.model_dump() for one in classes]})
    new = NewDraft(term="2026b", first_week=1, last_week=20, district=told, words="<b>x")
    made = hub.parts.desk.make(new, "li").head.id
    assert "<script>alert" not in page(hub, f"/plan/{made}")
    assert "<b>x" not in page(hub, "/plan")


def test_a_large_list_is_paged_and_its_filter_stays(hub: District, plan: str):
    book = hub.parts.desk.open(plan).book
    shown = page(hub, f"/plan/{plan}?show=all&page=99")
    assert f"{len(book.requests)} 项" in shown
    hub.parts.desk.edit(plan, [TakeOut(do="take-out", request=book.district.requests[0].id)], "li")
    assert f"{len(book.requests) - 1} 项" in page(hub, f"/plan/{plan}?show=all")
    assert json.loads(hub.http().get(f"/api/v1/plan/plans/{plan}").text)["requests"] == len(book.requests) - 1
