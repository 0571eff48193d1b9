"""Makes a hub: its folder, its key and its first operator's token."""

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import make_url

from contract.keys import KeyUnusable, load_private, new_hub_key, public_pem, save_private
from hub.errors import HubRefused
from hub.fleet import authority
from hub.fleet.authority import Authority, make_authority
from hub.fleet.errors import AuthorityUnusable
from hub.platform import sync_folder
from hub.settings import DATABASE_FILE, KEY_FILE, CaSettings, HubSettings
from hub.store.operators import OperatorRecord, new_token
from hub.store.store import Store

KEY = KEY_FILE
TOKEN = "operator.token"  # noqa: S105  a file's name
FIRST_OPERATOR = "operator"
KEY_DRAFT = f"{KEY}.new"
LEFT_OVER = frozenset(
    {KEY_DRAFT, TOKEN, authority.FOLDER, *(f"{DATABASE_FILE}{end}" for end in ("", "-wal", "-shm", "-journal"))}
)
"""What an `init` that was interrupted leaves behind; the next one goes over it."""

log = logging.getLogger("hub")


@dataclass(frozen=True, slots=True)
class Founded:
    """A hub that is ready to run."""

    data: Path
    token: str
    """The first operator's token; empty where it was taken out of the folder since."""
    public_key: str
    """PEM."""
    new: bool
    """False where the folder held this hub before; then nothing was changed."""
    words: str


def init(data: Path, database: str = "", ca: CaSettings | None = None) -> Founded:
    """Make a hub in the folder `data`; a folder that holds one already is left as it is.

    Args:
        data: the hub's folder.
        database: its database as a URL; empty means SQLite in the folder.
        ca: the certificate authority that the settings name; None makes one of the hub's own.

    Raises:
        HubRefused: the folder holds something else or cannot be written, or the database belongs to another hub.
        hub.store.errors.StoreRefused: the database cannot be opened.
    """
    if (data / KEY).exists():
        return _found_before(data)
    _make_folder(data)
    settings = HubSettings(data=data, database=database, ca=ca or CaSettings())
    store = Store.open(settings.database_url)
    try:
        if store.devices.all():
            where = make_url(settings.database_url).render_as_string(hide_password=True)
            raise HubRefused(
                f"the database {where} belongs to a hub whose key is not in {data}; "
                f"restore {KEY} from a backup, or name another database"
            )
        token = new_token()
        store.operators.set_token(FIRST_OPERATOR, token, time.time())
    finally:
        store.close()
    if authority.place(settings).own:
        make_authority(data, time.time())
    else:
        Authority.open(settings)  # refuses one that could not sign
    _write_private(data / TOKEN, token + "\n")
    key = new_hub_key()
    # Last and in one step, because its presence says that the hub is whole.
    draft = data / KEY_DRAFT
    draft.unlink(missing_ok=True)
    save_private(key, draft)
    draft.replace(data / KEY)
    sync_folder(data)
    return Founded(data, token, public_pem(key), new=True, words=f"made a hub in {data}")


def new_operator(settings: HubSettings, name: str) -> str:
    """Give the operator `name` a new token, which is shown once; an older one of theirs stops working.

    The hub may run meanwhile. The token file in the data folder follows its operator, where it still lies there.

    Raises:
        HubRefused: there is no hub, or its folder cannot be written.
        hub.store.errors.StoreRefused: the database cannot be opened.
    """
    hub_key(settings.data)
    token = new_token()
    store = Store.open(settings.database_url)
    try:
        store.operators.set_token(name, token, time.time())
    finally:
        store.close()
    file = settings.data / TOKEN
    if name == FIRST_OPERATOR and file.exists():
        try:
            _write_private(file, token + "\n")
        except OSError as error:
            raise HubRefused(f"the token counts, but {file} cannot be written: {error.strerror}: {token}") from error
    return token


def operators(settings: HubSettings) -> list[OperatorRecord]:
    """Whoever may operate the hub, by name.

    Raises:
        HubRefused: there is no hub.
        hub.store.errors.StoreRefused: the database cannot be opened.
    """
    hub_key(settings.data)
    store = Store.open(settings.database_url)
    try:
        return store.operators.all()
    finally:
        store.close()


def remove_operator(settings: HubSettings, name: str) -> None:
    """Take the operator `name` out: their token and where they are signed in count no more, also while the hub runs.

    The token file in the data folder goes with its operator.

    Raises:
        HubRefused: there is no hub, no such operator, or nobody else who could operate it.
        hub.store.errors.StoreRefused: the database cannot be opened.
    """
    hub_key(settings.data)
    store = Store.open(settings.database_url)
    try:
        removed = store.operators.remove(name)
        names = [one.name for one in store.operators.all()]
    finally:
        store.close()
    if not removed and name in names:
        raise HubRefused(
            f"{name} is the last operator, without whom nobody could operate the hub; "
            "add another one first: tongtang hub user add NAME"
        )
    if not removed:
        raise HubRefused(f"there is no operator {name}; there are: {', '.join(names)}")
    if name == FIRST_OPERATOR:
        try:
            (settings.data / TOKEN).unlink(missing_ok=True)
        except OSError as error:
            raise HubRefused(
                f"{name} is removed, but {settings.data / TOKEN} is in the way, whose token counts no more: "
                f"{error.strerror}; delete it"
            ) from error


def _make_folder(data: Path) -> None:
    """Make the folder; one in which an earlier `init` was interrupted will do.

    Raises:
        HubRefused: it holds something else, or cannot be written.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = sorted(path.name for path in data.iterdir() if path.name not in LEFT_OVER)
    except OSError as error:
        raise HubRefused(f"the hub's folder {data} cannot be made: {error.strerror}") from error
    if others:
        raise HubRefused(f"{data} holds something else than a hub ({others[0]}); name an empty or a new folder")
    if not os.access(data, os.W_OK):
        raise HubRefused(f"the hub's folder {data} cannot be written; give this account the right to write there")


def hub_key(data: Path) -> Ed25519PrivateKey:
    """The key of the hub in `data`.

    Raises:
        HubRefused: there is no hub, or its key is unusable.
    """
    if not (data / KEY).exists():
        raise HubRefused(f"there is no hub in {data}; make one with: tongtang hub init")
    try:
        key = load_private(data / KEY)
    except KeyUnusable as error:
        raise HubRefused(str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise HubRefused(f"{data / KEY} is not a hub's key (Ed25519); restore it from a backup")
    return key


def hub_authority(settings: HubSettings, store: Store) -> Authority:
    """The hub's certificate authority; a hub of an earlier version that has none of its own gets one.

    Raises:
        hub.fleet.errors.AuthorityUnusable: it cannot be used, or is gone although certificates were signed with it.
    """
    at = authority.place(settings)
    if at.own and not at.certificate.exists():
        if store.certificates.any():
            raise AuthorityUnusable(
                f"{at.certificate} is gone, by which this hub's devices know their broker; "
                "restore the folder from a backup, or every device must be enrolled anew"
            )
        make_authority(settings.data, time.time())
        log.info("made a certificate authority in %s", at.certificate.parent)
    return Authority.open(settings)


def _found_before(data: Path) -> Founded:
    key = hub_key(data)
    token = data / TOKEN
    words = f"{data} holds a hub already; nothing was changed"
    return Founded(
        data,
        token.read_text(encoding="utf-8").strip() if token.exists() else "",
        public_pem(key),
        new=False,
        words=words,
    )


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
