"""OneRoster 1.2 CSV: schools, terms, classes and teachers, from an archive or a folder."""

import io
import json
import zipfile

import pytest

from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.register.kinds import Kind
from tests.hub.schedule.imports.test_tables import facts

ROSTER = {
    "manifest.csv": "propertyName,value\noneroster.version,1.2\nfile.orgs,bulk\nfile.users,bulk\n",
    "orgs.csv": (
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
        "d-1,active,,房山区,district,,\ns-1,active,,一小,school,,d-1\ns-2,active,,二小,school,,d-1\n"
        "s-3,tobedeleted,,三小,school,,d-1\n"
    ),
    "academicSessions.csv": (
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
        "y,active,,2026,schoolYear,2026-09-01,2027-07-10,,2027\n"
        "a,active,,第一学期,semester,2026-09-01,2027-01-15,y,2027\n"
    ),
    "courses.csv": "sourcedId,status,title,grades,orgSourcedId,subjects\nc-en,active,三年级英语,03,s-1,英语\n",
    "classes.csv": (
        "sourcedId,status,title,grades,courseSourcedId,classType,schoolSourcedId,termSourcedIds\n"
        "k-1,active,三年级1班,03,,homeroom,s-1,a\nk-1-en,active,三1英语,03,c-en,scheduled,s-1,a\n"
    ),
    "users.csv": (
        "sourcedId,status,enabledUser,username,givenName,familyName,primaryOrgSourcedId\n"
        "u-1,active,true,li,梅,李,s-1\nu-2,active,true,x,小明,王,s-1\nu 3,active,true,ann,Ann,Lee,s-2\n"
    ),
    "roles.csv": (
        "sourcedId,status,userSourcedId,roleType,role,orgSourcedId\n"
        "r-1,active,u-1,primary,teacher,s-1\nr-2,active,u-2,primary,student,s-1\nr-3,active,u 3,primary,teacher,s-2\n"
    ),
    "enrollments.csv": (
        "sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role\n"
        "e-1,active,k-1,s-1,u-2,student\ne-2,active,k-1-en,s-1,u-1,teacher\n"
    ),
}


def folder(**changes):
    parts = {**ROSTER, **{f"{name}.csv": text for name, text in changes.items()}}
    return Brought("roster", b"", {name: text.encode() for name, text in parts.items() if text is not None})


def archive(parts=ROSTER):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as files:
        for name, text in parts.items():
            files.writestr(f"export/{name}", text)
    return Brought("roster.zip", out.getvalue())


def test_subjects_are_told_apart_and_written_as_tables_write_them():
    courses = 'sourcedId,status,title,subjects\nc-en,active,x,"英语（选修）,ＩＴ"\n'
    assert by_id(propose([folder(courses=courses)], [], Wanted()))["u-1"]["subjects"] == ["英语(选修)", "IT"]


def test_a_term_that_begins_in_the_middle_of_a_week_is_off_before_and_after_beside_what_is_known():
    first = propose([folder()], [], Wanted())
    term = by_id(first)["a"]
    assert (term["first_day"], term["weeks"]) == ("2026-08-31", 20)
    assert [one["date"] for one in term["days_off"]] == ["2026-08-31", "2027-01-16", "2027-01-17"]
    calendar = Brought("calendar.csv", "学期,日期,类型\na,2026-10-01,放假\n".encode())
    known = [*facts(first), *facts(propose([calendar], facts(first), Wanted()))]
    again = by_id(propose([folder()], known, Wanted()))["a"]
    assert [one["date"] for one in again["days_off"]] == ["2026-10-01", "2026-08-31", "2027-01-16", "2027-01-17"]


def by_id(proposal):
    assert [one.told("en") for one in proposal.mistakes] == []
    return {one.id: json.loads(one.after) for one in proposal.changes}


@pytest.mark.parametrize("brought", [archive(), folder()])
def test_schools_terms_classes_and_teachers_are_taken_and_pupils_only_counted(brought):
    proposal = propose([brought], [], Wanted())
    found = by_id(proposal)
    assert {one.kind for one in proposal.changes} == {Kind.SCHOOL, Kind.TERM, Kind.CLASS, Kind.TEACHER}
    assert sorted(one["name"] for one in found.values()) == ["Ann Lee", "一小", "三年级1班", "二小", "李梅", "第一学期"]
    assert (found["k-1"]["grade"], found["k-1"]["size"], found["k-1"]["school"]) == (3, 1, "s-1")
    assert (found["a"]["first_day"], found["a"]["weeks"]) == ("2026-08-31", 20)
    assert found["u-1"]["subjects"] == ["英语"]
    assert "小明" not in str(proposal)
    again = propose([brought], facts(proposal), Wanted())
    assert (again.changes, again.same) == ((), 6)


def test_what_has_the_same_name_already_keeps_its_id():
    first = propose([Brought("schools.csv", "编号,名称,上行容量\ndongguan,一小,6\n".encode())], [], Wanted())
    proposal = propose([folder()], facts(first), Wanted())
    assert proposal.mistakes == ()
    assert {one.id for one in proposal.changes if one.kind is Kind.SCHOOL} == {"s-2"}
    assert {json.loads(one.after)["school"] for one in proposal.changes if one.kind is Kind.CLASS} == {"dongguan"}


def test_what_the_roster_deletes_is_removed_only_where_asked():
    colleague = {
        "users": ROSTER["users.csv"] + "u-4,active,true,wang,芳,王,s-1\n",
        "roles": ROSTER["roles.csv"] + "r-4,active,u-4,primary,teacher,s-1\n",
    }
    before = facts(propose([folder(**colleague)], [], Wanted()))
    left = folder(**{**colleague, "users": colleague["users"].replace("u-4,active", "u-4,tobedeleted")})
    assert propose([left], before, Wanted()).changes == ()
    (gone,) = propose([left], before, Wanted(replace=True)).changes
    assert (gone.what, gone.name) == ("removed", "王芳")


@pytest.mark.parametrize(
    ("changes", "part", "row", "column", "words"),
    [
        ({"orgs": "sourcedId,name,type\ns-1,,school\n"}, "orgs.csv", 2, "name", "must not be empty"),
        ({"orgs": "sourcedId,name\ns-1,一小\n"}, "orgs.csv", 1, "type", "missing"),
        ({"classes": "sourcedId,title,schoolSourcedId\nk,三1班,s-9\n"}, "classes.csv", 2, "schoolSourcedId", "s-9"),
        ({"academicSessions": "sourcedId,title,type,startDate,endDate\na,x,term,2026-9-x,2027-01-01\n"},
         "academicSessions.csv", 2, "startDate", "a date"),
        ({"academicSessions": "sourcedId,title,type,startDate,endDate\na,x,term,2026-09-01,2026-08-01\n"},
         "academicSessions.csv", 2, "endDate", "before it begins"),
        ({"manifest": "propertyName,value\noneroster.version,2.0\n"}, "manifest.csv", 2, "value", "version “2.0”"),
        ({"manifest": "propertyName,value\nfile.courses,bulk\n", "courses": None},
         "manifest.csv", 2, "propertyName", "courses.csv"),
        ({"users": ""}, "users.csv", 0, "", "empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_row_and_column(changes, part, row, column, words):
    mistake = propose([folder(**changes)], [], Wanted()).mistakes[0]
    assert (mistake.where.file, mistake.where.sheet, mistake.where.row) == ("roster", part, row)
    assert mistake.where.column == column
    assert words in mistake.told("en")


def test_an_archive_that_is_no_roster_is_refused_in_words():
    for brought, words in (
        (archive({"orgs.csv": "x"}), "no manifest.csv"),
        (Brought("a.zip", b"PK\x03\x04..."), "no zip"),
        (Brought("a.zip", b"x"), "no zip"),
    ):
        assert words in propose([brought], [], Wanted()).mistakes[0].told("en")
