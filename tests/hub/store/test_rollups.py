import random

import pytest

from hub.store.buckets import summed
from hub.store.errors import StoreRefused
from hub.store.rollups import Progress, parts
from hub.store.store import Store
from tests.hub.store.test_rows import arrived

NOON = 1_700_000_000 // 3600 * 3600.0


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def row(seq, at, **more):
    return arrived(seq, at=at, wall=at, **more)


def sum_up(rollups, *, stop_after=None, size=3):
    """What the keeper does, in small parts; stops in the middle where told. Returns whether it came to the end."""
    for _ in range(2):  # PostgreSQL knows at the second look that nothing is under way any more
        settled = rollups.settled()
    progress = rollups.progress()
    written = 0
    while True:
        progress = rollups.begin(progress, settled)
        if progress.doing == progress.done:
            return True
        samples = [one for some in rollups.samples(progress) for one in some]
        before = rollups.progress()
        for some, reached in parts(summed(samples), progress, size):
            if written == stop_after:
                return False
            rollups.add(some, before, reached)
            before, written = reached, written + 1
        progress = before


def found(store, step="minute", device="dev-1"):
    return {
        round(start - NOON): (bucket.rows, bucket.numbers.get("n"))
        for start, bucket in store.rollups.read(step, device, "health", 0, 2e9, 1000)
    }


def test_rows_are_found_by_the_minute_and_by_the_hour(store):
    store.rows.take([row(1, NOON + 10), row(2, NOON + 50), row(3, NOON + 70), row(4, NOON + 3700)])
    sum_up(store.rollups)
    assert found(store) == {0: (2, [1, 2, 3, 2]), 60: (1, [3, 3, 3, 1]), 3660: (1, [4, 4, 4, 1])}
    assert found(store, "hour") == {0: (3, [1, 3, 6, 3]), 3600: (1, [4, 4, 4, 1])}


def test_only_what_is_asked_for_is_read(store):
    store.rows.take([row(seq, NOON + 60 * seq) for seq in range(1, 9)])
    store.rows.take([row(1, NOON, stream="other", device="dev-2")])
    sum_up(store.rollups)
    starts = [
        start - NOON for start, _ in store.rollups.read("minute", "dev-1", "health", NOON + 120, NOON + 600, limit=3)
    ]
    assert starts == [120, 180, 240]
    assert store.rollups.read("minute", "dev-1", "other", 0, 2e9, 10) == []


def test_events_are_not_summed_up(store):
    store.rows.take([row(1, NOON, kind="event")])
    sum_up(store.rollups)
    assert found(store) == {}


def test_a_row_that_comes_hours_late_still_counts_in_its_own_minute(store):
    store.rows.take([row(1, NOON + 10), row(2, NOON + 5000)])
    sum_up(store.rollups)
    store.rows.take([arrived(3, at=NOON + 9000, wall=NOON + 30)])
    sum_up(store.rollups)
    assert found(store)[0] == (2, [1, 3, 4, 2])


@pytest.mark.parametrize("seed", range(4))
def test_however_often_it_is_interrupted_every_row_counts_exactly_once(store, database_url, seed):
    """Killed between any two of its transactions, again and again, while rows go on coming."""
    chance = random.Random(seed)
    seqs = iter(range(1, 10_000))
    sent = []
    for _ in range(12):
        batch = []
        for _ in range(chance.randint(1, 25)):
            seq, device = next(seqs), f"dev-{chance.randint(1, 3)}"
            batch.append(row(seq, NOON + chance.uniform(0, 900), stream=f"st-{device}-{seq}", device=device))
        store.rows.take(batch)
        sent += batch
        again = Store.open(database_url)
        sum_up(again.rollups, stop_after=chance.choice([0, 1, 2, 5, None]))
        again.close()
    while not sum_up(store.rollups):
        pass
    for device in ("dev-1", "dev-2", "dev-3"):
        mine = [one.row.data["n"] for one in sent if one.device == device]
        for step in ("minute", "hour"):
            rows = found(store, step, device).values()
            assert sum(count for count, _ in rows) == len(mine)
            assert sum(numbers[2] for _, numbers in rows) == sum(mine)


def test_two_hubs_on_one_database_do_not_count_twice(store, database_url):
    store.rows.take([row(seq, NOON + 60 * seq) for seq in range(1, 20)])
    sum_up(store.rollups, stop_after=1)
    other = Store.open(database_url)
    progress = other.rollups.progress()
    sum_up(store.rollups, stop_after=1)
    with pytest.raises(StoreRefused, match="another hub"):
        other.rollups.add({}, progress, Progress(7, 7))
    other.close()
    sum_up(store.rollups)
    assert sum(count for count, _ in found(store).values()) == 19


def test_a_row_whose_transaction_ends_after_a_younger_ones_is_counted_too(postgres_url):
    """PostgreSQL hands out ids before it commits: the younger row is seen first."""
    store, slow = Store.open(postgres_url), Store.open(postgres_url)
    with slow.database.write_beside() as connection:
        slow.rows._database = Within(connection, slow.database)
        slow.rows.take([row(1, NOON + 10, stream="slow")])
        store.rows.take([row(1, NOON + 70, stream="quick", device="dev-2")])
        sum_up(store.rollups)
        assert found(store, device="dev-2") == {}, "the slow one could never be counted any more"
    sum_up(store.rollups)
    assert (found(store), found(store, device="dev-2")) == ({0: (1, [1, 1, 1, 1])}, {60: (1, [1, 1, 1, 1])})
    store.close()
    slow.close()


class Within:
    """A database whose transactions are all part of one that is still open."""

    def __init__(self, connection, database):
        self.connection = connection
        self.shared = database.shared

    def write_beside(self):
        return self

    def __enter__(self):
        return self.connection

    def __exit__(self, *_):
        return False
