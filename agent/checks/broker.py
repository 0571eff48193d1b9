"""Does the broker take a connection?"""

import secrets
import socket
import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.settings import AgentSettings

TIMEOUT_S = 4.0


def look(settings: AgentSettings, identity: Identity | None) -> CheckLine:
    """Connect over MQTT and wait for the broker's answer; with TLS only see whether somebody listens.

    There the broker knows us by our certificate, and a second connection would end the service's own.
    """
    host = settings.hub.mqtt_host or (identity.mqtt_host if identity else "")
    port = settings.hub.mqtt_port or (identity.mqtt_port if identity else 0)
    if not host or not port:
        return CheckLine("broker", Verdict.BAD, "its address is not known yet", "enrol this device first")
    why = _unheard(host, port) if identity and identity.mqtt_tls else _refusal(host, port)
    if why:
        todo = f"start the hub (it starts its broker), and let port {port} through every firewall in between"
        return CheckLine("broker", Verdict.BAD, f"{host}:{port} {why}", todo)
    return CheckLine("broker", Verdict.OK, f"{host}:{port} takes connections")


def _unheard(host: str, port: int) -> str:
    """Why nobody listens; empty where somebody does."""
    try:
        with socket.create_connection((host, port), TIMEOUT_S):
            return ""
    except OSError as error:
        return f"does not answer ({error})"


def _refusal(host: str, port: int) -> str:
    """Why there is no connection; empty where there is one."""
    answered = threading.Event()
    said: list[str] = []

    def connected(_client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            said.append(f"refused us: {reason}")
        answered.set()

    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=f"check-{secrets.token_hex(4)}", reconnect_on_failure=False
    )
    client.connect_timeout = TIMEOUT_S
    client.on_connect = connected
    try:
        client.connect(host, port, 10)
    except (OSError, ValueError) as error:
        return f"does not answer ({error})"
    client.loop_start()
    there = answered.wait(TIMEOUT_S)
    client.disconnect()
    client.loop_stop()
    return (said[0] if said else "") if there else "does not speak MQTT"
