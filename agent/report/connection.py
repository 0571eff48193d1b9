"""One connection to the broker, from the first packet to the last; never used twice.

Each attempt has a client of its own, so that paho sends nothing of an older connection again.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.identity import IdentityRefused
from agent.trust import refusal
from contract import topics
from contract.telemetry import DeviceState

log = logging.getLogger(__name__)

CONNACK_WAIT_S = 10.0
"""Longest wait for each step of connecting; in a reconnect storm the broker is slow."""
IN_FLIGHT = 500
"""Messages that paho may hold for the broker's PUBACK; more are refused and come back by the window."""
SHUT_OUT = {"Bad user name or password", "Not authorized", "Client identifier not valid", "Banned"}
"""Reasons of a CONNACK that speak of us, not of the broker."""

TakeMessage = Callable[[str, bytes, int], None]
"""Takes topic, payload and the monotonic time of arrival, on the network thread."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how it is met."""

    host: str
    port: int
    keepalive_s: int = 15
    """A connection that is dead is noticed within one and a half times this, on both sides."""
    tls: Callable[[], ssl.SSLContext] | None = None
    """Makes what the broker is met with, for one connection; may raise `IdentityRefused`. None: without TLS."""

    def __str__(self) -> str:
        return f"the broker at {self.host}:{self.port}"


class Connection:
    """One connection, with this device's presence in its will."""

    def __init__(self, broker: Broker, birth: DeviceState, wanted: Sequence[str], take: TakeMessage) -> None:
        """Prepare; nothing is opened yet.

        Args:
            broker: whom to connect to.
            birth: this device's presence.
            wanted: topics to subscribe to.
            take: takes what arrives; must return at once and raise nothing.
        """
        self.gone = threading.Event()
        """Set once the connection is over, however that came."""
        self.on_gone: Callable[[], None] = lambda: None
        self.away = ""
        """Why there is no connection, in words; the first reason counts."""
        self.shut_out = False
        """Whether the broker refused us for what we are."""
        self._broker = broker
        self._birth = birth
        self._wanted = wanted
        self._take = take
        self._settled = threading.Event()
        self._client = self._made()

    def open(self, stopping: threading.Event) -> bool:
        """Connect and subscribe; False where that failed, and `away` says why."""
        try:
            if self._broker.tls is not None:
                self._client.tls_set_context(self._broker.tls())
            self._client.connect(self._broker.host, self._broker.port, paced(self._broker.keepalive_s))
        except (OSError, ValueError, IdentityRefused) as error:
            self._heard(str(error) or type(error).__name__)
            return False
        self._client.loop_start()
        settled = self._settled.wait(CONNACK_WAIT_S)
        if settled and not self.gone.is_set() and not stopping.is_set():
            return True
        self.close()
        self.away = self.away or "it does not answer as an MQTT broker"
        return False

    def settle(self) -> None:
        """Let whoever waits in `open` go on: there is no time for it any more."""
        self._settled.set()

    def publish(self, topic: str, data: bytes, qos: int, *, retain: bool) -> bool:
        """Hand a message to the network thread; False where that takes none."""
        return not self.gone.is_set() and self._client.publish(topic, data, qos, retain).rc == mqtt.MQTT_ERR_SUCCESS

    def tell_birth(self) -> None:
        """Say that this device is there."""
        birth = self._birth.model_copy(update={"wall": time.time()})
        self._client.publish(topics.state(self._birth.device), birth.model_dump_json().encode(), 1, retain=True)

    def goodbye(self) -> None:
        """Say that this device is going."""
        last = self._birth.model_copy(update={"online": False, "why": "stopped", "wall": time.time()})
        told = self._client.publish(topics.state(self._birth.device), last.model_dump_json().encode(), 1, retain=True)
        try:
            told.wait_for_publish(1.0)
        except (RuntimeError, ValueError) as error:
            log.info("the broker was gone before the goodbye: %s", error)

    def close(self) -> None:
        """End it in order; the will is not sent."""
        self._client.disconnect()
        self._client.loop_stop()

    # What paho calls, on its thread.

    def _made(self) -> mqtt.Client:
        device = self._birth.device
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=device, clean_session=True, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(IN_FLIGHT)
        client.max_queued_messages_set(IN_FLIGHT)
        client.connect_timeout = CONNACK_WAIT_S
        will = self._birth.model_copy(update={"online": False, "why": "the connection broke"})
        client.will_set(topics.state(device), will.model_dump_json().encode(), 1, retain=True)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        client.on_log = self._logged
        return client

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.away = self.away or f"it refuses us: {reason}"
            self.shut_out = str(reason) in SHUT_OUT
            self._over()
            return
        client.subscribe([(topic, 1) for topic in self._wanted])

    def _subscribed(self, _client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        denied = [topic for topic, reason in zip(self._wanted, reasons, strict=False) if reason.is_failure]
        if len(denied) == len(self._wanted):
            # mosquitto lets in who has a certificate of the hub's, known or not, and then nothing passes.
            self.away = self.away or "it refuses us: it lets us hear nothing, as if the hub did not know us"
            self.shut_out = True
            self._over()
            return
        if denied:
            log.warning("%s does not let us hear %s", self._broker, ", ".join(denied))
        self.tell_birth()
        self._settled.set()

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        said = str(reason)
        self.away = self.away or ("the connection broke" if said == "Unspecified error" else said)
        self._over()

    def _arrived(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._take(message.topic, bytes(message.payload), time.monotonic_ns())

    def _logged(self, _client: mqtt.Client, _data: Any, level: int, words: str) -> None:
        # With TLS 1.3 the broker refuses a certificate after the handshake, and only paho's log has its reason.
        if level == mqtt.MQTT_LOG_ERR and refusal(words) is not None:
            self._heard(words)

    def _heard(self, said: str) -> None:
        if self.away:
            return
        why = refusal(said)
        self.away = said if why is None else f"it refuses us: {why.words}"
        self.shut_out = why is not None

    def _over(self) -> None:
        self.gone.set()
        self._settled.set()
        self.on_gone()


def paced(keepalive_s: int) -> int:
    """What to tell paho, which pings after so many seconds of silence, waits as many more, and looks once a second."""
    return max(1, int((1.5 * keepalive_s - 2) / 2))
