"""Do the broker and this device take each other's certificates?"""

import contextlib
import socket
import ssl

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity, IdentityDamaged
from agent.settings import AgentSettings
from agent.trust import broker_trust, refusal

TIMEOUT_S = 4.0
REFUSAL_S = 1.0
"""With TLS 1.3 the broker says only after the handshake, and so soon, that it does not take a certificate."""


def look(settings: AgentSettings, identity: Identity | None) -> CheckLine:
    """Open TLS to the broker with this device's certificate; no word of MQTT, which would disturb the service."""
    if identity is None:
        return CheckLine("trust", Verdict.WARN, "not looked at before this machine is enrolled", "enrol it first")
    if not identity.mqtt_tls:
        return CheckLine("trust", Verdict.OK, "not needed: this hub's broker is met without TLS")
    host = settings.hub.mqtt_host or identity.mqtt_host
    port = settings.hub.mqtt_port or identity.mqtt_port
    try:
        _meet(host, port, broker_trust(settings.state))
    except IdentityDamaged as error:
        return CheckLine("trust", Verdict.BAD, str(error), "tongtang agent enrol CODE --anew")
    except ssl.SSLCertVerificationError as error:
        words = f"the certificate of {host}:{port} is not the hub's: {error.verify_message or error}"
        todo = "name the broker as its certificate does (mqtt_host under [hub]); was the hub set up anew? enrol again"
        return CheckLine("trust", Verdict.BAD, words, todo)
    except OSError as error:
        why = refusal(str(error))
        words = f"{host}:{port}: {why.words if why else error}"
        todo = "the service renews it by itself" if why and why.expired else "ask whoever looks after the hub"
        return CheckLine("trust", Verdict.BAD, words, todo)
    return CheckLine("trust", Verdict.OK, f"{host}:{port} and this device take each other's certificates")


def _meet(host: str, port: int, context: ssl.SSLContext) -> None:
    """Shake hands.

    Raises:
        OSError: one of the two does not take the other's certificate, or nobody answers.
    """
    with (
        socket.create_connection((host, port), TIMEOUT_S) as door,
        context.wrap_socket(door, server_hostname=host) as shown,
    ):
        shown.settimeout(REFUSAL_S)
        with contextlib.suppress(TimeoutError):  # it waits for us to speak: all is well
            shown.recv(1)
