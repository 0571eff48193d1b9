"""Rows of one stream that come to several intakes at a time, as by shared subscriptions: PostgreSQL alone can do it."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.store.store import Store
from tests.hub.store.test_rows import arrived, marks


@pytest.fixture
def stores(postgres_url):
    """Three hubs' worth of connections to one database."""
    stores = [Store.open(postgres_url) for _ in range(3)]
    yield stores
    for store in stores:
        store.close()


def at_once(works):
    """Run each in a thread of its own; raise what any of them raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result(60)


def test_each_intake_goes_on_from_what_the_others_stored(stores):
    one, two, _ = stores
    one.rows.take([arrived(1), arrived(4)])
    assert marks(two.rows.take([arrived(2)])) == {"st-1": 2}
    assert marks(one.rows.take([arrived(3)])) == {"st-1": 4}
    taken = two.rows.take([arrived(3), arrived(4, data={"n": "other"})])
    assert (taken.stored, taken.repeated, len(taken.quarantined)) == (0, 1, 1)


def test_a_stream_belongs_to_who_spoke_first_whichever_intake_heard_him(stores):
    stores[0].rows.take([arrived(1)])
    taken = stores[1].rows.take([arrived(2, device="clone-1")])
    assert (taken.stored, len(taken.quarantined)) == (0, 1)


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_the_same_streams_at_several_intakes_are_stored_once_and_nobody_waits_in_a_circle(stores, seed):
    """Every row goes to one or more of the intakes, in any order, in batches that mix many streams."""
    chance = random.Random(seed)
    streams = [f"st-{number}" for number in range(40)]
    every = [arrived(seq, stream=stream, kind=kind_of(stream)) for stream in streams for seq in range(1, 26)]
    told = dict.fromkeys(streams, 0)
    lock = threading.Lock()

    def intake(store, mine):
        def work():
            while mine:
                batch, mine[:] = mine[:60], mine[60:]
                upto = marks(store.rows.take(batch))
                with lock:
                    for stream, mark in upto.items():
                        told[stream] = max(told[stream], mark)

        return work

    shares = [[], [], []]
    for one in every:
        for share in chance.sample(shares, chance.choice([1, 1, 2, 3])):
            share.append(one)
    for share in shares:
        chance.shuffle(share)
    at_once([intake(store, share) for store, share in zip(stores, shares, strict=True)])
    assert set(told.values()) == {25}
    ids = stores[0].rows.ids("dev-1")
    assert len(ids) == len(set(ids)) == len(every)
    assert stores[0].rows.summary()["dev-1"]["gaps"] == 0


def kind_of(stream):
    return "event" if stream.endswith("7") else "tele"


def test_new_streams_that_come_to_all_intakes_at_once_are_made_once(stores):
    """Ten rounds of forty streams nobody knows yet, to all three, each in an order of its own."""
    chance = random.Random(1)
    for turn in range(10):
        batches = []
        for store in stores:
            batch = [arrived(1, stream=f"new-{turn}-{number}") for number in range(40)]
            chance.shuffle(batch)
            batches.append((store, batch))
        at_once([lambda store=store, batch=batch: store.rows.take(batch) for store, batch in batches])
    assert len(stores[0].rows.ids("dev-1")) == 400


def test_a_watermark_never_runs_ahead_of_what_is_committed(stores):
    """Whoever is told a watermark may forget the rows: a reader must find them all at that very moment."""
    reader = stores[2]
    missing = []

    def intake(store, seqs):
        def work():
            for seq in seqs:
                upto = marks(store.rows.take([arrived(seq)]))["st-1"]
                here = {int(one.rpartition("-")[2]) for one in reader.rows.ids("dev-1")}
                missing.extend(set(range(1, upto + 1)) - here)

        return work

    at_once([intake(stores[0], range(1, 60, 2)), intake(stores[1], range(2, 60, 2))])
    assert missing == []
    assert marks(stores[2].rows.take([arrived(1)])) == {"st-1": 59}
