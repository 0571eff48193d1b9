"""The hub that the fleet reports to: one of the swarm's own, or one that somebody runs."""

import json
import sqlite3
import ssl
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import psutil
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlalchemy import insert

from agent.certificate import request
from contract.keys import new_device_key, public_pem
from demo.processes import Children
from hub.fleet.authority import Authority
from hub.settings import HubSettings, load_settings
from hub.store.devices import DeviceRecord
from hub.store.store import Store
from hub.store.tables import CERTIFICATE, DEVICE
from swarm.seat import Seat, client_context
from swarm.wire import Address

START_S = 60.0
LOOK_S = 0.1
HOST = "127.0.0.1"
AUTHORITY = "ca.pem"


class SwarmRefused(Exception):
    """The fleet cannot be simulated as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row as the hub has it."""

    id: str
    received: float | None
    """When it came off the network, in seconds of the hub's clock; None where the hub does not tell."""


class Hub(Protocol):
    """Whom the fleet reports to."""

    broker: str
    tls: bool
    """Whether devices show certificates; known once there are seats."""

    def seats(self) -> list[Seat]:
        """Every simulated device, registered."""

    def stored(self) -> list[StoredRow]:
        """Every row that the hub has of these devices, in any order; a row that it has twice stands twice."""

    def cpu_s(self) -> tuple[float, float | None] | None:
        """Processor time of the hub's process, and of its broker's where that is another; None where unknown."""

    def close(self) -> None:
        """End what was started."""


class OwnHub:
    """A hub in a folder of its own: a real `tongtang hub run` with its own broker.

    Its devices are written into the database before it starts, with certificates of its own authority:
    two thousand enrolments over HTTP would measure something else.

    Args:
        folder: for everything.
        devices: how many.
        tls: whether devices show certificates.
        broker: as in the hub's settings.
    """

    def __init__(self, folder: Path, devices: int, *, tls: bool, broker: str = "auto") -> None:
        self.broker = broker
        self._data = folder / "hub"
        self.tls = tls
        self._config = folder / "hub.toml"
        self._certificates = folder / "devices"
        self._names = [f"screen-{number:05d}" for number in range(1, devices + 1)]
        (folder / "logs").mkdir()
        self._children = Children(folder / "logs")
        self._where: dict[str, object] = {}

    @property
    def settings(self) -> HubSettings:
        """The hub's."""
        return load_settings(self._config)

    def start(self) -> None:
        """Make it and start it.

        Raises:
            SwarmRefused: it does not come up.
            demo.processes.ChildDied: it ends by itself.
        """
        self._config.write_text(_hub_toml(self._data, self.broker, tls=self.tls), encoding="utf-8")
        self._children.run("hub-init", "hub", "init", "--config", str(self._config))
        self._enrol()
        self._children.start("hub", "hub", "run", "--config", str(self._config))
        until = time.monotonic() + START_S
        while not self._answers():
            self._children.check()
            if time.monotonic() > until:
                raise SwarmRefused(f"the hub is not up after {START_S:.0f} s; see {self._data.parent / 'logs'}")
            time.sleep(LOOK_S)
        self.broker = str(self._where["broker"])

    def seats(self) -> list[Seat]:
        """Every simulated device."""
        address = self._address()
        authority = self._certificates / AUTHORITY if self.tls else None
        return [
            Seat(name, address, self._certificates / f"{name}.pem" if self.tls else None, authority)
            for name in self._names
        ]

    def stored(self) -> list[StoredRow]:
        """Read from the database itself."""
        path = self._data / "hub.db"
        with closing(sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True)) as held:
            both = "SELECT producer, received FROM telemetry UNION ALL SELECT producer, received FROM event"
            return [StoredRow(str(mark), float(received)) for mark, received in held.execute(both)]

    @property
    def url(self) -> str:
        """Of its HTTP side."""
        return str(self._where["http"])

    @property
    def token(self) -> str:
        """Its first operator's."""
        return (self._data / "operator.token").read_text(encoding="ascii").strip()

    def online_since(self, wall: float) -> int:
        """Devices that are online and whose presence came after `wall`, as the database says."""
        with closing(sqlite3.connect(f"file:{(self._data / 'hub.db').as_posix()}?mode=ro", uri=True)) as held:
            counted = held.execute("SELECT count(*) FROM device WHERE online AND last_seen > ?", (wall,)).fetchone()
        return int(counted[0])

    def cpu_s(self) -> tuple[float, float | None] | None:
        """Processor time of the hub's process and of mosquitto's; with amqtt both are one.

        Raises:
            demo.processes.ChildDied: it has ended by itself.
        """
        self._children.check()
        hub = psutil.Process(self._children.pid("hub"))
        return _used_s(hub), sum(map(_used_s, hub.children())) if self.broker == "mosquitto" else None

    def broker_process(self) -> psutil.Process:
        """The mosquitto that the hub started.

        Raises:
            SwarmRefused: its broker is no process of its own.
        """
        children = psutil.Process(self._children.pid("hub")).children()
        if self.broker != "mosquitto" or not children:
            raise SwarmRefused("the hub's broker is no process of its own; install mosquitto")
        return children[0]

    def close(self) -> None:
        """End the hub, and with it its broker."""
        self._children.stop()

    def _answers(self) -> bool:
        try:
            self._where = json.loads((self._data / "hub.json").read_text(encoding="utf-8"))
            return httpx.get(f"{self._where['http']}/healthz", timeout=5, trust_env=False).is_success
        except (OSError, ValueError, httpx.HTTPError):
            return False

    def _address(self) -> Address:
        mqtt = self._where["mqtt"]
        assert isinstance(mqtt, dict)  # noqa: S101  the hub's own file
        context = client_context(self._certificates / AUTHORITY) if self.tls else None
        return Address(str(mqtt["host"]), int(mqtt["port"]), context)

    def _enrol(self) -> None:
        now = time.time()
        keys = {name: new_device_key() for name in self._names}
        devices = [DeviceRecord(name, name, name, "", public_pem(key), now) for name, key in keys.items()]
        values = [{column.name: getattr(one, column.name) for column in DEVICE.c} for one in devices]
        issued = self._signed(keys, now) if self.tls else []
        store = Store.open(self.settings.database_url)
        try:
            with store.database.write() as connection:
                connection.execute(insert(DEVICE), values)
                if issued:
                    connection.execute(insert(CERTIFICATE), issued)
        finally:
            store.close()

    def _signed(self, keys: dict[str, EllipticCurvePrivateKey], now: float) -> list[dict[str, object]]:
        """Write each device's key and certificate into a file; the lines of the hub's own list of them."""
        authority = Authority.open(self.settings)
        self._certificates.mkdir(mode=0o700)
        (self._certificates / AUTHORITY).write_text(authority.ca_pem, encoding="ascii")
        lines: list[dict[str, object]] = []
        for name, key in keys.items():
            one = authority.sign_device(key.public_key(), name, now)
            (self._certificates / f"{name}.pem").write_text(_pem(key) + one.certificate_pem, encoding="ascii")
            lines.append({"serial": one.serial, "device": name, "issued": now, "expires": one.expires, "revoked": None})
        return lines


class GivenHub:
    """A hub that somebody runs, spoken to as an operator; its devices enrol as machines do, with claim codes.

    Args:
        url: of its HTTP side.
        token: an operator's.
        rooms: names of the rooms, and devices, to enrol; they stay enrolled.
        folder: for the devices' certificates.
    """

    broker = "of the given hub"
    tls = False

    def __init__(self, url: str, token: str, rooms: Sequence[str], folder: Path) -> None:
        self._rooms = rooms
        self._names: list[str] = []
        self._folder = folder / "devices"
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=30.0, trust_env=False)

    def seats(self) -> list[Seat]:
        """Enrol every device.

        Raises:
            SwarmRefused: the hub does not answer, or answers no.
        """
        self._folder.mkdir(mode=0o700)
        found: list[Seat] = []
        authority = self._folder / AUTHORITY
        context: ssl.SSLContext | None = None
        for room in self._rooms:
            key = new_device_key()
            claim = self._asked("POST", "/api/v1/claims", json={"school": "swarm", "room": room, "name": room})
            body = {"code": claim["code"], "csr": request(key), "machine": "swarm"}
            told = self._asked("POST", "/api/v1/enrolments", json=body)
            mqtt, device = told["mqtt"], str(told["device"])
            self._names.append(device)
            if not found:
                self.tls = bool(mqtt["tls"])
                authority.write_text(told["ca"], encoding="ascii")
                context = client_context(authority) if self.tls else None
            file = self._folder / f"{device}.pem"
            file.write_text(_pem(key) + told["certificate"], encoding="ascii")
            address = Address(str(mqtt["host"]), int(mqtt["port"]), context)
            found.append(Seat(device, address, file if self.tls else None, authority if self.tls else None))
        return found

    def stored(self) -> list[StoredRow]:
        """Asked for, device by device."""
        return [
            StoredRow(str(mark), None)
            for name in self._names
            for mark in self._asked("GET", "/api/v1/telemetry/ids", params={"device": name})
        ]

    def cpu_s(self) -> tuple[float, float | None] | None:
        """Nobody tells."""
        return None

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _asked(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise SwarmRefused(f"no hub answers at {self._http.base_url} ({error})") from error
        if answer.is_error:
            raise SwarmRefused(f"the hub refused {method} {path}: {answer.text[:300]}")
        return answer.json()


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _pem(key: EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode("ascii")


def _hub_toml(data: Path, broker: str, *, tls: bool) -> str:
    return f"""# Written by `tongtang swarm`.
data = {json.dumps(data.as_posix())}
broker = {json.dumps(broker)}

[http]
host = "{HOST}"
port = 0

[mqtt]
host = "{HOST}"
port = 0
tls = {str(tls).lower()}
"""
