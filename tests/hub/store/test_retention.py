import pytest

from hub.store.store import Store
from tests.hub.store.test_rollups import NOON, found, row, sum_up
from tests.hub.store.test_rows import arrived, marks


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def test_old_rows_go_in_chunks_and_young_ones_stay(store):
    for start in range(1, 1301, 100):
        store.rows.take([row(seq, NOON + seq) for seq in range(start, start + 100)])
    chunks = list(store.retention.rows("tele", before=NOON + 1201))
    assert (sum(chunks), len(chunks)) == (1200, 3)
    assert len(store.rows.ids("dev-1")) == 100
    assert list(store.retention.rows("tele", before=NOON + 1201)) == []


def test_telemetry_and_events_go_by_themselves(store):
    store.rows.take([row(seq, NOON, stream=kind, kind=kind) for seq in (1, 2) for kind in ("tele", "event")])
    assert sum(store.retention.rows("event", before=NOON + 1)) == 1
    assert len(store.rows.ids("dev-1")) == 3


def test_rows_that_are_not_summed_up_yet_stay(store):
    store.rows.take([row(seq, NOON) for seq in range(1, 6)])
    assert sum(store.retention.rows("tele", before=NOON + 1, below=store.rollups.progress().done)) == 0
    sum_up(store.rollups)
    store.rows.take([row(seq, NOON) for seq in range(6, 9)])
    assert sum(store.retention.rows("tele", before=NOON + 1, below=store.rollups.progress().done)) == 4
    sum_up(store.rollups)
    assert found(store) == {0: (8, [1, 8, 36, 8])}


def test_rows_that_come_after_everything_went_are_summed_up_too(store):
    """SQLite gives the id of a deleted newest row to the next one."""
    store.rows.take([row(seq, NOON) for seq in range(1, 4)])
    sum_up(store.rollups)
    list(store.retention.rows("tele", before=NOON + 9, below=store.rollups.progress().done + 1))
    store.rows.take([row(4, NOON + 60)])
    sum_up(store.rollups)
    assert found(store) == {0: (3, [1, 3, 6, 3]), 60: (1, [4, 4, 4, 1])}


def test_rows_beyond_a_hole_stay_because_they_would_come_again(store):
    store.rows.take([row(1, NOON), row(3, NOON), row(4, NOON)])
    store.rows.take([row(1, NOON, stream="other", device="dev-2")])
    assert sum(store.retention.rows("tele", before=NOON + 1)) == 1
    taken = store.rows.take([row(2, NOON + 5), arrived(3, at=NOON + 5, wall=NOON)])
    assert (taken.stored, taken.repeated, marks(taken)) == (1, 1, {"st-1": 4})


def test_gaps_and_quarantined_rows_go_after_their_time(store):
    store.rows.take([arrived(5, first=5, at=NOON)])
    store.rows.take([arrived(5, first=5, at=NOON, data={"n": text}) for text in ("a", "b")])
    store.rows.take([arrived(9, first=9, at=NOON + 50, data={"n": "c"})])
    assert sum(store.retention.gaps(NOON + 1)) == 1
    assert store.rows.summary()["dev-1"]["gaps"] == 3
    assert sum(store.retention.quarantine(NOON + 1)) == 1
    assert store.rows.summary()["dev-1"]["quarantined"] == 1


def test_minutes_and_hours_go_after_their_time(store):
    store.rows.take([row(seq, NOON + 1800 * seq) for seq in range(1, 9)])
    sum_up(store.rollups)
    assert sum(store.retention.rollups("minute", NOON + 7200)) == 3
    assert sum(store.retention.rollups("hour", NOON + 3600)) == 1
    assert min(found(store)) == 7200
    assert min(found(store, "hour")) == 3600
