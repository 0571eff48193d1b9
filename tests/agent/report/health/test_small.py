"""1,893 devices send a sample each five seconds: what an ordinary one weighs."""

from agent.report.health.wanted import Wanted
from agent.report.report import Report
from contract.keys import new_device_key, new_hub_key
from contract.telemetry import Row
from tests.agent.report.conftest import identity_of, settings_of

ROW_BYTES = 400
WHOLE_BYTES = 1400
BOOT = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"


def weight(data):
    row = Row(
        stream="0123456789abcdef",
        seq=1_234_567,
        first=1_234_560,
        kept=1_100_000,
        id="shiqiao-3-screen-abcdef12-1234567",
        kind="health",
        boot=BOOT,
        mono_ns=1_234_567_890_123_456,
        wall=1795312800.253141,
        data=data,
    )
    return len(row.model_dump_json().encode())


def test_an_ordinary_sample_is_small_and_a_whole_one_is_rare(tmp_path):
    identity = identity_of(new_device_key(), new_hub_key().public_key(), 1)
    report = Report(
        identity, settings_of(tmp_path), incarnation="i-1", boot=BOOT, wanted=Wanted(camera=0, microphone=True)
    )
    try:
        samples = [report.health._health.sample() for _ in range(3)]
    finally:
        report.stop(drain_s=0)
    assert samples[0]["all"] is True
    assert len(samples[0]) > 20
    assert weight(samples[0]) <= WHOLE_BYTES
    assert min(weight(one) for one in samples[1:]) <= ROW_BYTES
