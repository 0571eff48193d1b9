"""How a machine becomes a device with an operator's token: under names that are chosen here."""

import time
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from agent.hubdoor import ask, reason, understood
from agent.identity import (
    IDENTITY,
    KEY,
    Change,
    EnrolledElsewhere,
    EnrolmentRefused,
    Identity,
    IdentityFile,
    held_identity,
    keep,
    made_key,
)
from agent.renewal import renew
from agent.trust import hub_trust
from contract.envelope import PublicKey
from contract.keys import KeyUnusable, load_public, public_pem
from contract.model import DeviceId, Message, RoomId

_ANY_HOST = {"", "0.0.0.0", "::"}  # noqa: S104  # recognised, never bound


class Mqtt(Message):
    """Where the hub's broker is."""

    host: str = ""
    port: int = Field(ge=1, le=65535)
    tls: bool = False


class Registered(Message):
    """What a hub answers to whoever becomes a device of its own."""

    hub_public_key: str
    mqtt: Mqtt

    def hub_key(self, hub_url: str) -> PublicKey:
        """The hub's key.

        Raises:
            EnrolmentRefused: it cannot be used.
        """
        try:
            return load_public(self.hub_public_key)
        except KeyUnusable as error:
            raise EnrolmentRefused(f"{hub_url} answered with a key that cannot be used: {error}") from error

    def identity(
        self, hub_url: str, device: DeviceId, room: RoomId, name: str, school: str, claim_sha256: str = ""
    ) -> IdentityFile:
        """Who the machine is from now on; the broker is on the hub's own host where it says no other."""
        host = self.mqtt.host
        return IdentityFile(
            device=device,
            room=room,
            name=name,
            school=school,
            hub_url=hub_url,
            hub_public_key=self.hub_public_key,
            mqtt_host=(urlsplit(hub_url).hostname or "127.0.0.1") if host in _ANY_HOST else host,
            mqtt_port=self.mqtt.port,
            mqtt_tls=self.mqtt.tls,
            claim_sha256=claim_sha256,
        )


def register(
    state: Path,
    hub_url: str,
    token: str,
    device: str,
    room: str,
    name: str = "",
    school: str = "",
    *,
    ca: Path | None = None,
    timeout_s: float = 10.0,
) -> Identity:
    """Make this machine known to a hub by an operator's token, under names that are chosen here.

    Doing so again with the same hub does no harm and keeps the key.

    Args:
        state: state folder; gets `key.pem` (0600) and `identity.json`.
        hub_url: `http://host:port` or `https://host:port` of the hub.
        token: an operator's token.
        device: identifier of this device.
        room: identifier of the room it stands in.
        name: name of the room for people.
        school: school for people.
        ca: file of the authority that signed the hub's certificate; None where this system knows it.
        timeout_s: longest wait for the hub, in seconds.

    Raises:
        HubUnreachable: nobody answered.
        HubUntrusted: its certificate is not trusted here, or `ca` cannot be used.
        EnrolmentRefused: the hub answered no.
        EnrolledElsewhere: the state folder belongs to another hub or device.
        IdentityDamaged: there is a key already, and it cannot be used.
    """
    hub_url = hub_url.rstrip("/")
    held = held_identity(state)
    if held is not None and (held.hub_url != hub_url or held.device != device):
        raise EnrolledElsewhere(
            f"{state} already belongs to device {held.device} of the hub {held.hub_url}; "
            "use another state folder, or remove identity.json and key.pem there"
        )
    trust = hub_trust(ca)
    key = made_key(state, KEY)
    body = {"device": device, "room": room, "name": name, "school": school, "public_key": public_pem(key)}
    reply = ask(hub_url, "/api/v1/devices", body, trust, token=token, timeout_s=timeout_s)
    if reply.status_code in {401, 403}:
        raise EnrolmentRefused(f"the hub at {hub_url} does not take this operator token; make one with `tongtang hub`")
    if reply.is_error:
        raise EnrolmentRefused(f"the hub at {hub_url} refused device {device}: {reason(reply)}")
    answer = understood(Registered, reply, hub_url)
    _same_hub(answer, held, hub_url, state)
    made = keep(state, Change(identity=answer.identity(hub_url, device, room, name, school)))
    if made.mqtt_tls:  # the key is known to the hub by now, so that it may ask for its first certificate
        renew(made, state, time.time(), trust, timeout_s=timeout_s)
    return made


def _same_hub(answer: Registered, held: IdentityFile | None, hub_url: str, state: Path) -> None:
    """Refuse a hub whose key cannot be used, or is not the one it had."""
    answer.hub_key(hub_url)
    if held is not None and held.hub_public_key.strip() != answer.hub_public_key.strip():
        raise EnrolledElsewhere(
            f"the hub at {hub_url} has another key than the one this device was enrolled with; "
            f"if the hub was set up anew on purpose, remove {state / IDENTITY} and enrol again"
        )
