"""Puts the desk together and hands each part what it needs; nothing runs yet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from contract.session import Policy
from hub.fleet.alerts import Alerts
from hub.fleet.devices import Devices
from hub.repeating import Repeating
from hub.schedule.desk.attendance import Attendance
from hub.schedule.desk.desk import Desk
from hub.schedule.desk.publication import Publication
from hub.schedule.desk.solving import Solver
from hub.session.conductor import Conductor
from hub.session.materials import Materials
from hub.settings import PlanSettings
from hub.store.store import Store

DAY_S = 86_400.0
EVERY_S = 10.0
"""Between two looks at whether lessons must become sessions, in seconds."""


@dataclass(frozen=True, slots=True)
class OpenedDesk:
    """The desk's parts."""

    desk: Desk
    attendance: Attendance
    solver: Solver
    repeating: Repeating
    """Keeps sessions in step with the plan."""


def open_desk(
    settings: PlanSettings,
    store: Store,
    conductor: Conductor,
    devices: Devices,
    alerts: Alerts,
    materials: Materials,
    now: Callable[[], float],
    compiled: Path | None = None,
) -> OpenedDesk:
    """Make the desk's parts.

    Args:
        settings: the plan's.
        store: what the hub keeps.
        conductor: makes sessions.
        devices: who stands in which room.
        alerts: where is told what cannot be made.
        materials: files of sessions.
        now: hub UTC in seconds.
        compiled: where the planner's compiled code is kept between runs.
    """
    timezone = ZoneInfo(settings.timezone)
    solver = Solver(settings.solvers, now, compiled=compiled)
    publication = Publication(store.plans, store.occurrences, store.plan_facts, timezone)
    desk = Desk(store.plans, store.plan_facts, publication, solver, settings.solve_seconds, now)

    def carry(before: str, after: str) -> None:
        for one in materials.of(before):
            materials.add(after, one.material, one.operator)

    attendance = Attendance(
        store.occurrences,
        conductor,
        devices.of_room,
        alerts,
        Policy(**settings.policy.model_dump()),
        settings.ahead_days * DAY_S,
        timezone,
        now,
        stopping=lambda: repeating.stopping.is_set(),  # noqa: PLW0108  it is made below, of this
        carry=carry,
    )
    repeating = Repeating("hub.plan", EVERY_S, attendance.tick, "lessons of the plan do not become sessions")
    return OpenedDesk(desk, attendance, solver, repeating)
