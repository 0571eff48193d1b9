"""CSES 2: the format's own example is imported, and what breaks its rules is told with the line."""

import json
from pathlib import Path

import pytest

from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.register.kinds import Kind
from tests.hub.schedule.imports.test_tables import SCHOOLS, csv, facts

EXAMPLE = (Path(__file__).parent / "cses" / "example.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def school():
    return facts(propose([SCHOOLS], [], Wanted()))


def imported(text, known, school="s1"):
    return propose([Brought("class12.yaml", text.encode())], known, Wanted(school=school))


def test_the_formats_example_says_when_the_class_has_what_with_whom_in_odd_and_even_weeks(school):
    proposal = imported(EXAMPLE, school)
    assert proposal.mistakes == ()
    after = {one.kind: json.loads(one.after) for one in proposal.changes}
    teachers = {one.id: one.name for one in proposal.changes if one.kind is Kind.TEACHER}
    assert (after[Kind.CLASS]["name"], after[Kind.CLASS]["grade"]) == ("高三（12）班", 12)
    assert [one["begins"] for one in after[Kind.BELLS]["bells"]] == ["08:00", "09:00"]
    assert [
        (one["day"], one["period"], one["subject"], teachers[one["teacher"]], one.get("weeks", "AB"))
        for one in after[Kind.TIMETABLE]["entries"]
    ] == [
        (1, 1, "数学", "李梅", "AB"),
        (1, 2, "语文", "王芳", "AB"),
        (2, 1, "物理", "赵军", "AB"),
        (2, 2, "英语", "张伟", "AB"),
        (6, 1, "物理", "赵军", "A"),
        (6, 2, "英语", "张伟", "A"),
    ]
    assert [one.what.key for one in proposal.notes] == [
        "cses.bells_taken",
        "cses.new_class",
        "cses.location",
        "cses.odd_first",
    ]
    assert imported(EXAMPLE, [*school, *facts(proposal)]).changes == ()


def test_lessons_are_laid_on_the_bells_that_the_school_has_and_on_the_class_and_teachers_that_it_has(school):
    classes = csv("classes.csv", "学校,编号,名称\ns1,c12,高三（12）班\n")
    teachers = csv("teachers.csv", "学校,编号,姓名\ns1,t-li,李梅\n")
    bells = csv("bells.csv", "学校,节次,开始,结束\ns1,1,07:00,07:40\ns1,2,08:10,08:50\ns1,3,09:05,09:50\n")
    known = [*school, *facts(propose([classes, teachers, bells], school, Wanted()))]
    proposal = imported(EXAMPLE, known)
    (table,) = (json.loads(one.after) for one in proposal.changes if one.kind is Kind.TIMETABLE)
    assert (table["id"], table["entries"][0]["teacher"]) == ("c12", "t-li")
    assert {one["period"] for one in table["entries"]} == {2, 3}
    assert {one.kind for one in proposal.changes} == {Kind.TEACHER, Kind.TIMETABLE}


def test_times_without_quotes_are_read_as_they_were_meant(school):
    unquoted = EXAMPLE.replace('"10:00:00"', "10:00:00").replace('"09:00:00"', "09:00:00")
    assert imported(unquoted, school).changes == imported(EXAMPLE, school).changes


@pytest.mark.parametrize(
    ("before", "after", "line", "column", "words"),
    [
        ("version: 2 #", "version: 1 #", 1, "version", "2 is expected"),
        ("name: 高三（12）班课表", "title: x", 4, "configuration", "name is missing"),
        ("work_count: 11", "work_count: 1", 7, "configuration.cycle.work_count", "from 2 to 400"),
        ("count: 6 #", "count: 5 #", 10, "configuration.cycle.spans", "the spans come to 10 days"),
        ("activity: rest \n", "activity: sleep\n", 12, "configuration.cycle.spans[1].activity", "“sleep”"),
        ("rest_count: 3", "rest_count: 4", 10, "configuration.cycle.spans", "rest_count says 4"),
        ("  - name: 语文\n", "  - name: 数学\n", 24, "subjects[1].name", "there twice"),
        ("      - 7 #", "      - 12 #", 41, "schedules[0].enable_day[1]", "from 1 to 11"),
        ("- subject: 数学 #", "- subject: 化学 #", 43, "schedules[0].classes[0].subject", "not among"),
        ('"08:00:00" # HH', '"8点" # HH', 44, "schedules[0].classes[0].start_time", "“8点”"),
        ('"09:00:00" # 同', '"07:00:00" # 同', 45, "schedules[0].classes[0].end_time", "not after"),
        ('"09:00:00" # 同', '"09:20:00" # 同', 46, "schedules[0].classes[1]", "overlaps the lesson of line 43"),
        ("    teacher: 王芳", "    teacher: [王芳]", 26, "subjects[1].teacher", "a list"),
        ("subjects:\n", "subjects: {}\nx:\n", 19, "subjects", "a list is expected"),
    ],
)
def test_what_breaks_the_formats_rules_is_told_with_line_and_path(school, before, after, line, column, words):
    assert before in EXAMPLE
    proposal = imported(EXAMPLE.replace(before, after, 1), school)
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
    assert "say --school" in propose([Brought("a.yaml", EXAMPLE.encode())], school, Wanted()).mistakes[0].told("en")
    late = csv("bells.csv", "学校,节次,开始,结束\ns1,1,13:00,13:40\n")
    known = [*school, *facts(propose([late], school, Wanted()))]
    assert "08:00–09:00 is no period of school s1" in imported(EXAMPLE, known).mistakes[0].told("en")


def test_which_of_two_teachers_of_one_name_is_meant_is_asked_and_not_guessed(school):
    teachers = csv("teachers.csv", "学校,编号,姓名\ns1,t1,李梅\ns1,t2,李梅\n")
    known = [*school, *facts(propose([teachers], school, Wanted()))]
    (mistake,) = imported(EXAMPLE, known).mistakes
    assert (mistake.where.row, mistake.where.column) == (22, "subjects[0].teacher")
    assert "more than one teacher is called “李梅” (t1、t2)" in mistake.told("en")
    (mistake,) = propose([csv("teachers.csv", "学校,姓名\ns1,李梅\n")], known, Wanted()).mistakes
    assert (mistake.where.row, mistake.where.column) == (2, "姓名")
