"""The hub's ports: the ones that are set; else those it had before, for devices know them; else free ones."""

import logging
import socket
from urllib.parse import urlsplit

from hub.broker.embedded import Broker, choose
from hub.broker.errors import BrokerUnusable
from hub.broker.gate import Gate
from hub.broker.port import free_port
from hub.door import OpenBinding, is_loopback, listen
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


def start_broker(settings: HubSettings, facts: FactTable, gate: Gate | None) -> Broker:
    """Start the hub's broker and wait until it listens.

    Args:
        settings: which broker, and where it listens.
        facts: where the port is kept.
        gate: who may come in, over TLS; None where the settings say without.

    Raises:
        hub.broker.errors.BrokerUnusable: it cannot be started, or would be open; the message says what to do.
    """
    refuse_open_broker(settings)
    if "://" in settings.broker:
        broker = _chosen(settings, settings.mqtt.port, gate)
        broker.start()
        return broker
    host, kept = settings.mqtt.host, _kept(facts, MQTT_PORT)
    broker = _chosen(settings, settings.mqtt.port or kept or free_port(host), gate)
    try:
        broker.start()
    except BrokerUnusable as error:
        if settings.mqtt.port or not kept:
            raise
        log.warning("%s; taking another port, devices must be told", error)
        broker = _chosen(settings, free_port(host), gate)
        broker.start()
    if not settings.mqtt.port:
        facts.put(MQTT_PORT, str(broker.port))
    return broker


def refuse_open_broker(settings: HubSettings) -> None:
    """Let these settings pass where MQTT is TLS or stays on this machine.

    Raises:
        BrokerUnusable: lessons and orders would cross the network readable, and anybody could speak for any room.
    """
    if settings.mqtt_tls:
        return
    if "://" in settings.broker:
        if not is_loopback(urlsplit(settings.broker).hostname or ""):
            raise BrokerUnusable(
                f"the hub will not use {settings.broker} without TLS; have that broker speak TLS and say mqtts:// "
                "(tongtang hub broker-config writes what it needs)"
            )
    elif not is_loopback(settings.mqtt.host):
        raise BrokerUnusable(
            f"the hub's broker will not listen on {settings.mqtt.host} without TLS; "
            "set tls = true under [mqtt], or listen on 127.0.0.1"
        )


def _chosen(settings: HubSettings, port: int, gate: Gate | None) -> Broker:
    folder = settings.data / "broker"
    return choose(settings.broker, settings.mqtt.host, port, folder, gate=gate, hub_port=settings.mqtt.hub_port)


def _kept(facts: FactTable, name: str) -> int:
    kept = facts.get(name)
    return int(kept) if kept else 0
