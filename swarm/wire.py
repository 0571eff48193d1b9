"""Many connections and timers on one thread: sockets, TLS, and whose turn it is.

asyncio's streams cost three times as much for each small message over TLS, and the fleet shares
its processor with the hub that is measured.
"""

import errno
import heapq
import itertools
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 65_536
LOOK_S = 0.01
OPENING_S = 10.0
"""A connection that is not open by then, TLS included, is given up."""
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_UNDER_WAY = {0, errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is, and how it is spoken to."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    """Shared by all devices: each loads its certificate just before its handshake begins."""
    name: str = ""
    """The name that the broker's certificate must show, where that is not `host`."""


class Turns:
    """The loop: calls whoever has a socket that is ready, or a time that has come."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.now = time.monotonic()
        """Monotonic seconds at the beginning of this turn."""

    def at(self, when_s: float, act: Callable[[], None]) -> None:
        """Call `act` at this monotonic time, once."""
        heapq.heappush(self._timers, (when_s, next(self._numbers), act))

    def run(self, done: Callable[[], bool], until_s: float) -> bool:
        """Turn until `done` says so, asked every `LOOK_S`; False where `until_s`, in monotonic seconds, came first."""
        look_s = 0.0
        while True:
            self.now = time.monotonic()
            if self.now >= look_s:
                if done():
                    return True
                look_s = self.now + LOOK_S
            if self.now >= until_s:
                return False
            while self._timers and self._timers[0][0] <= self.now:
                heapq.heappop(self._timers)[2]()
            next_s = min(self._timers[0][0], until_s, look_s) if self._timers else min(until_s, look_s)
            for key, events in self._selector.select(max(0.0, next_s - time.monotonic())):
                self.now = time.monotonic()
                key.data.ready(events)

    def watch(self, number: int, events: int, whom: "Wire") -> None:
        """Tell `whom` about a descriptor from now on."""
        self._selector.register(number, events, whom)

    def change(self, number: int, events: int, whom: "Wire") -> None:
        """Tell `whom` about other events."""
        self._selector.modify(number, events, whom)

    def forget(self, number: int) -> None:
        """Watch a descriptor no more."""
        self._selector.unregister(number)

    def close(self) -> None:
        """Give up the selector; connections must be closed by then."""
        self._timers.clear()
        self._selector.close()


class Wire:
    """One connection: opened, perhaps with TLS, then bytes both ways.

    Args:
        turns: the loop.
        address: whom to call.
        certificate: PEM file of this side's certificate and key, for TLS.
        on_open: called when bytes may go.
        on_data: called with what arrived.
        on_gone: called once, when the connection ended by itself, with words.
    """

    __slots__ = (
        "_address",
        "_certificate",
        "_number",
        "_on_data",
        "_on_gone",
        "_on_open",
        "_open",
        "_out",
        "_sock",
        "_step",
        "_turns",
    )

    def __init__(
        self,
        turns: Turns,
        address: Address,
        certificate: Path | None,
        on_open: Callable[[], None],
        on_data: Callable[[bytes], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self._turns = turns
        self._address = address
        self._certificate = certificate
        self._on_open = on_open
        self._on_data = on_data
        self._on_gone = on_gone
        self._out = b""
        self._open = False
        self._sock: socket.socket | None = None
        self._number = -1
        self._step: Callable[[int], None] = self._connected

    def dial(self) -> None:
        """Begin to connect; `on_open` or `on_gone` will be called, never from inside this call."""
        family = socket.AF_INET6 if ":" in self._address.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = sock.connect_ex((self._address.host, self._address.port))
        self._sock, self._number = sock, sock.fileno()
        self._turns.watch(self._number, _WRITE, self)
        if failed not in _UNDER_WAY:
            self._turns.at(self._turns.now, lambda: self._fail(OSError(failed, "it does not answer")))
        else:
            self._turns.at(self._turns.now + OPENING_S, self._too_late)

    def ready(self, events: int) -> None:
        """The descriptor is ready; called by the loop."""
        try:
            self._step(events)
        except _NOT_YET:
            return
        except OSError as error:  # includes ssl.SSLError
            self._fail(error)

    def send(self, data: bytes) -> None:
        """Send, now or as soon as the other side takes it; nothing where the connection is not open."""
        if not self._open or self._sock is None:
            return
        if self._out:
            self._out += data
            return
        try:
            sent = self._sock.send(data)
        except _NOT_YET:
            sent = 0
        except OSError as error:
            words = str(error)
            self._turns.at(self._turns.now, lambda: self._fail(OSError(words)))
            return
        if sent < len(data):
            self._out = data[sent:]
            self._turns.change(self._number, _READ | _WRITE, self)

    def close(self) -> None:
        """End the connection without a word; `on_gone` is not called."""
        sock, self._sock, self._open = self._sock, None, False
        if sock is not None:
            self._turns.forget(self._number)
            sock.close()

    # Steps of one connection, in this order.

    def _connected(self, _events: int) -> None:
        sock = self._sock
        if sock is None:
            return
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, "it does not answer")
        if self._address.tls is None:
            self._opened()
            return
        context = self._address.tls
        if self._certificate is not None:
            # The certificate is copied into the connection by wrap_socket, so that one context serves a whole fleet.
            context.load_cert_chain(self._certificate)
        self._sock = context.wrap_socket(
            sock, server_hostname=self._address.name or self._address.host, do_handshake_on_connect=False
        )
        self._step = self._shaken
        self._shaken(0)

    def _shaken(self, _events: int) -> None:
        sock = self._sock
        if not isinstance(sock, ssl.SSLSocket):
            return
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._turns.change(self._number, _READ, self)
        except ssl.SSLWantWriteError:
            self._turns.change(self._number, _WRITE, self)
        else:
            self._opened()

    def _opened(self) -> None:
        self._step = self._moving
        self._open = True
        self._turns.change(self._number, _READ, self)
        self._on_open()

    def _moving(self, events: int) -> None:
        if events & _WRITE:
            self._flush()
        if events & _READ:
            self._take()

    def _flush(self) -> None:
        if self._sock is None:
            return
        try:
            self._out = self._out[self._sock.send(self._out) :]
        except _NOT_YET:
            return
        if not self._out:
            self._turns.change(self._number, _READ, self)

    def _take(self) -> None:
        while self._sock is not None:
            data = self._sock.recv(CHUNK_BYTES)
            if not data:
                raise ConnectionResetError("the other side ended the connection")
            self._on_data(data)
            if not isinstance(self._sock, ssl.SSLSocket) or not self._sock.pending():
                return

    def _too_late(self) -> None:
        if self._sock is not None and not self._open:
            self._fail(TimeoutError(f"it was not open after {OPENING_S:.0f} s"))

    def _fail(self, error: OSError) -> None:
        if self._sock is None:
            return
        self.close()
        self._on_gone(error.strerror or str(error))
