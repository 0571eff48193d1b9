"""Who this device is: its own key, which never leaves it, and the hub it belongs to."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from pydantic import Field, ValidationError

from agent.platform import hand_over, replace_file, sync_folder
from contract.envelope import PublicKey
from contract.keys import KeyUnusable, load_private, load_public, new_device_key, save_private
from contract.model import DeviceId, Message, RoomId

TOKEN_VALID_S = 240
"""Life of a device token; the hub takes at most 300 s."""
AUDIENCE = "tongtang-hub"
KEY, NEW_KEY = "key.pem", "key.new.pem"
CERTIFICATE, AUTHORITY = "certificate.pem", "ca.pem"
IDENTITY, CHANGE = "identity.json", "change.json"


class IdentityRefused(Exception):
    """This device cannot be who it should be; the message says what to do.

    IdentityRefused
    ├── NotEnrolled       no identity yet
    ├── IdentityDamaged   the files are there and cannot be used
    ├── HubUnreachable    nobody answered
    ├── HubUntrusted      what answers, or the file of its authority, cannot be trusted
    ├── EnrolmentRefused  the hub answered no, or what cannot be used
    ├── RenewalRefused    the hub gives this device no new certificate
    └── EnrolledElsewhere it already belongs to another hub, or is another device
    """


class NotEnrolled(IdentityRefused):
    """No identity yet."""


class IdentityDamaged(IdentityRefused):
    """The files are there and cannot be used."""


class HubUnreachable(IdentityRefused):
    """Nobody answered at the hub's address."""


class HubUntrusted(IdentityRefused):
    """What answers is not the hub that it should be, or the authority's file cannot be used."""


class EnrolmentRefused(IdentityRefused):
    """The hub answered no, or what answered is no hub."""


class RenewalRefused(IdentityRefused):
    """The hub gives this device no new certificate."""


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
    mqtt_tls: bool = False
    claim_sha256: str = ""
    """Hash of the claim code by which it was enrolled; the same code again changes nothing."""


class Change(Message):
    """`change.json` in the state folder, for as long as it takes to carry out: all that belongs together, whole."""

    version: int = 1
    identity: IdentityFile
    certificate: str = ""
    """PEM; empty where the broker wants none."""
    ca: str = ""
    """PEM."""
    new_key: bool = False
    """Whether the key that lies ready becomes this device's."""


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
    mqtt_tls: bool = False
    """Whether the broker wants TLS and this device's certificate."""


def load_identity(state: Path) -> Identity:
    """Read this device's identity from its state folder.

    Raises:
        NotEnrolled: there is none yet.
        IdentityDamaged: `identity.json` or `key.pem` cannot be used.
    """
    file = held_identity(state)
    if file is None:
        raise NotEnrolled(f"{state} holds no identity; run `tongtang agent enrol` first")
    try:
        return _identity(file, device_key(state / KEY), load_public(file.hub_public_key))
    except KeyUnusable as error:
        raise IdentityDamaged(f"{error}; remove {state / IDENTITY} and enrol again") from error


def held_identity(state: Path) -> IdentityFile | None:
    """What `identity.json` says; None where there is none.

    Raises:
        IdentityDamaged: it cannot be used.
    """
    _carry_out(state)
    path = state / IDENTITY
    try:
        return IdentityFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise IdentityDamaged(f"{path} cannot be used: {short(error)}; remove it and enrol again") from error


def device_key(path: Path) -> EllipticCurvePrivateKey:
    """Read a device's private key.

    Raises:
        KeyUnusable: it is missing, damaged or not P-256.
    """
    key = load_private(path)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise KeyUnusable(f"{path} is no device key (P-256 expected)")
    return key


def made_key(state: Path, name: str) -> EllipticCurvePrivateKey:
    """This machine's key: the one that lies there, or a new one.

    Raises:
        IdentityDamaged: it cannot be used, or not be written.
    """
    key = new_device_key()
    try:
        save_private(key, state / name)
        hand_over(state / name)
    except FileExistsError:
        try:
            return device_key(state / name)
        except KeyUnusable as error:
            raise IdentityDamaged(f"{error}; remove it and enrol again") from error
    except OSError as error:
        raise IdentityDamaged(f"cannot write to the state folder {state}: {error.strerror}") from error
    return key


def keep(state: Path, change: Change) -> Identity:
    """Change identity, certificate and authority (and the key, where a new one lies ready) together.

    A kill or a power cut at any moment leaves all as it was or all as it is to be: `change.json` is written
    whole first, and whoever reads the identity next carries out what is left of it.

    Raises:
        IdentityDamaged: the folder cannot be written; then nothing has changed, or the next start goes on.
    """
    try:
        replace_file(state / CHANGE, change.model_dump_json(indent=1).encode())
    except OSError as error:
        raise IdentityDamaged(f"cannot write to the state folder {state}: {error.strerror}") from error
    return load_identity(state)


def _carry_out(state: Path) -> None:
    """Bring a change that was begun to its end; every step may be repeated."""
    path = state / CHANGE
    try:
        change = Change.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValidationError) as error:
        raise IdentityDamaged(f"{path} cannot be used: {short(error)}; remove it and enrol again") from error
    try:
        if change.new_key:
            with contextlib.suppress(FileNotFoundError):  # it is in its place already
                (state / NEW_KEY).replace(state / KEY)
        for name, text in ((CERTIFICATE, change.certificate), (AUTHORITY, change.ca)):
            if text:
                replace_file(state / name, text.encode())
            else:
                (state / name).unlink(missing_ok=True)
        replace_file(state / IDENTITY, change.identity.model_dump_json(indent=1).encode())
        path.unlink(missing_ok=True)
        sync_folder(state)
    except OSError as error:
        raise IdentityDamaged(f"cannot write to the state folder {state}: {error.strerror}") from error


def device_token(identity: Identity, now: float, certificate: str = "") -> str:
    """A short-lived token for the hub's HTTP side, signed with the device's key.

    Args:
        identity: whose token.
        now: seconds of hub UTC.
        certificate: this device's, PEM, to go with it (`x5c`, RFC 7515, section 4.1.6): a hub that was restored from
            a backup made before we were enrolled knows us by it alone.
    """
    headers = {"x5c": [_base64_of(certificate)]} if certificate else None
    claims = {"sub": identity.device, "iat": int(now), "exp": int(now) + TOKEN_VALID_S, "aud": AUDIENCE}
    return jwt.encode(claims, identity.key, algorithm="ES256", headers=headers)


def _base64_of(pem: str) -> str:
    """The first certificate of a PEM file without its frame: DER in base64."""
    return "".join(pem.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0].split())


def short(error: Exception) -> str:
    """What a person needs of an error while reading a file or an answer."""
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
        mqtt_tls=file.mqtt_tls,
    )
