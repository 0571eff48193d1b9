"""The local socket that the teacher's screen listens on.

A client's first line is the token from a file that only this account can read; then
it gets the whole state as one line of JSON, and again after each change. A later line of
its own sets a mark (`agent.overlay.marks`) and is answered; nothing it sends ends the stream.
"""

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from agent.overlay.marks import AnswerLine, MarkAnswer, read_mark
from agent.overlay.state import OverlayState
from agent.platform import replace_file, serve_local

log = logging.getLogger(__name__)

TOKEN_WAIT_S = 5.0
CLIENTS_MAX = 8
LINE_LIMIT = 4096
"""Longer lines are not read."""
END_S = 2.0
LINE_S = 0.25
"""A screen's lines are read no faster than one in this time; what it sends meanwhile waits on its side."""
BACKLOG_BYTES = 256 << 10
"""Bytes that may wait for a client that does not read; then it is dropped, and may connect again."""


@dataclass(eq=False)
class _Client:
    writer: asyncio.StreamWriter
    serving: asyncio.Task[None] | None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class OverlayServer:
    """Tells the state to every screen that shows the right token.

    Everything here belongs to one event loop.
    """

    def __init__(
        self, socket: Path, token: Path, on_mark: Callable[[str], MarkAnswer] = lambda _title: MarkAnswer.NO_LESSON
    ) -> None:
        """Prepare; nothing listens yet.

        Args:
            socket: where to listen.
            token: file of the token; made anew at each start, mode 0600.
            on_mark: sets a mark with this title, and says what became of it.
        """
        self._socket = socket
        self._token_file = token
        self._on_mark = on_mark
        self._token = ""
        self._state = OverlayState()
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    @property
    def clients(self) -> int:
        """Screens that are connected."""
        return len(self._clients)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the socket or the token's file cannot be made.
        """
        self._token = secrets.token_hex(24)
        await asyncio.to_thread(replace_file, self._token_file, f"{self._token}\n".encode())
        self._server = await serve_local(self._serve, self._socket)

    async def stop(self) -> None:
        """Close every connection and remove the socket."""
        if self._server is not None:
            self._server.close()
        serving = [one.serving for one in self._clients if one.serving is not None]
        for one in list(self._clients):
            one.writer.transport.abort()
        if serving:
            await asyncio.wait(serving, timeout=END_S)
        await asyncio.to_thread(self._socket.unlink, missing_ok=True)

    def update(self, state: OverlayState) -> None:
        """Show another state; screens that are behind get the newest one alone."""
        if state == self._state:
            return
        self._state = state
        for one in self._clients:
            one.changed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._clients) < CLIENTS_MAX and await self._admitted(reader):
                await self._talk(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.info("a screen went away")
        finally:
            writer.close()

    async def _admitted(self, reader: asyncio.StreamReader) -> bool:
        async with asyncio.timeout(TOKEN_WAIT_S):
            line = await reader.readuntil(b"\n")
        if len(line) < LINE_LIMIT and hmac.compare_digest(line.strip(), self._token.encode()):
            return True
        log.warning("somebody without the right token knocked at %s", self._socket)
        return False

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=BACKLOG_BYTES)
        client = _Client(writer, asyncio.current_task())
        self._clients.add(client)
        telling = asyncio.create_task(self._tell(client), name="overlay.tell")
        try:
            async for line in _lines(reader):
                self._answer(client, line)
                await asyncio.sleep(LINE_S)
        finally:
            self._clients.discard(client)
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling

    def _answer(self, client: _Client, line: bytes | None) -> None:
        title = None if line is None else read_mark(line)
        answer = MarkAnswer.BAD if title is None else self._on_mark(title)
        if client.writer.transport.get_write_buffer_size() <= BACKLOG_BYTES:
            client.writer.write(AnswerLine.of(answer).model_dump_json().encode() + b"\n")

    async def _tell(self, client: _Client) -> None:
        client.changed.set()
        while True:
            await client.changed.wait()
            client.changed.clear()
            if client.writer.transport.get_write_buffer_size() > BACKLOG_BYTES:
                log.warning("a screen does not read; it is dropped")
                client.writer.transport.abort()
                return
            client.writer.write(self._state.model_dump_json().encode() + b"\n")


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes | None]:
    """Lines until the other side goes, without empty ones; None for one that is too long."""
    waiting = b""
    while chunk := await reader.read(LINE_LIMIT):
        *whole, waiting = (waiting + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line if len(line) <= LINE_LIMIT else None
        # Of a line that is too long already, no more than shows that it is.
        waiting = waiting[: LINE_LIMIT + 1]
