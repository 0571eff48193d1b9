"""What callers carry: the operator's token, the console's cookie, a device's signed token."""

import base64
import hmac
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelope import PublicKey
from hub.api.access import Caller, Who
from hub.fleet.strangers import Strangers
from hub.store.operators import token_hash

log = logging.getLogger(__name__)

AUDIENCE = "tongtang-hub"
TOKEN_LIFE_S = 300
"""A device's token may be valid for at most this long."""
CLOCK_LEEWAY_S = 30
"""How far a device's clock may be off, in seconds; agents take the hub's time anyway."""
COOKIE = "tongtang-console"
COOKIE_LIFE_S = 12 * 3600
TRIES = 10
"""Wrong tokens from one address before it must wait."""
TRIES_WINDOW_S = 300.0
ADDRESSES_KEPT = 1024


class HubSignIns:
    """Recognises callers (`hub.api.access.SignIns`).

    Args:
        operator_hashes: SHA-256 of each operator's token by name; read at every call, so that a new token counts.
        device_key: a registered device's public key, or None.
        former_key: the public key of a device that was revoked, or None; it gets in nowhere, but is told why.
        key: the hub's key, from which the cookies' key is derived: cookies outlive a restart, not a new key or token.
        now: seconds of UTC.
        metrics_token: opens the hub's figures and nothing else; empty where nothing does but an operator's.
        strangers: knows devices that the database does not, and tells of them; None where nobody does.
    """

    def __init__(
        self,
        operator_hashes: Callable[[], Mapping[str, str]],
        device_key: Callable[[str], PublicKey | None],
        key: Ed25519PrivateKey,
        now: Callable[[], float],
        former_key: Callable[[str], PublicKey | None] = lambda _device: None,
        metrics_token: str = "",
        strangers: Strangers | None = None,
    ) -> None:
        self._operator_hashes = operator_hashes
        self._device_key = device_key
        self._former_key = former_key
        self._metrics_token = metrics_token.encode()
        self._strangers = strangers
        raw = key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        self._cookie_key = hmac.digest(raw, b"tongtang console cookie", "sha256")
        self._now = now

    def caller(self, authorization: str | None, cookies: Mapping[str, str]) -> Caller | None:
        """The caller, or None where nothing they carry is good; a bad header is not made good by a cookie."""
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            return self._bearer(token.strip()) if scheme.lower() == "bearer" else None
        cookie = cookies.get(COOKIE)
        return self._cookie_caller(cookie) if cookie else None

    def operator(self, token: str) -> str | None:
        """Name of the operator whose token this is; compares all of them in constant time."""
        given = token_hash(token)
        found = None
        for name, known in self._operator_hashes().items():
            if hmac.compare_digest(given, known):
                found = name
        return found

    def cookie(self, name: str) -> str:
        """A cookie for the operator `name`, who has just shown the token."""
        expires = int(self._now()) + COOKIE_LIFE_S
        body = base64.urlsafe_b64encode(f"{expires}:{name}".encode()).decode().rstrip("=")
        return f"{body}.{self._mark(body, self._operator_hashes()[name])}"

    def _bearer(self, token: str) -> Caller | None:
        if self._metrics_token and hmac.compare_digest(token.encode(), self._metrics_token):
            return Caller(Who.MONITOR)
        if token.count(".") == 2:
            device = self._device(token, self._device_key)
            if device is not None:
                return Caller(Who.DEVICE, device)
            former = self._device(token, self._former_key)
            if former is not None:
                return Caller(Who.SHUT_OUT, former)
            stranger = self._stranger(token)
            return Caller(Who.STRANGER, stranger) if stranger is not None else None
        name = self.operator(token)
        return Caller(Who.OPERATOR, name) if name else None

    def _cookie_caller(self, cookie: str) -> Caller | None:
        body, _, mark = cookie.partition(".")
        try:
            expires, _, name = base64.urlsafe_b64decode(f"{body}===").decode().partition(":")
            in_time = int(expires) > self._now()
        except ValueError:
            return None
        known = self._operator_hashes().get(name)
        if known is None or not in_time or not hmac.compare_digest(mark.encode(), self._mark(body, known).encode()):
            return None
        return Caller(Who.OPERATOR, name, by_cookie=True)

    def _mark(self, body: str, operator_hash: str) -> str:
        return hmac.new(self._cookie_key, f"{operator_hash}\n{body}".encode(), "sha256").hexdigest()

    def _stranger(self, token: str) -> str | None:
        """The device that signed `token` with the key of a certificate of ours, which it carries, and is not known."""
        strangers = self._strangers
        if strangers is None:
            return None
        try:
            certificate = base64.b64decode(jwt.get_unverified_header(token)["x5c"][0], validate=True)
        except (jwt.PyJWTError, LookupError, TypeError, ValueError):
            return None
        name = self._device(token, lambda device: strangers.key(device, certificate))
        if name is not None:
            strangers.came(name)
        return name

    def _device(self, token: str, key_of: Callable[[str], PublicKey | None]) -> str | None:
        """The device that signed `token`, where we have its key and the token is fresh."""
        try:
            claimed = jwt.decode(token, options={"verify_signature": False}).get("sub", "")
            known = key_of(claimed) if isinstance(claimed, str) and claimed else None
            if not isinstance(known, EllipticCurvePublicKey):
                return None
            claims = jwt.decode(
                token,
                known,
                algorithms=["ES256"],
                audience=AUDIENCE,
                # Times are checked below, against the hub's own clock.
                options={"require": ["sub", "iat", "exp", "aud"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError as error:
            log.info("a device token was refused: %s", error)
            return None
        now, issued, expires = self._now(), float(claims["iat"]), float(claims["exp"])
        fresh = issued - CLOCK_LEEWAY_S <= now <= expires + CLOCK_LEEWAY_S and expires - issued <= TOKEN_LIFE_S
        return str(claims["sub"]) if fresh else None


class Tries:
    """Counts wrong tokens by address; remembers the last `ADDRESSES_KEPT` addresses."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until `address` may try again; 0 for now."""
        wrong = self._wrong.get(address)
        if wrong is None or len(wrong) < TRIES:
            return 0.0
        return max(0.0, wrong[0] + TRIES_WINDOW_S - self._now())

    def wrong(self, address: str) -> None:
        """Note a wrong token."""
        self._wrong.setdefault(address, deque(maxlen=TRIES)).append(self._now())
        self._wrong.move_to_end(address)
        while len(self._wrong) > ADDRESSES_KEPT:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """Forget what was wrong before."""
        self._wrong.pop(address, None)
