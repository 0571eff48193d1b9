import json
import signal
import threading
import time
from collections import Counter

import pytest
from sqlalchemy.exc import OperationalError

from contract import topics
from contract.telemetry import Row
from hub.broker.intake import Intake
from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.store.rows import Taken
from hub.store.store import Store
from tests.hub.broker.speaker import eventually


@pytest.fixture
def store_url(database_url):
    """Every test here is held on each kind of database."""
    return database_url


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def test_rows_are_acknowledged_when_they_are_stored(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    for seq in (1, 2, 4):
        speaker.row("st-1", seq)
    speaker.row("ev-1", 1, "event")
    eventually(lambda: speaker.marks == {"st-1": 2, "ev-1": 1})
    speaker.row("st-1", 3)
    eventually(lambda: speaker.marks["st-1"] == 4)
    assert len(ear.store.rows.ids("dev-1")) == 5


def test_presence_and_death_reach_the_device_list(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    eventually(lambda: ear.devices.online("dev-1"))
    assert ear.devices.get("dev-1").incarnation == "i1"
    speaker.cut()
    eventually(lambda: not ear.devices.online("dev-1"))
    assert ear.devices.get("dev-1").why == "link lost"


def test_a_device_hears_that_the_hub_is_there_and_that_it_went(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    eventually(lambda: any(json.loads(one)["online"] for one in speaker.hub_states))
    ear.close()
    eventually(lambda: not json.loads(speaker.hub_states[-1])["online"])


ROW = {"stream": "st-1", "seq": 5, "first": 1, "id": "x", "kind": "k", "boot": "b", "mono_ns": 1, "wall": 1.0}
STATE = {"device": "dev-1", "online": True, "boot": "b", "incarnation": "i1"}


def row_with(data):
    """A row whose data is this text."""
    return json.dumps(ROW)[:-1].encode() + b', "data": ' + data + b"}"


MALFORMED = [
    ("tele", b"\xff\xfe not json", "malformed"),
    ("tele", b"", "malformed"),
    ("tele", b"{}", "malformed"),
    ("event", b"[" * 100_000, "malformed"),
    ("tele", row_with(b'{"deep":' + b"[" * 250 + b"]" * 250 + b"}"), "malformed"),
    ("tele", row_with(b'{"digits":' + b"9" * 5000 + b"}"), "malformed"),
    ("tele", row_with(b'{"half a surrogate":"\\ud800"}'), "malformed"),
    ("tele", row_with(b'{"\\udc00":1}'), "malformed"),
    ("tele", b"x" * 300_000, "oversized"),
    ("event", b"x" * (1 << 20), "oversized"),
    ("state", b"null", "malformed"),
    ("state", b'{"device":"dev-2","online":true}', "spoofed"),
    ("state", json.dumps(STATE | {"why": "\x00"}).encode(), "malformed"),
    ("state", json.dumps(STATE | {"boot": "b\x00"}).encode(), "malformed"),
    ("state", json.dumps(STATE | {"machine": "m" * 65}).encode(), "malformed"),
    ("state", json.dumps(STATE | {"version": "1\n2"}).encode(), "malformed"),
]
NAMES = [{name: text} for name in ("stream", "id", "kind", "boot") for text in ("a\x00b", "x" * 65, "two\nlines")]
UNSTORABLE = [
    *NAMES,
    {"stream": ""},
    {"id": ""},
    {"seq": 0},
    {"seq": 2**63},
    {"seq": 2**70},
    {"mono_ns": -(2**63)},
    {"mono_ns": 2**64},
    {"first": 9},
    {"kept": 2},
    {"kept": 0},
    {"wall": float("nan")},
    {"wall": float("inf")},
    {"wall": "later"},
    {"data": [1]},
]
ODD = [
    {"nothing": None, "nan": float("nan"), "endless": [float("inf"), -float("inf")], "large": 10**4000},
    {"nul": "\x00", "\x00": "nul", "half": 1e308, "字": "七", "smile": "\U0001f600"},
    {"deep": json.loads("[" * 150 + "]" * 150)},
]


def test_what_cannot_be_read_is_counted_and_hurts_nobody(listen, speak, caplog):
    ear = listen()
    speaker = speak(ear=ear)
    eventually(lambda: ear.devices.online("dev-1"))
    for leaf, payload, _ in MALFORMED:
        speaker.raw(f"tt/v1/dev-1/{leaf}", payload)
    speaker.row("st-1", 1)
    eventually(lambda: speaker.marks == {"st-1": 1})
    expected = Counter(reason for _, _, reason in MALFORMED)
    eventually(lambda: ear.misfits.counts() == {"dev-1": expected})
    assert sum("was not used" in line for line in caplog.messages) == len(expected)
    assert ear.intake.counts.failed_batches == 0


def test_rows_with_values_no_table_can_hold_are_refused_alone(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    for change in UNSTORABLE:
        speaker.raw(topics.tele("dev-1"), json.dumps(ROW | change).encode())
    speaker.row("st-2", 1)
    eventually(lambda: speaker.marks == {"st-2": 1})
    eventually(lambda: ear.misfits.counts() == {"dev-1": {"malformed": len(UNSTORABLE)}})


def test_rows_that_say_odd_things_are_stored_like_others(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    for seq, data in enumerate(ODD, start=1):
        row = ROW | {"seq": seq, "id": f"odd-{seq}", "data": data}
        speaker.raw(topics.tele("dev-1"), json.dumps(row).encode())
    eventually(lambda: speaker.marks == {"st-1": len(ODD)})
    assert [one["id"] for one in ear.store.rows.latest("dev-1", "tele")] == ["odd-3", "odd-2", "odd-1"]
    assert ear.misfits.counts() == {}


@pytest.mark.parametrize(
    "topic", ["tt/v1/dev-1/tele/more", "tt/v1/dev-1/nonsense/state", "tt/v1//tele", "tt/v1/hub/tele"]
)
def test_rows_on_topics_of_no_device_are_not_taken(store, topic):
    misfits = Misfits(time.monotonic)
    intake = Intake(store.rows, Roll(known={"dev-1"}), lambda *_: None, misfits)
    intake.start()
    intake.offer(Arrival(topic, json.dumps(ROW | {"seq": 1}).encode(), 1))
    intake.stop()
    assert store.rows.summary() == {}
    assert sum(sum(reasons.values()) for reasons in misfits.counts().values()) == 1


def test_what_is_said_of_made_up_names_stays_one_short_line(caplog):
    misfits = Misfits(time.monotonic)
    misfits.count("dev\nERROR all is lost" + "x" * 60_000, "unknown-device", "line\n" * 1000)
    assert len(caplog.messages) == 1
    assert "\n" not in caplog.messages[0]
    assert len(caplog.messages[0]) < 700
    assert all(len(name) <= 64 for name in misfits.counts())


def test_a_device_nobody_registered_is_counted_and_logged_once(listen, speak, caplog):
    ear = listen()
    stranger = speak("dev-9")
    for seq in range(1, 6):
        stranger.row("st-9", seq)
    known = speak(ear=ear)
    known.row("st-1", 1)
    eventually(lambda: known.marks == {"st-1": 1})
    eventually(lambda: ear.misfits.counts().get("dev-9") == {"unknown-device": 5})
    assert sum("dev-9" in line for line in caplog.messages) == 1
    assert ear.store.rows.ids("dev-9") == []


def test_a_cloned_disk_is_noticed_and_its_rows_are_kept_apart(listen, speak):
    ear = listen()
    one, clone = speak(ear=ear), speak("dev-2", ear=ear)
    one.row("st-1", 1)
    eventually(lambda: one.marks == {"st-1": 1})
    clone.row("st-1", 2)
    one.row("st-1", 1, data={"n": "other"})
    eventually(lambda: ear.intake.counts.quarantined == 2)
    assert ear.store.rows.ids("dev-1") == ["st-1-1"]
    assert ear.store.rows.ids("dev-2") == []
    assert {name: one["quarantined"] for name, one in ear.store.rows.summary().items()} == {"dev-1": 1, "dev-2": 1}


def test_an_intake_that_is_killed_and_started_again_loses_and_doubles_nothing(listen, speak):
    """The device goes back to its first unacknowledged row, as an outbox does; the hub forgets what it had in hand."""
    ear = listen("one")
    speaker = speak(ear=ear)
    done = threading.Event()
    total = 1500

    def send():
        while (upto := speaker.marks.get("st-1", 0)) < total:
            for seq in range(upto + 1, min(total, upto + 100) + 1):
                speaker.row("st-1", seq, first=upto + 1)
            until = time.monotonic() + 0.5
            while speaker.marks.get("st-1", 0) < min(total, upto + 100) and time.monotonic() < until:
                time.sleep(0.005)
        done.set()

    sender = threading.Thread(target=send)
    sender.start()
    for life in range(3):
        eventually(lambda life=life: speaker.marks.get("st-1", 0) >= 300 * (life + 1))
        kill(ear)
        ear = listen(f"life-{life}")
    sender.join(30)
    assert done.is_set()
    ids = ear.store.rows.ids("dev-1")
    assert len(ids) == len(set(ids)) == total
    assert ear.store.rows.summary()["dev-1"]["gaps"] == 0


def kill(ear):
    """As near to kill -9 as one process allows: what is queued is lost, nothing is said."""
    ear.link._network.client.on_message = None
    ear.intake._waiting.clear()
    ear.intake._publish = lambda *_: None
    ear.close()


class Roll:
    """Knows some devices, or everybody."""

    def __init__(self, known=None):
        self.known = known

    def get(self, device):
        return device if self.known is None or device in self.known else None

    def present(self, states):
        pass


class FullDisk:
    """A store that has no room until it is given some."""

    def __init__(self, store):
        self.store = store
        self.full = True

    def take(self, batch):
        if self.full:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        return self.store.rows.take(batch)


def test_rows_that_cannot_be_stored_are_not_acknowledged_and_are_taken_later(store, caplog):
    disk, told = FullDisk(store), []
    intake = Intake(disk, Roll(), lambda *said: told.append(said), Misfits(time.monotonic))
    intake.start()
    row = {"stream": "s", "seq": 1, "first": 1, "id": "x", "kind": "k", "boot": "b", "mono_ns": 1, "wall": 1.0}
    arrival = Arrival("tt/v1/dev-1/tele", json.dumps(row).encode(), 1)
    intake.offer(arrival)
    eventually(lambda: intake.counts.failed_batches == 1)
    assert told == []
    disk.full = False
    intake.offer(arrival)
    eventually(lambda: told)
    intake.stop()
    assert store.rows.ids("dev-1") == ["x"]
    assert sum("disk is full" in line for line in caplog.messages) == 1


def test_a_server_that_crashes_and_comes_back_costs_no_row(cluster, postgres_url, caplog):
    caplog.set_level("INFO", "hub.broker")
    store, told = Store.open(postgres_url), []
    intake = Intake(store.rows, Roll(), lambda *said: told.append(said), Misfits(time.monotonic))
    intake.start()

    def arrive(seq):
        intake.offer(Arrival("tt/v1/dev-1/tele", json.dumps(ROW | {"seq": seq, "id": f"x-{seq}"}).encode(), 1))

    arrive(1)
    eventually(lambda: len(told) == 1)
    cluster.stop(signal.SIGQUIT)
    try:
        arrive(2)
        eventually(lambda: intake.counts.failed_batches)
    finally:
        cluster.start()
    for seq in (2, 3):
        arrive(seq)
    eventually(lambda: store.rows.ids("dev-1") == ["x-1", "x-2", "x-3"])
    intake.stop()
    assert len(told) >= 2
    assert sum("stay with their devices" in line for line in caplog.messages) == 1
    assert "rows are stored again" in caplog.messages
    store.close()


def test_a_row_that_no_table_takes_keeps_no_other_out(store, caplog):
    """Whatever a check before has missed: here nothing is checked at all."""
    told, misfits = [], Misfits(time.monotonic)

    class Unchecked:
        def take(self, batch):
            wrong = [one for one in batch if one.row.id == "wrong"]
            if wrong:
                raise OverflowError("int too large")
            return store.rows.take(batch)

    intake = Intake(Unchecked(), Roll(), lambda *said: told.append(said), misfits)
    for seq, name in ((1, "a"), (2, "b"), (3, "wrong"), (3, "c")):
        intake.offer(Arrival("tt/v1/dev-1/tele", json.dumps(ROW | {"seq": seq, "id": name}).encode(), 1))
    intake.start()
    intake.stop()
    assert store.rows.ids("dev-1") == ["a", "b", "c"]
    assert misfits.counts() == {"dev-1": {"unstorable": 1}}
    assert "int too large" in caplog.text


def test_quarantined_rows_let_somebody_look_at_their_device_now_and_then(store):
    alerts = []
    intake = Intake(store.rows, Roll(), lambda *_: None, Misfits(time.monotonic), lambda *said: alerts.append(said))
    for text in ("one", "two", "three"):
        intake.offer(Arrival("tt/v1/dev-1/tele", json.dumps(ROW | {"seq": 1, "data": {"n": text}}).encode(), 1))
    intake.offer(Arrival("tt/v1/dev-2/tele", json.dumps(ROW | {"seq": 2}).encode(), 1))
    intake.start()
    intake.stop()
    assert intake.counts.quarantined == 3
    assert [(device, kind) for device, kind, _ in alerts] == [
        ("dev-1", "quarantined-rows"),
        ("dev-2", "quarantined-rows"),
    ]
    assert "enrol" in alerts[0][2]


def test_a_restored_hub_asks_the_device_for_what_it_lacks(listen, speak, caplog):
    ear = listen()
    speaker = speak(ear=ear)
    speaker.row("st-1", 51, first=51, kept=11)
    eventually(lambda: speaker.rewinds)
    assert (speaker.rewinds[0].stream, speaker.rewinds[0].upto) == ("st-1", 10)
    for seq in range(11, 51):
        speaker.row("st-1", seq, first=11, kept=11)
    eventually(lambda: speaker.marks["st-1"] == 51)
    assert ear.store.rows.summary()["dev-1"]["gaps"] == 10
    assert sum("asked for rows again" in line for line in caplog.messages) == 1


def test_large_messages_fill_the_queue_by_their_bytes():
    intake = Intake(FullDisk(None), Roll(), lambda *_: None, Misfits(time.monotonic))
    for _ in range(300):
        intake.offer(Arrival("tt/v1/dev-1/tele", b"x" * (256 << 10), 1))
    assert (intake.waiting, intake.counts.dropped) == (256, 44)


def test_a_full_queue_drops_what_comes_and_says_so():
    intake = Intake(FullDisk(None), Roll(), lambda *_: None, Misfits(time.monotonic))
    for _ in range(20_005):
        intake.offer(Arrival("tt/v1/dev-1/tele", b"{}", 1))
    assert intake.counts.dropped == 5


def test_rows_that_came_while_the_last_batch_was_written_are_not_kept_waiting_again(monkeypatch):
    monkeypatch.setattr("hub.broker.intake.BATCH_S", 1.0)
    taken = []
    writing, arrived = threading.Event(), threading.Event()

    class SlowRows:
        def take(self, batch):
            begun = time.monotonic()
            if not taken:
                writing.set()
                assert arrived.wait(10)
                time.sleep(1.2)
            taken.append((begun, time.monotonic(), len(batch)))
            return Taken()

    class Everybody:
        def get(self, device):
            return device

    intake = Intake(SlowRows(), Everybody(), lambda *_: None, Misfits(time.monotonic))
    intake.start()

    def arrive(seq):
        row = Row(stream="s", seq=seq, first=1, id=f"s-{seq}", kind="k", boot="b", mono_ns=1, wall=1.0, data={})
        intake.offer(Arrival(topics.tele("dev-1"), row.model_dump_json().encode(), 1))

    arrive(1)
    assert writing.wait(10)
    arrive(2)
    arrive(3)
    arrived.set()
    eventually(lambda: len(taken) == 2)
    intake.stop()
    (_, written, _), (begun, _, rows) = taken
    assert begun - written < 1.0  # or they would have waited for BATCH_S anew
    assert rows == 2
