"""What the hub's HTTP side is handed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.broker.intake import Intake
from hub.broker.misfits import Misfits
from hub.clock import HubClock
from hub.fleet.alerts import Alerts
from hub.fleet.claims import Claims
from hub.fleet.commands import Commands
from hub.fleet.devices import Devices
from hub.fleet.enrolment import Enrolment
from hub.fleet.health import FleetHealth
from hub.fleet.readiness import Readiness
from hub.fleet.twin import Twins
from hub.schedule.desk.attendance import Attendance
from hub.schedule.desk.desk import Desk
from hub.session.changes import Changes
from hub.session.conductor import Conductor
from hub.session.materials import Materials
from hub.settings import HubSettings
from hub.store.store import Store


@dataclass(frozen=True, slots=True)
class HubParts:
    """The parts of a running hub. Store, devices and conductor are synchronous: use `asyncio.to_thread`."""

    settings: HubSettings
    store: Store
    devices: Devices
    alerts: Alerts
    claims: Claims
    enrolment: Enrolment
    commands: Commands
    twins: Twins
    health: FleetHealth
    readiness: Readiness
    conductor: Conductor
    materials: Materials
    desk: Desk
    attendance: Attendance
    """Makes sessions of the lessons that are planned; its thread runs beside the hub's loop."""
    changes: Changes
    """Tells of each session or device that changed, from any thread."""
    intake: Intake
    misfits: Misfits
    key: Ed25519PrivateKey
    """The hub's key: signs receipts."""
    clock: HubClock
    archive: Path
    mqtt_host: str
    mqtt_port: int
    broker: str
    """`mosquitto`, `amqtt` or the URL of another."""
    broker_up: Callable[[], bool]
    """Whether the hub is connected to it."""
    version: str


AppFactory = Callable[[HubParts], Any]
"""Makes the ASGI application."""
