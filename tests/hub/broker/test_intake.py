import json
import threading
import time

from sqlalchemy.exc import OperationalError

from contract import topics
from contract.telemetry import Row
from hub.broker.intake import Intake
from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.store.rows import Taken
from tests.hub.broker.speaker import eventually


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


MALFORMED = [
    ("tele", b"\xff\xfe not json", "malformed"),
    ("tele", b"{}", "malformed"),
    ("event", b"[" * 100_000, "malformed"),
    ("tele", b"x" * 300_000, "malformed"),
    ("state", b"null", "malformed"),
    ("state", b'{"device":"dev-2","online":true}', "spoofed"),
]
UNSTORABLE = [
    {"seq": 2**63},
    {"mono_ns": -(2**63)},
    {"first": 9},
    {"kept": 2},
    {"kept": 0},
    {"wall": float("nan")},
    {"wall": float("inf")},
    {"id": "x" * 65},
    {"kind": "a\x00b"},
    {"stream": ""},
    {"id": ""},
    {"data": [1]},
    {"seq": 0},
]


def test_what_cannot_be_read_is_counted_and_hurts_nobody(listen, speak, caplog):
    ear = listen()
    speaker = speak(ear=ear)
    for leaf, payload, _ in MALFORMED:
        speaker.raw(f"tt/v1/dev-1/{leaf}", payload)
    speaker.row("st-1", 1)
    eventually(lambda: speaker.marks == {"st-1": 1})
    eventually(lambda: ear.misfits.counts() == {"dev-1": {"malformed": 5, "spoofed": 1}})
    assert sum("was not used" in line for line in caplog.messages) == 2


def test_rows_with_values_no_table_can_hold_are_refused_alone(listen, speak):
    ear = listen()
    speaker = speak(ear=ear)
    row = {"stream": "st-1", "seq": 5, "first": 1, "id": "x", "kind": "k", "boot": "b", "mono_ns": 1, "wall": 1.0}
    for change in UNSTORABLE:
        speaker.raw(topics.tele("dev-1"), json.dumps(row | change).encode())
    speaker.row("st-2", 1)
    eventually(lambda: speaker.marks == {"st-2": 1})
    eventually(lambda: ear.misfits.counts() == {"dev-1": {"malformed": len(UNSTORABLE)}})


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
    ear.link._client.on_message = None
    ear.intake._queue.queue.clear()
    ear.intake._publish = lambda *_: None
    ear.close()


class Roll:
    def get(self, device):
        return device

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


def test_rows_that_cannot_be_stored_are_not_acknowledged_and_are_taken_later(tmp_path, caplog):
    from hub.store.store import Store

    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
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
    store.close()


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
