"""The page of the plan's facts: a file is looked at first, exactly what was shown is made, and taken back."""

import io
import re
import threading
import zipfile
from collections.abc import Iterator

import httpx
import openpyxl
import pytest

from hub.api.plan_imports import LARGEST_IMPORT_BYTES
from hub.console.facts_held import HELD_MOST
from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.imports.tables import TABLES
from hub.store.operators import new_token
from tests.hub.schedule.imports.test_tables import saved, workbook
from tests.hub_api.district import District, district

SCHOOLS = "编号,名称,共同体\ns1,一小,东片\ns2,二小,东片\n"
TEACHERS = "学校,编号,姓名,学科,每天最多主讲\n一小,t1,李梅,英语,2\n二小,t2,王强,数学,3\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    with district(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.fixture
def hub(running: District) -> District:
    """The hub without facts: what a test before has left is taken back."""
    facts = running.parts.store.plan_facts
    for one in facts.imports():
        if one.undone is None and one.format != "undo":
            facts.undo(one.id, "operator", 0.0)
    assert facts.counts() == {}
    return running


def sent(hub: District, data: bytes | str, name: str = "schools.csv", **form: str) -> httpx.Response:
    body = data.encode() if isinstance(data, str) else data
    return hub.http().post("/facts?lang=zh", files={"file": (name, body)}, data=form)


def preview(hub: District, data: bytes | str, name: str = "schools.csv", language: str = "zh", **form: str) -> str:
    answer = sent(hub, data, name, **form)
    assert answer.status_code == 303, answer.text
    return page(hub, answer.headers["location"], language)


def page(hub: District, address: str, language: str = "zh") -> str:
    answer = hub.http(cookies={"tongtang-language": language}).get(address)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", html)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def made_real(hub: District, data: str, name: str) -> httpx.Response:
    there = sent(hub, data, name).headers["location"]
    return hub.http().post(f"{there}/apply")


def counts(hub: District) -> dict[str, int]:
    return hub.parts.store.plan_facts.counts()


def test_a_file_is_shown_made_listed_and_taken_back_and_made_again(hub: District):
    shown = sent(hub, SCHOOLS)
    there = shown.headers["location"]
    looked = page(hub, there)
    assert "学校 +2" in looked
    assert "新增" in looked
    assert counts(hub) == {}
    done = hub.http().post(f"{there}/apply")
    assert done.status_code == 303
    made = re.fullmatch(r"/facts\?done=(i-\d+)", done.headers["location"])[1]
    assert hub.http().post(f"{there}/apply").headers["location"] == done.headers["location"], "twice is once"
    listed = page(hub, done.headers["location"])
    assert f"已写入 {made}： 学校 +2" in listed
    assert "operator" in listed
    undone = hub.http().post(f"/facts/imports/{made}/undo")
    assert counts(hub) == {}
    listed = page(hub, undone.headers["location"])
    assert f"已撤销 {made}： 学校 -2" in listed
    assert "恢复" in listed
    hub.http().post(f"/facts/imports/{undone.headers['location'].split('=')[1]}/undo")
    assert counts(hub) == {"school": 2}


def test_mistakes_are_told_by_sheet_row_and_column_in_the_readers_language_and_keep_everything_back(hub: District):
    bad = "学校,姓名,每天最多主讲\n一小,李梅,很多\n三小,王强,2\n,赵丽,2\n"
    made_real(hub, SCHOOLS, "schools.csv")
    there = sent(hub, bad, "teachers.csv").headers["location"]
    zh, en = (text_of(page(hub, there, language)) for language in ("zh", "en"))
    assert "2 每天最多主讲 “很多”无法识别，应为1 到 20 的整数" in zh
    assert "3 学校 没有学校“三小”" in zh
    assert "4 学校 不能为空" in zh
    assert "2 每天最多主讲 “很多” was found, a whole number from 1 to 20 is expected" in en
    assert "There are 3 mistakes" in en
    assert "确认写入" not in zh
    refused = hub.http(cookies={"tongtang-language": "zh"}).post(f"{there}/apply")
    assert (refused.status_code, "文件里还有错误" in refused.text) == (409, True)
    assert counts(hub) == {"school": 2}


def test_rows_without_mistakes_go_on_alone_where_that_is_asked_for(hub: District):
    there = sent(hub, f"{SCHOOLS}s3,\n").headers["location"]
    assert "跳过有错的行" in page(hub, there)
    assert hub.http().post(f"{there}/skip").status_code == 303
    assert counts(hub) == {"school": 2}


def test_what_changes_is_told_field_by_field_with_names(hub: District):
    made_real(hub, SCHOOLS, "schools.csv")
    new = text_of(preview(hub, TEACHERS, "teachers.csv"))
    assert "教师 李梅 t1 新增 学校 一小 (s1) 学科 英语 2" in new
    made_real(hub, TEACHERS, "teachers.csv")
    moved = TEACHERS.replace("一小,t1,李梅,英语,2", "二小,t1,李梅,英语,4")
    changed = text_of(preview(hub, moved, "teachers.csv"))
    assert "学校 一小 (s1) → 二小 (s2)" in changed
    assert "每天最多主讲 未写 → 4" in changed
    assert "1 项与现有资料相同" in changed
    gone = text_of(preview(hub, "编号,名称\ns1,一小\n", "schools.csv", language="en", replace="on"))
    assert "gone" in gone
    assert "school -1" in gone


def test_what_comes_with_the_same_file_is_called_by_its_name(hub: District):
    book = workbook(
        学校=[["编号", "名称"], ["s2", "二小"]],
        班级=[["学校", "编号", "名称"], ["二小", "k1", "三年级1班"]],
        需求=[["学校", "编号", "班级", "学科"], ["二小", "q1", "三年级1班", "英语"]],
        固定=[["需求", "时间"], ["q1", "周三2"]],
    )
    shown = text_of(preview(hub, saved(book).data, "all.xlsx"))
    assert "固定 q1 新增 需求 二小 三年级1班 英语 (q1) 时间 周三2" in shown
    assert "需求 q1 新增 班级 二小 三年级1班 (k1) 学科 英语" in shown


def test_the_same_file_is_read_as_another_kind_and_for_a_school_without_sending_it_again(hub: District):
    made_real(hub, SCHOOLS, "schools.csv")
    there = sent(hub, "名称\n三年级1班\n", "a.csv").headers["location"]
    assert "班级 +1" not in page(hub, there)
    again = hub.http().post(f"{there}/again", data={"kind": "classes", "school": "二小"}).headers["location"]
    shown = page(hub, again)
    assert "班级 +1" in shown
    assert '<option value="classes" selected>' in shown
    assert hub.http().post(f"{there}/again", data={"kind": "stars"}).status_code == 422
    assert hub.http().post("/facts/previews/0000/again").status_code == 404


def test_facts_that_changed_meanwhile_are_shown_anew_and_nothing_else_is_made(hub: District):
    made_real(hub, SCHOOLS, "schools.csv")
    there = sent(hub, SCHOOLS.replace("一小", "实验一小")).headers["location"]
    made_real(hub, SCHOOLS.replace("一小", "城关一小"), "schools.csv")
    refused = hub.http(cookies={"tongtang-language": "zh"}).post(f"{there}/apply")
    assert refused.status_code == 409
    assert "预览之后资料有了变化" in refused.text
    assert "城关一小" in refused.text
    assert "实验一小" in refused.text
    assert "实验一小" not in page(hub, "/facts")
    hub.http().post(f"{there}/apply")
    assert "实验一小" in page(hub, "/facts")


def test_a_name_that_means_nobody_any_more_keeps_a_dry_run_from_being_made(hub: District):
    made_real(hub, SCHOOLS, "schools.csv")
    there = sent(hub, TEACHERS, "teachers.csv").headers["location"]
    made_real(hub, SCHOOLS.replace("二小", "石桥小学"), "schools.csv")
    refused = hub.http(cookies={"tongtang-language": "zh"}).post(f"{there}/apply")
    assert refused.status_code == 409
    assert "没有学校“二小”" in refused.text
    assert counts(hub) == {"school": 2}


def test_a_dry_run_is_for_the_operator_who_asked_for_it(hub: District):
    there = sent(hub, SCHOOLS).headers["location"]
    token = new_token()
    hub.parts.store.operators.set_token("li-jing", token, 1.0)
    other = httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {token}"})
    assert other.get(there).status_code == 404
    assert other.post(f"{there}/apply").status_code == 404
    other.post(f"{there}/drop")
    assert hub.http().post(f"{there}/apply").status_code == 303
    assert other.get("/facts").status_code == 200


def test_two_who_make_the_same_real_at_once_make_one_import(hub: District):
    there = sent(hub, SCHOOLS).headers["location"]
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(hub.http().post(f"{there}/apply").headers["location"]))
        for _ in range(4)
    ]
    before = len(hub.parts.store.plan_facts.imports())
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert len(hub.parts.store.plan_facts.imports()) == before + 1


def test_facts_that_have_nothing_to_do_with_it_do_not_hold_it_up(hub: District):
    there = sent(hub, SCHOOLS).headers["location"]
    made_real(hub, "编号,名称,第一周周一,教学周数\n2026b,秋,2026-08-31,20\n", "terms.csv")
    assert hub.http().post(f"{there}/apply").status_code == 303
    assert counts(hub) == {"school": 2, "term": 1}


def test_an_undo_that_cannot_be_says_why_in_both_languages(hub: District):
    first = made_real(hub, SCHOOLS, "schools.csv").headers["location"].split("=")[1]
    later = made_real(hub, SCHOOLS.replace("一小", "实验一小"), "schools.csv").headers["location"].split("=")[1]
    for language, told in (("zh", f"{later}（学校 实验一小）"), ("en", f"{later} (school 实验一小)")):
        refused = hub.http(cookies={"tongtang-language": language}).post(f"/facts/imports/{first}/undo")
        assert refused.status_code == 409
        assert told in refused.text
    assert hub.http().post("/facts/imports/i-999999/undo").status_code == 409


def macros() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "学校"
    for row in SCHOOLS.splitlines():
        book.active.append(row.split(","))
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    return out.getvalue()


def bomb() -> bytes:
    out = io.BytesIO(macros())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/media/x.bin", b"x")
        archive.filelist[-1].file_size = 1 << 30  # what the directory says is what is unpacked
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("schools.csv", lambda: SCHOOLS.encode("gb18030"), "学校 +2"),
        ("schools.xlsm", macros, "学校 +2"),
        ("schools.csv", lambda: b"", "文件是空的"),
        ("schools.xlsx", lambda: b"", "文件是空的"),
        ("photo.png", lambda: b"\x89PNG\r\n", "不认识这种文件"),
        ("schools.xlsx", lambda: b"\x89PNG\r\n", "不是 .xlsx 工作簿"),
        ("schools.xlsx", bomb, "文件展开后超过"),
        ("schools.csv", lambda: b"\xff\xff\xff\xff", "既不是 UTF-8 也不是 GB18030"),
        ("<b>.csv", lambda: b"a,b\n1,2\n", "看不出是哪种表"),
    ],
)
def test_a_file_that_nobody_should_send_is_told_in_a_sentence(hub: District, name: str, data, told: str):
    shown = preview(hub, data(), name)
    assert told in shown
    assert "<b>" not in shown


def test_what_cannot_be_asked_is_told_above_the_form_and_what_was_chosen_stays(hub: District):
    none = hub.http().post("/facts?lang=zh", files={"file": ("", b"")}, data={"kind": "teachers", "school": "x<y"})
    assert (none.status_code, "请先选择一个文件" in none.text) == (422, True)
    assert 'value="x&lt;y"' in none.text
    assert '<option value="teachers" selected>' in none.text
    assert sent(hub, SCHOOLS, kind="stars").status_code == 422
    large = sent(hub, "x" * (LARGEST_IMPORT_BYTES + (1 << 17)))
    assert (large.status_code, "超过 16 MiB" in large.text) == (413, True)
    gone = hub.http().get("/facts/previews/0000?lang=zh")
    assert (gone.status_code, "请重新选择文件" in gone.text) == (404, True)
    there = sent(hub, SCHOOLS).headers["location"]
    assert hub.http().post(f"{there}/dance").status_code == 404
    assert hub.http().post(f"{there}/drop").headers["location"] == "/facts"
    assert hub.http().post(f"{there}/apply").status_code == 404
    assert counts(hub) == {}


def test_a_form_of_another_site_changes_nothing(hub: District):
    there = sent(hub, SCHOOLS).headers["location"]
    signed_in = httpx.Client(base_url=hub.url)
    signed_in.post("/login", data={"token": hub.token}, headers={"Origin": hub.url})
    for origin in ({}, {"Origin": "https://elsewhere.example"}):
        assert signed_in.post(f"{there}/apply", headers=origin).status_code == 403
        assert signed_in.post("/facts", files={"file": ("a.csv", b"x")}, headers=origin).status_code == 403
        assert signed_in.post("/facts/imports/i-000001/undo", headers=origin).status_code == 403
    assert counts(hub) == {}
    assert signed_in.post(f"{there}/apply", headers={"Origin": hub.url}).status_code == 303
    assert counts(hub) == {"school": 2}


def test_only_so_many_dry_runs_are_kept_the_newest(hub: District):
    first, *others = [sent(hub, SCHOOLS).headers["location"] for _ in range(HELD_MOST + 1)]
    assert hub.http().get(first).status_code == 404
    assert {hub.http().get(one).status_code for one in others} == {200}


def test_every_template_is_read_back_as_its_own_table_without_a_mistake(hub: District):
    book = hub.http(cookies={"tongtang-language": "zh"}).get("/facts/templates/facts.xlsx")
    assert len(openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames) == len(TABLES) + 1
    assert "%E6%8E%92%E8%AF%BE" in book.headers["content-disposition"]
    for language in ("zh", "en"):
        for table in TABLES:
            answer = hub.http(cookies={"tongtang-language": language}).get(f"/facts/templates/{table.key}.csv")
            assert answer.status_code == 200
            title = table.zh if language == "zh" else table.en
            read = propose([Brought(f"{title}.csv", answer.content)], (), Wanted())
            assert (read.mistakes, read.rows, read.format) == ((), 0, "table"), table.key
    assert hub.http().get("/facts/templates/stars.csv").status_code == 404


def test_counts_are_by_school_and_a_school_without_bells_is_marked(hub: District):
    made_real(hub, SCHOOLS, "schools.csv")
    made_real(hub, TEACHERS, "teachers.csv")
    made_real(hub, "学校,节次,开始,结束\n一小,1,08:00,08:40\n", "bells.csv")
    made_real(hub, "学校,名称,人数\n二小,三年级1班,40\n二小,三年级2班,40\n", "classes.csv")
    made_real(hub, "学校,编号,班级,学科\n二小,q1,三年级1班,英语\n", "requests.csv")
    rows = {
        one.split(" ")[1]: one for one in map(text_of, re.findall(r"<tr>(?:(?!<tr>).)*?</tr>", page(hub, "/facts")))
    }
    assert "缺作息" in rows["二小"]
    assert "缺作息" not in rows["一小"]
    assert rows["二小"].split() == ["二小", "s2", "·", "东片", "缺作息", "–", "1", "2", "–", "–", "1", *["–"] * 6]
    assert "没有名称含" in page(hub, "/facts?q=zzz")
    found = page(hub, "/facts?q=一小").split("<tbody>")[1]
    assert ("一小" in found, "二小" in found) == (True, False)


def test_a_plan_without_a_term_leads_here(hub: District):
    assert 'href="/facts"' in page(hub, "/plan").split("还没有学期")[1]
