"""A certificate is renewed in good time, by itself, and never in a lesson's way."""

import asyncio
import contextlib
import random
import time

import pytest

from agent.certificate import load_certificate
from agent.enrolment import enrol, read_typed
from agent.identity import RenewalRefused, load_identity
from agent.renewal import Renewal, renew
from agent.trust import hub_trust
from tests.agent.authority import DAY_S
from tests.agent.enrolling_hub import CODE, EnrollingHub


@pytest.fixture
def hub():
    one = EnrollingHub()
    yield one
    one.close()


class HubTime:
    """The hub's time plus what this machine is wrong by."""

    def __init__(self, wrong_s: float = 0.0) -> None:
        self.wrong_s = wrong_s

    def now(self) -> float:
        return time.time() + self.wrong_s


class Told:
    def __init__(self) -> None:
        self.renewed: list[tuple[str, bool]] = []
        self.trouble: list[str] = []
        self.busy = False
        self.asked_busy = 0

    def is_busy(self) -> bool:
        self.asked_busy += 1
        return self.busy


@contextlib.asynccontextmanager
async def at_work(state, clock: HubTime, told: Told):
    renewal = Renewal(
        load_identity(state),
        state,
        clock,
        hub_trust(None),
        busy=told.is_busy,
        on_renewed=lambda made, late: told.renewed.append((made.serial, late)),
        on_trouble=told.trouble.append,
        chance=random.Random(7),
    )
    running = asyncio.create_task(renewal.run())
    try:
        yield renewal
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until(condition, within_s: float = 20.0) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, "it did not come"
        await asyncio.sleep(0.02)


def enrolled(hub: EnrollingHub, state, life_s: float):
    hub.life_s = life_s
    enrol(state, hub.url, read_typed(CODE))
    hub.life_s = 30 * DAY_S
    return load_certificate(state)


async def test_a_certificate_is_renewed_when_two_thirds_of_its_life_are_over(hub, tmp_path):
    old = enrolled(hub, tmp_path, life_s=3.0)
    told = Told()
    async with at_work(tmp_path, HubTime(), told):
        await until(lambda: told.renewed)
        assert time.time() >= old.begins + (old.ends - old.begins) * 2 / 3
    new = load_certificate(tmp_path)
    assert new.serial == told.renewed[0][0] != old.serial
    assert new.ends > time.time() + 29 * DAY_S
    assert hub.renewals == ["shiqiao-3"]


async def test_a_fresh_certificate_is_left_alone(hub, tmp_path):
    old = enrolled(hub, tmp_path, life_s=30 * DAY_S)
    told = Told()
    async with at_work(tmp_path, HubTime(), told):
        await until(lambda: told.asked_busy)
        await asyncio.sleep(0.2)
    assert load_certificate(tmp_path).serial == old.serial
    assert hub.renewals == []


async def test_while_a_lesson_begins_nothing_is_renewed_that_still_holds(hub, tmp_path):
    enrolled(hub, tmp_path, life_s=30 * DAY_S)
    told = Told()
    told.busy = True
    async with at_work(tmp_path, HubTime(wrong_s=25 * DAY_S), told):
        await until(lambda: told.asked_busy)
        await asyncio.sleep(0.2)
        assert hub.renewals == []
    told.busy = False
    async with at_work(tmp_path, HubTime(wrong_s=25 * DAY_S), told):
        await until(lambda: told.renewed)
    assert told.renewed[0][1] is False


async def test_an_expired_certificate_is_renewed_at_once_lesson_or_not(hub, tmp_path):
    enrolled(hub, tmp_path, life_s=0.01)
    told = Told()
    told.busy = True
    async with at_work(tmp_path, HubTime(), told):
        await until(lambda: told.renewed)
    assert told.renewed[0][1] is True


async def test_a_broker_that_calls_the_certificate_expired_is_believed_over_this_machines_clock(hub, tmp_path):
    enrolled(hub, tmp_path, life_s=0.01)
    told = Told()
    async with at_work(tmp_path, HubTime(wrong_s=-time.time()), told) as renewal:
        await until(lambda: told.asked_busy)
        assert hub.renewals == []
        renewal.refused()
        await until(lambda: told.renewed)
    assert told.renewed[0][1] is True


async def test_a_clock_years_ahead_renews_once_and_not_again_and_again(hub, tmp_path):
    enrolled(hub, tmp_path, life_s=30 * DAY_S)
    told = Told()
    async with at_work(tmp_path, HubTime(wrong_s=400 * DAY_S), told):
        await until(lambda: told.renewed)
        await asyncio.sleep(0.5)
    assert len(hub.renewals) == 1


async def test_whoever_wants_a_new_certificate_at_once_gets_one(hub, tmp_path):
    old = enrolled(hub, tmp_path, life_s=30 * DAY_S)
    told = Told()
    async with at_work(tmp_path, HubTime(), told) as renewal:
        made = await asyncio.to_thread(renewal.at_once)
        await until(lambda: told.renewed)
    assert load_certificate(tmp_path).serial == made.serial != old.serial
    assert told.renewed == [(made.serial, False)]


async def test_a_hub_that_says_no_is_told_once_in_words_and_the_old_certificate_stays(hub, tmp_path):
    old = enrolled(hub, tmp_path, life_s=0.01)
    hub.refusal = (403, {"error": "device shiqiao-3 was revoked", "what_to_do": "enrol the machine anew"})
    told = Told()
    async with at_work(tmp_path, HubTime(), told) as renewal:
        await until(lambda: told.trouble)
        renewal.refused()
        await asyncio.sleep(0.3)
    assert len(told.trouble) == 1
    assert "device shiqiao-3 was revoked; enrol the machine anew" in told.trouble[0]
    assert load_certificate(tmp_path).serial == old.serial


@pytest.mark.parametrize("wrong_s", [-1e10, DAY_S, 400 * DAY_S], ids=["1970", "a day ahead", "years ahead"])
def test_a_device_whose_clock_is_wrong_proves_its_key_by_the_time_in_the_hubs_answer(hub, tmp_path, wrong_s):
    old = enrolled(hub, tmp_path, life_s=0.01)
    now = max(0.0, time.time() + wrong_s)
    assert renew(load_identity(tmp_path), tmp_path, now, hub_trust(None)).serial != old.serial
    assert hub.renewals == ["shiqiao-3"]


def test_a_machine_that_became_another_device_meanwhile_keeps_what_it_became(hub, tmp_path):
    enrolled(hub, tmp_path, life_s=30 * DAY_S)
    before = load_identity(tmp_path)
    hub.device = "shiqiao-3-2"
    enrol(tmp_path, hub.url, read_typed("2222-3333-4444"), anew=True)
    with pytest.raises(RenewalRefused, match="enrolled anew meanwhile"):
        renew(before, tmp_path, time.time(), hub_trust(None))
    assert load_certificate(tmp_path).device == load_identity(tmp_path).device == "shiqiao-3-2"
