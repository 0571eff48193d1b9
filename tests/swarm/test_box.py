"""The light device's box counts as the agent's outbox does."""

from agent.report.outbox import Sample
from contract.telemetry import Watermark
from swarm import box as module
from swarm.box import Box


def filled(rows: int) -> Box:
    box = Box("s")
    for number in range(1, rows + 1):
        box.put(Sample(f"id-{number}", "health", "b", number, 0.0, {}))
    return box


def mark(upto: int, *, rewind: bool = False) -> Watermark:
    return Watermark(stream="s", upto=upto, rewind=rewind)


def test_rows_go_out_in_order_and_say_which_is_the_first_that_waits():
    box = filled(5)
    assert [row.id for row in box.acknowledge(mark(2))] == ["id-1", "id-2"]
    rows = list(box.after(2, 2))
    assert [(row.seq, row.id, row.first, row.kept) for row in rows] == [(3, "id-3", 3, 1), (4, "id-4", 3, 1)]
    assert box.waiting == 3


def test_a_mark_that_comes_again_or_lies_ahead_acknowledges_nothing_twice():
    box = filled(3)
    assert len(box.acknowledge(mark(2))) == 2
    assert box.acknowledge(mark(1)) == []
    assert [row.id for row in box.acknowledge(mark(9))] == ["id-3"]
    assert box.waiting == 0


def test_a_restored_hub_gets_the_rows_again():
    box = filled(4)
    box.acknowledge(mark(4))
    assert box.acknowledge(mark(1, rewind=True)) == []
    assert [(row.seq, row.first, row.kept) for row in box.after(1, 9)] == [(2, 2, 1), (3, 2, 1), (4, 2, 1)]


def test_a_box_keeps_only_so_many_acknowledged_rows_and_says_so(monkeypatch):
    monkeypatch.setattr(module, "KEPT_ROWS", 3)
    box = filled(10)
    box.acknowledge(mark(8))
    rows = list(box.after(0, 99))
    assert (rows[0].seq, rows[0].kept, rows[-1].seq) == (6, 6, 10)
    box.acknowledge(mark(2, rewind=True))
    assert [row.first for row in box.after(5, 1)] == [6]
