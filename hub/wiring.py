"""Makes the parts of a hub and hands each what it needs; nothing runs yet."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import topics
from contract.signal import Hello, Signal
from hub.archive.materials import MaterialFolder
from hub.broker.courier import Courier
from hub.broker.embedded import Broker
from hub.broker.gate import Gate
from hub.broker.intake import Intake
from hub.broker.link import SUBSCRIPTIONS, WITHOUT_ROWS, Arrival, HubLink
from hub.broker.misfits import Misfits
from hub.broker.workers import IntakeWorkers, specs
from hub.clock import HubClock
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
from hub.parts import HubParts
from hub.repeating import Repeating
from hub.schedule.desk.opening import OpenedDesk, open_desk
from hub.session.changes import Changes
from hub.session.conductor import Conductor, Times
from hub.session.materials import Materials
from hub.settings import HubSettings
from hub.store.checkpoints import checkpoints
from hub.store.store import Store
from hub.threads import Threads

MATERIALS_S = 60.0
"""Between two looks at what the materials' folder holds, in seconds."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What there is before the parts are made."""

    settings: HubSettings
    version: str
    clock: HubClock
    key: Ed25519PrivateKey
    """The hub's."""
    authority: Authority
    store: Store
    broker: Broker
    gate: Gate | None
    """None where MQTT is plain."""


@dataclass(frozen=True, slots=True)
class _Register:
    """Who there is, and what is said of them."""

    devices: Devices
    alerts: Alerts
    changes: Changes
    misfits: Misfits


@dataclass(frozen=True, slots=True)
class _Line:
    """How the hub hears its devices, and is heard."""

    link: HubLink
    intake: Intake
    workers: IntakeWorkers
    courier: Courier
    takers: dict[str, Callable[[Arrival], None]]
    """Who takes what arrives, by the last level of its topic; the intake takes the rest."""


@dataclass(frozen=True, slots=True)
class _Fleet:
    """What is asked of devices, and how they are."""

    commands: Commands
    twins: Twins
    health: FleetHealth


def connect(opened: Opened) -> tuple[HubParts, Threads]:
    """Make the parts of a hub, and what of them runs beside its event loop.

    Raises:
        hub.broker.errors.BrokerUnusable: database or broker cannot serve several intake workers.
    """
    settings, clock, store, broker = opened.settings, opened.clock, opened.store, opened.broker
    register = _register(opened)
    devices, alerts, changes = register.devices, register.alerts, register.changes
    line = _line(opened, register)
    fleet = _fleet(opened, register, line)
    times = Times(lead_s=settings.lesson.lead_s, grace_s=settings.lesson.grace_s)
    conductor = Conductor(store.sessions, devices, line.courier, clock.now, times, changes.tell)
    materials = Materials(MaterialFolder(settings.materials_folder), store.materials, conductor, clock.now)
    opened_desk = open_desk(
        settings.plan, store, conductor, devices, alerts, materials, clock.now, settings.data / "compiled"
    )
    parts = HubParts(
        settings=settings,
        store=store,
        devices=devices,
        alerts=alerts,
        claims=Claims(store.claims, store.devices, clock.now),
        enrolment=Enrolment(store, devices, opened.authority, alerts, clock.now, changes.tell),
        commands=fleet.commands,
        twins=fleet.twins,
        health=fleet.health,
        readiness=Readiness(
            conductor, fleet.health, devices, alerts, clock.now, _refresh(opened, fleet.health), materials.lacking
        ),
        conductor=conductor,
        materials=materials,
        desk=opened_desk.desk,
        attendance=opened_desk.attendance,
        changes=changes,
        intake=line.intake,
        misfits=register.misfits,
        key=opened.key,
        clock=clock,
        archive=settings.archive_folder,
        mqtt_host=broker.host,
        mqtt_port=broker.port,
        broker=broker.name,
        broker_up=lambda: line.link.wait_ready(0),
        version=opened.version,
    )
    return parts, _threads(opened, line, fleet, conductor, materials, opened_desk)


def _register(opened: Opened) -> _Register:
    """The roll of devices; the broker lets in and shuts out as it says."""
    clock, store, broker, authority = opened.clock, opened.store, opened.broker, opened.authority
    changes = Changes()
    alerts = Alerts(store.alerts, clock.now, changes.tell)
    devices = Devices(store.devices, clock.now, changes.tell, alerts)
    devices.on_admitted.append(broker.admit)
    devices.on_revoked.append(
        lambda device: broker.revoke(device, authority.crl(devices.revoked_serials(), clock.now()))
    )
    return _Register(devices, alerts, changes, Misfits(time.monotonic))


def _line(opened: Opened, register: _Register) -> _Line:
    """The connection to the broker, rows and signals."""
    settings, clock, devices = opened.settings, opened.clock, register.devices
    takers: dict[str, Callable[[Arrival], None]] = {}

    def arrived(arrival: Arrival) -> None:
        takers.get(_leaf(arrival.topic), intake.offer)(arrival)

    incarnation = secrets.token_hex(6)
    tls = opened.gate.certificate.client_context() if opened.gate is not None else None
    further = specs(settings, opened.broker, incarnation, opened.version)
    workers = IntakeWorkers(further, register.misfits, register.alerts.raise_)
    heard = WITHOUT_ROWS if further else SUBSCRIPTIONS
    link = HubLink(*opened.broker.hub_address, incarnation, opened.version, clock.now_ns, arrived, tls, heard)
    intake = Intake(opened.store.rows, devices, link.publish, register.misfits, register.alerts.raise_, workers.counts)
    courier = Courier(
        opened.key, devices.key, link.publish, clock.now_ns, register.misfits, devices.heard, devices.online
    )
    takers[_leaf(topics.signal_up("+"))] = courier.arrived
    return _Line(link, intake, workers, courier, takers)


def _fleet(opened: Opened, register: _Register, line: _Line) -> _Fleet:
    """Commands, twins and health."""
    store, key, now, publish = opened.store, opened.key, opened.clock.now, line.link.publish
    devices, alerts, misfits, tell = register.devices, register.alerts, register.misfits, register.changes.tell
    commands = Commands(store.commands, devices, key, publish, now, misfits, tell)
    line.takers[_leaf(topics.result("+"))] = commands.arrived
    alerting = told_as_alerts(alerts.raise_, alerts.clear)
    twins = Twins(store.twins, devices, key, partial(publish, retain=True), now, misfits, alerting)
    line.takers[_leaf(topics.twin_reported("+"))] = twins.arrived
    health = FleetHealth(devices, now, tell)
    line.intake.on_stored.append(health.on_stored)
    return _Fleet(commands, twins, health)


def _refresh(opened: Opened, health: FleetHealth) -> Callable[[], None]:
    """What brings health up to date before it is judged: rows that other workers stored pass by this process."""
    if opened.settings.intake.workers == 1:
        return lambda: None
    return HealthFeed(opened.store.database, health).poll


def _threads(
    opened: Opened, line: _Line, fleet: _Fleet, conductor: Conductor, materials: Materials, desk: OpenedDesk
) -> Threads:
    store = opened.store

    def handle(signal: Signal, issued: float) -> str:
        if isinstance(signal, Hello):
            fleet.commands.hello(signal.device)
        return conductor.handle(signal, issued)

    return Threads(
        checkpoints=checkpoints(store.database),
        keeper=Keeper(store.rollups, store.retention, opened.settings.keep, opened.clock.now),
        intake=line.intake,
        workers=line.workers,
        commands=fleet.commands,
        courier=line.courier,
        start_courier=lambda: line.courier.start(handle, conductor.answered),
        link=line.link,
        twins=fleet.twins,
        materials=Repeating("materials", MATERIALS_S, materials.look, "materials that nobody needs stay on the disk"),
        plan=desk.repeating,
        solver=desk.solver,
    )


def _leaf(topic: str) -> str:
    return topic.rpartition("/")[2]
