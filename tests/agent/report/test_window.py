"""Go-back-N against a hub that commits out of order arrivals, over a channel that loses."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from agent.report.window import Window


@dataclass
class Hub:
    """A hub's watermark: contiguous from what the device declares as its first row."""

    upto: int = 0
    held: set[int] = field(default_factory=set)
    stored: list[int] = field(default_factory=list)

    def take(self, seq: int, first: int) -> None:
        self.upto = max(self.upto, first - 1)
        if seq > self.upto and seq not in self.held:
            self.held.add(seq)
            self.stored.append(seq)
        while self.upto + 1 in self.held:
            self.upto += 1


@given(
    rows=st.integers(1, 120),
    size=st.integers(1, 40),
    lost=st.lists(st.booleans(), max_size=400),
    cuts=st.sets(st.integers(0, 200)),
)
def test_every_row_arrives_once_whatever_is_lost_on_the_way(rows, size, lost, cuts):
    window, hub, losses = Window(size=size), Hub(), list(lost)
    box = list(range(1, rows + 1))
    window.restart(0.0)
    now = 0.0
    for step in range(4000):
        now += 0.5
        if step in cuts:
            window.restart(now)
        after, room = window.ask(now)
        assert 0 <= room <= size
        for seq in [one for one in box if one > after][:room]:
            window.took(seq, box[0], now)
            assert window.sent - window.acked <= size
            if not (losses and losses.pop()):
                hub.take(seq, box[0])
        if not (losses and losses.pop()):
            box = [one for one in box if one > hub.upto]
            window.acknowledged(hub.upto, now)
        if not box:
            break
    assert sorted(hub.stored) == list(range(1, rows + 1))


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 100, allow_nan=False)), max_size=60))
def test_an_old_mark_changes_nothing(marks):
    window = Window()
    highest = 0
    for upto, now in marks:
        window.acknowledged(upto, now)
        highest = max(highest, upto)
        assert window.acked == highest
        assert window.sent >= window.acked


def sends(window: Window, now: float) -> int:
    """Send all that may go out; how many rows that were."""
    after, room = window.ask(now)
    for seq in range(after + 1, after + 1 + room):
        window.took(seq, window.acked + 1, now)
    return room


def test_what_may_be_on_its_way_grows_with_what_comes_back_and_shrinks_where_nothing_does():
    window = Window(size=200, begin=50, least=10)
    window.restart(0.0)
    assert sends(window, 0.0) == 50
    window.acknowledged(50, 0.1)
    assert sends(window, 0.1) == 100
    window.acknowledged(150, 0.2)
    window.acknowledged(150, 0.3)
    assert sends(window, 0.3) == 200
    assert [sends(window, at) for at in (2.4, 6.5, 14.6, 24.7, 34.8, 44.9)] == [100, 50, 25, 12, 10, 10]
    window.acknowledged(155, 45.0)
    assert window.ask(45.0)[1] == 10
    window.restart(50.0)
    assert sends(window, 50.0) == 50


def test_after_a_rewind_everything_beyond_goes_out_again_and_an_older_one_changes_nothing():
    window = Window(size=10, acked=50)
    for seq in range(51, 56):
        window.took(seq, 51, 0.0)
    window.acknowledged(55, 0.1)
    window.rewound(20, 0.2)
    assert window.ask(0.3) == (20, 10)
    assert window.furthest == 20
    window.rewound(30, 0.4)
    assert window.ask(0.5) == (20, 10)


def test_only_what_went_out_since_the_connection_was_made_can_have_arrived():
    window = Window(size=10, acked=3)
    assert window.furthest == 3
    for seq in range(4, 9):
        window.took(seq, 4, 0.0)
    assert window.furthest == 8
    assert window.ask(60.0)[0] == 3, "it goes out again"
    assert window.furthest == 8
    window.restart(61.0)
    assert window.furthest == 3


def test_rows_given_up_for_want_of_room_do_not_hold_up_the_rest():
    window = Window(size=10)
    window.restart(0.0)
    window.took(500, 500, 0.0)
    assert window.ask(0.1) == (500, 9)


def test_a_hub_that_is_away_is_asked_less_and_less_often():
    window = Window(size=5, patience_s=2.0, patience_max_s=10.0)
    window.restart(0.0)
    window.took(1, 1, 0.0)
    again = []
    for tenth in range(400):
        after, _ = window.ask(tenth / 10)
        if after == 0:
            again.append(tenth / 10)
            window.took(1, 1, tenth / 10)
    assert again == [2.0, 6.0, 14.0, 24.0, 34.0]
