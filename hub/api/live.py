"""The live overview: made once at each change, sent to every viewer."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from hub.session.changes import Changes
from hub.store.errors import DATABASE_TROUBLE, in_short

log = logging.getLogger(__name__)

GATHER_S = 0.2
"""Changes within this time are told as one."""


class Board:
    """Holds the newest overview for every viewer.

    A viewer's queue holds one overview; a newer one takes its place, so a slow viewer skips and never lags.

    Args:
        overview: makes the overview as JSON; may block on a database.
        changes: tells that something changed.
    """

    def __init__(self, overview: Callable[[], str], changes: Changes) -> None:
        self._overview = overview
        self._changes = changes
        self._viewers: set[asyncio.Queue[str]] = set()

    async def run(self) -> None:
        """Tell viewers of changes until cancelled."""
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def note(_what: str) -> None:
            loop.call_soon_threadsafe(changed.set)

        leave = self._changes.listen(note)
        try:
            while True:
                await changed.wait()
                await asyncio.sleep(GATHER_S)
                changed.clear()
                if self._viewers:
                    await self._tell_all()
        finally:
            leave()

    async def _tell_all(self) -> None:
        try:
            self._tell(await self.now())
        except DATABASE_TROUBLE as error:
            # Viewers keep what they have; the next change is told again.
            log.warning("viewers could not be told of a change: %s", in_short(error))

    async def now(self) -> str:
        """The overview as it is."""
        return await asyncio.to_thread(self._overview)

    @contextmanager
    def view(self) -> Iterator[asyncio.Queue[str]]:
        """A queue in which the newest overview stands after each change."""
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        self._viewers.add(queue)
        try:
            yield queue
        finally:
            self._viewers.discard(queue)

    def _tell(self, text: str) -> None:
        for queue in self._viewers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(text)


def router(board: Board) -> APIRouter:
    """The WebSocket."""
    routes = APIRouter()

    @routes.websocket("/api/v1/live")
    async def live(socket: WebSocket) -> None:
        """The overview at once, then after each change; what the viewer sends is ignored."""
        await socket.accept()
        with board.view() as queue:
            try:
                await socket.send_text(await board.now())
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_until_gone(socket), name="live.gone")
                    tasks.create_task(_send(socket, queue), name="live.send")
            except* WebSocketDisconnect:
                log.debug("a viewer left")

    return routes


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    raise WebSocketDisconnect


async def _send(socket: WebSocket, queue: asyncio.Queue[str]) -> None:
    while True:
        await socket.send_text(await queue.get())
