"""`/metrics`, as Prometheus reads it, and the dashboard that is drawn from it."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from contract.keys import new_device_key, public_pem
from contract.telemetry import DeviceState, Row
from hub.fleet.devices import NewDevice
from hub.store.rows import Arrived
from tests.hub.fleet.test_health import WELL
from tests.hub_api.district import District, answering, make

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "configs" / "grafana" / "district.json"
FUNCTIONS = {"sum", "by", "rate", "increase", "histogram_quantile", "topk", "vector", "or", "le", "outcome", "reason"}
TOKEN = "metrics-token-of-the-district"


def read(hub: District, **how: object) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    answer = httpx.get(hub.url + "/metrics", headers=hub.headers, **how)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            found.setdefault(one.name, {})[tuple(sorted(one.labels.items()))] = one.value
    return found


def fill(hub: District, schools: int, devices: int) -> None:
    """A district of many devices, each of which has told its health."""
    rows = []
    for school in range(schools):
        for number in range(devices):
            device = f"d-{school}-{number}"
            pem = public_pem(new_device_key())
            hub.parts.devices.register(NewDevice(device, f"room-{device}", "", f"school {school}", pem))
            data = WELL | {"all": True, "telemetry_rows": number, "clock_offset_ms": -1000 * number}
            row = Row(
                stream=f"st-{device}",
                seq=1,
                first=1,
                id=device,
                kind="health",
                boot="b",
                mono_ns=1,
                wall=time.time(),
                data=data,
            )
            rows.append(Arrived(device, "tele", row, hub.parts.clock.now() - 0.07))
            hub.parts.devices.present([DeviceState(device=device, online=True, boot="b", incarnation="i")])
    for listener in hub.parts.intake.on_stored:
        listener(rows)


def test_the_district_is_told_in_figures(hub: District):
    fill(hub, 2, 5)
    hub.parts.misfits.count("somebody", "malformed", "not a row")
    hub.parts.alerts.raise_("d-0-1", "cloned-disk", "two machines")
    hub.session()
    told = read(hub)
    assert told["tongtang_devices_known"] == {(): 12.0}
    assert told["tongtang_devices_online"] == {(): 10.0}
    assert told["tongtang_devices"][("state", "down"),] == 2.0
    assert sum(told["tongtang_devices"].values()) == 12.0
    assert told["tongtang_misfits_total"] == {(("reason", "malformed"),): 1.0}
    assert told["tongtang_alerts_open"] == {(("kind", "cloned-disk"),): 1.0}
    assert told["tongtang_sessions"] == {(("state", "scheduled"),): 1.0}
    assert told["tongtang_rooms"][("standing", "at-risk"),] == 2.0
    assert told["tongtang_outbox_rows"][("quantile", "1"), ("school", "school 0")] == 4.0
    assert told["tongtang_outbox_rows"][("quantile", "0.5"), ("school", "school 0")] == 2.0
    assert told["tongtang_clock_offset_seconds"][("quantile", "1"), ("school", "school 1")] == 4.0
    assert told["tongtang_commit_seconds_count"] == {(): 10.0}
    assert told["tongtang_commit_seconds_bucket"][("le", "0.05"),] == 0.0
    assert told["tongtang_commit_seconds_bucket"][("le", "+Inf"),] == 10.0
    assert told["tongtang_database_bytes"][()] > 0
    assert told["tongtang_broker_up"] == {(): 1.0}
    assert told["tongtang_database_up"] == {(): 1.0}


def test_a_large_district_stays_within_a_few_hundred_series_and_names_no_device(hub: District):
    fill(hub, 130, 2)
    text = httpx.get(hub.url + "/metrics", headers=hub.headers).text
    series = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(series) < 600
    assert "d-0-1" not in text
    assert 'school="others"' in text


def test_two_hubs_in_one_process_keep_their_figures_apart(hub: District, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = make(tmp_path / "other")
    with answering(other):
        fill(hub, 1, 3)
        assert read(other)["tongtang_devices_known"] == {(): 0.0}
        assert read(hub)["tongtang_devices_known"] == {(): 5.0}


@pytest.fixture
def with_token(tmp_path: Path):
    (tmp_path / "with").mkdir()
    made = make(tmp_path / "with", metrics={"token": TOKEN})
    with answering(made):
        made.register()
        yield made


def test_the_metrics_token_opens_metrics_and_nothing_else(with_token: District):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(with_token.url + "/metrics", headers=headers).status_code == 200
    for path in ("/", "/api/v1/devices", "/api/v1/health", "/api/v1/packages/s-2026-abcd/room-lead"):
        assert httpx.get(with_token.url + path, headers=headers).status_code == 403, path


def test_metrics_are_closed_to_everybody_else(with_token: District):
    assert httpx.get(with_token.url + "/metrics").status_code == 401
    assert httpx.get(with_token.url + "/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert httpx.get(with_token.url + "/metrics", headers=with_token.lead.headers).status_code == 403
    assert httpx.get(with_token.url + "/metrics", headers=with_token.headers).status_code == 200


def test_without_a_metrics_token_an_empty_one_opens_nothing(hub: District):
    for shown in ("", "Bearer", "Bearer  x", "Basic"):
        assert httpx.get(hub.url + "/metrics", headers={"Authorization": shown}).status_code == 401


def test_figures_of_memory_are_told_while_the_database_is_down(with_token: District):
    with with_token.parts.store.database.write() as connection:
        connection.execute(text("ALTER TABLE session RENAME TO gone"))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    told = httpx.get(with_token.url + "/metrics", headers=headers).text
    assert "tongtang_database_up 0.0" in told
    assert "tongtang_devices_known 2.0" in told
    assert "tongtang_sessions" not in told


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_metric_of_the_dashboard_is_one_that_the_hub_tells(hub: District):
    fill(hub, 1, 1)
    hub.parts.misfits.count("somebody", "malformed", "not a row")
    hub.parts.alerts.raise_("d-0-0", "cloned-disk", "two machines")
    hub.session()
    told = read(hub)
    for expression in expressions():
        labels = re.findall(r"\{([^}]*)\}", expression)
        bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
        names = set(re.findall(r"[a-z_]{2,}", bare)) - FUNCTIONS
        assert names, expression
        for name in names:
            assert name in told, f"{name} of {expression!r} is told by no hub"
            for label in (one.split("=")[0] for given in labels for one in given.split(",")):
                assert any(label in dict(series) for series in told[name]), f"{name} has no label {label}"


def test_the_example_for_prometheus_reads_the_route_that_there_is():
    text = (ROOT / "configs" / "prometheus.yml").read_text(encoding="utf-8")
    assert "metrics_path: /metrics" in text
    assert "credentials_file:" in text
