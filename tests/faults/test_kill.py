"""60 kill -9 over agents, hub and broker; `make soak-kill` does 500."""

import os
import shutil

import pytest

from tests.soak.killing import Plan, killed, table

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.name != "posix", reason="devices are forked, which this system cannot"),
    pytest.mark.timeout(400),
]


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(
            Plan("mosquitto", agents=33, hub=2, brokers=5),
            marks=pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed here"),
            id="mosquitto",
        ),
        pytest.param(Plan("amqtt", agents=18, hub=2), id="amqtt"),
    ],
)
def test_kills_lose_nothing_and_store_nothing_twice(tmp_path, plan):
    outcome = killed(tmp_path / "district", plan)
    print(table([outcome]))
    assert outcome.produced > 100
    assert outcome.lost == ()
    assert outcome.twice == ()
    assert outcome.whole, outcome
