"""amqtt inside the hub: on a thread and an event loop of its own, so that the hub's never waits for it.

Good for about 200 devices. It forgets what was sent and not acknowledged when a subscriber is cut off;
that does not matter here, because sessions are clean and nothing relies on the broker.
"""

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

from hub.broker.doorkeeper import Doorkeeper
from hub.broker.errors import BrokerUnusable
from hub.broker.gate import Gate
from hub.broker.port import START_WAIT_S, await_free

if TYPE_CHECKING:  # loads amqtt
    from hub.broker.entrance import Entrance

STOP_WAIT_S = 2.0
"""How long clients that are still connected are waited for at the end, in seconds."""
HANDSHAKE_S = 10.0
CUT_WAIT_S = 10.0
LOOPBACK = "127.0.0.1"

log = logging.getLogger("hub.broker")


class BuiltinBroker:
    """An amqtt of our own.

    Args:
        host: address to listen on.
        port: port to listen on.
        gate: who may come in, over TLS; None opens it to everybody.
    """

    name = "amqtt"

    def __init__(self, host: str, port: int, gate: Gate | None = None) -> None:
        self.host = host
        self.port = port
        self.hub_address = (host, port)
        self._gate = gate
        self._keeper: Doorkeeper | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._entrance: Entrance | None = None
        self._started = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="hub.amqtt", daemon=True)

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            BrokerUnusable: the port is taken, or amqtt cannot start.
        """
        await_free(self.host, self.port)
        if self._gate is not None:
            self._gate.certificate.make()
            self._keeper = Doorkeeper(self._gate.devices(), self._gate.crl())
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.ERROR)  # they tell each connection
        self._thread.start()
        if not self._started.wait(START_WAIT_S) or self._failed is not None:
            raise BrokerUnusable(f"amqtt does not start on {self.host}:{self.port}: {self._failed}")

    def tend(self) -> None:
        """See that it still runs; renew what it shows.

        Raises:
            BrokerUnusable: its thread has ended.
        """
        if not self._thread.is_alive():
            raise BrokerUnusable(f"amqtt ended by itself: {self._failed}")
        if self._gate is not None and self._loop is not None and self._gate.certificate.due():
            # On the broker's own thread: its contexts must not change in the middle of a handshake.
            self._loop.call_soon_threadsafe(self._gate.certificate.renewed)

    def admit(self, device: str) -> None:
        """Let `device` come in; the database knows it already."""
        if self._keeper is not None:
            self._keeper.admit(device)

    def revoke(self, device: str, crl_pem: bytes) -> None:
        """Cut `device` off and keep it out; the database knows already."""
        if self._keeper is None or self._loop is None or self._entrance is None:
            return
        self._keeper.expel(device, crl_pem)
        cut = asyncio.run_coroutine_threadsafe(self._entrance.cut(device), self._loop)
        try:
            cut.result(CUT_WAIT_S)
        except TimeoutError:
            log.error("amqtt is too busy to cut %s off at once; it hears nothing and is not heard", device)  # noqa: TRY400  says all

    def stop(self) -> None:
        """End it."""
        if self._loop is not None and self._ending is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(2 * STOP_WAIT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._failed = error
            log.exception("amqtt failed")
        finally:
            self._started.set()

    async def _serve(self) -> None:
        from hub.broker.retained import make_broker  # noqa: PLC0415  loads amqtt, only where it is used

        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        broker = make_broker(self._configured())
        await broker.start()
        entrance, doors = await self._open(broker)
        self._started.set()
        await self._ending.wait()
        for door in doors:
            door.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(broker.shutdown(), STOP_WAIT_S)
        await entrance.end()

    def _configured(self) -> dict[str, Any]:
        plugins: dict[str, Any] = {"hub.broker.plugins.DoorPlugin": {"keeper": self._keeper}}
        if self._keeper is None:
            plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        return {"listeners": {"default": {"type": "external"}}, "plugins": plugins}

    async def _open(self, broker: Any) -> tuple["Entrance", list[asyncio.Server]]:
        """Listen: for devices, and over TLS for the hub on loopback too."""
        from hub.broker.entrance import Entrance  # noqa: PLC0415  loads amqtt

        self._entrance = entrance = Entrance(
            self._keeper, lambda reader, writer: broker.external_connected(reader, writer, "default")
        )
        how: dict[str, Any] = {"reuse_address": True}
        doors = []
        if self._gate is not None:
            how |= {"ssl": self._gate.certificate.server_context(), "ssl_handshake_timeout": HANDSHAKE_S}
            doors.append(await asyncio.start_server(entrance.hub_came, LOOPBACK, 0, **how))
            self.hub_address = doors[0].sockets[0].getsockname()[:2]
        doors.append(await asyncio.start_server(entrance.device_came, self.host, self.port, **how))
        return entrance, doors
