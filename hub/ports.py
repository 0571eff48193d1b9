"""The hub's ports: the ones that are set; else those it had before, for devices know them; else free ones."""

import logging
import socket

from hub.broker.embedded import Broker, choose, free_port
from hub.broker.errors import BrokerUnusable
from hub.door import OpenBinding, listen
from hub.errors import HubRefused
from hub.settings import HubSettings
from hub.store.facts import FactTable

HTTP_PORT = "http_port"
MQTT_PORT = "mqtt_port"

log = logging.getLogger("hub")


def http_listener(settings: HubSettings, facts: FactTable) -> socket.socket:
    """Listen for HTTP; nothing is answered yet.

    Raises:
        hub.errors.HubRefused: it cannot listen there, or may not without TLS.
    """
    http = settings.http
    if http.port:
        return listen(http, http.port)
    try:
        listener = listen(http, _kept(facts, HTTP_PORT))
    except OpenBinding:
        raise
    except HubRefused as refused:
        log.warning("%s; taking another port", refused)
        listener = listen(http, 0)
    facts.put(HTTP_PORT, str(listener.getsockname()[1]))
    return listener


def start_broker(settings: HubSettings, facts: FactTable) -> Broker:
    """Start the hub's broker and wait until it listens.

    Raises:
        hub.broker.errors.BrokerUnusable: it cannot be started; the message says what to do.
    """
    host, folder = settings.mqtt.host, settings.data / "broker"
    if settings.broker.startswith("mqtt://"):
        return choose(settings.broker, host, settings.mqtt.port, folder)
    kept = _kept(facts, MQTT_PORT)
    broker = choose(settings.broker, host, settings.mqtt.port or kept or free_port(host), folder)
    try:
        broker.start()
    except BrokerUnusable as error:
        if settings.mqtt.port or not kept:
            raise
        log.warning("%s; taking another port, devices must be told", error)
        broker = choose(settings.broker, host, free_port(host), folder)
        broker.start()
    if not settings.mqtt.port:
        facts.put(MQTT_PORT, str(broker.port))
    return broker


def _kept(facts: FactTable, name: str) -> int:
    kept = facts.get(name)
    return int(kept) if kept else 0
