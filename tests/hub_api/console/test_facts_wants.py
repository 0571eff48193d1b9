"""Pins, bans, wishes and rules by a form: each is an import of one row, told with names, and undone like any other."""

import httpx
import pytest

from hub.schedule.imports.importing import Importing
from hub.schedule.imports.reading import Brought, Wanted
from tests.hub_api.console.test_facts_page import hub, page, running, text_of
from tests.hub_api.district import District

__all__ = ["hub", "running"]
FILES = {
    "schools.csv": "编号,名称\ns1,一小\ns2,二小\n",
    "rooms.csv": "学校,编号,名称\n二小,r2,双师教室\n",
    "teachers.csv": "学校,编号,姓名\n一小,t1,李梅\n二小,t2,王强\n",
    "classes.csv": "学校,编号,名称\n二小,k1,三年级1班\n",
    "lessons.csv": "学校,编号,主讲教师,学科,年级,最多接收\n一小,l1,李梅,英语,3,2\n",
    "requests.csv": "学校,编号,班级,学科\n二小,q1,三年级1班,英语\n",
}


@pytest.fixture
def filled(hub: District) -> District:
    bring(hub, FILES)
    return hub


def bring(hub: District, files: dict[str, str]) -> None:
    importing = Importing(hub.parts.store.plan_facts)
    brought = [Brought(name, text.encode()) for name, text in files.items()]
    importing.apply(importing.dry_run(brought, Wanted()), "operator", 1.0)


def save(hub: District, kind: str, language: str = "zh", **typed: str) -> httpx.Response:
    return hub.http(cookies={"tongtang-language": language}).post(f"/facts/wants/{kind}", data=typed)


def kept(hub: District, kind: str) -> list[str]:
    return [one.data for one in hub.parts.store.plan_facts.all(kind)]


def test_a_pin_is_added_told_with_names_removed_and_the_removal_undone(filled: District):
    done = save(filled, "pins", request="q1", lesson="l1", time="周三2", room="双师教室")
    assert done.status_code == 303
    pin = '{"request":"q1","lesson":"l1","time":[3,2],"room":"r2","id":"q1"}'
    assert kept(filled, "pin") == [pin]
    shown = text_of(page(filled, done.headers["location"]))
    assert "二小 三年级1班 英语 (q1) 一小 李梅 英语 (l1) 周三2 二小 双师教室 (r2)" in shown
    assert "固定 +1" in shown
    removed = filled.http().post("/facts/wants/pins/q1/remove")
    assert kept(filled, "pin") == []
    made = removed.headers["location"].rpartition("=")[2]
    assert filled.http().post(f"/facts/imports/{made}/undo").status_code == 303
    assert kept(filled, "pin") == [pin]
    assert "页面表单" in page(filled, "/facts")


def test_a_ban_and_a_wish_are_told_in_both_languages(filled: District):
    assert save(filled, "bans", school="二小", teacher="李梅", words="路远").status_code == 303
    assert save(filled, "wishes", request="q1", time="周三2", points="-20").status_code == 303
    assert "二小 (s2) 一小 李梅 (t1) 路远" in text_of(page(filled, "/facts/wants?kind=bans"))
    assert "Wednesday 2 -20" in text_of(page(filled, "/facts/wants?kind=wishes", "en"))
    assert filled.parts.store.plan_facts.counts()["wish"] == 1


@pytest.mark.parametrize(
    ("kind", "typed", "zh", "en"),
    [
        ("pins", {"request": "q9"}, "需求: 没有需求“q9”", "Request: there is no request “q9”"),
        ("pins", {"request": "q1", "time": "明天"}, "时间: “明天”无法识别", "Time: “明天” was found"),
        ("pins", {}, "请先填写", "Fill it in first"),
        ("bans", {"school": "二小"}, "禁排要写主讲课", "a ban names a lesson"),
        ("wishes", {"request": "q1"}, "分值: 不能为空", "Points: must not be empty"),
        ("rules", {"setting": "unit_gap", "value": "x"}, "“x”无法识别", "“x” was found"),
    ],
)
def test_what_cannot_be_is_told_above_the_form_and_changes_nothing(
    filled: District, kind: str, typed: dict[str, str], zh: str, en: str
):
    before = filled.parts.store.plan_facts.newest()
    for language, told in (("zh", zh), ("en", en)):
        answer = save(filled, kind, language, **typed)
        assert answer.status_code == 422
        assert told in text_of(answer.text)
        assert all(f'value="{value}"' in answer.text for value in typed.values() if kind != "rules")
    assert filled.parts.store.plan_facts.newest() == before


def test_a_goal_is_weighed_and_put_back(filled: District):
    assert save(filled, "rules", setting="served", value="1500").status_code == 303
    assert kept(filled, "goals") == ['{"served":1500}']
    shown = page(filled, "/facts/wants?kind=rules")
    assert 'value="1500"' in shown
    assert "恢复为 1000" in shown
    assert "Points for a request that is served, times its weight" in page(filled, "/facts/wants?kind=rules", "en")
    assert "没有要改的" in save(filled, "rules", setting="served", value="1500").text
    save(filled, "rules", setting="served", value="1000")
    assert "恢复为" not in page(filled, "/facts/wants?kind=rules")


def test_what_is_not_there_is_told(filled: District):
    assert save(filled, "stars").status_code == 404
    assert filled.http().post("/facts/wants/pins/q9/remove").status_code == 404
    assert filled.http().post("/facts/wants/rules/district/remove").status_code == 404
    assert filled.http().get("/facts/wants?kind=stars&page=99").status_code == 200


def test_a_long_list_is_paged(filled: District):
    requests = "学校,编号,班级,学科\n" + "".join(f"二小,q{n},三年级1班,英语{n}\n" for n in range(100, 140))
    pins = "需求,时间\n" + "".join(f"q{n},周三2\n" for n in range(100, 140))
    bring(filled, {"requests.csv": requests, "pins.csv": pins})
    first, second = (page(filled, f"/facts/wants?kind=pins&page={number}") for number in (1, 2))
    assert ("英语100" in first, "英语139" in first) == (True, False)
    assert ("英语100" in second, "英语139" in second) == (False, True)
