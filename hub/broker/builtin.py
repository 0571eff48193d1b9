"""amqtt inside the hub: on a thread and an event loop of its own, so that the hub's never waits for it.

Good for about 200 devices. It does not close the older of two connections with one client
id, and forgets what was sent and not acknowledged when a subscriber is cut off; neither
matters here, because sessions are clean, client ids new at each start, and nothing relies
on the broker.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

from hub.broker.embedded import START_WAIT_S, await_free
from hub.broker.errors import BrokerUnusable

STOP_WAIT_S = 2.0
"""How long clients that are still connected are waited for at the end, in seconds."""


class _Steady(dict[str, Any]):
    """A dict that is iterated as it was when the iteration began.

    amqtt walks through its subscriptions and awaits in between: a device that connects at that
    moment would end another one's session with "dictionary changed size during iteration".
    """

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        return list(super().items())


class BuiltinBroker:
    """An amqtt of our own.

    Args:
        host: address to listen on.
        port: port to listen on.
    """

    name = "amqtt"

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._started = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="hub.amqtt", daemon=True)

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            BrokerUnusable: the port is taken, or amqtt cannot start.
        """
        await_free(self.host, self.port)
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.ERROR)  # they tell each connection
        self._thread.start()
        if not self._started.wait(START_WAIT_S) or self._failed is not None:
            raise BrokerUnusable(f"amqtt does not start on {self.host}:{self.port}: {self._failed}")

    def tend(self) -> None:
        """See that it still runs.

        Raises:
            BrokerUnusable: its thread has ended.
        """
        if not self._thread.is_alive():
            raise BrokerUnusable(f"amqtt ended by itself: {self._failed}")

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
            logging.getLogger("hub.broker").exception("amqtt failed")
        finally:
            self._started.set()

    async def _serve(self) -> None:
        from amqtt.broker import Broker  # noqa: PLC0415  loaded only where it is used

        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        config: dict[str, Any] = {
            "listeners": {"default": {"type": "tcp", "bind": f"{self.host}:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        broker = Broker(config)
        broker._subscriptions = _Steady()  # noqa: SLF001  see there
        await broker.start()
        self._started.set()
        await self._ending.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(broker.shutdown(), STOP_WAIT_S)
