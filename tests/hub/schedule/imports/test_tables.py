"""What schools fill in is read as they write it; whatever is wrong is told with file, sheet, row and column."""

import datetime as dt
import io

import openpyxl
import pytest

from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.imports.template import template
from hub.schedule.register.assembling import district_of
from hub.schedule.register.kinds import Kind
from hub.schedule.register.register import Register
from hub.schedule.register.words import LANGUAGES
from hub.schedule.terms import Term
from hub.store.plan_facts import PlanFact


def facts(proposal):
    return [PlanFact(one.kind, one.id, "", one.after, 0.0) for one in proposal.changes]


def csv(name, text, encoding="utf-8"):
    return Brought(name, text.encode(encoding))


def told(proposal, language="en"):
    return [one.told(language) for one in proposal.mistakes]


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def saved(book, name="facts.xlsx"):
    out = io.BytesIO()
    book.save(out)
    return Brought(name, out.getvalue())


SCHOOLS = csv("schools.csv", "编号,名称\ns1,一小\ns2,二小\n")
BELLS = csv("bells.csv", "学校,节次,开始,结束\ns1,1,08:00,08:40\n一小,2,08:50,09:30\ns2,1,08:00,08:40\n")


@pytest.fixture(scope="module")
def known():
    proposal = propose([SCHOOLS, BELLS], [], Wanted())
    assert not proposal.mistakes
    return facts(proposal)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_as_it_is_changes_nothing_and_its_examples_filled_in_make_a_district(language):
    empty = Brought("facts.xlsx", template(language))
    untouched = propose([empty], [], Wanted())
    assert (untouched.changes, untouched.mistakes, untouched.notes) == ((), (), ())
    book = openpyxl.load_workbook(io.BytesIO(empty.data))
    for sheet in book.worksheets[1:]:
        first = sheet.cell(2, 1)
        first.value = str(first.value).removeprefix("例：").removeprefix("Example: ").strip() or None
    proposal = propose([saved(book)], [], Wanted())
    assert told(proposal) == []
    assert {one.kind for one in proposal.changes} == set(Kind) - {Kind.GOALS}
    register = Register.read(facts(proposal))
    made = district_of(register, register.all(Term)["2026-autumn"], 7)
    assert [one.told("en") for one in made.misfits if "period" not in one.told("en")] == [
        "lesson l-301 has no time at which it could be",
        "request q-301 has no time at which it could be",
    ]  # the example has but one period a day
    assert made.district.schools[0].uplink_limits[0].uplink == 2
    again = propose([saved(book)], facts(proposal), Wanted())
    assert (again.changes, again.same) == ((), len(proposal.changes))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_table_is_read_in_whichever_encoding_schools_use(encoding):
    proposal = propose([csv("学校.csv", "编号,名称,薄弱校\ns1,房山区良乡第一小学,是\n", encoding)], [], Wanted())
    assert told(proposal) == []
    assert '"房山区良乡第一小学"' in proposal.changes[0].after
    assert '"under_resourced":true' in proposal.changes[0].after


def test_cells_are_taken_as_people_write_them(known):
    book = workbook(
        班级=[
            ["二小 2026 班级登记表"],
            [],
            ["学校", "班级名称 ", "年级（数字）", "班额", "备注"],
            ["s2", "初一（1）班", None, "４２人", "x"],
            ["二小", 702.0, "七年级", 40.0, None],
            [None, None, None, None, None, "  "],
        ],
        停用=[["学校", "教师", "开始日期", "结束日期"], ["s1", None, 46308, dt.date(2026, 10, 14)]],
        作息=[
            ["学校", "节次", "开始", "结束"],
            ["s2", "第1节", dt.time(8, 5), 0.364583333],
            ["s2", 2, "08：55", "9:35"],
        ],
    )
    proposal = propose([saved(book)], known, Wanted())
    assert told(proposal) == []
    after = {one.kind: one.after for one in proposal.changes}
    assert [one.name for one in proposal.changes if one.kind is Kind.CLASS] == ["初一（1）班", "702"]
    assert '"grade":7' in after[Kind.CLASS]
    assert '"begins":"2026-10-13","ends":"2026-10-14"' in after[Kind.CLOSURE].replace(" ", "")
    assert '"ends":"08:45"' in after[Kind.BELLS]
    assert [one.what for one in proposal.changes if one.kind is Kind.BELLS] == ["changed"]


def test_merged_cells_count_for_every_row_that_they_cover(known):
    book = workbook(教室=[["学校", "名称"], ["s1", "101"], [None, "102"], ["s2", "103"], [None, None]])
    book["教室"].merge_cells("A2:A3")
    book["教室"].merge_cells("A4:A5")
    proposal = propose([saved(book)], known, Wanted())
    assert told(proposal) == []
    assert [(one.name, '"school":"s1"' in one.after) for one in sorted(proposal.changes, key=lambda one: one.name)] == [
        ("101", True),
        ("102", True),
        ("103", False),
    ]


def test_a_formula_that_nobody_has_computed_is_told_with_its_cell(known):
    book = workbook(教室=[["学校", "名称", "座位数"], ["s1", "101", "=40+5"], [None, "=1&2", None]])
    proposal = propose([saved(book)], known, Wanted())
    first, second, third = told(proposal)
    assert first.startswith("facts.xlsx, sheet “教室”, row 2, column “座位数”: a formula stands here")
    assert "row 3, column “学校”: must not be empty" in second
    assert "row 3, column “名称”: a formula" in third
    assert proposal.changes == ()


def test_an_empty_cell_goes_back_to_the_default_and_a_column_that_is_not_there_leaves_what_is_known(known):
    first = propose([csv("rooms.csv", "学校,编号,名称,座位数,设备\ns1,r1,101,45,主讲\n")], known, Wanted())
    with_room = [*known, *facts(first)]
    second = propose([csv("rooms.csv", "学校,编号,名称,设备\ns1,r1,一号,\n")], with_room, Wanted())
    (change,) = second.changes
    assert [(one.field, one.before, one.after) for one in change.fields] == [
        ("name", "101", "一号"),
        ("equipment", ["lead"], None),
    ]


def test_what_the_file_does_not_have_is_removed_only_where_asked_and_only_of_its_schools(known):
    rooms = csv("rooms.csv", "学校,编号,名称\ns1,r1,101\ns1,r2,102\ns2,r3,103\n")
    there = [*known, *facts(propose([rooms], known, Wanted()))]
    fewer = csv("rooms.csv", "学校,编号,名称\ns1,r1,101\n")
    assert propose([fewer], there, Wanted()).changes == ()
    (gone,) = propose([fewer], there, Wanted(replace=True)).changes
    assert (gone.what, gone.id) == ("removed", "r2")


def test_a_terms_calendar_says_nothing_of_other_terms(known):
    terms = csv("terms.csv", "编号,第一周周一,周数\nautumn,2026-08-31,18\nspring,2027-03-01,18\n")
    there = [*known, *facts(propose([terms], known, Wanted()))]
    off = csv("calendar.csv", "学期,日期,类型\nautumn,2026-10-01,放假\n")
    (change,) = propose([off], there, Wanted(replace=True)).changes
    assert (change.what, change.id) == ("changed", "autumn")


@pytest.mark.parametrize(
    "text",
    [
        "timetables.csv|学校,班级,星期,节次,学科\ns1,k2,周一,1,英语\n",
        "lessons.csv|学校,主讲教师,学科,年级,最多接收\ns1,t2,英语,3,2\n",
        "closures.csv|学校,教师,星期\ns1,t2,周一\n",
    ],
)
def test_what_a_row_names_by_its_id_is_of_the_rows_school(known, text):
    people = csv("teachers.csv", "学校,编号,姓名\ns2,t2,李梅\n")
    classes = csv("classes.csv", "学校,编号,名称\ns2,k2,三年级1班\n")
    there = [*known, *facts(propose([people, classes], known, Wanted()))]
    name, _, rows = text.partition("|")
    (mistake,) = propose([csv(name, rows)], there, Wanted()).mistakes
    assert mistake.where.row == 2
    assert "is of school s2, and the row is of school s1" in mistake.told("en")
    assert propose([csv(name, rows.replace("s1", "s2"))], there, Wanted()).mistakes == ()


@pytest.mark.parametrize(
    ("file", "where", "words"),
    [
        ("rooms.csv|学校,名称,座位数\ns1,101,四十五\n", (2, "座位数"), "a whole number from 1 to 1000"),
        ("rooms.csv|学校,名称\ns9,101\n", (2, "学校"), "there is no school “s9”"),
        ("rooms.csv|学校,名称\n一 小,101\n", (2, "学校"), "is “一小” meant"),
        ("rooms.csv|学校,名称\ns1,\n", (2, "名称"), "must not be empty"),
        ("rooms.csv|学校,编号,名称\ns1,r1,101\ns2,r1,102\n", (3, ""), "is there twice, first in rooms.csv (-), row 2"),
        ("rooms.csv|学校,编号\ns1,r1\n", (1, "名称"), "this column is missing"),
        ("rooms.csv|学校,名秤\ns1,r1\n", (1, "名称"), "“名秤” a slip"),
        ("rooms.csv|学校,名称,教室\ns1,r1,r2\n", (1, "教室"), "means the same"),
        ("rooms.csv|学校,编号,名称\ns1,甲,101\n", (2, "编号"), "an id of letters"),
        ("bells.csv|学校,节次,开始,结束\ns1,1,08:00,07:40\n", (2, "结束"), "not after it begins"),
        ("bells.csv|学校,节次,开始,结束\ns1,1,08:00,08:40\ns1,3,09:00,09:40\n", (3, "节次"), "period 2 is missing"),
        (
            "bells.csv|学校,节次,开始,结束\ns1,1,08:00,08:40\ns1,2,08:30,09:10\n",
            (3, "开始"),
            "before the period before",
        ),
        ("bells.csv|学校,节次,开始,结束\ns1,1,8点半多,08:40\n", (2, "开始"), "a time, like 08:00"),
        ("terms.csv|编号,第一周周一,周数\nt,2026-09-01,20\n", (2, "第一周周一"), "is a Tuesday"),
        ("closures.csv|学校,开始日期,结束日期\ns1,2026-10-02,2026-10-01\n", (2, "结束日期"), "before it begins"),
        ("closures.csv|学校,星期,开始日期\ns1,周一,2026-10-01\n", (2, "星期"), "one of both"),
        ("bans.csv|学校,说明\ns1,x\n", (2, "学校"), "names a lesson"),
        ("requests.csv|学校,形式,学科\ns1,名师课堂,英语\n", (2, "学校"), "names observers"),
        ("schools.csv|编号,名称\ns3,三小\ns3,四小\n", (3, ""), "first in schools.csv"),
        ("timetables.csv|学校,班级,星期,节次,学科\ns1,三1班,周八,1,英语\n", (2, "班级"), "there is no class"),
    ],
)
def test_a_mistake_is_told_with_its_row_and_column(known, file, where, words):
    name, text = file.split("|")
    proposal = propose([csv(name, text)], known, Wanted())
    first = proposal.mistakes[0]
    assert (first.where.file, first.where.row) == (name, where[0])
    assert first.where.column in {where[1], ""}
    assert words in first.told("en")
    assert first.told("zh") != first.told("en")


def test_rules_and_goals_are_set_by_name_and_those_that_are_not_named_stay(known):
    rules = csv("规则.csv", "参数,值\n单元差,0\n最短重叠分钟,25\nkept,60\n")
    proposal = propose([rules], known, Wanted())
    assert told(proposal) == []
    set_first = {one.kind: one.after for one in proposal.changes}
    assert set_first == {Kind.RULES: '{"min_overlap_minutes":25,"unit_gap":0}', Kind.GOALS: '{"kept":60}'}
    more = propose([csv("规则.csv", "参数,值\n主讲占用上行,3\n")], [*known, *facts(proposal)], Wanted())
    assert [one.after for one in more.changes] == ['{"min_overlap_minutes":25,"unit_gap":0,"lead_uplink":3}']
    bad = propose([csv("规则.csv", "参数,值\n单元差,x\n重叠,3\nkept,1\nkept,2\n最短重叠分钟,500\n")], known, Wanted())
    assert [(one.where.row, one.where.column) for one in bad.mistakes] == [
        (2, "值"),
        (3, "参数"),
        (5, "参数"),
        (6, "值"),
    ]


def test_whoever_names_a_row_with_mistakes_is_told_that_and_not_that_it_is_unknown():
    files = [csv("schools.csv", "编号,名称,上行容量\ns1,一小,很多\n"), csv("rooms.csv", "学校,名称\n一小,101\n")]
    assert "the row of school “一小” itself has mistakes" in told(propose(files, [], Wanted()))[1]


def test_a_bell_table_with_a_bad_row_is_left_out_as_a_whole(known):
    file = csv("bells.csv", "学校,节次,开始,结束\ns1,1,08:00,08:40\ns1,2,x,09:40\ns2,1,08:10,08:50\n")
    proposal = propose([file], known, Wanted())
    assert [one.id for one in proposal.changes] == ["s2"]
    assert len(proposal.mistakes) == 1


@pytest.mark.parametrize(
    ("rows", "row", "zh", "en"),
    [
        ("off|2026-10-01 off|2027-10-01", 3, "放假日 2027-10-01 不在学期内", "the day off 2027-10-01 does not lie in"),
        ("off|2026-10-02 off|2026-10-01 off|2026-10-01", 4, "出现了两次", "is named twice among days off"),
        ("off|2026-10-02 uncounted|2026-10-06", 3, "2026-10-06 不是周一", "2026-10-06 is no Monday"),
        ("off|2026-10-02 make-up|2026-10-10|4|5", 3, "那天没有放假", "which is no day off"),
    ],
)
def test_what_a_term_cannot_be_is_told_at_the_row_that_says_the_date_in_both_languages(rows, row, zh, en):
    term = csv("terms.csv", "ID,Name,First Monday,Weeks\nt,autumn,2026-08-31,20\n")
    said = [one.split("|") for one in rows.split()]
    lines = [",".join(["t", date, what, *as_day]) for what, date, *as_day in said]
    calendar = csv("calendar.csv", "Term,Date,What,As weekday,As week\n" + "\n".join(lines) + "\n")
    (mistake,) = propose([term, calendar], [], Wanted()).mistakes
    assert (mistake.where.row, mistake.where.column) == (row, "Date")
    assert zh in mistake.told("zh")
    assert en in mistake.told("en")


def test_a_figure_beyond_its_bounds_is_told_in_both_languages():
    (mistake,) = propose([csv("rules.csv", "参数,值\n最短重叠分钟,0\n")], [], Wanted()).mistakes
    assert mistake.told("zh").endswith("“值”列：此行不成立：至少是 1")
    assert mistake.told("en").endswith("it is 1 at least")
