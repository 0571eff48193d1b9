import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.observe.timeline import TimelineWriter, read_timeline, summary
from contract.observation import Observation


def line(kind: str, t: float, seconds: float = 0.0, **value: object) -> Observation:
    return Observation(kind=kind, t=t, mono_ns=round(t * 1e9), seconds=seconds, value=value)


def test_lines_come_back_in_order(tmp_path: Path):
    path = tmp_path / "timeline.jsonl"
    writer = TimelineWriter(path, print)
    sent = [line("people", at / 10, count=at) for at in range(500)]
    for one in sent:
        writer.write(one)
    writer.close()
    writer.close()
    assert list(read_timeline(path).observations) == sent
    assert writer.counts.written == 500


def test_a_line_reaches_the_file_within_half_a_second(tmp_path: Path):
    path = tmp_path / "timeline.jsonl"
    writer = TimelineWriter(path, print)
    for at in range(5):
        writer.write(line("people", at, count=at))
        time.sleep(0.05)
    deadline = time.monotonic() + 0.5
    while len(read_timeline(path).observations) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(read_timeline(path).observations) == 5
    writer.close()


def test_nothing_may_be_added_after_closing(tmp_path: Path):
    writer = TimelineWriter(tmp_path / "timeline.jsonl", print)
    writer.close()
    with pytest.raises(ValueError, match="closed; nothing may be added"):
        writer.write(line("people", 0.0))


def test_a_torn_last_line_is_left_out_and_cut_off_before_more_is_added(tmp_path: Path):
    path = tmp_path / "timeline.jsonl"
    first, second = line("slide", 1.0, index=1), line("slide", 2.0, index=2)
    path.write_bytes(first.model_dump_json().encode() + b"\n" + second.model_dump_json().encode()[:20])
    assert (read_timeline(path).observations, read_timeline(path).torn) == ((first,), True)
    writer = TimelineWriter(path, print)
    writer.write(second)
    writer.close()
    assert (read_timeline(path).observations, read_timeline(path).torn) == ((first, second), False)


def test_lines_that_are_not_observations_are_counted(tmp_path: Path):
    path = tmp_path / "timeline.jsonl"
    path.write_bytes(b"\x00\x00\x00\n" + line("slide", 1.0).model_dump_json().encode() + b"\n")
    assert read_timeline(path).unreadable == 1
    assert len(read_timeline(path).observations) == 1


def test_a_timeline_that_was_never_begun_is_empty(tmp_path: Path):
    assert read_timeline(tmp_path / "timeline.jsonl").observations == ()


FULL_DISK = """
import resource, sys, time
from pathlib import Path
from agent.observe.timeline import TimelineWriter, read_timeline
from contract.observation import Observation
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
told = []
writer = TimelineWriter(path, told.append, sync_s=0.05)
def write(start):
    for at in range(start, start + 50):
        writer.write(Observation(kind="people", t=at, mono_ns=at))
        time.sleep(0.002)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
write(0)
time.sleep(0.3)
held = len(read_timeline(path).observations)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write(50)
time.sleep(0.2)
writer.close()
lines = read_timeline(path)
assert held < 50, held
assert [one.mono_ns for one in lines.observations] == list(range(100)), lines
assert not lines.torn and not lines.unreadable
assert writer.counts.dropped == 0 and writer.counts.failures >= 1
assert len(told) == 1 and "free space on the disk" in told[0], told
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a file size limit stands for the full disk, which Windows lacks")
def test_a_full_disk_is_told_once_and_lines_follow_in_order_when_there_is_room(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "timeline.jsonl")], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr


def test_the_summary_says_talk_time_slides_and_people():
    lines = [
        line("cadence", 0.0, speech_s=0.032, people_s=1.0, slides_s=0.5),
        line("speech", 1.0, 4.0),
        line("speech", 5.0, 2.0, continues=True),
        line("slide", 0.0, index=1),
        line("slide", 9.0, index=2),
        *[line("people", float(at), count=30 + at % 3) for at in range(20)],
    ]
    told = summary(lines, 20.0)
    assert told.observations == len(lines)
    assert told.speech_seconds == 6.0
    assert told.talk_share is None
    assert (told.people.median, told.people.known) == (31.0, True)
    assert told.slides == 2


def test_without_counts_the_number_of_people_is_unknown():
    lines = [line("people", float(at), count=None) for at in range(20)]
    assert summary(lines).people.known is False
    assert summary([]).people.median is None


def test_only_session_time_counts():
    lines = [line("speech", -2.0, 4.0), line("speech", 18.0, 5.0), line("slide", 25.0, index=9)]
    told = summary(lines, 20.0)
    assert told.speech_seconds == 4.0
    assert told.slides == 0
