"""What a power cut costs of telemetry: the block device is copied in mid-write, and the copy mounted."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.report.outbox import Outbox
from tests.faults.test_power_cut import ext4, mounted, run

pytestmark = pytest.mark.faults
MOST_LOST_S = 1.0
WRITE = """
import itertools, sys, time
from pathlib import Path
from agent.report.outbox import Outbox
from agent.report.reporter import Reporter
box = Outbox(Path(sys.argv[1]) / "event.db", machine="m")
reporter = Reporter(box, box, device="d", boot="b")
for number in itertools.count():
    reporter.event("thing", {"n": number})
    print(number, time.monotonic(), flush=True)
    time.sleep(0.01)
"""


class Writing:
    """A process that puts a hundred rows a second, and when it had put each."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", WRITE, str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
        self.put_at: list[float] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.put_at.append(float(line.split()[1]))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdout.close()


def test_a_power_cut_costs_at_most_a_second_of_telemetry(tmp_path):
    image = ext4(tmp_path / "disk.img", 64)
    copy = tmp_path / "copy.img"
    with mounted(image, tmp_path / "disk") as disk:
        writing = Writing(disk)
        try:
            deadline = time.monotonic() + 30
            while len(writing.put_at) < 300:
                assert time.monotonic() < deadline, "the rows do not get on"
                time.sleep(0.01)
            cut_at = time.monotonic()
            code, words = run("cp", "--sparse=always", str(image), str(copy))
            assert code == 0, words
        finally:
            writing.kill()
    safe = sum(at <= cut_at - MOST_LOST_S for at in writing.put_at)
    with mounted(copy, tmp_path / "after") as after:  # the journal is replayed, as at the next start
        box = Outbox(after / "event.db", machine="m")
        kept = [row.data["n"] for row in box.after(0, 1_000_000)]
        box.close()
    assert safe > 100
    assert kept == list(range(len(kept))), "nothing is missing in between"
    assert len(kept) >= safe, f"{safe - len(kept)} rows older than {MOST_LOST_S} s are gone"
