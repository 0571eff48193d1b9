"""Commands and the twin from the hub's own side to a room's own side, over a real broker."""

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.recentlog import RecentLog
from agent.remote import Host, Remote
from agent.report.report import Report
from agent.settings import AgentSettings
from agent.twin import TWIN, Twin
from contract import topics
from contract.command import Command
from contract.envelope import sign
from contract.keys import new_device_key, public_pem, save_private
from contract.session import RoomOrder, SessionOrder
from contract.signal import Order
from contract.twin import TwinStatus
from hub.fleet import commands as hub_commands
from hub.fleet.commands import Wanted
from hub.fleet.devices import NewDevice
from tests.agent.report.brokers import KINDS, broker_of, wait_for
from tests.agent.report.conftest import identity_of
from tests.hub.fleet.district import Hub

ROOT = Path(__file__).parents[2]


@pytest.fixture
def broker(request, tmp_path):
    one = broker_of(getattr(request, "param", ""), tmp_path / "broker")
    one.start()
    yield one
    one.kill()


@pytest.fixture
def key():
    return new_device_key()


@pytest.fixture
def hub(broker, tmp_path, key):
    one = Hub(tmp_path, broker.port).start()
    one.devices.register(NewDevice("d-1", "room-d-1", "Room", "School", public_pem(key)))
    yield one
    one.stop()


class Room:
    """One room's report side with its commands and twin, on the running event loop."""

    def __init__(self, folder: Path, hub: Hub, key, port: int) -> None:
        self.identity = identity_of(key, hub.key.public_key(), port)
        self.base = AgentSettings.model_validate(
            {"agent": {"state": folder}, "hub": {"retry_cap_s": 0.3, "keepalive_s": 5}, "report": {"health_s": 3600}}
        )
        self.twin = Twin(folder / TWIN, self.base)
        self.lesson = False
        self.screens = 1
        self.shown: list[float] = []

    @contextlib.asynccontextmanager
    async def life(self):
        """One life of the service; `self.again` is set once another one is asked for."""
        self.again = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.settings = self.twin.begin()
        self.report = report = Report(self.identity, self.settings, incarnation=str(time.time_ns()))
        host = Host(
            version="1",
            lesson_on=lambda: self.lesson,
            identify=lambda seconds: self.shown.append(seconds) or self.screens,
            start_anew=self.again.set,
            renew=None,
        )
        recent = RecentLog()
        remote = Remote(self.identity, self.settings, report, self.twin, recent, host)
        report.on_hub = lambda connected: connected and loop.call_soon_threadsafe(remote.connected)
        report.start()
        remote.start()
        task = asyncio.create_task(remote.run())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await remote.stop()
            await asyncio.to_thread(report.stop, 0)


@pytest.fixture
def room(tmp_path, hub, key, broker):
    return Room(tmp_path / "state", hub, key, broker.port)


async def until(condition, within_s: float = 20.0) -> None:
    assert await asyncio.to_thread(wait_for, condition, within_s)


async def told(hub: Hub, name: str, **arguments):
    (made,) = await asyncio.to_thread(hub.commands.issue, Wanted(name, arguments, ("d-1",)), "op")
    await until(lambda: hub.state(made.id) != "sent")
    return hub.commands.get(made.id)


@pytest.mark.parametrize("broker", KINDS, indirect=True)
async def test_ping_health_and_identify_are_answered(hub, room):
    async with room.life():
        ping = await told(hub, "ping")
        assert ping.state == "done", ping.words
        assert '"room":"room-d-1"' in ping.result
        health = await told(hub, "health")
        assert '"link_up":true' in health.result
        assert (await told(hub, "identify", seconds=3)).state == "done"
        assert room.shown == [3.0]
        room.screens = 0
        nobody = await told(hub, "identify")
        assert (nobody.state, "no teacher's screen" in nobody.words) == ("refused", True)
        assert "wants no certificate of this machine" in (await told(hub, "renew-certificate")).words


async def test_a_restart_is_refused_during_a_lesson_and_answered_by_the_next_life(hub, room):
    async with room.life():
        room.lesson = True
        refused = await told(hub, "restart")
        assert (refused.state, refused.words) == (
            "refused",
            "the service does not start anew now: a lesson is on",
        )
        room.lesson = False
        (made,) = await asyncio.to_thread(hub.commands.issue, Wanted("restart", {}, ("d-1",)), "op")
        await asyncio.wait_for(room.again.wait(), 20)
        assert hub.state(made.id) == "sent"
    async with room.life():
        await until(lambda: hub.state(made.id) == "done")
        assert "started anew" in hub.commands.get(made.id).words
        await asyncio.sleep(0.3)
        assert not room.again.is_set(), "once is enough"


async def test_just_before_a_session_the_service_is_not_started_anew(hub, room):
    async with room.life():
        order = SessionOrder(
            session="s-0001",
            rev=1,
            epoch=time.time() + 100,
            seconds=600,
            rooms=(
                RoomOrder(room="room-d-1", device="d-1", role="lead"),
                RoomOrder(room="room-d-2", device="d-2", role="receiving"),
            ),
        )
        hub.courier.send(Order(device="d-1", order=order), 600)
        await until(lambda: room.report.orders.revs() == {"s-0001": 1})
        assert "a session is on or begins within 2.5 minutes" in (await told(hub, "restart")).words
        await asyncio.to_thread(hub.twins.want, "d-1", {"report": {"health_s": 10}})
        await until(lambda: "begins within 10 minutes" in hub.twins.get("d-1").says)
        assert not room.again.is_set()


async def test_a_command_survives_that_broker_and_hub_are_killed(hub, room, broker):
    async with room.life():
        await until(lambda: hub.devices.online("d-1"))
        broker.kill()
        (made,) = await asyncio.to_thread(hub.commands.issue, Wanted("ping", {}, ("d-1",)), "op")
        await asyncio.to_thread(hub.stop)
        broker.start()
        await asyncio.to_thread(hub.start)
        await until(lambda: hub.state(made.id) == "done")


async def test_an_answer_that_was_lost_comes_again_when_the_hub_is_back(hub, room, monkeypatch):
    monkeypatch.setattr(hub_commands, "RESEND_S", (0.5, 0.5))
    async with room.life():
        await told(hub, "ping")
        (made,) = await asyncio.to_thread(hub.commands.issue, Wanted("identify", {}, ("d-1",)), "op")
        await asyncio.to_thread(hub.stop)
        await asyncio.to_thread(hub.start)
        await until(lambda: hub.state(made.id) == "done")
        assert len(room.shown) == 1


async def test_nothing_is_done_by_a_machine_that_never_heard_the_hubs_time(hub, room, monkeypatch):
    monkeypatch.setattr(hub_commands, "RESEND_S", (0.3, 0.3))
    monkeypatch.setattr(hub.courier, "_reply", lambda *_: None)
    async with room.life():
        await until(lambda: hub.devices.online("d-1"))
        (made,) = await asyncio.to_thread(hub.commands.issue, Wanted("identify", {}, ("d-1",)), "op")
        await asyncio.sleep(1.5)
        assert (hub.state(made.id), room.shown) == ("sent", [])
        monkeypatch.undo()
        monkeypatch.setattr(hub_commands, "RESEND_S", (0.3, 0.3))
        room.report._pulse.burst()
        room.report._pulse.wake()
        await until(lambda: hub.state(made.id) == "done")
        assert len(room.shown) == 1


@pytest.mark.parametrize("behind_s", [3600.0, -3600.0])
async def test_the_hubs_time_counts_not_the_machines(hub, room, behind_s):
    """The machine's wall clock is an hour off: what is valid by the hub's is done, what is not is not."""
    hub.behind_s = behind_s
    async with room.life():
        await until(lambda: room.report.clock.heard)
        assert (await told(hub, "ping")).state == "done"
        late = sign(Command(device="d-1", name="identify"), hub.key, hub.now() - 10, 5)
        hub.link.publish(topics.command("d-1"), late.to_json())
        await until(lambda: hub.misfits.counts().get("d-1") == {"no-such-command": 1})
        assert room.shown == []


@pytest.mark.parametrize("broker", KINDS, indirect=True)
async def test_a_wish_is_in_force_in_the_next_life_and_told_as_such(hub, room, monkeypatch):
    from agent import trial

    monkeypatch.setattr(trial.Times, "__init__", quick_times(trial.Times.__init__))
    await asyncio.to_thread(hub.twins.want, "d-1", {"report": {"health_s": 7}})
    async with room.life():
        await asyncio.wait_for(room.again.wait(), 20)
    async with room.life():
        assert room.settings.report.health_s == 7
        await until(lambda: not hub.twins.get("d-1").lags)
        assert hub.twins.get("d-1").twin.status == TwinStatus.APPLIED


def quick_times(init):
    def quick(self, look_s=0.05, stand_s=0.05, steady_s=0.3, patience_s=5.0):
        init(self, look_s, stand_s, steady_s, patience_s)

    return quick


async def test_a_wish_that_fits_no_machine_is_refused_there_too(hub, room, monkeypatch):
    """As a hub of another version would send it."""
    from hub.fleet import twin as hub_twin

    class Anything(dict):
        def plain(self):
            return dict(self)

    monkeypatch.setattr(hub_twin, "understood", Anything)
    await asyncio.to_thread(hub.twins.want, "d-1", {"video": {"sharpness": 11}})
    async with room.life():
        await until(lambda: hub.twins.get("d-1").twin.status == TwinStatus.REFUSED)
        assert "video.sharpness: there is no such setting" in hub.twins.get("d-1").says
        assert not room.again.is_set()


@pytest.mark.faults
def test_what_a_kill_cut_off_is_interrupted_and_never_begun_again(hub, broker, tmp_path, key, monkeypatch):
    monkeypatch.setattr(hub_commands, "RESEND_S", (0.5, 0.5))
    state = tmp_path / "state"
    save_private(key, tmp_path / "key.pem")
    (tmp_path / "hub.pem").write_text(public_pem(hub.key))
    parts = [sys.executable, "-m", "tests.agent.obeying", state, tmp_path / "key.pem", tmp_path / "hub.pem"]
    command = [*map(str, parts), str(broker.port)]

    def start():
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
        assert child.stdout.readline() == b"up\n"
        return child

    def kill(child):
        child.kill()
        child.wait()
        child.stdout.close()

    def done() -> list[str]:
        file = state / "done.txt"
        return file.read_text().split() if file.exists() else []

    child = start()
    try:
        quick = hub.commands.issue(Wanted("health", {}, ("d-1",)), "op")[0]
        assert wait_for(lambda: done() == ["quick"], 20)
        slow = hub.commands.issue(Wanted("ping", {}, ("d-1",), valid_s=600), "op")[0]
        assert wait_for(lambda: done() == ["quick", "slow"], 20)
        for _ in range(3):
            kill(child)
            child = start()
        assert wait_for(lambda: hub.state(slow.id) == "interrupted", 20)
        assert wait_for(lambda: hub.state(quick.id) == "done", 20)
        hub.commands.hello("d-1")
        after = hub.commands.issue(Wanted("health", {}, ("d-1",)), "op")[0]
        assert wait_for(lambda: hub.state(after.id) == "done", 20)
        assert done() == ["quick", "slow", "quick"]
    finally:
        kill(child)
