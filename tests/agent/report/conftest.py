from pathlib import Path

import pytest

from agent.identity import Identity
from agent.report.report import Report
from agent.settings import AgentSettings
from contract.keys import new_device_key
from tests.agent.report.brokers import broker_of
from tests.agent.report.hubside import HubSide


@pytest.fixture
def device_key():
    return new_device_key()


@pytest.fixture
def broker(request, tmp_path):
    one = broker_of(getattr(request, "param", ""), tmp_path / "broker")
    one.start()
    yield one
    one.kill()


@pytest.fixture
def hub(broker, tmp_path, device_key):
    one = HubSide(tmp_path, broker.port)
    one.know("d-1", device_key)
    one.start()
    yield one
    one.stop()


def settings_of(state: Path, health_s: float = 3600.0) -> AgentSettings:
    return AgentSettings.model_validate(
        {
            "agent": {"state": state},
            "hub": {"retry_cap_s": 0.3, "keepalive_s": 5},
            "report": {"ledger": True, "health_s": health_s},
        }
    )


def identity_of(key, hub_key, port: int, device: str = "d-1") -> Identity:
    return Identity(device, f"room-{device}", "Room", "School", key, hub_key, "http://127.0.0.1:1", "127.0.0.1", port)


@pytest.fixture
def report(broker, hub, tmp_path, device_key):
    made = Report(
        identity_of(device_key, hub.key.public_key(), broker.port), settings_of(tmp_path / "state"), incarnation="i-1"
    )
    made.start()
    yield made
    made.stop(drain_s=0)
