"""The signed envelope: id, issued, expires, nonce, body, signature.

Ed25519 signs for the hub; P-256 (ECDSA, SHA-256) signs for a device. The signature
covers the other five fields; the body is the JSON text exactly as it was signed.
"""

import base64
import secrets
from collections import OrderedDict

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, ValidationError

from contract.model import Message

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey

LEEWAY_S = 5.0
"""How far the clocks of signer and reader may disagree about `expires`, in seconds."""
SEEN_KEPT = 4096
"""Nonces remembered for each reader."""


class EnvelopeRefused(Exception):
    """An envelope that must not be acted on; the message says why.

    EnvelopeRefused
    ├── Malformed      not an envelope, or its body is not what it should be
    ├── BadSignature   not signed by the key we know
    ├── Expired        too old to act on
    └── Replayed       seen before
    """


class Malformed(EnvelopeRefused):
    """Not an envelope."""


class BadSignature(EnvelopeRefused):
    """Not signed by the key we know, or changed on the way."""


class Expired(EnvelopeRefused):
    """Too old to act on."""


class Replayed(EnvelopeRefused):
    """The same nonce was seen before."""


class Envelope(Message):
    """A signed message. `issued` and `expires` are seconds of UTC."""

    id: str = Field(min_length=8, max_length=64)
    issued: float
    expires: float
    nonce: str = Field(min_length=16, max_length=64)
    body: str
    signature: str

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        head = f"{self.id}\n{self.issued:.6f}\n{self.expires:.6f}\n{self.nonce}\n"
        return head.encode() + self.body.encode()

    def to_json(self) -> bytes:
        """The envelope as it travels."""
        return self.model_dump_json().encode()


def sign(body: Message, key: PrivateKey, now: float, valid_s: float) -> Envelope:
    """Put `body` into an envelope signed with `key`, valid for `valid_s` seconds from `now`."""
    return signed(unsigned(body, now, valid_s), key)


def unsigned(body: Message, now: float, valid_s: float) -> Envelope:
    """Put `body` into an envelope that is still to be signed, valid for `valid_s` seconds from `now`."""
    return Envelope(
        id=secrets.token_hex(12),
        issued=round(now, 6),
        expires=round(now + valid_s, 6),
        nonce=secrets.token_hex(16),
        body=body.model_dump_json(by_alias=True),
        signature="",
    )


def signed(envelope: Envelope, key: PrivateKey) -> Envelope:
    """`envelope` with the signature of `key`; that of an Ed25519 key is the same each time (RFC 8032)."""
    data = envelope.signed_bytes()
    raw = key.sign(data) if isinstance(key, Ed25519PrivateKey) else key.sign(data, ECDSA(hashes.SHA256()))
    return envelope.model_copy(update={"signature": base64.b64encode(raw).decode()})


def parse(data: bytes | str) -> Envelope:
    """Read an envelope without checking its signature.

    Raises:
        Malformed: it is none.
    """
    try:
        return Envelope.model_validate_json(data)
    except ValidationError as error:
        raise Malformed(f"not an envelope: {error.error_count()} fields are wrong") from error


def verify(envelope: Envelope, key: PublicKey, now: float | None) -> None:
    """Check signature and, unless `now` is None, expiry.

    Args:
        envelope: what came.
        key: the signer's public key.
        now: seconds of UTC as the reader knows it; None where it does not know the time yet.

    Raises:
        BadSignature: not signed by `key`, or changed on the way.
        Expired: `expires` is past.
    """
    try:
        raw = base64.b64decode(envelope.signature, validate=True)
        data = envelope.signed_bytes()
        if isinstance(key, Ed25519PublicKey):
            key.verify(raw, data)
        else:
            key.verify(raw, data, ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(f"envelope {envelope.id} is not signed by the key we know") from error
    if now is not None:
        refuse_expired(envelope, now)


def refuse_expired(envelope: Envelope, now: float) -> None:
    """Check expiry alone, of an envelope whose signature was checked before.

    Args:
        envelope: what came.
        now: seconds of UTC as the reader knows it.

    Raises:
        Expired: `expires` is past.
    """
    if now > envelope.expires + LEEWAY_S:
        raise Expired(f"envelope {envelope.id} expired {now - envelope.expires:.1f} s ago")


class Seen:
    """Remembers the last nonces of one reader, so that nothing is acted on twice."""

    def __init__(self, kept: int = SEEN_KEPT) -> None:
        self._kept = kept
        self._nonces: OrderedDict[str, None] = OrderedDict()

    def first_time(self, nonce: str) -> bool:
        """Whether `nonce` is new; it is remembered from now on."""
        if nonce in self._nonces:
            self._nonces.move_to_end(nonce)
            return False
        self._nonces[nonce] = None
        if len(self._nonces) > self._kept:
            self._nonces.popitem(last=False)
        return True
