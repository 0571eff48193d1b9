import threading

import pytest
from cryptography import x509

from contract.keys import new_device_key, public_pem
from hub.fleet.alerts import Alerts
from hub.fleet.authority import DAY_S, Authority, make_authority
from hub.fleet.claims import CODE_LIFE_S, Claims, NewClaim
from hub.fleet.devices import Devices, NewDevice
from hub.fleet.enrolment import ANSWERED_S, LATE_S, Admitted, Enrolment, Waits
from hub.fleet.errors import ClaimUnfit, CodeSpent, CodeUnknown, DeviceRefused, RequestUnfit, ShutOut, TooManyTries
from hub.fleet.guesses import LOOKED_AT_S, WINDOW_S, WRONG_BY_ADDRESS
from hub.settings import HubSettings
from tests.hub.fleet.papers import request

WRONG = "2222-2222-2222"


class Hub:
    """Everything that enrols, beside each other as in the hub."""

    def __init__(self, store, folder, time, changed):
        make_authority(folder, time.now)
        self.time = time
        self.alerts = Alerts(store.alerts, time, changed.append)
        self.devices = Devices(store.devices, time, changed.append, self.alerts)
        authority = Authority.open(HubSettings(data=folder))
        self.monotonic = type(time)()
        self.enrolment = Enrolment(store, self.devices, authority, self.alerts, time, changed.append, self.monotonic)
        self.claims = Claims(store.claims, store.devices, time)
        self.store = store

    def code(self, room="room-1", *, confirm=False):
        (made,) = self.claims.make([NewClaim("城关小学", room, "三年级")], confirm=confirm, by="li-jing")
        return made.code

    def show(self, code, key, *, machine="m1", address="10.0.0.1"):
        return self.enrolment.enrol(code, request(key), machine, address)

    def kinds(self):
        return [(one.device, one.kind) for one in self.alerts.open()]


@pytest.fixture
def hub(store, tmp_path, time, changed):
    return Hub(store, tmp_path, time, changed)


def common_name(issued):
    read = x509.load_pem_x509_certificate(issued.certificate_pem.encode())
    return read.subject.rfc4514_string()


def test_a_machine_with_a_code_becomes_the_device_of_its_room(hub):
    admitted = []
    hub.devices.on_admitted.append(admitted.append)
    key = new_device_key()
    found = hub.show(hub.code(), key)
    assert isinstance(found, Admitted)
    assert (found.device.id, found.device.room, found.device.school) == ("room-1", "room-1", "城关小学")
    assert common_name(found.issued) == "CN=room-1"
    assert found.issued.expires == pytest.approx(hub.time.now + 30 * DAY_S, abs=2)
    assert public_pem(hub.devices.key("room-1")) == public_pem(key)
    assert hub.devices.get("room-1").machine == "m1"
    assert admitted == ["room-1"]
    assert hub.claims.all()[0].device == "room-1"


def test_the_hub_names_the_device_whatever_the_request_says(hub):
    found = hub.enrolment.enrol(hub.code(), request(new_device_key(), "hub"), "m1", "10.0.0.1")
    assert common_name(found.issued) == "CN=room-1"
    assert hub.show(hub.code("hub"), new_device_key()).device.id == "hub-2"


def test_an_answer_that_was_lost_is_given_again_to_the_same_key_and_to_no_other(hub):
    code, key = hub.code(), new_device_key()
    first = hub.show(code, key)
    again = hub.show(code.lower().replace("-", " "), key)
    assert again.device == first.device
    with pytest.raises(CodeSpent, match="another machine"):
        hub.show(code, new_device_key(), address="10.0.0.9")
    assert hub.kinds() == [("room-1", "code-shown-again")]
    assert "10.0.0.9" in hub.alerts.open()[0].words
    hub.time.now += ANSWERED_S + 1
    with pytest.raises(CodeSpent):
        hub.show(code, key)


def test_a_code_is_used_once_however_many_machines_show_it_at_the_same_moment(hub):
    code = hub.code()
    keys = [new_device_key() for _ in range(8)]
    found, start = [], threading.Barrier(len(keys))

    def race(key):
        start.wait()
        try:
            found.append(hub.show(code, key))
        except CodeSpent as spent:
            found.append(spent)

    threads = [threading.Thread(target=race, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Admitted) for one in found) == 1
    assert len(hub.devices.all()) == 1


def test_a_code_of_a_sheet_waits_for_an_operator(hub, changed):
    code, key = hub.code(confirm=True), new_device_key()
    found = hub.show(code, key)
    assert isinstance(found, Waits)
    assert "operator must confirm" in found.words
    assert hub.devices.all() == []
    assert "room-1" in changed
    with pytest.raises(CodeSpent):
        hub.show(code, new_device_key())
    hub.claims.confirm("room-1", "li-jing")
    assert hub.show(code, key).device.id == "room-1"


def test_a_machine_that_an_operator_does_not_want_is_kept_out_by_a_new_code(hub):
    code, key = hub.code(confirm=True), new_device_key()
    hub.show(code, key)
    fresh = hub.code(confirm=True)
    with pytest.raises(CodeSpent, match="newer one"):
        hub.show(code, key)
    assert isinstance(hub.show(fresh, new_device_key()), Waits)


def test_a_machine_switched_off_for_a_week_after_it_was_confirmed_still_comes_in(hub):
    code, key = hub.code(confirm=True), new_device_key()
    hub.show(code, key)
    hub.time.now += 13 * DAY_S
    hub.claims.confirm("room-1", "li-jing")
    hub.time.now += 7 * DAY_S
    assert hub.show(code, key).device.id == "room-1"


def test_a_code_that_is_too_old_is_refused(hub):
    code = hub.code()
    hub.time.now += CODE_LIFE_S + 1
    with pytest.raises(CodeSpent, match="expired"):
        hub.show(code, new_device_key())


def test_an_unfit_request_does_not_use_a_code_up(hub):
    code = hub.code()
    with pytest.raises(RequestUnfit):
        hub.enrolment.enrol(code, "nonsense", "m1", "10.0.0.1")
    with pytest.raises(RequestUnfit, match="3 groups of 4"):
        hub.show(code[:-1], new_device_key())
    assert hub.show(code, new_device_key()).device.id == "room-1"


def test_whoever_guesses_is_held_off_and_the_school_behind_the_same_address_comes_in(hub):
    for _ in range(WRONG_BY_ADDRESS - 1):
        with pytest.raises(CodeUnknown):
            hub.show(WRONG, new_device_key())
    with pytest.raises(TooManyTries) as held:
        hub.show(WRONG, new_device_key())
    assert 0 < held.value.wait_s <= WINDOW_S + 1
    assert str(held.value.wait_s) in str(held.value)
    assert isinstance(hub.show(hub.code(), new_device_key()), Admitted)
    with pytest.raises(TooManyTries):
        hub.show(hub.code("room-2"), new_device_key())
    hub.monotonic.now += LOOKED_AT_S
    assert isinstance(hub.show(hub.code("room-2"), new_device_key()), Admitted)
    hub.monotonic.now += WINDOW_S
    with pytest.raises(CodeUnknown):
        hub.show(WRONG, new_device_key())


def test_a_room_that_was_given_away_meanwhile_is_refused(hub):
    code = hub.code()
    hub.devices.register(NewDevice("other", "room-1", "", "x", public_pem(new_device_key())))
    with pytest.raises(DeviceRefused, match="already has device other"):
        hub.show(code, new_device_key())


def test_a_device_that_was_registered_by_an_operator_gets_its_certificate_by_a_code(hub):
    key = new_device_key()
    code = hub.code()
    hub.devices.register(NewDevice("shiqiao-3-screen", "room-1", "", "x", public_pem(key)))
    found = hub.show(code, key)
    assert common_name(found.issued) == "CN=shiqiao-3-screen"


def test_a_replaced_machine_gets_the_next_name_of_its_room(hub):
    names = []
    for _ in range(3):
        names.append(hub.show(hub.code(), new_device_key()).device.id)
        hub.devices.revoke(names[-1], "li-jing")
    assert names == ["room-1", "room-1-2", "room-1-3"]


def test_a_long_room_leaves_place_for_a_number(hub):
    room = "r" * 63
    hub.show(hub.code(room), new_device_key())
    hub.devices.revoke(room, "li-jing")
    assert hub.show(hub.code(room), new_device_key()).device.id == "r" * 61 + "-2"


def test_a_revoked_machine_comes_back_with_a_new_key_only(hub):
    code, key = hub.code(), new_device_key()
    hub.show(code, key)
    hub.devices.revoke("room-1", "li-jing")
    for again in (code, hub.code()):
        with pytest.raises(ShutOut, match="revoked") as refused:
            hub.show(again, key)
        assert "--anew" in refused.value.what_to_do
    assert hub.show(hub.code(), new_device_key()).device.id == "room-1-2"


def test_a_device_renews_with_its_own_key(hub):
    key = new_device_key()
    first = hub.show(hub.code(), key).issued
    hub.time.now += 20 * DAY_S
    renewed = hub.enrolment.renew("room-1", request(key))
    assert renewed.serial != first.serial
    assert renewed.expires == pytest.approx(hub.time.now + 30 * DAY_S, abs=2)
    assert hub.kinds() == []
    with pytest.raises(RequestUnfit, match="another key"):
        hub.enrolment.renew("room-1", request(new_device_key()))


def test_after_a_summer_a_device_renews_and_the_operators_are_told(hub):
    key = new_device_key()
    hub.show(hub.code(), key)
    hub.time.now += 30 * DAY_S + LATE_S - 60
    hub.enrolment.renew("room-1", request(key))
    assert hub.kinds() == [("room-1", "late-renewal")]
    assert "180 days before" in hub.alerts.open()[0].words
    hub.time.now += 20 * DAY_S
    hub.enrolment.renew("room-1", request(key))
    assert hub.kinds() == []


def test_after_half_a_year_it_needs_a_new_code(hub):
    key = new_device_key()
    hub.show(hub.code(), key)
    hub.time.now += 30 * DAY_S + LATE_S + 60
    with pytest.raises(ShutOut, match="expired 180 days ago") as refused:
        hub.enrolment.renew("room-1", request(key))
    assert "new code" in refused.value.what_to_do


def test_a_revoked_device_renews_nothing(hub):
    key = new_device_key()
    serial = hub.show(hub.code(), key).issued.serial
    hub.time.now += 20 * DAY_S
    second = hub.enrolment.renew("room-1", request(key)).serial
    hub.devices.revoke("room-1", "li-jing")
    with pytest.raises(ShutOut):
        hub.enrolment.renew("room-1", request(key))
    assert sorted(hub.devices.revoked_serials()) == sorted([serial, second])


def test_a_revocation_that_was_only_written_into_the_database_keeps_a_certificate_from_being_signed(hub):
    key = new_device_key()
    hub.show(hub.code(), key)
    hub.store.devices.revoke("room-1", hub.time.now)
    with pytest.raises(ShutOut):
        hub.enrolment.renew("room-1", request(key))


def test_a_new_machine_in_a_room_that_is_known_needs_neither_name_nor_school(hub, time):
    hub.show(hub.code(), new_device_key())
    hub.devices.revoke("room-1", "test")
    time.now += 10
    (made,) = hub.claims.make([NewClaim("", "room-1")], confirm=False, by="li-jing")
    assert (made.asked.school, made.asked.name) == ("城关小学", "三年级")  # as the printed sheet says
    device = hub.show(made.code, new_device_key()).device
    assert (device.id, device.name, device.school) == ("room-1-2", "三年级", "城关小学")
    with pytest.raises(ClaimUnfit, match="the school is missing"):
        hub.claims.make([NewClaim("", "room-2")], confirm=False, by="li-jing")


def test_what_was_said_of_a_room_last_counts(hub, time):
    hub.code()
    time.now += 10
    hub.claims.make([NewClaim("城关中学", "room-1", "七年级")], confirm=False, by="li-jing")
    time.now += 10
    (made,) = hub.claims.make([NewClaim(" ", "room-1")], confirm=True, by="li-jing")
    assert (made.asked.school, made.asked.name) == ("城关中学", "七年级")
