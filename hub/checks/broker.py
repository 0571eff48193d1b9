"""The broker that will carry the messages."""

from hub.broker.embedded import choose, listening
from hub.broker.errors import BrokerUnusable
from hub.broker.mosquitto import Mosquitto
from hub.checks.line import CheckLine, bad, ok, warn
from hub.door import is_loopback
from hub.settings import HubSettings

NAME = "broker"


def look(settings: HubSettings) -> CheckLine:
    """Which broker it will be, and whether an external one answers."""
    try:
        broker = choose(settings.broker, settings.mqtt.host, settings.mqtt.port, settings.data / "broker")
    except BrokerUnusable as unusable:
        return bad(NAME, str(unusable), "apt install mosquitto, or broker = auto")
    if settings.broker.startswith("mqtt://"):
        if listening(broker.host, broker.port):
            return ok(NAME, f"{settings.broker} answers")
        return bad(NAME, f"{settings.broker} does not answer", "start that broker, or mend `broker` in the settings")
    if not is_loopback(settings.mqtt.host):
        return warn(
            NAME,
            f"{broker.name} on {settings.mqtt.host}, open to whoever reaches that address: MQTT has no TLS here yet",
            "let only the classrooms' network through to its port",
        )
    if isinstance(broker, Mosquitto):
        return ok(NAME, "mosquitto, run by the hub")
    return warn(
        NAME, "the built-in broker (amqtt), good for about 200 devices", "install mosquitto for a whole district"
    )
