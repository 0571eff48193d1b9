import numpy as np
import pytest

from agent.observe.seats import COLUMNS, ROWS, SeatsPart
from agent.observe.view import Rectangle

SECOND = 1_000_000_000


def heads(*places: tuple[float, float]) -> np.ndarray:
    return np.asarray(places, np.float32).reshape(-1, 2)


def test_a_minute_is_told_when_the_next_one_begins():
    part = SeatsPart()
    for second in range(60):
        here = [(0.05, 0.05)] if second < 45 else []
        assert part.update(heads((0.99, 0.99), *here), second * SECOND) == []
    (told,) = part.update(heads(), 60 * SECOND)
    assert (told.kind, told.mono_ns, told.seconds, told.confidence) == ("seats", 0, 60.0, 1.0)
    assert (told.value["columns"], told.value["rows"]) == (COLUMNS, ROWS)
    assert (told.value["pictures"], told.value["unknown"]) == (60, 0)
    share = told.value["share"]
    assert (share[0][0], share[ROWS - 1][COLUMNS - 1]) == (0.75, 1.0)
    assert sum(map(sum, share)) == 1.75


def test_two_heads_in_a_cell_are_one_taken_cell():
    part = SeatsPart()
    for second in range(10):
        part.update(heads((0.01, 0.01), (0.02, 0.02)), second * SECOND)
    (told,) = part.flush()
    assert told.value["share"][0][0] == 1.0
    assert told.seconds == 9.0


def test_heads_outside_the_seats_are_left_out():
    part = SeatsPart(Rectangle(0.5, 0.5, 1, 1))
    for second in range(5):
        part.update(heads((0.49, 0.7), (0.7, 0.49), (0.5, 0.5), (1.0, 1.0)), second * SECOND)
    (told,) = part.flush()
    assert told.value["share"][0][0] == 1.0
    assert sum(map(sum, told.value["share"])) == 1.0


@pytest.mark.parametrize("known,unknown", [(60, 16), (4, 0), (0, 30)])
def test_too_few_known_pictures_are_unknown(known: int, unknown: int):
    part = SeatsPart(window_s=1000)
    for second in range(known):
        part.update(heads((0.5, 0.5)), second * SECOND)
    for second in range(unknown):
        part.update(None, (known + second) * SECOND)
    (told,) = part.flush()
    assert (told.value["share"], told.confidence) == (None, None)
    assert (told.value["pictures"], told.value["unknown"]) == (known + unknown, unknown)


def test_after_a_pause_a_minute_ends_no_later_than_it_could():
    part = SeatsPart()
    part.update(heads(), 0)
    (told,) = part.update(heads(), 500 * SECOND)
    assert told.seconds == 60.0
    assert part.flush()[0].mono_ns == 500 * SECOND


def test_nothing_seen_is_nothing_told():
    assert SeatsPart().flush() == []
