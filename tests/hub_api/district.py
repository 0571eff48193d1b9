"""A hub's web side with a real store, real files and a real uvicorn, and devices with real keys."""

import asyncio
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import jwt
import uvicorn

from contract.clock import ClockRecord
from contract.keys import load_private, new_device_key, new_hub_key, public_pem, save_private
from contract.package import MANIFEST, FileEntry, Manifest, Part
from contract.session import Policy, Role
from hub.api.app import create_app
from hub.broker.embedded import ExternalBroker
from hub.clock import HubClock
from hub.fleet.authority import Authority, make_authority
from hub.fleet.devices import NewDevice
from hub.parts import HubParts
from hub.session.views import NewRoom, NewSession
from hub.settings import DATABASE_FILE, HubSettings
from hub.store.operators import new_token
from hub.store.store import Store
from hub.wiring import Opened, connect
from tests.hub.tables import with_tables

ALL_ON = Policy(record=True, observe=True, upload=True)
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak plain HTTP: httpx else reads every authority of the machine for each of them, in 20 ms."""


class LateClock(HubClock):
    """Hub UTC that can be put back, so that a lesson may be over by now."""

    behind_s = 0.0

    def now_ns(self) -> int:
        return super().now_ns() - round(self.behind_s * 1e9)


@dataclass
class Device:
    """A registered device with its key."""

    id: str
    room: str
    key: object = field(default_factory=new_device_key)

    def token(self, **changes: object) -> str:
        now = int(time.time())
        claims = {"sub": self.id, "iat": now, "exp": now + 120, "aud": "tongtang-hub"} | changes
        return jwt.encode(claims, self.key, algorithm="ES256")

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token()}"}


@dataclass
class District:
    """A hub under uvicorn."""

    parts: HubParts
    app: object
    token: str
    url: str = ""
    lead: Device = field(default_factory=lambda: Device("device-lead", "room-lead"))
    receiving: Device = field(default_factory=lambda: Device("device-far", "room-far"))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def http(self, **how: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.headers, verify=PLAIN, **how)

    def register(self, names: tuple[tuple[str, str], ...] = (("主讲一", "城关小学"), ("听课一", "石桥教学点"))) -> None:
        for device, (name, school) in zip((self.lead, self.receiving), names, strict=True):
            self.parts.devices.register(NewDevice(device.id, device.room, name, school, public_pem(device.key)))

    def session(self, *, seconds: float = 20.0, policy: Policy = ALL_ON, title: str = "二次函数") -> str:
        rooms = (
            NewRoom(room=self.lead.room, role=Role.LEAD),
            NewRoom(room=self.receiving.room, role=Role.RECEIVING),
        )
        made = self.parts.conductor.create(NewSession(title=title, seconds=seconds, rooms=rooms, policy=policy))
        return made.session


@contextmanager
def district(data: Path) -> Iterator[District]:
    """A district that answers HTTP until the block is left."""
    made = make(data)
    with answering(made):
        yield made


def make(data: Path, *, token: str | None = None, **more: object) -> District:
    settings = HubSettings(data=data, **more)
    clock = LateClock()
    with_tables(data / DATABASE_FILE)
    store = Store.open(settings.database_url)
    if not (data / "hub.key").exists():
        save_private(new_hub_key(), data / "hub.key")
    token = token or new_token()
    store.operators.set_token("operator", token, clock.now())
    make_authority(data, clock.now())
    broker = ExternalBroker("mqtt://127.0.0.1:1883")
    key = load_private(data / "hub.key")
    opened = Opened(settings, "0.1.0", clock, key, Authority.open(settings), store, broker, None)
    parts, _ = connect(opened)  # what runs beside it never starts: nobody listens to what is published
    parts = replace(parts, broker="amqtt", broker_up=lambda: True)
    return District(parts, create_app(parts), token)


@contextmanager
def answering(made: District, *, port: int = 0) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)) as listener:
        made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(made.app, log_level="warning", timeout_graceful_shutdown=2))
        server.install_signal_handlers = lambda: None
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), name="uvicorn")
        thread.start()
        try:
            until = time.monotonic() + 10
            while not server.started and time.monotonic() < until:
                time.sleep(0.01)
            yield
        finally:
            server.should_exit = True
            thread.join(10)
            made.parts.store.close()


def package(
    folder: Path, device: Device, role: Role, session: str, files: dict[str, bytes], /, **more: object
) -> Manifest:
    """Write a sealed package by hand: `files` and a manifest that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    fields = {
        "session": session,
        "room": device.room,
        "role": role,
        "device": device.id,
        "epoch": time.time() - 20,
        "seconds": 20.0,
        "policy": ALL_ON,
        "sealed": True,
        "clock": ClockRecord(boot="b1"),
        "parts": tuple(
            Part(
                track=Path(name).stem.split(".")[0],
                file=name,
                index=0,
                boot="b1",
                start_mono_ns=0,
                start_t=0,
                seconds=20,
            )
            for name in files
            if name.endswith(".mp4")
        ),
        "files": tuple(entry(folder / name) for name in files),
    } | more
    manifest = Manifest(**fields)
    (folder / MANIFEST).write_text(manifest.model_dump_json(by_alias=True), encoding="utf-8")
    return manifest


def entry(path: Path) -> FileEntry:
    data = path.read_bytes()
    return FileEntry(name=path.name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
