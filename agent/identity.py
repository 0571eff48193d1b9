"""Who this device is: its own key, which never leaves it, and the hub it belongs to."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from pydantic import Field, ValidationError

from agent.platform import replace_file
from contract.envelope import PublicKey
from contract.keys import KeyUnusable, load_private, load_public, new_device_key, public_pem, save_private
from contract.model import DeviceId, Message, RoomId

TOKEN_VALID_S = 240
"""Life of a device token; the hub takes at most 300 s."""
AUDIENCE = "tongtang-hub"
_ANY_HOST = {"", "0.0.0.0", "::"}  # noqa: S104  # recognised, never bound


class IdentityRefused(Exception):
    """This device cannot be who it should be; the message says what to do.

    IdentityRefused
    ├── NotEnrolled      no identity yet
    ├── IdentityDamaged  the files are there and cannot be used
    ├── HubUnreachable   nobody answered
    ├── HubUntrusted     what answers, or the file of its authority, cannot be trusted
    ├── EnrolmentRefused the hub answered no
    └── EnrolledElsewhere it already belongs to another hub, or is another device
    """


class NotEnrolled(IdentityRefused):
    """No identity yet."""


class IdentityDamaged(IdentityRefused):
    """The files are there and cannot be used."""


class HubUnreachable(IdentityRefused):
    """Nobody answered at the hub's address."""


class HubUntrusted(IdentityRefused):
    """The certificate of what answers is not trusted here, or the authority's file cannot be used."""


class EnrolmentRefused(IdentityRefused):
    """The hub answered no, or what answered is no hub."""


class EnrolledElsewhere(IdentityRefused):
    """It already belongs to another hub, or is another device."""


class IdentityFile(Message):
    """`identity.json` in the state folder."""

    version: int = 1
    device: DeviceId
    room: RoomId
    name: str = ""
    school: str = ""
    hub_url: str
    hub_public_key: str
    mqtt_host: str
    mqtt_port: int = Field(ge=1, le=65535)


@dataclass(frozen=True, slots=True)
class Identity:
    """One device, as it proves itself to its hub."""

    device: str
    room: str
    name: str
    school: str
    key: EllipticCurvePrivateKey
    hub_key: PublicKey
    hub_url: str
    mqtt_host: str
    mqtt_port: int


class _Mqtt(Message):
    host: str = ""
    port: int = Field(ge=1, le=65535)


class _Enrolled(Message):
    hub_public_key: str
    mqtt: _Mqtt


def load_identity(state: Path) -> Identity:
    """Read this device's identity from its state folder.

    Raises:
        NotEnrolled: there is none yet.
        IdentityDamaged: `identity.json` or `key.pem` cannot be used.
    """
    path = state / "identity.json"
    try:
        file = IdentityFile.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise NotEnrolled(f"{state} holds no identity; run `tongtang agent enrol` first") from error
    except (OSError, ValidationError) as error:
        raise IdentityDamaged(f"{path} cannot be used: {_short(error)}; remove it and enrol again") from error
    try:
        return _identity(file, _device_key(state), load_public(file.hub_public_key))
    except KeyUnusable as error:
        raise IdentityDamaged(f"{error}; remove {path} and enrol again") from error


def enrol(
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
    """Make this device known to a hub and remember the hub's key and broker.

    Enrolling the same device with the same hub again does no harm and keeps its key.

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
    held = _held(state)
    if held is not None and (held.hub_url != hub_url or held.device != device):
        raise EnrolledElsewhere(
            f"{state} already belongs to device {held.device} of the hub {held.hub_url}; "
            "use another state folder, or remove identity.json and key.pem there"
        )
    trust = hub_trust(ca)
    key = _made_key(state)
    body = {"device": device, "room": room, "name": name, "school": school, "public_key": public_pem(key)}
    answer = _asked(hub_url, token, body, trust, timeout_s)
    hub_key = _hub_key(answer, hub_url, held, state)
    host = (urlsplit(hub_url).hostname or "127.0.0.1") if answer.mqtt.host in _ANY_HOST else answer.mqtt.host
    file = IdentityFile(
        device=device,
        room=room,
        name=name,
        school=school,
        hub_url=hub_url,
        hub_public_key=answer.hub_public_key,
        mqtt_host=host,
        mqtt_port=answer.mqtt.port,
    )
    replace_file(state / "identity.json", file.model_dump_json(indent=1).encode())
    return _identity(file, key, hub_key)


def hub_trust(ca: Path | None) -> ssl.SSLContext:
    """Whose certificates count for the hub: those of the authority in the file `ca` alone, or this system's.

    Raises:
        HubUntrusted: `ca` is missing or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # includes ssl.SSLError
        why = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "it holds no certificate"
        raise HubUntrusted(f"{ca} cannot be used: {why}; mend ca under [hub] (a PEM file is expected)") from error


def untrusted(hub_url: str, error: Exception) -> str:
    """What to do where a request failed because the hub's certificate is not trusted here; empty for other reasons."""
    why = str(error)
    if "CERTIFICATE_VERIFY_FAILED" not in why:
        return ""
    return (
        f"the certificate of {hub_url} is not trusted here ({why.partition('failed: ')[2] or why}); "
        "name the file of the authority that signed it with ca under [hub] in agent.toml"
    )


def device_token(identity: Identity, now: float) -> str:
    """A short-lived token for the hub's HTTP side, signed with the device's key.

    Args:
        identity: whose token.
        now: seconds of hub UTC.
    """
    claims = {"sub": identity.device, "iat": int(now), "exp": int(now) + TOKEN_VALID_S, "aud": AUDIENCE}
    return jwt.encode(claims, identity.key, algorithm="ES256")


def _held(state: Path) -> IdentityFile | None:
    try:
        return IdentityFile.model_validate_json((state / "identity.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        path = state / "identity.json"
        raise IdentityDamaged(f"{path} cannot be used: {_short(error)}; remove it and enrol again") from error


def _device_key(state: Path) -> EllipticCurvePrivateKey:
    key = load_private(state / "key.pem")
    if not isinstance(key, EllipticCurvePrivateKey):
        raise KeyUnusable(f"{state / 'key.pem'} is no device key (P-256 expected)")
    return key


def _hub_key(answer: _Enrolled, hub_url: str, held: IdentityFile | None, state: Path) -> PublicKey:
    """The key that the hub answered with, where it is still the one it had."""
    try:
        key = load_public(answer.hub_public_key)
    except KeyUnusable as error:
        raise EnrolmentRefused(f"{hub_url} answered with a key that cannot be used: {error}") from error
    if held is not None and held.hub_public_key.strip() != answer.hub_public_key.strip():
        raise EnrolledElsewhere(
            f"the hub at {hub_url} has another key than the one this device was enrolled with; "
            f"if the hub was set up anew on purpose, remove {state / 'identity.json'} and enrol again"
        )
    return key


def _made_key(state: Path) -> EllipticCurvePrivateKey:
    key = new_device_key()
    try:
        save_private(key, state / "key.pem")
    except FileExistsError:
        try:
            return _device_key(state)
        except KeyUnusable as error:
            raise IdentityDamaged(f"{error}; remove it and enrol again") from error
    except OSError as error:
        raise IdentityDamaged(f"cannot write to the state folder {state}: {error.strerror}") from error
    return key


def _asked(hub_url: str, token: str, body: dict[str, str], trust: ssl.SSLContext, timeout_s: float) -> _Enrolled:
    url = f"{hub_url}/api/v1/devices"
    headers = {"Authorization": f"Bearer {token}"}
    try:
        # A proxy of the school's must not stand between a classroom and its hub.
        reply = httpx.post(url, json=body, headers=headers, timeout=timeout_s, trust_env=False, verify=trust)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if words := untrusted(hub_url, error):
            raise HubUntrusted(words) from error
        why = str(error) or type(error).__name__
        raise HubUnreachable(
            f"no hub answers at {hub_url} ({why}); is it running, and is the address right?"
        ) from error
    if reply.status_code in {401, 403}:
        raise EnrolmentRefused(f"the hub at {hub_url} does not take this operator token; make one with `tongtang hub`")
    if reply.is_error:
        raise EnrolmentRefused(f"the hub at {hub_url} refused device {body['device']}: {_reason(reply)}")
    try:
        return _Enrolled.model_validate_json(reply.content)
    except ValidationError as error:
        raise EnrolmentRefused(f"what answers at {hub_url} is not a Tongtang hub ({_short(error)})") from error


def _reason(reply: httpx.Response) -> str:
    try:
        said = reply.json()
    except ValueError:
        said = None
    if isinstance(said, dict):
        told = [str(said[key]) for key in ("error", "what_to_do", "detail") if said.get(key)]
        if told:
            return "; ".join(told)
    return f"HTTP {reply.status_code}"


def _short(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return f"{where}: {first['msg']}" if where else str(first["msg"])
    return str(error)


def _identity(file: IdentityFile, key: EllipticCurvePrivateKey, hub_key: PublicKey) -> Identity:
    return Identity(
        device=file.device,
        room=file.room,
        name=file.name,
        school=file.school,
        key=key,
        hub_key=hub_key,
        hub_url=file.hub_url,
        mqtt_host=file.mqtt_host,
        mqtt_port=file.mqtt_port,
    )
