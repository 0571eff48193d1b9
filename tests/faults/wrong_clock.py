"""A device whose wall clock stands anywhere: `python -m tests.faults.wrong_clock STATE KEY HUB_KEY PORT`.

Takes lines on its standard input and answers each with `ok`: `shift S` sets the wall clock S seconds away
from the right time, `put N` reports N rows, `drain` waits until the hub has everything.
"""

import sys
import time
from pathlib import Path

_right, _right_ns = time.time, time.time_ns
_shift_s = 0.0
# Before anything of ours is loaded: everything in this process sees this clock.
time.time = lambda: _right() + _shift_s
time.time_ns = lambda: _right_ns() + int(_shift_s * 1e9)


def main() -> None:
    global _shift_s
    from agent.report.report import Report
    from contract.keys import load_private, load_public
    from tests.agent.report.conftest import identity_of, settings_of

    state, key, hub_key, port = sys.argv[1:]
    report = None
    number = 0
    for line in sys.stdin:
        what, _, value = line.strip().partition(" ")
        if what == "shift":
            _shift_s = float(value)
        if report is None:
            identity = identity_of(load_private(Path(key)), load_public(Path(hub_key).read_text()), int(port))
            report = Report(identity, settings_of(Path(state)), incarnation=str(time.monotonic_ns()))
            report.start()
        for _ in range(int(value) if what == "put" else 0):
            number += 1
            report.reporter.event("thing", {"number": number})
            report.reporter.telemetry("sample", {"number": number})
        done = report.drain(60) if what == "drain" else True
        print("ok" if done else "not drained", flush=True)


if __name__ == "__main__":
    main()
