"""What the hub makes of health samples."""

import json

import pytest

from contract.telemetry import Row
from hub.fleet.health import FleetHealth, judged
from hub.fleet.signs import ENGLISH, HealthState, Sign
from hub.store.rows import Arrived

NOW = 1_800_000_000.0
WELL = {
    "cpu_percent": 12.3,
    "memory_free_mib": 4000,
    "disk_free_mib": 100_000,
    "disk_floor_mib": 2000,
    "telemetry_rows": 1,
    "telemetry_age_s": 0.2,
    "telemetry_dropped": 0,
    "event_rows": 0,
    "event_age_s": 0.0,
    "event_dropped": 0,
    "clock_offset_ms": -3,
    "clock_source": "exchange",
    "camera": "present",
    "microphone": "in-use",
    "certificate_days": 21.5,
    "restarts": 3,
    "restarts_day": 1,
    "restart_why": "stopped",
    "temperature_c": 55.0,
    "failed": [],
    "every_s": 5.0,
}


class There:
    def __init__(self, *online):
        self.there = set(online)

    def online(self, device):
        return device in self.there


class District:
    """Health of a district, with a clock that is moved by hand."""

    def __init__(self):
        self.now = NOW
        self.present = There("d-1", "d-2")
        self.changed = []
        self.health = FleetHealth(self.present, lambda: self.now, self.changed.append)
        self._seq = 0

    def sample(self, data, device="d-1", stream="st-1", seq=None, kind="health", box="tele", wall=None):
        self._seq = seq or self._seq + 1
        row = Row(
            stream=stream,
            seq=self._seq,
            first=1,
            id="p",
            kind=kind,
            boot="b",
            mono_ns=1,
            wall=self.now - (data.get("clock_offset_ms") or 0) / 1000 if wall is None else wall,
            data=data,
        )
        self.health.on_stored([Arrived(device, box, row, self.now)])

    @property
    def of(self):
        return self.health.of("d-1")

    def signs(self):
        return [one.sign for one in self.of.remarks]


@pytest.fixture
def district():
    return District()


def test_a_device_that_is_well_has_nothing_to_remark(district):
    district.sample(WELL | {"all": True})
    assert (district.of.state, district.of.remarks) == (HealthState.OK, ())


@pytest.mark.parametrize(
    ("changed", "sign"),
    [
        ({"disk_free_mib": 2500}, Sign.DISK_FULL),
        ({"disk_free_mib": 9000}, Sign.DISK_LOW),
        ({"camera": "missing"}, Sign.CAMERA_MISSING),
        ({"microphone": "missing"}, Sign.MICROPHONE_MISSING),
        ({"memory_free_mib": 90}, Sign.MEMORY_LOW),
        ({"temperature_c": 97.0}, Sign.HOT),
        ({"clock_offset_ms": -61_000}, Sign.CLOCK_WRONG),
        ({"event_age_s": 700.0, "event_rows": 12}, Sign.ROWS_WAIT),
        ({"telemetry_dropped": 40}, Sign.ROWS_DROPPED),
        ({"certificate_days": 3.2}, Sign.CERTIFICATE_ENDS),
        ({"certificate_days": -1.0}, Sign.CERTIFICATE_ENDED),
        ({"restarts_day": 9, "restart_why": "killed"}, Sign.RESTARTS),
        ({"failed": ["disk: hangs"]}, Sign.PROBES_FAIL),
    ],
)
def test_each_trouble_degrades_a_device_and_is_told_in_a_sentence(district, changed, sign):
    district.sample(WELL | changed | {"all": True})
    assert district.of.state is HealthState.DEGRADED
    assert district.signs() == [sign]
    assert "{" not in str(district.of.remarks[0])


def test_every_sign_has_a_sentence():
    assert set(ENGLISH) == set(Sign)


def test_restarts_that_were_asked_for_are_no_trouble(district):
    district.sample(WELL | {"restarts_day": 9, "restart_why": "stopped", "all": True})
    assert district.of.state is HealthState.OK


def test_small_samples_add_up(district):
    district.sample(WELL | {"all": True})
    district.sample({"cpu_percent": 50.0, "camera": "missing"})
    assert district.of.fields["cpu_percent"] == 50.0
    assert district.of.fields["disk_floor_mib"] == 2000
    assert district.signs() == [Sign.CAMERA_MISSING]
    district.sample({"camera": "present"})
    assert district.of.state is HealthState.OK


def test_a_whole_sample_takes_the_place_of_what_was_known(district):
    district.sample(WELL | {"all": True})
    district.sample({"cpu_percent": 1.0, "all": True})
    assert dict(district.of.fields) == {"cpu_percent": 1.0}


def test_a_row_that_comes_again_or_late_does_not_put_the_clock_back(district):
    district.sample(WELL | {"all": True}, seq=1)
    district.sample({"camera": "missing"}, seq=2)
    district.sample({"camera": "present"}, seq=1)
    assert district.signs() == [Sign.CAMERA_MISSING]


def test_a_new_stream_begins_anew(district):
    district.sample(WELL | {"camera": "missing", "all": True}, seq=900)
    district.sample(WELL | {"all": True}, stream="st-2", seq=1)
    assert district.of.state is HealthState.OK


def test_a_device_that_is_away_is_down_whatever_it_said(district):
    district.sample(WELL | {"all": True})
    district.present.there.clear()
    assert district.of.state is HealthState.DOWN
    assert district.signs() == [Sign.AWAY]


def test_a_device_that_is_there_and_says_nothing_is_unknown(district):
    assert (district.of.state, district.signs()) == (HealthState.UNKNOWN, [Sign.UNHEARD])
    district.sample(WELL | {"all": True})
    district.now += 300
    assert (district.of.state, district.signs()) == (HealthState.UNKNOWN, [Sign.STALE])
    assert "5 min" in str(district.of.remarks[0])


def test_a_device_that_tells_its_health_seldom_is_given_that_time(district):
    district.sample(WELL | {"every_s": 600.0, "all": True})
    district.now += 1500
    assert district.of.state is HealthState.OK
    district.now += 600
    assert district.of.state is HealthState.UNKNOWN


def test_samples_of_hours_ago_that_come_now_are_no_news(district):
    district.sample(WELL | {"all": True, "clock_offset_ms": 0}, wall=NOW - 3600)
    assert district.of.state is HealthState.UNKNOWN
    district.sample(WELL | {"clock_offset_ms": 7_200_000}, wall=NOW - 7200)
    assert Sign.STALE not in district.signs()  # its clock is two hours behind, and it says so


def test_a_device_that_never_heard_the_hub_is_judged_by_the_arrival(district):
    district.sample(WELL | {"all": True, "clock_offset_ms": None}, wall=12.0)
    assert district.of.state is HealthState.OK


def test_lost_state_is_remarked_for_a_day(district):
    district.sample(WELL | {"all": True})
    district.sample({"what": ["clock"], "words": ["the clock's map is gone"]}, kind="state.lost", box="event")
    assert district.signs() == [Sign.STATE_LOST]
    assert "the clock's map is gone" in str(district.of.remarks[0])
    district.now += 90_000
    district.sample(WELL)
    assert district.of.state is HealthState.OK


def test_versions_are_kept_beside_the_figures(district):
    district.sample({"tongtang": "0.1.0", "python": "3.11.2"}, kind="agent.versions", box="event", stream="ev-1")
    district.sample(WELL | {"all": True})
    assert district.of.versions == {"tongtang": "0.1.0", "python": "3.11.2"}
    assert "python" not in district.of.fields


@pytest.mark.parametrize(
    "nonsense",
    [
        {"disk_free_mib": "much", "camera": 7, "failed": "all", "certificate_days": True, "event_age_s": [1]},
        {f"field-{number}": number for number in range(500)},
        {"words": 3, "what": None, "all": "yes"},
        {"deep": {"a": [float("inf")]}, "list": [1, {}], "long": "x" * 10_000, "not": float("-inf")},
        {"disk_free_mib": 10**400, "clock_offset_ms": -(10**400), "event_age_s": float("nan"), "temperature_c": 1e308},
    ],
)
def test_a_device_may_say_what_it_likes(district, nonsense):
    for kind in ("health", "state.lost", "agent.versions"):
        district.sample(nonsense, kind=kind, wall=NOW)
    assert district.of.state in HealthState
    assert len(json.dumps(dict(district.of.fields), allow_nan=False)) < 20_000


def test_a_change_is_told_once_and_moving_figures_are_none(district):
    district.sample(WELL | {"all": True})
    assert district.health.look(["d-1"])["d-1"].state is HealthState.OK
    district.changed.clear()
    district.sample({"disk_free_mib": 5000})
    district.health.look(["d-1"])
    district.sample({"disk_free_mib": 4990})
    district.health.look(["d-1"])
    assert district.changed == ["d-1"]


def test_a_device_that_is_no_longer_known_is_forgotten(district):
    district.sample(WELL | {"all": True}, device="d-2")
    district.health.look(["d-1"])
    assert dict(district.health.of("d-2").fields) == {}


def test_judging_needs_nothing_but_what_it_is_handed():
    state, remarks = judged({"camera": "missing"}, NOW, NOW, online=True)
    assert (state, [one.sign for one in remarks]) == (HealthState.DEGRADED, [Sign.CAMERA_MISSING])
