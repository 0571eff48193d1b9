"""Waits for what comes sooner or later: at once on a quiet machine, later on a busy one.

Neither fails: what is wrong in the end is told by what the test then finds.
"""

import asyncio
import time
from collections.abc import Callable

LIMIT_S = 30.0
LOOK_S = 0.01


def until(ready: Callable[[], object], within_s: float = LIMIT_S) -> None:
    """Wait until something is so, or for so long, in seconds."""
    deadline = time.monotonic() + within_s
    while not ready() and time.monotonic() < deadline:
        time.sleep(LOOK_S)


async def comes(ready: Callable[[], object], within_s: float = LIMIT_S) -> None:
    """The same while an event loop goes on."""
    deadline = time.monotonic() + within_s
    while not ready() and time.monotonic() < deadline:  # noqa: ASYNC110 - things are told in no other way
        await asyncio.sleep(LOOK_S)
