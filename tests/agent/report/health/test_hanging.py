"""A file whose read never comes back, as on a network folder whose server is gone."""

import os
import time

import pytest

from agent.report.health.wanted import Wanted
from agent.report.report import Report
from tests.agent.report.brokers import wait_for
from tests.agent.report.conftest import identity_of, settings_of

FIFO = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no file whose read hangs")


@FIFO
def test_a_file_that_hangs_costs_one_figure_and_neither_the_others_nor_the_end(broker, hub, tmp_path, device_key):
    state = tmp_path / "hanging"
    state.mkdir()
    os.mkfifo(state / "certificate.pem")
    identity = identity_of(device_key, hub.key.public_key(), broker.port)
    report = Report(identity, settings_of(state, health_s=0.3), incarnation="i-1", wanted=Wanted(camera=99))
    report.start()
    try:
        assert wait_for(lambda: len(hub.store.rows.latest("d-1", "tele")) >= 3)
        first = hub.store.rows.latest("d-1", "tele")[-1]["data"]
        assert first["failed"] == ["certificate: hangs"]
        assert first["camera"] == "missing"
        assert "certificate_days" not in first
        began = time.monotonic()
        assert report.stop()
        assert time.monotonic() - began < 20
    finally:
        report.stop(drain_s=0)
        os.close(os.open(state / "certificate.pem", os.O_WRONLY | os.O_NONBLOCK))  # lets the look go
