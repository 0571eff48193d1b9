"""How the service of one classroom ends, without a hub in reach."""

import asyncio

import pytest

from agent.capture.sources import parse_source
from agent.recentlog import RecentLog
from agent.report.health.runs import FILE, Ending, Run
from agent.service import AgentService
from agent.twin import TWIN, Twin
from contract.keys import new_device_key, new_hub_key
from tests.agent.report.conftest import identity_of, settings_of
from tests.patience import comes


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def service_in(state) -> AgentService:
    settings = settings_of(state)
    identity = identity_of(new_device_key(), new_hub_key().public_key(), 1)
    return AgentService(identity, settings, parse_source("rehearsal"), Twin(state / TWIN, settings), RecentLog())


def ended(state) -> str:
    return Run.model_validate_json((state / FILE).read_bytes()).ended


async def test_a_service_that_is_asked_to_end_ends_in_order(state):
    service = service_in(state)
    running = asyncio.create_task(service.run())
    await comes(lambda: (state / FILE).exists())
    service.stop()
    assert await running is False, "it is not to be built anew"
    assert ended(state) == Ending.STOPPED


async def test_a_fault_while_it_begins_ends_it_as_one_and_is_remembered_as_one(state):
    service = service_in(state)
    service._keeping.seal_left_behind = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        await service.run()
    assert ended(state) == Ending.FAULT


async def test_a_service_that_is_to_start_anew_says_so(state):
    service = service_in(state)
    running = asyncio.create_task(service.run())
    await comes(lambda: (state / FILE).exists())
    service.start_anew()
    assert await running is True
    assert ended(state) == Ending.STOPPED


@pytest.mark.parametrize("asked", [("start_anew", "stop"), ("stop", "start_anew")])
async def test_a_service_that_is_asked_to_end_while_it_starts_anew_ends_for_good(state, asked):
    service = service_in(state)
    running = asyncio.create_task(service.run())
    await comes(lambda: (state / FILE).exists())
    for what in asked:
        getattr(service, what)()
    assert await running is False
