"""A relay between a part of the fleet and its broker, so that the network between them can be broken."""

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from typing import Any

CHUNK_BYTES = 65_536
START_S = 10.0


class Relay:
    """Passes bytes on, on a thread of its own; cut, frozen and mended from any other.

    Args:
        host: whom it calls for each connection.
        port: and on which port.
    """

    host = "127.0.0.1"

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="swarm.relay", daemon=True)

    def start(self) -> None:
        """Listen on a free port of loopback."""
        self._thread.start()
        self._call(self._listen()).result(START_S)

    def cut(self) -> None:
        """Break every connection, and refuse new ones until `mend`."""
        self._loop.call_soon_threadsafe(self._break)

    def freeze(self) -> None:
        """Let nothing through and break nothing, as a cable does that was pulled, until `mend`."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def mend(self) -> None:
        """Work again."""
        self._loop.call_soon_threadsafe(self._resume)

    def stop(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._call(self._close()).result(START_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _listen(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._joined, self.host, 0, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._flowing.set()
        self._break()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _break(self) -> None:
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def _resume(self) -> None:
        self._refusing = False
        self._flowing.set()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there_writer}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(reader, there_writer))
                tasks.create_task(self._pass(there_reader, writer))
        finally:
            self._writers -= both
            for one in both:
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
