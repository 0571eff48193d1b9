import itertools
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.report.outbox import Outbox, Sample
from agent.report.reporter import Ledger, Reporter, make_good
from contract.telemetry import Row, Watermark
from tests.agent.report.brokers import wait_for

DAY_S = 86_400.0


def sample(number: int, **data) -> Sample:
    return Sample(f"p-{number}", "sample", "boot", number, 0.0, data)


@pytest.fixture
def said():
    return []


@pytest.fixture
def make(tmp_path, said):
    made = []

    def one(path: Path = tmp_path / "box.db", machine: str = "m-1", **more) -> Outbox:
        made.append(Outbox(path, machine=machine, say=said.append, **more))
        return made[-1]

    yield one
    for box in made:
        box.close()


def rows(box: Outbox) -> list[Row]:
    """All that would be sent now."""
    box.flush()
    return [row for _, row in box.after(0, 100_000)]


def ids(box: Outbox) -> list[str]:
    return [row.id for _, row in box.after(0, 100_000)]


def fill(box: Outbox, numbers, words: str = "") -> None:
    for number in numbers:
        assert box.put(sample(number, words=words))
    box.flush()


def test_rows_come_out_in_order_with_contiguous_numbers(make):
    box = make()
    for number in range(1, 101):
        assert box.put(sample(number))
    box.flush()
    assert [row.seq for row in rows(box)] == list(range(1, 101))
    assert {row.first for row in rows(box)} == {1}


def test_only_the_hubs_mark_lets_rows_go(make):
    box = make()
    fill(box, range(1, 11))
    assert box.acknowledge(Watermark(stream=box.stream, upto=4)) == 4
    assert box.acknowledge(Watermark(stream="another", upto=9)) is None
    assert ids(box) == [f"p-{number}" for number in range(5, 11)]
    assert (rows(box)[0].first, box.depth().rows) == (5, 6)


def test_a_mark_counts_no_further_than_rows_went_out(make):
    box = make()
    fill(box, range(1, 11))
    assert box.acknowledge(Watermark(stream=box.stream, upto=8), sent=3) == 3
    assert ids(box)[0] == "p-4"


def test_what_the_hub_has_is_kept_and_goes_out_again_when_the_hub_asks(make):
    box = make()
    fill(box, range(1, 11))
    box.acknowledge(Watermark(stream=box.stream, upto=10))
    assert (box.depth().rows, box.depth().kept, ids(box)) == (0, 10, [])
    assert box.acknowledge(Watermark(stream=box.stream, upto=6, rewind=True)) == 6
    assert [(row.seq, row.first, row.kept) for row in rows(box)] == [(n, 7, 1) for n in range(7, 11)]
    box.close()
    assert ids_flushed(make()) == [f"p-{number}" for number in range(7, 11)]


def test_a_hub_that_asks_for_more_than_is_kept_gets_all_that_is(make):
    box = make(cap_bytes=1 << 18)
    for number in range(1, 3001):
        box.put(sample(number, words="x" * 300))
        if number % 500 == 0:
            box.flush()
            box.acknowledge(Watermark(stream=box.stream, upto=number))
    assert wait_for(lambda: box.depth().kept < 1000)
    assert box.depth().dropped == 0, "what the hub has is not lost"
    box.acknowledge(Watermark(stream=box.stream, upto=5, rewind=True))
    first = rows(box)[0]
    assert first.seq == first.first == first.kept > 2000
    assert rows(box)[-1].id == "p-3000"


def test_the_file_stops_growing_at_its_cap(make, tmp_path):
    box = make(cap_bytes=1 << 20, sync_s=0.01)
    for number in range(1, 12_001):
        box.put(sample(number, words="x" * 500))
        if number % 300 == 0:
            box.flush()
            box.acknowledge(Watermark(stream=box.stream, upto=number))
    assert wait_for(lambda: box._box.bytes()[0] <= 1 << 20)
    numbers = itertools.count(12_001)

    def files():
        return {path.name: path.stat().st_size for path in tmp_path.glob("box.db*") if "ballast" not in path.name}

    def small() -> bool:
        # A log that grew while the disk was slow is cut by the rows that come later.
        number = next(numbers)
        box.put(sample(number, words="x" * 500))
        box.flush()
        box.acknowledge(Watermark(stream=box.stream, upto=number))
        return sum(files().values()) < 3 << 20

    assert wait_for(small), files()
    assert box.depth().dropped == 0
    assert box.depth().kept > 1000


class Hours:
    """A clock that nobody sets, in seconds; the test turns it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def noted(path: Path) -> int:
    """The place up to which the outbox has noted that the hub has everything."""
    with sqlite3.connect(path) as db:
        place = db.execute("SELECT max(place) FROM passed").fetchone()[0]
    db.close()
    return place or 0


def test_what_the_hub_has_is_let_go_after_a_week_of_running(make):
    clock = Hours()
    box = make(keep_s=7 * DAY_S, mono_s=clock, sync_s=0.01)
    fill(box, range(1, 4001))
    box.acknowledge(Watermark(stream=box.stream, upto=3000))
    clock.now_s += 1 * DAY_S
    box.put(sample(4001))
    assert wait_for(lambda: noted(box.path) == 3000)
    box.flush()
    box.acknowledge(Watermark(stream=box.stream, upto=4001))
    clock.now_s += 3 * DAY_S
    box.close()
    clock.now_s = 5.0  # the machine was off meanwhile
    again = make(keep_s=7 * DAY_S, mono_s=clock, sync_s=0.01)
    clock.now_s += 4.5 * DAY_S
    again.put(sample(4002))
    assert wait_for(lambda: again.depth().kept == 1001)
    again.put(sample(4003))
    again.flush()
    assert again.depth().kept == 1001, "these have not been with the hub for a week"
    clock.now_s += 3 * DAY_S
    again.put(sample(4004))
    assert wait_for(lambda: again.depth().kept == 0)
    assert ids_flushed(again) == ["p-4002", "p-4003", "p-4004"]


def test_a_wall_clock_that_jumps_lets_nothing_go_early(make):
    clock = Hours()
    box = make(keep_s=7 * DAY_S, mono_s=clock, sync_s=0.01)
    for number, wall in enumerate([0.0, 1.8e9, 4e9, 0.0], start=1):
        box.put(Sample(f"p-{number}", "sample", "boot", number, wall))
    box.flush()
    box.acknowledge(Watermark(stream=box.stream, upto=4))
    clock.now_s += DAY_S
    box.put(sample(5))
    assert wait_for(lambda: noted(box.path) == 4)
    assert box.depth().kept == 4


def test_the_age_of_what_waits_is_not_judged_by_a_clock_that_was_set(make):
    box = make()
    box.put(Sample("p-1", "sample", "boot", 5_000_000_000, wall=0.0))
    assert box.depth().age_s("boot", 12_000_000_000, wall=1.8e9) == 7.0
    assert box.depth().age_s("next boot", 1, wall=60.0) == 60.0
    assert box.depth().age_s("next boot", 1, wall=-60.0) == 0.0


def test_numbers_go_on_after_everything_was_acknowledged_and_the_service_restarted(make):
    box = make()
    box.put(sample(1))
    box.flush()
    box.acknowledge(Watermark(stream=box.stream, upto=1))
    box.close()
    again = make()
    again.put(sample(2))
    again.flush()
    assert (again.stream, rows(again)[0].seq) == (box.stream, 2)


def test_a_row_is_not_sent_before_a_power_cut_can_no_longer_take_it(make):
    box = make(sync_s=30.0)
    box.put(sample(1))
    assert ids(box) == []
    box.flush()
    assert ids(box) == ["p-1"]


def test_a_row_is_safe_and_sent_a_fraction_of_a_second_later(make):
    box = make()
    woken = threading.Event()
    box.wake = woken.set
    box.put(sample(1))
    assert woken.wait(1.0)
    assert ids(box) == ["p-1"]


def test_any_thread_may_put(make):
    box = make()
    threads = [
        threading.Thread(target=lambda base=base: [box.put(sample(base + n)) for n in range(200)])
        for base in range(0, 1600, 200)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    box.flush()
    assert len(set(ids(box))) == 1600


def test_a_damaged_file_is_moved_aside_and_told_and_a_new_stream_begins(make, said, tmp_path):
    box = make()
    for number in range(200):
        box.put(sample(number, words="x" * 200))
    box.close()
    path = tmp_path / "box.db"
    data = bytearray(path.read_bytes())
    data[4096:12288] = os.urandom(8192)
    path.write_bytes(data)
    again = make()
    assert again.stream != box.stream
    assert again.put(sample(1))
    assert len(list(tmp_path.glob("box.db.damaged-*"))) >= 1
    assert len([one for one in said if "damaged" in one]) == 1


def test_a_file_that_is_no_database_is_moved_aside_too(make, tmp_path):
    (tmp_path / "box.db").write_bytes(b"this was never a database" * 100)
    assert make().put(sample(1))


def test_on_another_machine_new_rows_are_of_a_new_stream_and_those_that_wait_keep_their_numbers(make, said):
    box = make()
    fill(box, range(1, 6))
    box.acknowledge(Watermark(stream=box.stream, upto=2))
    box.close()
    copy = make(machine="m-2")
    fill(copy, [6, 7])
    assert copy.stream != box.stream
    assert [(row.stream, row.seq, row.first, row.kept, row.id) for row in rows(copy)] == [
        *[(box.stream, n, 3, 1, f"p-{n}") for n in (3, 4, 5)],
        (copy.stream, 1, 1, 1, "p-6"),
        (copy.stream, 2, 1, 1, "p-7"),
    ]
    assert len(said) == 1
    # The original goes on meanwhile; a mark for its stream covers what both have.
    copy.acknowledge(Watermark(stream=box.stream, upto=900))
    assert ids(copy) == ["p-6", "p-7"]
    copy.acknowledge(Watermark(stream=copy.stream, upto=1))
    copy.close()
    again = make(machine="m-2")
    assert [(row.stream, row.seq, row.first) for row in rows(again)] == [(copy.stream, 2, 2)]


def test_a_hub_that_never_heard_of_the_new_stream_gets_the_end_of_the_one_before_too(make):
    box = make()
    fill(box, [1, 2])
    box.acknowledge(Watermark(stream=box.stream, upto=2))
    box.close()
    copy = make(machine="m-2")
    fill(copy, [3])
    copy.acknowledge(Watermark(stream=copy.stream, upto=1))
    copy.acknowledge(Watermark(stream=copy.stream, upto=0, rewind=True))
    assert ids(copy) == ["p-1", "p-2", "p-3"]


def test_as_another_device_everything_that_waits_goes_out_as_a_new_stream(make):
    box = make(device="d-1")
    fill(box, range(1, 6))
    box.acknowledge(Watermark(stream=box.stream, upto=2))
    box.close()
    other = make(device="d-2")
    assert [(row.stream, row.seq, row.id) for row in rows(other)] == [
        (other.stream, n, f"p-{n + 2}") for n in (1, 2, 3)
    ]
    assert other.stream != box.stream
    other.acknowledge(Watermark(stream=other.stream, upto=0, rewind=True))
    assert len(rows(other)) == 3, "what the other device had told is not this one's to tell"


def test_a_restored_older_file_sends_what_waits_as_a_new_stream_and_tells_earlier_numbers(make, said):
    before = make()
    fill(before, range(1, 4))
    before.acknowledge(Watermark(stream=before.stream, upto=1))
    before.close()
    box = make()
    fill(box, [4])
    assert ids(box) == ["p-2", "p-3", "p-4"], "and so the hub may have them"
    fill(box, [5, 6])
    old = box.stream
    assert box.acknowledge(Watermark(stream=old, upto=50)) is None
    assert box.stream != old
    waiting = [(box.stream, n, f"p-{n + 1}", was) for n, was in ((1, 2), (2, 3), (3, 4), (4, None), (5, None))]

    def told(one):
        return [(row.stream, row.seq, row.id, row.was and row.was.seq) for row in rows(one)]

    assert told(box) == waiting
    assert {row.was.stream for row in rows(box) if row.was} == {old}
    assert "older than what the hub holds" in said[0]
    box.close()
    again = make()
    assert told(again) == waiting, "also after a restart"
    again.acknowledge(Watermark(stream=again.stream, upto=2))
    assert told(again) == waiting[2:]


def test_a_file_of_the_first_layout_is_taken_over_with_its_stream_and_numbers(make, tmp_path):
    with sqlite3.connect(tmp_path / "box.db") as db:
        db.executescript("""
            CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE box (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, kind TEXT NOT NULL,
                boot TEXT NOT NULL, mono_ns INTEGER NOT NULL, wall REAL NOT NULL, data TEXT NOT NULL);
            CREATE TRIGGER newest AFTER INSERT ON box
                BEGIN INSERT OR REPLACE INTO meta VALUES ('newest', NEW.id); END;
            INSERT INTO meta VALUES ('machine', 'm-1'), ('stream', 'old-stream');
            INSERT INTO box VALUES (41, 'p-41', 'sample', 'boot', 1, 0.0, '{}'),
                (42, 'p-42', 'sample', 'boot', 2, 0.0, '{}');
        """)
    db.close()
    box = make()
    fill(box, [43])
    assert [(row.stream, row.seq, row.first, row.id) for row in rows(box)] == [
        ("old-stream", n, 41, f"p-{n}") for n in (41, 42, 43)
    ]


def test_too_many_rows_give_up_the_oldest_and_declare_the_gap(make, said):
    box = make(cap_bytes=1 << 18)
    for number in range(3000):
        box.put(sample(number, words="x" * 300))
    assert wait_for(lambda: box.depth().dropped > 0)
    row = rows(box)[0]
    assert row.first == row.kept == row.seq > 1
    assert box.depth().rows + box.depth().dropped == 3000
    assert len([one for one in said if "no more room" in one]) == 1


def test_a_row_too_long_for_the_hub_does_not_hold_up_the_others(make):
    box = make()
    box.put(sample(1, words="x" * 500_000))
    row = rows(box)[0]
    assert len(row.model_dump_json()) < 1000
    assert "left_out" in row.data


def test_a_folder_that_cannot_be_written_keeps_rows_in_memory(make, said, tmp_path):
    (tmp_path / "file").write_text("")
    box = make(tmp_path / "file" / "box.db")
    assert box.put(sample(1))
    box.flush()
    assert ids(box) == ["p-1"]
    assert "memory" in said[0]


def test_a_wall_clock_that_jumps_changes_nothing(make):
    box = make()
    walls = iter([2e9, 0.0, 1e9, 3e9])
    reporter = Reporter(box, box, device="d-1", boot="b", wall=lambda: next(walls))
    for number in range(4):
        reporter.event("thing", {"number": number})
    assert [row.data["number"] for row in rows(box)] == [0, 1, 2, 3]
    assert [row.mono_ns for row in rows(box)] == sorted(row.mono_ns for row in rows(box))
    box.acknowledge(Watermark(stream=box.stream, upto=4))
    assert box.depth().rows == 0


def test_a_kill_takes_nothing_that_was_put(tmp_path):
    code = (
        "import sys, itertools; from pathlib import Path\n"
        "from agent.report.outbox import Outbox\n"
        "from agent.report.reporter import Ledger, Reporter, make_good\n"
        "folder = Path(sys.argv[1]); box = Outbox(folder / 'box.db', machine='m')\n"
        "reporter = Reporter(box, box, device='d', boot='b')\n"
        "for n in itertools.count():\n"
        "    reporter.event('thing', {'n': n}); print(n, flush=True)\n"
    )
    produced = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        for _ in range(150):
            assert child.stdout.readline()
        child.kill()
        rest = child.stdout.read()
        child.wait()
        child.stdout.close()
        produced += 150 + rest.count(b"\n")
    box = Outbox(tmp_path / "box.db", machine="m")
    kept = box.depth().rows
    assert [row.seq for row in rows(box)] == list(range(1, kept + 1))
    box.close()
    assert produced <= kept <= produced + 3  # a row that was put and not yet told by its producer


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("a small disk can only be mounted by root on Linux")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_once_and_drains_when_the_hub_is_back(small_disk, said):
    box = Outbox(small_disk / "box.db", machine="m", say=said.append)
    filler = small_disk / "recording.mp4"
    refused = 0
    for number in range(40_000):
        if not box.put(sample(number, words="x" * 1500)):
            refused += 1
            if refused > 50:
                break
    assert refused > 50
    assert len([one for one in said if "disk is full" in one]) == 1
    _fill(filler)

    def drained() -> bool:
        """Acknowledge what there is, as a hub does that is back."""
        box.flush()
        for place, _ in box.after(0, 1 << 30)[199::200] + box.after(0, 1 << 30)[-1:]:
            assert box.acknowledge(Watermark(stream=box.stream, upto=place)) == place
        return not box.after(0, 1)

    assert wait_for(drained, 20)
    filler.unlink()
    assert wait_for(lambda: box.put(sample(1)), 20)
    assert any("takes rows again" in one for one in said)
    assert wait_for(lambda: drained() and box.depth().rows == 0, 20), "rows that waited in memory come after the others"
    box.close()
    with sqlite3.connect(small_disk / "box.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_on_a_full_disk_telemetry_goes_before_any_event(small_disk, said):
    telemetry = Outbox(small_disk / "telemetry.db", machine="m", floor_bytes=1 << 20, say=said.append)
    events = Outbox(small_disk / "event.db", machine="m", lesser=telemetry, say=said.append)
    put = 0
    while telemetry.depth().dropped == 0:
        telemetry.put(sample(put, words="x" * 1500))
        put += 1
    _fill(small_disk / "recording.mp4")
    for number in range(2000):
        assert events.put(sample(number, words="x" * 500))
        time.sleep(0.001)
    assert wait_for(lambda: len(rows(events)) == 2000, 30)
    assert ids(events) == [f"p-{number}" for number in range(2000)]
    assert events.depth().dropped == 0
    left = rows(telemetry)
    assert left[0].seq == left[0].first == left[0].kept > 1, "the gap is declared"
    assert [row.seq for row in left] == list(range(left[0].seq, left[0].seq + len(left))), "from one end only"
    assert telemetry.depth().dropped >= put - len(left) > 0
    telemetry.put(sample(put))
    events.close()
    telemetry.close()
    for name in ("event.db", "telemetry.db"):
        with sqlite3.connect(small_disk / name) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()


def test_rows_that_a_full_disk_never_took_are_told_at_the_end(small_disk, said):
    box = Outbox(small_disk / "box.db", machine="m", say=said.append)
    for number in range(40_000):
        box.put(sample(number, words="x" * 1500))
        if any("disk is full" in one for one in said):
            break
    _fill(small_disk / "recording.mp4")
    for number in range(20):
        box.put(sample(number, words="x" * 1500))
    box.close()
    assert "given up: the disk took nothing to the end" in said[-1]


def _fill(path: Path) -> None:
    """Take the last free byte, as a recording would."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            while True:
                try:
                    if file.write(bytes(size)) < size:
                        break
                except OSError:
                    break


def test_a_ledger_names_each_row_before_it_is_kept(make, tmp_path):
    box = make()
    ledger = Ledger(tmp_path / "produced" / "run.txt")
    reporter = Reporter(box, box, device="d-1", boot="b", ledger=ledger)
    for _ in range(5):
        reporter.telemetry("sample")
    assert Ledger.read(tmp_path / "produced") == ids_flushed(box)
    ledger.close()
    assert reporter.event("thing"), "a ledger that cannot be written must not stop the reports"


def test_a_row_cut_off_between_ledger_and_outbox_is_made_good_once(make, tmp_path):
    box = make()
    ledger = Ledger(tmp_path / "produced" / "run.txt")
    reporter = Reporter(box, box, device="d-1", boot="b", ledger=ledger)
    reporter.event("thing")
    assert not make_good(tmp_path / "produced", (box,))
    ledger.note("box", sample(77, words="断"))
    assert make_good(tmp_path / "produced", (box,))
    assert not make_good(tmp_path / "produced", (box,))
    assert Ledger.read(tmp_path / "produced") == ids_flushed(box)
    ledger.close()


def ids_flushed(box: Outbox) -> list[str]:
    box.flush()
    return ids(box)


def test_putting_a_row_takes_no_more_than_a_blink(make):
    box = make()
    started = time.monotonic()
    for number in range(500):
        box.put(sample(number, words=json.dumps(list(range(50)))))
    assert (time.monotonic() - started) / 500 < 0.02  # a hundred times less on a quiet machine
