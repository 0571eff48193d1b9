import pytest

from contract.enrolment import code_sha256, read_code
from contract.keys import new_device_key, public_pem
from hub.fleet.claims import CODE_LIFE_S, SHEET_LIFE_S, Claims, NewClaim
from hub.fleet.errors import ClaimUnfit
from hub.store.claims import ClaimState
from hub.store.devices import DeviceRecord

PEM = public_pem(new_device_key())


@pytest.fixture
def claims(store, time):
    return Claims(store.claims, store.devices, time)


def make(claims, *rooms, confirm=False):
    return claims.make([NewClaim("城关小学", room, "三年级") for room in rooms], confirm=confirm, by="li-jing")


def states(claims, time):
    return {one.room: one.state(time.now) for one in claims.all()}


def test_a_code_is_shown_once_and_only_its_hash_is_kept(claims, store, time):
    (made,) = make(claims, "room-1")
    assert read_code(made.code) == made.code
    assert made.expires == time.now + CODE_LIFE_S
    with store.database.read() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM claim").fetchall())
    assert made.code not in kept
    assert made.code.replace("-", "") not in kept
    assert code_sha256(made.code) in kept


def test_a_code_ends_after_a_quarter_of_an_hour_and_one_of_a_sheet_after_a_fortnight(claims, time):
    make(claims, "room-1")
    make(claims, "room-2", confirm=True)
    time.now += CODE_LIFE_S + 1
    assert states(claims, time) == {"room-1": ClaimState.ENDED, "room-2": ClaimState.OPEN}
    time.now += SHEET_LIFE_S
    assert states(claims, time)["room-2"] is ClaimState.ENDED


def test_a_newer_code_for_a_room_ends_the_one_before(claims, store, time):
    (first,) = make(claims, "room-1", confirm=True)
    (second,) = make(claims, "room-1")
    ends = [store.claims.get(code_sha256(one.code)).state(time.now) for one in (first, second)]
    assert ends == [ClaimState.ENDED, ClaimState.OPEN]
    assert states(claims, time) == {"room-1": ClaimState.OPEN}


def test_a_school_gets_all_its_codes_or_none(claims, store):
    store.devices.add(DeviceRecord("room-4", "room-4", "", "x", PEM, 1.0))
    asked = [
        NewClaim("城关小学", "room-1"),
        NewClaim("城关小学", "Room 2"),
        NewClaim("", "room-3"),
        NewClaim("城关小学", "room-4"),
        NewClaim("城关小学", "room-5"),
        NewClaim("城关小学", "room-5"),
        NewClaim("城关小学", "room-6", "x" * 101),
        NewClaim("城关小学", ""),
    ]
    faults = dict(claims.faults(asked))
    assert sorted(faults) == [1, 2, 3, 4, 5, 6, 7]
    assert "lower-case" in faults[1]
    assert "school is missing" in faults[2]
    assert "has device room-4; revoke" in faults[3]
    assert "2 times" in faults[4]
    assert "longer than 100" in faults[6]
    assert "room is missing" in faults[7]
    with pytest.raises(ClaimUnfit):
        claims.make(asked, confirm=True, by="li-jing")
    assert claims.all() == []


def test_a_thousand_rooms_get_a_thousand_codes(claims):
    made = make(claims, *(f"room-{at}" for at in range(1001)), confirm=True)
    assert len({one.code for one in made}) == 1001
    assert len(claims.all()) == 1001


def test_only_a_machine_that_has_shown_its_code_is_confirmed(claims, store, time):
    (made,) = make(claims, "room-1", confirm=True)
    with pytest.raises(ClaimUnfit, match="nobody has shown"):
        claims.confirm("room-1", "li-jing")
    with pytest.raises(ClaimUnfit, match="no code that still counts"):
        claims.confirm("room-2", "li-jing")
    store.claims.take(code_sha256(made.code), PEM, "m1", "10.0.0.1", time.now, time.now + 5)
    assert [one.room for one in claims.waiting()] == ["room-1"]
    assert claims.confirm("room-1", "li-jing").state(time.now) is ClaimState.USED
    assert claims.confirm("room-1", "li-jing").confirmed == time.now
    assert claims.waiting() == []


def test_a_machine_that_came_late_may_still_be_confirmed_for_a_week(claims, store, time):
    (made,) = make(claims, "room-1", confirm=True)
    time.now = made.expires - 1
    store.claims.take(code_sha256(made.code), PEM, "m1", "10.0.0.1", time.now, time.now + 7 * 86_400)
    time.now += 6 * 86_400
    assert claims.confirm("room-1", "li-jing").state(time.now) is ClaimState.USED


def test_of_two_machines_that_show_one_code_the_first_has_it(claims, store, time):
    (made,) = make(claims, "room-1")
    sha, other = code_sha256(made.code), public_pem(new_device_key())
    assert store.claims.take(sha, PEM, "m1", "10.0.0.1", time.now, time.now).public_key == PEM
    assert store.claims.take(sha, other, "m2", "10.0.0.2", time.now, time.now).public_key == PEM
