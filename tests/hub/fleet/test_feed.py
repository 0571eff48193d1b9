"""Health that other processes have stored reaches the hub by the database."""

import pytest

from contract.telemetry import Row
from hub.api.metrics import DatabaseSize
from hub.fleet.feed import HealthFeed
from hub.fleet.health import FleetHealth
from hub.fleet.signs import HealthState
from hub.store.rows import Arrived
from hub.store.store import Store
from tests.hub.fleet.test_health import NOW, WELL, There


@pytest.fixture
def store(database_url):
    made = Store.open(database_url)
    yield made
    made.close()


def stored(store, seq, kind="health", box="tele", stream="st-1", **data):
    row = Row(
        stream=stream, seq=seq, first=1, id=f"p-{stream}-{seq}", kind=kind, boot="b", mono_ns=seq, wall=NOW, data=data
    )
    store.rows.take([Arrived("d-1", box, row, NOW)])


def test_what_is_new_in_the_database_is_heard_and_nothing_else_is_looked_at(store):
    health = FleetHealth(There("d-1"), lambda: NOW, lambda _device: None)
    feed = HealthFeed(store.database, health)
    feed.poll()
    assert health.of("d-1").state is HealthState.UNKNOWN
    stored(store, 1, **WELL | {"all": True})
    stored(store, 2, kind="lesson.live", frames=3)
    stored(store, 1, kind="agent.versions", box="event", stream="ev-1", tongtang="0.1.0")
    feed.poll()
    now = health.of("d-1")
    assert (now.state, now.versions) == (HealthState.OK, {"tongtang": "0.1.0"})
    assert "frames" not in now.fields
    stored(store, 3, camera="missing")
    feed.poll()
    feed.poll()
    assert health.of("d-1").state is HealthState.DEGRADED


def test_a_hub_that_starts_anew_knows_what_was_told_a_moment_ago(store):
    stored(store, 1, **WELL | {"all": True})
    health = FleetHealth(There("d-1"), lambda: NOW, lambda _device: None)
    HealthFeed(store.database, health).poll()
    assert health.of("d-1").state is HealthState.OK


def test_the_database_tells_its_size(store):
    size = DatabaseSize(store.database, lambda: 0.0)
    assert size.bytes() > 10_000
