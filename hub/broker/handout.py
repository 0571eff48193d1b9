"""What a mosquitto that someone else runs needs, in a folder to carry over."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization

from contract.keys import new_device_key
from hub.broker import mosquitto_conf
from hub.broker.dynsec import document
from hub.broker.errors import BrokerUnusable
from hub.broker.files import replace
from hub.broker.mosquitto_conf import Address, Files
from hub.fleet.authority import Authority
from hub.settings import HubSettings, is_name
from hub.store.devices import DeviceTable

CONF, RULES, CRL, CA, CERTIFICATE, KEY = (
    "mosquitto.conf",
    "dynamic-security.json",
    "crl.pem",
    "ca.pem",
    "broker.pem",
    "broker.key",
)
PLUGIN = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"
"""Where Debian has it."""


@dataclass(frozen=True, slots=True)
class Handout:
    """What was written."""

    files: Sequence[Path]
    devices: int
    """How many may come in."""
    expires: float
    """When the broker's certificate ends, in seconds of hub UTC."""


def write_handout(
    settings: HubSettings, authority: Authority, devices: DeviceTable, out: Path, at: str, plugin: str, now: float
) -> Handout:
    """Write configuration, rules, certificates and the list of revoked ones.

    Args:
        settings: name the broker, as mqtts://host:port.
        authority: signs the broker's certificate and the list.
        devices: who may come in, and who no longer.
        out: where to write.
        at: the folder in which mosquitto will find these files, on its own machine.
        plugin: the dynamic-security plugin there.
        now: hub UTC in seconds.

    Raises:
        BrokerUnusable: the settings name no external broker with TLS, or the folder cannot be written.
        hub.fleet.errors.AuthorityUnusable: the authority has expired.
    """
    if not settings.broker.startswith("mqtts://"):
        raise BrokerUnusable(
            "the settings name no external broker; set broker = mqtts://host:port, by which devices will reach it"
        )
    url = urlsplit(settings.broker)
    names = [name for name in (url.hostname or "", *settings.mqtt.names, "localhost", "127.0.0.1") if is_name(name)]
    key = new_device_key()
    issued = authority.sign_server(key.public_key(), names, now)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    admitted = [one.id for one in devices.all() if one.revoked is None]
    there = [PurePosixPath(at) / name for name in (CA, CERTIFICATE, KEY, CRL, RULES)]
    hub = Address("", settings.mqtt.hub_port) if settings.mqtt.hub_port else None
    conf = mosquitto_conf.guarded(
        Address("", url.port or 0), hub, Files(*there), PurePosixPath(plugin), None, " for a broker of your own"
    )
    texts = {
        CONF: conf.encode(),
        RULES: document(admitted).encode(),
        CRL: authority.crl(devices.revoked_serials(), now),
        CA: authority.ca_pem.encode(),
        CERTIFICATE: issued.certificate_pem.encode(),
        KEY: pem,
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            replace(out / name, text)
    except OSError as error:
        raise BrokerUnusable(f"{error.filename} cannot be written: {error.strerror}; name another folder") from error
    return Handout([out / name for name in texts], len(admitted), issued.expires)
