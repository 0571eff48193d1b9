"""The relay breaks the network as told, and mends it."""

import socket
import socketserver
import threading

import pytest

from swarm.relay import Relay


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(1000):
            self.request.sendall(data)


@pytest.fixture
def relay():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        one = Relay(*server.server_address)
        one.start()
        yield one
        one.stop()
        server.shutdown()


def said(sock: socket.socket, data: bytes, within_s: float = 10.0) -> bytes:
    sock.settimeout(within_s)
    sock.sendall(data)
    return sock.recv(100)


def test_bytes_pass_both_ways(relay):
    with socket.create_connection((relay.host, relay.port)) as sock:
        assert said(sock, b"hello") == b"hello"


def ended(sock: socket.socket) -> bool:
    sock.settimeout(10)
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def test_a_cut_ends_connections_and_lets_nobody_in_until_it_is_mended(relay):
    with socket.create_connection((relay.host, relay.port)) as sock:
        assert said(sock, b"hello") == b"hello"
        relay.cut()
        assert ended(sock)
    with socket.create_connection((relay.host, relay.port)) as sock:
        assert ended(sock)
    relay.mend()
    with socket.create_connection((relay.host, relay.port)) as sock:
        assert said(sock, b"again") == b"again"


def test_a_frozen_network_passes_nothing_and_loses_nothing(relay):
    with socket.create_connection((relay.host, relay.port)) as sock:
        assert said(sock, b"one") == b"one"
        relay.freeze()
        with pytest.raises(TimeoutError):
            said(sock, b"two", within_s=0.3)
        relay.mend()
        sock.settimeout(10)
        assert sock.recv(100) == b"two"
