import threading

import pytest

from hub.fleet import keeping
from hub.fleet.keeping import Keeper
from hub.settings import KeepSettings
from hub.store.store import Store
from tests.hub.broker.speaker import eventually
from tests.hub.store.test_rollups import NOON, found, row

DAY = 86_400.0


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def keeper(store, at, **keep):
    return Keeper(store.rollups, store.retention, KeepSettings(**keep), lambda: at)


def test_telemetry_is_kept_whole_then_by_the_minute_then_by_the_hour(store):
    store.rows.take([row(seq, NOON + seq) for seq in range(1, 11)])
    store.rows.take([row(1, NOON, stream="ev", kind="event"), row(2, NOON, stream="ev", kind="event")])
    held = []
    for days in (1, 3, 15, 401):
        for _ in range(2):
            keeper(store, NOON + days * DAY).tick()
        held.append((len(store.rows.ids("dev-1")), len(found(store)), len(found(store, "hour"))))
    assert held == [(12, 1, 1), (3, 1, 1), (3, 0, 1), (2, 0, 0)], "the newest row of each kind stays"


def test_a_database_that_is_down_is_told_once_and_what_waited_is_summed_up_later(store, monkeypatch, caplog):
    from sqlalchemy.exc import OperationalError

    monkeypatch.setattr(keeping, "EVERY_S", 0.01)
    down, asked = threading.Event(), []
    down.set()
    settled = store.rollups.settled

    def answer():
        asked.append(1)
        if down.is_set():
            raise OperationalError("SELECT", {}, Exception("the server is gone"))
        return settled()

    monkeypatch.setattr(type(store.rollups), "settled", lambda _self: answer())
    store.rows.take([row(1, NOON)])
    one = keeper(store, NOON)
    one.start()
    eventually(lambda: len(asked) > 3)
    down.clear()
    eventually(lambda: found(store))
    one.stop()
    assert sum("not summed up" in line for line in caplog.messages) == 1


def test_rows_go_on_being_taken_in_while_telemetry_is_summed_up_and_let_go(store, monkeypatch):
    """Everything at once, on real threads; each row is counted once and every batch is taken."""
    monkeypatch.setattr(keeping, "EVERY_S", 0.001)
    monkeypatch.setattr(keeping, "READ_PAUSE_S", 0.0)
    monkeypatch.setattr(keeping, "WRITE_PAUSE_S", 0.0)
    one = keeper(store, NOON + 100 * DAY, minutes_days=1000, telemetry_days=1)
    one.start()
    for start in range(1, 3001, 50):
        store.rows.take([row(seq, NOON + seq, device="dev-1") for seq in range(start, start + 50)])
    eventually(lambda: sum(count for count, _ in found(store).values()) == 3000, within_s=30)
    eventually(lambda: len(store.rows.ids("dev-1")) == 1, within_s=30)
    one.stop()
    assert sum(numbers[2] for _, numbers in found(store).values()) == sum(range(1, 3001))
