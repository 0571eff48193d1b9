import pytest

from hub.store.store import Store
from tests.agent.report.brokers import broker_of
from tests.hub.fleet.district import Device, Hub


@pytest.fixture
def broker(request, tmp_path):
    one = broker_of(getattr(request, "param", ""), tmp_path / "broker")
    one.start()
    yield one
    one.kill()


@pytest.fixture
def hub(broker, tmp_path):
    one = Hub(tmp_path, broker.port).start()
    yield one
    one.stop()


@pytest.fixture
def devices(broker, hub):
    """Makes registered devices, connected unless said otherwise."""
    made = []

    def make(*names, connected=True, school="", **how):
        found = []
        for name in names:
            one = Device(name, broker.port, **how)
            one.hub_key = hub.key.public_key()
            hub.register(one, school=school)
            found.append(one.connect() if connected else one)
        made.extend(found)
        return found

    yield make
    for one in made:
        one.close()


class Time:
    """Hub UTC that a test moves."""

    now = 1_795_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def changed():
    return []


@pytest.fixture
def store(database_url):
    """An open store, on each kind of database."""
    store = Store.open(database_url)
    yield store
    store.close()
