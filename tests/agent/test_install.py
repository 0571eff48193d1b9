import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.install import InstallRefused, install, rendered
from agent.settings import AgentSettings, load_settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="services are installed on Linux with systemd only")
ANALYZE = shutil.which("systemd-analyze")
with_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")


@pytest.fixture
def program(tmp_path) -> Path:
    path = tmp_path / "opt" / "bin" / "tongtang"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def unit_of(prefix: Path) -> Path:
    return prefix / "etc/systemd/system/tongtang-agent.service"


def test_it_puts_unit_and_settings_in_place_and_says_what_comes_next(tmp_path, program):
    done = install(tmp_path, program=program)
    assert f"ExecStart={program} agent run --config /etc/tongtang/agent.toml" in unit_of(tmp_path).read_text()
    assert any("agent enrol" in one for one in done.next)
    assert "systemctl enable --now tongtang-agent.service" in done.next


def test_settings_that_are_there_are_kept(tmp_path, program):
    config = tmp_path / "etc/tongtang/agent.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[agent]\n")
    done = install(tmp_path, program=program)
    assert config.read_text() == "[agent]\n"
    assert any("kept the settings" in one for one in done.did)


def test_a_dry_run_writes_nothing(tmp_path, program):
    done = install(tmp_path, dry_run=True, program=program)
    assert not (tmp_path / "etc").exists()
    assert any("tongtang-agent.service" in one for one in done.did)


def test_a_program_in_a_home_folder_is_refused_because_the_service_may_not_read_it():
    with pytest.raises(InstallRefused, match="home folder"):
        install(dry_run=True, program=Path("/home/teacher/bin/tongtang"))


@with_systemd
def test_systemd_accepts_the_unit(tmp_path, program):
    install(tmp_path, program=program)
    said = subprocess.run([ANALYZE, "verify", str(unit_of(tmp_path))], capture_output=True, text=True)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@with_systemd
def test_the_unit_exposes_little(tmp_path, program):
    install(tmp_path, program=program)
    said = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--threshold=20", str(unit_of(tmp_path))],
        capture_output=True,
        text=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    if "unrecognized option" in said.stderr:
        pytest.skip("this systemd-analyze cannot judge a unit offline")
    assert said.returncode == 0, said.stdout[-300:]


def test_the_unit_survives_whatever_is_missing():
    text = rendered(Path("/opt/tongtang/bin/tongtang"))
    for line in ("Type=notify", "WatchdogSec=30", "Restart=always", "StartLimitIntervalSec=0"):
        assert line in text.splitlines()
    for waits in ("network-online", "graphical", "Requires=", "BindsTo="):
        assert waits not in text


def test_a_path_with_a_blank_is_quoted():
    assert 'ExecStart="/opt/tong tang/50%%/tongtang" agent' in rendered(Path("/opt/tong tang/50%/tongtang"))


def test_the_settings_that_ship_are_the_defaults():
    shipped = load_settings(Path(__file__).parents[2] / "configs" / "agent.toml")
    assert shipped == AgentSettings()
