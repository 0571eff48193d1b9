"""A paho client on a thread of ours: many messages for each system call and each change of threads.

Paho's own loop asks the system four times for each message that arrives, and is woken by a system call for each that
another thread publishes; under a district's rows that was half of the hub's work. Here paho speaks MQTT, by its
interface for outside event loops, and this module moves the bytes.
"""

import contextlib
import logging
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:  # paho has it for type checkers alone
    from paho.mqtt.client import SocketLike

KEEPALIVE_S = 20
RECONNECT_S = (1.0, 5.0)
"""First and longest wait before the connection is tried again, in seconds."""
INFLIGHT = 1000
QUEUED = 20_000
"""Messages that wait for the connection. Beyond it a message is dropped: watermarks and signals are sent again."""
READ_AHEAD = 1 << 16
WRITE_BEHIND = 1 << 18
WRITTEN_AT_ONCE = 1 << 14
"""One TLS record."""
LOOK_S = 1.0
"""How often paho looks after its keepalive, in seconds."""
BUSY_TURNS = 150
"""Times a second that something arrives, from which on it is better to let more of it come together."""
BREATH_S = 0.003
"""How long it may come together: each turn costs as much as the messages in it, where there is one in each."""
LAST_WORD_S = 2.0
"""How long the broker may take to acknowledge the last message, in seconds."""
READ_AT_ONCE = 1000
"""Messages that are taken before it is seen to what waits to be sent."""
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

log = logging.getLogger("hub.broker")


class Message(NamedTuple):
    """What is to be published."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Buffered:
    """Reads ahead and writes behind; on one thread alone.

    Args:
        inner: the connected socket, over TLS or plain; non-blocking from the first read or write on.
    """

    def __init__(self, inner: "SocketLike") -> None:
        self._inner = inner
        self._ahead = b""
        self._at = 0
        self._behind = bytearray()
        self.dry = True
        """Whether all that has arrived was read, when that was last asked."""

    @property
    def behind(self) -> int:
        """Bytes that are sent and not with the system yet."""
        return len(self._behind)

    def recv(self, buffer_size: int) -> bytes:
        """Up to `buffer_size` bytes; none once the other side has closed.

        Raises:
            BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError: nothing has arrived.
            OSError: the connection is broken.
        """
        if self._at == len(self._ahead):
            self.dry = True
            self._ahead = self._inner.recv(READ_AHEAD)
            self.dry, self._at = False, 0
        piece = self._ahead[self._at : self._at + buffer_size]
        self._at += len(piece)
        return piece

    def send(self, buffer: bytes | bytearray) -> int:
        """Take all of `buffer`, for `flush` to send.

        Raises:
            BlockingIOError: too much waits already.
        """
        if self.behind >= WRITE_BEHIND:
            raise BlockingIOError
        self._behind += buffer
        return len(buffer)

    def flush(self) -> None:
        """Give the system as much as it takes now.

        Raises:
            OSError: the connection is broken.
        """
        while self._behind:
            try:
                sent = self._inner.send(bytes(self._behind[:WRITTEN_AT_ONCE]))
            except NOT_NOW:
                return
            del self._behind[:sent]

    def close(self) -> None:
        """Send what can be sent at once, and close."""
        with contextlib.suppress(OSError):
            self.flush()
        self._inner.close()

    def fileno(self) -> int:
        """Of the socket."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  as sockets have it
        """Of the socket."""
        self._inner.setblocking(flag)


class Client(paho.Client):
    """Paho's, whose sockets are buffered."""

    def _create_socket(self) -> Buffered:
        # The only place where paho lets a socket in. Where it no longer asks, nothing connects (see `_serve`).
        return Buffered(super()._create_socket())


class Network:
    """Keeps a client connected until `stop`, and sends what it is handed.

    Args:
        client_id: unique on the broker.
        tls: with our certificate; None where the broker is plain.
        unreachable: is told, on the network thread, why the broker cannot be dialled.
    """

    def __init__(
        self, client_id: str, tls: ssl.SSLContext | None, unreachable: Callable[[OSError], None] = lambda _: None
    ) -> None:
        self.client = client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        """For its callbacks, which run on the network thread; nothing else may be called from another one."""
        if tls is not None:
            client.tls_set_context(tls)
        client.max_inflight_messages_set(INFLIGHT)
        client.max_queued_messages_set(QUEUED)
        # Tells paho that somebody else moves the bytes.
        client.on_socket_register_write = lambda *_: None
        self._unreachable = unreachable
        self._waiting: deque[Message] = deque()
        self._lock = threading.Lock()
        self._woken = False
        self._ear, self._bell = socket.socketpair()
        for end in (self._ear, self._bell):
            end.setblocking(False)
        self._stopping = threading.Event()
        self._full = False
        self._last: Message | None = None
        self._said: paho.MQTTMessageInfo | None = None
        self._said_until = 0.0
        self._thread = threading.Thread(target=self._run, name="hub.network", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def start(self, host: str, port: int) -> None:
        """Connect, and stay connected until `stop`."""
        self.client.connect_async(host, port, keepalive=KEEPALIVE_S)
        self._thread.start()

    def stop(self, last: Message | None = None) -> None:
        """Send what waits, and `last` after it; then disconnect."""
        self._last = last
        self._stopping.set()
        self._ring()
        self._thread.join()
        self._ear.close()
        self._bell.close()

    def publish(self, message: Message) -> bool:
        """Have a message sent, from any thread; False where too many wait, and it is dropped."""
        with self._lock:
            room = len(self._waiting) < QUEUED
            if room:
                self._waiting.append(message)
            woken, self._woken = self._woken, True
        if not woken:
            self._ring()
        return room

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it rings already
            self._bell.send(b"\0")

    def _run(self) -> None:
        pause_s = RECONNECT_S[0]
        while not self._stopping.is_set():
            try:
                self.client.reconnect()
            except OSError as error:
                self._unreachable(error)
            else:
                if self._serve():
                    pause_s = RECONNECT_S[0]
            self._stopping.wait(pause_s)
            pause_s = min(RECONNECT_S[1], 2 * pause_s)

    def _serve(self) -> bool:
        """Move bytes for as long as the connection lasts; whether the broker took us at all."""
        taken = busy = False
        looked, turns = time.monotonic(), 0
        sock = self.client.socket()
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, READ)
            if isinstance(sock, Buffered):
                selector.register(sock, READ)
            while isinstance(sock, Buffered) and self.client.socket() is sock:
                taken = taken or self.client.is_connected()
                if self._may_hand_over(sock):
                    self._hand_over()
                if self._stopping.is_set():
                    self._leave()
                self._write(sock, selector)
                if self.client.socket() is not sock:
                    break  # it was closed, by us or for an error
                # Neither what was read ahead nor what waited for room is announced again.
                idle = sock.dry and not (self._waiting and self._may_hand_over(sock))
                ready = {key.fileobj: events for key, events in selector.select(LOOK_S if idle else 0)}
                if self._ear in ready:
                    self._ear.recv(64)
                if not sock.dry or ready.get(sock, 0) & READ:
                    turns += 1
                    self._read(sock)
                    if busy:
                        self._stopping.wait(BREATH_S)
                if time.monotonic() - looked > LOOK_S:
                    self.client.loop_misc()
                    busy = turns > BUSY_TURNS
                    looked, turns = time.monotonic(), 0
        return taken

    def _may_hand_over(self, sock: Buffered) -> bool:
        """Whether the broker is there, and the system took what paho had."""
        return self.client.is_connected() and sock.behind < WRITE_BEHIND and not self.client.want_write()

    def _hand_over(self) -> None:
        """Let paho have what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            self._woken = False
        for one in waiting:
            said = self.client.publish(one.topic, one.payload, one.qos, one.retain)
            full = said.rc == paho.MQTT_ERR_QUEUE_SIZE
            if full and not self._full:
                log.warning("the broker acknowledges nothing; from one for %s on messages are dropped", one.topic)
            self._full = full

    def _leave(self) -> None:
        """Say the last word, and disconnect once the broker has it."""
        if self._last is not None and self._said is None and self.client.is_connected():
            last = self._last
            self._said = self.client.publish(last.topic, last.payload, last.qos, last.retain)
            self._said_until = time.monotonic() + LAST_WORD_S
        waits = self._said is not None and not self._said.rc and not self._said.is_published()
        if not waits or time.monotonic() > self._said_until:
            self.client.disconnect()

    def _write(self, sock: Buffered, selector: selectors.BaseSelector) -> None:
        if self.client.want_write():
            self.client.loop_write()
        if self.client.socket() is not sock:
            return
        with contextlib.suppress(OSError):  # it is broken, which paho notices when it reads
            sock.flush()
        wanted = READ | WRITE if sock.behind or self.client.want_write() else READ
        if selector.get_key(sock).events != wanted:
            selector.modify(sock, wanted)

    def _read(self, sock: Buffered) -> None:
        for _ in range(READ_AT_ONCE):
            self.client.loop_read()
            if self.client.socket() is not sock or sock.dry:
                return
