"""`tongtang plan import` and what goes with it, on a hub's own database."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli_plan import app
from hub.founding import init
from hub.schedule.district import District
from hub.store.store import Store

SCHOOLS = "编号,名称\ns1,一小\ns2,二小\n"


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """A hub that nobody has told anything."""
    folder = tmp_path_factory.mktemp("hub") / "data"
    init(folder)
    return folder


@pytest.fixture
def hub(founded, tmp_path):
    """A copy of it."""
    copy = tmp_path / "data"
    copy.mkdir()
    for file in founded.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    return copy


def run(*arguments, exits=0):
    told = CliRunner().invoke(app, [*map(str, arguments)])
    assert told.exit_code == exits, told.output
    return told.output


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def everything(hub):
    store = Store.open(f"sqlite:///{hub}/hub.db")
    try:
        return [(one.kind, one.id, one.school, one.data) for one in store.plan_facts.everything()]
    finally:
        store.close()


def test_an_import_is_shown_first_then_made_then_listed_then_taken_back(hub, tmp_path):
    file = written(tmp_path, "学校.csv", SCHOOLS)
    shown = run("import", file, "--data", hub)
    assert "+ 学校 s1 一小" in shown
    assert "say it again with --yes" in shown
    assert everything(hub) == []
    made = json.loads(run("import", file, "--data", hub, "--yes", "--json"))
    assert made["applied"] == "i-000001"
    assert json.loads(run("facts", "--data", hub, "--json")) == {"school": 2}
    assert "一小" in run("facts", "school", "--data", hub)
    assert "i-000001" in run("imports", "--data", hub)
    run("undo", "i-000001", "--data", hub)
    assert everything(hub) == []
    assert [one["format"] for one in json.loads(run("imports", "--data", hub, "--json"))] == ["undo", "table"]
    assert "i-000001 已经撤销过了" in run("undo", "i-000001", "--data", hub, exits=2)
    again = run("undo", "i-000001", "--data", hub, "--language", "en", exits=2)
    assert "import i-000001 is undone already" in again


def test_mistakes_end_with_1_and_change_nothing_unless_bad_rows_are_skipped(hub, tmp_path):
    file = written(tmp_path, "schools.csv", f"{SCHOOLS}s3,\n")
    told = run("import", file, "--data", hub, "--yes", "--language", "en", exits=1)
    assert "mistake: schools.csv, row 4, column “名称”: must not be empty" in told
    assert everything(hub) == []
    run("import", file, "--data", hub, "--yes", "--skip-bad-rows")
    assert [one[1] for one in everything(hub)] == ["s1", "s2"]


def test_a_week_of_the_facts_is_written_as_the_file_that_is_solved(hub, tmp_path):
    template, out = tmp_path / "facts.xlsx", tmp_path / "district.json"
    run("template", "--out", template)
    assert "nothing to change" in run("import", template, "--data", hub, "--yes")
    facts = [
        written(tmp_path, "terms.csv", "编号,第一周周一,周数\nautumn,2026-08-31,20\n"),
        written(tmp_path, "schools.csv", f"{SCHOOLS}s3,三小\n"),
        written(tmp_path, "bells.csv", "学校,节次,开始,结束\ns1,1,08:00,08:40\ns2,1,08:00,08:40\n"),
    ]
    run("import", *facts, "--data", hub, "--yes")
    told = json.loads(run("district", "--term", "autumn", "--week", 3, "--out", out, "--data", hub, "--json"))
    assert [one.id for one in District.load(out).schools] == ["s1", "s2"]
    assert ["s3" in one for one in told["misfits"]] == [True]
    assert "weeks 1 to 20" in run("district", "--term", "autumn", "--week", 21, "--out", out, "--data", hub, exits=2)
    assert "there are: autumn" in run("district", "--term", "x", "--week", 1, "--out", out, "--data", hub, exits=2)


def test_what_is_asked_wrongly_is_refused_in_words(hub, tmp_path):
    file = written(tmp_path, "schools.csv", SCHOOLS)
    assert "--as stars is not known" in run("import", file, "--as", "stars", "--data", hub, exits=2)
    assert "say either" in run("import", file, "--replace", "--skip-bad-rows", "--data", hub, exits=2)
    assert "cannot be read" in run("import", tmp_path / "none.csv", "--data", hub, exits=2)
    assert "there is no hub" in run("import", file, "--data", tmp_path / "nowhere", exits=2)
    assert "no .xlsx" in run("template", "--out", tmp_path / "x.csv", exits=2)
    assert "there is no kind stars" in run("facts", "stars", "--data", hub, exits=2)


KILLED = """
import os, signal, sys
from hub.store import plan_facts
written = plan_facts.insert
def dying(table):
    if table.name == "plan_change":
        os.kill(os.getpid(), signal.SIGKILL)
    return written(table)
plan_facts.insert = dying
from tongtang import main
sys.argv = ["tongtang", *sys.argv[1:]]
main()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a process is killed as POSIX does it")
def test_a_process_that_dies_in_the_middle_of_an_import_has_changed_nothing(hub, tmp_path):
    run("import", written(tmp_path, "schools.csv", SCHOOLS), "--data", hub, "--yes")
    before = everything(hub)
    more = written(tmp_path, "more.csv", "编号,名称\ns1,改名\ns3,三小\n")
    command = [
        sys.executable,
        "-c",
        KILLED,
        "plan",
        "import",
        str(more),
        "--as",
        "schools",
        "--yes",
        "--data",
        str(hub),
    ]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, timeout=100, env=os.environ)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert everything(hub) == before
    assert len(json.loads(run("imports", "--data", hub, "--json"))) == 1
    run("import", more, "--as", "schools", "--data", hub, "--yes")
    assert len(everything(hub)) == 3
