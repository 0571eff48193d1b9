import itertools

import pytest

from agent.observe.pace import MOVES, SLOWER, Level, Pacer, Strain, Told, moved

PING_S = 2.0


class Machine:
    """A process that takes so much of a core at full cadence and less on a slower level, told every two seconds."""

    def __init__(self, pacer: Pacer, cpu: float, *, replaced_hz: float = 0.0) -> None:
        self.pacer = pacer
        self.cpu = cpu
        self.replaced_hz = replaced_hz
        self.now_s = 1000.0
        self._cpu_s = 0.0
        self._replaced = 0.0
        self.moves: list[tuple[float, Level]] = []

    def run(self, seconds: float) -> list[Level]:
        for _ in range(round(seconds / PING_S)):
            self.now_s += PING_S
            self._cpu_s += self.cpu / SLOWER[self.pacer.level].people * PING_S
            self._replaced += self.replaced_hz * PING_S
            if self.pacer.update(Told(self.now_s, self._cpu_s, int(self._replaced), 0)):
                self.moves.append((self.now_s - 1000.0, self.pacer.level))
        return [level for _, level in self.moves]


def test_a_machine_with_time_is_never_slowed():
    machine = Machine(Pacer(0.25), cpu=0.24)
    assert machine.run(3600) == []


def test_more_than_its_share_of_a_core_steps_down_until_it_fits_and_stays_there():
    machine = Machine(Pacer(0.25), cpu=0.45)
    assert machine.run(3600) == [Level.HALF]
    assert machine.pacer.why == "observing took 45% of a core, more than 25%"
    assert machine.moves[0][0] <= 68


def test_a_machine_far_too_slow_ends_on_the_least_level_and_no_lower():
    machine = Machine(Pacer(0.25), cpu=9.0)
    assert machine.run(600) == [Level.HALF, Level.QUARTER, Level.LEAST]


def test_pictures_that_are_replaced_step_down_within_seconds():
    machine = Machine(Pacer(0.25), cpu=0.01, replaced_hz=0.5)
    machine.run(16)
    assert machine.moves[0][1] is Level.HALF
    assert "replaced" in machine.pacer.why


def test_late_looks_step_down_too_and_a_single_one_does_not():
    pacer = Pacer(0.25)
    assert not any(pacer.update(Told(at, 0.0, 0, 1 if at > 8 else 0)) for at in range(0, 30, 2))
    assert pacer.update(Told(32, 0.0, 0, 3))
    assert "late" in pacer.why


def test_one_hiccup_is_one_step_also_where_what_waited_comes_late_after_it():
    pacer = Pacer(0.25)
    levels = []
    for at in range(0, 60, 2):
        replaced, late = (3, 0) if at == 20 else (4, 3) if at > 20 else (0, 0)
        if pacer.update(Told(float(at), 0.0, replaced, late)):
            levels.append((at, pacer.level))
    assert levels == [(20, Level.HALF)]


def test_it_steps_up_again_one_level_after_a_minute_each():
    machine = Machine(Pacer(0.25), cpu=0.01, replaced_hz=0.5)
    machine.run(60)
    assert machine.pacer.level is Level.LEAST
    machine.replaced_hz = 0.0
    began_s = machine.now_s - 1000.0
    machine.moves.clear()
    assert machine.run(600) == [Level.QUARTER, Level.HALF, Level.FULL]
    times = [began_s, *(at for at, _ in machine.moves)]
    assert all(after - before >= 54 for before, after in itertools.pairwise(times[1:]))


def test_attempts_that_do_not_last_become_rarer():
    """At half the cadence it seems to have time, at the full one it has not: it must not swing for ever."""
    machine = Machine(Pacer(0.25), cpu=0.29)
    machine.run(2 * 3600)
    ups = [at for at, level in machine.moves if level is Level.FULL]
    gaps = [after - before for before, after in itertools.pairwise(ups)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 600
    assert len(ups) <= 15


def test_another_process_begins_at_zero_and_keeps_the_level():
    pacer = Pacer(0.25)
    machine = Machine(pacer, cpu=0.4)
    machine.run(70)
    assert pacer.level is Level.HALF
    pacer.begin()
    told = [pacer.update(Told(machine.now_s + at, 0.0, 500, 9 if at > 2 else 0)) for at in range(2, 12, 2)]
    assert not any(told), "nor what waited while it was loaded"
    assert pacer.level is Level.HALF


@pytest.mark.parametrize("level", list(Level))
def test_every_level_moves_by_one_and_none_is_a_dead_end(level: Level):
    order = list(Level)
    at = order.index(level)
    assert moved(level, Strain.SHORT) is order[min(at + 1, len(order) - 1)]
    assert moved(level, Strain.EASY) is order[max(at - 1, 0)]
    assert moved(level, Strain.FAIR) is level
    assert (level, Strain.FAIR) not in MOVES
