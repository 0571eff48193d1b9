"""A thread that does one thing again and again."""

import sqlite3
import threading

from hub.repeating import Repeating
from tests.hub.broker.speaker import eventually


def test_trouble_of_the_database_is_told_once_and_tried_again_until_it_is_over(caplog):
    caplog.set_level("INFO", "hub")
    tries = threading.Semaphore(0)
    full = threading.Event()
    full.set()

    def act():
        tries.release()
        if full.is_set():
            raise sqlite3.OperationalError("database or disk is full")

    again = Repeating("hub.test", 0.01, act, "the log grows")
    again.start()
    for _ in range(3):
        assert tries.acquire(timeout=10)
    assert "no longer" not in caplog.text
    full.clear()
    eventually(lambda: "no longer: the log grows" in caplog.text)
    again.stop()
    assert not again.alive
    assert caplog.text.count("the log grows: database or disk is full") == 1
