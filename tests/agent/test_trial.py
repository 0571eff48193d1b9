"""A configuration is put into force when no lesson is on or near, and stays only where the machine is well with it."""

import asyncio
import contextlib
import itertools
import time

import pytest

from agent.settings import AgentSettings
from agent.trial import CLEAR_S, CLEAR_TO_RESTORE_S, Times, Trials
from agent.twin import Phase, Standing, Twin
from contract.envelope import sign
from contract.keys import new_hub_key
from contract.twin import TWIN_LIMIT_BYTES, Desired, TwinStatus

QUICK = Times(look_s=0.01, stand_s=0.01, steady_s=0.1, patience_s=0.5)
ALL = Standing(hub=True, camera=True, microphone=True)


class Service:
    """One machine; each life of its service has its own `Trials`."""

    def __init__(self, folder) -> None:
        self.hub_key = new_hub_key()
        self.base = AgentSettings.model_validate({"agent": {"state": folder}})
        self.twin = Twin(folder / "twin.json", self.base)
        self.stand = lambda: ALL
        self.busy: dict[float, str] = {}
        self.connected = True
        self.told: list = []
        self.asked: list[float] = []

    async def live(self, *wishes: bytes, until=None, within_s: float = 10.0) -> bool:
        """One life of the service: until it is to be built anew, or `until` is true; whether it is to be built anew."""
        again = asyncio.Event()
        self.settings = self.twin.begin()
        trials = Trials(
            self.twin,
            "d-1",
            self.hub_key.public_key(),
            why_not=self._why_not,
            stand=lambda: self.stand(),
            publish=self._publish,
            rebuild=again.set,
            times=QUICK,
        )
        for wish in wishes:
            trials.arrived(wish)
        task = asyncio.create_task(trials.run())
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if again.is_set() or (until is not None and until()):
                        break
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return again.is_set()

    def wish(self, rev: int, config: dict, *, key=None, device="d-1") -> bytes:
        return sign(Desired(device=device, rev=rev, config=config), key or self.hub_key, time.time(), 1.0).to_json()

    def status(self):
        return (self.told[-1].rev, self.told[-1].status) if self.told else None

    def _why_not(self, clear_s: float) -> str:
        self.asked.append(clear_s)
        return self.busy.get(clear_s, "")

    def _publish(self, reported) -> bool:
        if self.connected:
            self.told.append(reported)
        return self.connected


@pytest.fixture
def service(tmp_path):
    return Service(tmp_path)


async def test_a_wish_is_put_into_force_by_a_new_life_and_told_as_applied_once_the_machine_is_well(service):
    assert await service.live(service.wish(1, {"report": {"health_s": 10}}))
    assert service.status() == (1, TwinStatus.WAITING)
    await service.live(until=lambda: service.status() == (1, TwinStatus.APPLIED))
    assert service.settings.report.health_s == 10
    assert service.twin.phase is Phase.SETTLED
    assert service.told[-1].config == {"report": {"health_s": 10.0}}


async def test_during_a_lesson_and_just_before_one_it_waits_and_says_why(service):
    service.busy = {CLEAR_S: "a lesson is on"}
    wish = service.wish(1, {"report": {"health_s": 10}})
    again = await service.live(wish, until=lambda: service.told and "a lesson is on" in service.told[-1].words)
    assert not again
    assert service.status() == (1, TwinStatus.WAITING)
    service.busy = {}
    assert await service.live(), "what waited is on the disk"


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (ALL.model_copy(update={"hub": False}), "the hub did not come back"),
        (ALL.model_copy(update={"camera": False}), "the camera did not come back"),
        (ALL.model_copy(update={"microphone": False}), "the microphone did not come back"),
        (Standing(hub=False, camera=False, microphone=True), "the hub and the camera did not come back"),
    ],
)
async def test_what_was_there_before_and_does_not_come_back_brings_the_last_good_one_back(service, lost, words):
    assert await service.live(service.wish(1, {"video": {"fps_max": 10}}))
    service.stand = lambda: lost
    assert await service.live(), "the service is built anew once more"
    assert service.settings.video.fps_max == 10
    assert service.status() == (1, TwinStatus.RESTORED)
    assert words in service.told[-1].words
    await service.live(until=lambda: service.settings is not None)
    assert service.settings.video.fps_max == 30


async def test_what_was_not_there_before_is_not_missed(service):
    service.stand = lambda: Standing(hub=False, camera=False, microphone=False)
    assert await service.live(service.wish(1, {"video": {"fps_max": 10}}))
    await service.live(until=lambda: service.status() == (1, TwinStatus.APPLIED))


async def test_a_machine_that_is_well_only_now_and_then_is_not_well(service):
    assert await service.live(service.wish(1, {"video": {"fps_max": 10}}))
    looks = itertools.count()
    service.stand = lambda: ALL.model_copy(update={"hub": next(looks) % 3 > 0})
    assert await service.live()
    assert service.status() == (1, TwinStatus.RESTORED)


async def test_nothing_is_taken_back_during_a_lesson(service):
    assert await service.live(service.wish(1, {"video": {"fps_max": 10}}))
    service.stand = lambda: ALL.model_copy(update={"hub": False})
    service.busy = {CLEAR_TO_RESTORE_S: "a lesson is on"}
    begun = time.monotonic()
    assert not await service.live(until=lambda: time.monotonic() - begun > 3 * QUICK.patience_s)
    assert service.twin.phase is Phase.TRIAL
    service.busy = {}
    assert await service.live()
    assert service.status() == (1, TwinStatus.RESTORED)


async def test_what_the_hub_did_not_sign_or_is_for_another_changes_nothing(service):
    config = {"report": {"health_s": 10}}
    strangers = [
        service.wish(1, config, key=new_hub_key()),
        service.wish(2, config, device="d-2"),
        b"",
        b"nonsense",
        b"x" * (TWIN_LIMIT_BYTES + 1),
    ]
    await service.live(*strangers, until=lambda: service.told)
    assert service.status() == (0, TwinStatus.APPLIED)


async def test_of_two_wishes_the_newer_counts_whatever_comes_last(service):
    newer, older = service.wish(7, {"report": {"health_s": 10}}), service.wish(6, {"report": {"health_s": 20}})
    assert await service.live(newer, older)
    assert service.twin.in_force.config == {"report": {"health_s": 10.0}}


async def test_what_could_not_be_told_is_told_when_the_hub_is_back(service):
    service.connected = False
    assert await service.live(service.wish(1, {"report": {"health_s": 10}}))
    assert service.told == []
    service.connected = True
    await service.live(until=lambda: service.status() == (1, TwinStatus.APPLIED))
