"""What a person reads who tries the commands on a new machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli import LOCK, app
from tests.agent.enrolling_hub import EnrollingHub


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    assert not isinstance(result.exception, Exception), result.exception
    return result.exit_code, result.output


def settings(folder: Path, text: str = "") -> str:
    path = folder / "agent.toml"
    path.write_text(f'[agent]\nstate = "state"\n{text}', encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("command", ["run", "check"])
def test_without_settings_a_person_is_told_where_they_come_from(tmp_path, command):
    code, said = run(command, "--config", str(tmp_path / "nowhere.toml"))
    assert code == 2
    assert "there is no settings file" in said
    assert "tongtang agent install" in said


def test_all_wrong_settings_are_told_at_once(tmp_path):
    code, said = run("run", "--config", settings(tmp_path, '[sources]\nsorce = "camera:0"\n[recrd]\n'))
    assert code == 2
    assert "did you mean source?" in said
    assert "did you mean record?" in said


def test_a_machine_that_belongs_to_no_hub_is_told_to_enrol(tmp_path):
    code, said = run("run", "--config", settings(tmp_path))
    assert code == 2
    assert "tongtang agent enrol" in said


def test_a_second_agent_on_one_state_folder_is_refused_until_the_first_is_gone_however_it_goes(tmp_path):
    (tmp_path / "state").mkdir()
    code = "import sys, time; from filelock import FileLock; kept = FileLock(sys.argv[1]).acquire(timeout=0); "
    code += "print('held', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code, str(tmp_path / "state" / LOCK)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        code, said = run("run", "--config", settings(tmp_path))
        assert code == 2
        assert "in use by another agent" in said
        first.kill()
    code, said = run("run", "--config", settings(tmp_path))
    assert "in use" not in said
    assert "tongtang agent enrol" in said


def test_check_says_for_each_thing_what_is_wrong_and_what_to_do(tmp_path):
    config = settings(tmp_path, '[sources]\nsource = "kamera:0"\n[hub]\nurl = "http://127.0.0.1:1"\n')
    code, said = run("check", "--config", config)
    assert code == 1
    assert "did you mean camera" in said
    assert "http://127.0.0.1:1 does not answer" in said
    code, told = run("check", "--config", config, "--json")
    assert code == 1
    assert len(json.loads(told)) == len(said.splitlines())


def test_enrolling_goes_to_the_hub_of_the_settings_and_says_where_nobody_answers(tmp_path):
    config = settings(tmp_path, '[hub]\nurl = "http://127.0.0.1:1"\n')
    code, said = run("enrol", "tt-TOKEN", "--config", config)
    assert (code, "--device and --room" in said) == (2, True)
    code, said = run("enrol", "tt-TOKEN", "--config", config, "--device", "d-1", "--room", "room-1")
    assert (code, "no hub answers at http://127.0.0.1:1" in said) == (2, True)


def test_a_code_may_be_typed_with_spaces_and_the_machine_says_who_it_is_now(tmp_path):
    hub = EnrollingHub()
    try:
        typed = ("7k2m", "qx9d", "4htv")
        code, said = run("enrol", *typed, "--hub", hub.url, "--config", settings(tmp_path))
        assert (code, f"enrolled as shiqiao-3 in room shiqiao-3 of {hub.url}" in said) == (0, True)
        code, said = run("enrol", "2222-3333-4444", "--hub", hub.url, "--config", settings(tmp_path))
        assert (code, "--anew" in said) == (2, True)
        elsewhere = tmp_path / "other"
        elsewhere.mkdir()
        code, said = run("enrol", hub.ticket, "--hub", "http://10.0.0.9", "--config", settings(elsewhere))
        assert (code, "leave --hub out" in said) == (2, True)
        code, said = run("enrol", hub.ticket, "--config", settings(elsewhere))
        assert (code, hub.url in said) == (0, True)
    finally:
        hub.close()


def test_sources_can_be_pasted_and_read_by_programs():
    code, said = run("sources")
    assert code == 0
    assert "✓ rehearsal" in said
    assert {one["source"] for one in json.loads(run("sources", "--json")[1])} >= {"rehearsal", "mic:default"}


@pytest.mark.skipif(sys.platform != "linux", reason="services are installed on Linux with systemd only")
def test_a_dry_run_says_that_nothing_is_done_and_what_comes_next():
    code, said = run("install", "--dry-run")
    if "home folder" in said:
        pytest.skip("this Python lies in a home folder, from which no service is installed")
    assert code == 0
    assert said.startswith("nothing is done now")
    for step in ("models install", "agent enrol CODE", "agent check", "systemctl enable --now"):
        assert step in said


def test_a_mark_where_no_agent_runs_says_what_to_do(tmp_path):
    code, said = run("mark", "勾股定理", "--config", settings(tmp_path))
    assert code == 2
    assert "is it running?" in said


def test_a_title_that_is_too_long_is_refused_before_anything_is_asked(tmp_path):
    code, said = run("mark", "长" * 81, "--config", settings(tmp_path))
    assert code == 2
    assert "81 characters; at most 80" in said
