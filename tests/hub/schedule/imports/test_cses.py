"""CSES 2: the format's own example is imported, and what breaks its rules is told with the line."""

import json
from pathlib import Path

import pytest

from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.register.kinds import Kind
from tests.hub.schedule.imports.test_tables import SCHOOLS, csv, facts

SCHEDULE = (Path(__file__).parent / "schedule.yaml").read_text(encoding="utf-8")
OFFICIAL = Path(__file__).resolve().parents[5] / "shared" / "data" / "standards" / "cses.example.yaml"
"""The example of the format's authors, which is not ours to keep here."""


@pytest.fixture(scope="module")
def school():
    return facts(propose([SCHOOLS], [], Wanted()))


def imported(text, known, school="s1"):
    return propose([Brought("class12.yaml", text.encode())], known, Wanted(school=school))


def test_a_schedule_says_when_the_class_has_what_with_whom_in_odd_and_even_weeks(school):
    proposal = imported(SCHEDULE, school)
    assert proposal.mistakes == ()
    after = {one.kind: json.loads(one.after) for one in proposal.changes}
    teachers = {one.id: one.name for one in proposal.changes if one.kind is Kind.TEACHER}
    assert (after[Kind.CLASS]["name"], after[Kind.CLASS]["grade"]) == ("初二（3）班", 8)
    assert [one["begins"] for one in after[Kind.BELLS]["bells"]] == ["08:00", "09:00"]
    assert [
        (one["day"], one["period"], one["subject"], teachers[one["teacher"]], one.get("weeks", "AB"))
        for one in after[Kind.TIMETABLE]["entries"]
    ] == [
        (1, 1, "历史", "周敏", "AB"),
        (1, 2, "地理", "吴强", "AB"),
        (2, 1, "化学", "钱伟", "AB"),
        (2, 2, "生物", "郑洁", "AB"),
        (6, 1, "化学", "钱伟", "A"),
        (6, 2, "生物", "郑洁", "A"),
    ]
    assert [one.what.key for one in proposal.notes] == [
        "cses.bells_taken",
        "cses.new_class",
        "cses.location",
        "cses.odd_first",
    ]
    assert imported(SCHEDULE, [*school, *facts(proposal)]).changes == ()


@pytest.mark.skipif(
    not OFFICIAL.is_file(), reason="the format's own example is not beside the checkout (shared/data/standards)"
)
def test_the_formats_own_example_is_imported(school):
    proposal = imported(OFFICIAL.read_text(encoding="utf-8"), school)
    assert proposal.mistakes == ()
    (table,) = (json.loads(one.after) for one in proposal.changes if one.kind is Kind.TIMETABLE)
    assert [(one["day"], one["period"], one.get("weeks", "AB")) for one in table["entries"]] == [
        (1, 1, "AB"),
        (1, 2, "AB"),
        (2, 1, "AB"),
        (2, 2, "AB"),
        (6, 1, "A"),
        (6, 2, "A"),
    ]


def test_lessons_are_laid_on_the_bells_that_the_school_has_and_on_the_class_and_teachers_that_it_has(school):
    classes = csv("classes.csv", "学校,编号,名称\ns1,c12,初二（3）班\n")
    teachers = csv("teachers.csv", "学校,编号,姓名\ns1,t-li,周敏\n")
    bells = csv("bells.csv", "学校,节次,开始,结束\ns1,1,07:00,07:40\ns1,2,08:10,08:50\ns1,3,09:05,09:50\n")
    known = [*school, *facts(propose([classes, teachers, bells], school, Wanted()))]
    proposal = imported(SCHEDULE, known)
    (table,) = (json.loads(one.after) for one in proposal.changes if one.kind is Kind.TIMETABLE)
    assert (table["id"], table["entries"][0]["teacher"]) == ("c12", "t-li")
    assert {one["period"] for one in table["entries"]} == {2, 3}
    assert {one.kind for one in proposal.changes} == {Kind.TEACHER, Kind.TIMETABLE}


def test_a_subject_is_written_as_tables_write_it(school):
    wide = SCHEDULE.replace("地理", "地理（上）", 1).replace("subject: 地理", "subject: 地理(上)")
    (table,) = (json.loads(one.after) for one in imported(wide, school).changes if one.kind is Kind.TIMETABLE)
    assert "地理(上)" in {one["subject"] for one in table["entries"]}


def test_times_without_quotes_are_read_as_they_were_meant(school):
    unquoted = SCHEDULE.replace('"10:00:00"', "10:00:00").replace('"09:00:00"', "09:00:00")
    assert imported(unquoted, school).changes == imported(SCHEDULE, school).changes


@pytest.mark.parametrize(
    ("before", "after", "line", "column", "words"),
    [
        ("version: 2 #", "version: 1 #", 1, "version", "2 is expected"),
        ("name: 初二（3）班课表", "title: x", 4, "configuration", "name is missing"),
        ("work_count: 11", "work_count: 1", 7, "configuration.cycle.work_count", "from 2 to 400"),
        ("count: 6 #", "count: 5 #", 10, "configuration.cycle.spans", "the spans come to 10 days"),
        ("activity: rest \n", "activity: sleep\n", 12, "configuration.cycle.spans[1].activity", "“sleep”"),
        ("rest_count: 3", "rest_count: 4", 10, "configuration.cycle.spans", "rest_count says 4"),
        ("  - name: 地理\n", "  - name: 历史\n", 24, "subjects[1].name", "there twice"),
        ("      - 7 #", "      - 12 #", 41, "schedules[0].enable_day[1]", "from 1 to 11"),
        ("- subject: 历史 #", "- subject: 体育 #", 43, "schedules[0].classes[0].subject", "not among"),
        ('"08:00:00" # eight', '"8点" # eight', 44, "schedules[0].classes[0].start_time", "“8点”"),
        ('"09:00:00" # nine', '"07:00:00" # nine', 45, "schedules[0].classes[0].end_time", "not after"),
        ('"09:00:00" # nine', '"09:20:00" # nine', 46, "schedules[0].classes[1]", "overlaps the lesson of line 43"),
        ("    teacher: 吴强", "    teacher: [吴强]", 26, "subjects[1].teacher", "a list"),
        ("subjects:\n", "subjects: {}\nx:\n", 19, "subjects", "a list is expected"),
    ],
)
def test_what_breaks_the_formats_rules_is_told_with_line_and_path(school, before, after, line, column, words):
    assert before in SCHEDULE
    proposal = imported(SCHEDULE.replace(before, after, 1), school)
    first = proposal.mistakes[0]
    assert (first.where.file, first.where.column) == ("class12.yaml", column)
    assert words in first.told("en")
    assert first.where.row == line
    assert proposal.changes == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a: [1, 2", "no YAML"),
        ("a: !!python/object:os.system {}", "version is missing"),
        ("a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n" + "".join(
            f"{x}: &{x} [{','.join([f'*{y}'] * 8)}]\n" for x, y in zip("cdefghij", "bcdefghi", strict=True)
        ), "more than 100000 values"),
        ("a: &a [*a]", "too deep"),
        ("[]", "version is missing"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_in_words(school, text, words):
    assert words in imported(text, school).mistakes[0].told("en")


def test_a_schedule_without_a_school_or_beside_its_bells_is_refused_in_words(school):
    assert "(--school)" in propose([Brought("a.yaml", SCHEDULE.encode())], school, Wanted()).mistakes[0].told("en")
    late = csv("bells.csv", "学校,节次,开始,结束\ns1,1,13:00,13:40\n")
    known = [*school, *facts(propose([late], school, Wanted()))]
    assert "08:00–09:00 is no period of school s1" in imported(SCHEDULE, known).mistakes[0].told("en")


def test_which_of_two_teachers_of_one_name_is_meant_is_asked_and_not_guessed(school):
    teachers = csv("teachers.csv", "学校,编号,姓名\ns1,t1,周敏\ns1,t2,周敏\n")
    known = [*school, *facts(propose([teachers], school, Wanted()))]
    (mistake,) = imported(SCHEDULE, known).mistakes
    assert (mistake.where.row, mistake.where.column) == (22, "subjects[0].teacher")
    assert "more than one teacher is called “周敏” (t1、t2)" in mistake.told("en")
    (mistake,) = propose([csv("teachers.csv", "学校,姓名\ns1,周敏\n")], known, Wanted()).mistakes
    assert (mistake.where.row, mistake.where.column) == (2, "姓名")
