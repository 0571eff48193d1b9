"""A box in the middle of a TCP connection that forwards, cuts in mid-message, or swallows and says nothing."""

import contextlib
import random
import socket
import struct
import threading

CHUNK = 4096
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset: what is on its way is gone, as when a cable is pulled and put back."""


class Middlebox:
    """Listens on a free port of this machine and forwards to another one.

    Args:
        to_port: where connections go.
        chance: decides after how many bytes a connection is cut.
    """

    def __init__(self, to_port: int, chance: random.Random) -> None:
        self._to_port = to_port
        self._chance = chance
        self._cut_after: int | None = None
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="middlebox", daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join()
        self.cut()

    @property
    def open(self) -> int:
        """How many connections stand."""
        with self._lock:
            return sum(not pair.over.is_set() for pair in self._pairs)

    @property
    def made(self) -> int:
        """How many connections there ever were."""
        return len(self._pairs)

    def cut(self) -> None:
        """Cut every connection now."""
        with self._lock:
            for pair in self._pairs:
                pair.cut()

    def cut_after(self, most_bytes: int | None) -> None:
        """Cut each connection, those that stand too, after a random number of bytes; None: no more."""
        with self._lock:
            self._cut_after = most_bytes
            for pair in self._pairs:
                pair.left = self._budget()

    def swallow(self, *, up: bool = True, down: bool = True) -> None:
        """From now on the connections that stand forward nothing and stay open; new ones work."""
        with self._lock:
            for pair in self._pairs:
                pair.deaf_up, pair.deaf_down = up, down

    def _budget(self) -> int | None:
        return None if self._cut_after is None else self._chance.randint(1, self._cut_after)

    def _serve(self) -> None:
        while True:
            try:
                guest, _ = self._door.accept()
            except OSError:
                return
            try:
                host = socket.create_connection(("127.0.0.1", self._to_port), timeout=5)
            except OSError:
                guest.close()
                continue
            host.settimeout(None)
            for one in (guest, host):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.append(_Pair(guest, host, self._budget()))


class _Pair:
    def __init__(self, guest: socket.socket, host: socket.socket, left: int | None) -> None:
        self.left = left
        self.deaf_up = self.deaf_down = False
        self.over = threading.Event()
        self._sockets = (guest, host)
        for source, target, up in ((guest, host, True), (host, guest, False)):
            threading.Thread(target=self._pump, args=(source, target, up), daemon=True).start()

    def cut(self) -> None:
        self.over.set()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _pump(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if self.deaf_up if up else self.deaf_down:
                    continue
                if self.left is not None:
                    self.left -= len(data)
                    if self.left <= 0:
                        target.sendall(data[: max(0, len(data) + self.left)])
                        break
                target.sendall(data)
        self.cut()
