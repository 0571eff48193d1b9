"""Whether the camera is sent to a room, and on which tier; no network."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from agent.encode.packet import VideoPacket
from agent.stream.camerafeed import GOVERN_S, OTHERS_BPS, CameraFeed
from agent.stream.congestion.loss import LossRate
from agent.stream.fanout import Feed, TrackFanout
from agent.stream.ladder import begin
from agent.stream.ladders import Stand, stand_of
from agent.stream.pacer import Priority
from agent.stream.tiers import CameraTiers
from contract.session import Role

FULL_BPS = 2_000_000


@dataclass
class Probing:
    wanted_bps: int = 0
    loss: LossRate = field(default_factory=LossRate)


@dataclass
class Link:
    """Stands where the uplink does: carries what a test says."""

    target_bps: int = 5_000_000
    controller: Probing = field(default_factory=Probing)

    def sent_bps(self, priority: Priority) -> int:
        return 50_000


class Sending:
    """One room's camera, in two tiers."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.got: list[VideoPacket] = []
        self.lower_bps = 0
        self.full, self.lower = TrackFanout(loop, lambda: None), TrackFanout(loop, lambda: None)
        self.tiers = CameraTiers(self.full, FULL_BPS, self.lower, self._want)
        self.link = Link()
        self.feed = Feed(self.got.append)
        self.camera = CameraFeed(self.feed, self.full, self.tiers, self.link)

    def _want(self, bps: int) -> bool:
        self.lower_bps = bps
        return bps > 0


async def test_a_trial_of_loss_is_asked_to_spare_the_recorded_tier_while_it_is_sent():
    sending = Sending()
    async with running(sending):
        assert 0.85 * FULL_BPS + 100_000 < sending.link.controller.loss.spared_bps < FULL_BPS
        sending.link.target_bps = 900_000
        await asyncio.sleep(2 * GOVERN_S)
        assert sending.link.controller.loss.spared_bps == 0


@asynccontextmanager
async def running(sending: Sending):
    task = asyncio.create_task(sending.camera.run())
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def looked_at() -> None:
    await asyncio.sleep(1.5 * GOVERN_S)


def stand(send_camera: bool, probe_bps: int = 0) -> Stand:
    return replace(stand_of(begin(0.0), Role.LEAD), send_camera=send_camera, probe_bps=probe_bps)


async def test_a_good_link_gets_the_recorded_tier():
    sending = Sending()
    async with running(sending):
        assert sending.feed.fanout is sending.full
        assert sending.camera.is_full
        assert sending.link.controller.wanted_bps > FULL_BPS


async def test_a_weak_link_gets_the_lower_tier_and_later_the_recorded_one_again():
    sending = Sending()
    async with running(sending):
        sending.link.target_bps = 800_000
        await looked_at()
        assert sending.feed.fanout is sending.lower
        assert not sending.camera.is_full
        assert 0 < sending.lower_bps <= 700_000
        sending.link.target_bps = 5_000_000
        await looked_at()
        assert sending.feed.fanout is sending.full
        assert sending.lower_bps == 0


async def test_where_the_ladder_forbids_it_no_camera_is_sent_and_the_link_is_probed_as_the_ladder_says():
    sending = Sending()
    async with running(sending):
        sending.camera.stand = stand(send_camera=False, probe_bps=900_000)
        await looked_at()
        assert sending.feed.fanout is None
        assert sending.link.controller.wanted_bps == 900_000
        sending.camera.stand = stand(send_camera=False)
        await looked_at()
        assert sending.link.controller.wanted_bps == OTHERS_BPS
        sending.camera.stand = stand(send_camera=True)
        await looked_at()
        assert sending.feed.fanout is sending.full


async def test_a_room_that_goes_needs_no_lower_tier_any_more():
    sending = Sending()
    sending.link.target_bps = 800_000
    async with running(sending):
        assert sending.lower_bps > 0
    assert sending.lower_bps == 0
