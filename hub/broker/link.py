"""The hub's own connection to the broker, on paho's network thread."""

import logging
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from contract import topics
from contract.telemetry import HubState
from hub.broker.network import Message, Network
from hub.door import HERE

ROWS = [(topics.tele("+"), 0), (topics.event("+"), 0)]
"""Not acknowledged to the broker, which would cost the hub a fifth of its CPU: rows that are lost between broker and
hub are sent again by the device, which waits for the watermark."""
WITHOUT_ROWS = [(topic("+"), 1) for topic in (topics.state, topics.signal_up, topics.result, topics.twin_reported)]
"""For a hub whose rows are taken in by further processes."""
SUBSCRIPTIONS = [*WITHOUT_ROWS, *ROWS]
SHARED = [(f"$share/intake/{topic}", qos) for topic, qos in ROWS]
"""For such a process: the broker gives each row to one of them."""

log = logging.getLogger("hub.broker")


class Arrival(NamedTuple):
    """A message as it came off the network."""

    topic: str
    payload: bytes
    at_ns: int
    """Hub UTC of its arrival, in nanoseconds."""


class HubLink:
    """Keeps the hub connected, subscribed and present.

    The session is always clean: what a broker may lose, the sender keeps until it is answered.

    Args:
        host: broker's address.
        port: broker's port.
        incarnation: minted anew at each start of the hub; also keeps the client id unique,
            because amqtt does not close the older of two connections with the same id.
        version: told in the hub's presence.
        now_ns: hub UTC in nanoseconds.
        on_arrival: takes each message on the network thread; must return at once.
        tls: with the hub's certificate; None where the broker is plain.
        subscriptions: what is heard: topic and quality of service.
        presence: whether it speaks for the hub's presence.
    """

    def __init__(
        self,
        host: str,
        port: int,
        incarnation: str,
        version: str,
        now_ns: Callable[[], int],
        on_arrival: Callable[[Arrival], None],
        tls: ssl.SSLContext | None = None,
        subscriptions: Sequence[tuple[str, int]] = SUBSCRIPTIONS,
        *,
        presence: bool = True,
    ) -> None:
        self._address = (HERE.get(host, host), port)
        self._state = HubState(online=True, version=version, incarnation=incarnation)
        self._now_ns = now_ns
        self._on_arrival = on_arrival
        self._subscriptions = list(subscriptions)
        self._presence = presence
        self._down = False
        self._full = False
        self._subscribed = threading.Event()
        self._network = Network(f"hub-{incarnation}", tls, self._unreachable)
        client = self._network.client
        if presence:
            client.will_set(topics.HUB_STATE, self._gone().payload, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._ready
        client.on_message = self._arrived

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        self._network.start(*self._address)

    def stop(self) -> None:
        """Say that the hub is going, and disconnect."""
        self._network.stop(self._gone() if self._presence else None)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._network.alive

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the hub hears its devices; False where that took longer than `timeout_s`."""
        return self._subscribed.wait(timeout_s)

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        """Hand a message to the network thread; it may be lost with the connection."""
        full = not self._network.publish(Message(topic, payload, qos, retain))
        if full and not self._full:
            log.warning("the broker does not take messages; from one for %s on they are dropped and sent again", topic)
        self._full = full

    def _gone(self) -> Message:
        gone = self._state.model_copy(update={"online": False})
        return Message(topics.HUB_STATE, gone.model_dump_json().encode(), retain=True)

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._went_down(f"refused the hub: {reason}")
            return
        client.subscribe(self._subscriptions)
        if self._presence:
            client.publish(topics.HUB_STATE, self._state.model_dump_json(), qos=1, retain=True)

    def _ready(self, *_: Any) -> None:
        if self._down:
            self._down = False
            log.info("the broker at %s:%d is back", *self._address)
        self._subscribed.set()

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._subscribed.clear()
        if reason.is_failure:
            self._went_down(f"is gone: {reason}")

    def _unreachable(self, error: OSError) -> None:
        self._went_down(f"cannot be reached: {error}")

    def _went_down(self, words: str) -> None:
        if not self._down:
            self._down = True
            log.warning("the broker at %s:%d %s; trying again", *self._address, words)

    def _arrived(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        at_ns = self._now_ns()
        try:
            topic = message.topic
            if topic != topics.HUB_STATE:  # our own, which the pattern of the devices' presence matches too
                self._on_arrival(Arrival(topic, bytes(message.payload), at_ns))
        except Exception:
            # It would end paho's network thread, and the hub would be deaf and look alive.
            log.exception("a message could not be taken")
