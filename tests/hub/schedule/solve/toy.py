"""A small model on the engine: pupils at round tables, every pair with its points for sitting together."""

from typing import NamedTuple

import numpy as np

from hub.schedule.solve.engine import (
    Journal,
    Kept,
    Walk,
    below,
    going,
    is_best,
    keep,
    keeping,
    new_journal,
    note,
    takes,
    touch,
)
from hub.schedule.solve.jit import jitted

TABLES = 4


class Seating(NamedTuple):
    liking: np.ndarray
    table: np.ndarray
    kept: Kept
    journal: Journal


def seating(pupils: int, seed: int) -> Seating:
    random = np.random.default_rng(seed)
    liking = random.integers(-9, 10, (pupils, pupils)).astype(np.int32)
    table = np.zeros(pupils, np.int32)
    return Seating(liking, table, keeping(table), new_journal(4))


def points(model: Seating, table: np.ndarray) -> int:
    together = table[:, None] == table[None, :]
    np.fill_diagonal(together, val=False)
    return int(model.liking[together].sum())


@jitted
def _sit(model: Seating, pupil: int, table: int) -> int:
    gain = 0
    for other in range(len(model.table)):
        if other != pupil:
            likes = model.liking[pupil, other] + model.liking[other, pupil]
            gain += likes * (model.table[other] == table) - likes * (model.table[other] == model.table[pupil])
    note(model.journal, 0, pupil, model.table[pupil])
    touch(model.kept, pupil)
    model.table[pupil] = table
    return gain


@jitted
def run(model: Seating, walk: Walk) -> None:
    while going(walk):
        model.journal.length[0] = 0
        gain = 0
        for _ in range(1 + below(walk.random, 2)):
            gain += _sit(model, below(walk.random, len(model.table)), below(walk.random, TABLES))
        if not takes(walk, gain):
            for row in range(model.journal.length[0] - 1, -1, -1):
                model.table[model.journal.rows[row, 1]] = model.journal.rows[row, 2]
        elif is_best(walk):
            keep(model.kept, model.table)
