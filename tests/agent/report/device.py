"""A device as a process of its own, to be killed: `python device.py FOLDER KEY HUB_KEY PORT PER_S`."""

import sys
import time
from pathlib import Path

from agent.report.report import Report
from contract.keys import load_private, load_public
from tests.agent.report.conftest import identity_of, settings_of

folder, key, hub_key, port, per_s = sys.argv[1:]
report = Report(
    identity_of(load_private(Path(key)), load_public(Path(hub_key).read_text()), int(port)),
    settings_of(Path(folder), health_s=0.1),
    incarnation=str(time.time_ns()),
)
report.start()
print("up", flush=True)
for number in range(1_000_000):
    report.reporter.event("thing", {"number": number})
    report.reporter.telemetry("sample", {"number": number})
    time.sleep(1 / float(per_s))
