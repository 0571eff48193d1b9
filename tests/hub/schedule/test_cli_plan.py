"""`tongtang plan`: the commands, as somebody types them."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli_plan import app

SMALL = ("--schools", 5, "--rooms", 20, "--requests", 30, "--extras", 0.2)


def say(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def files(tmp_path):
    district, plan = tmp_path / "district.json", tmp_path / "plan.json"
    code, told, _ = say("generate", *SMALL, "--out", district, "--planted", plan)
    assert code == 0
    assert "5 schools, 20 rooms" in told
    return district, plan


def test_a_made_up_district_is_solved_by_the_plan_that_is_hidden_in_it(files):
    code, told, _ = say("check", *files, "--json")
    assert code == 0
    found = json.loads(told)
    assert found["holds"] is True
    assert (found["served"], found["requests"]) == (27, 30)
    assert (
        found["score"]["total"]
        == json.loads(say("generate", *SMALL, "--out", files[0], "--json")[1])["planted"]["total"]
    )


def test_a_plan_that_breaks_a_rule_ends_with_1_and_says_which(files):
    district, plan = files
    broken = json.loads(plan.read_text("utf-8"))
    broken["served"][0]["room"] = "s99-r1"
    plan.write_text(json.dumps(broken), "utf-8")
    code, told, _ = say("check", district, plan)
    assert code == 1
    assert "is in room s99-r1, which is not in the district" in told
    assert "the plan breaks rules" in told


def test_what_changed_since_the_plan_before_is_counted(files):
    district, plan = files
    empty = plan.with_name("empty.json")
    empty.write_text("{}")
    code, told, _ = say("check", district, empty, "--before", plan, "--json")
    assert code in {0, 1}  # what was pinned is missed
    assert json.loads(told)["score"]["kept"] == -40 * 27


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"tongtang-district/1"', '"tongtang-district/9"', "format: Input should be 'tongtang-district/1'"),
        ('"uplink"', '"uplnk"', "schools.0.uplnk: nobody knows such a field"),
        ('"school": "s01"', '"school": "s99"', "room s01-r1 names school s99, which is not in the file"),
        ('"08:', '"28:', "not '28:"),
        ("{", "[", "Invalid JSON"),
    ],
)
def test_a_file_that_is_wrong_ends_with_2_and_the_place(files, old, new, words):
    district, plan = files
    district.write_text(district.read_text("utf-8").replace(old, new, 1), "utf-8")
    code, told, wrong = say("check", district, plan)
    assert (code, told) == (2, "")
    assert words in wrong
    assert str(district) in wrong


def test_the_two_files_the_other_way_round_and_files_that_are_not_there(files):
    district, plan = files
    assert "is no district file: format: Input should be 'tongtang-district/1'" in say("check", plan, plan)[2]
    assert "is no plan file: format: Input should be 'tongtang-plan/1'" in say("check", district, district)[2]
    code, _, wrong = say("check", district, "nowhere.json")
    assert (code, wrong.strip()) == (2, "nowhere.json cannot be read: No such file or directory")
    code, _, wrong = say("generate", "--out", district / "below.json")
    assert code == 2
    assert "cannot be written" in wrong


def test_files_that_begin_with_a_byte_order_mark_are_read(files):
    for file in files:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert say("check", *files)[0] == 0


def test_more_requests_than_rooms_can_hold_are_refused(tmp_path):
    code, _, wrong = say("generate", "--schools", 2, "--rooms", 2, "--requests", 500, "--out", tmp_path / "d.json")
    assert code == 2
    assert "2 schools with 2 rooms hold" in wrong
    assert not (tmp_path / "d.json").exists()


def test_solving_writes_a_plan_that_the_checker_passes_the_same_for_the_same_seed(files):
    district, plan = files
    first, second = plan.with_name("first.json"), plan.with_name("second.json")
    code, told, _ = say("solve", district, "--work", 5000, "--out", first, "--json")
    assert code == 0
    found = json.loads(told)
    assert found["score"]["total"] <= found["bound"]
    assert 0 <= found["gap"] < 1
    assert say("solve", district, "--work", 5000, "--out", second)[0] == 0
    assert first.read_bytes() == second.read_bytes()
    checked = json.loads(say("check", district, first, "--json")[1])
    assert checked["holds"] is True
    assert checked["score"] == found["score"]


def test_a_file_that_cannot_be_written_whole_stays_as_it_was(files, tmp_path, monkeypatch):
    district, plan = files
    was = plan.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))  # as a full disk: what comes after is refused
    try:
        code, told, wrong = say("solve", district, "--work", 1000, "--out", plan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert (code, told) == (2, "")
    assert f"{plan} cannot be written: File too large" in wrong
    assert plan.read_bytes() == was
    assert sorted(tmp_path.iterdir()) == [district, plan]


def test_a_file_keeps_its_mode_and_a_link_leads_where_it_led(files, tmp_path):
    district, plan = files
    plan.chmod(0o600)
    link = tmp_path / "link.json"
    link.symlink_to(plan)
    was = plan.read_bytes()
    assert say("solve", district, "--work", 1000, "--out", link)[0] == 0
    assert link.is_symlink()
    assert plan.read_bytes() != was
    assert plan.stat().st_mode & 0o777 == 0o600
    assert say("solve", district, "--work", 1000, "--out", "/dev/null")[0] == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("where", "words"),
    [("", "it is a folder"), ("nowhere/plan.json", "is no folder"), ("district.json/plan.json", "is no folder")],
)
def test_where_a_plan_cannot_be_written_is_told_before_it_is_sought(files, tmp_path, where, words):
    for command in ("solve", "bound"):
        code, _, wrong = say(command, tmp_path / "not-there.json", "--out", tmp_path / where)
        assert code == 2
        assert words in wrong
    code, _, wrong = say("generate", "--out", tmp_path / "fresh.json", "--planted", tmp_path / where)
    assert code == 2
    assert words in wrong
    assert not (tmp_path / "fresh.json").exists()


@pytest.mark.parametrize(
    "wrong",
    [("--seconds", 0), ("--seconds", "inf"), ("--seconds", 1e18), ("--work", 0), ("--work", 10**30), ("--seed", -1)],
)
def test_absurd_budgets_are_refused(files, wrong):
    code, told, words = say("solve", files[0], *wrong, "--out", files[1])
    assert (code, told) == (2, "")
    assert wrong[0] in words


def test_pins_that_contradict_each_other_end_with_1_and_no_plan(files):
    district, plan = files
    facts = json.loads(district.read_text("utf-8"))
    lead = next(one["teacher"] for one in facts["lessons"])
    mine = [one["id"] for one in facts["lessons"] if one["teacher"] == lead]
    follower = next(one["request"] for one in json.loads(plan.read_text("utf-8"))["served"] if one["lesson"] in mine)
    facts["pins"] = [{"request": follower}]
    facts["bans"] = [{"request": follower, "lesson": one["id"]} for one in facts["lessons"]]
    district.write_text(json.dumps(facts), "utf-8")
    out = plan.with_name("out.json")
    code, _, wrong = say("solve", district, "--work", 1000, "--out", out)
    assert code == 1
    assert follower in wrong
    assert not out.exists()
    assert say("solve", district, "--out", plan / "below.json")[0] == 2


def test_a_plan_is_the_same_in_every_process(files):
    district, plan = files
    made = []
    for number in (1, 2):
        out = plan.with_name(f"plan{number}.json")
        subprocess.run(
            [sys.executable, "-c", APP, "solve", str(district), "--work", "100000", "--out", str(out)],
            env={**os.environ, "PYTHONHASHSEED": str(number), "OMP_NUM_THREADS": str(number)},
            cwd=Path(__file__).parents[3],
            check=True,
            capture_output=True,
            timeout=200,
        )
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_ctrl_c_ends_it_with_the_best_so_far(files):
    district, plan = files
    out = plan.with_name("best.json")
    endless = ("--seconds", "1000", "--no-bound")
    solving = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, "solve", str(district), *endless, "--out", str(out), "--json"],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    )
    told = json.loads(solving.communicate(timeout=200)[0])
    assert solving.returncode == 0
    assert told["stopped"] is True
    assert told["seconds"] < 500
    assert json.loads(say("check", district, out, "--json")[1])["holds"] is True


APP = "from hub.cli_plan import app; app()"
INTERRUPTED = """
import os, signal
from hub.cli_plan import app
from hub.schedule.solve import solver

searched = solver._Solving._anneal

def anneal(self, work):
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C, once it searches
    searched(self, work)

solver._Solving._anneal = anneal
app()
"""
