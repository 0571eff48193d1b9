"""What no plan of a district can exceed, with a proof that anybody can check.

The proof is a list of prices (`hub.schedule.solve.prices`): whoever distrusts the solver multiplies them out again, in
whole numbers. Whatever they are, as long as none is negative the outcome is a bound; better ones give a lower.
"""

import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hub.schedule.compiled import Compiled
from hub.schedule.errors import BoundWrong
from hub.schedule.plan import fingerprint
from hub.schedule.solve.milp import SLACK, Stop, solved
from hub.schedule.solve.prices import DEAREST, sought, value_at
from hub.schedule.solve.program import program
from hub.schedule.solve.rows import Wide

SCALE = 256
"""Parts of a point in which prices are written down."""
STEPS = 8000
"""Steps of the search for prices; it ends sooner where they gain no more."""
SEARCHABLE = 4_000
"""Columns up to which HiGHS is asked for a lower bound in the time that is left. Of fifteen thousand columns, it took
99 of 1,919,166 points off in a minute."""
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, KeyError, OverflowError, TypeError, ValueError)
"""What NumPy raises on a file that is cut off, damaged, or something else."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What no plan can exceed."""

    points: int
    proof: str
    """Where it comes from, in words."""
    verified: int
    """What the prices alone prove: `points`, or more where the search of HiGHS proved less."""
    prices: Wide
    """(row of the program,) in `SCALE`ths of a point."""

    def save(self, compiled: Compiled, path: Path) -> None:
        """Write the prices to a file that `verify_bound` checks."""
        with path.open("wb") as file:  # np.savez would put a suffix to the name
            np.savez_compressed(file, district=fingerprint(compiled.district), scale=SCALE, prices=self.prices)


def bound(
    compiled: Compiled,
    *,
    seconds: float | None = None,
    steps: int = STEPS,
    tree: bool = True,
    stop: Stop = lambda: False,
) -> Bound:
    """Prove that no plan is worth more than so many points.

    Args:
        compiled: the problem.
        seconds: when to stop. Prices are sought first; what is left goes to the search of HiGHS. Without it
            prices alone are sought, and the bound is the same on every machine.
        steps: of the search for prices, at most.
        tree: whether HiGHS is asked for what is left of the seconds.
        stop: asked often; what the prices so far prove is returned soon after it says yes.
    """
    begun = time.monotonic()
    ends = begun + seconds if seconds is not None else np.inf
    wanted = program(compiled)
    found = sought(wanted, steps=steps, stop=lambda: time.monotonic() >= ends or stop())
    # Where pins contradict each other, prices grow without end.
    prices = np.rint(np.minimum(found * SCALE, DEAREST)).astype(np.int64)
    verified = value_at(wanted, prices, SCALE)
    priced = f"{np.count_nonzero(prices)} prices, multiplied out in whole numbers"
    left = ends - time.monotonic()
    if not tree or seconds is None or left < 1 or len(wanted.gain) > SEARCHABLE:
        return Bound(verified, priced, verified, prices)
    lowest = solved(wanted, seconds=left, stop=stop).bound
    if lowest >= verified:
        return Bound(verified, priced, verified, prices)
    return Bound(int(np.floor(lowest + SLACK)), f"HiGHS, branch and bound; {verified} by {priced}", verified, prices)


def verify_bound(compiled: Compiled, proof: Path) -> int:
    """What a proof proves: no plan of the district is worth more points. No solver is asked.

    Args:
        compiled: the problem.
        proof: a file of `Bound.save`.

    Raises:
        BoundWrong: the file is none, is about another district, or holds a price that is negative.
    """
    try:
        with np.load(proof, allow_pickle=False) as file:
            district, scale, prices = str(file["district"]), int(file["scale"]), file["prices"]
    except _UNREADABLE as error:
        raise BoundWrong(f"{proof} is no proof of a bound: {error}") from error
    if district != fingerprint(compiled.district):
        raise BoundWrong(f"{proof} is about another district, or the district has changed since")
    if scale < 1:
        raise BoundWrong(f"{proof} has prices in {scale}ths of a point")
    try:
        return value_at(program(compiled), prices, scale)
    except ValueError as error:
        raise BoundWrong(f"{proof} proves nothing: {error}") from error
