"""What is lost and what is there twice is told; nothing hides behind a sum."""

from swarm.hubs import StoredRow
from swarm.ledger import Line, Produced, Spread
from swarm.result import arrivals, count
from swarm.scenario import outages, skew_s


def lines(*marks: str) -> list[Line]:
    return [Line(mark, 100.0) for mark in marks]


def rows(*marks: str) -> list[StoredRow]:
    return [StoredRow(mark, 100.25) for mark in marks]


def test_a_row_that_is_lost_is_not_made_up_for_by_one_that_is_there_twice():
    counted = count(lines("a", "b", "c"), rows("a", "b", "b"))
    assert (counted.produced, counted.stored, counted.lost, counted.duplicated) == (3, 3, 1, 1)


def test_rows_of_nobody_count_as_stored_and_heal_nothing():
    counted = count(lines("a"), rows("x"))
    assert (counted.stored, counted.lost, counted.duplicated) == (1, 1, 0)


def test_arrival_is_measured_only_where_both_ends_are_known():
    assert arrivals(lines("a", "b"), [StoredRow("a", 100.25), StoredRow("b", None), StoredRow("x", 1.0)]) == [0.25]


def test_the_ledger_is_read_back_as_it_was_written(tmp_path):
    produced = Produced(tmp_path / "produced.txt")
    for number in range(1000):
        produced.note(f"d-{number}")
    produced.close()
    assert [line.id for line in Produced.read(produced.path)] == [f"d-{number}" for number in range(1000)]


def test_the_slowest_row_in_a_hundred_is_told():
    spread = Spread.of([number / 1000 for number in range(1, 101)])
    assert spread == Spread(100, 51.0, 100.0, 100.0)
    assert Spread.of([]) is None


def test_every_outage_is_mended_before_the_end():
    told: list[str] = []
    breaking = {how: lambda how=how: told.append(how) for how in ("cut", "freeze")}
    moments = sorted(outages(10.0, breaking, lambda: told.append("mend")), key=lambda one: one.at_s)
    for moment in moments:
        assert moment.at_s < 10.0
        moment.act()
    assert told == ["cut", "mend", "freeze", "mend"]


def test_of_twenty_devices_one_is_in_1970_and_one_a_day_ahead():
    now = 1_795_000_000.0
    clocks = [now + skew_s(number, now) for number in range(20)]
    assert min(clocks) == 0.0
    assert max(clocks) == now + 86_400
    assert clocks.count(now) == 18
