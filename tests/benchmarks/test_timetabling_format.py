import pytest

from benchmarks.timetabling_format import (
    Lecture,
    TimetableUnreadable,
    instance_text,
    parsed,
    read_instance,
    read_solution,
    solution_text,
)
from benchmarks.timetabling_made import planted

TEXT = """Name: Small Week
Courses: 2
Rooms: 2
Days: 2
Periods_per_day: 3
Curricula: 1
Constraints: 2

COURSES:
c1 t1 2 2 30
c2 t2 1 1 10

ROOMS:
r1 20
r2\t40

CURRICULA:
q1 2 c1 c2

UNAVAILABILITY_CONSTRAINTS:
c1 0 2
c2 1 0

END.
"""


def test_an_instance_is_read_with_all_its_sections():
    week = parsed(TEXT, "small.ctt")
    assert (week.name, week.days, week.periods) == ("Small Week", 2, 3)
    assert [(one.id, one.teacher, one.lectures, one.min_days, one.students) for one in week.courses] == [
        ("c1", "t1", 2, 2, 30),
        ("c2", "t2", 1, 1, 10),
    ]
    assert [(one.id, one.capacity) for one in week.rooms] == [("r1", 20), ("r2", 40)]
    assert week.curricula[0].courses == ("c1", "c2")
    assert [tuple(one) for one in week.bans] == [("c1", 0, 2), ("c2", 1, 0)]


@pytest.mark.parametrize(
    "changed",
    [
        TEXT.replace("\n", "\r\n"),
        TEXT.replace(" ", "\t").replace("Small\tWeek", "Small Week"),
        TEXT.replace("\n\n", "\n"),
        "\ufeff" + TEXT,
        TEXT + "what comes after the end is nobody's business\n",
    ],
    ids=["CRLF", "tabs", "no empty lines", "byte order mark", "text after END."],
)
def test_line_ends_tabs_and_empty_lines_do_not_matter(changed):
    assert parsed(changed, "x") == parsed(TEXT, "x")


@pytest.mark.parametrize(
    "was, now, line, said",
    [
        ("Courses: 2\n", "", 8, "the head does not say Courses"),
        ("Courses: 2", "Courses: two", 2, "Courses must be a whole number, 0 or more, not 'two'"),
        ("Days: 2", "Days: 0", 4, "Days must be a whole number, 1 or more"),
        ("Rooms: 2", "Rooms: 3", 24, "section ROOMS has 2 lines; the head says 3"),
        ("Rooms: 2", "Chairs: 2", 3, "'Chairs:' is none of"),
        ("c1 t1 2 2 30", "c1 t1 2 2", 10, "a course has five fields"),
        ("c1 t1 2 2 30", "c1 t1 2 -2 30", 10, "least days must be a whole number, 0 or more, not '-2'"),
        ("c1 t1 2 2 30", "c1 t1 0 2 30", 10, "lectures must be a whole number, 1 or more"),
        ("c2 t2", "c1 t2", 11, "course 'c1' is there twice"),
        ("r1 20", "r1 20 5", 14, "a room has two fields"),
        ("q1 2 c1 c2", "q1 3 c1 c2", 18, "as many courses"),
        ("q1 2 c1 c2", "q1 2 c1 c9", 18, "no course is called 'c9'"),
        ("q1 2 c1 c2", "q1 2 c1 c1", 18, "a course is there twice"),
        ("c1 0 2", "c1 0 3", 21, "period must be a whole number, 0 to 2, not '3'"),
        ("c2 1 0", "c2 2 0", 22, "day must be a whole number, 0 to 1, not '2'"),
        ("c2 1 0", "c9 1 0", 22, "no course is called 'c9'"),
        ("ROOMS:", "COURSES:", 13, "section 'COURSES' is there twice"),
        ("ROOMS:", "HALLS:", 13, "section 'HALLS' is unknown"),
        ("END.\n", "", 22, "the file ends without END."),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(was, now, line, said):
    assert was in TEXT
    with pytest.raises(TimetableUnreadable) as trouble:
        parsed(TEXT.replace(was, now, 1), "small.ctt")
    assert str(trouble.value).startswith(f"small.ctt, line {line}: ")
    assert said in str(trouble.value)


def test_a_file_cut_anywhere_is_refused_in_words():
    for length in range(len(TEXT) - len("END.\n")):
        with pytest.raises(TimetableUnreadable, match=r"cut\.ctt"):
            parsed(TEXT[:length], "cut.ctt")


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(TimetableUnreadable, match=r"nothing\.ctt: cannot be read"):
        read_instance(tmp_path / "nothing.ctt")
    (tmp_path / "picture.ctt").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(TimetableUnreadable, match=r"picture\.ctt: is not text"):
        read_instance(tmp_path / "picture.ctt")


def test_a_written_instance_is_read_back_as_it_was():
    week = planted(courses=20, rooms=5, seed=3).instance
    assert parsed(instance_text(week), "x") == week


def test_a_written_solution_is_read_back_as_it_was(tmp_path):
    week, timetable = planted(courses=10, rooms=4, seed=3)
    file = tmp_path / "one.sol"
    file.write_text(solution_text(timetable))
    assert read_solution(file, week) == timetable


def test_a_solution_names_only_what_the_instance_has(tmp_path):
    week = parsed(TEXT, "x")
    file = tmp_path / "one.sol"
    file.write_text("c1 r2 0 0\nc1 r9 1 1\n")
    with pytest.raises(TimetableUnreadable, match=r"one\.sol, line 2: no room is called 'r9'"):
        read_solution(file, week)
    file.write_text("c1 r2 0 0\n\nc1 r2 1\n")
    with pytest.raises(TimetableUnreadable, match=r"one\.sol, line 3: a lecture has four fields"):
        read_solution(file, week)
    file.write_text("c1 r2 1 1\n")
    assert read_solution(file, week) == (Lecture("c1", "r2", 1, 1),)
