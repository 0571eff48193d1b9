from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

import pytest

from contract.keys import new_device_key, new_hub_key, public_pem
from contract.telemetry import DeviceState
from hub.fleet.alerts import Alerts
from hub.fleet.devices import Devices, NewDevice
from hub.fleet.errors import DeviceRefused, DeviceUnknown
from hub.store.certificates import CertificateRecord

PEM = public_pem(new_device_key())


@pytest.fixture
def alerts(store, time):
    return Alerts(store.alerts, time, lambda _device: None)


@pytest.fixture
def devices(store, time, changed, alerts):
    return Devices(store.devices, time, changed.append, alerts)


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


def test_a_room_keeps_its_name_and_school_where_none_is_given(devices, store, time, changed):
    devices.register(new(name="二班", school="城关小学"))
    again = devices.register(new(name="", school=""))
    assert (again.name, again.school) == ("二班", "城关小学")
    devices.revoke("dev-1", "test")
    other = devices.register(new(device="dev-2", name="", school="", public_key=public_pem(new_device_key())))
    assert (other.name, other.school) == ("二班", "城关小学")
    kept = Devices(store.devices, time, changed.append).get("dev-2")
    assert (kept.name, kept.school) == ("二班", "城关小学")


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


def test_nobody_who_asks_waits_for_the_database(devices, store):
    devices.register(new())
    with ThreadPoolExecutor() as threads, ExitStack() as busy:
        busy.enter_context(store.database.write())
        presence = threads.submit(devices.present, [state()])
        assert not wait([presence], timeout=0.3).done, "it waits for the one writer"
        asked = [threads.submit(one, "dev-1") for one in (devices.get, devices.key, devices.online)]
        asked.append(threads.submit(devices.all))
        assert not wait(asked, timeout=5).not_done
        assert not devices.online("dev-1"), "nothing counts before it is kept"
        busy.close()
        presence.result(10)
    assert devices.online("dev-1")


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


def test_a_revoked_device_is_nobody_any_more_and_its_room_is_free(devices, store, time, changed):
    devices.register(new())
    devices.present([state()])
    store.certificates.add(CertificateRecord("ab12", "dev-1", time.now, time.now + 10))
    told = []
    devices.on_revoked.append(told.append)
    assert devices.revoke("dev-1", "li-jing").revoked == time.now
    again = Devices(store.devices, time, changed.append)
    for one in (devices, again):
        assert one.get("dev-1") is None
        assert one.key("dev-1") is None
        assert one.of_room("room-1") is None
        assert not one.online("dev-1")
        assert (one.ids(), one.all(), one.revoked_serials()) == ([], [], ["ab12"])
        assert [gone.id for gone in one.revoked()] == ["dev-1"]
        assert public_pem(one.former_key("dev-1")) == PEM
    assert told == ["dev-1"]
    assert devices.revoke("dev-1", "li-jing").revoked == time.now
    with pytest.raises(DeviceUnknown, match="no device dev-9"):
        devices.revoke("dev-9", "li-jing")


def test_what_a_revoked_device_still_says_does_nothing(devices):
    devices.register(new())
    devices.revoke("dev-1", "li-jing")
    devices.present([state()])
    devices.heard("dev-1")
    devices.incarnated("dev-1", "b1", "i1")
    assert devices.all() == []


def test_a_revocation_that_the_command_line_wrote_is_noticed_and_told_once(devices, store, time, changed):
    devices.register(new())
    told = []
    devices.on_revoked.append(told.append)
    store.devices.revoke("dev-1", time.now)
    devices.notice_revoked()
    devices.notice_revoked()
    assert told == ["dev-1"]
    assert changed[-1] == "dev-1"
    assert devices.get("dev-1") is None


@pytest.mark.parametrize(
    "other, words",
    [
        ({}, "was revoked"),
        ({"device": "dev-2"}, "that of device dev-1, which was revoked"),
        ({"device": "hub", "public_key": public_pem(new_device_key())}, "the hub's own name"),
    ],
)
def test_neither_a_revoked_name_nor_a_revoked_key_nor_the_hubs_name_is_taken(devices, other, words):
    devices.register(new())
    devices.revoke("dev-1", "li-jing")
    with pytest.raises(DeviceRefused, match=words):
        devices.register(new(**other))


def test_the_room_of_a_revoked_device_takes_another(devices, store, time, changed):
    devices.register(new())
    devices.revoke("dev-1", "li-jing")
    devices.register(new(device="dev-2", public_key=public_pem(new_device_key())))
    assert devices.of_room("room-1").id == "dev-2"
    assert Devices(store.devices, time, changed.append).of_room("room-1").id == "dev-2"


def test_two_machines_in_turn_under_one_name_raise_one_alert_that_names_both(devices, alerts, time):
    devices.register(new())
    for machine in ("m-one", "m-one", "m-two", "m-one", "m-two"):
        devices.present([state(machine=machine, incarnation=machine)])
        time.now += 60
    (alert,) = alerts.open()
    assert (alert.device, alert.kind, alert.times) == ("dev-1", "cloned-disk", 3)
    assert "m-one" in alert.words
    assert "m-two" in alert.words
    assert devices.online("dev-1")


def test_a_copied_disk_shows_also_over_a_restart_of_the_hub_and_from_enrolment_on(
    devices, alerts, store, time, changed
):
    devices.register(new(), "m-one")
    again = Devices(store.devices, time, changed.append, alerts)
    again.present([state(machine="m-two")])
    assert [one.kind for one in alerts.open()] == ["cloned-disk"]


def test_two_programs_in_turn_on_machines_that_look_the_same_raise_it_too(devices, alerts):
    devices.register(new())
    for incarnation in ("i1", "i1", "i2", "i3"):
        devices.present([state(machine="m-one", incarnation=incarnation)])
    devices.incarnated("dev-1", "b1", "i2")  # a hello that was on its way for long
    assert alerts.open() == []
    devices.present([state(machine="m-one", incarnation="i2")])
    (alert,) = alerts.open()
    assert (alert.device, alert.kind) == ("dev-1", "cloned-disk")
    assert "two programs at once, on machine m-one" in alert.words


def test_what_was_to_be_seen_to_with_a_device_ends_when_it_is_revoked(devices, alerts):
    devices.register(new())
    for machine in ("m-one", "m-two"):
        devices.present([state(machine=machine)])
    alerts.raise_("dev-2", "disk", "full")
    devices.revoke("dev-1", "li-jing")
    assert [one.device for one in alerts.open()] == ["dev-2"]


def test_one_machine_and_agents_that_name_none_raise_nothing(devices, alerts):
    devices.register(new())
    for machine in ("", "m-one", "", "m-one"):
        devices.present([state(machine=machine)])
        devices.present([state(online=False)])
    assert alerts.open() == []
