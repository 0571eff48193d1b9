"""The port a broker listens on: a free one, waiting until it is free, and whether somebody answers on it."""

import errno
import socket
import time

from hub.broker.errors import BrokerUnusable
from hub.door import HERE

PORT_WAIT_S = 5.0
"""How long a port may stay taken by a broker that is just ending, in seconds."""
START_WAIT_S = 10.0
"""How long a broker may take until it answers."""
TELL_WAIT_S = 10.0
"""How long a change of who may come in is waited for; after that it goes on by itself."""


def free_port(host: str, wanted: int | None = None) -> int:
    """`wanted` where nobody listens on it, else any free TCP port of `host`.

    Raises:
        BrokerUnusable: `host` is not an address of this machine.
    """
    if wanted and bindable(host, wanted):
        return wanted
    with _socket(host) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise _no_place(host, 0, error) from error
        port: int = probe.getsockname()[1]
    return port


def bindable(host: str, port: int) -> bool:
    """Whether nobody listens on the port."""
    return _bind_error(host, port) is None


def _bind_error(host: str, port: int) -> OSError | None:
    with _socket(host) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def _no_place(host: str, port: int, error: OSError) -> BrokerUnusable:
    where = f"{host}:{port}" if port else host
    return BrokerUnusable(f"no broker can listen on {where}: {error.strerror}; set another host or port under [mqtt]")


def await_free(host: str, port: int) -> None:
    """Wait until nobody listens on the port: a broker that was tied to a killed hub ends in a moment.

    Raises:
        BrokerUnusable: the port stays taken, or is none that we may listen on.
    """
    until = time.monotonic() + PORT_WAIT_S
    while (error := _bind_error(host, port)) is not None:
        if error.errno != errno.EADDRINUSE:
            raise _no_place(host, port, error) from error
        if time.monotonic() > until:
            raise BrokerUnusable(
                f"port {port} on {host} is taken by another program; stop it, set another mqtt.port, "
                f"or use that broker with broker = mqtt://{host}:{port}"
            )
        time.sleep(0.05)


def listening(host: str, port: int) -> bool:
    """Whether somebody answers on the port."""
    try:
        with socket.create_connection((HERE.get(host, host), port), timeout=1):
            return True
    except OSError:
        return False


def _socket(host: str) -> socket.socket:
    probe = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return probe
