"""The link: one device's connection to the broker. Everything it may lose is in the outboxes."""

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable

from pydantic import ValidationError

from agent.report.connection import Broker, Connection
from agent.report.lane import Lane
from agent.report.retry import Retry
from contract import topics
from contract.telemetry import DeviceState, HubState, Watermark

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Seconds between two looks at whether a lesson is near."""


class Link:
    """Holds the connection from `start` to `stop`; reconnects for ever, told once each way.

    The callbacks run on the link's threads and must return at once.
    """

    def __init__(
        self,
        birth: DeviceState,
        host: str,
        port: int,
        lanes: tuple[Lane, ...] = (),
        *,
        tls: Callable[[], ssl.SSLContext] | None = None,
        urgent: Callable[[], bool] = lambda: False,
        keepalive_s: int = 15,
        retry_cap_s: float = 60.0,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            birth: this device's presence; the will is the same with `online` false.
            host: the broker's host.
            port: and port.
            lanes: outboxes and their topics, the most important first.
            tls: makes what the broker is met with, anew for each attempt; may raise `IdentityRefused`.
                None: without TLS.
            urgent: whether a lesson is live or near; then attempts follow each other fast.
            keepalive_s: a connection that is dead is noticed within one and a half times this, on both sides.
            retry_cap_s: longest wait between attempts, in seconds.
            chance: jitter of the waits.
        """
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self.on_hub: Callable[[bool], None] = lambda _online: None
        self.on_signal: Callable[[bytes, int], None] = lambda _data, _mono_ns: None
        self.on_refused: Callable[[], None] = lambda: None
        """Told each time the broker refuses us for what we are: the hub knows why, and may have a new certificate."""
        self._birth = birth
        self._broker = Broker(host, port, keepalive_s, tls)
        self._lanes = lanes
        self._urgent = urgent
        self._retry = Retry(retry_cap_s, chance or random.Random())
        self._connection: Connection | None = None
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._stale = False
        self._up = False
        self._down_told = False
        self._shut_out_told = False
        self._unread_told = False
        self._hub: HubState | None = None
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._handlers: dict[str, Callable[[bytes], None]] = {
            topics.ack(birth.device): self._marked,
            topics.HUB_STATE: self._hub_told,
            topics.state(birth.device): self._presence_told,
        }
        for lane in lanes:
            lane.outbox.wake = self._wake.set

    @property
    def up(self) -> bool:
        """Whether the broker is connected and our subscriptions stand."""
        return self._up

    def handle(self, topic: str, take: Callable[[bytes], None]) -> None:
        """Subscribe to one more topic, at each connect, and hand each of its payloads to `take`.

        Args:
            topic: exactly as it arrives, without wildcards.
            take: called on the network thread, must return at once; what it raises is logged, not fatal.

        Raises:
            ValueError: the topic has its taker already.
            RuntimeError: the link has been started.
        """
        if topic in self._handlers or topic == topics.signal_down(self._birth.device):
            raise ValueError(f"{topic} has its taker already")
        if self._thread.is_alive():
            raise RuntimeError("topics are handed out before the link starts")
        self._handlers[topic] = take

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye where there is a connection, and end the threads."""
        self._stopping.set()
        self._hurry.set()
        self._wake.set()
        if (connection := self._connection) is not None:
            connection.settle()
        if self._thread.is_alive():
            self._thread.join()

    def renewed(self, *, at_once: bool) -> None:
        """The certificate is another one: connect with it, at once or when no lesson is live or near."""
        self._stale = True
        if at_once or not self._up:
            self._hurry.set()
        self._wake.set()

    def publish_signal(self, data: bytes, qos: int = 1) -> bool:
        """Send an envelope on `signal/up`; False where there is no connection."""
        return self.publish(topics.signal_up(self._birth.device), data, qos)

    def publish(self, topic: str, data: bytes, qos: int = 1, *, retain: bool = False) -> bool:
        """Hand a message to the network thread; False where there is no connection. It may be lost with it."""
        connection = self._connection
        return connection is not None and self._up and connection.publish(topic, data, qos, retain=retain)

    # The link's own thread.

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._hurry.clear()
            connection = self._dialled()
            if connection is None:
                self._pause()
                continue
            since = time.monotonic()
            self._hold(connection)
            if not self._hurry.is_set():
                self._retry.lost(time.monotonic() - since)
                self._pause()

    def _pause(self) -> None:
        """Wait before the next attempt; less where a lesson comes near meanwhile, not at all where there is news."""
        urgent = self._urgent()
        until = time.monotonic() + self._retry.wait_s(urgent=urgent)
        while (left := until - time.monotonic()) > 0 and not self._hurry.wait(min(left, LOOK_S)):
            if not urgent and self._urgent():
                urgent = True
                until = min(until, time.monotonic() + self._retry.wait_s(urgent=True))

    def _dialled(self) -> Connection | None:
        """One attempt; None where it failed."""
        wanted = (*self._handlers, topics.signal_down(self._birth.device))
        self._connection = connection = Connection(self._broker, self._birth, wanted, self._arrived)
        connection.on_gone = self._wake.set
        self._hub = None
        self._stale = False
        if connection.open(self._stopping):
            return connection
        if not self._stopping.is_set():
            self._tell_down(connection)
            self._retry.failed(refused=connection.shut_out)
            if connection.shut_out:
                self.on_refused()
        return None

    def _hold(self, connection: Connection) -> None:
        for lane in self._lanes:
            lane.restart()
        self._up = True
        if self._down_told:
            log.warning("%s is back", self._broker)
            self._down_told = self._shut_out_told = False
        self.on_up()
        while not connection.gone.is_set() and not self._stopping.is_set() and not self._leaving():
            sent = sum(lane.send(self.publish) for lane in self._lanes)
            if not sent:
                idle = min([LOOK_S, *(lane.idle_s() for lane in self._lanes)])
                self._wake.wait(max(0.01, idle))
            self._wake.clear()
        self._up = False
        if connection.gone.is_set():
            self._tell_down(connection)
        elif self._stopping.is_set():
            connection.goodbye()
        connection.close()
        self.on_down()

    def _leaving(self) -> bool:
        """Whether to connect again with a new certificate now."""
        if self._stale and (self._hurry.is_set() or not self._urgent()):
            self._hurry.set()
            return True
        return False

    def _tell_down(self, connection: Connection) -> None:
        """Say it once; and once more where the broker turns out to refuse us."""
        shut_out = connection.shut_out
        if self._down_told and (self._shut_out_told or not shut_out):
            return
        self._down_told, self._shut_out_told = True, shut_out
        tail = "trying with long pauses" if shut_out else "trying for ever"
        log.warning("%s is away (%s); %s", self._broker, connection.away, tail)

    # What arrives, on the connection's thread.

    def _arrived(self, topic: str, data: bytes, mono_ns: int) -> None:
        try:
            handler = self._handlers.get(topic)
            if handler is not None:
                handler(data)
            else:
                self.on_signal(data, mono_ns)
        except ValidationError as error:
            if not self._unread_told:
                self._unread_told = True
                log.warning("a message on %s cannot be read: %s", topic, error)
        except Exception:
            # Whatever goes wrong in one handler must not end the network thread, and with it the link.
            log.exception("a message on %s could not be handled", topic)

    def _marked(self, data: bytes) -> None:
        mark = Watermark.model_validate_json(data)
        for lane in self._lanes:
            lane.marked(mark)
        self._wake.set()

    def _hub_told(self, data: bytes) -> None:
        if not data:
            return
        state = HubState.model_validate_json(data)
        if state == self._hub:
            return
        self._hub = state
        if state.online:
            for lane in self._lanes:
                lane.restart()
            self._wake.set()
        self.on_hub(state.online)

    def _presence_told(self, data: bytes) -> None:
        # The will of a connection that died before this one may come after this one's birth.
        connection = self._connection
        if data and connection is not None and self._up and not DeviceState.model_validate_json(data).online:
            connection.tell_birth()
