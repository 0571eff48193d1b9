"""The built-in broker's door: a certificate that we know, a client id that is one's own; amqtt does the rest.

amqtt would ask for a certificate and let those in who have none, reads packets of any size, keeps both
connections of a client id, and never gives up on one that fell silent. Where the broker is plain, the door
still sees to the last three.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from amqtt.adapters import ReaderAdapter, StreamWriterAdapter

from hub.broker.doorkeeper import Doorkeeper
from hub.fleet.authority import HUB_NAME

CONNECT_WAIT_S = 10.0
"""How long a client may take to say who it is."""
PARTING_S = 5.0
"""How long an older connection of the same client, or a refused one, may take to end."""
PACKET_LIMIT_BYTES = (1 << 20) + 1024
"""Longest packet: a message of 1 MiB and its topic."""
CONNECT_LIMIT_BYTES = 64 * 1024
KEEPALIVE_FACTOR = 1.5
LENGTH_BITS = 28
CONNECT = 0x10
ID_REFUSED = b"\x20\x02\x00\x02"
NOT_AUTHORISED = b"\x20\x02\x00\x05"
"""CONNACK packets of MQTT 3.1.1."""

log = logging.getLogger("hub.broker")


class Unfit(Exception):
    """What came is no CONNECT packet of MQTT 3.1.1."""


@dataclass(frozen=True, slots=True)
class FirstPacket:
    """A CONNECT packet as far as the door must know it."""

    raw: bytes
    client_id: str
    keepalive_s: int


@dataclass(frozen=True, slots=True, eq=False)
class _Guest:
    transport: asyncio.WriteTransport
    gone: asyncio.Event


class Entrance:
    """Everybody who comes in to the built-in broker, one connection a client id. On the broker's event loop.

    Args:
        keeper: says who may come in; None lets everybody in.
        hand_on: lets amqtt serve a connection until it ends.
    """

    def __init__(
        self, keeper: Doorkeeper | None, hand_on: Callable[[ReaderAdapter, StreamWriterAdapter], Awaitable[None]]
    ) -> None:
        self._keeper = keeper
        self._hand_on = hand_on
        self._guests: dict[str, _Guest] = {}
        self._coming: dict[asyncio.Task[object], asyncio.WriteTransport] = {}

    async def device_came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection at the devices' door: the client id must be the certificate's name."""
        await self._came(reader, writer, lambda name, client_id: client_id == name)

    async def hub_came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection at the hub's own door: any client id, but the hub's certificate."""
        await self._came(reader, writer, lambda name, _client_id: name == HUB_NAME)

    async def cut(self, client_id: str) -> None:
        """End the connection of a client, if it has one, and wait until the broker has let go of it."""
        while (guest := self._guests.get(client_id)) is not None:
            guest.transport.abort()
            try:
                await asyncio.wait_for(guest.gone.wait(), PARTING_S)
            except TimeoutError:
                log.error("amqtt does not let go of the connection of %s", client_id)  # noqa: TRY400  says all
                if self._guests.get(client_id) is guest:
                    del self._guests[client_id]

    async def end(self) -> None:
        """Let go of everybody."""
        for transport in self._coming.values():
            transport.abort()
        if self._coming:
            await asyncio.wait(self._coming, timeout=PARTING_S)

    async def _came(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fits: Callable[[str, str], bool]
    ) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  each connection is served by a task of its own
        self._coming[task] = writer.transport
        try:
            async with asyncio.timeout(CONNECT_WAIT_S):
                first = await read_connect(reader)
            refusal = self._refusal(first.client_id, writer.get_extra_info("ssl_object"), fits)
            if refusal is None:
                await self._serve(first, reader, writer)
            else:
                writer.write(refusal)
                await _part(writer)
        except (OSError, EOFError, TimeoutError, Unfit) as error:
            log.debug("a connection to the broker ended: %r", error)
        finally:
            writer.transport.abort()
            del self._coming[task]

    def _refusal(self, client_id: str, tls: ssl.SSLObject | None, fits: Callable[[str, str], bool]) -> bytes | None:
        """The CONNACK with which a client is sent away; None lets it in."""
        if self._keeper is None:
            return None
        name = self._keeper.name_of(tls.getpeercert() if tls is not None else None)
        if name is None:
            return NOT_AUTHORISED
        return None if fits(name, client_id) else ID_REFUSED

    async def _serve(self, first: FirstPacket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Only when the older connection is gone, its will told, may the new one tell its birth.
        await self.cut(first.client_id)
        guest = _Guest(writer.transport, asyncio.Event())
        if first.client_id:  # else amqtt makes one up
            self._guests[first.client_id] = guest
        heard = _Heard(first, reader, writer.transport)
        try:
            await self._hand_on(heard, StreamWriterAdapter(writer))
        finally:
            heard.rest()
            if self._guests.get(first.client_id) is guest:
                del self._guests[first.client_id]
            guest.gone.set()


class _Heard(ReaderAdapter):  # type: ignore[misc]  # amqtt comes without types
    """Reads on after the first packet: nothing too long, and not for ever from one who fell silent."""

    def __init__(self, first: FirstPacket, reader: asyncio.StreamReader, transport: asyncio.WriteTransport) -> None:
        self._ahead = first.raw
        self._reader = reader
        self._transport = transport
        self._patience_s = first.keepalive_s * KEEPALIVE_FACTOR
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._look: asyncio.TimerHandle | None = None
        self._over = False
        if self._patience_s:
            self._look = self._loop.call_at(self._heard_at + self._patience_s, self._listen)

    async def read(self, n: int = -1) -> bytes:
        """Exactly `n` bytes.

        Raises:
            ConnectionResetError: the packet is too long.
            asyncio.IncompleteReadError: the client is gone, or was given up.
        """
        if self._ahead:
            taken, self._ahead = self._ahead[:n], self._ahead[n:]
            return taken
        if self._over or not 0 <= n <= PACKET_LIMIT_BYTES:
            # For good: amqtt would take what follows for the next packet.
            self._over = True
            raise ConnectionResetError(f"a packet of {n} bytes is too long")
        taken = await self._reader.readexactly(n)
        self._heard_at = self._loop.time()
        return taken

    def rest(self) -> None:
        """Nobody needs to be listened for any more."""
        if self._look is not None:
            self._look.cancel()

    def _listen(self) -> None:
        until = self._heard_at + self._patience_s
        if self._loop.time() >= until:
            self._transport.abort()
        else:
            self._look = self._loop.call_at(until, self._listen)

    def feed_eof(self) -> None:
        """End the reading."""
        self._reader.feed_eof()


async def read_connect(reader: asyncio.StreamReader) -> FirstPacket:
    """Read the first packet.

    Raises:
        Unfit: it is no CONNECT packet, or too long.
        EOFError: the client is gone.
    """
    raw = bytearray(await reader.readexactly(2))
    length, shift = raw[1] & 0x7F, 7
    while raw[-1] & 0x80:
        raw += await reader.readexactly(1)
        length |= (raw[-1] & 0x7F) << shift
        shift += 7
        if shift > LENGTH_BITS or length > CONNECT_LIMIT_BYTES:
            break
    if raw[0] != CONNECT or shift > LENGTH_BITS or length > CONNECT_LIMIT_BYTES:
        raise Unfit(f"{raw[0]:#x} and {length} bytes begin no CONNECT")
    body = await reader.readexactly(length)
    try:
        at = 2 + int.from_bytes(body[:2], "big")
        keepalive_s = int.from_bytes(body[at + 2 : at + 4], "big")
        ends = at + 6 + int.from_bytes(body[at + 4 : at + 6], "big")
        client_id = body[at + 6 : ends].decode()
    except UnicodeDecodeError as error:
        raise Unfit("its client id is not UTF-8") from error
    return FirstPacket(bytes(raw) + body, client_id, keepalive_s)


async def _part(writer: asyncio.StreamWriter) -> None:
    """Close after what was written is on its way."""
    writer.close()
    async with asyncio.timeout(PARTING_S):
        await writer.wait_closed()
