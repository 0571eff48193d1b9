import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from contract.envelope import verify
from contract.keys import load_public, new_device_key, public_pem
from contract.signal import Hello, RoomReport
from contract.state import SessionState as S
from hub.broker.errors import BrokerUnusable
from hub.broker.network import Network
from hub.broker.port import listening
from hub.broker.workers import refuse_workers
from hub.errors import HubRefused
from hub.fleet.devices import Devices, NewDevice
from hub.service import HubService, init
from hub.settings import HttpSettings, HubSettings, MqttSettings
from hub.store.operators import token_hash
from hub.store.store import Store
from tests.hub.broker.conftest import MINE
from tests.hub.broker.speaker import Speaker, eventually
from tests.hub.conftest import POSTGRES
from tests.hub.small_hub import app_of, settings_of

ROOT = Path(__file__).parents[2]
BROKERS = [
    "amqtt",
    pytest.param("mosquitto", marks=MINE),
    pytest.param("mosquitto+postgresql", marks=[MINE, POSTGRES], id="mosquitto, PostgreSQL and two intake workers"),
]


class HubProcess:
    """A hub in a process of its own, on a folder that outlives it."""

    def __init__(self, folder, broker, database="", workers=1):
        self.folder = folder
        self.broker = broker
        self.settings = settings_of(folder, broker, database, workers)
        self.where = {}
        self.process = None

    def start(self):
        how = [self.broker, self.settings.database, str(self.settings.intake.workers)]
        command = [sys.executable, "-m", "tests.hub.small_hub", str(self.folder), *how]
        (self.folder / "hub.json").unlink(missing_ok=True)
        self.process = subprocess.Popen(command, cwd=ROOT)
        eventually((self.folder / "hub.json").exists, within_s=20)
        self.where = json.loads((self.folder / "hub.json").read_text())
        return self

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(15)

    def post(self, **asked):
        return httpx.post(self.where["http"], content=json.dumps(asked)).json()

    def shown(self):
        return httpx.get(self.where["http"]).json()


@pytest.fixture(params=BROKERS)
def hub(request, tmp_path):
    broker, _, database = request.param.partition("+")
    beside = (request.getfixturevalue("postgres_url"), 2) if database else ()
    hub = HubProcess(tmp_path / "data", broker, *beside)
    yield hub
    if hub.process is not None and hub.process.poll() is None:
        hub.end(signal.SIGKILL)


def enrolled(hub, *letters):
    """Make the hub's folder and register devices in it; returns what makes their speakers."""
    made = init(hub.folder, hub.settings.database)
    store = Store.open(hub.settings.database_url)
    devices = Devices(store.devices, time.time, lambda _: None)

    def speakers():
        found = []
        for letter in letters:
            speaker = Speaker(f"dev-{letter}", hub.where["mqtt"]["port"])
            speaker.hub_key = load_public(made.public_key)
            found.append(speaker)
        return found

    def register(found):
        for letter, speaker in zip(letters, found, strict=True):
            devices.register(NewDevice(f"dev-{letter}", f"room-{letter}", letter, "", speaker.pem))
        store.close()

    return speakers, register


def test_a_hub_says_where_it_is_and_ends_cleanly(hub):
    init(hub.folder, hub.settings.database)
    hub.start()
    assert hub.where["pid"] == hub.process.pid
    assert hub.where["broker"] == hub.broker
    assert hub.shown() is None
    mqtt = hub.where["mqtt"]
    assert listening(mqtt["host"], mqtt["port"])
    children = psutil.Process(hub.process.pid).children(recursive=True)
    assert hub.end(signal.SIGTERM) == 0
    assert not (hub.folder / "hub.json").exists()
    assert not listening(mqtt["host"], mqtt["port"])
    assert not any(child.is_running() for child in children)


def test_a_hub_that_is_killed_in_mid_lesson_comes_back_on_its_ports_and_loses_nothing(hub):
    speakers, register = enrolled(hub, "a", "b")
    hub.start()
    first = hub.where
    found = speakers()
    hub.end(signal.SIGTERM)
    register(found)
    hub.start()
    one, two = found
    done = threading.Event()
    outbox = threading.Thread(target=keep_sending, args=(one, 400, done))
    try:
        eventually(lambda: one.ready.is_set() and two.ready.is_set())
        asked = {"room-a": "lead", "room-b": "receiving"}
        session = hub.post(seconds=3.0, rooms=[{"room": room, "role": role} for room, role in asked.items()])["session"]
        eventually(lambda: one.told("order") and two.told("order"))
        for speaker in found:
            tell(speaker, session, S.READYING, S.READY, S.LIVE)
        eventually(lambda: hub.shown()["state"] == "live")
        outbox.start()
        eventually(lambda: one.marks.get("st-1", 0) > 50)
        hub.end(signal.SIGKILL)
        hub.start()
        assert (hub.where["http"], hub.where["mqtt"]) == (first["http"], first["mqtt"])
        eventually(lambda: one.ready.is_set() and two.ready.is_set())
        one.say(Hello(device="dev-a", boot="b", incarnation="i1", orders={session: 1}))
        eventually(lambda: one.told("peer")[-1].state is S.LIVE)
        for speaker in found:
            tell(speaker, session, S.ENDING, S.SEALED, S.UPLOADED)
        eventually(lambda: hub.shown()["state"] == "uploaded")
        assert done.wait(20)
        assert {order.order.rev for order in one.told("order")} == {1}
    finally:
        one.marks["st-1"] = 10**6
        if outbox.is_alive():
            outbox.join()
        for speaker in found:
            speaker.close()
    hub.end(signal.SIGTERM)
    store = Store.open(hub.settings.database_url)
    ids = store.rows.ids("dev-a")
    assert len(ids) == len(set(ids)) == 400
    store.close()


def keep_sending(speaker, total, done):
    """An outbox: everything from the watermark on, again and again, until the last row is acknowledged."""
    while (upto := speaker.marks.get("st-1", 0)) < total:
        until = min(total, upto + 40)
        for seq in range(upto + 1, until + 1):
            speaker.row("st-1", seq, first=upto + 1)
        again = time.monotonic() + 0.5
        while speaker.marks.get("st-1", 0) < until and time.monotonic() < again:
            time.sleep(0.005)
    done.set()


def tell(speaker, session, *states):
    letter = speaker.device[-1]
    for state in states:
        report = RoomReport(
            device=speaker.device, session=session, room=f"room-{letter}", rev=1, state=state, incarnation="i1"
        )
        envelope = speaker.say(report)
        eventually(lambda envelope=envelope: speaker.answer_to(envelope))
        assert speaker.answer_to(envelope).refused == ""


async def test_a_second_hub_on_the_same_folder_is_refused_in_words(tmp_path):
    init(tmp_path / "data")
    settings = settings_of(tmp_path / "data", "amqtt")
    first = HubService(settings, app_of)
    running = asyncio.create_task(first.run())
    while not (tmp_path / "data" / "hub.json").exists():
        assert not running.done()
        await asyncio.sleep(0.02)
    with pytest.raises(HubRefused, match="in use by another hub"):
        await HubService(settings, app_of).run()
    first.end()
    await running


async def test_a_taken_http_port_is_told_in_words_and_leaves_no_broker_behind(tmp_path):
    import socket

    before = set(psutil.Process().children())
    init(tmp_path / "data")
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = HubSettings(
            data=tmp_path / "data",
            broker="auto",
            http=HttpSettings(port=other.getsockname()[1]),
            mqtt=MqttSettings(port=0, tls=False),
        )
        with pytest.raises(HubRefused, match=r"set another host or port"):
            await HubService(settings, app_of).run()
    assert set(psutil.Process().children()) == before


async def test_a_kept_port_that_somebody_took_meanwhile_is_given_up_in_words(tmp_path, monkeypatch, caplog):
    import socket

    from hub.broker import port

    monkeypatch.setattr(port, "PORT_WAIT_S", 0.2)
    init(tmp_path / "data")
    settings = settings_of(tmp_path / "data", "amqtt")
    store = Store.open(settings.database_url)
    with socket.create_server(("127.0.0.1", 0)) as other:
        store.facts.put("mqtt_port", str(other.getsockname()[1]))
        hub = HubService(settings, app_of)
        running = asyncio.create_task(hub.run())
        while not (tmp_path / "data" / "hub.json").exists():
            assert not running.done()
            await asyncio.sleep(0.02)
        assert store.facts.get("mqtt_port") != str(other.getsockname()[1])
        assert "taking another port" in caplog.text
        hub.end()
        await running
    store.close()


async def test_a_hub_one_of_whose_threads_has_died_ends_and_says_which(tmp_path):
    init(tmp_path / "data")
    made = []
    hub = HubService(settings_of(tmp_path / "data", "amqtt"), lambda parts: made.append(parts) or app_of(parts))
    running = asyncio.create_task(hub.run())
    where = tmp_path / "data" / "hub.json"
    while not where.exists():
        assert not running.done()
        await asyncio.sleep(0.02)
    mqtt = json.loads(where.read_text())["mqtt"]
    await asyncio.to_thread(made[0].commands.stop)
    with pytest.raises(RuntimeError, match="the answers to commands has died"):
        await asyncio.wait_for(running, 60)
    assert not where.exists()
    assert not listening(mqtt["host"], mqtt["port"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_hub_whose_connection_to_the_broker_has_died_ends_instead_of_being_deaf(tmp_path, monkeypatch):
    def unforeseen(_network):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(Network, "_serve", unforeseen)
    init(tmp_path / "data")
    hub = HubService(settings_of(tmp_path / "data", "amqtt"), app_of)
    with pytest.raises(RuntimeError, match="the connection to the broker has died"):
        await asyncio.wait_for(hub.run(), 60)


async def test_a_hub_goes_on_while_its_database_has_no_connection_free(tmp_path, caplog):
    init(tmp_path / "data")
    made = []
    hub = HubService(settings_of(tmp_path / "data", "amqtt"), lambda parts: made.append(parts) or app_of(parts))
    running = asyncio.create_task(hub.run())

    async def told(words):
        async with asyncio.timeout(20):
            while words not in caplog.text:
                assert not running.done()
                await asyncio.sleep(0.02)

    caplog.set_level("INFO")
    await told("the hub is at")
    engine = made[0].store.database.engine
    with ExitStack() as everybody:
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            everybody.enter_context(engine.connect())
        engine.pool._timeout = 0.05
        await told("sessions are not looked after")
        await told("devices that are revoked meanwhile are not noticed")
    await told("no longer: sessions are not looked after")
    hub.end()
    await running


@pytest.mark.parametrize(
    ("broker", "database", "words"),
    [("amqtt", "", "need PostgreSQL"), ("amqtt", "postgresql+psycopg://hub@/x", "amqtt.* has not")],
)
def test_several_intake_workers_are_refused_where_nobody_can_serve_them(broker, database, words):
    with pytest.raises(BrokerUnusable, match=words):
        refuse_workers(2, database or "sqlite:///hub.db", broker)
    refuse_workers(1, database or "sqlite:///hub.db", broker)
    refuse_workers(2, "postgresql+psycopg://hub@/x", "mosquitto")


async def test_a_hub_that_may_not_have_several_workers_says_so_and_leaves_nothing_behind(tmp_path):
    before = set(psutil.Process().children())
    init(tmp_path / "data")
    with pytest.raises(BrokerUnusable, match=r"set database = postgresql.*or workers = 1"):
        await HubService(settings_of(tmp_path / "data", "amqtt", workers=2), app_of).run()
    assert set(psutil.Process().children()) == before


async def test_a_folder_without_a_hub_is_told_in_words(tmp_path):
    with pytest.raises(HubRefused, match="tongtang hub init"):
        await HubService(settings_of(tmp_path, "amqtt"), app_of).run()


def test_init_makes_a_key_and_a_token_and_leaves_a_hub_that_is_there_alone(tmp_path):
    data = tmp_path / "data"
    made = init(data)
    assert made.new
    assert (data / "operator.token").read_text().strip() == made.token
    if sys.platform != "win32":
        assert (data / "operator.token").stat().st_mode & 0o777 == 0o600
        assert (data / "hub.key").stat().st_mode & 0o777 == 0o600
    store = Store.open(HubSettings(data=data).database_url)
    assert store.operators.hashes() == {"operator": token_hash(made.token)}
    store.close()
    again = init(data)
    assert not again.new
    assert (again.token, again.public_key) == (made.token, made.public_key)
    assert "nothing was changed" in again.words


@pytest.mark.parametrize(
    "kept", [[], ["hub.db"], ["hub.db", "ca"], ["hub.db", "operator.token"], ["hub.db", "operator.token", "half"]]
)
def test_an_init_that_was_interrupted_can_be_repeated(tmp_path, kept):
    data = tmp_path / "data"
    first = init(data)
    for file in data.iterdir():
        if file.name not in kept:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    if "half" in kept:
        (data / "hub.key.new").write_bytes(b"-----BEGIN PRIV")
    made = init(data)
    assert made.new
    assert made.public_key != first.public_key
    assert (data / "operator.token").read_text().strip() == made.token
    store = Store.open(HubSettings(data=data).database_url)
    assert store.operators.hashes() == {"operator": token_hash(made.token)}
    store.close()
    assert init(data).public_key == made.public_key


def test_init_does_not_give_a_hub_that_lost_its_key_another_one(tmp_path):
    data = tmp_path / "data"
    init(data)
    store = Store.open(HubSettings(data=data).database_url)
    pem = public_pem(new_device_key())
    Devices(store.devices, time.time, lambda _: None).register(NewDevice("dev-a", "room-a", "", "", pem))
    store.close()
    (data / "hub.key").unlink()
    with pytest.raises(HubRefused, match=r"restore hub\.key from a backup"):
        init(data)
    with pytest.raises(HubRefused, match="name another database"):
        init(tmp_path / "other", HubSettings(data=data).database_url)


def test_init_does_not_settle_in_somebody_elses_folder(tmp_path):
    (tmp_path / "thesis.txt").write_text("two years of work")
    with pytest.raises(HubRefused, match="holds something else"):
        init(tmp_path)


def test_a_damaged_key_is_told_in_words(tmp_path):
    data = tmp_path / "data"
    init(data)
    (data / "hub.key").write_text("nonsense")
    with pytest.raises(HubRefused, match="no usable private key"):
        init(data)


def test_what_the_hub_signs_verifies_with_the_key_that_init_told(tmp_path):
    from contract.envelope import sign
    from contract.telemetry import Watermark
    from hub.founding import hub_key

    made = init(tmp_path / "data")
    envelope = sign(Watermark(stream="s", upto=1), hub_key(tmp_path / "data"), 1.0, 60.0)
    verify(envelope, load_public(made.public_key), 2.0)
