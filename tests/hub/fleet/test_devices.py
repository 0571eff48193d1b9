import pytest

from contract.keys import new_device_key, new_hub_key, public_pem
from contract.telemetry import DeviceState
from hub.fleet.devices import Devices, NewDevice
from hub.fleet.errors import DeviceRefused
from hub.store.store import Store

PEM = public_pem(new_device_key())


class Time:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def changed():
    return []


@pytest.fixture
def store(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    yield store
    store.close()


@pytest.fixture
def devices(store, time, changed):
    return Devices(store.devices, time, changed.append)


def new(**other):
    return NewDevice(
        **({"device": "dev-1", "room": "room-1", "name": "一班", "school": "x", "public_key": PEM} | other)
    )


def state(online=True, incarnation="i1", **more):
    return DeviceState(device="dev-1", online=online, boot="b1", incarnation=incarnation, **more)


def test_a_device_is_found_by_id_room_and_key_also_after_a_restart(devices, store, time, changed):
    devices.register(new())
    again = Devices(store.devices, time, changed.append)
    for one in (devices, again):
        assert one.of_room("room-1").id == "dev-1"
        assert public_pem(one.key("dev-1")) == PEM
    assert again.key("dev-2") is None


def test_registering_again_is_harmless_and_renews_the_name(devices):
    devices.register(new())
    assert devices.register(new(name="二班")).name == "二班"
    assert len(devices.all()) == 1


@pytest.mark.parametrize(
    "other, words",
    [
        ({"public_key": public_pem(new_device_key())}, "another key"),
        ({"room": "room-2"}, "stands in room room-1"),
        ({"device": "dev-2"}, "already has device dev-1"),
        ({"device": "dev-3", "room": "room-3", "public_key": "nonsense"}, "no usable public key"),
        ({"device": "dev-3", "room": "room-3", "public_key": public_pem(new_hub_key())}, "P-256"),
    ],
)
def test_what_cannot_be_registered_is_refused_in_words(devices, other, words):
    devices.register(new())
    with pytest.raises(DeviceRefused, match=words):
        devices.register(new(**other))
    assert devices.of_room("room-1").public_key == PEM


def test_presence_is_kept_and_told_once(devices, changed):
    devices.register(new())
    devices.present([state()])
    devices.present([state()])
    assert changed == ["dev-1", "dev-1"]
    devices.present([state(online=False, why="link lost")])
    assert not devices.online("dev-1")
    assert devices.get("dev-1").incarnation == "i1"


def test_a_late_will_of_an_earlier_life_does_not_make_a_device_away(devices):
    devices.register(new())
    devices.present([state(incarnation="i2")])
    devices.present([state(online=False, incarnation="i1")])
    assert devices.online("dev-1")


def test_a_device_that_speaks_long_after_its_death_was_told_is_there(devices, time):
    devices.register(new())
    devices.present([state()])
    devices.present([state(online=False)])
    devices.heard("dev-1")
    assert not devices.online("dev-1")
    time.now += 3
    devices.heard("dev-1")
    assert devices.online("dev-1")


def test_every_device_is_away_until_it_is_heard_after_a_restart(devices, store, time, changed):
    devices.register(new())
    devices.present([state()])
    again = Devices(store.devices, time, changed.append)
    assert not again.online("dev-1")
