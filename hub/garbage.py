"""How often Python looks for garbage in the hub's processes."""

import gc

ALLOCATIONS = 50_000
"""New objects between two looks; Python's own 700 are a fraction of one batch of rows."""


def collect_rarely() -> None:
    """Look for cycles seldom: rows come and go by the thousand without making any, and each look delays them.

    Measured (benchmarks/intake.py): a sixth of what a row costs. Called once, when everything is loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 20)
