import asyncio
import threading

import pytest
from sqlalchemy.exc import OperationalError

from hub.api import live
from hub.session.changes import Changes
from hub.store.errors import NoConnectionFree


@pytest.mark.parametrize(
    "trouble", [OperationalError("SELECT 1", {}, Exception("disk I/O error")), NoConnectionFree("30 s")]
)
async def test_viewers_hear_of_the_next_change_after_the_database_was_down(monkeypatch, trouble):
    monkeypatch.setattr(live, "GATHER_S", 0.01)
    down = threading.Event()

    def overview() -> str:
        if not down.is_set():
            down.set()
            raise trouble
        return "as it is"

    changes = Changes()
    board = live.Board(overview, changes)
    running = asyncio.create_task(board.run())
    await asyncio.sleep(0)
    with board.view() as queue:
        changes.tell("s-1")
        await asyncio.wait_for(asyncio.to_thread(down.wait), 30)
        changes.tell("s-1")
        assert await asyncio.wait_for(queue.get(), 30) == "as it is"
    running.cancel()
