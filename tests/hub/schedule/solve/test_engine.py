"""The compiled search: a seed and a work budget decide the answer, and what it says of it is true."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from hub.schedule.solve.engine import BEST, NOW, POINTS, SLICE, SPENT, UNTIL, anneal, below, started, unit
from tests.hub.schedule.solve.toy import points, run, seating


def seated(seed=1, work=100_000, stop=lambda: False, cold=1.0):
    model = seating(60, seed=3)
    walk = started(seed, points(model, model.table))
    anneal(walk, lambda: run(model, walk), work=work, hot=60.0, cold=cold, stop=stop)
    return model, walk


def test_a_seed_and_a_work_budget_give_the_same_answer_to_the_byte_and_another_seed_another():
    one, first = seated()
    two, second = seated()
    other, _ = seated(seed=2)
    assert one.kept.best.tobytes() == two.kept.best.tobytes()
    assert first.points.tolist() == second.points.tolist()
    assert one.kept.best.tobytes() != other.kept.best.tobytes()


def test_what_it_says_of_the_answer_that_stands_and_of_the_best_is_what_they_are_worth():
    model, walk = seated()
    assert walk.points[BEST] == points(model, model.kept.best)
    assert walk.points[POINTS] == points(model, model.table)
    assert walk.points[BEST] > points(model, np.zeros(60, np.int32)) + 1000
    assert walk.points[BEST] >= walk.points[POINTS]


def test_a_run_that_is_stopped_has_a_true_answer_and_a_shorter_look_at_the_clock_changes_nothing():
    looks = iter([False, False, True])
    model, walk = seated(work=10 * SLICE, stop=lambda: next(looks))
    assert walk.work[SPENT] == 2 * SLICE
    assert walk.points[BEST] == points(model, model.kept.best)
    finer = seating(60, seed=3)
    step = started(1, points(finer, finer.table))
    anneal(step, lambda: None, work=10 * SLICE, hot=60.0, cold=1.0, stop=iter([False, True]).__next__)
    while step.work[SPENT] < 2 * SLICE:
        step.work[UNTIL] = step.work[SPENT] + 100
        run(finer, step)
    assert finer.kept.best.tobytes() == model.kept.best.tobytes()


def test_whoever_counts_in_seconds_says_on_the_way_how_much_there_will_be():
    model = seating(60, seed=3)
    walk = started(1, points(model, model.table))
    said = []

    def pace(spent):
        said.append((spent, float(walk.heat[NOW])))
        return max(spent, 3 * SLICE)

    anneal(walk, lambda: run(model, walk), work=1 << 40, hot=60.0, cold=1.0, pace=pace)
    assert [spent for spent, _ in said] == [SLICE, 2 * SLICE, 3 * SLICE]
    assert said[0][1] > 59
    assert said[2][1] < 1.1
    assert walk.points[BEST] == points(model, model.kept.best)


def test_cooling_matters_and_more_work_finds_more():
    hot = seated(cold=60.0)[1].points[BEST]
    quick = seated(work=2_000)[1].points[BEST]
    assert max(hot, quick) < seated()[1].points[BEST]


def test_draws_are_spread_evenly():
    walk = started(1, 0)
    counts = np.bincount([below(walk.random, 10) for _ in range(20_000)], minlength=10)
    assert len(counts) == 10
    assert 1800 < counts.min() <= counts.max() < 2200
    drawn = [unit(walk.random) for _ in range(20_000)]
    assert 0 <= min(drawn) < 0.001
    assert 0.999 < max(drawn) < 1
    assert len({int(started(seed, 0).random[0]) for seed in range(-5, 1000)}) == 1005


@pytest.mark.parametrize("pupils", [1, 2])
def test_a_model_with_next_to_nothing_in_it_runs(pupils):
    model = seating(pupils, seed=1)
    walk = started(1, points(model, model.table))
    anneal(walk, lambda: run(model, walk), work=100, hot=1.0, cold=1.0)
    assert walk.points[BEST] == points(model, model.kept.best)


COUNTING = """
    from hub.schedule.solve.engine import below, started
    walk = started(1, 0)
    below(walk.random, 5)
    print(sum(below.stats.cache_hits.values()), sum(below.stats.cache_misses.values()))
"""


def counted(**variables):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(COUNTING)],
        env={**{name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}, **variables},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return done.stdout.strip()


def test_compiled_code_is_kept_in_the_users_cache_folder_and_found_again(tmp_path):
    assert counted(XDG_CACHE_HOME=str(tmp_path)) == "0 1"
    assert list((tmp_path / "tongtang" / "compiled").rglob("*.nbc"))
    assert counted(XDG_CACHE_HOME=str(tmp_path)) == "1 0"


def test_where_nothing_can_be_kept_it_runs_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    assert counted(NUMBA_CACHE_DIR=str(tmp_path / "file")) in {"0 0", "0 1"}
