import pytest

from contract.telemetry import Row
from hub.fleet.keeping import Keeper
from hub.settings import KeepSettings
from hub.store.rows import Arrived
from tests.hub_api.district import District

NOON = 1_700_000_000 // 3600 * 3600


def store(hub: District, minutes: range) -> None:
    rows = [
        Row(
            stream="st-1",
            seq=seq,
            first=1,
            id=f"p-{seq}",
            kind="health",
            boot="b",
            mono_ns=seq,
            wall=NOON + 60.0 * minute,
            data={"cpu": minute / 10, "clock": {"offset_ns": minute}},
        )
        for seq, minute in enumerate(minutes, start=1)
    ]
    hub.parts.store.rows.take([Arrived("device-lead", "tele", row, row.wall) for row in rows])
    Keeper(hub.parts.store.rollups, hub.parts.store.retention, KeepSettings(), lambda: NOON + 9e4).tick()


def asked(hub: District, **query):
    query = {"device": "device-lead", "kind": "health", "from": NOON, "to": NOON + 86_400 * 9} | query
    with hub.http() as http:
        return http.get("/api/v1/telemetry/rollup", params=query)


def test_telemetry_is_told_by_the_minute_and_by_the_hour(hub: District):
    store(hub, range(120))
    told = asked(hub, to=NOON + 120).json()
    assert [one["start"] for one in told["buckets"]] == [NOON, NOON + 60]
    assert told["buckets"][1]["numbers"]["clock.offset_ns"] == {"min": 1, "max": 1, "mean": 1, "count": 1}
    hours = asked(hub, step="hour").json()
    assert (hours["seconds"], [one["rows"] for one in hours["buckets"]], hours["more"]) == (3600, [60, 60], None)
    assert hours["buckets"][0]["numbers"]["cpu"] == pytest.approx({"min": 0, "max": 5.9, "mean": 2.95, "count": 60})


def test_what_is_too_much_for_one_answer_says_where_to_go_on(hub: District):
    store(hub, range(1600))
    first = asked(hub).json()
    rest = asked(hub, **{"from": first["more"]}).json()
    assert (len(first["buckets"]), len(rest["buckets"]), rest["more"]) == (1500, 100, None)
    assert first["buckets"][-1]["start"] < rest["buckets"][0]["start"] == first["more"]


@pytest.mark.parametrize(
    "query",
    [{"step": "second"}, {"device": "NOT/ONE"}, {"from": "nan"}, {"to": "inf"}, {"kind": "a\x00"}, {"kind": ""}],
)
def test_what_makes_no_sense_is_refused_in_words(refusing: District, query):
    answer = asked(refusing, **query)
    assert answer.status_code == 422
    assert answer.json()["error"]
