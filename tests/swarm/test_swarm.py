"""`tongtang swarm` from end to end: a real hub, a real broker, a fleet."""

import json
import subprocess
import sys
from typing import Any

import pytest

from hub.founding import init
from tests.hub_api.commands.running import running

pytestmark = pytest.mark.e2e


def run(*words: str, within_s: float = 110.0) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "tongtang", "swarm", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=within_s, check=False)
    return done.returncode, done.stdout, done.stderr


def result(*words: str) -> dict[str, Any]:
    code, out, err = run(*words, "--json")
    assert code == 0, out + err
    return json.loads(out)


def test_everything_that_light_devices_say_is_stored_once_whatever_befalls_them():
    told = result("--devices", "60", "--seconds", "8", "--rate", "2", "--outages", "--bursts", "--skew")
    assert told["how"].startswith("light")
    assert told["produced"] > 60 * 8
    assert told["stored"] == told["produced"]
    assert (told["lost"], told["duplicated"]) == (0, 0)
    assert 0 < told["commit_ms"]["p50"] <= told["commit_ms"]["p99"]
    assert 0 < told["arrival_ms"]["p50"] < told["commit_ms"]["p50"] * 10
    assert told["cut_commit_ms"]["longest"] > 1000
    assert told["burst_commit_ms"]["rows"] == 54 * 10 * 3
    assert told["hub_cpu_share"] > 0


def test_a_few_devices_are_real_ones_and_lose_nothing_either():
    told = result("--devices", "5", "--seconds", "5", "--rate", "5", "--outages", "--bursts")
    assert "outboxes on disk" in told["how"]
    assert told["stored"] == told["produced"] > 100
    assert (told["lost"], told["duplicated"]) == (0, 0)


def test_a_hub_that_somebody_runs_is_enrolled_at_as_machines_do(tmp_path):
    data = tmp_path / "data"
    token = init(data).token
    config = tmp_path / "hub.toml"
    config.write_text(f"data = {json.dumps(data.as_posix())}\n[http]\nport = 0\n[mqtt]\nport = 0\n", encoding="utf-8")
    with running(config, data) as hub:
        words = ("--devices", "45", "--seconds", "3", "--rate", "2", "--hub", hub.where["http"], "--token", token)
        told = result(*words)
    assert told["tls"] is True
    assert told["stored"] == told["produced"] >= 45 * 3 * 2 - 45
    assert (told["lost"], told["hub_cpu_share"], told["arrival_ms"]) == (0, None, None)


def test_more_devices_than_the_system_lets_connect_are_refused_with_what_to_do():
    resource = pytest.importorskip("resource")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard > 99_000:
        pytest.skip(f"this system allows {hard} open files")
    code, out, err = run("--devices", "100000", "--seconds", "1")
    assert code == 2
    assert out == ""
    assert "ulimit" in err


def test_a_hub_that_is_not_there_is_told_in_words():
    code, _, err = run("--devices", "2", "--seconds", "1", "--hub", "http://127.0.0.1:9", "--token", "x")
    assert code == 2
    assert "no hub answers" in err
