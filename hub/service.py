"""Starts and supervises everything of one hub, and ends it as one."""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError

from contract.signal import Hello, Signal
from hub.broker.courier import Courier
from hub.broker.embedded import Broker
from hub.broker.gate import Gate, open_gate
from hub.broker.intake import Intake
from hub.broker.link import SUBSCRIPTIONS, WITHOUT_ROWS, Arrival, HubLink
from hub.broker.misfits import Misfits
from hub.broker.workers import IntakeWorkers, specs
from hub.clock import HubClock
from hub.door import WHERE, address, certificate
from hub.errors import HubRefused
from hub.fleet.alerts import Alerts
from hub.fleet.authority import Authority
from hub.fleet.claims import Claims
from hub.fleet.commands import Commands
from hub.fleet.devices import Devices
from hub.fleet.enrolment import Enrolment
from hub.fleet.feed import HealthFeed
from hub.fleet.health import FleetHealth
from hub.fleet.keeping import Keeper
from hub.fleet.readiness import Readiness
from hub.fleet.twin import Twins, told_as_alerts
from hub.founding import Founded, hub_authority, hub_key, init
from hub.garbage import collect_rarely
from hub.parts import AppFactory, HubParts
from hub.platform import FILES_WANTED, allow_files
from hub.ports import http_listener, start_broker
from hub.session.changes import Changes
from hub.session.conductor import Conductor, Times
from hub.settings import HubSettings
from hub.store.store import Store

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
        where = settings.data / WHERE
        archive = settings.archive_folder
        allow_files(FILES_WANTED)  # for the broker, which inherits it: many systems begin with 1,024
        try:
            held = FileLock(settings.data / LOCK).acquire(timeout=0)
            where.unlink(missing_ok=True)
            archive.mkdir(parents=True, exist_ok=True)
        except Timeout as error:
            raise HubRefused(f"{settings.data} is in use by another hub; stop it first") from error
        except OSError as error:
            words = f"{error.filename} cannot be used: {error.strerror}; give the hub's account folders of its own"
            raise HubRefused(words) from error
        with contextlib.ExitStack() as stack:
            stack.enter_context(held)
            store = await asyncio.to_thread(Store.open, settings.database_url)
            stack.callback(store.close)
            authority = await asyncio.to_thread(hub_authority, settings, store)
            http = http_listener(settings, store.facts)
            stack.callback(http.close)
            gate = open_gate(settings, authority, store.devices, self._clock.now)
            broker = start_broker(settings, store.facts, gate)
            stack.callback(broker.stop)
            parts, threads = self._connect(store, broker, gate, key, authority, stack)
            stack.callback(where.unlink, missing_ok=True)
            collect_rarely()
            try:
                await self._serve(parts, broker, threads, http)
            except ExceptionGroup as group:
                # The first says why; the others only ended with it.
                raise group.exceptions[0] from None

    def _check_certificate(self) -> None:
        shown = certificate(self._settings.http)
        if shown is not None and shown.days_left(dt.datetime.now(dt.UTC)) < 0:
            log.error("%s has expired on %s; devices will not speak with this hub", shown.file, shown.expires.date())

    def _connect(
        self,
        store: Store,
        broker: Broker,
        gate: Gate | None,
        key: Ed25519PrivateKey,
        authority: Authority,
        stack: contextlib.ExitStack,
    ) -> tuple[HubParts, "_Threads"]:
        """Make the parts, hand each what it needs, and start their threads."""
        settings, clock = self._settings, self._clock
        changes = Changes()
        misfits = Misfits(time.monotonic)
        alerts = Alerts(store.alerts, clock.now, changes.tell)
        devices = Devices(store.devices, clock.now, changes.tell, alerts)
        devices.on_admitted.append(broker.admit)
        devices.on_revoked.append(
            lambda device: broker.revoke(device, authority.crl(devices.revoked_serials(), clock.now()))
        )

        def arrived(arrival: Arrival) -> None:
            if arrival.topic.endswith("/signal/up"):
                courier.arrived(arrival)
            elif arrival.topic.endswith("/result"):
                commands.arrived(arrival)
            elif arrival.topic.endswith("/twin/reported"):
                twins.arrived(arrival)
            else:
                intake.offer(arrival)

        incarnation = secrets.token_hex(6)
        tls = gate.certificate.client_context() if gate is not None else None
        workers = IntakeWorkers(specs(settings, broker, incarnation, hub_version()), misfits, alerts.raise_)
        heard = WITHOUT_ROWS if settings.intake.workers > 1 else SUBSCRIPTIONS
        link = HubLink(*broker.hub_address, incarnation, hub_version(), clock.now_ns, arrived, tls, heard)
        intake = Intake(store.rows, devices, link.publish, misfits, alerts.raise_, workers.counts)
        courier = Courier(key, devices.key, link.publish, clock.now_ns, misfits, devices.heard, devices.online)
        times = Times(lead_s=settings.lesson.lead_s, grace_s=settings.lesson.grace_s)
        conductor = Conductor(store.sessions, devices, courier, clock.now, times, changes.tell)
        commands = Commands(store.commands, devices, key, link.publish, clock.now, misfits, changes.tell)
        retained = partial(link.publish, retain=True)
        alerting = told_as_alerts(alerts.raise_, alerts.clear)
        twins = Twins(store.twins, devices, key, retained, clock.now, misfits, alerting)

        def handle(signal: Signal, issued: float) -> str:
            if isinstance(signal, Hello):
                commands.hello(signal.device)
            return conductor.handle(signal, issued)

        health = FleetHealth(devices, clock.now, changes.tell)
        intake.on_stored.append(health.on_stored)
        # Rows that other workers stored pass by this process.
        refresh = HealthFeed(store.database, health).poll if settings.intake.workers > 1 else lambda: None
        keeper = Keeper(store.rollups, store.retention, settings.keep, clock.now)
        for part in (keeper, intake, workers, commands):
            part.start()
            stack.callback(part.stop)
        courier.start(handle, conductor.answered)
        stack.callback(courier.stop)
        link.start()
        stack.callback(link.stop)
        twins.start()
        stack.callback(twins.stop)
        parts = HubParts(
            settings=settings,
            store=store,
            devices=devices,
            alerts=alerts,
            claims=Claims(store.claims, store.devices, clock.now),
            enrolment=Enrolment(store, devices, authority, alerts, clock.now, changes.tell),
            commands=commands,
            twins=twins,
            health=health,
            readiness=Readiness(conductor, health, devices, alerts, clock.now, refresh),
            conductor=conductor,
            changes=changes,
            intake=intake,
            misfits=misfits,
            key=key,
            clock=clock,
            archive=settings.archive_folder,
            mqtt_host=broker.host,
            mqtt_port=broker.port,
            broker=broker.name,
            broker_up=lambda: link.wait_ready(0),
            version=hub_version(),
        )
        return parts, _Threads(link, intake, workers, courier, commands, twins, keeper)

    async def _serve(self, parts: HubParts, broker: Broker, threads: "_Threads", http: socket.socket) -> None:
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
                tending = tasks.create_task(_again(TEND_S, _on_loop(broker.tend)), name="hub.broker")
                judge = _Patient(parts.conductor.tick, "sessions are not looked after")
                judging = tasks.create_task(_again(TICK_S, judge.tick), name="hub.sessions")
                doorman = _Patient(parts.devices.notice_revoked, "devices that are revoked meanwhile are not noticed")
                refusing = tasks.create_task(_again(TICK_S, doorman.tick), name="hub.revoked")
                lookout = _Patient(parts.readiness.tick, "rooms are not judged before their lessons")
                readying = tasks.create_task(_again(READINESS_S, lookout.tick), name="hub.readiness")
                watching = tasks.create_task(_again(TICK_S, _on_loop(threads.check)), name="hub.threads")
                await self._announce(parts, lambda: server.started or serving.done(), threads, http)
                ended = tasks.create_task(self._ending.wait(), name="hub.ending")
                await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not self._ending.is_set():
                    raise HubRefused("the HTTP side ended by itself; its log says why")
                server.should_exit = True
                await serving
                for task in (tending, judging, refusing, readying, watching, ended):
                    task.cancel()

    async def _announce(
        self, parts: HubParts, http_up: Callable[[], bool], threads: "_Threads", http: socket.socket
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
            "pid": os.getpid(),
        }
        path = self._settings.data / WHERE
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(where, indent=1), encoding="utf-8")
        draft.replace(path)
        log.info("the hub is at %s, its broker at %s:%d", where["http"], parts.mqtt_host, parts.mqtt_port)


@dataclass(frozen=True, slots=True)
class _Threads:
    link: HubLink
    intake: Intake
    workers: IntakeWorkers
    courier: Courier
    commands: Commands
    twins: Twins
    keeper: Keeper

    @property
    def ready(self) -> bool:
        """Whether the hub hears its devices."""
        return self.link.wait_ready(0) and self.workers.wait_ready(0)

    def check(self) -> None:
        """Raise where a thread has died: a hub that is deaf must be started again, not look alive."""
        if not self.intake.alive:
            raise RuntimeError("the intake's writer has died")
        if not self.courier.alive:
            raise RuntimeError("the courier has died")
        if not (self.commands.alive and self.twins.alive):
            raise RuntimeError("what takes the answers to commands, or the twins, has died")
        if not self.keeper.alive:
            raise RuntimeError("what sums telemetry up has died")
        self.workers.tend()


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
        except DBAPIError as error:
            if not self.down:
                log.error("%s: %s", self.without, error.orig)  # noqa: TRY400  told once
            self.down = True
            return
        if self.down:
            log.info("the database answers again; no longer: %s", self.without)
        self.down = False


async def _again(every_s: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        await act()
        await asyncio.sleep(every_s)


def _on_loop(act: Callable[[], None]) -> Callable[[], Awaitable[None]]:
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
