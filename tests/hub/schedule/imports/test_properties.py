"""Whatever people do to a table: every mistake names file, row and column, and undoing restores every byte."""

import io

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.schedule.imports.columns import Column, headers
from hub.schedule.imports.importing import Importing
from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.imports.tables import TABLES, Table
from hub.schedule.register.assembling import district_of
from hub.schedule.register.register import Register
from hub.schedule.register.words import LANGUAGES
from hub.schedule.terms import Term
from hub.store.store import Store
from tests.hub.schedule.imports.test_tables import facts, saved

ROWS = {table.key: [[column.example or None for column in table.columns]] for table in TABLES}
ODD = st.one_of(
    st.none(),
    st.integers(-5, 50_000),
    st.floats(allow_nan=False),
    st.booleans(),
    st.datetimes(),
    st.times(),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30),
    st.sampled_from(
        ["周一2", "三年级", "是", "dongguan", "２", "#N/A", "=1+1", "1-3", "一小", "x" * 300, "东关小学", "　"]
    ),
)
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def book(rows, titles=None, tables=TABLES):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for table in tables:
        sheet = made.create_sheet(table.zh)
        sheet.append((titles or {}).get(table.key) or [column.zh for column in table.columns])
        for row in rows[table.key]:
            sheet.append(row)
    return saved(made)


@pytest.fixture(scope="module")
def known():
    """Everything that the template's examples make."""
    proposal = propose([book(ROWS)], [], Wanted())
    assert proposal.mistakes == ()
    return facts(proposal)


@pytest.fixture(scope="module")
def whole():
    return book(ROWS, tables=TABLES[:4]).data


def told_where_and_what(mistake, sheets):
    """A mistake of a workbook is told so that somebody who never saw the program finds the cell."""
    where = mistake.where
    assert where.file == "facts.xlsx"
    assert where.sheet in sheets
    assert where.row >= 1
    for language in LANGUAGES:
        told = mistake.told(language)
        assert "facts.xlsx" in told
        assert where.sheet in told
        assert str(where.row) in told
        assert where.column in told


@QUICK
@given(st.data())
def test_every_mistake_of_a_mutated_table_names_its_file_row_and_column(known, data):
    table: Table = data.draw(st.sampled_from(TABLES))
    column: Column = data.draw(st.sampled_from(table.columns))
    row = list(ROWS[table.key][0])
    row[table.columns.index(column)] = data.draw(ODD)
    rows = {**ROWS, table.key: [*ROWS[table.key], row]}
    proposal = propose([book(rows, tables=[table])], known, Wanted())
    for mistake in proposal.mistakes:
        told_where_and_what(mistake, {one.zh for one in TABLES})
        if mistake.where.sheet == table.zh and mistake.where.column:
            titles = {name for one in table.columns for name in headers(one)}
            assert mistake.where.column.rstrip("*").casefold() in titles
    if not proposal.mistakes:
        changed = {(one.kind, one.id): one for one in [*known, *facts(proposal)]}
        register = Register.read(changed.values())
        district_of(register, register.all(Term)["2026-autumn"], 3)


@QUICK
@given(st.data())
def test_a_mutated_header_is_told_in_its_row_or_read_as_before(known, data):
    table: Table = data.draw(st.sampled_from(TABLES))
    titles = [column.zh for column in table.columns]
    at = data.draw(st.integers(0, len(titles) - 1))
    change = data.draw(
        st.sampled_from(["", f"{titles[at]}们", f" {titles[at]}（填写）", titles[0], table.columns[at].en])
    )
    titles[at] = change
    proposal = propose([book(ROWS, {table.key: titles}, [table])], known, Wanted())
    for mistake in proposal.mistakes:
        told_where_and_what(mistake, {one.zh for one in TABLES})
    if table.columns[at].needed and change in {"", f"{table.columns[at].zh}们"}:
        assert [one.where.row for one in proposal.mistakes if one.where.sheet == table.zh] == [1]


@QUICK
@given(st.binary(max_size=300), st.sampled_from([".xlsx", ".csv", ".yaml", ".ics", ".zip", ".txt"]))
def test_no_bytes_whatever_bring_down_an_import(data, suffix):
    proposal = propose([Brought(f"a{suffix}", data)], [], Wanted(school=""))
    assert all(one.told("zh") and one.where.file.startswith("a.") for one in proposal.mistakes)


@QUICK
@given(st.data())
def test_a_workbook_that_was_damaged_on_the_way_is_told_or_read(known, whole, data):
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    proposal = propose([Brought("facts.xlsx", bytes(damaged))], known, Wanted())
    assert proposal.mistakes or not proposal.changes or proposal.rows


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_undoing_imports_in_whichever_order_it_is_allowed_restores_every_byte(tmp_path_factory, data):
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store')}/hub.db")
    try:
        importing = Importing(store.plan_facts)
        states = [contents(store)]
        for number in range(data.draw(st.integers(1, 4))):
            names = data.draw(st.dictionaries(st.sampled_from("abcd"), st.text("甲乙丙", min_size=1), min_size=1))
            lines = "".join(f"{fact},{name}\n" for fact, name in names.items())
            brought = Brought("schools.csv", f"编号,名称\n{lines}".encode())
            proposal = importing.dry_run([brought], Wanted(replace=data.draw(st.booleans())))
            if importing.apply(proposal, "operator", float(number)) is not None:
                states.append(contents(store))
        for record in store.plan_facts.imports():
            assert contents(store) == states.pop()
            store.plan_facts.undo(record.id, "operator", 9.0)
        assert contents(store) == states.pop() == []
    finally:
        store.close()


def contents(store):
    return [(one.kind, one.id, one.school, one.data) for one in store.plan_facts.everything()]


def test_the_examples_of_the_template_are_what_the_properties_mutate(known):
    assert len(known) == 16
    assert io.BytesIO(book(ROWS).data).getbuffer().nbytes > 0
