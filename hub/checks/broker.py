"""The broker that will carry the messages, and whom it lets in."""

import socket
import ssl
import time

from hub.broker.embedded import choose, find_mosquitto
from hub.broker.errors import BrokerUnusable
from hub.broker.mosquitto import Mosquitto, find_plugin
from hub.broker.port import listening
from hub.checks.line import CheckLine, bad, ok, warn
from hub.fleet.authority import DAY_S, Authority
from hub.fleet.errors import AuthorityUnusable
from hub.ports import refuse_open_broker
from hub.settings import HubSettings

NAME = "broker"
WAIT_S = 5.0
RENEW_DAYS = 30


def look(settings: HubSettings) -> CheckLine:
    """Which broker it will be, whether it is closed to strangers, and whether an external one answers."""
    try:
        refuse_open_broker(settings)
        broker = choose(settings.broker, settings.mqtt.host, settings.mqtt.port, settings.data / "broker")
    except BrokerUnusable as unusable:
        return bad(NAME, str(unusable), "mend `broker` or [mqtt] in the settings, or install what is missing")
    if "://" in settings.broker:
        return _external(settings, broker.host, broker.port)
    if not settings.mqtt_tls:
        return warn(NAME, f"{broker.name} without TLS, on loopback: good for trying out", "set tls = true under [mqtt]")
    if isinstance(broker, Mosquitto):
        try:
            find_plugin(find_mosquitto() or settings.data)
        except BrokerUnusable as unusable:
            verdict = bad if settings.broker == "mosquitto" else warn
            return verdict(NAME, str(unusable), "with broker = auto, amqtt is taken: good for about 200 devices")
        return ok(NAME, "mosquitto, run by the hub; devices come in with a certificate of this hub")
    return warn(
        NAME, "the built-in broker (amqtt), good for about 200 devices", "install mosquitto for a whole district"
    )


def _external(settings: HubSettings, host: str, port: int) -> CheckLine:
    if not listening(host, port):
        return bad(NAME, f"{settings.broker} does not answer", "start that broker, or mend `broker` in the settings")
    if not settings.mqtt_tls:
        return ok(NAME, f"{settings.broker} answers; it is this machine's, without TLS")
    return _over_tls(settings, host, port)


def _over_tls(settings: HubSettings, host: str, port: int) -> CheckLine:
    write = "write its files anew with tongtang hub broker-config, and have it load them"
    try:
        trust = ssl.create_default_context(cadata=Authority.open(settings).ca_pem)
        with (
            socket.create_connection((host, port), timeout=WAIT_S) as line,
            trust.wrap_socket(line, server_hostname=host) as tls,
        ):
            ends = str((tls.getpeercert() or {}).get("notAfter"))
    except AuthorityUnusable as unusable:
        return bad(NAME, str(unusable), "then look again")
    except ssl.SSLCertVerificationError as error:
        return bad(NAME, f"devices will not trust {settings.broker}: {error.verify_message}", write)
    except OSError as error:
        return bad(NAME, f"{settings.broker} does not speak TLS as devices do: {error}", write)
    if ssl.cert_time_to_seconds(ends) - time.time() < RENEW_DAYS * DAY_S:
        return warn(NAME, f"the certificate of {settings.broker} ends on {ends}", write)
    return ok(NAME, f"{settings.broker} answers, with a certificate that devices trust")
