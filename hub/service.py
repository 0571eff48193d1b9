"""Opens what a hub needs, runs it and ends it as one."""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import uvicorn
from filelock import FileLock, Timeout

from hub.broker.embedded import Broker
from hub.broker.gate import open_gate
from hub.clock import HubClock
from hub.door import WHERE, address, certificate, certificate_pem
from hub.errors import HubRefused
from hub.founding import Founded, hub_authority, hub_key, init
from hub.garbage import collect_rarely
from hub.parts import AppFactory, HubParts
from hub.platform import FILES_WANTED, allow_files
from hub.ports import http_listener, start_broker
from hub.settings import HubSettings
from hub.store.errors import DATABASE_TROUBLE, in_short
from hub.store.store import Store
from hub.threads import Threads
from hub.wiring import Opened, connect

__all__ = ["Founded", "HubService", "init"]

TICK_S = 1.0
"""How often sessions are judged, unheld orders sent again and revocations noticed, in seconds."""
TEND_S = 0.1
READINESS_S = 5.0
"""How often devices and the rooms of coming lessons are judged, in seconds."""
READY_WAIT_S = 10.0
HTTP_END_S = 3
"""How long open requests may take when the hub ends, in seconds."""
LOCK = "hub.lock"

log = logging.getLogger("hub")

_Act = Callable[[], Awaitable[None]]


def hub_version() -> str:
    """The installed version."""
    try:
        return version("tongtang")
    except PackageNotFoundError:
        return "0"


class _HttpServer(uvicorn.Server):
    """Uvicorn without its signal handlers: the service ends everything in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class HubService:
    """One hub: store, broker, intake, courier, conductor and HTTP.

    Args:
        settings: what the settings file says.
        make_app: makes the ASGI application from the parts.
        clock: hub UTC.
    """

    def __init__(self, settings: HubSettings, make_app: AppFactory, clock: HubClock | None = None) -> None:
        self._settings = settings
        self._make_app = make_app
        self._clock = clock or HubClock()
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End the hub; on its event loop's thread."""
        self._ending.set()

    async def run(self) -> None:
        """Run the hub until SIGTERM, SIGINT or `end`; on the main thread.

        Raises:
            hub.errors.HubRefused, hub.store.errors.StoreRefused, hub.broker.errors.BrokerUnusable:
                it cannot be started; the message says what to do.
        """
        settings = self._settings
        key = hub_key(settings.data)
        self._check_certificate()
        allow_files(FILES_WANTED)  # for the broker, which inherits it: many systems begin with 1,024
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._folders())
            store = await asyncio.to_thread(Store.open, settings.database_url)
            stack.callback(store.close)
            authority = await asyncio.to_thread(hub_authority, settings, store)
            http = http_listener(settings, store.facts)
            stack.callback(http.close)
            gate = open_gate(settings, authority, store.devices, self._clock.now)
            broker = start_broker(settings, store.facts, gate)
            stack.callback(broker.stop)
            opened = Opened(settings, hub_version(), self._clock, key, authority, store, broker, gate)
            parts, threads = connect(opened)
            stack.enter_context(threads.running())
            stack.callback((settings.data / WHERE).unlink, missing_ok=True)
            collect_rarely()
            try:
                await self._serve(parts, broker, threads, http)
            except ExceptionGroup as group:
                # The first says why; the others only ended with it.
                raise group.exceptions[0] from None

    @contextlib.contextmanager
    def _folders(self) -> Iterator[None]:
        """Keep the hub's folder from another hub meanwhile; the archive's is made."""
        data = self._settings.data
        try:
            held = FileLock(data / LOCK).acquire(timeout=0)
            (data / WHERE).unlink(missing_ok=True)
            self._settings.archive_folder.mkdir(parents=True, exist_ok=True)
        except Timeout as error:
            raise HubRefused(f"{data} is in use by another hub; stop it first") from error
        except OSError as error:
            words = f"{error.filename} cannot be used: {error.strerror}; give the hub's account folders of its own"
            raise HubRefused(words) from error
        with held:
            yield

    def _check_certificate(self) -> None:
        shown = certificate(self._settings.http)
        if shown is not None and shown.days_left(dt.datetime.now(dt.UTC)) < 0:
            log.error("%s has expired on %s; devices will not speak with this hub", shown.file, shown.expires.date())

    async def _serve(self, parts: HubParts, broker: Broker, threads: Threads, http: socket.socket) -> None:
        tls = self._settings.http
        config = uvicorn.Config(
            self._make_app(parts),
            ssl_certfile=tls.tls_cert,
            ssl_keyfile=tls.tls_key,
            log_level="warning",
            access_log=False,
            log_config=None,
            ws_max_size=1 << 20,
            timeout_graceful_shutdown=HTTP_END_S,
            server_header=False,
        )
        server = _HttpServer(config)
        with _signals(self._ending):
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(server.serve(sockets=[http]), name="hub.http")
                doing = [
                    tasks.create_task(_again(every_s, act), name=name)
                    for name, every_s, act in _chores(parts, broker, threads)
                ]
                await self._announce(parts, lambda: server.started or serving.done(), threads, http)
                ended = tasks.create_task(self._ending.wait(), name="hub.ending")
                await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not self._ending.is_set():
                    raise HubRefused("the HTTP side ended by itself; its log says why")
                server.should_exit = True
                await serving
                for task in doing:
                    task.cancel()

    async def _announce(
        self, parts: HubParts, http_up: Callable[[], bool], threads: Threads, http: socket.socket
    ) -> None:
        """Write where the hub is, once everything listens."""
        until = time.monotonic() + READY_WAIT_S
        while not self._ending.is_set() and not (http_up() and threads.ready):
            if time.monotonic() > until and http_up():
                log.warning("the broker at %s:%d does not answer yet", parts.mqtt_host, parts.mqtt_port)
                break
            await asyncio.sleep(0.02)
        where = {
            "http": address(http, tls=self._settings.http.tls),
            "mqtt": {"host": parts.mqtt_host, "port": parts.mqtt_port, "tls": self._settings.mqtt_tls},
            "broker": parts.broker,
            "certificate": certificate_pem(self._settings.http),
            "pid": os.getpid(),
        }
        path = self._settings.data / WHERE
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(where, indent=1), encoding="utf-8")
        draft.replace(path)
        log.info("the hub is at %s, its broker at %s:%d", where["http"], parts.mqtt_host, parts.mqtt_port)


@dataclass(slots=True)
class _Patient:
    """Does on a thread what blocks on the database, also when that is down for a while."""

    act: Callable[[], object]
    without: str
    """What is missing while it is down, in words."""
    down: bool = False

    async def tick(self) -> None:
        """Do it once; a database that is down is told once."""
        try:
            await asyncio.to_thread(self.act)
        except DATABASE_TROUBLE as error:
            if not self.down:
                log.error("%s: %s", self.without, in_short(error))  # noqa: TRY400  told once
            self.down = True
            return
        if self.down:
            log.info("the database answers again; no longer: %s", self.without)
        self.down = False


def _chores(parts: HubParts, broker: Broker, threads: Threads) -> list[tuple[str, float, _Act]]:
    """What is done again and again beside the serving: its task's name, how often in seconds, and what."""
    judge = _Patient(parts.conductor.tick, "sessions are not looked after")
    doorman = _Patient(parts.devices.notice_revoked, "devices that are revoked meanwhile are not noticed")
    lookout = _Patient(parts.readiness.tick, "rooms are not judged before their lessons")
    return [
        ("hub.broker", TEND_S, _on_loop(broker.tend)),
        ("hub.sessions", TICK_S, judge.tick),
        ("hub.revoked", TICK_S, doorman.tick),
        ("hub.readiness", READINESS_S, lookout.tick),
        ("hub.threads", TICK_S, _on_loop(threads.check)),
    ]


async def _again(every_s: float, act: _Act) -> None:
    while True:
        await act()
        await asyncio.sleep(every_s)


def _on_loop(act: Callable[[], None]) -> _Act:
    async def acted() -> None:
        act()

    return acted


@contextlib.contextmanager
def _signals(ending: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set `ending` meanwhile."""
    loop = asyncio.get_running_loop()
    before = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError):  # not on the main thread: whoever runs us ends us
            before[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(ending.set))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
