"""The link: one device's connection to the broker. Everything it may lose is in the outboxes."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import ValidationError

from agent.report.outbox import Outbox
from agent.report.window import Window
from contract import topics
from contract.telemetry import DeviceState, HubState, Watermark

log = logging.getLogger(__name__)

CONNACK_WAIT_S = 10.0
ROWS_AT_ONCE = 50
IN_FLIGHT = 500
"""Messages that paho may hold for the broker's PUBACK; more are refused and come back by the window."""


class Lane:
    """One outbox on its way to one topic."""

    def __init__(self, topic: str, outbox: Outbox) -> None:
        self.topic = topic
        self.outbox = outbox
        self._window = Window(acked=outbox.acked)
        self._stream = outbox.stream
        self._rewinds = 0
        self._lock = threading.Lock()

    def restart(self) -> None:
        """Begin again after the hub's watermark."""
        with self._lock:
            self._window.restart(time.monotonic())

    def marked(self, mark: Watermark) -> None:
        """Take a watermark of the hub; those of other streams are not ours.

        Only rows that went out count as acknowledged: a copy of this disk elsewhere may have
        sent rows of its own under our numbers, and the mark may speak of those.
        """
        with self._lock:
            sent = self._window.furthest
        place = self.outbox.acknowledge(mark, sent)
        if place is None:
            return
        with self._lock:
            self._rewinds += mark.rewind
            moved = self._window.rewound if mark.rewind else self._window.acknowledged
            moved(place, time.monotonic())

    def send(self, publish: Callable[[str, bytes, int], bool]) -> int:
        """Send what the window lets out; how many rows that were."""
        with self._lock:
            if self._stream != self.outbox.stream:
                self._stream = self.outbox.stream  # and all that waits goes out again under the new name
                self._window.restart(time.monotonic())
            after, room = self._window.ask(time.monotonic())
            rewinds = self._rewinds
        sent = 0
        for place, row in self.outbox.after(after, min(room, ROWS_AT_ONCE)):
            if self._stream != self.outbox.stream or not publish(self.topic, row.model_dump_json().encode(), 1):
                break
            with self._lock:
                if rewinds != self._rewinds:
                    break  # what this row says of the first one to be sent is no longer true
                self._window.took(place, place - (row.seq - row.first), time.monotonic())
            sent += 1
        return sent

    def idle_s(self) -> float:
        """How long nothing will change by itself, in seconds."""
        with self._lock:
            return self._window.idle_s(time.monotonic())


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
            keepalive_s: seconds between signs of life.
            retry_cap_s: longest wait between attempts, in seconds.
            chance: jitter of the waits.
        """
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self.on_hub: Callable[[bool], None] = lambda _online: None
        self.on_signal: Callable[[bytes, int], None] = lambda _data, _mono_ns: None
        self._birth = birth
        self._host = host
        self._port = port
        self._lanes = lanes
        self._keepalive_s = keepalive_s
        self._retry_cap_s = retry_cap_s
        self._chance = chance or random.Random()
        self._client: mqtt.Client | None = None
        self._gone = threading.Event()
        self._settled = threading.Event()
        self._refused = ""
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._up = False
        self._down_told = False
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
        self._gone.set()
        self._settled.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def publish_signal(self, data: bytes, qos: int = 1) -> bool:
        """Send an envelope on `signal/up`; False where there is no connection."""
        return self.publish(topics.signal_up(self._birth.device), data, qos)

    def publish(self, topic: str, data: bytes, qos: int = 1, *, retain: bool = False) -> bool:
        """Hand a message to the network thread; False where there is no connection. It may be lost with it."""
        client = self._client
        if client is None or not self._up or self._gone.is_set():
            return False
        return client.publish(topic, data, qos, retain=retain).rc == mqtt.MQTT_ERR_SUCCESS

    # The link's own thread.

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            client = self._dial()
            if client is None:
                attempt += 1
                # uniform(0, x): a whole district that lost its hub must not come back in one second
                self._stopping.wait(self._chance.uniform(0, min(self._retry_cap_s, 1.5 ** min(attempt, 60))))
                continue
            attempt = 1
            self._hold(client)
            self._stopping.wait(self._chance.uniform(0, min(self._retry_cap_s, 1.5)))

    def _dial(self) -> mqtt.Client | None:
        """One attempt, with a client of its own: nothing of an older connection may be sent again by paho."""
        client = self._made()
        self._refused = ""
        self._hub = None
        self._gone.clear()
        self._settled.clear()
        self._client = client
        try:
            client.connect(self._host, self._port, self._keepalive_s)
        except (OSError, ValueError) as error:
            self._tell_down(str(error))
            return None
        client.loop_start()
        settled = self._settled.wait(CONNACK_WAIT_S)
        if settled and not self._gone.is_set() and not self._stopping.is_set():
            return client
        if not self._stopping.is_set():
            self._tell_down(self._refused or "it does not answer as an MQTT broker")
        _end(client)
        return None

    def _hold(self, client: mqtt.Client) -> None:
        for lane in self._lanes:
            lane.restart()
        self._up = True
        if self._down_told:
            log.warning("the broker at %s:%d is back", self._host, self._port)
            self._down_told = False
        self.on_up()
        while not self._gone.is_set():
            sent = sum(lane.send(self.publish) for lane in self._lanes)
            if not sent:
                idle = min([1.0, *(lane.idle_s() for lane in self._lanes)])
                self._wake.wait(max(0.01, idle))
            self._wake.clear()
        self._up = False
        if self._stopping.is_set():
            self._goodbye(client)
        else:
            self._tell_down(self._refused or "the connection broke")
        _end(client)
        self.on_down()

    def _goodbye(self, client: mqtt.Client) -> None:
        last = self._birth.model_copy(update={"online": False, "why": "stopped", "wall": time.time()})
        told = client.publish(topics.state(self._birth.device), last.model_dump_json().encode(), 1, retain=True)
        try:
            told.wait_for_publish(1.0)
        except (RuntimeError, ValueError) as error:
            log.info("the broker was gone before the goodbye: %s", error)

    def _tell_down(self, why: str) -> None:
        if not self._down_told:
            self._down_told = True
            log.warning("the broker at %s:%d is away (%s); trying for ever", self._host, self._port, why)

    # What paho calls, on its thread.

    def _made(self) -> mqtt.Client:
        device = self._birth.device
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=device, clean_session=True, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(IN_FLIGHT)
        client.max_queued_messages_set(IN_FLIGHT)
        will = self._birth.model_copy(update={"online": False, "why": "the connection broke"})
        client.will_set(topics.state(device), will.model_dump_json().encode(), 1, retain=True)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        return client

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if client is not self._client:
            return
        if reason.is_failure:
            self._refused = f"it refused us: {reason}"
            self._gone.set()
            self._settled.set()
            return
        mine = [*self._handlers, topics.signal_down(self._birth.device)]
        client.subscribe([(topic, 1) for topic in mine])

    def _subscribed(self, client: mqtt.Client, _data: Any, _mid: int, _reasons: Any, _properties: Any) -> None:
        if client is self._client:
            self._tell_birth(client)
            self._settled.set()

    def _disconnected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if client is self._client:
            self._refused = self._refused or str(reason)
            self._gone.set()
            self._settled.set()
            self._wake.set()

    def _arrived(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        mono_ns = time.monotonic_ns()
        if client is not self._client:
            return
        try:
            handler = self._handlers.get(message.topic)
            if handler is not None:
                handler(bytes(message.payload))
            else:
                self.on_signal(bytes(message.payload), mono_ns)
        except ValidationError as error:
            if not self._unread_told:
                self._unread_told = True
                log.warning("a message on %s cannot be read: %s", message.topic, error)
        except Exception:
            # Whatever goes wrong in one handler must not end the network thread, and with it the link.
            log.exception("a message on %s could not be handled", message.topic)

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
        client = self._client
        if data and client is not None and self._up and not DeviceState.model_validate_json(data).online:
            self._tell_birth(client)

    def _tell_birth(self, client: mqtt.Client) -> None:
        birth = self._birth.model_copy(update={"wall": time.time()})
        client.publish(topics.state(self._birth.device), birth.model_dump_json().encode(), 1, retain=True)


def _end(client: mqtt.Client) -> None:
    client.disconnect()
    client.loop_stop()
