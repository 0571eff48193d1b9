import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DataError

from contract.telemetry import Row
from hub.store.rows import Arrived
from hub.store.store import Store


def arrived(seq, *, stream="st-1", device="dev-1", kind="tele", first=1, at=10.0, **said):
    said = {"id": f"{stream}-{seq}", "data": {"n": seq}, "mono_ns": seq, "wall": 1.0} | said
    if "was" in said:
        said["was"] = dict(zip(("stream", "seq"), said["was"], strict=True))
    row = Row(stream=stream, seq=seq, first=first, kind="health", boot="b", **said)
    return Arrived(device, kind, row, at)


@pytest.fixture
def url(database_url):
    return database_url


@pytest.fixture
def store(url):
    store = Store.open(url)
    yield store
    store.close()


def marks(taken):
    return {mark.stream: mark.upto for _, mark in taken.watermarks}


def rewinds(taken):
    return {mark.stream: mark.upto for _, mark in taken.watermarks if mark.rewind}


def test_a_batch_is_stored_and_acknowledged_up_to_the_first_hole(store):
    taken = store.rows.take([arrived(1), arrived(2), arrived(4), arrived(1, stream="ev-1", kind="event")])
    assert (taken.stored, marks(taken)) == (4, {"st-1": 2, "ev-1": 1})
    assert marks(store.rows.take([arrived(3)])) == {"st-1": 4}


def test_a_row_that_comes_again_is_stored_once_and_acknowledged_again(store):
    store.rows.take([arrived(1)])
    taken = store.rows.take([arrived(1), arrived(1, first=1)])
    assert (taken.stored, taken.repeated, marks(taken)) == (0, 2, {"st-1": 1})
    assert store.rows.ids("dev-1") == ["st-1-1"]


def test_the_same_key_with_another_content_is_quarantined_once(store):
    store.rows.take([arrived(1)])
    for _ in range(3):
        taken = store.rows.take([arrived(1, data={"n": "other"})])
        assert "another content" in taken.quarantined[0][1]
    summary = store.rows.summary()["dev-1"]
    assert (summary["stored"], summary["quarantined"]) == (1, 1)


def test_a_stream_of_another_device_is_quarantined_and_never_acknowledged_for_it(store):
    store.rows.take([arrived(1)])
    taken = store.rows.take([arrived(2, device="clone-1")])
    assert "belongs to" in taken.quarantined[0][1]
    assert taken.stored == 0
    assert [device for device, _ in taken.watermarks] == ["dev-1"]
    assert marks(taken) == {"st-1": 1}


def test_a_producers_id_under_two_keys_is_counted_once(store):
    store.rows.take([arrived(1), arrived(2, id="st-1-1"), arrived(1, stream="ev-1", kind="event"), arrived(3)])
    summary = store.rows.summary()["dev-1"]
    assert (summary["stored"], summary["ids"]) == (4, 3)


def test_rows_a_device_no_longer_holds_are_recorded_as_a_gap(store):
    store.rows.take([arrived(1), arrived(3)])
    taken = store.rows.take([arrived(10, first=8)])
    assert taken.gaps == [("st-1", 2, 2), ("st-1", 4, 7)]
    assert marks(taken) == {"st-1": 7}
    assert store.rows.summary()["dev-1"]["gaps"] == 5


def test_a_restored_database_asks_for_what_the_device_still_has_and_declares_only_the_rest(store):
    store.rows.take([arrived(1), arrived(2)])
    taken = store.rows.take([arrived(101, first=101, kept=21)])
    assert taken.gaps == [("st-1", 3, 20)]
    assert rewinds(taken) == {"st-1": 20}
    again = [arrived(seq, first=21, kept=21) for seq in range(21, 101)]
    taken = store.rows.take(again)
    assert (taken.stored, taken.gaps, rewinds(taken), marks(taken)) == (80, [], {}, {"st-1": 101})
    assert store.rows.summary()["dev-1"]["gaps"] == 18


def test_a_database_that_never_knew_the_stream_asks_for_it_from_the_first_row(store):
    assert rewinds(store.rows.take([arrived(9, first=9, kept=1)])) == {"st-1": 0}


def test_a_stream_is_asked_for_again_at_most_every_few_seconds(store):
    told = [rewinds(store.rows.take([arrived(seq, first=9, kept=1, at=float(seq))])) for seq in range(10, 22)]
    assert [at for at, one in enumerate(told, start=10) if one] == [10, 15, 20]


def test_a_device_that_says_nothing_of_kept_rows_declares_them_lost(store):
    taken = store.rows.take([arrived(9, first=9)])
    assert (taken.gaps, rewinds(taken), marks(taken)) == ([("st-1", 1, 8)], {}, {"st-1": 9})


def test_a_row_that_was_declared_lost_and_comes_after_all_is_kept_and_lost_no_more(store):
    store.rows.take([arrived(10, first=10)])
    taken = store.rows.take([arrived(4), arrived(4)])
    assert (taken.stored, taken.repeated) == (1, 1)
    assert sorted(store.rows.ids("dev-1")) == ["st-1-10", "st-1-4"]
    assert store.rows.summary()["dev-1"]["gaps"] == 8
    assert store.rows.take([arrived(4), arrived(9), arrived(1)]).stored == 2
    assert store.rows.summary()["dev-1"]["gaps"] == 6


def test_a_row_that_is_declared_lost_and_comes_in_the_same_batch_is_kept(store):
    taken = store.rows.take([arrived(10, first=10), arrived(4)])
    assert taken.stored == 2
    assert store.rows.summary()["dev-1"]["gaps"] == 8


def test_a_row_that_was_let_go_after_its_time_and_comes_again_is_not_stored_again(store):
    store.rows.take([arrived(seq) for seq in range(1, 4)])
    assert sum(store.retention.rows("tele", before=11.0)) == 2
    taken = store.rows.take([arrived(1), arrived(2), arrived(3)])
    assert (taken.stored, taken.repeated, marks(taken)) == (0, 3, {"st-1": 3})
    assert store.rows.ids("dev-1") == ["st-1-3"]


def test_numbers_that_json_does_not_know_are_kept_as_nothing(store):
    data = {"n": math.nan, "all": [math.inf, -math.inf, 1.5], "text": "\x00 七"}
    store.rows.take([arrived(1, data=data)])
    assert store.rows.take([arrived(1, data=data)]).repeated == 1
    assert store.rows.latest("dev-1", "tele")[0]["data"] == {"n": None, "all": [None, None, 1.5], "text": "\x00 七"}


def test_a_row_that_only_the_quarantine_can_hold_keeps_any_text(store):
    store.rows.take([arrived(1)])
    store.rows.take([arrived(1, data={"text": "\x00", "n": math.nan})])
    assert store.rows.summary()["dev-1"]["quarantined"] == 1


def test_a_stream_that_runs_far_ahead_of_a_hole_is_held_off(store):
    rows = [arrived(seq) for seq in range(2, 10_102)]
    held_off = 0
    for start in range(0, len(rows), 500):
        held_off += len(store.rows.take(rows[start : start + 500]).too_far)
    assert held_off == 100
    assert marks(store.rows.take([arrived(1)])) == {"st-1": 10_001}
    assert marks(store.rows.take(rows[-100:])) == {"st-1": 10_101}


def test_watermarks_go_on_after_a_restart_also_beyond_a_hole(store, url):
    store.rows.take([arrived(1), arrived(3), arrived(4)])
    again = Store.open(url)
    taken = again.rows.take([arrived(2), arrived(3)])
    assert (taken.stored, taken.repeated, marks(taken)) == (1, 1, {"st-1": 4})
    again.close()


def test_a_batch_that_fails_leaves_the_watermark_where_it_was(store):
    store.rows.take([arrived(1)])
    bad = arrived(2)
    bad = bad._replace(row=bad.row.model_copy(update={"mono_ns": 2**70}))  # no hub reads such a row
    with pytest.raises((OverflowError, DataError)):
        store.rows.take([bad])
    assert marks(store.rows.take([arrived(3)])) == {"st-1": 1}
    assert marks(store.rows.take([arrived(2)])) == {"st-1": 3}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_out_of_order_and_repeated_arrival_over_restarts_stores_each_row_once(store, url, seed):
    chance = random.Random(seed)
    stream = f"st-{seed}"
    arrivals = [seq for seq in range(1, 41) for _ in range(chance.choice([1, 1, 2, 3]))]
    chance.shuffle(arrivals)
    before = len(store.rows.ids("dev-1"))
    rows = store.rows
    reopened = []
    while arrivals:
        size = chance.randint(1, 15)
        batch, arrivals = arrivals[:size], arrivals[size:]
        taken = rows.take([arrived(seq, stream=stream) for seq in batch])
        if chance.random() < 0.2:
            reopened.append(Store.open(url))
            rows = reopened[-1].rows
    assert marks(taken) == {stream: 40}
    assert len(store.rows.ids("dev-1")) - before == 40
    for one in reopened:
        one.close()


def test_a_row_that_is_stored_under_its_earlier_number_is_not_stored_again(store):
    def again(seq, was, **said):
        return arrived(seq, stream="st-2", id=f"st-1-{was}", data={"n": was}, mono_ns=was, was=("st-1", was), **said)

    store.rows.take([arrived(n) for n in (1, 2, 3)])
    taken = store.rows.take([again(1, 2), again(2, 3), again(3, 4)])
    assert (taken.stored, taken.repeated) == (1, 2), "number 4 never came"
    assert [(mark.stream, mark.upto) for _, mark in taken.watermarks] == [("st-2", 3)]
    assert store.rows.take([again(1, 2)]).repeated == 1, "it is known for good"
    assert sorted(store.rows.ids("dev-1")) == ["st-1-1", "st-1-2", "st-1-3", "st-1-4"]


def test_a_row_is_stored_where_its_earlier_number_holds_another_row_or_another_devices(store):
    store.rows.take([arrived(1), arrived(2)])
    other = arrived(1, stream="st-2", id="mine", was=("st-1", 1))
    theirs = arrived(1, stream="st-3", device="dev-2", id="st-1-2", data={"n": 2}, mono_ns=2, was=("st-1", 2))
    taken = store.rows.take([other, theirs])
    assert (taken.stored, taken.repeated, taken.quarantined) == (2, 0, [])


def test_a_row_and_its_renumbered_self_may_come_in_one_batch(store):
    again = arrived(1, stream="st-2", id="st-1-2", data={"n": 2}, mono_ns=2, was=("st-1", 2))
    taken = store.rows.take([arrived(1), arrived(2), again])
    assert (taken.stored, taken.repeated) == (2, 1)
    assert len(store.rows.ids("dev-1")) == 2
