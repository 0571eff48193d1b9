"""Probes that fail and hang."""

import threading
import time

import pytest

from agent.report.health.health import Health
from agent.report.health.probe import Probe
from tests.agent.report.brokers import wait_for


@pytest.fixture
def let_go():
    """What a hanging probe waits for; set at the end, so that no thread is left behind."""
    event = threading.Event()
    yield event
    event.set()


def fine():
    return {"fine": 1}


def broken():
    raise PermissionError("no leave")


def test_a_probe_that_fails_is_named_and_the_others_are_told():
    health = Health([Probe("fine", fine), Probe("broken", broken)], print, 5.0)
    sample = health.sample()
    assert sample["fine"] == 1
    assert sample["failed"] == ["broken: no leave"]


def test_a_probe_that_hangs_is_named_and_costs_its_patience_once(let_go):
    def hang():
        let_go.wait(60)
        return {"hung": 1}

    health = Health([Probe("stuck", hang), Probe("fine", fine, always=frozenset({"fine"}))], print, 5.0, patience_s=2.0)
    assert health.sample()["failed"] == ["stuck: hangs"]
    began = time.monotonic()
    assert health.sample()["fine"] == 1
    assert time.monotonic() - began < 2.0
    assert [one.name for one in threading.enumerate()].count("health.stuck") == 1


def test_a_probe_that_came_back_is_looked_through_again(let_go):
    times = []

    def slow_once():
        times.append(1)
        if len(times) == 1:
            let_go.wait(60)
        return {"looked": len(times)}

    health = Health([Probe("slow", slow_once)], print, 5.0, patience_s=0.1)
    assert "looked" not in health.sample()
    let_go.set()
    assert wait_for(lambda: health.sample().get("looked") is not None or len(times) > 1)
    assert wait_for(lambda: health.now()["failed"] == [])


def test_a_probe_that_is_dear_is_not_looked_through_for_every_sample():
    looks = []

    def look():
        looks.append(1)
        return {"dear": 1}

    health = Health([Probe("dear", look, every_s=60.0)], print, 5.0)
    for _ in range(3):
        health.sample()
    assert len(looks) == 1
    assert health.now()["dear"] == 1


def test_samples_are_sent_until_it_is_stopped_also_while_a_probe_hangs(let_go):
    told = []
    health = Health(
        [Probe("stuck", lambda: let_go.wait(60) and {}), Probe("fine", fine)],
        lambda kind, data: told.append((kind, data)),
        0.02,
        patience_s=0.1,
    )
    health.start()
    assert wait_for(lambda: len(told) >= 3)
    health.stop()
    sent = len(told)
    time.sleep(0.2)
    assert len(told) == sent
    assert {kind for kind, _ in told} == {"health"}
    assert told[0][1]["fine"] == 1


def test_what_is_told_once_may_fail_without_costing_the_samples(caplog):
    told = []

    def first():
        raise ValueError("odd")

    health = Health([Probe("fine", fine)], lambda _kind, data: told.append(data), 0.02, first=first)
    health.start()
    assert wait_for(lambda: told)
    health.stop()
    assert "could not be told" in caplog.text


def test_a_failing_probe_is_logged_once_each_time_that_it_begins_to_fail(caplog):
    works = iter([False, False, True, False])

    def sometimes():
        if not next(works):
            raise OSError("gone")
        return {}

    health = Health([Probe("sometimes", sometimes)], print, 5.0)
    for _ in range(4):
        health.sample()
    assert caplog.text.count("told without sometimes: gone") == 2
