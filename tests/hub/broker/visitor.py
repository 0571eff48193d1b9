"""A client of a closed broker: with whatever certificate, asking for whatever it likes."""

import datetime as dt
import ssl
import time
from pathlib import Path

import paho.mqtt.client as paho
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion

from contract.keys import new_device_key
from hub.fleet.authority import Authority, make_authority
from hub.settings import HubSettings
from tests.hub.broker.speaker import eventually

DENIED = 0x80


def authority_in(folder: Path) -> Authority:
    """A certificate authority, kept in `folder`."""
    make_authority(folder, time.time())
    return Authority.open(HubSettings(data=folder))


def below_one_root(count: int) -> list[Authority]:
    """Authorities that one root has signed, each with its chain."""
    root_key = new_device_key()
    root = _certified("A root", root_key, "A root", root_key)
    found = []
    for number in range(count):
        key = new_device_key()
        found.append(Authority([_certified(f"Authority {number}", key, "A root", root_key), root], key))
    return found


def _certified(name: str, key, by: str, by_key) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(by_key, hashes.SHA256())
    )


class Paper:
    """A key and a certificate; `trusts` is the authority by which the broker is known."""

    def __init__(self, folder: Path, authority: Authority, device: str, *, at: float | None = None) -> None:
        key = new_device_key()
        issued = authority.sign_device(key.public_key(), device, time.time() if at is None else at)
        self.device = device
        self.serial = issued.serial
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        self.file = folder / f"{device}-{issued.serial[:8]}.pem"
        self.file.write_bytes(pem + issued.certificate_pem.encode())

    def context(self, trusts: Authority) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=trusts.ca_pem)
        context.load_cert_chain(self.file)
        return context


class Visitor:
    """One connection. `came_in` is None until the broker has answered, or closed the door."""

    def __init__(self, port: int, context: ssl.SSLContext, client_id: str, *, will: str = "", keepalive: int = 60):
        self.came_in: bool | None = None
        self.there = False
        self.heard: list[tuple[str, bytes]] = []
        self._granted: dict[int, list[bool]] = {}
        self.client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False, clean_session=True
        )
        client.tls_set_context(context)
        if will:
            client.will_set(will, b"dead", qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._gone
        client.on_message = lambda _c, _d, message: self.heard.append((message.topic, message.payload))
        client.on_subscribe = lambda _c, _d, mid, codes, _p: self._granted.update(
            {mid: [not code.is_failure for code in codes]}
        )
        try:
            client.connect("127.0.0.1", port, keepalive)
        except OSError:
            self.came_in = False
        else:
            client.loop_start()
        eventually(lambda: self.came_in is not None)

    def _connected(self, _client, _data, _flags, reason, _properties):
        self.there = self.came_in = not reason.is_failure

    def _gone(self, *_):
        self.there = False
        if self.came_in is None:
            self.came_in = False

    def subscribe(self, *filters: str) -> list[bool]:
        """Whether each was granted."""
        mid = self.client.subscribe([(one, 1) for one in filters])[1]
        eventually(lambda: mid in self._granted)
        return self._granted[mid]

    def say(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> None:
        """Publish and wait for the PUBACK, which says nothing of whether it was let through."""
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def hears(self, topic: str, payload: bytes = b"x") -> bool:
        return (topic, payload) in self.heard

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
