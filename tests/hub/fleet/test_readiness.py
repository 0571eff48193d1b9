"""Whether rooms can hold their next lesson, and the alerts that follow."""

import pytest

from contract.session import Mode, Policy, Role
from contract.state import SessionState as S
from contract.telemetry import Row
from hub.fleet.alerts import Alerts
from hub.fleet.health import FleetHealth
from hub.fleet.readiness import Readiness
from hub.fleet.signs import Sign, Standing
from hub.session.views import RoomView, SessionView
from hub.store.alerts import AlertTable
from hub.store.devices import DeviceRecord
from hub.store.rows import Arrived
from hub.store.store import Store
from tests.hub.fleet.test_health import NOW, WELL


class Hub:
    """Lessons, devices and alerts, with a clock that is moved by hand; alerts go to a real database."""

    def __init__(self, store):
        self.now = NOW
        self.sessions = []
        self.lacks = {}
        self.devices = {}
        self.health = FleetHealth(self, lambda: self.now, lambda _device: None)
        self.alerts = Alerts(AlertTable(store.database), lambda: self.now, lambda _device: None)
        self.began_anew()
        self.now += 100  # past the time in which devices come back after a start

    def began_anew(self):
        self.readiness = Readiness(self, self.health, self, self.alerts, lambda: self.now, lacking=self.lacking)

    def lacking(self, session, room):
        return self.lacks.get((session, room), ())

    def due(self, within_s):
        return [
            one.model_copy(update={"now_t": self.now - one.epoch})
            for one in self.sessions
            if one.epoch <= self.now + within_s
        ]

    def all(self):
        return list(self.devices.values())

    def online(self, device):
        return self.devices[device].online

    def device(self, name, school="石桥小学", *, online=True, **health):
        record = DeviceRecord(name, f"room-{name}", name, school, "", 0.0, online=online)
        self.devices[name] = record
        if online:
            self.tells(name, **health)

    def tells(self, name, **health):
        data = WELL | {"all": True} | health
        wall = self.now - data["clock_offset_ms"] / 1000
        row = Row(stream=f"st-{name}", seq=self.seq(), first=1, id="p", kind="health", boot="b", mono_ns=1, wall=wall)
        self.health.on_stored([Arrived(name, "tele", row.model_copy(update={"data": data}), self.now)])

    def seq(self):
        self._seq = getattr(self, "_seq", 0) + 1
        return self._seq

    def lesson(self, *names, title="二次函数", in_s=300.0, session="s-2026-1", **room):
        rooms = tuple(
            RoomView(
                **{
                    "room": f"room-{name}",
                    "name": f"教室 {name}",
                    "school": self.devices[name].school,
                    "role": Role.RECEIVING if number else Role.LEAD,
                    "device": name,
                    "online": self.devices[name].online,
                    "state": S.SCHEDULED,
                    "words": "",
                    "held": True,
                    "receipt": False,
                }
                | room
            )
            for number, name in enumerate(names)
        )
        self.sessions.append(
            SessionView(
                session=session,
                rev=1,
                title=title,
                mode=Mode.DELIVERY,
                state=S.SCHEDULED,
                words="",
                epoch=self.now + in_s,
                seconds=2400,
                now_t=-in_s,
                policy=Policy(),
                rooms=rooms,
            )
        )

    def standing(self, number=0):
        return [room.readiness.standing for room in self.readiness.shown(self.due(600)[number]).rooms]

    def passes(self, seconds=20.0, *, step_s=5.0):
        until = self.now + seconds
        while self.now < until:
            self.now += step_s
            for name, one in self.devices.items():
                if one.online:
                    self.tells(name)
            self.readiness.tick()

    def open(self):
        return sorted((one.device, one.kind) for one in self.alerts.open())


@pytest.fixture
def hub(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    yield Hub(store)
    store.close()


def test_rooms_that_are_there_and_well_are_ready(hub):
    hub.device("a-1")
    hub.device("a-2")
    hub.lesson("a-1", "a-2")
    assert hub.standing() == [Standing.READY, Standing.READY]
    hub.passes()
    assert hub.open() == []


def test_a_room_that_is_away_ten_minutes_ahead_will_miss_its_lesson(hub):
    hub.device("a-1")
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2", in_s=590.0)
    assert hub.standing() == [Standing.READY, Standing.MISSING]
    hub.passes()
    assert hub.open() == [("a-2", "will-miss-lesson")]
    words = hub.alerts.open()[0].words
    assert "教室 a-2 will miss the lesson “二次函数”" in words
    assert "not connected" in words


def test_it_is_told_once_however_long_it_lasts_and_taken_back_when_the_room_is_there(hub):
    hub.device("a-1")
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2")
    hub.passes(120)
    assert [one.times for one in hub.alerts.open()] == [1]
    hub.device("a-2")
    hub.passes(5)
    assert hub.open() == []


def test_a_network_that_blinks_raises_nothing(hub):
    hub.device("a-1", online=False)
    hub.device("a-2")
    hub.lesson("a-1", "a-2")
    hub.passes(10)
    hub.device("a-1")
    hub.passes(10)
    assert hub.open() == []


def test_nothing_is_said_of_lessons_that_are_further_off(hub):
    hub.device("a-1", online=False)
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2", in_s=900.0)
    assert hub.readiness.shown(hub.sessions[0]).rooms[0].readiness is None
    hub.passes(60)
    assert hub.open() == []


def test_a_school_whose_devices_are_all_away_is_told_as_one(hub):
    for number in range(12):
        hub.device(f"a-{number}", online=False)
    hub.device("b-1", "城关小学")
    hub.device("b-2", "城关小学", online=False)
    hub.lesson("b-1", *(f"a-{number}" for number in range(6)))
    hub.lesson("b-2", "a-7", session="s-2026-2")
    hub.passes()
    assert hub.open() == [("b-2", "will-miss-lesson"), ("石桥小学", "school-away")]
    words = next(one.words for one in hub.alerts.open() if one.kind == "school-away")
    assert "none of the 12 devices of 石桥小学 is connected, and 7 of its rooms" in words
    hub.device("a-0")
    hub.passes()
    assert ("石桥小学", "school-away") not in hub.open()
    assert ("a-1", "will-miss-lesson") in hub.open()
    assert ("a-0", "will-miss-lesson") not in hub.open()


def test_a_room_with_two_lessons_to_come_is_told_once(hub):
    hub.device("a-1")
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2", in_s=100.0)
    hub.lesson("a-1", "a-2", in_s=500.0, session="s-2026-2")
    hub.passes()
    assert hub.open() == [("a-2", "will-miss-lesson")]


@pytest.mark.parametrize(
    ("health", "room", "sign"),
    [
        ({"camera": "missing"}, {}, Sign.CAMERA_MISSING),
        ({"microphone": "missing"}, {}, Sign.MICROPHONE_MISSING),
        ({"disk_free_mib": 100}, {}, Sign.DISK_FULL),
        ({}, {"held": False}, Sign.ORDER_NOT_HELD),
        ({}, {"state": S.READY, "words": "camera:0 is not there"}, Sign.ROOM_SAYS),
    ],
)
def test_what_may_cost_a_lesson_puts_it_at_risk(hub, health, room, sign):
    hub.device("a-1", **health)
    hub.device("a-2", **health)
    hub.lesson("a-1", "a-2", **room)
    judged = hub.readiness.shown(hub.due(600)[0]).rooms[0].readiness
    assert judged.standing is Standing.AT_RISK
    assert [one.sign for one in judged.remarks] == [sign]
    assert judged.words


def test_a_room_that_does_not_hold_the_materials_of_its_lesson_is_at_risk_and_they_are_named(hub):
    hub.device("a")
    hub.device("b")
    hub.lesson("a", "b")
    hub.lacks["s-2026-1", "room-b"] = ("练习.pdf",)
    near, far = hub.readiness.shown(hub.due(600)[0]).rooms
    assert near.readiness.standing == "ready"
    assert far.readiness.standing == "at-risk"
    assert "练习.pdf" in far.readiness.words


def test_rooms_in_which_teachers_watch_need_no_camera_no_microphone_and_no_disk(hub):
    for name in ("lead", "watching"):
        hub.device(name, camera="missing", microphone="missing", disk_free_mib=100)
    hub.lesson("lead", "watching")
    hub.sessions[0] = hub.sessions[0].model_copy(
        update={
            "rooms": tuple(
                one.model_copy(update={"watching": one.device == "watching"}) for one in hub.sessions[0].rooms
            )
        }
    )
    assert hub.standing() == [Standing.AT_RISK, Standing.READY]


def test_what_is_for_the_workshop_does_not(hub):
    hub.device("a-1", certificate_days=3.0, temperature_c=97.0, disk_free_mib=9000, clock_offset_ms=60_000)
    hub.device("a-2")
    hub.lesson("a-1", "a-2")
    assert hub.standing() == [Standing.READY, Standing.READY]


def test_a_room_that_says_that_it_failed_is_missing(hub):
    hub.device("a-1")
    hub.device("a-2")
    hub.lesson("a-1", "a-2", state=S.FAILED, words="the disk takes nothing")
    assert hub.standing() == [Standing.MISSING, Standing.MISSING]


def test_a_room_at_its_lesson_is_ready_though_the_hub_has_lost_sight_of_it(hub):
    hub.device("a-1")
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2", in_s=10.0, state=S.LIVE)
    hub.now += 60
    assert hub.standing() == [Standing.READY, Standing.READY]


def test_a_room_that_never_came_is_missing_until_the_lesson_is_over(hub):
    hub.device("a-1")
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2", in_s=10.0)
    hub.passes(60)
    assert hub.open() == [("a-2", "will-miss-lesson")]
    hub.passes(2400, step_s=60.0)
    assert hub.open() == []


def test_a_hub_that_has_just_started_waits_for_its_devices_before_it_says_anything(hub):
    hub.device("a-1", online=False)
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2")
    hub.began_anew()
    assert hub.standing() == [Standing.AT_RISK, Standing.AT_RISK]
    hub.passes(60)
    assert hub.open() == []
    hub.passes(60)
    assert hub.open() == [("石桥小学", "school-away")]


def test_alerts_of_an_earlier_run_of_the_hub_are_taken_back(hub):
    hub.alerts.raise_("a-1", "will-miss-lesson", "will miss a lesson of yesterday")
    hub.alerts.raise_("a-1", "cloned-disk", "not ours to clear")
    hub.device("a-1")
    hub.passes()
    assert hub.open() == [("a-1", "cloned-disk")]


def test_an_alert_that_an_operator_has_seen_to_is_not_raised_again_at_once(hub):
    hub.device("a-1")
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2", in_s=590.0)
    hub.passes()
    hub.alerts.dismiss(hub.alerts.open()[0].id, "an operator")
    hub.passes(120)
    assert hub.open() == []
    hub.passes(240)
    assert hub.open() == [("a-2", "will-miss-lesson")]


def test_a_lesson_that_is_called_off_takes_its_alert_back(hub):
    hub.device("a-1")
    hub.device("a-2", online=False)
    hub.lesson("a-1", "a-2")
    hub.passes()
    hub.sessions[0] = hub.sessions[0].model_copy(update={"state": S.CANCELLED})
    hub.passes(5)
    assert hub.open() == []
