"""Whether each room can hold the lesson that begins soon: ready, at risk, missing; told ten minutes ahead.

"Will miss a lesson" is the one alert of a device that is worth a walk to the room: it follows from presence and
health, and only where a lesson is due. One cause is told once: a school whose devices are all away is one alert.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from contract.state import FINAL, SessionState
from hub.fleet.health import DeviceHealth, FleetHealth
from hub.fleet.signs import RISKY, UNUSED_WATCHING, HealthRemark, HealthState, RoomReadiness, Sign, Standing
from hub.session.views import RoomView, SessionView
from hub.store.alerts import AlertRecord
from hub.store.devices import DeviceRecord

AHEAD_S = 600.0
"""Rooms are judged from this long before their lesson on, in seconds."""
HOLD_S = 15.0
"""What keeps a room from its lesson must last this long before an alert is raised: networks blink."""
AGAIN_S = 300.0
"""An alert that an operator has cleared, and whose cause is still there, is raised again after so many seconds."""
SETTLE_S = 90.0
"""After a start of the hub every device counts as away until it is heard; they come back within a minute."""
WILL_MISS = "will-miss-lesson"
AT_RISK = "lesson-at-risk"
SCHOOL_AWAY = "school-away"
KINDS = frozenset({WILL_MISS, AT_RISK, SCHOOL_AWAY})
SCHOOL_LEAST = 2
"""Devices that a school must have to be told as one."""
LONGEST_NAME = 64

OVER = FINAL | {SessionState.ENDING, SessionState.SEALED}
HOLDING = frozenset({SessionState.LIVE, SessionState.ENDING, SessionState.SEALED, SessionState.UPLOADED})
"""A room in one of these states is at its lesson, or was."""
PREPARING = frozenset({SessionState.READYING, SessionState.READY})


class Sessions(Protocol):
    """Where sessions stand."""

    def due(self, within_s: float) -> list[SessionView]:
        """Open sessions that have begun or begin within so many seconds."""


class Alarm(Protocol):
    """Where alerts go; may block on the database."""

    def raise_(self, device: str, kind: str, words: str) -> None:
        """Something should be looked at."""

    def clear(self, device: str, kind: str) -> None:
        """It is well again."""

    def open(self) -> list[AlertRecord]:
        """Alerts that are not cleared."""


class Roll(Protocol):
    """Who is registered."""

    def all(self) -> list[DeviceRecord]:
        """Every device."""


@dataclass(frozen=True, slots=True)
class Case:
    """One room that may not hold its lesson."""

    room: RoomView
    session: SessionView
    readiness: RoomReadiness

    @property
    def words(self) -> str:
        """For the alert."""
        lesson = f"“{self.session.title}”" if self.session.title else self.session.session
        room, words = self.room.name or self.room.room, self.readiness.words
        if self.readiness.standing is Standing.MISSING:
            return f"{room} will miss the lesson {lesson}: {words}"
        return f"{room} may miss, or lack something at, the lesson {lesson}: {words}"

    @property
    def about(self) -> tuple[str, ...]:
        """What it is, without figures that move."""
        return (self.session.session, *(one.sign for one in self.readiness.remarks))

    @property
    def is_away(self) -> bool:
        """Whether the device is simply not connected."""
        return any(one.sign is Sign.AWAY for one in self.readiness.remarks)


Key = tuple[str, str]
"""Device (or school) and kind of an alert."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alert that should be open."""

    about: tuple[str, ...]
    """What it is about; figures in the words may move without it being told again."""
    words: str


@dataclass(slots=True)
class _Memory:
    since: dict[Key, float] = field(default_factory=dict)
    """When each alert that should be open was first wanted, in hub UTC."""
    raised: dict[Key, tuple[tuple[str, ...], float]] = field(default_factory=dict)
    """What each alert that was raised is about, and when it was."""


class Readiness:
    """Judges the rooms of lessons to come, and raises and clears their alerts.

    `tick` belongs to one thread; `shown` is thread-safe.

    Args:
        sessions: where sessions stand.
        health: how devices are.
        roll: who is registered.
        alarm: where alerts go.
        now: hub UTC in seconds.
        refresh: called before each look; brings in health that other processes have stored.
        lacking: names of the materials of a session that a room does not hold.
    """

    def __init__(
        self,
        sessions: Sessions,
        health: FleetHealth,
        roll: Roll,
        alarm: Alarm,
        now: Callable[[], float],
        refresh: Callable[[], object] = lambda: None,
        lacking: Callable[[str, str], Sequence[str]] = lambda _session, _room: (),
    ) -> None:
        self._sessions = sessions
        self._health = health
        self._roll = roll
        self._alarm = alarm
        self._now = now
        self._refresh = refresh
        self._lacking = lacking
        self._began = now()
        self._memory = _Memory()

    def shown(self, view: SessionView) -> SessionView:
        """The session with what is expected of its rooms, where it begins soon or runs; else as it is."""
        if not self._is_near(view):
            return view
        rooms = tuple(room.model_copy(update={"readiness": self._judge(room, view)}) for room in view.rooms)
        return view.model_copy(update={"rooms": rooms})

    def tick(self) -> None:
        """Look at every device and every lesson that is due; blocks on the database. Every few seconds."""
        self._refresh()
        devices = self._roll.all()
        self._health.look(one.id for one in devices)
        near = [view for one in self._sessions.due(AHEAD_S) if (view := self.shown(one)) is not one]
        cases: dict[str, Case] = {}
        for view in sorted(near, key=lambda one: one.epoch):
            for room in view.rooms:
                if room.readiness is not None and room.readiness.standing is not Standing.READY:
                    case = Case(room, view, room.readiness)
                    held = cases.setdefault(room.device, case)
                    if held.readiness.standing is Standing.AT_RISK and case.readiness.standing is Standing.MISSING:
                        cases[room.device] = case
        self._tell(wanted_alerts(cases.values(), devices))

    def _is_near(self, view: SessionView) -> bool:
        return view.state not in OVER and -AHEAD_S <= view.now_t < view.seconds

    def _judge(self, room: RoomView, view: SessionView) -> RoomReadiness:
        settled = self._now() - self._began >= SETTLE_S
        lacking = self._lacking(view.session, room.room)
        risky = RISKY - UNUSED_WATCHING if room.watching else RISKY
        health = self._health.of(room.device)
        return room_readiness(room, health, lacking, risky, begun=view.now_t >= 0, settled=settled)

    def _tell(self, wanted: Mapping[Key, Wanted]) -> None:
        memory, now = self._memory, self._now()
        memory.since = {key: memory.since.get(key, now) for key in wanted}
        if now - self._began < SETTLE_S:
            return  # neither raised nor cleared on what is not known yet
        opened = {(one.device, one.kind) for one in self._alarm.open() if one.kind in KINDS}
        for key in opened - wanted.keys():
            self._alarm.clear(*key)
        memory.raised = {key: told for key, told in memory.raised.items() if key in wanted}
        for key, one in wanted.items():
            about, at = memory.raised.get(key, (None, 0.0))
            dismissed = key not in opened and now - at >= AGAIN_S
            if now - memory.since[key] >= HOLD_S and (about != one.about or dismissed):
                self._alarm.raise_(*key, one.words)
                memory.raised[key] = (one.about, now)


def room_readiness(
    room: RoomView,
    health: DeviceHealth,
    lacking: Sequence[str],
    risky: Collection[Sign],
    *,
    begun: bool,
    settled: bool,
) -> RoomReadiness:
    """What is to be expected of a room; pure.

    Args:
        room: where it stands, as it reported.
        health: how its device is.
        lacking: materials that it does not hold.
        risky: what puts a lesson of this kind at risk.
        begun: whether the lesson's time runs.
        settled: whether the hub has run for long enough to know who is away.
    """
    standing, remarks = Standing.READY, []
    if room.state is SessionState.FAILED:
        standing = Standing.MISSING
        remarks = [HealthRemark(sign=Sign.ROOM_FAILED, values={"words": room.words or "no reason was given"})]
    elif health.state is HealthState.DOWN and not settled:
        standing, remarks = Standing.AT_RISK, [HealthRemark(sign=Sign.HUB_STARTED)]
    elif health.state is HealthState.DOWN and (room.state not in HOLDING or not begun):
        standing, remarks = Standing.MISSING, [HealthRemark(sign=Sign.AWAY)]
    elif room.state not in HOLDING:
        remarks = [one for one in health.remarks if one.sign in risky]
        if not room.held:
            remarks.append(HealthRemark(sign=Sign.ORDER_NOT_HELD))
        if lacking:
            remarks.append(HealthRemark(sign=Sign.MATERIALS_MISSING, values={"words": ", ".join(lacking)}))
        if room.state in PREPARING and room.words:
            remarks.append(HealthRemark(sign=Sign.ROOM_SAYS, values={"words": room.words}))
        standing = Standing.AT_RISK if remarks else Standing.READY
    words = "; ".join(str(one) for one in remarks)
    return RoomReadiness(standing=standing, remarks=tuple(remarks), words=words)


def wanted_alerts(cases: Iterable[Case], devices: Sequence[DeviceRecord]) -> dict[Key, Wanted]:
    """The alerts that should be open; pure.

    A school with several devices, none of which is there, stands for all of them under its own name.
    """
    school_of = {one.id: one.school for one in devices}
    members = Counter(school_of.values())
    there = {one.school for one in devices if one.online}
    wanted: dict[Key, Wanted] = {}
    missed: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        device = case.room.device
        school = school_of.get(device, "")
        if case.readiness.standing is Standing.AT_RISK:
            wanted[device, AT_RISK] = Wanted(case.about, case.words)
        elif case.is_away and school and school not in there and members[school] >= SCHOOL_LEAST:
            missed[school].add(device)
        else:
            wanted[device, WILL_MISS] = Wanted(case.about, case.words)
    for school, rooms in missed.items():
        words = (
            f"none of the {members[school]} devices of {school} is connected, and {len(rooms)} of its rooms "
            "have a lesson now or soon; look at the school's power and its line to the hub"
        )
        wanted[school[:LONGEST_NAME], SCHOOL_AWAY] = Wanted(tuple(sorted(rooms)), words)
    return wanted
