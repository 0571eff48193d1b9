"""How a machine becomes a device: the claim code, the ticket it is printed on, the hub's key in short."""

import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from cryptography.hazmat.primitives import serialization

from contract.envelope import PublicKey
from contract.keys import load_public

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Thirty signs that are hard to mistake for each other: no 0 and O, no 1, I and L, no U."""
GROUPS = 3
GROUP = 4
SCHEME = "tongtang"
BETWEEN = frozenset("- \t\r\n‐‑–—－．.")
"""Signs that people and keyboards put between groups; they mean nothing."""


class CodeUnreadable(Exception):
    """What was typed or scanned is no claim code; the message says what one looks like."""


def new_code() -> str:
    """A claim code as it is shown, `7K2M-QX9D-4HTV`: 58.9 bits from the system's randomness."""
    signs = [secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(signs[at : at + GROUP]) for at in range(0, len(signs), GROUP))


def read_code(typed: str) -> str:
    """The code that somebody typed, as it was shown; case, spaces and hyphens do not matter.

    Raises:
        CodeUnreadable: it has another length, or a sign that no code has.

    >>> read_code(" 7k2m qx9d4htv ")
    '7K2M-QX9D-4HTV'
    """
    signs = "".join(sign for sign in typed if sign not in BETWEEN).upper()
    strange = next((sign for sign in signs if sign not in ALPHABET), None)
    if strange is not None or len(signs) != GROUPS * GROUP:
        why = f"{strange!r} is in none" if strange is not None else f"{len(signs)} signs were given"
        raise CodeUnreadable(f"a claim code is {GROUPS} groups of {GROUP} letters and digits, as 7K2M-QX9D-4HTV; {why}")
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))


def code_sha256(code: str) -> str:
    """What the hub keeps of a code that `read_code` returned: its SHA-256, in hexadecimal."""
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()


def fingerprint(key: PublicKey | str) -> str:
    """A public key, or its PEM text, in short: SHA-256 of its DER form (SubjectPublicKeyInfo), in hexadecimal.

    Raises:
        contract.keys.KeyUnusable: the text holds no key.
    """
    public = load_public(key) if isinstance(key, str) else key
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a QR code holds: all that a machine needs to enrol, and by which it knows the right hub."""

    hub: str
    """URL of the hub."""
    code: str
    hub_key: str
    """Fingerprint of the hub's public key; the hub's answer must fit it."""

    def text(self) -> str:
        """The ticket as it is scanned or typed: `tongtang:enrol?hub=...&code=...&key=...`."""
        return f"{SCHEME}:enrol?hub={quote(self.hub, safe=':/')}&code={self.code}&key={self.hub_key}"


def read_ticket(text: str) -> Ticket:
    """The ticket that `text` holds.

    Raises:
        CodeUnreadable: it is no ticket.
    """
    parts = urlsplit(text.strip())
    fields = parse_qs(parts.query)
    if parts.scheme != SCHEME or parts.path != "enrol" or not {"hub", "code", "key"} <= fields.keys():
        raise CodeUnreadable("this is no enrolment ticket of a Tongtang hub; print it again with: tongtang hub enrol")
    return Ticket(fields["hub"][0], read_code(fields["code"][0]), fields["key"][0])
