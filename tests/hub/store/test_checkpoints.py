"""SQLite's log: put away beside whoever writes."""

import time
from pathlib import Path

import pytest

from hub.store import checkpoints, engine
from hub.store.store import Store
from tests.hub.store.test_rows import arrived


@pytest.fixture
def store(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    yield store
    store.close()


def test_the_log_begins_anew_while_rows_go_on_coming_and_none_is_lost(store, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "LOG_PAGES", 100)
    monkeypatch.setattr(checkpoints, "EVERY_S", 0.02)
    log = Path(tmp_path / "hub.db-wal")
    putting = checkpoints.checkpoints(store.database)
    putting.start()
    longest = 0
    try:
        for batch in range(150):
            store.rows.take([arrived(batch * 20 + n, stream="st-1") for n in range(1, 21)])
            time.sleep(0.005)
            longest = max(longest, log.stat().st_size)
    finally:
        putting.stop()
    assert not putting.alive
    written = 150 * 4 * 4096  # at the least: each batch touches table, index and watermark
    assert longest < written, "it was put away meanwhile"
    assert store.rows.summary()["dev-1"]["stored"] == 3000


def test_a_reader_that_stays_holds_up_nobody(store, monkeypatch):
    monkeypatch.setattr(engine, "LOG_PAGES", 10**9)
    store.rows.take([arrived(1)])
    with store.database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM telemetry").scalar()
        store.rows.take([arrived(2)])
        store.database.put_log_away()
        store.rows.take([arrived(3)])
    assert store.rows.summary()["dev-1"]["stored"] == 3
