"""kill -9 of the agent, of the broker and of both: nothing is lost, nothing is stored twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.report.report import Report
from agent.report.reporter import Ledger
from contract.keys import public_pem, save_private
from tests.agent.report.brokers import KINDS
from tests.agent.report.conftest import identity_of, settings_of

ROOT = Path(__file__).parents[3]


@pytest.mark.faults
@pytest.mark.parametrize("broker", KINDS, indirect=True)
def test_nothing_is_lost_or_stored_twice_when_agent_and_broker_are_killed(broker, hub, tmp_path, device_key):
    state = tmp_path / "state"
    save_private(device_key, tmp_path / "key.pem")
    (tmp_path / "hub.pem").write_text(public_pem(hub.key))
    chance = random.Random(7)
    for round_ in range(6):
        command = [sys.executable, "-m", "tests.agent.report.device", state, tmp_path / "key.pem", tmp_path / "hub.pem"]
        child = subprocess.Popen(
            [*map(str, command), str(broker.port), "40"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
        )
        assert child.stdout.readline() == b"up\n"
        time.sleep(chance.uniform(0.2, 1.2))
        if round_ in {2, 4}:
            broker.kill()
            time.sleep(0.2)
            broker.start()
            time.sleep(0.3)
        child.kill()
        child.wait()
        child.stdout.close()
    last = Report(identity_of(device_key, hub.key.public_key(), broker.port), settings_of(state), incarnation="last")
    last.start()
    assert last.drain(60)
    last.stop()
    produced, stored = Ledger.read(state / "produced"), hub.ids("d-1")
    assert len(produced) > 100
    assert sorted(stored) == sorted(set(stored)), "stored twice"
    assert set(produced) - set(stored) == set(), "lost"
