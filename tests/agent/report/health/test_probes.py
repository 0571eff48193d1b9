import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from agent.identity import IdentityDamaged
from agent.report.clock import HubClock
from agent.report.health import camera, certificate, disk, hubclock, memory, microphone, processor, temperature, waiting
from agent.report.health.versions import versions
from agent.report.health.wanted import Presence, Wanted, opened
from agent.report.outbox import Outbox, Sample
from contract.keys import new_device_key
from contract.signal import ClockReply

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("wanted", "there", "used", "listed", "said"),
    [
        (None, ["video0"], [], True, "unneeded"),
        (0, ["video0"], [], True, "present"),
        (1, ["video0"], [], True, "missing"),
        (0, ["video0"], ["video0"], True, "in-use"),
        (0, [], [], False, "unknown"),
    ],
)
def test_a_camera_is_looked_for_without_being_opened(tmp_path, wanted, there, used, listed, said):
    for name in there:
        (tmp_path / name).touch(mode=0o000)
    used_paths = frozenset(str(tmp_path / name) for name in used)
    assert camera.presence(Wanted(camera=wanted), tmp_path, used_paths, listed=listed) == said


@pytest.mark.parametrize(
    ("wanted", "there", "used", "listed", "said"),
    [
        (False, ["pcmC0D0c"], [], True, "unneeded"),
        (True, ["pcmC0D0c", "pcmC0D0p"], [], True, "present"),
        (True, ["pcmC0D0p", "controlC0"], [], True, "missing"),
        (True, ["pcmC0D0c"], ["pcmC0D0c"], True, "in-use"),
        (True, [], [], False, "unknown"),
    ],
)
def test_a_microphone_is_looked_for_without_being_opened(tmp_path, wanted, there, used, listed, said):
    for name in there:
        (tmp_path / name).touch()
    used_paths = frozenset(str(tmp_path / name) for name in used)
    assert microphone.presence(Wanted(microphone=wanted), tmp_path, used_paths, listed=listed) == said


def test_a_machine_without_any_sound_has_no_microphone(tmp_path):
    assert microphone.presence(Wanted(microphone=True), tmp_path / "none", frozenset(), listed=True) is Presence.MISSING


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not tell what a process has open")
def test_what_this_process_has_open_is_known(tmp_path):
    with (tmp_path / "video0").open("w"):
        assert str(tmp_path / "video0") in set(opened())
        probe = camera.probe(lambda: Wanted(camera=0), tmp_path)
        assert probe.look() == {"camera": "in-use"}
    assert str(tmp_path / "video0") not in set(opened())


def test_a_disk_tells_what_is_free_and_what_recording_leaves_free(tmp_path):
    found = disk.probe(tmp_path, 2 << 30).look()
    assert 0 < found["disk_free_mib"] <= found["disk_total_mib"]
    assert found["disk_floor_mib"] == 2048


def test_a_disk_that_is_gone_is_told(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        disk.probe(tmp_path / "gone", 0).look()


def test_load_is_between_nothing_and_everything_and_counts_between_looks():
    load = processor.Load()
    began = load.look()["cpu_seconds"]
    sum(number * number for number in range(3_000_000))
    found = load.look()
    assert 0 < found["cpu_percent"] <= 100
    assert found["cpu_seconds"] >= began


def test_memory_and_temperature_are_told_where_there_is_something_to_tell():
    assert memory.look()["memory_free_mib"] > 0
    assert memory.look()["memory_agent_mib"] > 0
    assert set(temperature.look()) <= {"temperature_c"}


def test_an_outbox_tells_how_many_wait_and_for_how_long(tmp_path):
    box = Outbox(tmp_path / "event.db", machine="m")
    probe = waiting.probe("event", box.depth, "b", wall=lambda: 130.0, mono_ns=lambda: 31_000_000_000)
    assert probe.look() == {"event_rows": 0, "event_age_s": 0.0, "event_dropped": 0}
    box.put(Sample("p-1", "thing", "b", 1_000_000_000, 100.0))
    box.put(Sample("p-2", "thing", "b", 2_000_000_000, 101.0))
    assert probe.look() == {"event_rows": 2, "event_age_s": 30.0, "event_dropped": 0}
    box.close()


def test_the_clock_tells_how_far_the_wall_is_from_the_hub(tmp_path):
    clock = HubClock(tmp_path / "clock.json", "b", mono_ns=lambda: 1_000_000_000, wall_ns=lambda: 50_000_000_000)
    probe = hubclock.probe(clock, lambda: 1_000_000_000, lambda: 50_000_000_000)
    assert probe.look() == {"clock_offset_ms": None, "clock_error_ms": None, "clock_source": "wall"}
    t1 = clock.ask()
    reply = ClockReply(device="d-1", t1_ns=t1, t2_ns=57_000_000_000, t3_ns=57_000_000_000)
    assert clock.answer(reply, t1)
    assert probe.look() == {"clock_offset_ms": 7000, "clock_error_ms": 0.0, "clock_source": "exchange"}


def certificate_until(folder, expires):
    key = new_device_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "d-1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(expires - dt.timedelta(days=30))
        .not_valid_after(expires)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(Encoding.PEM))


@pytest.mark.parametrize("days", [20.0, 0.5, -3.0])
def test_a_certificate_tells_its_days(tmp_path, days):
    certificate_until(tmp_path, NOW + dt.timedelta(days=days))
    assert certificate.probe(tmp_path, NOW.timestamp).look() == {"certificate_days": days}


def test_a_device_without_a_certificate_says_so(tmp_path):
    assert certificate.probe(tmp_path, NOW.timestamp).look() == {"certificate_days": None}


def test_a_damaged_certificate_is_a_probe_that_fails(tmp_path):
    (tmp_path / "certificate.pem").write_text("nonsense")
    with pytest.raises(IdentityDamaged, match="no usable certificate"):
        certificate.probe(tmp_path, NOW.timestamp).look()


def test_versions_name_agent_python_system_and_the_libraries_that_are_there():
    found = versions("0.1.0", ("paho-mqtt", "no-such-library"))
    assert found["tongtang"] == "0.1.0"
    assert {"python", "system", "paho-mqtt"} <= found.keys()
    assert "no-such-library" not in found
