"""500 kill -9 over agents, hub and broker: `make soak-kill`."""

import pytest

from tests.agent.report.brokers import MOSQUITTO
from tests.soak.killing import Plan, killed, table

pytestmark = pytest.mark.soak

DRAINED_S = 5.0
PLANS = [
    Plan("mosquitto", agents=290, hub=30, brokers=40, seed=1),
    # Which is good for 200 devices at a row in five seconds: this is more than three times as much.
    Plan("amqtt", agents=115, hub=25, per_s=10.0, seed=2),
]


def test_500_kills_lose_nothing_and_store_nothing_twice(tmp_path, capsys):
    assert sum(plan.kills for plan in PLANS) == 500
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: its part of the 500 cannot be done")
    outcomes = [killed(tmp_path / plan.broker, plan) for plan in PLANS]
    with capsys.disabled():
        print("\n" + table(outcomes))
        print("\n".join(f"{one.plan.broker}: {one.seconds:.0f} s in all" for one in outcomes))
    for one in outcomes:
        assert one.produced > 1000
        assert one.whole, one
        assert one.drain_s <= DRAINED_S, one
