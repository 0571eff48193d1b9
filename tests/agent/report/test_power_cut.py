"""What a power cut costs of reports: the block device is copied in mid-write, and the copy mounted."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.report.outbox import Outbox
from agent.report.outboxes import EVENT_SYNC_S, TELEMETRY_SYNC_S
from agent.report.reporter import Reporter
from tests.faults.test_power_cut import ext4, mounted, run

pytestmark = [pytest.mark.paired, pytest.mark.faults]
MOST_LOST_S = 1.0
WRITE = """
import itertools, sys, threading, time
from pathlib import Path
from agent.report.outbox import Outbox
from agent.report.reporter import Reporter
box = Outbox(Path(sys.argv[1]) / "box.db", machine="m", sync_s=float(sys.argv[2]))
reporter = Reporter(box, box, device="d", boot="b")

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()

def send():
    sent = 0
    while True:
        for place, row in box.after(sent, 50):
            say("sent", place, row.data["n"], time.monotonic())
            sent = place
        time.sleep(0.005)

threading.Thread(target=send, daemon=True).start()
for number in itertools.count():
    reporter.event("thing", {"n": number})
    say("put", 0, number, time.monotonic())
    time.sleep(0.01)
"""


class Writing:
    """A process that puts a hundred rows a second and sends what it may, and when it had done each."""

    def __init__(self, folder: Path, sync_s: float) -> None:
        command = [sys.executable, "-c", WRITE, str(folder), str(sync_s)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
        self.put_at: list[float] = []
        self.sent: list[tuple[float, int, int]] = []
        """When, at which place, which row."""
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            what, place, number, at = line.split()
            if what == "put":
                self.put_at.append(float(at))
            else:
                self.sent.append((float(at), int(place), int(number)))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdout.close()


@pytest.mark.parametrize("sync_s", [EVENT_SYNC_S, TELEMETRY_SYNC_S], ids=["events", "telemetry"])
def test_a_power_cut_costs_at_most_a_second_and_no_number_is_handed_out_twice(tmp_path, sync_s):
    image = ext4(tmp_path / "disk.img", 64)
    copy = tmp_path / "copy.img"
    with mounted(image, tmp_path / "disk") as disk:
        writing = Writing(disk, sync_s)
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
    sent = {place: number for at, place, number in writing.sent if at <= cut_at}
    with mounted(copy, tmp_path / "after") as after:  # the journal is replayed, as at the next start
        box = Outbox(after / "box.db", machine="m")
        Reporter(box, box, device="d", boot="b2").event("thing", {"n": "after the cut"})
        box.flush()
        *old, new = [(place, row.data["n"]) for place, row in box.after(0, 1_000_000)]
        box.close()
    kept = [number for _, number in old]
    assert safe > 100
    assert kept == list(range(len(kept))), "nothing is missing in between"
    assert len(kept) >= safe, f"{safe - len(kept)} rows older than {MOST_LOST_S} s are gone"
    assert len(sent) > 100
    assert sent.items() <= dict(old).items(), "a row that was sent is gone, and its number free for another"
    assert new == (len(kept) + 1, "after the cut")
