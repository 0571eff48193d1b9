"""Which broker carries the messages, and how it is started."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from hub.broker.control import Control, admitted, expelled
from hub.broker.errors import BrokerUnusable
from hub.broker.gate import Gate
from hub.broker.port import TELL_WAIT_S

SBIN = Path("/usr/sbin")
"""Where Debian puts mosquitto; not on everybody's PATH."""

log = logging.getLogger("hub.broker")


class Broker(Protocol):
    """A broker that is started, watched and stopped."""

    name: str
    host: str
    port: int
    hub_address: tuple[str, int]
    """Where the hub itself dials; known once it is started."""

    def start(self) -> None:
        """Start it and wait until it listens; on the main thread.

        Raises:
            BrokerUnusable: it cannot be started; the message says what to do.
        """

    def tend(self) -> None:
        """Look after it; called again and again, on the main thread, returns at once."""

    def admit(self, device: str) -> None:
        """Let `device` come in, which the database knows already. Waits, at most some seconds; from any thread."""

    def revoke(self, device: str, crl_pem: bytes) -> None:
        """Cut `device` off and keep it out, which the database knows already. Waits as `admit` does.

        Args:
            device: who it is.
            crl_pem: the list of revoked certificates, its own among them.
        """

    def stop(self) -> None:
        """End it."""


class ExternalBroker:
    """A broker that someone else runs.

    Over TLS it must have been set up with what `hub broker-config` writes: then it is told here who comes and goes.
    Its list of revoked certificates lies with whoever runs it.

    Args:
        url: `mqtt://host:port` or `mqtts://host:port`.
        hub_port: the port at which the hub dials, where it is another.
        gate: the hub's certificate; None without TLS.
    """

    def __init__(self, url: str, hub_port: int = 0, gate: Gate | None = None) -> None:
        parts = urlsplit(url)
        self.name = url
        self.host = parts.hostname or ""
        self.port = parts.port or 0
        self.hub_address = (self.host, hub_port or self.port)
        self._gate = gate
        self._control: Control | None = None

    def start(self) -> None:
        """Do nothing but make the hub's certificate: the link keeps trying until the broker is there."""
        if self._gate is not None:
            self._gate.certificate.make()
            self._control = Control(self.hub_address, self._gate.certificate.client_context)

    def tend(self) -> None:
        """Renew the hub's certificate; others look after the broker."""
        if self._gate is not None:
            self._gate.certificate.renewed()

    def admit(self, device: str) -> None:
        """Have it let `device` in, now or as soon as it can be reached."""
        if self._control is not None and not self._control.tell(admitted(device), TELL_WAIT_S):
            log.warning("%s does not know %s yet; it is told again", self.name, device)

    def revoke(self, device: str, crl_pem: bytes) -> None:
        """Have it cut `device` off, now or as soon as it can be reached."""
        del crl_pem  # where it must go is not ours to write
        if self._control is not None and not self._control.tell(expelled(device), TELL_WAIT_S):
            log.warning("%s does not know yet that %s is revoked; it is told again", self.name, device)

    def stop(self) -> None:
        """Part from it; it serves others too."""
        if self._control is not None:
            self._control.stop()


def choose(
    text: str,
    host: str,
    port: int,
    folder: Path,
    find: Callable[[], Path | None] | None = None,
    gate: Gate | None = None,
    hub_port: int = 0,
) -> Broker:
    """The broker for the setting `text`; not started yet.

    Args:
        text: `auto`, `mosquitto`, `amqtt`, `mqtt://host:port` or `mqtts://host:port`.
        host: address to listen on.
        port: port to listen on; a free one where the caller wants any.
        folder: where a broker's own files go.
        find: finds the mosquitto program.
        gate: who may come in, over TLS; None opens it to everybody.
        hub_port: the port at which the hub dials an external broker, where it is another.

    Raises:
        BrokerUnusable: mosquitto is wanted and not installed, or not wholly.
    """
    from hub.broker.builtin import BuiltinBroker  # noqa: PLC0415  amqtt is loaded only where it may be needed
    from hub.broker.mosquitto import Mosquitto  # noqa: PLC0415

    if "://" in text:
        return ExternalBroker(text, hub_port, gate)
    program = (find or find_mosquitto)() if text != "amqtt" else None
    if program is not None:
        try:
            return Mosquitto(program, host, port, folder, gate)
        except BrokerUnusable as unusable:
            if text == "mosquitto":
                raise
            log.warning("%s; the built-in broker is taken", unusable)
    elif text == "mosquitto":
        raise BrokerUnusable("mosquitto is not installed; install it (apt install mosquitto), or set broker = auto")
    return BuiltinBroker(host, port, gate)


def find_mosquitto() -> Path | None:
    """The mosquitto program, or None."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path=str(SBIN))
    return Path(found).absolute() if found else None
