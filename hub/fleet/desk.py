"""What an operator does on the hub's own machine, also while the hub runs: makes codes, confirms, revokes."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from contract.enrolment import Ticket, fingerprint
from hub.door import HERE, WHERE, address_for_devices, certificate_pem
from hub.errors import HubRefused
from hub.fleet.claims import ROOM, Claims
from hub.founding import TOKEN, hub_key
from hub.platform import account
from hub.ports import HTTP_PORT
from hub.settings import HubSettings
from hub.store.devices import DeviceTable
from hub.store.store import Store

ASK_S = 10.0


@dataclass(frozen=True, slots=True)
class Desk:
    """A hub's claims and devices, opened beside the hub."""

    claims: Claims
    devices: DeviceTable
    hub: str
    """URL of the hub, for devices."""
    hub_key: str
    """Fingerprint of the hub's public key."""
    by: str
    """Who acts, for the log."""

    def ticket(self, code: str) -> str:
        """What the QR code of `code` holds."""
        return Ticket(self.hub, code, self.hub_key).text()


@contextmanager
def desk(settings: HubSettings, url: str = "") -> Iterator[Desk]:
    """Open a hub's claims; the hub may run meanwhile and sees at once what is done here.

    Args:
        settings: of the hub.
        url: how devices reach it, where that is not what the settings say.

    Raises:
        HubRefused: there is no hub, or its certificate cannot be used.
        hub.store.errors.StoreRefused: the database cannot be opened.
    """
    key = hub_key(settings.data)
    store = Store.open(settings.database_url)
    try:
        hub = url.rstrip("/") or address_for_devices(settings.http, here(settings, store))
        claims = Claims(store.claims, store.devices, time.time)
        yield Desk(claims, store.devices, hub, fingerprint(key.public_key()), by())
    finally:
        store.close()


def by() -> str:
    """Who acts at the command line, for the log."""
    return f"{account() or 'somebody'} at the command line"


def revoke(settings: HubSettings, device: str, token: str = "") -> bool:
    """Shut a device out for good; a hub that runs is asked to do it, else it is written into its database.

    Args:
        settings: of the hub.
        device: its id.
        token: an operator's; empty takes the one in the hub's folder, where it still lies there.

    Returns:
        Whether a running hub has done it; else one that runs notices within two seconds.

    Raises:
        HubRefused: there is no hub, no such device, or the token is wrong.
        hub.store.errors.StoreRefused: the database cannot be opened.
    """
    hub_key(settings.data)
    if not ROOM.fullmatch(device):
        raise HubRefused(f"{device!r} cannot be a device; the console and GET /api/v1/devices list them")
    if _asked_hub(settings, device, token):
        return True
    store = Store.open(settings.database_url)
    try:
        if not store.devices.revoke(device, time.time()) and device not in store.devices.revoked():
            holder = store.devices.holders().get(device)
            hint = (
                f"; room {device} has device {holder}" if holder else "; the console and GET /api/v1/devices list them"
            )
            raise HubRefused(f"there is no device {device}{hint}")
    finally:
        store.close()
    return False


def _asked_hub(settings: HubSettings, device: str, token: str) -> bool:
    """Whether a running hub has revoked `device`; False where none answers, or we have no token for it."""
    carried = token or _text(settings.data / TOKEN)
    found = where(settings)
    if not carried or found is None:
        return False
    headers = {"Authorization": f"Bearer {carried}"}
    try:
        answer = httpx.post(
            f"{found}/api/v1/devices/{device}/revoke",
            headers=headers,
            timeout=ASK_S,
            trust_env=False,
            verify=trust(settings),
        )
    except (httpx.HTTPError, httpx.InvalidURL):
        return False  # it has ended without taking hub.json away; the database is the truth
    if answer.status_code == httpx.codes.NOT_FOUND:
        return False  # the database says what there is
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        if token:
            raise HubRefused("the hub does not take this operator's token; leave --token away to write its database")
        return False
    return answer.is_success


def where(settings: HubSettings) -> str | None:
    """How the hub is reached from this machine, as it says itself; None where it does not run."""
    found = _told(settings).get("http")
    return found if isinstance(found, str) else None


def _told(settings: HubSettings) -> dict[str, Any]:
    """What a hub that runs says of itself in its data folder; nothing where none runs."""
    try:
        told = json.loads((settings.data / WHERE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def here(settings: HubSettings, store: Store) -> str:
    """How the hub is reached from this machine, whether it runs or not."""
    if (found := where(settings)) is not None:
        return found
    http = settings.http
    host = HERE.get(http.host, http.host)
    port = http.port or store.facts.get(HTTP_PORT)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if http.tls else 'http'}://{shown}{f':{port}' if port else ''}"


def trust(settings: HubSettings) -> ssl.SSLContext:
    """Trust the hub's own certificate and no other: on this machine it is called by another name than it is for.

    It is the one that the running hub says it shows: `--data` knows nothing of the settings.

    Raises:
        HubRefused: it cannot be used.
    """
    shown = _told(settings).get("certificate") or certificate_pem(settings.http)
    if not shown:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=shown)
    except ssl.SSLError as error:
        raise HubRefused(f"{settings.data / WHERE} holds no usable certificate; start the hub again") from error
    return context


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
