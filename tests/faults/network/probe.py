"""Measures a network from inside: numbered UDP packets with their time in them, and TCP as fast as it goes.

    python -m tests.faults.network.probe udp-listen ADDRESS PORT
    python -m tests.faults.network.probe udp-send ADDRESS PORT COUNT PER_SECOND BYTES
    python -m tests.faults.network.probe tcp-listen ADDRESS PORT
    python -m tests.faults.network.probe tcp-send ADDRESS PORT SECONDS

A listener says `ready`; the UDP one prints `NUMBER SENT_NS ARRIVED_NS` a packet when it is terminated, the
TCP one the bits a second of the last half second, each half second, and of the whole when its connection
ends. Times are of CLOCK_MONOTONIC, which all namespaces share.
"""

import signal
import socket
import struct
import sys
import time

HEAD = struct.Struct("!QQ")
CHUNK = 65_536
SAY_S = 0.5
LOOK_S = 0.05


def udp_listen(address: str, port: int) -> None:
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        ear.bind((address, port))
        signal.signal(signal.SIGTERM, end)
        print("ready", flush=True)
        ear.settimeout(LOOK_S)
        heard: list[tuple[int, ...]] = []
        while True:
            try:
                packet = ear.recv(CHUNK)
            except TimeoutError:
                if ended:  # and all that had come is read
                    break
                continue
            heard.append((*HEAD.unpack_from(packet), time.monotonic_ns()))
    # Not before: a full pipe would hold up the listening.
    for one in heard:
        print(*one)


def udp_send(address: str, port: int, count: int, per_second: float, size: int) -> None:
    begin = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        for number in range(count):
            time.sleep(max(0.0, begin + number / per_second - time.monotonic()))
            mouth.sendto(HEAD.pack(number, time.monotonic_ns()).ljust(size, b"\0"), (address, port))


def tcp_listen(address: str, port: int) -> None:
    with socket.create_server((address, port)) as ear:
        print("ready", flush=True)
        connection, _ = ear.accept()
    with connection:
        begin = said_s = now = time.monotonic()
        taken = said = 0
        while data := connection.recv(CHUNK):
            now = time.monotonic()
            taken += len(data)
            if now - said_s > SAY_S:
                print((taken - said) * 8 / (now - said_s), flush=True)
                said, said_s = taken, now
        print(taken * 8 / (now - begin), flush=True)


def tcp_send(address: str, port: int, seconds: float) -> None:
    with socket.create_connection((address, port), timeout=30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        # What a download uses nearly everywhere, whatever this machine's own choice is.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.sendall(b"\0" * 16_384)


if __name__ == "__main__":
    what, address, port, *rest = sys.argv[1:]
    if what == "udp-listen":
        udp_listen(address, int(port))
    elif what == "udp-send":
        udp_send(address, int(port), int(rest[0]), float(rest[1]), int(rest[2]))
    elif what == "tcp-listen":
        tcp_listen(address, int(port))
    else:
        tcp_send(address, int(port), float(rest[0]))
