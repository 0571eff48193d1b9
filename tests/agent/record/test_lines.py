import os
import time

from agent.record import durable
from agent.record.durable import SYNC_LINES_S, Lines, SyncedFile
from agent.record.lines import LineWriter
from tests.patience import until


def test_lines_are_on_the_disk_within_a_second_also_the_last_one(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(durable, "sync_data", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    writer = LineWriter({"timeline": tmp_path / "timeline.jsonl"})
    writer.start()
    for index in range(4):
        writer.take("timeline", f"line {index}")
    until(lambda: synced and synced[-1] == 28)  # without a line that came after it
    assert synced[-1] == 28
    assert SYNC_LINES_S < 1.0
    assert writer.stop(5)
    assert (tmp_path / "timeline.jsonl").read_text().splitlines() == [f"line {index}" for index in range(4)]


def test_a_line_for_a_file_that_is_not_kept_goes_nowhere(tmp_path):
    writer = LineWriter({})
    writer.start()
    writer.take("timeline", "x")
    assert writer.stop(5)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_drops_whole_lines_counts_them_and_goes_on(tmp_path, monkeypatch):
    lines = Lines(tmp_path / "quality.jsonl", time.monotonic)
    assert lines.append("first")
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:3]))
        assert not lines.append("second")
    assert lines.append("third")
    lines.close()
    lines.close()
    assert lines.dropped == 1
    assert (tmp_path / "quality.jsonl").read_text() == "first\nthird\n"


def test_a_synced_file_is_cut_where_it_was_last_synced(tmp_path):
    file = SyncedFile(tmp_path / "a")
    file.write(b"whole")
    file.sync()
    file.write(b"torn")
    file.close()
    file.close()
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert file.trouble is None
