"""Keys on disk: PEM files, private ones readable by their owner alone."""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contract.envelope import PrivateKey, PublicKey


class KeyUnusable(Exception):
    """A key file that is missing, damaged or of another kind; the message says what to do."""


def new_device_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key for a device; it never leaves the device."""
    return ec.generate_private_key(ec.SECP256R1())


def new_hub_key() -> Ed25519PrivateKey:
    """An Ed25519 key for the hub's orders and receipts."""
    return Ed25519PrivateKey.generate()


def save_private(key: PrivateKey, path: Path) -> None:
    """Write `key` as PKCS 8 PEM, mode 0600, never over an existing file.

    Raises:
        FileExistsError: there is a file already.
    """
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def load_private(path: Path) -> PrivateKey:
    """Read a private key.

    Raises:
        KeyUnusable: it is missing, damaged or neither Ed25519 nor P-256.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise KeyUnusable(f"cannot read the key {path}: {error.strerror}") from error
    except ValueError as error:
        raise KeyUnusable(f"{path} holds no usable private key") from error
    if isinstance(key, Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise KeyUnusable(f"{path} holds a key that is neither Ed25519 nor P-256")


def public_pem(key: PrivateKey | PublicKey) -> str:
    """The public half of `key` as PEM text."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey | ec.EllipticCurvePrivateKey) else key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def load_public(pem: str) -> PublicKey:
    """Read a public key from PEM text.

    Raises:
        KeyUnusable: it is damaged or neither Ed25519 nor P-256.
    """
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise KeyUnusable("the text holds no usable public key (PEM expected)") from error
    if isinstance(key, Ed25519PublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        return key
    raise KeyUnusable("the key is neither Ed25519 nor P-256")
