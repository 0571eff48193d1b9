"""Several processes that take rows in by shared subscription, as `[intake] workers` starts them."""

import threading
import time

import psutil
import pytest

from contract import topics
from contract.keys import new_device_key, public_pem
from contract.telemetry import Row, Watermark
from hub.broker.misfits import Misfits
from hub.broker.workers import IntakeWorkers, Spec
from hub.fleet.devices import Devices, NewDevice
from hub.store.store import Store
from tests.hub.broker.conftest import MINE
from tests.hub.broker.speaker import Speaker, eventually
from tests.hub.broker.test_gate import House


@pytest.fixture
def crew(mosquitto, postgres_url):
    """Two workers, and what they told."""
    alerts, misfits = [], Misfits(time.monotonic)
    specs = [Spec(f"test-{number}", postgres_url, "127.0.0.1", mosquitto.port, "", "1") for number in (1, 2)]
    workers = IntakeWorkers(specs, misfits, lambda *said: alerts.append(said))
    workers.misfits, workers.alerts = misfits, alerts
    workers.start()
    assert workers.wait_ready(30)
    yield workers
    workers.stop()


@pytest.fixture
def store(postgres_url):
    store = Store.open(postgres_url)
    yield store
    store.close()


@pytest.fixture
def speaker(mosquitto, store):
    speaker = Speaker("dev-1", mosquitto.port)
    devices = Devices(store.devices, time.time, lambda _: None)
    devices.register(NewDevice("dev-1", "room-1", "", "", speaker.pem))
    yield speaker
    speaker.close()


def processes(crew):
    """Of the workers that run."""
    return [psutil.Process(worker._child.pid) for worker in crew._workers if worker._child is not None]


def test_workers_share_the_rows_of_one_stream_and_acknowledge_them_all(crew, store, speaker):
    for seq in range(1, 401):
        speaker.row("st-1", seq)
    eventually(lambda: speaker.marks.get("st-1") == 400, within_s=30)
    ids = store.rows.ids("dev-1")
    assert len(ids) == len(set(ids)) == 400
    eventually(lambda: crew.counts().stored == 400)
    each = [worker.counts.stored for worker in crew._workers]
    assert min(each) > 50, "one of them did everything"


def test_a_worker_that_is_killed_is_started_again_and_nothing_is_lost(crew, store, speaker):
    """The device goes back to its first unacknowledged row, as an outbox does."""
    total, done = 1200, threading.Event()

    def send():
        while (upto := speaker.marks.get("st-1", 0)) < total and not done.is_set():
            until_seq = min(total, upto + 100)
            for seq in range(upto + 1, until_seq + 1):
                speaker.row("st-1", seq, first=upto + 1)
            until = time.monotonic() + 1
            while speaker.marks.get("st-1", 0) < until_seq and time.monotonic() < until:
                time.sleep(0.005)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for life in range(3):
            eventually(lambda life=life: speaker.marks.get("st-1", 0) >= 200 * (life + 1), within_s=60)
            victim = processes(crew)[life % 2]
            victim.kill()
            victim.wait(10)
            eventually(lambda: tended(crew), within_s=30)
        eventually(lambda: speaker.marks.get("st-1") == total, within_s=60)
    finally:
        done.set()
        sender.join(30)
    ids = store.rows.ids("dev-1")
    assert len(ids) == len(set(ids)) == total
    assert store.rows.summary()["dev-1"]["gaps"] == 0


def tended(crew):
    """As the hub does it; whether all of them hear the devices again."""
    crew.tend()
    return crew.wait_ready(0)


def test_what_workers_cannot_use_and_what_somebody_should_see_reaches_the_hub(crew, store, speaker):
    for _ in range(4):
        speaker.raw("tt/v1/dev-1/tele", b"nonsense")
        speaker.raw("tt/v1/dev-9/event", b"{}")
    for text in ("one", "two"):
        speaker.row("st-1", 1, data={"n": text})
    eventually(lambda: crew.misfits.counts().get("dev-1", {}) == {"malformed": 4, "quarantined": 1})
    assert crew.misfits.counts()["dev-9"] == {"unknown-device": 4}
    eventually(lambda: crew.alerts)
    assert crew.alerts[0][:2] == ("dev-1", "quarantined-rows")


def test_a_device_that_is_registered_meanwhile_is_known_to_every_worker_soon(crew, store, speaker):
    other = Speaker("dev-2", speaker.client._port)
    try:
        other.row("st-2", 1)
        eventually(lambda: crew.misfits.counts().get("dev-2"))
        devices = Devices(store.devices, time.time, lambda _: None)
        devices.register(NewDevice("dev-2", "room-2", "", "", other.pem))

        def sent_again():
            other.row("st-2", 1)
            time.sleep(0.2)
            return other.marks.get("st-2") == 1

        eventually(sent_again)
    finally:
        other.close()


def test_workers_end_with_the_hub_and_write_what_they_had_taken(crew, store, speaker):
    before = processes(crew)
    for seq in range(1, 101):
        speaker.row("st-1", seq)
    eventually(lambda: speaker.marks.get("st-1", 0) > 0)
    crew.stop()
    assert not any(one.is_running() for one in before)
    assert len(store.rows.ids("dev-1")) == crew.counts().stored >= speaker.marks["st-1"]


@pytest.fixture
def house(tmp_path, store):
    """A closed broker that lets one device in, which the database knows."""
    house = House("mosquitto", tmp_path)
    house.broker.start()
    devices = Devices(store.devices, time.time, lambda _: None)
    devices.register(NewDevice("dev-a", "room-a", "", "", public_pem(new_device_key())))
    yield house
    house.close()


@MINE
def test_workers_hear_and_answer_through_a_broker_that_is_closed(house, postgres_url, store):
    host, port = house.broker.hub_address
    spec = Spec("closed-1", postgres_url, host, port, str(house.folder / "broker"), "1")
    crew = IntakeWorkers([spec], Misfits(time.monotonic), lambda *_: None)
    crew.start()
    try:
        assert crew.wait_ready(30)
        device = house.device("dev-a")
        assert device.subscribe(topics.ack("dev-a")) == [True]
        row = Row(stream="st-a", seq=1, first=1, id="a-1", kind="health", boot="b", mono_ns=1, wall=1.0)
        device.say(topics.event("dev-a"), row.model_dump_json().encode())
        told = Watermark(stream="st-a", upto=1).model_dump_json().encode()
        eventually(lambda: device.hears(topics.ack("dev-a"), told))
    finally:
        crew.stop()
    assert store.rows.ids("dev-a") == ["a-1"]
